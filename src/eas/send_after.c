/*
 * What follows when the server has taken a mail: its copy in Sent, the mark on its source, and a notice to
 * the user where something went wrong. Nothing here can make a sent mail unsent: failures are logged.
 */
#include <string.h>

#include "base/clock.h"
#include "eas/map/folder.h"
#include "eas/map/verb.h"
#include "eas/send.h"
#include "mailferry/idset.h"
#include "mailferry/log.h"
#include "state/flag.h"

static bool
find_role(const struct state_folders *f, enum mf_role role, const struct state_folder **out)
{
	*out = state_folder_by_role(f, role);
	return *out != NULL && folder_holds_items(*out);
}

/* The server files what it sends by itself: Gmail, which alone has all mail and important mail as
 * folders. Or the administrator says so. */
static bool
wants_copy(const struct outgoing *o, const struct state_folders *f)
{
	const char *rule = mf_conf_string(o->r->server->conf, "send_copy");
	if (!o->job->save || strcmp(rule, "never") == 0)
		return false;
	return strcmp(rule, "always") == 0 || state_folder_by_role(f, MF_ROLE_ALL) == NULL ||
	       state_folder_by_role(f, MF_ROLE_IMPORTANT) == NULL;
}

static bool
is_filed(struct outgoing *o, const char *folder)
{
	struct mf_query q = {
		.kind = MF_QUERY_HEADER, .name = "Message-ID", .text = o->message_id
	};
	struct mf_idset found;
	bool filed = false;
	if (o->r->store_api->search == NULL)
		return false;
	mf_idset_init(&found);
	if (o->r->store_api->search(o->r->store, folder, &q, 0, &found, NULL) == MF_OK)
		filed = mf_idset_count(&found) > 0;
	mf_idset_deinit(&found);
	return filed;
}

static uint64_t
count(struct send_stream *s)
{
	uint8_t data[16384];
	uint64_t size = 0;
	ssize_t n;
	send_stream_rewind(s);
	while ((n = send_stream_read(s, data, sizeof(data))) > 0)
		size += (uint64_t)n;
	send_stream_rewind(s);
	return size;
}

static enum mf_status
put(struct outgoing *o, const char *folder, struct send_stream *s, uint32_t flags,
	struct mf_error *err)
{
	struct mf_put p = { .folder = folder,
		.read = send_stream_read,
		.ctx = s,
		.size = count(s),
		.flags = flags };
	uint64_t id;
	return o->r->store_api->put(o->r->store, &p, &id, err);
}

/* MF_TEMPORARY only when another try may help. */
static enum mf_status
file_copy(struct outgoing *o, const struct state_folders *f, bool again, struct mf_error *err)
{
	const struct state_folder *sent;
	struct send_stream s = {
		.header = mf_buf_bytes(&o->copy), .rest = o->content.list, .n_rest = o->content.n
	};
	if (!wants_copy(o, f) || !find_role(f, MF_ROLE_SENT, &sent) ||
		(again && is_filed(o, sent->id)))
		return MF_OK;
	if (o->copy.len == 0) { /* a run before this one sent it */
		enum mf_status st = source_fetch(o, err);
		if (st == MF_OK)
			st = message_build(o, err);
		if (st != MF_OK)
			return st;
		s.header = mf_buf_bytes(&o->copy);
		s.rest = o->content.list;
		s.n_rest = o->content.n;
	}
	return put(o, sent->id, &s, MF_FLAG_SEEN, err);
}

/* What the mail server cannot keep: when, and whether to all. Before the flag is set, for that is what
 * phones are told of. */
static enum mf_status
remember_verb(struct outgoing *o, struct mf_error *err)
{
	const struct send_job *job = o->job;
	enum verb verb = job->kind == SEND_FORWARD ? VERB_FORWARD
			 : o->n_to > 1		   ? VERB_REPLY_ALL
						   : VERB_REPLY;
	struct state_flag one = { .id = job->source_id,
		.details = verb_keep(o->r->arena, verb, clock_wall()) };

	return state_verbs_save(
		o->r->server->state, o->r->user_number, job->source->number, &one, 1, err);
}

