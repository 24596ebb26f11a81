/* A view of bytes that somebody else owns. It never frees; it lives as long as what it looks at. */
#ifndef MAILFERRY_BYTES_H
#define MAILFERRY_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mf_bytes {
	const uint8_t *data; /* may be NULL only when len is 0 */
	size_t len;
};

static inline struct mf_bytes
mf_bytes(const void *data, size_t len)
{
	return (struct mf_bytes){ .data = data, .len = len };
}

/* The bytes of a string without its terminating NUL; NULL gives an empty view. */
static inline struct mf_bytes
mf_bytes_str(const char *s)
{
	return mf_bytes(s, s == NULL ? 0 : strlen(s));
}

#endif
