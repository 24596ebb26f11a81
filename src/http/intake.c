/* The library's tables of headers, copied. */
#include "http/intake.h"

#include <string.h>

#include "base/str.h"

enum { HEADERS_MAX = 100 };

const char *
http_intake_id(struct mf_arena *a, uint64_t n)
{
	static const char digits[] = "abcdefghijkmnpqrstuvwxyz23456789";
	char id[8] = { 0 };

	for (size_t i = sizeof(id) - 1; i-- > 0; n >>= 5)
		id[i] = digits[n & 31];
	return mf_strdup(a, id);
}

struct collecting {
	struct mf_arena *arena;
	struct eas_header *headers;
	size_t n;
	bool bad; /* a NUL within */
};

/* The library leaves blanks behind a value. */
static char *
trimmed(struct mf_arena *a, const char *value, size_t len)
{
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	return mf_strndup(a, value, len);
}

static enum MHD_Result
collect_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
	const char *value, size_t value_len)
{
	struct collecting *c = cls;

	(void)kind;
	if (value == NULL)
		value = "";
	if (strlen(name) != name_len || strlen(value) != value_len) {
		c->bad = true;
		return MHD_NO;
	}
	c->headers[c->n++] = (struct eas_header){ mf_strdup(c->arena, name),
		trimmed(c->arena, value, value_len) };
	/* The library keeps its copy for as long as a phone waits: nobody reads it again. */
	if (str_ieq(name, "Authorization"))
		str_wipe((char *)(uintptr_t)value, value_len);
	return MHD_YES;
}

bool
http_intake_headers(struct MHD_Connection *mhd, struct eas_request *r)
{
	struct collecting c = { .arena = r->arena };
	int n = MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, NULL, NULL);

	if (n < 0 || n > HEADERS_MAX)
		return false;
	c.headers = mf_new_array(c.arena, struct eas_header, (size_t)n);
	MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, collect_header, &c);
	r->headers = c.headers;
	r->n_headers = c.n;
	return !c.bad;
}

/* Whole, or up to the star at a route's end. */
static bool
leads(const char *route, const char *path)
{
	size_t len = strlen(route);

	if (len > 0 && route[len - 1] == '*')
		return strlen(path) >= len - 1 && str_ieqn(route, path, len - 1);
	return str_ieq(route, path);
}

const struct http_route *
http_intake_route(const struct http_route *routes, const char *path)
{
	for (; routes->path != NULL; routes++)
		if (leads(routes->path, path))
			return routes;
	return NULL;
}
