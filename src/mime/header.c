/* A raw header's fields, and the short structured ones: ids, importance, topics. */
#include "mime/header.h"

#include <string.h>

#include "base/str.h"
#include "mime/charset.h"
#include "mime/field.h"

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool
is_space(uint8_t c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

/* The line at `at` with its end. */
static size_t
line_length(struct mf_bytes raw, size_t at, uint8_t eol)
{
	const uint8_t *end = memchr(raw.data + at, eol, raw.len - at);

	return end == NULL ? raw.len - at : (size_t)(end - (raw.data + at)) + 1;
}

static struct mf_bytes
trim(struct mf_bytes b)
{
	while (b.len > 0 && is_space(b.data[0])) {
		b.data++;
		b.len--;
	}
	while (b.len > 0 && is_space(b.data[b.len - 1]))
		b.len--;
	return b;
}

static bool
is_empty_line(const uint8_t *s, size_t len)
{
	return len <= 2 && (s[0] == '\n' || (s[0] == '\r' && (len == 1 || s[1] == '\n')));
}

/* Splits f->whole; false when it is no field. */
static bool
field_read(struct mime_field *f)
{
	struct mf_bytes whole = f->whole;
	const uint8_t *colon = memchr(whole.data, ':', whole.len);
	size_t n;

	if (colon == NULL || colon == whole.data)
		return false;
	n = (size_t)(colon - whole.data);
	f->value = trim(mf_bytes(colon + 1, whole.len - n - 1));
	while (n > 0 && is_blank(whole.data[n - 1]))
		n--;
	f->name = mf_bytes(whole.data, n);
	for (size_t i = 0; i < n; i++)
		if (whole.data[i] <= ' ' || whole.data[i] == 0x7f)
			return false;
	return n > 0;
}

static void
field_add(struct mf_arena *a, struct mime_header *h, size_t *cap, const struct mime_field *f)
{
	if (h->n == MIME_FIELDS_MAX)
		return;
	if (h->n == *cap) {
		struct mime_field *more = mf_new_array(a, struct mime_field, *cap * 2 + 32);

		if (h->n > 0)
			memcpy(more, h->fields, h->n * sizeof(*more));
		h->fields = more;
		*cap = *cap * 2 + 32;
	}
	h->fields[h->n++] = *f;
}

void
mime_scan_init(struct mime_scan *s, struct mf_bytes raw)
{
	memset(s, 0, sizeof(*s));
	s->raw = raw;
	s->eol = raw.len > 0 && memchr(raw.data, '\n', raw.len) == NULL ? '\r' : '\n';
}

bool
mime_scan_next(struct mime_scan *s, struct mime_field *out)
{
	struct mf_bytes raw = s->raw;
	size_t n;

	if (s->ended || s->at >= raw.len)
		return false;
	n = line_length(raw, s->at, s->eol);
	if (is_empty_line(raw.data + s->at, n)) {
		s->at += n;
		s->ended = true;
		return false;
	}
	while (s->at + n < raw.len && is_blank(raw.data[s->at + n]))
		n += line_length(raw, s->at + n, s->eol);
	memset(out, 0, sizeof(*out));
	out->whole = mf_bytes(raw.data + s->at, n);
	if (!field_read(out))
		out->name.len = 0;
	s->at += n;
	return true;
}

/* Most fields are told apart by their length or first letter. */
static bool
is_named(const struct mime_field *f, const char *name, size_t len)
{
	return f->name.len == len && len > 0 && (f->name.data[0] | 32) == (name[0] | 32) &&
	       str_ieqn((const char *)f->name.data, name, len);
}

bool
mime_field_is(const struct mime_field *f, const char *name)
{
	return is_named(f, name, strlen(name));
}

void
mime_header_parse(struct mf_arena *a, struct mf_bytes raw, struct mime_header *out)
{
	struct mime_scan scan;
	struct mime_field f;
	size_t cap = 0;

	memset(out, 0, sizeof(*out));
	mime_scan_init(&scan, raw);
	while (mime_scan_next(&scan, &f))
		if (f.name.len > 0)
			field_add(a, out, &cap, &f);
	out->size = scan.at;
}

const struct mime_field *
mime_header_find(const struct mime_header *h, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < h->n; i++)
		if (is_named(&h->fields[i], name, len))
			return &h->fields[i];
	return NULL;
}

struct mf_bytes
mime_header_raw(const struct mime_header *h, const char *name)
{
	const struct mime_field *f = mime_header_find(h, name);

	return f == NULL ? mf_bytes(NULL, 0) : f->value;
}

/* ---- Message-IDs ---- */

/* Nothing but graphic ASCII, and no bracket. A loop for vectors. */
static bool
is_clean_id(struct mf_bytes raw)
{
	uint8_t bad = 0;

	for (size_t i = 0; i < raw.len; i++)
		bad |= (uint8_t)((int8_t)raw.data[i] <= ' ') | (raw.data[i] == '<') |
		       (raw.data[i] == 0x7f);
	return bad == 0;
}

/* An id without the blanks that folding and bad software put into it; NULL when nothing is left. */
static const char *
id_clean(struct mf_arena *a, struct mf_bytes raw)
{
	char *s;
	size_t n = 0;

	if (is_clean_id(raw))
		return raw.len == 0 ? NULL : mf_strndup(a, (const char *)raw.data, raw.len);
	s = mf_alloc(a, raw.len + 1);
	for (size_t i = 0; i < raw.len; i++)
		if (raw.data[i] > ' ' && raw.data[i] != '<' && raw.data[i] != 0x7f)
			s[n++] = (char)raw.data[i];
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] >= 0x80)
			return mime_charset_dup(a, NULL, NULL, s, n);
	return n == 0 ? NULL : s;
}

