/*
 * Whom the user has written to lately: counted from the mail in Sent, kept for each device, brought up
 * to date by what has come there since. Knows the store and the state.
 */
#ifndef EAS_RECENT_H
#define EAS_RECENT_H

#include "eas/people.h"

enum {
	RECENT_MAX = 300,  /* people that are remembered */
	RECENT_MAIL = 500, /* messages of Sent that are looked at the first time */
};

struct recent {
	const char *address, *name; /* name: "" where none was given */
	uint32_t count;		    /* of mails to this address */
	int64_t last;		    /* the last of them */
	uint64_t id;		    /* another one when anything of it has changed */
};

/* Whose, and by what. */
struct recent_of {
	struct state *state;
	struct mf_arena *arena;
	uint32_t user, device; /* numbers */
	const char *address;   /* the user's own */
	const struct mf_store_api *api;
	struct mf_session *session;
};

/* All that are remembered, those written to most often first, with what has come to Sent by now. n is 0 without a folder
 * for what was sent. */
enum mf_status recent_read(
	const struct recent_of *of, struct recent **out, size_t *n, struct mf_error *err);

/* The same for a request, as known half a minute ago at most; opens the request's session of the store where there is none. */
enum mf_status recent_load(
	struct eas_request *r, struct recent **out, size_t *n, struct mf_error *err);

/* As people_find: whose words match, in the order of recent_load. out->list has room for max. */
enum mf_status recent_find(struct eas_request *r, const char *text, bool exact, size_t max,
	struct people_list *out, struct mf_error *err);

#endif
