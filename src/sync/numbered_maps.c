/* Which items of a session's folders are shown under other numbers than their ids, and whether that still holds.
 * Must not know ActiveSync or LMDB. */
#include "sync/numbered_maps.h"

#include <string.h>

#include "state/folder.h"
#include "sync/renumber.h"

struct numbered *
numbered_of(struct mf_session *s)
{
	return (struct numbered *)s;
}

const struct sync_numbers *
numbered_map(const struct numbered *s, const char *folder)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->maps[i].folder, folder) == 0)
			return &s->maps[i].numbers;
	return NULL;
}

enum mf_status
numbered_load(struct numbered *s, struct mf_error *err)
{
	struct state_numbering *list;
	struct state_folders folders;
	size_t n;
	enum mf_status st = state_numberings_load(s->state, s->user, s->a, &list, &n, err);

	s->n = 0;
	if (st != MF_OK || n == 0)
		return st;
	st = state_folders_load(s->state, s->user, s->a, &folders, err);
	s->maps = mf_new_array(s->a, struct numbered_map, n);
	for (size_t i = 0; i < n && st == MF_OK; i++) {
		const struct state_folder *f = state_folder_by_number(&folders, list[i].folder);

		if (f == NULL || strcmp(f->store, s->store) != 0)
			continue;
		s->maps[s->n].folder = f->id;
		sync_numbers_init(&s->maps[s->n++].numbers, &list[i], s->a);
	}
	return st;
}

/* MF_GONE: phones do not know that folder. */
static enum mf_status
renumbering(
	struct numbered *s, const char *folder, struct sync_renumbering *out, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct state_folders all;
	enum mf_status st = state_folders_load(s->state, s->user, a, &all, err);
	const struct state_folder *f =
		st == MF_OK ? state_folder_by_id(&all, s->store, folder) : NULL;

	*out = (struct sync_renumbering){ .state = s->state,
		.user = s->user,
		.number = f == NULL ? 0 : f->number,
		.api = s->api,
		.session = s->inner,
		.folder = folder };
	mf_arena_free(a);
	return st == MF_OK && f == NULL ? MF_GONE : st;
}

enum mf_status
numbered_renew(struct numbered *s, const char *folder, struct mf_error *err)
{
	struct sync_renumbering x;
	enum mf_status st = renumbering(s, folder, &x, err);

	if (st == MF_OK)
		st = sync_renumber(&x, err);
	return st == MF_OK ? numbered_load(s, err) : st == MF_GONE ? MF_OK : st;
}

static bool
is_sure(const struct numbered *s, const char *folder)
{
	for (size_t i = 0; i < s->n_sure; i++)
		if (strcmp(s->sure[i], folder) == 0)
			return true;
	return false;
}

void
numbered_be_sure(struct numbered *s, const char *folder)
{
	const char **more;

	if (is_sure(s, folder))
		return;
	if (s->n_sure == s->max_sure) {
		s->max_sure = 2 * s->max_sure + 4;
		more = mf_new_array(s->a, const char *, s->max_sure);
		for (size_t i = 0; i < s->n_sure; i++)
			more[i] = s->sure[i];
		s->sure = more;
	}
	s->sure[s->n_sure++] = mf_strdup(s->a, folder);
}

/* Numbers of older ids would be put on new ones: before a listing, and before anything is done to
 * items. */
enum mf_status
numbered_check(struct numbered *s, const char *folder, struct mf_error *err)
{
	struct sync_renumbering x;
	enum mf_status st;

	if (is_sure(s, folder))
		return MF_OK;
	st = renumbering(s, folder, &x, err);
	if (st == MF_OK)
		st = sync_renumber_check(&x, err);
	if (st == MF_RESYNC)
		st = numbered_renew(s, folder, err);
	else if (st == MF_GONE) /* the call itself tells */
		st = MF_OK;
	if (st == MF_OK)
		numbered_be_sure(s, folder);
	return st;
}

/* The folder's map, once it is sure to hold; NULL: items are shown under their ids. */
enum mf_status
numbered_sure_map(struct numbered *s, const char *folder, const struct sync_numbers **out,
	struct mf_error *err)
{
	enum mf_status st = s->api->epoch == NULL ? MF_OK : numbered_check(s, folder, err);

	*out = numbered_map(s, folder);
	return st;
}

enum mf_status
numbered_begin(
	struct numbered *s, const char *folder, const struct mf_buf *cursor, struct mf_error *err)
{
	struct sync_renumbering x;
	enum mf_status st = renumbering(s, folder, &x, err);

	if (st == MF_OK)
		st = sync_renumber_begin(&x, mf_buf_bytes(cursor), err);
	return st == MF_GONE ? MF_OK : st;
}
