/* The client's commands of one collection on their way, for sync_commands.c and sync_changes.c. */
#ifndef EAS_CMD_SYNC_BATCH_H
#define EAS_CMD_SYNC_BATCH_H

#include "eas/cmd/sync.h"

/* One Change or Delete on its way. */
struct sync_change {
	const struct wbxml_node *node;
	uint64_t id;
	uint32_t add, remove; /* mf_flags */
	const char **add_keywords, **remove_keywords;
	bool draft;	      /* its content changes: sync_drafts.c */
	bool has_flag;	      /* Flag is there */
	struct mf_bytes flag; /* what to keep of it (map/flag.h) */
	unsigned status;      /* EAS_OK until something is wrong */
	bool done;	      /* taken by a batch */
};

struct sync_batch {
	struct eas_request *r;
	struct sync_collection *c;
	struct sync_change *list;
	size_t n;
	struct sync_response *responses;
	size_t n_responses;
};

/* Adds the response to a command; fetch: the item whose content goes with it, 0 for none. */
void sync_batch_respond(
	struct sync_batch *b, const struct wbxml_node *command, unsigned status, uint64_t fetch);

/* Reads what a Change asks for into ch, of which node and id are given. ch->status tells what is wrong. */
void sync_change_read(struct sync_batch *b, struct sync_change *ch);

/* Carries out all Changes of the batch, but for the content of drafts, and answers those that failed. A failure
 * that concerns the whole request is returned. */
enum mf_status sync_changes_run(struct sync_batch *b, struct mf_error *err);

#endif
