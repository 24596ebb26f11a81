/*
 * The contract between the gateway and its backends.
 *
 * A backend is one const struct mf_backend_api named mf_backend_<name>. It fills the facets that it
 * has (a store of folders with items, submission of mail, a directory of people, out-of-office
 * settings, watching) and leaves the others NULL: their commands then answer "not supported" by
 * themselves. A backend knows nothing of ActiveSync, HTTP or LMDB and includes include/ only.
 *
 * Threads. An opened backend is used by many threads at once; a session by one at a time (the pool
 * in src/backend sees to it). Calls block, each within the backend's own configured deadline.
 *
 * Memory. What a call is given belongs to the caller and lives until it returns. What a callback is
 * given belongs to the backend and lives until the callback returns. Results that outlive the call
 * are put into the arena or buffer that the caller passes.
 *
 * Errors say what the caller can do (error.h). After MF_TEMPORARY, MF_AUTH or MF_BROKEN the session
 * may be unusable: `usable` tells, without I/O. A callback that returns anything but MF_OK ends the
 * call, which then returns that status; the session stays usable or says that it is not. A callback
 * does not use the session that calls it (another session of the same backend it may).
 *
 * MF_GONE as the result of a store's call means: the folder that it names does not exist. Ids that
 * do not exist are never an error of the call. Names and texts may hold anything: a backend passes
 * them on safely or answers MF_INVALID.
 *
 * Growth. `abi` changes when a member changes its meaning; new members are appended and `size` tells
 * how far a backend's struct reaches. Version 1 of this contract is not yet frozen.
 *
 * tests/backend holds one suite that every backend must pass; backends/null is the one to copy.
 */
#ifndef MAILFERRY_BACKEND_H
#define MAILFERRY_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"
#include "mailferry/conf.h"
#include "mailferry/error.h"
#include "mailferry/idset.h"
#include "mailferry/item.h"

#define MF_BACKEND_ABI 1

struct mf_backend; /* an opened backend with its settings: defined by the backend */
struct mf_session; /* one login: defined by the backend */

/* Who logs in. Never logged; copies that a backend keeps are wiped when it logs out. */
struct mf_login {
	const char *user;     /* login name at this backend */
	const char *password; /* NULL with a token */
	const char
		*token; /* OAuth 2 access token for XOAUTH2 or OAUTHBEARER; NULL with a password */
	const char *master; /* NULL; else the master user whose password this is */
};

/* An owned copy, for what outlives a request; to be ended by mf_login_wipe. `to` is overwritten. */
void mf_login_copy(struct mf_login *to, const struct mf_login *from);
/* Overwrites and frees what mf_login_copy has made; *l is empty then. */
void mf_login_wipe(struct mf_login *l);

/* Gives the caller's bytes, at most size a call; 0 at the end, -1 when they cannot be had. */
typedef ssize_t mf_read_fn(void *ctx, void *data, size_t size);
/* Takes bytes; anything but MF_OK ends the call that delivers them. */
typedef enum mf_status mf_write_fn(void *ctx, const void *data, size_t len);

/* ---- The store: folders with items ---- */

typedef enum mf_status mf_folder_fn(void *ctx, const struct mf_folder *folder);

enum mf_event_kind {
	MF_EVENT_ADDED, /* arrived since the cursor: id, flags, keywords, date */
	/* Flags or keywords may have changed: id, flags, keywords. Of any item that is not new, also
	 * of those that the caller does not know. */
	MF_EVENT_FLAGS,
	MF_EVENT_GONE, /* the ids from id to last are no longer there (some may never have been) */
};

struct mf_event {
	enum mf_event_kind kind;
	uint64_t id, last; /* last: of MF_EVENT_GONE only */
	uint32_t flags;	   /* mf_flags */
	const char *const *keywords;
	size_t n_keywords;
	int64_t date; /* of MF_EVENT_ADDED */
};

typedef enum mf_status mf_event_fn(void *ctx, const struct mf_event *event);

struct mf_changes {
	const char *folder;
	/* Empty: report every item of the folder (with `since`: of those received then or later) as
	 * added. Else what an earlier call gave: report what happened since. MF_RESYNC when the
	 * folder's epoch is another, or the cursor is none that this backend gave for this folder:
	 * begin again. */
	struct mf_bytes cursor;
	/* Seconds since 1970, 0 for all; a backend may round it down to a whole day. Only with an
	 * empty cursor: what arrives later is told with its date, however old. */
	int64_t since;
	bool ids_only; /* with an empty cursor: nobody looks at flags, keywords and dates */
	/* What the caller knows of this folder: lets servers without QRESYNC find what is gone. May be
	 * NULL with an empty cursor. */
	const struct mf_idset *known;
	mf_event_fn *event; /* each id at most once as added or flags, ascending */
	void *ctx;
};

