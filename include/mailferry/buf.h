/*
 * A growing buffer with a ceiling. The first failure (the ceiling reached) sticks: later additions
 * are no-ops, and the caller checks `failed` once at the end. Out of memory aborts. One thread.
 */
#ifndef MAILFERRY_BUF_H
#define MAILFERRY_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/bytes.h"

struct mf_buf {
	uint8_t *data; /* owned; not NUL-terminated, see mf_buf_str */
	size_t len;
	size_t cap;
	size_t max; /* ceiling for len in bytes; 0 is none */
	bool failed;
};

void mf_buf_init(struct mf_buf *b, size_t max);
/* Frees the memory and leaves an empty buffer with the same ceiling. */
void mf_buf_deinit(struct mf_buf *b);
/* Empties the buffer, keeps the memory, forgets a failure. */
void mf_buf_clear(struct mf_buf *b);

void mf_buf_add(struct mf_buf *b, const void *data, size_t len);
void mf_buf_add_str(struct mf_buf *b, const char *s);
void mf_buf_add_byte(struct mf_buf *b, uint8_t c);
void mf_buf_printf(struct mf_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for n more bytes to be written by the caller at the result, then counted by mf_buf_commit.
 * NULL when the ceiling is reached. */
uint8_t *mf_buf_reserve(struct mf_buf *b, size_t n);
void mf_buf_commit(struct mf_buf *b, size_t n);

/* Drops the first n bytes (n <= len). */
void mf_buf_consume(struct mf_buf *b, size_t n);

/* The content with a NUL behind it that len does not count; valid until the next addition. */
const char *mf_buf_str(struct mf_buf *b);
struct mf_bytes mf_buf_bytes(const struct mf_buf *b);

#endif
