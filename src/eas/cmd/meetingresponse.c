/*
 * MeetingResponse (MS-ASCMD 2.2.1.11): the answer to an invitation in a mail folder. From 16.0 on, with
 * SendResponse, the organizer is mailed; then the invitation goes to Deleted Items. Knows elements and the
 * order of things; how an answer looks is mime's, how mail is sent once is send.c's.
 *
 * A repetition after a lost answer finds the invitation by the memory of moves and the mail in the ledger.
 * There is no calendar yet, so no CalendarId is told.
 */
#include "eas/commands.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "eas/map/datetime.h"
#include "eas/map/folder.h"
#include "eas/map/ids.h"
#include "eas/map/meeting_type.h"
#include "eas/meeting.h"
#include "eas/send.h"
#include "mailferry/log.h"
#include "mime/calendar_answer.h"
#include "state/device.h"
#include "state/move.h"

/* MS-ASCMD 2.2.3.177.9: the item is no invitation, or the request makes no sense of it. */
enum { MEETING_INVALID = 2 };

/* One Request. */
struct one {
	const char *request_id, *instance;
	const struct wbxml_node *send; /* SendResponse; NULL: nothing is mailed */
	enum mime_partstat partstat;
	const struct state_folder *folder; /* where the phone saw it */
	uint64_t id;
	const char *key; /* of the mail in the ledger */

	const struct state_folder *at; /* where it is */
	uint64_t at_id;
	struct meeting_item item;
};

struct meetings {
	struct eas_request *r;
	struct state_folders folders;
};

/* ---- In ---- */

static unsigned
read_place(struct meetings *m, const struct wbxml_node *node, struct one *x)
{
	const char *folder = wbxml_child_value(node, MeetingResponse_CollectionId);
	const char *long_id = wbxml_child_value(node, Search_LongId);
	struct ids_file meant;
	uint32_t said;
	if (long_id != NULL && (folder != NULL || x->request_id != NULL || x->instance != NULL))
		return EAS_INVALID_IDS_TOGETHER;
	if (!ids_long_parse(long_id != NULL ? long_id : x->request_id, &meant))
		return MEETING_INVALID;
	if (folder != NULL && (!state_folder_parse(folder, &said) || said != meant.folder))
		return MEETING_INVALID;
	x->folder = state_folder_by_number(&m->folders, meant.folder);
	x->id = meant.id;
	return x->folder == NULL || !folder_holds_items(x->folder) ? MEETING_INVALID : EAS_OK;
}

/* Of the same answer of the same phone to the same invitation there is one mail. */
static const char *
key_of(struct eas_request *r, const struct one *x)
{
	uint8_t hash[DIGEST_SIZE];
	struct wbxml_writer w;
	struct mf_buf b;
	mf_buf_init(&b, 0);
	wbxml_begin(&w, &b);
	wbxml_copy(&w, x->send);
	digest_sha256(b.data, b.len, hash);
	mf_buf_deinit(&b);
	return mf_printf(r->arena, "meeting:%u:%llu:%d:%s", x->folder->number,
		(unsigned long long)x->id, x->partstat, str_hex(r->arena, hash, 16));
}

static unsigned
read_one(struct meetings *m, const struct wbxml_node *node, struct one *x)
{
	static const enum mime_partstat answers[] = { MIME_PARTSTAT_NONE, MIME_PARTSTAT_ACCEPTED,
		MIME_PARTSTAT_TENTATIVE, MIME_PARTSTAT_DECLINED };
	const char *answer = wbxml_child_value(node, MeetingResponse_UserResponse);
	int64_t when;
	x->request_id = wbxml_child_value(node, MeetingResponse_RequestId);
	x->instance = wbxml_child_value(node, MeetingResponse_InstanceId);
	if (answer == NULL || strlen(answer) != 1 || answer[0] < '1' || answer[0] > '3')
		return MEETING_INVALID;
	x->partstat = answers[answer[0] - '0'];
	if (x->instance != NULL && (m->r->version < EAS_14_1 || *x->instance == '\0'))
		return MEETING_INVALID;
	/* Something else than a time names no instance; a time in another form is one that cannot be read (2.2.3.87.1). */
	if (x->instance != NULL && !datetime_parse(x->instance, &when))
		return isdigit((unsigned char)*x->instance) ? EAS_INVALID_DATE : MEETING_INVALID;
	unsigned status = read_place(m, node, x);
	if (status != EAS_OK || m->r->version < EAS_16_0)
		return status;
	x->send = wbxml_child(node, MeetingResponse_SendResponse);
	if (x->send != NULL)
		x->key = key_of(m->r, x);
	return EAS_OK;
}

/* ---- The invitation ---- */

