/*
 * Sync from the inside: what its files share. A request is parsed into plain structs
 * (sync_request.c); each collection is loaded, brought up to date, changed as the client asks
 * (sync_commands.c, sync_changes.c) and told (sync_items.c); all are committed at once (sync.c).
 */
#ifndef EAS_CMD_SYNC_H
#define EAS_CMD_SYNC_H

#include "eas/commands.h"
#include "eas/map/email.h"
#include "state/collection.h"
#include "state/folder.h"
#include "sync/answer.h"
#include "sync/engine.h"

/* One Collection of the request. */
struct sync_asked {
	const struct wbxml_node *node;
	const char *key_text;
	const char *id; /* CollectionId */
	uint32_t folder;
	uint64_t window;
	bool changes;	    /* GetChanges, or its default */
	bool changes_asked; /* GetChanges is there and true */
	bool deletes_as_moves;
	bool conversations_asked;	   /* ConversationMode is there */
	const struct wbxml_node *commands; /* NULL: none */
};

struct sync_request {
	struct sync_asked *list;
	size_t n;
	uint64_t window; /* for all collections together */
	unsigned wait;	 /* seconds, 0: answer at once */
	bool has_commands;
	int64_t until; /* clock_ms: end of the wait */
	/* To be remembered for empty and partial requests; NULL: what is stored is right. */
	const struct state_keep *keep;
	struct sync_waiting *waiting; /* NULL: it has not waited yet */
};

/* Reads the request, with what is cached for an empty or a partial one (MS-ASCMD 2.2.1.21.1,
 * 2.2.3.134). NULL: the answer is already written (*verdict). */
struct sync_request *sync_request_read(struct eas_request *r, enum eas_verdict *verdict);

/* A collection's options: those of the request, else those stored (sticky). */
struct sync_options {
	uint32_t filter;
	bool client_wins;   /* Conflict 0 */
	uint64_t max_items; /* of the recipient information cache; 0: not said */
	struct body_options body;
	struct mf_bytes row; /* the Options elements as WBXML: what is stored */
	bool changed;	     /* row differs from what is stored */
};

/* Are there Options for one class twice, or more than two (MS-ASCMD 2.2.3.27.2, .6)? */
bool sync_options_clash(const struct wbxml_node *collection);

/* False: the options break the rules (status 4). */
bool sync_options_read(struct eas_request *r, const struct sync_asked *asked,
	struct mf_bytes stored, struct sync_options *out);

/* A collection while it is worked on. */
struct sync_collection {
	const struct sync_asked *asked;
	const struct state_folder *folder; /* NULL: there is none */
	struct state_collection stored;
	struct sync_options options;
	struct sync_snapshot snapshot;
	struct sync_answer answer;
	struct sync_source source;
	uint8_t digest[STATE_REQUEST_DIGEST];
	uint64_t base;	 /* the key that the client has; 0: it begins */
	uint64_t next;	 /* the new key; 0: none is made */
	bool replay;	 /* the stored answer is told again */
	unsigned status; /* of the collection */
	/* Of the items told as new: what they will be recognised by. Ascending. */
	struct state_identity *identities;
	size_t n_identities;
};

/* ---- Before and after (sync_open.c) ---- */

/* c->asked is given. Finds the folder, the options and the generation that the device has: base, replay and the
 * snapshot, or the status that refuses the collection. A collection that begins gets its first key. What it
 * holds is freed with the request's arena. */
enum mf_status sync_collection_open(struct eas_request *r, const struct state_folders *folders,
	struct sync_collection *c, struct mf_error *err);

/* What the collection has to store, out of the arena; false: nothing. */
bool sync_collection_store(struct mf_arena *a, struct sync_collection *c, struct state_commit *out);

/* The limits of one answer. */
struct sync_budget {
	uint64_t window;
	size_t bytes;
	int64_t until; /* clock_ms */
};

/* Carries out the client's commands, fills answer.responses, and changes the snapshot accordingly. A
 * failure that concerns the whole request is returned. */
enum mf_status sync_commands_run(
	struct eas_request *r, struct sync_collection *c, struct mf_error *err);

/* ---- Drafts (sync_drafts.c) ---- */

/* Is this Add or Change about a draft's content? Only from 16.0 on, in the folder for drafts. */
bool sync_draft_is(const struct eas_request *r, const struct sync_collection *c,
	const struct wbxml_node *command);
/* Carries it out; old: the item to be changed, 0 for Add. Sets out's status and server_id. A failure
 * that concerns the whole request is returned. */
enum mf_status sync_draft_save(struct eas_request *r, struct sync_collection *c,
	const struct wbxml_node *command, uint64_t old, struct sync_response *out,
	struct mf_error *err);

/* ---- What was added (sync_added.c) ---- */

/* What the client calls the attachments that a command adds, each followed by '\n'; "" without any. */
const char *sync_attached_names(struct mf_arena *a, const struct wbxml_node *command);
/* ApplicationData of a successful Add's response: the draft's conversation (MS-ASEMAIL 2.2.2.21), and the attachments
 * by the client's names with their FileReference (MS-ASAIRS 2.2.2.14). Nothing when the item is gone again. */
enum mf_status sync_added_write(struct eas_request *r, const struct sync_collection *c,
	const struct sync_response *s, struct mf_error *err);

/* ---- Waiting (sync_wait.c) ---- */

/* There is nothing to tell: remembers where the collections stand, in memory of the request that
 * outlives this run. */
void sync_wait_note(struct eas_request *r, struct mf_arena *lasting, struct sync_request *rq,
	const struct sync_collection *list);
/* Sets r->wait. */
enum eas_verdict sync_wait(struct eas_request *r, const struct sync_request *rq);
/* A request that waited is called again: true when there is certainly still nothing to tell, and time
 * left. */
bool sync_wait_quiet(struct eas_request *r, const struct sync_request *rq);

/* Writes Responses and Commands. What is told for the first time is chosen from the snapshot within
 * the budget and taken into it; a replay is told from the stored answer. */
enum mf_status sync_items_write(struct eas_request *r, struct sync_collection *c,
	struct sync_budget *budget, struct mf_error *err);

#endif
