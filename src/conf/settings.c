/*
 * The one table of Mailferry's own settings. A new setting is a row here and the output of
 * `mailferry check --defaults` in conf/mailferry.conf. Backends bring their rows themselves.
 */
#include "conf/conf.h"

#define KB  1024
#define MB  (1024 * KB)
#define GB  (1024LL * MB)
#define DAY (24 * 3600)

static const char *const log_levels[] = { "error", "warning", "info", "debug", NULL };
static const char *const wipes[] = { "no", "account", "device", NULL };
static const char *const unknowns[] = { "again", "hold", NULL };
static const char *const copies[] = { "auto", "always", "never", NULL };
static const char *const senders[] = { "auto", "any", "domain", "own", NULL };
static const char *const certificate_names[] = { "email", "upn", "cn", NULL };
static const char *const token_logins[] = { "token", "master", NULL };
static const char *const stamps[] = { "auto", "yes", "no", NULL };

const struct mf_setting conf_settings[] = {
	/* Where it listens. */
	{ "listen", MF_SETTING_LIST, "{\"127.0.0.1:8080\"}", 0, 0, NULL,
		"Addresses for plain HTTP, to be used behind a proxy or for tests: \"host:port\", "
		"\"[::]:port\" or \"unix:/path\"." },
	{ "listen_tls", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Addresses for HTTPS, as in listen; needs tls_certificate and tls_key." },
	{ "metrics_listen", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Addresses, as in listen, for /metrics (Prometheus), /healthz, /readyz and "
		"`mailferry top`; without credentials, so not for the world." },
	{ "admin_listen", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Addresses, as in listen, of the administration page; needs admin_password. Plain "
		"HTTP: on loopback, or behind a proxy with HTTPS." },
	{ "admin_password", MF_SETTING_SECRET, "", 0, 0, NULL,
		"What `mailferry password` prints: the hash of the administration page's "
		"password." },
	{ "self_listen", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Addresses, as in listen, of the page on which users see and remove their devices; "
		"plain HTTP, to be used behind a proxy with HTTPS." },
	{ "tls_certificate", MF_SETTING_STRING, "", 0, 0, NULL,
		"File with the server's certificate and the chain behind it, PEM." },
	{ "tls_key", MF_SETTING_STRING, "", 0, 0, NULL,
		"File with the key of the certificate, PEM, without a passphrase." },
	{ "client_certificates", MF_SETTING_STRING, "", 0, 0, NULL,
		"PEM file of the roots that clients' certificates are checked by, and of lists of "
		"revoked ones; empty: clients are not asked for any." },
	{ "client_certificate_name", MF_SETTING_CHOICE, "email", 0, 0, certificate_names,
		"Where in a client's certificate the login name is: email or upn (of the "
		"alternative names), or cn." },
	{ "client_certificate_header", MF_SETTING_STRING, "", 0, 0, NULL,
		"Header in which a proxy of trusted_proxies that ends TLS shows its client's "
		"certificate, as \"X-SSL-Client-Cert\"; empty: none is looked at. The proxy must "
		"overwrite what clients send under that name." },
	{ "client_certificate_required", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"Whether nobody comes in without a certificate of his own, whatever else he "
		"has." },
	{ "tls_priorities", MF_SETTING_STRING,
		"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-AES-128-CBC:"
		"-AES-256-CBC:-AES-128-CCM:-AES-256-CCM:-SHA1:-GROUP-DH-ALL:%SERVER_PRECEDENCE",
		0, 0, NULL,
		"TLS versions and ciphers as a GnuTLS priority string. The default has ECDHE with "
		"AES-GCM or ChaCha20 only: iOS 9, Android 5 and later." },
	{ "trusted_proxies", MF_SETTING_LIST, "{\"127.0.0.1\", \"::1\", \"unix\"}", 0, 0, NULL,
		"Addresses or networks (\"10.0.0.0/8\") whose X-Forwarded-For and "
		"X-Forwarded-Proto are believed." },
	{ "proxy_protocol", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Addresses or networks of load balancers whose connections begin with a PROXY "
		"header (version 1 or 2) that tells the client's address; \"unix\" for our own "
		"sockets." },
	{ "run_as", MF_SETTING_STRING, "", 0, 0, NULL,
		"When started as root: the user to become once the addresses are bound and "
		"certificate, key and secrets are read; they can be root's alone." },
	{ "core_dumps", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"Whether a crash may leave a core file, which holds passwords of waiting phones." },

	/* What it serves. */
	{ "backends", MF_SETTING_LIST, "{\"imap\"}", 0, 0, NULL,
		"The backends that are opened; the first that has what a command needs answers "
		"it." },
	{ "default_domain", MF_SETTING_STRING, "", 0, 0, NULL,
		"Appended as @domain to login names without one; empty leaves names as they are." },
	{ "strip_domain", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"Log in at the backends with the part before the @ only." },

	{ "login_map", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Login names that stand for others, as \"anna=a.smith@example.org\", "
		"\"*@old.example=*@new.example\" or \"OLD\\\\*=*@old.example\"; the first rule "
		"that "
		"fits." },
	{ "logins", MF_SETTING_LIST, "{\"password\", \"application\", \"token\"}", 0, 0, NULL,
		"Ways to log in: password (the account's own), application (passwords that "
		"`mailferry apppassword` issues, one a device), token (OAuth 2, where a setting "
		"oauth_jwks or oauth_introspection says who vouches for them), certificate (the "
		"client's, alone; needs client_certificates and master_user)." },
	{ "master_user", MF_SETTING_STRING, "", 0, 0, NULL,
		"Master user of the mail server (Dovecot): logs in for devices whose account's "
		"password is not known; empty: application passwords keep it, sealed." },
	{ "master_password", MF_SETTING_SECRET, "", 0, 0, NULL, "Its password." },

	{ "recovery_secret", MF_SETTING_SECRET, "", 0, 0, NULL,
		"At least 16 letters that nobody guesses, best the content of a file: devices' "
		"recovery passwords are kept sealed under it, and who loses it loses them." },
	{ "oauth_jwks", MF_SETTING_STRING, "", 0, 0, NULL,
		"The keys (a JWK set) by which tokens are checked here: https://... or a file's "
		"path; needs oauth_issuer and oauth_audience." },
	{ "oauth_introspection", MF_SETTING_STRING, "", 0, 0, NULL,
		"Instead: the https:// address at which the issuer is asked about each token "
		"(RFC 7662)." },
	{ "oauth_client_id", MF_SETTING_STRING, "", 0, 0, NULL,
		"Our name at the issuer, for oauth_introspection." },
	{ "oauth_client_secret", MF_SETTING_SECRET, "", 0, 0, NULL, "Its password." },
	{ "oauth_certificates", MF_SETTING_STRING, "", 0, 0, NULL,
		"PEM file of roots that the issuer's certificate is checked by; empty: the "
		"system's." },
	{ "oauth_issuer", MF_SETTING_STRING, "", 0, 0, NULL,
		"What the claim iss of a token must be; empty: anything." },
	{ "oauth_audience", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"One of these must be in the claim aud of a token; none: anything." },
	{ "oauth_scope", MF_SETTING_STRING, "", 0, 0, NULL,
		"A word that must be in the claim scope of a token; empty: none." },
	{ "oauth_user_claim", MF_SETTING_STRING, "email", 0, 0, NULL,
		"The claim that is the login name: email, preferred_username, sub." },
	{ "oauth_login", MF_SETTING_CHOICE, "token", 0, 0, token_logins,
		"How the mail server is logged in to for a token: by the token itself "
		"(OAUTHBEARER or XOAUTH2) or by the master user." },
	{ "oauth_authorization_url", MF_SETTING_STRING, "", 0, 0, NULL,
		"Where a person signs in at the issuer: told to phones with a 401 and in Apple's "
		"profile." },
	{ "oauth_token_url", MF_SETTING_STRING, "", 0, 0, NULL,
		"Where a phone gets tokens, in Apple's profile." },

	{ "public_url", MF_SETTING_STRING, "", 0, 0, NULL,
		"What Autodiscover tells phones to use, as \"https://mail.example.org\"; empty: "
		"HTTPS "
		"at the host that they asked." },
	{ "autodiscover_imap", MF_SETTING_STRING, "", 0, 0, NULL,
		"IMAP server that Autodiscover tells Outlook of, as \"mail.example.org:993\"; "
		"empty: "
		"none." },
	{ "autodiscover_smtp", MF_SETTING_STRING, "", 0, 0, NULL,
		"The same for sending, as \"mail.example.org:465\" (TLS from the start) or with "
		":587." },

	/* Where it remembers. */
	{ "state_directory", MF_SETTING_STRING, "/var/lib/mailferry", 0, 0, NULL,
		"Directory of the state (may be deleted) and the records (back them up)." },
	{ "state_map_size", MF_SETTING_SIZE, "1G", MB, 4096 * GB, NULL,
		"Room for each of the two databases at start; they grow beyond it when needed." },
	{ "state_readers", MF_SETTING_NUMBER, "512", 16, 65536, NULL,
		"Threads and processes that may read the state at once." },
	{ "spool_directory", MF_SETTING_STRING, "/var/tmp", 0, 0, NULL,
		"Directory for request bodies that are too large for memory; on a disk, not in "
		"memory." },

	/* What it says. */
	{ "log_level", MF_SETTING_CHOICE, "info", 0, 0, log_levels,
		"From which level on lines are logged: error, warning, info or debug." },
	{ "log_timestamps", MF_SETTING_CHOICE, "auto", 0, 0, stamps,
		"Whether lines begin with the time; auto: not where systemd's journal adds it." },

	/* How much it takes. */
	{ "workers", MF_SETTING_NUMBER, "16", 1, 4096, NULL,
		"Threads that run requests; a waiting phone needs none." },
	{ "queue_limit", MF_SETTING_NUMBER, "1000", 1, 1000000, NULL,
		"Requests that may wait for a worker before others are sent away for a while." },
	{ "http_threads", MF_SETTING_NUMBER, "4", 1, 64, NULL,
		"Threads that read and write HTTP." },
	{ "connection_limit", MF_SETTING_NUMBER, "20000", 8, 1000000, NULL,
		"Connections at once; each waiting phone is one. Beyond, those give way that are "
		"slowest with their request." },
	{ "idle_timeout", MF_SETTING_DURATION, "75s", 1, 3600, NULL,
		"An open connection without a request is closed after this time." },
	{ "header_timeout", MF_SETTING_DURATION, "30s", 1, 3600, NULL,
		"A request's header must have arrived after this time." },
	{ "body_timeout", MF_SETTING_DURATION, "15m", 1, DAY, NULL,
		"A request's body must have arrived after this time." },
	{ "body_limit", MF_SETTING_SIZE, "64M", 64 * KB, 2 * GB, NULL,
		"Largest body of a request: the largest mail a phone can send, with a third "
		"added." },
	{ "body_memory", MF_SETTING_SIZE, "256k", KB, 64 * MB, NULL,
		"Bodies larger than this are kept in a file of spool_directory." },
	{ "spool_limit", MF_SETTING_SIZE, "2G", MB, 4096 * GB, NULL,
		"All bodies that are kept in files together." },
	{ "stop_timeout", MF_SETTING_DURATION, "30s", 1, 3600, NULL,
		"On a stop, requests that are under way may take this long." },

	/* How it synchronises. */
	{ "sync_window_max", MF_SETTING_NUMBER, "512", 1, 512, NULL,
		"Most items in one answer, whatever a phone asks for." },
	{ "sync_answer_bytes", MF_SETTING_SIZE, "4M", 64 * KB, GB, NULL,
		"An answer larger than this is cut, and the rest follows in the next." },
	{ "sync_answer_time", MF_SETTING_DURATION, "8s", 1, 30, NULL,
		"An answer that takes longer than this is cut; phones give up after 30 seconds." },
	{ "sync_cut_hint", MF_SETTING_STRING,
		"[This message is longer than this app loads: read the rest elsewhere]", 0, 0, NULL,
		"Stands at the end of a message that is cut for an app that never loads the rest "
		"(empty: nothing does)." },
	{ "sync_cut_hint_agents", MF_SETTING_LIST, "{\"Android-Mail/\"}", 0, 0, NULL,
		"Such apps: how their User-Agent begins (Gmail for Android)." },
	{ "sync_collections_max", MF_SETTING_NUMBER, "1000", 1, 100000, NULL,
		"Most folders in one Sync." },
	{ "sync_commands_max", MF_SETTING_NUMBER, "2000", 1, 1000000, NULL,
		"Most changes, deletions, additions and fetches that a phone may send in one Sync "
		"(Exchange takes 200, some phones send more)." },
	{ "estimate_collections_max", MF_SETTING_NUMBER, "1000", 30, 5000, NULL,
		"Most folders in one GetItemEstimate." },
	{ "moveitems_max", MF_SETTING_NUMBER, "1000", 1, 1000000, NULL,
		"Most items that one MoveItems may move." },
	{ "itemoperations_max", MF_SETTING_NUMBER, "100", 1, 1000000, NULL,
		"Most operations in one ItemOperations." },
	{ "meetingresponse_max", MF_SETTING_NUMBER, "100", 1, 1000000, NULL,
		"Most answers to meetings in one MeetingResponse." },
	{ "resolverecipients_max", MF_SETTING_NUMBER, "100", 1, 1000000, NULL,
		"Most recipients that one ResolveRecipients may name." },
	{ "validatecert_max", MF_SETTING_NUMBER, "100", 1, 10000, NULL,
		"Most certificates in one ValidateCert." },
	{ "recipient_cache", MF_SETTING_BOOL, "yes", 0, 0, NULL,
		"Whether phones (since 14.0) are shown a folder of those whom the user writes to, "
		"for "
		"completing addresses." },
	{ "heartbeat_min", MF_SETTING_DURATION, "60s", 1, 3540, NULL,
		"Shortest wait that a phone may ask for." },
	{ "heartbeat_max", MF_SETTING_DURATION, "59m", 60, 3540, NULL,
		"Longest wait that a phone may ask for; keep it below the time-outs of proxies." },

	/* How it sends. */
	{ "send_unknown", MF_SETTING_CHOICE, "again", 0, 0, unknowns,
		"When the connection broke after a mail had left and before the server's answer: "
		"again sends it once more, identical, so that receivers drop the twin; hold does "
		"not, and tells the user." },
	{ "send_copy", MF_SETTING_CHOICE, "auto", 0, 0, copies,
		"Whether we file the copy in Sent; auto: not where the server does (Gmail)." },
	{ "send_from", MF_SETTING_CHOICE, "auto", 0, 0, senders,
		"Which sender a phone may use: any that the mail server takes, those of the "
		"user's domain, or only the user's own address and send_from_also; auto: any "
		"where users log in to the mail server as themselves, which can judge it, else "
		"own." },
	{ "send_from_also", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Addresses that everybody may send from." },

	/* Whom it knows. */
	{ "redirects", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Users whose mailboxes another node serves, as "
		"\"*@b.example=https://b.example/Microsoft-Server-ActiveSync\"." },
	{ "access_rules", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Which devices may come in: the first rule that fits, as \"block type=Android*\", "
		"\"allow user=anna version=16.*\" or \"quarantine device=*\"; without one, all." },
	{ "login_failures", MF_SETTING_NUMBER, "30", 0, 1000000, NULL,
		"Wrong passwords of one user from one address in 15 minutes; then others are not "
		"tried "
		"any more; 0: no limit." },
	{ "login_failures_address", MF_SETTING_NUMBER, "300", 0, 1000000, NULL,
		"Wrong passwords from one address in 15 minutes, whoever's; 0: no limit." },
	{ "cloud_clients", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Addresses of applications that fetch mail from a cloud for many users, as "
		"\"52.125.*\" or \"52.96.0.0/14\": "
		"login_failures_address does not count for them." },
	{ "command_repeats", MF_SETTING_NUMBER, "120", 0, 1000000, NULL,
		"How often a device may send the very same command in a minute; 0: no limit." },
	{ "agent_changes", MF_SETTING_NUMBER, "0", 0, 1000, NULL,
		"How often the User-Agent of a device may change within agent_changes_time (2 in "
		"the specification); 0: as often as it likes." },
	{ "agent_changes_time", MF_SETTING_DURATION, "1d", 60, 365 * DAY, NULL,
		"See agent_changes." },
	{ "agent_block_time", MF_SETTING_DURATION, "14h", 60, 365 * DAY, NULL,
		"For how long a device is then not let in." },
	{ "credential_url", MF_SETTING_STRING, "", 0, 0, NULL,
		"Where users renew an expired password: told to phones with HTTP 457 when the mail "
		"server says that it has expired, or an application password has, and in the last "
		"14 "
		"days of one of those; empty: 401 as for a wrong one." },
	{ "tell_blocked", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"Whether phones get HTTP 456 when the mail server says that the account is closed "
		"(CONTACTADMIN), instead of 403." },
	{ "remote_wipe", MF_SETTING_CHOICE, "no", 0, 0, wipes,
		"What a device may be told to erase when an administrator asks for it: no "
		"(nothing), "
		"account (its account here, from version 16.1 on) or device (all that it holds)." },
	{ "trusted_certificates", MF_SETTING_STRING, "", 0, 0, NULL,
		"Roots (and lists of revoked certificates) that phones' questions about signed "
		"mail are answered by: a PEM file or a rehashed directory. Empty: the system's." },
	{ "certificate_directory", MF_SETTING_STRING, "", 0, 0, NULL,
		"Directory with people's certificates for encrypted mail, beside those of a "
		"directory: ADDRESS.pem, .cer or .p7b; empty: none." },
	{ "watch_linger", MF_SETTING_DURATION, "15m", 1, DAY, NULL,
		"How long a user's mailbox is watched, with the credentials in memory, after the "
		"last phone stopped waiting." },
	{ "watch_limit", MF_SETTING_NUMBER, "100000", 0, 10000000, NULL,
		"Users watched at once; the phones of others look for mail every half minute." },
	{ "waiting_limit", MF_SETTING_NUMBER, "0", 0, 1000000, NULL,
		"Requests that wait at once, of all users; more are sent away (503) for a minute. "
		"0: "
		"what connection_limit leaves." },
	{ "waiting_limit_user", MF_SETTING_NUMBER, "50", 0, 100000, NULL,
		"The same of one user, whatever the devices; 0: no limit." },
	{ "background_threads", MF_SETTING_NUMBER, "2", 1, 64, NULL,
		"Threads for work beside requests, done while a user's mailbox is watched: the "
		"index "
		"of conversations, rules that move them." },
	{ "background_every", MF_SETTING_DURATION, "15m", 0, DAY, NULL,
		"With a master_user: how often that work is done for all users who are known, "
		"whether their phones are near or not; 0: never." },
	{ "ping_changes", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"Wake a phone that waits (Ping, or a Sync that waits) for changed and deleted "
		"mail, "
		"too, not for new mail alone: other clients' reading costs its battery then." },
	{ "ping_folders_max", MF_SETTING_NUMBER, "300", 1, 10000, NULL,
		"Most folders that one Ping may name." },
	{ "auth_cache", MF_SETTING_DURATION, "5m", 0, DAY, NULL,
		"How long a good password is remembered (as a keyed hash) without asking again." },
	{ "auth_cache_failures", MF_SETTING_DURATION, "60s", 0, 3600, NULL,
		"How long a wrong password is remembered, so that it is not tried again and "
		"again." },
	{ "session_idle", MF_SETTING_DURATION, "60s", 0, DAY, NULL,
		"How long a session at a backend is kept for the user's next request." },
	{ "session_limit", MF_SETTING_NUMBER, "4", 1, 100, NULL,
		"Sessions at once at a backend for one user." },
	{ "session_total", MF_SETTING_NUMBER, "2000", 1, 1000000, NULL,
		"Sessions at once at all backends for all users." },
	{ "device_life", MF_SETTING_DURATION, "180d", DAY, 3650 * DAY, NULL,
		"A device that was not seen for this time is forgotten; it starts afresh when it "
		"comes again." },
	{ 0 },
};
