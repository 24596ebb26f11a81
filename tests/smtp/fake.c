/* The server: bytes in, lines kept, replies out. Knows so much of SMTP as a client can be tested with. */
#include "fake.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

const char fake_ehlo_all[] = "250-fake\r\n250-PIPELINING\r\n250-SIZE 1000\r\n"
			     "250-AUTH PLAIN LOGIN\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
const char fake_ehlo_old[] = "250-fake\r\n250 AUTH LOGIN\r\n";

struct wire {
	struct fake *s;
	int fd;
	SSL_CTX *ctx;
	SSL *ssl; /* NULL: plain */
};

static bool
put(struct wire *w, const char *text)
{
	int n = (int)strlen(text);

	return n == 0 || (w->ssl != NULL ? SSL_write(w->ssl, text, n) == n
					 : send(w->fd, text, (size_t)n, MSG_NOSIGNAL) == n);
}

/* A line with its end; false: the client has gone. */
static bool
get_line(struct wire *w, char *line, size_t size)
{
	size_t n = 0;

	while (n + 1 < size) {
		ssize_t got = w->ssl != NULL ? SSL_read(w->ssl, line + n, 1)
					     : recv(w->fd, line + n, 1, 0);

		if (got <= 0)
			return false;
		if (line[n++] == '\n')
			break;
	}
	line[n] = '\0';
	w->s->encrypted = w->ssl != NULL;
	return true;
}

static bool
begin_tls(struct wire *w)
{
	char path[300];

	w->ctx = SSL_CTX_new(TLS_server_method());
	snprintf(path, sizeof path, "%s/%s.pem", w->s->certs, w->s->cert);
	cr_assert_eq(SSL_CTX_use_certificate_chain_file(w->ctx, path), 1);
	snprintf(path, sizeof path, "%s/%s.key", w->s->certs, w->s->cert);
	cr_assert_eq(SSL_CTX_use_PrivateKey_file(w->ctx, path, SSL_FILETYPE_PEM), 1);
	w->ssl = SSL_new(w->ctx);
	SSL_set_fd(w->ssl, w->fd);
	return SSL_accept(w->ssl) == 1;
}

static const char *
good_reply(const struct wire *w, const char *line, bool *data)
{
	const struct fake *s = w->s;

	if (strncasecmp(line, "EHLO", 4) == 0)
		return w->ssl != NULL && s->ehlo_tls != NULL ? s->ehlo_tls : s->ehlo;
	if (strncasecmp(line, "AUTH LOGIN", 10) == 0)
		return "334 VXNlcm5hbWU6\r\n";
	if (strncmp(line, "YW5uYQ==", 8) == 0)
		return "334 UGFzc3dvcmQ6\r\n";
	if (strncasecmp(line, "AUTH", 4) == 0 || strncmp(line, "c2VjcmV0", 8) == 0)
		return "235 welcome\r\n";
	if (strncasecmp(line, "STARTTLS", 8) == 0)
		return "220 go on\r\n";
	*data = strncasecmp(line, "DATA", 4) == 0;
	return *data ? "354 go on\r\n" : "250 fine\r\n";
}

static void
add(char *to, size_t size, const char *line)
{
	size_t n = strlen(to);

	snprintf(to + n, size - n, "%s", line);
}

/* False: the conversation is over. */
static bool
answer(struct wire *w, const char *line, bool *data)
{
	bool dot = *data && strcmp(line, ".\r\n") == 0, next = false;
	const char *reply;
	char both[400];

	if (*data && !dot) {
		add(w->s->content, sizeof w->s->content, line);
		return true;
	}
	add(w->s->commands, sizeof w->s->commands, line);
	reply = dot ? "250 taken\r\n" : good_reply(w, line, &next);
	for (const struct fake_rule *r = w->s->rules; r != NULL && r->on != NULL; r++)
		if (strcmp(r->on, ".") == 0 ? dot : !dot && strstr(line, r->on) != NULL) {
			reply = r->reply;
			next = false;
		}
	*data = next;
	if (reply == NULL)
		return false;
	if (strncasecmp(line, "STARTTLS", 8) != 0)
		return put(w, reply);
	snprintf(both, sizeof both, "%s%s", reply, w->s->slipped != NULL ? w->s->slipped : "");
	return put(w, both) && begin_tls(w);
}

static void *
serve(void *arg)
{
	struct wire w = { .s = arg };
	bool data = false;
	char line[4000];

	w.fd = accept(w.s->listener, NULL, NULL);
	if ((w.s->tls != FAKE_IMPLICIT || begin_tls(&w)) && put(&w, "220 fake\r\n"))
		while (get_line(&w, line, sizeof line) && answer(&w, line, &data))
			;
	SSL_free(w.ssl);
	SSL_CTX_free(w.ctx);
	close(w.fd);
	return NULL;
}

enum mf_status
fake_begin(struct trip *t, const char *more)
{
	static struct conf_table tables[2];
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	char text[600];

	if (t->who.user == NULL)
		t->who = (struct mf_login){ .user = "anna", .password = "secret" };
	t->server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(t->server.listener, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(listen(t->server.listener, 1), 0);
	getsockname(t->server.listener, (struct sockaddr *)&at, &len);
	snprintf(text, sizeof(text), "smtp {\n\turl = \"%s://127.0.0.1:%u\"\n%s}\n",
		t->server.tls == FAKE_IMPLICIT ? "smtps" : "smtp", ntohs(at.sin_port), more);
	tables[0] = (struct conf_table){ .name = "smtp", .rows = mf_backend_smtp.settings };
	cr_assert_eq(conf_parse(text, tables, &t->conf, &t->err), MF_OK, "%s", t->err.text);
	cr_assert_eq(mf_backend_smtp.open(conf_section(t->conf, "smtp"), &t->backend, &t->err),
		MF_OK, "%s", t->err.text);
	pthread_create(&t->thread, NULL, serve, &t->server);
	return mf_backend_smtp.login(t->backend, &t->who, &t->session, &t->err);
}

void
fake_end(struct trip *t)
{
	if (t->session != NULL)
		mf_backend_smtp.logout(t->session);
	pthread_join(t->thread, NULL);
	close(t->server.listener);
	mf_backend_smtp.close(t->backend);
	conf_free(t->conf);
}
