/* Places in HTML text, found by looking at its tags only. Knows no element but those it looks for. */
#include <string.h>

#include "base/str.h"
#include "mime/body.h"

enum { HEAD_MAX = 16384 }; /* a charset declared later does not count */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* The last tag `tag` ("</body", lower case) that begins at or after `from`; SIZE_MAX: none. */
static size_t
last_tag(const char *html, size_t len, const char *tag)
{
	size_t n = strlen(tag), found = SIZE_MAX, end = len;
	const char *p;

	while (end > 0 && (p = memrchr(html, '<', end)) != NULL) {
		end = (size_t)(p - html);
		if (len - end > n && str_ieqn(p, tag, n) && (is_space(p[n]) || p[n] == '>')) {
			found = end;
			break;
		}
	}
	return found;
}

/* Behind the first tag of that name; SIZE_MAX: none. */
static size_t
behind_tag(const char *html, size_t len, const char *tag)
{
	size_t n = strlen(tag), at = 0;
	const char *p, *end;

	while (at < len && (p = memchr(html + at, '<', len - at)) != NULL) {
		at = (size_t)(p - html) + 1;
		if (len - at < n || !str_ieqn(p, tag, n) || !(is_space(p[n]) || p[n] == '>'))
			continue;
		end = memchr(p, '>', len - at + 1);
		return end == NULL ? SIZE_MAX : (size_t)(end - html) + 1;
	}
	return SIZE_MAX;
}

size_t
mime_html_end(const char *html, size_t len)
{
	size_t at = last_tag(html, len, "</body");

	if (at == SIZE_MAX)
		at = last_tag(html, len, "</html");
	return at == SIZE_MAX ? len : at;
}

size_t
mime_html_begin(const char *html, size_t len)
{
	static const char *const tags[] = { "<body", "</head", "<html" };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		size_t at = behind_tag(html, len, tags[i]);

		if (at != SIZE_MAX)
			return at;
	}
	return 0;
}

/* The value behind "word =" within a tag (len bytes). */
static bool
value_of(const char *tag, size_t len, const char *word, size_t *at, size_t *n)
{
	size_t w = strlen(word);

	for (size_t i = 0; i + w < len; i++) {
		size_t j = i + w;

		if ((tag[i] | 32) != word[0] || !str_ieqn(tag + i, word, w))
			continue;
		while (j < len && is_space(tag[j]))
			j++;
		if (j == len || tag[j] != '=')
			continue;
		j++;
		while (j < len && (is_space(tag[j]) || tag[j] == '"' || tag[j] == '\''))
			j++;
		*at = j;
		while (j < len && !is_space(tag[j]) && strchr("\"';/>?", tag[j]) == NULL)
			j++;
		*n = j - *at;
		return *n > 0;
	}
	return false;
}

bool
mime_html_charset(const char *html, size_t len, size_t from, size_t *at, size_t *n)
{
	const char *p;

	if (len > HEAD_MAX)
		len = HEAD_MAX;
	while (from < len && (p = memchr(html + from, '<', len - from)) != NULL) {
		size_t begin = (size_t)(p - html);
		const char *end = memchr(p, '>', len - begin);
		const char *word = NULL;

		if (end == NULL)
			return false;
		if (end - p > 5 && str_ieqn(p, "<meta", 5))
			word = "charset";
		else if (end - p > 5 && str_ieqn(p, "<?xml", 5))
			word = "encoding";
		if (word != NULL && value_of(p, (size_t)(end - p), word, at, n)) {
			*at += begin;
			return true;
		}
		from = begin + 1;
	}
	return false;
}