/* Where it went by an earlier try of this request, or by a MoveItems that the phone does not know of yet. */
static bool
follow(struct meetings *m, struct one *x)
{
	struct eas_request *r = m->r;
	struct state_move was = {
		.from = x->folder->number, .epoch = x->folder->epoch, .id = x->id
	};
	struct mf_error err;
	if (state_move_find(r->server->state, r->user_number, &was, &err) != MF_OK ||
		was.to_id == 0)
		return false;
	x->at = state_folder_by_number(&m->folders, was.to);
	x->at_id = was.to_id;
	return x->at != NULL && x->at->epoch == was.to_epoch;
}

static const char *
organizer_address(struct eas_request *r, const struct mime_meeting *meeting)
{
	struct mime_addresses l;
	mime_addresses_parse(r->arena, mf_bytes_str(meeting->organizer), "utf-8", &l);
	return l.n == 0 ? "" : l.list[0].addr;
}

static unsigned
check_meeting(struct eas_request *r, const struct one *x)
{
	const struct mime_meeting *meeting = &x->item.meeting;
	if (strcmp(meeting->method, "REQUEST") != 0 ||
		meeting_is_delegated(meeting, eas_user_address(r)))
		return MEETING_INVALID;
	if (x->instance != NULL) /* of a mail there are no instances */
		return meeting->recurs ? MEETING_INVALID : EAS_NO_RECURRENCE;
	return str_ieq(organizer_address(r, meeting), eas_user_address(r)) ? MEETING_INVALID
									   : EAS_OK;
}

static unsigned
find(struct meetings *m, struct one *x)
{
	struct mf_error err = { 0 };
	x->at = x->folder;
	x->at_id = x->id;
	enum mf_status st = meeting_item_read(m->r, x->at->id, x->at_id, &x->item, &err);
	if (st == MF_GONE && follow(m, x))
		st = meeting_item_read(m->r, x->at->id, x->at_id, &x->item, &err);
	if (st != MF_OK)
		mf_log_info("event=meeting folder=%u status=%s reason=%s", x->folder->number,
			mf_status_name(st), mf_log_value(err.text));
	return st == MF_OK ? check_meeting(m->r, x) : eas_status_at(EAS_AT_MEETING, st);
}

/* ---- The mail ---- */

static bool
read_proposal(const struct one *x, struct mime_meeting_answer *out)
{
	const char *start = wbxml_child_value(x->send, MeetingResponse_ProposedStartTime);
	const char *end = wbxml_child_value(x->send, MeetingResponse_ProposedEndTime);
	if (start == NULL && end == NULL)
		return true;
	out->proposes = true;
	return !x->item.meeting.disallow_new_time_proposal &&
	       datetime_compact_parse(start, &out->start) &&
	       datetime_compact_parse(end, &out->end) && out->start <= out->end;
}

static bool
read_text(const struct one *x, struct mime_meeting_answer *out)
{
	const struct wbxml_node *body = wbxml_child(x->send, AirSyncBase_Body);
	const char *type = wbxml_child_value(body, AirSyncBase_Type);
	const struct wbxml_node *data = wbxml_child(body, AirSyncBase_Data);
	out->text = data == NULL ? mf_bytes(NULL, 0) : wbxml_data(data);
	out->html = type != NULL && strcmp(type, "2") == 0;
	return type == NULL || out->html || strcmp(type, "1") == 0;
}

static const char *
subject_of(struct eas_request *r, const struct one *x, bool proposes)
{
	static const char *const words[] = { [MIME_PARTSTAT_ACCEPTED] = "Accepted",
		[MIME_PARTSTAT_TENTATIVE] = "Tentative",
		[MIME_PARTSTAT_DECLINED] = "Declined" };
	const char *was = mime_header_text(r->arena, &x->item.message.header, "Subject", "utf-8");
	return mf_printf(r->arena, "%s: %s", proposes ? "New Time Proposed" : words[x->partstat],
		was == NULL ? x->item.meeting.summary : was);
}

static enum mf_status
compose(struct eas_request *r, const struct one *x, const struct mime_meeting_answer *answer,
	struct mf_buf *out, struct mf_error *err)
{
	struct mime_address from = { .name = "", .addr = answer->attendee };
	struct mime_addresses to;
	mime_field_add_addresses(out, "From", &(struct mime_addresses){ &from, 1 });
	mime_addresses_parse(r->arena, mf_bytes_str(x->item.meeting.organizer), "utf-8", &to);
	mime_field_add_addresses(out, "To", &to);
	mime_field_add_text(out, "Subject", subject_of(r, x, answer->proposes));
	return mime_calendar_answer(r->arena, x->item.part, x->item.calendar, answer, out, err);
}

