/* The LDAP backend's face: its settings, a session's beginning and end. People are people.c's. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dir.h"
#include "mailferry/log.h"

static const char *const starttls_modes[] = { "auto", "required", "never", NULL };

static const struct mf_setting settings[] = {
	{ .name = "url",
		.type = MF_SETTING_STRING,
		.value = "ldap://localhost",
		.help = "The directory's server: ldaps://host, ldap://host or ldapi://%2Fsocket; "
			"several, with blanks between, are tried in turn." },
	{ .name = "starttls",
		.type = MF_SETTING_CHOICE,
		.value = "auto",
		.choices = starttls_modes,
		.help = "With ldap://: encrypt before anything else; auto: yes, except to this "
			"machine itself." },
	{ .name = "verify",
		.type = MF_SETTING_BOOL,
		.value = "yes",
		.help = "Check the server's certificate and its name." },
	{ .name = "ca_file",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "Certificates to trust (PEM) instead of the system's." },
	{ .name = "bind_dn",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "Who asks: a service's name, with bind_password; or each user with the own "
			"password, as in \"uid={name},ou=people,dc=example,dc=org\" ({user}, "
			"{name} "
			"before the @, {domain}); empty: anonymous." },
	{ .name = "bind_password",
		.type = MF_SETTING_SECRET,
		.value = "",
		.help = "The service's password." },
	{ .name = "base",
		.type = MF_SETTING_STRING,
		.value = "",
		.help = "Where the people are: \"ou=people,dc=example,dc=org\"." },
	{ .name = "filter",
		.type = MF_SETTING_STRING,
		.value = "(|(objectClass=person)(objectClass=groupOfNames)"
			 "(objectClass=groupOfUniqueNames)(objectClass=posixGroup)"
			 "(objectClass=group))",
		.help = "Which entries below base are in the address book." },
	{ .name = "search",
		.type = MF_SETTING_LIST,
		.value = "{\"displayName\", \"cn\", \"givenName\", \"sn\", \"mail\", \"uid\", "
			 "\"o\"}",
		.help = "Attributes in which a word that was typed may begin." },
	{ .name = "name",
		.type = MF_SETTING_LIST,
		.value = "{\"displayName\", \"cn\"}",
		.help = "Attributes of the name that is shown; of several the first that is "
			"there, as "
			"below." },
	{ .name = "address",
		.type = MF_SETTING_LIST,
		.value = "{\"mail\"}",
		.help = "Attributes of the mail address." },
	{ .name = "alias",
		.type = MF_SETTING_LIST,
		.value = "{\"uid\", \"mailNickname\", \"sAMAccountName\"}",
		.help = "Attributes of the short name." },
	{ .name = "first_name",
		.type = MF_SETTING_LIST,
		.value = "{\"givenName\"}",
		.help = "Attributes of the first name." },
	{ .name = "last_name",
		.type = MF_SETTING_LIST,
		.value = "{\"sn\"}",
		.help = "Attributes of the last name." },
	{ .name = "phone",
		.type = MF_SETTING_LIST,
		.value = "{\"telephoneNumber\"}",
		.help = "Attributes of the telephone number at work." },
	{ .name = "home_phone",
		.type = MF_SETTING_LIST,
		.value = "{\"homePhone\"}",
		.help = "Attributes of the telephone number at home." },
	{ .name = "mobile_phone",
		.type = MF_SETTING_LIST,
		.value = "{\"mobile\"}",
		.help = "Attributes of the mobile telephone's number." },
	{ .name = "office",
		.type = MF_SETTING_LIST,
		.value = "{\"physicalDeliveryOfficeName\", \"roomNumber\"}",
		.help = "Attributes of the office." },
	{ .name = "title",
		.type = MF_SETTING_LIST,
		.value = "{\"title\"}",
		.help = "Attributes of the job title." },
	{ .name = "company",
		.type = MF_SETTING_LIST,
		.value = "{\"company\", \"o\"}",
		.help = "Attributes of the company." },
	{ .name = "photo",
		.type = MF_SETTING_LIST,
		.value = "{\"jpegPhoto\", \"thumbnailPhoto\"}",
		.help = "Attributes of the picture." },
	{ .name = "certificate",
		.type = MF_SETTING_LIST,
		.value = "{\"userSMIMECertificate\", \"userCertificate\"}",
		.help = "Attributes of certificates for encrypted mail, all of which count." },
	{ .name = "group_classes",
		.type = MF_SETTING_LIST,
		.value = "{\"groupOfNames\", \"groupOfUniqueNames\", \"posixGroup\", \"group\"}",
		.help = "Object classes of groups." },
	{ .name = "members",
		.type = MF_SETTING_LIST,
		.value = "{\"member\", \"uniqueMember\", \"memberUid\"}",
		.help = "Attributes of a group that name its members, by entry or by short name." },
	{ .name = "size_limit",
		.type = MF_SETTING_NUMBER,
		.value = "500",
		.min = 1,
		.max = 10000,
		.help = "Most people that one search looks at." },
	{ .name = "page_size",
		.type = MF_SETTING_NUMBER,
		.value = "200",
		.min = 0,
		.max = 10000,
		.help = "Entries that are asked for at once; 0: no pages, for servers that do not "
			"know "
			"them." },
	{ .name = "connect_timeout",
		.type = MF_SETTING_DURATION,
		.value = "5s",
		.min = 1,
		.max = 300,
		.help = "How long connecting may take, TLS included." },
	{ .name = "timeout",
		.type = MF_SETTING_DURATION,
		.value = "10s",
		.min = 1,
		.max = 300,
		.help = "How long a question may take." },
	{ .name = NULL },
};

/* ---- Opening ---- */

