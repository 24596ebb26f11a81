/* Search strings, by recursive descent: OR over AND over NOT. Knows their syntax only. */
#include "eas/map/phrase.h"

#include <string.h>

#include "base/str.h"

static const struct {
	const char *name;
	enum mf_query_kind kind;
} properties[] = {
	{ "from:", MF_QUERY_FROM },
	{ "to:", MF_QUERY_TO },
	{ "cc:", MF_QUERY_CC },
	{ "bcc:", MF_QUERY_BCC },
	{ "subject:", MF_QUERY_SUBJECT },
	{ "body:", MF_QUERY_BODY },
	/* Any of those who take part: */
	{ "participants:", MF_QUERY_OR },
};

static const enum mf_query_kind participants[] = { MF_QUERY_FROM, MF_QUERY_TO, MF_QUERY_CC,
	MF_QUERY_BCC };

struct reader {
	struct mf_arena *a;
	const char *at;
	size_t terms;
	unsigned depth;
	bool over; /* a limit */
};

/* Children of one AND or OR. */
struct list {
	struct mf_query items[PHRASE_TERMS_MAX];
	size_t n;
};

static const struct mf_query *read_or(struct reader *r, enum mf_query_kind kind);

static void
skip_blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t\r\n");
}

/* An operator is a word of its own, in capitals. */
static bool
at_word(const struct reader *r, const char *word)
{
	size_t len = strlen(word);
	return strncmp(r->at, word, len) == 0 && strchr(" \t\r\n()", r->at[len]) != NULL;
}

static bool
take_word(struct reader *r, const char *word)
{
	skip_blanks(r);
	if (!at_word(r, word))
		return false;
	r->at += strlen(word);
	return true;
}

static struct mf_query *
new_query(struct reader *r, enum mf_query_kind kind, const char *text)
{
	struct mf_query *q = mf_new(r->a, struct mf_query);
	q->kind = kind;
	q->text = text;
	return q;
}

static const struct mf_query *
join(struct reader *r, enum mf_query_kind kind, const struct list *l)
{
	if (l->n == 0)
		return NULL;
	struct mf_query *children = mf_new_array(r->a, struct mf_query, l->n);
	memcpy(children, l->items, l->n * sizeof(*children));
	if (l->n == 1)
		return children;
	struct mf_query *q = new_query(r, kind, NULL);
	q->children = children;
	q->n_children = l->n;
	return q;
}

static const struct mf_query *
make_term(struct reader *r, enum mf_query_kind kind, const char *text)
{
	struct list any = { .n = 0 };
	if (kind != MF_QUERY_OR)
		return new_query(r, kind, text);
	for (size_t i = 0; i < sizeof(participants) / sizeof(*participants); i++)
		any.items[any.n++] = (struct mf_query){ .kind = participants[i], .text = text };
	return join(r, MF_QUERY_OR, &any);
}

/* The text of a term: control characters become blanks, no server can be asked for them. NULL: it is
 * empty. */
static const char *
clean(struct reader *r, const char *text, size_t len)
{
	while (len > 0 && text[len - 1] == ' ')
		len--;
	if (len > PHRASE_TERM_MAX)
		r->over = true;
	if (len == 0 || r->over)
		return NULL;
	char *copy = mf_strndup(r->a, text, len);
	for (char *p = copy; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return copy;
}

/* A quoted phrase, or a word; a star at its end says what is so anyway: that more may follow. */
static const char *
take_text(struct reader *r)
{
	bool quoted = *r->at == '"';
	const char *begin = r->at + quoted;
	size_t len = quoted ? strcspn(begin, "\"") : strcspn(begin, " \t\r\n()\"");
	r->at = begin + len + (quoted && begin[len] == '"');
	if (!quoted && *r->at == ')' && r->depth == 0)
		r->at++;
	while (!quoted && len > 0 && begin[len - 1] == '*')
		len--;
	return clean(r, begin, len);
}

static enum mf_query_kind
take_property(struct reader *r, enum mf_query_kind kind)
{
	for (size_t i = 0; i < sizeof(properties) / sizeof(*properties); i++)
		if (str_istarts(r->at, properties[i].name)) {
			r->at += strlen(properties[i].name);
			skip_blanks(r);
			return properties[i].kind;
		}
	return kind;
}

static const struct mf_query *
read_group(struct reader *r, enum mf_query_kind kind)
{
	if (++r->depth > PHRASE_DEPTH_MAX) {
		r->over = true;
		return NULL;
	}
	r->at++;
	const struct mf_query *q = read_or(r, kind);
	skip_blanks(r);
	if (*r->at == ')')
		r->at++;
	r->depth--;
	return q;
}

/* NULL: nothing was there. */
static const struct mf_query *
read_term(struct reader *r, enum mf_query_kind kind)
{
	bool not = take_word(r, "NOT");
	const struct mf_query *q = NULL;
	skip_blanks(r);
	not = not || (*r->at == '-' && r->at[1] > ' ');
	r->at += *r->at == '-' && r->at[1] > ' ';
	kind = take_property(r, kind);
	if (++r->terms > PHRASE_TERMS_MAX)
		r->over = true;
	if (r->over)
		return NULL;
	if (*r->at == '(') {
		q = read_group(r, kind);
	} else {
		const char *text = take_text(r);
		q = text == NULL ? NULL : make_term(r, kind, text);
	}
	if (q == NULL || !not )
		return q;
	struct mf_query *n = new_query(r, MF_QUERY_NOT, NULL);
	n->children = q;
	n->n_children = 1;
	return n;
}

static bool
at_end(struct reader *r)
{
	skip_blanks(r);
	return r->over || *r->at == '\0' || (*r->at == ')' && r->depth > 0);
}

static const struct mf_query *
read_and(struct reader *r, enum mf_query_kind kind)
{
	struct list all = { .n = 0 };
	while (!at_end(r) && !at_word(r, "OR")) {
		if (take_word(r, "AND"))
			continue;
		const struct mf_query *q = read_term(r, kind);
		if (q != NULL)
			all.items[all.n++] = *q;
	}
	return join(r, MF_QUERY_AND, &all);
}

static const struct mf_query *
read_or(struct reader *r, enum mf_query_kind kind)
{
	struct list any = { .n = 0 };
	do {
		const struct mf_query *q = read_and(r, kind);
		if (q != NULL && any.n < PHRASE_TERMS_MAX)
			any.items[any.n++] = *q;
	} while (!at_end(r) && take_word(r, "OR"));
	return join(r, MF_QUERY_OR, &any);
}

enum mf_status
phrase_parse(struct mf_arena *a, const char *text, const struct mf_query **out)
{
	struct reader r = { .a = a, .at = text == NULL ? "" : text };
	*out = read_or(&r, MF_QUERY_TEXT);
	if (r.over)
		return MF_TOO_LARGE;
	return *out == NULL ? MF_INVALID : MF_OK;
}