/* One section of an item that the caller wants: "" the whole item, "HEADER", "TEXT", "1.2",
 * "1.2.MIME", and of a message/rfc822 part "1.2.HEADER" and "1.2.TEXT" (RFC 9051 section-spec without
 * HEADER.FIELDS: for fields there is mf_fetch.fields). */
struct mf_section_want {
	char section[64];
	uint64_t offset; /* beyond the end: no bytes */
	uint64_t max;	 /* bytes, 0 for all */
};

enum { MF_SECTIONS_MAX = 16 }; /* sections of one item in one fetch */

struct mf_fetch {
	const char *folder;
	const uint64_t *ids; /* in the order in which the caller would like to have them */
	size_t n;
	unsigned want; /* mf_want */
	const char *const
		*fields; /* header fields for MF_WANT_HEADER, NULL at the end; NULL: all */
	/* Called once an item when what was wanted is there: which sections to add (their count, at
	 * most MF_SECTIONS_MAX). They come in the order asked; those that the item does not have are
	 * left out. NULL: none. */
	size_t (*choose)(void *ctx, const struct mf_item *item, struct mf_section_want *out);
	/* Called once an item with everything, in the backend's order. Items that no longer exist are
	 * left out; items whose content cannot be read come with `damaged`. */
	enum mf_status (*item)(void *ctx, const struct mf_item *item);
	void *ctx;
	/* Ids that the caller will probably ask for next, by the same members: a backend may begin to
	 * read them, and may use what it read only for a fetch that follows a call of `changes` on this
	 * session, with the flags that are true then. May be NULL. */
	const uint64_t *ahead;
	size_t n_ahead;
};

struct mf_put {
	const char *folder;
	mf_read_fn *read; /* the item, exactly size bytes (not 0), CRLF line ends */
	void *ctx;
	uint64_t size;
	uint32_t flags;
	const char *const *keywords;
	size_t n_keywords;
	int64_t date; /* 0: now */
};

struct mf_flag_change {
	const char *folder;
	const struct mf_idset *ids;
	uint32_t add, remove; /* mf_flags; a flag is in one of them at most */
	/* NULL at the end; may be NULL. A keyword is an IMAP atom (RFC 9051): others are MF_INVALID.
	 * Those of mf_flags are never keywords. */
	const char *const *add_keywords, *const *remove_keywords;
};

struct mf_move {
	uint64_t id;	       /* in: the item */
	enum mf_status status; /* out: MF_OK, MF_GONE, MF_REFUSED, ... of this item */
	uint64_t to;	       /* out: its id in the destination; 0 where the server does not say */
};

enum mf_query_kind {
	MF_QUERY_AND,  /* children; none: everything */
	MF_QUERY_OR,   /* children; none: nothing */
	MF_QUERY_NOT,  /* one child */
	MF_QUERY_TEXT, /* text anywhere in the item */
	MF_QUERY_BODY,
	MF_QUERY_SUBJECT,
	MF_QUERY_FROM,
	MF_QUERY_TO,
	MF_QUERY_CC,
	MF_QUERY_BCC,
	MF_QUERY_SINCE,	 /* date: received on that day (UTC) or later */
	MF_QUERY_BEFORE, /* date: received before that day (UTC) */
	MF_QUERY_SET,
	MF_QUERY_UNSET,	 /* flag: a single mf_flags */
	MF_QUERY_HEADER, /* name, text: the field holds the text ("" : exists) */
	MF_QUERY_LARGER, /* size */
};

/* Texts match anywhere and without regard to case, after decoding (RFC 2047, transfer encodings). A
 * server with an index may find TEXT and BODY by words, and other forms of them. */
struct mf_query {
	enum mf_query_kind kind;
	const struct mf_query *children;
	size_t n_children;
	const char *text, *name;
	int64_t date;
	uint32_t flag;
	uint64_t size;
};

struct mf_poll {
	const char *folder;
	struct mf_bytes cursor;
	bool changed; /* out */
};

struct mf_store_api {
	uint32_t size; /* sizeof(struct mf_store_api) */

	/* All folders, parents before children. */
	enum mf_status (*folders)(
		struct mf_session *s, mf_folder_fn *fn, void *ctx, struct mf_error *err);

	/* What happened in a folder since a cursor; on MF_OK the new cursor replaces next's content (at
	 * most a few KB). The cost follows the number of changes. What happens during the call is told
	 * now or by the next call. */
	enum mf_status (*changes)(struct mf_session *s, const struct mf_changes *c,
		struct mf_buf *next, struct mf_error *err);

