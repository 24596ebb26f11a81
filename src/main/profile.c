/*
 * `mailferry profile USER`: a configuration profile for the user's Apple devices, on standard output. The
 * daemon gives the same at /mailferry.mobileconfig to the user himself.
 */
#include <string.h>

#include "base/str.h"
#include "eas/profile.h"
#include "main/commands.h"
#include "main/password.h"
#include "main/tool.h"

static const char *
address_of(const struct tool *t, const char *user)
{
	const char *domain = mf_conf_string(t->top, "default_domain");

	return strchr(user, '@') != NULL || *domain == '\0'
		       ? user
		       : mf_printf(t->arena, "%s@%s", user, domain);
}

static void
write_profile(struct tool *t, const struct eas_profile *p)
{
	struct mf_buf xml;

	mf_buf_init(&xml, 0);
	eas_profile_write(t->arena, p, &xml);
	if (t->json) {
		mf_buf_add_str(&t->out, "{");
		tool_field(&t->out, "profile", mf_buf_str(&xml));
		mf_buf_add_str(&t->out, "}\n");
	} else {
		mf_buf_add_str(&t->out, mf_buf_str(&xml));
	}
	str_wipe(xml.data, xml.len);
	mf_buf_deinit(&xml);
}

static int
print(struct tool *t, const char *password)
{
	struct eas_profile p = { .url = tool_option(t, 'u'),
		.user = tool_operand(t, 0),
		.password = password,
		.address = tool_option(t, 'a'),
		.sign_in_url = mf_conf_string(t->top, "oauth_authorization_url"),
		.token_url = mf_conf_string(t->top, "oauth_token_url") };

	if (p.url == NULL)
		p.url = mf_conf_string(t->top, "public_url");
	if (p.address == NULL)
		p.address = address_of(t, p.user);
	if (*p.url == '\0')
		return tool_refuse(
			t, MAIN_USAGE, "neither --url nor public_url says where the server is");
	if (strchr(p.address, '@') == NULL)
		return tool_refuse(t, MAIN_USAGE, "--address is needed for this user");
	write_profile(t, &p);
	return MAIN_OK;
}

static int
run(struct tool *t)
{
	char password[MAIN_SECRET_MAX] = "";
	const char *file = tool_option(t, 'p');
	int status = MAIN_USAGE;

	if (file == NULL || main_password(file, "", tool_operand(t, 0), password))
		status = print(t, file == NULL ? NULL : password);
	str_wipe(password, sizeof(password));
	return status;
}

int
main_profile(int argc, char **argv)
{
	static const struct tool_action actions[] = {
		{ NULL, "USER", 1, 1, run,
			"prints a profile that makes the account on an iPhone, iPad or Mac that "
			"opens it",
			true },
		{ 0 },
	};
	static const struct tool_option options[] = {
		{ 'a', "address", "ADDRESS", "the user's address; else USER, with default_domain" },
		{ 'u', "url", "URL", "the server, as https://mail.example.org; else public_url" },
		{ 'p', "password-file", "F", "puts the password in the file's first line into it" },
		{ 0 },
	};
	static const struct tool_command command = { "profile", actions, options,
		"A password in a profile should be an application password, for one device." };

	return tool_main(&command, argc, argv);
}
