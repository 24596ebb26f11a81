/*
 * What happened lately, for people who look after the gateway: counts of the last day in slots of five
 * minutes, and the last requests of each device. In memory, since the start of the process; bounded,
 * whatever devices come. What it means, problem.h knows. Any thread.
 */
#ifndef EAS_HISTORY_H
#define EAS_HISTORY_H

#include "eas/request.h"

enum {
	HISTORY_SLOTS = 288,
	HISTORY_SLOT_SECONDS = 300,
	HISTORY_EVENTS = 32,	/* of a device */
	HISTORY_DEVICES = 10000 /* beyond, those that were silent longest are forgotten */
};

struct history_slot {
	int64_t began;		    /* seconds since 1970, a multiple of HISTORY_SLOT_SECONDS */
	uint32_t requests, waits;   /* all; those of them that waited */
	uint32_t denied, failed;    /* 401 and 403; 5xx */
	uint32_t woken, woken_idle; /* waiting requests called again; those with nothing to tell */
	uint32_t items;
	uint64_t server_ms; /* waited for the mail server, by requests that did not wait for news */
};

struct history_event {
	int64_t at;	 /* of its end, seconds since 1970 */
	uint8_t command; /* index in eas_commands; 255: none of them */
	uint32_t digest; /* of query and (the beginning of the) body: the same is asked again */
	uint16_t http, status;
	uint32_t ms, server_ms; /* from first byte to answer; of that, for the mail server */
	uint32_t asked_ms;	/* waited: how long it was to wait */
	uint32_t items;
	bool waited; /* for news: its time says nothing */
	bool left;   /* its client went away while it waited */
};

struct eas_history;

struct eas_history *eas_history_new(void);
void eas_history_free(struct eas_history *h); /* NULL is fine */

/* Of query and (the beginning of the) body, to be kept as r->digest before either is forgotten. */
uint32_t eas_history_digest(const struct eas_request *r);

/* A request is done; a waiting one was called. h NULL: nothing. */
void eas_history_done(struct eas_history *h, const struct eas_request *r);
void eas_history_woken(struct eas_history *h, bool found);

/* The last day, oldest first, empty slots among them. */
void eas_history_slots(struct eas_history *h, struct history_slot out[HISTORY_SLOTS]);

/* A device's events, newest first; how many. */
size_t eas_history_device(struct eas_history *h, const char *user, const char *device_id,
	struct history_event out[HISTORY_EVENTS]);

/* Calls fn for each device with events since `since`, the latest first, until it says false; with the
 * lock held: fn must be short. */
void eas_history_each(struct eas_history *h, int64_t since,
	bool (*fn)(void *ctx, const char *user, const char *device_id,
		const struct history_event *events, size_t n),
	void *ctx);

#endif
