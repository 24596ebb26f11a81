/*
 * HTML as readable text, from its tags as they come: no tree is built. Of open elements a short stack is
 * kept, of those only that mean something here; what is nested deeper is text without structure. Knows no
 * message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mime/body.h"
#include "mime/html_element.h"
#include "mime/html_token.h"

enum {
	INPUT_MAX = 4 << 20,
	DEPTH_MAX = 200, /* elements open at once */
	RUN_MAX = 1024,	 /* of text that is written at once */
	LIST_MAX = 8,
	QUOTE_MAX = 10,
	HREF_MAX = 1000,
	NEWLINES_MAX = 3, /* at once: two empty lines */
};

struct list {
	bool ordered;
	unsigned count;
};

struct writer {
	struct mf_buf *out;
	size_t begin, max; /* of out */
	bool stopped, links;
	bool bare; /* there is no text at all: links are told without one */
	const struct html_element *open[DEPTH_MAX];
	unsigned depth;
	unsigned newlines; /* owed before the next text */
	bool space;	   /* a blank is owed */
	bool cell;	   /* it stands between cells of a table */
	bool any;	   /* some text was written */
	bool line_empty;   /* only marks stand in this line */
	unsigned skip, pre, quote, indent;
	unsigned last_quote; /* depth of the line before */
	struct list lists[LIST_MAX];
	unsigned n_lists;
	char href[HREF_MAX + 1];
	size_t link_begin; /* where the link's text begins in out; 0: none is open */
};

/* ---- Writing ---- */

static void
owe(struct writer *w, unsigned lines)
{
	if (!w->any || (w->newlines == 0 && w->line_empty))
		return;
	if (w->n_lists > 0 && lines > 1) /* paragraphs in items */
		lines = 1;
	if (lines > w->newlines)
		w->newlines = lines;
}

static void
begin_line(struct writer *w)
{
	for (unsigned i = 0; i < w->quote && i < QUOTE_MAX; i++)
		mf_buf_add_str(w->out, "> ");
	w->last_quote = w->quote;
	for (unsigned i = 0; i < w->indent && i < LIST_MAX; i++)
		mf_buf_add_str(w->out, "  ");
	w->line_empty = true;
}

/* Pays what is owed; afterwards text can be added. */
static void
pay(struct writer *w)
{
	if (!w->any || w->newlines > 0) {
		for (unsigned i = 0; w->any && i < w->newlines; i++) {
			mf_buf_add_byte(w->out, '\n');
			if (i + 1 < w->newlines && w->quote > 0 && w->last_quote > 0)
				mf_buf_add_str(w->out, ">");
		}
		begin_line(w);
	} else if (w->space && !w->line_empty) {
		mf_buf_add_byte(w->out, w->cell ? '\t' : ' ');
	}
	w->newlines = 0;
	w->space = w->cell = false;
	w->any = true;
	if (w->out->failed || w->out->len - w->begin > w->max)
		w->stopped = true;
}

static void
put(struct writer *w, const char *s, size_t len)
{
	pay(w);
	mf_buf_add(w->out, s, len);
	w->line_empty = false;
}

/* A line end that the text itself has. */
static void
line_end(struct writer *w)
{
	if (!w->any || (w->newlines == 0 && w->line_empty)) /* behind the mark of an item */
		return;
	if (w->newlines < NEWLINES_MAX)
		w->newlines++;
	w->space = false;
}

/* Bytes of the blank or invisible character at s: no-break spaces count as blanks, zero-width ones as
 * nothing; newsletters pad their preheaders with both. */
static size_t
blank_length(const char *s, size_t len, bool *visible)
{
	static const struct {
		char bytes[4];
		bool visible;
	} rows[] = { { "\xc2\xa0", true }, { "\xe2\x80\x8b", false }, { "\xe2\x80\x8c", false },
		{ "\xe2\x80\x8d", false }, { "\xcd\x8f", false }, { "\xef\xbb\xbf", false },
		{ "\xc2\xad", false } };

	*visible = true;
	if (s[0] == ' ' || s[0] == '\t' || s[0] == '\n' || s[0] == '\r' || s[0] == '\f')
		return 1;
	if ((unsigned char)s[0] < 0x80)
		return 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].bytes);

		*visible = rows[i].visible;
		if (len >= n && memcmp(s, rows[i].bytes, n) == 0)
			return n;
	}
	return 0;
}

/* Graphic ASCII. */
static bool
is_word(char c)
{
	return c > ' ' && c < 0x7f;
}

/* How much from i on is words with single blanks between them, which stand in the text as they do here. */
static size_t
run_length(const char *s, size_t len)
{
	size_t n = 0;
	bool visible;

	if (len > RUN_MAX)
		len = RUN_MAX;
	while (n < len) {
		if (is_word(s[n]) || (s[n] == ' ' && n + 1 < len && is_word(s[n + 1])))
			n++;
		else if (blank_length(s + n, len - n, &visible) == 0)
			n++;
		else
			break;
	}
	return n;
}

