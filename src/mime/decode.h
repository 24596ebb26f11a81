/*
 * Transfer decoding, push style: bytes in any portions in, decoded bytes out. Constant memory.
 *
 * Decoders never fail: what is malformed is read as well as it can be (RFC 2045 6.7, 6.8: characters
 * outside the alphabet are skipped, bad quoted-printable stays as it is). One thread at a time.
 */
#ifndef MIME_DECODE_H
#define MIME_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/buf.h"
#include "mailferry/bytes.h"

enum mime_encoding {
	MIME_ENCODING_NONE, /* 7bit, 8bit, binary and everything unknown: as it is */
	MIME_ENCODING_BASE64,
	MIME_ENCODING_QP,
	MIME_ENCODING_UU, /* x-uuencode and its spellings */
};

/* By the value of Content-Transfer-Encoding, any case, with blanks and comments; NULL is none. */
enum mime_encoding mime_encoding_parse(const char *name);

struct mime_decoder {
	enum mime_encoding encoding;
	/* The rest is the decoder's own. */
	uint32_t group;
	unsigned n_group;
	unsigned state;
	uint8_t held[80];
	size_t n_held;
	uint64_t out; /* bytes given so far */
};

void mime_decoder_init(struct mime_decoder *d, enum mime_encoding encoding);

/* Appends to out what len bytes of data decode to. out may be NULL: then only counted. */
void mime_decoder_push(struct mime_decoder *d, const void *data, size_t len, struct mf_buf *out);

/* The end: appends what was held back. Returns the decoded length of all. */
uint64_t mime_decoder_end(struct mime_decoder *d, struct mf_buf *out);

/* All at once. */
void mime_decode(enum mime_encoding encoding, struct mf_bytes in, struct mf_buf *out);

/* The exact decoded length of what is there. */
uint64_t mime_decoded_length(enum mime_encoding encoding, struct mf_bytes in);

/* A guess from the encoded size alone (base64: lines of 76 with CRLF; others: the size). */
uint64_t mime_decoded_estimate(enum mime_encoding encoding, uint64_t encoded);

#endif
