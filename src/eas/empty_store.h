/*
 * The store of folders that phones see but that cannot hold anything: parents without mail of their
 * own, the Outbox, what a server refuses to make. They are always empty; nothing can be put into them.
 */
#ifndef EAS_EMPTY_STORE_H
#define EAS_EMPTY_STORE_H

#include "eas/request.h"
#include "state/folder.h"

extern const struct mf_store_api eas_empty_store;

/* The store to ask about a folder (r's, the empty one, the recipient information cache), and the session
 * for it, of this run. */
const struct mf_store_api *eas_store_of(const struct eas_request *r, const struct state_folder *f);
struct mf_session *eas_session_of(struct eas_request *r, const struct state_folder *f);

#endif
