/*
 * What a phone does to keep a mailbox in step: FolderSync, Sync and Ping, each as building the request,
 * applying the answer to the picture, and both with the call between (MS-ASCMD 2.2.1.5, .21, .13).
 *
 * An answer that is not applied never happened for the picture: its keys stay, and the next request is
 * what a phone would send that lost the answer. Statuses are the protocol's numbers; 0: none was told.
 */
#ifndef CLIENT_SYNC_H
#define CLIENT_SYNC_H

#include "client/client.h"
#include "client/mailbox.h"

/* ---- FolderSync ---- */

struct client_hierarchy_result {
	unsigned status; /* 1: success */
	size_t added, changed, removed;
};

void client_hierarchy_build(const struct client_mailbox *m, struct mf_buf *out);
enum mf_status client_hierarchy_apply(struct client_mailbox *m, const struct client_answer *answer,
	struct client_hierarchy_result *out, struct mf_error *err);
enum mf_status client_hierarchy_sync(struct client *c, struct client_mailbox *m,
	struct client_hierarchy_result *out, struct mf_error *err);

/* ---- Sync ---- */

/* Begin with client_sync_defaults. */
struct client_sync_options {
	unsigned window;	  /* WindowSize of each collection; 0: not sent */
	unsigned window_all;	  /* of the whole answer; 0: not sent */
	int filter;		  /* FilterType; -1: not sent */
	unsigned body_type;	  /* 1, 2 or 4; 0: no BodyPreference */
	int64_t truncation;	  /* TruncationSize; -1: not sent */
	int mime_support;	  /* -1: not sent */
	int conversation_mode;	  /* -1: not sent */
	int conflict;		  /* -1: not sent */
	bool keep_bodies;	  /* in the picture */
	bool delete_for_good;	  /* DeletesAsMoves 0 */
	bool no_changes;	  /* GetChanges 0: only sends the user's edits */
	unsigned wait_min;	  /* Wait, in minutes; 0: not sent */
	unsigned heartbeat_s;	  /* HeartbeatInterval; 0: not sent */
	const char *const *fetch; /* ids of items to fetch, NULL at the end; NULL: none */
};
extern const struct client_sync_options client_sync_defaults;

struct client_sync_result {
	unsigned status; /* of the whole Sync, or of the last failed collection; 1: success */
	bool empty;	 /* the answer had no body: nothing has changed */
	bool more;	 /* of any collection */
	size_t added, changed, deleted, soft_deleted, fetched;
	size_t refused; /* the user's edits that the server did not take */
	unsigned refused_status;
};

/* Writes a request for n folders: their keys, options (not with key 0) and edits. */
void client_sync_build(struct client_folder *const *folders, size_t n,
	const struct client_sync_options *o, struct mf_buf *out);
/* Applies an answer (HTTP 200) to the folders that it names. MF_INVALID: not a Sync answer. */
enum mf_status client_sync_apply(struct client_folder *const *folders, size_t n,
	const struct client_sync_options *o, const struct client_answer *answer,
	struct client_sync_result *out, struct mf_error *err);

/* One exchange for n folders. */
enum mf_status client_sync_many(struct client *c, struct client_folder *const *folders, size_t n,
	const struct client_sync_options *o, struct client_sync_result *out, struct mf_error *err);
enum mf_status client_sync(struct client *c, struct client_folder *f,
	const struct client_sync_options *o, struct client_sync_result *out, struct mf_error *err);
/* From the folder's key on until no more is there; sums of all exchanges. Ends at a status other
 * than 1, and with MF_BROKEN when the server makes no progress. */
enum mf_status client_sync_all(struct client *c, struct client_folder *f,
	const struct client_sync_options *o, struct client_sync_result *out, struct mf_error *err);

/* ---- Ping ---- */

struct client_ping_result {
	unsigned status;    /* 1: nothing happened, 2: folders changed */
	unsigned heartbeat; /* the limit, with status 5 */
	unsigned max_folders;
	const char *const *changed; /* ids of folders, as long as the answer; NULL at the end */
};

/* folders n == 0: no body, the server's remembered Ping. */
void client_ping_build(
	unsigned heartbeat_s, struct client_folder *const *folders, size_t n, struct mf_buf *out);
/* changed lives in the arena. */
enum mf_status client_ping_parse(struct mf_arena *a, const struct client_answer *answer,
	struct client_ping_result *out, struct mf_error *err);
enum mf_status client_ping(struct client *c, struct mf_arena *a, unsigned heartbeat_s,
	struct client_folder *const *folders, size_t n, struct client_ping_result *out,
	struct mf_error *err);

#endif
