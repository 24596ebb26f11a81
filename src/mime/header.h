/*
 * Header fields: raw bytes to fields, and fields to text, addresses, dates, ids and parameters.
 *
 * Input may be anything. Views (struct mf_bytes) look into the caller's bytes; strings are in the
 * arena, valid UTF-8 and valid in XML, without control characters. `charset`: what unlabelled 8-bit
 * bytes are when they are not UTF-8, usually the body's (NULL: windows-1252).
 */
#ifndef MIME_HEADER_H
#define MIME_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"
#include "mailferry/bytes.h"
#include "mailferry/item.h"

enum { MIME_FIELDS_MAX = 1000, MIME_ADDRESSES_MAX = 2000, MIME_IDS_MAX = 500 };

struct mime_field {
	struct mf_bytes name;  /* as it stands, without blanks before the colon */
	struct mf_bytes value; /* raw and folded, without blanks around it */
	struct mf_bytes whole; /* the whole field with its line end */
};

struct mime_header {
	struct mime_field *fields; /* in order; at most MIME_FIELDS_MAX, the rest is ignored */
	size_t n;
	size_t size; /* bytes up to and with the empty line: where the body begins */
};

/* Lines without a colon are skipped, "From " and ">From " lines too; CRLF, LF and CR line ends. */
void mime_header_parse(struct mf_arena *a, struct mf_bytes raw, struct mime_header *out);

/* The first field of that name (any case); NULL when there is none. */
const struct mime_field *mime_header_find(const struct mime_header *h, const char *name);
/* Its raw value; an empty view with data NULL when there is none. */
struct mf_bytes mime_header_raw(const struct mime_header *h, const char *name);

/* Unstructured text: unfolded, RFC 2047 and raw 8-bit decoded, blanks at the ends cut. */
const char *mime_text_decode(struct mf_arena *a, struct mf_bytes raw, const char *charset);
/* Of a field; NULL when there is none. */
const char *mime_header_text(
	struct mf_arena *a, const struct mime_header *h, const char *name, const char *charset);

struct mime_address {
	const char *name; /* display name, "" when there is none; of an empty group its name */
	const char
		*addr; /* addr-spec without brackets, comments and blanks; "" when there is none */
};

struct mime_addresses {
	struct mime_address *list;
	size_t n;
};

/* RFC 5322 3.4 with groups (their members are listed), comments as names, encoded words also within
 * quotes, missing quotes, missing or doubled brackets, ";" between addresses. */
void mime_addresses_parse(
	struct mf_arena *a, struct mf_bytes raw, const char *charset, struct mime_addresses *out);
/* All fields of that name together (some mail has several To fields). */
void mime_header_addresses(struct mf_arena *a, const struct mime_header *h, const char *name,
	const char *charset, struct mime_addresses *out);

/* MS-ASEMAIL's form: `"Name" <a@b>, "Other" <c@d>`; an address without a name `a@b`. Whole addresses,
 * at most max bytes. */
const char *mime_addresses_full(struct mf_arena *a, const struct mime_addresses *l, size_t max);
/* DisplayTo's form: names, or addresses where there are none, joined by ";". */
const char *mime_addresses_display(struct mf_arena *a, const struct mime_addresses *l, size_t max);

/* A date of RFC 5322 3.3 and 4.3 and of what software writes (two-digit years, missing seconds, zone
 * names, asctime, ISO 8601), in seconds since 1970. False: none can be read. */
bool mime_date_parse(struct mf_bytes raw, int64_t *out);
bool mime_header_date(const struct mime_header *h, const char *name, int64_t *out);

struct mime_ids {
	const char **list; /* without angle brackets and blanks inside, in order, each once */
	size_t n;
};

/* msg-ids in angle brackets; what stands between them is ignored. A value without any bracket that
 * looks like one id (an "@", no blank) is taken as one. The newest MIME_IDS_MAX are kept. */
void mime_ids_parse(struct mf_arena *a, struct mf_bytes raw, struct mime_ids *out);
/* The first id of a field; NULL when there is none. */
const char *mime_header_id(struct mf_arena *a, const struct mime_header *h, const char *name);

/* The value of a parameter with RFC 2231 (pieces in any order, charsets, percent), RFC 2047 within
 * and raw 8-bit; NULL when there is none. name in lower case. */
const char *mime_param(struct mf_arena *a, const struct mf_param *params, size_t n,
	const char *name, const char *charset);

struct mime_content_type {
	const char *type, *subtype; /* lower case; "text", "plain" when unreadable */
	const struct mf_param *params;
	size_t n_params;
};

/* Content-Type's syntax. An empty value gives text/plain. */
void mime_content_type_parse(
	struct mf_arena *a, struct mf_bytes raw, struct mime_content_type *out);
/* Content-Disposition's: the token in lower case ("" when there is none) and its parameters. */
const char *mime_disposition_parse(
	struct mf_arena *a, struct mf_bytes raw, const struct mf_param **params, size_t *n);

/* MS-ASEMAIL 2.2.2.38: from Importance, X-Priority, X-MSMail-Priority, Priority, in this order. */
enum mime_importance { MIME_IMPORTANCE_LOW, MIME_IMPORTANCE_NORMAL, MIME_IMPORTANCE_HIGH };
enum mime_importance mime_header_importance(const struct mime_header *h);

/* Subject without reply and forward prefixes (Re:, AW:, Fwd[2]:, ...), for ThreadTopic. A view into
 * the given string. */
const char *mime_subject_topic(const char *subject);

#endif