	/* Cheaply: did anything happen in these folders since their cursors? May say yes wrongly, never
	 * no. A folder that is gone has changed. */
	enum mf_status (*poll)(
		struct mf_session *s, struct mf_poll *folders, size_t n, struct mf_error *err);

	enum mf_status (*fetch)(
		struct mf_session *s, const struct mf_fetch *f, struct mf_error *err);

	/* One section of one item in constant memory, still in its transfer encoding. MF_GONE: no such
	 * folder, item or section. */
	enum mf_status (*stream)(struct mf_session *s, const char *folder, uint64_t id,
		const struct mf_section_want *what, mf_write_fn *write, void *ctx,
		struct mf_error *err);

	/* Adds an item; *id is its id, 0 where the server does not say. All or nothing: a reader that
	 * fails or ends early adds nothing and makes it MF_INVALID. MF_TOO_LARGE: over a limit or the
	 * quota. MF_REFUSED: a folder that holds no items. */
	enum mf_status (*put)(
		struct mf_session *s, const struct mf_put *p, uint64_t *id, struct mf_error *err);

	/* Changes flags; ids that do not exist are ignored; `found` (may be NULL) gets those that do. */
	enum mf_status (*flag)(struct mf_session *s, const struct mf_flag_change *c,
		struct mf_idset *found, struct mf_error *err);

	/* Moves items to another folder of the store with flags, keywords and date. Every status is set
	 * and exact, whatever the call returns (MF_TEMPORARY: nobody knows). An id that does not exist
	 * has MF_GONE. The call: MF_GONE without the folder `from`, MF_INVALID without the folder `to`,
	 * and then nothing has moved. */
	enum mf_status (*move)(struct mf_session *s, const char *from, const char *to,
		struct mf_move *moves, size_t n, struct mf_error *err);

	/* Removes items for good. Idempotent: what does not exist is removed already. */
	enum mf_status (*remove)(struct mf_session *s, const char *folder,
		const struct mf_idset *ids, struct mf_error *err);

	/* Removes every item of a folder for good, in constant memory. */
	enum mf_status (*empty)(struct mf_session *s, const char *folder, struct mf_error *err);

	/* Ids of the items that match; found is replaced. Stops after timeout_ms (0: the backend's own)
	 * with MF_TEMPORARY. MF_UNSUPPORTED: a kind of query that the server cannot answer. */
	enum mf_status (*search)(struct mf_session *s, const char *folder, const struct mf_query *q,
		int timeout_ms, struct mf_idset *found, struct mf_error *err);

	/* Folders. parent NULL: at the top. MF_EXISTS: the name is taken; MF_INVALID: the server cannot
	 * have such a name; MF_GONE: no such folder or parent. The new id goes to the arena. A role is
	 * a wish: servers that cannot keep it ignore it. */
	enum mf_status (*folder_create)(struct mf_session *s, const char *parent, const char *name,
		enum mf_role role, struct mf_arena *a, const char **id, struct mf_error *err);
	/* Renames and moves, with all that is below: the ids of those may change as well (what has an
	 * identity keeps it). MF_INVALID: into itself; MF_REFUSED: the Inbox. */
	enum mf_status (*folder_rename)(struct mf_session *s, const char *folder,
		const char *parent, const char *name, struct mf_arena *a, const char **id,
		struct mf_error *err);
	/* Deletes a folder with its items and all folders below. MF_REFUSED: the Inbox. */
	enum mf_status (*folder_delete)(
		struct mf_session *s, const char *folder, struct mf_error *err);

	/* The folder's epoch now, never 0: ids are those of before as long as it is the same. At no more
	 * cost than the next call for that folder has anyway. NULL: the store cannot tell. */
	enum mf_status (*epoch)(
		struct mf_session *s, const char *folder, uint64_t *out, struct mf_error *err);
};

/* ---- Submission of mail ---- */

enum mf_sent {
	MF_SENT_NOT,	 /* certainly not: a repeat is safe */
	MF_SENT_UNKNOWN, /* the connection broke between the end of the data and its answer */
	MF_SENT_YES,	 /* the server has taken responsibility */
};

struct mf_recipient {
	const char *address; /* addr-spec, UTF-8 */
	bool accepted;	     /* out */
	char reply[200];     /* out: the server's words on a refusal */
};

struct mf_envelope {
	const char *from; /* addr-spec */
	struct mf_recipient *to;
	size_t n_to;
	uint64_t size;
	bool eight_bit; /* the content has bytes over 127 */
	bool utf8;	/* addresses or header fields need SMTPUTF8 */
};

