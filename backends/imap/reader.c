/* Framing of answers, bounded. Knows lines and literals, nothing of what they say. */
#include "reader.h"

#include <string.h>
#include <strings.h>

#include "net/stream.h"

enum { KEEP_OF_LONG_LINE = 65536, LITERAL_HEAD = 32, PASS = 256 << 10 };

/* Status answers and continuations hold free text: braces at their end mean nothing. */
static bool
has_literals(const uint8_t *p, size_t len)
{
	static const char *const texts[] = { "OK ", "NO ", "BAD ", "BYE ", "PREAUTH " };

	if (len < 2 || p[0] == '+')
		return false;
	while (len > 0 && *p != ' ') {
		p++;
		len--;
	}
	if (len == 0)
		return false;
	p++;
	len--;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (len >= strlen(texts[i]) &&
			strncasecmp((const char *)p, texts[i], strlen(texts[i])) == 0)
			return false;
	return true;
}

/* Does the line p..end (end is its LF) announce a literal? Digits from *digits on. */
static bool
ends_in_literal(const uint8_t *p, const uint8_t *end, const uint8_t **digits, uint64_t *size)
{
	uint64_t n = 0, unit = 1;

	if (end > p && end[-1] == '\r')
		end--;
	if (end - p < 3 || end[-1] != '}')
		return false;
	end--;
	if (end[-1] == '+')
		end--;
	while (end > p && end[-1] >= '0' && end[-1] <= '9') {
		end--;
		if (unit <= UINT64_MAX / 100) {
			n += unit * (uint64_t)(*end - '0');
			unit *= 10;
		} else if (*end != '0') {
			n = UINT64_MAX;
			unit = UINT64_MAX;
		}
	}
	if (end == p || end[-1] != '{' || *end < '0' || *end > '9')
		return false;
	*digits = end;
	*size = n;
	return true;
}

size_t
imap_frame(const uint8_t *data, size_t len)
{
	size_t at = 0;

	for (;;) {
		const uint8_t *nl = len == at ? NULL : memchr(data + at, '\n', len - at), *digits;
		size_t line;
		uint64_t n;

		if (nl == NULL)
			return 0;
		line = (size_t)(nl - data) + 1;
		if (!has_literals(data, line) || !ends_in_literal(data + at, nl, &digits, &n))
			return line;
		if (n > len - line)
			return 0;
		at = line + (size_t)n;
	}
}

/* ---- From the stream ---- */

/* An answer that is being read. Offsets are from st->start, which does not move meanwhile. */
struct frame {
	const struct imap_sink *sink; /* NULL: literals stay */
	size_t line;		      /* where the current line begins: behind the last literal */
	size_t scan;		      /* up to here there is no LF in it */
	size_t text;		      /* bytes outside literals */
	bool cut;
};

static size_t
have(const struct net_stream *st)
{
	return st->end - st->start;
}

/* Takes n bytes at offset `at` out of the buffer. */
static void
drop(struct net_stream *st, size_t at, size_t n)
{
	memmove(st->data + st->start + at, st->data + st->start + at + n, have(st) - at - n);
	st->end -= n;
}

/* The line is over the limit: keep its beginning, and its last bytes, which may announce a literal. */
static void
shorten(struct net_stream *st, struct frame *f)
{
	size_t keep = f->line > KEEP_OF_LONG_LINE ? f->line : KEEP_OF_LONG_LINE;

	f->cut = true;
	if (have(st) > keep + LITERAL_HEAD)
		drop(st, keep, have(st) - keep - LITERAL_HEAD);
	f->scan = keep < have(st) ? keep : have(st);
}

/* Waits for the LF of the current line; its offset. */
static enum mf_status
find_line(struct net_stream *st, struct frame *f, size_t *lf, struct mf_error *err)
{
	for (;;) {
		const uint8_t *nl = NULL;
		enum mf_status status;

		if (have(st) > f->scan)
			nl = memchr(st->data + st->start + f->scan, '\n', have(st) - f->scan);
		if (nl != NULL) {
			*lf = (size_t)(nl - (st->data + st->start));
			return MF_OK;
		}
		f->scan = have(st);
		if (f->text + f->scan - f->line > st->where->max_line)
			shorten(st, f);
		status = net_stream_fill(st, 1, err);
		if (status != MF_OK)
			return status;
	}
}

/* A literal of n bytes at offset `at` that may stay. */
static enum mf_status
keep_literal(struct net_stream *st, size_t at, size_t n, struct mf_error *err)
{
	while (have(st) < at + n) {
		size_t missing = at + n - have(st);
		enum mf_status status;

		net_stream_expect(st, missing);
		status = net_stream_fill(st, missing + 256, err);
		if (status != MF_OK)
			return status;
	}
	return MF_OK;
}

