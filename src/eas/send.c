/*
 * The order in which a mail is sent, and what each failure means. Knows the ledger's steps; must not know
 * how a message looks.
 *
 * The step LEDGER_ENDING is written when the backend has read the last byte and before it writes the final
 * dot: so a crash before it is certainly not sent, and one behind SENT certainly is. Nothing is written
 * earlier: what has not left by then has left no trace.
 */
#include "eas/send.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "backend/session.h"
#include "base/clock.h"
#include "eas/send_unfinished.h"
#include "eas/status.h"
#include "mailferry/log.h"
#include "state/user.h"

enum { SESSION_WAIT_MS = 20000, TWIN_WAIT_MS = 50000, TWIN_POLL_MS = 500 };

/* ---- Mails under way in this process ---- */

static struct send_flight *flights;
static pthread_mutex_t flights_lock = PTHREAD_MUTEX_INITIALIZER;

bool
send_flight_begin(struct send_flight *f, uint32_t user, const uint8_t *name)
{
	bool alone = true;
	*f = (struct send_flight){ .user = user };
	memcpy(f->name, name, sizeof(f->name));
	pthread_mutex_lock(&flights_lock);
	for (const struct send_flight *other = flights; other != NULL; other = other->next)
		if (other->user == f->user && memcmp(other->name, f->name, sizeof(f->name)) == 0)
			alone = false;
	if (alone) {
		f->next = flights;
		flights = f;
	}
	pthread_mutex_unlock(&flights_lock);
	return alone;
}

void
send_flight_end(struct send_flight *f)
{
	pthread_mutex_lock(&flights_lock);
	struct send_flight **at = &flights;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	pthread_mutex_unlock(&flights_lock);
}

/* ---- The ledger ---- */

static void
note_step(struct outgoing *o, enum ledger_step step)
{
	struct mf_error err;
	if (state_ledger_step(o->r->server->state, o->records_user, &o->entry, step, &err) != MF_OK)
		mf_log_error("ledger=failed step=%d error=%s", step, mf_log_value(err.text));
	else
		o->entry.step = step;
}

static bool
holds(const struct eas_request *r)
{
	return strcmp(mf_conf_string(r->server->conf, "send_unknown"), "hold") == 0;
}

/* ---- How much the server takes ---- */

enum { LIMIT_LIFE_MS = 3600 * 1000, REQUEST_MORE = 65536 /* than the mail in it */ };

static struct {
	_Atomic uint64_t bytes; /* 0: it has not told */
	_Atomic int64_t until;	/* clock_ms */
} known;

static void
learn_limit(uint64_t bytes)
{
	known.bytes = bytes;
	known.until = clock_ms() + LIMIT_LIFE_MS;
}

uint64_t
send_limit(const struct eas_server *server)
{
	uint64_t own = (uint64_t)mf_conf_number(server->conf, "body_limit");
	uint64_t told = clock_ms() < known.until ? known.bytes : 0;
	told = told == 0 ? own : told + REQUEST_MORE;
	return told < own ? told : own;
}

/* ---- Giving it to the server ---- */

struct giving {
	struct outgoing *o;
	uint64_t given;
	bool noted, ledger_failed;
};

/* The stream to the backend; its last bytes are given out just before the final dot. */
static ssize_t
read_noting_end(void *ctx, void *data, size_t size)
{
	struct giving *g = ctx;
	ssize_t n = send_stream_read(&g->o->stream, data, size);
	struct mf_error err;
	g->given += (uint64_t)n;
	if (g->given < g->o->size || g->noted)
		return n;
	if (state_ledger_step(g->o->r->server->state, g->o->records_user, &g->o->entry,
		    LEDGER_ENDING, &err) != MF_OK) {
		mf_log_error("ledger=failed error=%s", mf_log_value(err.text));
		g->ledger_failed = true;
		return -1;
	}
	g->o->entry.step = LEDGER_ENDING;
	g->noted = true;
	return n;
}

