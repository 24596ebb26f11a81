/* Times to ConversationIndex and Thread-Index. Knows neither stores nor other header fields. */
#include "conversation/index.h"

#include <string.h>

#include "base/str.h"

/* The mask of MS-ASCON 2.2.2.4.2 over the high 32 bits of a difference: from 2^49 on (651 days; the
 * text's "625 days" is loose). */
static const uint64_t DELTA_MASK = 0x00FE0000ULL << 32;

enum {
	HEADER_SHIFT = 24, /* bits of a FILETIME below the header's five bytes */
	FINE_SHIFT = 18,
	COARSE_SHIFT = 23,
	FIELD_MAX = 4096, /* of Thread-Index in base64 */
};

uint64_t
conversation_filetime(int64_t seconds)
{
	static const int64_t epoch = 11644473600; /* seconds from 1601 to 1970 */
	static const uint64_t per_second = 10000000;

	if (seconds <= -epoch)
		return 0;
	if (seconds > (int64_t)(UINT64_MAX / per_second) - epoch - 1)
		return UINT64_MAX;
	return (uint64_t)(seconds + epoch) * per_second;
}

static void
put_big_endian(uint8_t *out, uint64_t n, unsigned bytes)
{
	for (unsigned i = bytes; i > 0; i--, n >>= 8)
		out[i - 1] = (uint8_t)n;
}

static uint64_t
header_time(const struct conversation_index *x)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < CONVERSATION_HEADER_LEN; i++)
		n = n << 8 | x->bytes[i];
	return n << HEADER_SHIFT;
}

void
conversation_index_begin(struct conversation_index *x, int64_t when)
{
	put_big_endian(
		x->bytes, conversation_filetime(when) >> HEADER_SHIFT, CONVERSATION_HEADER_LEN);
	x->len = CONVERSATION_HEADER_LEN;
}

void
conversation_index_extend(
	struct conversation_index *x, int64_t when, const struct conversation_id *name)
{
	uint64_t now = conversation_filetime(when), began = header_time(x);
	uint64_t delta = now > began ? now - began : 0;
	bool coarse = (delta & DELTA_MASK) != 0;
	uint64_t units = delta >> (coarse ? COARSE_SHIFT : FINE_SHIFT) & 0x7FFFFFFF;

	if (x->len + CONVERSATION_LEVEL_LEN > sizeof(x->bytes))
		return;
	put_big_endian(x->bytes + x->len, (uint64_t)coarse << 31 | units, 4);
	x->bytes[x->len + 4] = name->bytes[CONVERSATION_ID_LEN - 1];
	x->len += CONVERSATION_LEVEL_LEN;
}

static bool
take(struct mf_bytes raw, struct conversation_index *out, struct conversation_id *guid)
{
	size_t levels;

	if (raw.len < THREAD_INDEX_HEADER_LEN || raw.data[0] != 1)
		return false;
	levels = raw.len - THREAD_INDEX_HEADER_LEN;
	if (levels % CONVERSATION_LEVEL_LEN != 0)
		return false;
	memcpy(guid->bytes, raw.data + THREAD_INDEX_HEADER_LEN - CONVERSATION_ID_LEN,
		CONVERSATION_ID_LEN);
	if (levels > CONVERSATION_INDEX_MAX - CONVERSATION_HEADER_LEN)
		levels = CONVERSATION_INDEX_MAX - CONVERSATION_HEADER_LEN;
	memcpy(out->bytes, raw.data, CONVERSATION_HEADER_LEN);
	memcpy(out->bytes + CONVERSATION_HEADER_LEN, raw.data + THREAD_INDEX_HEADER_LEN, levels);
	out->len = CONVERSATION_HEADER_LEN + levels;
	return !conversation_id_none(guid);
}

bool
thread_index_parse(
	struct mf_bytes raw, struct conversation_index *out, struct conversation_id *guid)
{
	struct conversation_index index;
	struct conversation_id id;
	struct mf_arena *a;
	bool ok;

	if (raw.len == 0 || raw.len > FIELD_MAX)
		return false;
	a = mf_arena_new();
	ok = take(str_unbase64(a, (const char *)raw.data, raw.len), &index, &id);
	mf_arena_free(a);
	if (ok && out != NULL)
		*out = index;
	if (ok && guid != NULL)
		*guid = id;
	return ok;
}

const char *
thread_index_print(
	struct mf_arena *a, const struct conversation_index *x, const struct conversation_id *guid)
{
	uint8_t raw[THREAD_INDEX_HEADER_LEN + CONVERSATION_INDEX_MAX] = { 0 };
	size_t levels = x->len - CONVERSATION_HEADER_LEN;

	memcpy(raw, x->bytes, CONVERSATION_HEADER_LEN);
	raw[0] = 1; /* as MS-OXOMSG wants it; any time from 1829 to 2057 has it anyway */
	memcpy(raw + THREAD_INDEX_HEADER_LEN - CONVERSATION_ID_LEN, guid->bytes,
		CONVERSATION_ID_LEN);
	memcpy(raw + THREAD_INDEX_HEADER_LEN, x->bytes + CONVERSATION_HEADER_LEN, levels);
	return str_base64(a, raw, THREAD_INDEX_HEADER_LEN + levels);
}
