/* Bodies in memory or in a file. Knows no HTTP. */
#include "http/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* File systems without O_TMPFILE (NFS, overlayfs of old) get a name that is removed at once. */
static int
spool_file(const char *directory)
{
	char path[4096];
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	snprintf(path, sizeof(path), "%s/mailferry-XXXXXX", directory);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static enum mf_status
spool_write(struct http_body *b, const uint8_t *data, size_t len, struct mf_error *err)
{
	while (len > 0) {
		ssize_t n = write(b->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return mf_fail(err, MF_TEMPORARY, "spool %s: %s", b->room->directory,
				strerror(errno));
		data += n;
		len -= (size_t)n;
	}
	return MF_OK;
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

	b->fd = spool_file(b->room->directory);
	if (b->fd < 0)
		return mf_fail(
			err, MF_TEMPORARY, "spool %s: %s", b->room->directory, strerror(errno));
	st = spool_write(b, b->buf.data, b->buf.len, err);
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
		st = spool_write(b, data, len, err);
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
