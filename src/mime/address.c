/*
 * Address lists: RFC 5322 3.4 and what mail has instead. One pass over the bytes; what cannot be
 * understood becomes part of a display name. Knows no field.
 */
#include <string.h>

#include "base/str.h"
#include "mime/charset.h"
#include "mime/field.h"
#include "mime/header.h"
#include "mime/word.h"

/* What one address is made of while it is read. */
struct reader {
	struct mf_arena *a;
	const char *charset;
	struct mf_bytes in;
	size_t at;
	struct mf_buf phrase;  /* words outside of brackets, quotes resolved */
	struct mf_buf bare;    /* the same with its quotes: an address without brackets */
	struct mf_buf comment; /* what stood in parentheses */
	struct mf_buf angle;   /* between < and > */
	bool has_angle;
	struct mf_bytes group; /* name of the open group, until a member comes */
	struct mime_addresses *out;
	size_t cap;
};

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct mf_bytes
trim(struct mf_bytes b)
{
	while (b.len > 0 && (is_space(b.data[0]) || b.data[0] == ',')) {
		b.data++;
		b.len--;
	}
	while (b.len > 0 && is_space(b.data[b.len - 1]))
		b.len--;
	return b;
}

static void
list_add(struct reader *r, const char *name, const char *addr)
{
	struct mime_addresses *l = r->out;

	if (l->n == MIME_ADDRESSES_MAX || (*name == '\0' && *addr == '\0'))
		return;
	if (l->n == r->cap) {
		struct mime_address *more = mf_new_array(r->a, struct mime_address, r->cap * 2 + 4);

		if (l->n > 0)
			memcpy(more, l->list, l->n * sizeof(*more));
		l->list = more;
		r->cap = r->cap * 2 + 4;
	}
	l->list[l->n++] = (struct mime_address){ .name = name, .addr = addr };
}

/* A display name as shown: decoded, without quotes that are left around it. */
static const char *
name_clean(struct reader *r, struct mf_bytes raw, const char *addr)
{
	char *s = (char *)mime_text_decode(r->a, trim(raw), r->charset);
	size_t len = strlen(s);

	while (len >= 2 && (s[0] == '\'' || s[0] == '"') && s[len - 1] == s[0]) {
		s[len - 1] = '\0';
		s++;
		len -= 2;
	}
	return str_ieq(s, addr) ? "" : s;
}

/* Nothing but graphic ASCII without quotes, brackets and commas. A loop for vectors. */
static bool
is_clean(struct mf_bytes raw)
{
	uint8_t bad = 0;

	for (size_t i = 0; i < raw.len; i++) {
		uint8_t c = raw.data[i];

		bad |= (uint8_t)((int8_t)c <= ' ') | (c == '"') | (c == '(') | (c == ',') |
		       (c == '<') | (c == '>') | (c == 0x7f);
	}
	return bad == 0;
}

/* An address without what does not belong to it: source routes, "mailto:", blanks outside quotes,
 * comments, brackets. */
static const char *
addr_clean(struct reader *r, struct mf_bytes raw)
{
	bool quoted = false, high = false;
	size_t n = 0;
	char *s;

	raw = trim(raw);
	if (raw.len > 7 && str_ieqn((const char *)raw.data, "mailto:", 7)) {
		raw.data += 7;
		raw.len -= 7;
	}
	if (raw.len > 0 && raw.data[0] == '@') {
		const uint8_t *colon = memchr(raw.data, ':', raw.len);

		raw.len -= colon == NULL ? 0 : (size_t)(colon + 1 - raw.data);
		raw.data = colon == NULL ? raw.data : colon + 1;
	}
	if (is_clean(raw) && (raw.len == 0 || memchr(raw.data, '=', raw.len) == NULL))
		return mf_strndup(r->a, (const char *)raw.data, raw.len);
	s = mf_alloc(r->a, raw.len + 1);
	for (size_t i = 0; i < raw.len; i++) {
		uint8_t c = raw.data[i];

		quoted ^= c == '"' && (i == 0 || raw.data[i - 1] != '\\');
		if (!quoted && (c == '(' || c == ','))
			break;
		if (c < ' ' || c == 0x7f || c == '<' || c == '>' || (!quoted && c == ' '))
			continue;
		high |= c >= 0x80;
		s[n++] = (char)c;
	}
	s[n] = '\0';
	if (strstr(s, "=?") != NULL)
		return mime_text_decode(r->a, mf_bytes(s, n), r->charset);
	return high ? mime_charset_dup(r->a, NULL, r->charset, s, n) : s;
}

