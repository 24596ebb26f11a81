/*
 * A few items of each new folder against the digests of items that phones were told of in the vanished ones
 * (state/numbering.h). Most of a sample must be there: mail that was copied or moved is no rename.
 */
#include "eas/folders_recognise.h"

#include <stdlib.h>
#include <string.h>

#include "mailferry/log.h"
#include "state/folder.h"
#include "state/numbering.h"
#include "sync/identity.h"

enum {
	FOLDERS_MAX = 50, /* of each kind: more at once is no rename */
	SAMPLE = 20,	  /* the newest items of a folder */
	SEARCH_MS = 5000,
};

struct vanished {
	const struct state_folder *folder;
	uint64_t *digests; /* ascending */
	size_t n;
	bool found;
};

struct sample {
	uint64_t digests[SAMPLE];
	size_t n, n_items;
};

static int
by_value(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

static enum mf_status
load_digests(struct eas_request *r, struct vanished *v, struct mf_error *err)
{
	struct state_identity *list;
	size_t n;
	enum mf_status st = state_identities_load(
		r->server->state, r->user_number, v->folder->number, r->arena, &list, &n, err);

	if (st != MF_OK)
		return st;
	v->digests = mf_new_array(r->arena, uint64_t, n);
	for (size_t i = 0; i < n; i++)
		v->digests[v->n++] = list[i].digest;
	if (v->n > 0)
		qsort(v->digests, v->n, sizeof(*v->digests), by_value);
	return MF_OK;
}

/* ---- The new ones ---- */

static enum mf_status
take(void *ctx, const struct mf_item *item)
{
	struct sample *s = ctx;
	uint64_t digest = item->damaged == NULL ? sync_identity(item) : 0;

	if (s->n_items < SAMPLE && digest != 0)
		s->digests[s->n++] = digest;
	s->n_items++;
	return MF_OK;
}

static enum mf_status
read_sample(struct eas_request *r, const char *folder, struct sample *s, struct mf_error *err)
{
	const struct mf_query all = { .kind = MF_QUERY_AND };
	uint64_t ids[SAMPLE];
	struct mf_fetch f = { .folder = folder,
		.ids = ids,
		.want = SYNC_IDENTITY_WANT,
		.fields = sync_identity_fields,
		.item = take,
		.ctx = s };
	struct mf_idset found;
	enum mf_status st;

	mf_idset_init(&found);
	st = r->store_api->search(r->store, folder, &all, SEARCH_MS, &found, err);
	for (uint64_t id = mf_idset_prev(&found, UINT64_MAX); id != 0 && f.n < SAMPLE;
		id = mf_idset_prev(&found, id))
		ids[f.n++] = id;
	mf_idset_deinit(&found);
	return st == MF_OK && f.n > 0 ? r->store_api->fetch(r->store, &f, err) : st;
}

/* More than half of the items must have been there; of several folders the one with the most. */
static struct vanished *
best(struct vanished *list, size_t n, const struct sample *s)
{
	struct vanished *best = NULL;
	size_t most = s->n_items / 2;

	for (size_t i = 0; i < n; i++) {
		size_t same = 0;

		for (size_t k = 0; k < s->n && !list[i].found; k++)
			same += bsearch(&s->digests[k], list[i].digests, list[i].n,
					sizeof(uint64_t), by_value) != NULL;
		if (same > most) {
			most = same;
			best = &list[i];
		}
	}
	return best;
}

static enum mf_status
recognise(struct eas_request *r, const struct state_folder *listed, struct vanished *list, size_t n,
	struct mf_error *err)
{
	struct sample s = { .n = 0 };
	enum mf_status st = read_sample(r, listed->id, &s, err);
	struct vanished *v;

	if (st == MF_TEMPORARY || st == MF_AUTH)
		return st;
	v = st == MF_OK ? best(list, n, &s) : NULL;
	if (v == NULL)
		return MF_OK;
	v->found = true;
	mf_log_info("event=renamed folder=%u to=%s by=content", v->folder->number,
		mf_log_value(listed->name));
	return state_folder_found(
		r->server->state, r->user_number, v->folder->number, listed->id, err);
}

/* ---- Both ---- */

static size_t
find_vanished(
	const struct state_folders *all, size_t known, const char *store, struct vanished *out)
{
	size_t n = 0;

	for (size_t i = known; i > 0 && n < FOLDERS_MAX; i--) {
		const struct state_folder *f = &all->folders[i - 1];

		if (f->gone != 0 && f->identity[0] == '\0' && f->class == MF_CLASS_MAIL &&
			strcmp(f->store, store) == 0)
			out[n++] = (struct vanished){ .folder = f };
	}
	return n;
}

enum mf_status
eas_folders_recognise(
	struct eas_request *r, const struct mf_folder *list, size_t n, struct mf_error *err)
{
	struct vanished *vanished = mf_new_array(r->arena, struct vanished, FOLDERS_MAX);
	struct state_folders known, now;
	uint32_t next = UINT32_MAX / 2; /* as if: nothing is saved */
	size_t n_vanished = 0;
	enum mf_status st =
		state_folders_load(r->server->state, r->user_number, r->arena, &known, err);

	if (st != MF_OK)
		return st;
	state_folders_match(&known, r->store_name, list, n, 1, &next, r->arena, &now);
	if (now.n == known.n || now.n - known.n > FOLDERS_MAX)
		return MF_OK;
	n_vanished = find_vanished(&now, known.n, r->store_name, vanished);
	for (size_t i = 0; i < n_vanished && st == MF_OK; i++)
		st = load_digests(r, &vanished[i], err);
	for (size_t i = known.n; i < now.n && n_vanished > 0 && st == MF_OK; i++) {
		const struct state_folder *f = &now.folders[i];

		if (f->identity[0] == '\0' && f->class == MF_CLASS_MAIL &&
			(f->flags & MF_FOLDER_NO_ITEMS) == 0)
			st = recognise(r, f, vanished, n_vanished, err);
	}
	return st;
}
