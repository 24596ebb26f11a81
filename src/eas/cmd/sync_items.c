/*
 * What Sync tells: Commands of one collection, within the answer's budget, and Responses by sync_responses.c.
 * Knows how to ask the store for what is shown; must not know keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "eas/cmd/sync_telling.h"
#include "eas/schema.h"
#include "eas/map/folder.h"
#include "eas/recent_store.h"
#include "eas/tnef.h"
#include "eas/map/ids.h"
#include "mailferry/log.h"
#include "sync/details.h"
#include "sync/identity.h"

/* Clients that ask for a few at a time want no more than these. */
enum { AHEAD_LEAST = 10 };

static int
by_id(const void *a, const void *b)
{
	uint64_t x = (*(struct sync_told *const *)a)->id, y = (*(struct sync_told *const *)b)->id;

	return x < y ? -1 : x > y;
}

static size_t
find(const struct sync_telling *t, uint64_t id)
{
	struct sync_told key = { .id = id }, *p = &key;
	struct sync_told **at = bsearch(&p, t->wanted, t->n, sizeof(*t->wanted), by_id);

	return at == NULL ? t->n : (size_t)(at - t->wanted);
}

/* The first item always fits, else a large one would never arrive; and a replay fits as it did before. */
static bool
exhausted(const struct sync_telling *t)
{
	return !t->c->replay && t->written > 0 &&
	       (t->r->answer.body.len >= t->budget->bytes || clock_ms() >= t->budget->until);
}

static bool
full(void *ctx)
{
	return exhausted(ctx);
}

static size_t
choose(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	struct sync_telling *t = ctx;
	size_t at = find(t, item->id), n;
	uint64_t bytes = 0;

	if (at == t->n)
		return 0;
	mf_arena_reset(t->view.scratch);
	t->view.body.outside = item->date < t->since;
	n = email_choose(&t->view, item, out, &bytes);
	if (!t->c->replay && t->planned > 0 && t->planned + bytes > t->budget->bytes) {
		t->postponed[at] = true;
		return 0;
	}
	t->planned += bytes + 1;
	return n;
}

/* The item as the client was promised it: a replay shows the flags of then. */
static void
promised(struct sync_telling *t, const struct sync_mark *mark, struct mf_item *item)
{
	size_t n = 0, max = 64;
	const char **keywords = mf_new_array(t->view.scratch, const char *, max);
	const char *k = mark->keywords;

	for (const char *end; n < max && (end = strchr(k, '\n')) != NULL; k = end + 1)
		keywords[n++] = mf_strndup(t->view.scratch, k, (size_t)(end - k));
	item->flags = (item->flags & ~(uint32_t)SYNC_VISIBLE) | (mark->flags & SYNC_VISIBLE);
	item->keywords = keywords;
	item->n_keywords = n;
}

void
sync_item_write(struct sync_telling *t, uint16_t tag, const struct mf_item *item)
{
	struct wbxml_writer *w = &t->r->writer;

	wbxml_open(w, tag);
	wbxml_element(w, AirSync_ServerId,
		ids_item_print(t->view.scratch, t->c->folder->number, item->id));
	if (tag == AirSync_Fetch)
		wbxml_number(w, AirSync_Status, EAS_OK);
	wbxml_open(w, AirSync_ApplicationData);
	if (folder_is_recipients(t->c->folder))
		recent_store_write(t->c->source.session, item->id);
	else
		email_write(w, &t->view, item);
	wbxml_close(w);
	wbxml_close(w);
}

static enum mf_status
take_add(void *ctx, const struct mf_item *fetched)
{
	struct sync_telling *t = ctx;
	struct mf_item item = *fetched;
	size_t at = find(t, item.id);

	if (at == t->n || t->postponed[at])
		return MF_OK;
	if (exhausted(t)) {
		t->postponed[at] = true;
		return MF_OK;
	}
	if (item.damaged != NULL)
		mf_log_warning("event=damaged folder=%s item=%llu reason=%s",
			mf_log_value(t->c->folder->name), (unsigned long long)item.id,
			mf_log_value(item.damaged));
	t->view.body.outside = item.date < t->since;
	if (t->c->replay) {
		promised(t, &t->wanted[at]->mark, &item);
	} else {
		struct sync_held *h = &t->c->snapshot.held;
		uint32_t mark = sync_held_mark(h, item.flags, item.keywords, item.n_keywords);

		t->wanted[at]->mark = h->marks[mark];
		t->wanted[at]->mark.flags |=
			sync_details_mark(state_flag_find(&t->view.flags, item.id));
	}
	t->identities[at] = sync_identity(&item);
	sync_item_write(t, AirSync_Add, &item);
	mf_arena_reset(t->view.scratch);
	t->wanted[at]->written = true;
	t->written++;
	return MF_OK;
}

