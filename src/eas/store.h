/*
 * The request's session of the store: got, renewed, given back. Commands see its items under the numbers
 * that phones know (sync/numbered.h).
 */
#ifndef EAS_STORE_SESSION_H
#define EAS_STORE_SESSION_H

#include "eas/request.h"

/* Sets r->store, r->store_api and r->store_name; waits at most so many milliseconds for a session. */
enum mf_status eas_store_open(struct eas_request *r, int64_t wait_ms, struct mf_error *err);
/* For a command that needs one only for some of what it does: the request's session, opened at the first call. */
enum mf_status eas_store_need(struct eas_request *r, struct mf_error *err);
/* Fine without one. */
void eas_store_close(struct eas_request *r);

#endif
