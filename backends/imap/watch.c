/*
 * One account watched on the gateway's event loop: a connection that costs a struct and a descriptor.
 *
 *	LOGIN (a helper thread connects and logs in as any session does)
 *	  -> SETTING (NOTIFY, or EXAMINE INBOX and the first STATUS of the other folders)
 *	  -> WAITING (NOTIFY: nothing; else IDLE) <-> ROUND (DONE, STATUS of the others, IDLE again)
 *	  -> lost: LOGIN again after a pause that grows, with jitter
 *
 * NOTIFY (RFC 5465) tells of all folders at once; IDLE (RFC 2177) of the Inbox alone, but a server may
 * hibernate meanwhile. Knows lines, not messages: any untagged answer means that something stirred.
 */
#include "watch.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mailferry/log.h"
#include "mailferry/loop.h"
#include "session.h"

enum {
	LINE_KEEP = 1024,  /* of a line that came in pieces; what is longer is only "something" */
	OUT_MAX = 1 << 20, /* commands not yet sent */
	ANSWER_MS = 60 * 1000,	 /* to end a round */
	IDLE_MS = 9 * 60 * 1000, /* firewalls forget connections that say less */
	PAUSE_MS = 2000,	 /* before the first new attempt */
	PAUSE_MOST_MS = 300 * 1000,
	FOLDERS_MAX = 500,
};

enum state { STATE_LOGIN, STATE_SETTING, STATE_WAITING, STATE_ROUND, STATE_PAUSE, STATE_DENIED };

struct folder {
	char *id;	 /* the gateway's */
	char *wire;	 /* as in commands: quoted; NULL: cannot be asked for */
	uint64_t digest; /* of its last STATUS answer; 0: none yet */
};

struct mf_watch {
	struct mf_loop_io io;
	struct mf_loop_timer timer;
	struct mf_loop_job login; /* while state is LOGIN */
	struct mf_backend *b;
	struct mf_loop *loop;
	mf_stir_fn *stir;
	void *ctx;

	struct mf_login who;	    /* owned, wiped */
	struct mf_session *session; /* of the login, until its connection is taken */
	enum mf_status login_status;
	struct mf_error login_err;

	enum state state;
	SSL *ssl;
	uint32_t caps;
	bool notify;	   /* NOTIFY is set on this connection */
	bool stopped;	   /* free it when the login comes back */
	bool fresh;	   /* nobody was told yet that this connection watches */
	bool again;	   /* the folders changed during a round */
	bool idling;	   /* IDLE was sent and not yet ended */
	unsigned last_tag; /* of the last command that was sent */
	unsigned failures;

	struct folder *folders; /* without the Inbox */
	size_t n_folders;
	bool inbox; /* is wanted */

	char line[LINE_KEEP]; /* of an unfinished line */
	size_t n_line;
	uint64_t literal; /* bytes of a literal still to be skipped */
	struct mf_buf out;
	unsigned seed;
};

static void begin_login(struct mf_loop_timer *t);
static void round_begin(struct mf_watch *w);

/* ---- Small things ---- */

static char *
copy(const char *s)
{
	char *c = s == NULL ? NULL : strdup(s);

	if (s != NULL && c == NULL)
		abort();
	return c;
}

static uint64_t
digest(const char *s, size_t len)
{
	uint64_t h = 1469598103934665603ULL;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 1099511628211ULL;
	return h == 0 ? 1 : h;
}

static void
set_timer(struct mf_watch *w, void (*fire)(struct mf_loop_timer *t), int64_t ms)
{
	w->timer.fire = fire;
	mf_loop_timer_set(w->loop, &w->timer, ms);
}

static struct mf_watch *
of_timer(struct mf_loop_timer *t)
{
	return (struct mf_watch *)((char *)t - offsetof(struct mf_watch, timer));
}

/* ---- Losing the connection, and getting it again ---- */

