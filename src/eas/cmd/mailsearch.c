/* A search over folders, and the memory of it. Knows the store and the state, no elements. */
#include "eas/cmd/mailsearch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/varint.h"
#include "eas/map/folder.h"
#include "eas/store.h"
#include "mailferry/log.h"
#include "state/blob.h"
#include "state/device.h"
#include "sync/conversations.h"

enum {
	DAY = 86400,
	MEMORY_FORMAT = 1,
	MEMORY_SECONDS = 15 * 60,
	CONVERSATION_MAX = 5000, /* messages of one */
	RENEW_MS = 5000,
	COLLECT_MAX = 2 * MAILSEARCH_HITS_MAX,
};

struct run {
	struct eas_request *r;
	const struct state_folders *folders;
	const struct mailsearch *m;
	struct mailsearch_hits *out;
	const struct state_folder **plan;
	size_t n_plan;
	struct mf_query query; /* with the days around the bounds */
	struct state_conversation_member *members;
	size_t n_members;
	int64_t until;
	size_t limit; /* of hits, of each folder and in all: their dates cost time */
};

/* ---- Where ---- */

static bool
covers(const struct run *x, const struct state_folder *f)
{
	struct sync_mailbox box = { .store = x->r->store_name };
	return folder_holds_items(f) && sync_conversations_covers(&box, f);
}

static bool
asked(const struct run *x, uint32_t number)
{
	for (size_t i = 0; i < x->m->n_folders; i++)
		if (x->m->folders[i] == number || x->m->folders[i] == 0)
			return true;
	return x->m->n_folders == 0;
}

static bool
below_asked(const struct run *x, const struct state_folder *f)
{
	size_t guard = x->folders->n;
	while (f != NULL && f->parent != 0 && guard-- > 0) {
		if (asked(x, f->parent))
			return true;
		f = state_folder_by_number(x->folders, f->parent);
	}
	return false;
}

static bool
named(const struct run *x, uint32_t number)
{
	for (size_t i = 0; i < x->m->n_folders; i++)
		if (x->m->folders[i] == number)
			return true;
	return false;
}

/* Virtual views of others' mail are searched only where they are named: all else would come twice. */
static bool
wanted(const struct run *x, const struct state_folder *f)
{
	if (f->gone != 0 || f->class != MF_CLASS_MAIL || !folder_holds_items(f) ||
		strcmp(f->store, x->r->store_name) != 0)
		return false;
	if (named(x, f->number))
		return true;
	return covers(x, f) && (asked(x, f->number) || (x->m->deep && below_asked(x, f)));
}

/* The Inbox first: where time is short it counts most. */
static enum mf_status
make_plan(struct run *x, struct mf_error *err)
{
	const struct state_folders *all = x->folders;
	for (size_t i = 0; i < x->m->n_folders; i++)
		if (x->m->folders[i] != 0 && state_folder_by_number(all, x->m->folders[i]) == NULL)
			return mf_fail(err, MF_RESYNC, "search: no folder %u", x->m->folders[i]);
	x->plan =
		(const struct state_folder **)mf_alloc_array(x->r->arena, all->n, sizeof(*x->plan));
	for (int inbox = 1; inbox >= 0; inbox--)
		for (size_t i = 0; i < all->n; i++)
			if ((all->folders[i].role == MF_ROLE_INBOX) == inbox &&
				wanted(x, &all->folders[i]))
				x->plan[x->n_plan++] = &all->folders[i];
	return MF_OK;
}

/* ---- What ---- */

/* The server's days begin who knows where: one more on both sides, the exact bounds are ours. */
static void
make_query(struct run *x)
{
	struct mf_query *all = mf_new_array(x->r->arena, struct mf_query, 3);
	size_t n = 0;
	if (x->m->query != NULL)
		all[n++] = *x->m->query;
	if (x->m->has_after)
		all[n++] = (struct mf_query){ .kind = MF_QUERY_SINCE, .date = x->m->after - DAY };
	if (x->m->has_before)
		all[n++] = (struct mf_query){ .kind = MF_QUERY_BEFORE,
			.date = x->m->before + 2 * DAY };
	x->query = (struct mf_query){ .kind = MF_QUERY_AND, .children = all, .n_children = n };
}

static enum mf_status
find_members(struct run *x, struct mf_error *err)
{
	struct eas_request *r = x->r;
	struct sync_mailbox box = { .state = r->server->state,
		.name = r->user,
		.user = r->user_number,
		.store = r->store_name,
		.api = r->store_api,
		.session = r->store,
		.folders = x->folders,
		.until = x->until };
	struct sync_conversations_done done;
	enum mf_status st = sync_conversations_tend(&box, &done, err);
	if (st != MF_OK)
		return st;
	x->out->partial = !done.complete;
	st = state_conversation_members(r->server->state, r->user_number, x->m->conversation,
		CONVERSATION_MAX, r->arena, &x->members, &x->n_members, err);
	return st == MF_GONE ? MF_OK : st;
}

/* ---- Searching ---- */

