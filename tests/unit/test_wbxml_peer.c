/*
 * wbxml against libwbxml's command line tools (Debian: libwbxml2-utils): each tag that they know and
 * whole messages, both ways.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "wbxml_help.h"

#define PROLOGUE                                                            \
	"<?xml version=\"1.0\"?>\n"                                         \
	"<!DOCTYPE ActiveSync PUBLIC \"-//MICROSOFT//DTD ActiveSync//EN\" " \
	"\"http://www.microsoft.com/\">\n"

static const struct row {
	uint16_t tag;
	const char *ns, *name;
} rows[] = {
#define TAG(page, token, ns, name) { (page) << 8 | (token), #ns, #name },
#include "wbxml/tags.def"
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Where libwbxml 0.11.8 has another name, or ("unknown") none. */
static const struct {
	uint16_t tag;
	const char *name;
} differs[] = {
	{ Contacts_AssistantPhoneNumber, "AssistantTelephoneNumber" },
	{ Contacts_BusinessAddressCity, "BusinessCity" },
	{ Contacts_BusinessAddressCountry, "BusinessCountry" },
	{ Contacts_BusinessAddressPostalCode, "BusinessPostalCode" },
	{ Contacts_BusinessAddressState, "BusinessState" },
	{ Contacts_BusinessAddressStreet, "BusinessStreet" },
	{ Contacts_HomeAddressCity, "HomeCity" },
	{ Contacts_HomeAddressCountry, "HomeCountry" },
	{ Contacts_HomeAddressPostalCode, "HomePostalCode" },
	{ Contacts_HomeAddressState, "HomeState" },
	{ Contacts_HomeAddressStreet, "HomeStreet" },
	{ Contacts_OtherAddressCity, "OtherCity" },
	{ Contacts_OtherAddressCountry, "OtherCountry" },
	{ Contacts_OtherAddressPostalCode, "OtherPostalCode" },
	{ Contacts_OtherAddressState, "OtherState" },
	{ Contacts_OtherAddressStreet, "OtherStreet" },
	{ Email_ReplyTo, "Reply-To" },
	{ Email_DtStamp, "DTStamp" },
	{ Email_Type, "Recurrence_Type" },
	{ Email_Until, "Recurrence_Until" },
	{ Email_Occurrences, "Recurrence_Occurrences" },
	{ Email_Interval, "Recurrence_Interval" },
	{ Email_DayOfWeek, "Recurrence_DayOfWeek" },
	{ Email_DayOfMonth, "Recurrence_DayOfMonth" },
	{ Email_WeekOfMonth, "Recurrence_WeekOfMonth" },
	{ Email_MonthOfYear, "Recurrence_MonthOfYear" },
	{ Email_Status, "FlagStatus" },
	{ Calendar_Timezone, "TimeZone" },
	{ Calendar_Email, "Attendee_Email" },
	{ Calendar_Name, "Attendee_Name" },
	{ Calendar_DtStamp, "DTStamp" },
	{ Calendar_Deleted, "Exception_Deleted" },
	{ Calendar_ExceptionStartTime, "Exception_StartTime" },
	{ Calendar_OrganizerEmail, "Organizer_Email" },
	{ Calendar_OrganizerName, "Organizer_Name" },
	{ Calendar_Type, "Recurrence_Type" },
	{ Calendar_Until, "Recurrence_Until" },
	{ Calendar_Occurrences, "Recurrence_Occurrences" },
	{ Calendar_Interval, "Recurrence_Interval" },
	{ Calendar_DayOfWeek, "Recurrence_DayOfWeek" },
	{ Calendar_DayOfMonth, "Recurrence_DayOfMonth" },
	{ Calendar_WeekOfMonth, "Recurrence_WeekOfMonth" },
	{ Calendar_MonthOfYear, "Recurrence_MonthOfYear" },
	{ Calendar_AttendeeStatus, "Attendee_Status" },
	{ Calendar_AttendeeType, "Attendee_Type" },
	{ MeetingResponse_ProposedStartTime, "unknown" },
	{ MeetingResponse_ProposedEndTime, "unknown" },
	{ Tasks_UtcDueDate, "UTCDueDate" },
	{ Tasks_Type, "Recurrence_Type" },
	{ Tasks_Start, "Recurrence_Start" },
	{ Tasks_Until, "Recurrence_Until" },
	{ Tasks_Occurrences, "Recurrence_Occurrences" },
	{ Tasks_Interval, "Recurrence_Interval" },
	{ Tasks_DayOfMonth, "Recurrence_DayOfMonth" },
	{ Tasks_DayOfWeek, "Recurrence_DayOfWeek" },
	{ Tasks_WeekOfMonth, "Recurrence_WeekOfMonth" },
	{ Tasks_MonthOfYear, "Recurrence_MonthOfYear" },
	{ Tasks_Regenerate, "Recurrence_Regenerate" },
	{ Tasks_DeadOccur, "Recurrence_DeadOccur" },
	{ Tasks_UtcStartDate, "UTCStartDate" },
	{ Provision_RequireStorageCardEncryption, "DeviceEncryptionEnabled" },
	{ Provision_AccountOnlyRemoteWipe, "unknown" },
	{ Settings_SMTPAddress, "SmtpAddress" },
	{ Settings_RightsManagementInformation, "ihsManagementInformation" },
	{ ComposeMail_Mime, "MIME" },
	{ ComposeMail_Name, "ForwardeeName" },
	{ ComposeMail_Email, "ForwardeeEmail" },
	{ RightsManagement_Owner, "RMOwner" },
	{ RightsManagement_RemoveRightsManagementProtection, "RemoveRightsManagementDistribution" },
};

