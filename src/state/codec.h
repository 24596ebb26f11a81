/*
 * How rows are written: numbers as varints (seven bits a byte, the lowest first), strings and bytes
 * with their length before them. A reader keeps its first failure: what follows reads as 0 and empty,
 * and codec_end tells once.
 */
#ifndef STATE_CODEC_H
#define STATE_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"
#include "mailferry/bytes.h"

void codec_add_number(struct mf_buf *b, uint64_t n);
void codec_add_bytes(struct mf_buf *b, struct mf_bytes bytes);
void codec_add_str(struct mf_buf *b, const char *s); /* NULL is "" */

struct codec {
	const uint8_t *at, *end;
	bool failed;
};

struct codec codec_begin(struct mf_bytes row);
uint64_t codec_number(struct codec *c, uint64_t max);
struct mf_bytes codec_bytes(struct codec *c);		    /* a view into the row */
const char *codec_str(struct codec *c, struct mf_arena *a); /* a copy; NUL inside is a failure */
struct mf_bytes codec_raw(struct codec *c, size_t len);	    /* a view of len bytes without length */
struct mf_bytes codec_rest(struct codec *c);
/* True when all was read and nothing failed. */
bool codec_end(const struct codec *c);

#endif