/* EAS_WAIT: the same answer is under way in another request. */
static enum eas_verdict
mail_answer(struct eas_request *r, const struct one *x, unsigned *status)
{
	struct mime_meeting_answer answer = {
		.partstat = x->partstat, .attendee = eas_user_address(r), .now = clock_wall()
	};
	struct send_job *job = mf_new(r->arena, struct send_job);
	struct mf_error err = { 0 };
	struct mf_buf b;
	*status = MEETING_INVALID;
	if (!read_proposal(x, &answer) || !read_text(x, &answer))
		return EAS_DONE;
	mf_buf_init(&b, 0);
	enum mf_status st = compose(r, x, &answer, &b, &err);
	*job = (struct send_job){ .kind = SEND_REPLY,
		.client_id = x->key,
		.own_id = true,
		.mime = mf_memdup(r->arena, b.data, b.len),
		.save = true,
		.replace = true,
		.composed = true,
		.source = x->at,
		.source_id = x->at_id };
	mf_buf_deinit(&b);
	*status = eas_status_at(EAS_AT_MEETING, st);
	if (st != MF_OK)
		return EAS_DONE;
	enum eas_verdict v = send_run(r, job, status);
	if (*status == EAS_PREVIOUSLY_SENT)
		*status = EAS_OK;
	return v;
}

/* ---- Away ---- */

static void
remember(struct meetings *m, const struct one *x, const struct state_folder *to, uint64_t id)
{
	const struct state_move moved = { .from = x->at->number,
		.to = to->number,
		.epoch = x->at->epoch,
		.id = x->at_id,
		.to_epoch = to->epoch,
		.to_id = id,
		.device = m->r->device->number };
	struct mf_error err;
	if (state_move_save(m->r->server->state, m->r->user_number, &moved, 1, &err) != MF_OK)
		mf_log_error("event=move-forgotten items=1 reason=%s", mf_log_value(err.text));
}

/* To Deleted Items; for good where there are none. */
static unsigned
take_away(struct meetings *m, const struct one *x)
{
	struct eas_request *r = m->r;
	const struct state_folder *to = state_folder_by_role(&m->folders, MF_ROLE_TRASH);
	struct mf_move move = { .id = x->at_id };
	struct mf_error err = { 0 };
	enum mf_status st;
	if (x->at == to)
		return EAS_OK;
	if (to != NULL && folder_holds_items(to) && strcmp(to->store, x->at->store) == 0) {
		st = r->store_api->move(r->store, x->at->id, to->id, &move, 1, &err);
		if (st == MF_OK)
			st = move.status;
		if (st == MF_OK)
			remember(m, x, to, move.to);
	} else {
		struct mf_idset ids;
		mf_idset_init(&ids);
		mf_idset_add(&ids, x->at_id);
		st = r->store_api->remove(r->store, x->at->id, &ids, &err);
		mf_idset_deinit(&ids);
	}
	if (st != MF_OK && st != MF_GONE)
		mf_log_warning("event=meeting-stays folder=%u status=%s reason=%s", x->at->number,
			mf_status_name(st), mf_log_value(err.text));
	return st == MF_GONE ? EAS_OK : eas_status_at(EAS_AT_MEETING, st);
}

static enum eas_verdict
answer_one(struct meetings *m, const struct wbxml_node *node, struct one *x, unsigned *status)
{
	enum eas_verdict v = EAS_DONE;
	*status = read_one(m, node, x);
	if (*status == EAS_OK)
		*status = find(m, x);
	if (*status == EAS_OK && x->send != NULL)
		v = mail_answer(m->r, x, status);
	if (v == EAS_DONE && *status == EAS_OK)
		*status = take_away(m, x);
	return v;
}

/* ---- Out ---- */

static void
write_result(struct eas_request *r, const struct one *x, unsigned status)
{
	wbxml_open(&r->writer, MeetingResponse_Result);
	if (x->request_id != NULL)
		wbxml_element(&r->writer, MeetingResponse_RequestId, x->request_id);
	wbxml_number(&r->writer, MeetingResponse_Status, status);
	if (x->instance != NULL && status == EAS_OK)
		wbxml_element(&r->writer, MeetingResponse_InstanceId, x->instance);
	wbxml_close(&r->writer);
}

enum eas_verdict
cmd_meetingresponse(struct eas_request *r)
{
	struct meetings m = { .r = r };
	struct mf_error err = { 0 };
	const struct wbxml_node *n = wbxml_child(r->root, MeetingResponse_Request);
	size_t done = 0;
	enum mf_status st =
		state_folders_load(r->server->state, r->user_number, r->arena, &m.folders, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	eas_reply_begin(r, MeetingResponse_MeetingResponse);
	for (; n != NULL; n = wbxml_next(n)) {
		struct one x = { .send = NULL };
		unsigned status;
		if (answer_one(&m, n, &x, &status) == EAS_WAIT)
			return EAS_WAIT;
		write_result(r, &x, status);
		done += status == EAS_OK;
	}
	r->status = EAS_OK;
	r->items = done;
	return eas_reply_end(r);
}
