/*
 * A look at one setting: which backends there are decides which sections the file may have, and a level of
 * the log may change while everything else stays.
 */
#include <confuse.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/include.h"
#include "conf/value.h"

/* What is wrong is told when the file is read in earnest. */
__attribute__((format(printf, 2, 0))) static void
keep_quiet(cfg_t *cfg, const char *fmt, va_list ap)
{
	(void)cfg;
	(void)fmt;
	(void)ap;
}

static void
peek_file(const char *path, struct mf_conf *top, int row)
{
	bool list = top->table->rows[row].type == MF_SETTING_LIST;
	cfg_opt_t options[] = {
		CFG_STR(top->table->rows[row].name, NULL, CFGF_NODEFAULT),
		CFG_FUNC("include", conf_include),
		CFG_END(),
	};
	cfg_t *cfg;
	cfg_opt_t *opt;

	options[0].flags |= list ? CFGF_LIST : CFGF_NONE;
	cfg = cfg_init(options, CFGF_IGNORE_UNKNOWN);
	cfg_set_error_function(cfg, keep_quiet);
	cfg_parse(cfg, path);
	opt = cfg_getopt(cfg, top->table->rows[row].name);
	if (list && cfg_opt_size(opt) > 0)
		conf_value_set(top, row, NULL, NULL);
	for (unsigned i = 0; i < cfg_opt_size(opt); i++)
		conf_value_set(top, row, cfg_opt_getnstr(opt, i), NULL);
	cfg_free(cfg);
}

static struct mf_conf *
peek(const char *path, const char *name, struct mf_arena *a)
{
	static const struct conf_table table = { .name = "", .rows = conf_settings };
	struct mf_conf *top = conf_section_new(a, &table);
	struct stat sb;

	if (path != NULL && stat(path, &sb) == 0 && !S_ISDIR(sb.st_mode))
		peek_file(path, top, conf_row(top, name));
	conf_environment_apply(top, NULL);
	return top;
}

const char *const *
conf_peek_list(const char *path, const char *name, struct mf_arena *a)
{
	return mf_conf_list(peek(path, name, a), name);
}

const char *
conf_peek_string(const char *path, const char *name, struct mf_arena *a)
{
	return mf_conf_string(peek(path, name, a), name);
}
