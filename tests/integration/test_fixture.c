/*
 * The fixture itself: mail put there by either way is there, and a server of its own stops, comes
 * back with its mail, and vanishes.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static const char message[] =
	"From: a@example.test\nSubject: hello\nMessage-ID: <1@example.test>\n\n"
	"One line.\n.\nThe last line.\n";

Test(fixture, shared_server)
{
	struct dovecot d;
	struct imap_talk *t;
	const char *user = fixture_user("shared");

	dovecot_get(&d);
	t = imap_talk_open(&d, user);
	cr_assert_eq(imap_talk_count(t, "INBOX"), 0, "a new account is empty");
	dovecot_deliver(&d, user, message, sizeof message - 1);
	imap_talk_append(
		t, "INBOX", "\\Seen", "01-Feb-2024 10:11:12 +0000", message, sizeof message - 1);
	cr_assert_eq(imap_talk_count(t, "INBOX"), 2, "delivered and appended");
	imap_talk(t, "SELECT INBOX");
	cr_assert_not_null(strstr(imap_talk(t, "FETCH 1 BODY.PEEK[TEXT]"), "\r\n.\r\nThe last"),
		"a dot alone survives the delivery");
	cr_assert_not_null(strstr(imap_talk_any(t, "NONSENSE"), "BAD"), "BAD is an answer too");
	imap_talk_close(t);
	dovecot_end(&d);
}

Test(fixture, own_server)
{
	struct dovecot d;
	struct imap_talk *t;
	struct stat st;

	dovecot_start(&d, "--format sdbox");
	dovecot_deliver(&d, "anna", message, sizeof message - 1);
	dovecot_do(&d, "stop");
	dovecot_do(&d, "start");
	dovecot_do(&d, "kill");
	dovecot_do(&d, "start");
	t = imap_talk_open(&d, "anna");
	cr_assert_eq(imap_talk_count(t, "INBOX"), 1, "mail stays over stop and kill");
	imap_talk_close(t);
	cr_assert_geq(dovecot_log_count(&d, "Login: user=<anna>"), 1, "the log tells logins");
	dovecot_end(&d);
	cr_assert_neq(stat(d.dir, &st), 0, "nothing is left");
}
