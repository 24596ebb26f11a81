/* A Ping that waits, between ping.c (the request and its answer) and ping_look.c (is there news?). */
#ifndef EAS_CMD_PING_H
#define EAS_CMD_PING_H

#include "eas/cmd/sync.h"

struct ping_folder {
	const char *id; /* as the client names it */
	uint32_t number;
	const char *watched;  /* the backend's id, as whoever watches has it; NULL: not watched */
	struct mf_buf cursor; /* up to which nothing is to be told */
	uint64_t key;	      /* the device's newest when the cursor was taken */
	bool changed;
};

struct ping {
	uint32_t heartbeat; /* seconds */
	struct ping_folder *folders;
	size_t n;
	int64_t until;	      /* clock_ms */
	int64_t listed;	      /* clock_ms of the last look at the list of folders */
	const char **watched; /* the backend's ids, NULL at the end */
};

/* Are changed and removed items news, too? */
bool ping_wants_changes(const struct eas_request *r);

/* One look at everything, in the arena of the moment. *status: what to answer, 0 to wait; with EAS_PING_CHANGES the
 * folders that have changed are marked. */
enum mf_status ping_look(
	struct eas_request *r, struct ping *p, unsigned *status, struct mf_error *err);

/* The same from what a watcher has told alone (r->wait.arrived), without asking the mail server. True: there is news,
 * and the folders are marked; false: that cannot be said. */
bool ping_look_told(struct eas_request *r, struct ping *p);

#endif