static const char *
peer_name(const struct row *r)
{
	for (size_t i = 0; i < sizeof(differs) / sizeof(differs[0]); i++)
		if (differs[i].tag == r->tag)
			return differs[i].name;
	return r->tag >> 8 == WBXML_PAGE_Find ? "unknown" : r->name;
}

/* Byte arrays, which the peer takes as opaque and shows as base64. */
static bool
is_opaque(uint16_t tag)
{
	static const uint16_t tags[] = { ResolveRecipients_Data, Search_ConversationId, GAL_Data,
		AirSyncBase_Content, ItemOperations_ConversationId, ComposeMail_Mime,
		Email2_ConversationId, Email2_ConversationIndex };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (tags[i] == tag)
			return true;
	return false;
}

/* Runs a tool on in, and gives what it writes. */
static const char *
run(struct mf_arena *a, const char *tool, struct mf_bytes in, size_t *len)
{
	char dir[] = "/tmp/mailferry-wbxml-XXXXXX", *from, *to;
	struct mf_buf out;
	uint8_t *p;
	FILE *f;

	cr_assert_not_null(mkdtemp(dir));
	from = mf_printf(a, "%s/in", dir);
	to = mf_printf(a, "%s/out", dir);
	f = fopen(from, "wb");
	cr_assert_not_null(f);
	cr_assert_eq(fwrite(in.data, 1, in.len, f), in.len);
	fclose(f);
	cr_assert_eq(system(mf_printf(a, "%s -o %s %s 2>%s/err", tool, to, from, dir)), 0,
		"%s failed (package libwbxml2-utils)", tool);
	f = fopen(to, "rb");
	cr_assert_not_null(f, "%s wrote nothing (package libwbxml2-utils)", tool);
	mf_buf_init(&out, 0);
	p = mf_buf_reserve(&out, 1 << 20);
	mf_buf_commit(&out, fread(p, 1, 1 << 20, f));
	fclose(f);
	*len = out.len;
	in = mf_memdup(a, mf_buf_str(&out), out.len);
	mf_buf_deinit(&out);
	cr_assert_eq(system(mf_printf(a, "rm -r %s", dir)), 0);
	return (const char *)in.data;
}

static const char *
read_file(struct mf_arena *a, const char *path)
{
	char *text = mf_alloc(a, 1 << 16);
	FILE *f = fopen(path, "rb");

	cr_assert_not_null(f, "%s", path);
	cr_assert_lt(fread(text, 1, 1 << 16, f), 1 << 16);
	fclose(f);
	return text;
}

/* A message of page 25, or of a tag whose name differs, says so in its first line. */
static bool
peer_knows(const char *xml)
{
	return !str_starts(xml, "<!-- ours only -->");
}

static const char *
peer_to_xml(struct mf_arena *a, struct mf_bytes wbxml)
{
	size_t len;
	const char *xml = run(a, "wbxml2xml -l ACTIVESYNC", wbxml, &len);

	cr_assert(str_starts(xml, PROLOGUE), "%s", xml);
	return xml + strlen(PROLOGUE);
}

static struct mf_bytes
peer_from_xml(struct mf_arena *a, const char *xml)
{
	size_t len;
	const char *all = mf_printf(a, "%s%s", PROLOGUE, xml);
	const char *out = run(a, "xml2wbxml -a -n -v 1.3", mf_bytes_str(all), &len);

	return mf_bytes(out, len);
}

