/* LZFu (MS-OXRTFCP): literals and references into a ring of 4096 bytes. Knows nothing of what comes out. */
#include "mime/rtf.h"

#include <string.h>

enum {
	COMPRESSED = 0x75465a4c,   /* "LZFu" */
	UNCOMPRESSED = 0x414c454d, /* "MELA" */
	HEADER = 16,
	SIZES_IN_HEADER = 12, /* counted in the first size, too */
	RING = 4096,
};

/* What the ring holds before the first byte (MS-OXRTFCP 2.1.2.1). */
static const char beginning[] =
	"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
	"\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
	"\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

struct ring {
	uint8_t bytes[RING];
	size_t at; /* where the next goes */
};

static void
put(struct ring *r, uint8_t c, struct mf_buf *out)
{
	r->bytes[r->at] = c;
	r->at = (r->at + 1) % RING;
	mf_buf_add_byte(out, c);
}

/* The reference of two bytes; false: it is the end. */
static bool
copy(struct ring *r, unsigned reference, struct mf_buf *out)
{
	size_t from = reference >> 4, n = (reference & 15) + 2;

	if (from == r->at)
		return false;
	for (size_t i = 0; i < n; i++)
		put(r, r->bytes[(from + i) % RING], out);
	return true;
}

/* Eight items behind a byte that tells, by its bits, which they are. False: the end. */
static bool
run(struct ring *r, const uint8_t **p, const uint8_t *end, struct mf_buf *out)
{
	unsigned kinds = *(*p)++;

	for (int i = 0; i < 8 && !out->failed; i++, kinds >>= 1) {
		if (end - *p < ((kinds & 1) != 0 ? 2 : 1))
			return false;
		if ((kinds & 1) == 0) {
			put(r, *(*p)++, out);
			continue;
		}
		if (!copy(r, (unsigned)(*p)[0] << 8 | (*p)[1], out))
			return false;
		*p += 2;
	}
	return !out->failed;
}

static uint32_t
number(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void
expand(const uint8_t *p, const uint8_t *end, struct mf_buf *out)
{
	struct ring r = { .at = sizeof(beginning) - 1 };

	memcpy(r.bytes, beginning, sizeof(beginning) - 1);
	while (p < end && run(&r, &p, end, out))
		;
}

enum mf_status
mime_rtf_decompress(struct mf_bytes data, size_t max, struct mf_buf *out, struct mf_error *err)
{
	struct mf_buf plain;
	uint32_t kind, size;

	if (data.len < HEADER)
		return mf_fail(err, MF_INVALID, "mime: no compressed RTF");
	kind = number(data.data + 8);
	if (kind != COMPRESSED && kind != UNCOMPRESSED)
		return mf_fail(err, MF_INVALID, "mime: no compressed RTF");
	size = number(data.data);
	if (size >= SIZES_IN_HEADER && size - SIZES_IN_HEADER < data.len - HEADER)
		data.len = HEADER + size - SIZES_IN_HEADER;
	size = number(data.data + 4);
	mf_buf_init(&plain, max);
	if (kind == COMPRESSED)
		expand(data.data + HEADER, data.data + data.len, &plain);
	else
		mf_buf_add(&plain, data.data + HEADER,
			data.len - HEADER < max ? data.len - HEADER : max);
	mf_buf_add(out, plain.data, plain.len < size ? plain.len : size);
	mf_buf_deinit(&plain);
	return MF_OK;
}