/* What a client that never loads the rest is told where a text ends; NULL: it does. */
static const char *
cut_hint(const struct eas_request *r)
{
	const char *const *agents = mf_conf_list(r->server->conf, "sync_cut_hint_agents");
	const char *hint = mf_conf_string(r->server->conf, "sync_cut_hint");

	for (; r->user_agent != NULL && hint[0] != '\0' && *agents != NULL; agents++)
		if (str_istarts(r->user_agent, *agents))
			return hint;
	return NULL;
}

static void
telling_init(struct sync_telling *t, struct eas_request *r, struct sync_collection *c,
	struct sync_budget *budget)
{
	memset(t, 0, sizeof(*t));
	t->r = r;
	t->c = c;
	t->budget = budget;
	t->view.version = r->version;
	t->view.body = c->options.body;
	t->view.body.hint = cut_hint(r);
	t->view.folder = c->folder->number;
	t->view.address = eas_user_address(r);
	if (schema_bool(c->asked->node, AirSync_ConversationMode, c->snapshot.conversations))
		t->since = sync_scope_since(
			&(struct sync_scope){ .filter = c->options.filter, .now = clock_wall() });
	t->view.state = r->server->state;
	t->view.user = r->user_number;
	email_view_load(&t->view, c->folder, r->arena);
}

/* The client will ask for the rest of a long list at once: the backend may read on meanwhile. */
static void
look_ahead(struct sync_telling *t, struct mf_fetch *f)
{
	const struct sync_answer *answer = &t->c->answer;
	uint64_t *ids;

	if (!answer->more || t->c->replay || f->n < AHEAD_LEAST)
		return;
	ids = mf_new_array(t->r->arena, uint64_t, f->n);
	f->n_ahead = sync_answer_after(&t->c->snapshot, answer, ids, f->n);
	f->ahead = ids;
}

/* Fetches and writes the adds of the answer; `written` of each says what became of it. */
static enum mf_status
write_adds(struct sync_telling *t, struct mf_error *err)
{
	struct sync_answer *answer = &t->c->answer;
	struct mf_arena *a = t->r->arena;
	uint64_t *ids = mf_new_array(a, uint64_t, answer->n_told);
	struct mf_fetch f = { .folder = t->c->source.folder,
		.ids = ids,
		.want = EMAIL_WANT,
		.fields = email_fields,
		.choose = choose,
		.item = take_add,
		.ctx = t };
	enum mf_status st;

	t->wanted = mf_new_array(a, struct sync_told *, answer->n_told);
	t->n = 0;
	for (size_t i = 0; i < answer->n_told; i++) {
		if (answer->told[i].kind != SYNC_TOLD_ADD)
			continue;
		ids[f.n++] = answer->told[i].id;
		t->wanted[t->n++] = &answer->told[i];
	}
	if (t->n == 0)
		return MF_OK;
	qsort(t->wanted, t->n, sizeof(*t->wanted), by_id);
	t->postponed = mf_new_array(a, bool, t->n);
	t->identities = mf_new_array(a, uint64_t, t->n);
	look_ahead(t, &f);
	t->view.scratch = mf_arena_new();
	t->view.keeps =
		true; /* an item's memory is given back when it was written, or another is chosen */
	st = tnef_fetch(t->r, t->c->source.api, t->c->source.session, &f, &t->view.tnef, full, err);
	t->view.keeps = false;
	t->view.chosen = NULL;
	mf_arena_free(t->view.scratch);
	return st;
}

