/*
 * Replies as others write them: the words of any Sieve script, of which only vacation and the dates
 * around it matter here. It does not run scripts; a reply in a branch counts as a reply. Pure.
 */
#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "sieve.h"

enum { TOKENS_MAX = 100000, YEAR_9999 = 9999 - 1900 };

enum kind { WORD, TAG, STRING, NUMBER, SIGN, END };

struct token {
	enum kind kind;
	const char *text; /* in the arena; of SIGN one character */
};

struct reader {
	struct mf_arena *a;
	const char *at;
	size_t tokens;
	bool failed;
};

/* ---- Tokens (RFC 5228 2.1 to 2.4) ---- */

static void
skip(struct reader *r)
{
	for (;;) {
		const char *end;

		r->at += strspn(r->at, " \t\r\n");
		if (*r->at == '#') {
			r->at += strcspn(r->at, "\n");
		} else if (r->at[0] == '/' && r->at[1] == '*') {
			end = strstr(r->at + 2, "*/");
			r->at = end == NULL ? r->at + strlen(r->at) : end + 2;
		} else {
			return;
		}
	}
}

/* What a string takes is measured first: a script of nothing but strings must not take its size for each. */
static size_t
quoted_length(const char *at)
{
	size_t n = 1;

	while (at[n] != '\0' && at[n] != '"')
		n += at[n] == '\\' && at[n + 1] != '\0' ? 2 : 1;
	return n;
}

static const char *
read_quoted(struct reader *r)
{
	char *out = mf_alloc(r->a, quoted_length(r->at) + 1), *to = out;

	for (r->at++; *r->at != '\0' && *r->at != '"'; r->at++) {
		if (*r->at == '\\' && r->at[1] != '\0')
			r->at++;
		*to++ = *r->at;
	}
	r->failed = r->failed || *r->at == '\0';
	r->at += *r->at != '\0';
	return out;
}

/* text: up to a line with a lone dot; lines lose a dot that was doubled. */
static bool
is_last(const char *line, size_t len)
{
	return line[0] == '.' && (len == 1 || (len == 2 && line[1] == '\r'));
}

static size_t
multiline_length(const char *at)
{
	const char *line = at;
	size_t len;

	for (; *line != '\0'; line += len + (line[len] != '\0')) {
		len = strcspn(line, "\n");
		if (is_last(line, len))
			break;
	}
	return (size_t)(line - at) + 1; /* the end of a last line without one */
}

static const char *
read_multiline(struct reader *r)
{
	char *out = mf_alloc(r->a, multiline_length(r->at) + 1), *to = out;

	r->at += strcspn(r->at, "\n");
	r->at += *r->at != '\0';
	while (*r->at != '\0') {
		size_t len = strcspn(r->at, "\n");
		const char *line = r->at;

		r->at += len + (line[len] != '\0');
		if (is_last(line, len))
			return out;
		if (line[0] == '.' && line[1] == '.') {
			line++;
			len--;
		}
		memcpy(to, line, len);
		to += len;
		*to++ = '\n';
	}
	r->failed = true;
	return out;
}

static struct token
next(struct reader *r)
{
	struct token t = { .kind = END, .text = "" };
	size_t len;

	skip(r);
	if (*r->at == '\0' || r->failed)
		return t;
	r->failed = ++r->tokens > TOKENS_MAX;
	if (*r->at == '"') {
		t = (struct token){ STRING, read_quoted(r) };
		return t;
	}
	if (strncasecmp(r->at, "text:", 5) == 0) {
		t = (struct token){ STRING, read_multiline(r) };
		return t;
	}
	t.kind = *r->at == ':' ? TAG : isdigit((unsigned char)*r->at) ? NUMBER : WORD;
	len = (size_t)(t.kind == TAG);
	while (isalnum((unsigned char)r->at[len]) || r->at[len] == '_')
		len++;
	if (len == 0) {
		t.kind = SIGN;
		len = 1;
	}
	t.text = mf_strndup(r->a, r->at, len);
	r->at += len;
	return t;
}

static bool
is(const struct token *t, enum kind kind, const char *text)
{
	return t->kind == kind && strcasecmp(t->text, text) == 0;
}

/* ---- vacation ---- */

/* The body of a reason that is a MIME part (:mime), decoded where that is simple. */
static void
take_mime(struct mf_arena *a, const char *part, struct mf_oof_reply *out)
{
	const char *body = strstr(part, "\n\r\n"), *other = strstr(part, "\n\n");
	size_t head = body == NULL || (other != NULL && other < body)
			      ? (other == NULL ? 0 : (size_t)(other + 2 - part))
			      : (size_t)(body + 3 - part);
	char *fields = mf_strndup(a, part, head);

	out->html = strcasestr(fields, "text/html") != NULL;
	out->text = mf_strdup(a, part + head);
	if (strcasestr(fields, "base64") == NULL)
		return;
	size_t len = strlen(out->text), n = 0;
	char *packed = mf_alloc(a, len + 1);
	uint8_t *plain = mf_alloc(a, len + 4);

	for (size_t i = 0; i < len; i++)
		if (!isspace((unsigned char)out->text[i]))
			packed[n++] = out->text[i];
	if (n % 4 != 0 || EVP_DecodeBlock(plain, (const uint8_t *)packed, (int)n) < 0)
		return;
	out->text = (const char *)plain; /* zeros behind: padding decodes to them */
}

