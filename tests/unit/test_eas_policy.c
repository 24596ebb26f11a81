/* Policies: what contradicts itself is refused by its name, and what does not is taken. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "eas/policy.h"

static const struct {
	const char *text, *names; /* names: what the refusal tells; NULL: taken */
} cases[] = {
	{ "", NULL },
	{ "device_password = yes\n", NULL },
	{ "device_password = yes\npassword_length = 6\npassword_alphanumeric = yes\n"
	  "password_simple = no\npassword_classes = 3\n",
		NULL },
	{ "password_length = 6\n", "password_length" },
	{ "lock_after = 5m\n", "lock_after" },
	{ "encrypt_device = yes\n", "encrypt_device" },
	{ "device_password = yes\npassword_attempts = 3\n", "password_attempts" },
	{ "device_password = yes\npassword_attempts = 4\n", NULL },
	{ "device_password = yes\npassword_classes = 2\n", "password_classes" },
	{ "device_password = yes\npassword_alphanumeric = yes\npassword_simple = no\n",
		"password_length" },
	{ "device_password = yes\npassword_alphanumeric = yes\npassword_length = 4\n",
		"password_simple" },
	{ "encrypt_storage_card = yes\nstorage_card = no\n", "storage_card" },
	{ "attachments = no\nattachment_size = 1M\n", "attachment_size" },
	{ "html_mail = no\nhtml_size = 10\n", "html_size" },
	{ "sign_algorithm = 1\n", "sign_algorithm" },
	{ "calendar_age = 2\n", "calendar_age" },
	{ "exempt = {\"Outlook\"}\n", "Outlook" },
	{ "exempt = {\"agent=Outlook*\"}\n", NULL },
};

Test(eas_policy, coherence)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mf_error err = { 0 };
		struct conf *c = NULL;
		struct eas_policies *p = NULL;
		char text[600];
		enum mf_status st;

		snprintf(text, sizeof(text), "policy \"one\" {\n%s}\n", cases[i].text);
		cr_assert_eq(conf_parse(text, NULL, &c, &err), MF_OK, "%s", err.text);
		st = eas_policies_open(c, &p, &err);
		cr_assert_eq(st, cases[i].names == NULL ? MF_OK : MF_INVALID, "case %zu: %s", i,
			cases[i].text);
		if (cases[i].names != NULL)
			cr_assert(strstr(err.text, cases[i].names) != NULL &&
					  strstr(err.text, "\"one\"") != NULL,
				"case %zu: %s", i, err.text);
		eas_policies_free(p);
		conf_free(c);
	}
}

Test(eas_policy, titles)
{
	struct mf_error err = { 0 };
	struct conf *c = NULL;

	cr_assert_eq(
		conf_parse("policy \"b\" {}\npolicy \"a\" {\ncamera = no\n}\n", NULL, &c, &err),
		MF_OK, "%s", err.text);
	cr_assert_str_eq(conf_title(conf_titled(c, "policy", 0)), "b");
	cr_assert(mf_conf_bool(conf_titled(c, "policy", 0), "camera"));
	cr_assert_str_eq(conf_title(conf_titled(c, "policy", 1)), "a");
	cr_assert(!mf_conf_bool(conf_titled(c, "policy", 1), "camera"));
	cr_assert_null(conf_titled(c, "policy", 2));
	conf_free(c);
	cr_assert_eq(conf_parse("policy \"a\" {}\npolicy \"a\" {}\n", NULL, &c, &err), MF_INVALID,
		"the same title twice");
	cr_assert_eq(conf_parse("policy \"a\" {\nnonsense = 1\n}\n", NULL, &c, &err), MF_INVALID);
}
