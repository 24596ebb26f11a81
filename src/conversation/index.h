/*
 * ConversationIndex (MS-ASCON 2.2.2.4): five bytes of the first message's time, and five for each level
 * below it. And Thread-Index, the header field in which Outlook keeps the same with a GUID
 * (MS-OXOMSG 2.2.1.3). Pure functions over times in seconds since 1970; no store, no header.
 *
 * Which five bytes: the 2014 text of MS-ASCON (2.2.2.4.1) leaves out the eight high bits of the
 * FILETIME, but its own example (4.1) and MS-OXOMSG have them: 2009-03-21T07:04:26.948Z is 01C9A9F345.
 * The example is followed.
 */
#ifndef CONVERSATION_INDEX_H
#define CONVERSATION_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conversation/id.h"
#include "mailferry/arena.h"
#include "mailferry/bytes.h"

enum {
	CONVERSATION_HEADER_LEN = 5,
	CONVERSATION_LEVEL_LEN = 5,
	CONVERSATION_LEVELS_MAX = 100, /* deeper levels are left out */
	CONVERSATION_INDEX_MAX =
		CONVERSATION_HEADER_LEN + CONVERSATION_LEVELS_MAX * CONVERSATION_LEVEL_LEN,
	THREAD_INDEX_HEADER_LEN = 22,
};

struct conversation_index {
	uint8_t bytes[CONVERSATION_INDEX_MAX];
	size_t len;
};

/* FILETIME: 100 ns since 1601-01-01. Times before it are 0, those beyond 60056 the greatest. */
uint64_t conversation_filetime(int64_t seconds);

/* The header of a first message's time. */
void conversation_index_begin(struct conversation_index *x, int64_t when);

/* Adds a level: the time since the header's, 0 if it was before it, and a last byte out of `name`, so that
 * the value is the same at each time. At CONVERSATION_LEVELS_MAX nothing happens. */
void conversation_index_extend(
	struct conversation_index *x, int64_t when, const struct conversation_id *name);

/* Thread-Index, base64, as the field holds it. False when it is none: not base64, not 22 bytes and a
 * multiple of five, not beginning with 01, a GUID of zeros. Each of out and guid may be NULL. */
bool thread_index_parse(
	struct mf_bytes raw, struct conversation_index *out, struct conversation_id *guid);

/* The field's value for an index and a conversation. */
const char *thread_index_print(
	struct mf_arena *a, const struct conversation_index *x, const struct conversation_id *guid);

#endif
