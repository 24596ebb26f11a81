/*
 * The one table of what the stores hold: every kind of row with its key's layout.
 *
 * A key is the user's number (32 bits, big-endian; 0 for rows that belong to nobody), one byte for the
 * kind of row, and fields of fixed width, big-endian, so that rows are in the order of their numbers
 * and no user's rows can be reached from another's. Users are numbered in each store by itself: what
 * `sync` holds may be deleted while `records` stays.
 */
#ifndef STATE_KEYS_H
#define STATE_KEYS_H

#include <stdint.h>

#include "mailferry/bytes.h"
#include "state/kv.h"

/* Values are part of the format: never change or reuse one. */
enum state_space {
	/* Both stores, user 0. */
	STATE_SPACE_FORMAT = 0x01,    /* -> format version, u32 */
	STATE_SPACE_LAST_USER = 0x02, /* -> the last user number given, u32 */
	STATE_SPACE_USER_NAME = 0x03, /* name -> number, u32 */
	STATE_SPACE_DECISIONS = 0x04, /* -> how often something was decided about a device, u32 */
	/* Both stores, of a user. */
	STATE_SPACE_USER = 0x10, /* -> name and counters (user.c) */
	/* sync */
	STATE_SPACE_DEVICE_ID = 0x20,  /* digest of the device's id, 16 bytes -> number, u32 */
	STATE_SPACE_DEVICE = 0x21,     /* device u32 -> device.c */
	STATE_SPACE_FOLDER = 0x22,     /* folder u32 -> folder.c */
	STATE_SPACE_HIERARCHY = 0x23,  /* device u32, slot u8 -> hierarchy.c */
	STATE_SPACE_COLLECTION = 0x24, /* device u32, folder u32, slot u8 -> collection.c */
	STATE_SPACE_BLOB = 0x25,       /* device u32, enum state_blob u8 -> opaque */
	STATE_SPACE_MOVE = 0x26,       /* folder u32, epoch u64, id u64 -> move.c */
	/* The index of conversations (conversation_rows.h): */
	STATE_SPACE_CONVERSATION_NAME = 0x27,	/* conversation id, 16 bytes -> set, facts */
	STATE_SPACE_CONVERSATION_SET = 0x28,	/* set u32 -> id, oldest member, count */
	STATE_SPACE_CONVERSATION_MEMBER = 0x29, /* set u32, folder u32, id u64 -> nothing */
	STATE_SPACE_CONVERSATION_CHUNK = 0x2A,	/* folder u32, id / 64 u64 -> sets of 64 ids */
	STATE_SPACE_CONVERSATION_FOLDER = 0x2B, /* folder u32 -> how far it is indexed */
	STATE_SPACE_CONVERSATION_LAST = 0x2C,	/* -> the last set number given, u32 */
	STATE_SPACE_FLAG = 0x2D,		/* folder u32 -> flag.c */
	STATE_SPACE_VERB = 0x2E,		/* folder u32 -> flag.c */
	STATE_SPACE_NUMBERING = 0x2F,		/* folder u32 -> numbering.c */
	STATE_SPACE_IDENTITY = 0x30,		/* folder u32, item / 64 u64 -> numbering.c */
	STATE_SPACE_CONVERSATION_SWEEP = 0x31,	/* -> conversation_sweep.c */
	STATE_SPACE_MEETING = 0x32,		/* -> meeting.c */
	/* records */
	STATE_SPACE_LEDGER = 0x40,   /* digest of device id and client id -> sent mail */
	STATE_SPACE_RULE = 0x41,     /* conversation id, 16 bytes -> ignore or always move */
	STATE_SPACE_APPROVAL = 0x42, /* digest of the device's id -> allowed, blocked, waiting */
	STATE_SPACE_WIPE = 0x43,     /* digest of the device's id -> wipe asked for, sent, done */
	STATE_SPACE_PASSWORD = 0x44, /* number u32 -> password.c; number 0 -> the last one given */
	STATE_SPACE_OUT_OF_OFFICE = 0x45,
	STATE_SPACE_RECOVERY = 0x46, /* digest of the device's id -> recovery.c */
};

struct state_key {
	uint8_t data[KV_KEY_MAX];
	size_t len;
};

/* Begins a key (or a prefix) with its user and space; the others append a field. Too long is an
 * assertion: names are limited where they enter. */
void state_key_begin(struct state_key *k, uint32_t user, enum state_space space);
void state_key_u8(struct state_key *k, uint8_t n);
void state_key_u32(struct state_key *k, uint32_t n);
void state_key_u64(struct state_key *k, uint64_t n);
void state_key_bytes(struct state_key *k, const void *data, size_t len);

static inline struct mf_bytes
state_key_view(const struct state_key *k)
{
	return mf_bytes(k->data, k->len);
}

/* The first 16 bytes of a SHA-256: stands in a key for a name that may be longer than a key. */
enum { STATE_DIGEST_LEN = 16 };
void state_key_digest(struct state_key *k, const void *data, size_t len);

/* Reads a fixed-width number of a key (at `offset`, which must be inside: an assertion). */
uint32_t state_key_read_u32(struct mf_bytes key, size_t offset);
uint64_t state_key_read_u64(struct mf_bytes key, size_t offset);

enum { STATE_KEY_FIELDS = 5 }; /* offset of the first field: behind user and space */

#endif
