/* Transfer decoders as small state machines. Knows no message, keeps nothing but what is held back. */
#include "mime/decode.h"

#include <string.h>

#include "mime/base64.h"

enum { PORTION = 16384 }; /* input bytes decoded at a time */

enum qp_state { QP_TEXT, QP_EQUALS, QP_DIGIT, QP_SOFT };
enum base64_state { BASE64_DATA, BASE64_PADDED, BASE64_ENDED };
enum uu_state { UU_BEFORE, UU_DATA, UU_ENDED };

enum mime_encoding
mime_encoding_parse(const char *name)
{
	static const struct {
		const char *name;
		enum mime_encoding encoding;
	} rows[] = {
		{ "base64", MIME_ENCODING_BASE64 },
		{ "base-64", MIME_ENCODING_BASE64 },
		{ "quoted-printable", MIME_ENCODING_QP },
		{ "quoted_printable", MIME_ENCODING_QP },
		{ "x-uuencode", MIME_ENCODING_UU },
		{ "x-uue", MIME_ENCODING_UU },
		{ "uuencode", MIME_ENCODING_UU },
		{ "uue", MIME_ENCODING_UU },
		{ "x-uu", MIME_ENCODING_UU },
	};
	size_t len;

	if (name == NULL)
		return MIME_ENCODING_NONE;
	name += strspn(name, " \t\"'");
	len = strcspn(name, " \t\"';(,");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i].name) == len && strncasecmp(name, rows[i].name, len) == 0)
			return rows[i].encoding;
	return MIME_ENCODING_NONE;
}

void
mime_decoder_init(struct mime_decoder *d, enum mime_encoding encoding)
{
	memset(d, 0, sizeof(*d));
	d->encoding = encoding;
}

/* ---- base64 ---- */

enum { BLANK = 0x80, PAD = 0x81 };

/* The value + 1 of each character; 0 of what is not in the alphabet. */
static const uint8_t base64_values[256] = { [' '] = BLANK,
	['\t'] = BLANK,
	['\r'] = BLANK,
	['\n'] = BLANK,
	['='] = PAD,
	['A'] = 1,
	['B'] = 2,
	['C'] = 3,
	['D'] = 4,
	['E'] = 5,
	['F'] = 6,
	['G'] = 7,
	['H'] = 8,
	['I'] = 9,
	['J'] = 10,
	['K'] = 11,
	['L'] = 12,
	['M'] = 13,
	['N'] = 14,
	['O'] = 15,
	['P'] = 16,
	['Q'] = 17,
	['R'] = 18,
	['S'] = 19,
	['T'] = 20,
	['U'] = 21,
	['V'] = 22,
	['W'] = 23,
	['X'] = 24,
	['Y'] = 25,
	['Z'] = 26,
	['a'] = 27,
	['b'] = 28,
	['c'] = 29,
	['d'] = 30,
	['e'] = 31,
	['f'] = 32,
	['g'] = 33,
	['h'] = 34,
	['i'] = 35,
	['j'] = 36,
	['k'] = 37,
	['l'] = 38,
	['m'] = 39,
	['n'] = 40,
	['o'] = 41,
	['p'] = 42,
	['q'] = 43,
	['r'] = 44,
	['s'] = 45,
	['t'] = 46,
	['u'] = 47,
	['v'] = 48,
	['w'] = 49,
	['x'] = 50,
	['y'] = 51,
	['z'] = 52,
	['0'] = 53,
	['1'] = 54,
	['2'] = 55,
	['3'] = 56,
	['4'] = 57,
	['5'] = 58,
	['6'] = 59,
	['7'] = 60,
	['8'] = 61,
	['9'] = 62,
	['+'] = 63,
	['/'] = 64 };

static size_t
base64_flush(struct mime_decoder *d, uint8_t *out)
{
	size_t n = d->n_group < 2 ? 0 : d->n_group - 1;
	uint32_t group = d->group << (6 * (4 - d->n_group));

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(group >> (16 - 8 * i));
	d->group = 0;
	d->n_group = 0;
	return n;
}

/* A line of dashes or underscores begins a footer: two of them between groups. */
static bool
is_rule(struct mime_decoder *d, uint8_t c)
{
	bool again = d->n_held == 1 && d->held[0] == c;

	d->n_held = 1;
	d->held[0] = c;
	return again && d->n_group == 0 && (c == '_' || c == '-');
}

/* Decodes whole groups from the beginning on, as far as nothing but the alphabet comes: how many
 * characters; *n bytes more are in out. */
