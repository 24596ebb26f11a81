/*
 * The daemon with a real OpenLDAP and a real ManageSieve beside IMAP: the address book, certificates,
 * out-of-office replies; and each server stopped in the middle, with the others unharmed.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "phone.h"
#include "slapd.h"
#include "wbxml/wbxml.h"

static struct dovecot dovecot;
static struct slapd slapd;
static struct gateway gateway;

static void
start(void)
{
	char more[2000], imap_url[80];

	dovecot_start(&dovecot, "");
	slapd_start(&slapd, "");
	snprintf(imap_url, sizeof(imap_url), "%s", dovecot_url(&dovecot, true));
	snprintf(more, sizeof(more),
		"backends = {\"imap\", \"ldap\", \"sieve\"}\n"
		"imap {\n\turl = \"%s\"\n\tca_file = \"%s\"\n}\n"
		"ldap {\n\turl = \"ldaps://127.0.0.1:%u\"\n\tca_file = \"%s\"\n"
		"\tbase = \"dc=example,dc=org\"\n\ttimeout = 2s\n\tconnect_timeout = 2s\n}\n"
		"sieve {\n\turl = \"sieve://127.0.0.1:%u\"\n\tstarttls = required\n\tca_file = "
		"\"%s\"\n"
		"\tcommand_timeout = 2s\n\tconnect_timeout = 2s\n}\n",
		imap_url, dovecot.ca, slapd.ldaps, slapd.ca, dovecot.sieve, dovecot.ca);
	gateway_start(&gateway, &dovecot, more);
}

static void
stop(void)
{
	gateway_end(&gateway);
	slapd_end(&slapd);
	dovecot_end(&dovecot);
}

TestSuite(people, .init = start, .fini = stop, .timeout = 120);

/* The answer's root, HTTP 200. */
static const struct wbxml_node *
call(struct phone *p, const char *command, const char *xml)
{
	static struct client_answer answer; /* lives until the next */
	struct mf_error err;

	cr_assert_eq(client_call_xml(p->client, command, xml, &answer, &err), MF_OK, "%s", command);
	cr_assert_eq(answer.http_status, 200, "%s: %u", command, answer.http_status);
	return answer.root;
}

static const struct wbxml_node *
find_people(struct phone *p, const char *text)
{
	char xml[600];

	snprintf(xml, sizeof(xml),
		"<Search xmlns=\"Search\"><Store><Name>GAL</Name><Query>%s</Query><Options>"
		"<Range>0-99</Range><Picture><MaxSize>10000</MaxSize></Picture></Options></Store>"
		"</Search>",
		text);
	return wbxml_child(wbxml_child(call(p, "Search", xml), Search_Response), Search_Store);
}

static const struct wbxml_node *
oof(struct phone *p, const char *what)
{
	char xml[1000];

	snprintf(xml, sizeof(xml), "<Settings xmlns=\"Settings\"><Oof>%s</Oof></Settings>", what);
	return wbxml_child(call(p, "Settings", xml), Settings_Oof);
}

static const char get_oof[] = "<Get><BodyType>Text</BodyType></Get>";
static const char set_oof[] =
	"<Set><OofState>1</OofState><OofMessage><AppliesToInternal/><Enabled>1</Enabled>"
	"<ReplyMessage>Away</ReplyMessage><BodyType>Text</BodyType></OofMessage></Set>";

/* The Status of the Response, or, where there is none, of the whole, negative. */
static int64_t
resolve(struct phone *p, const char *to, const struct wbxml_node **recipient)
{
	char xml[600];
	const struct wbxml_node *root, *response;

	snprintf(xml, sizeof(xml),
		"<ResolveRecipients xmlns=\"ResolveRecipients\"><To>%s</To><Options>"
		"<CertificateRetrieval>2</CertificateRetrieval></Options></ResolveRecipients>",
		to);
	root = call(p, "ResolveRecipients", xml);
	response = wbxml_child(root, ResolveRecipients_Response);
	*recipient = wbxml_child(response, ResolveRecipients_Recipient);
	return response == NULL ? -(int64_t)client_number(root, ResolveRecipients_Status, 0)
				: (int64_t)client_number(response, ResolveRecipients_Status, 0);
}

