/*
 * `mailferry profile USER`: a configuration profile for the user's Apple devices, on standard output. The
 * daemon gives the same at /mailferry.mobileconfig to the user himself.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "eas/profile.h"
#include "main/commands.h"
#include "main/load.h"
#include "main/password.h"

static int
usage(FILE *f, int status)
{
	fputs("usage: mailferry profile [options] USER\n\n"
	      "  -c, --config FILE      the configuration (/etc/mailferry/mailferry.conf)\n"
	      "  -a, --address ADDRESS  the user's address; else USER, with default_domain\n"
	      "  -u, --url URL          the server, as https://mail.example.org; else public_url\n"
	      "  -p, --password-file F  puts the password in the file's first line into the\n"
	      "                         profile (an application password, for one device)\n"
	      "  -h, --help             this text\n\n"
	      "Prints a profile that makes the account on an iPhone, iPad or Mac that opens it.\n",
		f);
	return status;
}

static const char *
address_of(struct mf_arena *a, const struct mf_conf *top, const char *user)
{
	const char *domain = mf_conf_string(top, "default_domain");

	return strchr(user, '@') != NULL || *domain == '\0' ? user
							    : mf_printf(a, "%s@%s", user, domain);
}

static int
print(const struct mf_conf *top, struct eas_profile *p)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_buf out;
	int status = MAIN_USAGE;

	if (p->url == NULL)
		p->url = mf_conf_string(top, "public_url");
	p->sign_in_url = mf_conf_string(top, "oauth_authorization_url");
	p->token_url = mf_conf_string(top, "oauth_token_url");
	if (p->address == NULL)
		p->address = address_of(a, top, p->user);
	mf_buf_init(&out, 0);
	if (*p->url == '\0') {
		fputs("mailferry profile: neither --url nor public_url says where the server is\n",
			stderr);
	} else if (strchr(p->address, '@') == NULL) {
		fputs("mailferry profile: --address is needed for this user\n", stderr);
	} else {
		eas_profile_write(a, p, &out);
		fputs(mf_buf_str(&out), stdout);
		status = MAIN_OK;
	}
	if (out.data != NULL)
		str_wipe(out.data, out.len);
	mf_buf_deinit(&out);
	mf_arena_free(a);
	return status;
}

static int
run(const char *config, const char *file, struct eas_profile *p)
{
	char password[MAIN_SECRET_MAX] = "";
	struct mf_error err = { .text = "" };
	struct conf *conf = NULL;
	int status;

	log_set_level(MF_LOG_ERROR);
	if (file != NULL && !main_password(file, "", p->user, password))
		return MAIN_USAGE;
	if (main_load(main_config_path(config), &conf, &err) != MF_OK) {
		fprintf(stderr, "mailferry profile: %s\n", err.text);
		return MAIN_CONFIG;
	}
	p->password = file == NULL ? NULL : password;
	status = print(conf_top(conf), p);
	str_wipe(password, sizeof(password));
	conf_free(conf);
	return status;
}

int
main_profile(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "address", required_argument, NULL, 'a' },
		{ "url", required_argument, NULL, 'u' },
		{ "password-file", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *config = NULL, *file = NULL;
	struct eas_profile p = { 0 };
	int letter;

	while ((letter = getopt_long(argc, argv, "c:a:u:p:h", longs, NULL)) != -1) {
		if (letter == 'h')
			return usage(stdout, MAIN_OK);
		if (letter == '?')
			return usage(stderr, MAIN_USAGE);
		config = letter == 'c' ? optarg : config;
		p.address = letter == 'a' ? optarg : p.address;
		p.url = letter == 'u' ? optarg : p.url;
		file = letter == 'p' ? optarg : file;
	}
	if (optind + 1 != argc)
		return usage(stderr, MAIN_USAGE);
	p.user = argv[optind];
	return run(config, file, &p);
}
