/*
 * Results in their order: each folder is asked once for its part of the page, in whatever order the
 * server answers; each item is written into a piece of its own, and the pieces are put together.
 */
#include <stdlib.h>
#include <string.h>

#include "eas/cmd/mailsearch.h"
#include "eas/tnef.h"
#include "mailferry/log.h"

enum { ANSWER_BYTES = 8 << 20 };

struct page {
	struct eas_request *r;
	const struct mailsearch_teller *t;
	const struct mailsearch_hit *hits;
	size_t n;
	struct piece {
		struct mf_buf bytes;
		struct wbxml_writer writer;
		bool written, postponed;
	} * pieces;
	uint64_t planned; /* bytes of content asked for */
	struct email_view view;
	const struct state_folder *folder;
};

static size_t
find(const struct page *p, uint64_t id)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->hits[i].id == id && p->hits[i].folder == p->folder->number)
			return i;
	return p->n;
}

/* The first always fits, else a large one could never be told. */
static size_t
choose(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	struct page *p = ctx;
	uint64_t bytes = 0;
	size_t at = find(p, item->id);
	if (at == p->n)
		return 0;
	p->view.scratch = mf_arena_new();
	size_t n = email_choose(&p->view, item, out, &bytes);
	mf_arena_free(p->view.scratch);
	if (at > 0 && p->planned + bytes > ANSWER_BYTES) {
		p->pieces[at].postponed = true;
		return 0;
	}
	p->planned += bytes;
	return n;
}

static enum mf_status
take(void *ctx, const struct mf_item *item)
{
	struct page *p = ctx;
	size_t at = find(p, item->id);
	if (at == p->n || p->pieces[at].postponed || p->pieces[at].written)
		return MF_OK;
	if (item->damaged != NULL)
		mf_log_warning("event=damaged folder=%u item=%llu reason=%s", p->folder->number,
			(unsigned long long)item->id, mf_log_value(item->damaged));
	struct piece *piece = &p->pieces[at];
	wbxml_piece_begin(&piece->writer, &piece->bytes);
	p->view.scratch = mf_arena_new();
	p->t->write(p->r, &piece->writer, &p->view, &p->hits[at], item);
	mf_arena_free(p->view.scratch);
	piece->written = true;
	return MF_OK;
}

static enum mf_status
fetch_folder(struct page *p, const struct state_folder *folder, struct mf_error *err)
{
	uint64_t *ids = mf_new_array(p->r->arena, uint64_t, p->n);
	struct mf_fetch f = { .folder = folder->id,
		.ids = ids,
		.want = EMAIL_WANT,
		.fields = email_fields,
		.choose = choose,
		.item = take,
		.ctx = p };
	for (size_t i = 0; i < p->n; i++)
		if (p->hits[i].folder == folder->number)
			ids[f.n++] = p->hits[i].id;
	p->folder = folder;
	p->view.folder = folder->number;
	email_view_load(&p->view, folder, p->r->arena);
	enum mf_status st =
		tnef_fetch(p->r, p->r->store_api, p->r->store, &f, &p->view.tnef, NULL, err);
	return st == MF_GONE ? MF_OK : st;
}

static bool
first_of_folder(const struct page *p, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (p->hits[i].folder == p->hits[at].folder)
			return false;
	return true;
}

static enum mf_status
fetch_all(struct page *p, const struct state_folders *folders, struct mf_error *err)
{
	enum mf_status st = MF_OK;
	for (size_t i = 0; st == MF_OK && i < p->n; i++) {
		const struct state_folder *f =
			first_of_folder(p, i) ? state_folder_by_number(folders, p->hits[i].folder)
					      : NULL;
		if (f != NULL)
			st = fetch_folder(p, f, err);
	}
	return st;
}

static void
free_pieces(void *page)
{
	struct page *p = page;
	for (size_t i = 0; i < p->n; i++)
		mf_buf_deinit(&p->pieces[i].bytes);
}

/* Up to the first that does not fit any more. */
static size_t
add_pieces(struct page *p, size_t *told)
{
	size_t i = 0;
	*told = 0;
	for (; i < p->n && !p->pieces[i].postponed; i++) {
		if (!p->pieces[i].written)
			continue;
		wbxml_piece_add(&p->r->writer, &p->pieces[i].writer);
		(*told)++;
	}
	return i;
}

enum mf_status
mailsearch_tell(struct eas_request *r, const struct state_folders *folders,
	const struct mailsearch_hits *hits, size_t first, size_t *last,
	const struct mailsearch_teller *t, size_t *told, struct mf_error *err)
{
	struct page *p = mf_new(r->arena, struct page);
	*p = (struct page){ .r = r, .t = t, .hits = hits->list + first, .n = *last - first + 1 };
	p->pieces = mf_new_array(r->arena, struct piece, p->n);
	for (size_t i = 0; i < p->n; i++)
		mf_buf_init(&p->pieces[i].bytes, 0);
	mf_on_free(r->arena, free_pieces, p);
	p->view = (struct email_view){ .version = r->version,
		.body = t->body,
		.address = eas_user_address(r),
		.state = r->server->state,
		.user = r->user_number };
	enum mf_status st = fetch_all(p, folders, err);
	if (st == MF_OK)
		*last = first + add_pieces(p, told) - 1;
	return st;
}