/* Without brackets: the word with the "@" is the address, the others are the name ("a @ b" is one
 * word). Without "@": a lone word is a local address, several are a name. */
static void
emit_bare(struct reader *r)
{
	struct mf_bytes bare = trim(mf_buf_bytes(&r->bare));
	const uint8_t *at = bare.len == 0 ? NULL : memchr(bare.data, '@', bare.len);
	struct mf_bytes name = mf_buf_bytes(&r->comment);
	size_t from, to;
	const char *addr;

	if (at == NULL) {
		name = trim(mf_buf_bytes(&r->phrase));
		if (name.len > 0 && name.len == bare.len &&
			memchr(name.data, ' ', name.len) == NULL &&
			memmem(name.data, name.len, "=?", 2) == NULL)
			list_add(r, name_clean(r, mf_buf_bytes(&r->comment), ""),
				addr_clean(r, name));
		else
			list_add(r, name_clean(r, name, ""), "");
		return;
	}
	from = to = (size_t)(at - bare.data);
	while (from > 0 && is_space(bare.data[from - 1]))
		from--;
	while (from > 0 && !is_space(bare.data[from - 1]) && bare.data[from - 1] != '"')
		from--;
	if (from > 0 && bare.data[from - 1] == '"')
		for (from--; from > 0 && bare.data[from - 1] != '"'; from--)
			;
	from -= from > 0 && bare.data[from - 1] == '"';
	while (to + 1 < bare.len && is_space(bare.data[to + 1]))
		to++;
	while (to + 1 < bare.len && !is_space(bare.data[to + 1]))
		to++;
	addr = addr_clean(r, mf_bytes(bare.data + from, to + 1 - from));
	if (from > 0)
		name = mf_bytes(bare.data, from);
	else if (to + 1 < bare.len)
		name = mf_bytes(bare.data + to + 1, bare.len - to - 1);
	list_add(r, name_clean(r, name, addr), addr);
}

/* Name and address were encoded together ("=?utf-8?Q?Anna_=3Ca=40b=3E?="). */
static bool
split_decoded(struct reader *r, const char *name)
{
	size_t len = strlen(name);
	const char *open = strrchr(name, '<');

	if (open == NULL || len < 3 || name[len - 1] != '>' || strchr(open, '@') == NULL)
		return false;
	list_add(r, name_clean(r, mf_bytes(name, (size_t)(open - name)), ""),
		addr_clean(r, mf_bytes(open + 1, len - (size_t)(open - name) - 2)));
	return true;
}

static void
emit_angle(struct reader *r)
{
	const char *addr = addr_clean(r, mf_buf_bytes(&r->angle)), *name;
	struct mf_bytes phrase = trim(mf_buf_bytes(&r->phrase));

	name = name_clean(r, phrase.len > 0 ? phrase : mf_buf_bytes(&r->comment), addr);
	if (*addr == '\0' && split_decoded(r, name))
		return;
	list_add(r, name, addr);
}

/* The address ends here. */
static void
emit(struct reader *r)
{
	size_t had = r->out->n;

	if (r->has_angle)
		emit_angle(r);
	else if (r->bare.len > 0 || r->comment.len > 0)
		emit_bare(r);
	if (!r->has_angle && r->out->n == had + 1 && *r->out->list[had].addr == '\0' &&
		strchr(r->out->list[had].name, '<') != NULL) {
		r->out->n = had;
		if (!split_decoded(r, r->out->list[had].name))
			r->out->n = had + 1;
	}
	if (r->out->n > had)
		r->group.len = 0;
	r->has_angle = false;
	mf_buf_clear(&r->phrase);
	mf_buf_clear(&r->bare);
	mf_buf_clear(&r->comment);
	mf_buf_clear(&r->angle);
}

