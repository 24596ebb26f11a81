/*
 * What a message is, from its MIME structure: which parts are its text, which its attachments, which
 * class it has. Knows no content, so that nothing needs to be fetched before.
 *
 * The tree belongs to the caller and must outlive what is read from it; the results are in the arena.
 */
#ifndef MIME_STRUCTURE_H
#define MIME_STRUCTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/bytes.h"
#include "mailferry/error.h"
#include "mailferry/item.h"
#include "mime/header.h"

enum { MIME_DEPTH_MAX = 32, MIME_TEXTS_MAX = 4, MIME_ATTACHMENTS_MAX = 500 };

/* The text of a message in one format: parts that are shown one below the other. */
struct mime_text {
	const struct mf_part *parts[MIME_TEXTS_MAX];
	size_t n;
};

/* Method of MS-ASAIRS 2.2.2.27. */
enum mime_method { MIME_METHOD_FILE = 1, MIME_METHOD_MESSAGE = 5, MIME_METHOD_OLE = 6 };

struct mime_attachment {
	const struct mf_part *part; /* part->section is what to fetch */
	const char *name;	    /* never empty, no path, no control characters */
	const char *type;	    /* "image/png" */
	const char *content_id;	    /* without brackets; NULL when there is none */
	const char *location;	    /* Content-Location; NULL when there is none */
	unsigned inner; /* a file within a TNEF part: its number, from 1 on; 0: the part */
	bool is_inline; /* shown within the text */
	bool is_tnef;	/* winmail.dat: see mime/tnef.h */
	enum mime_method method;
	uint64_t size; /* decoded, estimated */
};

/* NativeBodyType of MS-ASAIRS 2.2.2.32. */
enum mime_native { MIME_NATIVE_NONE = 0, MIME_NATIVE_PLAIN = 1, MIME_NATIVE_HTML = 2 };

struct mime_structure {
	struct mime_text
		plain;	       /* what to render from when plain text is wanted: text/plain where */
	struct mime_text html; /* there is one, else HTML; and the other way round */
	enum mime_native native;	/* the format that the sender wrote (the richest) */
	const struct mf_part *calendar; /* text/calendar; NULL when there is none */
	const char *calendar_method;	/* "REQUEST", upper case; "" when not said */
	const char *message_class;	/* MS-ASEMAIL 2.2.2.49 */
	/* The part whose content tells the class exactly (delivery-status, disposition-notification, a
	 * reply's calendar): see mime_class_refine. NULL: message_class is exact. */
	const struct mf_part *class_detail;
	const char *charset; /* of the first text part, as it says; NULL when it does not */
	unsigned codepage;   /* InternetCPID: mime_charset_codepage(charset) */
	bool is_signed, is_encrypted; /* S/MIME or PGP */
	struct mime_attachment *attachments;
	size_t n_attachments;
};

/* root may be NULL (unknown): an empty plain message. header may be NULL; its Content-Class helps. */
void mime_structure_read(struct mf_arena *a, const struct mf_part *root,
	const struct mime_header *header, struct mime_structure *out);

/* The class once class_detail's content (still encoded) is there; a constant or in the arena. */
const char *mime_class_refine(
	struct mf_arena *a, const struct mime_structure *s, struct mf_bytes detail);

/* The part with that section in a tree; NULL when there is none. */
const struct mf_part *mime_part_find(const struct mf_part *root, const char *section);

/* ---- A whole message in memory ---- */

/* One part and where it stands in the raw message, in the order of the message. */
struct mime_place {
	const struct mf_part *part;
	struct mf_bytes header; /* its own header fields with the empty line */
	struct mf_bytes body;	/* its content, still encoded */
};

struct mime_message {
	struct mf_bytes raw;
	struct mime_header header;
	const struct mf_part *root;
	const struct mime_place *places; /* the root first */
	size_t n_places;
};

/* Builds the tree of a raw message as BODYSTRUCTURE would tell it, with its parts' places, byte for
 * byte (GMime does not tell where parts end, and what is attached must be sent on unchanged). A
 * multipart within an attached message "2" has the section "2.TEXT". MF_INVALID only for an empty
 * message; nesting beyond MIME_DEPTH_MAX and parts beyond a thousand become leaves. raw must outlive
 * it. */
enum mf_status mime_message_parse(
	struct mf_arena *a, struct mf_bytes raw, struct mime_message *out, struct mf_error *err);

/* The place of a part of this message; NULL when it is not one. */
const struct mime_place *mime_message_place(
	const struct mime_message *m, const struct mf_part *part);

/* The content of a part, still encoded, as a view into raw; of a message/rfc822 the whole embedded
 * message. Empty when the part is not of this message. */
struct mf_bytes mime_message_part(const struct mime_message *m, const struct mf_part *part);

#endif
