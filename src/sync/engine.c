/* A snapshot brought up to date. Knows backends; must not know elements, keys or LMDB. */
#include "sync/engine.h"

enum {
	DAY = 24 * 3600,
	WORTH_STORING = 50, /* events: more work than a write costs */
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
};

static enum mf_status
take_event(void *ctx, const struct mf_event *e)
{
	struct take *t = ctx;

	t->snapshot->events++;
	if (t->listed == NULL)
		sync_snapshot_event(t->snapshot, e, t->since);
	else if (e->kind != MF_EVENT_GONE && (t->since == 0 || e->date >= t->since))
		mf_idset_add(t->listed, e->id);
	return MF_OK;
}

/* Events since the cursor; the snapshot gets the new one. */
static enum mf_status
follow(const struct sync_source *source, struct sync_snapshot *s, int64_t since,
	struct mf_error *err)
{
	struct take t = { .snapshot = s, .since = since };
	struct mf_idset known;
	struct mf_changes c = { .folder = source->folder,
		.cursor = mf_buf_bytes(&s->cursor),
		.since = since,
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
relist(const struct sync_source *source, struct sync_snapshot *s, int64_t since,
	struct mf_error *err)
{
	struct mf_idset in_window, exists;
	struct take t = { .snapshot = s, .since = since, .listed = &in_window };
	struct mf_changes c = {
		.folder = source->folder, .since = since, .event = take_event, .ctx = &t
	};
	struct mf_buf next;
	enum mf_status st;

	mf_idset_init(&in_window);
	mf_idset_init(&exists);
	mf_buf_init(&next, 0);
	st = source->api->changes(source->session, &c, &next, err);
	if (st == MF_OK) {
		sync_held_ids(&s->held, &exists);
		mf_idset_subtract(&exists, &s->gone);
		sync_snapshot_relist(s, &in_window, &exists);
		s->events += WORTH_STORING;
	}
	mf_buf_deinit(&next);
	mf_idset_deinit(&in_window);
	mf_idset_deinit(&exists);
	return st;
}

enum mf_status
sync_engine_refresh(const struct sync_source *source, struct sync_snapshot *s,
	const struct sync_scope *scope, struct mf_error *err)
{
	int64_t since = sync_scope_since(scope), today = scope->now / DAY;
	bool first = s->cursor.len == 0;
	enum mf_status st = follow(source, s, since, err);

	if (st != MF_OK)
		return st;
	if (!first && (s->filter != scope->filter || (since != 0 && s->aged != today)))
		st = relist(source, s, since, err);
	if (st == MF_OK) {
		s->filter = scope->filter;
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
