/* A session: connect, secure, authenticate, learn what the server can. Knows no folder. */
#include "session.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ahead.h"
#include "command.h"
#include "etpan.h"

enum { OUT_MAX = 1 << 20 };

/* What a word of CAPABILITY means. */
static const struct {
	const char *word;
	uint32_t caps;
} words[] = {
	{ "STARTTLS", IMAP_CAP_STARTTLS },
	{ "LOGINDISABLED", IMAP_CAP_LOGINDISABLED },
	{ "SASL-IR", IMAP_CAP_SASL_IR },
	{ "AUTH=PLAIN", IMAP_CAP_PLAIN },
	{ "AUTH=XOAUTH2", IMAP_CAP_XOAUTH2 },
	{ "AUTH=OAUTHBEARER", IMAP_CAP_OAUTHBEARER },
	{ "ENABLE", IMAP_CAP_ENABLE },
	{ "CONDSTORE", IMAP_CAP_CONDSTORE },
	{ "QRESYNC", IMAP_CAP_QRESYNC | IMAP_CAP_CONDSTORE | IMAP_CAP_ENABLE },
	{ "UIDPLUS", IMAP_CAP_UIDPLUS },
	{ "MOVE", IMAP_CAP_MOVE },
	{ "ESEARCH", IMAP_CAP_ESEARCH },
	{ "LITERAL+", IMAP_CAP_LITERAL },
	{ "LITERAL-", IMAP_CAP_LITERAL },
	{ "SPECIAL-USE", IMAP_CAP_SPECIAL_USE },
	{ "CREATE-SPECIAL-USE", IMAP_CAP_CREATE_USE },
	{ "LIST-EXTENDED", IMAP_CAP_LIST_EXTENDED },
	{ "LIST-STATUS", IMAP_CAP_LIST_STATUS },
	{ "NAMESPACE", IMAP_CAP_NAMESPACE },
	{ "OBJECTID", IMAP_CAP_OBJECTID },
	{ "PREVIEW", IMAP_CAP_PREVIEW },
	{ "UNSELECT", IMAP_CAP_UNSELECT },
	{ "X-GM-EXT-1", IMAP_CAP_GMAIL },
	{ "SEARCH=FUZZY", IMAP_CAP_FUZZY },
	{ "NOTIFY", IMAP_CAP_NOTIFY },
	{ "IDLE", IMAP_CAP_IDLE },
	{ "ID", IMAP_CAP_ID },
	{ "IMAP4rev1", IMAP_CAP_REV1 },
	/* RFC 9051 made these a part of the protocol. */
	{ "IMAP4rev2", IMAP_CAP_REV2 | IMAP_CAP_SASL_IR | IMAP_CAP_ENABLE | IMAP_CAP_UIDPLUS |
			       IMAP_CAP_MOVE | IMAP_CAP_ESEARCH | IMAP_CAP_LITERAL |
			       IMAP_CAP_SPECIAL_USE | IMAP_CAP_LIST_EXTENDED |
			       IMAP_CAP_LIST_STATUS | IMAP_CAP_NAMESPACE | IMAP_CAP_UNSELECT |
			       IMAP_CAP_IDLE },
};

static bool
is_ignored(const struct mf_session *s, const char *word)
{
	for (const char *const *p = s->b->ignore; *p != NULL; p++)
		if (strcasecmp(*p, word) == 0)
			return true;
	return false;
}

void
imap_session_set_caps(struct mf_session *s, struct mf_bytes told)
{
	const char *list = (const char *)told.data;
	size_t len = told.len;

	s->caps = 0;
	s->caps_told = true;
	while (len > 0) {
		size_t n = 0;

		while (n < len && list[n] != ' ')
			n++;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strlen(words[i].word) == n &&
				strncasecmp(words[i].word, list, n) == 0 &&
				!is_ignored(s, words[i].word))
				s->caps |= words[i].caps;
		n += n < len;
		list += n;
		len -= n;
	}
}

static bool
has_caps(const struct mf_session *s)
{
	return (s->caps & (IMAP_CAP_REV1 | IMAP_CAP_REV2)) != 0;
}

/* imap_note takes the words as they pass. */
static enum mf_status
learn_caps(struct mf_session *s, struct mf_error *err)
{
	return imap_run(s, imap_command(s, "CAPABILITY"), NULL, NULL, NULL, err);
}

