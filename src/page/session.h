/*
 * Who is logged in at the pages: a random name in a cookie stands for a row here. In memory only: a
 * restart logs everybody out. Any thread.
 */
#ifndef PAGE_SESSION_H
#define PAGE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/arena.h"

enum {
	SESSION_IDLE = 30 * 60,	     /* seconds without a request */
	SESSION_LIFE = 12 * 60 * 60, /* in all */
	SESSIONS_MAX = 1000,	     /* beyond, the one that was idle longest ends */
	SESSION_NAME = 64	     /* hexadecimal digits */
};

struct sessions;

struct session {
	const char *name;  /* for the cookie */
	const char *token; /* for forms: proves that a page of ours sent it */
	const char *user;  /* "" for the administrator */
};

struct sessions *sessions_new(void);
void sessions_free(struct sessions *s); /* NULL is fine */

/* Begins one; strings are in the arena. */
void session_begin(struct sessions *s, const char *user, struct mf_arena *a, struct session *out);
/* The session of a cookie (NULL is fine); false: none, or it is over. */
bool session_find(struct sessions *s, const char *name, struct mf_arena *a, struct session *out);
void session_end(struct sessions *s, const char *name);

/* ---- Tickets: what somebody may fetch once, without a login, for a few minutes ---- */

enum { TICKET_LIFE = 10 * 60, TICKETS_MAX = 200 };

/* Keeps a text (wiped when it is taken, or over), its name in the arena. */
const char *ticket_new(struct sessions *s, const char *text, size_t len, struct mf_arena *a);
/* NULL: no such ticket, taken already, or over. The text is in the arena. */
const char *ticket_take(struct sessions *s, const char *name, struct mf_arena *a, size_t *len);

#endif
