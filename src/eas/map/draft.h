/*
 * Drafts (16.0 on): from the elements that a phone sends to a message, new or an older one changed
 * (MS-ASCMD 3.1.5.4, MS-ASEMAIL 2.2.2.1). Must not know commands, backends or the state.
 */
#ifndef EAS_MAP_DRAFT_H
#define EAS_MAP_DRAFT_H

#include "eas/request.h"

struct draft {
	const struct wbxml_node *data; /* ApplicationData */
	struct mf_bytes old;	       /* the whole message that is changed; empty: a new one */
	const char *from;	       /* the user's address */
	const char *message_id;	       /* without brackets */
	int64_t now;		       /* seconds since 1970 */
};

/* Does a Change say more than flags can hold? */
bool draft_is_edit(const struct wbxml_node *data);

/* The old message already says all that the elements say. */
bool draft_same(struct mf_arena *a, const struct draft *d);

/* Writes the message with CRLF line ends. What the elements do not mention stays as it was.
 * MF_INVALID: an element makes no sense; MF_TOO_LARGE: out's ceiling. */
enum mf_status draft_compose(
	struct mf_arena *a, const struct draft *d, struct mf_buf *out, struct mf_error *err);

#endif
