/* The directory: mailferry/directory.h's sentences, over the people of people.h. */
#include "contract.h"

#include <string.h>
#include <unistd.h>

#include "people.h"

enum { SEEN_MAX = 600 };

/* Whom a call told, with copies in the bench's arena. */
struct seen {
	struct bench *b;
	struct mf_person list[SEEN_MAX];
	size_t n;
	enum mf_status answer; /* of the callback */
};

static struct mf_person
keep(struct mf_arena *a, const struct mf_person *p)
{
	struct mf_person out = *p;
	struct mf_bytes *certificates = mf_new_array(a, struct mf_bytes, p->n_certificates);

	out.id = mf_strdup(a, p->id);
	for (size_t t = 0; t < MF_PERSON_TEXTS; t++)
		out.text[t] = mf_strdup(a, p->text[t]);
	out.photo = mf_memdup(a, p->photo.data, p->photo.len);
	for (size_t i = 0; i < p->n_certificates; i++)
		certificates[i] = mf_memdup(a, p->certificates[i].data, p->certificates[i].len);
	out.certificates = certificates;
	return out;
}

static enum mf_status
take(void *ctx, const struct mf_person *p)
{
	struct seen *s = ctx;

	NEED(s->b, s->n < SEEN_MAX, "too many are told");
	for (size_t t = 0; t < MF_PERSON_TEXTS; t++)
		NEED(s->b, p->text[t] != NULL, "text %zu is never NULL", t);
	for (size_t i = 0; i < s->n; i++)
		CHECK(s->b, strcmp(s->list[i].id, p->id) != 0, "%s is told once", p->id);
	s->list[s->n++] = keep(s->b->a, p);
	return s->answer;
}

static const struct mf_person *
by_address(const struct seen *s, const char *address)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].text[MF_PERSON_ADDRESS], address) == 0)
			return &s->list[i];
	return NULL;
}

static struct seen *
find_most(struct bench *b, const char *text, bool exact, size_t max, bool *more)
{
	struct seen *s = mf_new(b->a, struct seen);
	struct mf_people_find f = {
		.text = text, .exact = exact, .max = max, .person = take, .ctx = s
	};

	s->b = b;
	NEED_OK(b, b->api->directory->find(b->s, &f, more, &b->err));
	return s;
}

static struct seen *
find(struct bench *b, const char *text, bool exact)
{
	bool more;
	struct seen *s = find_most(b, text, exact, SEEN_MAX, &more);

	CHECK(b, !more, "\"%s\": all were told", text);
	return s;
}

/* ---- find ---- */

static void
words_begin_words(struct bench *b)
{
	static const struct {
		const char *text, *found[4];
	} cases[] = {
		{ "john", { "john@example.org", "barry@example.org" } },
		{ "JOHN", { "john@example.org", "barry@example.org" } },
		{ "ada", { "ada@example.org", "adam@example.org" } },
		{ "ada l", { "ada@example.org" } }, { "Ada L.", { "ada@example.org" } },
		{ "lovelace, ada", { "ada@example.org" } },
		{ "ada@example.org", { "ada@example.org" } }, { "team", { "team@example.org" } },
		{ "engines", { "ada@example.org" } }, { "Ünal", { "unal@example.org" } },
		{ "ohn", { NULL } }, { "ada john", { NULL } }, { "", { NULL } },
		{ " ,; ", { NULL } }, { "ghost", { NULL } }, /* without an address */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen *s = find(b, cases[i].text, false);
		size_t n = 0;

		for (; n < 4 && cases[i].found[n] != NULL; n++)
			CHECK(b, by_address(s, cases[i].found[n]) != NULL, "\"%s\" finds %s",
				cases[i].text, cases[i].found[n]);
		CHECK(b, s->n == n, "\"%s\" finds %zu, not %zu", cases[i].text, n, s->n);
	}
}

static void
exactly(struct bench *b)
{
	CHECK(b, find(b, "ada@example.org", true)->n == 1, "an address");
	CHECK(b, find(b, "ADA@EXAMPLE.ORG", true)->n == 1, "whatever the case");
	CHECK(b, find(b, "Ada Lovelace", true)->n == 1, "a name");
	CHECK(b, find(b, "ada", true)->n == 1, "an alias");
	CHECK(b, find(b, "ad", true)->n == 0, "no beginnings");
	CHECK(b, find(b, "", true)->n == 0, "nothing");
	CHECK(b, find(b, "Adam (Smith) *\\", true)->n == 1, "what a filter could misread");
}

/* Nothing that a text holds means anything. */
static void
hostile_texts(struct bench *b)
{
	static const char *const texts[] = { "*", "a*", "*)(uid=*", "ada)(|(uid=*", "\\2a", "\\",
		"(", ")", "ada\x01", "\xff\xfe", "\xc3", "&", "ada*lovelace", "%s%n" };
	char *flood = mf_alloc(b->a, 20001);
	struct mf_people_find f = { .text = flood, .max = 10, .person = take };
	bool more;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		/* One there is whose name has such characters. */
		CHECK(b, find(b, texts[i], false)->n <= 1, "text %zu", i);
		CHECK(b, find(b, texts[i], true)->n == 0, "exact text %zu", i);
	}
	memset(flood, '(', 20000);
	enum mf_status st = b->api->directory->find(b->s, &f, &more, &b->err);
	CHECK(b, st == MF_OK || st == MF_INVALID, "a flood: %s", mf_status_name(st));
	b->err.status = MF_OK;
	CHECK(b, find(b, "ada l", false)->n == 1, "and the next is none the worse");
}