static void
put_row(struct wbxml_writer *w, const struct row *r)
{
	wbxml_open(w, r->tag);
	if (is_opaque(r->tag))
		wbxml_opaque(w, "x", 1);
	else
		wbxml_text(w, "x");
	wbxml_close(w);
}

/* All tags of a page in one Sync element, each with the content "x"; known: only those that the peer
 * has. */
static void
page_ours(struct mf_buf *out, unsigned page, bool known)
{
	struct wbxml_writer w;

	mf_buf_clear(out);
	wbxml_begin(&w, out);
	wbxml_open(&w, AirSync_Sync);
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].tag >> 8 == page &&
			!(known && strcmp(peer_name(&rows[i]), "unknown") == 0))
			put_row(&w, &rows[i]);
	wbxml_close(&w);
}

/* The same as the peer shows it, under the names that it has. */
static const char *
page_xml(struct mf_arena *a, unsigned page, bool known)
{
	const char *xml = "<Sync xmlns=\"AirSync:\">\n";

	for (size_t i = 0; i < N_ROWS; i++) {
		const char *name = peer_name(&rows[i]), *ns = rows[i].ns;
		const char *text = is_opaque(rows[i].tag) ? "eA==" : "x";
		bool unknown = strcmp(name, "unknown") == 0;

		if (rows[i].tag >> 8 != page || (known && unknown))
			continue;
		if (page == WBXML_PAGE_GAL)
			ns = "Gal";
		if (unknown || page == WBXML_PAGE_AirSync)
			xml = mf_printf(a, "%s<%s>x</%s>\n", xml, name, name);
		else
			xml = mf_printf(
				a, "%s<%s xmlns=\"%s:\">%s</%s>\n", xml, name, ns, text, name);
	}
	return mf_printf(a, "%s</Sync>\n", xml);
}

Test(wbxml_peer, agrees_on_each_tag, .timeout = 60)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_buf ours;

	mf_buf_init(&ours, 0);
	for (unsigned page = 0; page < WBXML_PAGES; page++) {
		struct mf_bytes theirs;

		if (wbxml_page_name((uint8_t)page) == NULL)
			continue;
		page_ours(&ours, page, false);
		cr_assert_str_eq(peer_to_xml(a, mf_buf_bytes(&ours)), page_xml(a, page, false));
		if (page == WBXML_PAGE_Find)
			continue; /* it knows nothing of it */
		page_ours(&ours, page, true);
		theirs = peer_from_xml(a, page_xml(a, page, true));
		cr_assert(theirs.len == ours.len && memcmp(theirs.data, ours.data, ours.len) == 0,
			"page %u: %s", page, str_hex(a, theirs.data, theirs.len));
	}
	mf_buf_deinit(&ours);
	mf_arena_free(a);
}

/* Whole messages of tests/data/wbxml: XML to WBXML by the peer and by us must be the same bytes, and what
 * the peer makes of our bytes the same message. */
Test(wbxml_peer, agrees_on_messages, .timeout = 60)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_buf ours, again;
	size_t n = 0;
	glob_t files;

	mf_buf_init(&ours, 0);
	mf_buf_init(&again, 0);
	cr_assert_eq(glob(TEST_DATA "/wbxml/*.xml", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *xml = read_file(a, files.gl_pathv[i]);
		struct mf_error err = { .text = "" };
		struct mf_bytes theirs;

		mf_buf_clear(&ours);
		cr_assert_eq(wbxml_from_xml(xml, strlen(xml), &ours, &err), MF_OK, "%s: %s",
			files.gl_pathv[i], err.text);
		if (!peer_knows(xml))
			continue;
		theirs = peer_from_xml(a, xml);
		cr_assert(theirs.len == ours.len && memcmp(theirs.data, ours.data, ours.len) == 0,
			"%s: %s", files.gl_pathv[i], str_hex(a, theirs.data, theirs.len));
		xml = peer_to_xml(a, mf_buf_bytes(&ours));
		mf_buf_clear(&again);
		cr_assert_eq(wbxml_from_xml(xml, strlen(xml), &again, &err), MF_OK, "%s", err.text);
		cr_assert(again.len == ours.len && memcmp(again.data, ours.data, ours.len) == 0,
			"%s", files.gl_pathv[i]);
		n++;
	}
	cr_assert_geq(n, 8);
	globfree(&files);
	mf_buf_deinit(&again);
	mf_buf_deinit(&ours);
	mf_arena_free(a);
}
