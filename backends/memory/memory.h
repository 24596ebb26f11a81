/*
 * The memory backend from the tests' side: look into its world, change it behind the gateway's back,
 * and make its calls fail, hang or lose their answers. Only tests include this.
 *
 * A world is a mail server in memory: users with folders and items, and what was sent. The backend's
 * setting `world` names the world that an opened backend serves; a name that nobody holds makes a
 * new world. It lives while a backend is open on it or a test holds it, so that a test can close and
 * open the backend (a restart of the gateway) and find the mail still there.
 *
 * Every function is thread-safe. Users and folders that do not exist are assertions here: tests know
 * what they have made. Folder ids are paths: "INBOX", "Sent", "Projects/2024".
 */
#ifndef MEMORY_MEMORY_H
#define MEMORY_MEMORY_H

#include "mailferry/backend.h"

extern const struct mf_backend_api mf_backend_memory;

struct memory_world;

/* Takes hold of the world of that name, which is made when there is none. */
struct memory_world *memory_hold(const char *name);
void memory_release(struct memory_world *w);

/* Opens a backend on a world without a configuration (tests below src/conf). */
struct mf_backend *memory_open(const char *world);

/* ---- Users and mail ---- */

/* A user with INBOX, Drafts, Sent, Trash, Junk and Archive; sets the password of one that exists. */
void memory_user(struct memory_world *w, const char *user, const char *password);
/* From now on this token logs the user in; NULL: none does. */
void memory_token(struct memory_world *w, const char *user, const char *token);

/* Delivers a message (bare LF become CRLF) and gives its id. date 0: now. */
uint64_t memory_add(struct memory_world *w, const char *user, const char *folder,
	struct mf_bytes message, uint32_t flags, int64_t date);
/* The same from a file; 0 when it cannot be read. */
uint64_t memory_add_file(struct memory_world *w, const char *user, const char *folder,
	const char *path, uint32_t flags, int64_t date);

/* What another client does: false when there is no such item. keyword may be NULL. */
bool memory_flag(struct memory_world *w, const char *user, const char *folder, uint64_t id,
	uint32_t add, uint32_t remove, const char *keyword);
bool memory_expunge(struct memory_world *w, const char *user, const char *folder, uint64_t id);
/* The item's content cannot be read from now on: its id, flags and date are all that is known. */
bool memory_damage(
	struct memory_world *w, const char *user, const char *folder, uint64_t id, const char *why);

/* UIDVALIDITY changes: a new epoch, all items under new ids. */
void memory_new_epoch(struct memory_world *w, const char *user, const char *folder);
void memory_folder(struct memory_world *w, const char *user, const char *folder);
void memory_folder_as(
	struct memory_world *w, const char *user, const char *folder, enum mf_role role);
void memory_folder_drop(struct memory_world *w, const char *user, const char *folder);

/* What is there: ids of a folder, and one item (flags, keywords, date, size, and the whole message as
 * header) in an arena; NULL when it is not there. */
void memory_ids(struct memory_world *w, const char *user, const char *folder, struct mf_idset *out);
const struct mf_item *memory_item(struct memory_world *w, const char *user, const char *folder,
	uint64_t id, struct mf_arena *a);

/* ---- What was sent ---- */

struct memory_sent {
	const char *user, *from;
	const char *const *to; /* the accepted recipients */
	size_t n_to;
	struct mf_bytes message;
};

size_t memory_sent_count(struct memory_world *w);
/* The i-th message sent since the world began. */
const struct memory_sent *memory_sent(struct memory_world *w, size_t i, struct mf_arena *a);

/* ---- The directory ---- */

struct mf_person;

/* Adds a person or a group (copied; NULL texts are empty). A world without any has no directory:
 * its calls are MF_UNSUPPORTED. */
void memory_person(struct memory_world *w, const struct mf_person *person);
/* The person or group of that id belongs to the group from now on; false: no such group. */
bool memory_member(struct memory_world *w, const char *group, const char *id);

/* ---- Out-of-office replies ---- */