/* ---- Securing ---- */

static enum mf_status
starttls(struct mf_session *s, struct mf_error *err)
{
	enum mf_status status = MF_OK;

	if (!has_caps(s))
		status = learn_caps(s, err);
	if (status == MF_OK && !imap_can(s, IMAP_CAP_STARTTLS))
		status = imap_fail(
			s, err, MF_TEMPORARY, "no STARTTLS offered: not going on without TLS");
	if (status == MF_OK)
		status = imap_run(s, imap_command(s, "STARTTLS"), NULL, NULL, NULL, err);
	if (status == MF_OK)
		status = net_stream_starttls(&s->stream, err);
	s->caps = 0; /* what was said in plain text counts for nothing */
	return status == MF_OK || status == MF_TEMPORARY
		       ? status
		       : imap_fail(s, err, MF_TEMPORARY, "STARTTLS was refused");
}

/* ---- Authenticating ---- */

/* What is wrong: the credentials, or the moment? Old servers tell it in words only. */
static enum mf_status
login_status(const struct imap_result *r)
{
	static const char *const passing[] = { "too many", "simultaneous", "maximum number",
		"temporar", "try again", "later", "unavailable", "timed out", "timeout", "internal",
		"overload", "rate limit", NULL };

	if (r->condition == IMAP_BAD)
		return MF_TEMPORARY;
	switch (r->code) {
	case IMAP_CODE_AUTHENTICATIONFAILED:
	case IMAP_CODE_EXPIRED:
		return MF_AUTH;
	case IMAP_CODE_AUTHORIZATIONFAILED:
	case IMAP_CODE_CONTACTADMIN:
	case IMAP_CODE_NOPERM:
		return MF_REFUSED;
	case IMAP_CODE_NONE:
	case IMAP_CODE_OTHER:
	case IMAP_CODE_ALERT:
	case IMAP_CODE_CAPABILITY:
		for (size_t i = 0; passing[i] != NULL; i++)
			if (strcasestr(r->text, passing[i]) != NULL)
				return MF_TEMPORARY;
		return MF_AUTH;
	default:
		return MF_TEMPORARY;
	}
}

/* RFC 5530. */
static enum mf_reason
login_reason(const struct imap_result *r)
{
	if (r->code == IMAP_CODE_EXPIRED)
		return MF_REASON_EXPIRED;
	return r->code == IMAP_CODE_CONTACTADMIN ? MF_REASON_BLOCKED : MF_REASON_NONE;
}

static enum mf_status
judge(struct mf_session *s, const struct imap_result *r, struct mf_error *err)
{
	enum mf_status status;

	if (r->condition == IMAP_OK) {
		s->authenticated = true;
		return MF_OK;
	}
	imap_refused(s, r, "login", err);
	status = login_status(r);
	if (err != NULL) {
		err->status = status;
		err->reason = login_reason(r);
	}
	return status;
}

/* AUTHENTICATE with one message of ours; to a challenge after it (an OAuth refusal in JSON) we have
 * nothing to say but `giving_up`. */
static enum mf_status
converse(struct mf_session *s, unsigned tag, const char *message, const char *giving_up,
	struct imap_result *r, struct mf_error *err)
{
	enum mf_status status = imap_flush(s, err);

	for (int turn = 0; status == MF_OK && turn < 3; turn++) {
		bool go = false;

		status = imap_wait_continue(s, tag, &go, r, err);
		if (status != MF_OK || !go)
			return status;
		status = net_stream_write(&s->stream, message, strlen(message), err);
		message = giving_up;
	}
	s->lost = true;
	return status != MF_OK ? status
			       : imap_fail(s, err, MF_TEMPORARY, "AUTHENTICATE does not end");
}

static enum mf_status
authenticate(struct mf_session *s, const char *mechanism, const struct mf_buf *message,
	const char *giving_up, struct imap_result *r, struct mf_error *err)
{
	size_t room = 4 * ((message->len + 2) / 3) + 3;
	char *text = malloc(room);
	enum mf_status status;
	unsigned tag;
	int n;

	if (text == NULL)
		abort();
	n = EVP_EncodeBlock((unsigned char *)text, message->data, (int)message->len);
	imap_begin(s);
	imap_putf(s, "AUTHENTICATE %s", mechanism);
	if (imap_can(s, IMAP_CAP_SASL_IR)) {
		imap_put(s, " ");
		imap_put(s, text);
	}
	tag = imap_end(s);
	memcpy(text + n, "\r\n", 3);
	status = converse(
		s, tag, imap_can(s, IMAP_CAP_SASL_IR) ? giving_up : text, giving_up, r, err);
	explicit_bzero(text, room);
	explicit_bzero(s->out.data, s->out.cap);
	free(text);
	return status;
}

