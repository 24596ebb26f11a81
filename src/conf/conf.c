/*
 * Loading: libconfuse reads the text, the tables say what is allowed. Every setting is a string or a
 * list of strings to libconfuse; values are made and checked here, while file and line are known.
 */
#include "conf/conf.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "conf/file.h"
#include "conf/include.h"
#include "conf/value.h"

enum { TITLED_MAX = 100 };

struct conf {
	struct mf_arena *arena;
	struct conf_table top_table;
	struct mf_conf **sections; /* the top first */
	size_t n;
	struct mf_conf *titled[TITLED_MAX]; /* in the order of the file */
	size_t n_titled;
};

/* libconfuse hands no context to its callbacks; loading is done by one thread at a time. */
static struct loading {
	struct conf *conf;
	cfg_t *top;
	struct mf_error err; /* the first error */
} * loading;

static struct mf_conf *
find_section(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->sections[i]->table->name, name) == 0)
			return c->sections[i];
	return NULL;
}

/* The section of that title, made on first sight; NULL when there are too many. */
static struct mf_conf *
titled_section(struct conf *c, const struct conf_table *table, const char *title)
{
	for (size_t i = 0; i < c->n_titled; i++)
		if (c->titled[i]->table == table && strcmp(c->titled[i]->title, title) == 0)
			return c->titled[i];
	if (c->n_titled == TITLED_MAX)
		return NULL;
	c->titled[c->n_titled] = conf_section_new(c->arena, table);
	c->titled[c->n_titled]->title = mf_strdup(c->arena, title);
	return c->titled[c->n_titled++];
}

__attribute__((format(printf, 2, 0))) static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[300];

	if (loading->err.status != MF_OK)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	mf_fail(&loading->err, MF_INVALID, "%s:%d: %s",
		cfg->filename == NULL ? "configuration" : cfg->filename, cfg->line, text);
}

/* libconfuse calls after each string of a list and once more at its end: what was taken already must
 * be the beginning of what is there now, else the list is set a second time. */
static bool
continues(const struct value *v, cfg_opt_t *opt)
{
	if (v->n > cfg_opt_size(opt))
		return false;
	for (unsigned i = 0; i < v->n; i++)
		if (strcmp(v->list[i], cfg_opt_getnstr(opt, i)) != 0)
			return false;
	return true;
}

static enum mf_status
take_value(struct mf_conf *c, int row, cfg_opt_t *opt, struct mf_error *err)
{
	struct value *v = &c->values[row];
	bool list = c->table->rows[row].type == MF_SETTING_LIST;
	enum mf_status st = MF_OK;

	if (v->set && !(list && continues(v, opt)))
		return mf_fail(err, MF_INVALID, "is set a second time");
	if (!list)
		return conf_value_set(c, row, cfg_opt_getnstr(opt, 0), err);
	if (!v->set)
		st = conf_value_set(c, row, NULL, err);
	while (st == MF_OK && v->n < cfg_opt_size(opt))
		st = conf_value_set(c, row, cfg_opt_getnstr(opt, (unsigned)v->n), err);
	return st;
}

static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	struct mf_conf *c = cfg == loading->top ? loading->conf->sections[0]
						: find_section(loading->conf, cfg->name);
	struct mf_error why;

	if (c != NULL && c->table->titled)
		c = titled_section(loading->conf, c->table, cfg_title(cfg));
	if (c == NULL) {
		cfg_error(cfg, "too many sections");
		return -1;
	}
	if (take_value(c, conf_row_now(c, conf_row(c, opt->name)), opt, &why) == MF_OK)
		return 0;
	cfg_error(cfg, "%s %s", opt->name, why.text);
	return -1;
}

static bool
is_list(const struct conf_table *t, const struct mf_setting *row)
{
	const struct mf_setting *now = t->rows;

	if (row->type != MF_SETTING_RENAMED)
		return row->type == MF_SETTING_LIST;
	while (now->name != NULL && strcmp(now->name, row->value) != 0)
		now++;
	return now->type == MF_SETTING_LIST;
}

