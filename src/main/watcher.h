/* The bond between waiting requests, background work, the watchers of push and the worker pool. */
#ifndef MAIN_WATCHER_H
#define MAIN_WATCHER_H

#include "backend/registry.h"
#include "eas/request.h"
#include "push/watch.h"
#include "work/work.h"

struct watcher {
	struct eas_watcher eas; /* for struct eas_server */
	struct push *push;
	struct work_pool *pool;
	const struct eas_server *server; /* for background work */
};

/* Starts watching, when the store's backend can; else w->push is NULL, and requests are polled. Of
 * `server`, which must live as long, what background work needs is there already. */
enum mf_status watcher_open(struct watcher *w, const struct mf_conf *top,
	const struct eas_server *server, struct work_pool *pool, struct mf_error *err);
/* After the last request has ended. */
void watcher_close(struct watcher *w);

#endif
