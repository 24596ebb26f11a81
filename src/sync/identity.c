/* Items recognised by what they are. Knows no state. */
#include "sync/identity.h"

#include <string.h>

#include "base/digest.h"
#include "base/str.h"
#include "mailferry/buf.h"

const char *const sync_identity_fields[] = { "Message-ID", "Date", "From", "Subject", NULL };

static const uint8_t *
line_end(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *lf = memchr(at, '\n', (size_t)(end - at));

	return lf == NULL ? end : lf;
}

/* The raw value of the first field of that name, with its continuation lines. */
static struct mf_bytes
field(struct mf_bytes header, const char *name)
{
	size_t len = strlen(name);
	const uint8_t *at = header.data, *end = at + header.len, *stop;

	for (; at < end; at = stop < end ? stop + 1 : end) {
		stop = line_end(at, end);
		if ((size_t)(end - at) <= len || (*at | 32) != (name[0] | 32) || at[len] != ':' ||
			!str_ieqn((const char *)at, name, len))
			continue;
		while (stop < end - 1 && (stop[1] == ' ' || stop[1] == '\t'))
			stop = line_end(stop + 1, end);
		return mf_bytes(at + len + 1, (size_t)(stop - at) - len - 1);
	}
	return mf_bytes(NULL, 0);
}

static void
add_message_id(struct mf_bytes header, struct mf_buf *out)
{
	struct mf_bytes value = field(header, "Message-ID");
	const uint8_t *open = value.len == 0 ? NULL : memchr(value.data, '<', value.len);
	const uint8_t *close =
		open == NULL ? NULL : memchr(open, '>', value.len - (size_t)(open - value.data));

	if (close != NULL && close - open > 1)
		mf_buf_add(out, open + 1, (size_t)(close - open - 1));
}

/* What people would know a nameless one by. */
static void
add_others(struct mf_bytes header, struct mf_buf *out)
{
	for (size_t i = 1; sync_identity_fields[i] != NULL; i++) {
		struct mf_bytes value = field(header, sync_identity_fields[i]);

		mf_buf_add(out, value.data, value.len);
	}
}

uint64_t
sync_identity(const struct mf_item *item)
{
	uint8_t digest[DIGEST_SIZE];
	uint64_t out = 0;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	add_message_id(item->header, &b);
	if (b.len == 0 && (item->have & MF_WANT_THREAD) != 0 && item->identity != NULL)
		mf_buf_add_str(&b, item->identity);
	if (b.len == 0)
		add_others(item->header, &b);
	if (b.len > 0) {
		mf_buf_printf(
			&b, "\n%llu\n%lld", (unsigned long long)item->size, (long long)item->date);
		digest_sha256(b.data, b.len, digest);
		for (int i = 0; i < 8; i++)
			out = out << 8 | digest[i];
		out += out == 0;
	}
	mf_buf_deinit(&b);
	return out;
}
