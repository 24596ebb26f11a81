/* Checks of what is on this host: certificate, addresses, directories, limits. */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "http/certificate.h"
#include "main/check.h"

enum { DAY = 24 * 3600, SOON_DAYS = 14, TMPFS = 0x01021994 };

static void
say_expiry(struct check *c, const struct http_certificate *cert)
{
	int64_t left = cert->not_after - clock_wall();
	time_t until = (time_t)cert->not_after;
	char date[32] = "";
	struct tm tm;

	strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&until, &tm));
	if (cert->not_before > clock_wall())
		check_say(c, CHECK_ERROR, "certificate", "is not valid yet");
	if (left < 0)
		check_say(c, CHECK_ERROR, "certificate", "expired on %s: phones refuse it", date);
	else
		check_say(c, left < SOON_DAYS * DAY ? CHECK_WARNING : CHECK_OK, "certificate",
			"%s (%s), valid until %s, %u in the chain",
			cert->names[0] == '\0' ? "no DNS name" : cert->names, cert->subject, date,
			cert->chain_length);
	if (cert->names[0] == '\0')
		check_say(
			c, CHECK_WARNING, "certificate", "has no subjectAltName: phones refuse it");
	if (cert->chain_length == 1)
		check_say(c, CHECK_ADVICE, "certificate",
			"stands alone: unless it is self-signed, add the intermediate certificates "
			"behind it (fullchain.pem)");
}

void
check_tls(struct check *c)
{
	const struct mf_conf *top = conf_top(c->conf);
	const char *certificate = mf_conf_string(top, "tls_certificate");
	const char *key = mf_conf_string(top, "tls_key");
	bool wanted = mf_conf_list(top, "listen_tls")[0] != NULL;
	struct mf_arena *a = mf_arena_new();
	struct http_certificate cert;
	struct mf_error err = { .text = "" };

	if (certificate[0] == '\0' || key[0] == '\0') {
		if (wanted)
			check_say(c, CHECK_ERROR, "certificate",
				"listen_tls needs tls_certificate and tls_key");
	} else if (http_certificate_load(a, certificate, key, &cert, &err) != MF_OK) {
		check_say(c, CHECK_ERROR, "certificate", "%s", err.text);
	} else {
		say_expiry(c, &cert);
		if (!wanted)
			check_say(c, CHECK_WARNING, "certificate",
				"is not used: listen_tls is empty");
	}
	mf_arena_free(a);
}

static bool
is_local(const char *address)
{
	return str_starts(address, "127.") || str_starts(address, "[::1]") ||
	       str_starts(address, "localhost:") || str_starts(address, "unix:");
}

void
check_listen(struct check *c)
{
	const struct mf_conf *top = conf_top(c->conf);
	const char *const *plain = mf_conf_list(top, "listen");
	const char *const *tls = mf_conf_list(top, "listen_tls");

	if (plain[0] == NULL && tls[0] == NULL)
		check_say(c, CHECK_ERROR, "listen", "there is no address to listen on");
	for (; *plain != NULL; plain++) {
		if (is_local(*plain))
			check_say(c, CHECK_OK, "listen", "%s, for a proxy on this host", *plain);
		else
			check_say(c, CHECK_WARNING, "listen",
				"%s takes passwords without encryption from other hosts", *plain);
	}
	for (; *tls != NULL; tls++)
		check_say(c, CHECK_OK, "listen", "%s, HTTPS", *tls);
}

/* Whether this user may write there, or make the directory; nothing is made. */
static void
check_directory(struct check *c, const char *what, const char *path, bool made)
{
	char parent[4096];
	struct stat sb;

	if (stat(path, &sb) == 0 && !S_ISDIR(sb.st_mode)) {
		check_say(c, CHECK_ERROR, what, "%s is no directory", path);
	} else if (access(path, R_OK | W_OK | X_OK) == 0) {
		check_say(c, CHECK_OK, what, "%s", path);
	} else if (errno != ENOENT || !made) {
		check_say(c, CHECK_ERROR, what, "%s: %s (as user %d)", path, strerror(errno),
			(int)geteuid());
	} else {
		snprintf(parent, sizeof(parent), "%s", path);
		if (access(dirname(parent), W_OK | X_OK) == 0)
			check_say(c, CHECK_OK, what, "%s will be made", path);
		else
			check_say(c, CHECK_ERROR, what, "%s cannot be made: %s (as user %d)", path,
				strerror(errno), (int)geteuid());
	}
}

void
check_directories(struct check *c)
{
	const struct mf_conf *top = conf_top(c->conf);
	const char *state = mf_conf_string(top, "state_directory");
	const char *spool = mf_conf_string(top, "spool_directory");
	struct statfs fs;

	check_directory(c, "state", state, true);
	if (statfs(state, &fs) == 0 && fs.f_type == TMPFS)
		check_say(c, CHECK_WARNING, "state",
			"%s is in memory: after a restart of the host everything is forgotten",
			state);
	check_directory(c, "spool", spool, false);
	if (statfs(spool, &fs) == 0 && fs.f_type == TMPFS)
		check_say(c, CHECK_ADVICE, "spool",
			"%s is in memory: large mails that are being sent take memory there",
			spool);
}

void
check_limits(struct check *c)
{
	const struct mf_conf *top = conf_top(c->conf);
	int64_t wanted = 2 * mf_conf_number(top, "connection_limit") + 100;
	struct rlimit files;

	if (mf_conf_number(top, "heartbeat_min") > mf_conf_number(top, "heartbeat_max"))
		check_say(c, CHECK_ERROR, "limits", "heartbeat_min is above heartbeat_max");
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_max == RLIM_INFINITY)
		return;
	if ((int64_t)files.rlim_max < wanted)
		check_say(c, CHECK_ADVICE, "limits",
			"%llu descriptors are allowed here; connection_limit may need %" PRId64
			" (ulimit -n, LimitNOFILE)",
			(unsigned long long)files.rlim_max, wanted);
	else
		check_say(c, CHECK_OK, "limits", "%llu descriptors",
			(unsigned long long)files.rlim_max);
}
