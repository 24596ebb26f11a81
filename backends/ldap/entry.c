/* Entries as people. Knows attributes; no connection. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dir.h"

enum { ATTRIBUTES_MAX = 100 };

/* An attribute's name without its options (";binary", ";lang-en"). */
static bool
is_attribute(const char *description, const char *name)
{
	size_t len = strcspn(description, ";");

	return strlen(name) == len && strncasecmp(description, name, len) == 0;
}

static size_t
place_in(const char *const *list, const char *description)
{
	size_t i = 0;

	while (list[i] != NULL && !is_attribute(description, list[i]))
		i++;
	return i;
}

static bool
in_list(const char *const *list, const char *description)
{
	return list[place_in(list, description)] != NULL;
}

/* ---- Texts: for each the attribute that its list names first ---- */

struct reading {
	const struct mf_session *s;
	struct mf_arena *a;
	struct mf_person *out;
	size_t best[MF_PERSON_TEXTS]; /* place of what is taken; SIZE_MAX: nothing */
	size_t best_photo;
	struct mf_bytes *certificates;
};

static bool
has_text(const struct berval *v)
{
	return v->bv_len > 0 && memchr(v->bv_val, '\0', v->bv_len) == NULL;
}

static void
take_text(struct reading *r, const char *description, struct berval *const *values)
{
	const struct mf_backend *b = r->s->backend;

	for (size_t t = 0; t < MF_PERSON_TEXTS; t++) {
		size_t place = place_in(b->text[t], description);

		if (b->text[t][place] == NULL || place >= r->best[t] || !has_text(values[0]))
			continue;
		r->out->text[t] = mf_strndup(r->a, values[0]->bv_val, values[0]->bv_len);
		r->best[t] = place;
	}
}

static void
take_heavy(struct reading *r, const char *description, struct berval *const *values)
{
	const struct mf_backend *b = r->s->backend;
	size_t place = place_in(b->photo, description), n = 0;

	if (b->photo[place] != NULL && place < r->best_photo) {
		r->out->photo = mf_memdup(r->a, values[0]->bv_val, values[0]->bv_len);
		r->best_photo = place;
	}
	if (!in_list(b->certificates, description))
		return;
	while (values[n] != NULL)
		n++;
	struct mf_bytes *all = mf_new_array(r->a, struct mf_bytes, r->out->n_certificates + n);
	for (size_t i = 0; i < r->out->n_certificates; i++)
		all[i] = r->out->certificates[i];
	for (size_t i = 0; i < n; i++)
		all[r->out->n_certificates++] =
			mf_memdup(r->a, values[i]->bv_val, values[i]->bv_len);
	r->out->certificates = all;
}

static void
take_class(struct reading *r, const char *description, struct berval *const *values)
{
	if (!is_attribute(description, "objectClass"))
		return;
	for (; *values != NULL; values++)
		for (const char *const *c = r->s->backend->group_classes; *c != NULL; c++)
			if (strlen(*c) == (*values)->bv_len &&
				strncasecmp(*c, (*values)->bv_val, (*values)->bv_len) == 0)
				r->out->group = true;
}

/* Calls fn for each attribute that has values. */
static void
each_attribute(const struct mf_session *s, LDAPMessage *entry,
	void (*fn)(void *ctx, const char *description, struct berval *const *values), void *ctx)
{
	BerElement *at = NULL;
	char *name = ldap_first_attribute(s->ld, entry, &at);

	for (size_t n = 0; name != NULL; n++) {
		struct berval **values =
			n < ATTRIBUTES_MAX ? ldap_get_values_len(s->ld, entry, name) : NULL;

		if (values != NULL && values[0] != NULL)
			fn(ctx, name, values);
		ldap_value_free_len(values);
		ldap_memfree(name);
		name = ldap_next_attribute(s->ld, entry, at);
	}
	ber_free(at, 0);
}

static void
take(void *ctx, const char *description, struct berval *const *values)
{
	take_text(ctx, description, values);
	take_heavy(ctx, description, values);
	take_class(ctx, description, values);
}

bool
dir_person(
	const struct mf_session *s, LDAPMessage *entry, struct mf_arena *a, struct mf_person *out)
{
	struct reading r = { .s = s, .a = a, .out = out, .best_photo = SIZE_MAX };
	char *dn = ldap_get_dn(s->ld, entry);

	memset(out, 0, sizeof(*out));
	if (dn == NULL)
		return false;
	out->id = mf_strdup(a, dn);
	ldap_memfree(dn);
	for (size_t t = 0; t < MF_PERSON_TEXTS; t++) {
		out->text[t] = "";
		r.best[t] = SIZE_MAX;
	}
	each_attribute(s, entry, take, &r);
	return true;
}

/* ---- Words ---- */

struct looking {
	const struct mf_backend *b;
	const struct dir_word *words;
	size_t n;
	unsigned found; /* a bit each */
};

static void
look_into(void *ctx, const char *description, struct berval *const *values)
{
	struct looking *l = ctx;

	if (!in_list(l->b->searched, description))
		return;
	for (; *values != NULL; values++)
		for (size_t i = 0; i < l->n; i++)
			if (dir_word_begins(&l->words[i], (*values)->bv_val, (*values)->bv_len))
				l->found |= 1U << i;
}

bool
dir_has_words(
	const struct mf_session *s, LDAPMessage *entry, const struct dir_word *words, size_t n)
{
	struct looking l = { .b = s->backend, .words = words, .n = n };

	each_attribute(s, entry, look_into, &l);
	return l.found == (1U << n) - 1;
}

/* ---- Members ---- */

struct collecting {
	const struct mf_backend *b;
	struct mf_arena *a;
	const char **list;
	size_t n;
};

static void
take_members(void *ctx, const char *description, struct berval *const *values)
{
	struct collecting *c = ctx;
	size_t more = 0;
	const char **list;

	if (!in_list(c->b->members, description))
		return;
	while (values[more] != NULL)
		more++;
	list = (const char **)mf_alloc_array(c->a, c->n + more + 1, sizeof(*list));
	for (size_t i = 0; i < c->n; i++)
		list[i] = c->list[i];
	for (; *values != NULL; values++)
		if (has_text(*values))
			list[c->n++] = mf_strndup(c->a, (*values)->bv_val, (*values)->bv_len);
	c->list = list;
}

const char **
dir_members_of(const struct mf_session *s, LDAPMessage *entry, struct mf_arena *a)
{
	struct collecting c = { .b = s->backend, .a = a };

	c.list = (const char **)mf_alloc_array(a, 1, sizeof(*c.list));
	each_attribute(s, entry, take_members, &c);
	return c.list;
}

/* ---- What to ask for ---- */

static void
add_all(char **out, size_t *n, const char *const *names)
{
	for (; *names != NULL; names++) {
		size_t i = 0;

		while (i < *n && strcasecmp(out[i], *names) != 0)
			i++;
		if (i == *n && *n < ATTRIBUTES_MAX)
			out[(*n)++] = (char *)(uintptr_t)*names;
	}
}

char **
dir_attributes(const struct mf_backend *b, bool heavy)
{
	static const char *const class[] = { "objectClass", NULL };
	char **out = calloc(ATTRIBUTES_MAX + 1, sizeof(*out));
	size_t n = 0;

	if (out == NULL)
		abort();
	add_all(out, &n, class);
	for (size_t t = 0; t < MF_PERSON_TEXTS; t++)
		add_all(out, &n, b->text[t]);
	add_all(out, &n, b->searched);
	if (heavy) {
		add_all(out, &n, b->photo);
		add_all(out, &n, b->certificates);
	}
	return out;
}
