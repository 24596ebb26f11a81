/* Replies as a Sieve script. Pure. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sieve.h"

struct writer {
	struct mf_buf b;
	const struct sieve_script *s;
	const struct sieve_writing *how;
};

/* A quoted string (RFC 5228 2.4.2). */
static void
add_quoted(struct mf_buf *b, const char *text)
{
	mf_buf_add_byte(b, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			mf_buf_add_byte(b, '\\');
		if (*text == '\n' && (b->len == 0 || b->data[b->len - 1] != '\r'))
			mf_buf_add_byte(b, '\r');
		mf_buf_add_byte(b, (uint8_t)*text);
	}
	mf_buf_add_byte(b, '"');
}

static void
add_list(struct mf_buf *b, const char *const *list)
{
	mf_buf_add_byte(b, '[');
	for (size_t i = 0; list[i] != NULL; i++) {
		mf_buf_add_str(b, i == 0 ? "" : ", ");
		add_quoted(b, list[i]);
	}
	mf_buf_add_byte(b, ']');
}

/* ---- Times, in UTC: dates and times of day compare as strings ---- */

static void
add_bound(struct mf_buf *b, int64_t when, const char *beyond, const char *within)
{
	time_t t = (time_t)when;
	struct tm tm;
	char date[40], clock[40];

	gmtime_r(&t, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	mf_buf_printf(b,
		",\r\n\tanyof (currentdate :zone \"+0000\" :value \"%s\" \"date\" \"%s\","
		"\r\n\t\tallof (currentdate :zone \"+0000\" :is \"date\" \"%s\","
		"\r\n\t\t\tcurrentdate :zone \"+0000\" :value \"%s\" \"time\" \"%s\"))",
		beyond, date, date, within, clock);
}

/* ---- One reply ---- */

static void
add_base64(struct mf_buf *b, const char *text)
{
	size_t len = strlen(text);

	for (size_t at = 0; at < len; at += 57) {
		uint8_t line[80];
		size_t n = len - at < 57 ? len - at : 57;

		EVP_EncodeBlock(line, (const uint8_t *)text + at, (int)n);
		mf_buf_printf(b, "%s\r\n", line);
	}
}

/* HTML travels as a part of its own kind (RFC 5230 4.5). */
static void
add_vacation(struct writer *w, const struct mf_oof_reply *r, const char *indent)
{
	mf_buf_printf(&w->b, "%svacation :days %u :addresses ", indent, w->how->days);
	add_list(&w->b, w->how->user->addresses);
	if (r->html) {
		mf_buf_add_str(&w->b, " :mime \"MIME-Version: 1.0\r\n"
				      "Content-Type: text/html; charset=utf-8\r\n"
				      "Content-Transfer-Encoding: base64\r\n\r\n");
		add_base64(&w->b, r->text);
		mf_buf_add_byte(&w->b, '"');
	} else {
		mf_buf_add_byte(&w->b, ' ');
		add_quoted(&w->b, r->text);
	}
	mf_buf_add_str(&w->b, ";\r\n");
}

static bool
is_sent(const struct mf_oof_reply *r)
{
	return r->enabled && r->text[0] != '\0';
}

static bool
same(const struct mf_oof_reply *x, const struct mf_oof_reply *y)
{
	return is_sent(x) == is_sent(y) &&
	       (!is_sent(x) || (x->html == y->html && strcmp(x->text, y->text) == 0));
}

/* A branch: the reply, or none. */
static void
add_branch(struct writer *w, const struct mf_oof_reply *r)
{
	mf_buf_add_str(&w->b, "{\r\n");
	if (is_sent(r))
		add_vacation(w, r, "\t\t");
	mf_buf_add_str(&w->b, "\t}");
}

static void
add_replies(struct writer *w)
{
	const struct mf_oof_reply *r = w->s->oof.reply;
	const struct mf_oof_reply *rest = &r[MF_OOF_UNKNOWN];
	const char *word = "\tif";

	if (w->how->domains[0] != NULL && !same(&r[MF_OOF_INTERNAL], rest)) {
		mf_buf_printf(&w->b, "%s address :domain :is \"from\" ", word);
		add_list(&w->b, w->how->domains);
		mf_buf_add_byte(&w->b, ' ');
		add_branch(w, &r[MF_OOF_INTERNAL]);
		word = " elsif";
	}
	if (w->how->user->known[0] != NULL && !same(&r[MF_OOF_KNOWN], rest)) {
		mf_buf_printf(&w->b, "%s address :is \"from\" ", word);
		add_list(&w->b, w->how->user->known);
		mf_buf_add_byte(&w->b, ' ');
		add_branch(w, &r[MF_OOF_KNOWN]);
		word = " elsif";
	}
	if (!is_sent(rest))
		mf_buf_add_str(&w->b, word[0] == ' ' ? "\r\n" : "");
	else if (word[0] == ' ') {
		mf_buf_add_str(&w->b, " else ");
		add_branch(w, rest);
		mf_buf_add_str(&w->b, "\r\n");
	} else
		add_vacation(w, rest, "\t");
}

/* ---- The script ---- */

static void
add_requirements(struct writer *w)
{
	const char *all[6];
	size_t n = 0;

	if (w->s->oof.state != MF_OOF_OFF)
		all[n++] = "vacation";
	if (w->s->oof.state == MF_OOF_TIMED) {
		all[n++] = "date";
		all[n++] = "relational";
	}
	if (w->s->include[0] != '\0')
		all[n++] = "include";
	all[n] = NULL;
	if (n == 0)
		return;
	mf_buf_add_str(&w->b, "require ");
	add_list(&w->b, all);
	mf_buf_add_str(&w->b, ";\r\n");
}

/* Nobody answers what was found to be spam: its sender is forged. */
static void
add_condition(struct writer *w)
{
	const struct mf_oof *oof = &w->s->oof;

	mf_buf_add_str(&w->b, "if allof (not header :contains \"X-Spam-Flag\" \"YES\"");
	if (oof->state == MF_OOF_TIMED) {
		add_bound(&w->b, oof->start, "gt", "ge");
		add_bound(&w->b, oof->end, "lt", "lt");
	} else {
		mf_buf_add_str(&w->b, ", true");
	}
	mf_buf_add_str(&w->b, ") {\r\n");
}

const char *
sieve_script_write(
	struct mf_arena *a, const struct sieve_script *s, const struct sieve_writing *how)
{
	struct writer w = { .s = s, .how = how };
	const char *text;

	mf_buf_init(&w.b, 0);
	add_requirements(&w);
	if (s->oof.state != MF_OOF_OFF) {
		add_condition(&w);
		add_replies(&w);
		mf_buf_add_str(&w.b, "}\r\n");
	}
	if (s->include[0] != '\0') {
		mf_buf_add_str(&w.b, "include :personal ");
		add_quoted(&w.b, s->include);
		mf_buf_add_str(&w.b, ";\r\n");
	}
	text = sieve_script_pack(a, s, mf_buf_str(&w.b));
	text = mf_printf(a, "%s%s", text, mf_buf_str(&w.b));
	mf_buf_deinit(&w.b);
	return text;
}