/* A section's options in libconfuse's form; `more` leaves room for sections behind them. */
static cfg_opt_t *
options(struct mf_arena *a, const struct conf_table *t, size_t more, size_t *n_out)
{
	size_t n = 0;
	cfg_opt_t *o;

	while (t->rows != NULL && t->rows[n].name != NULL)
		n++;
	o = mf_new_array(a, cfg_opt_t, n + more + 1);
	for (size_t i = 0; i < n; i++) {
		cfg_opt_t one = CFG_STR(t->rows[i].name, NULL, CFGF_NODEFAULT);

		if (is_list(t, &t->rows[i]))
			one.flags |= CFGF_LIST;
		one.validcb = on_value;
		o[i] = one;
	}
	o[n] = (cfg_opt_t)CFG_END();
	*n_out = n;
	return o;
}

static cfg_opt_t *
all_options(struct conf *c)
{
	size_t n, ignored;
	cfg_opt_t *o = options(c->arena, &c->top_table, c->n, &n);

	for (size_t i = 1; i < c->n; i++) {
		const struct conf_table *t = c->sections[i]->table;
		cfg_flag_t flags =
			t->titled ? CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES : CFGF_NODEFAULT;
		cfg_opt_t one = CFG_SEC(t->name, options(c->arena, t, 0, &ignored), flags);

		o[n++] = one;
	}
	o[n++] = (cfg_opt_t)CFG_FUNC("include", conf_include);
	o[n] = (cfg_opt_t)CFG_END();
	return o;
}

static struct conf *
conf_new(const struct conf_table *sections)
{
	struct mf_arena *a = mf_arena_new();
	struct conf *c = mf_new(a, struct conf);
	size_t n = 0, own = 0;

	while (sections != NULL && sections[n].name != NULL)
		n++;
	while (conf_own_tables[own].name != NULL)
		own++;
	c->arena = a;
	c->top_table = (struct conf_table){ .name = "", .rows = conf_settings };
	c->sections = mf_new_array(a, struct mf_conf *, n + own + 1);
	c->sections[c->n++] = conf_section_new(a, &c->top_table);
	for (size_t i = 0; i < n; i++)
		c->sections[c->n++] = conf_section_new(a, &sections[i]);
	for (size_t i = 0; i < own; i++)
		c->sections[c->n++] = conf_section_new(a, &conf_own_tables[i]);
	return c;
}

/* `name = {}` is not told to on_value. */
static void
take_empty_lists(struct mf_conf *c, cfg_t *cfg)
{
	const struct mf_setting *rows = c->table->rows;

	for (int i = 0; cfg != NULL && rows != NULL && rows[i].name != NULL; i++) {
		cfg_opt_t *opt = cfg_getopt(cfg, rows[i].name);

		if (is_list(c->table, &rows[i]) && cfg_opt_size(opt) == 0 &&
			(opt->flags & CFGF_MODIFIED) != 0)
			conf_value_set(c, conf_row_now(c, i), NULL, NULL);
	}
}

/* A section in which nothing stands is one nevertheless, at its place in the file: each is taken from
 * where it is and put at the end. */
static void
take_titled(struct conf *c, cfg_t *top, const struct conf_table *table)
{
	for (unsigned i = 0; i < cfg_size(top, table->name); i++) {
		cfg_t *cfg = cfg_getnsec(top, table->name, i);
		struct mf_conf *s = titled_section(c, table, cfg_title(cfg));
		size_t at = 0;

		if (s == NULL)
			return;
		take_empty_lists(s, cfg);
		while (c->titled[at] != s)
			at++;
		memmove(&c->titled[at], &c->titled[at + 1],
			(c->n_titled - at - 1) * sizeof(c->titled[0]));
		c->titled[c->n_titled - 1] = s;
	}
}

static enum mf_status
read_text(struct conf *c, const char *path, const char *text, struct mf_error *err)
{
	struct loading l = { .conf = c };
	int result;

	l.top = cfg_init(all_options(c), CFGF_NONE);
	loading = &l;
	cfg_set_error_function(l.top, on_error);
	result = path != NULL ? conf_file_parse(l.top, path) : cfg_parse_buf(l.top, text);
	for (size_t i = 0; i < c->n; i++)
		if (c->sections[i]->table->titled)
			take_titled(c, l.top, c->sections[i]->table);
		else
			take_empty_lists(c->sections[i],
				i == 0 ? l.top : cfg_getsec(l.top, c->sections[i]->table->name));
	cfg_free(l.top);
	loading = NULL;
	if (result == CFG_SUCCESS)
		return MF_OK;
	if (l.err.status == MF_OK)
		return mf_fail(err, MF_INVALID, "%s: %s", path == NULL ? "text" : path,
			result == CFG_FILE_ERROR ? strerror(errno) : "cannot be read");
	return mf_fail(err, MF_INVALID, "%s", l.err.text);
}

