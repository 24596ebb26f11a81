/* Fields, cookies, origins. */
#include "page/form.h"

#include <string.h>

#include "base/str.h"

const char *
form_field(struct mf_arena *a, const char *text, size_t len, const char *name)
{
	const char *end = text + len;

	while (text < end) {
		const char *stop = memchr(text, '&', (size_t)(end - text));
		const char *field = text;
		const char *equals;

		stop = stop == NULL ? end : stop;
		equals = memchr(field, '=', (size_t)(stop - field));
		if (equals != NULL && (size_t)(equals - field) == strlen(name) &&
			memcmp(field, name, strlen(name)) == 0)
			return str_unpercent(a, equals + 1, (size_t)(stop - equals - 1));
		text = stop + (stop < end);
	}
	return NULL;
}

const char *
form_query(const struct eas_request *r, const char *name)
{
	return form_field(r->arena, r->query, strlen(r->query), name);
}

const char *
form_body(const struct eas_request *r, const char *name)
{
	return r->body.len == 0
		       ? NULL
		       : form_field(r->arena, (const char *)r->body.data, r->body.len, name);
}

const char *
form_cookie(const struct eas_request *r, const char *name)
{
	const char *p = eas_header(r, "Cookie");
	size_t want = strlen(name);

	while (p != NULL && *p != '\0') {
		size_t len;

		p += strspn(p, " ;");
		len = strcspn(p, ";");
		if (len > want && p[want] == '=' && memcmp(p, name, want) == 0)
			return mf_strndup(r->arena, p + want + 1, len - want - 1);
		p += len;
	}
	return NULL;
}

bool
form_same_origin(const struct eas_request *r)
{
	const char *site = eas_header(r, "Sec-Fetch-Site"), *origin = eas_header(r, "Origin");
	const char *host = eas_header(r, "Host"), *from;

	if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return false;
	if (origin == NULL)
		return true;
	from = strstr(origin, "://");
	return from != NULL && host != NULL && str_ieq(from + 3, host);
}
