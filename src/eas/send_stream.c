/*
 * An outgoing message as one stream: line ends made CRLF (RFC 5321 2.3.8), everything else as it is. Knows
 * bytes; must not know what they mean.
 */
#include <string.h>

#include "eas/send.h"

void
send_stream_rewind(struct send_stream *s)
{
	s->at = s->offset = 0;
	s->n_held = 0;
	s->cr = false;
}

static struct mf_bytes
piece(const struct send_stream *s)
{
	return s->at == 0 ? s->header : s->rest[s->at - 1];
}

/* How many bytes of p stand without a line end among them. */
static size_t
plain_run(const uint8_t *p, size_t n)
{
	const uint8_t *nl = memchr(p, '\n', n);
	size_t len = nl == NULL ? n : (size_t)(nl - p);
	const uint8_t *cr = memchr(p, '\r', len);
	return cr == NULL ? len : (size_t)(cr - p);
}

/* One byte of input; at most three of output. */
static size_t
put_byte(struct send_stream *s, uint8_t c, uint8_t *out)
{
	size_t n = 0;
	if (s->cr && c != '\n')
		out[n++] = '\n';
	if (c == '\n' && !s->cr)
		out[n++] = '\r';
	out[n++] = c;
	s->cr = c == '\r';
	return n;
}

/* What was held back, as far as there is room. */
static size_t
release(struct send_stream *s, uint8_t *out, size_t room)
{
	size_t n = s->n_held < room ? s->n_held : room;
	memcpy(out, s->held, n);
	memmove(s->held, s->held + n, s->n_held - n);
	s->n_held -= n;
	return n;
}

/* Takes some input; gives what it becomes, or holds it. False at the end. */
static bool
advance(struct send_stream *s, uint8_t *out, size_t room, size_t *done)
{
	while (s->at <= s->n_rest && s->offset == piece(s).len) {
		s->at++;
		s->offset = 0;
	}
	if (s->at > s->n_rest) {
		s->n_held = s->cr ? 1 : 0;
		s->held[0] = '\n';
		s->cr = false;
		return s->n_held > 0;
	}
	const uint8_t *p = piece(s).data + s->offset;
	size_t left = piece(s).len - s->offset, most = left < room ? left : room;
	size_t n = s->cr ? 0 : s->canonical ? most : plain_run(p, most);
	if (n > 0)
		memcpy(out, p, n);
	else
		s->n_held = put_byte(s, *p, s->held);
	*done += n;
	s->offset += n > 0 ? n : 1;
	return true;
}

ssize_t
send_stream_read(void *stream, void *data, size_t size)
{
	struct send_stream *s = stream;
	uint8_t *out = data;
	size_t done = 0;
	for (;;) {
		done += release(s, out + done, size - done);
		if (done == size || !advance(s, out + done, size - done, &done))
			return (ssize_t)done;
	}
}

/* ---- Measuring ---- */

/* What the whole message is made of, counted in one pass. */
struct tally {
	uint64_t bytes, lf, cr, crlf;
	uint8_t any;  /* all bytes or'ed */
	uint8_t last; /* byte before the next */
};

enum { TALLY_STEP = 128 };

/* A fixed number of bytes and counters of a byte each: compilers make vectors of it. */
static void
tally_step(struct tally *t, const uint8_t *p)
{
	uint8_t lf = 0, cr = 0, crlf = 0, any = 0;
	for (size_t i = 0; i < TALLY_STEP; i++) {
		lf = (uint8_t)(lf + (p[i] == '\n'));
		cr = (uint8_t)(cr + (p[i] == '\r'));
		any |= p[i];
	}
	for (size_t i = 0; i + 1 < TALLY_STEP; i++)
		crlf = (uint8_t)(crlf + ((p[i] == '\r') & (p[i + 1] == '\n')));
	t->lf += lf;
	t->cr += cr;
	t->crlf += crlf + (t->last == '\r' && p[0] == '\n');
	t->any |= any;
	t->last = p[TALLY_STEP - 1];
}

static void
tally_add(struct tally *t, struct mf_bytes b)
{
	size_t i = 0;
	t->bytes += b.len;
	for (; i + TALLY_STEP <= b.len; i += TALLY_STEP)
		tally_step(t, b.data + i);
	for (; i < b.len; i++) {
		t->lf += b.data[i] == '\n';
		t->cr += b.data[i] == '\r';
		t->crlf += b.data[i] == '\n' && t->last == '\r';
		t->any |= b.data[i];
		t->last = b.data[i];
	}
}

uint64_t
send_stream_measure(struct send_stream *s, bool *eight_bits)
{
	struct tally t = { .bytes = 0 };
	tally_add(&t, s->header);
	for (size_t i = 0; i < s->n_rest; i++)
		tally_add(&t, s->rest[i]);
	*eight_bits = t.any >= 0x80;
	s->canonical = t.lf == t.crlf && t.cr == t.crlf;
	send_stream_rewind(s);
	return t.bytes + (t.lf - t.crlf) + (t.cr - t.crlf);
}