static bool
listed(const struct mf_conf *top, const char *name)
{
	for (const char *const *b = mf_conf_list(top, "backends"); *b != NULL; b++)
		if (strcmp(*b, name) == 0)
			return true;
	return false;
}

/* Settings without a default, at the top and in the sections that are in use. */
static enum mf_status
check_required(const struct conf *c, const char *where, struct mf_error *err)
{
	for (size_t k = 0; k < c->n; k++) {
		const struct mf_conf *s = c->sections[k];
		const struct mf_setting *rows = s->table->rows;

		if (k > 0 && !listed(c->sections[0], s->table->name))
			continue;
		for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++)
			if (rows[i].value == NULL && !s->values[i].set)
				return mf_fail(err, MF_INVALID, "%s: %s%s%s must be set", where,
					s->table->name, k == 0 ? "" : ": ", rows[i].name);
	}
	return MF_OK;
}

/* An override by the environment may repeat what the file sets. */
static enum mf_status
read_environment(struct conf *c, struct mf_error *err)
{
	enum mf_status st = MF_OK;

	for (size_t i = 0; st == MF_OK && i < c->n; i++)
		st = c->sections[i]->table->titled ? MF_OK
						   : conf_environment_apply(c->sections[i], err);
	if (st == MF_OK)
		conf_environment_warn((const struct mf_conf *const *)c->sections, c->n);
	return st;
}

static enum mf_status
check_file(const char *path, struct mf_error *err)
{
	struct stat sb;

	if (stat(path, &sb) != 0)
		return mf_fail(err, MF_INVALID, "%s: %s", path, strerror(errno));
	if (S_ISDIR(sb.st_mode))
		return mf_fail(err, MF_INVALID, "%s: is a directory", path);
	return MF_OK;
}

enum mf_status
conf_load(const char *path, const struct conf_table *sections, struct conf **out,
	struct mf_error *err)
{
	struct conf *c = conf_new(sections);
	enum mf_status st = path == NULL ? MF_OK : check_file(path, err);

	if (st == MF_OK && path != NULL)
		st = read_text(c, path, NULL, err);
	if (st == MF_OK)
		st = read_environment(c, err);
	if (st == MF_OK)
		st = check_required(c, path == NULL ? "configuration" : path, err);
	if (st == MF_OK)
		*out = c;
	else
		conf_free(c);
	return st;
}

enum mf_status
conf_parse(const char *text, const struct conf_table *sections, struct conf **out,
	struct mf_error *err)
{
	struct conf *c = conf_new(sections);
	enum mf_status st = read_text(c, NULL, text, err);

	if (st == MF_OK)
		st = check_required(c, "text", err);
	if (st == MF_OK)
		*out = c;
	else
		conf_free(c);
	return st;
}

/* Secrets read from text or files; the defaults are constants of the program. */
static void
wipe(struct mf_conf *s)
{
	const struct mf_setting *rows = s->table->rows;

	for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++)
		if (rows[i].type == MF_SETTING_SECRET && s->values[i].text[0] != '\0')
			str_wipe((char *)(uintptr_t)s->values[i].text, strlen(s->values[i].text));
}

void
conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		wipe(c->sections[i]);
	mf_arena_free(c->arena);
}

const struct mf_conf *
conf_top(const struct conf *c)
{
	return c->sections[0];
}

const struct mf_conf *
conf_section(const struct conf *c, const char *name)
{
	return name[0] == '\0' ? NULL : find_section(c, name);
}

const struct mf_conf *
conf_titled(const struct conf *c, const char *name, size_t i)
{
	for (size_t k = 0; k < c->n_titled; k++)
		if (strcmp(c->titled[k]->table->name, name) == 0 && i-- == 0)
			return c->titled[k];
	return NULL;
}

const char *
conf_title(const struct mf_conf *section)
{
	return section->title;
}