static bool
begins(const char *text, size_t len, const char *with)
{
	return len >= strlen(with) && strncasecmp(text, with, strlen(with)) == 0;
}

/* Whether one address of the list leads to this machine only. */
static bool
is_local(const char *url, size_t len)
{
	static const char *const here[] = { "ldapi:", "ldap://localhost", "ldap://127.",
		"ldap://[::1]" };

	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
		if (begins(url, len, here[i]))
			return true;
	return false;
}

static enum mf_status
read_urls(struct mf_backend *b, const char *mode, struct mf_error *err)
{
	bool plain = false, away = false, secure = false;

	for (const char *at = b->url; *(at += strspn(at, " ")) != '\0';) {
		size_t len = strcspn(at, " ");

		if (begins(at, len, "ldaps://"))
			secure = true;
		else if (!begins(at, len, "ldap://") && !begins(at, len, "ldapi://"))
			return mf_fail(err, MF_INVALID, "ldap: url: ldap://host, ldaps://host");
		else
			plain = true;
		away = away || !(begins(at, len, "ldaps://") || is_local(at, len));
		at += len;
	}
	if (!plain && !secure)
		return mf_fail(err, MF_INVALID, "ldap: url: no server is named");
	b->starttls = strcmp(mode, "required") == 0 || (strcmp(mode, "auto") == 0 && away);
	if (b->starttls && secure)
		return mf_fail(err, MF_INVALID, "ldap: url: ldaps:// beside STARTTLS");
	if (away && !b->starttls)
		mf_log_warning("backend=ldap warning=passwords-travel-in-plain-text");
	return MF_OK;
}

static void
read_attributes(struct mf_backend *b, const struct mf_conf *conf)
{
	static const char *const names[MF_PERSON_TEXTS] = { [MF_PERSON_NAME] = "name",
		[MF_PERSON_ADDRESS] = "address",
		[MF_PERSON_ALIAS] = "alias",
		[MF_PERSON_FIRST] = "first_name",
		[MF_PERSON_LAST] = "last_name",
		[MF_PERSON_PHONE] = "phone",
		[MF_PERSON_HOME_PHONE] = "home_phone",
		[MF_PERSON_MOBILE] = "mobile_phone",
		[MF_PERSON_OFFICE] = "office",
		[MF_PERSON_TITLE] = "title",
		[MF_PERSON_COMPANY] = "company" };

	for (size_t t = 0; t < MF_PERSON_TEXTS; t++)
		b->text[t] = mf_conf_list(conf, names[t]);
	b->searched = mf_conf_list(conf, "search");
	b->photo = mf_conf_list(conf, "photo");
	b->certificates = mf_conf_list(conf, "certificate");
	b->members = mf_conf_list(conf, "members");
	b->group_classes = mf_conf_list(conf, "group_classes");
	b->light = dir_attributes(b, false);
	b->heavy = dir_attributes(b, true);
}

static void
backend_close(struct mf_backend *b)
{
	free((void *)b->light);
	free((void *)b->heavy);
	free(b);
}

