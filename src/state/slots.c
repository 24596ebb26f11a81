/* Which of two rows is the newer, and which one makes place. Knows nothing of what they hold. */
#include "state/slots.h"

#include <inttypes.h>

static struct state_key
slot_key(const struct state_key *prefix, int slot)
{
	struct state_key k = *prefix;

	state_key_u8(&k, (uint8_t)slot);
	return k;
}

void
slots_read(struct kv_txn *t, const struct state_key *prefix, struct slots *out)
{
	*out = (struct slots){ .newest = -1, .previous = -1 };
	for (int i = 0; i < SLOTS; i++) {
		struct state_key k = slot_key(prefix, i);
		struct mf_bytes row;

		if (!kv_get(t, state_key_view(&k), &row) || row.len < SLOT_KEY_LEN)
			continue;
		out->key[i] = state_key_read_u64(row, 0);
		out->row[i] = mf_bytes(row.data + SLOT_KEY_LEN, row.len - SLOT_KEY_LEN);
		out->previous = out->newest;
		out->newest = i;
	}
	if (out->previous >= 0 && out->key[out->previous] > out->key[out->newest]) {
		out->previous = 1;
		out->newest = 0;
	}
}

enum mf_status
slots_commit(struct kv_txn *t, const struct state_key *prefix, uint64_t newest, uint64_t base,
	struct mf_bytes row, struct mf_error *err)
{
	struct slots s;
	int keep = -1, into;

	slots_read(t, prefix, &s);
	if (newest != (s.newest < 0 ? 0 : s.key[s.newest]))
		return mf_fail(err, MF_RESYNC, "state: another request of the device was faster");
	for (int i = 0; i < SLOTS; i++) {
		if (base != 0 && s.key[i] == base)
			keep = i;
	}
	if (base != 0 && keep < 0)
		return mf_fail(err, MF_RESYNC, "state: key %" PRIu64 " is no longer kept", base);
	into = keep == 0 ? 1 : 0;
	for (int i = 0; i < SLOTS; i++) {
		struct state_key k = slot_key(prefix, i);

		if (i == into)
			kv_put(t, state_key_view(&k), row);
		else if (i != keep)
			kv_delete(t, state_key_view(&k));
	}
	return MF_OK;
}

void
slots_row_begin(struct mf_buf *b, uint64_t key)
{
	struct state_key k = { .len = 0 };

	state_key_u64(&k, key);
	mf_buf_add(b, k.data, k.len);
}
