/*
 * Which listed folder is which known one. Pure: no store, no clock.
 *
 * Passes from the surest to the least sure; what one has matched the next does not see.
 */
#include <stdlib.h>
#include <string.h>

#include "state/folder.h"

typedef int compare_fn(const struct state_folder *x, const struct state_folder *y);

/* Folders in the order of one of their properties. */
struct index {
	const struct state_folder **sorted;
	size_t n;
	compare_fn *compare;
};

struct match {
	const struct state_folders *known;
	struct state_folder *listed;
	size_t n;
	size_t *of;  /* listed -> index in known, or NONE */
	bool *taken; /* known: has been matched */
	bool *skip;  /* listed: a duplicate or over a limit */
	struct index known_id, known_identity, known_epoch, listed_id, listed_epoch;
};

#define NONE SIZE_MAX

static int
by_id(const struct state_folder *x, const struct state_folder *y)
{
	return strcmp(x->id, y->id);
}

static int
by_identity(const struct state_folder *x, const struct state_folder *y)
{
	return strcmp(x->identity, y->identity);
}

static int
by_epoch(const struct state_folder *x, const struct state_folder *y)
{
	return (x->epoch > y->epoch) - (x->epoch < y->epoch);
}

static int
sort_compare(const void *x, const void *y, void *compare)
{
	const struct state_folder *a = *(const struct state_folder *const *)x,
				  *b = *(const struct state_folder *const *)y;
	int order = (*(compare_fn **)compare)(a, b);

	return order != 0 ? order : (a > b) - (a < b); /* of equals, the first listed first */
}

static struct index
index_make(struct mf_arena *a, const struct state_folder *folders, size_t n, const char *store,
	compare_fn *compare)
{
	struct index x = { .compare = compare };

	x.sorted = mf_new_array(a, const struct state_folder *, n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(folders[i].store, store) == 0)
			x.sorted[x.n++] = &folders[i];
	}
	if (x.n > 0)
		qsort_r(x.sorted, x.n, sizeof(*x.sorted), sort_compare, &compare);
	return x;
}

/* The folders equal to probe: the first, and how many. */
static const struct state_folder **
index_find(const struct index *x, const struct state_folder *probe, size_t *count)
{
	size_t low = 0, high = x->n, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (x->compare(x->sorted[middle], probe) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < x->n && x->compare(x->sorted[end], probe) == 0;)
		end++;
	*count = end - low;
	return x->sorted + low;
}

/* ---- The passes ---- */

static bool
other_identity(const struct state_folder *x, const struct state_folder *y)
{
	return *x->identity != '\0' && *y->identity != '\0' &&
	       strcmp(x->identity, y->identity) != 0;
}

/* Takes the best of the known folders that equal the listed one: one that is there before one that
 * was gone. */
static void
take(struct match *m, size_t listed, const struct index *x, bool same_identity)
{
	const struct state_folder *l = &m->listed[listed], **candidates, *best = NULL;
	size_t count;

	candidates = index_find(x, l, &count);
	for (size_t i = 0; i < count; i++) {
		const struct state_folder *k = candidates[i];

		if (m->taken[k - m->known->folders] || k->class != l->class)
			continue;
		if (same_identity && other_identity(k, l))
			continue;
		if (best == NULL || (best->gone != 0 && k->gone == 0))
			best = k;
	}
	if (best == NULL)
		return;
	m->of[listed] = (size_t)(best - m->known->folders);
	m->taken[m->of[listed]] = true;
}

/* Has the known folder of this id, at a server without identities, another epoch now, and some other folder
 * the one that it had? Then that is it, renamed, and this one is new under the old name. */
static bool
moved_away(const struct match *m, size_t i)
{
	const struct state_folder *l = &m->listed[i], **found, *k;
	size_t ids, known, listed;

	found = index_find(&m->known_id, l, &ids);
	if (ids != 1 || *l->identity != '\0' || *found[0]->identity != '\0')
		return false;
	k = found[0];
	if (k->gone != 0 || k->epoch == 0 || l->epoch == 0 || k->epoch == l->epoch)
		return false;
	index_find(&m->known_epoch, k, &known);
	index_find(&m->listed_epoch, k, &listed);
	return known == 1 && listed == 1;
}

static void
pass_id(struct match *m, size_t i)
{
	if (!moved_away(m, i))
		take(m, i, &m->known_id, true);
}

static void
pass_identity(struct match *m, size_t i)
{
	if (*m->listed[i].identity != '\0')
		take(m, i, &m->known_identity, true);
}

/* Same id, other identity, and neither is anywhere else: made anew under its name, or the server
 * has changed its mind. The epoch tells the rest. */
static void
pass_id_only(struct match *m, size_t i)
{
	take(m, i, &m->known_id, false);
}

/* A rename at a server without identities. Only where no other folder has this epoch: some servers
 * give all the same. */
static void
pass_epoch(struct match *m, size_t i)
{
	size_t known, listed;
	const struct state_folder **k = index_find(&m->known_epoch, &m->listed[i], &known);

	index_find(&m->listed_epoch, &m->listed[i], &listed);
	if (m->listed[i].epoch != 0 && known == 1 && listed == 1 && k[0]->gone == 0)
		take(m, i, &m->known_epoch, true);
}

