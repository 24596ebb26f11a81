/*
 * The configuration: one file, the tables of settings, the environment's overrides.
 *
 * The file is libconfuse's format (name = value, section { ... }, # comments, include("file")). Any
 * unknown name and any value outside its row stops the load with file, line and reason. After the
 * file the environment is read: MAILFERRY_LISTEN sets `listen`, MAILFERRY_IMAP_URL sets `url` of the
 * section imap; lists are divided by commas or blanks.
 *
 * Loading is done by one thread at a time; what was loaded is read by any.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"
#include "mailferry/conf.h"
#include "mailferry/error.h"

/* A section and its rows, as a backend brings them. Tables end with a NULL name. */
struct conf_table {
	const char *name;
	const char *help;	       /* one sentence */
	const struct mf_setting *rows; /* NULL: a section without settings */
	bool titled;		       /* there may be many, each with a title: name "title" { } */
};

/* The top-level settings: the one table, settings.c. */
extern const struct mf_setting conf_settings[];

/* Mailferry's own sections, which every configuration knows besides those of backends: policies.c.
 * Ended by a NULL name. */
extern const struct conf_table conf_own_tables[];

struct conf;

/* Reads the file at path (NULL: defaults and environment only). `sections` must outlive the result.
 * Required settings are checked at the top and in each section whose backend is listed in `backends`.
 * MF_INVALID: the file or the environment is wrong; err has "file:line: reason". */
enum mf_status conf_load(const char *path, const struct conf_table *sections, struct conf **out,
	struct mf_error *err);

/* The same from text, without the environment: for tests and tools. */
enum mf_status conf_parse(const char *text, const struct conf_table *sections, struct conf **out,
	struct mf_error *err);

/* One list of the top level before everything else is known (file, then environment, else its
 * default); nothing is checked. In the arena. */
const char *const *conf_peek_list(const char *path, const char *name, struct mf_arena *a);

/* The same for one string or choice; its default where the file has none, or one that is not allowed. */
const char *conf_peek_string(const char *path, const char *name, struct mf_arena *a);

/* NULL is fine. Secrets are wiped. */
void conf_free(struct conf *c);

/* The top level, and a section by its name; NULL when no table has this name. They live as long as
 * the configuration. */
const struct mf_conf *conf_top(const struct conf *c);
const struct mf_conf *conf_section(const struct conf *c, const char *name);

/* The i-th section with a title that has this name, in the order of the file; NULL beyond the last. */
const struct mf_conf *conf_titled(const struct conf *c, const char *name, size_t i);
const char *conf_title(const struct mf_conf *section);

/* All settings with their defaults and sentences, as conf/mailferry.conf holds them. */
void conf_print_defaults(struct mf_buf *out, const struct conf_table *sections);

/* A variable of the environment, NULL when unset or empty. Nobody else reads the environment. */
const char *conf_environment(const char *name);

#endif
