/*
 * ManageSieve's words (RFC 5804). Every answer is bounded: lines, literals, their count; whatever does
 * not fit ends the connection.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sieve.h"

enum { WORDS_MAX = 8, LINES_MAX = 2 * SIEVE_SCRIPTS_MAX };

/* One line of an answer: atoms and strings, quoted or literal, in the arena. */
struct line {
	const char *words[WORDS_MAX];
	bool string[WORDS_MAX];
	size_t n;
	const char *code; /* "(QUOTA/MAXSIZE)" without parentheses; "" */
};

enum outcome { DATA, OK, NO, BYE };

/* ---- In ---- */

/* n bytes of a literal, as a string. */
static enum mf_status
read_literal(
	struct mf_session *s, struct mf_arena *a, size_t n, const char **out, struct mf_error *err)
{
	struct net_stream *w = &s->wire;

	net_stream_expect(w, n);
	char *text = mf_alloc(a, n + 1);
	for (size_t got = 0; got < n;) {
		size_t have = w->end - w->start;

		if (have == 0) {
			enum mf_status st = net_stream_fill(w, 4096, err);

			if (st != MF_OK)
				return st;
			continue;
		}
		if (have > n - got)
			have = n - got;
		memcpy(text + got, w->data + w->start, have);
		w->start += have;
		got += have;
	}
	*out = text;
	return MF_OK;
}

/* A quoted string at *at, which stands at its first quote; NULL: it does not end. */
static const char *
read_quoted(struct mf_arena *a, const char **at)
{
	char *out = mf_alloc(a, strlen(*at) + 1), *to = out;
	const char *p = *at + 1;

	while (*p != '\0' && *p != '"') {
		if (*p == '\\' && p[1] != '\0')
			p++;
		*to++ = *p++;
	}
	if (*p == '\0')
		return NULL;
	*at = p + 1;
	return out;
}

/* "{12}" or "{12+}" at the end of a line. */
static bool
read_length(const char *at, size_t *n)
{
	char *end;
	unsigned long value = strtoul(at + 1, &end, 10);

	end += *end == '+';
	*n = value;
	return at[1] >= '0' && at[1] <= '9' && strcmp(end, "}") == 0 && value <= SIEVE_LITERAL_MAX;
}

static enum mf_status
malformed(struct mf_session *s, struct mf_error *err)
{
	return net_stream_fail(&s->wire, err, "answer", "it is malformed");
}

static void
add_word(struct line *l, const char *word, bool string)
{
	if (l->n == WORDS_MAX)
		return;
	l->string[l->n] = string;
	l->words[l->n++] = word;
}

