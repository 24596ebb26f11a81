/* Transfer decoders as small state machines. Knows no message, keeps nothing but what is held back. */
#include "mime/decode.h"

#include <string.h>

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

/* 32 characters at a time, as vectors of the compiler's: plain C for every machine, which is compiled
 * once more for those that have wide registers. */
enum { BLOCK = 32, BLOCK_OUT = 24, BLOCK_ROOM = 28 };
typedef uint8_t block_bytes __attribute__((vector_size(BLOCK)));
typedef uint32_t block_words __attribute__((vector_size(BLOCK)));
typedef block_bytes block_anywhere __attribute__((aligned(1), may_alias));

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* All bits of a byte where from <= c <= to. */
#define WITHIN(c, from, to) ((block_bytes)((c) - (from) <= (block_bytes){ 0 } + ((to) - (from))))

/* Three bytes of each word, one behind the other. */
ALWAYS_INLINE void
base64_store(const block_words *w, uint8_t *out, bool wide)
{
	if (wide) {
		const block_bytes b = (block_bytes)*w;
		const block_bytes packed = __builtin_shufflevector(b, b, 0, 1, 2, 4, 5, 6, 8, 9, 10,
			12, 13, 14, 3, 3, 3, 3, 16, 17, 18, 20, 21, 22, 24, 25, 26, 28, 29, 30, 19,
			19, 19, 19);

		memcpy(out, &packed, BLOCK / 2);
		memcpy(out + BLOCK_OUT / 2, (const uint8_t *)&packed + BLOCK / 2, BLOCK / 2);
		return;
	}
	for (size_t i = 0; i < BLOCK / 4; i++) {
		uint32_t three = (*w)[i];

		memcpy(out + 3 * i, &three, sizeof(three));
	}
}

/* How many characters before the first that is not in the alphabet, in whole groups; what they decode to
 * is written, and BLOCK_ROOM bytes in all. */
ALWAYS_INLINE size_t
base64_block(const uint8_t *in, uint8_t *out, bool wide)
{
	const block_bytes c = *(const block_anywhere *)in;
	block_bytes upper, lower, digit, plus, slash, known;
	block_words w;
	uint64_t all[BLOCK / 8];
	size_t i = 0;

	upper = WITHIN(c, 'A', 'Z');
	lower = WITHIN(c, 'a', 'z');
	digit = WITHIN(c, '0', '9');
	plus = WITHIN(c, '+', '+');
	slash = WITHIN(c, '/', '/');
	known = upper | lower | digit | plus | slash;
	w = (block_words)(((c - 'A') & upper) | ((c - 'a' + 26) & lower) |
			  ((c - '0' + 52) & digit) | (plus & 62) | (slash & 63));
	/* Each word holds four values of 6 bits, the first lowest: to three bytes in their order. */
	w = ((w << 2) & 0xfc) | ((w >> 12) & 0x03) | ((w << 4) & 0xf000) | ((w >> 10) & 0x0f00) |
	    ((w << 6) & 0xc00000) | ((w >> 8) & 0x3f0000);
	base64_store(&w, out, wide);
	memcpy(all, &known, sizeof(all));
	while (i < BLOCK / 8 && all[i] == UINT64_MAX)
		i++;
	return i * 8 + (i == BLOCK / 8 ? 0 : (size_t)__builtin_ctzll(~all[i]) / 32 * 4);
}

/* Lines from the beginning on: how many characters; *n bytes more are in out. */
ALWAYS_INLINE size_t
base64_blocks(const uint8_t *in, size_t len, uint8_t *out, size_t *n, bool wide)
{
	size_t at = 0, good;

	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return 0;
	while (len - at >= BLOCK + 2) {
		good = base64_block(in + at, out + *n, wide);
		at += good;
		*n += good / 4 * 3;
		if (good == BLOCK)
			continue;
		if (in[at] != '\r' || in[at + 1] != '\n')
			break;
		at += 2;
	}
	return at;
}

static size_t
base64_blocks_plain(const uint8_t *in, size_t len, uint8_t *out, size_t *n)
{
	return base64_blocks(in, len, out, n, false);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static size_t
base64_blocks_wide(const uint8_t *in, size_t len, uint8_t *out, size_t *n)
{
	return base64_blocks(in, len, out, n, true);
}
#endif

static size_t
base64_blocks_best(const uint8_t *in, size_t len, uint8_t *out, size_t *n)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return base64_blocks_wide(in, len, out, n);
#endif
	return base64_blocks_plain(in, len, out, n);
}

/* Decodes whole groups from the beginning on, as far as nothing but the alphabet comes: how many
 * characters; *n bytes more are in out. */
static size_t
base64_run(const uint8_t *in, size_t len, uint8_t *out, size_t *n)
{
	size_t at = base64_blocks_best(in, len, out, n);

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
