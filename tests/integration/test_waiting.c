/*
 * Phones that wait, and what else ends that: an administrator, another client's folders, a proxy that cuts; and Pings
 * over hundreds of folders.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pinging.h"

/* A phone with a synchronised Inbox, about to ping for it. */
static void
set_up(struct pinging *p, const struct gateway *g, const struct dovecot *d, const char *user)
{
	*p = (struct pinging){ .folders = { "inbox" }, .heartbeat = 600 };
	p->phone = phone_new(g, user, NULL, "phone1");
	phone_hierarchy(p->phone);
	deliver(d, user, "before");
	phone_sync(p->phone, "inbox");
}

static void
tear_down(struct pinging *p, struct gateway *g, struct dovecot *d)
{
	phone_free(p->phone);
	gateway_end(g);
	dovecot_end(d);
}

/* ---- An administrator ---- */

static void
administer(const struct gateway *g, const char *command, const char *user, const char *more)
{
	char line[600];

	snprintf(line, sizeof line, "%s device %s -c %s/mailferry.conf %s phone1 %s >/dev/null",
		MAILFERRY, command, g->dir, user, more);
	cr_assert_eq(system(line), 0, "%s", line);
}

/* By another process; the phone is told within seconds, and its user's mailbox is not watched for it any more. */
static void
decided(const char *settings, const char *command, const char *more, unsigned status)
{
	struct dovecot d;
	struct gateway g;
	struct pinging p;
	const char *user = fixture_user("decided");
	int64_t began;

	dovecot_get(&d);
	gateway_start(&g, &d, settings);
	set_up(&p, &g, &d, user);
	ping_begin(&p);
	began = now_ms();
	administer(&g, command, user, more);
	ping_join(&p);
	cr_assert_eq(p.st, MF_OK);
	cr_assert_eq(p.status, status, "status %u", p.status);
	cr_assert_lt(p.ended - began, 60000, "took %d ms", (int)(p.ended - began));
	tear_down(&p, &g, &d);
}

Test(waiting, a_device_is_blocked, .timeout = 120)
{
	decided("", "block", "", 129);
}

Test(waiting, a_device_is_to_be_wiped, .timeout = 120)
{
	decided("remote_wipe = device\n", "wipe", "--confirm phone1", 140);
}

/* ---- Another client's folders ---- */

/* Only the Inbox is waited for, and only it is told about by IDLE: the list is asked for now and then. */
static void
folder_is_made(const char *settings)
{
	struct dovecot d;
	struct gateway g;
	struct pinging p;
	const char *user = fixture_user("listed");
	struct imap_talk *t;
	int64_t began;

	dovecot_get(&d);
	gateway_start(&g, &d, settings);
	set_up(&p, &g, &d, user);
	t = imap_talk_open(&d, user);
	ping_begin(&p);
	began = now_ms();
	imap_talk(t, "CREATE Projects");
	ping_join(&p);
	cr_assert_eq(p.st, MF_OK);
	cr_assert_eq(p.status, 7, "status %u", p.status);
	cr_assert_lt(p.ended - began, 100000, "took %d ms", (int)(p.ended - began));
	imap_talk_close(t);
	tear_down(&p, &g, &d);
}

Test(waiting, a_folder_is_made_elsewhere, .timeout = 240)
{
	folder_is_made("imap {\n\twatch = idle\n\twatch_poll = 10s\n}\n");
}

Test(waiting, a_folder_is_made_elsewhere_and_nothing_hibernates, .timeout = 240)
{
	folder_is_made("imap {\n\twatch = idle\n\twatch_poll = 10s\n\twatch_hibernation = 0s\n}\n");
}

/* Over several looks at the list and at another folder, by both ways of asking: nobody is woken for nothing. */
static void
nothing_happens(const char *settings)
{
	struct dovecot d;
	struct gateway g;
	struct pinging p;
	const char *user = fixture_user("quiet");
	struct imap_talk *t;

	dovecot_get(&d);
	gateway_start(&g, &d, settings);
	t = imap_talk_open(&d, user);
	imap_talk(t, "CREATE Work");
	imap_talk_close(t);
	set_up(&p, &g, &d, user);
	phone_sync(p.phone, "Work");
	p.folders[1] = "Work";
	ping_begin(&p);
	pause_ms(25000);
	cr_assert_eq(gateway_log_count(&g, "event=woken-for-nothing"), 0);
	deliver(&d, user, "at last");
	ping_end(&p, "inbox");
	cr_assert_eq(gateway_log_count(&g, "event=woken-for-nothing"), 0);
	tear_down(&p, &g, &d);
}

Test(waiting, nothing_happens, .timeout = 240)
{
	nothing_happens("imap {\n\twatch = idle\n\twatch_poll = 10s\n}\n");
}

Test(waiting, nothing_happens_and_nothing_hibernates, .timeout = 240)
{
	nothing_happens(
		"imap {\n\twatch = idle\n\twatch_poll = 10s\n\twatch_hibernation = 0s\n}\n");
}

Test(waiting, nothing_happens_by_notify, .timeout = 240)
{
	nothing_happens("imap {\n\twatch = notify\n}\n");
}

/* ---- Hundreds of folders ---- */

enum { MANY = 299 };