/* What stands in parentheses: at *at, moved behind it. */
static const char *
read_code(struct mf_arena *a, const char **at)
{
	const char *begin = *at + 1, *p = begin;
	bool quoted = false;

	for (; *p != '\0' && (quoted || *p != ')'); p++) {
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	*at = *p == '\0' ? p : p + 1;
	return mf_strndup(a, begin, (size_t)(p - begin));
}

static enum mf_status
read_text(struct mf_session *s, struct mf_arena *a, const char *text, struct line *l,
	struct mf_error *err)
{
	char *line;
	size_t n;
	enum mf_status st = MF_OK;

	for (const char *at = text; st == MF_OK && *(at += strspn(at, " ")) != '\0';) {
		const char *word;

		if (*at == '"') {
			word = read_quoted(a, &at);
			if (word == NULL)
				return malformed(s, err);
			add_word(l, word, true);
		} else if (*at == '(') {
			l->code = read_code(a, &at);
		} else if (*at == '{') {
			if (!read_length(at, &n))
				return malformed(s, err);
			st = read_literal(s, a, n, &word, err);
			if (st == MF_OK)
				st = net_stream_line(&s->wire, SIEVE_LINE_MAX, &line, err);
			if (st != MF_OK)
				return st;
			add_word(l, word, true);
			at = mf_strdup(a, line);
		} else {
			n = strcspn(at, " (\"");
			add_word(l, mf_strndup(a, at, n), false);
			at += n;
		}
	}
	return st;
}

static enum mf_status
read_line(struct mf_session *s, struct mf_arena *a, struct line *l, enum outcome *what,
	struct mf_error *err)
{
	static const struct {
		const char *word;
		enum outcome outcome;
	} outcomes[] = { { "OK", OK }, { "NO", NO }, { "BYE", BYE } };
	char *line;
	enum mf_status st = net_stream_line(&s->wire, SIEVE_LINE_MAX, &line, err);

	memset(l, 0, sizeof(*l));
	l->code = "";
	if (st == MF_OK)
		st = read_text(s, a, mf_strdup(a, line), l, err);
	*what = DATA;
	for (size_t i = 0; st == MF_OK && l->n > 0 && i < 3; i++)
		if (!l->string[0] && strcasecmp(l->words[0], outcomes[i].word) == 0)
			*what = outcomes[i].outcome;
	return st;
}

/* Takes each line of data; false: that is no answer. */
typedef bool line_fn(void *ctx, const struct line *l);

/* An answer to its end. The last line is its outcome. */
static enum mf_status
read_answer(struct mf_session *s, struct mf_arena *a, line_fn *take, void *ctx, struct line *last,
	enum outcome *what, struct mf_error *err)
{
	for (size_t n = 0; n < LINES_MAX; n++) {
		enum mf_status st = read_line(s, a, last, what, err);

		if (st != MF_OK || *what != DATA)
			return st;
		if (take != NULL && last->n > 0 && !take(ctx, last))
			break;
	}
	return malformed(s, err);
}

static enum mf_status
say_no(struct mf_session *s, const struct line *l, const char *what, struct mf_error *err)
{
	static const struct {
		const char *code;
		enum mf_status status;
	} codes[] = { { "NONEXISTENT", MF_GONE }, { "QUOTA", MF_TOO_LARGE },
		{ "TRYLATER", MF_TEMPORARY }, { "ALREADYEXISTS", MF_EXISTS },
		{ "ENCRYPT-NEEDED", MF_TEMPORARY }, { "AUTH-TOO-WEAK", MF_TEMPORARY },
		{ "TRANSITION-NEEDED", MF_TEMPORARY } };
	enum mf_status st = MF_REFUSED;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strncasecmp(l->code, codes[i].code, strlen(codes[i].code)) == 0)
			st = codes[i].status;
	return mf_fail(err, st, "sieve %s: %s: refused%s%s", s->backend->where.host, what,
		*l->code != '\0' ? ", " : "", l->code);
}

static enum mf_status
conclude(struct mf_session *s, enum outcome what, const struct line *l, const char *of,
	struct mf_error *err)
{
	if (what == OK)
		return MF_OK;
	if (what == BYE)
		return net_stream_fail(&s->wire, err, of, "the server says goodbye");
	return say_no(s, l, of, err);
}

/* ---- Out ---- */

/* As a literal without waiting: nothing in it can mean anything. */
static enum mf_status
add_string(struct mf_session *s, const char *text, struct mf_error *err)
{
	char length[32];
	size_t len = strlen(text);
	int n = snprintf(length, sizeof(length), "{%zu+}\r\n", len);
	enum mf_status st = net_stream_add(&s->wire, length, (size_t)n, err);

	return st == MF_OK ? net_stream_add(&s->wire, text, len, err) : st;
}

/* A command with up to two strings, and its answer. */
static enum mf_status
ask(struct mf_session *s, struct mf_arena *a, const char *verb, const char *x, const char *y,
	line_fn *take, void *ctx, struct mf_error *err)
{
	const char *const strings[] = { x, y };
	struct line last;
	enum outcome what;
	enum mf_status st;

	net_stream_deadline(&s->wire, s->backend->where.command_ms);
	st = net_stream_add(&s->wire, verb, strlen(verb), err);
	for (size_t i = 0; st == MF_OK && i < 2 && strings[i] != NULL; i++) {
		st = net_stream_add(&s->wire, " ", 1, err);
		if (st == MF_OK)
			st = add_string(s, strings[i], err);
	}
	if (st == MF_OK)
		st = net_stream_add(&s->wire, "\r\n", 2, err);
	if (st == MF_OK)
		st = net_stream_flush(&s->wire, err);
	if (st == MF_OK)
		st = read_answer(s, a, take, ctx, &last, &what, err);
	return st == MF_OK ? conclude(s, what, &last, verb, err) : st;
}

/* ---- The greeting ---- */

