/*
 * Base64 in bulk. Two ways to the same bytes: AVX2, asked for at run time, and plain C, as vectors of the
 * compiler's.
 */
#include "mime/base64.h"

#include <stdbool.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { BLOCK = 32, BLOCK_OUT = 24, BLOCK_ROOM = 28 };

/* Almost all mail has lines of this length. */
enum { LINE = 76, LINE_OUT = 57 };

/* ---- For every machine ---- */

typedef uint8_t block_bytes __attribute__((vector_size(BLOCK)));
typedef uint32_t block_words __attribute__((vector_size(BLOCK)));
typedef block_bytes block_anywhere __attribute__((aligned(1), may_alias));

/* All bits of a byte where from <= c <= to. */
#define WITHIN(c, from, to) ((block_bytes)((c) - (from) <= (block_bytes){ 0 } + ((to) - (from))))

/* How many characters before the first that is not in the alphabet, in whole groups; what they decode to
 * is written, and BLOCK_ROOM bytes in all. */
static size_t
decode_block(const uint8_t *in, uint8_t *out)
{
	const block_bytes c = *(const block_anywhere *)in;
	block_bytes upper, lower, digit, plus, slash, known;
	block_words w;
	uint64_t all[BLOCK / 8];
	size_t i = 0;

	upper = WITHIN(c, 'A', 'Z');
	lower = WITHIN(c, 'a', 'z');
	digit = WITHIN(c, '0', '9');
	plus = WITHIN(c, '+', '+');
	slash = WITHIN(c, '/', '/');
	known = upper | lower | digit | plus | slash;
	w = (block_words)(((c - 'A') & upper) | ((c - 'a' + 26) & lower) |
			  ((c - '0' + 52) & digit) | (plus & 62) | (slash & 63));
	/* Each word holds four values of 6 bits, the first lowest: to three bytes in their order. */
	w = ((w << 2) & 0xfc) | ((w >> 12) & 0x03) | ((w << 4) & 0xf000) | ((w >> 10) & 0x0f00) |
	    ((w << 6) & 0xc00000) | ((w >> 8) & 0x3f0000);
	for (size_t k = 0; k < BLOCK / 4; k++) {
		uint32_t three = w[k];

		memcpy(out + 3 * k, &three, sizeof(three));
	}
	memcpy(all, &known, sizeof(all));
	while (i < BLOCK / 8 && all[i] == UINT64_MAX)
		i++;
	return i * 8 + (i == BLOCK / 8 ? 0 : (size_t)__builtin_ctzll(~all[i]) / 32 * 4);
}

static size_t
lines_plain(const uint8_t *in, size_t len, uint8_t *out, size_t *n)
{
	size_t at = 0, good;

	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return 0;
	while (len - at >= BLOCK + 2) {
		good = decode_block(in + at, out + *n);
		at += good;
		*n += good / 4 * 3;
		if (good == BLOCK)
			continue;
		if (in[at] != '\r' || in[at + 1] != '\n')
			break;
		at += 2;
	}
	return at;
}

static size_t
encode_plain(const uint8_t *in, size_t len, uint8_t *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *to = out;

	for (; len >= 3; in += 3, len -= 3) {
		uint32_t three = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

		for (int shift = 18; shift >= 0; shift -= 6)
			*to++ = (uint8_t)digits[three >> shift & 63];
	}
	if (len > 0) {
		uint32_t rest = (uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0);

		*to++ = (uint8_t)digits[rest >> 18];
		*to++ = (uint8_t)digits[rest >> 12 & 63];
		*to++ = len > 1 ? (uint8_t)digits[rest >> 6 & 63] : '=';
		*to++ = '=';
	}
	return (size_t)(to - out);
}

/* ---- AVX2 ---- */

#ifdef __x86_64__
#include <immintrin.h>

#define WIDE	       __attribute__((target("avx2")))
#define EACH_HALF(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

/*
 * A character's upper half tells its class: 2 (+ and /), 3 (digits), 4 and 6 (letters from 1 on), 5 and 7
 * (letters up to a), all others are none. Each class has a bit, and for each lower half a mask tells to which
 * of them it does not belong. No bit is left where all is well. What is written are BLOCK_ROOM bytes.
 */
