/*
 * Who waits, counted: limits of a user and of all, and what is learned from phones that are cut off while they
 * wait. In memory; any thread. Knows no command.
 */
#ifndef EAS_WAITS_H
#define EAS_WAITS_H

#include "eas/request.h"

struct eas_waits;

struct eas_waits *eas_waits_new(const struct mf_conf *top);
void eas_waits_free(struct eas_waits *w); /* NULL is fine */

/* A request goes to wait for the first time. False: too many wait already, it must not. */
bool eas_waits_begin(struct eas_waits *w, const struct eas_request *r);
/* One for which begin was true waits no more. What it was told, if anything, is in r: a client that left before
 * is noted. */
void eas_waits_end(struct eas_waits *w, const struct eas_request *r);

/* When (clock_ms) the wait of a request that asks for so many seconds ends. A device that was cut off three times
 * in a row after the same time is behind something that does so (a proxy's time-out): its waits end a tenth
 * earlier than that, for a day. */
int64_t eas_wait_until(const struct eas_request *r, int64_t seconds);

struct eas_waits_stats {
	uint64_t waiting, refused, cut_devices;
};
void eas_waits_stats(struct eas_waits *w, struct eas_waits_stats *out);

#endif
