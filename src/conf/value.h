/* One section's values: how text becomes a value, for the parser, the environment and the defaults. */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/conf.h"

struct value {
	bool set;	   /* by the file or the environment; else the default */
	int64_t number;	   /* of bool, number, duration, size */
	const char *text;  /* of string, secret, choice; in the arena, never NULL */
	const char **list; /* of lists, NULL at the end; in the arena */
	size_t n;	   /* strings in list */
};

struct mf_conf {
	const struct conf_table *table; /* of the top: a name of "" */
	const char *title;	/* NULL: none, and of a titled table's own row of defaults */
	struct value *values;	/* one a row */
	struct mf_arena *arena; /* of the whole configuration */
};

/* A section with the defaults of its table. A default that does not fit its own row is an assertion. */
struct mf_conf *conf_section_new(struct mf_arena *a, const struct conf_table *table);

/* The row's place in the table, -1 when there is none. */
int conf_row(const struct mf_conf *c, const char *name);

/* The row that is meant: of a former name the present one's, with a warning at the first time. */
int conf_row_now(struct mf_conf *c, int row);

/* Sets a value from text, checked against its row; of a list: empties it (text NULL) or appends one
 * string. err->text names what is allowed, without file and line, never a secret. */
enum mf_status conf_value_set(struct mf_conf *c, int row, const char *text, struct mf_error *err);

/* The same for a whole list in one text: divided by commas and blanks, with braces and quotes or
 * without. */
enum mf_status conf_value_set_all(
	struct mf_conf *c, int row, const char *text, struct mf_error *err);

/* Sets what the environment has for this section. */
enum mf_status conf_environment_apply(struct mf_conf *c, struct mf_error *err);
/* Logs variables that look like ours and belong to no row: a typing error would else go unseen. */
void conf_environment_warn(const struct mf_conf *const *sections, size_t n);

#endif
