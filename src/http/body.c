/* Bodies in memory or in a file. Knows no HTTP. */
#include "http/body.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/spool.h"

enum { SPOOL_STEP = 1 << 20 };

void
http_body_init(struct http_body *b, struct http_body_room *room)
{
	memset(b, 0, sizeof(*b));
	b->room = room;
	b->fd = -1;
	mf_buf_init(&b->buf, 0);
}

static void
leave_memory(struct http_body *b)
{
	atomic_fetch_sub(&b->room->memory_used, b->buf.len);
	mf_buf_deinit(&b->buf);
}

void
http_body_deinit(struct http_body *b)
{
	if (b->room == NULL)
		return;
	leave_memory(b);
	if (b->map != NULL)
		munmap(b->map, (size_t)b->len);
	if (b->fd >= 0)
		close(b->fd);
	atomic_fetch_sub(&b->room->spool_used, b->reserved);
	http_body_init(b, b->room);
}

static enum mf_status
write_file(struct http_body *b, const void *data, size_t len, struct mf_error *err)
{
	if (spool_write(b->fd, data, len))
		return MF_OK;
	return mf_fail(err, MF_TEMPORARY, "spool %s: %s", b->room->directory, strerror(errno));
}

/* Room in the spool is taken in steps, so that bodies do not fight for the counter. */
static enum mf_status
spool_reserve(struct http_body *b, uint64_t len, struct mf_error *err)
{
	while (b->reserved < len) {
		b->reserved += SPOOL_STEP;
		if (atomic_fetch_add(&b->room->spool_used, SPOOL_STEP) + SPOOL_STEP >
			b->room->spool_total)
			return mf_fail(err, MF_TEMPORARY, "spool %s: spool_limit is reached",
				b->room->directory);
	}
	return MF_OK;
}

static enum mf_status
spool_begin(struct http_body *b, struct mf_error *err)
{
	enum mf_status st;

	b->fd = spool_open(b->room->directory);
	if (b->fd < 0)
		return mf_fail(
			err, MF_TEMPORARY, "spool %s: %s", b->room->directory, strerror(errno));
	st = write_file(b, b->buf.data, b->buf.len, err);
	leave_memory(b);
	return st;
}

static bool
fits_memory(const struct http_body *b, size_t len)
{
	return b->len + len <= b->room->memory &&
	       atomic_load(&b->room->memory_used) + len <= b->room->memory_total;
}

enum mf_status
http_body_add(struct http_body *b, const void *data, size_t len, struct mf_error *err)
{
	enum mf_status st = MF_OK;

	if (b->len + len > b->room->limit)
		return mf_fail(err, MF_TOO_LARGE, "body over the limit");
	if (b->fd < 0 && fits_memory(b, len)) {
		mf_buf_add(&b->buf, data, len);
		atomic_fetch_add(&b->room->memory_used, len);
		b->len += len;
		return MF_OK;
	}
	st = spool_reserve(b, b->len + len, err);
	if (st == MF_OK && b->fd < 0)
		st = spool_begin(b, err);
	if (st == MF_OK)
		st = write_file(b, data, len, err);
	if (st == MF_OK)
		b->len += len;
	return st;
}

enum mf_status
http_body_end(struct http_body *b, struct mf_bytes *out, struct mf_error *err)
{
	void *map;

	*out = mf_buf_bytes(&b->buf);
	if (b->fd < 0)
		return MF_OK;
	map = mmap(NULL, (size_t)b->len, PROT_READ, MAP_PRIVATE, b->fd, 0);
	if (map == MAP_FAILED)
		return mf_fail(err, MF_TEMPORARY, "spool: mmap: %s", strerror(errno));
	b->map = map;
	close(b->fd);
	b->fd = -1;
	*out = mf_bytes(map, (size_t)b->len);
	return MF_OK;
}
