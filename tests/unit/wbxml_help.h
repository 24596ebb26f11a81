/* What the tests of wbxml share: bytes written as hexadecimal. */
#ifndef TESTS_WBXML_HELP_H
#define TESTS_WBXML_HELP_H

#include <criterion/criterion.h>
#include <string.h>

#include "base/str.h"
#include "wbxml/wbxml.h"

/* "03 01 6a 00" to bytes. */
static inline struct mf_bytes
unhex(struct mf_arena *a, const char *text)
{
	char *digits = mf_alloc(a, strlen(text) + 1);
	uint8_t *out;
	size_t n = 0;

	for (const char *p = text; *p != '\0'; p++)
		if (*p != ' ')
			digits[n++] = *p;
	out = mf_alloc(a, n / 2);
	cr_assert(str_unhex(digits, n, out), "%s", text);
	return mf_bytes(out, n / 2);
}

static inline void
assert_bytes(const struct mf_buf *b, const char *expected, const char *what)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_bytes e = unhex(a, expected);

	cr_assert(b->len == e.len && memcmp(b->data, e.data, e.len) == 0, "%s: %s", what,
		str_hex(a, b->data, b->len));
	mf_arena_free(a);
}

#endif
