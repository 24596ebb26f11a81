/* The administrating commands beside a running daemon, and while none runs. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/daemon.h"
#include "eas/recovery.h"

static struct daemon d;

struct step {
	const char *arguments;
	int status;
	const char *has; /* in the output */
};

static void
run_steps(const struct step *steps, size_t n)
{
	const char *out;

	for (size_t i = 0; i < n; i++) {
		cr_assert_eq(daemon_run(&d, steps[i].arguments, &out), steps[i].status, "%s: %s",
			steps[i].arguments, out);
		cr_assert_not_null(strstr(out, steps[i].has), "%s: %s instead of %s",
			steps[i].arguments, out, steps[i].has);
	}
}

/* A daemon that one phone has met. */
static void
start(const char *more)
{
	char arguments[300];
	const char *out;

	daemon_init(&d);
	daemon_configure(&d, more);
	daemon_start(&d, -1);
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
	snprintf(arguments, sizeof(arguments),
		"probe http://127.0.0.1:%u --user u --password-file %%d/password --device DEV1 "
		"folders",
		d.port);
	cr_assert_eq(daemon_run(&d, arguments, &out), 0, "%s", out);
}

static void
stop(void)
{
	kill(d.pid, SIGTERM);
	cr_assert_eq(daemon_wait(&d, 10000), 0, "%s", daemon_read(&d, "log"));
}

#define MANY(steps) run_steps((steps), sizeof(steps) / sizeof((steps)[0]))

Test(tools, devices_and_users, .timeout = 90)
{
	static const struct step steps[] = {
		{ "devices -c %d/m.conf", 0, "DEV1" },
		{ "devices -c %d/m.conf --json u", 0, "\"id\":\"DEV1\"" },
		{ "devices -c %d/m.conf nobody", 1, "mailferry user list" },
		{ "device -c %d/m.conf list", 0, "16.1" },
		{ "device -c %d/m.conf show u DEV1", 0, "protocol    16.1" },
		{ "device -c %d/m.conf show u DEV1 --json", 0, "\"access\":\"by rule\"" },
		{ "device -c %d/m.conf show u DEV2", 1, "mailferry device:" },
		{ "device -c %d/m.conf block u DEV1", 0, "" },
		{ "device -c %d/m.conf show u DEV1", 0, "access      blocked" },
		{ "device -c %d/m.conf remove u DEV1", 0, "" },
		{ "device -c %d/m.conf show u DEV1", 1, "mailferry device:" },
		{ "devices -c %d/m.conf --json u", 0, "[\n]" },
		{ "user -c %d/m.conf list", 0, "u  " },
		{ "user -c %d/m.conf --json list", 0, "\"devices\":0" },
		{ "user -c %d/m.conf show u", 0, "devices     0" },
		{ "user -c %d/m.conf show --json u", 0, "\"rules\":0" },
		{ "user -c %d/m.conf show nobody", 1, "never seen" },
		{ "user -c %d/m.conf reset nobody", 1, "never seen" },
		{ "user -c %d/m.conf reset u", 0, "" },
		{ "user -c %d/m.conf --json list", 0, "[\n]" },
		{ "user -c %d/m.conf remove u", 64, "--confirm u" },
		{ "user -c %d/m.conf remove u --confirm u", 0, "" },
		{ "user -c %d/m.conf remove u --confirm u", 1, "never seen" },
		{ "user -c %d/m.conf nonsense", 64, "actions:" },
		{ "user --help", 0, "actions:" },
		{ "conversations -c %d/m.conf u", 0, "" },
		{ "conversations -c %d/m.conf u --json", 0, "[\n]" },
		{ "conversations -c %d/m.conf u --remove xy", 64, "not the id" },
		{ "conversations -c %d/m.conf u --remove xy --remove-all", 64, "either" },
		{ "conversations -c %d/m.conf", 64, "usage:" },
		{ "devices -c /no/such", 78, "/no/such" },
	};

	start("");
	MANY(steps);
	stop();
	daemon_deinit(&d);
}