/* From now on there are some (each user's own), or there are none: MF_UNSUPPORTED, as at first. */
void memory_oof(struct memory_world *w, bool on);
/* Whom a user's replies know, as they were set last, with commas between; in the arena. */
const char *memory_oof_known(struct memory_world *w, const char *user, struct mf_arena *a);

/* ---- Faults ---- */

/* The calls that can be counted and made to fail. The last ones happen within a call, once an item. */
enum memory_call {
	MEMORY_LOGIN,
	MEMORY_FOLDERS,
	MEMORY_CHANGES,
	MEMORY_POLL,
	MEMORY_FETCH,
	MEMORY_STREAM,
	MEMORY_PUT,
	MEMORY_FLAG,
	MEMORY_MOVE,
	MEMORY_REMOVE,
	MEMORY_EMPTY,
	MEMORY_SEARCH,
	MEMORY_FOLDER_CREATE,
	MEMORY_FOLDER_RENAME,
	MEMORY_FOLDER_DELETE,
	MEMORY_EPOCH,
	MEMORY_SUBMIT,
	MEMORY_PEOPLE, /* any call of the directory */
	MEMORY_OOF_GET,
	MEMORY_OOF_SET,
	MEMORY_CHANGES_EVENT,
	MEMORY_FETCH_ITEM,
	MEMORY_MOVE_ITEM,
	MEMORY_CALLS /* their number */
};

/* "login", "changes", ...: a constant; and the reverse, MEMORY_CALLS for another name. */
const char *memory_call_name(enum memory_call call);
enum memory_call memory_call_find(const char *name);

enum memory_how {
	MEMORY_LATE = 1 << 0,	 /* the work is done first: only its answer is lost */
	MEMORY_CUT = 1 << 1,	 /* the session is unusable from then on */
	MEMORY_EXPIRED = 1 << 2, /* of a login: MF_REASON_EXPIRED */
	MEMORY_BLOCKED = 1 << 3, /* of a login: MF_REASON_BLOCKED */
};

/* The nth call from now on (1 is the next; 0: every one) fails with status. Several may be set. */
void memory_fail(struct memory_world *w, enum memory_call call, unsigned nth, enum mf_status status,
	unsigned how);
/* Each such call takes that long from now on; 0 ends it. */
void memory_delay(struct memory_world *w, enum memory_call call, unsigned ms);
/* The server is down (logins and all calls are MF_TEMPORARY, sessions are lost), or up again. */
void memory_down(struct memory_world *w, bool down);
/* All sessions are lost: their next call is MF_TEMPORARY, a new login works. */
void memory_drop(struct memory_world *w);
/* Ends all failures, delays and losses, zeroes the counts, restores all capabilities. */
void memory_reset(struct memory_world *w);

/* Calls so far; sessions that are logged in now. */
uint64_t memory_calls(struct memory_world *w, enum memory_call call);
unsigned memory_sessions(struct memory_world *w);

/* ---- Variants of servers ---- */

enum memory_capability {
	MEMORY_MOVE_IDS = 1 << 0,   /* move tells the new ids (COPYUID) */
	MEMORY_PUT_IDS = 1 << 1,    /* put tells the new id (APPENDUID) */
	MEMORY_IDENTITIES = 1 << 2, /* folders and items have identities (OBJECTID) */
	MEMORY_MODSEQ = 1 << 3,	    /* else all known items are told again (no CONDSTORE) */
	MEMORY_VANISHED = 1 << 4, /* else what is gone is found by mf_changes.known (no QRESYNC) */
	MEMORY_SPECIAL_USE = 1 << 5, /* roles other than the Inbox's are known */
	MEMORY_PREVIEWS = 1 << 6,    /* previews are to be had */
	MEMORY_EIGHT_BIT = 1 << 7,   /* submit takes bytes over 127 */
	MEMORY_AS_USER = 1 << 8,     /* submit knows who sends */
	MEMORY_ALL_CAPABILITIES = (1 << 9) - 1
};

/* What the server has from now on (all at first). */
void memory_capabilities(struct memory_world *w, unsigned capabilities);
/* The largest message for put and submit; 0: any. */
void memory_limit(struct memory_world *w, uint64_t bytes);

#endif
