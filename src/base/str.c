/* Strings. Knows no protocol; base64 and wiping are libcrypto's. */
#include "base/str.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

bool
str_ieqn(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (lower((unsigned char)a[i]) != lower((unsigned char)b[i]))
			return false;
		if (a[i] == '\0')
			return true;
	}
	return true;
}

bool
str_ieq(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : str_ieqn(a, b, SIZE_MAX);
}

bool
str_istarts(const char *s, const char *prefix)
{
	return str_ieqn(s, prefix, strlen(prefix));
}

bool
str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

char *
str_lower(struct mf_arena *a, const char *s)
{
	char *copy = mf_strdup(a, s);

	for (char *p = copy; p != NULL && *p != '\0'; p++)
		*p = (char)lower((unsigned char)*p);
	return copy;
}

bool
str_to_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (s == NULL || *s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		if (*s < '0' || *s > '9' || n > (max - digit) / 10 || digit > max)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

bool
str_to_u32(const char *s, uint32_t max, uint32_t *out)
{
	uint64_t n;

	if (!str_to_u64(s, max, &n))
		return false;
	*out = (uint32_t)n;
	return true;
}

size_t
str_decimal(uint64_t n, char out[STR_DECIMAL_SIZE])
{
	char digits[STR_DECIMAL_SIZE];
	size_t at = sizeof(digits), len;

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	len = sizeof(digits) - at;
	memcpy(out, digits + at, len);
	out[len] = '\0';
	return len;
}

char *
str_hex(struct mf_arena *a, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;
	char *s = mf_alloc(a, len * 2 + 1);

	for (size_t i = 0; i < len; i++) {
		s[i * 2] = digits[p[i] >> 4];
		s[i * 2 + 1] = digits[p[i] & 15];
	}
	return s;
}

static int
unhex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)lower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
str_unhex(const char *s, size_t len, uint8_t *out)
{
	if (len % 2 != 0)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		int high = unhex(s[i]), low = unhex(s[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	return true;
}

char *
str_base64(struct mf_arena *a, const void *data, size_t len)
{
	char *s = mf_alloc(a, (len + 2) / 3 * 4 + 1);

	EVP_EncodeBlock((unsigned char *)s, data, (int)len);
	return s;
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

struct mf_bytes
str_unbase64(struct mf_arena *a, const char *s, size_t len)
{
	uint8_t *out = mf_alloc(a, len / 4 * 3 + 4);
	size_t n = 0, digits = 0, pads = 0;
	uint32_t group = 0;

	for (size_t i = 0; i < len; i++) {
		int v = base64_value(s[i]);

		if (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n')
			continue;
		if (s[i] == '=' && ++pads <= 2)
			continue;
		if (v < 0 || pads > 0)
			return mf_bytes(NULL, 0);
		group = group << 6 | (uint32_t)v;
		if (++digits % 4 == 0) {
			out[n++] = (uint8_t)(group >> 16);
			out[n++] = (uint8_t)(group >> 8);
			out[n++] = (uint8_t)group;
		}
	}
	if (digits % 4 == 1 || (pads > 0 && (digits + pads) % 4 != 0))
		return mf_bytes(NULL, 0);
	if (digits % 4 >= 2)
		out[n++] = (uint8_t)(group >> (digits % 4 == 2 ? 4 : 10));
	if (digits % 4 == 3)
		out[n++] = (uint8_t)(group >> 2);
	return mf_bytes(out, n);
}

char *
str_unpercent(struct mf_arena *a, const char *s, size_t len)
{
	char *out = mf_alloc(a, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)s[i];

		if (c == '+')
			c = ' ';
		else if (c == '%' && len - i > 2 && str_unhex(s + i + 1, 2, &c))
			i += 2;
		if (c == '\0')
			return NULL;
		out[n++] = (char)c;
	}
	return out;
}

void
str_wipe(void *p, size_t len)
{
	if (p != NULL)
		OPENSSL_cleanse(p, len);
}
