/* Questions to the server, with a deadline and a most of answers. Knows no people. */
#include <string.h>

#include "dir.h"

enum { UNDER_WAY_MAX = 8 };

/* One question under way. */
struct asking {
	struct mf_session *s;
	const struct dir_question *q;
	size_t told;
	bool more;
	struct berval cookie; /* of the next page; bv_val NULL: none */
};

static struct timeval
left_until(int64_t until)
{
	int64_t ms = until - dir_now();

	if (ms < 0)
		ms = 0;
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

/* The connection still owes answers that nobody wants: better none. */
static void
give_up(struct mf_session *s, int id)
{
	ldap_abandon_ext(s->ld, id, NULL, NULL);
}

static enum mf_status
send_question(struct mf_session *s, const struct dir_question *q, LDAPControl **controls, int *id,
	struct mf_error *err)
{
	struct timeval limit = left_until(q->until);
	int code;

	s->deadline = q->until;
	limit.tv_sec += limit.tv_usec > 0;
	limit.tv_usec = 0;
	if (limit.tv_sec == 0)
		limit.tv_sec = 1;
	code = ldap_search_ext(s->ld, q->base, q->scope, q->filter, q->attributes, 0, controls,
		NULL, &limit, LDAP_NO_LIMIT, id);
	return dir_failed(s, code, "search", err);
}

/* The next message of an answer, to be freed by the caller. */
static enum mf_status
next_message(struct mf_session *s, int id, int64_t until, LDAPMessage **out, struct mf_error *err)
{
	struct timeval t = left_until(until);
	/* A server that never stops talking is out of time as well. */
	int got = dir_now() < until ? ldap_result(s->ld, id, LDAP_MSG_ONE, &t, out) : 0;

	if (got > 0)
		return MF_OK;
	s->failed = true;
	return dir_failed(s, got == 0 ? LDAP_TIMEOUT : LDAP_SERVER_DOWN, "search", err);
}

/* ---- Pages ---- */

static void
forget_cookie(struct asking *a)
{
	ber_memfree(a->cookie.bv_val);
	a->cookie = (struct berval){ .bv_len = 0 };
}

static enum mf_status
send_page(struct asking *a, int *id, struct mf_error *err)
{
	LDAPControl *page = NULL, *controls[2] = { NULL, NULL };
	size_t size = a->s->backend->page;
	enum mf_status st;
	int code = LDAP_SUCCESS;

	if (size > a->q->max - a->told + 1)
		size = a->q->max - a->told + 1;
	if (a->s->backend->page > 0) {
		code = ldap_create_page_control(a->s->ld, (ber_int_t)size,
			a->cookie.bv_val == NULL ? NULL : &a->cookie, 0, &page);
		controls[0] = page;
	}
	st = dir_failed(a->s, code, "page", err);
	if (st == MF_OK)
		st = send_question(a->s, a->q, controls, id, err);
	if (page != NULL)
		ldap_control_free(page);
	forget_cookie(a);
	return st;
}

static void
keep_cookie(struct asking *a, LDAPControl **controls)
{
	LDAPControl *page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	ber_int_t estimate;

	if (page == NULL || ldap_parse_pageresponse_control(
				    a->s->ld, page, &estimate, &a->cookie) != LDAP_SUCCESS)
		return;
	if (a->cookie.bv_len == 0)
		forget_cookie(a);
}

/* The end of a page. Limits of the server are no failure where something was told. */
static enum mf_status
take_result(struct asking *a, LDAPMessage *m, struct mf_error *err)
{
	LDAPControl **controls = NULL;
	int code = LDAP_OTHER;
	int parsed = ldap_parse_result(a->s->ld, m, &code, NULL, NULL, NULL, &controls, 0);

	if (parsed != LDAP_SUCCESS)
		return dir_failed(a->s, parsed, "search", err);
	keep_cookie(a, controls);
	ldap_controls_free(controls);
	if (code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_ADMINLIMIT_EXCEEDED ||
		(code == LDAP_TIMELIMIT_EXCEEDED && a->told > 0)) {
		a->more = true;
		forget_cookie(a);
		return MF_OK;
	}
	return dir_failed(a->s, code, "search", err);
}

/* Reads one page to its end, or to the one entry too many. */
static enum mf_status
read_page(struct asking *a, int id, struct mf_error *err)
{
	bool end = false;
	enum mf_status st = MF_OK;

	while (st == MF_OK && !end) {
		LDAPMessage *m = NULL;

		st = next_message(a->s, id, a->q->until, &m, err);
		if (st != MF_OK)
			return st;
		switch (ldap_msgtype(m)) {
		case LDAP_RES_SEARCH_ENTRY:
			if (a->told == a->q->max)
				a->more = true;
			else if ((st = a->q->entry(a->q->ctx, m)) == MF_OK)
				a->told++;
			break;
		case LDAP_RES_SEARCH_RESULT:
			st = take_result(a, m, err);
			end = true;
			break;
		default: /* a referral: not followed */
			break;
		}
		ldap_msgfree(m);
		if (!end && (st != MF_OK || a->more)) {
			give_up(a->s, id);
			end = true;
		}
	}
	return st;
}

enum mf_status
dir_ask(struct mf_session *s, const struct dir_question *q, bool *more, struct mf_error *err)
{
	struct asking a = { .s = s, .q = q };
	enum mf_status st;
	int id;

	*more = false;
	do {
		st = send_page(&a, &id, err);
		if (st == MF_OK)
			st = read_page(&a, id, err);
	} while (st == MF_OK && a.cookie.bv_val != NULL && !a.more);
	forget_cookie(&a);
	*more = a.more;
	return st;
}

/* ---- Entries by name ---- */

/* One entry, or none, and the result. */
static enum mf_status
read_one(struct mf_session *s, int id, const struct dir_question *q, struct mf_error *err)
{
	for (;;) {
		LDAPMessage *m = NULL;
		int type, code = LDAP_OTHER;
		enum mf_status st = next_message(s, id, q->until, &m, err);

		if (st != MF_OK)
			return st;
		type = ldap_msgtype(m);
		if (type == LDAP_RES_SEARCH_ENTRY)
			st = q->entry(q->ctx, m);
		else if (type == LDAP_RES_SEARCH_RESULT &&
			 ldap_parse_result(s->ld, m, &code, NULL, NULL, NULL, NULL, 0) ==
				 LDAP_SUCCESS)
			st = dir_failed(s, code, "read", err);
		ldap_msgfree(m);
		if (st != MF_OK && type != LDAP_RES_SEARCH_RESULT)
			give_up(s, id);
		if (type == LDAP_RES_SEARCH_RESULT || st != MF_OK)
			return st;
	}
}

enum mf_status
dir_look_up(struct mf_session *s, const char *const *names, size_t n, char **attributes,
	int64_t until, dir_entry_fn *entry, void *ctx, struct mf_error *err)
{
	struct dir_question q = { .filter = "(objectClass=*)",
		.scope = LDAP_SCOPE_BASE,
		.attributes = attributes,
		.max = 1,
		.until = until,
		.entry = entry,
		.ctx = ctx };
	int ids[UNDER_WAY_MAX];
	size_t sent = 0, read = 0;
	enum mf_status st = MF_OK;

	while (st == MF_OK && read < n) {
		while (st == MF_OK && sent < n && sent - read < UNDER_WAY_MAX) {
			q.base = names[sent];
			st = send_question(s, &q, NULL, &ids[sent % UNDER_WAY_MAX], err);
			sent += st == MF_OK;
		}
		if (read == sent)
			break;
		st = read_one(s, ids[read++ % UNDER_WAY_MAX], &q, err);
		if (st == MF_GONE || st == MF_REFUSED)
			st = MF_OK; /* no longer there, or not for us */
	}
	for (; read < sent && !s->failed; read++)
		give_up(s, ids[read % UNDER_WAY_MAX]);
	return st;
}