static size_t
base64_run(const uint8_t *in, size_t len, uint8_t *out, size_t *n)
{
	size_t at = mime_base64_lines(in, len, out, n);

	for (; len - at >= 4; at += 4) {
		unsigned a = base64_values[in[at]] - 1U, b = base64_values[in[at + 1]] - 1U;
		unsigned c = base64_values[in[at + 2]] - 1U, e = base64_values[in[at + 3]] - 1U;

		if ((a | b | c | e) > 63)
			break;
		out[*n] = (uint8_t)(a << 2 | b >> 4);
		out[*n + 1] = (uint8_t)(b << 4 | c >> 2);
		out[*n + 2] = (uint8_t)(c << 6 | e);
		*n += 3;
	}
	return at;
}

/* After padding more data may follow (pieces that were encoded one by one), or a footer that a
 * mailing list has put there: the first character tells. */
static size_t
base64_push(struct mime_decoder *d, const uint8_t *in, size_t len, uint8_t *out)
{
	const uint8_t *end = in + len;
	size_t n = 0;

	while (in < end && d->state != BASE64_ENDED) {
		uint8_t v;

		if (d->n_group == 0 && d->state == BASE64_DATA)
			in += base64_run(in, (size_t)(end - in), out, &n);
		if (in == end)
			break;
		v = base64_values[*in++];
		if (v == BLANK)
			continue;
		if (v == PAD) {
			n += base64_flush(d, out + n);
			d->state = BASE64_PADDED;
		} else if (v == 0) {
			if (d->state == BASE64_PADDED || is_rule(d, in[-1]))
				d->state = BASE64_ENDED;
		} else {
			d->state = BASE64_DATA;
			d->group = d->group << 6 | (v - 1U);
			if (++d->n_group == 4)
				n += base64_flush(d, out + n);
		}
	}
	return n;
}

/* ---- quoted-printable ---- */

static int
hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t
release(struct mime_decoder *d, uint8_t *out)
{
	size_t n = d->n_held;

	memcpy(out, d->held, n);
	d->n_held = 0;
	return n;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static size_t
hold(struct mime_decoder *d, uint8_t c, uint8_t *out)
{
	size_t n = d->n_held == sizeof(d->held) ? release(d, out) : 0;

	d->held[d->n_held++] = c;
	return n;
}

/* Text: blanks are held back, for at the end of a line they do not count (RFC 2045 6.7 rule 3). */
static size_t
qp_text(struct mime_decoder *d, uint8_t c, uint8_t *out)
{
	size_t n;

	if (is_blank(c))
		return hold(d, c, out);
	if (c == '\n') {
		n = 0;
		if (d->n_held > 0 && d->held[d->n_held - 1] == '\r')
			out[n++] = '\r';
		d->n_held = 0;
		out[n++] = c;
		return n;
	}
	n = release(d, out);
	if (c == '=')
		d->state = QP_EQUALS;
	else
		out[n++] = c;
	return n;
}

static size_t
qp_byte(struct mime_decoder *d, uint8_t c, uint8_t *out)
{
	size_t n = 0;

	switch ((enum qp_state)d->state) {
	case QP_TEXT:
		return qp_text(d, c, out);
	case QP_EQUALS:
		d->state = hex(c) >= 0 ? QP_DIGIT : is_blank(c) ? QP_SOFT : QP_TEXT;
		d->group = c;
		if (d->state == QP_SOFT)
			return hold(d, c, out);
		if (d->state == QP_TEXT && c != '\n') {
			out[n++] = '=';
			n += qp_text(d, c, out + n);
		}
		return n;
	case QP_DIGIT:
		d->state = QP_TEXT;
		if (hex(c) >= 0) {
			out[n++] =
				(uint8_t)((unsigned)hex((uint8_t)d->group) << 4 | (unsigned)hex(c));
			return n;
		}
		out[n++] = '=';
		out[n++] = (uint8_t)d->group;
		return n + qp_text(d, c, out + n);
	case QP_SOFT:
		if (is_blank(c))
			return hold(d, c, out);
		d->state = QP_TEXT;
		if (c == '\n') {
			d->n_held = 0;
			return n;
		}
		out[n++] = '=';
		n += release(d, out + n);
		return n + qp_text(d, c, out + n);
	}
	return n;
}

static size_t
qp_push(struct mime_decoder *d, const uint8_t *in, size_t len, uint8_t *out)
{
	const uint8_t *end = in + len;
	size_t n = 0;

	while (in < end) {
		if (d->state == QP_TEXT && *in > ' ' && *in != '=') {
			n += release(d, out + n);
			do
				out[n++] = *in++;
			while (in<end && * in> ' ' && *in != '=');
			continue;
		}
		n += qp_byte(d, *in++, out + n);
	}
	return n;
}

/* ---- uuencode ---- */

static size_t
uu_line(struct mime_decoder *d, uint8_t *out)
{
	const uint8_t *s = d->held;
	size_t want, n = 0;

	while (d->n_held > 0 && s[d->n_held - 1] == '\r')
		d->n_held--;
	if (d->state == UU_BEFORE) {
		if (d->n_held >= 6 && memcmp(s, "begin ", 6) == 0)
			d->state = UU_DATA;
		return 0;
	}
	if (d->n_held == 0)
		return 0;
	if (d->n_held == 3 && memcmp(s, "end", 3) == 0) {
		d->state = UU_ENDED;
		return 0;
	}
	want = (size_t)((s[0] - 32) & 63);
	for (size_t i = 1; i < d->n_held && n < want; i += 4) {
		uint32_t group = 0;

		for (size_t j = i; j < i + 4; j++)
			group = group << 6 | (j < d->n_held ? (uint32_t)((s[j] - 32) & 63) : 0);
		for (int shift = 16; shift >= 0 && n < want; shift -= 8)
			out[n++] = (uint8_t)(group >> shift);
	}
	return n;
}

static size_t
uu_push(struct mime_decoder *d, const uint8_t *in, size_t len, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len && d->state != UU_ENDED; i++) {
		if (in[i] == '\n') {
			n += uu_line(d, out + n);
			d->n_held = 0;
		} else if (d->n_held < sizeof(d->held)) {
			d->held[d->n_held++] = in[i];
		}
	}
	return n;
}