static void (*const passes[])(
	struct match *m, size_t i) = { pass_id, pass_identity, pass_epoch, pass_id_only };

/* ---- In and out ---- */

static const char *
text(const char *s)
{
	return s != NULL ? s : "";
}

static void
list_take(struct match *m, const char *store, const struct mf_folder *list, struct mf_arena *a)
{
	for (size_t i = 0; i < m->n; i++) {
		m->listed[i] = (struct state_folder){ .class = list[i].class,
			.role = list[i].role,
			.flags = list[i].flags,
			.store = store,
			.id = mf_strdup(a, list[i].id),
			.name = mf_strdup(a, text(list[i].name)),
			.identity = mf_strdup(a, text(list[i].identity)),
			.epoch = list[i].epoch };
		m->of[i] = NONE;
	}
	m->listed_id = index_make(a, m->listed, m->n, store, by_id);
	m->listed_epoch = index_make(a, m->listed, m->n, store, by_epoch);
	for (size_t i = 0; i < m->n; i++) {
		size_t count;

		m->skip[i] = index_find(&m->listed_id, &m->listed[i], &count)[0] != &m->listed[i] ||
			     strlen(m->listed[i].id) > STATE_FOLDER_TEXT_MAX;
	}
}

/* What the backend tells over what is known; it may leave out identity and epoch at times. */
static struct state_folder
update(const struct state_folder *known, const struct state_folder *listed)
{
	struct state_folder f = *listed;

	f.number = known->number;
	f.identity = *f.identity != '\0' ? f.identity : known->identity;
	f.epoch = f.epoch != 0 ? f.epoch : known->epoch;
	return f;
}

bool
state_folder_same(const struct state_folder *x, const struct state_folder *y)
{
	return x->parent == y->parent && x->role == y->role && x->flags == y->flags &&
	       x->epoch == y->epoch && x->gone == y->gone && strcmp(x->id, y->id) == 0 &&
	       strcmp(x->name, y->name) == 0 && strcmp(x->identity, y->identity) == 0;
}

/* Fills out, without parents; position: listed -> index in out. */
static void
emit(const struct match *m, const char *store, int64_t now, uint32_t *next, size_t *position,
	struct state_folders *out)
{
	size_t known = m->known->n;

	for (size_t i = 0; i < known; i++) {
		out->folders[i] = m->known->folders[i];
		if (!m->taken[i] && out->folders[i].gone == 0 &&
			strcmp(out->folders[i].store, store) == 0)
			out->folders[i].gone = now;
	}
	out->n = known;
	for (size_t i = 0; i < m->n; i++) {
		position[i] = NONE;
		if (m->skip[i])
			continue;
		position[i] = m->of[i] != NONE ? m->of[i] : out->n++;
		if (m->of[i] != NONE) {
			out->folders[position[i]] =
				update(&m->known->folders[m->of[i]], &m->listed[i]);
		} else {
			out->folders[position[i]] = m->listed[i];
			out->folders[position[i]].number = (*next)++;
		}
	}
}

static void
set_parents(const struct match *m, const struct mf_folder *list, const size_t *position,
	struct state_folders *out)
{
	for (size_t i = 0; i < m->n; i++) {
		struct state_folder probe = { .id = list[i].parent };
		const struct state_folder **found;
		size_t count = 0, at = NONE;

		if (position[i] == NONE)
			continue;
		if (list[i].parent != NULL) {
			found = index_find(&m->listed_id, &probe, &count);
			at = count > 0 ? position[found[0] - m->listed] : NONE;
		}
		out->folders[position[i]].parent =
			at != NONE && at != position[i] ? out->folders[at].number : 0;
	}
}

void
state_folders_match(const struct state_folders *known, const char *store,
	const struct mf_folder *list, size_t n, int64_t now, uint32_t *next, struct mf_arena *a,
	struct state_folders *out)
{
	struct state_folders was = *known; /* out may be the same */
	struct match m = { .known = &was, .n = n < STATE_FOLDERS_MAX ? n : STATE_FOLDERS_MAX };
	size_t *position = mf_new_array(a, size_t, m.n);

	m.listed = mf_new_array(a, struct state_folder, m.n);
	m.of = mf_new_array(a, size_t, m.n);
	m.skip = mf_new_array(a, bool, m.n);
	m.taken = mf_new_array(a, bool, was.n);
	list_take(&m, mf_strdup(a, store), list, a);
	m.known_id = index_make(a, was.folders, was.n, store, by_id);
	m.known_identity = index_make(a, was.folders, was.n, store, by_identity);
	m.known_epoch = index_make(a, was.folders, was.n, store, by_epoch);
	for (size_t p = 0; p < sizeof(passes) / sizeof(passes[0]); p++) {
		for (size_t i = 0; i < m.n; i++) {
			if (m.of[i] == NONE && !m.skip[i])
				passes[p](&m, i);
		}
	}
	out->folders = mf_new_array(a, struct state_folder, was.n + m.n);
	emit(&m, store, now, next, position, out);
	set_parents(&m, list, position, out);
	out->changed = out->n != was.n;
	for (size_t i = 0; i < was.n && !out->changed; i++)
		out->changed = !state_folder_same(&out->folders[i], &was.folders[i]);
}