WIDE ALWAYS_INLINE __m256i
decode_wide(const uint8_t *in, uint8_t *out)
{
	const __m256i c = _mm256_loadu_si256((const __m256i *)in);
	const __m256i half = _mm256_set1_epi8(0x0f);
	const __m256i upper = _mm256_and_si256(_mm256_srli_epi32(c, 4), half);
	const __m256i lower = _mm256_and_si256(c, half);
	const __m256i classes = EACH_HALF(16, 16, 1, 2, 4, 8, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16);
	const __m256i strangers = EACH_HALF(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
		0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
	/* What to add for the value, by the upper half; 1 stands for the slash. */
	const __m256i shift = EACH_HALF(0, 63 - '/', 62 - '+', 52 - '0', -'A', -'A', 26 - 'a',
		26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0);
	const __m256i slash = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('/'));
	const __m256i bad = _mm256_and_si256(
		_mm256_shuffle_epi8(classes, upper), _mm256_shuffle_epi8(strangers, lower));
	__m256i v = _mm256_add_epi8(c, _mm256_shuffle_epi8(shift, _mm256_add_epi8(upper, slash)));

	v = _mm256_maddubs_epi16(v, _mm256_set1_epi32(0x01400140)); /* 6 and 6 bits to 12 */
	v = _mm256_madd_epi16(v, _mm256_set1_epi32(0x00011000));    /* 12 and 12 to 24 */
	v = _mm256_shuffle_epi8(
		v, EACH_HALF(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
	_mm_storeu_si128((__m128i *)out, _mm256_castsi256_si128(v));
	_mm_storeu_si128((__m128i *)(out + BLOCK_OUT / 2), _mm256_extracti128_si256(v, 1));
	return bad;
}

/* Whole lines of the usual length: the third block of each overlaps the second. */
WIDE static size_t
usual_lines(const uint8_t *in, size_t len, uint8_t *out, size_t *n)
{
	const size_t third = LINE - BLOCK;
	size_t at = 0;

	while (len - at >= LINE + 2 && in[at + LINE] == '\r' && in[at + LINE + 1] == '\n') {
		__m256i bad = decode_wide(in + at, out + *n);

		bad = _mm256_or_si256(bad, decode_wide(in + at + BLOCK, out + *n + BLOCK_OUT));
		bad = _mm256_or_si256(bad, decode_wide(in + at + third, out + *n + third / 4 * 3));
		if (!_mm256_testz_si256(bad, bad))
			break;
		at += LINE + 2;
		*n += LINE_OUT;
	}
	return at;
}

WIDE static size_t
lines_wide(const uint8_t *in, size_t len, uint8_t *out, size_t *n)
{
	size_t at = usual_lines(in, len, out, n);

	while (len - at >= BLOCK + 2) {
		const __m256i bad = decode_wide(in + at, out + *n);
		const __m256i fine = _mm256_cmpeq_epi8(bad, _mm256_setzero_si256());
		const uint32_t mask = ~(uint32_t)_mm256_movemask_epi8(fine);
		const size_t good = mask == 0 ? BLOCK : (size_t)__builtin_ctz(mask) / 4 * 4;

		at += good;
		*n += good / 4 * 3;
		if (good == BLOCK)
			continue;
		if (in[at] != '\r' || in[at + 1] != '\n')
			break;
		at += 2;
		at += usual_lines(in + at, len - at, out, n);
	}
	return at;
}

/* 24 bytes to 32 characters; 28 are read. */
WIDE ALWAYS_INLINE void
encode_wide(const uint8_t *in, uint8_t *out)
{
	const __m256i bytes = _mm256_inserti128_si256(
		_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)in)),
		_mm_loadu_si128((const __m128i *)(in + BLOCK_OUT / 2)), 1);
	/* Each three bytes twice over a word: b a c b. */
	const __m256i w = _mm256_shuffle_epi8(
		bytes, EACH_HALF(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
	/* The first and third six bits move down, the second and fourth up, each into a byte of its own. */
	const __m256i odd = _mm256_mulhi_epu16(
		_mm256_and_si256(w, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
	const __m256i even = _mm256_mullo_epi16(
		_mm256_and_si256(w, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
	const __m256i v = _mm256_or_si256(odd, even);
	/* 26 to 51: 0, digits: 1 to 10, plus: 11, slash: 12, 0 to 25: 13. */
	const __m256i capital = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), v);
	const __m256i row = _mm256_or_si256(_mm256_subs_epu8(v, _mm256_set1_epi8(51)),
		_mm256_and_si256(capital, _mm256_set1_epi8(13)));
	const __m256i shift = EACH_HALF('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
		'0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);

	_mm256_storeu_si256((__m256i *)out, _mm256_add_epi8(v, _mm256_shuffle_epi8(shift, row)));
}

/* As far as whole blocks go: how many bytes. */
WIDE static size_t
encode_blocks(const uint8_t *in, size_t len, uint8_t *out)
{
	size_t at = 0;

	for (; len - at >= BLOCK_ROOM; at += BLOCK_OUT, out += BLOCK)
		encode_wide(in + at, out);
	return at;
}
#endif

/* ---- Whichever there is ---- */

static bool
is_wide(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("avx2") != 0;
#else
	return false;
#endif
}

size_t
mime_base64_lines(const uint8_t *in, size_t len, uint8_t *out, size_t *n)
{
#ifdef __x86_64__
	if (is_wide())
		return lines_wide(in, len, out, n);
#endif
	return lines_plain(in, len, out, n);
}

size_t
mime_base64_encode(const uint8_t *in, size_t len, uint8_t *out)
{
	size_t at = 0;

#ifdef __x86_64__
	if (is_wide())
		at = encode_blocks(in, len, out);
#endif
	return MIME_BASE64_LEN(at) + encode_plain(in + at, len - at, out + at / 3 * 4);
}
