/* Arenas: blocks of growing size, a list of clean-ups. Knows no protocol. */
#include "mailferry/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ONE_MALLOC_EACH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ONE_MALLOC_EACH 1
#endif
#endif

enum { BLOCK_FIRST = 1024, BLOCK_KEPT = 64 << 10, BLOCK_MOST = 1 << 20, ALIGN = 16 };

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(ALIGN) unsigned char data[];
};

struct cleanup {
	struct cleanup *next;
	void (*fn)(void *thing);
	void *thing;
};

struct mf_arena {
	struct block *blocks; /* the newest first */
	struct cleanup *cleanups;
	size_t next_size;
	size_t used;
};

static void *
must(void *p)
{
	if (p == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

struct mf_arena *
mf_arena_new(void)
{
	struct mf_arena *a = must(calloc(1, sizeof(*a)));

	a->next_size = BLOCK_FIRST;
	return a;
}

static void
clean_up(struct mf_arena *a)
{
	while (a->cleanups != NULL) {
		struct cleanup *c = a->cleanups;

		a->cleanups = c->next;
		c->fn(c->thing);
	}
}

static void
free_blocks(struct block *b)
{
	while (b != NULL) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
}

void
mf_arena_free(struct mf_arena *a)
{
	if (a == NULL)
		return;
	clean_up(a);
	free_blocks(a->blocks);
	free(a);
}

void
mf_arena_reset(struct mf_arena *a)
{
	struct block *kept = a->blocks;

	clean_up(a);
	a->used = 0;
	a->next_size = a->next_size > BLOCK_KEPT ? BLOCK_KEPT : a->next_size;
#ifdef ARENA_ONE_MALLOC_EACH
	kept = NULL;
#endif
	if (kept != NULL && kept->size > BLOCK_KEPT)
		kept = NULL;
	free_blocks(kept == NULL ? a->blocks : kept->next);
	a->blocks = kept;
	if (kept != NULL) {
		kept->next = NULL;
		kept->used = 0;
	}
}

size_t
mf_arena_used(const struct mf_arena *a)
{
	return a->used;
}

static struct block *
block_add(struct mf_arena *a, size_t size)
{
	struct block *b;

	if (size > SIZE_MAX - sizeof(*b))
		must(NULL);
	b = must(malloc(sizeof(*b) + size));
	b->size = size;
	b->used = 0;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

/* A large allocation gets a block of its own, behind the newest, so that the newest goes on being
 * filled. */
static void *
alloc_large(struct mf_arena *a, size_t size)
{
	struct block *newest = a->blocks;
	struct block *b = block_add(a, size);

	b->used = size;
	if (newest != NULL) {
		a->blocks = newest;
		b->next = newest->next;
		newest->next = b;
	}
	return b->data;
}

/* Memory that is not zeroed: for what is written over at once. size is not 0. */
static void *
take(struct mf_arena *a, size_t size)
{
	struct block *b = a->blocks;
	void *p;

	a->used += size;
#ifdef ARENA_ONE_MALLOC_EACH
	(void)b;
	return block_add(a, size)->data;
#endif
	if (size > SIZE_MAX - ALIGN)
		must(NULL);
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (b == NULL || b->size - b->used < size) {
		if (size > a->next_size / 4)
			return alloc_large(a, size);
		b = block_add(a, a->next_size);
		if (a->next_size < BLOCK_MOST)
			a->next_size *= 2;
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

void *
mf_alloc(struct mf_arena *a, size_t size)
{
	if (size == 0)
		size = 1;
	return memset(take(a, size), 0, size);
}

void *
mf_alloc_array(struct mf_arena *a, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size)
		must(NULL);
	return mf_alloc(a, n * size);
}

char *
mf_strdup(struct mf_arena *a, const char *s)
{
	return s == NULL ? NULL : mf_strndup(a, s, strlen(s));
}

char *
mf_strndup(struct mf_arena *a, const char *s, size_t n)
{
	size_t len = n == 0 ? 0 : strnlen(s, n);
	char *copy = take(a, len + 1);

	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

struct mf_bytes
mf_memdup(struct mf_arena *a, const void *data, size_t len)
{
	uint8_t *copy = take(a, len + 1);

	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return mf_bytes(copy, len);
}

char *
mf_vprintf(struct mf_arena *a, const char *fmt, va_list ap)
{
	char text[256]; /* most are short: formatted once */
	va_list again;
	char *s;
	int len;

	va_copy(again, ap);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	assert(len >= 0);
	s = take(a, (size_t)len + 1);
	if ((size_t)len < sizeof(text))
		memcpy(s, text, (size_t)len + 1);
	else
		vsnprintf(s, (size_t)len + 1, fmt, again);
	va_end(again);
	return s;
}

char *
mf_printf(struct mf_arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = mf_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

void
mf_on_free(struct mf_arena *a, void (*fn)(void *thing), void *thing)
{
	struct cleanup *c;

	if (thing == NULL)
		return;
	c = mf_new(a, struct cleanup);
	c->fn = fn;
	c->thing = thing;
	c->next = a->cleanups;
	a->cleanups = c;
}