static void
mail_in_the_last_of_many(const char *settings)
{
	static char names[MANY][24];
	static const char work[] = "Subject: work\r\n\r\nx\r\n";
	struct dovecot d;
	struct gateway g;
	struct pinging p;
	const char *user = fixture_user("folders");
	struct imap_talk *t;

	dovecot_get(&d);
	gateway_start(&g, &d, settings);
	t = imap_talk_open(&d, user);
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof names[i], "Folder%03d", i);
		imap_talk(t, "CREATE %s", names[i]);
	}
	set_up(&p, &g, &d, user);
	for (int i = 0; i < MANY; i++) {
		p.folders[1 + i] = names[i];
		phone_sync(p.phone, names[i]);
	}
	ping_begin(&p);
	pause_ms(2000);
	imap_talk_append(t, names[MANY - 1], "", NULL, work, strlen(work));
	ping_end(&p, names[MANY - 1]);
	cr_assert_eq(phone_sync(p.phone, names[MANY - 1]).added, 1);
	ping_begin(&p);
	deliver(&d, user, "in the first");
	ping_end(&p, "inbox");
	imap_talk_close(t);
	tear_down(&p, &g, &d);
}

Test(waiting, hundreds_of_folders_by_notify, .timeout = 300)
{
	mail_in_the_last_of_many("imap {\n\twatch = notify\n}\n");
}

Test(waiting, hundreds_of_folders_by_idle, .timeout = 300)
{
	mail_in_the_last_of_many("imap {\n\twatch = idle\n\twatch_poll = 10s\n}\n");
}

/* ---- A proxy that cuts ---- */

enum { CUT_S = 12 };

/* nginx in front of the gateway, with a time-out that is too short. */
static pid_t
nginx_start(const struct gateway *g, uint16_t port)
{
	char path[300], prefix[300];
	pid_t pid;
	FILE *f;

	snprintf(path, sizeof path, "%s/nginx.conf", g->dir);
	snprintf(prefix, sizeof prefix, "%s/", g->dir);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fprintf(f,
		"daemon off;\nmaster_process off;\npid %s/nginx.pid;\nerror_log %s/nginx.log;\n"
		"events {}\nhttp {\n\taccess_log off;\n\tclient_body_temp_path %s/nginx-body;\n"
		"\tproxy_temp_path %s/nginx-proxy;\n\tfastcgi_temp_path %s/nginx-f;\n"
		"\tuwsgi_temp_path %s/nginx-u;\n\tscgi_temp_path %s/nginx-s;\n"
		"\tserver {\n\t\tlisten 127.0.0.1:%u;\n\t\tlocation / {\n"
		"\t\t\tproxy_pass http://127.0.0.1:%u;\n\t\t\tproxy_read_timeout %ds;\n"
		"\t\t\tproxy_next_upstream off;\n\t\t}\n\t}\n}\n",
		g->dir, g->dir, g->dir, g->dir, g->dir, g->dir, g->dir, (unsigned)port,
		(unsigned)g->port, CUT_S);
	fclose(f);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("nginx", "nginx", "-p", prefix, "-e", "stderr", "-c", path, (char *)NULL);
		execl("/usr/sbin/nginx", "nginx", "-p", prefix, "-e", "stderr", "-c", path,
			(char *)NULL);
		_exit(127);
	}
	return pid;
}

/* Three times it ends the Ping; then the gateway answers before it does, and says once what to do about it. */
Test(waiting, behind_a_proxy_that_cuts, .timeout = 240)
{
	struct dovecot d;
	struct gateway g, via;
	struct pinging p;
	const char *user = fixture_user("cut");
	uint16_t port = gateway_free_port();
	int64_t began;
	pid_t nginx;

	dovecot_get(&d);
	gateway_start(&g, &d, "trusted_proxies = \"127.0.0.1\"\n");
	nginx = nginx_start(&g, port);
	via = g;
	via.port = port;
	snprintf(via.url, sizeof via.url, "http://127.0.0.1:%u", (unsigned)port);
	for (int i = 0; i < 400 && !gateway_listens(port); i++)
		pause_ms(50);
	set_up(&p, &via, &d, user);
	for (int i = 0; i < 3; i++) {
		ping_start(&p);
		ping_join(&p);
		cr_assert_eq(p.st, MF_TEMPORARY, "the proxy did not cut");
	}
	for (int i = 0; i < 100 && gateway_log_count(&g, "event=waits-cut") == 0; i++)
		pause_ms(50);
	cr_assert_eq(gateway_log_count(&g, "event=waits-cut"), 1);
	cr_assert_eq(gateway_log_count(&g, "advice="), 1);
	for (int i = 0; i < 2; i++) {
		began = now_ms();
		ping_start(&p);
		ping_join(&p);
		cr_assert_eq(p.st, MF_OK, "it was cut again");
		cr_assert_eq(p.status, 1, "status %u", p.status);
		cr_assert_lt(p.ended - began, CUT_S * 1000);
	}
	ping_start(&p);
	pause_ms(700);
	deliver(&d, user, "through the proxy");
	ping_end(&p, "inbox");
	kill(nginx, SIGTERM);
	waitpid(nginx, NULL, 0);
	tear_down(&p, &g, &d);
}
