/*
 * Strings: what C lacks and every layer needs. Locale-free: ASCII letters only, as protocols want it.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"

/* ASCII case-insensitive equality; NULL equals only NULL. */
bool str_ieq(const char *a, const char *b);
bool str_ieqn(const char *a, const char *b, size_t n);
bool str_istarts(const char *s, const char *prefix);
bool str_starts(const char *s, const char *prefix);
/* A copy in lower case (ASCII). */
char *str_lower(struct mf_arena *a, const char *s);

/* The whole string as an unsigned number in base 10, at most max; false for anything else. */
bool str_to_u64(const char *s, uint64_t max, uint64_t *out);
bool str_to_u32(const char *s, uint32_t max, uint32_t *out);

/* n in base 10 with a NUL behind it; returns the count of digits. */
enum { STR_DECIMAL_SIZE = 21 };
size_t str_decimal(uint64_t n, char out[STR_DECIMAL_SIZE]);

/* Hexadecimal, lower case. str_unhex wants an even count of digits and room for len / 2 bytes. */
char *str_hex(struct mf_arena *a, const void *data, size_t len);
bool str_unhex(const char *s, size_t len, uint8_t *out);

/* Base64 (RFC 4648, with padding). Decode takes missing padding and the URL alphabet too, ignores
 * white space, and gives {NULL, 0} for anything else. */
char *str_base64(struct mf_arena *a, const void *data, size_t len);
struct mf_bytes str_unbase64(struct mf_arena *a, const char *s, size_t len);

/* Percent-decoding of a query's value (RFC 3986; '+' is a blank). NUL bytes make it NULL. */
char *str_unpercent(struct mf_arena *a, const char *s, size_t len);

/* Overwrites memory that held a secret; never optimised away. */
void str_wipe(void *p, size_t len);

#endif
