/*
 * Numbers and byte strings in compact rows of the state: little-endian base 128, and a reader whose
 * first error sticks, so that a row is checked once at its end.
 */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/buf.h"
#include "mailferry/bytes.h"

void varint_put(struct mf_buf *out, uint64_t n);
/* Length and bytes. */
void varint_put_bytes(struct mf_buf *out, struct mf_bytes b);

struct varint_reader {
	const uint8_t *at, *end;
	bool failed;
};

void varint_reader_init(struct varint_reader *r, struct mf_bytes in);
/* After a failure: 0 and empty views. */
uint64_t varint_get_long(struct varint_reader *r);
static inline uint64_t
varint_get(struct varint_reader *r)
{
	return r->at < r->end && *r->at < 0x80 ? *r->at++ : varint_get_long(r);
}
/* At most max, else a failure. */
uint64_t varint_get_max(struct varint_reader *r, uint64_t max);
/* A view into the input. */
struct mf_bytes varint_get_bytes(struct varint_reader *r);

#endif