/* In the answer it has no bytes. */
static void
hide_length(struct net_stream *st, size_t digits)
{
	for (uint8_t *p = st->data + st->start + digits; *p >= '0' && *p <= '9'; p++)
		*p = '0';
}

/* One that somebody else takes. */
static enum mf_status
pass_literal(struct net_stream *st, const struct imap_sink *sink, size_t digits, size_t at,
	uint64_t n, struct mf_error *err)
{
	enum mf_status status = MF_OK;

	hide_length(st, digits);
	while (status == MF_OK && n > 0) {
		size_t here = have(st) - at;

		if (here > n)
			here = (size_t)n;
		if (here == 0) {
			net_stream_expect(st, n < SIZE_MAX ? (size_t)n : SIZE_MAX);
			status = net_stream_fill(st, PASS, err);
			continue;
		}
		int64_t start = net_stream_now();
		status = sink->take(sink->ctx, st->data + st->start + at, here);
		net_stream_excuse(st, start);
		drop(st, at, here);
		n -= here;
	}
	return status;
}

/* One that is too large: its bytes are dropped as they come. */
static enum mf_status
drop_literal(struct net_stream *st, size_t digits, size_t at, uint64_t n, struct mf_error *err)
{
	hide_length(st, digits);
	for (;;) {
		size_t here = have(st) - at;
		enum mf_status status;

		if (here > n)
			here = (size_t)n;
		drop(st, at, here);
		n -= here;
		if (n == 0)
			return MF_OK;
		status = net_stream_fill(st, 1, err);
		if (status != MF_OK)
			return status;
	}
}

static enum mf_status
literal(struct net_stream *st, struct frame *f, size_t digits, size_t at, uint64_t n,
	struct mf_error *err)
{
	size_t limit = st->where->max_literal;

	f->line = f->scan = at;
	if (!f->cut && f->sink != NULL &&
		f->sink->wants(f->sink->ctx, mf_bytes(st->data + st->start, digits), n))
		return pass_literal(st, f->sink, digits, at, n, err);
	if (f->cut || n > limit || at + n > limit + st->where->max_line) {
		f->cut = true;
		return drop_literal(st, digits, at, n, err);
	}
	f->line = f->scan = at + (size_t)n;
	return keep_literal(st, at, (size_t)n, err);
}

static enum mf_status
read_frame(struct net_stream *st, struct frame *f, size_t *len, struct mf_error *err)
{
	for (;;) {
		const uint8_t *base, *digits;
		size_t lf;
		uint64_t n;
		enum mf_status status = find_line(st, f, &lf, err);

		if (status != MF_OK)
			return status;
		base = st->data + st->start;
		*len = lf + 1;
		if (!has_literals(base, *len) ||
			!ends_in_literal(base + f->line, base + lf, &digits, &n))
			return MF_OK;
		f->text += *len - f->line;
		status = literal(st, f, (size_t)(digits - base), *len, n, err);
		if (status != MF_OK)
			return status;
	}
}

/* "A12": our tags; 0 for others. */
static unsigned
parse_tag(struct imap_lex *x)
{
	unsigned n = 0;

	if (x->end - x->p < 2 || x->p[0] != 'A')
		return 0;
	for (x->p++; x->p < x->end && *x->p >= '0' && *x->p <= '9' && n < 100000000; x->p++)
		n = n * 10 + (unsigned)(*x->p - '0');
	return imap_lex_take(x, ' ') ? n : 0;
}

enum mf_status
imap_read(struct net_stream *st, const struct imap_sink *sink, struct imap_answer *out,
	struct mf_error *err)
{
	struct frame f = { .sink = sink };
	size_t len = 0;
	enum mf_status status = read_frame(st, &f, &len, err);
	struct imap_lex *x = &out->lex;

	if (status != MF_OK)
		return status;
	*out = (struct imap_answer){ .cut = f.cut };
	out->raw = mf_bytes(st->data + st->start, len);
	x->p = st->data + st->start;
	x->end = x->p + len - 1;
	if (x->end > x->p && x->end[-1] == '\r')
		x->end--;
	st->start += len;
	if (imap_lex_take(x, '*')) {
		imap_lex_want(x, ' ');
	} else if (imap_lex_take(x, '+')) {
		out->kind = IMAP_CONTINUE;
		imap_lex_take(x, ' ');
	} else {
		out->kind = IMAP_TAGGED;
		out->tag = parse_tag(x);
	}
	return MF_OK;
}
