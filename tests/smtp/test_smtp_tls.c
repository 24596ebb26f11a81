/*
 * Which certificates are believed, how TLS begins, and what is told before it: nothing. And the ways to log
 * in, byte for byte.
 */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

static char certs[100];

static void
setup(void)
{
	char command[400];

	strcpy(certs, "/tmp/mf-smtp.XXXXXX");
	cr_assert_not_null(mkdtemp(certs));
	snprintf(command, sizeof command, CERTS " '%s'", certs);
	cr_assert_eq(system(command), 0);
}

static void
teardown(void)
{
	char command[200];

	snprintf(command, sizeof command, "rm -rf '%s'", certs);
	cr_assert_eq(system(command), 0);
}

TestSuite(smtp_tls, .init = setup, .fini = teardown);

static const char ehlo_starttls[] = "250-fake\r\n250 STARTTLS\r\n";

/* Lines of the section: the authority to trust, and more. */
static const char *
trusting(const char *more)
{
	static char text[600];

	snprintf(text, sizeof text, "\tca_file = \"%s/ca.pem\"\n%s", certs, more);
	return text;
}

Test(smtp_tls, certificates)
{
	static const struct {
		const char *cert, *more;
		enum mf_status is;
	} rows[] = {
		{ "server", "", MF_OK },
		{ "server", "\ttls_name = \"mail.example.test\"\n", MF_OK },
		{ "server", "\ttls_name = \"mail.example.com\"\n", MF_TEMPORARY },
		{ "expired", "", MF_TEMPORARY },
		{ "name", "", MF_TEMPORARY },
		{ "name", "\ttls_name = \"elsewhere.example.net\"\n", MF_OK },
		{ "stranger", "", MF_TEMPORARY },
		{ "expired", "\tverify = no\n", MF_OK },
		{ "name", "\tverify = no\n", MF_OK },
		{ "stranger", "\tverify = no\n", MF_OK },
	};

	for (enum fake_tls tls = FAKE_STARTTLS; tls <= FAKE_IMPLICIT; tls++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			struct trip t = { .server = { .ehlo = tls == FAKE_STARTTLS ? ehlo_starttls
										   : fake_ehlo_all,
						  .ehlo_tls = fake_ehlo_all,
						  .tls = tls,
						  .certs = certs,
						  .cert = rows[i].cert } };
			char more[300];

			snprintf(more, sizeof more, "%s%s", rows[i].more,
				tls == FAKE_STARTTLS ? "\tstarttls = required\n" : "");
			cr_assert_eq(fake_begin(&t, trusting(more)), rows[i].is, "%s %s: %s",
				rows[i].cert, more, t.err.text);
			fake_end(&t);
			if (rows[i].is == MF_OK)
				cr_assert(t.server.encrypted &&
						  strstr(t.server.commands, "AUTH") != NULL,
					"%s", t.server.commands);
			else
				cr_assert_null(strstr(t.server.commands, "AUTH"),
					"%s: the password was told: %s", rows[i].cert,
					t.server.commands);
		}
}

/* Nothing of what is said in the clear counts, and a server without TLS gets no password. */
Test(smtp_tls, before_it)
{
	static const struct fake_rule refuses[] = { { "STARTTLS", "454 not now\r\n" },
		{ NULL, NULL } };
	static const struct {
		const char *name, *ehlo, *slipped;
		const struct fake_rule *rules;
		enum mf_status is;
	} rows[] = {
		{ "offered", ehlo_starttls, NULL, NULL, MF_OK },
		{ "not offered", fake_ehlo_all, NULL, NULL, MF_TEMPORARY },
		{ "refused", ehlo_starttls, NULL, refuses, MF_TEMPORARY },
		{ "a reply slipped in", ehlo_starttls, "250 AUTH PLAIN\r\n", NULL, MF_TEMPORARY },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct trip t = { .server = { .ehlo = rows[i].ehlo,
					  .ehlo_tls = fake_ehlo_all,
					  .slipped = rows[i].slipped,
					  .rules = rows[i].rules,
					  .tls = FAKE_STARTTLS,
					  .certs = certs,
					  .cert = "server" } };

		cr_assert_eq(fake_begin(&t, trusting("\tstarttls = required\n")), rows[i].is,
			"%s: %s", rows[i].name, t.err.text);
		fake_end(&t);
		cr_assert_eq(strstr(t.server.commands, "AUTH") != NULL, rows[i].is == MF_OK, "%s",
			rows[i].name);
	}
}

/* ---- Logging in ---- */

