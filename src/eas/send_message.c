/*
 * The message that is sent: read, named, completed, measured. Knows MIME through src/mime; must not know
 * servers or the ledger. What the phone wrote leaves as it came but for Bcc, a missing Date, From and
 * Message-ID, the threading fields, and line ends that are not CRLF.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "conversation/outgoing.h"
#include "eas/send.h"
#include "eas/status.h"
#include "mime/seven_bit.h"

enum { HEADER_MAX = 1 << 20, SEVEN_BIT_MAX = 16 << 20 };

/* ---- Reading what the phone sent ---- */

/* A name without an address is nobody to send to, unless it is a group's ("undisclosed-recipients:;"). */
static bool
is_unresolved(const struct mime_address *to, struct mf_bytes field)
{
	return to->addr[0] == '\0' && to->name[0] != '\0' &&
	       memchr(field.data, ';', field.len) == NULL;
}

/* The recipients of a field, each once. Whoever cannot be written to makes the mail refused: it is never
 * sent to a part of those that the user named. */
static unsigned
add_recipients(struct outgoing *o, const char *field)
{
	struct mf_bytes raw = mime_header_raw(&o->header, field);
	struct mime_addresses l;
	mime_header_addresses(o->r->arena, &o->header, field, NULL, &l);
	if (l.n >= MIME_ADDRESSES_MAX) /* and perhaps more */
		return EAS_SUBMISSION_FAILED;
	struct mf_recipient *all = mf_new_array(o->r->arena, struct mf_recipient, o->n_to + l.n);
	if (o->n_to > 0)
		memcpy(all, o->to, o->n_to * sizeof(*all));
	o->to = all;
	for (size_t i = 0; i < l.n; i++) {
		bool known = l.list[i].addr[0] == '\0';
		if (is_unresolved(&l.list[i], raw))
			return EAS_RECIPIENT_UNRESOLVED;
		for (size_t j = 0; j < o->n_to && !known; j++)
			known = str_ieq(o->to[j].address, l.list[i].addr);
		if (!known)
			o->to[o->n_to++].address = l.list[i].addr;
	}
	return EAS_OK;
}

static unsigned
read_recipients(struct outgoing *o)
{
	static const char *const fields[] = { "To", "Cc", "Bcc" };
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		unsigned status = add_recipients(o, fields[i]);
		if (status != EAS_OK)
			return status;
	}
	return o->n_to == 0 ? EAS_NO_RECIPIENT : EAS_OK;
}

static const char *
domain_of(const char *address)
{
	const char *at = strrchr(address, '@');
	return at == NULL ? "localhost" : at + 1;
}

/* The setting send_from. */
static bool
may_send_from(const struct eas_request *r, const char *from, const char *rule)
{
	const char *own = eas_user_address(r);
	if (strcmp(rule, "any") == 0 || str_ieq(from, own))
		return true;
	if (strcmp(rule, "domain") == 0 && strchr(from, '@') != NULL &&
		str_ieq(domain_of(from), domain_of(own)))
		return true;
	const char *const *also = mf_conf_list(r->server->conf, "send_from_also");
	for (; *also != NULL; also++)
		if (str_ieq(*also, from))
			return true;
	return false;
}

static void
read_sender(struct outgoing *o)
{
	struct mime_addresses l;
	mime_header_addresses(o->r->arena, &o->header, "From", NULL, &l);
	o->own_from = l.n > 0 && l.list[0].addr[0] != '\0';
	o->from = o->own_from ? l.list[0].addr : eas_user_address(o->r);
	mime_header_addresses(o->r->arena, &o->header, "Sender", NULL, &l);
	if (o->own_from && l.n > 0 && l.list[0].addr[0] != '\0')
		o->from = l.list[0].addr;
}

/* The mail's name in the ledger: of its own Message-ID and content; a mail without one is told apart by
 * the phone's ClientId, else by its Date, else not at all. */
