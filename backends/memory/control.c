/* The tests' hands in a world: see memory.h. */
#include "memory/worlds.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Users and mail ---- */

void
memory_user(struct memory_world *w, const char *user, const char *password)
{
	memory_lock(w);
	memory_user_set(w, user, password);
	memory_unlock(w);
}

/* Lock held. */
static struct memory_user *
must_have_user(struct memory_world *w, const char *name)
{
	struct memory_user *u = memory_user_find(w, name);

	assert(u != NULL && "no such user in the world");
	return u;
}

static struct memory_folder *
must_have(struct memory_world *w, const char *user, const char *folder)
{
	struct memory_folder *f = memory_folder_find(must_have_user(w, user), folder);

	assert(f != NULL && "no such folder in the world");
	return f;
}

void
memory_token(struct memory_world *w, const char *user, const char *token)
{
	struct memory_user *u;

	memory_lock(w);
	u = must_have_user(w, user);
	free(u->token);
	u->token = token == NULL ? NULL : memory_strdup(token);
	memory_unlock(w);
}

/* Bare LF become CRLF. */
static struct memory_message *
with_crlf(struct mf_bytes in)
{
	struct memory_message *m;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	for (size_t i = 0; i < in.len; i++) {
		if (in.data[i] == '\n' && (i == 0 || in.data[i - 1] != '\r'))
			mf_buf_add_byte(&b, '\r');
		mf_buf_add_byte(&b, in.data[i]);
	}
	m = memory_message_new(b.data, b.len);
	mf_buf_deinit(&b);
	return m;
}

uint64_t
memory_add(struct memory_world *w, const char *user, const char *folder, struct mf_bytes message,
	uint32_t flags, int64_t date)
{
	struct memory_message *m = with_crlf(message);
	uint64_t id;

	memory_lock(w);
	id = memory_item_new(w, must_have(w, user, folder), m, flags, date)->id;
	memory_unlock(w);
	return id;
}

uint64_t
memory_add_file(struct memory_world *w, const char *user, const char *folder, const char *path,
	uint32_t flags, int64_t date)
{
	FILE *in = fopen(path, "rb");
	struct mf_buf b;
	uint64_t id = 0;
	uint8_t *room;

	if (in == NULL)
		return 0;
	mf_buf_init(&b, 0);
	do {
		room = mf_buf_reserve(&b, 65536);
		mf_buf_commit(&b, fread(room, 1, 65536, in));
	} while (!feof(in) && !ferror(in));
	if (!ferror(in))
		id = memory_add(w, user, folder, mf_buf_bytes(&b), flags, date);
	fclose(in);
	mf_buf_deinit(&b);
	return id;
}

bool
memory_flag(struct memory_world *w, const char *user, const char *folder, uint64_t id, uint32_t add,
	uint32_t remove, const char *keyword)
{
	const char *keywords[] = { keyword, NULL };
	struct memory_item *i;

	memory_lock(w);
	i = memory_item_find(must_have(w, user, folder), id);
	if (i != NULL)
		memory_item_change(w, i, add, remove, keywords, NULL);
	memory_unlock(w);
	return i != NULL;
}

bool
memory_expunge(struct memory_world *w, const char *user, const char *folder, uint64_t id)
{
	struct memory_folder *f;
	struct mf_idset one;
	bool there;

	mf_idset_init(&one);
	mf_idset_add(&one, id);
	memory_lock(w);
	f = must_have(w, user, folder);
	there = memory_item_find(f, id) != NULL;
	if (there)
		memory_items_remove(w, f, &one);
	memory_unlock(w);
	mf_idset_deinit(&one);
	return there;
}

bool
memory_damage(
	struct memory_world *w, const char *user, const char *folder, uint64_t id, const char *why)
{
	struct memory_item *i;

	memory_lock(w);
	i = memory_item_find(must_have(w, user, folder), id);
	if (i != NULL) {
		free(i->damaged);
		i->damaged = memory_strdup(why);
	}
	memory_unlock(w);
	return i != NULL;
}

void
memory_new_epoch(struct memory_world *w, const char *user, const char *folder)
{
	struct memory_folder *f;

	memory_lock(w);
	f = must_have(w, user, folder);
	f->epoch = ++w->epoch;
	f->n_gone = 0;
	/* Other ids than before for most, so that nobody takes them for the same items. */
	for (size_t i = 0; i < f->n; i++) {
		f->items[i].id = i + 1;
		f->items[i].modseq = ++w->modseq;
	}
	f->next_id = f->n + 1;
	memory_unlock(w);
}

void
memory_folder_as(struct memory_world *w, const char *user, const char *folder, enum mf_role role)
{
	struct memory_user *u;

	memory_lock(w);
	u = must_have_user(w, user);
	if (memory_folder_find(u, folder) == NULL)
		memory_folder_new(w, u, folder, role);
	memory_unlock(w);
}