static void
disconnect(struct mf_watch *w)
{
	mf_loop_timer_clear(w->loop, &w->timer);
	if (w->io.fd >= 0) {
		mf_loop_io_remove(w->loop, &w->io);
		SSL_free(w->ssl);
		ERR_clear_error();
		close(w->io.fd);
	}
	w->ssl = NULL;
	w->io.fd = -1;
	w->n_line = 0;
	w->literal = 0;
	w->idling = false;
	mf_buf_clear(&w->out);
}

/* Twice as long each time, and never all at the same moment. */
static int64_t
pause_ms(struct mf_watch *w)
{
	int64_t ms = PAUSE_MS;

	for (unsigned i = 0; i < w->failures && ms < PAUSE_MOST_MS; i++)
		ms *= 2;
	w->seed = w->seed * 1103515245 + 12345;
	ms = ms < PAUSE_MOST_MS ? ms : PAUSE_MOST_MS;
	return ms / 2 + (int64_t)((w->seed >> 8) % (unsigned)ms);
}

static void
lost(struct mf_watch *w, const char *why)
{
	int64_t ms;

	disconnect(w);
	ms = pause_ms(w);
	w->failures++;
	mf_log(w->failures > 3 ? MF_LOG_WARNING : MF_LOG_INFO,
		"event=watch-lost user=%s reason=%s again_ms=%lld", mf_log_value(w->who.user),
		mf_log_value(why), (long long)ms);
	w->state = STATE_PAUSE;
	set_timer(w, begin_login, ms);
}

static void
too_late(struct mf_loop_timer *t)
{
	lost(of_timer(t), "no answer in time");
}

/* ---- Sending ---- */

static void
flush(struct mf_watch *w)
{
	while (w->out.len > 0) {
		ssize_t n;

		if (w->ssl != NULL) {
			ERR_clear_error();
			n = SSL_write(w->ssl, w->out.data, (int)w->out.len);
		} else {
			n = send(w->io.fd, w->out.data, w->out.len, MSG_NOSIGNAL);
		}
		if (n <= 0)
			break; /* full, or broken: then reading tells */
		mf_buf_consume(&w->out, (size_t)n);
	}
	if (!mf_loop_io_set(
		    w->loop, &w->io, MF_LOOP_READ | (w->out.len > 0 ? (unsigned)MF_LOOP_WRITE : 0)))
		lost(w, "the event loop takes no descriptor");
}

static void
command(struct mf_watch *w, const char *before, const char *wire, const char *after)
{
	mf_buf_printf(&w->out, "W%u %s%s%s\r\n", ++w->last_tag, before, wire, after);
}

/* ---- Rounds: everything that is asked, then waiting ---- */

static void
idle_over(struct mf_loop_timer *t)
{
	round_begin(of_timer(t));
}

/* NOTIFY says it all by itself; without it the Inbox idles and the others are asked now and then. */
static void
round_end(struct mf_watch *w)
{
	int64_t ms = IDLE_MS;

	w->failures = 0;
	w->state = STATE_WAITING;
	if (w->again) {
		round_begin(w);
		return;
	}
	if (!w->notify) {
		w->idling = (w->caps & IMAP_CAP_IDLE) != 0;
		if (w->idling)
			command(w, "IDLE", "", "");
		if (w->n_folders > 0 && w->b->watch_poll_ms < ms)
			ms = w->b->watch_poll_ms;
		flush(w);
	}
	if (w->state != STATE_WAITING)
		return;
	set_timer(w, idle_over, ms);
	if (w->fresh) {
		w->fresh = false;
		w->stir(w->ctx, NULL);
	}
}

static void
ask_status(struct mf_watch *w)
{
	for (size_t i = 0; i < w->n_folders; i++)
		if (w->folders[i].wire != NULL)
			command(w, "STATUS ", w->folders[i].wire,
				(w->caps & IMAP_CAP_CONDSTORE) != 0
					? " (UIDNEXT UIDVALIDITY MESSAGES HIGHESTMODSEQ)"
					: " (UIDNEXT UIDVALIDITY MESSAGES UNSEEN)");
}

