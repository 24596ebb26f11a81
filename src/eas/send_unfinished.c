/* Knows what is left to do after sending; must not know how a mail looks. */
#include "eas/send_unfinished.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/spool.h"
#include "mailferry/log.h"

enum {
	MAILS_MAX = 100,
	TRIES_MAX = 40,
	FIRST_PAUSE_MS = 5000,
	PAUSE_MAX_MS = 3600 * 1000, /* with TRIES_MAX: more than a day */
};

/* All files of these together. */
#define BYTES_MAX (UINT64_C(512) << 20)

/* Its strings and the ledger's note are in the arena. */
struct unfinished {
	struct unfinished *next;
	struct mf_arena *arena;
	const struct eas_server *server;
	const char *user;      /* by name: numbers are given anew when the state is lost */
	uint32_t source;       /* the folder's number, 0: none */
	const char *source_at; /* its name at the mail server */
	uint64_t source_id;
	enum send_kind kind;
	bool save;
	const char *message_id, *from;
	size_t n_to;
	struct ledger_entry entry;
	uint32_t records_user;
	int fd;
	uint64_t bytes;
	size_t header; /* of the bytes */
	unsigned tries;
	int64_t due; /* clock_ms */
};

static struct {
	pthread_mutex_t lock;
	struct unfinished *first;
	size_t mails;
	uint64_t bytes;
	atomic_size_t listed; /* to look without the lock */
} waiting = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- The list ---- */

static void
unfinished_free(struct unfinished *u)
{
	pthread_mutex_lock(&waiting.lock);
	waiting.mails--;
	waiting.bytes -= u->bytes;
	pthread_mutex_unlock(&waiting.lock);
	if (u->fd >= 0)
		close(u->fd);
	mf_arena_free(u->arena);
}

/* False: too many are there, or this one is. */
static bool
reserve(const struct outgoing *o, uint64_t bytes)
{
	bool known = false;
	pthread_mutex_lock(&waiting.lock);
	for (const struct unfinished *u = waiting.first; u != NULL; u = u->next)
		known = known ||
			(u->records_user == o->records_user &&
				memcmp(u->entry.name, o->entry.name, sizeof(u->entry.name)) == 0);
	bool fits = !known && waiting.mails < MAILS_MAX && waiting.bytes + bytes <= BYTES_MAX;
	if (fits) {
		waiting.mails++;
		waiting.bytes += bytes;
	}
	pthread_mutex_unlock(&waiting.lock);
	return fits;
}

static void
list(struct unfinished *u)
{
	pthread_mutex_lock(&waiting.lock);
	u->next = waiting.first;
	waiting.first = u;
	waiting.listed++;
	pthread_mutex_unlock(&waiting.lock);
}

/* One that is due, which is the caller's then. NULL: none. */
static struct unfinished *
take(const struct eas_request *r)
{
	int64_t now = clock_ms();
	struct unfinished *u = NULL;
	pthread_mutex_lock(&waiting.lock);
	for (struct unfinished **at = &waiting.first; *at != NULL; at = &(*at)->next)
		if ((*at)->server == r->server && strcmp((*at)->user, r->user) == 0 &&
			(*at)->due <= now) {
			u = *at;
			*at = u->next;
			waiting.listed--;
			break;
		}
	pthread_mutex_unlock(&waiting.lock);
	return u;
}

/* ---- Keeping ---- */

/* The copy as it would be filed, with its line ends. */
static bool
write_copy(struct unfinished *u, struct send_stream *s)
{
	enum { STEP = 64 << 10 };
	char *piece = malloc(STEP);
	ssize_t n = 0;
	if (piece == NULL)
		abort();
	bool good = true;
	while (good && (n = send_stream_read(s, piece, STEP)) > 0)
		good = spool_write(u->fd, piece, (size_t)n);
	free(piece);
	return good && n == 0;
}

static struct unfinished *
unfinished_new(const struct outgoing *o)
{
	struct mf_arena *a = mf_arena_new();
	struct unfinished *u = mf_new(a, struct unfinished);
	const struct send_job *job = o->job;
	u->arena = a;
	u->server = o->r->server;
	u->user = mf_strdup(a, o->r->user);
	u->source = job->source == NULL ? 0 : job->source->number;
	u->source_at = job->source == NULL ? "" : mf_strdup(a, job->source->id);
	u->source_id = job->source_id;
	u->kind = job->kind;
	u->save = job->save;
	u->message_id = mf_strdup(a, o->message_id);
	u->from = mf_strdup(a, o->from);
	u->n_to = o->n_to;
	u->records_user = o->records_user;
	u->entry = o->entry;
	u->entry.device = mf_strdup(a, o->entry.device);
	u->entry.client_id = mf_strdup(a, o->entry.client_id);
	u->entry.note = mf_memdup(a, o->entry.note.data, o->entry.note.len);
	u->header = o->copy.len;
	u->fd = -1;
	u->due = clock_ms() + FIRST_PAUSE_MS;
	return u;
}

