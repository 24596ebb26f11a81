/* Building and reading keys. Knows their layout, not what they stand for. */
#include "state/keys.h"

#include <assert.h>

#include "base/digest.h"

void
state_key_bytes(struct state_key *k, const void *data, size_t len)
{
	assert(len <= sizeof(k->data) - k->len);
	if (len > 0)
		memcpy(k->data + k->len, data, len);
	k->len += len;
}

static void
big_endian(struct state_key *k, uint64_t n, unsigned bytes)
{
	uint8_t out[8];

	for (unsigned i = 0; i < bytes; i++)
		out[i] = (uint8_t)(n >> (8 * (bytes - 1 - i)));
	state_key_bytes(k, out, bytes);
}

void
state_key_u8(struct state_key *k, uint8_t n)
{
	big_endian(k, n, 1);
}

void
state_key_u32(struct state_key *k, uint32_t n)
{
	big_endian(k, n, 4);
}

void
state_key_u64(struct state_key *k, uint64_t n)
{
	big_endian(k, n, 8);
}

void
state_key_begin(struct state_key *k, uint32_t user, enum state_space space)
{
	k->len = 0;
	state_key_u32(k, user);
	state_key_u8(k, (uint8_t)space);
}

void
state_key_digest(struct state_key *k, const void *data, size_t len)
{
	uint8_t digest[DIGEST_SIZE];

	digest_sha256(data, len, digest);
	state_key_bytes(k, digest, STATE_DIGEST_LEN);
}

static uint64_t
read_number(struct mf_bytes key, size_t offset, size_t bytes)
{
	uint64_t n = 0;

	assert(offset <= key.len && bytes <= key.len - offset);
	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | key.data[offset + i];
	return n;
}

uint32_t
state_key_read_u32(struct mf_bytes key, size_t offset)
{
	return (uint32_t)read_number(key, offset, 4);
}

uint64_t
state_key_read_u64(struct mf_bytes key, size_t offset)
{
	return read_number(key, offset, 8);
}