static void
name_it(struct outgoing *o)
{
	uint8_t content[DIGEST_SIZE], name[DIGEST_SIZE];
	const struct send_job *job = o->job;
	struct mf_buf b;
	mf_buf_init(&b, 0);
	if (!job->composed) {
		digest_sha256(job->mime.data, job->mime.len, content);
		mf_buf_printf(&b, "%u %llu ", job->source == NULL ? 0 : job->source->number,
			(unsigned long long)job->source_id);
	}
	if (o->own_id)
		mf_buf_add_str(&b, o->message_id);
	else if (*job->client_id != '\0')
		mf_buf_printf(&b, "%s\n%s", o->r->device_id, job->client_id);
	else if (!o->own_date)
		mf_buf_printf(&b, "%s %lld", o->r->id, (long long)clock_us());
	if (!job->composed)
		mf_buf_add(&b, content, sizeof(content));
	digest_sha256(b.data, b.len, name);
	mf_buf_deinit(&b);
	memcpy(o->entry.name, name, sizeof(o->entry.name));
	o->entry.device = o->r->device_id;
	o->entry.client_id = job->client_id;
	o->entry.own_id = job->own_id;
	if (!o->own_id)
		o->message_id = mf_printf(o->r->arena, "%s@%s",
			str_hex(o->r->arena, name, STATE_LEDGER_NAME_LEN),
			domain_of(eas_user_address(o->r)));
}

/* Of a user whose domain nobody has told us, the name alone. */
static bool
is_namesake(const struct eas_request *r, const char *from)
{
	const char *own = eas_user_address(r), *at = strrchr(from, '@');
	size_t len = strlen(own);
	return strchr(own, '@') == NULL && at != NULL && (size_t)(at - from) == len &&
	       str_ieqn(from, own, len);
}

bool
message_sender_ok(const struct outgoing *o, bool as_user)
{
	const char *rule = mf_conf_string(o->r->server->conf, "send_from");
	return strcmp(rule, "auto") != 0 || as_user || may_send_from(o->r, o->from, "own") ||
	       is_namesake(o->r, o->from);
}

unsigned
message_read(struct outgoing *o)
{
	struct mf_bytes mime = o->job->mime;
	if (mime.len == 0 || memchr(mime.data, 0, mime.len) != NULL)
		return EAS_INVALID_MIME;
	mime_header_parse(o->r->arena, mime, &o->header);
	if (o->header.n == 0 || o->header.n == MIME_FIELDS_MAX || o->header.size > HEADER_MAX)
		return EAS_INVALID_MIME;
	o->message_id = mime_header_id(o->r->arena, &o->header, "Message-ID");
	o->own_id = o->message_id != NULL;
	o->own_date = mime_header_find(&o->header, "Date") != NULL;
	read_sender(o);
	unsigned status = read_recipients(o);
	const char *rule = mf_conf_string(o->r->server->conf, "send_from");
	if (status == EAS_OK && strcmp(rule, "auto") != 0 && !may_send_from(o->r, o->from, rule))
		status = EAS_SUBMISSION_FAILED;
	if (status != EAS_OK)
		return status;
	name_it(o);
	return EAS_OK;
}

/* ---- Building what leaves ---- */

static bool
eight_bit(const char *s)
{
	for (; *s != '\0'; s++)
		if ((uint8_t)*s >= 0x80)
			return true;
	return false;
}

static enum mf_status
compose(struct outgoing *o, struct mf_error *err)
{
	struct mime_compose c = { .kind = o->job->kind == SEND_FORWARD ? MIME_COMPOSE_FORWARD
								       : MIME_COMPOSE_REPLY,
		.message = o->job->mime,
		.original = o->source_whole };
	if (o->source_whole.len > 0)
		return mime_compose(o->r->arena, &c, &o->content, err);
	o->content.list = mf_new(o->r->arena, struct mf_bytes);
	o->content.list[0] = o->job->mime;
	o->content.n = 1;
	return MF_OK;
}

