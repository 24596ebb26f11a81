/* Including files. */
#include "conf/include.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Paths are relative to the file that includes. A directory would make the lexer exit the process. */
int
conf_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	char copy[4096], path[4096];
	const char *one[1] = { path };
	struct stat sb;
	int n;

	if (argc != 1) {
		cfg_error(cfg, "include takes one file");
		return -1;
	}
	snprintf(copy, sizeof(copy), "%s", cfg->filename == NULL ? "" : cfg->filename);
	n = argv[0][0] == '/' ? snprintf(path, sizeof(path), "%s", argv[0])
			      : snprintf(path, sizeof(path), "%s/%s", dirname(copy), argv[0]);
	if (n < 0 || (size_t)n >= sizeof(path) || stat(path, &sb) != 0 || !S_ISREG(sb.st_mode)) {
		cfg_error(cfg, "cannot include %s", argv[0]);
		return -1;
	}
	return cfg_include(cfg, opt, 1, one);
}
