/* format=flowed (RFC 3676): paragraphs that were cut into lines for transport are joined again. */
#include <string.h>

#include "mime/body.h"

enum { QUOTE_MAX = 50 };

struct line {
	const char *text; /* without quote marks and stuffing */
	size_t len;
	size_t depth;
	bool soft; /* the paragraph goes on in the next line */
};

/* Reads the line at s (len bytes without its end). */
static struct line
read_line(const char *s, size_t len)
{
	struct line l = { 0 };

	while (l.depth < len && s[l.depth] == '>')
		l.depth++;
	l.text = s + l.depth;
	l.len = len - l.depth;
	if (l.len > 0 && l.text[0] == ' ') {
		l.text++;
		l.len--;
	}
	l.soft = l.len > 0 && l.text[l.len - 1] == ' ' &&
		 !(l.len == 3 && memcmp(l.text, "-- ", 3) == 0);
	return l;
}

static void
add_marks(struct mf_buf *out, size_t depth)
{
	if (depth == 0)
		return;
	for (size_t i = 0; i < depth && i < QUOTE_MAX; i++)
		mf_buf_add_byte(out, '>');
	mf_buf_add_byte(out, ' ');
}

void
mime_unflow(struct mf_buf *out, const char *text, size_t len, bool delsp)
{
	struct line last = { 0 };
	size_t at = 0;

	while (at < len) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - text) - at;
		size_t next = at + n + (end != NULL);
		struct line l;

		if (n > 0 && text[at + n - 1] == '\r')
			n--;
		l = read_line(text + at, n);
		if (last.soft && l.depth != last.depth)
			mf_buf_add_str(out, "\n");
		if (!last.soft || l.depth != last.depth)
			add_marks(out, l.depth);
		mf_buf_add(out, l.text, l.len - (l.soft && delsp));
		if (!l.soft && end != NULL)
			mf_buf_add_str(out, "\n");
		last = l;
		at = next;
	}
}
