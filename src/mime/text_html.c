/* Plain text as HTML: every character escaped, quotes as nested blockquotes, addresses as links. */
#include <string.h>

#include "base/str.h"
#include "mime/body.h"

enum { QUOTE_MAX = 10 };

#define QUOTE_OPEN                                                                  \
	"<blockquote type=\"cite\" style=\"margin:0 0 0 .8ex;border-left:1px #ccc " \
	"solid;padding-left:1ex\">"

enum odd { ODD_NONE, ODD_AMP, ODD_LESS, ODD_GREATER, ODD_QUOTE, ODD_TAB, ODD_BLANK };

static const uint8_t odd_bytes[256] = { ['&'] = ODD_AMP,
	['<'] = ODD_LESS,
	['>'] = ODD_GREATER,
	['"'] = ODD_QUOTE,
	['\t'] = ODD_TAB,
	[' '] = ODD_BLANK };

static void
escape(struct mf_buf *out, const char *s, size_t len)
{
	static const char entities[][8] = { "", "&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;",
		"&nbsp;" };
	size_t plain = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t odd = odd_bytes[(unsigned char)s[i]];

		/* A blank counts only at the beginning and behind another. */
		if (odd == ODD_NONE || (odd == ODD_BLANK && i > 0 && s[i - 1] != ' '))
			continue;
		mf_buf_add(out, s + plain, i - plain);
		mf_buf_add_str(out, entities[odd]);
		plain = i + 1;
	}
	mf_buf_add(out, s + plain, len - plain);
}

/* Length of the web address at s, 0 when there is none. */
static size_t
link_length(const char *s, size_t len)
{
	static const char *const schemes[] = { "http://", "https://", "ftp://" };
	size_t scheme = 0, n;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (len > strlen(schemes[i]) && str_ieqn(s, schemes[i], strlen(schemes[i])))
			scheme = strlen(schemes[i]);
	if (scheme == 0)
		return 0;
	for (n = scheme; n < len && (unsigned char)s[n] > ' '; n++)
		if (strchr("<>\"", s[n]) != NULL)
			break;
	while (n > scheme && strchr(".,;:!?)]}'*_", s[n - 1]) != NULL)
		n--;
	return n > scheme ? n : 0;
}

static void
add_link(struct mf_buf *out, const char *s, size_t len)
{
	mf_buf_add_str(out, "<a href=\"");
	escape(out, s, len);
	mf_buf_add_str(out, "\">");
	escape(out, s, len);
	mf_buf_add_str(out, "</a>");
}

static void
add_line(struct mf_buf *out, const char *s, size_t len)
{
	size_t plain = 0, i = 0;

	while (i + 6 < len) {
		const char *colon = memchr(s + i, ':', len - i);
		size_t at, n = 0;

		if (colon == NULL)
			break;
		at = (size_t)(colon - s);
		for (size_t back = 3; back <= 5 && n == 0; back++) {
			if (at < i + back)
				continue;
			n = link_length(s + at - back, len - at + back);
			if (n > 0)
				at -= back;
		}
		if (n > 0) {
			escape(out, s + plain, at - plain);
			add_link(out, s + at, n);
			plain = at + n;
			i = plain;
		} else {
			i = at + 1;
		}
	}
	escape(out, s + plain, len - plain);
}

/* The quote depth of a line; *skip: bytes that its marks take ("> > text", ">>text"). */
static size_t
quote_depth(const char *s, size_t len, size_t *skip)
{
	size_t depth = 0, i = 0;

	while (i < len && depth < QUOTE_MAX) {
		if (s[i] == '>')
			depth++;
		else if (s[i] != ' ' || depth == 0)
			break;
		i++;
	}
	*skip = i;
	return depth;
}

void
mime_text_to_html(struct mf_buf *out, const char *text, size_t len)
{
	size_t at = 0, depth = 0;
	bool first = true;

	while (at < len) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - text) - at, skip;
		size_t next = at + n + (end != NULL), want;

		if (n > 0 && text[at + n - 1] == '\r')
			n--;
		want = quote_depth(text + at, n, &skip);
		if (!first && want == depth)
			mf_buf_add_str(out, "<br>\r\n");
		for (; depth < want; depth++)
			mf_buf_add_str(out, QUOTE_OPEN);
		for (; depth > want; depth--)
			mf_buf_add_str(out, "</blockquote>\r\n");
		add_line(out, text + at + skip, n - skip);
		first = false;
		at = next;
	}
	for (; depth > 0; depth--)
		mf_buf_add_str(out, "</blockquote>");
	if (!first)
		mf_buf_add_str(out, "\r\n");
}