Test(tools, policies, .timeout = 60)
{
	static const struct step steps[] = {
		{ "policy -c %d/m.conf list", 0, "users:  *@example.org u" },
		{ "policy -c %d/m.conf --json list", 0, "\"users\":[\"*@example.org\",\"u\"]" },
		{ "policy -c %d/m.conf show u DEV1", 0, "staff: acknowledged" },
		{ "policy -c %d/m.conf --json show u DEV1", 0, "\"policy\":\"staff\"" },
		{ "policy -c %d/m.conf reset u DEV1", 0, "" },
		{ "policy -c %d/m.conf show u DEV1", 0, "staff: not acknowledged" },
		{ "policy -c %d/m.conf show u DEV9", 1, "mailferry policy:" },
	};

	start("policy \"staff\" {\nusers = {\"*@example.org\", \"u\"}\n"
	      "allow_non_provisionable = yes\n}\n");
	MANY(steps);
	stop();
	daemon_deinit(&d);
}

/* As if the device had sent it by Settings. */
static void
keep_recovery(const char *secret, const char *password)
{
	static const struct conf_table none[] = { { 0 } };
	char text[100], directory[300];
	struct state_options o = { .directory = directory };
	struct mf_error err = { .text = "" };
	struct state *state;
	struct conf *conf;

	snprintf(text, sizeof(text), "recovery_secret = \"%s\"\n", secret);
	snprintf(directory, sizeof(directory), "%s/state", d.dir);
	cr_assert_eq(conf_parse(text, none, &conf, &err), MF_OK, "%s", err.text);
	cr_assert_eq(state_open(&o, &state, &err), MF_OK, "%s", err.text);
	cr_assert_eq(eas_recovery_keep(state, conf_top(conf), "u", "DEV1", password, &err), MF_OK,
		"%s", err.text);
	state_close(state);
	conf_free(conf);
}

Test(tools, recovery, .timeout = 60)
{
	static const struct step none[] = {
		{ "device -c %d/m.conf recovery u DEV1", 1, "no recovery password" },
	};
	static const struct step kept[] = {
		{ "device -c %d/m.conf recovery u DEV1", 0, "open sesame\n" },
		{ "device -c %d/m.conf --json recovery u DEV1", 0, "\"open sesame\"\n" },
		{ "device -c %d/m.conf recovery u DEV2", 1, "mailferry device:" },
		{ "device -c %d/m.conf remove u DEV1", 0, "" },
		{ "device -c %d/m.conf recovery u DEV1", 1, "no recovery password" },
	};
	static const struct step other[] = {
		{ "device -c %d/m.conf recovery u DEV1", 1, "recovery_secret is not what" },
	};

	start("recovery_secret = \"nobody guesses this\"\npolicy \"staff\" {\nusers = {\"u\"}\n"
	      "device_password = yes\npassword_recovery = yes\nallow_non_provisionable = yes\n}\n");
	MANY(none);
	keep_recovery("nobody guesses this", "open sesame");
	MANY(kept);
	keep_recovery("a secret of former times", "open sesame");
	MANY(other);
	cr_assert_null(strstr(daemon_read(&d, "log"), "sesame"));
	stop();
	daemon_deinit(&d);
}

