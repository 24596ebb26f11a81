/*
 * Ping (MS-ASCMD 2.2.1.13): tell when mail arrives that the next Sync would add. What the device has
 * under its newest keys decides, with the filter of its last Sync; flags and deletions wake nobody. A
 * Ping is no receipt: nothing of what the device holds changes here. Looking is ping_look.c's.
 */
#include "eas/cmd/ping.h"

#include <string.h>

#include "base/clock.h"
#include "base/varint.h"
#include "eas/empty_store.h"
#include "eas/folders.h"
#include "eas/map/folder.h"
#include "eas/schema.h"
#include "eas/waits.h"
#include "mailferry/log.h"
#include "state/blob.h"
#include "state/device.h"

enum { POLL_MS = 30 * 1000 }; /* without a watcher */

/* ---- The request, and what is remembered of it (interval and folders each by itself) ---- */

static void
cursors_free(void *thing)
{
	struct ping *p = thing;

	for (size_t i = 0; i < p->n; i++)
		mf_buf_deinit(&p->folders[i].cursor);
}

/* Some clients write the id as the Folder's text (contrib/QUIRKS.md). */
static const char *
id_of(const struct wbxml_node *folder)
{
	const char *id = wbxml_child_value(folder, Ping_Id);

	return id != NULL ? id : wbxml_value(folder);
}

static bool
has(const struct ping *p, const char *id)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->folders[i].id, id) == 0)
			return true;
	return false;
}

static void
add_folder(struct ping *p, const char *id)
{
	struct ping_folder *f = &p->folders[p->n];

	if (has(p, id))
		return;
	p->n++;
	f->id = id;
	mf_buf_init(&f->cursor, 0);
	if (!state_folder_parse(id, &f->number))
		f->number = 0;
}

static void
read_folders(struct eas_request *r, struct ping *p, struct mf_arena *a)
{
	const struct wbxml_node *all = wbxml_child(r->root, Ping_Folders);
	const struct wbxml_node *n;
	size_t count = 0;

	for (n = wbxml_child(all, Ping_Folder); n != NULL; n = wbxml_next(n))
		count++;
	if (count == 0)
		return;
	p->folders = mf_new_array(a, struct ping_folder, count);
	for (n = wbxml_child(all, Ping_Folder); n != NULL; n = wbxml_next(n))
		add_folder(p, mf_strdup(a, id_of(n)));
}

static void
read_cached(struct ping *p, struct mf_bytes row, struct mf_arena *a)
{
	struct varint_reader v;
	uint64_t heartbeat, n;

	if (row.len == 0)
		return;
	varint_reader_init(&v, row);
	heartbeat = varint_get_max(&v, UINT32_MAX);
	n = varint_get_max(&v, row.len);
	if (p->heartbeat == 0)
		p->heartbeat = (uint32_t)heartbeat;
	if (p->n > 0 || v.failed)
		return;
	p->folders = mf_new_array(a, struct ping_folder, (size_t)n);
	for (uint64_t i = 0; i < n && !v.failed; i++) {
		struct mf_bytes id = varint_get_bytes(&v);

		if (!v.failed)
			add_folder(p, mf_strndup(a, (const char *)id.data, id.len));
	}
}

static void
remember(struct eas_request *r, const struct ping *p)
{
	struct mf_error err;
	struct mf_buf row;

	mf_buf_init(&row, 0);
	varint_put(&row, p->heartbeat);
	varint_put(&row, p->n);
	for (size_t i = 0; i < p->n; i++)
		varint_put_bytes(&row, mf_bytes_str(p->folders[i].id));
	if (state_blob_save(r->server->state, r->user_number, r->device->number, STATE_BLOB_PING,
		    mf_buf_bytes(&row), &err) != MF_OK)
		mf_log_warning("event=ping-not-stored reason=%s", mf_log_value(err.text));
	mf_buf_deinit(&row);
}

/* ---- Answers ---- */

static enum eas_verdict
answer(struct eas_request *r, unsigned status, uint16_t tag, int64_t value)
{
	eas_reply_begin(r, Ping_Ping);
	r->status = status;
	wbxml_number(&r->writer, Ping_Status, status);
	if (tag != 0)
		wbxml_number(&r->writer, tag, value);
	return eas_reply_end(r);
}

static enum eas_verdict
answer_changes(struct eas_request *r, const struct ping *p)
{
	eas_reply_begin(r, Ping_Ping);
	r->status = EAS_PING_CHANGES;
	wbxml_number(&r->writer, Ping_Status, EAS_PING_CHANGES);
	wbxml_open(&r->writer, Ping_Folders);
	for (size_t i = 0; i < p->n; i++)
		if (p->folders[i].changed)
			wbxml_element(&r->writer, Ping_Folder, p->folders[i].id);
	wbxml_close(&r->writer);
	return eas_reply_end(r);
}

