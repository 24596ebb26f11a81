/*
 * The memory backend from inside: what a world holds, and the steps that change it.
 *
 * One lock a world; functions whose comment does not say otherwise want it held. Nothing here calls
 * back with the lock held: calls take a snapshot of an item and let go. Knows nothing of tests, of
 * faults and of MIME.
 */
#ifndef MEMORY_WORLD_H
#define MEMORY_WORLD_H

#include <pthread.h>

#include "mailferry/backend.h"
#include "mailferry/directory.h"
#include "mailferry/oof.h"
#include "memory/memory.h"

/* Immutable bytes, shared by items, snapshots and the outgoing box. */
struct memory_message {
	unsigned refs;
	size_t len;
	uint8_t data[];
};

struct memory_item {
	uint64_t id, modseq, identity;
	uint32_t flags;
	char **keywords; /* sorted, without duplicates */
	size_t n_keywords;
	int64_t date;
	struct memory_message *message;
	char *damaged;
};

struct memory_gone {
	uint64_t id, modseq;
};

struct memory_folder {
	char *path; /* the id: unique in its user */
	enum mf_role role;
	uint64_t epoch, number, next_id;
	struct memory_item *items; /* ascending ids */
	size_t n, cap;
	struct memory_gone *gone; /* ascending modseqs */
	size_t n_gone, cap_gone;
};

struct memory_user {
	char *name, *password, *token;
	struct memory_folder **folders; /* by path: parents before children */
	size_t n_folders;
	struct mf_oof oof; /* its texts are malloc'ed, or NULL */
	char *oof_known;   /* whom its replies know, with commas between */
};

struct memory_mail {
	char *user, *from;
	char **to;
	size_t n_to;
	struct memory_message *message;
};

struct memory_rule {
	enum memory_call call;
	unsigned left; /* calls until it strikes; 0: each time */
	bool always;
	enum mf_status status;
	unsigned how;
};

/* Of the directory; never changed once it is in the list. */
struct memory_person {
	struct mf_person person; /* deep copies */
	char **members;		 /* ids, of a group */
	size_t n_members, cap_members;
};

enum { MEMORY_RULES_MAX = 64 };

struct memory_world {
	struct memory_world *next;
	char *name, *domain;
	unsigned refs; /* guarded by the list's lock, as are name and next */
	pthread_mutex_t lock;
	uint64_t modseq, epoch, identity;
	struct memory_user **users; /* never removed */
	size_t n_users;
	struct memory_mail *sent;
	size_t n_sent;
	struct memory_person **people; /* never removed */
	size_t n_people, cap_people;

	bool oof; /* there are out-of-office replies */
	unsigned capabilities;
	uint64_t limit;
	bool down;
	uint64_t generation; /* sessions of an older one are lost */
	unsigned sessions;
	uint64_t calls[MEMORY_CALLS];
	unsigned delays[MEMORY_CALLS];
	struct memory_rule rules[MEMORY_RULES_MAX];
	size_t n_rules;
};

struct mf_backend {
	struct memory_world *world;
};

struct mf_session {
	struct memory_world *world;
	struct memory_user *user;
	uint64_t generation;
	bool cut;
};

void memory_person_free(struct memory_person *p);

/* Memory that is there, or the process ends. */
void *memory_alloc(size_t size);
void *memory_grow(void *p, size_t n, size_t *cap, size_t size);
char *memory_strdup(const char *s);

void memory_lock(struct memory_world *w);
void memory_unlock(struct memory_world *w);

/* Messages. New ones have one holder. */
struct memory_message *memory_message_new(const void *data, size_t len);
struct memory_message *memory_message_ref(struct memory_message *m);
void memory_message_unref(struct memory_message *m);

/* NULL where there is none. */
struct memory_user *memory_user_find(struct memory_world *w, const char *name);
struct memory_folder *memory_folder_find(const struct memory_user *u, const char *path);
struct memory_item *memory_item_find(const struct memory_folder *f, uint64_t id);

struct memory_user *memory_user_new(struct memory_world *w, const char *name);
struct memory_folder *memory_folder_new(
	struct memory_world *w, struct memory_user *u, const char *path, enum mf_role role);
void memory_folder_remove(struct memory_user *u, struct memory_folder *f);
/* After paths have changed. */
void memory_folders_sort(struct memory_user *u);

/* Appends an item that takes over the caller's hold of m. */
struct memory_item *memory_item_new(struct memory_world *w, struct memory_folder *f,
	struct memory_message *m, uint32_t flags, int64_t date);
/* Removes the items of a set (NULL: all) and remembers that they are gone. */
void memory_items_remove(
	struct memory_world *w, struct memory_folder *f, const struct mf_idset *ids);
/* True where something changed; the lists may be NULL. */
bool memory_item_change(struct memory_world *w, struct memory_item *i, uint32_t add,
	uint32_t remove, const char *const *add_keywords, const char *const *remove_keywords);

/* An item as it was at one moment, in an arena. */
struct memory_snapshot {
	uint64_t id, identity;
	uint32_t flags;
	const char *const *keywords;
	size_t n_keywords;
	int64_t date;
	struct memory_message *message; /* held until memory_snapshot_end */
	const char *damaged;
};

const char *const *memory_keywords_copy(const struct memory_item *i, struct mf_arena *a);

/* Without the lock. False where there is no such folder or item. */
bool memory_snapshot_take(struct mf_session *s, const char *folder, uint64_t id, struct mf_arena *a,
	struct memory_snapshot *out);
void memory_snapshot_end(struct mf_session *s, struct memory_snapshot *shot);

/* Without the lock: MF_GONE where there is no such folder. */
enum mf_status memory_must_exist(struct mf_session *s, const char *folder, struct mf_error *err);

/* Reads exactly size bytes, or gives NULL. Without the lock. */
struct memory_message *memory_message_read(mf_read_fn *read, void *ctx, uint64_t size);

#endif