Test(tools, state, .timeout = 90)
{
	static const struct step beside[] = {
		{ "state -c %d/m.conf show", 0, "daemon      at work" },
		{ "state -c %d/m.conf --json show", 0, "\"users\":1" },
		{ "state -c %d/m.conf verify", 0, "every row makes sense" },
		{ "state -c %d/m.conf --json verify", 0, "[\n]" },
		{ "device -c %d/m.conf block u DEV1", 0, "" },
		{ "state -c %d/m.conf backup %d/copy", 0, "" },
		{ "state -c %d/m.conf backup %d/copy", 1, "name a new directory" },
		{ "state -c %d/m.conf backup --records-only %d/records", 0, "" },
		{ "device -c %d/m.conf reset u DEV1", 0, "" },
		{ "state -c %d/m.conf restore %d/copy", 1, "systemctl stop mailferry" },
		{ "state -c %d/m.conf compact", 1, "systemctl stop mailferry" },
	};
	static const struct step alone[] = {
		{ "state -c %d/m.conf show", 0, "daemon      not running" },
		{ "state -c %d/m.conf restore %d/nothing", 1, "state backup" },
		{ "state -c %d/m.conf restore --with-sync %d/records", 1, "--records-only" },
		{ "state -c %d/m.conf restore --with-sync %d/copy", 0, "records restored" },
		{ "devices -c %d/m.conf", 0, "blocked" },
		{ "state -c %d/m.conf compact", 0, "bytes before" },
		{ "state -c %d/m.conf --json compact", 0, "{\"before\":" },
		{ "state -c %d/m.conf restore %d/records", 0, "synchronise afresh" },
		{ "devices -c %d/m.conf --json", 0, "[\n]" },
		{ "state -c %d/m.conf verify", 0, "every row makes sense" },
	};

	start("");
	MANY(beside);
	stop();
	MANY(alone);
	daemon_start(&d, -1); /* and the daemon takes what was restored */
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
	stop();
	daemon_deinit(&d);
}

/* A wrong configuration makes no new state. */
Test(tools, no_state_yet)
{
	const char *out;

	daemon_init(&d);
	daemon_configure(&d, "");
	cr_assert_eq(daemon_run(&d, "devices -c %d/m.conf", &out), 78, "%s", out);
	cr_assert_not_null(strstr(out, "there is none yet"), "%s", out);
	cr_assert_eq(daemon_run(&d, "top -c %d/m.conf", &out), 64, "%s", out);
	cr_assert_not_null(strstr(out, "metrics_listen is not set"), "%s", out);
	daemon_deinit(&d);
}

Test(tools, top, .timeout = 60)
{
	char more[100], arguments[200];
	const char *out;

	daemon_init(&d);
	snprintf(more, sizeof(more), "metrics_listen = {\"127.0.0.1:%u\"}\n", d.more[0]);
	daemon_configure(&d, more);
	daemon_start(&d, -1);
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
	cr_assert_eq(daemon_run(&d, "top -c %d/m.conf", &out), 0, "%s", out);
	cr_assert_not_null(strstr(out, "seconds"), "%s", out);
	snprintf(arguments, sizeof(arguments), "top --json http://127.0.0.1:%u", d.more[0]);
	cr_assert_eq(daemon_run(&d, arguments, &out), 0, "%s", out);
	cr_assert_str_eq(out, "[]\n");
	cr_assert_eq(daemon_run(&d, "top http://127.0.0.1:1", &out), 69, "%s", out);
	cr_assert_not_null(strstr(out, "metrics_listen"), "%s", out);
	stop();
	daemon_deinit(&d);
}

/* Waits until the log has it. */
static void
log_gets(const char *text)
{
	for (int i = 0; i < 500; i++) {
		if (strstr(daemon_read(&d, "log"), text) != NULL)
			return;
		usleep(20000);
	}
	cr_assert(false, "no %s in %s", text, daemon_read(&d, "log"));
}

Test(tools, log_level, .timeout = 60)
{
	const char *out;

	start("");
	cr_assert_eq(daemon_run(&d, "log -c %d/m.conf", &out), 0);
	cr_assert_str_eq(out, "info\n");
	cr_assert_eq(daemon_run(&d, "log -c %d/m.conf debug", &out), 0, "%s", out);
	log_gets("log_level=debug until=0");
	cr_assert_eq(daemon_run(&d, "log -c %d/m.conf --json", &out), 0);
	cr_assert_str_eq(out, "{\"level\":\"debug\",\"until\":0}\n");
	cr_assert_eq(daemon_run(&d, "log -c %d/m.conf --minutes 10 debug", &out), 0, "%s", out);
	cr_assert_eq(daemon_run(&d, "log -c %d/m.conf", &out), 0);
	cr_assert_not_null(strstr(out, "debug until 20"), "%s", out);
	cr_assert_eq(daemon_run(&d, "log -c %d/m.conf loud", &out), 64);
	cr_assert_eq(daemon_run(&d, "log -c %d/m.conf --minutes 0 debug", &out), 64);
	cr_assert_eq(daemon_run(&d, "log -c %d/m.conf default", &out), 0, "%s", out);
	log_gets("log_level=info until=0");
	/* and by the configuration, without a restart */
	daemon_configure(&d, "log_level = debug\n");
	kill(d.pid, SIGHUP);
	log_gets("reloaded=certificate,log_level");
	cr_assert_eq(daemon_run(&d, "log -c %d/m.conf warning", &out), 0, "%s", out);
	stop();
	cr_assert_eq(daemon_run(&d, "log -c %d/m.conf debug", &out), 69);
	cr_assert_not_null(strstr(out, "no daemon serves"), "%s", out);
	daemon_start(&d, -1); /* it was told to the one before */
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
	cr_assert_eq(daemon_run(&d, "log -c %d/m.conf --json", &out), 0);
	cr_assert_str_eq(out, "{\"level\":\"debug\",\"until\":0}\n");
	stop();
	daemon_deinit(&d);
}

