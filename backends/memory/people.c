/* The directory of people: a list that tests fill. Knows no mail. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mailferry/directory.h"
#include "memory/calls.h"
#include "memory/fault.h"

enum { MEMBERS_DEPTH = 10 };

/* ---- Filling, and its end ---- */

static struct mf_bytes
bytes_copy(struct mf_bytes in)
{
	void *data = memory_alloc(in.len);

	if (in.len > 0)
		memcpy(data, in.data, in.len);
	return mf_bytes(data, in.len);
}

static struct memory_person *
person_find(const struct memory_world *w, const char *id)
{
	for (size_t i = 0; i < w->n_people; i++)
		if (strcmp(w->people[i]->person.id, id) == 0)
			return w->people[i];
	return NULL;
}

void
memory_person_free(struct memory_person *p)
{
	free((char *)(uintptr_t)p->person.id);
	for (size_t i = 0; i < MF_PERSON_TEXTS; i++)
		free((char *)(uintptr_t)p->person.text[i]);
	free((void *)(uintptr_t)p->person.photo.data);
	for (size_t i = 0; i < p->person.n_certificates; i++)
		free((void *)(uintptr_t)p->person.certificates[i].data);
	free((void *)(uintptr_t)p->person.certificates);
	for (size_t i = 0; i < p->n_members; i++)
		free(p->members[i]);
	free(p->members);
	free(p);
}

void
memory_person(struct memory_world *w, const struct mf_person *person)
{
	struct memory_person *p = memory_alloc(sizeof(*p));
	struct mf_bytes *certificates =
		memory_alloc(person->n_certificates * sizeof(*certificates));

	p->person.id = memory_strdup(person->id);
	p->person.group = person->group;
	for (size_t i = 0; i < MF_PERSON_TEXTS; i++)
		p->person.text[i] = memory_strdup(person->text[i] == NULL ? "" : person->text[i]);
	p->person.photo = bytes_copy(person->photo);
	for (size_t i = 0; i < person->n_certificates; i++)
		certificates[i] = bytes_copy(person->certificates[i]);
	p->person.certificates = certificates;
	p->person.n_certificates = person->n_certificates;
	memory_lock(w);
	w->people = memory_grow(w->people, w->n_people, &w->cap_people, sizeof(*w->people));
	w->people[w->n_people++] = p;
	memory_unlock(w);
}

bool
memory_member(struct memory_world *w, const char *group, const char *id)
{
	struct memory_person *g;

	memory_lock(w);
	g = person_find(w, group);
	if (g != NULL) {
		g->members =
			memory_grow(g->members, g->n_members, &g->cap_members, sizeof(*g->members));
		g->members[g->n_members++] = memory_strdup(id);
	}
	memory_unlock(w);
	return g != NULL;
}

/* ---- Matching ---- */

/* What is searched. */
static const enum mf_person_text searched[] = { MF_PERSON_NAME, MF_PERSON_ADDRESS, MF_PERSON_ALIAS,
	MF_PERSON_FIRST, MF_PERSON_LAST, MF_PERSON_COMPANY };

static bool
begins_a_word(const char *text, const char *word, size_t len)
{
	for (const char *at = text; *at != '\0'; at++)
		if ((at == text || at[-1] == ' ') && strncasecmp(at, word, len) == 0)
			return true;
	return false;
}

static bool
has_word(const struct mf_person *p, const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(searched) / sizeof(searched[0]); i++)
		if (begins_a_word(p->text[searched[i]], word, len))
			return true;
	return false;
}

static bool
matches(const struct mf_person *p, const struct mf_people_find *f)
{
	const char *at = f->text;
	size_t len, words = 0;

	if (p->text[MF_PERSON_ADDRESS][0] == '\0')
		return false;
	if (f->exact)
		return f->text[0] != '\0' &&
		       (strcasecmp(p->text[MF_PERSON_ADDRESS], at) == 0 ||
			       strcasecmp(p->text[MF_PERSON_ALIAS], at) == 0 ||
			       strcasecmp(p->text[MF_PERSON_NAME], at) == 0);
	for (; *(at += strspn(at, " ,")) != '\0'; at += len, words++) {
		len = strcspn(at, " ,");
		if (!has_word(p, at, at[len - 1] == '.' && len > 1 ? len - 1 : len))
			return false;
	}
	return words > 0;
}

