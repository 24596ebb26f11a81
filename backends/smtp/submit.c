/*
 * One message through the connection. What matters most is *sent: before the final dot has left it is
 * MF_SENT_NOT, behind it MF_SENT_UNKNOWN until the server has answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "talk.h"

/* Nothing that could end a command or its path; a blank within quotes (RFC 5321 4.1.2) can not. */
static bool
address_ok(const char *address, bool utf8)
{
	size_t n = strlen(address);
	bool quoted = false;

	if (n == 0 || n > 320)
		return false;
	for (const unsigned char *p = (const unsigned char *)address; *p != '\0'; p++) {
		if (*p < ' ' || *p == 0x7f || *p == '<' || *p == '>')
			return false;
		if ((*p == ' ' && !quoted) || (*p >= 0x80 && !utf8))
			return false;
		if (quoted && *p == '\\' && p[1] >= ' ' && p[1] < 0x7f && p[1] != '<' &&
			p[1] != '>')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	return !quoted;
}

static enum mf_status
check(struct mf_session *s, const struct mf_envelope *e, struct mf_error *err)
{
	const char *host = s->backend->where.host;
	bool utf8 = (s->offers & SMTP_UTF8) && e->utf8;

	if (e->n_to == 0)
		return mf_fail(err, MF_INVALID, "smtp: no recipients");
	if (e->utf8 && !(s->offers & SMTP_UTF8))
		return mf_fail(err, MF_REFUSED, "smtp %s: the server has no SMTPUTF8", host);
	if (s->size_max > 0 && e->size > s->size_max)
		return mf_fail(err, MF_TOO_LARGE, "smtp %s: the server takes %llu bytes", host,
			(unsigned long long)s->size_max);
	if (!address_ok(e->from, utf8))
		return mf_fail(err, MF_INVALID, "smtp: the sender is no address");
	return MF_OK;
}

static enum mf_status
send_from(struct mf_session *s, const struct mf_envelope *e, struct mf_error *err)
{
	char size[40] = "";

	if (s->offers & SMTP_SIZE)
		snprintf(size, sizeof(size), " SIZE=%llu", (unsigned long long)e->size);
	return smtp_send(s, err, "MAIL FROM:<%s>%s%s%s", e->from, size,
		(s->offers & SMTP_8BITMIME) && (e->eight_bit || e->utf8) ? " BODY=8BITMIME" : "",
		e->utf8 ? " SMTPUTF8" : "");
}

/* The transaction is given up; the connection stays good. */
static void
reset(struct mf_session *s)
{
	struct smtp_reply r;

	if (!s->wire.failed && smtp_send(s, NULL, "RSET") == MF_OK)
		smtp_reply_read(s, &r, NULL);
}

static enum mf_status
read_from(struct mf_session *s, struct mf_error *err)
{
	struct smtp_reply r;
	enum mf_status st = smtp_reply_read(s, &r, err);

	return st != MF_OK || r.code / 100 == 2 ? st : smtp_refusal(s, &r, "MAIL FROM", err);
}

struct recipients {
	size_t accepted;
	bool temporary; /* one was refused for now */
	char last[200]; /* the last refusal */
};

static enum mf_status
read_recipient(
	struct mf_session *s, struct mf_recipient *to, struct recipients *all, struct mf_error *err)
{
	struct smtp_reply r;
	enum mf_status st = smtp_reply_read(s, &r, err);

	if (st != MF_OK)
		return st;
	to->accepted = r.code / 100 == 2;
	all->accepted += to->accepted;
	if (to->accepted)
		return MF_OK;
	snprintf(to->reply, sizeof(to->reply), "%s", r.text);
	snprintf(all->last, sizeof(all->last), "%s", r.text);
	all->temporary = all->temporary || r.code / 100 == 4;
	return r.code == 421 ? smtp_refusal(s, &r, "RCPT TO", err) : MF_OK;
}

/* Recipients in groups, so that neither side's buffers fill up with unread replies. */
enum { GROUP = 100 };

static enum mf_status
send_recipients(struct mf_session *s, const struct mf_envelope *e, bool from_pending,
	struct recipients *all, struct mf_error *err)
{
	enum mf_status st = MF_OK, from = MF_OK;
	size_t group = s->offers & SMTP_PIPELINING ? GROUP : 1;

	for (size_t i = 0; st == MF_OK && i < e->n_to; i += group) {
		size_t end = e->n_to - i < group ? e->n_to : i + group;

		for (size_t j = i; st == MF_OK && j < end; j++)
			if (address_ok(e->to[j].address, e->utf8))
				st = smtp_send(s, err, "RCPT TO:<%s>", e->to[j].address);
		if (st == MF_OK && from_pending && i == 0)
			from = read_from(s, err);
		for (size_t j = i; st == MF_OK && !s->wire.failed && j < end; j++) {
			if (address_ok(e->to[j].address, e->utf8)) {
				st = read_recipient(s, &e->to[j], all, from == MF_OK ? err : NULL);
				continue;
			}
			snprintf(e->to[j].reply, sizeof(e->to[j].reply), "501 5.1.3 no address");
			snprintf(all->last, sizeof(all->last), "%s", e->to[j].reply);
		}
		if (from != MF_OK)
			return from;
	}
	return st;
}

static enum mf_status
envelope(struct mf_session *s, const struct mf_envelope *e, struct mf_error *err)
{
	bool pipelined = s->offers & SMTP_PIPELINING;
	struct recipients all = { .accepted = 0 };
	enum mf_status st = send_from(s, e, err);

	if (st == MF_OK && !pipelined)
		st = read_from(s, err);
	if (st == MF_OK)
		st = send_recipients(s, e, pipelined, &all, err);
	if (st == MF_OK && all.accepted == 0)
		st = mf_fail(err, all.temporary ? MF_TEMPORARY : MF_REFUSED,
			"smtp %s: no recipient was accepted: %s", s->backend->where.host, all.last);
	return st;
}

/* ---- The content ---- */

enum { PIECE = 128 << 10 }; /* read at a time */

/* The next dot of p that begins a line; NULL: none. */
static const char *
next_dot(const char *p, size_t n, bool bol)
{
	const char *from = p, *dot;

	while ((dot = memchr(from, '.', n - (size_t)(from - p))) != NULL) {
		if (dot == p ? bol : dot[-1] == '\n')
			return dot;
		from = dot + 1;
	}
	return NULL;
}

/* Dot-stuffing (RFC 5321 4.5.2): *bol says whether a line begins at p. */
static enum mf_status
add_stuffed(struct mf_session *s, const char *p, size_t n, bool *bol, struct mf_error *err)
{
	enum mf_status st = MF_OK;

	while (st == MF_OK && n > 0) {
		const char *dot = next_dot(p, n, *bol);
		size_t len = dot == NULL ? n : (size_t)(dot - p) + 1;

		st = net_stream_add(&s->wire, p, len, err); /* up to the dot and with it */
		if (st == MF_OK && dot != NULL)
			st = net_stream_add(&s->wire, ".", 1, err);
		*bol = dot == NULL && p[len - 1] == '\n';
		p += len;
		n -= len;
	}
	return st;
}

static enum mf_status
pass(struct mf_session *s, char *piece, uint64_t size, mf_read_fn *read, void *ctx,
	struct mf_error *err)
{
	uint64_t done = 0;
	bool bol = true;
	enum mf_status st = MF_OK;
	ssize_t n;

	while (st == MF_OK && (n = read(ctx, piece, PIECE)) != 0) {
		if (n < 0 || (done += (uint64_t)n) > size)
			return mf_fail(err, MF_INVALID, "smtp: the message could not be read");
		net_stream_deadline(&s->wire, s->backend->where.command_ms);
		st = add_stuffed(s, piece, (size_t)n, &bol, err);
	}
	if (st == MF_OK && done != size)
		return mf_fail(err, MF_INVALID, "smtp: the message ended early");
	if (st == MF_OK && !bol)
		st = net_stream_add(&s->wire, "\r\n", 2, err);
	return st == MF_OK ? net_stream_flush(&s->wire, err) : st;
}

static enum mf_status
content(struct mf_session *s, uint64_t size, mf_read_fn *read, void *ctx, struct mf_error *err)
{
	char *piece = malloc(PIECE);

	if (piece == NULL)
		abort();
	enum mf_status st = pass(s, piece, size, read, ctx, err);
	free(piece);
	return st;
}

static enum mf_status
finish(struct mf_session *s, enum mf_sent *sent, struct mf_error *err)
{
	struct smtp_reply r;
	enum mf_status st;

	*sent = MF_SENT_UNKNOWN;
	net_stream_deadline(&s->wire, s->backend->data_ms);
	st = net_stream_add(&s->wire, ".\r\n", 3, err);
	if (st == MF_OK)
		st = smtp_reply_read(s, &r, err);
	if (st != MF_OK)
		return st;
	*sent = r.code / 100 == 2 ? MF_SENT_YES : MF_SENT_NOT;
	return r.code / 100 == 2 ? MF_OK : smtp_refusal(s, &r, "after the content", err);
}

static enum mf_status
data(struct mf_session *s, const struct mf_envelope *e, mf_read_fn *read, void *ctx,
	enum mf_sent *sent, struct mf_error *err)
{
	struct smtp_reply r;
	enum mf_status st = smtp_send(s, err, "DATA");

	if (st == MF_OK)
		st = smtp_reply_read(s, &r, err);
	if (st == MF_OK && r.code != 354)
		st = smtp_refusal(s, &r, "DATA", err);
	else if (st == MF_OK) {
		st = content(s, e->size, read, ctx, err);
		if (st != MF_OK) /* half a message: only hanging up takes it back */
			net_stream_fail(&s->wire, NULL, "content", "given up");
	}
	return st == MF_OK ? finish(s, sent, err) : st;
}

enum mf_status
smtp_submit(struct mf_session *s, const struct mf_envelope *e, mf_read_fn *read, void *ctx,
	enum mf_sent *sent, struct mf_error *err)
{
	enum mf_status st;

	*sent = MF_SENT_NOT;
	for (size_t i = 0; i < e->n_to; i++) {
		e->to[i].accepted = false;
		e->to[i].reply[0] = '\0';
	}
	st = check(s, e, err);
	if (st != MF_OK)
		return st;
	net_stream_deadline(&s->wire, s->backend->where.command_ms);
	st = envelope(s, e, err);
	if (st == MF_OK)
		st = data(s, e, read, ctx, sent, err);
	if (*sent != MF_SENT_YES)
		for (size_t i = 0; i < e->n_to; i++)
			e->to[i].accepted = false;
	if (st != MF_OK && *sent == MF_SENT_NOT)
		reset(s);
	return st;
}
