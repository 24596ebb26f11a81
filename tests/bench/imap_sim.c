/* An IMAP server without mail. Knows just the commands that the gateway says. */
#include "imap_sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096, BATCH = 256, UIDVALIDITY = 1000 };

static const char capabilities[] =
	"IMAP4rev1 SASL-IR LITERAL+ ENABLE IDLE NAMESPACE UNSELECT UIDPLUS "
	"CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS AUTH=PLAIN";

struct connection {
	int fd;
	SSL *ssl; /* NULL: plain */
	bool shaken, idling, gone;
	unsigned user; /* 0: nobody has logged in */
	unsigned told; /* messages of the Inbox that it knows of, while it is open here */
	bool inbox;    /* is open */
	char idle_tag[32];
	char *line; /* of an unfinished line */
	size_t n_line;
	struct connection *next, **at; /* of its user */
};

struct user {
	unsigned messages;
	struct connection *connections;
};

struct imap_sim {
	unsigned n_users;
	struct user *users; /* by number */
	SSL_CTX *tls;
	int listener, epoll, wake;
	uint16_t port;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint away_ms;
	pthread_mutex_t lock; /* of the deliveries */
	unsigned *deliveries;
	size_t n_deliveries, room;
	struct connection **all;
	size_t n_all, room_all;
	time_t second;
	uint64_t in_second;
	_Atomic uint64_t logins, idles, commands, connections, idling, logins_most;
};

static void
die(const char *what)
{
	perror(what);
	abort();
}

/* ---- Saying ---- */

static void
say(struct connection *c, const char *text, size_t len)
{
	ssize_t n = c->ssl != NULL ? SSL_write(c->ssl, text, (int)len)
				   : send(c->fd, text, len, MSG_NOSIGNAL);

	if (n != (ssize_t)len) /* answers are short, and the gateway reads */
		c->gone = true;
}

__attribute__((format(printf, 2, 3))) static void
sayf(struct connection *c, const char *fmt, ...)
{
	char text[2000];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	say(c, text, (size_t)n);
}

/* ---- Commands ---- */

static unsigned
messages_of(const struct imap_sim *s, const struct connection *c)
{
	return c->user == 0 ? 0 : s->users[c->user].messages;
}

static void
log_in(struct imap_sim *s, struct connection *c, unsigned user)
{
	time_t now = time(NULL);

	if (user == 0 || user > s->n_users || c->user != 0)
		return;
	c->user = user;
	c->next = s->users[user].connections;
	c->at = &s->users[user].connections;
	if (c->next != NULL)
		c->next->at = &c->next;
	*c->at = c;
	atomic_fetch_add(&s->logins, 1);
	s->in_second = now == s->second ? s->in_second + 1 : 1;
	s->second = now;
	if (s->in_second > atomic_load(&s->logins_most))
		atomic_store(&s->logins_most, s->in_second);
}

/* AUTHENTICATE PLAIN <base64 of NUL user NUL password> */
static unsigned
plain_user(const char *text)
{
	unsigned char raw[600];
	size_t len = strlen(text);
	int n;

	if (len > 700 || (n = EVP_DecodeBlock(raw, (const unsigned char *)text, (int)len)) < 6)
		return 0;
	raw[n < 600 ? n : 599] = '\0';
	return strncmp((char *)raw + 1, "user", 4) == 0
		       ? (unsigned)strtoul((char *)raw + 5, NULL, 10)
		       : 0;
}

static void
tell_status(const struct imap_sim *s, struct connection *c, const char *args)
{
	const char *end = *args == '"' ? strchr(args + 1, '"') : strchr(args, ' ');
	unsigned n = strncasecmp(args, "INBOX", 5) == 0 || strncasecmp(args, "\"INBOX\"", 7) == 0
			     ? messages_of(s, c)
			     : 0;
	int len = end == NULL ? 0 : (int)(end - args) + (*args == '"');

	sayf(c, "* STATUS %.*s (MESSAGES %u UIDNEXT %u UIDVALIDITY %u HIGHESTMODSEQ %u)\r\n", len,
		args, n, n + 1, UIDVALIDITY, n + 1);
}

