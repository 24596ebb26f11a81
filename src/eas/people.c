/* Knows sessions of the directory and how results are ordered. */
#include "eas/people.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "eas/recent.h"

enum mf_status
people_open(struct eas_request *r, struct people *p, struct mf_error *err)
{
	enum mf_status st = facet_open(&p->facet, r, BACKEND_DIRECTORY, err);
	p->r = r;
	p->api = p->facet.api == NULL ? NULL : p->facet.api->directory;
	return st;
}

void
people_close(struct people *p)
{
	facet_close(&p->facet);
}

/* ---- Lists ---- */

struct taking {
	struct mf_arena *a;
	struct people_list *out;
	size_t max;
};

static struct mf_person
copy(struct mf_arena *a, const struct mf_person *p)
{
	struct mf_person out = { .id = mf_strdup(a, p->id), .group = p->group };
	for (size_t t = 0; t < MF_PERSON_TEXTS; t++)
		out.text[t] = utf8_clean(a, mf_strdup(a, p->text[t]), strlen(p->text[t]));
	if (out.text[MF_PERSON_NAME][0] == '\0')
		out.text[MF_PERSON_NAME] = out.text[MF_PERSON_ADDRESS];
	return out;
}

static enum mf_status
take(void *ctx, const struct mf_person *p)
{
	struct taking *t = ctx;
	if (t->out->n < t->max)
		t->out->list[t->out->n++] = copy(t->a, p);
	return MF_OK;
}

static int
by_name(const void *a, const void *b)
{
	const struct mf_person *x = a, *y = b;
	int order = strcasecmp(x->text[MF_PERSON_NAME], y->text[MF_PERSON_NAME]);
	return order != 0 ? order : strcmp(x->id, y->id);
}

static struct taking
begin(struct people *p, size_t max, struct people_list *out)
{
	*out = (struct people_list){ .n = 0 };
	if (max > PEOPLE_FOUND_MAX)
		max = PEOPLE_FOUND_MAX;
	out->list = mf_new_array(p->r->arena, struct mf_person, max);
	return (struct taking){ .a = p->r->arena, .out = out, .max = max };
}

/* ---- Asking ---- */

struct finding {
	struct people *p;
	const char *text;
	bool exact;
	size_t max;
	struct people_list *out;
};

static enum mf_status
find(struct facet *facet, void *ctx, struct mf_error *err)
{
	struct finding *f = ctx;
	struct taking t = begin(f->p, f->max, f->out);
	struct mf_people_find q = {
		.text = f->text, .exact = f->exact, .max = t.max, .person = take, .ctx = &t
	};
	return facet->api->directory->find(facet->session, &q, &f->out->more, err);
}

enum mf_status
people_find(struct people *p, const char *text, bool exact, size_t max, struct people_list *out,
	struct mf_error *err)
{
	struct finding f = { p, text, exact, max, out };
	enum mf_status st = p->api == NULL ? MF_UNSUPPORTED : facet_ask(&p->facet, find, &f, err);
	if (st == MF_UNSUPPORTED) {
		struct taking t = begin(p, max, out);
		p->api = NULL;
		return recent_find(p->r, text, exact, t.max, out, err);
	}
	if (st == MF_OK)
		qsort(out->list, out->n, sizeof(*out->list), by_name);
	return st;
}

/* ---- What is heavy ---- */

struct reading {
	struct mf_arena *a;
	struct mf_person *list;
	size_t n;
	const char **ids;
	unsigned want;
};

static enum mf_status
take_heavy(void *ctx, const struct mf_person *p)
{
	struct reading *d = ctx;
	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->list[i].id, p->id) != 0)
			continue;
		struct mf_bytes *certificates =
			mf_new_array(d->a, struct mf_bytes, p->n_certificates);
		for (size_t c = 0; c < p->n_certificates; c++)
			certificates[c] =
				mf_memdup(d->a, p->certificates[c].data, p->certificates[c].len);
		d->list[i].certificates = certificates;
		d->list[i].n_certificates = p->n_certificates;
		d->list[i].photo = mf_memdup(d->a, p->photo.data, p->photo.len);
	}
	return MF_OK;
}

static enum mf_status
read_heavy(struct facet *facet, void *ctx, struct mf_error *err)
{
	struct reading *d = ctx;
	return facet->api->directory->read(
		facet->session, d->ids, d->n, d->want, take_heavy, d, err);
}

enum mf_status
people_read(struct people *p, struct mf_person *list, size_t n, unsigned want, struct mf_error *err)
{
	struct reading d = { .a = p->r->arena, .list = list, .n = n, .want = want };
	if (p->api == NULL || want == 0 || n == 0)
		return MF_OK;
	d.ids = (const char **)mf_alloc_array(p->r->arena, n, sizeof(*d.ids));
	for (size_t i = 0; i < n; i++)
		d.ids[i] = list[i].id;
	return facet_ask(&p->facet, read_heavy, &d, err);
}

/* ---- Groups ---- */

struct membership {
	struct people *p;
	const char *group;
	size_t max, *total;
	struct people_list *out;
};

static enum mf_status
members(struct facet *facet, void *ctx, struct mf_error *err)
{
	struct membership *m = ctx;
	struct taking t = begin(m->p, m->max, m->out);
	return facet->api->directory->members(
		facet->session, m->group, t.max, take, &t, m->total, err);
}

enum mf_status
people_members(struct people *p, const char *group, size_t max, struct people_list *out,
	size_t *total, struct mf_error *err)
{
	struct membership m = { p, group, max, total, out };
	if (p->api == NULL)
		return mf_fail(err, MF_GONE, "people: no directory, no groups");
	enum mf_status st = facet_ask(&p->facet, members, &m, err);
	if (st == MF_OK)
		qsort(out->list, out->n, sizeof(*out->list), by_name);
	out->more = *total > out->n;
	return st;
}