Test(people, address_book)
{
	struct phone *p = phone_new(&gateway, fixture_user("people"), NULL, "phone1");
	const struct wbxml_node *store, *properties, *recipient;

	phone_hierarchy(p);
	store = find_people(p, "ada");
	cr_assert_eq(client_number(store, Search_Status, 0), 1);
	cr_assert_eq(client_number(store, Search_Total, 0), 2);
	properties = wbxml_child(wbxml_child(store, Search_Result), Search_Properties);
	cr_assert_str_eq(wbxml_child_value(properties, GAL_EmailAddress), "ada@example.org");
	cr_assert_eq(client_number(wbxml_child(properties, GAL_Picture), GAL_Status, 0), 1);
	cr_assert_eq(client_number(find_people(p, "clone"), Search_Total, 0), 250);
	cr_assert_eq(client_number(find_people(p, "*)(uid=*"), Search_Total, 0), 0);
	cr_assert_eq(resolve(p, "Ada Lovelace", &recipient), 1);
	cr_assert_eq(client_number(wbxml_child(recipient, ResolveRecipients_Certificates),
			     ResolveRecipients_CertificateCount, 0),
		1);
	cr_assert_eq(resolve(p, "team@example.org", &recipient), 1);
	cr_assert_eq(client_number(wbxml_child(recipient, ResolveRecipients_Certificates),
			     ResolveRecipients_RecipientCount, 0),
		4);
	cr_assert_eq(resolve(p, "clone", &recipient), 3);
	cr_assert_eq(resolve(p, "nobody", &recipient), 4);
	phone_free(p);
}

Test(people, replies)
{
	struct phone *p = phone_new(&gateway, fixture_user("people"), NULL, "phone1");
	const struct wbxml_node *get;

	phone_hierarchy(p);
	cr_assert_eq(client_number(oof(p, set_oof), Settings_Status, 0), 1);
	get = wbxml_child(oof(p, get_oof), Settings_Get);
	cr_assert_eq(client_number(get, Settings_OofState, 9), 1);
	cr_assert_str_eq(
		wbxml_child_value(wbxml_child(get, Settings_OofMessage), Settings_ReplyMessage),
		"Away");
	phone_free(p);
}

/* Each server's own commands tell so; mail goes on, and all goes on once it is back. */
Test(people, servers_stopped)
{
	struct phone *p = phone_new(&gateway, fixture_user("people"), NULL, "phone1");
	const struct wbxml_node *recipient;

	phone_hierarchy(p);
	phone_sync(p, "inbox");
	cr_assert_eq(client_number(find_people(p, "ada"), Search_Status, 0), 1);
	slapd_do(&slapd, "kill");
	cr_assert_eq(client_number(find_people(p, "ada"), Search_Status, 0), 7);
	cr_assert_eq(resolve(p, "ada", &recipient), -6);
	phone_sync(p, "inbox");
	cr_assert_eq(client_number(oof(p, set_oof), Settings_Status, 0), 1);
	slapd_do(&slapd, "start");
	cr_assert_eq(client_number(find_people(p, "ada"), Search_Status, 0), 1);
	slapd_do(&slapd, "pause");
	cr_assert_eq(client_number(find_people(p, "ada"), Search_Status, 0), 7, "it hangs");
	phone_sync(p, "inbox");
	slapd_do(&slapd, "continue");
	cr_assert_eq(client_number(find_people(p, "ada"), Search_Status, 0), 1);
	/* IMAP and Sieve: who is known to be the user is told so by each. */
	dovecot_do(&dovecot, "kill");
	cr_assert_eq(client_number(oof(p, get_oof), Settings_Status, 0), 4);
	dovecot_do(&dovecot, "start");
	cr_assert_eq(client_number(oof(p, get_oof), Settings_Status, 0), 1);
	phone_sync(p, "inbox");
	phone_free(p);
}

/* ---- Known senders: to whom the user has written, as far as the script knows ---- */

static void *
wait_for_mail(void *phone)
{
	struct phone *p = phone;
	struct client_folder *inbox[] = { phone_folder(p, "inbox") };
	struct client_ping_result result;
	struct mf_arena *a = mf_arena_new();

	client_ping(p->client, a, 120, inbox, 1, &result, NULL);
	mf_arena_free(a);
	return NULL;
}

static bool
script_knows(const char *user, const char *address)
{
	char path[300];
	bool knows;
	char *text;

	snprintf(path, sizeof(path), "%s/%s/sieve/mailferry.sieve", dovecot.mail, user);
	text = fixture_read(path, NULL);
	knows = strstr(text, address) != NULL;
	free(text);
	return knows;
}

static void
write_to(struct imap_talk *t, const char *folder, const char *address)
{
	char text[300];

	snprintf(text, sizeof(text), "From: me@example.test\nTo: %s\nSubject: x\n\nText.\n",
		address);
	imap_talk_append(t, folder, "", "07-Feb-2026 10:11:12 +0000", text, strlen(text));
}

