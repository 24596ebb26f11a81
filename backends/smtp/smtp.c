/* The SMTP backend's face: its settings, its functions, a session's beginning and end. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "talk.h"

static const char *const auth_modes[] = { "auto", "plain", "login", "xoauth2", "oauthbearer",
	"none", NULL };

static const struct mf_setting settings[] = {
	{ .name = "url",
		.type = MF_SETTING_STRING,
		.value = "smtp://localhost",
		.help = "The submission server: smtps://host or smtp://host, with :port where it "
			"is "
			"not 465 or 587." },
	NET_TLS_SETTINGS("smtp"),
	{ .name = "auth",
		.type = MF_SETTING_CHOICE,
		.value = "auto",
		.choices = auth_modes,
		.help = "How to log in; auto takes what the server offers, none sends without." },
	{ .name = "user",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "A relay account for everybody's mail; empty: each user's own login." },
	{ .name = "password",
		.type = MF_SETTING_SECRET,
		.value = "",
		.help = "The relay account's password." },
	{ .name = "helo",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "The name that we greet with; empty: this machine's." },
	{ .name = "connect_timeout",
		.type = MF_SETTING_DURATION,
		.value = "10s",
		.min = 1,
		.max = 300,
		.help = "How long connecting may take, TLS and greeting included." },
	{ .name = "command_timeout",
		.type = MF_SETTING_DURATION,
		.value = "60s",
		.min = 1,
		.max = 600,
		.help = "How long the server may take for one command." },
	{ .name = "data_timeout",
		.type = MF_SETTING_DURATION,
		.value = "5m",
		.min = 1,
		.max = 1200,
		.help = "How long the server may take to accept a message that has left." },
	{ .name = NULL },
};

static char *
copy(const char *s, size_t n)
{
	char *c = strndup(s, n);

	if (c == NULL)
		abort();
	return c;
}

static const struct net_protocol protocol = {
	.name = "smtp", .port = "587", .tls = "smtps", .tls_port = "465"
};

static void
backend_close(struct mf_backend *b)
{
	net_endpoint_deinit(&b->where);
	free(b->helo);
	free(b);
}

/* What stands in EHLO: a name without anything that could end the command. */
static char *
our_name(const char *setting)
{
	char name[256] = "";

	if (setting[0] != '\0')
		return copy(setting, strcspn(setting, " \t\r\n"));
	if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
		strcpy(name, "localhost");
	return copy(name, strcspn(name, " \t\r\n"));
}

static enum mf_status
backend_open(const struct mf_conf *conf, struct mf_backend **out, struct mf_error *err)
{
	struct mf_backend *b = calloc(1, sizeof(*b));
	enum mf_status st;

	if (b == NULL)
		abort();
	/* A server that hangs up must not end the process: OpenSSL writes without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	b->auth = mf_conf_string(conf, "auth");
	b->relay_user = mf_conf_string(conf, "user");
	b->relay_password = mf_conf_string(conf, "password");
	b->helo = our_name(mf_conf_string(conf, "helo"));
	b->data_ms = (int)mf_conf_number(conf, "data_timeout") * 1000;
	st = net_endpoint_read(conf, &protocol, &b->where, err);
	if (st != MF_OK) {
		backend_close(b);
		return st;
	}
	*out = b;
	return MF_OK;
}

/* ---- A session ---- */

static enum mf_status
log_in(struct mf_session *s, const struct mf_login *who, struct mf_error *err)
{
	const struct mf_backend *b = s->backend;
	const struct mf_login relay = { .user = b->relay_user, .password = b->relay_password };
	enum mf_status st;

	if (strcmp(b->auth, "none") == 0)
		return MF_OK;
	if (b->relay_user[0] == '\0')
		return smtp_authenticate(s, who, err);
	st = smtp_authenticate(s, &relay, err);
	/* It is not the user's password that is wrong. */
	return st == MF_AUTH ? mf_fail(err, MF_TEMPORARY, "smtp %s: the relay account is refused",
				       b->where.host)
			     : st;
}

static void
session_close(struct mf_session *s)
{
	if (!s->wire.failed && smtp_send(s, NULL, "QUIT") == MF_OK) {
		net_stream_deadline(&s->wire, 100);
		net_stream_flush(&s->wire, NULL);
	}
	net_stream_close(&s->wire);
	free(s);
}

static enum mf_status
session_open(struct mf_backend *b, const struct mf_login *who, struct mf_session **out,
	struct mf_error *err)
{
	struct mf_session *s = calloc(1, sizeof(*s));
	enum mf_status st;

	if (s == NULL)
		abort();
	s->backend = b;
	st = net_stream_open(&b->where, &s->wire, err);
	if (st == MF_OK)
		st = smtp_greet(s, err);
	if (st == MF_OK) {
		net_stream_deadline(&s->wire, b->where.command_ms);
		st = log_in(s, who, err);
	}
	if (st != MF_OK) {
		session_close(s);
		return st;
	}
	*out = s;
	return MF_OK;
}

/* A server that has something to say between two messages says goodbye. */
static bool
session_usable(const struct mf_session *s)
{
	return !s->wire.failed && !net_stream_readable(&s->wire);
}

static uint64_t
limit(struct mf_session *s)
{
	return s->size_max;
}

static bool
eight_bit(struct mf_session *s)
{
	return (s->offers & SMTP_8BITMIME) != 0;
}

static bool
as_user(struct mf_session *s)
{
	return strcmp(s->backend->auth, "none") != 0 && *s->backend->relay_user == '\0';
}

static void
describe(struct mf_session *s, struct mf_buf *out)
{
	static const struct {
		unsigned offer;
		const char *name;
	} offers[] = { { SMTP_PIPELINING, "PIPELINING" }, { SMTP_8BITMIME, "8BITMIME" },
		{ SMTP_UTF8, "SMTPUTF8" }, { SMTP_SIZE, "SIZE" } };

	mf_buf_printf(out, "smtp%s %s:%s", s->wire.ssl != NULL ? " with TLS" : "",
		s->backend->where.host, s->backend->where.port);
	for (size_t i = 0; i < sizeof(offers) / sizeof(*offers); i++)
		if (s->offers & offers[i].offer)
			mf_buf_printf(out, " %s", offers[i].name);
	if (s->size_max > 0)
		mf_buf_printf(out, "\nmessages up to %llu bytes", (unsigned long long)s->size_max);
	mf_buf_add_str(out, "\n");
}

static const struct mf_submit_api submit = {
	.size = sizeof(struct mf_submit_api),
	.limit = limit,
	.submit = smtp_submit,
	.eight_bit = eight_bit,
	.as_user = as_user,
};

const struct mf_backend_api mf_backend_smtp = {
	.abi = MF_BACKEND_ABI,
	.size = sizeof(struct mf_backend_api),
	.name = "smtp",
	.help = "Sending by an SMTP submission server.",
	.settings = settings,
	.open = backend_open,
	.close = backend_close,
	.login = session_open,
	.logout = session_close,
	.usable = session_usable,
	.describe = describe,
	.submit = &submit,
};
