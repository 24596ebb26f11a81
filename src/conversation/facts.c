/* Threading fields of a header to names and ancestors. Knows no store. */
#include "conversation/facts.h"

#include <string.h>

const char *const conversation_fields[] = { "Message-ID", "References", "In-Reply-To",
	"Thread-Index", "Date", "From", "Subject", NULL };

enum { FIRST_BYTES = 4096 }; /* where the oldest reference is looked for */

const char *
conversation_reply_id(struct mf_arena *a, const struct mime_header *h)
{
	struct mf_bytes raw = mime_header_raw(h, "In-Reply-To");
	struct mime_ids ids;

	if (raw.len < 3 || raw.data[0] != '<' || raw.data[raw.len - 1] != '>' ||
		memchr(raw.data + 1, '<', raw.len - 1) != NULL)
		return NULL;
	mime_ids_parse(a, raw, &ids);
	return ids.n == 1 ? ids.list[0] : NULL;
}

static void
add_parent(struct conversation_facts *f, const char *message_id, struct conversation_memo *memo)
{
	struct conversation_id name = conversation_id_remembered(memo, message_id);

	if (conversation_id_same(&name, &f->own))
		return;
	for (size_t i = 0; i < f->n_parents; i++)
		if (conversation_id_same(&f->parents[i], &name))
			return;
	f->parents[f->n_parents++] = name;
}

/* The oldest reference names the conversation, the newest ones the place in it. */
static void
read_references(struct mf_arena *a, struct mf_bytes raw, struct conversation_memo *memo,
	struct conversation_facts *f)
{
	struct mf_bytes begin = mf_bytes(raw.data, raw.len < FIRST_BYTES ? raw.len : FIRST_BYTES);
	struct mime_ids ids, first;
	size_t from = 0;

	mime_ids_parse(a, raw, &ids);
	if (ids.n >= CONVERSATION_ANCESTORS_MAX) {
		from = ids.n - (CONVERSATION_ANCESTORS_MAX - 1);
		mime_ids_parse(a, begin, &first);
		if (first.n > 0)
			add_parent(f, first.list[0], memo);
	}
	for (size_t i = from; i < ids.n; i++)
		add_parent(f, ids.list[i], memo);
}

static void
read_parents(struct mf_arena *a, const struct mime_header *h, struct conversation_memo *memo,
	struct conversation_facts *f)
{
	const char *reply;

	f->parents = mf_new_array(a, struct conversation_id, CONVERSATION_ANCESTORS_MAX);
	read_references(a, mime_header_raw(h, "References"), memo, f);
	if (f->n_parents == 0 && (reply = conversation_reply_id(a, h)) != NULL)
		add_parent(f, reply, memo);
}

void
conversation_facts_read_next(struct mf_arena *a, const struct mime_header *h, const char *thread,
	int64_t received, struct conversation_memo *memo, struct conversation_facts *out)
{
	const char *message_id = mime_header_id(a, h, "Message-ID");

	memset(out, 0, sizeof(*out));
	out->own = message_id != NULL ? conversation_id_remembered(memo, message_id)
				      : conversation_id_of_fields(mime_header_raw(h, "Date"),
						mime_header_raw(h, "From"),
						mime_header_raw(h, "Subject"), received);
	read_parents(a, h, memo, out);
	if (!mime_header_date(h, "Date", &out->date))
		out->date = received;
	if (thread != NULL && thread[0] != '\0')
		out->thread = conversation_id_of_thread(thread);
	thread_index_parse(mime_header_raw(h, "Thread-Index"), &out->index, &out->guid);

	if (!conversation_id_none(&out->thread))
		out->id = out->thread;
	else if (!conversation_id_none(&out->guid))
		out->id = out->guid;
	else
		out->id = out->n_parents > 0 ? out->parents[0] : out->own;
}

void
conversation_facts_read(struct mf_arena *a, const struct mime_header *h, const char *thread,
	int64_t received, struct conversation_facts *out)
{
	conversation_facts_read_next(a, h, thread, received, NULL, out);
}

size_t
conversation_facts_names(const struct conversation_facts *f, struct conversation_id *out)
{
	size_t n = 0;

	out[n++] = f->own;
	if (!conversation_id_none(&f->thread))
		out[n++] = f->thread;
	if (!conversation_id_none(&f->guid))
		out[n++] = f->guid;
	for (size_t i = 0; i < f->n_parents; i++)
		out[n++] = f->parents[i];
	return n;
}

/* The date of ancestor i, or of the nearest below it that is known. */
static int64_t
date_at(const struct conversation_ancestor *chain, size_t n, size_t i, int64_t own)
{
	for (; i < n; i++)
		if (chain[i].known)
			return chain[i].date;
	return own;
}

void
conversation_index_build(const struct conversation_ancestor *chain, size_t n,
	const struct conversation_facts *f, struct conversation_index *out)
{
	size_t from = 0;

	/* Nearest ancestor that brings an index: what is above it is in there. */
	for (size_t i = n; i > 0 && from == 0; i--)
		if (chain[i - 1].known && chain[i - 1].index.len > 0)
			from = i;
	if (from > 0) {
		*out = chain[from - 1].index;
	} else {
		conversation_index_begin(out, date_at(chain, n, 0, f->date));
		from = 1;
	}
	for (size_t i = from; i < n; i++)
		conversation_index_extend(out, date_at(chain, n, i, f->date), &chain[i].name);
	if (n > 0)
		conversation_index_extend(out, f->date, &f->own);
}

void
conversation_index_alone(const struct conversation_facts *f, struct conversation_index *out)
{
	struct conversation_ancestor chain[CONVERSATION_ANCESTORS_MAX];

	if (f->index.len > 0) {
		*out = f->index;
		return;
	}
	for (size_t i = 0; i < f->n_parents; i++)
		chain[i] = (struct conversation_ancestor){ .name = f->parents[i] };
	conversation_index_build(chain, f->n_parents, f, out);
}
