/*
 * What travels between backends and the gateway: folders, items, their structure and parts.
 *
 * Content is in the standards' formats: RFC 5322 and MIME for mail; later RFC 5545 and 6350. Strings
 * are UTF-8 unless a comment says raw; raw bytes are as the server sent them, valid or not.
 */
#ifndef MAILFERRY_ITEM_H
#define MAILFERRY_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/bytes.h"

enum mf_class {
	MF_CLASS_MAIL,
	MF_CLASS_CALENDAR,
	MF_CLASS_CONTACTS,
	MF_CLASS_TASKS,
	MF_CLASS_NOTES
};

/* What a folder is for; RFC 6154's special uses and INBOX. */
enum mf_role {
	MF_ROLE_NONE,
	MF_ROLE_INBOX,
	MF_ROLE_DRAFTS,
	MF_ROLE_TRASH,
	MF_ROLE_SENT,
	MF_ROLE_OUTBOX,
	MF_ROLE_JUNK,
	MF_ROLE_ARCHIVE,
	MF_ROLE_ALL,	  /* every message of the account (Gmail's All Mail) */
	MF_ROLE_FLAGGED,  /* a virtual folder of flagged messages */
	MF_ROLE_IMPORTANT /* a virtual folder of important messages */
};

enum mf_folder_flags {
	MF_FOLDER_NO_ITEMS = 1 << 0,	/* only a parent: cannot hold items (\Noselect) */
	MF_FOLDER_NO_CHILDREN = 1 << 1, /* cannot hold folders (\Noinferiors) */
	MF_FOLDER_SUBSCRIBED = 1 << 2,
	MF_FOLDER_SHARED = 1 << 3, /* in a namespace of other users or shared */
};

struct mf_folder {
	const char *id;	    /* what the other calls take: opaque, unique in the store */
	const char *parent; /* the parent's id; NULL at the top */
	const char *name;   /* as shown, the last component only */
	enum mf_class class;
	enum mf_role role;
	unsigned flags;	      /* mf_folder_flags */
	const char *identity; /* stays over a rename (MAILBOXID); "" where the server has none */
	uint64_t epoch;	      /* UIDVALIDITY; 0 where it was not to be had without extra cost */
};

enum mf_flags {
	MF_FLAG_SEEN = 1 << 0,
	MF_FLAG_FLAGGED = 1 << 1,
	MF_FLAG_ANSWERED = 1 << 2,
	MF_FLAG_FORWARDED = 1 << 3, /* $Forwarded */
	MF_FLAG_DRAFT = 1 << 4,
	MF_FLAG_DELETED = 1 << 5, /* \Deleted: about to vanish; shown like any other item */
};

struct mf_param {
	const char *name;  /* lower case */
	const char *value; /* raw; RFC 2231 pieces as they came ("filename*0*"), or as
				the server has put them together ("filename*") */
};

/* One MIME part, as BODYSTRUCTURE tells it. Never NULL strings: "" where absent. */
struct mf_part {
	/* "1.2"; "1" for the body of a message without parts. A multipart that is the body of a whole
	 * message has that message's: "" at the top, "2" inside of the message/rfc822 part "2". */
	const char *section;
	const char *type, *subtype; /* lower case: "text", "html" */
	const struct mf_param *params;
	size_t n_params;
	const char *content_id;	 /* with its angle brackets, raw */
	const char *description; /* raw */
	const char *encoding;	 /* lower case: "base64" */
	const char *disposition; /* lower case: "attachment" */
	const struct mf_param *disposition_params;
	size_t n_disposition_params;
	const char *location;		/* Content-Location, raw */
	uint64_t size;			/* bytes as transferred (encoded); 0 of multiparts */
	uint64_t lines;			/* of text and message/rfc822, else 0 */
	const struct mf_part *children; /* of multiparts; of message/rfc822: its one body */
	size_t n_children;
};

/* Bytes of one section of an item, still in its transfer encoding. */
struct mf_section {
	const char *section; /* as asked */
	struct mf_bytes data;
	bool cut; /* more follows than was asked for */
};

enum mf_want {
	MF_WANT_FLAGS = 1 << 0,	    /* flags and keywords */
	MF_WANT_DATE = 1 << 1,	    /* date */
	MF_WANT_SIZE = 1 << 2,	    /* size */
	MF_WANT_HEADER = 1 << 3,    /* header, or the fields of mf_fetch.fields */
	MF_WANT_STRUCTURE = 1 << 4, /* structure */
	MF_WANT_PREVIEW = 1 << 5,   /* preview where the server has it for nothing (RFC 8970) */
	MF_WANT_THREAD =
		1 << 6, /* thread and identity where the server has them (RFC 8474, Gmail) */
};

struct mf_item {
	uint64_t id;	/* unique in its folder and epoch, ascending with arrival; never 0 */
	unsigned have;	/* mf_want: what of the following is filled */
	uint32_t flags; /* mf_flags */
	const char *const *keywords; /* the other keywords, sorted, without duplicates */
	size_t n_keywords;
	int64_t date;		/* received (INTERNALDATE), seconds since 1970 */
	uint64_t size;		/* bytes of the whole item */
	struct mf_bytes header; /* raw, fields as they stand, CRLF line ends, with the empty line */
	const struct mf_part *structure;
	const char *preview;
	const char *thread;   /* X-GM-THRID or THREADID; "" where there is none */
	const char *identity; /* X-GM-MSGID or EMAILID: stays over a move; "" where there is none */
	const struct mf_section *sections;
	size_t n_sections;
	/* To mf_fetch.item: header and structure are those, in the same place, that `choose` was shown as the
	 * last thing before. A backend that does not know leaves it. */
	bool as_chosen;
	const char
		*damaged; /* NULL; else why content is missing: show what is known, log the rest */
};

#endif