static void
write_told(struct sync_telling *t, const struct sync_told *told)
{
	struct wbxml_writer *w = &t->r->writer;
	uint16_t tag = told->kind == SYNC_TOLD_DELETE	     ? AirSync_Delete
		       : told->kind == SYNC_TOLD_SOFT_DELETE ? AirSync_SoftDelete
							     : AirSync_Change;

	wbxml_open(w, tag);
	wbxml_element(
		w, AirSync_ServerId, ids_item_print(t->r->arena, t->c->folder->number, told->id));
	if (told->kind == SYNC_TOLD_CHANGE) {
		wbxml_open(w, AirSync_ApplicationData);
		t->view.scratch = mf_arena_new();
		email_write_change(w, &t->view, told->id, &told->before, &told->mark);
		mf_arena_free(t->view.scratch);
		wbxml_close(w);
	}
	wbxml_close(w);
}

/* What was told as new is to be recognised when the folder's ids begin anew. */
static void
keep_identities(struct sync_telling *t)
{
	struct sync_collection *c = t->c;

	c->identities = mf_new_array(t->r->arena, struct state_identity, t->n);
	c->n_identities = 0;
	for (size_t i = 0; i < t->n; i++)
		if (t->wanted[i]->written)
			c->identities[c->n_identities++] =
				(struct state_identity){ t->wanted[i]->id, t->identities[i] };
}

/* Takes out of the answer what was not written: what vanished is forgotten, what was postponed stays
 * pending. Returns how many are left. */
static size_t
keep_written(struct sync_telling *t)
{
	struct sync_answer *answer = &t->c->answer;
	size_t kept = 0;

	for (size_t i = 0; i < answer->n_told; i++) {
		struct sync_told *told = &answer->told[i];

		if (told->kind != SYNC_TOLD_ADD || told->written) {
			answer->told[kept++] = *told;
			continue;
		}
		if (t->postponed[find(t, told->id)])
			answer->more = true;
		else if (!t->c->replay)
			mf_idset_remove(&t->c->snapshot.adds, told->id);
	}
	answer->n_told = kept;
	return kept;
}

/* Writes Commands from answer.told. */
static enum mf_status
write_commands(struct sync_telling *t, struct mf_error *err)
{
	struct sync_answer *answer = &t->c->answer;
	struct wbxml_writer *w = &t->r->writer;
	struct wbxml_mark before = wbxml_mark(w);
	enum mf_status st;

	wbxml_open(w, AirSync_Commands);
	for (size_t i = 0; i < answer->n_told; i++) {
		if (answer->told[i].kind == SYNC_TOLD_ADD)
			continue;
		write_told(t, &answer->told[i]);
		t->written++;
	}
	st = write_adds(t, err);
	if (st != MF_OK)
		return st;
	keep_identities(t);
	if (keep_written(t) == 0)
		wbxml_rewind(w, &before);
	else
		wbxml_close(w);
	return MF_OK;
}

/* Chooses from the snapshot until something is told or nothing is left: what was chosen may have
 * vanished meanwhile. */
static enum mf_status
write_new(struct sync_telling *t, struct mf_error *err)
{
	struct sync_collection *c = t->c;
	enum mf_status st = MF_OK;

	do {
		sync_answer_pick(t->r->arena, &c->snapshot, (size_t)t->budget->window, &c->answer);
		st = write_commands(t, err);
	} while (st == MF_OK && c->answer.n_told == 0 && t->budget->window > 0 &&
		 sync_snapshot_pending(&c->snapshot));
	if (st == MF_OK) {
		sync_answer_apply(&c->snapshot, &c->answer);
		c->answer.more = c->answer.more && c->answer.n_told > 0;
		t->budget->window -= c->answer.n_told;
	}
	return st;
}

enum mf_status
sync_items_write(struct eas_request *r, struct sync_collection *c, struct sync_budget *budget,
	struct mf_error *err)
{
	struct sync_telling t;
	enum mf_status st;

	telling_init(&t, r, c, budget);
	st = sync_responses_write(&t, err);
	if (st == MF_OK && c->replay)
		st = write_commands(&t, err);
	else if (st == MF_OK && c->asked->changes)
		st = write_new(&t, err);
	meeting_memory_keep(&t.view.meetings);
	return st;
}
