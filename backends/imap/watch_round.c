/*
 * What a watched connection is told: the rounds of questions, the waits between them, and when the checks
 * are due. watch.c begins, watch_read.c reads.
 */
#include <openssl/err.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "mailferry/log.h"
#include "watch_inside.h"

enum {
	ANSWER_MS = 60 * 1000,	   /* to end a round */
	ALIVE_MS = 9 * 60 * 1000,  /* without a word from the server it is asked for one */
	SILENT_MS = 5 * 60 * 1000, /* of a server that chatters: it is asked, too */
	NO_IDLE_MS = 60 * 1000,	   /* between two questions to a server without IDLE */
	FOLDER_KEEP_MS =
		3600 * 1000, /* a folder that nobody waits for any more is still asked for */
	AFTER_HIBERNATION_MS = 3 * 1000,
};

static void
too_late(struct mf_loop_timer *t)
{
	watch_lost(watch_of_timer(t), "no answer in time");
}

/* ---- Sending ---- */

void
watch_flush(struct mf_watch *w)
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
	if (w->out.len == 0) { /* nothing is kept while it waits */
		mf_buf_deinit(&w->out);
		mf_buf_init(&w->out, WATCH_OUT_MAX);
	}
	if (!mf_loop_io_set(
		    w->loop, &w->io, MF_LOOP_READ | (w->out.len > 0 ? (unsigned)MF_LOOP_WRITE : 0)))
		watch_lost(w, "the event loop takes no descriptor");
}

static void
command(struct mf_watch *w, const char *before, const char *wire, const char *after)
{
	mf_buf_printf(&w->out, "W%u %s%s%s\r\n", ++w->last_tag, before, wire, after);
}

/* ---- Checks: what an idling connection does not tell. It is asked itself, unless it hibernates ---- */

/* Folders that nobody has waited for during an hour are asked for no more. */
static void
drop_folders(struct mf_watch *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_folders; i++) {
		struct watch_folder *f = &w->folders[i];

		if (f->listed || net_stream_now() - f->wanted < FOLDER_KEEP_MS) {
			w->folders[n++] = *f;
			continue;
		}
		free(f->id);
		free(f->wire);
	}
	w->n_folders = n;
}

static void
check_now(struct mf_loop_timer *t)
{
	struct mf_watch *w = (struct mf_watch *)((char *)t - offsetof(struct mf_watch, check));

	if (w->checking != NULL || w->state != WATCH_WAITING || w->notify)
		return; /* planned anew when that is over */
	drop_folders(w);
	w->restless = 0;
	w->polled = net_stream_now();
	if (w->hibernates && w->b->watch_hibernation_ms > 0) {
		watch_check_begin(w);
		return;
	}
	w->listing_due = w->folders_due = true;
	watch_round_begin(w);
}

/* A session that hibernates loses what arrives in the moment before: Dovecot collects events for half a
 * second, and forgets those it has collected when it goes to sleep. So once after that moment. */
void
watch_plan_check(struct mf_watch *w)
{
	int64_t at = INT64_MAX, now = net_stream_now();

	if (w->state != WATCH_WAITING || w->notify || w->checking != NULL)
		return;
	if (w->hibernates && w->restless != 0 && w->b->watch_hibernation_ms > 0)
		at = w->restless + w->b->watch_hibernation_ms + AFTER_HIBERNATION_MS;
	if (w->polled + w->b->watch_poll_ms < at)
		at = w->polled + w->b->watch_poll_ms;
	w->check.fire = check_now;
	mf_loop_timer_set(w->loop, &w->check, at > now ? at - now : 0);
}

/* ---- Rounds: everything that is asked, then waiting ---- */

/* A server that says now and then that it is still there need not be asked, until its patience (30
 * minutes, RFC 2177) ends: asking would wake a session that hibernates. */
static void
still_there(struct mf_loop_timer *t)
{
	struct mf_watch *w = watch_of_timer(t);
	int64_t now = net_stream_now(), left = w->idle_since + w->b->watch_renew_ms - now;

	if (w->idling && w->chatters && now - w->heard < SILENT_MS && left > 0)
		watch_timer(w, still_there, left < ALIVE_MS ? left : ALIVE_MS);
	else
		watch_round_begin(w);
}

static int64_t
patience_ms(struct mf_watch *w)
{
	int64_t ms = ALIVE_MS;

	if (!w->notify && !w->idling)
		ms = w->b->watch_poll_ms < NO_IDLE_MS ? w->b->watch_poll_ms : NO_IDLE_MS;
	if (w->b->watch_renew_ms < ms)
		ms = w->b->watch_renew_ms;
	return ms - watch_jitter(w, ms / 10);
}

