/*
 * Header fields for mail that we send: encoded and folded by GMime, so that nothing in a value can end
 * its line and begin a field of its own.
 */
#include <gmime/gmime.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "mime/build.h"

/* Valid UTF-8 without controls. */
static char *
one_line(const char *s)
{
	struct mf_buf b;
	char *copy;

	mf_buf_init(&b, 0);
	utf8_sanitise(&b, s, strlen(s));
	copy = g_strdup(mf_buf_str(&b));
	mf_buf_deinit(&b);
	for (char *p = copy; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return copy;
}

/* GMime's folded text with CRLF, without what it has at the end. */
static void
add_folded(struct mf_buf *out, const char *s)
{
	size_t len = strlen(s);

	while (len > 0 && (s[len - 1] == '\n' || s[len - 1] == ' '))
		len--;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\n')
			mf_buf_add_byte(out, '\r');
		if (s[i] != '\r')
			mf_buf_add_byte(out, (uint8_t)s[i]);
	}
	mf_buf_add_str(out, "\r\n");
}

static bool
needs_words(const char *s)
{
	for (const char *p = s; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			return true;
	return strstr(s, "=?") != NULL;
}

/* All of it as encoded words, each short enough for a line of its own: GMime makes them longer than
 * RFC 2047 allows, and leaves alone what looks like one. */
static char *
encode_all(const char *s)
{
	enum { WORD = 39 };
	GString *out = g_string_new(NULL);
	size_t len = strlen(s);

	while (len > 0) {
		size_t n = utf8_cut(s, len, WORD);
		char *base64 = g_base64_encode((const guchar *)s, n);

		g_string_append_printf(out, "%s=?UTF-8?B?%s?=", out->len > 0 ? " " : "", base64);
		g_free(base64);
		s += n;
		len -= n;
	}
	return g_string_free(out, FALSE);
}

void
mime_field_add_text(struct mf_buf *out, const char *name, const char *text)
{
	char *plain = one_line(text);
	char *encoded = needs_words(plain) ? encode_all(plain) : g_strdup(plain);
	char *header = g_strdup_printf("%s: %s", name, encoded);
	char *folded = g_mime_utils_unstructured_header_fold(NULL, NULL, header);

	add_folded(out, folded);
	g_free(folded);
	g_free(header);
	g_free(encoded);
	g_free(plain);
}

/* Only what cannot break out of angle brackets. */
static void
clean_addr(char *addr)
{
	size_t n = 0;

	for (const char *p = addr; *p != '\0'; p++)
		if (*p != ' ' && *p != '<' && *p != '>' && *p != ',' && *p != ';')
			addr[n++] = *p;
	addr[n] = '\0';
}

void
mime_field_add_addresses(struct mf_buf *out, const char *name, const struct mime_addresses *list)
{
	InternetAddressList *l = internet_address_list_new();
	char *text;

	for (size_t i = 0; i < list->n; i++) {
		char *shown = one_line(list->list[i].name), *addr = one_line(list->list[i].addr);
		InternetAddress *mailbox;

		clean_addr(addr);
		if (*addr == '\0') {
			g_free(shown);
			g_free(addr);
			continue;
		}
		mailbox = internet_address_mailbox_new(*shown == '\0' ? NULL : shown, addr);
		internet_address_set_charset(mailbox, "UTF-8");
		internet_address_list_add(l, mailbox);
		g_object_unref(mailbox);
		g_free(shown);
		g_free(addr);
	}
	text = internet_address_list_to_string(l, NULL, TRUE);
	mf_buf_add_str(out, name);
	mf_buf_add_str(out, ": ");
	add_folded(out, text == NULL ? "" : text);
	g_free(text);
	g_object_unref(l);
}

void
mime_field_add_ids(struct mf_buf *out, const char *name, const struct mime_ids *ids)
{
	mf_buf_add_str(out, name);
	mf_buf_add_str(out, ":");
	for (size_t i = 0; i < ids->n; i++) {
		mf_buf_add_str(out, i == 0 ? " <" : "\r\n <");
		for (const char *p = ids->list[i]; *p != '\0'; p++)
			if ((unsigned char)*p > ' ' && *p != '<' && *p != '>' && *p != 0x7f)
				mf_buf_add_byte(out, (uint8_t)*p);
		mf_buf_add_byte(out, '>');
	}
	mf_buf_add_str(out, "\r\n");
}

void
mime_field_add_date(struct mf_buf *out, const char *name, int64_t when)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)when;
	struct tm tm;

	gmtime_r(&t, &tm);
	mf_buf_printf(out, "%s: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n", name,
		days + tm.tm_wday * 3, tm.tm_mday, months + tm.tm_mon * 3, tm.tm_year + 1900,
		tm.tm_hour, tm.tm_min, tm.tm_sec);
}
