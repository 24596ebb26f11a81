/*
 * The names of conversations: 16 bytes each, the value of ConversationId (MS-ASCON 2.2.2.3).
 *
 * A message has several names: of its own Message-ID, of the ids that it refers to, of the thread that
 * the server puts it into, the GUID of its Thread-Index. Whatever shares a name is one conversation.
 * All functions are pure; what is no GUID is digested, so that a name says nothing of the mail.
 */
#ifndef CONVERSATION_ID_H
#define CONVERSATION_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/bytes.h"

enum { CONVERSATION_ID_LEN = 16 };

struct conversation_id {
	uint8_t bytes[CONVERSATION_ID_LEN];
};

/* Of a Message-ID without its angle brackets. */
struct conversation_id conversation_id_of_message(const char *message_id);

/* The names of Message-IDs that were asked for lately: the messages of a thread name the same ones again and again.
 * One thread. */
struct conversation_memo;
struct conversation_memo *conversation_memo_new(void);
void conversation_memo_free(struct conversation_memo *memo);
/* The same as conversation_id_of_message; memo NULL: without one. */
struct conversation_id conversation_id_remembered(
	struct conversation_memo *memo, const char *message_id);

/* Of X-GM-THRID or THREADID (RFC 8474). */
struct conversation_id conversation_id_of_thread(const char *thread);
/* Of a message without a Message-ID: of the raw values of its Date, From and Subject and of when it was
 * received. */
struct conversation_id conversation_id_of_fields(
	struct mf_bytes date, struct mf_bytes from, struct mf_bytes subject, int64_t received);

bool conversation_id_same(const struct conversation_id *x, const struct conversation_id *y);
/* All zero: no id. */
bool conversation_id_none(const struct conversation_id *id);
/* What a phone sent; false unless it has 16 bytes that are not all zero. */
bool conversation_id_read(struct mf_bytes raw, struct conversation_id *out);

#endif
