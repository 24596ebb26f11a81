/* Listening sockets. Knows addresses and systemd's protocol for handing over sockets; no HTTP. */
#include "http/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "conf/conf.h"
#include "http/server.h"
#include "mailferry/log.h"

enum { SYSTEMD_FIRST_FD = 3, HOST_MAX = 256 };

static unsigned
port_of(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return 0;
	if (ss.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&ss)->sin_port);
	if (ss.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
	return 0;
}

static enum mf_status
add(struct http_listeners *l, int fd, bool tls, const char *name, struct mf_error *err)
{
	struct http_listener *one = &l->all[l->n];

	if (l->n == HTTP_LISTENERS_MAX) {
		close(fd);
		return mf_fail(
			err, MF_INVALID, "more than %d addresses to listen on", HTTP_LISTENERS_MAX);
	}
	*one = (struct http_listener){ .fd = fd, .tls = tls, .port = port_of(fd) };
	snprintf(one->name, sizeof(one->name), "%s", name);
	l->n++;
	return MF_OK;
}

/* A socket that nobody answers on was left by a process that was killed. */
static bool
in_use(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answered = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0;

	close(fd);
	return answered;
}

static enum mf_status
listen_unix(struct http_listeners *l, const char *path, bool tls, const char *name,
	struct mf_error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct stat sb;
	enum mf_status st;
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path) || path[0] != '/')
		return mf_fail(err, MF_INVALID, "listen %s: not a path that can be used", name);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (stat(path, &sb) == 0 && S_ISSOCK(sb.st_mode) && !in_use(&sun))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 || chmod(path, 0660) != 0 ||
		listen(fd, SOMAXCONN) != 0) {
		st = mf_fail(err, MF_INVALID, "listen %s: %s", name, strerror(errno));
		close(fd);
		return st;
	}
	st = add(l, fd, tls, name, err);
	if (st == MF_OK)
		snprintf(l->all[l->n - 1].path, sizeof(l->all[0].path), "%s", path);
	return st;
}

static enum mf_status
listen_inet(struct http_listeners *l, const struct addrinfo *ai, bool tls, const char *name,
	struct mf_error *err)
{
	int one = 1;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 && errno == EAFNOSUPPORT)
		return MF_OK; /* a kernel without IPv6 */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
		enum mf_status st =
			mf_fail(err, MF_INVALID, "listen %s: %s", name, strerror(errno));

		if (fd >= 0)
			close(fd);
		return st;
	}
	return add(l, fd, tls, name, err);
}

/* "host:port", "[::1]:port", ":port", "*:port" */
static bool
split(const char *name, char *host, const char **port)
{
	const char *colon = strrchr(name, ':');
	size_t n;
	uint32_t number;

	if (colon == NULL || !str_to_u32(colon + 1, 65535, &number))
		return false;
	*port = colon + 1;
	n = (size_t)(colon - name);
	if (n >= 2 && name[0] == '[' && name[n - 1] == ']') {
		name++;
		n -= 2;
	} else if (memchr(name, ':', n) != NULL) {
		return false;
	}
	if (n >= HOST_MAX)
		return false;
	memcpy(host, name, n);
	host[n] = '\0';
	if (strcmp(host, "*") == 0)
		host[0] = '\0';
	return true;
}

static enum mf_status
listen_name(struct http_listeners *l, const char *name, bool tls, struct mf_error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE },
			*found = NULL;
	char host[HOST_MAX];
	const char *port;
	size_t before = l->n;
	enum mf_status st = MF_OK;
	int why;

	if (str_starts(name, "unix:"))
		return listen_unix(l, name + 5, tls, name, err);
	if (!split(name, host, &port))
		return mf_fail(err, MF_INVALID,
			"listen %s: not host:port, [IPv6]:port or unix:/path", name);
	why = getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, &found);
	if (why != 0)
		return mf_fail(err, MF_INVALID, "listen %s: %s", name, gai_strerror(why));
	for (struct addrinfo *ai = found; st == MF_OK && ai != NULL; ai = ai->ai_next)
		st = listen_inet(l, ai, tls, name, err);
	freeaddrinfo(found);
	if (st == MF_OK && l->n == before)
		return mf_fail(err, MF_INVALID, "listen %s: no such kind of address here", name);
	return st;
}

/* sd_listen_fds(3): the sockets begin at 3; names with "tls" or "https" in them are for HTTPS. */
static enum mf_status
take_systemd(struct http_listeners *l, struct mf_error *err)
{
	const char *pid = conf_environment("LISTEN_PID"), *count = conf_environment("LISTEN_FDS");
	const char *names = conf_environment("LISTEN_FDNAMES");
	enum mf_status st = MF_OK;
	uint32_t n;

	if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != getpid() ||
		!str_to_u32(count, HTTP_LISTENERS_MAX, &n))
		return MF_OK;
	for (uint32_t i = 0; st == MF_OK && i < n; i++) {
		size_t len = names == NULL ? 0 : strcspn(names, ":");
		char name[64] = "systemd";
		int fd = SYSTEMD_FIRST_FD + (int)i;

		if (len > 0)
			snprintf(name, sizeof(name), "%.*s", (int)len, names);
		if (names != NULL)
			names += len + (names[len] == ':');
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		st = add(l, fd, strstr(name, "tls") != NULL || strstr(name, "https") != NULL, name,
			err);
	}
	return st;
}

enum mf_status
http_listen(const struct mf_conf *conf, const struct http_places *places,
	struct http_listeners *out, struct mf_error *err)
{
	static const char *const none[] = { NULL };
	const char *const *plain = mf_conf_list(conf, places->plain);
	const char *const *tls = places->tls == NULL ? none : mf_conf_list(conf, places->tls);
	enum mf_status st;

	memset(out, 0, sizeof(*out));
	st = places->systemd ? take_systemd(out, err) : MF_OK;
	if (st == MF_OK && out->n > 0)
		return MF_OK;
	for (; st == MF_OK && *plain != NULL; plain++)
		st = listen_name(out, *plain, false, err);
	for (; st == MF_OK && *tls != NULL; tls++)
		st = listen_name(out, *tls, true, err);
	if (st == MF_OK && out->n == 0)
		st = mf_fail(err, MF_INVALID, "listen: there is no address to listen on");
	if (st != MF_OK)
		http_listen_close(out);
	return st;
}

void
http_listen_close(struct http_listeners *l)
{
	for (size_t i = 0; i < l->n; i++) {
		close(l->all[i].fd);
		if (l->all[i].path[0] != '\0')
			unlink(l->all[i].path);
	}
	l->n = 0;
}