/* What a user's phone says, readable, without passwords, for the daemon's user only. */
Test(tools, trace, .timeout = 60)
{
	static const char *const names[] = { "trace", "trace/u" };
	char arguments[300], path[200];
	const char *out;
	struct stat sb;

	start("");
	cr_assert_eq(daemon_run(&d, "trace -c %d/m.conf show u", &out), 1);
	cr_assert_not_null(strstr(out, "mailferry trace start USER"), "%s", out);
	cr_assert_eq(daemon_run(&d, "trace -c %d/m.conf --minutes 5 start u", &out), 0, "%s", out);
	cr_assert_not_null(strstr(out, "/state/trace/u"), "%s", out);
	log_gets("trace=on user=u");
	cr_assert_eq(daemon_run(&d, "trace -c %d/m.conf list", &out), 0);
	cr_assert_not_null(strstr(out, "u  "), "%s", out);
	cr_assert_eq(daemon_run(&d, "trace -c %d/m.conf --json list", &out), 0);
	cr_assert_not_null(strstr(out, "{\"user\":\"u\",\"until\":"), "%s", out);
	snprintf(arguments, sizeof(arguments),
		"probe http://127.0.0.1:%u --user u --password-file %%d/password folders", d.port);
	cr_assert_eq(daemon_run(&d, arguments, &out), 0, "%s", out);
	cr_assert_eq(daemon_run(&d, "trace -c %d/m.conf show u", &out), 0, "%s", out);
	cr_assert_not_null(strstr(out, "> POST FolderSync version 16.1"), "%s", out);
	cr_assert_not_null(strstr(out, "<SyncKey>0</SyncKey>"), "%s", out);
	cr_assert_not_null(strstr(out, "<DisplayName>Inbox</DisplayName>"), "%s", out);
	cr_assert_not_null(strstr(out, "Authorization: ***"), "%s", out);
	cr_assert_null(strstr(out, "dTpzZWNyZXQ="), "%s", out);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/state/%s", d.dir, names[i]);
		cr_assert_eq(stat(path, &sb), 0);
		cr_assert_eq(sb.st_mode & 0777, 0700, "%o", sb.st_mode);
	}
	cr_assert_eq(daemon_run(&d, "trace -c %d/m.conf clear u", &out), 0, "%s", out);
	cr_assert_eq(daemon_run(&d, "trace -c %d/m.conf stop", &out), 0, "%s", out);
	cr_assert_eq(daemon_run(&d, "trace -c %d/m.conf --json list", &out), 0);
	cr_assert_str_eq(out, "[\n]\n");
	cr_assert_eq(daemon_run(&d, arguments, &out), 0, "%s", out);
	cr_assert_eq(daemon_run(&d, "trace -c %d/m.conf show u", &out), 0);
	cr_assert_str_eq(out, "", "nothing is written any more");
	cr_assert_eq(daemon_run(&d, "trace -c %d/m.conf --minutes x start u", &out), 64);
	stop();
	cr_assert_eq(daemon_run(&d, "trace -c %d/m.conf start u", &out), 69, "%s", out);
	daemon_deinit(&d);
}
