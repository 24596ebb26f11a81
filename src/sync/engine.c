/* A snapshot brought up to date. Knows backends; must not know elements, keys or LMDB. */
#include "sync/engine.h"

#include "state/conversation.h"

enum {
	DAY = 24 * 3600,
	WORTH_STORING = 50,  /* events: more work than a write costs */
	STRANGERS_MAX = 200, /* items to take back one by one when none was recognised */
};

int64_t
sync_scope_since(const struct sync_scope *scope)
{
	/* Days by FilterType; a month is 30 days. */
	static const int64_t days[] = { 0, 1, 3, 7, 14, 30, 90, 180 };

	if (scope->filter == 0 || scope->filter >= sizeof(days) / sizeof(days[0]))
		return 0;
	return scope->now - days[scope->filter] * DAY;
}

struct take {
	struct sync_snapshot *snapshot;
	int64_t since;
	struct mf_idset *listed; /* NULL but for a full listing */
	struct mf_idset *fresh;	 /* NULL, or gets what is added, in the window or not */
};

static enum mf_status
take_event(void *ctx, const struct mf_event *e)
{
	struct take *t = ctx;

	t->snapshot->events++;
	if (t->fresh != NULL && e->kind == MF_EVENT_ADDED)
		mf_idset_add(t->fresh, e->id);
	if (t->listed == NULL)
		sync_snapshot_event(t->snapshot, e, t->since);
	else if (e->kind != MF_EVENT_GONE && (t->since == 0 || e->date >= t->since))
		mf_idset_add(t->listed, e->id);
	return MF_OK;
}

/* ---- Whole conversations (MS-ASCON 3.2.5.6) ---- */

/* Are conversations looked at? Without a window all is in it anyway. */
static bool
wide(const struct sync_scope *scope)
{
	return scope->conversations && scope->state != NULL && sync_scope_since(scope) != 0;
}

static enum mf_status
siblings(const struct sync_scope *scope, const struct mf_idset *ids, struct mf_idset *out,
	struct mf_error *err)
{
	return state_conversation_siblings(scope->state, scope->user, scope->folder, ids, out, err);
}

/* New mail brings its whole conversation with it. */
static enum mf_status
bring_siblings(struct sync_snapshot *s, const struct sync_scope *scope,
	const struct mf_idset *fresh, struct mf_error *err)
{
	struct mf_idset in, all, held;
	enum mf_status st;

	mf_idset_init(&in);
	mf_idset_init(&all);
	mf_idset_init(&held);
	mf_idset_copy(&in, fresh);
	mf_idset_intersect(&in, &s->adds);
	st = siblings(scope, &in, &all, err);
	sync_held_ids(&s->held, &held);
	mf_idset_subtract(&s->aged_out, &all);
	mf_idset_subtract(&all, &held);
	mf_idset_union(&s->adds, &all);
	mf_idset_deinit(&in);
	mf_idset_deinit(&all);
	mf_idset_deinit(&held);
	return st;
}

/* Old mail that arrives now (copied, moved) is shown when its conversation is. */
static enum mf_status
join_live(struct sync_snapshot *s, const struct sync_scope *scope, const struct mf_idset *fresh,
	struct mf_error *err)
{
	struct mf_idset live, one, all;
	enum mf_status st = MF_OK;

	mf_idset_init(&live);
	mf_idset_init(&one);
	mf_idset_init(&all);
	sync_snapshot_known(s, &live);
	mf_idset_subtract(&live, &s->aged_out);
	for (uint64_t id = mf_idset_next(fresh, 0); id != 0 && st == MF_OK;
		id = mf_idset_next(fresh, id)) {
		if (mf_idset_has(&live, id))
			continue;
		mf_idset_clear(&one);
		mf_idset_clear(&all);
		mf_idset_add(&one, id);
		st = siblings(scope, &one, &all, err);
		mf_idset_intersect(&all, &live);
		if (all.n > 0)
			mf_idset_add(&s->adds, id);
	}
	mf_idset_deinit(&live);
	mf_idset_deinit(&one);
	mf_idset_deinit(&all);
	return st;
}

/* Events since the cursor; the snapshot gets the new one. fresh: NULL, or gets what was added. */
static enum mf_status
follow(const struct sync_source *source, struct sync_snapshot *s, int64_t since,
	struct mf_idset *fresh, struct mf_error *err)
{
	struct take t = { .snapshot = s, .since = since, .fresh = fresh };
	struct mf_idset known;
	struct mf_changes c = { .folder = source->folder,
		.cursor = mf_buf_bytes(&s->cursor),
		.since = since,
		/* Flags come with the items, and nothing is held that they could differ from. */
		.ids_only = s->cursor.len == 0 && since == 0 && s->held.n_runs == 0,
		.known = &known,
		.event = take_event,
		.ctx = &t };
	struct mf_buf next;
	enum mf_status st;

	mf_idset_init(&known);
	mf_buf_init(&next, 0);
	sync_snapshot_known(s, &known);
	st = source->api->changes(source->session, &c, &next, err);
	if (st == MF_OK) {
		struct mf_buf old = s->cursor;

		s->cursor = next;
		next = old;
	}
	mf_buf_deinit(&next);
	mf_idset_deinit(&known);
	return st;
}

