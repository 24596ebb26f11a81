/*
 * Values: text to number, size, duration, choice, list, secret, each checked against its row.
 * Knows neither the file nor the environment.
 */
#include "conf/value.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "mailferry/log.h"

enum { SECRET_MAX = 64 * 1024, LIST_MAX = 250 };

struct unit {
	char letter;
	int64_t factor;
};

/* Ascending, so that the largest that divides a value is found last. */
static const struct unit durations[] = {
	{ 's', 1 },
	{ 'm', 60 },
	{ 'h', 3600 },
	{ 'd', 86400 },
	{ 0 },
};
static const struct unit sizes[] = {
	{ 'k', 1024 },
	{ 'M', 1024 * 1024 },
	{ 'G', 1024 * 1024 * 1024 },
	{ 'T', 1024LL * 1024 * 1024 * 1024 },
	{ 0 },
};

static const struct unit *
units_of(enum mf_setting_type type)
{
	return type == MF_SETTING_DURATION ? durations : type == MF_SETTING_SIZE ? sizes : NULL;
}

/* A limit as it would stand in the file: 3600 as "1h". */
static const char *
amount(char *to, size_t size, const struct mf_setting *s, int64_t n)
{
	const struct unit *best = NULL;

	for (const struct unit *u = units_of(s->type); u != NULL && u->letter != 0; u++)
		if (n != 0 && n % u->factor == 0)
			best = u;
	if (best == NULL)
		snprintf(to, size, "%" PRId64, n);
	else
		snprintf(to, size, "%" PRId64 "%c", n / best->factor, best->letter);
	return to;
}

static enum mf_status
check_range(const struct mf_setting *s, int64_t n, struct mf_error *err)
{
	char min[32], max[32];

	if ((s->min == 0 && s->max == 0) || (n >= s->min && n <= s->max))
		return MF_OK;
	return mf_fail(err, MF_INVALID, "must be %s to %s", amount(min, sizeof(min), s, s->min),
		amount(max, sizeof(max), s, s->max));
}

/* Digits, then a unit where the type has units (durations want one, but for 0). */
static enum mf_status
parse_number(const struct mf_setting *s, const char *text, int64_t *out, struct mf_error *err)
{
	static const char *const forms[] = {
		[MF_SETTING_NUMBER] = "must be a whole number",
		[MF_SETTING_DURATION] = "must be a number with s, m, h or d, as in \"90s\"",
		[MF_SETTING_SIZE] = "must be a number of bytes, or one with k, M, G or T",
	};
	size_t digits = strspn(text, "0123456789");
	const struct unit *u = units_of(s->type);
	int64_t factor = 0;
	uint64_t n;
	char copy[24];

	if (text[digits] == '\0')
		factor = s->type != MF_SETTING_DURATION || strcmp(text, "0") == 0;
	for (; u != NULL && u->letter != 0; u++)
		if (text[digits] == u->letter && text[digits + 1] == '\0')
			factor = u->factor;
	if (digits == 0 || digits >= sizeof(copy) || factor == 0)
		return mf_fail(err, MF_INVALID, "%s", forms[s->type]);
	memcpy(copy, text, digits);
	copy[digits] = '\0';
	if (!str_to_u64(copy, (uint64_t)(INT64_MAX / factor), &n))
		return mf_fail(err, MF_INVALID, "%s", forms[s->type]);
	*out = (int64_t)n * factor;
	return check_range(s, *out, err);
}

static enum mf_status
parse_bool(const char *text, int64_t *out, struct mf_error *err)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_ieq(text, words[i])) {
			*out = i % 2;
			return MF_OK;
		}
	}
	return mf_fail(err, MF_INVALID, "must be yes or no");
}

static enum mf_status
parse_choice(struct mf_arena *a, const struct mf_setting *s, const char *text, const char **out,
	struct mf_error *err)
{
	char all[300] = "";

	for (size_t i = 0; s->choices[i] != NULL; i++) {
		if (str_ieq(text, s->choices[i])) {
			*out = mf_strdup(a, s->choices[i]);
			return MF_OK;
		}
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i == 0 ? "" : ", ",
			s->choices[i]);
	}
	return mf_fail(err, MF_INVALID, "must be one of: %s", all);
}

/* The first line of a file: an editor's line end is no part of a password. */
static enum mf_status
read_secret(struct mf_arena *a, const char *path, const char **out, struct mf_error *err)
{
	char data[SECRET_MAX];
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		n = read(fd, data, sizeof(data) - 1);
		close(fd);
	}
	if (n < 0)
		return mf_fail(err, MF_INVALID, "cannot read %s: %s", path, strerror(errno));
	data[n] = '\0';
	data[strcspn(data, "\r\n")] = '\0';
	*out = mf_strdup(a, data);
	str_wipe(data, sizeof(data));
	return MF_OK;
}

static enum mf_status
append(struct mf_arena *a, struct value *v, const char *text, struct mf_error *err)
{
	const char **list;

	if (v->n >= LIST_MAX)
		return mf_fail(err, MF_INVALID, "has more than %d values", LIST_MAX);
	list = mf_new_array(a, const char *, v->n + 2);
	if (v->n > 0)
		memcpy(list, v->list, v->n * sizeof(*list));
	list[v->n++] = mf_strdup(a, text);
	v->list = list;
	return MF_OK;
}

