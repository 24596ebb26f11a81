/* Names of conversations out of ids of messages and threads. Knows no header and no store. */
#include "conversation/id.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "mailferry/buf.h"

/* kind keeps the names of messages, threads and field values apart. */
static struct conversation_id
digest(const char *kind, const struct mf_bytes *pieces, size_t n)
{
	struct conversation_id id;
	uint8_t whole[DIGEST_SIZE];
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mf_buf_add_str(&b, kind);
	for (size_t i = 0; i < n; i++) {
		mf_buf_add_byte(&b, 0);
		mf_buf_add(&b, pieces[i].data, pieces[i].len);
	}
	digest_sha256(b.data, b.len, whole);
	mf_buf_deinit(&b);
	memcpy(id.bytes, whole, sizeof(id.bytes));
	return id;
}

struct conversation_id
conversation_id_of_message(const char *message_id)
{
	struct mf_bytes piece = mf_bytes_str(message_id);

	return digest("message", &piece, 1);
}

/* ---- The memo: each id has one place, and the later takes it ---- */

enum { MEMO_ROWS = 512, MEMO_TEXT = 108 };

struct conversation_memo {
	struct {
		struct conversation_id id;
		uint32_t len; /* 0: empty */
		char text[MEMO_TEXT];
	} rows[MEMO_ROWS];
};

struct conversation_memo *
conversation_memo_new(void)
{
	struct conversation_memo *memo = calloc(1, sizeof(*memo));

	if (memo == NULL)
		abort();
	return memo;
}

void
conversation_memo_free(struct conversation_memo *memo)
{
	free(memo);
}

static uint64_t
hash(const char *text, size_t len)
{
	uint64_t h = len, word;

	for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	word = 0;
	memcpy(&word, text, len);
	return (h ^ word) * 0x9e3779b97f4a7c15ULL >> 40;
}

struct conversation_id
conversation_id_remembered(struct conversation_memo *memo, const char *message_id)
{
	size_t len = strlen(message_id), row;

	if (memo == NULL || len == 0 || len > MEMO_TEXT)
		return conversation_id_of_message(message_id);
	row = hash(message_id, len) % MEMO_ROWS;
	if (memo->rows[row].len != len || memcmp(memo->rows[row].text, message_id, len) != 0) {
		memo->rows[row].id = conversation_id_of_message(message_id);
		memo->rows[row].len = (uint32_t)len;
		memcpy(memo->rows[row].text, message_id, len);
	}
	return memo->rows[row].id;
}

/* ---- Others ---- */

struct conversation_id
conversation_id_of_thread(const char *thread)
{
	struct mf_bytes piece = mf_bytes_str(thread);

	return digest("thread", &piece, 1);
}

struct conversation_id
conversation_id_of_fields(
	struct mf_bytes date, struct mf_bytes from, struct mf_bytes subject, int64_t received)
{
	struct mf_bytes pieces[] = { date, from, subject, { 0 } };
	char when[32];

	snprintf(when, sizeof(when), "%" PRId64, received);
	pieces[3] = mf_bytes_str(when);
	return digest("fields", pieces, 4);
}

bool
conversation_id_same(const struct conversation_id *x, const struct conversation_id *y)
{
	return memcmp(x->bytes, y->bytes, sizeof(x->bytes)) == 0;
}

bool
conversation_id_none(const struct conversation_id *id)
{
	static const struct conversation_id none;

	return conversation_id_same(id, &none);
}

bool
conversation_id_read(struct mf_bytes raw, struct conversation_id *out)
{
	if (raw.len != sizeof(out->bytes))
		return false;
	memcpy(out->bytes, raw.data, sizeof(out->bytes));
	return !conversation_id_none(out);
}
