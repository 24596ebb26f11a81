/*
 * Outgoing mail: header fields changed without touching anything else, fields encoded, and replies and
 * forwards composed from what the phone sent and the original.
 */
#ifndef MIME_BUILD_H
#define MIME_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"
#include "mailferry/bytes.h"
#include "mailferry/error.h"
#include "mime/header.h"

/* ---- Fields ---- */

/* Append "Name: value" CRLF, folded at 78, RFC 2047 (UTF-8) only where needed. CR, LF and NUL in
 * values cannot forge fields: they become blanks. Addresses without an addr are left out. */
void mime_field_add_text(struct mf_buf *out, const char *name, const char *text);
void mime_field_add_addresses(
	struct mf_buf *out, const char *name, const struct mime_addresses *list);
/* A list of ids as References wants it, folded between ids. */
void mime_field_add_ids(struct mf_buf *out, const char *name, const struct mime_ids *ids);
void mime_field_add_date(struct mf_buf *out, const char *name, int64_t when);

/* ---- Editing a raw header ---- */

struct mime_edit {
	const char *const *remove; /* names of fields to drop, NULL at the end; may be NULL */
	struct mf_bytes add;	   /* whole fields with CRLF, put before the others; may be empty */
};

/* Writes the header `raw` (a whole message will do: it stops at the body) edited, with its empty line.
 * All other fields stay byte for byte and in order. Returns the bytes of raw that the header took:
 * raw's rest is the body, to be sent as it is. A missing empty line is added. */
size_t mime_header_edit(struct mf_buf *out, struct mf_bytes raw, const struct mime_edit *edit);

/* ---- Replies and forwards (MS-ASCMD SmartReply, SmartForward) ---- */

enum mime_compose_kind { MIME_COMPOSE_REPLY, MIME_COMPOSE_FORWARD };

struct mime_compose {
	enum mime_compose_kind kind;
	struct mf_bytes message;  /* what the phone sent: a whole message */
	struct mf_bytes original; /* the message replied to or forwarded, whole */
	/* Sections of the original's attachments that a forward leaves out, NULL at the end; may be
	 * NULL. */
	const char *const *without;
};

/* A message as views one after the other: into what the caller gave, or into the arena. Nothing large is
 * copied. The first is the whole header with its empty line, ready for mime_header_edit. */
struct mime_segments {
	struct mf_bytes *list;
	size_t n;
	uint64_t size; /* bytes of all */
};

/* Puts the original's text below the phone's (text into text, HTML into HTML before the end of its
 * body, with lines that attribute it), as UTF-8 (MS-ASCMD 2.2.1.19), and for a forward its attachments,
 * byte for byte. A forwarded original that is signed, and any that is encrypted, is attached whole as
 * message/rfc822; a phone's message that is signed or encrypted passes unchanged. The phone's header
 * fields stay but for Content-* and MIME-Version. The result depends on nothing but the input, so that a
 * repeat gives the same bytes. MF_INVALID: the message is empty. */
enum mf_status mime_compose(struct mf_arena *a, const struct mime_compose *c,
	struct mime_segments *out, struct mf_error *err);

#endif
