/*
 * Pages for people: the administrator's, and each user's own. Each has addresses of its own and is off
 * without them. No script, nothing from elsewhere; whatever a phone says of itself is shown as text.
 */
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include "http/server.h"

struct page_options {
	const struct mf_conf *conf; /* the top */
	struct state *state;
	struct backends *backends;
	struct eas_limits *limits;
	struct eas_history *history;
	struct http_server *phones; /* whose waiting requests are shown */
};

struct page;

/* Opens what admin_listen and self_listen name; *out is NULL when they name nothing. MF_INVALID: the
 * settings contradict each other, or an address cannot be listened on. What options name must outlive
 * it. */
enum mf_status page_open(
	const struct page_options *options, struct page **out, struct mf_error *err);
void page_close(struct page *p); /* NULL is fine */

/* Checks the settings, at start and for `mailferry check`. */
enum mf_status page_validate(const struct mf_conf *top, struct mf_error *err);

/* A hash for the setting admin_password; NULL: the system cannot make one. In the arena. */
const char *page_password_hash(struct mf_arena *a, const char *password);

/* Ports, for tests; 0: not open. */
unsigned page_admin_port(const struct page *p);
unsigned page_self_port(const struct page *p);

#endif