static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; *(at += strspn(at, " ")) != '\0'; at += strcspn(at, " "))
		if (strcspn(at, " ") == len && strncasecmp(at, word, len) == 0)
			return true;
	return false;
}

static bool
take_capability(void *ctx, const struct line *l)
{
	static const struct {
		const char *name;
		unsigned extension;
	} extensions[] = { { "vacation", SIEVE_VACATION }, { "include", SIEVE_INCLUDE },
		{ "date", SIEVE_DATE }, { "relational", SIEVE_RELATIONAL } };
	struct mf_session *s = ctx;
	const char *value = l->n > 1 ? l->words[1] : "";

	if (strcasecmp(l->words[0], "SIEVE") == 0) {
		s->extensions = 0;
		for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
			if (has_word(value, extensions[i].name))
				s->extensions |= extensions[i].extension;
	}
	if (strcasecmp(l->words[0], "SASL") == 0)
		snprintf(s->mechanisms, sizeof(s->mechanisms), "%s", value);
	if (strcasecmp(l->words[0], "STARTTLS") == 0)
		s->starttls = true;
	if (strcasecmp(l->words[0], "IMPLEMENTATION") == 0)
		snprintf(s->implementation, sizeof(s->implementation), "%s", value);
	return true;
}

static enum mf_status
read_capabilities(struct mf_session *s, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct line last;
	enum outcome what;
	enum mf_status st;

	s->starttls = false;
	s->mechanisms[0] = '\0';
	s->extensions = 0;
	st = read_answer(s, a, take_capability, s, &last, &what, err);
	if (st == MF_OK && what != OK)
		st = net_stream_fail(&s->wire, err, "greeting", "the server sends us away");
	mf_arena_free(a);
	return st;
}

static enum mf_status
encrypt(struct mf_session *s, struct mf_error *err)
{
	struct mf_arena *a;
	enum mf_status st;

	if (!s->starttls)
		return net_stream_fail(&s->wire, err, "STARTTLS", "the server has none");
	a = mf_arena_new();
	st = ask(s, a, "STARTTLS", NULL, NULL, NULL, NULL, err);
	mf_arena_free(a);
	if (st == MF_REFUSED)
		st = net_stream_fail(&s->wire, err, "STARTTLS", "refused");
	if (st == MF_OK)
		st = net_stream_starttls(&s->wire, err);
	return st == MF_OK ? read_capabilities(s, err) : st;
}

enum mf_status
sieve_greet(struct mf_session *s, struct mf_error *err)
{
	enum mf_status st = read_capabilities(s, err);

	return st == MF_OK && s->backend->where.starttls ? encrypt(s, err) : st;
}

/* ---- Logging in ---- */

/* BASE64 of the bytes; wiped with the buffer by the caller. */
static void
encode(struct mf_buf *out, const struct mf_buf *in)
{
	uint8_t *room = mf_buf_reserve(out, in->len / 3 * 4 + 5);

	if (room != NULL)
		mf_buf_commit(out, (size_t)EVP_EncodeBlock(room, in->data, (int)in->len));
}

static void
wipe(struct mf_buf *b)
{
	if (b->data != NULL)
		OPENSSL_cleanse(b->data, b->cap);
	mf_buf_deinit(b);
}

/* The first words of the mechanism that the credentials are for. */
static const char *
prepare(struct mf_session *s, const struct mf_login *who, struct mf_buf *plain)
{
	if (who->token == NULL) {
		/* authorization, authentication, password (RFC 4616) */
		const char *login = who->master != NULL ? who->master : who->user;

		if (!has_word(s->mechanisms, "PLAIN"))
			return NULL;
		mf_buf_add_str(plain, who->master != NULL ? who->user : "");
		mf_buf_add_byte(plain, 0);
		mf_buf_add_str(plain, login);
		mf_buf_add_byte(plain, 0);
		mf_buf_add_str(plain, who->password);
		return "PLAIN";
	}
	if (has_word(s->mechanisms, "OAUTHBEARER")) {
		mf_buf_printf(plain, "n,a=%s,\001auth=Bearer %s\001\001", who->user, who->token);
		return "OAUTHBEARER";
	}
	if (has_word(s->mechanisms, "XOAUTH2")) {
		mf_buf_printf(plain, "user=%s\001auth=Bearer %s\001\001", who->user, who->token);
		return "XOAUTH2";
	}
	return NULL;
}

