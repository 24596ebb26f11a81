/*
 * Starts, stops and asks a real Dovecot. Knows contrib/tools/dovecot, the lines of its `ports` file,
 * and enough IMAP and LMTP to be no test of itself; must not use any code of src/ or backends/.
 */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What is to be taken down when the program ends without having done it: a failed case. */
static struct {
	void (*fn)(void *thing);
	const void *thing; /* whose it is: never looked into, its stack may be gone */
	void *copy;
} pending[16];

static void
take_down(void)
{
	for (size_t i = sizeof pending / sizeof pending[0]; i-- > 0;) {
		void (*fn)(void *) = pending[i].fn;

		pending[i].fn = NULL;
		if (fn != NULL)
			fn(pending[i].copy);
		free(pending[i].copy);
		pending[i].copy = NULL;
	}
}

void
fixture_at_end(void (*fn)(void *thing), const void *thing, size_t size)
{
	static bool registered;

	if (!registered)
		atexit(take_down);
	registered = true;
	fixture_ended(thing);
	for (size_t i = 0; i < sizeof pending / sizeof pending[0]; i++)
		if (pending[i].fn == NULL) {
			pending[i].fn = fn;
			pending[i].thing = thing;
			pending[i].copy = malloc(size);
			if (pending[i].copy == NULL)
				abort();
			memcpy(pending[i].copy, thing, size);
			return;
		}
}

void
fixture_ended(const void *thing)
{
	for (size_t i = 0; i < sizeof pending / sizeof pending[0]; i++)
		if (pending[i].fn != NULL && pending[i].thing == thing) {
			pending[i].fn = NULL;
			free(pending[i].copy);
			pending[i].copy = NULL;
		}
}

void
fixture_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("fixture: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(3);
}

