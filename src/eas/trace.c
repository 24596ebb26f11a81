/* Files of requests. Knows what must not be in them. */
#include "eas/trace.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/utf8.h"
#include "eas/commands.h"
#include "eas/spool.h"

enum { ANSWER_MAX = 16 << 20 };

struct order {
	char *user; /* NULL: none */
	int64_t until;
	unsigned files;
};

struct eas_trace {
	char *directory;
	atomic_size_t n; /* read without the lock: mostly 0 */
	pthread_mutex_t lock;
	struct order orders[EAS_TRACE_USERS];
};

struct eas_trace *
eas_trace_new(const char *directory)
{
	struct eas_trace *t = calloc(1, sizeof(*t));
	if (t == NULL || (t->directory = strdup(directory)) == NULL)
		abort();
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void
eas_trace_free(struct eas_trace *t)
{
	if (t == NULL)
		return;
	eas_trace_set(t, NULL, 0);
	pthread_mutex_destroy(&t->lock);
	free(t->directory);
	free(t);
}

void
eas_trace_set(struct eas_trace *t, const struct eas_trace_order *orders, size_t n)
{
	n = n > EAS_TRACE_USERS ? EAS_TRACE_USERS : n;
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < EAS_TRACE_USERS; i++) {
		free(t->orders[i].user);
		t->orders[i].user = NULL;
	}
	for (size_t i = 0; i < n; i++) {
		t->orders[i].user = strdup(orders[i].user);
		if (t->orders[i].user == NULL)
			abort();
		t->orders[i].until = orders[i].until;
		t->orders[i].files = 0;
	}
	atomic_store(&t->n, n);
	pthread_mutex_unlock(&t->lock);
}

/* The running order for a user that has room for another file; NULL: none. With the lock held. */
static struct order *
find_order(struct eas_trace *t, const char *user)
{
	for (size_t i = 0; i < EAS_TRACE_USERS; i++) {
		struct order *o = &t->orders[i];
		if (o->user != NULL && strcmp(o->user, user) == 0 && o->until > clock_wall() &&
			o->files < EAS_TRACE_FILES)
			return o;
	}
	return NULL;
}

/* Whether this user's requests are wanted; as many more of them are counted. The last is told. */
static bool
wanted(struct eas_trace *t, const char *user, unsigned more)
{
	struct order *o;
	if (t == NULL || user == NULL || atomic_load_explicit(&t->n, memory_order_relaxed) == 0)
		return false;
	pthread_mutex_lock(&t->lock);
	o = find_order(t, user);
	if (o != NULL) {
		o->files += more;
		if (o->files == EAS_TRACE_FILES)
			mf_log_warning(
				"trace=full user=%s files=%d", mf_log_value(user), EAS_TRACE_FILES);
	}
	pthread_mutex_unlock(&t->lock);
	return o != NULL;
}

bool
eas_trace_wants(struct eas_trace *t, const char *user)
{
	return wanted(t, user, 0);
}

/* ---- What is written ---- */

static bool
is_secret(const char *header)
{
	static const char *const names[] = { "Authorization", "Proxy-Authorization", "Cookie",
		"Set-Cookie" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (str_ieq(header, names[i]))
			return true;
	return false;
}

static void
add_headers(struct mf_buf *b, const struct eas_header *headers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		mf_buf_printf(b, "%s: ", headers[i].name);
		if (is_secret(headers[i].name))
			mf_buf_add_str(b, "***");
		else
			utf8_sanitise(b, headers[i].value, strlen(headers[i].value));
		mf_buf_add_str(b, "\n");
	}
}

static void
add_body(struct mf_buf *b, struct mf_arena *a, struct mf_bytes body)
{
	struct wbxml_limits limits = wbxml_limits_default;
	struct wbxml_node *root = NULL;
	struct mf_error err = { .text = "" };
	limits.bytes = body.len;
	mf_buf_add_str(b, "\n");
	if (body.len == 0)
		return;
	if (body.data == NULL) { /* it waited before anybody wanted to see it */
		mf_buf_printf(b, "(%zu bytes that were not kept)\n", body.len);
		return;
	}
	if (wbxml_decode(a, body, &limits, false, &root, &err) == MF_OK)
		wbxml_dump(root, true, b);
	else
		mf_buf_printf(b, "(%zu bytes that are not shown: %s)\n", body.len, err.text);
}

