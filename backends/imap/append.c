/* APPEND: an item from the caller's reader to a folder. Small ones travel in one piece, large ones
 * are streamed. */
#include <string.h>

#include "command.h"
#include "list.h"
#include "select.h"
#include "store.h"
#include "values.h"

enum {
	AT_ONCE = 65536,  /* read as a whole before anything is sent */
	NO_ASKING = 4096, /* LITERAL-: as much without the server's go-ahead */
	CHUNK = 32768,
};

static enum mf_status
write_head(struct mf_session *s, const struct mf_put *p, bool go_ahead, unsigned *tag,
	struct mf_error *err)
{
	char date[32];

	imap_begin(s);
	imap_put(s, "APPEND ");
	imap_put_string(s, p->folder);
	imap_put(s, " (");
	imap_flags_print(p->flags, &s->out);
	for (size_t i = 0; i < p->n_keywords; i++)
		imap_putf(s, "%s%s", p->flags != 0 || i > 0 ? " " : "", p->keywords[i]);
	imap_put(s, ")");
	if (p->date > 0) {
		imap_date_print(p->date, date);
		imap_putf(s, " \"%s\"", date);
	}
	imap_putf(s, go_ahead ? " {%llu+}" : " {%llu}", (unsigned long long)p->size);
	*tag = imap_end(s);
	return imap_flush(s, err);
}

/* The reader gave less than it promised. The server waits for the rest, so the connection must go:
 * nothing is added then. */
static enum mf_status
broken_off(struct mf_session *s, struct mf_error *err)
{
	s->lost = true;
	return imap_fail(s, err, MF_INVALID, "APPEND: the item ends early");
}

static enum mf_status
stream_out(struct mf_session *s, const struct mf_put *p, struct mf_error *err)
{
	uint8_t chunk[CHUNK];
	uint64_t left = p->size;

	net_stream_expect(&s->stream, (size_t)p->size);
	while (left > 0) {
		size_t want = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);
		int64_t start = net_stream_now();
		ssize_t n = p->read(p->ctx, chunk, want);
		enum mf_status status;

		net_stream_excuse(&s->stream, start);
		if (n <= 0 || (size_t)n > want)
			return broken_off(s, err);
		status = net_stream_write(&s->stream, chunk, (size_t)n, err);
		if (status != MF_OK)
			return status;
		left -= (uint64_t)n;
	}
	return net_stream_write(&s->stream, "\r\n", 2, err);
}

/* Reads all of a small item. */
static enum mf_status
read_all(struct mf_session *s, const struct mf_put *p, uint8_t *to, struct mf_error *err)
{
	size_t have = 0;

	while (have < p->size) {
		ssize_t n = p->read(p->ctx, to + have, (size_t)p->size - have);

		if (n <= 0 || (size_t)n > p->size - have)
			return imap_fail(s, err, MF_INVALID, "APPEND: the item ends early");
		have += (size_t)n;
	}
	return MF_OK;
}

/* "uidvalidity uid" */
static uint64_t
appended_uid(const struct imap_result *r)
{
	struct imap_lex x = imap_lex_over(r->args);
	uint64_t uid;

	if (r->code != IMAP_CODE_APPENDUID)
		return 0;
	imap_lex_number(&x);
	imap_lex_want(&x, ' ');
	uid = imap_lex_number(&x);
	return x.bad || uid > UINT32_MAX ? 0 : uid;
}

/* TRYCREATE and the like: there is no such folder. */
static enum mf_status
refused(struct mf_session *s, const struct mf_put *p, const struct imap_result *r,
	struct mf_error *err)
{
	enum mf_status status = imap_refused(s, r, "APPEND", err);

	if (status == MF_REFUSED || status == MF_GONE) {
		enum mf_status found = imap_exists(s, p->folder, NULL);

		if (found == MF_GONE || found == MF_REFUSED)
			return imap_fail(s, err, found, "APPEND to %s", p->folder);
	}
	return status;
}

static enum mf_status
send_item(struct mf_session *s, const struct mf_put *p, const uint8_t *small, uint64_t *id,
	struct mf_error *err)
{
	bool go = imap_can(s, IMAP_CAP_LITERAL) && p->size <= NO_ASKING;
	struct imap_result r = { .condition = IMAP_NO };
	unsigned tag;
	enum mf_status status = write_head(s, p, go, &tag, err);

	if (status == MF_OK && !go) {
		status = imap_wait_continue(s, tag, &go, &r, err);
		if (status == MF_OK && !go)
			return refused(s, p, &r, err);
	}
	if (status == MF_OK && small != NULL) {
		status = net_stream_write(&s->stream, small, (size_t)p->size, err);
		if (status == MF_OK)
			status = net_stream_write(&s->stream, "\r\n", 2, err);
	} else if (status == MF_OK) {
		status = stream_out(s, p, err);
	}
	if (status == MF_OK)
		status = imap_wait(s, tag, NULL, NULL, &r, err);
	if (status != MF_OK)
		return status;
	if (r.condition != IMAP_OK)
		return refused(s, p, &r, err);
	*id = appended_uid(&r);
	return MF_OK;
}

enum mf_status
imap_append(struct mf_session *s, const struct mf_put *p, uint64_t *id, struct mf_error *err)
{
	struct mf_arena *a;
	uint8_t *small = NULL;
	enum mf_status status = MF_OK;

	*id = 0;
	if (!imap_sendable(p->folder))
		return imap_fail(s, err, MF_GONE, "no such folder");
	if (p->size == 0)
		return imap_fail(s, err, MF_INVALID, "APPEND: an empty item");
	for (size_t i = 0; i < p->n_keywords; i++)
		if (!imap_keyword_valid(p->keywords[i]))
			return imap_fail(s, err, MF_INVALID, "APPEND: not a keyword");
	a = mf_arena_new();
	if (p->size <= AT_ONCE) {
		small = mf_alloc(a, (size_t)p->size);
		status = read_all(s, p, small, err);
	}
	if (status == MF_OK)
		status = send_item(s, p, small, id, err);
	mf_arena_free(a);
	return status;
}
