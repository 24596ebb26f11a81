/* Knows pages; the people are people.h's. */
#include "eas/cmd/peoplesearch.h"

#include <string.h>

static enum mf_status
search(struct people *p, struct peoplesearch *s, struct mf_error *err)
{
	struct people_list found;
	enum mf_status st = people_find(p, s->text, false, PEOPLE_FOUND_MAX, &found, err);
	if (st != MF_OK)
		return st;
	s->total = found.n;
	s->list = found.list + (s->first < found.n ? s->first : found.n);
	s->n = s->first < found.n ? found.n - s->first : 0;
	if (s->n > (size_t)(s->last - s->first) + 1)
		s->n = (size_t)(s->last - s->first) + 1;
	eas_note(p->r, "people=%zu more=%d directory=%d", found.n, found.more, p->api != NULL);
	return people_read(p, s->list, s->n, s->pictures.wanted ? MF_PERSON_PHOTO : 0, err);
}

enum mf_status
peoplesearch_run(struct eas_request *r, struct peoplesearch *s, struct mf_error *err)
{
	struct people p;
	s->n = s->total = 0;
	if (s->text == NULL || s->text[strspn(s->text, " \t\r\n")] == '\0')
		return mf_fail(err, MF_INVALID, "people: nothing to search for");
	if (strlen(s->text) > PEOPLE_TEXT_MAX)
		return mf_fail(err, MF_TOO_LARGE, "people: a long text");
	enum mf_status st = people_open(r, &p, err);
	if (st != MF_OK)
		return st;
	st = search(&p, s, err);
	people_close(&p);
	return st;
}
