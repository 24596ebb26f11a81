/*
 * Knows how a query is written; must not know headers, commands or devices. Input is whatever a
 * stranger sends: every length is checked here.
 */
#include "eas/query.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

/* ---- One parameter ---- */

enum how { TEXT, DEVICE_ID, FLAG_T, OPTIONS };

struct parameter {
	const char *name; /* in text */
	int tag;	  /* in the binary table (2.2.1.1.1.1.3); -1: it has a field of its own */
	enum how how;
	size_t offset;
};

#define AT(member) offsetof(struct eas_query, member)

static const struct parameter parameters[] = {
	{ "Cmd", -1, TEXT, AT(command) },
	{ "User", 8, TEXT, AT(user) },
	{ "DeviceId", -1, DEVICE_ID, AT(device_id) },
	{ "DeviceType", -1, TEXT, AT(device_type) },
	{ "AttachmentName", 0, TEXT, AT(attachment_name) },
	{ "CollectionId", 1, TEXT, AT(collection_id) },
	{ "ItemId", 3, TEXT, AT(item_id) },
	{ "LongId", 4, TEXT, AT(long_id) },
	{ "Occurrence", 6, TEXT, AT(occurrence) },
	{ "Options", 7, OPTIONS, 0 },
	{ "SaveInSent", -1, FLAG_T, AT(save_in_sent) },
};

static const size_t parameters_n = sizeof(parameters) / sizeof(*parameters);

/* MS-ASHTTP 2.2.1.1.1.1.3: the bits of Options. */
enum { OPTION_SAVE_IN_SENT = 0x01, OPTION_ACCEPT_MULTIPART = 0x02 };

static bool
printable(const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return true;
}

static bool
hexadecimal(const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr("0123456789abcdefABCDEF", s[i]) == NULL)
			return false;
	return true;
}

