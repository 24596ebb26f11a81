/*
 * One account watched on the gateway's event loop: a connection that costs a struct and a descriptor.
 *
 *	LOGIN (a helper thread connects and logs in as any session does)
 *	  -> SETTING (EXAMINE INBOX, or NOTIFY SET)
 *	  -> ROUND (STATUS of folders that are new) -> WAITING (IDLE, or with NOTIFY nothing)
 *	  WAITING -> ROUND (DONE first) when folders are added, and now and then to see that it lives
 *	  -> lost: LOGIN again after a pause that grows, with jitter
 *
 * NOTIFY (RFC 5465) tells of all folders at once; IDLE (RFC 2177) of the Inbox alone, but a server may
 * hibernate meanwhile: the idling connection is left alone, and all else is asked over short ones
 * (watch_check.c). What the server says is read by watch_read.c.
 */
#include "watch.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mailferry/log.h"
#include "watch_inside.h"

enum {
	PAUSE_MS = 2000,	   /* before the first new attempt */
	PAUSE_MOST_MS = 60 * 1000, /* between two attempts */
	FOLDERS_MAX = 500,
};

struct watch_login {
	struct mf_loop_job job; /* first */
	struct mf_watch *w;	/* NULL: gone */
	struct mf_backend *b;
	struct mf_login who; /* a copy */
	struct mf_session *session;
	enum mf_status status;
	struct mf_error err;
};

static void begin_login(struct mf_loop_timer *t);

/* ---- Time ---- */

void
watch_timer(struct mf_watch *w, void (*fire)(struct mf_loop_timer *t), int64_t ms)
{
	w->timer.fire = fire;
	mf_loop_timer_set(w->loop, &w->timer, ms);
}

int64_t
watch_jitter(struct mf_watch *w, int64_t ms)
{
	w->seed = w->seed * 1103515245 + 12345;
	return ms / 2 + (int64_t)((w->seed >> 8) % (unsigned)(ms < 1 ? 1 : ms));
}

/* ---- Losing the connection, and getting it again ---- */

void
watch_disconnect(struct mf_watch *w)
{
	mf_loop_timer_clear(w->loop, &w->timer);
	mf_loop_timer_clear(w->loop, &w->check);
	if (w->io.fd >= 0) {
		mf_loop_io_remove(w->loop, &w->io);
		SSL_free(w->ssl);
		ERR_clear_error();
		close(w->io.fd);
	}
	w->ssl = NULL;
	w->io.fd = -1;
	free(w->line);
	w->line = NULL;
	w->n_line = 0;
	w->literal = 0;
	w->idling = w->hibernates = w->chatters = false;
	w->listing_due = w->folders_due = false;
	w->ask_from = w->ask_next = 0;
	free(w->arrivals);
	w->arrivals = NULL;
	w->n_arrivals = 0;
	mf_buf_deinit(&w->out);
	mf_buf_init(&w->out, WATCH_OUT_MAX);
}

/* All that were lost at once come back at watch_rate a second; then twice as long each time. */
static int64_t
pause_ms(struct mf_watch *w)
{
	int64_t ms = atomic_load(&w->b->watchers) * 1000LL / w->b->watch_rate;

	if (ms < PAUSE_MS)
		ms = PAUSE_MS;
	for (unsigned i = 0; i < w->failures && ms < PAUSE_MOST_MS; i++)
		ms *= 2;
	return watch_jitter(w, w->failures > 0 && ms > PAUSE_MOST_MS ? PAUSE_MOST_MS : ms);
}

void
watch_lost(struct mf_watch *w, const char *why)
{
	int64_t ms;

	watch_disconnect(w);
	ms = pause_ms(w);
	w->failures++;
	mf_log(w->failures > 3 ? MF_LOG_WARNING : MF_LOG_INFO,
		"event=watch-lost user=%s reason=%s again_ms=%lld", mf_log_value(w->who.user),
		mf_log_value(why), (long long)ms);
	w->state = WATCH_PAUSE;
	w->again = true;
	watch_timer(w, begin_login, ms);
}

