/* The IMAP backend's face: its settings, its functions. Knows no command. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "store.h"
#include "watch.h"

static const char *const watch_modes[] = { "auto", "notify", "idle", NULL }; /* imap_watch_mode */
static const char *const auth_modes[] = { "auto", "plain", "login", NULL };

static const struct mf_setting settings[] = {
	{ .name = "url",
		.type = MF_SETTING_STRING,
		.value = "imap://localhost",
		.help = "The IMAP server: imaps://host or imap://host, with :port where it is not "
			"the "
			"usual one." },
	NET_TLS_SETTINGS("imap"),
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
	{ .name = "watch_renew",
		.type = MF_SETTING_DURATION,
		.value = "28m",
		.min = 5,
		.max = 29 * 60,
		.help = "With idle: how old a wait becomes before it is begun anew; servers may "
			"end "
			"it after 30 minutes." },
	{ .name = "watch_hibernation",
		.type = MF_SETTING_DURATION,
		.value = "30s",
		.min = 0,
		.max = 3600,
		.help = "With idle, of Dovecot: its imap_hibernate_timeout. It forgets mail that "
			"arrives in the half second before a session hibernates; so the Inbox is "
			"looked at once, 3 seconds after that moment. 0: never." },
	{ .name = "watch_rate",
		.type = MF_SETTING_NUMBER,
		.value = "200",
		.min = 1,
		.max = 1000000,
		.help = "Logins a second, about, when the server was away and all watched users "
			"come back." },
	{ .name = "watch_poll",
		.type = MF_SETTING_DURATION,
		.value = "3m",
		.min = 10,
		.max = 3600,
		.help = "With idle: how often the waited-for folders besides the Inbox, and the "
			"list of folders, are asked for." },
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
	net_endpoint_deinit(&b->where);
	free(b);
}

static const struct net_protocol protocol = {
	.name = "imap", .port = "143", .tls = "imaps", .tls_port = "993"
};

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
	b->watch_renew_ms = mf_conf_number(conf, "watch_renew") * 1000;
	b->watch_hibernation_ms = mf_conf_number(conf, "watch_hibernation") * 1000;
	b->watch_rate = (unsigned)mf_conf_number(conf, "watch_rate");
	b->max_folders = (uint32_t)mf_conf_number(conf, "max_folders");
	for (size_t i = 0; i < sizeof(role_settings) / sizeof(role_settings[0]); i++) {
		const char *folder = mf_conf_string(conf, role_settings[i].setting);

		if (folder[0] != '\0')
			b->roles[role_settings[i].role] = copy(folder, SIZE_MAX);
	}
	b->where.max_line = (size_t)mf_conf_number(conf, "max_line");
	b->where.max_literal = (size_t)mf_conf_number(conf, "max_content");
	b->where.max_depth = (unsigned)mf_conf_number(conf, "max_depth");
	status = net_endpoint_read(conf, &protocol, &b->where, err);
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
	.epoch = imap_epoch,
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