void
watch_tell_ready(struct mf_watch *w)
{
	bool again = w->again, due = w->ready_due;

	w->again = w->ready_due = false;
	if (again)
		w->stir(w->ctx, MF_STIR_AGAIN, NULL);
	else if (due)
		w->stir(w->ctx, MF_STIR_READY, NULL);
}

static void
round_end(struct mf_watch *w)
{
	w->failures = 0;
	if (w->ask_from != 0)
		watch_tell_arrivals(w);
	if (w->listing_due)
		watch_take_listing(w, w->listing_new);
	w->listing_due = w->folders_due = false;
	if (w->asked_anew || w->ask_from != 0) {
		watch_round_begin(w);
		return;
	}
	w->state = WATCH_WAITING;
	w->idle_since = w->restless = net_stream_now();
	if (!w->notify && (w->caps & IMAP_CAP_IDLE) != 0) {
		w->idling = true;
		command(w, "IDLE", "", "");
		watch_flush(w);
		if (w->state != WATCH_WAITING)
			return;
	}
	watch_timer(w, still_there, patience_ms(w));
	if (w->polled == 0)
		w->polled = w->idle_since;
	watch_plan_check(w);
	watch_tell_ready(w);
}

static void
ask_status(struct mf_watch *w)
{
	bool all = w->folders_due || (w->caps & IMAP_CAP_IDLE) == 0;

	for (size_t i = 0; i < w->n_folders; i++)
		if (w->folders[i].wire != NULL && (w->folders[i].seen.uidvalidity == 0 || all))
			command(w, "STATUS ", w->folders[i].wire,
				(w->caps & IMAP_CAP_CONDSTORE) != 0
					? " (UIDNEXT UIDVALIDITY MESSAGES HIGHESTMODSEQ)"
					: " (UIDNEXT UIDVALIDITY MESSAGES)");
}

/* The folders of interest, where they stand, and every change of the list of folders. */
static void
ask_notify(struct mf_watch *w)
{
	mf_buf_printf(&w->out, "W%u NOTIFY SET STATUS (mailboxes (INBOX", ++w->last_tag);
	for (size_t i = 0; i < w->n_folders; i++)
		if (w->folders[i].wire != NULL)
			mf_buf_printf(&w->out, " %s", w->folders[i].wire);
	mf_buf_add_str(&w->out, ") (MessageNew MessageExpunge FlagChange)) "
				"(personal (MailboxName))\r\n");
}

void
watch_round_begin(struct mf_watch *w)
{
	if (w->idling)
		mf_buf_add_str(&w->out, "DONE\r\n");
	w->idling = false;
	if (w->notify && w->asked_anew)
		ask_notify(w);
	else if (!w->notify)
		ask_status(w);
	w->asked_anew = false;
	if (w->ask_from != 0)
		mf_buf_printf(&w->out, "W%u UID FETCH %u:* (UID INTERNALDATE)\r\n", ++w->last_tag,
			w->ask_from);
	w->listing_new = 0;
	if (w->listing_due)
		command(w, "LIST \"\" \"*\"", "", "");
	command(w, "NOOP", "", "");
	w->state = WATCH_ROUND;
	watch_timer(w, too_late, ANSWER_MS);
	watch_flush(w);
}

/* NOTIFY is not to be had: the other way, then. */
static void
set_idle(struct mf_watch *w)
{
	w->notify = false;
	w->listing_due = true;
	if ((w->caps & IMAP_CAP_ID) != 0)
		command(w, "ID NIL", "", "");
	command(w, "EXAMINE INBOX", "", "");
}

void
watch_ended(struct mf_watch *w, unsigned tag, bool ok)
{
	if (w->notify && w->state != WATCH_WAITING && !ok) { /* refused */
		w->state = WATCH_SETTING;
		set_idle(w);
		watch_flush(w);
		return;
	}
	if (tag != w->last_tag)
		return;
	if (w->state == WATCH_SETTING && !ok)
		watch_lost(w, "the Inbox cannot be watched");
	else if (w->state == WATCH_SETTING)
		watch_round_begin(w);
	else if (w->state == WATCH_ROUND)
		round_end(w);
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

void
watch_set_up(struct mf_watch *w)
{
	w->notify = may_notify(w);
	w->asked_anew = false;
	w->now = (struct imap_cursor){ 0 };
	for (size_t i = 0; i < w->n_folders; i++)
		w->folders[i].seen = (struct imap_cursor){ 0 };
	w->listing_due = !w->notify; /* what later ones are compared with */
	w->state = WATCH_SETTING;
	watch_timer(w, too_late, ANSWER_MS);
	if (w->notify)
		ask_notify(w);
	else
		set_idle(w);
	watch_flush(w);
}
