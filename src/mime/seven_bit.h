/*
 * Mail with bytes over 127 for servers that take none (no 8BITMIME, RFC 6152 3): its parts in a transfer encoding.
 */
#ifndef MIME_SEVEN_BIT_H
#define MIME_SEVEN_BIT_H

#include "mime/build.h"

/* The message with each part that has such bytes as quoted-printable or base64, the rest byte for byte. False: it
 * stays as it is, since something in it is signed or encrypted, or there is nothing to encode. The views are into
 * `message` and the arena; the first is the whole header. Depends on nothing but the input. */
bool mime_seven_bit(struct mf_arena *a, struct mf_bytes message, struct mime_segments *out);

#endif
