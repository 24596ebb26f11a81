/* Items recognised by what they are. Knows no state. */
#include "sync/identity.h"

#include <string.h>

#include "base/digest.h"
#include "base/str.h"
#include "mailferry/buf.h"

const char *const sync_identity_fields[] = { "Message-ID", NULL };

static const uint8_t *
line_end(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *lf = memchr(at, '\n', (size_t)(end - at));

	return lf == NULL ? end : lf;
}

/* The raw value of the first field of that name, with its continuation lines, as far as <>. */
static struct mf_bytes
message_id(struct mf_bytes header)
{
	static const char name[] = "Message-ID:";
	const uint8_t *at = header.data, *end = at + header.len, *stop;

	for (; at < end; at = stop < end ? stop + 1 : end) {
		const uint8_t *open, *close;

		stop = line_end(at, end);
		if ((size_t)(end - at) < sizeof(name) - 1 ||
			!str_ieqn((const char *)at, name, sizeof(name) - 1))
			continue;
		while (stop < end - 1 && (stop[1] == ' ' || stop[1] == '\t'))
			stop = line_end(stop + 1, end);
		open = memchr(at, '<', (size_t)(stop - at));
		close = open == NULL ? NULL : memchr(open, '>', (size_t)(stop - open));
		if (close != NULL && close - open > 1)
			return mf_bytes(open + 1, (size_t)(close - open - 1));
	}
	return mf_bytes(NULL, 0);
}

uint64_t
sync_identity(const struct mf_item *item)
{
	struct mf_bytes name = message_id(item->header);
	uint8_t digest[DIGEST_SIZE];
	uint64_t out = 0;
	struct mf_buf b;

	if (name.len == 0 && (item->have & MF_WANT_THREAD) != 0 && item->identity != NULL)
		name = mf_bytes_str(item->identity);
	if (name.len == 0)
		return 0;
	mf_buf_init(&b, 0);
	mf_buf_add(&b, name.data, name.len);
	mf_buf_printf(&b, "\n%llu\n%lld", (unsigned long long)item->size, (long long)item->date);
	digest_sha256(b.data, b.len, digest);
	mf_buf_deinit(&b);
	for (int i = 0; i < 8; i++)
		out = out << 8 | digest[i];
	return out == 0 ? 1 : out;
}
