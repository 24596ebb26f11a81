/*
 * An arena: memory that lives and dies together. One a request, one a short task.
 *
 * Nothing taken from it is freed by hand; foreign objects (GMime parts, descriptors, libetpan
 * results) join by mf_on_free and are released, last first, with the arena. Out of memory aborts:
 * what a peer can make us allocate is bounded where it enters. An arena belongs to one thread at a
 * time. Under AddressSanitizer each allocation is a malloc of its own, so that overflows are seen.
 */
#ifndef MAILFERRY_ARENA_H
#define MAILFERRY_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "mailferry/bytes.h"

struct mf_arena;

/* A new, empty arena. Never NULL. */
struct mf_arena *mf_arena_new(void);

/* Runs the functions of mf_on_free, last registered first, and frees everything. NULL is fine. */
void mf_arena_free(struct mf_arena *a);

/* As if it were freed and made anew, but some of its memory is kept: for what is done many times. */
void mf_arena_reset(struct mf_arena *a);

/* Bytes handed out so far (without overhead): for limits and for metrics. */
size_t mf_arena_used(const struct mf_arena *a);

/* Zeroed memory aligned for any type. Size 0 gives a valid, unique pointer. */
void *mf_alloc(struct mf_arena *a, size_t size) __attribute__((malloc, returns_nonnull));

/* Room for n elements of size bytes each, zeroed; a product that overflows aborts. */
void *mf_alloc_array(struct mf_arena *a, size_t n, size_t size) __attribute__((returns_nonnull));

#define mf_new(a, type)		 ((type *)mf_alloc((a), sizeof(type)))
#define mf_new_array(a, type, n) ((type *)mf_alloc_array((a), (n), sizeof(type)))

/* Copies. NULL stays NULL for mf_strdup; mf_memdup appends a NUL that len does not count. */
char *mf_strdup(struct mf_arena *a, const char *s);
char *mf_strndup(struct mf_arena *a, const char *s, size_t n) __attribute__((returns_nonnull));
struct mf_bytes mf_memdup(struct mf_arena *a, const void *data, size_t len);

char *mf_printf(struct mf_arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));
char *mf_vprintf(struct mf_arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0), returns_nonnull));

/* Calls fn(thing) when the arena is freed. A NULL thing is not registered. */
void mf_on_free(struct mf_arena *a, void (*fn)(void *thing), void *thing);

#endif
