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

enum { HEADER_MAX = 1 << 20 };

/* ---- The stream: line ends made CRLF (RFC 5321 2.3.8) ---- */

void
send_stream_rewind(struct send_stream *s)
{
	s->at = s->offset = 0;
	s->n_held = 0;
	s->cr = false;
}

static struct mf_bytes
piece(const struct send_stream *s)
{
	return s->at == 0 ? s->header : s->rest[s->at - 1];
}

/* How many bytes of p stand without a line end among them. */
static size_t
plain_run(const uint8_t *p, size_t n)
{
	const uint8_t *nl = memchr(p, '\n', n);
	size_t len = nl == NULL ? n : (size_t)(nl - p);
	const uint8_t *cr = memchr(p, '\r', len);
	return cr == NULL ? len : (size_t)(cr - p);
}

/* One byte of input; at most three of output. */
static size_t
put_byte(struct send_stream *s, uint8_t c, uint8_t *out)
{
	size_t n = 0;
	if (s->cr && c != '\n')
		out[n++] = '\n';
	if (c == '\n' && !s->cr)
		out[n++] = '\r';
	out[n++] = c;
	s->cr = c == '\r';
	return n;
}

/* What was held back, as far as there is room. */
static size_t
release(struct send_stream *s, uint8_t *out, size_t room)
{
	size_t n = s->n_held < room ? s->n_held : room;
	memcpy(out, s->held, n);
	memmove(s->held, s->held + n, s->n_held - n);
	s->n_held -= n;
	return n;
}

/* Takes some input; gives what it becomes, or holds it. False at the end. */
static bool
advance(struct send_stream *s, uint8_t *out, size_t room, size_t *done)
{
	while (s->at <= s->n_rest && s->offset == piece(s).len) {
		s->at++;
		s->offset = 0;
	}
	if (s->at > s->n_rest) {
		s->n_held = s->cr ? 1 : 0;
		s->held[0] = '\n';
		s->cr = false;
		return s->n_held > 0;
	}
	const uint8_t *p = piece(s).data + s->offset;
	size_t left = piece(s).len - s->offset;
	size_t n = s->cr ? 0 : plain_run(p, left < room ? left : room);
	if (n > 0)
		memcpy(out, p, n);
	else
		s->n_held = put_byte(s, *p, s->held);
	*done += n;
	s->offset += n > 0 ? n : 1;
	return true;
}

ssize_t
send_stream_read(void *stream, void *data, size_t size)
{
	struct send_stream *s = stream;
	uint8_t *out = data;
	size_t done = 0;
	for (;;) {
		done += release(s, out + done, size - done);
		if (done == size || !advance(s, out + done, size - done, &done))
			return (ssize_t)done;
	}
}

/* ---- Reading what the phone sent ---- */

static void
add_recipients(struct outgoing *o, const char *field)
{
	struct mime_addresses l;
	mime_header_addresses(o->r->arena, &o->header, field, NULL, &l);
	struct mf_recipient *all = mf_new_array(o->r->arena, struct mf_recipient, o->n_to + l.n);
	if (o->n_to > 0)
		memcpy(all, o->to, o->n_to * sizeof(*all));
	o->to = all;
	for (size_t i = 0; i < l.n; i++) {
		bool known = l.list[i].addr[0] == '\0';
		for (size_t j = 0; j < o->n_to && !known; j++)
			known = str_ieq(o->to[j].address, l.list[i].addr);
		if (!known)
			o->to[o->n_to++].address = l.list[i].addr;
	}
}

static const char *
domain_of(const char *address)
{
	const char *at = strrchr(address, '@');
	return at == NULL ? "localhost" : at + 1;
}

/* The setting send_from. */
static bool
may_send_from(const struct eas_request *r, const char *from)
{
	const char *rule = mf_conf_string(r->server->conf, "send_from");
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
	digest_sha256(job->mime.data, job->mime.len, content);
	mf_buf_init(&b, 0);
	mf_buf_printf(&b, "%u %llu ", job->source == NULL ? 0 : job->source->number,
		(unsigned long long)job->source_id);
	if (o->own_id)
		mf_buf_add_str(&b, o->message_id);
	else if (*job->client_id != '\0')
		mf_buf_printf(&b, "%s\n%s", o->r->device_id, job->client_id);
	else if (!o->own_date)
		mf_buf_printf(&b, "%s %lld", o->r->id, (long long)clock_us());
	mf_buf_add(&b, content, sizeof(content));
	digest_sha256(b.data, b.len, name);
	mf_buf_deinit(&b);
	memcpy(o->entry.name, name, sizeof(o->entry.name));
	o->entry.device = o->r->device_id;
	o->entry.client_id = job->client_id;
	if (!o->own_id)
		o->message_id = mf_printf(o->r->arena, "%s@%s",
			str_hex(o->r->arena, name, STATE_LEDGER_NAME_LEN),
			domain_of(eas_user_address(o->r)));
}

unsigned
message_read(struct outgoing *o)
{
	struct mf_bytes mime = o->job->mime;
	if (mime.len == 0 || memchr(mime.data, 0, mime.len) != NULL)
		return EAS_INVALID_MIME;
	mime_header_parse(o->r->arena, mime, &o->header);
	if (o->header.n == 0 || o->header.size > HEADER_MAX)
		return EAS_INVALID_MIME;
	o->message_id = mime_header_id(o->r->arena, &o->header, "Message-ID");
	o->own_id = o->message_id != NULL;
	o->own_date = mime_header_find(&o->header, "Date") != NULL;
	read_sender(o);
	add_recipients(o, "To");
	add_recipients(o, "Cc");
	add_recipients(o, "Bcc");
	if (o->n_to == 0)
		return EAS_NO_RECIPIENT;
	if (!may_send_from(o->r, o->from))
		return EAS_SUBMISSION_FAILED;
	name_it(o);
	return EAS_OK;
}

/* ---- Building what leaves ---- */

static bool
eight_bit(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint8_t any = 0;
	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any >= 0x80;
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
	uint8_t data[16384];
	ssize_t n;
	o->stream = (struct send_stream){
		.header = mf_buf_bytes(&o->out), .rest = o->content.list, .n_rest = o->content.n
	};
	o->size = 0;
	while ((n = send_stream_read(&o->stream, data, sizeof(data))) > 0) {
		o->size += (uint64_t)n;
		o->eight_bit = o->eight_bit || eight_bit(data, (size_t)n);
	}
	o->utf8 = eight_bit(o->from, strlen(o->from));
	for (size_t i = 0; i < o->n_to; i++)
		o->utf8 = o->utf8 || eight_bit(o->to[i].address, strlen(o->to[i].address));
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
