/* Users, folders and items: see world.h. Knows no API, no fault and no MIME. */
#include "memory/world.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

void *
memory_alloc(size_t size)
{
	void *p = calloc(1, size == 0 ? 1 : size);

	if (p == NULL)
		abort();
	return p;
}

/* Room for one more after n elements. */
void *
memory_grow(void *p, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	*cap = *cap == 0 ? 8 : *cap * 2;
	p = reallocarray(p, *cap, size);
	if (p == NULL)
		abort();
	return p;
}

char *
memory_strdup(const char *s)
{
	char *copy = strdup(s);

	if (copy == NULL)
		abort();
	return copy;
}

void
memory_lock(struct memory_world *w)
{
	pthread_mutex_lock(&w->lock);
}

void
memory_unlock(struct memory_world *w)
{
	pthread_mutex_unlock(&w->lock);
}

/* ---- Messages ---- */

struct memory_message *
memory_message_new(const void *data, size_t len)
{
	struct memory_message *m = memory_alloc(sizeof(*m) + len);

	m->refs = 1;
	m->len = len;
	if (len > 0 && data != NULL)
		memcpy(m->data, data, len);
	return m;
}

struct memory_message *
memory_message_ref(struct memory_message *m)
{
	m->refs++;
	return m;
}

void
memory_message_unref(struct memory_message *m)
{
	if (--m->refs == 0)
		free(m);
}

struct memory_message *
memory_message_read(mf_read_fn *read, void *ctx, uint64_t size)
{
	struct memory_message *m = memory_message_new(NULL, (size_t)size);
	size_t len = 0;

	while (len < m->len) {
		ssize_t n = read(ctx, m->data + len, m->len - len);

		if (n <= 0) {
			free(m);
			return NULL;
		}
		len += (size_t)n;
	}
	return m;
}

/* ---- Users and folders ---- */

struct memory_user *
memory_user_find(struct memory_world *w, const char *name)
{
	for (size_t i = 0; i < w->n_users; i++)
		if (strcmp(w->users[i]->name, name) == 0)
			return w->users[i];
	return NULL;
}

struct memory_folder *
memory_folder_find(const struct memory_user *u, const char *path)
{
	for (size_t i = 0; i < u->n_folders; i++)
		if (strcmp(u->folders[i]->path, path) == 0)
			return u->folders[i];
	return NULL;
}

static int
by_path(const void *a, const void *b)
{
	const struct memory_folder *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

void
memory_folders_sort(struct memory_user *u)
{
	qsort(u->folders, u->n_folders, sizeof(struct memory_folder *), by_path);
}

struct memory_folder *
memory_folder_new(
	struct memory_world *w, struct memory_user *u, const char *path, enum mf_role role)
{
	struct memory_folder *f = memory_alloc(sizeof(*f));
	void *grown = reallocarray(u->folders, u->n_folders + 1, sizeof(f));

	if (grown == NULL)
		abort();
	f->path = memory_strdup(path);
	f->role = role;
	f->epoch = ++w->epoch;
	f->number = ++w->identity;
	f->next_id = 1;
	u->folders = grown;
	u->folders[u->n_folders++] = f;
	memory_folders_sort(u);
	return f;
}

static void
item_deinit(struct memory_item *i)
{
	for (size_t k = 0; k < i->n_keywords; k++)
		free(i->keywords[k]);
	free(i->keywords);
	free(i->damaged);
	memory_message_unref(i->message);
}

void
memory_folder_remove(struct memory_user *u, struct memory_folder *f)
{
	size_t at = 0;

	while (u->folders[at] != f)
		at++;
	memmove(u->folders + at, u->folders + at + 1, (u->n_folders - at - 1) * sizeof(f));
	u->n_folders--;
	for (size_t i = 0; i < f->n; i++)
		item_deinit(&f->items[i]);
	free(f->items);
	free(f->gone);
	free(f->path);
	free(f);
}

struct memory_user *
memory_user_new(struct memory_world *w, const char *name)
{
	static const struct {
		const char *path;
		enum mf_role role;
	} first[] = {
		{ "INBOX", MF_ROLE_INBOX },
		{ "Drafts", MF_ROLE_DRAFTS },
		{ "Sent", MF_ROLE_SENT },
		{ "Trash", MF_ROLE_TRASH },
		{ "Junk", MF_ROLE_JUNK },
		{ "Archive", MF_ROLE_ARCHIVE },
	};
	struct memory_user *u = memory_alloc(sizeof(*u));
	void *grown = reallocarray(w->users, w->n_users + 1, sizeof(u));

	if (grown == NULL)
		abort();
	w->users = grown;
	w->users[w->n_users++] = u;
	u->name = memory_strdup(name);
	u->password = memory_strdup("");
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		memory_folder_new(w, u, first[i].path, first[i].role);
	return u;
}

/* ---- Items ---- */

static int
by_id(const void *key, const void *member)
{
	uint64_t id = *(const uint64_t *)key;
	const struct memory_item *i = member;

	return id < i->id ? -1 : id > i->id;
}

struct memory_item *
memory_item_find(const struct memory_folder *f, uint64_t id)
{
	return f->n == 0 ? NULL : bsearch(&id, f->items, f->n, sizeof(*f->items), by_id);
}

struct memory_item *
memory_item_new(struct memory_world *w, struct memory_folder *f, struct memory_message *m,
	uint32_t flags, int64_t date)
{
	struct memory_item *i;

	f->items = memory_grow(f->items, f->n, &f->cap, sizeof(*f->items));
	i = &f->items[f->n++];
	*i = (struct memory_item){
		.id = f->next_id++,
		.modseq = ++w->modseq,
		.identity = ++w->identity,
		.flags = flags,
		.date = date == 0 ? time(NULL) : date,
		.message = m,
	};
	return i;
}

void
memory_items_remove(struct memory_world *w, struct memory_folder *f, const struct mf_idset *ids)
{
	uint64_t modseq = ++w->modseq;
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (ids != NULL && !mf_idset_has(ids, f->items[i].id)) {
			f->items[kept++] = f->items[i];
			continue;
		}
		f->gone = memory_grow(f->gone, f->n_gone, &f->cap_gone, sizeof(*f->gone));
		f->gone[f->n_gone++] =
			(struct memory_gone){ .id = f->items[i].id, .modseq = modseq };
		item_deinit(&f->items[i]);
	}
	f->n = kept;
}

