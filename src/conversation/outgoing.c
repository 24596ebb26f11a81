/* Threading fields for what we send. Knows headers; must not know stores or commands. */
#include "conversation/outgoing.h"

#include "base/str.h"
#include "mime/build.h"

enum { REFERENCES_MAX = 100 }; /* written: the first and the newest ones */

static bool
has_own_index(const struct conversation_outgoing *o)
{
	return o->original == NULL &&
	       thread_index_parse(mime_header_raw(o->message, "Thread-Index"), NULL, NULL);
}

const char *const *
conversation_outgoing_replaced(const struct conversation_outgoing *o)
{
	static const char *const reply[] = { "References", "In-Reply-To", "Thread-Topic",
		"Thread-Index", NULL };
	static const char *const fresh[] = { "Thread-Topic", "Thread-Index", NULL };
	static const char *const topic[] = { "Thread-Topic", NULL };

	if (o->original != NULL)
		return reply;
	return has_own_index(o) ? topic : fresh;
}

/* References of the original (or its lone In-Reply-To), then its own id (RFC 5322 3.6.4). */
static void
add_references(struct mf_arena *a, const struct mime_header *original, struct mf_buf *out)
{
	const char *parent = mime_header_id(a, original, "Message-ID");
	const char *reply = conversation_reply_id(a, original);
	struct mime_ids ids, all = { 0 };

	if (parent == NULL)
		return;
	mime_ids_parse(a, mime_header_raw(original, "References"), &ids);
	if (ids.n == 0 && reply != NULL)
		ids = (struct mime_ids){ .list = &reply, .n = 1 };
	all.list = mf_new_array(a, const char *, REFERENCES_MAX);
	for (size_t i = 0; i < ids.n; i++)
		if ((i == 0 || ids.n - i < REFERENCES_MAX - 1) && !str_ieq(ids.list[i], parent))
			all.list[all.n++] = ids.list[i];
	all.list[all.n++] = parent;
	mime_field_add_ids(out, "References", &all);
	mime_field_add_ids(out, "In-Reply-To", &(struct mime_ids){ .list = &parent, .n = 1 });
}

static void
add_topic(struct mf_arena *a, const struct conversation_outgoing *o, struct mf_buf *out)
{
	const struct mime_header *h = o->original != NULL ? o->original : o->message;
	const char *topic = mime_header_text(a, h, "Thread-Topic", NULL);
	const char *subject;

	if (topic == NULL || topic[0] == '\0') {
		subject = mime_header_text(a, h, "Subject", NULL);
		topic = subject == NULL ? "" : mime_subject_topic(subject);
	}
	if (topic[0] != '\0')
		mime_field_add_text(out, "Thread-Topic", topic);
}

static void
add_index(struct mf_arena *a, const struct conversation_outgoing *o, struct mf_buf *out)
{
	const struct mime_header *h = o->original != NULL ? o->original : o->message;
	int64_t received = o->original != NULL ? o->original_received : o->now;
	struct conversation_id own = conversation_id_of_message(o->message_id);
	struct conversation_facts f;
	struct conversation_index index;

	conversation_facts_read(a, h, "", received, &f);
	if (o->original == NULL && mime_header_id(a, h, "Message-ID") == NULL) {
		f.own = own;
		if (f.n_parents == 0)
			f.id = own;
	}
	conversation_index_alone(&f, &index);
	if (o->original != NULL)
		conversation_index_extend(&index, o->now, &own);
	mf_buf_printf(out, "Thread-Index: %s\r\n", thread_index_print(a, &index, &f.id));
}

void
conversation_outgoing_add(
	struct mf_arena *a, const struct conversation_outgoing *o, struct mf_buf *out)
{
	if (o->original != NULL)
		add_references(a, o->original, out);
	add_topic(a, o, out);
	if (!has_own_index(o))
		add_index(a, o, out);
}
