/*
 * Details of follow-up flags as part of what a device holds. They are not on the mail server (state/flag.h),
 * so that no event of the server tells when another phone changes them: a digest of them stands in the
 * upper half of a mark's flags, and is held against the state at each Sync.
 */
#ifndef SYNC_DETAILS_H
#define SYNC_DETAILS_H

#include "state/flag.h"
#include "sync/snapshot.h"

#define SYNC_DETAILS 0xffff0000u /* of sync_mark.flags */

/* What these details make of a mark's flags; 0 for none. */
uint32_t sync_details_mark(struct mf_bytes details);

/* Items that the device holds with other details than these (all that are kept of the folder) are told as
 * changed from now on, others no longer for their sake. */
void sync_details_settle(struct sync_snapshot *s, const struct state_flags *flags);

/* The same with what the state keeps of a folder. */
enum mf_status sync_details_refresh(struct state *st, uint32_t user, uint32_t folder,
	struct sync_snapshot *s, struct mf_error *err);

#endif
