/*
 * Base64 in bulk (RFC 4648 4): where the machine has wide registers, 32 characters at a time. Knows no
 * message; decode.h reads whatever stands in real mail.
 */
#ifndef MIME_BASE64_H
#define MIME_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters encode n bytes to. */
#define MIME_BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* Lines of whole groups that end with CRLF, from the beginning on, as far as nothing else comes and more than
 * a few dozen characters are left: how many characters were read. *n grows by the bytes written to out + *n; out has
 * room for len bytes, and what lies behind those that count is overwritten. */
size_t mime_base64_lines(const uint8_t *in, size_t len, uint8_t *out, size_t *n);

/* Writes MIME_BASE64_LEN(len) characters, the last group padded, without line ends and NUL. Returns how many. */
size_t mime_base64_encode(const uint8_t *in, size_t len, uint8_t *out);

#endif
