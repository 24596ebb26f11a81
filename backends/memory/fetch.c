/* Items with their structure, header and sections; one section streamed. */
#include "memory/calls.h"
#include "memory/fault.h"
#include "memory/mime.h"
#include "memory/text.h"

#include <string.h>

static struct mf_bytes
content(const struct memory_snapshot *shot)
{
	return mf_bytes(shot->message->data, shot->message->len);
}

static unsigned
capabilities(struct mf_session *s)
{
	unsigned c;

	memory_lock(s->world);
	c = s->world->capabilities;
	memory_unlock(s->world);
	return c;
}

/* ---- What an item shows ---- */

/* What needs no content: a damaged item has only this. */
static struct mf_item
outside(const struct mf_fetch *f, const struct memory_snapshot *shot)
{
	return (struct mf_item){
		.id = shot->id,
		.have = f->want & (MF_WANT_FLAGS | MF_WANT_DATE | MF_WANT_SIZE),
		.flags = shot->flags,
		.keywords = shot->keywords,
		.n_keywords = shot->n_keywords,
		.date = shot->date,
		.size = shot->message->len,
		.preview = "",
		.thread = "",
		.identity = "",
		.damaged = shot->damaged,
	};
}

static void
inside(struct mf_session *s, const struct mf_fetch *f, const struct memory_snapshot *shot,
	const struct memory_mime_place *root, struct mf_arena *a, struct mf_item *item)
{
	unsigned caps = capabilities(s);

	if ((f->want & MF_WANT_HEADER) != 0)
		item->header = memory_mime_header(a, root, content(shot), f->fields);
	if ((f->want & MF_WANT_STRUCTURE) != 0)
		item->structure = root->part;
	item->have |= f->want & (MF_WANT_HEADER | MF_WANT_STRUCTURE);
	if ((f->want & MF_WANT_PREVIEW) != 0 && (caps & MEMORY_PREVIEWS) != 0) {
		item->preview = memory_text_preview(a, root, content(shot));
		item->have |= MF_WANT_PREVIEW;
	}
	if ((f->want & MF_WANT_THREAD) != 0 && (caps & MEMORY_IDENTITIES) != 0) {
		item->identity = mf_printf(a, "M%llu", (unsigned long long)shot->identity);
		item->have |= MF_WANT_THREAD;
	}
}

/* A view of the wanted bytes of a section. */
static bool
section(const struct memory_mime_place *root, struct mf_bytes message,
	const struct mf_section_want *want, struct mf_section *out)
{
	struct mf_bytes whole;
	size_t from, n;

	if (!memory_mime_section(root, message, want->section, &whole))
		return false;
	from = want->offset < whole.len ? (size_t)want->offset : whole.len;
	n = whole.len - from;
	out->cut = want->max > 0 && want->max < n;
	out->data = mf_bytes(whole.data + from, out->cut ? (size_t)want->max : n);
	out->section = want->section;
	return true;
}

/* ---- Fetching ---- */

static enum mf_status
fetch_shot(struct mf_session *s, const struct mf_fetch *f, const struct memory_snapshot *shot,
	struct mf_arena *a)
{
	struct mf_section_want want[MF_SECTIONS_MAX];
	struct mf_section sections[MF_SECTIONS_MAX];
	struct mf_item item = outside(f, shot);
	const struct memory_mime_place *root;
	size_t n;

	if (shot->damaged != NULL)
		return f->item(f->ctx, &item);
	root = memory_mime_split(a, content(shot));
	inside(s, f, shot, root, a, &item);
	memset(want, 0, sizeof(want));
	n = f->choose == NULL ? 0 : f->choose(f->ctx, &item, want);
	for (size_t i = 0; i < n && i < MF_SECTIONS_MAX; i++)
		if (section(root, content(shot), &want[i], &sections[item.n_sections]))
			item.n_sections++;
	item.sections = sections;
	return f->item(f->ctx, &item);
}

static enum mf_status
fetch_one(struct mf_session *s, const struct mf_fetch *f, uint64_t id, struct mf_error *err)
{
	enum mf_status st = memory_step(s, MEMORY_FETCH_ITEM, err);
	struct memory_snapshot shot;
	struct mf_arena *a;

	if (st != MF_OK)
		return st;
	a = mf_arena_new();
	if (memory_snapshot_take(s, f->folder, id, a, &shot)) {
		st = fetch_shot(s, f, &shot, a);
		memory_snapshot_end(s, &shot);
	}
	mf_arena_free(a);
	return st;
}

enum mf_status
memory_fetch(struct mf_session *s, const struct mf_fetch *f, struct mf_error *err)
{
	enum mf_status st = memory_must_exist(s, f->folder, err);

	for (size_t i = 0; i < f->n && st == MF_OK; i++)
		st = fetch_one(s, f, f->ids[i], err);
	return st;
}

/* ---- Streaming ---- */

enum { STREAM_PIECE = 16384 };

static enum mf_status
write_pieces(struct mf_bytes data, mf_write_fn *write, void *ctx)
{
	enum mf_status st = MF_OK;

	for (size_t at = 0; at < data.len && st == MF_OK; at += STREAM_PIECE) {
		size_t n = data.len - at < STREAM_PIECE ? data.len - at : STREAM_PIECE;

		st = write(ctx, data.data + at, n);
	}
	return st;
}

static enum mf_status
stream_shot(const struct memory_snapshot *shot, struct mf_arena *a,
	const struct mf_section_want *what, mf_write_fn *write, void *ctx, struct mf_error *err)
{
	struct mf_section piece;

	if (shot->damaged != NULL)
		return mf_fail(err, MF_REFUSED, "memory: item %llu: %s",
			(unsigned long long)shot->id, shot->damaged);
	if (!section(memory_mime_split(a, content(shot)), content(shot), what, &piece))
		return mf_fail(err, MF_GONE, "memory: item %llu has no such section",
			(unsigned long long)shot->id);
	return write_pieces(piece.data, write, ctx);
}

enum mf_status
memory_stream(struct mf_session *s, const char *folder, uint64_t id,
	const struct mf_section_want *what, mf_write_fn *write, void *ctx, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct memory_snapshot shot;
	enum mf_status st;

	if (memory_snapshot_take(s, folder, id, a, &shot)) {
		st = stream_shot(&shot, a, what, write, ctx, err);
		memory_snapshot_end(s, &shot);
	} else {
		st = mf_fail(
			err, MF_GONE, "memory: no item %llu in %s", (unsigned long long)id, folder);
	}
	mf_arena_free(a);
	return st;
}
