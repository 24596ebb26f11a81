/* The Sieve backend's face: its settings, its functions, a session's beginning and end. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "sieve.h"

static const struct mf_setting settings[] = {
	{ .name = "url",
		.type = MF_SETTING_STRING,
		.value = "sieve://localhost",
		.help = "The ManageSieve server of the mail server: sieve://host, with :port where "
			"it is "
			"not 4190." },
	NET_TLS_SETTINGS("sieve"),
	{ .name = "script",
		.type = MF_SETTING_STRING,
		.value = "mailferry",
		.help = "The name of the script that holds out-of-office replies; no other is "
			"changed." },
	{ .name = "domains",
		.type = MF_SETTING_LIST,
		.value = "{}",
		.help = "Domains that are internal besides each user's own." },
	{ .name = "days",
		.type = MF_SETTING_NUMBER,
		.value = "7",
		.min = 1,
		.max = 365,
		.help = "Days between two replies to the same sender." },
	{ .name = "connect_timeout",
		.type = MF_SETTING_DURATION,
		.value = "10s",
		.min = 1,
		.max = 300,
		.help = "How long connecting may take, TLS and greeting included." },
	{ .name = "command_timeout",
		.type = MF_SETTING_DURATION,
		.value = "15s",
		.min = 1,
		.max = 600,
		.help = "How long the server may take for one command." },
	{ .name = NULL },
};

static void
backend_close(struct mf_backend *b)
{
	net_endpoint_deinit(&b->where);
	free(b);
}

static enum mf_status
check(const struct mf_backend *b, struct mf_error *err)
{
	if (b->script[0] == '\0' || strlen(b->script) > SIEVE_NAME_MAX ||
		strpbrk(b->script, "\r\n/\\\"") != NULL)
		return mf_fail(err, MF_INVALID, "sieve: script: no name of a script");
	return MF_OK;
}

static enum mf_status
backend_open(const struct mf_conf *conf, struct mf_backend **out, struct mf_error *err)
{
	static const struct net_protocol protocol = { .name = "sieve", .port = "4190" };
	struct mf_backend *b = calloc(1, sizeof(*b));
	enum mf_status st;

	if (b == NULL)
		abort();
	/* A server that hangs up must not end the process: OpenSSL writes without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	b->script = mf_conf_string(conf, "script");
	b->domains = mf_conf_list(conf, "domains");
	b->days = (unsigned)mf_conf_number(conf, "days");
	st = check(b, err);
	if (st == MF_OK)
		st = net_endpoint_read(conf, &protocol, &b->where, err);
	if (st != MF_OK) {
		backend_close(b);
		return st;
	}
	*out = b;
	return MF_OK;
}

static void
session_close(struct mf_session *s)
{
	sieve_goodbye(s);
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
		st = sieve_greet(s, err);
	if (st == MF_OK)
		st = sieve_authenticate(s, who, err);
	if (st != MF_OK) {
		session_close(s);
		return st;
	}
	*out = s;
	return MF_OK;
}

/* A server that has something to say between two commands says goodbye. */
static bool
session_usable(const struct mf_session *s)
{
	return !s->wire.failed && !net_stream_readable(&s->wire);
}

static void
describe(struct mf_session *s, struct mf_buf *out)
{
	static const struct {
		unsigned extension;
		const char *without;
	} advice[] = {
		{ SIEVE_VACATION, "no vacation: no out-of-office replies" },
		{ SIEVE_INCLUDE, "no include: no replies for users with a script of their own" },
		{ SIEVE_DATE, "no date: no replies for a time" },
		{ SIEVE_RELATIONAL, "no relational: no replies for a time" },
	};

	mf_buf_printf(out, "sieve%s %s:%s, %s\n", s->wire.ssl != NULL ? " with TLS" : "",
		s->backend->where.host, s->backend->where.port, s->implementation);
	for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
		if (!(s->extensions & advice[i].extension))
			mf_buf_printf(out, "%s\n", advice[i].without);
}

const struct mf_backend_api mf_backend_sieve = {
	.abi = MF_BACKEND_ABI,
	.size = sizeof(struct mf_backend_api),
	.name = "sieve",
	.help = "Out-of-office replies by a ManageSieve server.",
	.settings = settings,
	.open = backend_open,
	.close = backend_close,
	.login = session_open,
	.logout = session_close,
	.usable = session_usable,
	.describe = describe,
	.oof = &sieve_oof,
};