static void
put_text(struct writer *w, const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && !w->stopped) {
		bool visible;
		size_t n = blank_length(s + i, len - i, &visible);

		if (n > 0) {
			w->space |= visible;
		} else {
			n = run_length(s + i, len - i);
			put(w, s + i, n);
		}
		i += n;
	}
}

static void
put_pre(struct writer *w, const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && !w->stopped) {
		const char *end = memchr(s + i, '\n', len - i);
		size_t n = end == NULL ? len - i : (size_t)(end - s) - i;
		size_t next = i + n + (end != NULL);

		if (n > 0 && s[i + n - 1] == '\r')
			n--;
		if (n > 0)
			put(w, s + i, n);
		if (end != NULL)
			line_end(w);
		i = next;
	}
}

/* ---- Elements ---- */

static void
begin_item(struct writer *w)
{
	struct list *l =
		w->n_lists > 0 && w->n_lists <= LIST_MAX ? &w->lists[w->n_lists - 1] : NULL;
	char mark[24] = "* ";

	if (l != NULL && l->ordered)
		snprintf(mark, sizeof(mark), "%u. ", ++l->count);
	put(w, mark, strlen(mark));
	w->line_empty = true; /* text follows without a blank */
}

static void
begin_list(struct writer *w, bool ordered)
{
	if (w->n_lists < LIST_MAX)
		w->lists[w->n_lists] = (struct list){ ordered, 0 };
	w->n_lists++;
	w->indent += w->n_lists > 1;
}

static void
end_list(struct writer *w)
{
	if (w->n_lists == 0)
		return;
	w->indent -= w->n_lists > 1 && w->indent > 0;
	w->n_lists--;
}

/* Is it of use outside the message? */
static bool
is_address(const char *href)
{
	return str_istarts(href, "http://") || str_istarts(href, "https://") ||
	       str_istarts(href, "ftp://") || str_istarts(href, "mailto:");
}

static void
begin_link(struct writer *w, const struct html_token *tag)
{
	struct mf_buf href;

	w->link_begin = 0;
	if (!w->links)
		return;
	mf_buf_init(&href, HREF_MAX);
	if (html_attribute(tag, "href", &href) && !href.failed && is_address(mf_buf_str(&href))) {
		memcpy(w->href, href.data, href.len + 1);
		w->link_begin = w->out->len + 1;
	}
	mf_buf_deinit(&href);
}

/* The address behind the link's text, when the text does not tell it already. */
static void
end_link(struct writer *w)
{
	size_t begin = w->link_begin, len;
	const char *href = w->href;

	w->link_begin = 0;
	if (begin == 0 || (w->out->len < begin && !w->bare))
		return;
	if (str_istarts(href, "mailto:")) {
		href += 7;
		w->href[7 + strcspn(href, "?")] = '\0';
	}
	len = strcspn(href, "?#");
	while (len > 0 && href[len - 1] == '/')
		len--;
	if (w->out->len >= begin &&
		memmem(w->out->data + begin - 1, w->out->len - begin + 1, href, len) != NULL)
		return;
	w->space = true;
	put(w, "<", 1);
	for (const char *p = href; *p != '\0'; p++)
		if ((unsigned char)*p > ' ' && *p != '<' && *p != '>')
			mf_buf_add_byte(w->out, (uint8_t)*p);
	mf_buf_add_byte(w->out, '>');
}

static void
put_image(struct writer *w, const struct html_token *tag)
{
	struct mf_buf text;
	const char *alt;

	mf_buf_init(&text, 0);
	html_attribute(tag, "alt", &text);
	alt = mf_buf_str(&text);
	alt += strspn(alt, " \t\r\n");
	if (*alt != '\0') {
		put(w, "[", 1);
		put_text(w, alt, strlen(alt));
		w->space = false;
		mf_buf_add_byte(w->out, ']');
	}
	mf_buf_deinit(&text);
}

static void
begin_action(struct writer *w, enum html_action action, const struct html_token *tag)
{
	switch (action) {
	case HTML_ACTION_NONE:
		break;
	case HTML_ACTION_SKIP:
		w->skip++;
		break;
	case HTML_ACTION_BREAK:
		line_end(w);
		break;
	case HTML_ACTION_RULE:
		put(w, "----------------------------------------", 40);
		break;
	case HTML_ACTION_PRE:
		w->pre++;
		break;
	case HTML_ACTION_QUOTE:
		w->quote++;
		break;
	case HTML_ACTION_LIST:
	case HTML_ACTION_ORDERED:
		begin_list(w, action == HTML_ACTION_ORDERED);
		break;
	case HTML_ACTION_ITEM:
		begin_item(w);
		break;
	case HTML_ACTION_INDENT:
		w->indent++;
		break;
	case HTML_ACTION_CELL:
		w->space = w->cell = true;
		break;
	case HTML_ACTION_LINK:
		begin_link(w, tag);
		break;
	case HTML_ACTION_IMAGE:
		put_image(w, tag);
		break;
	}
}

