/*
 * Out-of-office replies: the facet of a backend (backend.h) that keeps them where mail arrives.
 *
 * MF_TEMPORARY: the server is down or slow; MF_REFUSED: it will not keep what is wanted (rules of the
 * user's own are in the way); MF_UNSUPPORTED: there is no such thing after all.
 */
#ifndef MAILFERRY_OOF_H
#define MAILFERRY_OOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/error.h"

struct mf_session;

enum mf_oof_state {
	MF_OOF_OFF,
	MF_OOF_ON,
	MF_OOF_TIMED, /* from start until end */
};

/* Who gets a reply. */
enum mf_oof_audience {
	MF_OOF_INTERNAL, /* senders of the user's own domain */
	MF_OOF_KNOWN,	 /* others whom the user knows */
	MF_OOF_UNKNOWN,
	MF_OOF_AUDIENCES /* their number */
};

enum { MF_OOF_TEXT_MAX = 64 << 10 }; /* bytes of a text */

struct mf_oof_reply {
	bool enabled;	  /* it is sent while the user is away */
	bool html;	  /* text is HTML */
	const char *text; /* UTF-8; never NULL, "": none is set */
};

struct mf_oof {
	enum mf_oof_state state;
	int64_t start, end; /* seconds since 1970; of MF_OOF_TIMED, else 0 */
	struct mf_oof_reply reply[MF_OOF_AUDIENCES];
};

/* What `set` has to know of the user besides. */
struct mf_oof_user {
	const char *const
		*addresses;	  /* the user's own, the first in the replies; NULL at the end */
	const char *const *known; /* addresses of MF_OOF_KNOWN, NULL at the end */
};

struct mf_oof_api {
	uint32_t size; /* sizeof(struct mf_oof_api) */

	/* What is set, by whomever. Texts go to the arena. */
	enum mf_status (*get)(
		struct mf_session *s, struct mf_arena *a, struct mf_oof *out, struct mf_error *err);

	/* Replaces all of it, at once or not at all. MF_TOO_LARGE: a text over MF_OOF_TEXT_MAX, or over
	 * what the server takes. */
	enum mf_status (*set)(struct mf_session *s, const struct mf_oof *oof,
		const struct mf_oof_user *user, struct mf_error *err);
};

#endif
