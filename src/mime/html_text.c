/*
 * HTML as readable text, by libxml2's push parser as a source of events: no tree is built. The parser
 * keeps a stack of open elements that hostile input can make deep and slow; when it is too deep after a
 * portion the parser is thrown away and a fresh one goes on. Knows no message.
 */
#include <ctype.h>
#include <libxml/HTMLparser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mime/body.h"

enum {
	INPUT_MAX = 4 << 20,
	PORTION = 4096,
	DEPTH_MAX = 400, /* open elements before a fresh parser is taken */
	LIST_MAX = 8,
	QUOTE_MAX = 10,
	HREF_MAX = 1000,
	NEWLINES_MAX = 3, /* at once: two empty lines */
};

enum action {
	ACTION_NONE,
	ACTION_SKIP,  /* content is not text */
	ACTION_BREAK, /* one line end, always */
	ACTION_RULE,
	ACTION_PRE,
	ACTION_QUOTE,
	ACTION_LIST,
	ACTION_ORDERED,
	ACTION_ITEM,
	ACTION_INDENT,
	ACTION_CELL,
	ACTION_LINK,
	ACTION_IMAGE,
};

struct element {
	const char *name;
	unsigned lines; /* line ends before and after it at least */
	enum action action;
};

/* Sorted by name. */
static const struct element elements[] = {
	{ "a", 0, ACTION_LINK },
	{ "address", 1, ACTION_NONE },
	{ "article", 1, ACTION_NONE },
	{ "blockquote", 1, ACTION_QUOTE },
	{ "br", 0, ACTION_BREAK },
	{ "center", 1, ACTION_NONE },
	{ "dd", 1, ACTION_INDENT },
	{ "div", 1, ACTION_NONE },
	{ "dl", 1, ACTION_NONE },
	{ "dt", 1, ACTION_NONE },
	{ "fieldset", 1, ACTION_NONE },
	{ "footer", 1, ACTION_NONE },
	{ "form", 1, ACTION_NONE },
	{ "h1", 2, ACTION_NONE },
	{ "h2", 2, ACTION_NONE },
	{ "h3", 2, ACTION_NONE },
	{ "h4", 2, ACTION_NONE },
	{ "h5", 2, ACTION_NONE },
	{ "h6", 2, ACTION_NONE },
	{ "header", 1, ACTION_NONE },
	{ "hr", 1, ACTION_RULE },
	{ "img", 0, ACTION_IMAGE },
	{ "li", 1, ACTION_ITEM },
	{ "main", 1, ACTION_NONE },
	{ "nav", 1, ACTION_NONE },
	{ "object", 0, ACTION_NONE },
	{ "ol", 1, ACTION_ORDERED },
	{ "p", 2, ACTION_NONE },
	{ "pre", 2, ACTION_PRE },
	{ "script", 0, ACTION_SKIP },
	{ "section", 1, ACTION_NONE },
	{ "style", 0, ACTION_SKIP },
	{ "table", 1, ACTION_NONE },
	{ "td", 0, ACTION_CELL },
	{ "template", 0, ACTION_SKIP },
	{ "th", 0, ACTION_CELL },
	{ "title", 0, ACTION_SKIP },
	{ "tr", 1, ACTION_NONE },
	{ "ul", 1, ACTION_LIST },
	{ "xml", 0, ACTION_SKIP },
};

struct list {
	bool ordered;
	unsigned count;
};

struct writer {
	struct mf_buf *out;
	htmlParserCtxtPtr parser;
	size_t begin, max; /* of out */
	bool stopped, links;
	bool bare; /* there is no text at all: links are told without one */
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

static int
compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct element *)row)->name);
}

static const struct element *
find_element(const xmlChar *name)
{
	static const struct element other = { "", 0, ACTION_NONE };
	const struct element *e = bsearch(name, elements, sizeof(elements) / sizeof(elements[0]),
		sizeof(elements[0]), compare);

	return e == NULL ? &other : e;
}

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
	if (w->out->failed || w->out->len - w->begin > w->max) {
		w->stopped = true;
		xmlStopParser(w->parser);
	}
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