/* The folders of interest, and every change of the list of folders. */
static void
ask_notify(struct mf_watch *w)
{
	mf_buf_printf(&w->out, "W%u NOTIFY SET (mailboxes (INBOX", ++w->last_tag);
	for (size_t i = 0; i < w->n_folders; i++)
		if (w->folders[i].wire != NULL)
			mf_buf_printf(&w->out, " %s", w->folders[i].wire);
	mf_buf_add_str(&w->out, ") (MessageNew MessageExpunge FlagChange)) "
				"(personal (MailboxName))\r\n");
}

static void
round_begin(struct mf_watch *w)
{
	w->again = false;
	if (w->idling)
		mf_buf_add_str(&w->out, "DONE\r\n");
	w->idling = false;
	if (w->notify && w->fresh)
		ask_notify(w);
	else if (!w->notify)
		ask_status(w);
	command(w, "NOOP", "", "");
	w->state = STATE_ROUND;
	set_timer(w, too_late, ANSWER_MS);
	flush(w);
}

/* ---- Reading ---- */

/* The folder of interest that an answer names; the whole list when it cannot be told. */
static const char *
named(struct mf_watch *w, const char *name, size_t len, bool *known)
{
	*known = true;
	if ((len == 5 && strncasecmp(name, "INBOX", 5) == 0) ||
		(len == 7 && strncasecmp(name, "\"INBOX\"", 7) == 0))
		return w->inbox ? "INBOX" : NULL;
	for (size_t i = 0; i < w->n_folders; i++) {
		const char *wire = w->folders[i].wire;
		size_t n;

		if (wire == NULL)
			continue;
		n = strlen(wire);
		if (n == len && memcmp(wire, name, len) == 0)
			return w->folders[i].id;
		if (n == len + 2 && memcmp(wire + 1, name, len) == 0) /* not quoted by the server */
			return w->folders[i].id;
	}
	*known = false;
	return NULL;
}

/* Length of the astring at s: quoted or an atom. */
static size_t
astring(const char *s, size_t len)
{
	size_t n = 0;

	if (len == 0 || s[0] != '"') {
		while (n < len && s[n] != ' ')
			n++;
		return n;
	}
	for (n = 1; n < len && s[n] != '"'; n++)
		n += s[n] == '\\';
	return n < len ? n + 1 : len;
}

/* "STATUS name (...)": of a round, or told by NOTIFY. */
static void
take_status(struct mf_watch *w, const char *s, size_t len)
{
	size_t name = astring(s, len), i;
	bool known;
	const char *id;

	if (w->state == STATE_WAITING || w->notify) {
		id = named(w, s, name, &known);
		if (id != NULL || (!known && len > 0 && s[0] == '{'))
			w->stir(w->ctx, id);
		return;
	}
	for (i = 0; i < w->n_folders; i++) {
		struct folder *f = &w->folders[i];
		uint64_t now = digest(s, len);

		if (f->wire == NULL || named(w, s, name, &known) != f->id)
			continue;
		if (f->digest != 0 && f->digest != now)
			w->stir(w->ctx, f->id);
		f->digest = now;
	}
}

static bool
starts(const char *s, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && strncasecmp(s, word, n) == 0;
}

static void
take_untagged(struct mf_watch *w, const char *s, size_t len)
{
	if (starts(s, len, "BYE")) {
		lost(w, "the server says goodbye");
	} else if (starts(s, len, "STATUS ")) {
		take_status(w, s + 7, len - 7);
	} else if (starts(s, len, "LIST ") || starts(s, len, "LSUB ")) {
		w->stir(w->ctx, NULL);
	} else if (starts(s, len, "OK [NOTIFICATIONOVERFLOW")) {
		lost(w, "too many notifications for the server");
	} else if (len > 0 && s[0] >= '0' && s[0] <= '9' && w->state != STATE_SETTING) {
		/* EXISTS, EXPUNGE, FETCH, RECENT of the Inbox */
		if (w->inbox)
			w->stir(w->ctx, "INBOX");
	}
}

