/*
 * ResolveRecipients (MS-ASCMD 2.2.1.15): names and addresses to people, their certificates and pictures.
 * The people are people.h's; the user is known in any case. There are no calendars: nobody's free/busy
 * times can be had.
 */
#include "eas/commands.h"

#include <string.h>

#include "base/str.h"
#include "eas/map/certificate_list.h"
#include "eas/map/person.h"
#include "eas/people.h"
#include "eas/schema.h"
#include "mailferry/log.h"
#include "mime/header.h"

/* MS-ASCMD 2.2.3.177.12: of the whole, of a Response, of Availability and of Certificates. */
enum {
	RESOLVE_PROTOCOL = 5,
	RESPONSE_FOUND = 1,
	RESPONSE_AMBIGUOUS = 2,
	RESPONSE_AMBIGUOUS_PART = 3,
	RESPONSE_UNKNOWN = 4,
	AVAILABILITY_LARGE_GROUP = 161,
	AVAILABILITY_DENIED = 163,
	CERTIFICATES_NONE = 7,
	CERTIFICATES_LIMIT = 8,
};

enum { TYPE_DIRECTORY = 1, TYPE_CONTACT = 2 };
enum { RETRIEVE_NONE = 1, RETRIEVE_FULL = 2, RETRIEVE_MINI = 3 };
enum {
	LIMIT_MAX = 9999,
	HALF_HOUR = 1800,
	SPAN_MAX = 42 * 86400,	  /* seconds that can be asked about */
	SUGGESTIONS = 100,	  /* where the request names no limit */
	GROUP_AVAILABLE = 20,	  /* members of a group whose times could be merged */
	GROUP_CERTIFICATES = 200, /* members of a group whose certificates are looked up */
};

struct resolving {
	struct eas_request *r;
	const struct wbxml_node *options;
	struct people people;
	uint64_t retrieval, certificates_left, suggestions;
	bool availability;
	struct person_pictures pictures; /* as asked: each To begins with it */
};

/* ---- In ---- */

static bool
read_time(const char *text, int64_t *out)
{
	return mime_date_parse(mf_bytes(text, strlen(text)), out);
}

/* StartTime, and EndTime at least half an hour and at most 42 days later (MS-ASCMD 2.2.3.61.1). */
static bool
good_times(const struct wbxml_node *availability)
{
	const char *start = wbxml_child_value(availability, ResolveRecipients_StartTime);
	const char *end = wbxml_child_value(availability, ResolveRecipients_EndTime);
	int64_t from, to;
	if (availability == NULL)
		return true;
	if (start == NULL || !read_time(start, &from))
		return false;
	return end == NULL ||
	       (read_time(end, &to) && to - from >= HALF_HOUR && to - from <= SPAN_MAX);
}

static bool
read_options(struct resolving *v)
{
	const struct wbxml_node *o = v->options;
	const struct wbxml_node *times = NULL, *picture = NULL;
	if (v->r->version >= EAS_14_0)
		times = wbxml_child(o, ResolveRecipients_Availability);
	if (v->r->version >= EAS_14_1)
		picture = wbxml_child(o, ResolveRecipients_Picture);
	v->availability = times != NULL;
	v->retrieval = schema_number(o, ResolveRecipients_CertificateRetrieval, RETRIEVE_NONE);
	v->certificates_left = schema_number(o, ResolveRecipients_MaxCertificates, LIMIT_MAX);
	v->suggestions = schema_number(o, ResolveRecipients_MaxAmbiguousRecipients, SUGGESTIONS);
	return v->retrieval >= RETRIEVE_NONE && v->retrieval <= RETRIEVE_MINI &&
	       v->certificates_left <= LIMIT_MAX && v->suggestions <= LIMIT_MAX &&
	       good_times(times) &&
	       person_pictures_read(picture, ResolveRecipients_MaxSize,
		       ResolveRecipients_MaxPictures, &v->pictures);
}

/* The address of "Name <address>", or what stands there. */
static const char *
address_of(struct eas_request *r, const char *to)
{
	struct mime_addresses list;
	mime_addresses_parse(r->arena, mf_bytes(to, strlen(to)), NULL, &list);
	return list.n == 1 && *list.list[0].addr != '\0' ? list.list[0].addr : to;
}

/* ---- Who it is ---- */

static void
only_self(struct resolving *v, struct people_list *out)
{
	struct mf_person *self = mf_new(v->r->arena, struct mf_person);
	const char *address = eas_user_address(v->r);
	self->id = "";
	for (size_t t = 0; t < MF_PERSON_TEXTS; t++)
		self->text[t] = "";
	self->text[MF_PERSON_NAME] = self->text[MF_PERSON_ADDRESS] = address;
	*out = (struct people_list){ .list = self, .n = 1 };
}

