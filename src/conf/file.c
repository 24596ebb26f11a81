/* Reads a file, blanks its comments, parses. Knows quotes and comments, nothing else of the format. */
#include "conf/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A character that is quoted by a backslash counts for two. */
static void
blank_comments(char *s)
{
	char quote = '\0';

	for (; *s != '\0'; s++) {
		if (quote != '\0') {
			if (*s == '\\' && quote == '"' && s[1] != '\0')
				s++;
			else if (*s == quote)
				quote = '\0';
		} else if (*s == '"' || *s == '\'') {
			quote = *s;
		} else if (s[0] == '/' && s[1] == '*') {
			char *end = strstr(s + 2, "*/");

			if (end == NULL)
				return; /* the library tells */
			for (; s < end + 2; s++)
				if (*s != '\n')
					*s = ' ';
			s--;
		} else if (*s == '#') {
			size_t n = strcspn(s, "\r\n");

			memset(s, ' ', n);
			s += n - 1;
		}
	}
}

/* NULL: errno tells why. With a NUL behind it. */
static char *
read_whole(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = malloc(CONF_FILE_MAX + 1);
	size_t n;

	if (text == NULL)
		abort();
	if (f == NULL) {
		free(text);
		return NULL;
	}
	n = fread(text, 1, CONF_FILE_MAX + 1, f);
	if (n > CONF_FILE_MAX || ferror(f)) {
		errno = n > CONF_FILE_MAX ? EFBIG : EIO;
		free(text);
		text = NULL;
	} else {
		text[n] = '\0';
	}
	fclose(f);
	return text;
}

int
conf_file_parse(cfg_t *cfg, const char *path)
{
	char *text = read_whole(path);
	FILE *f;
	int result;

	if (text == NULL)
		return CFG_FILE_ERROR;
	blank_comments(text);
	/* fmemopen takes no empty text everywhere */
	f = fmemopen(text, text[0] == '\0' ? 1 : strlen(text), "r");
	if (f == NULL) {
		free(text);
		return CFG_FILE_ERROR;
	}
	free(cfg->filename);
	cfg->filename = strdup(path); /* freed with cfg */
	result = cfg_parse_fp(cfg, f);
	fclose(f);
	free(text);
	return result;
}