/* A group without members is shown by its name ("undisclosed-recipients:;"). */
static void
end_group(struct reader *r)
{
	emit(r);
	if (r->group.len > 0)
		list_add(r, name_clean(r, r->group, ""), "");
	r->group.len = 0;
}

static void
add_text(struct reader *r, const uint8_t *s, size_t n)
{
	mf_buf_add(&r->phrase, s, n);
	mf_buf_add(&r->bare, s, n);
	r->at += n;
}

/* A quoted string. One whose end is missing, or stands behind the next address, is no quote. */
static void
read_quoted(struct reader *r)
{
	const uint8_t *s = r->in.data;
	size_t end = r->at + 1, bracket = 0;

	while (end < r->in.len && s[end] != '"') {
		if (s[end] == '>' && bracket == 0)
			bracket = end;
		if (s[end] == ',' && bracket > 0)
			break;
		end += s[end] == '\\' ? 2 : 1;
	}
	if (end >= r->in.len || s[end] != '"') {
		r->at++;
		return;
	}
	mf_buf_add(&r->bare, s + r->at, end + 1 - r->at);
	for (size_t i = r->at + 1; i < end; i++) {
		if (s[i] == '\\' && i + 1 < end)
			i++;
		mf_buf_add_byte(&r->phrase, s[i]);
	}
	r->at = end + 1;
}

/* A comment, nested ones included. One that does not end soon is none. */
static void
read_comment(struct reader *r)
{
	enum { COMMENT_MAX = 500 };
	const uint8_t *s = r->in.data;
	size_t end = r->at, depth = 0;
	size_t limit = r->in.len - r->at > COMMENT_MAX ? r->at + COMMENT_MAX : r->in.len;

	for (; end < limit; end++) {
		if (s[end] == '\\')
			end++;
		else if (s[end] == '(')
			depth++;
		else if (s[end] == ')' && --depth == 0)
			break;
	}
	if (end >= limit) {
		r->at++;
		return;
	}
	if (r->comment.len > 0)
		mf_buf_add_byte(&r->comment, ' ');
	mf_buf_add(&r->comment, s + r->at + 1, end - r->at - 1);
	r->at = end + 1;
}

static void
read_angle(struct reader *r)
{
	const uint8_t *s = r->in.data, *close;
	size_t end;

	if (r->has_angle && r->angle.len > 0 && memchr(r->angle.data, '@', r->angle.len) != NULL) {
		emit(r);
	} else if (r->has_angle) {
		while (r->phrase.len > 0 && is_space(r->phrase.data[r->phrase.len - 1]))
			r->phrase.len--;
		mf_buf_add_str(&r->phrase, " <");
		mf_buf_add(&r->phrase, r->angle.data, r->angle.len);
		mf_buf_add_str(&r->phrase, "> ");
		mf_buf_clear(&r->angle);
	}
	while (r->at < r->in.len && s[r->at] == '<')
		r->at++;
	close = memchr(s + r->at, '>', r->in.len - r->at);
	end = close == NULL ? r->in.len : (size_t)(close - s);
	if (close == NULL) {
		const uint8_t *comma = memchr(s + r->at, ',', r->in.len - r->at);

		end = comma == NULL ? end : (size_t)(comma - s);
	}
	mf_buf_add(&r->angle, s + r->at, end - r->at);
	r->has_angle = true;
	while (end < r->in.len && s[end] == '>')
		end++;
	r->at = end;
}

/* "Friends:" opens a group, unless it is part of an address. */
static void
read_colon(struct reader *r)
{
	struct mf_bytes phrase = trim(mf_buf_bytes(&r->phrase));
	bool address = r->has_angle || phrase.len == 0 ||
		       memchr(phrase.data, '@', phrase.len) != NULL ||
		       (phrase.len == 6 && str_ieqn((const char *)phrase.data, "mailto", 6));

	if (address) {
		add_text(r, r->in.data + r->at, 1);
		return;
	}
	r->group = mf_memdup(r->a, phrase.data, phrase.len);
	mf_buf_clear(&r->phrase);
	mf_buf_clear(&r->bare);
	r->at++;
}

