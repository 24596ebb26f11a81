/*
 * Searching a real Dovecot: what phones type, over folders, page by page, and with the server stopped.
 */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "phone.h"
#include "wbxml/wbxml.h"

static struct dovecot dovecot;
static struct gateway gateway;

static void
start(void)
{
	dovecot_start(&dovecot, "");
	gateway_start(&gateway, &dovecot, "");
}

static void
stop(void)
{
	gateway_end(&gateway);
	dovecot_end(&dovecot);
}

TestSuite(search, .init = start, .fini = stop, .timeout = 120);

static void
append(struct imap_talk *t, const char *folder, unsigned day, const char *subject, const char *text)
{
	char message[500], date[60];
	snprintf(message, sizeof(message),
		"From: \"Ada Lovelace\" <ada@example.test>\nTo: me@example.test\n"
		"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
		"Content-Transfer-Encoding: 8bit\nSubject: %s\n\n%s\n",
		subject, text);
	snprintf(date, sizeof(date), "%02u-Feb-2024 10:11:12 +0000", day);
	imap_talk_append(t, folder, "", date, message, strlen(message));
}

/* The Store element of a search in all mail; options may be "". */
static const struct wbxml_node *
search(struct phone *p, const char *criteria, const char *options, struct client_answer *answer)
{
	char xml[2000];
	struct mf_error err;
	snprintf(xml, sizeof(xml),
		"<Search xmlns=\"Search\" xmlns:e=\"Email\" xmlns:s=\"AirSync\"><Store><Name>"
		"Mailbox</Name><Query><And><s:Class>Email</s:Class>%s</And></Query><Options>"
		"%s</Options></Store></Search>",
		criteria, options);
	cr_assert_eq(client_call_xml(p->client, "Search", xml, answer, &err), MF_OK, "answered");
	return wbxml_child(wbxml_child(answer->root, Search_Response), Search_Store);
}

/* "Subject|Subject|" in the order of the results. */
static void
subjects(const struct wbxml_node *store, char *out, size_t size)
{
	const struct wbxml_node *n = wbxml_child(store, Search_Result);
	size_t len = 0;
	out[0] = '\0';
	for (; n != NULL && n->children != NULL && len < size; n = wbxml_next(n))
		len += (size_t)snprintf(out + len, size - len, "%s|",
			wbxml_child_value(wbxml_child(n, Search_Properties), Email_Subject));
}

#define TEXT(x)	    "<FreeText>" x "</FreeText>"
#define BOUND(w, t) "<" w "><e:DateReceived/><Value>" t "</Value></" w ">"

Test(search, criteria)
{
	static const struct {
		const char *criteria, *found;
	} cases[] = {
		{ TEXT("wheels"), "Deep|Grüße|Engine|" },
		{ TEXT("subject:grüße"), "Grüße|" },
		{ TEXT("größer"), "Grüße|" },
		{ TEXT("from:ada subject:engine"), "Engine|" },
		{ TEXT("engine OR deep"), "Deep|Engine|" },
		{ TEXT("NOT wheels"), "Lunch|" },
		{ TEXT("\"{12}\""), "Lunch|" },
		{ TEXT("\"back\\slash\""), "Lunch|" },
		{ TEXT("wheels) UID 1 (") "<Status/>", NULL },
		{ TEXT("\"qqq\" OR UNSEEN"), "" },
		{ TEXT("wheels") BOUND("GreaterThan", "2024-02-02T10:11:12.000Z"), "Deep|" },
		{ TEXT("wheels") BOUND("GreaterThan", "2024-02-02T10:11:11.000Z"), "Deep|Grüße|" },
		{ TEXT("wheels") BOUND("LessThan", "2024-02-02T10:11:12.000Z"), "Engine|" },
	};
	const char *user = fixture_user("search");
	struct imap_talk *t = imap_talk_open(&dovecot, user);
	struct phone *p = phone_new(&gateway, user, NULL, "phone1");
	imap_talk_any(t, "CREATE Work");
	imap_talk_any(t, "CREATE Work/Deep");
	append(t, "INBOX", 1, "Engine", "Wheels turn.");
	append(t, "Work", 2, "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Größere wheels.");
	append(t, "Work/Deep", 4, "Deep", "Wheels below.");
	append(t, "INBOX", 3, "Lunch", "Soup {12} back\\slash.");
	phone_hierarchy(p);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct client_answer answer;
		char found[300];
		const struct wbxml_node *store = search(p, cases[i].criteria, "", &answer);
		cr_assert_eq(answer.http_status, 200, "%s", cases[i].criteria);
		cr_assert_eq(client_number(store, Search_Status, 0), cases[i].found == NULL ? 2 : 1,
			"%s", cases[i].criteria);
		subjects(store, found, sizeof(found));
		if (cases[i].found != NULL)
			cr_assert_str_eq(found, cases[i].found, "%s", cases[i].criteria);
	}
	phone_free(p);
	imap_talk_close(t);
}

