/* The functions behind struct mf_store_api; what each does is told in mailferry/backend.h. */
#ifndef IMAP_STORE_H
#define IMAP_STORE_H

#include "session.h"

/* list.c */
enum mf_status imap_folders(
	struct mf_session *s, mf_folder_fn *fn, void *ctx, struct mf_error *err);

/* changes.c */
enum mf_status imap_changes(struct mf_session *s, const struct mf_changes *c, struct mf_buf *next,
	struct mf_error *err);
enum mf_status imap_poll(
	struct mf_session *s, struct mf_poll *folders, size_t n, struct mf_error *err);

/* fetch.c */
enum mf_status imap_fetch(struct mf_session *s, const struct mf_fetch *f, struct mf_error *err);
/* stream_part.c */
enum mf_status imap_stream_part(struct mf_session *s, const char *folder, uint64_t id,
	const struct mf_section_want *what, mf_write_fn *write, void *ctx, struct mf_error *err);

/* append.c */
enum mf_status imap_append(
	struct mf_session *s, const struct mf_put *p, uint64_t *id, struct mf_error *err);

/* flag.c, move.c, remove.c */
enum mf_status imap_flag(struct mf_session *s, const struct mf_flag_change *c,
	struct mf_idset *found, struct mf_error *err);
enum mf_status imap_move(struct mf_session *s, const char *from, const char *to,
	struct mf_move *moves, size_t n, struct mf_error *err);
enum mf_status imap_remove(
	struct mf_session *s, const char *folder, const struct mf_idset *ids, struct mf_error *err);
enum mf_status imap_empty(struct mf_session *s, const char *folder, struct mf_error *err);

/* select.c */
enum mf_status imap_epoch(
	struct mf_session *s, const char *folder, uint64_t *out, struct mf_error *err);

/* search.c */
enum mf_status imap_search(struct mf_session *s, const char *folder, const struct mf_query *q,
	int timeout_ms, struct mf_idset *found, struct mf_error *err);

/* folders.c */
enum mf_status imap_folder_create(struct mf_session *s, const char *parent, const char *name,
	enum mf_role role, struct mf_arena *a, const char **id, struct mf_error *err);
enum mf_status imap_folder_rename(struct mf_session *s, const char *folder, const char *parent,
	const char *name, struct mf_arena *a, const char **id, struct mf_error *err);
enum mf_status imap_folder_delete(struct mf_session *s, const char *folder, struct mf_error *err);

#endif
