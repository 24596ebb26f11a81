/* Two hash tables over an arena. */
#include "state/conversation_cache.h"

#include <stdlib.h>
#include <string.h>

enum {
	BUCKETS = 1 << 13,
	ROWS_MAX = 6000, /* kept at once: some 4 MB */
};

struct name_entry {
	struct conversation_cached_name name; /* first */
	struct name_entry *next;
};

struct set_entry {
	struct conversation_cached_set set; /* first */
	struct set_entry *next;
};

struct conversation_cache {
	struct kv_txn *t;
	uint32_t user;
	struct mf_arena *a; /* of the entries */
	size_t n_names, n_sets;
	struct name_entry *names[BUCKETS];
	struct set_entry *sets[BUCKETS];
};

struct conversation_cache *
conversation_cache_new(struct kv_txn *t, uint32_t user)
{
	struct conversation_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->t = t;
	c->user = user;
	c->a = mf_arena_new();
	return c;
}

void
conversation_cache_free(struct conversation_cache *c)
{
	mf_arena_free(c->a);
	free(c);
}

/* Names are digests: any of their bits will do. */
static struct name_entry **
name_bucket(struct conversation_cache *c, const struct conversation_id *id)
{
	uint32_t hash;

	memcpy(&hash, id->bytes, sizeof(hash));
	return &c->names[hash % BUCKETS];
}

struct conversation_cached_name *
conversation_cache_name(struct conversation_cache *c, const struct conversation_id *id)
{
	struct name_entry **bucket = name_bucket(c, id), *e;

	for (e = *bucket; e != NULL; e = e->next)
		if (conversation_id_same(&e->name.id, id))
			return &e->name;
	e = mf_new(c->a, struct name_entry);
	e->name.id = *id;
	e->name.there = conversation_name_load(c->t, c->user, id, &e->name.row);
	if (!e->name.there)
		memset(&e->name.row, 0, sizeof(e->name.row));
	e->next = *bucket;
	*bucket = e;
	c->n_names++;
	return &e->name;
}

struct conversation_cached_set *
conversation_cache_set(struct conversation_cache *c, uint32_t number)
{
	struct set_entry **bucket = &c->sets[number % BUCKETS], *e;

	for (e = *bucket; e != NULL; e = e->next)
		if (e->set.number == number)
			return &e->set;
	e = mf_new(c->a, struct set_entry);
	e->set.number = number;
	e->set.there = conversation_set_load(c->t, c->user, number, &e->set.row);
	if (!e->set.there)
		memset(&e->set.row, 0, sizeof(e->set.row));
	e->next = *bucket;
	*bucket = e;
	c->n_sets++;
	return &e->set;
}

struct conversation_cached_set *
conversation_cache_find(struct conversation_cache *c, uint32_t number)
{
	for (int i = 0; i < CONVERSATION_JOINS_MAX && number != 0; i++) {
		struct conversation_cached_set *set = conversation_cache_set(c, number);

		if (!set->there)
			return NULL;
		if (set->row.joined == 0)
			return set;
		number = set->row.joined;
	}
	return NULL;
}

/* ---- Writing ---- */

static int
by_id(const void *x, const void *y)
{
	const struct conversation_cached_name *const *a = x, *const *b = y;

	return memcmp((*a)->id.bytes, (*b)->id.bytes, sizeof((*a)->id.bytes));
}

static int
by_number(const void *x, const void *y)
{
	const struct conversation_cached_set *const *a = x, *const *b = y;

	return ((*a)->number > (*b)->number) - ((*a)->number < (*b)->number);
}

static void
flush_names(struct conversation_cache *c)
{
	struct conversation_cached_name **list = calloc(c->n_names + 1, sizeof(*list));
	size_t n = 0;

	if (list == NULL)
		abort();
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct name_entry *e = c->names[i]; e != NULL; e = e->next)
			if (e->name.dirty)
				list[n++] = &e->name;
	qsort(list, n, sizeof(*list), by_id);
	for (size_t i = 0; i < n; i++) {
		conversation_name_save(c->t, c->user, &list[i]->id, &list[i]->row);
		list[i]->dirty = false;
	}
	free(list);
}

static void
flush_sets(struct conversation_cache *c)
{
	struct conversation_cached_set **list = calloc(c->n_sets + 1, sizeof(*list));
	size_t n = 0;

	if (list == NULL)
		abort();
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct set_entry *e = c->sets[i]; e != NULL; e = e->next)
			if (e->set.dirty)
				list[n++] = &e->set;
	qsort(list, n, sizeof(*list), by_number);
	for (size_t i = 0; i < n; i++) {
		conversation_set_save(c->t, c->user, list[i]->number, &list[i]->row);
		list[i]->dirty = false;
	}
	free(list);
}

void
conversation_cache_flush(struct conversation_cache *c)
{
	flush_names(c);
	flush_sets(c);
}

void
conversation_cache_trim(struct conversation_cache *c)
{
	if (c->n_names + c->n_sets < ROWS_MAX)
		return;
	conversation_cache_flush(c);
	mf_arena_free(c->a);
	c->a = mf_arena_new();
	memset(c->names, 0, sizeof(c->names));
	memset(c->sets, 0, sizeof(c->sets));
	c->n_names = c->n_sets = 0;
}
