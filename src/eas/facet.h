/*
 * A session of whichever backend has a facet besides the store's, for the time of a command. Knows sessions;
 * no facet.
 */
#ifndef EAS_FACET_H
#define EAS_FACET_H

#include "backend/registry.h"
#include "eas/request.h"

struct facet {
	struct eas_request *r;
	enum backend_facet which;
	const struct mf_backend_api *api; /* NULL: no backend has it */
	struct mf_session *session;
};

/* MF_OK also where no backend has the facet. Otherwise as backend_session_get; nothing is to be closed
 * then. */
enum mf_status facet_open(
	struct facet *f, struct eas_request *r, enum backend_facet which, struct mf_error *err);
void facet_close(struct facet *f);

/* Calls fn; and again with another session where it failed at once, as with a connection that had died
 * while it was idle. fn may be called twice: what it does must bear that. */
typedef enum mf_status facet_fn(struct facet *f, void *ctx, struct mf_error *err);
enum mf_status facet_ask(struct facet *f, facet_fn *fn, void *ctx, struct mf_error *err);

#endif