void
send_unfinished_keep(struct outgoing *o)
{
	struct send_stream s = {
		.header = mf_buf_bytes(&o->copy), .rest = o->content.list, .n_rest = o->content.n
	};
	bool eight_bits;
	if (o->copy.len == 0) /* only a repetition of it: whoever sent it has kept it */
		return;
	uint64_t bytes = send_stream_measure(&s, &eight_bits);
	if (!reserve(o, bytes)) {
		mf_log_warning("after_send=not-kept reason=\"too many mails wait\"");
		return;
	}
	struct unfinished *u = unfinished_new(o);
	u->bytes = bytes;
	u->fd = spool_open(mf_conf_string(o->r->server->conf, "spool_directory"));
	if (u->fd >= 0 && write_copy(u, &s)) {
		list(u);
		return;
	}
	mf_log_warning("after_send=not-kept reason=spool");
	unfinished_free(u);
}

/* ---- Doing ---- */

/* Where the source still is. */
static const struct state_folder *
source_of(const struct unfinished *u, const struct state_folders *f)
{
	const struct state_folder *found =
		u->source == 0 ? NULL : state_folder_by_number(f, u->source);
	return found != NULL && strcmp(found->id, u->source_at) == 0 ? found : NULL;
}

/* What a request would know of the mail, from what was kept. */
static bool
restore(struct eas_request *r, const struct unfinished *u, void *map, struct send_job *job,
	struct outgoing *o)
{
	struct state_folders *f = mf_new(r->arena, struct state_folders);
	struct mf_bytes whole = mf_bytes(map, (size_t)u->bytes);
	struct mf_error err;
	if (state_folders_load(r->server->state, r->user_number, r->arena, f, &err) != MF_OK)
		return false;
	*job = (struct send_job){ .kind = u->kind,
		.client_id = u->entry.client_id,
		.save = u->save,
		.source = source_of(u, f),
		.source_id = u->source_id };
	*o = (struct outgoing){ .r = r,
		.job = job,
		.message_id = u->message_id,
		.from = u->from,
		.n_to = u->n_to,
		.entry = u->entry,
		.records_user = u->records_user };
	mime_header_parse(r->arena, whole, &o->header);
	mf_buf_init(&o->out, 0);
	mf_buf_init(&o->copy, 0);
	mf_buf_add(&o->copy, whole.data, o->header.size);
	o->content.list = mf_new(r->arena, struct mf_bytes);
	o->content.list[0] = mf_bytes(whole.data + o->header.size, whole.len - o->header.size);
	o->content.n = 1;
	return true;
}

/* True: nothing is left of it. A phone's repetition may have done it all meanwhile. */
static bool
finish(struct eas_request *r, struct unfinished *u, void *map)
{
	struct send_job job;
	struct outgoing o;
	struct mf_error err;
	struct ledger_entry now = u->entry;
	now.client_id = ""; /* it may stand for other mail by now */
	if (state_ledger_begin(r->server->state, u->records_user, r->arena, &now, &err) != MF_OK ||
		!restore(r, u, map, &job, &o))
		return false;
	bool done = now.step != LEDGER_SENT || after_sent(&o, true);
	if (done && now.step == LEDGER_SENT)
		done = state_ledger_step(r->server->state, u->records_user, &u->entry, LEDGER_DONE,
			       &err) == MF_OK;
	mf_buf_deinit(&o.copy);
	return done;
}

static bool
try_once(struct eas_request *r, struct unfinished *u)
{
	struct send_flight flight;
	if (!send_flight_begin(&flight, r->user_number, u->entry.name))
		return false;
	void *map = mmap(NULL, (size_t)u->bytes, PROT_READ, MAP_PRIVATE, u->fd, 0);
	bool done = map != MAP_FAILED && finish(r, u, map);
	if (map != MAP_FAILED)
		munmap(map, (size_t)u->bytes);
	send_flight_end(&flight);
	return done;
}

/* Later again, each time after twice as long. */
static void
put_off(struct unfinished *u)
{
	int64_t pause = (int64_t)FIRST_PAUSE_MS << (u->tries < 16 ? u->tries : 16);
	if (++u->tries == TRIES_MAX) {
		mf_log_warning("after_send=given-up tries=%u", u->tries);
		unfinished_free(u);
		return;
	}
	u->due = clock_ms() + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
	list(u);
}

void
send_unfinished_run(struct eas_request *r)
{
	struct unfinished *u;
	if (waiting.listed == 0 || r->store == NULL)
		return;
	while (r->store != NULL && (u = take(r)) != NULL) {
		bool done = try_once(r, u);
		mf_log_info("after_send=%s tries=%u", done ? "done" : "put-off", u->tries + 1);
		if (done) {
			unfinished_free(u);
			continue;
		}
		put_off(u);
		return;
	}
}