/* The end of a command: "W12 OK ...". */
static void
take_end(struct mf_watch *w, const char *s, size_t len)
{
	unsigned tag = (unsigned)strtoul(s + 1, NULL, 10);
	const char *after = memchr(s, ' ', len);
	bool ok = after != NULL && starts(after + 1, len - (size_t)(after + 1 - s), "OK");

	if (w->notify && w->fresh && !ok) { /* refused: the other way, then */
		w->notify = false;
		w->state = STATE_SETTING;
		command(w, "EXAMINE INBOX", "", "");
		flush(w);
		return;
	}
	if (w->state == STATE_SETTING && !ok) {
		lost(w, "the Inbox cannot be watched");
		return;
	}
	if (tag != w->last_tag)
		return;
	if (w->state == STATE_SETTING)
		round_begin(w);
	else if (w->state == STATE_ROUND)
		round_end(w);
}

/* "{123}" at a line's end: bytes follow that are no line. */
static uint64_t
literal_of(const char *s, size_t len)
{
	size_t at = len;

	if (len < 3 || s[len - 1] != '}')
		return 0;
	while (at > 0 && s[at - 1] != '{')
		at--;
	return at == 0 ? 0 : strtoull(s + at, NULL, 10);
}

static void
take_line(struct mf_watch *w, const char *s, size_t len)
{
	w->literal = literal_of(s, len);
	if (len > 2 && s[0] == '*' && s[1] == ' ')
		take_untagged(w, s + 2, len - 2);
	else if (len > 2 && s[0] == 'W')
		take_end(w, s, len);
	/* "+ idling" and the rest of lines with literals tell nothing */
}

/* Lines out of bytes; the callbacks may disconnect. */
static void
take_bytes(struct mf_watch *w, const char *data, size_t len)
{
	while (len > 0 && w->io.fd >= 0) {
		const char *nl;
		size_t n;

		if (w->literal > 0) {
			n = w->literal < len ? (size_t)w->literal : len;
			w->literal -= n;
			data += n;
			len -= n;
			continue;
		}
		nl = memchr(data, '\n', len);
		n = nl == NULL ? len : (size_t)(nl - data) + 1;
		for (size_t i = 0; i < n && w->n_line < LINE_KEEP - 1; i++)
			if (data[i] != '\r' && data[i] != '\n')
				w->line[w->n_line++] = data[i];
		data += n;
		len -= n;
		if (nl == NULL)
			continue;
		w->line[w->n_line] = '\0';
		n = w->n_line;
		w->n_line = 0;
		take_line(w, w->line, n);
	}
}

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
		flush(w);
	while (w->io.fd >= 0) {
		ssize_t n = receive(w, data, sizeof(data));

		if (n > 0) {
			take_bytes(w, data, (size_t)n);
			continue;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			lost(w, "the connection broke");
		else if ((events & MF_LOOP_HANGUP) != 0)
			lost(w, "the server hung up");
		return;
	}
}

/* ---- Logging in, on a helper thread ---- */

static void
login_run(struct mf_loop_job *job)
{
	struct mf_watch *w = (struct mf_watch *)((char *)job - offsetof(struct mf_watch, login));

	w->login_status = imap_session_open(w->b, &w->who, &w->session, &w->login_err);
}