/* A failure's reasons, which must be answered before it is told. */
static bool
take_challenge(void *ctx, const struct line *l)
{
	static const char cancel[] = "\"*\"\r\n";
	struct mf_session *s = ctx;

	(void)l;
	return net_stream_write(&s->wire, cancel, sizeof(cancel) - 1, NULL) == MF_OK;
}

static enum mf_status
send_credentials(struct mf_session *s, const char *mechanism, const struct mf_buf *plain,
	struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_buf text;
	enum mf_status st;

	mf_buf_init(&text, 0);
	encode(&text, plain);
	st = ask(s, a, "AUTHENTICATE", mechanism, mf_buf_str(&text), take_challenge, s, err);
	wipe(&text);
	mf_arena_free(a);
	/* Anything but "later" is about the credentials. */
	return st == MF_REFUSED || st == MF_GONE
		       ? mf_fail(err, MF_AUTH, "sieve %s: wrong credentials",
				 s->backend->where.host)
		       : st;
}

enum mf_status
sieve_authenticate(struct mf_session *s, const struct mf_login *who, struct mf_error *err)
{
	const char *secret = who->token != NULL ? who->token : who->password, *mechanism;
	struct mf_buf plain;
	enum mf_status st;

	if (secret == NULL || strlen(secret) > SIEVE_LINE_MAX || strchr(who->user, '\001') != NULL)
		return mf_fail(err, MF_INVALID, "sieve: a login that cannot be sent");
	mf_buf_init(&plain, 0);
	mechanism = prepare(s, who, &plain);
	if (mechanism == NULL)
		st = mf_fail(err, MF_TEMPORARY, "sieve %s: no login that we know: SASL%s",
			s->backend->where.host, s->mechanisms);
	else
		st = send_credentials(s, mechanism, &plain, err);
	wipe(&plain);
	return st;
}

void
sieve_goodbye(struct mf_session *s)
{
	static const char logout[] = "LOGOUT\r\n";

	if (s->wire.failed || s->wire.where == NULL)
		return;
	net_stream_deadline(&s->wire, 100);
	if (net_stream_add(&s->wire, logout, sizeof(logout) - 1, NULL) == MF_OK)
		net_stream_flush(&s->wire, NULL);
}

/* ---- Scripts ---- */

struct listing {
	struct sieve_names *out;
	struct mf_arena *a;
};

static bool
take_name(void *ctx, const struct line *l)
{
	struct listing *x = ctx;

	if (!l->string[0] || x->out->n == SIEVE_SCRIPTS_MAX)
		return false;
	x->out->list[x->out->n++] = l->words[0];
	if (l->n > 1 && strcasecmp(l->words[1], "ACTIVE") == 0)
		x->out->active = l->words[0];
	return true;
}

enum mf_status
sieve_list(struct mf_session *s, struct mf_arena *a, struct sieve_names *out, struct mf_error *err)
{
	struct listing x = { out, a };

	*out = (struct sieve_names){ .n = 0 };
	out->list = (const char **)mf_alloc_array(a, SIEVE_SCRIPTS_MAX, sizeof(*out->list));
	return ask(s, a, "LISTSCRIPTS", NULL, NULL, take_name, &x, err);
}

static bool
take_script(void *ctx, const struct line *l)
{
	const char **out = ctx;

	if (!l->string[0])
		return false;
	*out = l->words[0];
	return true;
}

enum mf_status
sieve_get(struct mf_session *s, const char *name, struct mf_arena *a, const char **out,
	struct mf_error *err)
{
	*out = "";
	return ask(s, a, "GETSCRIPT", name, NULL, take_script, out, err);
}

enum mf_status
sieve_put(struct mf_session *s, const char *name, const char *text, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	enum mf_status st = ask(s, a, "PUTSCRIPT", name, text, NULL, NULL, err);

	mf_arena_free(a);
	return st;
}

enum mf_status
sieve_activate(struct mf_session *s, const char *name, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	enum mf_status st = ask(s, a, "SETACTIVE", name, NULL, NULL, NULL, err);

	mf_arena_free(a);
	return st;
}
