/* Logging in: AUTH PLAIN (RFC 4616), LOGIN, XOAUTH2, OAUTHBEARER (RFC 7628). */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "talk.h"

/* Base64 in memory that the caller wipes and frees. */
static char *
encode(const struct mf_buf *b)
{
	char *out = malloc(4 * ((b->len + 2) / 3) + 1);

	if (out == NULL)
		abort();
	EVP_EncodeBlock((unsigned char *)out, b->data, (int)b->len);
	return out;
}

static void
wipe(struct mf_buf *b, char *text)
{
	if (b->data != NULL)
		OPENSSL_cleanse(b->data, b->len);
	mf_buf_deinit(b);
	if (text != NULL)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}

/* Sends `before` and what b holds in base64, empties b, and reads the reply. */
static enum mf_status
say(struct mf_session *s, const char *before, struct mf_buf *b, struct smtp_reply *r,
	struct mf_error *err)
{
	char *text = encode(b);
	enum mf_status st = smtp_send(s, err, "%s%s", before, text);

	wipe(b, text);
	return st == MF_OK ? smtp_reply_read(s, r, err) : st;
}

static enum mf_status
auth_plain(struct mf_session *s, const struct mf_login *who, struct smtp_reply *r,
	struct mf_error *err)
{
	struct mf_buf b;

	mf_buf_init(&b, 0);
	if (who->master != NULL) /* authorised as the user, authenticated as the master */
		mf_buf_add_str(&b, who->user);
	mf_buf_add_byte(&b, 0);
	mf_buf_add_str(&b, who->master != NULL ? who->master : who->user);
	mf_buf_add_byte(&b, 0);
	mf_buf_add_str(&b, who->password);
	return say(s, "AUTH PLAIN ", &b, r, err);
}

static enum mf_status
auth_login(struct mf_session *s, const struct mf_login *who, struct smtp_reply *r,
	struct mf_error *err)
{
	const char *words[] = { who->user, who->password };
	enum mf_status st = smtp_send(s, err, "AUTH LOGIN");

	if (st == MF_OK)
		st = smtp_reply_read(s, r, err);
	for (size_t i = 0; i < 2 && st == MF_OK && r->code == 334; i++) {
		struct mf_buf b;

		mf_buf_init(&b, 0);
		mf_buf_add_str(&b, words[i]);
		st = say(s, "", &b, r, err);
	}
	return st;
}

/* A refused token's reasons come as a challenge, which wants an empty answer. */
static enum mf_status
finish_oauth(struct mf_session *s, const char *answer, struct smtp_reply *r, struct mf_error *err)
{
	enum mf_status st;

	if (r->code != 334)
		return MF_OK;
	st = smtp_send(s, err, "%s", answer);
	return st == MF_OK ? smtp_reply_read(s, r, err) : st;
}

static enum mf_status
auth_xoauth2(struct mf_session *s, const struct mf_login *who, struct smtp_reply *r,
	struct mf_error *err)
{
	enum mf_status st;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mf_buf_printf(&b, "user=%s\001auth=Bearer %s\001\001", who->user, who->token);
	st = say(s, "AUTH XOAUTH2 ", &b, r, err);
	return st == MF_OK ? finish_oauth(s, "", r, err) : st;
}

static enum mf_status
auth_bearer(struct mf_session *s, const struct mf_login *who, struct smtp_reply *r,
	struct mf_error *err)
{
	enum mf_status st;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mf_buf_printf(&b, "n,a=%s,\001host=%s\001port=%s\001auth=Bearer %s\001\001", who->user,
		s->backend->where.host, s->backend->where.port, who->token);
	st = say(s, "AUTH OAUTHBEARER ", &b, r, err);
	return st == MF_OK ? finish_oauth(s, "AQ==", r, err) : st;
}

static const struct way {
	const char *name; /* of the setting auth */
	unsigned mechanism;
	bool token;
	enum mf_status (*run)(struct mf_session *, const struct mf_login *, struct smtp_reply *,
		struct mf_error *);
} ways[] = {
	{ "oauthbearer", SMTP_AUTH_OAUTHBEARER, true, auth_bearer },
	{ "xoauth2", SMTP_AUTH_XOAUTH2, true, auth_xoauth2 },
	{ "plain", SMTP_AUTH_PLAIN, false, auth_plain },
	{ "login", SMTP_AUTH_LOGIN, false, auth_login },
};

static const struct way *
choose(const struct mf_session *s, const struct mf_login *who)
{
	bool any = strcmp(s->backend->auth, "auto") == 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		bool wanted = any ? (s->mechanisms & ways[i].mechanism) != 0
				  : strcmp(s->backend->auth, ways[i].name) == 0;

		if (wanted && ways[i].token == (who->token != NULL) &&
			(who->master == NULL || ways[i].mechanism == SMTP_AUTH_PLAIN))
			return &ways[i];
	}
	return NULL;
}

enum mf_status
smtp_authenticate(struct mf_session *s, const struct mf_login *who, struct mf_error *err)
{
	const struct way *way = choose(s, who);
	struct smtp_reply r;
	enum mf_status st;

	if (way == NULL)
		return mf_fail(err, MF_TEMPORARY,
			"smtp %s: no way to log in that both sides know (auth = none: without)",
			s->backend->where.host);
	st = way->run(s, who, &r, err);
	if (st != MF_OK || r.code == 235)
		return st;
	if (r.code == 534 || r.code == 535 || r.code == 530 || r.code == 501)
		return mf_fail(err, MF_AUTH, "smtp %s: AUTH: %s", s->backend->where.host, r.text);
	return mf_fail(err, MF_TEMPORARY, "smtp %s: AUTH: %s", s->backend->where.host, r.text);
}
