/* The IMAP backend's face: its settings, its functions. Knows no command. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mailferry/log.h"
#include "session.h"
#include "store.h"
#include "watch.h"

static const char *const starttls_modes[] = { "auto", "required", "never", NULL };
static const char *const watch_modes[] = { "auto", "notify", "idle", NULL }; /* imap_watch_mode */
static const char *const auth_modes[] = { "auto", "plain", "login", NULL };

static const struct mf_setting settings[] = {
	{ .name = "url",
		.type = MF_SETTING_STRING,
		.value = "imap://localhost",
		.help = "The IMAP server: imaps://host or imap://host, with :port where it is not "
			"the "
			"usual one." },
	{ .name = "starttls",
		.type = MF_SETTING_CHOICE,
		.value = "auto",
		.choices = starttls_modes,
		.help = "With imap://: encrypt before logging in; auto: yes, except to this "
			"machine "
			"itself." },
	{ .name = "verify",
		.type = MF_SETTING_BOOL,
		.value = "yes",
		.help = "Check the server's certificate and its name." },
	{ .name = "ca_file",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "Certificates to trust (PEM) instead of the system's." },
	{ .name = "tls_name",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "The name that the certificate has, where it is not the host's." },
	{ .name = "auth",
		.type = MF_SETTING_CHOICE,
		.value = "auto",
		.choices = auth_modes,
		.help = "How to log in with a password; auto takes what the server offers." },
	{ .name = "master_separator",
		.type = MF_SETTING_STRING,
		.value = "*",
		.help = "What stands between user and master user in a LOGIN command." },
	{ .name = "connect_timeout",
		.type = MF_SETTING_DURATION,
		.value = "10s",
		.min = 1,
		.max = 300,
		.help = "How long connecting may take, TLS and greeting included." },
	{ .name = "command_timeout",
		.type = MF_SETTING_DURATION,
		.value = "30s",
		.min = 1,
		.max = 600,
		.help = "How long the server may take for one command." },
	{ .name = "max_line",
		.type = MF_SETTING_SIZE,
		.value = "16M",
		.min = 65536,
		.max = 1 << 30,
		.help = "The longest answer of the server, without the content in it." },
	{ .name = "max_content",
		.type = MF_SETTING_SIZE,
		.value = "64M",
		.min = 65536,
		.max = 1 << 30,
		.help = "The most content that is held in memory for one message." },
	{ .name = "max_depth",
		.type = MF_SETTING_NUMBER,
		.value = "50",
		.min = 10,
		.max = 1000,
		.help = "The deepest nesting of parentheses in small answers." },
	{ .name = "max_folders",
		.type = MF_SETTING_NUMBER,
		.value = "5000",
		.min = 1,
		.max = 100000,
		.help = "The most folders of one user that are shown." },
	{ .name = "subscribed_only",
		.type = MF_SETTING_BOOL,
		.value = "no",
		.help = "Show only the folders to which the user has subscribed." },
	{ .name = "shared",
		.type = MF_SETTING_BOOL,
		.value = "no",
		.help = "Show the shared folders too." },
	{ .name = "other_users",
		.type = MF_SETTING_BOOL,
		.value = "no",
		.help = "Show the folders of other users that they share." },
	{ .name = "preview",
		.type = MF_SETTING_BOOL,
		.value = "yes",
		.help = "Ask the server for previews where it makes them." },
	{ .name = "ignore",
		.type = MF_SETTING_LIST,
		.value = "{}",
		.help = "Capabilities of the server not to use, because it has them wrong." },
	{ .name = "watch",
		.type = MF_SETTING_CHOICE,
		.value = "auto",
		.choices = watch_modes,
		.help = "How waiting phones learn of new mail: notify watches all folders at once, "
			"idle "
			"the Inbox only (the server may hibernate); auto: notify while the users "
			"are few." },
	{ .name = "watch_notify_max",
		.type = MF_SETTING_NUMBER,
		.value = "200",
		.min = 0,
		.max = 1000000,
		.help = "With watch = auto: up to so many watched users notify is taken, then "
			"idle." },
	{ .name = "watch_poll",
		.type = MF_SETTING_DURATION,
		.value = "3m",
		.min = 10,
		.max = 3600,
		.help = "With idle: how often the waited-for folders besides the Inbox are asked "
			"for." },
	{ .name = "drafts",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "The folder of drafts; empty: found by its attribute or name." },
	{ .name = "sent",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "The folder of sent messages; empty: found." },
	{ .name = "trash",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "The folder of deleted messages; empty: found." },
	{ .name = "junk",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "The folder of unwanted messages; empty: found." },
	{ .name = "archive",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "The archive; empty: found." },
	{ .name = "outbox",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "A folder shown as outbox; empty: found." },
	{ .name = NULL },
};

static const struct {
	const char *setting;
	enum mf_role role;
} role_settings[] = {
	{ "drafts", MF_ROLE_DRAFTS },
	{ "sent", MF_ROLE_SENT },
	{ "trash", MF_ROLE_TRASH },
	{ "junk", MF_ROLE_JUNK },
	{ "archive", MF_ROLE_ARCHIVE },
	{ "outbox", MF_ROLE_OUTBOX },
};

static char *
copy(const char *text, size_t len)
{
	char *s = strndup(text, len);

	if (s == NULL)
		abort();
	return s;
}

static void
backend_close(struct mf_backend *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < sizeof(b->roles) / sizeof(b->roles[0]); i++)
		free(b->roles[i]);
	free(b->where.host);
	free(b->where.port);
	free(b->where.tls_name);
	SSL_CTX_free(b->where.ctx);
	free(b);
}

