/* imap: logins in every way, what is refused, and the list of folders, against a real Dovecot. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "imap_help.h"

static const char *
settings(struct dovecot *d, bool tls, const char *more)
{
	static char text[800];

	snprintf(text, sizeof(text), "url = \"%s\"\nca_file = \"%s\"\n%s", dovecot_url(d, tls),
		d->ca, more);
	return text;
}

Test(imap_login, ways)
{
	static const struct {
		const char *name;
		bool tls;
		const char *more, *password;
		enum mf_status open, login;
	} cases[] = {
		{ "plain text to this machine", false, "", NULL, MF_OK, MF_OK },
		{ "TLS", true, "", NULL, MF_OK, MF_OK },
		{ "STARTTLS", false, "starttls = required\ntls_name = localhost\n", NULL, MF_OK,
			MF_OK },
		{ "STARTTLS with the name of another", false,
			"starttls = required\ntls_name = other.example\n", NULL, MF_OK,
			MF_TEMPORARY },
		{ "STARTTLS, address in the certificate", false, "starttls = required\n", NULL,
			MF_OK, MF_OK },
		{ "unverified", true, "verify = no\ntls_name = other.example\n", NULL, MF_OK,
			MF_OK },
		{ "LOGIN", true, "auth = login\n", NULL, MF_OK, MF_OK },
		{ "LOGIN, wrong", true, "auth = login\n", "nonsense", MF_OK, MF_AUTH },
		{ "PLAIN, wrong", true, "auth = plain\n", "nonsense", MF_OK, MF_AUTH },
		{ "quotes", true, "auth = login\n", "a\"b\\c {5}", MF_OK, MF_AUTH },
		{ "an injected command", true, "auth = login\n", "x\r\nA1 LOGOUT", MF_OK, MF_AUTH },
		{ "empty password", true, "", "", MF_OK, MF_AUTH },
		{ "no such CA", true, "ca_file = \"/nowhere\"\n", NULL, MF_INVALID, MF_OK },
	};
	struct dovecot d;
	const char *user = fixture_user("login");

	dovecot_get(&d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char right[100];
		struct imap_world w;
		enum mf_status status =
			imap_world_open(&w, settings(&d, cases[i].tls, cases[i].more));

		cr_assert_eq(status, cases[i].open, "%s: %s", cases[i].name, w.err.text);
		snprintf(right, sizeof(right), "secret-%s", user);
		if (status == MF_OK) {
			status = imap_world_login(
				&w, user, cases[i].password ? cases[i].password : right);
			cr_assert_eq(status, cases[i].login, "%s: %s: %s", cases[i].name,
				mf_status_name(status), w.err.text);
			if (status == MF_OK)
				cr_assert(mf_backend_imap.usable(w.session), "%s", cases[i].name);
		}
		imap_world_close(&w);
	}
	dovecot_end(&d);
}

static enum mf_status
print(void *ctx, const struct mf_folder *f)
{
	mf_buf_printf(ctx, "%s|%s|%s|%d|%u\n", f->id, f->parent == NULL ? "" : f->parent, f->name,
		(int)f->role, f->flags & ~(unsigned)MF_FOLDER_SUBSCRIBED);
	return MF_OK;
}

Test(imap_login, folders)
{
	struct dovecot d;
	struct imap_world w;
	struct imap_talk *t;
	struct mf_buf out;
	const char *user = fixture_user("folders"), *text;
	char password[100];

	dovecot_get(&d);
	t = imap_talk_open(&d, user);
	imap_talk(t, "CREATE \"a/b\"");
	imap_talk(t, "CREATE \"&AMk-bauches\"");
	imap_talk(t, "CREATE \"Spam&-Co\"");
	cr_assert_eq(imap_world_open(&w, settings(&d, true, "sent = a/b\n")), MF_OK);
	snprintf(password, sizeof(password), "secret-%s", user);
	cr_assert_eq(imap_world_login(&w, user, password), MF_OK, "%s", w.err.text);
	mf_buf_init(&out, 0);
	cr_assert_eq(mf_backend_imap.store->folders(w.session, print, &out, &w.err), MF_OK, "%s",
		w.err.text);
	mf_backend_imap.describe(w.session, &out);
	text = mf_buf_str(&out);
	cr_assert_not_null(strstr(text, "INBOX||INBOX|1|0\n"), "%s", text);
	cr_assert_not_null(strstr(text, "a/b|a|b|4|0\n"), "%s", text);
	cr_assert_not_null(strstr(text, "Spam&-Co||Spam&Co|0|0\n"), "%s", text);
	cr_assert_not_null(strstr(text, "&AMk-bauches||Ébauches|0|0\n"), "%s", text);
	cr_assert(mf_backend_imap.usable(w.session));
	mf_buf_deinit(&out);
	imap_world_close(&w);
	imap_talk_close(t);
	dovecot_end(&d);
}

Test(imap_login, certificates)
{
	static const char *const bad[] = { "name", "expired", "stranger" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char options[40];
		struct dovecot d;

		snprintf(options, sizeof(options), "--cert %s", bad[i]);
		dovecot_start(&d, options);
		for (int verify = 0; verify < 2; verify++)
			for (int tls = 0; tls < 2; tls++) {
				const char *more = verify ? "starttls = required\n"
							  : "starttls = required\nverify = no\n";
				struct imap_world w;

				cr_assert_eq(imap_world_open(&w, settings(&d, tls, more)), MF_OK);
				cr_assert_eq(imap_world_login(&w, "anna", "secret-anna"),
					verify ? MF_TEMPORARY : MF_OK, "%s: %s", bad[i],
					w.err.text);
				imap_world_close(&w);
			}
		dovecot_end(&d);
	}
}

/* Another's mailbox with the master user's password, by both ways of logging in. */
Test(imap_login, master)
{
	static const char *const ways[] = { "auth = plain\n", "auth = login\n" };
	struct dovecot d;
	const char *user = fixture_user("master");

	dovecot_get(&d);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		for (int right = 0; right < 2; right++) {
			struct mf_login who = { .user = user,
				.password = right ? "secret-master" : "nonsense",
				.master = "master" };
			struct imap_world w;
			enum mf_status status;

			cr_assert_eq(imap_world_open(&w, settings(&d, true, ways[i])), MF_OK);
			status = mf_backend_imap.login(w.backend, &who, &w.session, &w.err);
			cr_assert_eq(status, right ? MF_OK : MF_AUTH, "%s: %s: %s", ways[i],
				mf_status_name(status), w.err.text);
			imap_world_close(&w);
		}
	dovecot_end(&d);
}