void
memory_folder(struct memory_world *w, const char *user, const char *folder)
{
	memory_folder_as(w, user, folder, MF_ROLE_NONE);
}

void
memory_folder_drop(struct memory_world *w, const char *user, const char *folder)
{
	memory_lock(w);
	memory_folder_remove(must_have_user(w, user), must_have(w, user, folder));
	memory_unlock(w);
}

/* ---- Looking ---- */

void
memory_ids(struct memory_world *w, const char *user, const char *folder, struct mf_idset *out)
{
	const struct memory_folder *f;

	mf_idset_clear(out);
	memory_lock(w);
	f = must_have(w, user, folder);
	for (size_t i = 0; i < f->n; i++)
		mf_idset_add(out, f->items[i].id);
	memory_unlock(w);
}

const struct mf_item *
memory_item(struct memory_world *w, const char *user, const char *folder, uint64_t id,
	struct mf_arena *a)
{
	const struct memory_item *i;
	struct mf_item *out = NULL;

	memory_lock(w);
	i = memory_item_find(must_have(w, user, folder), id);
	if (i != NULL) {
		out = mf_new(a, struct mf_item);
		*out = (struct mf_item){
			.id = id,
			.have = MF_WANT_FLAGS | MF_WANT_DATE | MF_WANT_SIZE | MF_WANT_HEADER,
			.flags = i->flags,
			.keywords = memory_keywords_copy(i, a),
			.n_keywords = i->n_keywords,
			.date = i->date,
			.size = i->message->len,
			.header = mf_memdup(a, i->message->data, i->message->len),
			.preview = "",
			.thread = "",
			.identity = "",
			.damaged = mf_strdup(a, i->damaged),
		};
	}
	memory_unlock(w);
	return out;
}

size_t
memory_sent_count(struct memory_world *w)
{
	size_t n;

	memory_lock(w);
	n = w->n_sent;
	memory_unlock(w);
	return n;
}

const struct memory_sent *
memory_sent(struct memory_world *w, size_t i, struct mf_arena *a)
{
	struct memory_sent *out = mf_new(a, struct memory_sent);
	const struct memory_mail *m;
	const char **to;

	memory_lock(w);
	assert(i < w->n_sent);
	m = &w->sent[i];
	to = mf_new_array(a, const char *, m->n_to + 1);
	for (size_t k = 0; k < m->n_to; k++)
		to[k] = mf_strdup(a, m->to[k]);
	*out = (struct memory_sent){
		.user = mf_strdup(a, m->user),
		.from = mf_strdup(a, m->from),
		.to = to,
		.n_to = m->n_to,
		.message = mf_memdup(a, m->message->data, m->message->len),
	};
	memory_unlock(w);
	return out;
}

/* ---- Faults and variants ---- */

void
memory_fail(struct memory_world *w, enum memory_call call, unsigned nth, enum mf_status status,
	unsigned how)
{
	memory_lock(w);
	assert(w->n_rules < MEMORY_RULES_MAX && status != MF_OK);
	w->rules[w->n_rules++] = (struct memory_rule){
		.call = call,
		.left = nth,
		.always = nth == 0,
		.status = status,
		.how = how,
	};
	memory_unlock(w);
}

void
memory_delay(struct memory_world *w, enum memory_call call, unsigned ms)
{
	memory_lock(w);
	w->delays[call] = ms;
	memory_unlock(w);
}

void
memory_down(struct memory_world *w, bool down)
{
	memory_lock(w);
	w->generation += down && !w->down;
	w->down = down;
	memory_unlock(w);
}

void
memory_drop(struct memory_world *w)
{
	memory_lock(w);
	w->generation++;
	memory_unlock(w);
}

void
memory_reset(struct memory_world *w)
{
	memory_lock(w);
	w->n_rules = 0;
	w->down = false;
	w->limit = 0;
	w->capabilities = MEMORY_ALL_CAPABILITIES;
	memset(w->delays, 0, sizeof(w->delays));
	memset(w->calls, 0, sizeof(w->calls));
	memory_unlock(w);
}

uint64_t
memory_calls(struct memory_world *w, enum memory_call call)
{
	uint64_t n;

	memory_lock(w);
	n = w->calls[call];
	memory_unlock(w);
	return n;
}

unsigned
memory_sessions(struct memory_world *w)
{
	unsigned n;

	memory_lock(w);
	n = w->sessions;
	memory_unlock(w);
	return n;
}

void
memory_capabilities(struct memory_world *w, unsigned capabilities)
{
	memory_lock(w);
	w->capabilities = capabilities;
	memory_unlock(w);
}

void
memory_limit(struct memory_world *w, uint64_t bytes)
{
	memory_lock(w);
	w->limit = bytes;
	memory_unlock(w);
}
