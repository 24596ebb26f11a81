/* Encoded words of RFC 2047, for the folder's own use. */
#ifndef MIME_WORD_H
#define MIME_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mime_word {
	const uint8_t *charset;
	size_t n_charset;
	bool base64;
	const uint8_t *text;
	size_t n_text;
};

/* Reads the encoded word at s, which begins with "=?", as leniently as it can be told from text.
 * Returns its length, 0 when it is none. Looks at a bounded number of bytes. */
size_t mime_word_read(const uint8_t *s, size_t len, struct mime_word *out);

#endif
