/* UTF-8: validation, repair, cutting. Knows no protocol but XML 1.0's characters. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Length of the valid character at s (n > 0 bytes left) and its code point; 0 when malformed. */
static size_t
decode(const unsigned char *s, size_t n, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t c;

	if (len == 0 || s[0] > 0xf4 || len > n)
		return 0;
	if (len == 1) {
		*out = s[0];
		return 1;
	}
	c = s[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fU);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return len;
}

static bool
xml_char(uint32_t c)
{
	return c >= 0x20 ? c != 0xfffe && c != 0xffff : c == '\t' || c == '\n' || c == '\r';
}

static bool
is_plain(unsigned char c)
{
	return (c >= 0x20 && c < 0x80) || c == '\n' || c == '\r' || c == '\t';
}

/* Many bytes at a time, as vectors of the compiler's: plain C for every machine, which is compiled once more for those
 * that have wide registers. Bytes from 0x80 on are negative: one comparison less. */
enum { VECTOR = 32, VECTORS = 4 };
typedef signed char vector __attribute__((vector_size(VECTOR)));
typedef vector vector_anywhere __attribute__((aligned(1), may_alias));

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE size_t
plain_blocks(const unsigned char *s, size_t n)
{
	size_t i = 0;

	for (; n - i >= VECTOR * VECTORS; i += VECTOR * VECTORS) {
		vector plain = (vector){ 0 } == 0;
		uint64_t all[VECTOR / 8];

		for (size_t k = 0; k < VECTORS; k++) {
			const vector c = *(const vector_anywhere *)(s + i + k * VECTOR);

			plain &= (vector)((c >= 0x20) | (c == '\n') | (c == '\r') | (c == '\t'));
		}
		memcpy(all, &plain, sizeof(all));
		if ((all[0] & all[1] & all[2] & all[3]) != UINT64_MAX)
			break;
	}
	return i;
}

static size_t
plain_blocks_narrow(const unsigned char *s, size_t n)
{
	return plain_blocks(s, n);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static size_t
plain_blocks_wide(const unsigned char *s, size_t n)
{
	return plain_blocks(s, n);
}
#endif

static size_t
plain_blocks_best(const unsigned char *s, size_t n)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return plain_blocks_wide(s, n);
#endif
	return plain_blocks_narrow(s, n);
}

/* The count of bytes at the start of s that are printable ASCII, blanks or line ends: most of what we
 * see. */
static size_t
plain_run(const unsigned char *s, size_t n)
{
	size_t i = n < VECTOR * VECTORS ? 0 : plain_blocks_best(s, n);

	while (i < n && is_plain(s[i]))
		i++;
	return i;
}

static bool
valid(const char *text, size_t len, bool xml)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t n = plain_run(s + i, len - i);

		if (n > 0) {
			i += n;
			continue;
		}
		n = decode(s + i, len - i, &c);
		if (n == 0 || (xml && !xml_char(c)))
			return false;
		i += n;
	}
	return true;
}

bool
utf8_valid(const char *s, size_t len)
{
	return valid(s, len, false);
}

bool
utf8_valid_xml(const char *s, size_t len)
{
	return valid(s, len, true);
}

void
utf8_sanitise(struct mf_buf *out, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t good = 0;

	if (len == 0)
		return;
	for (size_t i = 0; i < len;) {
		uint32_t c = 0;
		size_t n = plain_run(s + i, len - i);

		if (n > 0) {
			i += n;
			continue;
		}
		n = decode(s + i, len - i, &c);
		if (n > 0 && xml_char(c)) {
			i += n;
			continue;
		}
		mf_buf_add(out, s + good, i - good);
		if (n == 0 || c >= 0x20)
			mf_buf_add(out, "\xef\xbf\xbd", 3);
		i += n == 0 ? 1 : n;
		good = i;
	}
	mf_buf_add(out, s + good, len - good);
}

const char *
utf8_clean(struct mf_arena *a, const char *s, size_t len)
{
	struct mf_buf b;
	char *copy;

	if (utf8_valid_xml(s, len))
		return s;
	mf_buf_init(&b, 0);
	utf8_sanitise(&b, s, len);
	copy = mf_strndup(a, mf_buf_str(&b), b.len);
	mf_buf_deinit(&b);
	return copy;
}

size_t
utf8_cut(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

size_t
utf8_count(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}