/* ---- Keywords ---- */

/* Where a keyword stands, or would stand; compared without case, as IMAP does. */
static bool
keyword_place(const struct memory_item *i, const char *keyword, size_t *at)
{
	for (*at = 0; *at < i->n_keywords; (*at)++) {
		int order = strcasecmp(i->keywords[*at], keyword);

		if (order >= 0)
			return order == 0;
	}
	return false;
}

static bool
keyword_add(struct memory_item *i, const char *keyword)
{
	size_t at;
	void *grown;

	if (keyword_place(i, keyword, &at))
		return false;
	grown = reallocarray(i->keywords, i->n_keywords + 1, sizeof(char *));
	if (grown == NULL)
		abort();
	i->keywords = grown;
	memmove(i->keywords + at + 1, i->keywords + at, (i->n_keywords - at) * sizeof(char *));
	i->keywords[at] = memory_strdup(keyword);
	i->n_keywords++;
	return true;
}

static bool
keyword_remove(struct memory_item *i, const char *keyword)
{
	size_t at;

	if (!keyword_place(i, keyword, &at))
		return false;
	free(i->keywords[at]);
	i->n_keywords--;
	memmove(i->keywords + at, i->keywords + at + 1, (i->n_keywords - at) * sizeof(char *));
	return true;
}

bool
memory_item_change(struct memory_world *w, struct memory_item *i, uint32_t add, uint32_t remove,
	const char *const *add_keywords, const char *const *remove_keywords)
{
	uint32_t flags = (i->flags | add) & ~remove;
	bool changed = flags != i->flags;

	i->flags = flags;
	for (; add_keywords != NULL && *add_keywords != NULL; add_keywords++)
		changed |= keyword_add(i, *add_keywords);
	for (; remove_keywords != NULL && *remove_keywords != NULL; remove_keywords++)
		changed |= keyword_remove(i, *remove_keywords);
	if (changed)
		i->modseq = ++w->modseq;
	return changed;
}

const char *const *
memory_keywords_copy(const struct memory_item *i, struct mf_arena *a)
{
	const char **copy = mf_new_array(a, const char *, i->n_keywords + 1);

	for (size_t k = 0; k < i->n_keywords; k++)
		copy[k] = mf_strdup(a, i->keywords[k]);
	return copy;
}

/* ---- Snapshots ---- */

bool
memory_snapshot_take(struct mf_session *s, const char *folder, uint64_t id, struct mf_arena *a,
	struct memory_snapshot *out)
{
	const struct memory_folder *f;
	const struct memory_item *i;

	memory_lock(s->world);
	f = memory_folder_find(s->user, folder);
	i = f == NULL ? NULL : memory_item_find(f, id);
	if (i != NULL)
		*out = (struct memory_snapshot){
			.id = i->id,
			.identity = i->identity,
			.flags = i->flags,
			.keywords = memory_keywords_copy(i, a),
			.n_keywords = i->n_keywords,
			.date = i->date,
			.message = memory_message_ref(i->message),
			.damaged = mf_strdup(a, i->damaged),
		};
	memory_unlock(s->world);
	return i != NULL;
}

void
memory_snapshot_end(struct mf_session *s, struct memory_snapshot *shot)
{
	memory_lock(s->world);
	memory_message_unref(shot->message);
	memory_unlock(s->world);
}

enum mf_status
memory_must_exist(struct mf_session *s, const char *folder, struct mf_error *err)
{
	bool there;

	memory_lock(s->world);
	there = memory_folder_find(s->user, folder) != NULL;
	memory_unlock(s->world);
	return there ? MF_OK : mf_fail(err, MF_GONE, "memory: no folder %s", folder);
}