static enum mf_status
check(const struct mf_backend *b, struct mf_error *err)
{
	if (b->base[0] == '\0')
		return mf_fail(err, MF_INVALID, "ldap: base: where are the people?");
	if (b->text[MF_PERSON_ADDRESS][0] == NULL || b->searched[0] == NULL)
		return mf_fail(err, MF_INVALID, "ldap: address and search want an attribute");
	if (b->filter[0] != '(')
		return mf_fail(err, MF_INVALID, "ldap: filter: not in parentheses");
	return MF_OK;
}

static enum mf_status
backend_open(const struct mf_conf *conf, struct mf_backend **out, struct mf_error *err)
{
	struct mf_backend *b = calloc(1, sizeof(*b));
	enum mf_status st;

	if (b == NULL)
		abort();
	/* A server that hangs up must not end the process. */
	signal(SIGPIPE, SIG_IGN);
	b->url = mf_conf_string(conf, "url");
	b->verify = mf_conf_bool(conf, "verify");
	b->ca_file = mf_conf_string(conf, "ca_file");
	b->bind_dn = mf_conf_string(conf, "bind_dn");
	b->bind_password = mf_conf_string(conf, "bind_password");
	b->own_login = strchr(b->bind_dn, '{') != NULL;
	b->base = mf_conf_string(conf, "base");
	b->filter = mf_conf_string(conf, "filter");
	b->size_limit = (size_t)mf_conf_number(conf, "size_limit");
	b->page = (size_t)mf_conf_number(conf, "page_size");
	b->connect_ms = (int)mf_conf_number(conf, "connect_timeout") * 1000;
	b->call_ms = (int)mf_conf_number(conf, "timeout") * 1000;
	read_attributes(b, conf);
	st = check(b, err);
	if (st == MF_OK)
		st = read_urls(b, mf_conf_string(conf, "starttls"), err);
	if (st != MF_OK) {
		backend_close(b);
		return st;
	}
	*out = b;
	return MF_OK;
}

/* ---- A session ---- */

static void
session_close(struct mf_session *s)
{
	if (s->ld != NULL)
		ldap_unbind_ext(s->ld, NULL, NULL);
	free(s);
}

static enum mf_status
session_open(struct mf_backend *b, const struct mf_login *who, struct mf_session **out,
	struct mf_error *err)
{
	struct mf_session *s = calloc(1, sizeof(*s));
	enum mf_status st;

	if (s == NULL)
		abort();
	s->backend = b;
	st = dir_connect_and_bind(s, who, err);
	if (st != MF_OK) {
		session_close(s);
		return st;
	}
	*out = s;
	return MF_OK;
}

/* A server that speaks without being asked says goodbye. */
static bool
session_usable(const struct mf_session *s)
{
	struct pollfd p = { .events = POLLIN };

	if (s->failed || ldap_get_option(s->ld, LDAP_OPT_DESC, &p.fd) != LDAP_SUCCESS || p.fd < 0)
		return false;
	return poll(&p, 1, 0) == 0;
}

static enum mf_status
count(void *ctx, LDAPMessage *entry)
{
	(void)entry;
	++*(size_t *)ctx;
	return MF_OK;
}

static void
describe(struct mf_session *s, struct mf_buf *out)
{
	const struct mf_backend *b = s->backend;
	size_t found = 0;
	struct dir_question q = { .base = b->base,
		.filter = b->filter,
		.scope = LDAP_SCOPE_SUBTREE,
		.attributes = b->light,
		.max = 1,
		.until = dir_now() + b->call_ms,
		.entry = count,
		.ctx = &found };
	struct mf_error err = { 0 };
	bool more;

	mf_buf_printf(out, "ldap%s %s, base %s, as %s\n", b->starttls ? " with STARTTLS" : "",
		b->url, b->base,
		b->own_login  ? "each user"
		: *b->bind_dn ? b->bind_dn
			      : "nobody");
	if (dir_ask(s, &q, &more, &err) != MF_OK)
		mf_buf_printf(out, "it cannot be searched: %s\n", err.text);
	else if (found == 0)
		mf_buf_add_str(out, "nobody is in it: look at base, filter and who may read\n");
}

const struct mf_backend_api mf_backend_ldap = {
	.abi = MF_BACKEND_ABI,
	.size = sizeof(struct mf_backend_api),
	.name = "ldap",
	.help = "People and groups of an LDAP directory.",
	.settings = settings,
	.open = backend_open,
	.close = backend_close,
	.login = session_open,
	.logout = session_close,
	.usable = session_usable,
	.describe = describe,
	.directory = &dir_directory,
};