static void
whole_people(struct bench *b)
{
	static const char *const ada[MF_PERSON_TEXTS] = { "Ada Lovelace", "ada@example.org", "ada",
		"Ada", "Lovelace", "+44 1", "+44 10", "+44 100", "Attic", "Countess", "Engines" };
	struct seen *s = find(b, "ada@example.org", true);

	NEED(b, s->n == 1, "ada is there");
	for (size_t t = 0; t < MF_PERSON_TEXTS; t++)
		CHECK(b, strcmp(s->list[0].text[t], ada[t]) == 0, "text %zu: %s", t,
			s->list[0].text[t]);
	CHECK(b, !s->list[0].group && s->list[0].photo.len == 0 && s->list[0].n_certificates == 0,
		"nothing heavy");
	s = find(b, "team", false);
	CHECK(b, s->n == 1 && s->list[0].group, "a group");
}

static void
limits(struct bench *b)
{
	bool more;

	CHECK(b, find(b, "clone", false)->n == PEOPLE_CLONES, "all of many");
	CHECK(b, find_most(b, "clone", false, 7, &more)->n == 7 && more, "seven, and more");
	CHECK(b, find_most(b, "clone", false, PEOPLE_CLONES, &more)->n == PEOPLE_CLONES && !more,
		"exactly as many");
	CHECK(b,
		find_most(b, "clone", false, PEOPLE_CLONES - 1, &more)->n == PEOPLE_CLONES - 1 &&
			more,
		"all but one");
}

static void
callbacks_end(struct bench *b)
{
	struct seen s = { .b = b, .answer = MF_TOO_LARGE };
	struct mf_people_find f = { .text = "clone", .max = 100, .person = take, .ctx = &s };
	bool more;

	CHECK(b, b->api->directory->find(b->s, &f, &more, &b->err) == MF_TOO_LARGE, "its status");
	CHECK(b, s.n == 1, "no further calls");
	contract_again(b);
	CHECK(b, find(b, "ada l", false)->n == 1, "the session goes on");
}

/* ---- read ---- */

static void
heavy_things(struct bench *b)
{
	const struct mf_person *found = by_address(find(b, "ada", false), "ada@example.org");
	struct seen *s = mf_new(b->a, struct seen);
	const char *ids[3];

	NEED(b, found != NULL, "ada is there");
	ids[0] = found->id;
	ids[1] = "uid=nobody,dc=example,dc=org";
	ids[2] = "not at all a name, \x01(*)";
	s->b = b;
	NEED_OK(b, b->api->directory->read(b->s, ids, 3, MF_PERSON_PHOTO | MF_PERSON_CERTIFICATES,
			   take, s, &b->err));
	NEED(b, s->n == 1, "who is not there is left out: %zu", s->n);
	CHECK(b, contract_equal(s->list[0].photo, people_photo()), "the photo");
	NEED(b, s->list[0].n_certificates == 1, "a certificate");
	CHECK(b, contract_equal(s->list[0].certificates[0], people_certificate()),
		"the certificate");
	CHECK(b, strcmp(s->list[0].id, found->id) == 0, "the id");
}

static void
many_at_once(struct bench *b)
{
	struct seen *all = find(b, "clone", false), *s = mf_new(b->a, struct seen);
	const char *ids[100];

	for (size_t i = 0; i < 100; i++)
		ids[i] = all->list[i].id;
	s->b = b;
	NEED_OK(b, b->api->directory->read(b->s, ids, 100, 0, take, s, &b->err));
	CHECK(b, s->n == 100, "a hundred: %zu", s->n);
	NEED_OK(b, b->api->directory->read(b->s, ids, 0, 0, take, s, &b->err));
	CHECK(b, s->n == 100, "none asked, none told");
}

/* ---- members ---- */

static struct seen *
members(struct bench *b, const char *group, size_t max, size_t *total)
{
	struct seen *found = find(b, group, true), *s = mf_new(b->a, struct seen);

	NEED(b, found->n == 1, "%s is there", group);
	s->b = b;
	NEED_OK(b,
		b->api->directory->members(b->s, found->list[0].id, max, take, s, total, &b->err));
	return s;
}

static void
groups(struct bench *b)
{
	size_t total;
	struct seen *s = members(b, "Team", 100, &total);

	CHECK(b, total == 4 && s->n == 4, "each once, of groups in it too: %zu of %zu", s->n,
		total);
	CHECK(b, by_address(s, "ada@example.org") != NULL, "ada");
	CHECK(b, by_address(s, "john@example.org") != NULL, "john");
	CHECK(b, by_address(s, "") != NULL, "also who has no address");
	CHECK(b, members(b, "Everyone", 10, &total)->n == 10 && total == PEOPLE_CLONES,
		"ten of %zu", total);
	s = find(b, "ada@example.org", true);
	STATUS(b, b->api->directory->members(b->s, s->list[0].id, 10, take, s, &total, &b->err),
		MF_GONE);
	STATUS(b,
		b->api->directory->members(
			b->s, "cn=Nobody,dc=example,dc=org", 10, take, s, &total, &b->err),
		MF_GONE);
}

const struct contract_case cases_people[] = {
	{ "words-begin-words", words_begin_words, CAN_PEOPLE },
	{ "exactly", exactly, CAN_PEOPLE },
	{ "hostile-texts", hostile_texts, CAN_PEOPLE },
	{ "whole-people", whole_people, CAN_PEOPLE },
	{ "people-limits", limits, CAN_PEOPLE },
	{ "people-callbacks-end", callbacks_end, CAN_PEOPLE },
	{ "heavy-things", heavy_things, CAN_PEOPLE },
	{ "many-people-at-once", many_at_once, CAN_PEOPLE },
	{ "groups", groups, CAN_PEOPLE },
	{ .name = NULL },
};
