/* Filters and names from texts of strangers. Pure. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dir.h"

/* Everything but plain letters and digits as \xx: no byte of a text can mean anything (RFC 4515 3). */
static void
add_escaped(struct mf_buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x80 && (isalnum(c) || c == ' ' || strchr("@.-_+'", c) != NULL))
			mf_buf_add_byte(out, c);
		else
			mf_buf_printf(out, "\\%02x", c);
	}
}

static void
add_equal(struct mf_buf *out, const char *const *attributes, const char *text)
{
	for (; *attributes != NULL; attributes++) {
		mf_buf_printf(out, "(%s=", *attributes);
		add_escaped(out, text, strlen(text));
		mf_buf_add_str(out, ")");
	}
}

/* One of the attributes has a word that begins so. */
static void
add_word(struct mf_buf *out, const char *const *attributes, const char *word, size_t len)
{
	static const char *const before[] = { "", "* " };

	mf_buf_add_str(out, "(|");
	for (; *attributes != NULL; attributes++)
		for (size_t i = 0; i < 2; i++) {
			mf_buf_printf(out, "(%s=%s", *attributes, before[i]);
			add_escaped(out, word, len);
			mf_buf_add_str(out, "*)");
		}
	mf_buf_add_str(out, ")");
}

/* "A." is how people shorten a name. */
static size_t
without_dot(const char *word, size_t len)
{
	return len > 1 && word[len - 1] == '.' ? len - 1 : len;
}

size_t
dir_words(const char *text, struct dir_word words[DIR_WORDS_MAX])
{
	static const char blanks[] = " \t\r\n,;";
	size_t n = 0;

	for (const char *at = text; *(at += strspn(at, blanks)) != '\0' && n < DIR_WORDS_MAX;) {
		size_t len = strcspn(at, blanks);

		words[n++] = (struct dir_word){ at, without_dot(at, len) };
		at += len;
	}
	return n;
}

static bool
is_beginning(const struct dir_word *word, const char *value, size_t len)
{
	for (size_t i = 0; i < word->len; i++) {
		unsigned char a, b;

		if (i == len)
			return false;
		a = (unsigned char)word->text[i];
		b = (unsigned char)value[i];
		if (a >= 0x80 || b >= 0x80)
			return true;
		if (tolower(a) != tolower(b))
			return false;
	}
	return true;
}

bool
dir_word_begins(const struct dir_word *word, const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((i == 0 || value[i - 1] == ' ') && is_beginning(word, value + i, len - i))
			return true;
	return false;
}

static const char *
finish(struct mf_buf *out, struct mf_arena *a, bool good)
{
	const char *filter = good ? mf_strdup(a, mf_buf_str(out)) : NULL;

	mf_buf_deinit(out);
	return filter;
}

/* Only who has an address is of use. */
static void
begin(struct mf_buf *out, const struct mf_backend *b)
{
	mf_buf_init(out, 0);
	mf_buf_printf(out, "(&%s(|", b->filter);
	for (const char *const *a = b->text[MF_PERSON_ADDRESS]; *a != NULL; a++)
		mf_buf_printf(out, "(%s=*)", *a);
	mf_buf_add_str(out, ")");
}

const char *
dir_filter_find(const struct mf_backend *b, struct mf_arena *a, const struct mf_people_find *f)
{
	struct dir_word words[DIR_WORDS_MAX];
	struct mf_buf out;
	size_t n = dir_words(f->text, words);

	begin(&out, b);
	if (f->exact) {
		mf_buf_add_str(&out, "(|");
		add_equal(&out, b->text[MF_PERSON_ADDRESS], f->text);
		add_equal(&out, b->text[MF_PERSON_ALIAS], f->text);
		add_equal(&out, b->text[MF_PERSON_NAME], f->text);
		mf_buf_add_str(&out, ")");
	} else {
		for (size_t i = 0; i < n; i++)
			add_word(&out, b->searched, words[i].text, words[i].len);
	}
	mf_buf_add_str(&out, ")");
	return finish(&out, a, n > 0);
}

const char *
dir_filter_alias(const struct mf_backend *b, struct mf_arena *a, const char *alias)
{
	struct mf_buf out;

	mf_buf_init(&out, 0);
	mf_buf_add_str(&out, "(|");
	add_equal(&out, b->text[MF_PERSON_ALIAS], alias);
	mf_buf_add_str(&out, ")");
	return finish(&out, a, true);
}

/* ---- Names ---- */

static void
add_name(struct mf_buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (isalnum(c) || c >= 0x80 || strchr("@.-_", c) != NULL)
			mf_buf_add_byte(out, c);
		else
			mf_buf_printf(out, "\\%02x", c);
	}
}

const char *
dir_bind_name(const struct mf_backend *b, struct mf_arena *a, const char *user)
{
	size_t name = strcspn(user, "@");
	const char *domain = user[name] == '@' ? user + name + 1 : "";
	const struct {
		const char *word, *text;
		size_t len;
	} words[] = { { "{user}", user, strlen(user) }, { "{name}", user, name },
		{ "{domain}", domain, strlen(domain) } };
	struct mf_buf out;

	mf_buf_init(&out, 0);
	for (const char *at = b->bind_dn; *at != '\0';) {
		size_t i = 0;

		while (i < 3 && strncmp(at, words[i].word, strlen(words[i].word)) != 0)
			i++;
		if (i == 3) {
			mf_buf_add_byte(&out, (uint8_t)*at++);
			continue;
		}
		add_name(&out, words[i].text, words[i].len);
		at += strlen(words[i].word);
	}
	return finish(&out, a, true);
}
