/* Commands, replies, EHLO, STARTTLS. */
#include "talk.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REPLY_LINES_MAX = 100, REPLY_LINE_LEN = 2048 };

enum mf_status
smtp_send(struct mf_session *s, struct mf_error *err, const char *fmt, ...)
{
	struct mf_buf b;
	enum mf_status st;
	va_list ap;
	char small[512];
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	mf_buf_init(&b, 0);
	if (n >= (int)sizeof(small)) { /* a token */
		uint8_t *to = mf_buf_reserve(&b, (size_t)n + 1);

		va_start(ap, fmt);
		vsnprintf((char *)to, (size_t)n + 1, fmt, ap);
		va_end(ap);
		mf_buf_commit(&b, (size_t)n);
	} else {
		mf_buf_add(&b, small, (size_t)n);
	}
	mf_buf_add_str(&b, "\r\n");
	st = net_stream_add(&s->wire, b.data, b.len, err);
	OPENSSL_cleanse(b.data, b.len);
	OPENSSL_cleanse(small, sizeof(small));
	mf_buf_deinit(&b);
	return st;
}

static void
append(char *to, size_t size, const char *text)
{
	size_t n = strlen(to);

	if (n + 1 < size)
		snprintf(to + n, size - n, "%s%s", n == 0 ? "" : " ", text);
}

static bool
is_reply(const char *line)
{
	return line[0] >= '2' && line[0] <= '5' && isdigit((unsigned char)line[1]) &&
	       isdigit((unsigned char)line[2]) &&
	       (line[3] == ' ' || line[3] == '-' || line[3] == '\0');
}

/* A capability line of EHLO's answer. */
static void
learn(struct mf_session *s, char *word)
{
	static const struct {
		const char *name;
		unsigned offer;
	} offers[] = { { "STARTTLS", SMTP_STARTTLS }, { "PIPELINING", SMTP_PIPELINING },
		{ "8BITMIME", SMTP_8BITMIME }, { "SMTPUTF8", SMTP_UTF8 }, { "SIZE", SMTP_SIZE } };
	static const struct {
		const char *name;
		unsigned mechanism;
	} mechanisms[] = { { "PLAIN", SMTP_AUTH_PLAIN }, { "LOGIN", SMTP_AUTH_LOGIN },
		{ "XOAUTH2", SMTP_AUTH_XOAUTH2 }, { "OAUTHBEARER", SMTP_AUTH_OAUTHBEARER } };
	char *save = NULL, *name = strtok_r(word, " =", &save);

	if (name == NULL)
		return;
	for (size_t i = 0; i < sizeof(offers) / sizeof(*offers); i++)
		if (strcasecmp(name, offers[i].name) == 0)
			s->offers |= offers[i].offer;
	if (strcasecmp(name, "SIZE") == 0) {
		const char *size = strtok_r(NULL, " ", &save);

		s->size_max = size == NULL ? 0 : strtoull(size, NULL, 10);
	}
	if (strcasecmp(name, "AUTH") != 0)
		return;
	while ((name = strtok_r(NULL, " =", &save)) != NULL)
		for (size_t i = 0; i < sizeof(mechanisms) / sizeof(*mechanisms); i++)
			if (strcasecmp(name, mechanisms[i].name) == 0)
				s->mechanisms |= mechanisms[i].mechanism;
}

static enum mf_status
read_lines(struct mf_session *s, struct smtp_reply *r, bool capabilities, struct mf_error *err)
{
	enum mf_status st = net_stream_flush(&s->wire, err);

	*r = (struct smtp_reply){ .code = 0 };
	for (int lines = 0; st == MF_OK; lines++) {
		char *line;
		bool last;

		st = net_stream_line(&s->wire, REPLY_LINE_LEN, &line, err);
		if (st != MF_OK)
			return st;
		if (!is_reply(line) || lines == REPLY_LINES_MAX)
			return net_stream_fail(&s->wire, err, "reply", "that is not SMTP");
		r->code = (unsigned)atoi(line);
		last = line[3] != '-';
		append(r->text, sizeof(r->text), lines == 0 || line[3] == '\0' ? line : line + 4);
		if (capabilities && lines > 0 && line[3] != '\0')
			learn(s, line + 4);
		if (last)
			return MF_OK;
	}
	return st;
}

enum mf_status
smtp_reply_read(struct mf_session *s, struct smtp_reply *r, struct mf_error *err)
{
	return read_lines(s, r, false, err);
}

enum mf_status
smtp_refusal(
	struct mf_session *s, const struct smtp_reply *r, const char *what, struct mf_error *err)
{
	enum mf_status st = r->code == 552 || r->code == 523 ? MF_TOO_LARGE
			    : r->code >= 500		     ? MF_REFUSED
							     : MF_TEMPORARY;

	if (r->code == 421)
		net_stream_fail(&s->wire, NULL, what, "the server closes the connection");
	return mf_fail(err, st, "smtp %s: %s: %s", s->backend->where.host, what, r->text);
}

static enum mf_status
hello(struct mf_session *s, struct mf_error *err)
{
	struct smtp_reply r;
	enum mf_status st;

	s->offers = s->mechanisms = 0;
	s->size_max = 0;
	st = smtp_send(s, err, "EHLO %s", s->backend->helo);
	if (st == MF_OK)
		st = read_lines(s, &r, true, err);
	if (st != MF_OK || r.code == 250)
		return st;
	if (r.code < 500)
		return smtp_refusal(s, &r, "EHLO", err);
	st = smtp_send(s, err, "HELO %s", s->backend->helo);
	if (st == MF_OK)
		st = smtp_reply_read(s, &r, err);
	return st != MF_OK || r.code == 250 ? st : smtp_refusal(s, &r, "HELO", err);
}

static enum mf_status
start_tls(struct mf_session *s, struct mf_error *err)
{
	struct smtp_reply r;
	enum mf_status st;

	if (!(s->offers & SMTP_STARTTLS))
		return net_stream_fail(&s->wire, err, "STARTTLS", "the server does not offer it");
	st = smtp_send(s, err, "STARTTLS");
	if (st == MF_OK)
		st = smtp_reply_read(s, &r, err);
	if (st == MF_OK && r.code != 220)
		return net_stream_fail(&s->wire, err, "STARTTLS", r.text);
	if (st == MF_OK)
		st = net_stream_starttls(&s->wire, err);
	return st == MF_OK ? hello(s, err) : st;
}

enum mf_status
smtp_greet(struct mf_session *s, struct mf_error *err)
{
	struct smtp_reply r;
	enum mf_status st = smtp_reply_read(s, &r, err);

	if (st == MF_OK && r.code != 220) {
		net_stream_fail(&s->wire, NULL, "greeting", r.text);
		return mf_fail(
			err, MF_TEMPORARY, "smtp %s: greeting: %s", s->backend->where.host, r.text);
	}
	if (st == MF_OK)
		st = hello(s, err);
	if (st == MF_OK && s->backend->where.starttls)
		st = start_tls(s, err);
	return st;
}
