/* A tree as XML for people: traces, tests, `mailferry probe`. Knows which tags hold secrets. */
#include <stdbool.h>

#include "base/str.h"
#include "wbxml/token.h"
#include "wbxml/wbxml.h"

static const uint16_t secret_tags[] = {
	Search_Password,
	Settings_DevicePassword,
	Settings_Password,
	ItemOperations_Password,
};

struct dump {
	struct mf_buf *out;
	bool hide;
	uint8_t page; /* the root's: its elements have no prefix */
	bool used[WBXML_PAGES];
	bool unknown; /* a tag without a name is in the tree */
};

static bool
is_secret(uint16_t tag)
{
	for (size_t i = 0; i < sizeof(secret_tags) / sizeof(secret_tags[0]); i++)
		if (secret_tags[i] == tag)
			return true;
	return false;
}

static void
collect(struct dump *d, const struct wbxml_node *n)
{
	if (wbxml_tag_name(n->tag) != NULL)
		d->used[n->tag >> 8] = true;
	else
		d->unknown = true;
	for (const struct wbxml_node *c = n->children; c != NULL; c = c->next)
		collect(d, c);
}

/* Prefixes are the namespaces in lower case. */
static void
put_prefix(struct dump *d, uint8_t page)
{
	for (const char *p = wbxml_page_name(page); *p != '\0'; p++)
		mf_buf_add_byte(d->out, (uint8_t)(*p >= 'A' && *p <= 'Z' ? *p + ('a' - 'A') : *p));
}

static void
put_name(struct dump *d, uint16_t tag)
{
	const char *name = wbxml_tag_name(tag);

	if (name == NULL) {
		mf_buf_printf(d->out, "unknown:T%04X", (unsigned)tag);
		return;
	}
	if (tag >> 8 != d->page) {
		put_prefix(d, (uint8_t)(tag >> 8));
		mf_buf_add_byte(d->out, ':');
	}
	mf_buf_add_str(d->out, name);
}

static void
put_namespaces(struct dump *d)
{
	if (d->used[d->page])
		mf_buf_printf(d->out, " xmlns=\"%s\"", wbxml_page_name(d->page));
	for (unsigned page = 0; page < WBXML_PAGES; page++) {
		if (!d->used[page] || page == d->page)
			continue;
		mf_buf_add_str(d->out, " xmlns:");
		put_prefix(d, (uint8_t)page);
		mf_buf_printf(d->out, "=\"%s\"", wbxml_page_name((uint8_t)page));
	}
	if (d->unknown)
		mf_buf_add_str(d->out, " xmlns:unknown=\"Unknown\"");
}

static void
put_escaped(struct mf_buf *out, const char *s)
{
	while (*s != '\0') {
		size_t plain = strcspn(s, "&<>\r");

		mf_buf_add(out, s, plain);
		s += plain;
		if (*s == '\0')
			break;
		mf_buf_add_str(out, *s == '&'	? "&amp;"
				    : *s == '<' ? "&lt;"
				    : *s == '>' ? "&gt;"
						: "&#13;");
		s++;
	}
}

static void
put_text(struct dump *d, const char *s)
{
	const char *p = s;

	while (str_starts(p, WBXML_XML_TEXT))
		p += strlen(WBXML_XML_TEXT);
	if (str_starts(p, WBXML_XML_OPAQUE))
		mf_buf_add_str(d->out, WBXML_XML_TEXT);
	put_escaped(d->out, s);
}

static void
put_base64(struct mf_buf *out, struct mf_bytes data)
{
	enum { STEP = 3 * 16384 };
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < data.len; i += STEP)
		mf_buf_add_str(out,
			str_base64(a, data.data + i, data.len - i < STEP ? data.len - i : STEP));
	mf_arena_free(a);
}

static void
put_content(struct dump *d, const struct wbxml_node *n)
{
	if (d->hide && is_secret(n->tag) && (n->text != NULL || n->opaque.data != NULL)) {
		mf_buf_add_str(d->out, "***");
		return;
	}
	if (n->text != NULL)
		put_text(d, n->text);
	if (n->opaque.data != NULL && n->text != NULL) {
		mf_buf_printf(d->out, "<!-- and %zu opaque bytes -->", n->opaque.len);
	} else if (n->opaque.data != NULL) {
		mf_buf_add_str(d->out, WBXML_XML_OPAQUE);
		put_base64(d->out, n->opaque);
	}
}

static void
new_line(struct dump *d, unsigned level)
{
	mf_buf_add_byte(d->out, '\n');
	for (unsigned i = 0; i < level; i++)
		mf_buf_add_str(d->out, "  ");
}

/* Children stand on lines of their own, unless the element has text too: blanks would join it. */
static void
put_element(struct dump *d, const struct wbxml_node *n, unsigned level, bool lines)
{
	bool content = n->text != NULL || n->opaque.data != NULL;

	mf_buf_add_byte(d->out, '<');
	put_name(d, n->tag);
	if (level == 0)
		put_namespaces(d);
	if (!content && n->children == NULL) {
		mf_buf_add_str(d->out, "/>");
		return;
	}
	mf_buf_add_byte(d->out, '>');
	put_content(d, n);
	lines = lines && !content;
	for (const struct wbxml_node *c = n->children; c != NULL; c = c->next) {
		if (lines)
			new_line(d, level + 1);
		put_element(d, c, level + 1, lines);
	}
	if (lines)
		new_line(d, level);
	mf_buf_add_str(d->out, "</");
	put_name(d, n->tag);
	mf_buf_add_byte(d->out, '>');
}

void
wbxml_dump(const struct wbxml_node *root, bool hide, struct mf_buf *out)
{
	struct dump d = { .out = out, .hide = hide };

	if (root == NULL)
		return;
	/* A root without a name leaves page 3, which has no tags, as the one without prefix. */
	d.page = wbxml_tag_name(root->tag) == NULL ? 3 : (uint8_t)(root->tag >> 8);
	collect(&d, root);
	put_element(&d, root, 0, true);
	mf_buf_add_byte(out, '\n');
}