/* ---- All of them ---- */

static size_t
push(struct mime_decoder *d, const uint8_t *in, size_t len, uint8_t *out)
{
	switch (d->encoding) {
	case MIME_ENCODING_BASE64:
		return base64_push(d, in, len, out);
	case MIME_ENCODING_QP:
		return qp_push(d, in, len, out);
	case MIME_ENCODING_UU:
		return uu_push(d, in, len, out);
	case MIME_ENCODING_NONE:
		break;
	}
	memcpy(out, in, len);
	return len;
}

void
mime_decoder_push(struct mime_decoder *d, const void *data, size_t len, struct mf_buf *out)
{
	const uint8_t *in = data;

	while (len > 0) {
		size_t part = len < PORTION ? len : PORTION, n;
		/* No decoder gives more than it gets and has held back. */
		uint8_t scratch[PORTION + sizeof(d->held) + 8];
		uint8_t *room = NULL;

		if (out != NULL && out->max == 0)
			room = mf_buf_reserve(out, sizeof(scratch));
		n = push(d, in, part, room == NULL ? scratch : room);
		if (room != NULL)
			mf_buf_commit(out, n);
		else if (out != NULL)
			mf_buf_add(out, scratch, n);
		d->out += n;
		in += part;
		len -= part;
	}
}

uint64_t
mime_decoder_end(struct mime_decoder *d, struct mf_buf *out)
{
	uint8_t rest[sizeof(d->held) + 8];
	size_t n = 0;

	if (d->encoding == MIME_ENCODING_BASE64 && d->state == BASE64_DATA)
		n = base64_flush(d, rest);
	else if (d->encoding == MIME_ENCODING_UU && d->state == UU_DATA)
		n = uu_line(d, rest);
	d->n_held = 0;
	if (out != NULL)
		mf_buf_add(out, rest, n);
	d->out += n;
	return d->out;
}

void
mime_decode(enum mime_encoding encoding, struct mf_bytes in, struct mf_buf *out)
{
	struct mime_decoder d;

	mime_decoder_init(&d, encoding);
	mime_decoder_push(&d, in.data, in.len, out);
	mime_decoder_end(&d, out);
}

uint64_t
mime_decoded_length(enum mime_encoding encoding, struct mf_bytes in)
{
	struct mime_decoder d;

	mime_decoder_init(&d, encoding);
	mime_decoder_push(&d, in.data, in.len, NULL);
	return mime_decoder_end(&d, NULL);
}

uint64_t
mime_decoded_estimate(enum mime_encoding encoding, uint64_t encoded)
{
	if (encoding == MIME_ENCODING_BASE64)
		return encoded / 78 * 57 + encoded % 78 * 3 / 4;
	if (encoding == MIME_ENCODING_UU)
		return encoded * 45 / 63;
	return encoded;
}
