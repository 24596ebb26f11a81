/* Strings and raw bytes in rows. Knows no row. */
#include "state/codec.h"

void
codec_add_str(struct mf_buf *b, const char *s)
{
	varint_put_bytes(b, mf_bytes_str(s));
}

struct varint_reader
codec_begin(struct mf_bytes row)
{
	struct varint_reader r;

	varint_reader_init(&r, row);
	return r;
}

const char *
codec_str(struct varint_reader *r, struct mf_arena *a)
{
	struct mf_bytes b = varint_get_bytes(r);

	if (b.len > 0 && memchr(b.data, 0, b.len) != NULL) {
		r->failed = true;
		return "";
	}
	return b.len == 0 ? "" : mf_strndup(a, (const char *)b.data, b.len);
}

struct mf_bytes
codec_raw(struct varint_reader *r, size_t len)
{
	struct mf_bytes out = mf_bytes(r->at, len);

	if (r->failed || len > (size_t)(r->end - r->at)) {
		r->failed = true;
		return mf_bytes(NULL, 0);
	}
	r->at += len;
	return out;
}

struct mf_bytes
codec_rest(struct varint_reader *r)
{
	return codec_raw(r, (size_t)(r->end - r->at));
}

bool
codec_end(const struct varint_reader *r)
{
	return !r->failed && r->at == r->end;
}
