/*
 * ResolveRecipients (MS-ASCMD 2.2.1.15). Without a directory the only recipient known is the user:
 * that one resolves, without certificate, picture or free/busy times; all others do not.
 */
#include "eas/commands.h"

#include <string.h>

#include "base/str.h"
#include "eas/schema.h"
#include "mime/header.h"

/* MS-ASCMD 2.2.3.177.12: of the whole, of a Response, of Availability, Certificates and Picture. */
enum {
	RESOLVE_PROTOCOL = 5,
	RESPONSE_FOUND = 1,
	RESPONSE_UNKNOWN = 4,
	AVAILABILITY_DENIED = 163,
	CERTIFICATES_NONE = 7,
};

enum { TYPE_DIRECTORY = 1, LIMIT_MAX = 9999, TO_MAX = 256, HALF_HOUR = 1800 };

static bool
read_time(const char *text, int64_t *out)
{
	return mime_date_parse(mf_bytes(text, strlen(text)), out);
}

/* StartTime, and EndTime at least half an hour later (MS-ASCMD 2.2.3.62.1). */
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
	return end == NULL || (read_time(end, &to) && to - from >= HALF_HOUR);
}

static bool
good_options(const struct eas_request *r, const struct wbxml_node *o)
{
	uint64_t certificates = schema_number(o, ResolveRecipients_CertificateRetrieval, 1);
	return certificates >= 1 && certificates <= 3 &&
	       schema_number(o, ResolveRecipients_MaxCertificates, 0) <= LIMIT_MAX &&
	       schema_number(o, ResolveRecipients_MaxAmbiguousRecipients, 0) <= LIMIT_MAX &&
	       (r->version < EAS_14_0 ||
		       good_times(wbxml_child(o, ResolveRecipients_Availability)));
}

/* The address of "Name <address>", or what stands there. */
static const char *
address_of(struct eas_request *r, const char *to)
{
	struct mime_addresses list;
	mime_addresses_parse(r->arena, mf_bytes(to, strlen(to)), NULL, &list);
	return list.n == 1 && *list.list[0].addr != '\0' ? list.list[0].addr : to;
}

static void
write_self(struct eas_request *r, const struct wbxml_node *o, const char *address)
{
	struct wbxml_writer *w = &r->writer;
	wbxml_open(w, ResolveRecipients_Recipient);
	wbxml_number(w, ResolveRecipients_Type, TYPE_DIRECTORY);
	wbxml_element(w, ResolveRecipients_DisplayName, address);
	wbxml_element(w, ResolveRecipients_EmailAddress, address);
	if (r->version >= EAS_14_0 && wbxml_child(o, ResolveRecipients_Availability) != NULL) {
		wbxml_open(w, ResolveRecipients_Availability);
		wbxml_number(w, ResolveRecipients_Status, AVAILABILITY_DENIED);
		wbxml_close(w);
	}
	if (schema_number(o, ResolveRecipients_CertificateRetrieval, 1) != 1) {
		wbxml_open(w, ResolveRecipients_Certificates);
		wbxml_number(w, ResolveRecipients_Status, CERTIFICATES_NONE);
		wbxml_number(w, ResolveRecipients_CertificateCount, 0);
		wbxml_close(w);
	}
	if (r->version >= EAS_14_1 && wbxml_child(o, ResolveRecipients_Picture) != NULL) {
		wbxml_open(w, ResolveRecipients_Picture);
		wbxml_number(w, ResolveRecipients_Status, EAS_NO_PICTURE);
		wbxml_close(w);
	}
	wbxml_close(w);
}

static void
write_response(struct eas_request *r, const struct wbxml_node *o, const char *to)
{
	struct wbxml_writer *w = &r->writer;
	const char *self = eas_user_address(r);
	bool found = str_ieq(address_of(r, to), self);
	wbxml_open(w, ResolveRecipients_Response);
	wbxml_element(w, ResolveRecipients_To, to);
	wbxml_number(w, ResolveRecipients_Status, found ? RESPONSE_FOUND : RESPONSE_UNKNOWN);
	wbxml_number(w, ResolveRecipients_RecipientCount, found);
	if (found)
		write_self(r, o, self);
	wbxml_close(w);
	r->items += found;
}

enum eas_verdict
cmd_resolverecipients(struct eas_request *r)
{
	const struct wbxml_node *options = wbxml_child(r->root, ResolveRecipients_Options);
	const struct wbxml_node *first = wbxml_child(r->root, ResolveRecipients_To);
	if (!good_options(r, options))
		return eas_fail_status(r, RESOLVE_PROTOCOL, "options");
	for (const struct wbxml_node *to = first; to != NULL; to = wbxml_next(to))
		if (strlen(wbxml_value(to)) > TO_MAX)
			return eas_fail_status(r, RESOLVE_PROTOCOL, "To too long");
	eas_reply_begin(r, ResolveRecipients_ResolveRecipients);
	eas_reply_status(r, EAS_OK);
	for (const struct wbxml_node *to = first; to != NULL; to = wbxml_next(to))
		write_response(r, options, wbxml_value(to));
	return eas_reply_end(r);
}
