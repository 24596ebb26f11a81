/*
 * The threading fields of mail that we send, so that Outlook, Gmail and every IMAP client put it where it
 * belongs: References and In-Reply-To (RFC 5322 3.6.4), Thread-Topic and Thread-Index. Pure.
 */
#ifndef CONVERSATION_OUTGOING_H
#define CONVERSATION_OUTGOING_H

#include "conversation/facts.h"
#include "mailferry/buf.h"

struct conversation_outgoing {
	const struct mime_header *message;  /* as the phone made it */
	const char *message_id;		    /* it goes out with this one; without angle brackets */
	const struct mime_header *original; /* replied to or forwarded; NULL: none, a new mail */
	int64_t original_received;	    /* INTERNALDATE of the original */
	int64_t now;			    /* when it is sent */
};

/* Appends the whole fields to out (for mime_edit.add). A new mail's own References and In-Reply-To stay as
 * they are and are not written again; those of a reply or forward are written, extended from the
 * original's. Thread-Index's GUID is the id of the conversation and its levels extend the original's; a valid
 * one that the phone made for a new mail stays. */
void conversation_outgoing_add(
	struct mf_arena *a, const struct conversation_outgoing *o, struct mf_buf *out);

/* The fields that conversation_outgoing_add writes anew, to be removed from the phone's header (for
 * mime_edit.remove): NULL at the end. */
const char *const *conversation_outgoing_replaced(const struct conversation_outgoing *o);

#endif