static void
open_folder(const struct imap_sim *s, struct connection *c, const char *args)
{
	unsigned n;

	c->inbox = strcasestr(args, "INBOX") != NULL;
	n = c->inbox ? messages_of(s, c) : 0;
	c->told = n;
	sayf(c,
		"* FLAGS (\\Seen)\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n* %u EXISTS\r\n"
		"* 0 RECENT\r\n* OK [UIDVALIDITY %u] x\r\n* OK [UIDNEXT %u] x\r\n"
		"* OK [HIGHESTMODSEQ %u] x\r\n",
		n, UIDVALIDITY, n + 1, n + 1);
}

static void
tell_list(struct connection *c)
{
	static const char text[] = "* LIST (\\HasNoChildren) \"/\" INBOX\r\n"
				   "* LIST (\\HasNoChildren \\Drafts) \"/\" Drafts\r\n"
				   "* LIST (\\HasNoChildren \\Sent) \"/\" Sent\r\n"
				   "* LIST (\\HasNoChildren \\Trash) \"/\" Trash\r\n";

	say(c, text, sizeof text - 1);
}

/* Each message came with a mod-sequence of its UID + 1. */
static void
tell_changes(const struct imap_sim *s, struct connection *c, const char *args)
{
	const char *since = strcasestr(args, "CHANGEDSINCE ");
	unsigned n = messages_of(s, c), from = 1;

	if (since != NULL)
		from = (unsigned)strtoul(since + 13, NULL, 10);
	else
		from = (unsigned)strtoul(args + 10, NULL, 10);
	if (from == 0)
		from = 1;
	if (n > from + 20)
		from = n - 20;
	for (unsigned uid = from; uid <= n; uid++)
		sayf(c,
			"* %u FETCH (UID %u FLAGS () INTERNALDATE \"01-Jan-2026 10:00:00 +0000\" "
			"MODSEQ (%u))\r\n",
			uid, uid, uid + 1);
}

static void
tell_exists(const struct imap_sim *s, struct connection *c)
{
	if (!c->inbox || c->told == messages_of(s, c))
		return;
	c->told = messages_of(s, c);
	sayf(c, "* %u EXISTS\r\n", c->told);
}

static bool
is(const char *s, const char *word)
{
	return strncasecmp(s, word, strlen(word)) == 0;
}

static void
run(struct imap_sim *s, struct connection *c, char *line)
{
	char *args = strchr(line, ' ');

	atomic_fetch_add(&s->commands, 1);
	if (c->idling) { /* DONE */
		c->idling = false;
		atomic_fetch_sub(&s->idling, 1);
		sayf(c, "%s OK done\r\n", c->idle_tag);
		return;
	}
	if (args == NULL)
		return;
	*args++ = '\0';
	if (is(args, "AUTHENTICATE PLAIN ")) {
		log_in(s, c, plain_user(args + 19));
		sayf(c, "%s %s [CAPABILITY %s] in\r\n", line, c->user != 0 ? "OK" : "NO",
			capabilities);
		return;
	}
	if (is(args, "IDLE")) {
		snprintf(c->idle_tag, sizeof c->idle_tag, "%s", line);
		c->idling = true;
		atomic_fetch_add(&s->idling, 1);
		atomic_fetch_add(&s->idles, 1);
		say(c, "+ idling\r\n", 10);
		tell_exists(s, c);
		return;
	}
	if (is(args, "CAPABILITY"))
		sayf(c, "* CAPABILITY %s\r\n", capabilities);
	else if (is(args, "NAMESPACE"))
		sayf(c, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	else if (is(args, "LIST"))
		tell_list(c);
	else if (is(args, "STATUS "))
		tell_status(s, c, args + 7);
	else if (is(args, "SELECT ") || is(args, "EXAMINE "))
		open_folder(s, c, args);
	else if (is(args, "UNSELECT") || is(args, "CLOSE"))
		c->inbox = false;
	else if (is(args, "UID FETCH "))
		tell_changes(s, c, args);
	else if (is(args, "LOGOUT"))
		c->gone = true;
	else
		tell_exists(s, c);
	sayf(c, "%s OK done\r\n", line);
}

/* ---- Connections ---- */

static void
drop(struct imap_sim *s, struct connection *c)
{
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	SSL_free(c->ssl);
	close(c->fd);
	if (c->user != 0) {
		*c->at = c->next;
		if (c->next != NULL)
			c->next->at = c->at;
	}
	if (c->idling)
		atomic_fetch_sub(&s->idling, 1);
	atomic_fetch_sub(&s->connections, 1);
	for (size_t i = 0; i < s->n_all; i++)
		if (s->all[i] == c)
			s->all[i] = s->all[--s->n_all];
	free(c->line);
	free(c);
}

static void
greet(struct connection *c)
{
	c->shaken = true;
	sayf(c, "* OK [CAPABILITY %s] simulated\r\n", capabilities);
}

static void
take_connections(struct imap_sim *s)
{
	int fd, one = 1;

	while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct connection *c = calloc(1, sizeof *c);
		struct epoll_event ev = { .events = EPOLLIN, .data = { .ptr = c } };

		c->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (s->n_all == s->room_all) {
			s->room_all = s->room_all * 2 + 64;
			s->all = realloc(s->all, s->room_all * sizeof *s->all);
		}
		s->all[s->n_all++] = c;
		atomic_fetch_add(&s->connections, 1);
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev);
		if (s->tls == NULL) {
			greet(c);
			continue;
		}
		c->ssl = SSL_new(s->tls);
		SSL_set_fd(c->ssl, fd);
		SSL_set_accept_state(c->ssl);
	}
}