/* With what of it is in a file. */
static void
add_answer(struct mf_buf *b, const struct eas_request *r)
{
	uint64_t size = eas_answer_size(&r->answer), done = 0;
	if (size > ANSWER_MAX) {
		mf_buf_printf(b, "\n(%" PRIu64 " bytes: too many to be shown)\n", size);
		return;
	}
	uint8_t *text = mf_alloc(r->arena, (size_t)size + 1);
	while (done < size) {
		ssize_t n = eas_answer_read(&r->answer, done, text + done, (size_t)(size - done));
		if (n <= 0)
			break;
		done += (uint64_t)n;
	}
	add_body(b, r->arena, mf_bytes(text, (size_t)done));
}

static void
write_exchange(struct mf_buf *b, const struct eas_request *r)
{
	mf_buf_printf(b, "request %s of %s, device %s, from %s, took %" PRId64 " ms\n", r->id,
		mf_log_value(r->user), mf_log_value(r->device_id), mf_log_value(r->peer),
		clock_ms() - r->began);
	mf_buf_printf(b, "\n> %s %s version %s\n", r->method,
		r->command != NULL ? r->command->name : mf_log_value(r->command_name),
		eas_version_name(r->version));
	add_headers(b, r->headers, r->n_headers);
	add_body(b, r->arena, r->body);
	mf_buf_printf(b, "\n< %u status %u\n", r->answer.http_status, r->status);
	add_headers(b, r->answer.headers, r->answer.n_headers);
	add_answer(b, r);
}

/* ---- Where ---- */

const char *
eas_trace_folder(struct mf_arena *a, const char *directory, const char *user)
{
	char *name = mf_alloc(a, 3 * strlen(user) + 1);
	size_t n = 0;
	for (const char *p = user; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		bool plain = isalnum(c) || (c != '.' && strchr("-_@+", c) != NULL) ||
			     (c == '.' && p != user);
		n += (size_t)(plain ? sprintf(name + n, "%c", c) : sprintf(name + n, "%%%02X", c));
	}
	if (n > 200) /* of a file's name */
		name[200] = '\0';
	return mf_printf(a, "%s/%s", directory, name);
}

static const char *
file_name(const struct eas_trace *t, const struct eas_request *r)
{
	time_t now = (time_t)clock_wall();
	char stamp[32];
	struct tm tm;
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	return mf_printf(r->arena, "%s/%s-%s-%s.txt",
		eas_trace_folder(r->arena, t->directory, r->user), stamp, r->id,
		r->command != NULL ? r->command->name : r->method);
}

static bool
store(const struct eas_trace *t, const struct eas_request *r, struct mf_bytes text)
{
	const char *folder = eas_trace_folder(r->arena, t->directory, r->user);
	size_t done = 0;
	int fd;
	if ((mkdir(t->directory, 0700) != 0 && errno != EEXIST) ||
		(mkdir(folder, 0700) != 0 && errno != EEXIST))
		return false;
	fd = open(file_name(t, r), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	while (fd >= 0 && done < text.len) {
		ssize_t n = write(fd, text.data + done, text.len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return fd >= 0 && close(fd) == 0 && done == text.len;
}

void
eas_trace_done(struct eas_trace *t, const struct eas_request *r)
{
	struct mf_buf b;
	if (!wanted(t, r->user, 1))
		return;
	mf_buf_init(&b, EAS_TRACE_BYTES);
	write_exchange(&b, r);
	if (!store(t, r, mf_buf_bytes(&b)))
		mf_log_warning("trace=failed why=%s", mf_log_value(strerror(errno)));
	mf_buf_deinit(&b);
}
