/* Growing buffers with a ceiling. Knows no protocol. */
#include "mailferry/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
mf_buf_init(struct mf_buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void
mf_buf_deinit(struct mf_buf *b)
{
	free(b->data);
	mf_buf_init(b, b->max);
}

void
mf_buf_clear(struct mf_buf *b)
{
	b->len = 0;
	b->failed = false;
}

static void
grow(struct mf_buf *b, size_t need)
{
	size_t cap = b->cap < 256 ? 256 : b->cap;
	uint8_t *data;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	data = realloc(b->data, cap);
	if (data == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	b->data = data;
	b->cap = cap;
}

uint8_t *
mf_buf_reserve(struct mf_buf *b, size_t n)
{
	if (b->failed || n > SIZE_MAX - 1 - b->len || (b->max != 0 && b->len + n > b->max)) {
		b->failed = true;
		return NULL;
	}
	if (b->cap - b->len < n + 1)
		grow(b, b->len + n + 1);
	return b->data + b->len;
}

void
mf_buf_commit(struct mf_buf *b, size_t n)
{
	assert(n <= b->cap - b->len);
	b->len += n;
}

void
mf_buf_add(struct mf_buf *b, const void *data, size_t len)
{
	uint8_t *p;

	if (len == 0)
		return;
	p = mf_buf_reserve(b, len);
	if (p == NULL)
		return;
	memcpy(p, data, len);
	b->len += len;
}

void
mf_buf_add_str(struct mf_buf *b, const char *s)
{
	mf_buf_add(b, s, strlen(s));
}

void
mf_buf_add_byte(struct mf_buf *b, uint8_t c)
{
	uint8_t *p = mf_buf_reserve(b, 1);

	if (p == NULL)
		return;
	*p = c;
	b->len++;
}

void
mf_buf_printf(struct mf_buf *b, const char *fmt, ...)
{
	char text[256]; /* most are short: formatted once */
	va_list ap;
	uint8_t *p;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert(len >= 0);
	if ((size_t)len < sizeof(text)) {
		mf_buf_add(b, text, (size_t)len);
		return;
	}
	p = mf_buf_reserve(b, (size_t)len);
	if (p == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf((char *)p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)len;
}

void
mf_buf_consume(struct mf_buf *b, size_t n)
{
	assert(n <= b->len);
	if (n > 0 && n < b->len)
		memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

const char *
mf_buf_str(struct mf_buf *b)
{
	if (b->cap == b->len)
		grow(b, b->len + 1);
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

struct mf_bytes
mf_buf_bytes(const struct mf_buf *b)
{
	return mf_bytes(b->data, b->len);
}
