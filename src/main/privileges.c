/* Knows the kernel's means; must not know what the process does with what is left. */
#include "main/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailferry/log.h"

/* The leak checker looks at its own process as a debugger does. */
#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif
#ifndef WATCHED
#define WATCHED 0
#endif

void
main_privileges_harden(bool core_dumps)
{
	struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		mf_log_warning("no_new_privileges=no why=%s", mf_log_value(strerror(errno)));
	if (core_dumps)
		return;
	setrlimit(RLIMIT_CORE, &none);
	if (!WATCHED)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* A directory of root's would shut the user out. */
static enum mf_status
make_directory(const char *path, const struct passwd *pw, struct mf_error *err)
{
	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? MF_OK
				       : mf_fail(err, MF_INVALID, "%s: %s", path, strerror(errno));
	if (chown(path, pw->pw_uid, pw->pw_gid) != 0)
		return mf_fail(err, MF_REFUSED, "%s: %s", path, strerror(errno));
	return MF_OK;
}

/* For good: whoever could take root's place again has not given it up. */
static enum mf_status
become(const struct passwd *pw, struct mf_error *err)
{
	if (initgroups(pw->pw_name, pw->pw_gid) != 0 ||
		setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return mf_fail(err, MF_REFUSED, "run_as %s: %s", pw->pw_name, strerror(errno));
	if (pw->pw_uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return mf_fail(err, MF_REFUSED, "run_as %s: root's rights stay", pw->pw_name);
	return MF_OK;
}

enum mf_status
main_privileges_drop(const struct mf_conf *top, struct mf_error *err)
{
	const char *user = mf_conf_string(top, "run_as");
	const struct passwd *pw;
	enum mf_status st;

	if (geteuid() != 0)
		return MF_OK;
	if (*user == '\0') {
		mf_log_info("user=root why=\"run_as names nobody to become\"");
		return MF_OK;
	}
	pw = getpwnam(user);
	if (pw == NULL)
		return mf_fail(err, MF_INVALID, "run_as: there is no user %s", user);
	st = make_directory(mf_conf_string(top, "state_directory"), pw, err);
	if (st == MF_OK)
		st = become(pw, err);
	if (st == MF_OK)
		mf_log_info("user=%s uid=%u", mf_log_value(user), (unsigned)pw->pw_uid);
	return st;
}