/* imap://host:port, imaps://[::1] */
static bool
parse_url(const char *url, struct imap_endpoint *where)
{
	const char *host, *end, *port;

	where->tls = strncasecmp(url, "imaps://", 8) == 0;
	if (!where->tls && strncasecmp(url, "imap://", 7) != 0)
		return false;
	host = url + (where->tls ? 8 : 7);
	if (*host == '[') {
		host++;
		end = strchr(host, ']');
		if (end == NULL)
			return false;
		port = end + 1;
	} else {
		end = port = host + strcspn(host, ":/");
	}
	where->host = copy(host, (size_t)(end - host));
	if (*port == ':') {
		port++;
		where->port = copy(port, strspn(port, "0123456789"));
		port += strlen(where->port);
	} else {
		where->port = copy(where->tls ? "993" : "143", 3);
	}
	return end > host && where->port[0] != '\0' && (*port == '\0' || strcmp(port, "/") == 0);
}

static bool
is_this_machine(const char *host)
{
	struct in_addr in;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
		return true;
	return inet_pton(AF_INET, host, &in) == 1 && (ntohl(in.s_addr) >> 24) == 127;
}

static enum mf_status
read_endpoint(const struct mf_conf *conf, struct imap_endpoint *where, struct mf_error *err)
{
	const char *mode = mf_conf_string(conf, "starttls"),
		   *name = mf_conf_string(conf, "tls_name");

	if (!parse_url(mf_conf_string(conf, "url"), where))
		return mf_fail(err, MF_INVALID, "imap: url: not imap://host:port or imaps://host");
	where->starttls = !where->tls && strcmp(mode, "never") != 0 &&
			  (strcmp(mode, "required") == 0 || !is_this_machine(where->host));
	where->verify = mf_conf_bool(conf, "verify");
	where->tls_name = copy(name[0] != '\0' ? name : where->host, SIZE_MAX);
	where->connect_ms = (int)mf_conf_number(conf, "connect_timeout") * 1000;
	where->command_ms = (int)mf_conf_number(conf, "command_timeout") * 1000;
	where->max_line = (size_t)mf_conf_number(conf, "max_line");
	where->max_literal = (size_t)mf_conf_number(conf, "max_content");
	where->max_depth = (unsigned)mf_conf_number(conf, "max_depth");
	if (!where->tls && !where->starttls) {
		if (!is_this_machine(where->host))
			mf_log_warning("backend=imap warning=passwords-travel-in-plain-text");
		return MF_OK;
	}
	where->ctx = imap_tls_new(mf_conf_string(conf, "ca_file"), where->verify, err);
	return where->ctx == NULL ? MF_INVALID : MF_OK;
}

static enum mf_status
backend_open(const struct mf_conf *conf, struct mf_backend **out, struct mf_error *err)
{
	struct mf_backend *b = calloc(1, sizeof(*b));
	enum mf_status status;

	if (b == NULL)
		abort();
	/* A server that hangs up must not end the process: OpenSSL writes without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	b->auth = mf_conf_string(conf, "auth");
	b->master_separator = mf_conf_string(conf, "master_separator");
	b->shared = mf_conf_bool(conf, "shared");
	b->other_users = mf_conf_bool(conf, "other_users");
	b->subscribed_only = mf_conf_bool(conf, "subscribed_only");
	b->preview = mf_conf_bool(conf, "preview");
	b->ignore = mf_conf_list(conf, "ignore");
	for (unsigned i = 0; watch_modes[i] != NULL; i++)
		if (strcmp(watch_modes[i], mf_conf_string(conf, "watch")) == 0)
			b->watch_mode = i;
	b->watch_notify_max = (unsigned)mf_conf_number(conf, "watch_notify_max");
	b->watch_poll_ms = mf_conf_number(conf, "watch_poll") * 1000;
	b->max_folders = (uint32_t)mf_conf_number(conf, "max_folders");
	for (size_t i = 0; i < sizeof(role_settings) / sizeof(role_settings[0]); i++) {
		const char *folder = mf_conf_string(conf, role_settings[i].setting);

		if (folder[0] != '\0')
			b->roles[role_settings[i].role] = copy(folder, SIZE_MAX);
	}
	status = read_endpoint(conf, &b->where, err);
	if (status != MF_OK) {
		backend_close(b);
		return status;
	}
	*out = b;
	return MF_OK;
}

static const struct mf_store_api store = {
	.size = sizeof(struct mf_store_api),
	.folders = imap_folders,
	.changes = imap_changes,
	.poll = imap_poll,
	.fetch = imap_fetch,
	.stream = imap_stream_part,
	.put = imap_append,
	.flag = imap_flag,
	.move = imap_move,
	.remove = imap_remove,
	.empty = imap_empty,
	.search = imap_search,
	.folder_create = imap_folder_create,
	.folder_rename = imap_folder_rename,
	.folder_delete = imap_folder_delete,
};

const struct mf_backend_api mf_backend_imap = {
	.abi = MF_BACKEND_ABI,
	.size = sizeof(struct mf_backend_api),
	.name = "imap",
	.help = "Mail on an IMAP server.",
	.settings = settings,
	.open = backend_open,
	.close = backend_close,
	.login = imap_session_open,
	.logout = imap_session_close,
	.usable = imap_session_usable,
	.describe = imap_session_describe,
	.store = &store,
	.watch = &imap_watch,
};
