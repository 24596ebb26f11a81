/* The directory's calls: searches, entries, groups. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dir.h"

/* Names looked up for one group; its other members are only counted. */
enum { LOOKUPS_MAX = 1000 };

struct telling {
	const struct mf_session *s;
	mf_people_fn *person;
	void *ctx;
	/* Of a search: */
	bool need_address;
	struct dir_word words[DIR_WORDS_MAX];
	size_t n_words, max, told;
	bool full; /* there is one too many, and the search ends */
};

static enum mf_status
tell(void *ctx, LDAPMessage *entry)
{
	struct telling *t = ctx;
	struct mf_arena *a = mf_arena_new();
	struct mf_person person;
	enum mf_status st = MF_OK;

	if (!dir_person(t->s, entry, a, &person) ||
		!dir_has_words(t->s, entry, t->words, t->n_words) ||
		(t->need_address && person.text[MF_PERSON_ADDRESS][0] == '\0'))
		; /* not asked for */
	else if (t->max > 0 && t->told++ == t->max)
		t->full = true;
	else
		st = t->person(t->ctx, &person);
	st = t->full ? MF_EXISTS : st;
	mf_arena_free(a);
	return st;
}

static enum mf_status
find(struct mf_session *s, const struct mf_people_find *f, bool *more, struct mf_error *err)
{
	const struct mf_backend *b = s->backend;
	struct telling t = {
		.s = s, .person = f->person, .ctx = f->ctx, .need_address = true, .max = f->max
	};
	struct mf_arena *a = mf_arena_new();
	struct dir_question q = { .base = b->base,
		.filter = dir_filter_find(b, a, f),
		.scope = LDAP_SCOPE_SUBTREE,
		.attributes = b->light,
		.max = b->size_limit,
		.until = dir_now() + (f->timeout_ms > 0 ? f->timeout_ms : b->call_ms),
		.entry = tell,
		.ctx = &t };
	enum mf_status st = MF_OK;

	*more = false;
	if (strlen(f->text) > DIR_TEXT_MAX)
		st = mf_fail(err, MF_INVALID, "ldap: a search text of over %d bytes", DIR_TEXT_MAX);
	if (!f->exact)
		t.n_words = dir_words(f->text, t.words);
	if (st == MF_OK && q.filter != NULL)
		st = dir_ask(s, &q, more, err);
	if (t.full) {
		*more = true;
		st = MF_OK;
	}
	mf_arena_free(a);
	/* The base itself: the configuration is wrong, not the question. */
	return st == MF_GONE || st == MF_REFUSED
		       ? mf_fail(err, MF_TEMPORARY, "ldap %s: base %s cannot be searched", b->url,
				 b->base)
		       : st;
}

static enum mf_status
read_people(struct mf_session *s, const char *const *ids, size_t n, unsigned want,
	mf_people_fn *person, void *ctx, struct mf_error *err)
{
	const struct mf_backend *b = s->backend;
	struct telling t = { .s = s, .person = person, .ctx = ctx };

	return dir_look_up(
		s, ids, n, want != 0 ? b->heavy : b->light, dir_now() + b->call_ms, tell, &t, err);
}

/* ---- Groups ---- */

/* The names still to be looked up, and those that were met: a group may be in itself. */
struct expansion {
	struct mf_session *s;
	struct mf_arena *a;
	const char **queue;
	size_t n, cap;
	void *met; /* tree of names */
	size_t max, told, total;
	mf_people_fn *person;
	void *ctx;
	char **attributes; /* with those of members */
};

static int
compare(const void *x, const void *y)
{
	return strcasecmp(x, y);
}

static void
no_free(void *name)
{
	(void)name;
}

static void
enqueue(struct expansion *x, const char *name)
{
	void *node = tfind(name, &x->met, compare);

	if (node != NULL)
		return;
	if (tsearch(name, &x->met, compare) == NULL)
		abort();
	if (x->n == x->cap) {
		const char **old = x->queue;

		x->cap = x->cap == 0 ? 64 : x->cap * 2;
		x->queue = (const char **)mf_alloc_array(x->a, x->cap, sizeof(*x->queue));
		for (size_t i = 0; i < x->n; i++)
			x->queue[i] = old[i];
	}
	x->queue[x->n++] = name;
}

