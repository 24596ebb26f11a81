/*
 * What a message's header says of its conversation: References, In-Reply-To, Message-ID, Thread-Index.
 * A pure function of the header (and the server's thread id), so that it is the same on every machine and
 * after loss of all state. Subjects are not looked at: they merge strangers.
 */
#ifndef CONVERSATION_FACTS_H
#define CONVERSATION_FACTS_H

#include "conversation/index.h"
#include "mime/header.h"

/* Nearest ancestors and the oldest one named; more are ignored. */
enum { CONVERSATION_ANCESTORS_MAX = 100 };

struct conversation_facts {
	struct conversation_id own;	 /* the message's name */
	struct conversation_id id;	 /* of its conversation, as far as its header tells */
	struct conversation_id *parents; /* names of its ancestors, the oldest first, each once */
	size_t n_parents;
	struct conversation_id thread;	 /* the server's; none (all zero) where it has none */
	struct conversation_id guid;	 /* of a valid Thread-Index, else none */
	struct conversation_index index; /* of a valid Thread-Index; len 0: there is none */
	int64_t date;			 /* when it was sent; without a Date when it was received */
};

/* The fields that facts come from, NULL at the end: for mf_fetch.fields. */
extern const char *const conversation_fields[];

/* thread: X-GM-THRID or THREADID, "" where there is none; received: INTERNALDATE. */
void conversation_facts_read(struct mf_arena *a, const struct mime_header *h, const char *thread,
	int64_t received, struct conversation_facts *out);
/* The same for many messages, one after the other, with a memo of their names (conversation/id.h). */
void conversation_facts_read_next(struct mf_arena *a, const struct mime_header *h,
	const char *thread, int64_t received, struct conversation_memo *memo,
	struct conversation_facts *out);

/* In-Reply-To when it is one id and nothing else ("Message from Bart <a@b.c>" is none), without its
 * brackets; else NULL. */
const char *conversation_reply_id(struct mf_arena *a, const struct mime_header *h);

/* Names that the message brings together, `own` and `id` among them, each once. Returns their number, at
 * most CONVERSATION_NAMES_MAX. */
enum { CONVERSATION_NAMES_MAX = CONVERSATION_ANCESTORS_MAX + 4 };
size_t conversation_facts_names(const struct conversation_facts *f, struct conversation_id *out);

/* What is known of an ancestor. */
struct conversation_ancestor {
	struct conversation_id name;
	bool known;
	int64_t date;
	struct conversation_index index; /* len 0: it has no Thread-Index of its own */
};

/* The index of a message without a Thread-Index, from its ancestors (the oldest first, may be none). An
 * ancestor that is not known is given the date of the next one below. */
void conversation_index_build(const struct conversation_ancestor *chain, size_t n,
	const struct conversation_facts *f, struct conversation_index *out);

/* Of facts alone: its own Thread-Index, else from ancestors that nobody knows. */
void conversation_index_alone(const struct conversation_facts *f, struct conversation_index *out);

#endif
