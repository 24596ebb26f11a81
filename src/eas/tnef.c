/* winmail.dat from the store to its contents. Knows where the part is; must not know who shows it. */
#include "eas/tnef.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/spool.h"
#include "mailferry/log.h"
#include "mime/decode.h"
#include "mime/structure.h"

/* ---- Opening ---- */

struct filling {
	int fd;
	uint64_t size;
	struct mime_decoder decoder;
	struct mf_buf decoded;
	struct mf_error *err;
};

static enum mf_status
store(struct filling *f)
{
	f->size += f->decoded.len;
	bool written = spool_write(f->fd, f->decoded.data, f->decoded.len);
	mf_buf_clear(&f->decoded);
	return written ? MF_OK : mf_fail(f->err, MF_TEMPORARY, "spool: %s", strerror(errno));
}

static enum mf_status
take(void *ctx, const void *data, size_t len)
{
	struct filling *f = ctx;
	mime_decoder_push(&f->decoder, data, len, &f->decoded);
	return store(f);
}

static enum mf_status
read_file(struct filling *f, struct mf_arena *a, struct tnef_opened *out)
{
	if (f->size == 0 || f->size > TNEF_OPEN_MAX)
		return mf_fail(f->err, MF_INVALID, "no TNEF, or too large");
	void *map = mmap(NULL, (size_t)f->size, PROT_READ, MAP_PRIVATE, f->fd, 0);
	if (map == MAP_FAILED)
		return mf_fail(f->err, MF_TEMPORARY, "spool: %s", strerror(errno));
	*out = (struct tnef_opened){ .map = map, .len = (size_t)f->size };
	enum mf_status st = mime_tnef_read(a, mf_bytes(map, out->len), &out->tnef, f->err);
	if (st != MF_OK)
		tnef_close(out);
	return st;
}

enum mf_status
tnef_open(struct eas_request *r, const struct mf_store_api *api, struct mf_session *session,
	const char *folder, uint64_t id, const char *section, const char *encoding,
	struct mf_arena *a, struct tnef_opened *out, struct mf_error *err)
{
	const char *directory = mf_conf_string(r->server->conf, "spool_directory");
	struct mf_section_want what = { .max = TNEF_OPEN_MAX };
	struct filling f = { .fd = spool_open(directory), .err = err };
	if (f.fd < 0)
		return mf_fail(err, MF_TEMPORARY, "spool %s: %s", directory, strerror(errno));
	memcpy(what.section, section, strlen(section) + 1);
	mime_decoder_init(&f.decoder, mime_encoding_parse(encoding));
	mf_buf_init(&f.decoded, 0);
	enum mf_status st = api->stream(session, folder, id, &what, take, &f, err);
	if (st == MF_OK) {
		mime_decoder_end(&f.decoder, &f.decoded);
		st = store(&f);
	}
	if (st == MF_OK)
		st = read_file(&f, a, out);
	mf_buf_deinit(&f.decoded);
	close(f.fd);
	return st;
}

void
tnef_close(struct tnef_opened *t)
{
	if (t->map != NULL)
		munmap((void *)(uintptr_t)t->map, t->len);
	*t = (struct tnef_opened){ .map = NULL };
}

/* ---- Among others ---- */

struct waiting {
	uint64_t id;
	const char *section, *encoding;
};

/* A fetch of which some items wait for their TNEF to be opened. */
struct opening {
	struct eas_request *r;
	const struct mf_fetch *asked;
	struct waiting *list;
	size_t n;
};

static const struct mf_part *
find_part(struct mf_arena *a, const struct mf_part *root)
{
	struct mime_structure s;
	mime_structure_read(a, root, NULL, &s);
	for (size_t i = 0; i < s.n_attachments; i++)
		if (s.attachments[i].is_tnef && s.attachments[i].part->size <= TNEF_OPEN_MAX &&
			strlen(s.attachments[i].part->section) <
				sizeof(((struct mf_section_want *)0)->section))
			return s.attachments[i].part;
	return NULL;
}

/* Only what looks like it is looked at more closely. */
static bool
may_have(const struct mf_part *part, unsigned depth)
{
	if (part == NULL || depth > MIME_DEPTH_MAX)
		return false;
	if (strcmp(part->type, "application") == 0)
		return true;
	for (size_t i = 0; i < part->n_children; i++)
		if (may_have(&part->children[i], depth + 1))
			return true;
	return false;
}

static bool
is_waiting(const struct opening *o, uint64_t id)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->list[i].id == id)
			return true;
	return false;
}

static size_t
choose(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	struct opening *o = ctx;
	if (may_have(item->structure, 0) && o->n < o->asked->n) {
		struct mf_arena *a = mf_arena_new();
		const struct mf_part *part = find_part(a, item->structure);
		if (part != NULL)
			o->list[o->n++] = (struct waiting){ .id = item->id,
				.section = mf_strdup(o->r->arena, part->section),
				.encoding = mf_strdup(o->r->arena, part->encoding) };
		mf_arena_free(a);
		if (part != NULL)
			return 0;
	}
	return o->asked->choose == NULL ? 0 : o->asked->choose(o->asked->ctx, item, out);
}

static enum mf_status
item(void *ctx, const struct mf_item *it)
{
	struct opening *o = ctx;
	return is_waiting(o, it->id) ? MF_OK : o->asked->item(o->asked->ctx, it);
}

/* One of those that waited. */
static enum mf_status
show(struct opening *o, const struct waiting *w, const struct mf_store_api *api,
	struct mf_session *session, struct tnef_shown *shown, bool open, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct tnef_opened t = { .map = NULL };
	struct mf_fetch one = *o->asked;
	enum mf_status st = MF_INVALID;
	one.ids = &w->id;
	one.n = 1;
	one.n_ahead = 0; /* what comes next is being read already */
	if (open)
		st = tnef_open(
			o->r, api, session, one.folder, w->id, w->section, w->encoding, a, &t, err);
	if (open && st != MF_OK)
		mf_log_info("event=tnef item=%llu status=%s", (unsigned long long)w->id,
			mf_status_name(st));
	if (st == MF_OK)
		*shown = (struct tnef_shown){ .section = w->section, .tnef = &t.tnef };
	if (st != MF_TEMPORARY && st != MF_AUTH)
		st = api->fetch(session, &one, err);
	*shown = (struct tnef_shown){ .tnef = NULL };
	tnef_close(&t);
	mf_arena_free(a);
	return st;
}

enum mf_status
tnef_fetch(struct eas_request *r, const struct mf_store_api *api, struct mf_session *session,
	const struct mf_fetch *f, struct tnef_shown *shown, bool (*full)(void *ctx),
	struct mf_error *err)
{
	struct opening o = { .r = r, .asked = f };
	struct mf_fetch fetch = *f;
	*shown = (struct tnef_shown){ .tnef = NULL };
	o.list = mf_new_array(r->arena, struct waiting, f->n);
	fetch.choose = choose;
	fetch.item = item;
	fetch.ctx = &o;
	enum mf_status st = api->fetch(session, &fetch, err);
	for (size_t i = 0; i < o.n && st == MF_OK; i++)
		st = show(&o, &o.list[i], api, session, shown, full == NULL || !full(f->ctx), err);
	return st;
}
