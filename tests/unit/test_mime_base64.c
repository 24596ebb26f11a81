/* mime: base64 in bulk is the same as byte by byte. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "mime/base64.h"
#include "mime/decode.h"
#include "mailferry/buf.h"

/* Bytes that are the same in each run. */
static void
fill(uint8_t *out, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		out[i] = (uint8_t)(seed >> 16);
	}
}

Test(mime_base64, encodes_every_length)
{
	for (size_t len = 0; len <= 400; len++) {
		/* Of the exact size each: nothing beyond may be read or written. */
		uint8_t *in = malloc(len + 1), *out = malloc(MIME_BASE64_LEN(len) + 1);
		unsigned char expected[600];

		fill(in + 1, len, (uint32_t)len);
		size_t n = mime_base64_encode(in + 1, len, out);
		cr_assert_eq(n, (size_t)EVP_EncodeBlock(expected, in + 1, (int)len));
		cr_assert(memcmp(out, expected, n) == 0, "%zu bytes", len);
		free(in);
		free(out);
	}
}

/* Lines of `width` characters. */
static size_t
lines_of(const uint8_t *in, size_t len, size_t width, char *out)
{
	static uint8_t text[8000];
	size_t n = mime_base64_encode(in, len, text), to = 0;

	for (size_t at = 0; at < n; at += width) {
		size_t part = n - at < width ? n - at : width;

		memcpy(out + to, text + at, part);
		memcpy(out + to + part, "\r\n", 2);
		to += part + 2;
	}
	return to;
}

Test(mime_base64, decodes_lines_of_every_width)
{
	static uint8_t bytes[5000];
	static char text[20000];

	for (size_t width = 4; width <= 400; width += 4) {
		size_t len = 4000 + width, n;
		struct mf_buf out;

		fill(bytes, len, (uint32_t)width);
		n = lines_of(bytes, len, width, text);
		mf_buf_init(&out, 0);
		mime_decode(MIME_ENCODING_BASE64, mf_bytes(text, n), &out);
		cr_assert(out.len == len && memcmp(out.data, bytes, len) == 0, "width %zu", width);
		mf_buf_deinit(&out);
	}
}