static char *
upper(char *s)
{
	for (char *p = s; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return s;
}

const char *
query_device_id(struct mf_arena *a, const void *data, size_t len)
{
	const uint8_t *s = data;
	if (!printable(s, len))
		return upper(str_hex(a, data, len));
	char *id = mf_strndup(a, data, len);
	return len == 32 && hexadecimal(s, len) ? upper(id) : id;
}

static void
set_options(struct eas_query *q, struct mf_bytes value)
{
	if (value.len != 1)
		return;
	q->save_in_sent |= (value.data[0] & OPTION_SAVE_IN_SENT) != 0;
	q->accept_multipart |= (value.data[0] & OPTION_ACCEPT_MULTIPART) != 0;
}

static void
set_text(struct mf_arena *a, const char **to, struct mf_bytes value, bool device_id)
{
	if (*to != NULL)
		return;
	*to = device_id ? query_device_id(a, value.data, value.len)
			: utf8_clean(a, (const char *)value.data, value.len);
}

/* value has a NUL behind its end. */
static enum mf_status
set(struct mf_arena *a, struct eas_query *q, const struct parameter *p, struct mf_bytes value,
	struct mf_error *err)
{
	char *at = (char *)q + p->offset;
	size_t max = p->how == DEVICE_ID ? QUERY_DEVICE_ID : QUERY_MAX;
	if (value.len > max)
		return mf_fail(err, MF_TOO_LARGE, "query: %s of %zu bytes", p->name, value.len);
	switch (p->how) {
	case TEXT:
	case DEVICE_ID:
		set_text(a, (const char **)at, value, p->how == DEVICE_ID);
		break;
	case FLAG_T:
		*(bool *)at = value.len == 1 && (*value.data == 'T' || *value.data == 't');
		break;
	case OPTIONS:
		set_options(q, value);
		break;
	}
	return MF_OK;
}

/* ---- Text ---- */

/* Percent-decoding that keeps every byte, NUL too; what is no valid escape stays as it is. */
static struct mf_bytes
unpercent(struct mf_arena *a, const char *s, size_t len, char plus)
{
	uint8_t *out = mf_alloc(a, len + 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		out[n] = (uint8_t)(s[i] == '+' ? plus : s[i]);
		if (s[i] == '%' && len - i > 2 && str_unhex(s + i + 1, 2, &out[n]))
			i += 2;
		n++;
	}
	return mf_bytes(out, n);
}

static const struct parameter *
find_name(const char *name, size_t len)
{
	for (size_t i = 0; i < parameters_n; i++)
		if (strlen(parameters[i].name) == len && str_ieqn(parameters[i].name, name, len))
			return &parameters[i];
	return NULL;
}

static enum mf_status
parse_pair(struct mf_arena *a, const char *s, size_t len, struct eas_query *q, struct mf_error *err)
{
	const char *equals = memchr(s, '=', len);
	if (equals == NULL)
		return MF_OK; /* harmless: a load balancer's mark, a trailing '&' */
	const struct parameter *p = find_name(s, (size_t)(equals - s));
	if (p == NULL || p->how == OPTIONS)
		return MF_OK;
	return set(a, q, p, unpercent(a, equals + 1, (size_t)(s + len - equals - 1), ' '), err);
}

static enum mf_status
parse_text(struct mf_arena *a, const char *s, size_t len, struct eas_query *q, struct mf_error *err)
{
	const char *end = s + len;
	for (unsigned n = 0; s < end; n++) {
		if (n == QUERY_PARAMETERS)
			return mf_fail(err, MF_TOO_LARGE, "query: too many parameters");
		const char *stop = memchr(s, '&', (size_t)(end - s));
		if (stop == NULL)
			stop = end;
		enum mf_status st = parse_pair(a, s, (size_t)(stop - s), q, err);
		if (st != MF_OK)
			return st;
		s = stop + 1;
	}
	return MF_OK;
}

/* ---- The binary table ---- */

/* Reads on harmlessly after its end; the top asks `bad` once. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static struct mf_bytes
take(struct reader *in, size_t n)
{
	if (in->bad || (size_t)(in->end - in->at) < n) {
		in->bad = true;
		return mf_bytes(NULL, 0);
	}
	in->at += n;
	return mf_bytes(in->at - n, n);
}

static unsigned
take_byte(struct reader *in)
{
	struct mf_bytes b = take(in, 1);
	return b.len == 1 ? b.data[0] : 0;
}

/* A field with its length before it, copied, with a NUL behind. */
static struct mf_bytes
take_field(struct mf_arena *a, struct reader *in)
{
	struct mf_bytes b = take(in, take_byte(in));
	return mf_memdup(a, b.data, b.len);
}

static void
take_policy_key(struct mf_arena *a, struct reader *in, struct eas_query *q)
{
	struct mf_bytes key = take_field(a, in);
	if (key.len == 4)
		q->policy_key = mf_printf(a, "%u",
			(unsigned)key.data[0] | (unsigned)key.data[1] << 8 |
				(unsigned)key.data[2] << 16 | (unsigned)key.data[3] << 24);
	else if (key.len != 0)
		in->bad = true;
}

static void
take_parameter(struct mf_arena *a, struct reader *in, struct eas_query *q)
{
	int tag = (int)take_byte(in);
	struct mf_bytes value = take_field(a, in);
	for (size_t i = 0; i < parameters_n && !in->bad; i++)
		if (parameters[i].tag == tag && tag >= 0)
			(void)set(a, q, &parameters[i], value, NULL);
}

static enum mf_status
parse_binary(struct mf_arena *a, struct mf_bytes table, struct eas_query *q, struct mf_error *err)
{
	struct reader in = { table.data, table.data + table.len, false };
	q->binary = true;
	q->version = take_byte(&in);
	q->code = (int)take_byte(&in);
	q->locale = (uint16_t)take_byte(&in);
	q->locale = (uint16_t)(q->locale | take_byte(&in) << 8);
	struct mf_bytes id = take_field(a, &in);
	take_policy_key(a, &in, q);
	struct mf_bytes type = take_field(a, &in);
	if (in.bad)
		return mf_fail(err, MF_INVALID, "query: the table ends too early");
	q->device_id = query_device_id(a, id.data, id.len);
	q->device_type = utf8_clean(a, (const char *)type.data, type.len);
	while (!in.bad && in.at < in.end)
		take_parameter(a, &in, q);
	return in.bad ? mf_fail(err, MF_INVALID, "query: a parameter is cut short") : MF_OK;
}

/* ---- Which form it is ---- */

/* Plain text has a '=' with something behind it; in base64 only padding follows one. */
static bool
looks_plain(const char *s, size_t len)
{
	if (memchr(s, '&', len) != NULL)
		return true;
	const char *equals = memchr(s, '=', len);
	return equals != NULL && strspn(equals, "=") != strlen(equals);
}

static bool
is_table(struct mf_bytes b)
{
	static const uint8_t versions[] = { 121, 140, 141, 160, 161 };
	return b.len > 0 && memchr(versions, b.data[0], sizeof(versions)) != NULL;
}

enum mf_status
query_parse(struct mf_arena *a, const char *query, struct eas_query *out, struct mf_error *err)
{
	*out = (struct eas_query){ .code = -1 };
	size_t len = strlen(query);
	if (len > QUERY_MAX)
		return mf_fail(err, MF_TOO_LARGE, "query: %zu bytes", len);
	if (len == 0)
		return mf_fail(err, MF_INVALID, "query: empty");
	if (looks_plain(query, len))
		return parse_text(a, query, len, out, err);
	struct mf_bytes text = unpercent(a, query, len, '+');
	struct mf_bytes table = str_unbase64(a, (const char *)text.data, text.len);
	if (table.len == 0)
		return mf_fail(err, MF_INVALID, "query: neither text nor base64");
	if (is_table(table))
		return parse_binary(a, table, out, err);
	return parse_text(a, (const char *)table.data, table.len, out, err);
}