static void
take_text(struct imap_sim *s, struct connection *c, const char *data, size_t len)
{
	while (len > 0 && !c->gone) {
		const char *nl = memchr(data, '\n', len);
		size_t n = nl == NULL ? len : (size_t)(nl - data) + 1;
		char *line = realloc(c->line, c->n_line + n + 1);

		memcpy(line + c->n_line, data, n);
		c->line = line;
		c->n_line += n;
		data += n;
		len -= n;
		if (nl == NULL) {
			c->gone = c->n_line > LINE_MAX_BYTES;
			return;
		}
		line[c->n_line] = '\0';
		line[strcspn(line, "\r\n")] = '\0';
		c->line = NULL;
		c->n_line = 0;
		run(s, c, line);
		free(line);
	}
}

static void
serve(struct imap_sim *s, struct connection *c)
{
	char data[4096];
	ssize_t n;

	if (c->ssl != NULL && !c->shaken) {
		int rc = SSL_accept(c->ssl);

		if (rc == 1)
			greet(c);
		else if (SSL_get_error(c->ssl, rc) != SSL_ERROR_WANT_READ)
			c->gone = true;
	}
	while (!c->gone && (c->ssl == NULL || c->shaken)) {
		n = c->ssl != NULL ? SSL_read(c->ssl, data, sizeof data)
				   : recv(c->fd, data, sizeof data, 0);
		if (n > 0) {
			take_text(s, c, data, (size_t)n);
			continue;
		}
		c->gone = c->ssl != NULL ? SSL_get_error(c->ssl, (int)n) != SSL_ERROR_WANT_READ
					 : n == 0 || (errno != EAGAIN && errno != EINTR);
		break;
	}
	if (c->gone)
		drop(s, c);
}

/* ---- What other threads ask for ---- */

static void
deliver_all(struct imap_sim *s)
{
	unsigned *list;
	size_t n;

	pthread_mutex_lock(&s->lock);
	list = s->deliveries;
	n = s->n_deliveries;
	s->deliveries = NULL;
	s->n_deliveries = s->room = 0;
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < n; i++) {
		struct user *u = &s->users[list[i]];

		u->messages++;
		for (struct connection *c = u->connections; c != NULL; c = c->next)
			if (c->idling)
				tell_exists(s, c);
	}
	free(list);
}

/* Port 0: any; s->port is set. */
static void
listen_at(struct imap_sim *s, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof at;
	int one = 1;

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(s->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
		listen(s->listener, 4096) != 0)
		die("listen");
	getsockname(s->listener, (struct sockaddr *)&at, &len);
	s->port = ntohs(at.sin_port);
}