/* Who is meant exactly, else whoever it may be. An address means nobody else. */
static enum mf_status
look_up(struct resolving *v, const char *to, struct people_list *out, struct mf_error *err)
{
	const char *text = address_of(v->r, to);
	bool self = str_ieq(text, eas_user_address(v->r));
	*out = (struct people_list){ .n = 0 };
	if (text[strspn(text, " \t\r\n")] == '\0')
		return MF_OK;
	enum mf_status st = people_find(&v->people, text, true, PEOPLE_FOUND_MAX, out, err);
	if (st == MF_OK && out->n == 0 && self)
		only_self(v, out);
	if (st == MF_OK && out->n == 0 && strchr(text, '@') == NULL)
		st = people_find(&v->people, text, false, PEOPLE_FOUND_MAX, out, err);
	return st;
}

/* ---- Certificates ---- */

static void
collect(struct resolving *v, const struct mf_person *p, struct certificate_list *l)
{
	*l = (struct certificate_list){ .a = v->r->arena };
	for (size_t i = 0; i < p->n_certificates; i++)
		certificate_list_add(l, p->certificates[i]);
	certificate_list_add_file(l, mf_conf_string(v->r->server->conf, "certificate_directory"),
		p->text[MF_PERSON_ADDRESS]);
}

/* The certificates of a person, or of all members of a group. */
struct gathered {
	struct mf_bytes *der;
	size_t n, recipients; /* recipients: whose they are, or should be */
};

static enum mf_status
gather(struct resolving *v, struct mf_person *list, size_t n, struct gathered *g,
	struct mf_error *err)
{
	enum mf_status st = people_read(&v->people, list, n, MF_PERSON_CERTIFICATES, err);
	g->der = mf_new_array(v->r->arena, struct mf_bytes, n * CERTIFICATE_LIST_MAX);
	for (size_t i = 0; st == MF_OK && i < n; i++) {
		struct certificate_list l;
		collect(v, &list[i], &l);
		for (size_t k = 0; k < l.n; k++)
			g->der[g->n++] = l.der[k];
	}
	return st;
}

/* A recipient gets all of its certificates or none (MS-ASCMD 2.2.3.101). Of mini-certificates no
 * description is public: there are none. */
static void
write_certificates(struct resolving *v, const struct gathered *g)
{
	struct wbxml_writer *w = &v->r->writer;
	unsigned status = EAS_OK;
	if (g->n == 0 || v->retrieval == RETRIEVE_MINI)
		status = CERTIFICATES_NONE;
	else if (g->n > v->certificates_left)
		status = CERTIFICATES_LIMIT;
	wbxml_open(w, ResolveRecipients_Certificates);
	wbxml_number(w, ResolveRecipients_Status, status);
	wbxml_number(w, ResolveRecipients_CertificateCount,
		status == CERTIFICATES_NONE ? 0 : (int64_t)g->n);
	wbxml_number(w, ResolveRecipients_RecipientCount, (int64_t)g->recipients);
	for (size_t i = 0; status == EAS_OK && i < g->n; i++)
		wbxml_element(w, ResolveRecipients_Certificate,
			str_base64(v->r->arena, g->der[i].data, g->der[i].len));
	wbxml_close(w);
	if (status == EAS_OK)
		v->certificates_left -= g->n;
}

/* ---- Out ---- */

static void
write_picture(struct resolving *v, struct person_pictures *pictures, const struct mf_person *p)
{
	struct wbxml_writer *w = &v->r->writer;
	unsigned status = person_picture_status(pictures, p);
	wbxml_open(w, ResolveRecipients_Picture);
	wbxml_number(w, ResolveRecipients_Status, status);
	if (status == EAS_OK) {
		wbxml_open(w, ResolveRecipients_Data);
		wbxml_opaque(w, p->photo.data, p->photo.len);
		wbxml_close(w);
	}
	wbxml_close(w);
}

static void
begin_recipient(struct resolving *v, const struct mf_person *p)
{
	struct wbxml_writer *w = &v->r->writer;
	wbxml_open(w, ResolveRecipients_Recipient);
	wbxml_number(w, ResolveRecipients_Type,
		v->people.api != NULL || *p->id == '\0' ? TYPE_DIRECTORY : TYPE_CONTACT);
	wbxml_element(w, ResolveRecipients_DisplayName, p->text[MF_PERSON_NAME]);
	wbxml_element(w, ResolveRecipients_EmailAddress, p->text[MF_PERSON_ADDRESS]);
}

static void
write_availability(struct resolving *v, size_t members)
{
	struct wbxml_writer *w = &v->r->writer;
	wbxml_open(w, ResolveRecipients_Availability);
	wbxml_number(w, ResolveRecipients_Status,
		members > GROUP_AVAILABLE ? AVAILABILITY_LARGE_GROUP : AVAILABILITY_DENIED);
	wbxml_close(w);
}

