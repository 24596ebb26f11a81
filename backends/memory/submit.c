/* Submission: mail for users of this world arrives in their Inbox, all of it in the outgoing box. */
#include "memory/calls.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The user whose address this is: "anna" is anna@<domain>, "anna@example.org" is herself. */
static struct memory_user *
addressee(struct memory_world *w, const char *address)
{
	const char *at = strrchr(address, '@');

	for (size_t i = 0; i < w->n_users; i++) {
		const char *name = w->users[i]->name;

		if (strcasecmp(name, address) == 0)
			return w->users[i];
		if (at != NULL && strcasecmp(at + 1, w->domain) == 0 &&
			strlen(name) == (size_t)(at - address) &&
			strncasecmp(name, address, strlen(name)) == 0)
			return w->users[i];
	}
	return NULL;
}

/* Mail for strangers leaves; an unknown name in our own domain does not exist. */
static bool
exists(struct memory_world *w, const char *address)
{
	const char *at = strrchr(address, '@');

	if (at == NULL || at == address || strpbrk(address, "\r\n<> ") != NULL)
		return false;
	return strcasecmp(at + 1, w->domain) != 0 || addressee(w, address) != NULL;
}

/* Lock held. */
static size_t
accept_recipients(struct memory_world *w, const struct mf_envelope *e)
{
	size_t accepted = 0;

	for (size_t i = 0; i < e->n_to; i++) {
		struct mf_recipient *r = &e->to[i];

		r->accepted = exists(w, r->address);
		snprintf(r->reply, sizeof(r->reply), "%s",
			r->accepted ? "" : "550 5.1.1 no such user");
		accepted += r->accepted;
	}
	return accepted;
}

/* Lock held. */
static void
deliver(struct memory_world *w, const char *address, struct memory_message *m)
{
	struct memory_user *u = addressee(w, address);

	if (u != NULL)
		memory_item_new(w, memory_folder_find(u, "INBOX"), memory_message_ref(m), 0, 0);
}

/* Lock held. */
static void
record(struct mf_session *s, const struct mf_envelope *e, size_t accepted, struct memory_message *m)
{
	struct memory_world *w = s->world;
	size_t cap = w->n_sent;
	struct memory_mail *mail;

	w->sent = memory_grow(w->sent, w->n_sent, &cap, sizeof(*w->sent));
	mail = &w->sent[w->n_sent++];
	*mail = (struct memory_mail){
		.user = memory_strdup(s->user->name),
		.from = memory_strdup(e->from),
		.to = memory_alloc((accepted + 1) * sizeof(char *)),
		.message = memory_message_ref(m),
	};
	for (size_t i = 0; i < e->n_to; i++)
		if (e->to[i].accepted) {
			mail->to[mail->n_to++] = memory_strdup(e->to[i].address);
			deliver(w, e->to[i].address, m);
		}
}

static enum mf_status
submit_message(struct mf_session *s, const struct mf_envelope *e, struct memory_message *m,
	enum mf_sent *sent, struct mf_error *err)
{
	size_t accepted;

	memory_lock(s->world);
	accepted = accept_recipients(s->world, e);
	if (accepted > 0)
		record(s, e, accepted, m);
	memory_unlock(s->world);
	if (accepted == 0)
		return mf_fail(err, MF_REFUSED, "memory: no recipient was accepted");
	*sent = MF_SENT_YES;
	return MF_OK;
}

enum mf_status
memory_submit(struct mf_session *s, const struct mf_envelope *e, mf_read_fn *read, void *ctx,
	enum mf_sent *sent, struct mf_error *err)
{
	struct memory_message *m;
	enum mf_status st;
	uint64_t limit;

	memory_lock(s->world);
	limit = s->world->limit;
	memory_unlock(s->world);
	if (limit > 0 && e->size > limit)
		return mf_fail(err, MF_TOO_LARGE, "memory: the message is over the limit");
	m = memory_message_read(read, ctx, e->size);
	if (m == NULL)
		return mf_fail(err, MF_INVALID, "memory: the message ended early");
	st = submit_message(s, e, m, sent, err);
	memory_lock(s->world);
	memory_message_unref(m);
	memory_unlock(s->world);
	return st;
}
