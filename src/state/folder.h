/*
 * The folders of a user: each has a small number that is never given again and stays over renames,
 * new devices and restarts. The number in decimal is the ServerId that phones see.
 *
 * The map is brought up to date from the backend's list (reconcile); a folder that is not listed any
 * more is kept as gone for some weeks, so that it gets its number back when it returns.
 */
#ifndef STATE_FOLDER_H
#define STATE_FOLDER_H

#include "mailferry/item.h"
#include "state/state.h"

enum {
	STATE_FOLDERS_MAX = 10000,     /* of one store of one user: what is beyond is not shown */
	STATE_FOLDER_TEXT_MAX = 4096,  /* bytes of an id; longer ones are not shown */
	STATE_FOLDER_NUMBER_TEXT = 12, /* room for a number in decimal */
};

struct state_folder {
	uint32_t number;
	uint32_t parent; /* number, 0: at the top */
	enum mf_class class;
	enum mf_role role;
	unsigned flags;	   /* mf_folder_flags */
	const char *store; /* name of the backend that holds it */
	const char *id;	   /* the backend's */
	const char *name;
	const char *identity;
	uint64_t epoch;
	int64_t gone; /* since when the backend lists it no more; 0: it is there */
};

struct state_folders {
	struct state_folder *folders; /* ascending by number, the gone ones among them */
	size_t n;
	bool changed; /* of reconcile: something was written */
};

/* What is known, without asking the backend. */
enum mf_status state_folders_load(struct state *st, uint32_t user, struct mf_arena *a,
	struct state_folders *out, struct mf_error *err);

/* Takes over the backend's list (parents before children, as the contract says) and gives the result
 * of all stores. A listed folder is matched by its id, unless its identity says otherwise; else by its
 * identity; else, as a rename, by an epoch that no other folder has (its id then tells nothing); else, where
 * identities do not help, by its id alone (made anew, or the server changed its mind: the epoch tells). An empty list where
 * folders were known is refused as MF_TEMPORARY. MF_GONE: there is no such user. */
enum mf_status state_folders_reconcile(struct state *st, uint32_t user, const char *store,
	const struct mf_folder *list, size_t n, struct mf_arena *a, struct state_folders *out,
	struct mf_error *err);

/* Another way to know it again: from now on the folder has that id at its backend. MF_GONE: there is no such folder. */
enum mf_status state_folder_found(
	struct state *st, uint32_t user, uint32_t number, const char *id, struct mf_error *err);

/* The decision itself, pure. out begins with known's folders in their order (those of other stores
 * untouched), the new ones behind, with numbers from *next on (which is moved on); its strings are
 * known's or copies in the arena. known and out may be the same. */
void state_folders_match(const struct state_folders *known, const char *store,
	const struct mf_folder *list, size_t n, int64_t now, uint32_t *next, struct mf_arena *a,
	struct state_folders *out);

/* All that is stored of them is the same. */
bool state_folder_same(const struct state_folder *x, const struct state_folder *y);

/* NULL when there is none, or it is gone. */
const struct state_folder *state_folder_by_number(const struct state_folders *f, uint32_t number);
const struct state_folder *state_folder_by_id(
	const struct state_folders *f, const char *store, const char *id);
const struct state_folder *state_folder_by_role(const struct state_folders *f, enum mf_role role);

/* "17" and back; false for anything but a canonical decimal number of 1 to UINT32_MAX. */
const char *state_folder_print(struct mf_arena *a, uint32_t number);
bool state_folder_parse(const char *text, uint32_t *out);

#endif