/* Another session instead of one that may be unusable. */
static enum mf_status
renew(struct run *x, struct mf_error *err)
{
	struct eas_request *r = x->r;
	eas_store_close(r);
	enum mf_status st = eas_store_open(r, RENEW_MS, err);
	return st == MF_OK ? MF_OK : MF_TEMPORARY;
}

static enum mf_status
ask_server(
	struct run *x, const struct state_folder *f, struct mf_idset *found, struct mf_error *err)
{
	enum { TRIES = 2 };
	enum mf_status st = MF_TEMPORARY;
	for (int i = 0; i < TRIES && st == MF_TEMPORARY; i++) {
		int64_t left = x->until - clock_ms();
		if (left <= 0)
			break;
		st = x->r->store_api->search(x->r->store, f->id, &x->query, (int)left, found, err);
		if (st == MF_TEMPORARY && renew(x, err) != MF_OK)
			return MF_BROKEN;
	}
	return st;
}

/* The items of the folder that match. MF_TEMPORARY: this folder cannot be searched (in time);
 * MF_BROKEN: none can. */
static enum mf_status
search_folder(
	struct run *x, const struct state_folder *f, struct mf_idset *found, struct mf_error *err)
{
	struct mf_idset members;
	enum mf_status st = MF_OK;
	if (x->m->conversation == NULL)
		return ask_server(x, f, found, err);
	mf_idset_init(&members);
	for (size_t i = 0; i < x->n_members; i++)
		if (x->members[i].folder == f->number)
			mf_idset_add(&members, x->members[i].id);
	if (x->query.n_children == 0)
		mf_idset_copy(found, &members);
	else if (members.n > 0 && (st = ask_server(x, f, found, err)) == MF_OK)
		mf_idset_intersect(found, &members);
	mf_idset_deinit(&members);
	return st;
}

static int
newest_first(const void *a, const void *b)
{
	const struct mailsearch_hit *x = a, *y = b;
	if (x->date != y->date)
		return x->date > y->date ? -1 : 1;
	if (x->folder != y->folder)
		return x->folder < y->folder ? -1 : 1;
	return x->id > y->id ? -1 : x->id < y->id;
}

static void
keep_newest(const struct run *x)
{
	struct mailsearch_hits *h = x->out;
	qsort(h->list, h->n, sizeof(*h->list), newest_first);
	if (h->n > x->limit)
		h->n = x->limit;
}

struct dating {
	struct run *x;
	uint32_t folder;
	uint64_t outside; /* of the bounds */
};

static enum mf_status
take_date(void *ctx, const struct mf_item *item)
{
	struct dating *d = ctx;
	const struct mailsearch *m = d->x->m;
	struct mailsearch_hits *h = d->x->out;
	if ((m->has_after && item->date <= m->after) ||
		(m->has_before && item->date >= m->before)) {
		d->outside++;
		return MF_OK;
	}
	if (h->n == COLLECT_MAX)
		keep_newest(d->x);
	h->list[h->n++] = (struct mailsearch_hit){ d->folder, item->id, item->date };
	return MF_OK;
}

/* The newest of what a folder has, with their dates. */
static enum mf_status
take_found(struct run *x, const struct state_folder *f, const struct mf_idset *found,
	struct mf_error *err)
{
	struct eas_request *r = x->r;
	uint64_t *ids = mf_new_array(r->arena, uint64_t, x->limit), id = UINT64_MAX;
	struct dating d = { .x = x, .folder = f->number };
	struct mf_fetch fetch = {
		.folder = f->id, .ids = ids, .want = MF_WANT_DATE, .item = take_date, .ctx = &d
	};
	while (fetch.n < x->limit && (id = mf_idset_prev(found, id)) != 0)
		ids[fetch.n++] = id;
	if (fetch.n == 0)
		return MF_OK;
	uint64_t count = mf_idset_count(found);
	enum mf_status st = r->store_api->fetch(r->store, &fetch, err);
	x->out->total += st == MF_OK ? count - d.outside : 0;
	return st;
}

static enum mf_status
search_one(struct run *x, const struct state_folder *f, struct mf_error *err)
{
	struct mf_idset found;
	mf_idset_init(&found);
	enum mf_status st = search_folder(x, f, &found, err);
	if (st == MF_OK)
		st = take_found(x, f, &found, err);
	mf_idset_deinit(&found);
	return st == MF_GONE ? MF_OK : st;
}

static enum mf_status
search_all(struct run *x, struct mf_error *err)
{
	enum mf_status st = MF_OK;
	for (size_t i = 0; i < x->n_plan; i++) {
		st = search_one(x, x->plan[i], err);
		if (st != MF_OK && st != MF_TEMPORARY)
			return st == MF_BROKEN ? MF_TEMPORARY : st;
		if (st == MF_TEMPORARY) {
			x->out->partial = true;
			mf_log_warning("event=search-incomplete folder=%u reason=%s",
				x->plan[i]->number, mf_log_value(err->text));
			if (clock_ms() >= x->until)
				break;
		}
	}
	return MF_OK;
}

/* ---- The memory ---- */