static enum mf_status
set_list(struct mf_arena *a, struct value *v, const char *text, struct mf_error *err)
{
	if (text != NULL)
		return append(a, v, text, err);
	v->n = 0;
	v->list = mf_new_array(a, const char *, 1);
	return MF_OK;
}

enum mf_status
conf_value_set(struct mf_conf *c, int row, const char *text, struct mf_error *err)
{
	const struct mf_setting *s = &c->table->rows[row];
	struct value *v = &c->values[row];

	v->set = true;
	switch (s->type) {
	case MF_SETTING_BOOL:
		return parse_bool(text, &v->number, err);
	case MF_SETTING_NUMBER:
	case MF_SETTING_DURATION:
	case MF_SETTING_SIZE:
		return parse_number(s, text, &v->number, err);
	case MF_SETTING_CHOICE:
		return parse_choice(c->arena, s, text, &v->text, err);
	case MF_SETTING_LIST:
		return set_list(c->arena, v, text, err);
	case MF_SETTING_SECRET:
		if (text[0] == '<')
			return read_secret(c->arena, text + 1, &v->text, err);
		break;
	case MF_SETTING_STRING:
	case MF_SETTING_RENAMED: /* nobody comes here: conf_row_now */
		break;
	}
	v->text = mf_strdup(c->arena, text);
	return MF_OK;
}

enum mf_status
conf_value_set_all(struct mf_conf *c, int row, const char *text, struct mf_error *err)
{
	static const char dividers[] = "{}, \t\n\"";
	enum mf_status st;

	if (c->table->rows[row].type != MF_SETTING_LIST)
		return conf_value_set(c, row, text, err);
	st = conf_value_set(c, row, NULL, err);
	while (st == MF_OK && *(text += strspn(text, dividers)) != '\0') {
		size_t n = strcspn(text, dividers);

		st = conf_value_set(c, row, mf_strndup(c->arena, text, n), err);
		text += n;
	}
	return st;
}

static size_t
count_rows(const struct conf_table *t)
{
	size_t n = 0;

	while (t->rows != NULL && t->rows[n].name != NULL)
		n++;
	return n;
}

struct mf_conf *
conf_section_new(struct mf_arena *a, const struct conf_table *table)
{
	struct mf_conf *c = mf_new(a, struct mf_conf);
	size_t n = count_rows(table);

	c->table = table;
	c->arena = a;
	c->values = mf_new_array(a, struct value, n);
	for (size_t i = 0; i < n; i++) {
		struct mf_error err = { 0 };

		c->values[i].text = "";
		c->values[i].list = mf_new_array(a, const char *, 1);
		if (table->rows[i].value != NULL && table->rows[i].type != MF_SETTING_RENAMED &&
			conf_value_set_all(c, (int)i, table->rows[i].value, &err) != MF_OK) {
			fprintf(stderr, "default of %s: %s\n", table->rows[i].name, err.text);
			assert(false && "a default that its own row refuses");
		}
		c->values[i].set = false;
	}
	return c;
}

int
conf_row(const struct mf_conf *c, const char *name)
{
	for (int i = 0; c->table->rows != NULL && c->table->rows[i].name != NULL; i++)
		if (strcmp(c->table->rows[i].name, name) == 0)
			return i;
	return -1;
}

int
conf_row_now(struct mf_conf *c, int row)
{
	const struct mf_setting *s = &c->table->rows[row];
	int now;

	if (s->type != MF_SETTING_RENAMED)
		return row;
	now = conf_row(c, s->value);
	assert(now >= 0 && "a setting that got a name of another table");
	if (!c->values[row].set)
		mf_log_warning(
			"setting=%s%s%s why=\"it is called %s now: change the configuration\"",
			c->table->name, c->table->name[0] == '\0' ? "" : ".", s->name, s->value);
	c->values[row].set = true;
	return now;
}

static const struct value *
value_of(const struct mf_conf *c, const char *name, unsigned types)
{
	int row = conf_row(c, name);

	assert(row >= 0 && "a setting that no table has");
	assert((1u << c->table->rows[row].type & types) != 0 && "a setting of another type");
	(void)types;
	return &c->values[row];
}

bool
mf_conf_bool(const struct mf_conf *c, const char *name)
{
	return value_of(c, name, 1u << MF_SETTING_BOOL)->number != 0;
}

int64_t
mf_conf_number(const struct mf_conf *c, const char *name)
{
	return value_of(c, name,
		1u << MF_SETTING_NUMBER | 1u << MF_SETTING_DURATION | 1u << MF_SETTING_SIZE)
		->number;
}

const char *
mf_conf_string(const struct mf_conf *c, const char *name)
{
	return value_of(c, name,
		1u << MF_SETTING_STRING | 1u << MF_SETTING_SECRET | 1u << MF_SETTING_CHOICE)
		->text;
}

const char *const *
mf_conf_list(const struct mf_conf *c, const char *name)
{
	return value_of(c, name, 1u << MF_SETTING_LIST)->list;
}