static enum mf_status
with_token(struct mf_session *s, const struct mf_login *who, struct imap_result *r,
	struct mf_error *err)
{
	bool bearer = imap_can(s, IMAP_CAP_OAUTHBEARER);
	struct mf_buf m;
	enum mf_status status;

	if (!bearer && !imap_can(s, IMAP_CAP_XOAUTH2))
		return imap_fail(s, err, MF_REFUSED, "the server takes no OAuth tokens");
	mf_buf_init(&m, 0);
	if (bearer)
		mf_buf_printf(&m, "n,a=%s,\1host=%s\1port=%s\1auth=Bearer %s\1\1", who->user,
			s->b->where.host, s->b->where.port, who->token);
	else
		mf_buf_printf(&m, "user=%s\1auth=Bearer %s\1\1", who->user, who->token);
	status = authenticate(
		s, bearer ? "OAUTHBEARER" : "XOAUTH2", &m, bearer ? "AQ==\r\n" : "\r\n", r, err);
	explicit_bzero(m.data, m.len);
	mf_buf_deinit(&m);
	return status;
}

/* authorization identity NUL authentication identity NUL password (RFC 4616) */
static enum mf_status
with_plain(struct mf_session *s, const struct mf_login *who, struct imap_result *r,
	struct mf_error *err)
{
	struct mf_buf m;
	enum mf_status status;

	mf_buf_init(&m, 0);
	if (who->master != NULL)
		mf_buf_add_str(&m, who->user);
	mf_buf_add_byte(&m, 0);
	mf_buf_add_str(&m, who->master != NULL ? who->master : who->user);
	mf_buf_add_byte(&m, 0);
	mf_buf_add_str(&m, who->password);
	status = authenticate(s, "PLAIN", &m, "*\r\n", r, err);
	explicit_bzero(m.data, m.len);
	mf_buf_deinit(&m);
	return status;
}

static enum mf_status
with_login(struct mf_session *s, const struct mf_login *who, struct imap_result *r,
	struct mf_error *err)
{
	const char *user = who->user;

	if (who->master != NULL)
		user = mf_printf(
			s->arena, "%s%s%s", who->user, s->b->master_separator, who->master);
	return imap_etpan_login(s, user, who->password, r, err);
}

/* No server has a password with line ends; such bytes would be commands. */
static bool
sane(const char *text)
{
	return text == NULL || (strpbrk(text, "\r\n\1") == NULL && strlen(text) < 16384);
}

static enum mf_status
log_in(struct mf_session *s, const struct mf_login *who, struct mf_error *err)
{
	bool may_plain = imap_can(s, IMAP_CAP_PLAIN) && strcmp(s->b->auth, "login") != 0;
	bool may_login = !imap_can(s, IMAP_CAP_LOGINDISABLED) && strcmp(s->b->auth, "plain") != 0;
	struct imap_result r = { .condition = IMAP_BAD };
	enum mf_status status;

	if (who->user == NULL || who->user[0] == '\0' || !sane(who->user) || !sane(who->password) ||
		!sane(who->token) || !sane(who->master) ||
		(who->password == NULL && who->token == NULL))
		return imap_fail(s, err, MF_AUTH, "credentials that no server takes");
	if (who->token != NULL)
		status = with_token(s, who, &r, err);
	else if (may_plain)
		status = with_plain(s, who, &r, err);
	else if (may_login)
		status = with_login(s, who, &r, err);
	else
		return imap_fail(s, err, MF_REFUSED, "no way to log in: neither PLAIN nor LOGIN");
	return status == MF_OK ? judge(s, &r, err) : status;
}

/* ---- The whole ---- */

