/* Moving items that are shown under numbers: what is known of them goes along. Must not know ActiveSync or LMDB. */
#include "mailferry/log.h"
#include "state/flag.h"
#include "state/folder.h"
#include "sync/numbered_maps.h"

/* What phones said of the items that no mail server keeps goes with them. A failure costs a flag its dates, no
 * more. */
static void
follow_flags(
	struct numbered *s, const char *from, const char *to, const struct mf_move *moves, size_t n)
{
	struct mf_arena *a = mf_arena_new();
	struct state_flag_move *list = mf_new_array(a, struct state_flag_move, n);
	const struct state_folder *f, *t;
	struct state_folders all;
	struct mf_error err;
	size_t count = 0;
	enum mf_status st = state_folders_load(s->state, s->user, a, &all, &err);

	for (size_t i = 0; i < n; i++)
		if (moves[i].status == MF_OK && moves[i].to != 0)
			list[count++] = (struct state_flag_move){ moves[i].id, moves[i].to };
	f = st != MF_OK ? NULL : state_folder_by_id(&all, s->store, from);
	t = st != MF_OK ? NULL : state_folder_by_id(&all, s->store, to);
	if (count > 0 && f != NULL && t != NULL)
		st = state_flags_move(s->state, s->user, f->number, t->number, list, count, &err);
	if (st != MF_OK)
		mf_log_warning("event=flags-left reason=%s", mf_log_value(err.text));
	mf_arena_free(a);
}

enum mf_status
numbered_move(struct mf_session *session, const char *from, const char *to, struct mf_move *moves,
	size_t n, struct mf_error *err)
{
	struct numbered *s = numbered_of(session);
	const struct sync_numbers *m, *there = numbered_map(s, to);
	struct mf_arena *a;
	struct mf_move *inner;
	size_t count = 0;
	enum mf_status st = numbered_sure_map(s, from, &m, err);

	for (size_t i = 0; i < n && st != MF_OK; i++)
		moves[i].status = st;
	if (st != MF_OK)
		return st;
	a = mf_arena_new();
	inner = mf_new_array(a, struct mf_move, n);
	for (size_t i = 0; i < n; i++) {
		inner[count].id = m == NULL ? moves[i].id : sync_numbers_id(m, moves[i].id);
		count += inner[count].id != 0;
	}
	st = s->api->move(s->inner, from, to, inner, count, err);
	count = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t id = m == NULL ? moves[i].id : sync_numbers_id(m, moves[i].id);

		moves[i].status = id == 0 ? MF_GONE : inner[count].status;
		moves[i].to = id == 0 ? 0 : inner[count].to;
		count += id != 0;
		if (there != NULL)
			moves[i].to = sync_numbers_shown(there, moves[i].to);
	}
	follow_flags(s, from, to, moves, n);
	mf_arena_free(a);
	return st;
}