/* What stands behind `word` in the commands, decoded; \1 and NUL shown as '|'. */
static void
decoded(const char *commands, const char *word, char *out, size_t size)
{
	const char *at = strstr(commands, word);
	unsigned char raw[2000];
	int n;
	char base64[2000];

	cr_assert_not_null(at, "%s in %s", word, commands);
	at += strlen(word);
	snprintf(base64, sizeof base64, "%.*s", (int)strcspn(at, "\r\n"), at);
	n = EVP_DecodeBlock(raw, (unsigned char *)base64, (int)strlen(base64));
	cr_assert_geq(n, 0);
	while (n > 0 && base64[0] != '\0' && raw[n - 1] == 0 && strchr(base64, '=') != NULL)
		n--;
	for (int i = 0; i < n && (size_t)i + 1 < size; i++) {
		out[i] = raw[i] == 0 || raw[i] == 1 ? '|' : (char)raw[i];
		out[i + 1] = '\0';
	}
}

Test(smtp_tls, ways_to_log_in)
{
	static const struct {
		const char *offers, *more;
		struct mf_login who;
		const char *word, *says; /* decoded */
	} rows[] = {
		{ "250 AUTH PLAIN LOGIN\r\n", "", { .user = "anna", .password = "secret" },
			"AUTH PLAIN ", "|anna|secret" },
		{ "250 AUTH=PLAIN\r\n", "", { .user = "anna", .password = "p w\xc3\xa4" },
			"AUTH PLAIN ", "|anna|p w\xc3\xa4" },
		{ "250 AUTH LOGIN\r\n", "", { .user = "anna", .password = "secret" },
			"AUTH LOGIN\r\n", "anna" },
		{ "250 AUTH PLAIN LOGIN\r\n", "\tauth = login\n",
			{ .user = "anna", .password = "secret" }, "AUTH LOGIN\r\n", "anna" },
		{ "250 AUTH PLAIN\r\n", "",
			{ .user = "anna", .master = "boss", .password = "secret" }, "AUTH PLAIN ",
			"anna|boss|secret" },
		{ "250 AUTH PLAIN\r\n", "\tuser = \"relay\"\n\tpassword = \"x\"\n",
			{ .user = "anna", .password = "secret" }, "AUTH PLAIN ", "|relay|x" },
		{ "250 AUTH XOAUTH2 PLAIN\r\n", "", { .user = "anna", .token = "tok" },
			"AUTH XOAUTH2 ", "user=anna|auth=Bearer tok||" },
		{ "250 AUTH XOAUTH2 OAUTHBEARER\r\n", "\tauth = xoauth2\n",
			{ .user = "anna", .token = "tok" }, "AUTH XOAUTH2 ",
			"user=anna|auth=Bearer tok||" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char says[400] = "", ehlo[200];
		struct trip t = { .server = { .ehlo = ehlo }, .who = rows[i].who };

		snprintf(ehlo, sizeof ehlo, "250-fake\r\n%s", rows[i].offers);
		cr_assert_eq(fake_begin(&t, rows[i].more), MF_OK, "row %zu: %s", i, t.err.text);
		fake_end(&t);
		decoded(t.server.commands, rows[i].word, says, sizeof says);
		cr_assert_str_eq(says, rows[i].says, "row %zu: %s", i, says);
	}
}

Test(smtp_tls, oauthbearer)
{
	char says[400] = "", expected[200];
	struct trip t = {
		.server = { .ehlo = "250-fake\r\n250 AUTH XOAUTH2 OAUTHBEARER PLAIN\r\n" },
		.who = { .user = "anna", .token = "tok" }
	};

	cr_assert_eq(fake_begin(&t, ""), MF_OK, "%s", t.err.text);
	decoded(t.server.commands, "AUTH OAUTHBEARER ", says, sizeof says);
	snprintf(expected, sizeof expected, "n,a=anna,|host=127.0.0.1|port=%s|auth=Bearer tok||",
		strstr(mf_conf_string(conf_section(t.conf, "smtp"), "url"), "127.0.0.1:") + 10);
	cr_assert_str_eq(says, expected);
	fake_end(&t);
}

/* A refused token is told by a challenge that wants an answer, and then by its status. */
Test(smtp_tls, refused_tokens)
{
	static const struct {
		const char *offers, *answer;
	} rows[] = { { "250-fake\r\n250 AUTH XOAUTH2\r\n", "\r\n\r\n" },
		{ "250-fake\r\n250 AUTH OAUTHBEARER\r\n", "\r\nAQ==\r\n" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		/* The last that fits counts. */
		const struct fake_rule rules[] = { { "\r\n", "535 5.7.8 no\r\n" },
			{ "AUTH", "334 eyJzdGF0dXMiOiI0MDEifQ==\r\n" }, { "EHLO", rows[i].offers },
			{ NULL, NULL } };
		struct trip t = { .server = { .ehlo = rows[i].offers, .rules = rules },
			.who = { .user = "anna", .token = "secret-token" } };

		cr_assert_eq(fake_begin(&t, ""), MF_AUTH, "row %zu: %s", i, t.err.text);
		cr_assert_null(strstr(t.err.text, "secret-token"));
		fake_end(&t);
		cr_assert_not_null(
			strstr(t.server.commands, rows[i].answer), "%s", t.server.commands);
	}
}