/* ---- The calls. People are never removed while the world is held: only the list needs the lock. */

/* The i-th person, NULL beyond the last. */
static const struct memory_person *
person_at(struct memory_world *w, size_t i)
{
	const struct memory_person *p;

	memory_lock(w);
	p = i < w->n_people ? w->people[i] : NULL;
	memory_unlock(w);
	return p;
}

enum mf_status
memory_has_people(struct mf_session *s, struct mf_error *err)
{
	return person_at(s->world, 0) != NULL
		       ? MF_OK
		       : mf_fail(err, MF_UNSUPPORTED, "memory: nobody is in the directory");
}

/* As much as `want` says. */
static struct mf_person
show(const struct memory_person *p, unsigned want)
{
	struct mf_person out = p->person;

	if ((want & MF_PERSON_PHOTO) == 0)
		out.photo = mf_bytes(NULL, 0);
	if ((want & MF_PERSON_CERTIFICATES) == 0)
		out.n_certificates = 0;
	return out;
}

enum mf_status
memory_people_find(
	struct mf_session *s, const struct mf_people_find *f, bool *more, struct mf_error *err)
{
	const struct memory_person *p;
	enum mf_status st = MF_OK;
	size_t told = 0;

	(void)err;
	*more = false;
	for (size_t i = 0; st == MF_OK && (p = person_at(s->world, i)) != NULL; i++) {
		struct mf_person shown = show(p, 0);

		if (!matches(&p->person, f))
			continue;
		if (told++ == f->max) {
			*more = true;
			break;
		}
		st = f->person(f->ctx, &shown);
	}
	return st;
}

enum mf_status
memory_people_read(struct mf_session *s, const char *const *ids, size_t n, unsigned want,
	mf_people_fn *person, void *ctx, struct mf_error *err)
{
	enum mf_status st = MF_OK;

	(void)err;
	for (size_t i = 0; st == MF_OK && i < n; i++) {
		const struct memory_person *p;
		struct mf_person shown;

		memory_lock(s->world);
		p = person_find(s->world, ids[i]);
		memory_unlock(s->world);
		if (p == NULL)
			continue;
		shown = show(p, want);
		st = person(ctx, &shown);
	}
	return st;
}

/* Who is in a group, in the order of the directory, by marks on it. Lock held. */
static void
mark(struct memory_world *w, const struct memory_person *group, bool *marks, unsigned depth)
{
	for (size_t i = 0; i < group->n_members; i++)
		for (size_t k = 0; k < w->n_people; k++) {
			if (strcmp(w->people[k]->person.id, group->members[i]) != 0 || marks[k])
				continue;
			marks[k] = true;
			if (w->people[k]->person.group && depth < MEMBERS_DEPTH)
				mark(w, w->people[k], marks, depth + 1);
		}
}

enum mf_status
memory_people_members(struct mf_session *s, const char *group, size_t max, mf_people_fn *person,
	void *ctx, size_t *total, struct mf_error *err)
{
	struct memory_world *w = s->world;
	const struct memory_person *g;
	enum mf_status st = MF_OK;
	bool *marks;
	size_t n;

	*total = 0;
	memory_lock(w);
	n = w->n_people;
	marks = memory_alloc(n * sizeof(*marks));
	g = person_find(w, group);
	if (g != NULL && g->person.group)
		mark(w, g, marks, 0);
	memory_unlock(w);
	if (g == NULL || !g->person.group)
		st = mf_fail(err, MF_GONE, "memory: no such group");
	for (size_t i = 0; st == MF_OK && i < n; i++) {
		const struct memory_person *p = person_at(w, i);
		struct mf_person shown = show(p, 0);

		if (marks[i] && !p->person.group && (*total)++ < max)
			st = person(ctx, &shown);
	}
	free(marks);
	return st;
}
