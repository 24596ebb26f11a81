/*
 * Answers of Autodiscover. Knows the forms and the public address; of users only who asks.
 */
#include "eas/autodiscover.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/utf8.h"
#include "eas/access.h"
#include "eas/profile.h"
#include "eas/who.h"
#include "wbxml/fields.h"

#define SCHEMAS	   "http://schemas.microsoft.com/exchange/autodiscover/"
#define MOBILESYNC SCHEMAS "mobilesync/responseschema/2006"
#define OUTLOOK	   SCHEMAS "outlook/responseschema/2006a"

enum { ADDRESS_MAX = 320, HOST_MAX = 255 };

/* What ErrorCode says (MS-OXDSCLI 2.2.4.1.1.1). */
enum { INVALID_REQUEST = 600, NO_PROVIDER = 601 };

/* ---- Common ---- */

/* "https://mail.example.org": the setting, or the host that was asked. */
static const char *
public_url(const struct eas_request *r)
{
	const char *set = mf_conf_string(r->server->conf, "public_url");
	const char *host = eas_header(r, "Host");
	if (*set != '\0')
		return set;
	size_t len = host == NULL ? 0 : strlen(host);
	if (len == 0 || len > HOST_MAX ||
		strspn(host,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") !=
			len)
		return NULL;
	return mf_printf(r->arena, "https://%s", host);
}

static bool
good_address(const char *s)
{
	const char *at = s == NULL ? NULL : strrchr(s, '@');
	if (at == NULL || at == s || at[1] == '\0' || strlen(s) > ADDRESS_MAX ||
		!utf8_valid(s, strlen(s)))
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

/* One line of the log, as each request has. */
static enum eas_verdict
done(struct eas_request *r, const char *what)
{
	log_set_context(NULL);
	mf_log_info("req=%s autodiscover=%s user=%s http=%u out=%zu ms=%" PRId64 " peer=%s%s%s",
		r->id, what, mf_log_value(r->user == NULL ? "-" : r->user), r->answer.http_status,
		r->answer.body.len, clock_ms() - r->began, mf_log_value(r->peer),
		*r->note == '\0' ? "" : " ", r->note);
	return EAS_DONE;
}

static enum eas_verdict
fail(struct eas_request *r, const char *what, unsigned http, const char *why)
{
	eas_fail_http(r, http, why);
	return done(r, what);
}

static void
begin(struct eas_request *r, unsigned http, const char *type)
{
	r->answer.http_status = http;
	r->answer.content_type = type;
	eas_answer_header(r, "Cache-Control", "private");
}

/* The user; or false with what is to be returned: the answer that says why there is none, or not here. */
static bool
enter(struct eas_request *r, const char *what, enum eas_verdict *out)
{
	struct mf_error err = { .text = "" };
	enum mf_status st = eas_who(r, &err);
	*out = r->aside == EAS_ASIDE_WANTED ? EAS_ASIDE : EAS_DONE;
	if (st != MF_OK && *out == EAS_DONE) {
		eas_who_refuse(r, &err);
		done(r, what);
	}
	return st == MF_OK;
}

static void
add_element(struct mf_buf *b, const char *name, const char *text)
{
	mf_buf_printf(b, "<%s>", name);
	eas_profile_text(b, text);
	mf_buf_printf(b, "</%s>", name);
}

/* ---- XML ---- */

static void
begin_xml(struct eas_request *r)
{
	begin(r, 200, "text/xml; charset=utf-8");
	mf_buf_add_str(&r->answer.body, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
					"<Autodiscover xmlns=\"" SCHEMAS "responseschema/2006\">");
}

static enum eas_verdict
end_xml(struct eas_request *r, const char *what)
{
	mf_buf_add_str(&r->answer.body, "</Autodiscover>\n");
	return done(r, what);
}

static enum eas_verdict
answer_error(struct eas_request *r, int code, const char *message)
{
	int64_t now = clock_wall() % 86400;
	begin_xml(r);
	mf_buf_printf(&r->answer.body,
		"<Response><Error Time=\"%02d:%02d:%02d\" Id=\"0\"><ErrorCode>%d</ErrorCode>"
		"<Message>%s</Message><DebugData/></Error></Response>",
		(int)(now / 3600), (int)(now / 60 % 60), (int)(now % 60), code, message);
	eas_note(r, "error=%d", code);
	return end_xml(r, "xml");
}

static enum eas_verdict
answer_mobilesync(struct eas_request *r, const char *address, const char *url)
{
	struct mf_buf *b = &r->answer.body;
	begin_xml(r);
	mf_buf_add_str(b, "<Response xmlns=\"" MOBILESYNC "\"><Culture>en:us</Culture><User>");
	add_element(b, "DisplayName", address);
	add_element(b, "EMailAddress", address);
	mf_buf_add_str(b, "</User><Action><Settings><Server><Type>MobileSync</Type>");
	add_element(b, "Url", url);
	add_element(b, "Name", url);
	mf_buf_add_str(b, "</Server></Settings></Action></Response>");
	return end_xml(r, "mobilesync");
}

/* "mail.example.org:993", of the settings autodiscover_imap and autodiscover_smtp. */
static void
add_protocol(struct eas_request *r, const char *type, const char *setting)
{
	const char *place = mf_conf_string(r->server->conf, setting);
	const char *colon = strrchr(place, ':');
	struct mf_buf *b = &r->answer.body;
	if (colon == NULL)
		return;
	mf_buf_printf(b, "<Protocol><Type>%s</Type>", type);
	add_element(b, "Server", mf_strndup(r->arena, place, (size_t)(colon - place)));
	add_element(b, "Port", colon + 1);
	add_element(b, "LoginName", r->user);
	mf_buf_printf(b, "<SPA>off</SPA><SSL>on</SSL>%s<AuthRequired>on</AuthRequired></Protocol>",
		strcmp(colon, ":587") == 0 ? "<Encryption>TLS</Encryption>" : "");
}

static enum eas_verdict
answer_outlook(struct eas_request *r, const char *address, const char *url)
{
	struct mf_buf *b = &r->answer.body;
	begin_xml(r);
	mf_buf_add_str(b, "<Response xmlns=\"" OUTLOOK "\"><User>");
	add_element(b, "DisplayName", address);
	add_element(b, "AutoDiscoverSMTPAddress", address);
	mf_buf_add_str(b, "</User><Account><AccountType>email</AccountType>"
			  "<Action>settings</Action>");
	add_protocol(r, "IMAP", "autodiscover_imap");
	add_protocol(r, "SMTP", "autodiscover_smtp");
	mf_buf_add_str(b, "<Protocol><Type>MobileSync</Type>");
	add_element(b, "Server", url);
	add_element(b, "LoginName", r->user);
	mf_buf_add_str(b, "</Protocol></Account></Response>");
	return end_xml(r, "outlook");
}

enum eas_verdict
eas_autodiscover_xml(struct eas_request *r)
{
	struct xml_field fields[] = { { .name = "EMailAddress" },
		{ .name = "AcceptableResponseSchema" } };
	const char *base = public_url(r), *url, *schema;
	struct mf_error err = { .text = "" };
	enum eas_verdict verdict;
	if (!enter(r, "xml", &verdict))
		return verdict;
	if (base == NULL)
		return fail(r, "xml", 400, "no host");
	if (!str_ieq(r->method, "POST"))
		return answer_error(r, INVALID_REQUEST, "Invalid Request");
	if (xml_fields((const char *)r->body.data, r->body.len, fields, 2, r->arena, &err) != MF_OK)
		eas_note(r, "why=%s", mf_log_value(err.text));
	if (err.status != MF_OK || !good_address(fields[0].value))
		return answer_error(r, INVALID_REQUEST, "Invalid Request");
	url = eas_access_elsewhere(r);
	if (url == NULL)
		url = mf_printf(r->arena, "%s/Microsoft-Server-ActiveSync", base);
	schema = fields[1].value == NULL ? MOBILESYNC : fields[1].value;
	if (str_ieq(schema, MOBILESYNC))
		return answer_mobilesync(r, fields[0].value, url);
	if (str_ieq(schema, OUTLOOK))
		return answer_outlook(r, fields[0].value, url);
	return answer_error(r, NO_PROVIDER, "Provider is not available");
}

/* ---- JSON ---- */

static const char *
parameter(const struct eas_request *r, const char *name)
{
	for (const char *p = r->query; *p != '\0';) {
		size_t len = strcspn(p, "&"), key = strcspn(p, "=&");
		if (key < len && key == strlen(name) && str_ieqn(p, name, key))
			return str_unpercent(r->arena, p + key + 1, len - key - 1);
		p += len + (p[len] == '&');
	}
	return NULL;
}

static enum eas_verdict
answer_json(struct eas_request *r, unsigned http, const char *key, const char *word,
	const char *other, const char *text)
{
	begin(r, http, "application/json; charset=utf-8");
	mf_buf_printf(&r->answer.body, "{\"%s\":\"%s\",\"%s\":\"%s\"}\n", key, word, other, text);
	return done(r, "json");
}

/* The address stands in the query, or in the path behind the version. */
static const char *
json_address(const struct eas_request *r)
{
	const char *slash = strrchr(r->path, '/');
	const char *named = parameter(r, "Email");
	if (named != NULL || slash == NULL)
		return named;
	return str_unpercent(r->arena, slash + 1, strlen(slash + 1));
}

enum eas_verdict
eas_autodiscover_json(struct eas_request *r)
{
	static const struct {
		const char *name, *path;
	} protocols[] = {
		{ "ActiveSync", "/Microsoft-Server-ActiveSync" },
		{ "AutodiscoverV1", "/autodiscover/autodiscover.xml" },
	};
	const char *base = public_url(r), *protocol = parameter(r, "Protocol");
	if (!str_ieq(r->method, "GET") || base == NULL)
		return fail(r, "json", 400, "neither GET nor a host");
	if (protocol == NULL || *protocol == '\0')
		return answer_json(r, 400, "ErrorCode", "MandatoryParameterMissing", "ErrorMessage",
			"A valid value must be provided for the query parameter 'Protocol'.");
	if (!good_address(json_address(r)))
		return answer_json(r, 400, "ErrorCode", "InvalidUserId", "ErrorMessage",
			"The address is missing or malformed.");
	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++)
		if (str_ieq(protocol, protocols[i].name))
			return answer_json(r, 200, "Protocol", protocols[i].name, "Url",
				mf_printf(r->arena, "%s%s", base, protocols[i].path));
	return answer_json(r, 400, "ErrorCode", "InvalidProtocol", "ErrorMessage",
		"The protocol is not supported. Supported are ActiveSync and AutodiscoverV1.");
}

/* ---- Apple's profile ---- */

enum eas_verdict
eas_autodiscover_profile(struct eas_request *r)
{
	const char *base = public_url(r);
	enum eas_verdict verdict;
	if (!enter(r, "profile", &verdict))
		return verdict;
	if (!str_ieq(r->method, "GET") || base == NULL)
		return fail(r, "profile", 400, "neither GET nor a host");
	struct eas_profile p = { .url = base,
		.user = r->user,
		.address = eas_user_address(r),
		.sign_in_url = mf_conf_string(r->server->conf, "oauth_authorization_url"),
		.token_url = mf_conf_string(r->server->conf, "oauth_token_url") };
	begin(r, 200, EAS_PROFILE_TYPE);
	eas_answer_header(
		r, "Content-Disposition", "attachment; filename=\"mailferry.mobileconfig\"");
	eas_profile_write(r->arena, &p, &r->answer.body);
	return done(r, "profile");
}
