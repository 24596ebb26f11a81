/*
 * What all files of this backend share: the backend, a session, the folder that is selected in it.
 */
#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/backend.h"

#include "net/stream.h"

enum imap_caps {
	IMAP_CAP_STARTTLS = 1 << 0,
	IMAP_CAP_LOGINDISABLED = 1 << 1,
	IMAP_CAP_SASL_IR = 1 << 2,
	IMAP_CAP_PLAIN = 1 << 3,
	IMAP_CAP_XOAUTH2 = 1 << 4,
	IMAP_CAP_OAUTHBEARER = 1 << 5,
	IMAP_CAP_ENABLE = 1 << 6,
	IMAP_CAP_CONDSTORE = 1 << 7,
	IMAP_CAP_QRESYNC = 1 << 8,
	IMAP_CAP_UIDPLUS = 1 << 9,
	IMAP_CAP_MOVE = 1 << 10,
	IMAP_CAP_ESEARCH = 1 << 11,
	IMAP_CAP_LITERAL = 1 << 12, /* LITERAL+ or LITERAL- */
	IMAP_CAP_SPECIAL_USE = 1 << 13,
	IMAP_CAP_CREATE_USE = 1 << 14,
	IMAP_CAP_LIST_EXTENDED = 1 << 15,
	IMAP_CAP_LIST_STATUS = 1 << 16,
	IMAP_CAP_NAMESPACE = 1 << 17,
	IMAP_CAP_OBJECTID = 1 << 18,
	IMAP_CAP_PREVIEW = 1 << 19,
	IMAP_CAP_UNSELECT = 1 << 20,
	IMAP_CAP_GMAIL = 1 << 21,
	IMAP_CAP_FUZZY = 1 << 27,
	IMAP_CAP_REV2 = 1 << 23,
	IMAP_CAP_REV1 = 1 << 24,
	IMAP_CAP_NOTIFY = 1 << 25,
	IMAP_CAP_IDLE = 1 << 26,
	IMAP_CAP_ID = 1 << 27,
};

/* Where folders hang. Strings are owned by the session's arena. */
struct imap_namespace {
	const char *prefix;
	char delimiter; /* '\0': flat */
};

enum { IMAP_NAMESPACES_MAX = 32 };

struct imap_namespaces {
	bool known;
	struct imap_namespace personal;
	struct imap_namespace others[IMAP_NAMESPACES_MAX]; /* other users', then shared ones */
	size_t n_others, n_other_users;			   /* the first so many are other users' */
};

struct imap_selected {
	char *folder; /* NULL: none; owned */
	uint32_t uidvalidity, uidnext;
	uint64_t modseq; /* HIGHESTMODSEQ; 0: the folder has none */
	uint32_t exists;
	bool read_only;
	bool any_keyword;      /* PERMANENTFLAGS has \* */
	char *permanent_flags; /* " \Seen $Forwarded ", as sent; owned, NULL: all */
};

enum imap_watch_mode { IMAP_WATCH_AUTO, IMAP_WATCH_NOTIFY, IMAP_WATCH_IDLE };

struct mf_backend {
	struct net_endpoint where;
	const char *auth;	      /* auto, plain, login */
	const char *master_separator; /* "*" */
	bool shared, other_users, subscribed_only, preview;
	const char *const *ignore; /* capabilities not to use, NULL at the end */
	uint32_t max_folders;
	enum imap_watch_mode watch_mode;
	unsigned watch_notify_max;    /* watchers up to which auto takes NOTIFY */
	int64_t watch_poll_ms;	      /* of folders that only STATUS can tell about */
	int64_t watch_renew_ms;	      /* an IDLE is that old at most */
	int64_t watch_hibernation_ms; /* after which sessions of Dovecot hibernate; 0: never */
	unsigned watch_rate;	      /* logins a second when all watchers were lost */
	_Atomic unsigned watchers;
	_Atomic size_t ahead_bytes; /* content that all sessions hold of what was read ahead */
	char *roles[MF_ROLE_IMPORTANT + 1]; /* folder names from the settings, NULL: none; owned */
};

/* What the last call of `changes` told about; reading ahead begins from there. */
struct imap_told {
	char *folder; /* NULL: nothing; owned */
	uint32_t uidvalidity;
	uint64_t modseq;
};

enum { IMAP_NAME_MOST = 2000 }; /* bytes of a folder's name */

enum { IMAP_STOPS_MAX = 16, IMAP_PIPELINE_MAX = 64 };

struct imap_sink; /* reader.h */

struct mf_session {
	struct mf_backend *b;
	struct net_stream stream;
	struct mf_arena *arena; /* lives as long as the session */
	uint32_t caps;		/* imap_caps */
	bool caps_told;		/* since this was last set to false */
	bool authenticated;
	bool qresync; /* enabled */
	struct imap_namespaces names;
	struct imap_selected sel;

	/* Commands: command.c. */
	unsigned tag;	  /* of the last command begun */
	unsigned begun;	  /* commands in `out` */
	unsigned pending; /* commands sent whose end was not read */
	struct {
		unsigned tag;
		uint8_t condition, code;
	} ended[IMAP_PIPELINE_MAX];   /* ends that came before somebody waited, by tag */
	struct mf_buf out;	      /* commands not yet sent */
	bool injection;		      /* a string with CR or LF was to be sent */
	size_t stops[IMAP_STOPS_MAX]; /* offsets in out where the server's go-ahead is needed */
	size_t n_stops;
	const struct imap_sink *sink; /* who takes literals just now; NULL: nobody */
	bool lost;		      /* unusable: not in step, or the server said BYE */

	/* Reading ahead: ahead.c. */
	struct imap_ahead *ahead; /* NULL: nothing is read ahead */
	bool ahead_open;	  /* the call that sends commands looks after it */
	struct imap_told told;
	uint64_t ahead_used; /* items, for tests */
};

/* Connects, secures and authenticates. */
enum mf_status imap_session_open(struct mf_backend *b, const struct mf_login *who,
	struct mf_session **out, struct mf_error *err);
/* Says LOGOUT where that costs nothing, and frees. NULL is fine. */
void imap_session_close(struct mf_session *s);
bool imap_session_usable(const struct mf_session *s);
void imap_session_describe(struct mf_session *s, struct mf_buf *out);

/* The server's capabilities are these words now. */
void imap_session_set_caps(struct mf_session *s, struct mf_bytes words);

static inline bool
imap_can(const struct mf_session *s, uint32_t caps)
{
	return (s->caps & caps) == caps;
}

/* A failure that names the server. */
enum mf_status imap_fail(struct mf_session *s, struct mf_error *err, enum mf_status status,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