static void
put_text(struct writer *w, const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && !w->stopped) {
		bool visible;
		size_t n = blank_length(s + i, len - i, &visible), from = i;

		if (n > 0) {
			w->space |= visible;
			i += n;
			continue;
		}
		while (i < len && blank_length(s + i, len - i, &visible) == 0)
			i++;
		put(w, s + from, i - from);
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

static const char *
attribute(const xmlChar **attributes, const char *name)
{
	for (; attributes != NULL && attributes[0] != NULL; attributes += 2)
		if (str_ieq((const char *)attributes[0], name))
			return (const char *)attributes[1];
	return NULL;
}

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

static void
begin_link(struct writer *w, const char *href)
{
	w->link_begin = 0;
	if (!w->links || href == NULL || strlen(href) > HREF_MAX ||
		!(str_istarts(href, "http://") || str_istarts(href, "https://") ||
			str_istarts(href, "ftp://") || str_istarts(href, "mailto:")))
		return;
	memcpy(w->href, href, strlen(href) + 1);
	w->link_begin = w->out->len + 1;
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
put_image(struct writer *w, const xmlChar **attributes)
{
	const char *alt = attribute(attributes, "alt");

	if (alt != NULL)
		alt += strspn(alt, " \t\r\n");
	if (alt == NULL || *alt == '\0')
		return;
	put(w, "[", 1);
	put_text(w, alt, strlen(alt));
	w->space = false;
	mf_buf_add_byte(w->out, ']');
}

static void
begin_action(struct writer *w, enum action action, const xmlChar **attributes)
{
	switch (action) {
	case ACTION_NONE:
		break;
	case ACTION_SKIP:
		w->skip++;
		break;
	case ACTION_BREAK:
		line_end(w);
		break;
	case ACTION_RULE:
		put(w, "----------------------------------------", 40);
		break;
	case ACTION_PRE:
		w->pre++;
		break;
	case ACTION_QUOTE:
		w->quote++;
		break;
	case ACTION_LIST:
	case ACTION_ORDERED:
		begin_list(w, action == ACTION_ORDERED);
		break;
	case ACTION_ITEM:
		begin_item(w);
		break;
	case ACTION_INDENT:
		w->indent++;
		break;
	case ACTION_CELL:
		w->space = w->cell = true;
		break;
	case ACTION_LINK:
		begin_link(w, attribute(attributes, "href"));
		break;
	case ACTION_IMAGE:
		put_image(w, attributes);
		break;
	}
}

static void
end_action(struct writer *w, enum action action)
{
	switch (action) {
	case ACTION_SKIP:
		w->skip -= w->skip > 0;
		break;
	case ACTION_PRE:
		w->pre -= w->pre > 0;
		break;
	case ACTION_QUOTE:
		w->quote -= w->quote > 0;
		break;
	case ACTION_LIST:
	case ACTION_ORDERED:
		end_list(w);
		break;
	case ACTION_INDENT:
		w->indent -= w->indent > 0;
		break;
	case ACTION_LINK:
		end_link(w);
		break;
	default:
		break;
	}
}

/* ---- Events ---- */

static void
on_start(void *ctx, const xmlChar *name, const xmlChar **attributes)
{
	struct writer *w = ctx;
	const struct element *e = find_element(name);

	w->depth++;
	if (w->stopped)
		return;
	if (w->skip == 0 && e->lines > 0)
		owe(w, e->lines);
	if (w->skip == 0 || e->action == ACTION_SKIP)
		begin_action(w, e->action, attributes);
}

static void
on_end(void *ctx, const xmlChar *name)
{
	struct writer *w = ctx;
	const struct element *e = find_element(name);

	w->depth -= w->depth > 0;
	if (w->stopped)
		return;
	if (w->skip == 0 || e->action == ACTION_SKIP)
		end_action(w, e->action);
	if (w->skip == 0 && e->lines > 0)
		owe(w, e->lines);
}

static void
on_text(void *ctx, const xmlChar *s, int len)
{
	struct writer *w = ctx;

	if (w->stopped || w->skip > 0)
		return;
	(w->pre > 0 ? put_pre : put_text)(w, (const char *)s, (size_t)len);
}

/* A body is opened at once: text without one would be taken as a paragraph. */
static htmlParserCtxtPtr
new_parser(struct writer *w)
{
	static htmlSAXHandler events = {
		.startElement = on_start,
		.endElement = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
	};
	htmlParserCtxtPtr p =
		htmlCreatePushParserCtxt(&events, w, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);

	if (p == NULL)
		return NULL;
	htmlCtxtUseOptions(p, HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
				      HTML_PARSE_IGNORE_ENC);
	htmlParseChunk(p, "<body>", 6, 0);
	return p;
}

static void
fresh_parser(struct writer *w)
{
	htmlParseChunk(w->parser, "", 0, 1);
	htmlFreeParserCtxt(w->parser);
	w->parser = new_parser(w);
	w->depth = w->skip = w->pre = w->quote = w->indent = w->n_lists = 0;
	w->link_begin = 0;
	owe(w, 1);
}

/* How much to parse next: up to the end of a tag, so that a fresh parser can begin behind it. */
static size_t
portion(const char *html, size_t left)
{
	const char *close;

	if (left <= PORTION)
		return left;
	close = memrchr(html, '>', PORTION);
	return close == NULL ? PORTION : (size_t)(close - html) + 1;
}

/* Parses up to `end`, as far as room is. */
static void
parse(struct writer *w, const char *html, size_t end)
{
	for (size_t at = 0; at < end && !w->stopped && w->parser != NULL;) {
		size_t n = portion(html + at, end - at);

		htmlParseChunk(w->parser, html + at, (int)n, 0);
		if (w->depth > DEPTH_MAX && !w->stopped)
			fresh_parser(w);
		at += n;
	}
}

/* Behind the last comment that ends. */
static size_t
comments_end(const char *html, size_t len)
{
	size_t at = 0;

	for (const char *end; (end = memmem(html + at, len - at, "-->", 3)) != NULL;)
		at = (size_t)(end - html) + 3;
	return at;
}

/* A comment that never ends would hide all that follows: then it ends with its tag. */
static void
parse_all(struct writer *w, const char *html, size_t len)
{
	size_t at = 0, seen = comments_end(html, len);
	const char *open;

	while ((open = memmem(html + seen, len - seen, "<!--", 4)) != NULL) {
		const char *end = memchr(open, '>', len - (size_t)(open - html));

		parse(w, html + at, (size_t)(open - html) - at);
		at = seen = end == NULL ? len : (size_t)(end - html) + 1;
	}
	parse(w, html + at, len - at);
	if (w->parser != NULL && !w->stopped)
		htmlParseChunk(w->parser, "", 0, 1);
}

static bool
convert(struct writer *w, const char *html, size_t len)
{
	w->parser = new_parser(w);
	parse_all(w, html, len);
	if (w->any && !w->stopped)
		mf_buf_add_byte(w->out, '\n');
	htmlFreeParserCtxt(w->parser);
	return !w->stopped;
}

bool
mime_html_to_text(struct mf_buf *out, const char *html, size_t len, size_t max, bool links)
{
	struct writer w = { .out = out, .begin = out->len, .max = max, .links = links };
	struct writer bare = w;
	size_t limit = len < INPUT_MAX ? len : INPUT_MAX;
	bool whole = limit == 0 || convert(&w, html, limit);

	if (!w.any && links && whole && limit > 0) {
		bare.bare = true;
		whole = convert(&bare, html, limit);
	}
	return whole && limit == len;
}