static void
id_add(struct mime_ids *ids, const char *id)
{
	if (id == NULL)
		return;
	for (size_t i = 0; i < ids->n; i++)
		if (strcmp(ids->list[i], id) == 0)
			return;
	if (ids->n == MIME_IDS_MAX) {
		memmove(ids->list, ids->list + 1, (MIME_IDS_MAX - 1) * sizeof(*ids->list));
		ids->n--;
	}
	ids->list[ids->n++] = id;
}

static bool
is_lone_id(struct mf_bytes raw)
{
	bool at = false;

	for (size_t i = 0; i < raw.len; i++) {
		if (raw.data[i] <= ' ')
			return false;
		at |= raw.data[i] == '@';
	}
	return at;
}

/* How many ids there can be at most: the brackets. */
static size_t
count_opening(struct mf_bytes raw)
{
	size_t n = 0;

	for (size_t i = 0; i < raw.len; i++)
		n += raw.data[i] == '<';
	return n;
}

void
mime_ids_parse(struct mf_arena *a, struct mf_bytes raw, struct mime_ids *out)
{
	enum { LOOK_MAX = 200000 };
	size_t cap;

	if (raw.len > LOOK_MAX) {
		raw.data += raw.len - LOOK_MAX;
		raw.len = LOOK_MAX;
	}
	raw = trim(raw);
	cap = count_opening(raw) + 1;
	out->list = mf_new_array(a, const char *, cap < MIME_IDS_MAX ? cap : MIME_IDS_MAX);
	out->n = 0;
	if (cap == 1 && is_lone_id(raw))
		id_add(out, id_clean(a, raw));
	for (size_t i = 0; i < raw.len;) {
		const uint8_t *open = memchr(raw.data + i, '<', raw.len - i), *end;

		if (open == NULL)
			break;
		i = (size_t)(open - raw.data) + 1;
		end = memchr(raw.data + i, '>', raw.len - i);
		if (end == NULL)
			break;
		id_add(out, id_clean(a, mf_bytes(open + 1, (size_t)(end - open) - 1)));
		i = (size_t)(end - raw.data) + 1;
	}
}

const char *
mime_header_id(struct mf_arena *a, const struct mime_header *h, const char *name)
{
	struct mime_ids ids;

	mime_ids_parse(a, mime_header_raw(h, name), &ids);
	return ids.n == 0 ? NULL : ids.list[0];
}

/* ---- Importance ---- */

static bool
starts(struct mf_bytes value, const char *word)
{
	size_t n = strlen(word);

	return value.len >= n && str_ieqn((const char *)value.data, word, n);
}

enum mime_importance
mime_header_importance(const struct mime_header *h)
{
	static const struct {
		const char *field, *value;
		enum mime_importance importance;
	} rows[] = {
		{ "Importance", "high", MIME_IMPORTANCE_HIGH },
		{ "Importance", "low", MIME_IMPORTANCE_LOW },
		{ "Importance", "", MIME_IMPORTANCE_NORMAL },
		{ "X-Priority", "1", MIME_IMPORTANCE_HIGH },
		{ "X-Priority", "2", MIME_IMPORTANCE_HIGH },
		{ "X-Priority", "4", MIME_IMPORTANCE_LOW },
		{ "X-Priority", "5", MIME_IMPORTANCE_LOW },
		{ "X-Priority", "high", MIME_IMPORTANCE_HIGH },
		{ "X-Priority", "low", MIME_IMPORTANCE_LOW },
		{ "X-Priority", "", MIME_IMPORTANCE_NORMAL },
		{ "X-MSMail-Priority", "high", MIME_IMPORTANCE_HIGH },
		{ "X-MSMail-Priority", "low", MIME_IMPORTANCE_LOW },
		{ "X-MSMail-Priority", "", MIME_IMPORTANCE_NORMAL },
		{ "Priority", "urgent", MIME_IMPORTANCE_HIGH },
		{ "Priority", "non-urgent", MIME_IMPORTANCE_LOW },
	};

	const struct mime_field *f = NULL;
	const char *field = "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].field, field) != 0)
			f = mime_header_find(h, field = rows[i].field);
		if (f != NULL && starts(f->value, rows[i].value))
			return rows[i].importance;
	}
	return MIME_IMPORTANCE_NORMAL;
}

/* ---- Topic ---- */

/* Length of a reply or forward prefix at s ("Re:", "AW :", "Fwd[2]:", "RE(3):"), 0 when there is none. */
static size_t
prefix_length(const char *s)
{
	static const char *const words[] = { "re", "aw", "fwd", "fw", "wg", "sv", "vs", "vb", "rv",
		"tr", "antw", "antwort", "odp", "pd", "ynt", "ilt", "res", "enc", "rif", "vl",
		"ref", "doorst", "vá", "továbbítás", "回复", "答复", "转发", "回覆", "轉寄", "Отв",
		"Ответ", "Пересл" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if (!str_ieqn(s, words[i], n))
			continue;
		if (s[n] == '[' || s[n] == '(') {
			size_t digits = strspn(s + n + 1, "0123456789");

			if (digits > 0 && (s[n + 1 + digits] == ']' || s[n + 1 + digits] == ')'))
				n += digits + 2;
		}
		n += strspn(s + n, " ");
		if (s[n] == ':')
			return n + 1;
		if (strncmp(s + n, "\xef\xbc\x9a", 3) == 0) /* the full-width colon */
			return n + 3;
	}
	return 0;
}

const char *
mime_subject_topic(const char *subject)
{
	size_t n;

	subject += strspn(subject, " ");
	while ((n = prefix_length(subject)) > 0) {
		subject += n;
		subject += strspn(subject, " ");
	}
	return subject;
}
