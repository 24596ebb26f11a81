/*
 * Messages of ours in the Inbox: which recipients the server refused, or that nobody knows whether a mail was
 * sent. Knows how they look; must not know when they are due.
 */
#include "base/clock.h"
#include "eas/map/folder.h"
#include "eas/send.h"
#include "mailferry/log.h"

static const char refused_text[] =
	"Your message was sent, but the mail server did not accept these recipients:\r\n\r\n";
static const char unknown_text[] = "Your message was given to the mail server, but the connection "
				   "broke before it answered.\r\n"
				   "It may have been sent or not. It is not sent again by itself: "
				   "please ask the recipients,\r\n"
				   "and send it once more if they do not have it.\r\n\r\n";

/* One for each mail and kind: a repetition finds it. */
static const char *
notice_id(const struct outgoing *o, const char *kind)
{
	return mf_printf(o->r->arena, "%s.%s", kind, o->message_id);
}

static void
write_notice(struct outgoing *o, const char *id, const char *title, const char *text,
	struct mf_bytes list, struct mf_buf *b)
{
	struct mf_arena *a = o->r->arena;
	struct mime_address user = { .name = "", .addr = eas_user_address(o->r) };
	struct mime_addresses to = { .list = &user, .n = 1 };
	const char *subject = mime_header_text(a, &o->header, "Subject", NULL);
	mf_buf_add_str(b, "From: Mail gateway <MAILER-DAEMON@localhost>\r\n");
	mime_field_add_addresses(b, "To", &to);
	mime_field_add_text(
		b, "Subject", mf_printf(a, "%s: %s", title, subject == NULL ? "" : subject));
	mime_field_add_date(b, "Date", clock_wall());
	mf_buf_printf(b,
		"Message-ID: <%s>\r\nIn-Reply-To: <%s>\r\nAuto-Submitted: auto-replied\r\n", id,
		o->message_id);
	mf_buf_add_str(b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
			  "Content-Transfer-Encoding: 8bit\r\n\r\n");
	mf_buf_add_str(b, text);
	mf_buf_add(b, list.data, list.len);
}

static enum mf_status
file_notice(struct outgoing *o, const struct state_folders *f, const char *id, const char *title,
	const char *text, struct mf_bytes list, struct mf_error *err)
{
	const struct state_folder *inbox;
	struct mf_buf b;
	if (!send_find_role(f, MF_ROLE_INBOX, &inbox))
		return mf_fail(err, MF_GONE, "there is no Inbox");
	mf_buf_init(&b, 0);
	write_notice(o, id, title, text, list, &b);
	struct send_stream s = { .header = mf_buf_bytes(&b) };
	enum mf_status st = send_file(o, inbox->id, &s, 0, err);
	mf_buf_deinit(&b);
	return st;
}

/* What does not fit any more is at least counted. */
static struct mf_bytes
list_recipients(const struct outgoing *o, bool all)
{
	struct mf_buf b;
	size_t left = 0;
	mf_buf_init(&b, 0);
	for (size_t i = 0; i < o->n_to; i++) {
		if (!all && o->to[i].accepted)
			continue;
		if (b.len > STATE_LEDGER_NOTE_MAX - 1000)
			left++;
		else
			mf_buf_printf(&b, "  %s  %s\r\n", o->to[i].address, o->to[i].reply);
	}
	if (left > 0)
		mf_buf_printf(&b, "  and %zu more\r\n", left);
	struct mf_bytes out = mf_memdup(o->r->arena, b.data, b.len);
	mf_buf_deinit(&b);
	return out;
}

struct mf_bytes
notice_list(const struct outgoing *o)
{
	return list_recipients(o, false);
}

enum mf_status
notice_refused(struct outgoing *o, const struct state_folders *f, bool again, struct mf_error *err)
{
	const char *id = notice_id(o, "refused");
	const struct state_folder *inbox;
	if (o->entry.note.len == 0)
		return MF_OK;
	bool filed = false;
	enum mf_status st = MF_OK;
	if (again && send_find_role(f, MF_ROLE_INBOX, &inbox))
		st = send_is_filed(o, inbox->id, id, &filed, err);
	if (st != MF_OK || filed)
		return st;
	return file_notice(o, f, id, "Not sent to everybody", refused_text, o->entry.note, err);
}

void
notice_unknown(struct outgoing *o)
{
	struct state_folders f;
	struct mf_error err;
	enum mf_status st =
		state_folders_load(o->r->server->state, o->r->user_number, o->r->arena, &f, &err);
	if (st == MF_OK)
		st = file_notice(o, &f, notice_id(o, "unknown"), "Perhaps not sent", unknown_text,
			list_recipients(o, true), &err);
	if (st != MF_OK)
		mf_log_error("notice=failed status=%s error=%s", mf_status_name(st),
			mf_log_value(err.text));
}
