/*
 * One ActiveSync request from its bytes to its answer.
 *
 * http (or a test) fills the first part, eas_run the rest. A request has one owner at a time: the
 * HTTP thread that collects it, then a worker, then the HTTP thread again. Everything hangs on its
 * arena.
 */
#ifndef EAS_REQUEST_H
#define EAS_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/backend.h"
#include "mailferry/buf.h"
#include "state/record.h"
#include "wbxml/wbxml.h"

struct backends; /* backend/registry.h: the opened backends, login check, session pool */
struct state;	 /* state/state.h */
struct eas_policies;
struct eas_limits;
struct tokens;
struct eas_waits;
struct eas_history;
struct eas_trace;
struct state_device;
struct eas_spool;
struct eas_command; /* eas/commands.h: a row of the table of commands */

/* What lives as long as the process and every request uses. Read-only after start. */
struct eas_server {
	const struct mf_conf *conf; /* the top section of the configuration */
	struct state *state;
	struct backends *backends;
	const struct eas_watcher *watcher;   /* NULL: waiting requests are only polled */
	const struct eas_policies *policies; /* eas/policy.h; NULL: no device must keep to any */
	struct eas_limits *limits;	     /* eas/limits.h; NULL: none */
	struct tokens *tokens;		     /* token/token.h; NULL: none are taken */
	struct eas_waits *waits;	     /* eas/waits.h; NULL: none */
	struct eas_history *history;	     /* eas/history.h; NULL: none */
	struct eas_trace *trace;	     /* eas/trace.h; NULL: none */
};

struct eas_request;

/* Whoever wakes a waiting request when its folders stir: given by main, so that eas knows no thread.
 * `begin` is called once, after the first look found nothing: r->wait says what to watch. From its
 * return on, whatever happens there sets r->wait.stirred and calls eas_run again. `sees` tells whether that
 * can be relied upon now; when it ends or begins, EAS_STIR_LOOK is told. `arrived` gives, once, what has come since
 * its last call; 0: nobody knows. `end` is called when the
 * request is over. `leave` is called when a device of the user is refused: unless others wait, what is kept for
 * its next wait can go. Any thread. */
struct eas_watcher {
	void *(*begin)(const struct eas_watcher *w, const struct eas_request *r);
	bool (*sees)(const struct eas_watcher *w, const void *handle);
	size_t (*arrived)(
		const struct eas_watcher *w, void *handle, struct mf_arrival *out, size_t max);
	void (*end)(const struct eas_watcher *w, void *handle); /* NULL is fine */
	void (*leave)(const struct eas_watcher *w, uint32_t user);
};

enum eas_verdict {
	EAS_DONE, /* the answer is ready */
	EAS_WAIT, /* nothing to tell yet: call eas_run again at wait.until or when something stirs */
	EAS_ASIDE, /* nothing is done yet: call eas_run again from where it may block, see eas_aside */
};

/* A login that nobody remembers asks a mail server, which may take seconds over a wrong one. Where its caller offers
 * it, that is not done among the other requests. */
enum eas_aside {
	EAS_ASIDE_NOT,	   /* not offered: logins are asked for on the spot */
	EAS_ASIDE_OFFERED, /* eas_run may return EAS_ASIDE, once */
	EAS_ASIDE_WANTED,  /* eas_who asks for it */
	EAS_ASIDE_NOW,	   /* as it wished */
	EAS_ASIDE_CROWDED, /* too many others are asked for: it is to answer without */
};

/* Protocol versions in ascending order; comparisons by < are meaningful. */
enum eas_version { EAS_12_1 = 121, EAS_14_0 = 140, EAS_14_1 = 141, EAS_16_0 = 160, EAS_16_1 = 161 };

struct eas_header {
	const char *name, *value;
};

enum { EAS_HEADERS_MAX = 16 };

struct eas_answer {
	unsigned http_status; /* 200, ... */
	struct eas_header headers[EAS_HEADERS_MAX];
	size_t n_headers;
	const char *content_type; /* sent only with a body */
	struct mf_buf body;	  /* freed by eas_request_deinit */
	struct eas_spool *spool;  /* spool.h: what of the body is not in memory; NULL: nothing */
};

/* Why a waiting request is called again. */
enum eas_stir {
	EAS_STIR_LOOK = 1 << 0,	   /* for no reason: the watching has begun, or ended */
	EAS_STIR_ITEMS = 1 << 1,   /* something happened in its folders */
	EAS_STIR_FOLDERS = 1 << 2, /* the list of folders may have changed */
	EAS_STIR_DECIDED = 1 << 3, /* an administrator has decided something about some device */
};

struct eas_wait {
	int64_t until;	 /* clock_ms: call again then at the latest */
	int64_t end;	 /* clock_ms: the wait as the client wants it is over */
	int64_t poll_ms; /* call again that often; 0: only at `until` or when woken */
	uint64_t group;	 /* the user's number: whoever stirs this user wakes it; 0: nobody */
	uint64_t one;	 /* the device's number: of its waiting requests the newest ends the others;
			  * 0: any number may wait */
	const char *const *folders; /* the backend's ids to watch, NULL at the end; NULL: none */
	bool settled;	  /* of the arena and of what http has given nothing is needed any more but
				     * what eas_request_settle keeps, and r->parsed */
	bool changes;	  /* changed and removed items are of interest, too */
	unsigned stirred; /* eas_stir, set by whoever wakes it; 0: time is up, or its poll due */
	int64_t stirred_us;		  /* clock_us: since when */
	const struct mf_arrival *arrived; /* with stirred: all that has come to the folders */
	size_t n_arrived;		  /* 0: not known */
	bool left;			  /* set with `ended`: the client is gone */
	bool ended; /* set by whoever ends it: answer now (a newer request, shutdown) */
};

