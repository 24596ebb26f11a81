/* The store's and the sender's calls without faults: memory.c puts the gate around them. Same
 * arguments and sentences as in mailferry/backend.h. Without the lock. */
#ifndef MEMORY_CALLS_H
#define MEMORY_CALLS_H

#include "memory/world.h"

/* folders.c */
enum mf_status memory_folders(
	struct mf_session *s, mf_folder_fn *fn, void *ctx, struct mf_error *err);
enum mf_status memory_folder_create(struct mf_session *s, const char *parent, const char *name,
	enum mf_role role, struct mf_arena *a, const char **id, struct mf_error *err);
enum mf_status memory_folder_rename(struct mf_session *s, const char *folder, const char *parent,
	const char *name, struct mf_arena *a, const char **id, struct mf_error *err);
enum mf_status memory_folder_delete(struct mf_session *s, const char *folder, struct mf_error *err);
enum mf_status memory_epoch(
	struct mf_session *s, const char *folder, uint64_t *out, struct mf_error *err);

/* changes.c */
enum mf_status memory_changes(struct mf_session *s, const struct mf_changes *c, struct mf_buf *next,
	struct mf_error *err);
enum mf_status memory_poll(
	struct mf_session *s, struct mf_poll *folders, size_t n, struct mf_error *err);

/* fetch.c */
enum mf_status memory_fetch(struct mf_session *s, const struct mf_fetch *f, struct mf_error *err);
enum mf_status memory_stream(struct mf_session *s, const char *folder, uint64_t id,
	const struct mf_section_want *what, mf_write_fn *write, void *ctx, struct mf_error *err);

/* items.c */
enum mf_status memory_put(
	struct mf_session *s, const struct mf_put *p, uint64_t *id, struct mf_error *err);
enum mf_status memory_flags(struct mf_session *s, const struct mf_flag_change *c,
	struct mf_idset *found, struct mf_error *err);
enum mf_status memory_move(struct mf_session *s, const char *from, const char *to,
	struct mf_move *moves, size_t n, struct mf_error *err);
enum mf_status memory_remove(
	struct mf_session *s, const char *folder, const struct mf_idset *ids, struct mf_error *err);

/* search.c */
enum mf_status memory_search(struct mf_session *s, const char *folder, const struct mf_query *q,
	int timeout_ms, struct mf_idset *found, struct mf_error *err);

/* submit.c */
enum mf_status memory_submit(struct mf_session *s, const struct mf_envelope *e, mf_read_fn *read,
	void *ctx, enum mf_sent *sent, struct mf_error *err);

/* people.c */
enum mf_status memory_has_people(struct mf_session *s, struct mf_error *err);
enum mf_status memory_people_find(
	struct mf_session *s, const struct mf_people_find *f, bool *more, struct mf_error *err);
enum mf_status memory_people_read(struct mf_session *s, const char *const *ids, size_t n,
	unsigned want, mf_people_fn *person, void *ctx, struct mf_error *err);
enum mf_status memory_people_members(struct mf_session *s, const char *group, size_t max,
	mf_people_fn *person, void *ctx, size_t *total, struct mf_error *err);

/* oof.c */
enum mf_status memory_has_oof(struct mf_session *s, struct mf_error *err);
enum mf_status memory_oof_get(struct mf_session *s, struct mf_arena *a, struct mf_oof *out);
enum mf_status memory_oof_set(struct mf_session *s, const struct mf_oof *oof,
	const struct mf_oof_user *user, struct mf_error *err);

#endif
