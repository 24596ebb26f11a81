/*
 * What follows when the server has taken a mail: its copy in Sent, the mark on its source, the notice where
 * recipients were refused (send_notice.c). Nothing here can make a sent mail unsent: failures are logged.
 */
#include <string.h>

#include "base/clock.h"
#include "eas/map/folder.h"
#include "eas/map/verb.h"
#include "eas/send.h"
#include "eas/store.h"
#include "mailferry/idset.h"
#include "mailferry/log.h"
#include "state/flag.h"

enum { STORE_WAIT_MS = 10000 };

bool
send_find_role(const struct state_folders *f, enum mf_role role, const struct state_folder **out)
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

enum mf_status
send_is_filed(struct outgoing *o, const char *folder, const char *message_id, bool *filed,
	struct mf_error *err)
{
	struct mf_query q = { .kind = MF_QUERY_HEADER, .name = "Message-ID", .text = message_id };
	struct mf_idset found;
	*filed = false;
	if (o->r->store_api->search == NULL)
		return MF_OK;
	mf_idset_init(&found);
	enum mf_status st = o->r->store_api->search(o->r->store, folder, &q, 0, &found, err);
	*filed = st == MF_OK && mf_idset_count(&found) > 0;
	mf_idset_deinit(&found);
	return st == MF_UNSUPPORTED ? MF_OK : st;
}

enum mf_status
send_file(struct outgoing *o, const char *folder, struct send_stream *s, uint32_t flags,
	struct mf_error *err)
{
	bool eight_bits;
	struct mf_put p = { .folder = folder,
		.read = send_stream_read,
		.ctx = s,
		.size = send_stream_measure(s, &eight_bits),
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
	bool filed = false;
	enum mf_status st = MF_OK;
	if (!wants_copy(o, f) || !send_find_role(f, MF_ROLE_SENT, &sent))
		return MF_OK;
	if (again)
		st = send_is_filed(o, sent->id, o->message_id, &filed, err);
	if (st != MF_OK || filed)
		return st;
	if (o->copy.len == 0) { /* a run before this one sent it */
		st = source_fetch(o, err);
		if (st == MF_OK)
			st = message_build(o, err);
		if (st != MF_OK)
			return st;
		s.header = mf_buf_bytes(&o->copy);
		s.rest = o->content.list;
		s.n_rest = o->content.n;
	}
	return send_file(o, sent->id, &s, MF_FLAG_SEEN, err);
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

/* The store was lost while the mail went out: once more over a session of its own. */
static bool
renew_store(struct outgoing *o, struct mf_error *err)
{
	if (!o->job->own_store)
		return false;
	eas_store_close(o->r);
	return eas_store_open(o->r, STORE_WAIT_MS, err) == MF_OK;
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
	st = file_copy(o, &f, again, &err);
	if (st == MF_TEMPORARY && renew_store(o, &err))
		st = file_copy(o, &f, true, &err);
	if (o->r->store == NULL)
		return told(MF_TEMPORARY, "copy", &err);
	bool copied = told(st, "copy", &err);
	bool marked = told(mark_source(o, &err), "mark", &err);
	bool noticed = told(notice_refused(o, &f, again, &err), "notice", &err);
	return copied && marked && noticed;
}