/* Lists what is in the window now, for another window or another day. */
static enum mf_status
relist(const struct sync_source *source, struct sync_snapshot *s, const struct sync_scope *scope,
	struct mf_error *err)
{
	int64_t since = sync_scope_since(scope);
	struct mf_idset in_window, exists, all;
	struct take t = { .snapshot = s, .since = since, .listed = &in_window };
	struct mf_changes c = {
		.folder = source->folder, .since = since, .event = take_event, .ctx = &t
	};
	struct mf_buf next;
	enum mf_status st;

	mf_idset_init(&in_window);
	mf_idset_init(&exists);
	mf_idset_init(&all);
	mf_buf_init(&next, 0);
	st = source->api->changes(source->session, &c, &next, err);
	if (st == MF_OK && wide(scope)) {
		st = siblings(scope, &in_window, &all, err);
		mf_idset_union(&in_window, &all);
	}
	if (st == MF_OK) {
		sync_held_ids(&s->held, &exists);
		mf_idset_subtract(&exists, &s->gone);
		sync_snapshot_relist(s, &in_window, &exists);
		s->events += WORTH_STORING;
	}
	mf_buf_deinit(&next);
	mf_idset_deinit(&in_window);
	mf_idset_deinit(&exists);
	mf_idset_deinit(&all);
	return st;
}

static enum mf_status
follow_conversations(const struct sync_source *source, struct sync_snapshot *s,
	const struct sync_scope *scope, struct mf_error *err)
{
	struct mf_idset fresh;
	enum mf_status st;

	mf_idset_init(&fresh);
	st = follow(source, s, sync_scope_since(scope), &fresh, err);
	if (st == MF_OK)
		st = bring_siblings(s, scope, &fresh, err);
	if (st == MF_OK)
		st = join_live(s, scope, &fresh, err);
	mf_idset_deinit(&fresh);
	return st;
}

/* ---- Ids that began anew ---- */

static enum mf_status
take_all(void *ctx, const struct mf_event *e)
{
	struct take *t = ctx;

	if (e->kind == MF_EVENT_ADDED)
		mf_idset_add(t->listed, e->id);
	sync_snapshot_event(t->snapshot, e, t->since);
	return MF_OK;
}

/* What the client holds is still called the same, as far as it is there: everything is compared. */
static enum mf_status
restart(const struct sync_source *source, struct sync_snapshot *s, int64_t since,
	struct mf_error *err)
{
	struct mf_idset listed, gone;
	struct take t = { .snapshot = s, .since = since, .listed = &listed };
	struct mf_changes c = { .folder = source->folder, .event = take_all, .ctx = &t };
	enum mf_status st;
	bool many;

	mf_idset_init(&listed);
	mf_idset_init(&gone);
	sync_snapshot_restart(s);
	st = source->api->changes(source->session, &c, &s->cursor, err);
	sync_held_ids(&s->held, &gone);
	many = mf_idset_count(&gone) > STRANGERS_MAX;
	mf_idset_intersect(&listed, &gone);
	if (st == MF_OK && many && listed.n == 0)
		st = mf_fail(err, MF_RESYNC, "folder %s: nothing was recognised", source->folder);
	mf_idset_subtract(&gone, &listed);
	for (size_t i = 0; i < gone.n && st == MF_OK; i++) {
		struct mf_event e = { .kind = MF_EVENT_GONE,
			.id = gone.ranges[i].first,
			.last = gone.ranges[i].last };

		sync_snapshot_event(s, &e, since);
	}
	s->aged = 0;
	s->events += WORTH_STORING;
	mf_idset_deinit(&listed);
	mf_idset_deinit(&gone);
	return st;
}

enum mf_status
sync_engine_refresh(const struct sync_source *source, struct sync_snapshot *s,
	const struct sync_scope *scope, struct mf_error *err)
{
	int64_t since = sync_scope_since(scope), today = scope->now / DAY;
	bool first = s->cursor.len == 0;
	bool other = s->filter != scope->filter || s->conversations != scope->conversations;
	enum mf_status st = wide(scope) ? follow_conversations(source, s, scope, err)
					: follow(source, s, since, NULL, err);

	if (st == MF_RESYNC && source->lasting)
		st = restart(source, s, since, err);
	if (st != MF_OK)
		return st;
	if (!first && (other || (since != 0 && s->aged != today)))
		st = relist(source, s, scope, err);
	if (st == MF_OK) {
		s->filter = scope->filter;
		s->conversations = scope->conversations;
		s->aged = today;
	}
	return st;
}

bool
sync_engine_worth_storing(const struct sync_snapshot *s)
{
	return s->events >= WORTH_STORING;
}

enum mf_status
sync_engine_stirred(const struct sync_source *source, const struct sync_snapshot *s, bool *out,
	struct mf_error *err)
{
	struct mf_poll one = { .folder = source->folder, .cursor = mf_buf_bytes(&s->cursor) };
	enum mf_status st;

	*out = true;
	if (s->cursor.len == 0)
		return MF_OK;
	st = source->api->poll(source->session, &one, 1, err);
	*out = one.changed;
	return st;
}