/* The one who is meant. */
static enum mf_status
write_found(struct resolving *v, struct mf_person *p, struct mf_error *err)
{
	struct person_pictures pictures = v->pictures;
	struct people_list who = { .list = p, .n = 1 };
	struct gathered g = { .n = 0 };
	size_t members = 0;
	bool certificates = v->retrieval != RETRIEVE_NONE, known = *p->id != '\0';
	enum mf_status st = MF_OK;
	if (p->group && (v->availability || certificates)) {
		st = people_members(&v->people, p->id, GROUP_CERTIFICATES, &who, &members, err);
		st = st == MF_GONE ? MF_OK : st;
	}
	g.recipients = p->group ? members : 1;
	if (st == MF_OK && certificates)
		st = gather(v, who.list, who.n, &g, err);
	if (st == MF_OK && pictures.wanted && known)
		st = people_read(&v->people, p, 1, MF_PERSON_PHOTO, err);
	if (st != MF_OK)
		return st;
	begin_recipient(v, p);
	if (v->availability)
		write_availability(v, members);
	if (certificates)
		write_certificates(v, &g);
	if (pictures.wanted)
		write_picture(v, &pictures, p);
	wbxml_close(&v->r->writer);
	v->r->items++;
	return MF_OK;
}

/* Those who may be meant, as many as the phone wants. Neither certificates nor times. */
static enum mf_status
write_suggestions(struct resolving *v, const struct people_list *l, struct mf_error *err)
{
	struct person_pictures pictures = v->pictures;
	size_t n = l->n < v->suggestions ? l->n : (size_t)v->suggestions;
	enum mf_status st = MF_OK;
	if (pictures.wanted)
		st = people_read(&v->people, l->list, n, MF_PERSON_PHOTO, err);
	for (size_t i = 0; st == MF_OK && i < n; i++) {
		begin_recipient(v, &l->list[i]);
		if (pictures.wanted)
			write_picture(v, &pictures, &l->list[i]);
		wbxml_close(&v->r->writer);
	}
	return st;
}

static enum mf_status
write_response(struct resolving *v, const char *to, struct mf_error *err)
{
	struct wbxml_writer *w = &v->r->writer;
	struct people_list found;
	enum mf_status st = look_up(v, to, &found, err);
	unsigned status = RESPONSE_FOUND;
	if (st != MF_OK)
		return st;
	if (found.n == 0)
		status = RESPONSE_UNKNOWN;
	else if (found.n > 1)
		status = found.more || found.n > v->suggestions ? RESPONSE_AMBIGUOUS_PART
								: RESPONSE_AMBIGUOUS;
	wbxml_open(w, ResolveRecipients_Response);
	wbxml_element(w, ResolveRecipients_To, to);
	wbxml_number(w, ResolveRecipients_Status, status);
	wbxml_number(w, ResolveRecipients_RecipientCount, (int64_t)found.n);
	if (found.n == 1)
		st = write_found(v, &found.list[0], err);
	else
		st = write_suggestions(v, &found, err);
	wbxml_close(w);
	return st;
}

static enum eas_verdict
fail(struct resolving *v, enum mf_status st, const struct mf_error *err)
{
	mf_log_warning(
		"resolve=people status=%s error=%s", mf_status_name(st), mf_log_value(err->text));
	return eas_fail_status(v->r, eas_status_at(EAS_AT_RESOLVE, st), "people");
}

static enum eas_verdict
answer(struct resolving *v, const struct wbxml_node *first)
{
	struct mf_error err = { 0 };
	enum mf_status st = people_open(v->r, &v->people, &err);
	if (st != MF_OK)
		return fail(v, st, &err);
	eas_reply_begin(v->r, ResolveRecipients_ResolveRecipients);
	eas_reply_status(v->r, EAS_OK);
	for (const struct wbxml_node *to = first; st == MF_OK && to != NULL; to = wbxml_next(to))
		st = write_response(v, wbxml_value(to), &err);
	people_close(&v->people);
	return st == MF_OK ? eas_reply_end(v->r) : fail(v, st, &err);
}

enum eas_verdict
cmd_resolverecipients(struct eas_request *r)
{
	struct resolving v = { .r = r, .options = wbxml_child(r->root, ResolveRecipients_Options) };
	const struct wbxml_node *first = wbxml_child(r->root, ResolveRecipients_To);
	if (!read_options(&v))
		return eas_fail_status(r, RESOLVE_PROTOCOL, "options");
	for (const struct wbxml_node *to = first; to != NULL; to = wbxml_next(to))
		if (strlen(wbxml_value(to)) > PEOPLE_TEXT_MAX)
			return eas_fail_status(r, RESOLVE_PROTOCOL, "To too long");
	return answer(&v, first);
}