static void
save(struct run *x)
{
	struct eas_request *r = x->r;
	const struct mailsearch_hits *h = x->out;
	struct mf_error err;
	struct mf_buf row;
	mf_buf_init(&row, STATE_BLOB_MAX);
	varint_put(&row, MEMORY_FORMAT);
	varint_put_bytes(&row, mf_bytes(x->m->digest, DIGEST_SIZE));
	varint_put(&row, (uint64_t)clock_wall());
	varint_put(&row, x->limit);
	varint_put(&row, h->total);
	varint_put(&row, h->partial);
	varint_put(&row, h->n);
	for (size_t i = 0; i < h->n; i++) {
		varint_put(&row, h->list[i].folder);
		varint_put(&row, h->list[i].id);
		varint_put(&row, (uint64_t)h->list[i].date);
	}
	if (state_blob_save(r->server->state, r->user_number, r->device->number, STATE_BLOB_SEARCH,
		    mf_buf_bytes(&row), &err) != MF_OK)
		mf_log_warning("event=search-forgotten reason=%s", mf_log_value(err.text));
	mf_buf_deinit(&row);
}

static bool
decode(struct run *x, struct mf_bytes row)
{
	struct mailsearch_hits *h = x->out;
	struct varint_reader in;
	varint_reader_init(&in, row);
	uint64_t format = varint_get(&in);
	struct mf_bytes digest = varint_get_bytes(&in);
	int64_t when = (int64_t)varint_get(&in), now = clock_wall();
	if (in.failed || format != MEMORY_FORMAT || digest.len != DIGEST_SIZE ||
		memcmp(digest.data, x->m->digest, DIGEST_SIZE) != 0 || when > now ||
		now - when > MEMORY_SECONDS)
		return false;
	uint64_t limit = varint_get_max(&in, MAILSEARCH_HITS_MAX);
	h->total = varint_get(&in);
	h->partial = varint_get_max(&in, 1) != 0;
	h->n = (size_t)varint_get_max(&in, MAILSEARCH_HITS_MAX);
	for (size_t i = 0; i < h->n; i++) {
		h->list[i].folder = (uint32_t)varint_get_max(&in, UINT32_MAX);
		h->list[i].id = varint_get(&in);
		h->list[i].date = (int64_t)varint_get(&in);
	}
	h->remembered = !in.failed &&
			(x->m->last < limit || limit == MAILSEARCH_HITS_MAX || h->total <= h->n);
	return !in.failed;
}

static enum mf_status
recall(struct run *x, struct mf_error *err)
{
	struct eas_request *r = x->r;
	struct mf_bytes row;
	enum mf_status st = state_blob_load(r->server->state, r->user_number, r->device->number,
		STATE_BLOB_SEARCH, r->arena, &row, err);
	if (st != MF_OK)
		return st;
	return decode(x, row) ? MF_OK : mf_fail(err, MF_GONE, "search: nothing is remembered");
}

/* What was remembered does not reach as far as is wanted now: all anew. */
static void
forget(struct mailsearch_hits *h)
{
	h->n = 0;
	h->total = 0;
	h->partial = false;
}

enum mf_status
mailsearch_run(struct eas_request *r, const struct state_folders *folders,
	const struct mailsearch *m, struct mailsearch_hits *out, struct mf_error *err)
{
	struct run x = { .r = r, .folders = folders, .m = m, .out = out };
	memset(out, 0, sizeof(*out));
	out->list = mf_new_array(r->arena, struct mailsearch_hit, COLLECT_MAX);
	x.until = clock_ms() + MAILSEARCH_TIME_MS;
	x.limit = m->last < MAILSEARCH_NEAR ? MAILSEARCH_NEAR : MAILSEARCH_HITS_MAX;
	enum mf_status st = make_plan(&x, err);
	if (st == MF_OK && m->remembered && !m->nothing)
		st = recall(&x, err);
	if (st != MF_OK || m->nothing || out->remembered)
		return st;
	forget(out);
	make_query(&x);
	if (m->conversation != NULL)
		st = find_members(&x, err);
	if (st == MF_OK)
		st = search_all(&x, err);
	if (st != MF_OK)
		return st;
	keep_newest(&x);
	save(&x);
	return MF_OK;
}

bool
mailsearch_range(const char *text, uint32_t *first, uint32_t *last)
{
	enum { DIGITS = 9 };
	char left[DIGITS + 1];
	const char *dash = text == NULL ? NULL : strchr(text, '-');
	*first = 0;
	*last = MAILSEARCH_PAGE - 1;
	if (text == NULL || *text == '\0')
		return true;
	size_t len = dash == NULL ? 0 : (size_t)(dash - text);
	if (len == 0 || len > DIGITS)
		return false;
	memcpy(left, text, len);
	left[len] = '\0';
	return str_to_u32(left, UINT32_MAX, first) && str_to_u32(dash + 1, UINT32_MAX, last) &&
	       *first <= *last;
}

uint32_t
mailsearch_page_end(uint32_t first, uint32_t last)
{
	return last - first < MAILSEARCH_PAGE ? last : first + MAILSEARCH_PAGE - 1;
}
