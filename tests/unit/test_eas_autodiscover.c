/* Autodiscover: each form, each refusal, and XML that means harm. */
#include <criterion/criterion.h>
#include <string.h>

#include "eas/autodiscover.h"
#include "unit/eas_help.h"

#define SCHEMA "http://schemas.microsoft.com/exchange/autodiscover/"
#define ASK(address, schema)                                              \
	"<?xml version=\"1.0\"?><Autodiscover xmlns=\"" SCHEMA            \
	"mobilesync/requestschema/2006\"><Request><EMailAddress>" address \
	"</EMailAddress><AcceptableResponseSchema>" schema                \
	"</AcceptableResponseSchema></Request></Autodiscover>"
#define MOBILE	SCHEMA "mobilesync/responseschema/2006"
#define OUTLOOK SCHEMA "outlook/responseschema/2006a"
#define BOMB                                                                                \
	"<!DOCTYPE a [<!ENTITY x \"0123456789\"><!ENTITY y \"&x;&x;&x;&x;&x;&x;&x;&x;\">]>" \
	"<Autodiscover><Request><EMailAddress>&y;@example.org</EMailAddress></Request>"     \
	"</Autodiscover>"

typedef enum eas_verdict run_fn(struct eas_request *r);

static const struct {
	const char *name;
	run_fn *run;
	const char *method, *path, *query, *user, *body;
	unsigned http;
	const char *has, *lacks;
} cases[] = {
	{ "mobilesync", eas_autodiscover_xml, "POST", "/a", "", NULL,
		ASK("anna@example.org", MOBILE), 200,
		"<Url>https://mail.example.org/Microsoft-Server-ActiveSync</Url>", "ErrorCode" },
	{ "no schema", eas_autodiscover_xml, "POST", "/a", "", NULL,
		"<Autodiscover><Request><EMailAddress> a@b "
		"</EMailAddress></Request></Autodiscover>",
		200, "<EMailAddress>a@b</EMailAddress>", "ErrorCode" },
	{ "outlook", eas_autodiscover_xml, "POST", "/a", "", NULL, ASK("anna@example.org", OUTLOOK),
		200, "<AccountType>email</AccountType>", "ErrorCode" },
	{ "unknown schema", eas_autodiscover_xml, "POST", "/a", "", NULL, ASK("a@b", "urn:x"), 200,
		"<ErrorCode>601</ErrorCode>", "MobileSync" },
	{ "no address", eas_autodiscover_xml, "POST", "/a", "", NULL, ASK("anna", MOBILE), 200,
		"<ErrorCode>600</ErrorCode>", "MobileSync" },
	{ "markup in the address", eas_autodiscover_xml, "POST", "/a", "", NULL,
		ASK("a&lt;b&gt;@c", MOBILE), 200, "a&#60;b&#62;@c", "<b>" },
	{ "not XML", eas_autodiscover_xml, "POST", "/a", "", NULL, "<Autodiscover", 200,
		"<ErrorCode>600</ErrorCode>", "MobileSync" },
	{ "no body", eas_autodiscover_xml, "POST", "/a", "", NULL, "", 200,
		"<ErrorCode>600</ErrorCode>", "MobileSync" },
	{ "entities", eas_autodiscover_xml, "POST", "/a", "", NULL, BOMB, 200,
		"<ErrorCode>600</ErrorCode>", "0123456789" },
	{ "GET", eas_autodiscover_xml, "GET", "/a", "", NULL, "", 200, "<ErrorCode>600</ErrorCode>",
		"MobileSync" },
	{ "no credentials", eas_autodiscover_xml, "POST", "/a", "", "", ASK("a@b", MOBILE), 401, "",
		"Url" },
	{ "unknown user", eas_autodiscover_xml, "POST", "/a", "", "nobody", ASK("a@b", MOBILE), 401,
		"", "Url" },
	{ "json", eas_autodiscover_json, "GET", "/autodiscover/autodiscover.json",
		"Email=anna%40example.org&Protocol=activesync&RedirectCount=1", "", "", 200,
		"{\"Protocol\":\"ActiveSync\",\"Url\":"
		"\"https://mail.example.org/Microsoft-Server-ActiveSync\"}",
		"ErrorCode" },
	{ "json path", eas_autodiscover_json, "GET",
		"/autodiscover/autodiscover.json/v1.0/anna@example.org", "Protocol=ActiveSync", "",
		"", 200, "\"Protocol\":\"ActiveSync\"", "ErrorCode" },
	{ "json v1", eas_autodiscover_json, "GET", "/autodiscover/autodiscover.json",
		"Email=a@b&Protocol=AutodiscoverV1", "", "", 200,
		"\"Url\":\"https://mail.example.org/autodiscover/autodiscover.xml\"", "ErrorCode" },
	{ "json unknown", eas_autodiscover_json, "GET", "/autodiscover/autodiscover.json",
		"Email=a@b&Protocol=Ews", "", "", 400, "InvalidProtocol", "\"Url\"" },
	{ "json without", eas_autodiscover_json, "GET", "/autodiscover/autodiscover.json",
		"Email=a@b", "", "", 400, "MandatoryParameterMissing", "\"Url\"" },
	{ "json bad address", eas_autodiscover_json, "GET", "/autodiscover/autodiscover.json",
		"Email=a%22b&Protocol=ActiveSync", "", "", 400, "InvalidUserId", "\"Url\"" },
	{ "profile", eas_autodiscover_profile, "GET", "/p", "", NULL, "", 200,
		"<key>Host</key><string>mail.example.org</string>", "secret" },
	{ "profile of nobody", eas_autodiscover_profile, "GET", "/p", "", "", "", 401, "",
		"plist" },
};

Test(eas_autodiscover, forms)
{
	struct gateway g;

	gateway_open(&g);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ask q = { .method = cases[i].method,
			.path = cases[i].path,
			.query = cases[i].query,
			.user = cases[i].user,
			.body = mf_bytes(cases[i].body, strlen(cases[i].body)) };
		struct eas_request *r = ask_new(&g, &q);
		const char *text;

		ask_header(
			r, (struct eas_header *)(uintptr_t)r->headers, "Host", "mail.example.org");
		cr_assert_eq(cases[i].run(r), EAS_DONE);
		text = mf_buf_str(&r->answer.body);
		cr_assert_eq(r->answer.http_status, cases[i].http, "%s: http %u", cases[i].name,
			r->answer.http_status);
		cr_assert_not_null(strstr(text, cases[i].has), "%s: %s", cases[i].name, text);
		cr_assert_null(strstr(text, cases[i].lacks), "%s: %s", cases[i].name, text);
		ask_free(r);
	}
	gateway_close(&g);
}

/* A host that would break out of the answer is no host. */
Test(eas_autodiscover, hosts)
{
	static const char *const bad[] = { "", "a\"b", "a<b", "a b", "a/b", "a@b" };
	struct gateway g;

	gateway_open(&g);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ask q = { .method = "GET", .query = "Email=a@b&Protocol=ActiveSync" };
		struct eas_request *r = ask_new(&g, &q);

		ask_header(r, (struct eas_header *)(uintptr_t)r->headers, "Host", bad[i]);
		eas_autodiscover_json(r);
		cr_assert_eq(r->answer.http_status, 400, "%s", bad[i]);
		ask_free(r);
	}
	gateway_close(&g);
}