struct mf_submit_api {
	uint32_t size;
	/* The largest message the server takes in bytes, 0 when unknown. */
	uint64_t (*limit)(struct mf_session *s);
	/* Submits one message, CRLF line ends, without dot-stuffing. MF_OK: accepted for at least one
	 * recipient (see each). *sent is set whatever is returned. */
	enum mf_status (*submit)(struct mf_session *s, const struct mf_envelope *e,
		mf_read_fn *read, void *ctx, enum mf_sent *sent, struct mf_error *err);
	/* Whether the server takes bytes over 127 (8BITMIME); NULL: it does. Asked before `submit`, which takes
	 * the message as it is all the same. */
	bool (*eight_bit)(struct mf_session *s);
	/* Whether the server knows which user this is, and so may judge the sender; NULL: it does. */
	bool (*as_user)(struct mf_session *s);
};

/* ---- Watching: events without a thread ---- */

struct mf_loop;	 /* mailferry/loop.h */
struct mf_watch; /* one watched account: defined by the backend */

/* What a watcher tells. */
enum mf_stir {
	MF_STIR_READY, /* the folders that were asked for last are watched now */
	MF_STIR_AGAIN, /* the same after a gap: whatever may have come in it is told by this alone */
	MF_STIR_NEW,   /* items may have been added */
	MF_STIR_CHANGED, /* items were changed or went; none was added */
	MF_STIR_FOLDERS, /* the list of folders may have changed */
	MF_STIR_BLIND,	 /* nothing is watched, until the next READY or AGAIN: look for yourself */
};

/* Something may have happened. folder: where; NULL: in any of them, or that is not the question. May be told
 * wrongly or twice, never too late. On the loop's thread; folder lives until it returns. */
typedef void mf_stir_fn(void *ctx, enum mf_stir what, const char *folder);

/* An item that was added, as of MF_EVENT_ADDED, and the epoch that its id is of. */
struct mf_arrival {
	const char *folder;
	uint64_t id, epoch;
	int64_t date;
};

/* All calls are made on the loop's thread and return at once. */
struct mf_watch_api {
	uint32_t size;
	/* Begins to watch an account: connects and logs in by itself, and again with growing pauses
	 * when the connection is lost. `who` is copied and wiped at the end. Wrong credentials end the
	 * attempts, until `stop`: MF_STIR_BLIND; what is wrong is logged. */
	enum mf_status (*start)(struct mf_backend *b, struct mf_loop *loop,
		const struct mf_login *who, mf_stir_fn *stir, void *ctx, struct mf_watch **out,
		struct mf_error *err);
	/* The folders of interest from now on (n may be 0). Copied. When all of them are being watched,
	 * MF_STIR_READY is told once (at once, when they are already), or MF_STIR_AGAIN. */
	void (*folders)(struct mf_watch *w, const char *const *ids, size_t n);
	/* Ends it; nothing is told any more. NULL is fine. */
	void (*stop)(struct mf_watch *w);
	/* From within MF_STIR_NEW: the items that it is about, all of them, so that nobody needs to ask the server
	 * what came; how many, 0: not known, or more than max. The folder lives as long as the call of stir. May be
	 * NULL. */
	size_t (*arrived)(const struct mf_watch *w, struct mf_arrival *out, size_t max);
};

/* ---- The backend ---- */

struct mf_directory_api; /* people: mailferry/directory.h */
struct mf_oof_api;	 /* out-of-office replies: mailferry/oof.h */

struct mf_backend_api {
	uint32_t abi;			   /* MF_BACKEND_ABI */
	uint32_t size;			   /* sizeof(struct mf_backend_api) */
	const char *name;		   /* also the section of the configuration */
	const char *help;		   /* one sentence */
	const struct mf_setting *settings; /* rows of that section; NULL: none */

	/* Checks the settings and prepares what all sessions share; no connection yet. */
	enum mf_status (*open)(
		const struct mf_conf *conf, struct mf_backend **out, struct mf_error *err);
	void (*close)(struct mf_backend *b); /* after all sessions have ended */

	/* Connects and authenticates. MF_AUTH: wrong credentials, and nothing else. */
	enum mf_status (*login)(struct mf_backend *b, const struct mf_login *who,
		struct mf_session **out, struct mf_error *err);
	void (*logout)(struct mf_session *s); /* politely where that costs no waiting */
	bool (*usable)(const struct mf_session *s);

	/* For `mailferry check`: a session's capabilities and advice as lines of text. */
	void (*describe)(struct mf_session *s, struct mf_buf *out);

	const struct mf_store_api *store;
	const struct mf_submit_api *submit;
	const struct mf_directory_api *directory;
	const struct mf_oof_api *oof;
	const struct mf_watch_api *watch;
};

#endif
