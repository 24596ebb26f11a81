/* Modified UTF-7. Knows no protocol beyond that. */
#include "names.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static char *
put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

/* One character of UTF-8; 0 when it is malformed (or the end). */
static uint32_t
get_utf8(const char **from)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)*from;
	unsigned n = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc0 ? 2 : 0;
	uint32_t c;

	if (n == 0 || *p > 0xf4)
		return 0;
	c = n == 1 ? *p : *p & (0x7fu >> n);
	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*from += n;
	return c;
}

bool
imap_utf8_valid(const char *text)
{
	while (*text != '\0')
		if (get_utf8(&text) == 0)
			return false;
	return true;
}

/* What is between "&" and "-": base64 of UTF-16. False when it is not that. */
static bool
decode_shift(const char **from, char **to)
{
	uint32_t bits = 0, high = 0;
	unsigned n = 0;
	const char *p = *from;

	for (; *p != '-'; p++) {
		const char *at = *p == '\0' ? NULL : strchr(alphabet, *p);
		uint32_t unit;

		if (at == NULL)
			return false;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		n += 6;
		if (n < 16)
			continue;
		n -= 16;
		unit = bits >> n & 0xffff;
		bits &= (1u << n) - 1;
		if (high == 0 && unit >= 0xd800 && unit <= 0xdbff) {
			high = unit;
			continue;
		}
		if ((high != 0) != (unit >= 0xdc00 && unit <= 0xdfff) || unit < 0x20)
			return false;
		*to = put_utf8(
			*to, high == 0 ? unit : 0x10000 + ((high - 0xd800) << 10) + unit - 0xdc00);
		high = 0;
	}
	*from = p + 1;
	return high == 0 && n < 6 && bits == 0;
}

static bool
decode(const char *wire, char *to)
{
	while (*wire != '\0') {
		const char *from = wire;

		if (*wire == '&' && wire[1] == '-') {
			*to++ = '&';
			wire += 2;
		} else if (*wire == '&') {
			wire++;
			if (!decode_shift(&wire, &to))
				return false;
		} else if (get_utf8(&wire) == 0) {
			return false;
		} else {
			memcpy(to, from, (size_t)(wire - from));
			to += wire - from;
		}
	}
	*to = '\0';
	return true;
}

static void
show_raw(const char *wire, char *to)
{
	while (*wire != '\0') {
		const char *from = wire;
		uint32_t c = get_utf8(&wire);

		if (c == 0)
			wire++;
		if (c < 0x20 || c == 0x7f)
			to = put_utf8(to, 0xfffd);
		else
			while (from < wire)
				*to++ = *from++;
	}
	*to = '\0';
}

const char *
imap_name_decode(struct mf_arena *a, const char *wire)
{
	char *name = mf_alloc(a, 3 * strlen(wire) + 1);

	if (!decode(wire, name))
		show_raw(wire, name);
	return name;
}

/* ---- Encoding ---- */

struct shift {
	char *to;
	uint32_t bits;
	unsigned n;
	bool open;
};

static void
put_unit(struct shift *s, uint32_t unit)
{
	if (!s->open)
		*s->to++ = '&';
	s->open = true;
	s->bits = s->bits << 16 | unit;
	for (s->n += 16; s->n >= 6; s->n -= 6)
		*s->to++ = alphabet[s->bits >> (s->n - 6) & 0x3f];
	s->bits &= (1u << s->n) - 1;
}

static void
close_shift(struct shift *s)
{
	if (s->n > 0)
		*s->to++ = alphabet[s->bits << (6 - s->n) & 0x3f];
	if (s->open)
		*s->to++ = '-';
	s->n = 0;
	s->bits = 0;
	s->open = false;
}

const char *
imap_name_encode(struct mf_arena *a, const char *name)
{
	char *wire = mf_alloc(a, 5 * strlen(name) + 8);
	struct shift s = { .to = wire };

	while (*name != '\0') {
		uint32_t c = get_utf8(&name);

		if (c < 0x20 || c == 0x7f)
			return NULL;
		if (c >= 0x10000) {
			put_unit(&s, 0xd800 + ((c - 0x10000) >> 10));
			put_unit(&s, 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else if (c >= 0x80) {
			put_unit(&s, c);
		} else {
			close_shift(&s);
			*s.to++ = (char)c;
			if (c == '&')
				*s.to++ = '-';
		}
	}
	close_shift(&s);
	*s.to = '\0';
	return wire;
}
