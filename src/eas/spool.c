/* The file of an answer. Knows where its pieces go; must not know what they are. */
#include "eas/spool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/spool.h"

/* Free room at the file's beginning, for what stands in memory before the first piece. */
enum { HEAD = 64 << 10 };

static void
spool_free(void *thing)
{
	struct eas_spool *s = thing;
	if (s->fd >= 0)
		close(s->fd);
}

static enum mf_status
spool_of(struct eas_request *r, struct eas_spool **out, struct mf_error *err)
{
	const char *directory = mf_conf_string(r->server->conf, "spool_directory");
	if (r->answer.spool == NULL) {
		struct eas_spool *s = mf_new(r->arena, struct eas_spool);
		s->fd = spool_open(directory);
		if (s->fd < 0)
			return mf_fail(
				err, MF_TEMPORARY, "spool %s: %s", directory, strerror(errno));
		mf_on_free(r->arena, spool_free, s);
		if (lseek(s->fd, HEAD, SEEK_SET) < 0)
			return mf_fail(err, MF_TEMPORARY, "spool: %s", strerror(errno));
		s->size = HEAD;
		r->answer.spool = s;
	}
	*out = r->answer.spool;
	return MF_OK;
}

enum mf_status
eas_spool_add(struct eas_request *r, const void *data, size_t len, struct mf_error *err)
{
	struct eas_spool *s = NULL;
	enum mf_status st = spool_of(r, &s, err);
	if (st != MF_OK)
		return st;
	if (!spool_write(s->fd, data, len))
		return mf_fail(err, MF_TEMPORARY, "spool: %s", strerror(errno));
	s->size += len;
	return MF_OK;
}

uint64_t
eas_spool_end(const struct eas_request *r)
{
	return r->answer.spool == NULL ? HEAD : r->answer.spool->size;
}

void
eas_spool_cut(struct eas_request *r, uint64_t end)
{
	struct eas_spool *s = r->answer.spool;
	if (s == NULL || s->size == end || ftruncate(s->fd, (off_t)end) != 0)
		return;
	if (lseek(s->fd, (off_t)end, SEEK_SET) >= 0)
		s->size = end;
}

enum mf_status
eas_spool_put(
	struct eas_request *r, size_t at, uint64_t offset, uint64_t size, struct mf_error *err)
{
	struct eas_spool *s = NULL;
	enum mf_status st = spool_of(r, &s, err);
	if (st != MF_OK)
		return st;
	if (s->n == EAS_PIECES_MAX)
		return mf_fail(err, MF_TOO_LARGE, "too many parts in one answer");
	s->pieces[s->n++] = (struct eas_piece){ at, offset, size };
	return MF_OK;
}

void
eas_spool_shift(struct eas_request *r, size_t by)
{
	struct eas_spool *s = r->answer.spool;
	for (size_t i = 0; s != NULL && i < s->n; i++)
		s->pieces[i].at += by;
}

/* ---- Reading ---- */

static bool
write_at(int fd, const uint8_t *data, size_t len, uint64_t offset)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

int
eas_answer_file(const struct eas_answer *a, uint64_t *offset)
{
	const struct eas_spool *s = a->spool;
	if (s == NULL || s->n == 0)
		return -1;
	const struct eas_piece *first = &s->pieces[0];
	uint64_t end = first->offset;
	for (size_t i = 0; i < s->n; i++) {
		if (s->pieces[i].at != first->at || s->pieces[i].offset != end)
			return -1;
		end += s->pieces[i].size;
	}
	if (first->at > HEAD || first->offset != HEAD || end != s->size)
		return -1;
	*offset = HEAD - first->at;
	return write_at(s->fd, a->body.data, first->at, *offset) &&
			       write_at(s->fd, a->body.data + first->at, a->body.len - first->at,
				       end)
		       ? s->fd
		       : -1;
}

uint64_t
eas_answer_size(const struct eas_answer *a)
{
	uint64_t size = a->body.len;
	for (size_t i = 0; a->spool != NULL && i < a->spool->n; i++)
		size += a->spool->pieces[i].size;
	return size;
}

static ssize_t
read_memory(const struct eas_answer *a, size_t from, size_t end, void *out, size_t max)
{
	size_t n = end - from < max ? end - from : max;
	if (n > 0)
		memcpy(out, a->body.data + from, n);
	return (ssize_t)n;
}

static ssize_t
read_file(const struct eas_answer *a, uint64_t from, uint64_t left, void *out, size_t max)
{
	ssize_t n;
	do
		n = pread(a->spool->fd, out, left < max ? (size_t)left : max, (off_t)from);
	while (n < 0 && errno == EINTR);
	return n > 0 ? n : -1;
}

ssize_t
eas_answer_read(const struct eas_answer *a, uint64_t from, void *out, size_t max)
{
	uint64_t pieces = 0; /* bytes of those that came before */
	for (size_t i = 0; a->spool != NULL && i < a->spool->n; i++) {
		const struct eas_piece *p = &a->spool->pieces[i];
		if (from < p->at + pieces)
			return read_memory(a, (size_t)(from - pieces), p->at, out, max);
		uint64_t into = from - p->at - pieces;
		if (into < p->size)
			return read_file(a, p->offset + into, p->size - into, out, max);
		pieces += p->size;
	}
	return read_memory(a, (size_t)(from - pieces), a->body.len, out, max);
}