static enum mf_status
take_member(void *ctx, LDAPMessage *entry)
{
	struct expansion *x = ctx;
	struct mf_person person;

	if (!dir_person(x->s, entry, x->a, &person))
		return MF_OK;
	if (person.group) {
		for (const char **m = dir_members_of(x->s, entry, x->a); *m != NULL; m++)
			enqueue(x, *m);
		return MF_OK;
	}
	x->total++;
	if (x->told == x->max)
		return MF_OK;
	x->told++;
	return x->person(x->ctx, &person);
}

/* A member that is no name of an entry is a login (memberUid). */
static enum mf_status
take_by_login(struct expansion *x, const char *login, int64_t until, struct mf_error *err)
{
	struct dir_question q = { .base = x->s->backend->base,
		.filter = dir_filter_alias(x->s->backend, x->a, login),
		.scope = LDAP_SCOPE_SUBTREE,
		.attributes = x->attributes,
		.max = 1,
		.until = until,
		.entry = take_member,
		.ctx = x };
	bool more;

	return dir_ask(x->s, &q, &more, err);
}

static enum mf_status
expand(struct expansion *x, struct mf_error *err)
{
	int64_t until = dir_now() + x->s->backend->call_ms;
	enum mf_status st = MF_OK;
	size_t at = 0;

	while (st == MF_OK && at < x->n && at < LOOKUPS_MAX) {
		size_t run = 0, most = LOOKUPS_MAX - at;

		while (at + run < x->n && run < most && strchr(x->queue[at + run], '=') != NULL)
			run++;
		if (run > 0) {
			const char *const *names = x->queue + at;

			st = dir_look_up(
				x->s, names, run, x->attributes, until, take_member, x, err);
		} else {
			st = take_by_login(x, x->queue[at], until, err);
			run = 1;
		}
		at += run;
	}
	x->total += x->n - at;
	return st;
}

/* The light attributes and those of members. */
static char **
with_members(const struct mf_backend *b, struct mf_arena *a)
{
	size_t n = 0, m = 0;
	char **out;

	while (b->light[n] != NULL)
		n++;
	while (b->members[m] != NULL)
		m++;
	out = (char **)mf_alloc_array(a, n + m + 1, sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out[i] = b->light[i];
	for (size_t i = 0; i < m; i++)
		out[n + i] = (char *)(uintptr_t)b->members[i];
	return out;
}

struct first {
	struct expansion *x;
	bool group;
};

static enum mf_status
take_group(void *ctx, LDAPMessage *entry)
{
	struct first *f = ctx;
	struct mf_person person;

	f->group = dir_person(f->x->s, entry, f->x->a, &person) && person.group;
	return f->group ? take_member(f->x, entry) : MF_OK;
}

static enum mf_status
members(struct mf_session *s, const char *group, size_t max, mf_people_fn *person, void *ctx,
	size_t *total, struct mf_error *err)
{
	struct expansion x = {
		.s = s, .a = mf_arena_new(), .max = max, .person = person, .ctx = ctx
	};
	struct first f = { .x = &x };
	enum mf_status st;

	x.attributes = with_members(s->backend, x.a);
	tsearch(group, &x.met, compare);
	st = dir_look_up(
		s, &group, 1, x.attributes, dir_now() + s->backend->call_ms, take_group, &f, err);
	if (st == MF_OK && !f.group)
		st = mf_fail(err, MF_GONE, "ldap %s: no such group", s->backend->url);
	if (st == MF_OK)
		st = expand(&x, err);
	*total = x.total;
	tdestroy(x.met, no_free);
	mf_arena_free(x.a);
	return st;
}

const struct mf_directory_api dir_directory = {
	.size = sizeof(struct mf_directory_api),
	.find = find,
	.read = read_people,
	.members = members,
};