static void
add_missing(struct outgoing *o, const struct mime_header *now, struct mf_buf *add)
{
	struct mime_header original;
	struct mime_addresses from = { .n = 1 };
	struct mime_address own = { .name = "", .addr = o->from };
	if (o->source_header.len > 0)
		mime_header_parse(o->r->arena, o->source_header, &original);
	struct conversation_outgoing c = { .message = now,
		.message_id = o->message_id,
		.original = o->source_header.len > 0 ? &original : NULL,
		.original_received = o->source_received,
		.now = o->entry.first };
	if (!o->own_date)
		mime_field_add_date(add, "Date", o->entry.first);
	if (!o->own_id)
		mf_buf_printf(add, "Message-ID: <%s>\r\n", o->message_id);
	from.list = &own;
	if (!o->own_from)
		mime_field_add_addresses(add, "From", &from);
	/* A forward that the phone left to us (Forwardees). */
	if (o->source_header.len > 0 && mime_header_find(now, "Subject") == NULL) {
		const char *was = mime_header_text(o->r->arena, &original, "Subject", NULL);
		mime_field_add_text(add, "Subject",
			mf_printf(o->r->arena, "%s: %s", o->job->kind == SEND_FORWARD ? "FW" : "RE",
				was == NULL ? "" : mime_subject_topic(was)));
	}
	conversation_outgoing_add(o->r->arena, &c, add);
}

/* Names to remove: those that are written anew, those that have no good value, and Bcc. */
static const char *const *
removed(struct outgoing *o, const struct mime_header *now, bool bcc)
{
	struct conversation_outgoing c = { .message = now,
		.message_id = o->message_id,
		.original = o->source_header.len > 0 ? now : NULL };
	const char *const *names = conversation_outgoing_replaced(&c);
	size_t n = 0;
	while (names != NULL && names[n] != NULL)
		n++;
	const char **all = mf_new_array(o->r->arena, const char *, n + 4);
	for (size_t i = 0; i < n; i++)
		all[i] = names[i];
	if (!o->own_id)
		all[n++] = "Message-ID";
	if (!o->own_from)
		all[n++] = "From";
	if (bcc)
		all[n++] = "Bcc";
	return all;
}

static void
edit(struct outgoing *o)
{
	struct mime_header now;
	struct mf_buf add;
	struct mf_bytes *first = &o->content.list[0];
	size_t taken;
	mime_header_parse(o->r->arena, *first, &now);
	mf_buf_init(&add, 0);
	add_missing(o, &now, &add);
	struct mime_edit e = { .remove = removed(o, &now, true), .add = mf_buf_bytes(&add) };
	taken = mime_header_edit(&o->out, *first, &e);
	e.remove = removed(o, &now, false);
	mime_header_edit(&o->copy, *first, &e);
	*first = mf_bytes(first->data + taken, first->len - taken);
	mf_buf_deinit(&add);
}

static void
measure(struct outgoing *o)
{
	o->stream = (struct send_stream){
		.header = mf_buf_bytes(&o->out), .rest = o->content.list, .n_rest = o->content.n
	};
	o->size = send_stream_measure(&o->stream, &o->eight_bit);
	o->utf8 = eight_bit(o->from);
	for (size_t i = 0; i < o->n_to; i++)
		o->utf8 = o->utf8 || eight_bit(o->to[i].address);
}

/* The whole as it stands now. */
static struct mf_bytes
joined(const struct outgoing *o)
{
	struct mf_buf b;
	mf_buf_init(&b, 0);
	mf_buf_add(&b, o->out.data, o->out.len);
	for (size_t i = 0; i < o->content.n; i++)
		mf_buf_add(&b, o->content.list[i].data, o->content.list[i].len);
	struct mf_bytes whole = mf_memdup(o->r->arena, b.data, b.len);
	mf_buf_deinit(&b);
	return whole;
}

void
message_make_seven_bit(struct outgoing *o)
{
	struct mime_segments s;
	if (!o->eight_bit || o->size > SEVEN_BIT_MAX || !mime_seven_bit(o->r->arena, joined(o), &s))
		return;
	o->stream = (struct send_stream){ .rest = s.list, .n_rest = s.n };
	o->size = send_stream_measure(&o->stream, &o->eight_bit);
}

enum mf_status
message_build(struct outgoing *o, struct mf_error *err)
{
	enum mf_status st = compose(o, err);
	if (st != MF_OK)
		return st;
	edit(o);
	measure(o);
	return MF_OK;
}
