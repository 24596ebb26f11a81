/*
 * From the format of an older version to this one's: a table of steps, each from one format to the
 * next, all of them in one transaction together with the new number. Knows no row but the format's.
 */
#ifndef STATE_MIGRATE_H
#define STATE_MIGRATE_H

#include "state/state.h"

/* Rewrites the rows of format `from` as those of `from` + 1. */
struct state_migration {
	uint32_t from; /* 0 ends a table */
	kv_fn *run;    /* ctx is NULL */
};

/* What stands in the store: 0: it is new; UINT32_MAX: rows that are not ours. */
enum mf_status state_format_read(struct kv *kv, uint32_t *out, struct mf_error *err);

/* Brings the store to the format `to`, a new one at once. *from is what it was. Before anything is changed
 * it is copied to the directory named `keep` with "-" and that number behind it, unless it is there
 * already; NULL: not. MF_UNSUPPORTED: there is no way (it is newer, or older than the table's first
 * step); nothing is written then. */
enum mf_status state_format_bring(struct kv *kv, const struct state_migration *table, uint32_t to,
	const char *keep, uint32_t *from, struct mf_error *err);

#endif