static bool
is_special(uint8_t c)
{
	return c == '"' || c == '(' || c == '<' || c == ':' || c == ',' || c == ';' || c == '=';
}

static void
read_next(struct reader *r)
{
	const uint8_t *s = r->in.data + r->at;
	struct mime_word w;
	size_t n;

	switch (*s) {
	case '"':
		read_quoted(r);
		break;
	case '(':
		read_comment(r);
		break;
	case '<':
		read_angle(r);
		break;
	case ':':
		read_colon(r);
		break;
	case ',':
		emit(r);
		r->at++;
		break;
	case ';':
		end_group(r);
		r->at++;
		break;
	case '=':
		n = mime_word_read(s, r->in.len - r->at, &w);
		add_text(r, s, n > 0 ? n : 1);
		break;
	default:
		for (n = 1; n < r->in.len - r->at && !is_special(s[n]); n++)
			;
		add_text(r, s, n);
	}
}

static void
read_list(struct reader *r, struct mf_bytes raw)
{
	r->in = raw;
	r->at = 0;
	while (r->at < r->in.len && r->out->n < MIME_ADDRESSES_MAX)
		read_next(r);
	end_group(r);
}

static void
reader_init(struct reader *r, struct mf_arena *a, const char *charset, struct mime_addresses *out)
{
	memset(r, 0, sizeof(*r));
	r->a = a;
	r->charset = charset;
	r->out = out;
	out->list = NULL;
	out->n = 0;
}

static void
reader_deinit(struct reader *r)
{
	mf_buf_deinit(&r->phrase);
	mf_buf_deinit(&r->bare);
	mf_buf_deinit(&r->comment);
	mf_buf_deinit(&r->angle);
}

void
mime_addresses_parse(
	struct mf_arena *a, struct mf_bytes raw, const char *charset, struct mime_addresses *out)
{
	struct reader r;

	reader_init(&r, a, charset, out);
	read_list(&r, raw);
	reader_deinit(&r);
}

void
mime_header_addresses(struct mf_arena *a, const struct mime_header *h, const char *name,
	const char *charset, struct mime_addresses *out)
{
	struct reader r;

	reader_init(&r, a, charset, out);
	for (size_t i = 0; i < h->n; i++)
		if (mime_field_is(&h->fields[i], name))
			read_list(&r, h->fields[i].value);
	reader_deinit(&r);
}

/* ---- As ActiveSync shows them ---- */

static void
add_quoted(struct mf_buf *b, const char *s)
{
	mf_buf_add_byte(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			mf_buf_add_byte(b, '\\');
		mf_buf_add_byte(b, (uint8_t)*s);
	}
	mf_buf_add_byte(b, '"');
}

static void
add_full(struct mf_buf *b, const struct mime_address *m)
{
	if (*m->name != '\0')
		add_quoted(b, m->name);
	if (*m->name != '\0' && *m->addr != '\0')
		mf_buf_add_str(b, " <");
	mf_buf_add_str(b, m->addr);
	if (*m->name != '\0' && *m->addr != '\0')
		mf_buf_add_byte(b, '>');
}

static void
add_display(struct mf_buf *b, const struct mime_address *m)
{
	mf_buf_add_str(b, *m->name != '\0' ? m->name : m->addr);
}

static const char *
join(struct mf_arena *a, const struct mime_addresses *l, size_t max, const char *mark,
	void (*add)(struct mf_buf *b, const struct mime_address *m))
{
	struct mf_buf b;
	const char *s;

	mf_buf_init(&b, 0);
	for (size_t i = 0; i < l->n; i++) {
		size_t had = b.len;

		if (i > 0)
			mf_buf_add_str(&b, mark);
		add(&b, &l->list[i]);
		if (b.len > max) {
			b.len = had;
			break;
		}
	}
	s = (const char *)mf_memdup(a, b.data, b.len).data;
	mf_buf_deinit(&b);
	return s;
}

const char *
mime_addresses_full(struct mf_arena *a, const struct mime_addresses *l, size_t max)
{
	return join(a, l, max, ", ", add_full);
}

const char *
mime_addresses_display(struct mf_arena *a, const struct mime_addresses *l, size_t max)
{
	return join(a, l, max, ";", add_display);
}