static enum mf_status
enable(struct mf_session *s, struct mf_error *err)
{
	struct imap_result r;

	if (!imap_can(s, IMAP_CAP_ENABLE | IMAP_CAP_CONDSTORE))
		return MF_OK;
	return imap_run(s,
		imap_command(
			s, "ENABLE %s", imap_can(s, IMAP_CAP_QRESYNC) ? "QRESYNC" : "CONDSTORE"),
		NULL, NULL, &r, err);
}

static enum mf_status
set_up(struct mf_session *s, const struct mf_login *who, struct mf_error *err)
{
	enum mf_status status = net_stream_open(&s->b->where, &s->stream, err);

	if (status == MF_OK)
		status = imap_etpan_greeting(s, err);
	if (status == MF_OK && s->b->where.starttls)
		status = starttls(s, err);
	if (status == MF_OK && !has_caps(s))
		status = learn_caps(s, err);
	if (status != MF_OK)
		return status;
	s->caps_told = false;
	status = log_in(s, who, err);
	if (status == MF_OK && !s->caps_told)
		status = learn_caps(s, err);
	return status == MF_OK ? enable(s, err) : status;
}

enum mf_status
imap_session_open(struct mf_backend *b, const struct mf_login *who, struct mf_session **out,
	struct mf_error *err)
{
	struct mf_session *s = calloc(1, sizeof(*s));
	enum mf_status status;

	if (s == NULL)
		abort();
	s->b = b;
	s->arena = mf_arena_new();
	mf_buf_init(&s->out, OUT_MAX);
	status = set_up(s, who, err);
	if (status != MF_OK) {
		s->lost = true;
		imap_session_close(s);
		return status;
	}
	*out = s;
	return MF_OK;
}

void
imap_session_close(struct mf_session *s)
{
	if (s == NULL)
		return;
	if (!s->lost && s->pending == 0) {
		net_stream_deadline(&s->stream, 0);
		net_stream_write(&s->stream, "A0 LOGOUT\r\n", 11, NULL);
	}
	net_stream_close(&s->stream);
	imap_ahead_free(s);
	mf_buf_deinit(&s->out);
	free(s->sel.folder);
	free(s->sel.permanent_flags);
	free(s->told.folder);
	mf_arena_free(s->arena);
	free(s);
}

/* A server that hangs up while a session rests says BYE first: whatever can be read is looked at. */
bool
imap_session_usable(const struct mf_session *s)
{
	if (s->lost || s->stream.failed)
		return false;
	if (s->ahead != NULL) /* something to read is no news: the end still is */
		return !net_stream_hung_up(&s->stream);
	return s->pending == 0 && !net_stream_readable(&s->stream);
}

void
imap_session_describe(struct mf_session *s, struct mf_buf *out)
{
	static const struct {
		uint32_t cap;
		const char *name, *without;
	} useful[] = {
		{ IMAP_CAP_QRESYNC, "QRESYNC",
			"deletions are found by comparing: slower in large folders" },
		{ IMAP_CAP_CONDSTORE, "CONDSTORE", "each check reads the flags of all messages" },
		{ IMAP_CAP_UIDPLUS, "UIDPLUS", "new ids of stored messages are not told" },
		{ IMAP_CAP_MOVE, "MOVE", "moving copies and deletes" },
		{ IMAP_CAP_ESEARCH, "ESEARCH", "long search results" },
		{ IMAP_CAP_SPECIAL_USE, "SPECIAL-USE",
			"folders' roles are guessed by their names" },
		{ IMAP_CAP_LIST_STATUS, "LIST-STATUS", "nothing much" },
		{ IMAP_CAP_OBJECTID, "OBJECTID",
			"folders renamed elsewhere are folders anew for phones" },
		{ IMAP_CAP_PREVIEW, "PREVIEW", "previews are made here" },
		{ IMAP_CAP_NOTIFY, "NOTIFY", "one folder a connection is watched" },
		{ IMAP_CAP_IDLE, "IDLE", "no push: folders are polled" },
	};

	mf_buf_printf(out, "server %s:%s, %s\n", s->b->where.host, s->b->where.port,
		s->stream.ssl != NULL ? SSL_get_version(s->stream.ssl) : "no TLS");
	for (size_t i = 0; i < sizeof(useful) / sizeof(useful[0]); i++) {
		if (imap_can(s, useful[i].cap))
			mf_buf_printf(out, "has %s\n", useful[i].name);
		else
			mf_buf_printf(out, "lacks %s: %s\n", useful[i].name, useful[i].without);
	}
}