__attribute__((format(printf, 2, 3))) static void
run(const char *what, const char *fmt, ...)
{
	char command[2000];
	va_list ap;
	int status;

	va_start(ap, fmt);
	if (vsnprintf(command, sizeof command, fmt, ap) >= (int)sizeof command)
		fixture_die("%s: the command is too long", what);
	va_end(ap);
	status = system(command);
	if (status != 0)
		fixture_die("%s: `%s` ended with %d", what, command,
			WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

void
fixture_mkdir(char *out, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	if (snprintf(out, size, "%s/mf-test.XXXXXX", tmp != NULL ? tmp : "/tmp") >= (int)size ||
		mkdtemp(out) == NULL || chmod(out, 0755) != 0)
		fixture_die("temporary directory %s: %s", out, strerror(errno));
}

void
fixture_rmdir(const char *dir)
{
	run("remove", "rm -rf '%s'", dir);
}

char *
fixture_read(const char *path, size_t *len_out)
{
	FILE *f = fopen(path, "rb");
	size_t len = 0, cap = 1 << 16, n;
	char *data = malloc(cap);

	if (f == NULL || data == NULL)
		fixture_die("%s: %s", path, strerror(errno));
	while ((n = fread(data + len, 1, cap - len - 1, f)) > 0) {
		len += n;
		if (cap - len < 2 && (data = realloc(data, cap *= 2)) == NULL)
			fixture_die("%s: out of memory", path);
	}
	fclose(f);
	data[len] = '\0';
	if (len_out != NULL)
		*len_out = len;
	return data;
}

const char *
fixture_user(const char *prefix)
{
	static char names[16][64];
	static unsigned count;
	char *name = names[count % 16];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(name, sizeof names[0], "%s-%d-%lx-%u", prefix, (int)getpid(),
		(unsigned long)now.tv_nsec, count++);
	return name;
}

int
fixture_connect(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 60 };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		fixture_die("connect to port %u: %s", port, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

/* ---- the server ---- */

static unsigned
port_value(const char *text, const char *name)
{
	char needle[32];
	const char *at;

	snprintf(needle, sizeof needle, "\n%s=", name);
	at = strstr(text, needle);
	if (at == NULL)
		fixture_die("no %s in the ports file", name);
	return (unsigned)strtoul(at + strlen(needle), NULL, 10);
}

static void
text_value(const char *text, const char *name, char *out, size_t size)
{
	char needle[32];
	const char *at;
	int len;

	snprintf(needle, sizeof needle, "\n%s=", name);
	at = strstr(text, needle);
	if (at == NULL)
		fixture_die("no %s in the ports file", name);
	at += strlen(needle);
	len = (int)strcspn(at, "\n");
	if (snprintf(out, size, "%.*s", len, at) >= (int)size)
		fixture_die("%s is too long", name);
}

static void
read_ports(struct dovecot *d)
{
	char path[200];
	char *text;

	snprintf(path, sizeof path, "%s/ports", d->dir);
	text = fixture_read(path, NULL);
	d->imap = (uint16_t)port_value(text, "IMAP");
	d->imaps = (uint16_t)port_value(text, "IMAPS");
	d->lmtp = (uint16_t)port_value(text, "LMTP");
	d->sieve = (uint16_t)port_value(text, "SIEVE");
	d->submission = (uint16_t)port_value(text, "SUBMISSION");
	text_value(text, "CA", d->ca, sizeof d->ca);
	text_value(text, "MAIL", d->mail, sizeof d->mail);
	text_value(text, "LOG", d->log, sizeof d->log);
	free(text);
}

void
dovecot_get(struct dovecot *d)
{
	const char *dir = getenv("MAILFERRY_DOVECOT");

	if (dir == NULL || *dir == '\0') {
		dovecot_start(d, "");
		return;
	}
	*d = (struct dovecot){ .own = false };
	snprintf(d->dir, sizeof d->dir, "%s", dir);
	read_ports(d);
}

static void
dovecot_abandon(void *thing)
{
	dovecot_do(thing, "remove");
}

void
dovecot_start(struct dovecot *d, const char *options)
{
	*d = (struct dovecot){ .own = true };
	fixture_mkdir(d->dir, sizeof d->dir);
	fixture_at_end(dovecot_abandon, d, sizeof *d);
	run("start", "%s/contrib/tools/dovecot start '%s' %s", SOURCE_DIR, d->dir, options);
	read_ports(d);
}

void
dovecot_do(struct dovecot *d, const char *verb)
{
	if (!d->own)
		fixture_die("%s of a server that others use", verb);
	run(verb, "%s/contrib/tools/dovecot %s '%s'", SOURCE_DIR, verb, d->dir);
}

void
dovecot_end(struct dovecot *d)
{
	fixture_ended(d);
	if (d->own)
		dovecot_do(d, "remove");
}

void
dovecot_fill(struct dovecot *d, const char *user, const char *command)
{
	run("messages", "cd '%s' && NOW=1700000000 %s '%s/messages' >&2", SOURCE_DIR, command,
		d->dir);
	run("import", "%s/contrib/tools/dovecot import '%s' %s '%s/messages'", SOURCE_DIR, d->dir,
		user, d->dir);
	run("remove", "rm -rf '%s/messages'", d->dir);
}

const char *
dovecot_url(struct dovecot *d, bool tls)
{
	if (tls)
		snprintf(d->url, sizeof d->url, "imaps://127.0.0.1:%u", d->imaps);
	else
		snprintf(d->url, sizeof d->url, "imap://127.0.0.1:%u", d->imap);
	return d->url;
}

size_t
dovecot_log_count(const struct dovecot *d, const char *text)
{
	char *log = fixture_read(d->log, NULL);
	size_t n = 0;

	for (const char *p = log; (p = strstr(p, text)) != NULL; p += strlen(text))
		n++;
	free(log);
	return n;
}

/* ---- a line-wise connection ---- */

struct imap_talk {
	int fd;
	unsigned tag;
	char *in; /* what the last command brought */
	size_t len, cap;
};

static void
send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			fixture_die("send: %s", strerror(errno));
		data += n;
		len -= (size_t)n;
	}
}

static void
receive(struct imap_talk *t)
{
	ssize_t n;

	if (t->cap - t->len < (1 << 16)) {
		t->cap = (t->cap + (1 << 16)) * 2;
		t->in = realloc(t->in, t->cap);
		if (t->in == NULL)
			fixture_die("out of memory");
	}
	n = recv(t->fd, t->in + t->len, t->cap - t->len - 1, 0);
	if (n <= 0)
		fixture_die("the server hung up or hangs after: %.200s", t->len > 0 ? t->in : "");
	t->len += (size_t)n;
	t->in[t->len] = '\0';
}

/* Reads until a line begins with the word and is complete; returns that line. */
static const char *
await_line(struct imap_talk *t, const char *word)
{
	size_t from = 0;

	for (;;) {
		char *line = t->in + from, *end;

		while (from < t->len && (end = memchr(line, '\n', t->len - from)) != NULL) {
			if (strncmp(line, word, strlen(word)) == 0)
				return line;
			from += (size_t)(end + 1 - line);
			line = end + 1;
		}
		receive(t);
	}
}

/* Message with CRLF line ends; for LMTP also with doubled dots. */
static char *
canonical(const char *message, size_t len, bool dots, size_t *len_out)
{
	char *out = malloc(len * 3 + 3), *p = out;

	if (out == NULL)
		fixture_die("out of memory");
	for (size_t i = 0; i < len; i++) {
		if (message[i] == '\n' && (i == 0 || message[i - 1] != '\r'))
			*p++ = '\r';
		if (dots && message[i] == '.' && (i == 0 || message[i - 1] == '\n'))
			*p++ = '.';
		*p++ = message[i];
	}
	if (len == 0 || message[len - 1] != '\n') {
		*p++ = '\r';
		*p++ = '\n';
	}
	*len_out = (size_t)(p - out);
	return out;
}

static void
lmtp_say(struct imap_talk *t, const char *line, const char *expect)
{
	t->len = 0;
	send_all(t->fd, line, strlen(line));
	for (;;) { /* skips "250-..." lines */
		const char *answer = await_line(t, "");

		if (strlen(answer) > 3 && answer[3] == ' ') {
			if (strncmp(answer, expect, strlen(expect)) != 0)
				fixture_die("LMTP: %.40s: %.200s", line, answer);
			return;
		}
		t->len -= strcspn(t->in, "\n") + 1;
		memmove(t->in, strchr(t->in, '\n') + 1, t->len + 1);
	}
}

void
dovecot_deliver(const struct dovecot *d, const char *user, const char *message, size_t len)
{
	struct imap_talk t = { .fd = fixture_connect(d->lmtp) };
	char to[300];
	size_t size;
	char *text = canonical(message, len, true, &size);

	receive(&t);
	t.len = 0;
	lmtp_say(&t, "LHLO localhost\r\n", "250");
	lmtp_say(&t, "MAIL FROM:<sender@example.test>\r\n", "250");
	snprintf(to, sizeof to, "RCPT TO:<%s@example.test>\r\n", user);
	lmtp_say(&t, to, "250");
	lmtp_say(&t, "DATA\r\n", "354");
	send_all(t.fd, text, size);
	lmtp_say(&t, ".\r\n", "250");
	lmtp_say(&t, "QUIT\r\n", "221");
	close(t.fd);
	free(t.in);
	free(text);
}

/* ---- IMAP ---- */

struct imap_talk *
imap_talk_open(const struct dovecot *d, const char *user)
{
	struct imap_talk *t = calloc(1, sizeof *t);

	if (t == NULL)
		fixture_die("out of memory");
	t->fd = fixture_connect(d->imap);
	receive(t);
	imap_talk(t, "LOGIN %s secret-%s", user, user);
	return t;
}

static const char *talk(struct imap_talk *t, bool must, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static const char *
talk(struct imap_talk *t, bool must, const char *fmt, va_list ap)
{
	char words[8192], line[8300], tag[16];
	const char *last;
	int n;

	if (vsnprintf(words, sizeof words, fmt, ap) >= (int)sizeof words)
		fixture_die("an IMAP command is too long");
	n = snprintf(tag, sizeof tag, "t%u ", ++t->tag);
	snprintf(line, sizeof line, "%s%s\r\n", tag, words);
	t->len = 0;
	send_all(t->fd, line, strlen(line));
	last = await_line(t, tag);
	if (must && strncmp(last + n, "OK", 2) != 0)
		fixture_die("IMAP: %.80s: %.200s", words, last);
	return t->in;
}

const char *
imap_talk(struct imap_talk *t, const char *fmt, ...)
{
	va_list ap;
	const char *answer;

	va_start(ap, fmt);
	answer = talk(t, true, fmt, ap);
	va_end(ap);
	return answer;
}

const char *
imap_talk_any(struct imap_talk *t, const char *fmt, ...)
{
	va_list ap;
	const char *answer;

	va_start(ap, fmt);
	answer = talk(t, false, fmt, ap);
	va_end(ap);
	return answer;
}

void
imap_talk_append(struct imap_talk *t, const char *folder, const char *flags, const char *date,
	const char *message, size_t len)
{
	char line[1024], tag[16];
	size_t size;
	char *text = canonical(message, len, false, &size);

	snprintf(tag, sizeof tag, "t%u ", ++t->tag);
	snprintf(line, sizeof line, "%sAPPEND \"%s\" (%s)%s%s%s {%zu+}\r\n", tag, folder, flags,
		date != NULL ? " \"" : "", date != NULL ? date : "", date != NULL ? "\"" : "",
		size);
	t->len = 0;
	send_all(t->fd, line, strlen(line));
	send_all(t->fd, text, size);
	send_all(t->fd, "\r\n", 2);
	free(text);
	if (strncmp(await_line(t, tag) + strlen(tag), "OK", 2) != 0)
		fixture_die("APPEND to %s: %.200s", folder, t->in);
}

unsigned
imap_talk_count(struct imap_talk *t, const char *folder)
{
	const char *at = strstr(imap_talk(t, "STATUS \"%s\" (MESSAGES)", folder), "MESSAGES ");

	if (at == NULL)
		fixture_die("STATUS of %s: %.200s", folder, t->in);
	return (unsigned)strtoul(at + strlen("MESSAGES "), NULL, 10);
}

void
imap_talk_close(struct imap_talk *t)
{
	if (t == NULL)
		return;
	imap_talk(t, "LOGOUT");
	close(t->fd);
	free(t->in);
	free(t);
}