static void
end_action(struct writer *w, enum html_action action)
{
	switch (action) {
	case HTML_ACTION_SKIP:
		w->skip -= w->skip > 0;
		break;
	case HTML_ACTION_PRE:
		w->pre -= w->pre > 0;
		break;
	case HTML_ACTION_QUOTE:
		w->quote -= w->quote > 0;
		break;
	case HTML_ACTION_LIST:
	case HTML_ACTION_ORDERED:
		end_list(w);
		break;
	case HTML_ACTION_INDENT:
		w->indent -= w->indent > 0;
		break;
	case HTML_ACTION_LINK:
		end_link(w);
		break;
	default:
		break;
	}
}

/* ---- What is open ---- */

static void
pop(struct writer *w)
{
	const struct html_element *e = w->open[--w->depth];

	if (w->skip == 0 || e->action == HTML_ACTION_SKIP)
		end_action(w, e->action);
	if (w->skip == 0 && e->lines > 0)
		owe(w, e->lines);
}

static void
pop_to(struct writer *w, unsigned depth)
{
	while (w->depth > depth && !w->stopped)
		pop(w);
}

/* Ends what cannot be open any more when something of one of `ends` comes. */
static void
imply(struct writer *w, struct html_implied rule)
{
	for (unsigned i = w->depth; i > 0; i--) {
		unsigned role = 1U << w->open[i - 1]->role;

		if ((role & rule.ends) != 0) {
			pop_to(w, i - 1);
			return;
		}
		if ((role & rule.stops) != 0)
			return;
	}
}

/* What every block ends. */
static const struct html_implied within_title = { 1U << HTML_ROLE_TITLE, ~(1U << HTML_ROLE_TITLE) };
static const struct html_implied within_p = { 1U << HTML_ROLE_P,
	~(1U << HTML_ROLE_P | 1U << HTML_ROLE_LINK) };

static void
on_open(struct writer *w, const struct html_token *tag)
{
	const struct html_element *e = html_element_find(tag->name);

	if (e == NULL)
		return;
	imply(w, html_implied_end(e->role));
	if (e->lines > 0) {
		imply(w, within_title);
		imply(w, within_p);
	}
	if (w->skip == 0 && e->lines > 0)
		owe(w, e->lines);
	if (w->depth == DEPTH_MAX)
		return;
	w->open[w->depth++] = e;
	if (w->skip == 0 || e->action == HTML_ACTION_SKIP)
		begin_action(w, e->action, tag);
	if (e->role == HTML_ROLE_VOID || tag->empty)
		pop(w);
}

static void
on_close(struct writer *w, const struct html_token *tag)
{
	const struct html_element *e = html_element_find(tag->name);

	if (e == NULL)
		return;
	for (unsigned i = w->depth; i > 0; i--) {
		if (w->open[i - 1] == e) {
			pop_to(w, i - 1);
			return;
		}
		if ((1U << w->open[i - 1]->role & html_walls(e->role)) != 0)
			return;
	}
}

/* ---- All of it ---- */

static void
put_some(struct writer *w, const char *s, size_t len)
{
	(w->pre > 0 ? put_pre : put_text)(w, s, len);
}

static void
on_text(struct writer *w, struct mf_bytes text)
{
	const char *s = (const char *)text.data, *end = s + text.len;

	while (s < end && w->skip == 0 && !w->stopped) {
		const char *amp = memchr(s, '&', (size_t)(end - s));
		char c[4];
		size_t taken, n;

		put_some(w, s, (size_t)((amp == NULL ? end : amp) - s));
		if (amp == NULL)
			return;
		taken = html_entity(amp, (size_t)(end - amp), c, &n);
		put_some(w, taken == 0 ? "&" : c, taken == 0 ? 1 : n);
		s = amp + (taken == 0 ? 1 : taken);
	}
}

static bool
convert(struct writer *w, const char *html, size_t len)
{
	struct html_reader r;
	struct html_token t;

	html_reader_init(&r, html, len);
	while (!w->stopped && html_read(&r, &t) != HTML_END) {
		if (t.kind == HTML_TEXT)
			on_text(w, t.text);
		else if (t.kind == HTML_OPEN)
			on_open(w, &t);
		else
			on_close(w, &t);
	}
	pop_to(w, 0);
	if (w->any && !w->stopped)
		mf_buf_add_byte(w->out, '\n');
	return !w->stopped;
}

bool
mime_html_to_text(struct mf_buf *out, const char *html, size_t len, size_t max, bool links)
{
	struct writer w = { .out = out, .begin = out->len, .max = max, .links = links };
	size_t limit = len < INPUT_MAX ? len : INPUT_MAX;
	bool whole = limit == 0 || convert(&w, html, limit);

	if (!w.any && links && whole && limit > 0) {
		w = (struct writer){
			.out = out, .begin = out->len, .max = max, .links = true, .bare = true
		};
		whole = convert(&w, html, limit);
	}
	return whole && limit == len;
}
