/* A scripted IMAP server in a thread, and a session with it. */
#include "fake.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/conf.h"

struct fake {
	const struct fake_step *steps;
	pthread_t thread;
	int listener, stop[2];
	uint16_t port;
	char complaint[300];
};

struct talk {
	struct fake *f;
	int fd;
	char in[65536];
	size_t n;
	char tag[32];
};

static void
must(bool held, const char *what)
{
	if (held)
		return;
	perror(what);
	exit(1);
}

/* False when the test wants to end or the client has gone. */
static bool
wait_readable(struct talk *t, int ms)
{
	struct pollfd p[2] = { { .fd = t->f->stop[0], .events = POLLIN },
		{ .fd = t->fd, .events = POLLIN } };

	poll(p, 2, ms);
	return (p[0].revents & POLLIN) == 0 && (ms >= 0 || p[1].revents != 0);
}

static bool
say(struct talk *t, const char *text, size_t len)
{
	while (len > 0) {
		struct pollfd p[2] = { { .fd = t->f->stop[0], .events = POLLIN },
			{ .fd = t->fd, .events = POLLOUT } };
		ssize_t n;

		poll(p, 2, -1);
		if ((p[0].revents & POLLIN) != 0)
			return false;
		n = send(t->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* Says text with the tag for each "$" that begins a line. */
static bool
say_tagged(struct talk *t, const char *text)
{
	bool start = true;

	for (; *text != '\0'; text++) {
		if (start && *text == '$') {
			if (!say(t, t->tag, strlen(t->tag)))
				return false;
		} else if (!say(t, text, 1)) {
			return false;
		}
		start = *text == '\n';
	}
	return true;
}

/* A line of the client, without its end. */
static bool
hear(struct talk *t, char *line, size_t room)
{
	for (;;) {
		char *nl = memchr(t->in, '\n', t->n);
		ssize_t got;

		if (nl != NULL) {
			size_t len = (size_t)(nl - t->in);

			snprintf(line, room, "%.*s", (int)len, t->in);
			line[strcspn(line, "\r")] = '\0';
			t->n -= len + 1;
			memmove(t->in, nl + 1, t->n);
			return true;
		}
		if (!wait_readable(t, -1) || t->n == sizeof(t->in))
			return false;
		got = recv(t->fd, t->in + t->n, sizeof(t->in) - t->n, 0);
		if (got <= 0)
			return false;
		t->n += (size_t)got;
	}
}

static bool
expect(struct talk *t, const char *want)
{
	char line[70000], *text;

	if (!hear(t, line, sizeof(line)))
		return false;
	text = strchr(line, ' ');
	if (text != NULL && text - line < (long)sizeof(t->tag)) {
		snprintf(t->tag, sizeof(t->tag), "%.*s", (int)(text - line), line);
		text++;
	} else {
		text = line;
	}
	if (strncasecmp(text, want, strlen(want)) == 0)
		return true;
	if (strncasecmp(text, "LOGOUT", 6) != 0)
		snprintf(t->f->complaint, sizeof(t->f->complaint), "%.100s instead of %.100s", text,
			want);
	return false;
}

static bool
misbehave(struct talk *t, const char *how)
{
	if (strcmp(how, FAKE_STALL) == 0)
		return wait_readable(t, 20000), false;
	if (strcmp(how, FAKE_CLOSE) == 0)
		return false;
	for (;;) {
		bool drip = strcmp(how, FAKE_DRIP) == 0;
		const char *text = drip ? "*" : "* 1 EXISTS\r\n";

		if (!say(t, text, strlen(text)) || (drip && !wait_readable(t, 100)))
			return false;
	}
}

static bool
perform(struct talk *t, const struct fake_step *s)
{
	bool ok = true;

	if (s->want != NULL && !expect(t, s->want))
		return false;
	if (s->say != NULL && s->say[0] == '!')
		return misbehave(t, s->say);
	if (s->more != NULL) {
		char *text = s->more();

		ok = say(t, text, strlen(text));
		free(text);
	}
	return ok && (s->say == NULL || say_tagged(t, s->say));
}

static void
serve(struct fake *f, int fd)
{
	struct talk *t = calloc(1, sizeof(*t));
	const struct fake_step *s = f->steps;
	char line[1000];

	must(t != NULL, "memory");
	t->f = f;
	t->fd = fd;
	while ((s->want != NULL || s->say != NULL || s->more != NULL) && perform(t, s))
		s++;
	if (s->want == NULL && s->say == NULL && s->more == NULL)
		while (hear(t, line, sizeof(line)))
			if (strcasestr(line, "LOGOUT") == NULL)
				snprintf(f->complaint, sizeof(f->complaint), "%.100s after the end",
					line);
	close(fd);
	free(t);
}

static void *
run(void *arg)
{
	struct fake *f = arg;

	for (;;) {
		struct pollfd p[2] = { { .fd = f->stop[0], .events = POLLIN },
			{ .fd = f->listener, .events = POLLIN } };
		int fd;

		poll(p, 2, -1);
		if ((p[0].revents & POLLIN) != 0)
			return NULL;
		fd = accept(f->listener, NULL, NULL);
		if (fd >= 0)
			serve(f, fd);
	}
}

struct fake *
fake_start(const struct fake_step *steps)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);

	must(f != NULL, "memory");
	f->steps = steps;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(f->listener >= 0 && bind(f->listener, (struct sockaddr *)&in, len) == 0 &&
			listen(f->listener, 5) == 0 && pipe(f->stop) == 0,
		"listen");
	getsockname(f->listener, (struct sockaddr *)&in, &len);
	f->port = ntohs(in.sin_port);
	must(pthread_create(&f->thread, NULL, run, f) == 0, "thread");
	return f;
}

uint16_t
fake_port(const struct fake *f)
{
	return f->port;
}

static void
stop(struct fake *f)
{
	if (f->stop[1] < 0)
		return;
	must(write(f->stop[1], "x", 1) == 1, "stop");
	pthread_join(f->thread, NULL);
	close(f->stop[1]);
	f->stop[1] = -1;
}

const char *
fake_complaint(struct fake *f)
{
	stop(f);
	return f->complaint;
}

void
fake_end(struct fake *f)
{
	stop(f);
	close(f->stop[0]);
	close(f->listener);
	free(f);
}

void
fake_login_as(
	struct fake_client *c, struct fake *f, const char *settings, const struct mf_login *who)
{
	static struct conf_table tables[2];
	char text[2000];

	memset(c, 0, sizeof(*c));
	c->store = mf_backend_imap.store;
	tables[0] =
		(struct conf_table){ .name = "imap", .help = "", .rows = mf_backend_imap.settings };
	snprintf(text, sizeof(text),
		"imap {\nurl = \"imap://127.0.0.1:%u\"\nconnect_timeout = 1s\n"
		"command_timeout = 1s\n%s}\n",
		f->port, settings);
	c->status = conf_parse(text, tables, &c->conf, &c->err);
	if (c->status == MF_OK)
		c->status =
			mf_backend_imap.open(conf_section(c->conf, "imap"), &c->backend, &c->err);
	if (c->status == MF_OK)
		c->status = mf_backend_imap.login(c->backend, who, &c->session, &c->err);
}

void
fake_login(struct fake_client *c, struct fake *f, const char *settings)
{
	struct mf_login who = { .user = "anna", .password = "secret \"x\\" };

	fake_login_as(c, f, settings, &who);
}

void
fake_logout(struct fake_client *c)
{
	mf_backend_imap.logout(c->session);
	mf_backend_imap.close(c->backend);
	conf_free(c->conf);
}