/* NULL: the answer is written. */
static struct ping *
read_ping(struct eas_request *r, enum eas_verdict *verdict)
{
	struct mf_arena *lasting = eas_request_lasting(r);
	struct ping *p = mf_new(lasting, struct ping);
	int64_t low = mf_conf_number(r->server->conf, "heartbeat_min");
	int64_t high = mf_conf_number(r->server->conf, "heartbeat_max");
	int64_t most = mf_conf_number(r->server->conf, "ping_folders_max");
	struct mf_error err;
	struct mf_bytes row;
	enum mf_status st;

	if (r->root != NULL) {
		p->heartbeat = schema_u32(r->root, Ping_HeartbeatInterval, 0);
		if (p->heartbeat == 0 && wbxml_child(r->root, Ping_HeartbeatInterval) != NULL) {
			*verdict = answer(r, EAS_PING_HEARTBEAT, Ping_HeartbeatInterval, low);
			return NULL;
		}
		read_folders(r, p, lasting);
	}
	st = state_blob_load(r->server->state, r->user_number, r->device->number, STATE_BLOB_PING,
		r->arena, &row, &err);
	if (st != MF_OK) {
		*verdict = eas_fail(r, st, &err);
		return NULL;
	}
	read_cached(p, row, lasting);
	mf_on_free(lasting, cursors_free, p);
	if (p->heartbeat == 0 || p->n == 0)
		*verdict = answer(r, EAS_PING_PARAMETERS, 0, 0);
	else if (p->heartbeat < low || p->heartbeat > high)
		*verdict = answer(r, EAS_PING_HEARTBEAT, Ping_HeartbeatInterval,
			p->heartbeat < low ? low : high);
	else if (p->n > (size_t)most)
		*verdict = answer(r, EAS_PING_TOO_MANY, Ping_MaxFolders, most);
	else
		return p;
	return NULL;
}

/* ---- Waiting ---- */

/* The backend's ids of the folders, for whoever watches: kept in `own`, which lives as long as the
 * wait. */
static enum mf_status
name_watched(struct eas_request *r, struct ping *p, struct mf_arena *own, struct mf_error *err)
{
	struct state_folders folders;
	size_t n = 0;
	enum mf_status st =
		state_folders_load(r->server->state, r->user_number, r->arena, &folders, err);

	p->watched = mf_new_array(own, const char *, p->n + 1);
	for (size_t i = 0; i < p->n && st == MF_OK; i++) {
		const struct state_folder *sf =
			state_folder_by_number(&folders, p->folders[i].number);

		if (sf != NULL && folder_holds_items(sf))
			p->watched[n++] = p->folders[i].watched = mf_strdup(own, sf->id);
	}
	return st;
}

static enum eas_verdict
wait(struct eas_request *r, const struct ping *p)
{
	r->wait.until = r->wait.end = p->until;
	r->wait.poll_ms = POLL_MS;
	r->wait.group = r->user_number;
	r->wait.one = r->device->number;
	r->wait.folders = p->watched;
	r->wait.settled = true;
	r->wait.changes = ping_wants_changes(r);
	return EAS_WAIT;
}

enum eas_verdict
cmd_ping(struct eas_request *r)
{
	struct ping *p = r->parsed;
	struct mf_arena *own = r->arena;
	bool waited = p != NULL;
	enum eas_verdict verdict = EAS_DONE;
	struct mf_error err;
	unsigned status = 0;
	enum mf_status st = MF_OK;

	if (p == NULL) {
		p = r->parsed = read_ping(r, &verdict);
		if (p == NULL)
			return verdict;
		p->until = eas_wait_until(r, p->heartbeat);
		p->listed = clock_ms();
		remember(r, p);
	}
	/* What a look needs is gone when it is over: a request may look a thousand times. */
	r->arena = mf_arena_new();
	if (p->watched == NULL)
		st = name_watched(r, p, eas_request_lasting(r), &err);
	if (st == MF_OK)
		st = ping_look(r, p, &status, &err);
	mf_arena_free(r->arena);
	r->arena = own;
	if (st == MF_TEMPORARY && waited && !r->wait.ended && clock_ms() < p->until)
		return wait(r, p); /* the mail server is away: told when it is back */
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	if (status == EAS_PING_CHANGES)
		return answer_changes(r, p);
	if (status == 0 && !r->wait.ended && clock_ms() < p->until)
		return wait(r, p);
	return answer(r, status == 0 ? EAS_OK : status, 0, 0);
}

bool
cmd_ping_told(struct eas_request *r)
{
	struct ping *p = r->parsed;
	struct mf_arena *own = r->arena;
	bool news;

	r->arena = mf_arena_new();
	news = p != NULL && p->watched != NULL && ping_look_told(r, p);
	mf_arena_free(r->arena);
	r->arena = own;
	if (news)
		answer_changes(r, p);
	return news;
}