/* Behind the word: tags with their values, then the reason, up to ";". */
static void
read_vacation(struct reader *r, struct mf_oof_reply *out)
{
	bool mime = false;
	struct token t;
	const char *reason = "", *last = "";

	while ((t = next(r)).kind != END && !is(&t, SIGN, ";") && !is(&t, SIGN, "}")) {
		if (is(&t, TAG, ":mime"))
			mime = true;
		/* What follows these is not the reason. */
		else if (is(&t, TAG, ":subject") || is(&t, TAG, ":from") || is(&t, TAG, ":handle"))
			next(r);
		else if (is(&t, SIGN, "["))
			while ((t = next(r)).kind != END && !is(&t, SIGN, "]"))
				;
		else if (is(&t, TAG, ":addresses")) {
			t = next(r);
			if (is(&t, SIGN, "["))
				while ((t = next(r)).kind != END && !is(&t, SIGN, "]"))
					;
		} else if (t.kind == STRING)
			last = t.text;
	}
	reason = last;
	out->enabled = true;
	out->html = false;
	out->text = reason;
	if (mime)
		take_mime(r->a, reason, out);
	if (strlen(out->text) > MF_OOF_TEXT_MAX)
		out->text = mf_strndup(r->a, out->text, MF_OOF_TEXT_MAX);
}

/* ---- Dates: currentdate :value "ge" "date" "2026-12-24" and what is like it ---- */

static bool
parse_when(const char *text, int64_t *out)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (end == NULL)
		return false;
	if (*end == 'T' || *end == ' ')
		strptime(end + 1, "%H:%M:%S", &tm);
	*out = timegm(&tm);
	return *out > 0 && tm.tm_year < YEAR_9999;
}

/* A day that is the last one is meant whole. */
static void
read_date(struct reader *r, struct mf_oof *oof)
{
	bool after = false, before = false, until = false;
	struct token t;
	int64_t when;

	while ((t = next(r)).kind != END) {
		if (t.kind == SIGN && strchr(",)({;", t.text[0]) != NULL) {
			return;
		} else if (t.kind == STRING &&
			   (strcasecmp(t.text, "ge") == 0 || strcasecmp(t.text, "gt") == 0)) {
			after = true;
		} else if (t.kind == STRING &&
			   (strcasecmp(t.text, "le") == 0 || strcasecmp(t.text, "lt") == 0)) {
			before = true;
			until = strcasecmp(t.text, "le") == 0;
		} else if (t.kind == STRING && parse_when(t.text, &when)) {
			if (after && oof->start == 0)
				oof->start = when;
			else if (before && oof->end == 0)
				oof->end = when + (until && strlen(t.text) == 10 ? 86400 : 0);
		}
	}
}

/* ---- The whole ---- */

/* Words of which a script made for replies alone may consist. */
static bool
is_harmless(const char *word)
{
	static const char *const words[] = { "require", "if", "elsif", "else", "vacation", "keep",
		"include", "currentdate", "date", "allof", "anyof", "not", "header", "address",
		"envelope", "exists", "true", "false", "stop" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(word, words[i]) == 0)
			return true;
	return false;
}

bool
sieve_name_ok(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return false;
	return len > 0 && len <= SIEVE_NAME_MAX;
}

static const char *
read_include(struct reader *r)
{
	struct token t;
	const char *name = "";

	while ((t = next(r)).kind != END && !is(&t, SIGN, ";"))
		if (t.kind == STRING)
			name = t.text;
	return sieve_name_ok(name) ? name : "";
}

enum sieve_reading
sieve_script_read(struct mf_arena *a, const char *text, struct sieve_script *out)
{
	struct reader r = { .a = a, .at = text };
	struct mf_oof_reply reply = { .text = "" };
	bool found = false, only = true;
	struct token t;

	memset(out, 0, sizeof(*out));
	out->include = "";
	while ((t = next(&r)).kind != END) {
		if (t.kind != WORD)
			continue;
		only = only && is_harmless(t.text);
		if (is(&t, WORD, "vacation") && !found) {
			read_vacation(&r, &reply);
			found = true;
		} else if (is(&t, WORD, "currentdate") && !found) {
			read_date(&r, &out->oof);
		} else if (is(&t, WORD, "include")) {
			out->include = read_include(&r);
		}
	}
	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		out->oof.reply[i] = reply;
	if (found)
		out->oof.state =
			out->oof.start != 0 && out->oof.end != 0 ? MF_OOF_TIMED : MF_OOF_ON;
	if (out->oof.state != MF_OOF_TIMED)
		out->oof.start = out->oof.end = 0;
	if (!found)
		return SIEVE_NO_VACATION;
	return only && !r.failed ? SIEVE_VACATION_ONLY : SIEVE_HAS_VACATION;
}
