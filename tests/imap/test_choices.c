/* imap: which folders are shown, and what for, is the server's word first, then the names', and the operator's by
 * the settings. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fake.h"

#define LIST_OF_ALL                                                                           \
	"* LIST () \"/\" INBOX\r\n* LIST () \"/\" Work\r\n* LIST () \"/\" Left\r\n"           \
	"* LIST () \"/\" Papierkorb\r\n* LIST () \"/\" Trash\r\n* LIST () \"/\" Gesendet\r\n" \
	"$ OK\r\n"
#define LSUB_OF_SOME "* LSUB () \"/\" INBOX\r\n* LSUB () \"/\" Work\r\n$ OK\r\n"
#define SPACES	     "* NAMESPACE ((\"\" \"/\")) ((\"Others/\" \"/\")) ((\"Shared/\" \"/\"))\r\n$ OK\r\n"

/* "INBOX:1 Work/subscribed": names with role and marks, as they come. */
static enum mf_status
take(void *ctx, const struct mf_folder *f)
{
	mf_buf_printf(ctx, "%s", f->id);
	if (f->role > MF_ROLE_INBOX)
		mf_buf_printf(ctx, ":%d", (int)f->role);
	if ((f->flags & MF_FOLDER_SHARED) != 0)
		mf_buf_add_str(ctx, "*");
	mf_buf_add_str(ctx, " ");
	return MF_OK;
}

static void
check(const char *name, const char *caps, const char *settings, const struct fake_step *steps,
	const char *expected)
{
	struct fake_step all[20] = { { NULL,
		"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n", NULL } };
	char in[300];
	struct fake_client c;
	struct mf_buf log;
	struct fake *f;
	size_t n = 2;

	snprintf(in, sizeof(in), "$ OK [CAPABILITY IMAP4rev1%s] in\r\n", caps);
	all[1] = (struct fake_step){ "AUTHENTICATE PLAIN", in, NULL };
	for (; steps->want != NULL; steps++)
		all[n++] = *steps;
	f = fake_start(all);
	mf_buf_init(&log, 0);
	fake_login(&c, f, settings);
	cr_assert_eq(c.status, MF_OK, "%s: %s", name, c.err.text);
	cr_assert_eq(c.store->folders(c.session, take, &log, &c.err), MF_OK, "%s: %s (%s)", name,
		c.err.text, fake_complaint(f));
	cr_assert_str_eq(mf_buf_str(&log), expected, "%s: %s", name, mf_buf_str(&log));
	fake_logout(&c);
	cr_assert_str_eq(fake_complaint(f), "", "%s: %s", name, fake_complaint(f));
	fake_end(f);
	mf_buf_deinit(&log);
}

/* Roles: 3 is the bin, 4 what was sent. */
Test(choices, roles_and_subscriptions)
{
	static const struct fake_step plain[] = { { "LIST", LIST_OF_ALL, NULL },
		{ "LSUB", LSUB_OF_SOME, NULL }, { NULL, NULL, NULL } };
	static const struct fake_step special[] = {
		{ "LIST",
			"* LIST () \"/\" INBOX\r\n* LIST (\\Trash) \"/\" Left\r\n* LIST () \"/\" "
			"Trash\r\n* LIST (\\Sent) \"/\" Out\r\n* LIST () \"/\" Gesendet\r\n$ "
			"OK\r\n",
			NULL },
		{ "LSUB", LSUB_OF_SOME, NULL }, { NULL, NULL, NULL }
	};

	check("by their names, in any language", "", "", plain,
		"Gesendet:4 INBOX Left Papierkorb:3 Trash Work ");
	check("subscribed ones only", "", "subscribed_only = yes\n", plain, "INBOX Work ");
	check("as the operator says", "", "trash = \"Left\"\nsent = \"Work\"\n", plain,
		"Gesendet INBOX Left:3 Papierkorb Trash Work:4 ");
	check("the server's word before the names", " SPECIAL-USE", "", special,
		"Gesendet INBOX Left:3 Out:4 Trash ");
}

Test(choices, namespaces)
{
	static const struct fake_step mine[] = { { "NAMESPACE", SPACES, NULL },
		{ "LIST \"\" \"*\"",
			"* LIST () \"/\" INBOX\r\n* LIST () \"/\" Others/ben/x\r\n"
			"* LIST () \"/\" Shared/team\r\n$ OK\r\n",
			NULL },
		{ "LSUB", "$ OK\r\n", NULL }, { NULL, NULL, NULL } };

	static const struct fake_step shared[] = { { "NAMESPACE", SPACES, NULL },
		{ "LIST \"\" \"*\"", "* LIST () \"/\" INBOX\r\n$ OK\r\n", NULL },
		{ "LSUB", "$ OK\r\n", NULL },
		{ "LIST \"\" \"Shared/*\"", "* LIST () \"/\" Shared/team\r\n$ OK\r\n", NULL },
		{ "LSUB", "$ OK\r\n", NULL }, { NULL, NULL, NULL } };
	static const struct fake_step others[] = { { "NAMESPACE", SPACES, NULL },
		{ "LIST \"\" \"*\"", "* LIST () \"/\" INBOX\r\n$ OK\r\n", NULL },
		{ "LSUB", "$ OK\r\n", NULL },
		{ "LIST \"\" \"Others/*\"", "* LIST () \"/\" Others/ben/x\r\n$ OK\r\n", NULL },
		{ "LSUB", "$ OK\r\n", NULL }, { NULL, NULL, NULL } };

	check("the user's own alone", " NAMESPACE", "", mine, "INBOX ");
	check("what is shared", " NAMESPACE", "shared = yes\n", shared,
		"INBOX Shared* Shared/team* ");
	check("what others share", " NAMESPACE", "other_users = yes\n", others,
		"INBOX Others* Others/ben* Others/ben/x* ");
}
