/* One collection while it is told, for sync_items.c and sync_responses.c. */
#ifndef EAS_CMD_SYNC_TELLING_H
#define EAS_CMD_SYNC_TELLING_H

#include "eas/cmd/sync.h"

/* Items being fetched and written. */
struct sync_telling {
	struct eas_request *r;
	struct sync_collection *c;
	struct sync_budget *budget;
	struct sync_told **wanted; /* ascending by id */
	size_t n;
	bool *postponed;      /* of wanted: did not fit into the budget */
	uint64_t *identities; /* of wanted, once written */
	size_t written;
	uint64_t planned; /* bytes of content asked for */
	int64_t since;	  /* what is older is told for its conversation only; 0: nothing is */
	struct email_view view;
};

/* Writes an item whole: in Commands (Add) or in Responses (Fetch). */
void sync_item_write(struct sync_telling *t, uint16_t tag, const struct mf_item *item);

/* Writes Responses from the answer; nothing without any. */
enum mf_status sync_responses_write(struct sync_telling *t, struct mf_error *err);

#endif
