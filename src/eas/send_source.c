/* The message replied to or forwarded: found, and fetched as far as it is needed. */
#include <sys/mman.h>
#include <unistd.h>

#include "base/spool.h"
#include "eas/send.h"
#include "mime/calendar_occurrence.h"

enum { MEMORY_MAX = 256 * 1024 };

/* ---- A place for a whole message ---- */

struct spool {
	const char *directory;
	uint64_t max, len;
	struct mf_buf buf;
	int fd; /* -1: in memory */
	void *map;
};

static void
spool_free(void *thing)
{
	struct spool *s = thing;
	if (s->map != NULL)
		munmap(s->map, (size_t)s->len);
	if (s->fd >= 0)
		close(s->fd);
	mf_buf_deinit(&s->buf);
}

static enum mf_status
spool_add(void *ctx, const void *data, size_t len)
{
	struct spool *s = ctx;
	if (s->len + len > s->max)
		return MF_TOO_LARGE;
	s->len += len;
	if (s->fd < 0 && s->len <= MEMORY_MAX) {
		mf_buf_add(&s->buf, data, len);
		return MF_OK;
	}
	if (s->fd < 0) {
		s->fd = spool_open(s->directory);
		if (s->fd < 0 || !spool_write(s->fd, s->buf.data, s->buf.len))
			return MF_TEMPORARY;
		mf_buf_deinit(&s->buf);
	}
	return spool_write(s->fd, data, len) ? MF_OK : MF_TEMPORARY;
}

static enum mf_status
spool_view(struct spool *s, struct mf_bytes *out, struct mf_error *err)
{
	*out = mf_buf_bytes(&s->buf);
	if (s->fd < 0)
		return MF_OK;
	void *map = mmap(NULL, (size_t)s->len, PROT_READ, MAP_PRIVATE, s->fd, 0);
	if (map == MAP_FAILED)
		return mf_fail(err, MF_TEMPORARY, "send: the spool file cannot be mapped");
	s->map = map;
	*out = mf_bytes(map, (size_t)s->len);
	return MF_OK;
}

enum mf_status
source_read(struct eas_request *r, const char *folder, uint64_t id, struct mf_bytes *out,
	struct mf_error *err)
{
	struct spool *s = mf_new(r->arena, struct spool);
	struct mf_section_want whole = { .section = "" };
	s->directory = mf_conf_string(r->server->conf, "spool_directory");
	s->max = (uint64_t)mf_conf_number(r->server->conf, "body_limit");
	s->fd = -1;
	mf_buf_init(&s->buf, 0);
	mf_on_free(r->arena, spool_free, s);
	enum mf_status st = r->store_api->stream(r->store, folder, id, &whole, spool_add, s, err);
	return st == MF_OK ? spool_view(s, out, err) : st;
}

/* ---- What is needed of it ---- */

struct looking {
	struct outgoing *o;
	bool found;
};

static enum mf_status
take(void *ctx, const struct mf_item *item)
{
	struct looking *l = ctx;
	l->found = true;
	l->o->source_received = item->date;
	l->o->source_header = mf_memdup(l->o->r->arena, item->header.data, item->header.len);
	return MF_OK;
}

enum mf_status
source_fetch(struct outgoing *o, struct mf_error *err)
{
	const struct send_job *job = o->job;
	struct looking l = { .o = o };
	if (job->source == NULL)
		return MF_OK;
	struct mf_fetch f = { .folder = job->source->id,
		.ids = &job->source_id,
		.n = 1,
		.want = MF_WANT_HEADER | MF_WANT_DATE,
		.item = take,
		.ctx = &l };
	enum mf_status st = o->r->store_api->fetch(o->r->store, &f, err);
	if (st == MF_OK && !l.found)
		st = mf_fail(err, MF_GONE, "send: the source is not there");
	if (st == MF_OK && !job->replace)
		st = source_read(o->r, job->source->id, job->source_id, &o->source_whole, err);
	if (st == MF_OK && !job->replace && job->one)
		st = mime_calendar_occurrence(
			o->r->arena, o->source_whole, job->instance, &o->source_whole, err);
	return st;
}
