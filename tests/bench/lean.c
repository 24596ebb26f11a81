#include "lean.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "wbxml/wbxml.h"

struct lean {
	int fd;
	char head[500]; /* of a request, up to the length */
	struct mf_buf out, in;
};

static void
base64(const char *text, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i += 3) {
		unsigned v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (i + k < len ? (uint8_t)text[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			*out++ = i + k > len ? '=' : digits[v >> (18 - 6 * k) & 63];
	}
	*out = '\0';
}

struct lean *
lean_new(const struct gateway *g, const char *user, const char *device)
{
	struct lean *l = calloc(1, sizeof *l);
	char login[100], coded[140];
	int one = 1;

	if (l == NULL)
		fixture_die("out of memory");
	l->fd = fixture_connect(g->port);
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	snprintf(login, sizeof login, "%s:secret-%s", user, user);
	base64(login, coded);
	snprintf(l->head, sizeof l->head,
		"POST "
		"/Microsoft-Server-ActiveSync?Cmd=Sync&User=%s&DeviceId=%s&DeviceType=Mailferry"
		" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n"
		"MS-ASProtocolVersion: 16.1\r\nX-MS-PolicyKey: 0\r\n"
		"Content-Type: application/vnd.ms-sync.wbxml\r\nContent-Length: ",
		user, device, coded);
	mf_buf_init(&l->out, 0);
	mf_buf_init(&l->in, 0);
	return l;
}

void
lean_free(struct lean *l)
{
	close(l->fd);
	mf_buf_deinit(&l->out);
	mf_buf_deinit(&l->in);
	free(l);
}

/* ---- HTTP ---- */

static void
receive(struct lean *l)
{
	uint8_t *room = mf_buf_reserve(&l->in, 1 << 18);
	ssize_t n = room == NULL ? 0 : recv(l->fd, room, 1 << 18, 0);

	if (n <= 0)
		fixture_die("the gateway hung up");
	mf_buf_commit(&l->in, (size_t)n);
}

static const char *
header(const struct lean *l, const char *name)
{
	const char *at = strcasestr((const char *)l->in.data, name);

	return at == NULL ? "" : at + strlen(name);
}

/* The body of the answer, as long as the next one does not come. */
static struct mf_bytes
answer(struct lean *l)
{
	const uint8_t *end = NULL;
	size_t head, len;

	mf_buf_clear(&l->in);
	while (end == NULL) {
		receive(l);
		end = memmem(l->in.data, l->in.len, "\r\n\r\n", 4);
	}
	head = (size_t)(end - l->in.data) + 4;
	l->in.data[head - 1] = '\0';
	if (strncmp((const char *)l->in.data, "HTTP/1.1 200", 12) != 0)
		fixture_die("the gateway answered: %.30s", (const char *)l->in.data);
	len = strtoul(header(l, "\nContent-Length:"), NULL, 10);
	while (l->in.len < head + len)
		receive(l);
	return mf_bytes(l->in.data + head, len);
}

/* ---- Answers ---- */

enum { SWITCH_PAGE = 0, END = 1, STR_I = 3, OPAQUE = 0xC3, CONTENT = 0x40 };

/* Looks at every token once. */
static void
scan(struct mf_bytes b, struct client_folder *f, struct lean_result *out)
{
	const uint8_t *p = b.data + 4, *end = b.data + b.len;
	unsigned depth = 0, page = 0, tag = 0;

	while (p < end) {
		unsigned token = *p++;

		if (token == SWITCH_PAGE) {
			page = *p++;
		} else if (token == END) {
			depth--;
		} else if (token == STR_I) {
			if (tag == AirSync_SyncKey)
				client_folder_set_key(f, (const char *)p);
			if (tag == AirSync_Status && strcmp((const char *)p, "1") != 0)
				fixture_die("Sync: status %s", (const char *)p);
			p = (const uint8_t *)memchr(p, 0, (size_t)(end - p)) + 1;
		} else if (token == OPAQUE) {
			size_t len = 0;

			do
				len = len << 7 | (*p & 0x7f);
			while ((*p++ & 0x80) != 0);
			p += len;
		} else {
			tag = page << 8 | (token & 0x3f);
			out->added += tag == AirSync_Add;
			out->changed += tag == AirSync_Change;
			out->deleted += tag == AirSync_Delete;
			out->more |= tag == AirSync_MoreAvailable;
			depth += (token & CONTENT) != 0;
		}
	}
	if (depth != 0)
		fixture_die("an answer that does not end");
}

struct lean_result
lean_sync(struct lean *l, struct client_folder *f, const struct client_sync_options *o)
{
	struct lean_result r = { 0 };
	struct mf_bytes body;
	struct mf_buf request;
	char length[40];

	mf_buf_init(&request, 0);
	client_sync_build(&f, 1, o, &request);
	mf_buf_clear(&l->out);
	snprintf(length, sizeof length, "%zu\r\n\r\n", request.len);
	mf_buf_add_str(&l->out, l->head);
	mf_buf_add_str(&l->out, length);
	mf_buf_add(&l->out, request.data, request.len);
	mf_buf_deinit(&request);
	if (send(l->fd, l->out.data, l->out.len, MSG_NOSIGNAL) != (ssize_t)l->out.len)
		fixture_die("cannot send to the gateway");
	body = answer(l);
	r.bytes = body.len;
	r.empty = body.len == 0;
	if (!r.empty)
		scan(body, f, &r);
	return r;
}
