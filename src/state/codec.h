/*
 * How rows are written, beyond base/varint.h: strings, raw bytes, and the check at a row's end. What
 * is read after a failure is 0 and empty, and codec_end tells once.
 */
#ifndef STATE_CODEC_H
#define STATE_CODEC_H

#include "base/varint.h"
#include "mailferry/arena.h"

void codec_add_str(struct mf_buf *b, const char *s); /* NULL is "" */

struct varint_reader codec_begin(struct mf_bytes row);
const char *codec_str(struct varint_reader *r, struct mf_arena *a); /* a copy; NUL inside fails */
struct mf_bytes codec_raw(struct varint_reader *r, size_t len);	    /* a view, without a length */
struct mf_bytes codec_rest(struct varint_reader *r);
/* True when all was read and nothing failed. */
bool codec_end(const struct varint_reader *r);

#endif
