/* Compact numbers. Knows no protocol. */
#include "base/varint.h"

void
varint_put(struct mf_buf *out, uint64_t n)
{
	uint8_t bytes[10];
	size_t len = 0;

	if (n < 0x80) {
		mf_buf_add_byte(out, (uint8_t)n);
		return;
	}
	for (; n >= 0x80; n >>= 7)
		bytes[len++] = (uint8_t)(n | 0x80);
	bytes[len++] = (uint8_t)n;
	mf_buf_add(out, bytes, len);
}

void
varint_put_bytes(struct mf_buf *out, struct mf_bytes b)
{
	varint_put(out, b.len);
	mf_buf_add(out, b.data, b.len);
}

void
varint_reader_init(struct varint_reader *r, struct mf_bytes in)
{
	r->at = in.data;
	r->end = in.data + in.len;
	r->failed = false;
}

uint64_t
varint_get_long(struct varint_reader *r)
{
	uint64_t n = 0;

	for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
		uint8_t c = *r->at++;

		if (shift == 63 && c > 1)
			break;
		n |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return n;
	}
	r->failed = true;
	r->at = r->end;
	return 0;
}

uint64_t
varint_get_max(struct varint_reader *r, uint64_t max)
{
	uint64_t n = varint_get(r);

	if (n <= max)
		return n;
	r->failed = true;
	r->at = r->end;
	return 0;
}

struct mf_bytes
varint_get_bytes(struct varint_reader *r)
{
	uint64_t len = varint_get_max(r, (uint64_t)(r->end - r->at));
	struct mf_bytes b;

	if (len > (uint64_t)(r->end - r->at)) { /* the length itself took bytes */
		r->failed = true;
		r->at = r->end;
		len = 0;
	}
	b = mf_bytes(r->at, (size_t)len);
	r->at += len;
	return b;
}