static void
watch_free(struct mf_watch *w)
{
	disconnect(w);
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

/* The connection is taken out of its session, which is no longer needed. */
static void
take_connection(struct mf_watch *w)
{
	struct mf_session *s = w->session;

	w->session = NULL;
	w->caps = s->caps;
	w->io.fd = s->stream.fd;
	w->ssl = s->stream.ssl;
	s->stream.fd = -1;
	s->stream.ssl = NULL;
	s->lost = true;
	imap_session_close(s);
}

/* NOTIFY holds a process of the server for each user: only while they are few. */
static bool
may_notify(const struct mf_watch *w)
{
	if ((w->caps & IMAP_CAP_NOTIFY) == 0 || w->b->watch_mode == IMAP_WATCH_IDLE)
		return false;
	return w->b->watch_mode == IMAP_WATCH_NOTIFY ||
	       atomic_load(&w->b->watchers) <= w->b->watch_notify_max;
}

static void
login_done(struct mf_loop_job *job)
{
	struct mf_watch *w = (struct mf_watch *)((char *)job - offsetof(struct mf_watch, login));

	if (w->stopped) {
		imap_session_close(w->session);
		watch_free(w);
		return;
	}
	if (w->login_status == MF_AUTH || w->login_status == MF_REFUSED) {
		mf_log_warning("event=watch-denied user=%s reason=%s", mf_log_value(w->who.user),
			mf_log_value(w->login_err.text));
		w->state = STATE_DENIED;
		return;
	}
	if (w->login_status != MF_OK) {
		lost(w, w->login_err.text);
		return;
	}
	take_connection(w);
	w->notify = may_notify(w);
	w->fresh = true;
	w->state = STATE_SETTING;
	for (size_t i = 0; i < w->n_folders; i++)
		w->folders[i].digest = 0;
	set_timer(w, too_late, ANSWER_MS);
	command(w, w->notify ? "NOOP" : "EXAMINE INBOX", "", "");
	flush(w);
}

static void
begin_login(struct mf_loop_timer *t)
{
	struct mf_watch *w = of_timer(t);

	w->state = STATE_LOGIN;
	w->session = NULL;
	w->login.run = login_run;
	w->login.done = login_done;
	mf_loop_offload(w->loop, &w->login);
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
	w->state = STATE_PAUSE;
	mf_buf_init(&w->out, OUT_MAX);
	atomic_fetch_add(&b->watchers, 1);
	set_timer(w, begin_login, 0);
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

static bool
has_folder(const struct mf_watch *w, const char *id)
{
	for (size_t i = 0; i < w->n_folders; i++)
		if (strcmp(w->folders[i].id, id) == 0)
			return true;
	return false;
}

static bool
is_listed(const char *const *ids, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(ids[i], id) == 0)
			return true;
	return false;
}

/* Folders that are new are added; those that are no longer wanted stay until none of the old are: a
 * phone asks for the same folders again and again. */
static void
watch_folders(struct mf_watch *w, const char *const *ids, size_t n)
{
	bool new = false;

	w->inbox = w->inbox || is_listed(ids, n, "INBOX");
	for (size_t i = 0; i < n && w->n_folders < FOLDERS_MAX; i++) {
		struct folder *list;

		if (strcmp(ids[i], "INBOX") == 0 || has_folder(w, ids[i]))
			continue;
		list = realloc(w->folders, (w->n_folders + 1) * sizeof(*list));
		if (list == NULL)
			abort();
		w->folders = list;
		list[w->n_folders++] = (struct folder){ copy(ids[i]), wire_of(ids[i]), 0 };
		new = true;
	}
	if (!new && w->state == STATE_WAITING && !w->fresh) {
		w->stir(w->ctx, NULL);
		return;
	}
	w->fresh = true;
	if (w->state == STATE_WAITING)
		round_begin(w);
	else if (w->state == STATE_ROUND)
		w->again = true;
}

static void
watch_stop(struct mf_watch *w)
{
	if (w == NULL)
		return;
	if (w->state == STATE_LOGIN) {
		w->stopped = true; /* the helper still has it */
		return;
	}
	watch_free(w);
}

const struct mf_watch_api imap_watch = {
	.size = sizeof(struct mf_watch_api),
	.start = watch_start,
	.folders = watch_folders,
	.stop = watch_stop,
};