static enum mf_status
mark_source(struct outgoing *o, struct mf_error *err)
{
	const struct send_job *job = o->job;
	struct mf_idset ids;
	if (job->source == NULL)
		return MF_OK;
	mf_idset_init(&ids);
	mf_idset_add(&ids, job->source_id);
	struct mf_flag_change c = { .folder = job->source->id,
		.ids = &ids,
		.add = job->kind == SEND_FORWARD ? MF_FLAG_FORWARDED : MF_FLAG_ANSWERED };
	enum mf_status st = remember_verb(o, err);
	if (st == MF_OK)
		st = o->r->store_api->flag(o->r->store, &c, NULL, err);
	mf_idset_deinit(&ids);
	return st;
}

static bool
told(enum mf_status st, const char *what, const struct mf_error *err)
{
	if (st == MF_OK)
		return true;
	mf_log_warning("after_send=%s status=%s error=%s", what, mf_status_name(st),
		mf_log_value(err->text));
	return st != MF_TEMPORARY;
}

bool
after_sent(struct outgoing *o, bool again)
{
	struct state_folders f;
	struct mf_error err;
	enum mf_status st =
		state_folders_load(o->r->server->state, o->r->user_number, o->r->arena, &f, &err);
	if (st != MF_OK)
		return told(st, "folders", &err);
	bool copied = told(file_copy(o, &f, again, &err), "copy", &err);
	bool marked = told(mark_source(o, &err), "mark", &err);
	return copied && marked;
}

/* ---- The notice ---- */

static const char refused_text[] =
	"Your message was sent, but the mail server did not accept these recipients:\r\n\r\n";
static const char unknown_text[] = "Your message was given to the mail server, but the connection "
				   "broke before it answered.\r\n"
				   "It may have been sent or not. It is not sent again by itself: "
				   "please ask the recipients,\r\n"
				   "and send it once more if they do not have it.\r\n\r\n";

static void
write_notice(struct outgoing *o, bool unknown, struct mf_buf *b)
{
	struct mf_arena *a = o->r->arena;
	const char *own = eas_user_address(o->r);
	struct mime_address user = { .name = "", .addr = own };
	struct mime_addresses to = { .list = &user, .n = 1 };
	const char *subject = mime_header_text(a, &o->header, "Subject", NULL);
	mf_buf_add_str(b, "From: Mail gateway <MAILER-DAEMON@localhost>\r\n");
	mime_field_add_addresses(b, "To", &to);
	mime_field_add_text(b, "Subject",
		mf_printf(a, "%s: %s", unknown ? "Perhaps not sent" : "Not sent to everybody",
			subject == NULL ? "" : subject));
	mime_field_add_date(b, "Date", clock_wall());
	mf_buf_printf(b,
		"Message-ID: <notice-%lld.%s>\r\nIn-Reply-To: <%s>\r\nAuto-Submitted: "
		"auto-replied\r\n",
		(long long)clock_wall(), o->message_id, o->message_id);
	mf_buf_add_str(b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
			  "Content-Transfer-Encoding: 8bit\r\n\r\n");
	mf_buf_add_str(b, unknown ? unknown_text : refused_text);
	for (size_t i = 0; i < o->n_to; i++)
		if (unknown || !o->to[i].accepted)
			mf_buf_printf(b, "  %s  %s\r\n", o->to[i].address, o->to[i].reply);
}

void
after_notice(struct outgoing *o, bool unknown)
{
	const struct state_folder *inbox;
	struct state_folders f;
	struct mf_error err;
	struct mf_buf b;
	if (state_folders_load(o->r->server->state, o->r->user_number, o->r->arena, &f, &err) !=
			MF_OK ||
		!find_role(&f, MF_ROLE_INBOX, &inbox)) {
		mf_log_error("notice=failed error=no-inbox");
		return;
	}
	mf_buf_init(&b, 0);
	write_notice(o, unknown, &b);
	struct send_stream s = { .header = mf_buf_bytes(&b) };
	told(put(o, inbox->id, &s, 0, &err), "notice", &err);
	mf_buf_deinit(&b);
}