struct eas_request {
	/* From the transport. Strings are in the arena, valid C strings. */
	struct mf_arena *arena;
	const struct eas_server *server;
	const char *id;	    /* short, unique in the process: for the log */
	const char *method; /* "POST", "OPTIONS" */
	const char *path;
	const char *query; /* what stands behind '?', undecoded; "" when there is none */
	const struct eas_header *headers;
	size_t n_headers;
	struct mf_bytes body;
	const char *peer; /* address of the client, for the log */
	bool tls;
	const char *certified; /* the name in the client's certificate, which is good; NULL: none */
	int64_t began;	       /* clock_ms */
	int64_t server_us;     /* waited for the mail server so far */
	uint32_t digest;       /* of query and body, where there is a history */
	enum eas_aside aside;

	/* From eas/request.c: the query, plain or base64 (MS-ASHTTP 2.2.1.1.1). */
	const char *command_name; /* as sent; NULL when there is none */
	const struct eas_command *command;
	enum eas_version version;
	const char *device_id, *device_type, *user_agent; /* device_id: canonical, see query.h */
	const char *policy_key; /* X-MS-PolicyKey as a decimal string; NULL when absent */
	const char *param_collection_id, *param_item_id, *param_long_id, *param_occurrence,
		*param_attachment_name, *param_user;
	bool save_in_sent, accept_multipart;

	/* From eas/dispatch.c, as the command's row asks for it. */
	struct mf_login login; /* wiped by eas_request_deinit */
	const char *user;      /* the user's name in the state and the log */
	int64_t password_expires; /* what logged in here; seconds since 1970; 0: never, or nobody knows */
	uint32_t user_number;
	struct state_device *device;
	struct state_record record; /* what an administrator has decided about the device */
	struct wbxml_node *root;    /* the decoded body; NULL when the request has none */
	struct mf_session *store;   /* a session of the store's backend, returned after the run */
	const struct mf_store_api *store_api;
	const char *store_name;	  /* name of that backend: the folders' store in the state */
	bool counted;		  /* among server->waits */
	void *watching;		  /* of server->watcher, while it waits; NULL: nobody wakes it */
	struct mf_arena *lasting; /* eas_request_lasting; NULL: none yet */
	void *parsed;		  /* the command's own parsed request, kept over EAS_WAIT */
	int64_t tended; /* clock_ms: eas/conversations.c last found nothing to do; 0: never */
	bool waited;	/* it is called again after EAS_WAIT */

	struct wbxml_writer writer; /* writes answer.body; begun by eas_reply_begin */
	struct eas_answer answer;
	struct eas_wait wait;
	unsigned status; /* the EAS status of the answer, for the log; 0: none */
	size_t items;	 /* told in the answer, for the log */
	char note[160];	 /* what the log line should tell besides: "items=12 more=1" */
};

/* The value of a request header, compared without case; NULL when absent. */
const char *eas_header(const struct eas_request *r, const char *name);

/* Adds a header to the answer (the value is copied into the arena). */
void eas_answer_header(struct eas_request *r, const char *name, const char *value);

/* Ends the request with an HTTP status and no body, with the headers that belong to that status
 * (Retry-After, WWW-Authenticate, Allow). why is for the log; a constant. */
enum eas_verdict eas_fail_http(struct eas_request *r, unsigned http_status, const char *why);

/* The address that the user sends from: the name in the state, as sent, or with default_domain,
 * whichever is an address first; else the bare name. In the arena. */
const char *eas_user_address(const struct eas_request *r);

/* Adds to the log line, blank-separated: eas_note(r, "items=%u", n). */
void eas_note(struct eas_request *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Starts a WBXML answer: status 200, its content type, the header, and the root element opened. What
 * was written before is dropped. */
void eas_reply_begin(struct eas_request *r, uint16_t root);
/* The Status of the whole answer, below the root, also for the log. */
void eas_reply_status(struct eas_request *r, unsigned status);
/* Closes the root. */
enum eas_verdict eas_reply_end(struct eas_request *r);

/* Runs a request, or goes on with one that waited. Blocks; called by a worker. Never fails: whatever
 * happens becomes an answer. Writes the summary line of the log when it is done. */
enum eas_verdict eas_run(struct eas_request *r);

/* Before a body of so many bytes is read: true when it is a mail larger than we, or the mail server as far
 * as it has told, take; then the answer says so (115; 507 before 14.0) and eas_run is not to be called. */
bool eas_refuse_large(struct eas_request *r, uint64_t length);

/* Of a request that waits and is `settled`: moves what is still needed into a small arena, and frees the old one
 * with its secrets wiped; r->arena is the new one. Called by the arena's owner. */
void eas_request_settle(struct eas_request *r);

/* Memory of the request that outlives eas_request_settle, and ends with it. */
struct mf_arena *eas_request_lasting(struct eas_request *r);

/* Wipes the credentials, frees answer.body. The arena is the owner's. */
void eas_request_deinit(struct eas_request *r);

#endif