Test(people, known_senders)
{
	static const char set[] =
		"<Set><OofState>1</OofState><OofMessage><AppliesToExternalKnown/><Enabled>1</"
		"Enabled>"
		"<ReplyMessage>Friend</ReplyMessage><BodyType>Text</BodyType></OofMessage></Set>";
	const char *user = fixture_user("known");
	struct imap_talk *t = imap_talk_open(&dovecot, user);
	struct phone *p = phone_new(&gateway, user, NULL, "phone1");
	pthread_t thread;

	imap_talk(t, "CREATE Sent");
	write_to(t, "Sent", "ben@example.net");
	phone_hierarchy(p);
	phone_sync(p, "inbox");
	cr_assert_eq(client_number(oof(p, set), Settings_Status, 0), 1);
	cr_assert(script_knows(user, "ben@example.net"));
	write_to(t, "Sent", "ada@example.net");
	cr_assert_not(script_knows(user, "ada@example.net"));
	cr_assert_eq(pthread_create(&thread, NULL, wait_for_mail, p), 0);
	for (int i = 0; i < 600 && !script_knows(user, "ada@example.net"); i++)
		usleep(100000);
	cr_expect(script_knows(user, "ada@example.net") && script_knows(user, "ben@example.net"));
	write_to(t, "INBOX", user);
	pthread_join(thread, NULL);
	imap_talk_close(t);
	phone_free(p);
}

/* ---- Every command, with each server gone: killed, or hanging in the middle of what it does ---- */

static struct dovecot other; /* keeps the replies, so that mail and replies fail each for itself */

static void
start_apart(void)
{
	char more[2000], imap_url[80];

	dovecot_start(&dovecot, "");
	dovecot_start(&other, "");
	slapd_start(&slapd, "");
	snprintf(imap_url, sizeof(imap_url), "%s", dovecot_url(&dovecot, true));
	snprintf(more, sizeof(more),
		"backends = {\"imap\", \"ldap\", \"sieve\"}\n"
		"imap {\n\turl = \"%s\"\n\tca_file = \"%s\"\n\tcommand_timeout = 2s\n"
		"\tconnect_timeout = 2s\n}\n"
		"ldap {\n\turl = \"ldaps://127.0.0.1:%u\"\n\tca_file = \"%s\"\n"
		"\tbase = \"dc=example,dc=org\"\n\ttimeout = 2s\n\tconnect_timeout = 2s\n}\n"
		"sieve {\n\turl = \"sieve://127.0.0.1:%u\"\n\tstarttls = required\n\tca_file = "
		"\"%s\"\n\tcommand_timeout = 2s\n\tconnect_timeout = 2s\n}\n",
		imap_url, dovecot.ca, slapd.ldaps, slapd.ca, other.sieve, other.ca);
	gateway_start(&gateway, &dovecot, more);
}

static void
stop_apart(void)
{
	stop();
	dovecot_end(&other);
}

TestSuite(outages, .init = start_apart, .fini = stop_apart, .timeout = 280);

enum server { NONE, IMAP, LDAP, SIEVE, SERVERS };

enum { HTTP_503 = -503 };

