/*
 * The state: everything that Mailferry remembers between requests, in one directory.
 *
 * `sync/` holds what can be deleted at any time (only with the daemon stopped) at the only cost that
 * phones synchronise afresh; `records/` holds what nobody can rebuild. Both are ordered stores (kv.h);
 * the nouns of this layer (user.h, device.h, folder.h, hierarchy.h, collection.h, blob.h, move.h) are
 * the only ones to know what a row looks like.
 *
 * Threads. A struct state is used by all threads at once. Reads run in the caller's thread; writes
 * are handed to one writer thread, which commits those that wait together, durably, before any of
 * them returns. Several processes may have the same directory open (the daemon and the command-line
 * tool); only one may be the daemon. Not across fork().
 *
 * Results are copies in the caller's arena. Nothing here blocks on anything but the disk.
 *
 * Errors of every call, unless it says more: MF_TEMPORARY when the disk is full or failing (what was
 * there before stays), MF_BROKEN when a row makes no sense, MF_INVALID for names over their limits.
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mailferry/arena.h"
#include "mailferry/error.h"
#include "state/kv.h"

struct state;

enum state_store { STATE_SYNC, STATE_RECORDS, STATE_STORES };

struct state_options {
	const char *directory; /* made (mode 0700) when it is not there; its parent must be */
	size_t map_size;       /* first size of a store's map in bytes; 0: 64 MB; grows by itself */
	unsigned readers;      /* threads that read at once, of all processes; 0: 512 */
	bool daemon;	       /* take the directory's lock: MF_EXISTS when another daemon has it */
};

/* Opens or makes both stores. MF_UNSUPPORTED: a store has a format that this version does not know
 * (nothing is touched); MF_EXISTS: another daemon is at work; MF_REFUSED: no access. */
enum mf_status state_open(const struct state_options *o, struct state **out, struct mf_error *err);

/* After all other calls have returned. NULL is fine. */
void state_close(struct state *st);

/* The store itself, for rows that have no noun of their own (keys.h). */
struct kv *state_kv(struct state *st, enum state_store which);

/* ---- Administration ---- */

struct state_stats {
	struct kv_stats store[STATE_STORES];
	uint64_t users, devices, folders, collections;
};

/* Reads every key: not for each time that somebody looks. */
enum mf_status state_stats(struct state *st, struct state_stats *out, struct mf_error *err);
/* What costs nothing of it, and tells whether the state can be read. */
enum mf_status state_sizes(
	struct state *st, struct kv_stats out[STATE_STORES], struct mf_error *err);

/* Reads every row of both stores and decodes it; problem is called with one line for each row that
 * makes no sense. MF_OK: no problem, MF_BROKEN: some. */
enum mf_status state_verify(struct state *st, void (*problem)(void *ctx, const char *line),
	void *ctx, struct mf_error *err);

struct state_collected {
	uint64_t devices, folders, moves;
};

/* Removes devices (with all their rows) not seen since `before`, folders gone since before it, and
 * moves forgotten. Works in small transactions; to be called once a day or so. out may be NULL. */
enum mf_status state_collect(
	struct state *st, int64_t before, struct state_collected *out, struct mf_error *err);

/* Copies both stores (or the records alone), compacted, to a new directory while others work (a hot
 * backup). MF_EXISTS when the directory is there already. */
enum mf_status state_backup(
	struct state *st, const char *directory, bool records_only, struct mf_error *err);

/* ---- While no daemon is at work: MF_EXISTS when one is ---- */

/* Puts the records of a backup, which must be sound, in the place of those of `directory`; the former
 * ones stay beside them as data.mdb.before. Phones synchronise afresh then, unless `sync_too` brings
 * back what they held as well: right for a copy that nobody has worked with since. */
enum mf_status state_restore(
	const char *directory, const char *backup, bool sync_too, struct mf_error *err);

/* Gives unused room of both files back to the disk. before and after: bytes of both. */
enum mf_status state_compact(
	const char *directory, uint64_t *before, uint64_t *after, struct mf_error *err);

/* The process number of the daemon that serves from the directory; 0: none does. */
pid_t state_daemon(const char *directory);

/* ---- Fault tests ---- */

/* The process ends by _exit(42) at the n-th write from now (1 is the next) of either store: before
 * its commit, or after it but before the caller knows. n = 0 ends it. Also from the environment when
 * a state is opened: MAILFERRY_FAULT="state:before:N" or "state:after:N". */
void state_fault_after(unsigned n, bool after_commit);
/* The n-th write from now fails as on a full disk, the others do not; MAILFERRY_FAULT="state:full:N". */
void state_fault_full(unsigned n);

#endif