static enum mf_status
give_once(struct outgoing *o, enum mf_sent *sent, bool *stale, struct mf_error *err)
{
	struct eas_request *r = o->r;
	struct mf_session *s;
	const struct mf_backend_api *api;
	struct giving g = { .o = o };
	*sent = MF_SENT_NOT;
	*stale = false;
	enum mf_status st = backend_session_get(r->server->backends, BACKEND_SUBMIT, &r->login,
		clock_ms() + SESSION_WAIT_MS, &s, &api, err);
	if (st != MF_OK)
		return st;
	if (api->submit->eight_bit != NULL && !api->submit->eight_bit(s))
		message_make_seven_bit(o);
	struct mf_envelope e = { .from = o->from,
		.to = o->to,
		.n_to = o->n_to,
		.size = o->size,
		.eight_bit = o->eight_bit,
		.utf8 = o->utf8 };
	uint64_t limit = api->submit->limit(s);
	learn_limit(limit);
	send_stream_rewind(&o->stream);
	if (!message_sender_ok(o, api->submit->as_user == NULL || api->submit->as_user(s)))
		st = mf_fail(err, MF_REFUSED, "send: not the user's own address (send_from)");
	else if (limit > 0 && o->size > limit)
		st = mf_fail(err, MF_TOO_LARGE, "send: the mail server takes %llu bytes",
			(unsigned long long)limit);
	else
		st = api->submit->submit(s, &e, read_noting_end, &g, sent, err);
	if (g.ledger_failed)
		st = MF_TEMPORARY;
	*stale = st == MF_TEMPORARY && *sent == MF_SENT_NOT && !api->usable(s);
	backend_session_put(r->server->backends, s);
	return st;
}

/* A session that had waited may have been closed by the server meanwhile: then once more. */
static enum mf_status
give(struct outgoing *o, enum mf_sent *sent, struct mf_error *err)
{
	bool stale;
	enum mf_status st = give_once(o, sent, &stale, err);
	if (!stale)
		return st;
	if (o->entry.step == LEDGER_ENDING)
		note_step(o, LEDGER_NONE);
	return give_once(o, sent, &stale, err);
}

/* ---- Outcomes ---- */

/* Numbers that the table of places does not tell, because sending has its own. */
static unsigned
failure_status(enum mf_status st)
{
	if (st == MF_TOO_LARGE)
		return EAS_SEND_QUOTA;
	return eas_status_at(EAS_AT_SEND, st);
}

static unsigned
fail(enum mf_status st, const struct mf_error *err)
{
	mf_log_warning(
		"send=failed status=%s error=%s", mf_status_name(st), mf_log_value(err->text));
	return failure_status(st);
}

static unsigned
finish(struct outgoing *o, bool again)
{
	if (after_sent(o, again))
		note_step(o, LEDGER_DONE);
	else
		send_unfinished_keep(o);
	return EAS_OK;
}

static unsigned
hold(struct outgoing *o)
{
	note_step(o, LEDGER_HELD);
	notice_unknown(o);
	mf_log_warning("send=held");
	return EAS_SUBMISSION_FAILED;
}

/* What is to be done after it was sent is written with the step: a crash does not forget it. */
static unsigned
sent_now(struct outgoing *o)
{
	bool nothing = !o->job->save && o->job->source == NULL;
	o->entry.note = notice_list(o);
	nothing = nothing && o->entry.note.len == 0;
	note_step(o, nothing ? LEDGER_DONE : LEDGER_SENT);
	return nothing ? EAS_OK : finish(o, false);
}