/* One status where it is told, by the way to it from the root; negative: of HTTP. */
static const struct command_case {
	const char *name, *command, *xml; /* $: the Inbox */
	uint16_t way[4];
	int expected[SERVERS];
} commands[] = {
	{ "mail", "Search",
		"<Search xmlns='Search' xmlns:a='AirSync'><Store><Name>Mailbox</Name><Query><And>"
		"<a:Class>Email</a:Class><a:CollectionId>$</a:CollectionId><FreeText>word</"
		"FreeText></And>"
		"</Query></Store></Search>",
		{ Search_Response, Search_Store, Search_Status }, { 1, HTTP_503, 1, 1 } },
	{ "people", "Search",
		"<Search xmlns='Search'><Store><Name>GAL</Name><Query>ada</Query></Store></Search>",
		{ Search_Response, Search_Store, Search_Status }, { 1, 1, 7, 1 } },
	{ "documents", "Search",
		"<Search xmlns='Search' "
		"xmlns:d='DocumentLibrary'><Store><Name>DocumentLibrary</Name><Query>"
		"<EqualTo><d:LinkId/><Value>\\\\a\\b</Value></EqualTo></Query></Store></Search>",
		{ Search_Response, Search_Store, Search_Status }, { 6, 6, 6, 6 } },
	{ "mail", "Find",
		"<Find xmlns='Find' xmlns:a='AirSync'><SearchId>1</SearchId><ExecuteSearch>"
		"<MailBoxSearchCriterion><Query><a:Class>Email</a:Class><a:CollectionId>$</"
		"a:CollectionId>"
		"<FreeText>word</FreeText></Query></MailBoxSearchCriterion></ExecuteSearch></Find>",
		{ Find_Response, Find_Status }, { 1, HTTP_503, 1, 1 } },
	{ "people", "Find",
		"<Find "
		"xmlns='Find'><SearchId>1</SearchId><ExecuteSearch><GalSearchCriterion><Query>ada</"
		"Query>"
		"</GalSearchCriterion></ExecuteSearch></Find>",
		{ Find_Response, Find_Status }, { 1, 1, 111, 1 } },
	{ "people", "ResolveRecipients",
		"<ResolveRecipients xmlns='ResolveRecipients'><To>Ada "
		"Lovelace</To></ResolveRecipients>",
		{ ResolveRecipients_Status }, { 1, 1, 6, 1 } },
	{ "get replies", "Settings",
		"<Settings "
		"xmlns='Settings'><Oof><Get><BodyType>Text</BodyType></Get></Oof></Settings>",
		{ Settings_Oof, Settings_Status }, { 1, 1, 1, 4 } },
	{ "set replies", "Settings",
		"<Settings "
		"xmlns='Settings'><Oof><Set><OofState>0</OofState></Set></Oof></Settings>",
		{ Settings_Oof, Settings_Status }, { 1, 1, 1, 4 } },
	{ "addresses", "Settings",
		"<Settings xmlns='Settings'><UserInformation><Get/></UserInformation></Settings>",
		{ Settings_UserInformation, Settings_Status }, { 1, 1, 1, 1 } },
	{ "no certificate", "ValidateCert",
		"<ValidateCert "
		"xmlns='ValidateCert'><Certificates><Certificate>AAAA</Certificate></Certificates>"
		"</ValidateCert>",
		{ ValidateCert_Certificate, ValidateCert_Status }, { 10, 10, 10, 10 } },
	{ "no invitation", "MeetingResponse",
		"<MeetingResponse xmlns='MeetingResponse'><Request><UserResponse>1</UserResponse>"
		"<CollectionId>$</CollectionId><RequestId>$:99</RequestId></Request></"
		"MeetingResponse>",
		{ MeetingResponse_Result, MeetingResponse_Status }, { 2, HTTP_503, 2, 2 } },
};

static void
insert(const char *xml, const char *folder, char *out, size_t room)
{
	size_t n = 0;

	for (; *xml != '\0' && n + strlen(folder) + 1 < room; xml++) {
		if (*xml == '$')
			n += (size_t)snprintf(out + n, room - n, "%s", folder);
		else
			out[n++] = *xml;
	}
	out[n] = '\0';
}

static int
status_of(struct phone *p, const struct command_case *c)
{
	const char *inbox = phone_folder(p, "inbox")->id;
	struct client_answer answer;
	struct mf_error err;
	char xml[1500];
	const struct wbxml_node *n;

	insert(c->xml, inbox, xml, sizeof(xml));
	cr_assert_eq(client_call_xml(p->client, c->command, xml, &answer, &err), MF_OK, "%s %s: %s",
		c->command, c->name, err.text);
	if (answer.http_status != 200)
		return -(int)answer.http_status;
	n = answer.root;
	for (size_t i = 0; i + 1 < 4 && c->way[i + 1] != 0; i++)
		n = wbxml_child(n, c->way[i]);
	for (size_t i = 3;; i--)
		if (c->way[i] != 0)
			return (int)client_number(n, c->way[i], 0);
}

static void
all_commands(struct phone *p, enum server out, const char *how)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int status = status_of(p, &commands[i]);

		cr_expect_eq(status, commands[i].expected[out], "%s, %s, server %d %s: %d",
			commands[i].command, commands[i].name, (int)out, how, status);
	}
}

static void
fault(enum server which, const char *how)
{
	if (which == LDAP)
		slapd_do(&slapd, how);
	else
		dovecot_do(which == IMAP ? &dovecot : &other, how);
}

Test(outages, each_command_without_each_server)
{
	static const struct {
		const char *out, *back;
	} ways[] = { { "kill", "start" }, { "pause", "continue" } };
	struct phone *p = phone_new(&gateway, fixture_user("outage"), NULL, "phone1");

	phone_hierarchy(p);
	all_commands(p, NONE, "before");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		for (enum server s = IMAP; s < SERVERS; s++) {
			fault(s, ways[i].out);
			all_commands(p, s, ways[i].out);
			fault(s, ways[i].back);
			all_commands(p, NONE, ways[i].back);
		}
	}
	phone_free(p);
}