Test(search, pages_and_a_server_that_stops)
{
	const char *user = fixture_user("pages");
	struct imap_talk *t = imap_talk_open(&dovecot, user);
	struct phone *p = phone_new(&gateway, user, NULL, "phone1");
	struct client_answer answer;
	char subject[20], found[300];
	for (unsigned i = 1; i <= 25; i++) {
		snprintf(subject, sizeof(subject), "S%u", i);
		append(t, "INBOX", i, subject, "Same words.");
	}
	phone_hierarchy(p);
	const struct wbxml_node *store =
		search(p, TEXT("\"same words\""), "<Range>0-2</Range>", &answer);
	cr_assert_eq(client_number(store, Search_Total, 0), 25);
	subjects(store, found, sizeof(found));
	cr_assert_str_eq(found, "S25|S24|S23|");
	/* What comes meanwhile moves nothing. */
	append(t, "INBOX", 28, "new", "Same words.");
	store = search(p, TEXT("\"same words\""), "<Range>3-5</Range>", &answer);
	subjects(store, found, sizeof(found));
	cr_assert_str_eq(found, "S22|S21|S20|");
	cr_assert_eq(gateway_log_count(&gateway, "searched=0"), 1, "the second page is remembered");
	store = search(p, TEXT("\"same words\""), "<Range>0-0</Range>", &answer);
	subjects(store, found, sizeof(found));
	cr_assert_str_eq(found, "new|");
	imap_talk_close(t);
	/* Gone in the middle: told as such, never as "nothing there", and well again with the server. */
	dovecot_do(&dovecot, "stop");
	search(p, TEXT("\"same words\""), "", &answer);
	cr_assert_eq(answer.http_status, 503, "%u", answer.http_status);
	dovecot_do(&dovecot, "start");
	store = search(p, TEXT("\"same words\""), "", &answer);
	cr_assert_eq(client_number(store, Search_Total, 0), 26);
	phone_free(p);
}

/* ---- A server with an index of words (package dovecot-fts-xapian; without it there is nothing to try) ---- */

static bool
exists(const char *pattern)
{
	glob_t found = { 0 };
	bool there = glob(pattern, 0, NULL, &found) == 0;

	globfree(&found);
	return there;
}

static void
start_indexed(void)
{
	static const char lines[] =
		"protocol imap {\n\tmail_plugins = quota imap_quota fts fts_xapian\n}\n"
		"mail_plugins = quota fts fts_xapian\nplugin {\n\tfts = xapian\n"
		"\tfts_xapian = partial=3 full=20\n\tfts_autoindex = yes\n"
		"\tfts_enforced = yes\n}\n";
	char path[] = "/tmp/mailferry-fts-XXXXXX", options[80];
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, lines, sizeof(lines) - 1) == (ssize_t)sizeof(lines) - 1);
	close(fd);
	snprintf(options, sizeof(options), "--extra %s", path);
	dovecot_start(&dovecot, options);
	unlink(path);
	gateway_start(&gateway, &dovecot, "");
}

Test(indexed, words, .timeout = 120)
{
	static const struct {
		const char *criteria, *found;
	} cases[] = {
		{ TEXT("wheels"), "Engine|" },
		{ TEXT("whee"), "Lunch|Engine|" },
		{ TEXT("WHEELS slowly"), "Engine|" },
		{ TEXT("\"wheels turn\""), "Engine|" },
		/* To this index a phrase is all of its words. */
		{ TEXT("\"turn wheels\""), "Engine|" },
		{ TEXT("\"wheels cheese\""), "" },
		{ TEXT("grüße"), "Post|" },
		{ TEXT("subject:lunch"), "Lunch|" },
		{ TEXT("from:lovelace bread"), "Lunch|" },
		{ TEXT("bread OR slowly"), "Lunch|Engine|" },
		{ TEXT("nowhere"), "" },
	};
	struct imap_talk *t;
	struct client_answer answer;
	struct phone *p;
	char found[300], index[300];

	if (!exists("/usr/lib/dovecot/modules/*fts_xapian*"))
		cr_skip_test("dovecot-fts-xapian is not installed");
	start_indexed();
	t = imap_talk_open(&dovecot, "anna");
	p = phone_new(&gateway, "anna", NULL, "phone1");
	append(t, "INBOX", 1, "Engine", "The wheels turn slowly.");
	append(t, "INBOX", 2, "Lunch", "Soup, bread, a wheel of cheese.");
	append(t, "INBOX", 3, "Post", "Grüße aus Köln.");
	phone_hierarchy(p);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct wbxml_node *store = search(p, cases[i].criteria, "", &answer);

		cr_expect_eq(client_number(store, Search_Status, 0), 1, "%s", cases[i].criteria);
		subjects(store, found, sizeof(found));
		cr_expect_str_eq(found, cases[i].found, "%s: %s", cases[i].criteria, found);
	}
	/* What came since is found too: the server brings its index up to date. */
	append(t, "INBOX", 4, "Late", "More wheels.");
	subjects(search(p, TEXT("wheels"), "", &answer), found, sizeof(found));
	cr_expect_str_eq(found, "Late|Engine|");
	snprintf(index, sizeof(index), "%s/anna/*/xapian-indexes", dovecot.mail);
	cr_expect(exists(index), "the index was used");
	phone_free(p);
	imap_talk_close(t);
	stop();
}