/* ---- Reading ---- */

static ssize_t
receive(struct mf_watch *w, void *to, size_t room)
{
	int n;

	if (w->ssl == NULL)
		return recv(w->io.fd, to, room, 0);
	ERR_clear_error();
	n = SSL_read(w->ssl, to, (int)room);
	if (n > 0)
		return n;
	errno = EAGAIN;
	n = SSL_get_error(w->ssl, n);
	return n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

static void
ready(struct mf_loop_io *io, unsigned events)
{
	struct mf_watch *w = (struct mf_watch *)((char *)io - offsetof(struct mf_watch, io));
	char data[4096];

	if ((events & MF_LOOP_WRITE) != 0)
		watch_flush(w);
	while (w->io.fd >= 0) {
		ssize_t n = receive(w, data, sizeof(data));

		if (n > 0) {
			w->heard = net_stream_now();
			watch_take(w, data, (size_t)n);
			continue;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			watch_lost(w, "the connection broke");
		else if ((events & MF_LOOP_HANGUP) != 0)
			watch_lost(w, "the server hung up");
		return;
	}
}

/* The credentials are not, or no longer, good: no more attempts with them. */
void
watch_deny(struct mf_watch *w, const char *why)
{
	mf_log_warning("event=watch-denied user=%s reason=%s", mf_log_value(w->who.user),
		mf_log_value(why));
	watch_disconnect(w);
	w->state = WATCH_DENIED;
	w->stir(w->ctx, MF_STIR_BLIND, NULL);
}

/* ---- Logging in, on a helper thread ---- */

static void
login_run(struct mf_loop_job *job)
{
	struct watch_login *l = (struct watch_login *)job;

	l->status = imap_session_open(l->b, &l->who, &l->session, &l->err);
}

/* A server that is gone without a word is noticed by the system. */
static void
keep_alive(int fd)
{
	int on = 1, idle = 240, every = 30, times = 4;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
}

/* The connection is taken out of its session, which is no longer needed. */
static void
take_connection(struct mf_watch *w, struct mf_session *s)
{
	w->caps = s->caps;
	w->io.fd = s->stream.fd;
	w->ssl = s->stream.ssl;
	s->stream.fd = -1;
	s->stream.ssl = NULL;
	s->lost = true;
	imap_session_close(s);
	keep_alive(w->io.fd);
}

static void
login_done(struct mf_loop_job *job)
{
	struct watch_login *l = (struct watch_login *)job;
	struct mf_watch *w = l->w;

	if (w == NULL) {
		if (l->status == MF_OK)
			imap_session_close(l->session);
	} else if (l->status == MF_OK) {
		w->login = NULL;
		take_connection(w, l->session);
		watch_set_up(w);
	} else if (l->status == MF_AUTH || l->status == MF_REFUSED) {
		w->login = NULL;
		watch_deny(w, l->err.text);
	} else {
		w->login = NULL;
		watch_lost(w, l->err.text);
	}
	mf_login_wipe(&l->who);
	free(l);
}

static void
begin_login(struct mf_loop_timer *t)
{
	struct mf_watch *w = watch_of_timer(t);
	struct watch_login *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->job.run = login_run;
	l->job.done = login_done;
	l->w = w;
	l->b = w->b;
	mf_login_copy(&l->who, &w->who);
	w->login = l;
	w->state = WATCH_LOGIN;
	mf_loop_offload(w->loop, &l->job);
}

/* ---- The facet ---- */

static enum mf_status
watch_start(struct mf_backend *b, struct mf_loop *loop, const struct mf_login *who,
	mf_stir_fn *stir, void *ctx, struct mf_watch **out, struct mf_error *err)
{
	struct mf_watch *w = calloc(1, sizeof(*w));

	(void)err;
	if (w == NULL)
		abort();
	w->b = b;
	w->loop = loop;
	w->stir = stir;
	w->ctx = ctx;
	w->io.fd = -1;
	w->io.ready = ready;
	mf_login_copy(&w->who, who);
	w->seed = (unsigned)((uintptr_t)w >> 4);
	w->state = WATCH_PAUSE;
	mf_buf_init(&w->out, WATCH_OUT_MAX);
	atomic_fetch_add(&b->watchers, 1);
	watch_timer(w, begin_login, 0);
	*out = w;
	return MF_OK;
}

/* A folder's id, which is its name on the wire already, in quotes; NULL when it does not go into them. */
static char *
wire_of(const char *id)
{
	char *wire, *p;

	for (const char *c = id; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			return NULL;
	wire = p = malloc(strlen(id) * 2 + 3);
	if (wire == NULL)
		abort();
	*p++ = '"';
	for (; *id != '\0'; id++) {
		if (*id == '"' || *id == '\\')
			*p++ = '\\';
		*p++ = *id;
	}
	*p++ = '"';
	*p = '\0';
	return wire;
}

/* False: it is there already. */
static bool
add_folder(struct mf_watch *w, const char *id)
{
	struct watch_folder *list;
	char *copy;

	for (size_t i = 0; i < w->n_folders; i++) {
		if (strcmp(w->folders[i].id, id) != 0)
			continue;
		w->folders[i].listed = true;
		w->folders[i].wanted = net_stream_now();
		return false;
	}
	list = realloc(w->folders, (w->n_folders + 1) * sizeof(*list));
	copy = strdup(id);
	if (list == NULL || copy == NULL)
		abort();
	w->folders = list;
	list[w->n_folders++] = (struct watch_folder){
		.id = copy, .wire = wire_of(id), .listed = true, .wanted = net_stream_now()
	};
	return true;
}

/* Folders that are new are added; those that are no longer wanted stay for a while: a phone asks for the
 * same folders again and again. */
static void
watch_folders(struct mf_watch *w, const char *const *ids, size_t n)
{
	bool new = false;

	for (size_t i = 0; i < w->n_folders; i++)
		w->folders[i].listed = false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(ids[i], "INBOX") == 0)
			w->inbox = true;
		else if (w->n_folders < FOLDERS_MAX && add_folder(w, ids[i]))
			new = true;
	}
	w->ready_due = true;
	w->asked_anew = w->asked_anew || new;
	if (w->state == WATCH_DENIED)
		w->stir(w->ctx, MF_STIR_BLIND, NULL);
	else if (w->state == WATCH_WAITING && w->asked_anew)
		watch_round_begin(w);
	else if (w->state == WATCH_WAITING)
		watch_tell_ready(w);
}

static void
watch_stop(struct mf_watch *w)
{
	if (w == NULL)
		return;
	if (w->login != NULL)
		w->login->w = NULL;
	watch_check_leave(w);
	watch_disconnect(w);
	for (size_t i = 0; i < w->n_folders; i++) {
		free(w->folders[i].id);
		free(w->folders[i].wire);
	}
	free(w->folders);
	mf_login_wipe(&w->who);
	mf_buf_deinit(&w->out);
	atomic_fetch_sub(&w->b->watchers, 1);
	free(w);
}

static size_t
watch_arrived(const struct mf_watch *w, struct mf_arrival *out, size_t max)
{
	if (w->n_arrivals > max || w->n_arrivals > WATCH_ARRIVALS_MAX)
		return 0;
	if (w->n_arrivals > 0)
		memcpy(out, w->arrivals, w->n_arrivals * sizeof(*out));
	return w->n_arrivals;
}

const struct mf_watch_api imap_watch = {
	.size = sizeof(struct mf_watch_api),
	.start = watch_start,
	.folders = watch_folders,
	.stop = watch_stop,
	.arrived = watch_arrived,
};