static unsigned
send_now(struct outgoing *o)
{
	struct mf_error err = { .status = MF_OK };
	enum mf_sent sent = MF_SENT_NOT;
	enum mf_status st = source_fetch(o, &err);
	if (st == MF_OK)
		st = message_build(o, &err);
	if (st == MF_OK)
		st = give(o, &sent, &err);
	if (sent == MF_SENT_YES)
		return sent_now(o);
	if (sent == MF_SENT_UNKNOWN && holds(o->r))
		return hold(o);
	if (sent == MF_SENT_NOT)
		note_step(o, LEDGER_NONE);
	return fail(st == MF_OK ? MF_BROKEN : st, &err);
}

/* Sent before: the same ClientId is told so from 14.0 on; a phone that makes a new one for each try
 * (AOSP) is told success. */
static unsigned
repeated(const struct outgoing *o)
{
	eas_note(o->r, "repeat=1");
	return o->entry.same_client && o->r->version >= EAS_14_0 ? EAS_PREVIOUSLY_SENT : EAS_OK;
}

static unsigned
send_known(struct outgoing *o)
{
	struct mf_error err;
	enum mf_status st = state_user_number(
		o->r->server->state, STATE_RECORDS, o->r->user, &o->records_user, &err);
	if (st == MF_OK)
		st = state_ledger_begin(
			o->r->server->state, o->records_user, o->r->arena, &o->entry, &err);
	if (st != MF_OK)
		return fail(MF_TEMPORARY, &err);
	if (o->entry.other_mail || o->entry.step == LEDGER_DONE)
		return repeated(o);
	switch (o->entry.step) {
	case LEDGER_SENT:
		finish(o, true);
		return repeated(o);
	case LEDGER_HELD:
		return EAS_SUBMISSION_FAILED;
	case LEDGER_ENDING:
		if (holds(o->r))
			return hold(o);
		mf_log_warning("send=again reason=outcome-unknown");
		return send_now(o);
	default:
		return send_now(o);
	}
}

/* The same mail is under way: its outcome will be in the ledger. */
static enum eas_verdict
wait_for_twin(struct eas_request *r, unsigned *status)
{
	int64_t now = clock_ms();
	if (!r->waited)
		r->wait = (struct eas_wait){ .until = now + TWIN_WAIT_MS, .poll_ms = TWIN_POLL_MS };
	*status = EAS_RETRY_LATER;
	return r->wait.ended || now >= r->wait.until ? EAS_DONE : EAS_WAIT;
}

enum eas_verdict
send_run(struct eas_request *r, const struct send_job *job, unsigned *status)
{
	struct outgoing *o = mf_new(r->arena, struct outgoing);
	o->r = r;
	o->job = job;
	mf_buf_init(&o->out, 0);
	mf_buf_init(&o->copy, 0);
	*status = message_read(o);
	if (*status != EAS_OK)
		return EAS_DONE;
	struct send_flight f;
	if (!send_flight_begin(&f, r->user_number, o->entry.name))
		return wait_for_twin(r, status);
	*status = send_known(o);
	send_flight_end(&f);
	mf_buf_deinit(&o->out);
	mf_buf_deinit(&o->copy);
	return EAS_DONE;
}

bool
send_was_sent(struct eas_request *r, const char *client_id)
{
	/* Of a mail that has no such name: then it is another that was sent. */
	struct ledger_entry e = { .device = r->device_id, .client_id = client_id, .own_id = true };
	uint32_t user;
	struct mf_error err;
	return state_user_number(r->server->state, STATE_RECORDS, r->user, &user, &err) == MF_OK &&
	       state_ledger_begin(r->server->state, user, r->arena, &e, &err) == MF_OK &&
	       e.other_mail;
}

enum eas_verdict
send_draft(struct eas_request *r, const struct state_folder *folder, uint64_t id, const char *key,
	unsigned *status)
{
	struct send_job job = { .kind = SEND_NEW, .client_id = key, .own_id = true, .save = true };
	struct mf_error err;
	enum mf_status st = source_read(r, folder->id, id, &job.mime, &err);
	if (st != MF_OK) {
		*status = failure_status(st);
		return EAS_DONE;
	}
	return send_run(r, &job, status);
}
