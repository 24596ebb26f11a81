/*
 * Bodies of items: what the client prefers (BodyPreference, BodyPartPreference, MIMESupport), which
 * sections must be fetched for it, and the elements of MS-ASAIRS that show them.
 */
#ifndef EAS_MAP_BODY_H
#define EAS_MAP_BODY_H

#include "eas/request.h"
#include "mime/structure.h"

enum body_type { BODY_PLAIN = 1, BODY_HTML = 2, BODY_RTF = 3, BODY_MIME = 4 };

/* MS-ASAIRS 2.2.2.12 (BodyPreference) and 2.2.2.11 (BodyPartPreference). */
struct body_preference {
	unsigned type;	     /* body_type */
	uint64_t truncation; /* TruncationSize in bytes; UINT64_MAX: whole */
	bool all_or_none;    /* rather nothing of this type than a part */
	unsigned preview;    /* characters; 0: none */
};

enum { BODY_PREFERENCES_MAX = 4 };

struct body_options {
	struct body_preference list[BODY_PREFERENCES_MAX]; /* in the client's order */
	size_t n;
	struct body_preference part; /* of BodyPartPreference */
	bool has_part;
	unsigned mime_support;	  /* 0 never, 1 S/MIME only, 2 all (MS-ASCMD 2.2.3.110.3) */
	uint64_t mime_truncation; /* bytes, UINT64_MAX: whole (MS-ASCMD 2.2.3.111) */
	/* The item is outside of the date filter and comes with its conversation: preview and BodyPart
	 * where they were asked for, no body (MS-ASCMD 2.2.3.36.2). */
	bool outside;
	/* Stands at the end of a text that was cut, for a client that never loads the rest; NULL: nothing. */
	const char *hint;
	/* Multipart answers (MS-ASCMD 2.2.1.10.1): takes the data of Body and returns its part's number, 0
	 * when it cannot. NULL: the data stand in Body. */
	unsigned (*part_data)(void *ctx, const void *data, size_t len);
	void *part_ctx;
};

/* Reads BodyPreference, BodyPartPreference, MIMESupport and MIMETruncation below an Options element
 * (NULL: the defaults). False: they break MS-ASAIRS 3.2.5.1 (two of one type, a bad type, children out
 * of their order). */
bool body_options_parse(const struct wbxml_node *options, struct body_options *out);

/* Whether BodyPart was asked for as something else than HTML: EAS_BODY_PART_TYPE, from 14.1 on
 * (MS-ASCON 3.2.5.7). */
bool body_part_refused(const struct body_options *o, enum eas_version version);

/* Forgets all that would cut bodies short: for a Fetch, which asks for the complete item. */
void body_options_whole(struct body_options *o);

/* How one item's body is shown. */
struct body_plan {
	const struct body_preference *preference; /* NULL: no Body data asked for */
	unsigned type;				  /* body_type of Body */
	const struct mime_text *text;		  /* its source, for types 1 and 2 */
	const struct mime_text *part_text;	  /* of BodyPart; NULL: none */
};

/* Decides from the structure alone. */
void body_plan(const struct body_options *o, const struct mime_structure *s, struct body_plan *out);

/* Adds the sections that the plan needs to out (room for max); returns their count. Their bytes are
 * counted into *bytes. */
size_t body_sections(const struct body_options *o, const struct body_plan *p,
	const struct mf_item *item, struct mf_section_want *out, size_t max, uint64_t *bytes);

/* Writes Body, BodyPart and NativeBodyType from the fetched sections. */
void body_write(struct wbxml_writer *w, struct mf_arena *a, enum eas_version version,
	const struct body_options *o, const struct body_plan *p, const struct mime_structure *s,
	const struct mf_item *item);

/* The first `chars` characters of the item's plain text, as far as its sections were fetched; "" where
 * there is none. */
const char *body_preview(struct mf_arena *a, const struct mime_structure *s,
	const struct mf_item *item, size_t chars);

#endif
