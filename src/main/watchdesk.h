/* What is told about the process on addresses of its own: metrics, health, who waits. */
#ifndef MAIN_WATCHDESK_H
#define MAIN_WATCHDESK_H

#include "backend/registry.h"
#include "eas/waits.h"
#include "http/listen.h"
#include "http/server.h"
#include "push/watch.h"

struct watchdesk {
	struct eas_server eas;	  /* first: requests lead back to the desk by it */
	struct http_server *http; /* of the desk; NULL: there is none */
	struct work_pool *pool;
	struct http_listeners at; /* bound and not yet served */
	/* What it tells of. */
	struct http_server *phones;
	struct work_pool *phones_pool;
	struct backends *backends;
	struct state *state;
	struct push *push; /* may be NULL */
	struct eas_waits *waits;
	int64_t began;		 /* clock_wall */
	int64_t counted_at;	 /* clock_ms; 0: never */
	uint64_t users, devices; /* as counted then */
};

/* Binds the addresses of metrics_listen, if there are any: may need root's rights. */
enum mf_status watchdesk_bind(struct watchdesk *d, const struct mf_conf *top, struct mf_error *err);
/* Serves on what was bound; what is told of must be set. */
enum mf_status watchdesk_open(struct watchdesk *d, const struct mf_conf *top, struct mf_error *err);
void watchdesk_close(struct watchdesk *d);

#endif
