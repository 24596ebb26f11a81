/*
 * A phone that costs nearly nothing: it sends what src/client builds, and of an answer only looks for
 * what it must know to go on. What is measured through it is the gateway.
 */
#ifndef TESTS_BENCH_LEAN_H
#define TESTS_BENCH_LEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/mailbox.h"
#include "client/sync.h"
#include "gateway.h"

struct lean;

/* A device of this user on one connection, without TLS. */
struct lean *lean_new(const struct gateway *g, const char *user, const char *device);
void lean_free(struct lean *l);

/* What an answer to Sync tells of its only collection. */
struct lean_result {
	size_t added, changed, deleted;
	size_t bytes;
	bool more, empty;
};

/* One Sync of the folder; its key moves on. Any status but 1 ends the program. */
struct lean_result lean_sync(
	struct lean *l, struct client_folder *f, const struct client_sync_options *o);

#endif
