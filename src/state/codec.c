/* Varints and lengths. Knows no row. */
#include "state/codec.h"

void
codec_add_number(struct mf_buf *b, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		mf_buf_add_byte(b, (uint8_t)(n | 0x80));
	mf_buf_add_byte(b, (uint8_t)n);
}

void
codec_add_bytes(struct mf_buf *b, struct mf_bytes bytes)
{
	codec_add_number(b, bytes.len);
	mf_buf_add(b, bytes.data, bytes.len);
}

void
codec_add_str(struct mf_buf *b, const char *s)
{
	codec_add_bytes(b, mf_bytes_str(s));
}

struct codec
codec_begin(struct mf_bytes row)
{
	return (struct codec){ .at = row.data, .end = row.data + row.len };
}

static uint64_t
fail(struct codec *c)
{
	c->failed = true;
	c->at = c->end;
	return 0;
}

uint64_t
codec_number(struct codec *c, uint64_t max)
{
	uint64_t n = 0, bits;

	for (unsigned shift = 0; c->at < c->end && shift < 64; shift += 7) {
		bits = *c->at & 0x7f;
		if (bits << shift >> shift != bits)
			break;
		n |= bits << shift;
		if ((*c->at++ & 0x80) == 0)
			return n <= max ? n : fail(c);
	}
	return fail(c);
}

struct mf_bytes
codec_raw(struct codec *c, size_t len)
{
	struct mf_bytes out = mf_bytes(c->at, len);

	if (len > (size_t)(c->end - c->at)) {
		fail(c);
		return mf_bytes(NULL, 0);
	}
	c->at += len;
	return out;
}

struct mf_bytes
codec_bytes(struct codec *c)
{
	return codec_raw(c, (size_t)codec_number(c, SIZE_MAX));
}

const char *
codec_str(struct codec *c, struct mf_arena *a)
{
	struct mf_bytes b = codec_bytes(c);

	if (b.len > 0 && memchr(b.data, 0, b.len) != NULL) {
		fail(c);
		return "";
	}
	return b.len == 0 ? "" : mf_strndup(a, (const char *)b.data, b.len);
}

struct mf_bytes
codec_rest(struct codec *c)
{
	return codec_raw(c, (size_t)(c->end - c->at));
}

bool
codec_end(const struct codec *c)
{
	return !c->failed && c->at == c->end;
}
