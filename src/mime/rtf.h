/*
 * RTF, as Outlook keeps a message's text: compressed (MS-OXRTFCP), and often with the original HTML or plain text
 * wrapped in it (MS-OXRTFEX). Reads it as HTML where HTML is in it, else as text; formatting is not kept.
 */
#ifndef MIME_RTF_H
#define MIME_RTF_H

#include "mailferry/arena.h"
#include "mailferry/buf.h"
#include "mailferry/bytes.h"
#include "mailferry/error.h"

/* Appends what is in the compressed property (PR_RTF_COMPRESSED); at most `max` bytes. MF_INVALID: it is none. What
 * is cut ends early. The checksum is not looked at. */
enum mf_status mime_rtf_decompress(
	struct mf_bytes data, size_t max, struct mf_buf *out, struct mf_error *err);

/* UTF-8, one of them NULL. Both NULL: this is no RTF, or nothing is in it. Bounded by the input; groups that are nested
 * too deep are left out. */
struct mime_rtf {
	const char *html, *text;
};
void mime_rtf_read(struct mf_arena *a, struct mf_bytes rtf, struct mime_rtf *out);

#endif