static void
go_away(struct imap_sim *s, unsigned ms)
{
	struct epoll_event ev = { .events = EPOLLIN, .data = { .ptr = s } };

	epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->listener, NULL);
	close(s->listener);
	while (s->n_all > 0)
		drop(s, s->all[s->n_all - 1]);
	usleep(ms * 1000);
	listen_at(s, s->port);
	atomic_store(&s->logins_most, 0);
	epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &ev);
}

static void *
thread(void *arg)
{
	struct imap_sim *s = arg;
	struct epoll_event events[BATCH];

	while (!atomic_load(&s->stop)) {
		int n = epoll_wait(s->epoll, events, BATCH, -1);
		unsigned away = 0;

		for (int i = 0; i < n; i++) {
			uint64_t count;

			if (events[i].data.ptr == s) {
				take_connections(s);
			} else if (events[i].data.ptr == NULL) {
				if (read(s->wake, &count, sizeof count) < 0)
					continue;
				away = atomic_exchange(&s->away_ms, 0);
				deliver_all(s);
			} else {
				serve(s, events[i].data.ptr);
			}
		}
		if (away > 0) /* no event of this batch is looked at any more */
			go_away(s, away);
	}
	return NULL;
}

static void
rouse(struct imap_sim *s)
{
	uint64_t one = 1;

	if (write(s->wake, &one, sizeof one) < 0)
		die("eventfd");
}

void
imap_sim_deliver(struct imap_sim *s, unsigned user)
{
	pthread_mutex_lock(&s->lock);
	if (s->n_deliveries == s->room) {
		s->room = s->room * 2 + 64;
		s->deliveries = realloc(s->deliveries, s->room * sizeof *s->deliveries);
	}
	s->deliveries[s->n_deliveries++] = user;
	pthread_mutex_unlock(&s->lock);
	rouse(s);
}

void
imap_sim_restart(struct imap_sim *s, unsigned away_ms)
{
	atomic_store(&s->away_ms, away_ms == 0 ? 1 : away_ms);
	rouse(s);
}

/* ---- Life ---- */

struct imap_sim *
imap_sim_start(unsigned users, const char *certificate, const char *key)
{
	struct imap_sim *s = calloc(1, sizeof *s);
	struct epoll_event ev = { .events = EPOLLIN, .data = { .ptr = s } };

	signal(SIGPIPE, SIG_IGN);
	s->n_users = users;
	s->users = calloc(users + 1, sizeof *s->users);
	pthread_mutex_init(&s->lock, NULL);
	if (certificate != NULL) {
		s->tls = SSL_CTX_new(TLS_server_method());
		SSL_CTX_set_mode(s->tls, SSL_MODE_RELEASE_BUFFERS);
		if (SSL_CTX_use_certificate_chain_file(s->tls, certificate) != 1 ||
			SSL_CTX_use_PrivateKey_file(s->tls, key, SSL_FILETYPE_PEM) != 1)
			die(certificate);
	}
	listen_at(s, 0);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &ev);
	ev.data.ptr = NULL;
	epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->wake, &ev);
	if (pthread_create(&s->thread, NULL, thread, s) != 0)
		die("thread");
	return s;
}

uint16_t
imap_sim_port(const struct imap_sim *s)
{
	return s->port;
}

void
imap_sim_stop(struct imap_sim *s)
{
	atomic_store(&s->stop, true);
	rouse(s);
	pthread_join(s->thread, NULL);
	while (s->n_all > 0)
		drop(s, s->all[s->n_all - 1]);
	close(s->listener);
	close(s->epoll);
	close(s->wake);
	SSL_CTX_free(s->tls);
	pthread_mutex_destroy(&s->lock);
	free(s->all);
	free(s->deliveries);
	free(s->users);
	free(s);
}

void
imap_sim_stats(struct imap_sim *s, struct imap_sim_stats *out)
{
	*out = (struct imap_sim_stats){ atomic_load(&s->logins), atomic_load(&s->idles),
		atomic_load(&s->commands), atomic_load(&s->connections), atomic_load(&s->idling),
		atomic_load(&s->logins_most) };
}
