/* Checks of a request's header. Knows no library and no connection. */
#include "http/framing.h"

#include <string.h>

#include "base/str.h"

enum { DIGITS_MAX = 18, METHOD_MAX = 20 };

/* RFC 9110, 5.6.2. */
static bool
is_token(const char *s)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";
	size_t n = 0;

	for (; s[n] != '\0'; n++) {
		bool alnum = (s[n] >= '0' && s[n] <= '9') || (s[n] >= 'A' && s[n] <= 'Z') ||
			     (s[n] >= 'a' && s[n] <= 'z');

		if (!alnum && strchr(marks, s[n]) == NULL)
			return false;
	}
	return n > 0;
}

static bool
is_value(const char *s)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

static bool
is_length(const char *s, uint64_t *out)
{
	size_t n = strspn(s, "0123456789");

	return n >= 1 && n <= DIGITS_MAX && s[n] == '\0' && str_to_u64(s, INT64_MAX, out);
}

/* What may stand once at most, and decides who the request is from, for or how long. */
struct singles {
	const char *length, *coding, *expect, *host, *authorization;
};

static const char **
single(struct singles *s, const char *name)
{
	const struct {
		const char *name;
		const char **value;
	} names[] = {
		{ "Content-Length", &s->length },
		{ "Transfer-Encoding", &s->coding },
		{ "Expect", &s->expect },
		{ "Host", &s->host },
		{ "Authorization", &s->authorization },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_ieq(name, names[i].name))
			return names[i].value;
	return NULL;
}

static const char *
collect(const struct eas_header *headers, size_t n, struct singles *s)
{
	for (size_t i = 0; i < n; i++) {
		const char **once = single(s, headers[i].name);

		if (!is_token(headers[i].name))
			return "malformed header name";
		if (!is_value(headers[i].value))
			return "control character in a header";
		if (once == NULL)
			continue;
		if (*once != NULL)
			return "repeated header";
		*once = headers[i].value;
	}
	return NULL;
}

static unsigned
refuse(unsigned status, const char *reason, const char **why)
{
	*why = reason;
	return status;
}

unsigned
http_framing_check(const struct eas_header *headers, size_t n, bool http11, uint64_t body_limit,
	struct http_framing *out, const char **why)
{
	struct singles s = { 0 };

	memset(out, 0, sizeof(*out));
	*why = collect(headers, n, &s);
	if (*why != NULL)
		return 400;
	if (http11 && s.host == NULL)
		return refuse(400, "no Host", why);
	if (s.length != NULL && s.coding != NULL)
		return refuse(400, "both Content-Length and Transfer-Encoding", why);
	if (s.coding != NULL && !http11)
		return refuse(400, "Transfer-Encoding in HTTP/1.0", why);
	if (s.coding != NULL && !str_ieq(s.coding, "chunked"))
		return refuse(501, "unknown Transfer-Encoding", why);
	if (s.length != NULL && !is_length(s.length, &out->length))
		return refuse(400, "malformed Content-Length", why);
	if (s.expect != NULL && !str_ieq(s.expect, "100-continue"))
		return refuse(417, "unknown Expect", why);
	out->chunked = s.coding != NULL;
	out->expects = s.expect != NULL;
	if (out->length > body_limit)
		return refuse(413, "body over the limit", why);
	return 0;
}

char *
http_target_split(char *target, const char **query)
{
	char *mark;

	if (str_istarts(target, "http://") || str_istarts(target, "https://"))
		target = strchr(strchr(target, ':') + 3, '/');
	if (target == NULL || target[0] != '/')
		return NULL;
	mark = strchr(target, '?');
	*query = mark == NULL ? "" : mark + 1;
	if (mark != NULL)
		*mark = '\0';
	return target;
}

bool
http_method_valid(const char *method)
{
	return strlen(method) <= METHOD_MAX && is_token(method);
}
