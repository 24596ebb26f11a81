/* The type of a meeting message. Knows iTIP's order of requests; must not know elements. */
#include "eas/map/meeting_type.h"

#include <string.h>

#include "base/digest.h"
#include "base/str.h"
#include "mailferry/log.h"

/* Of MS-ASEMAIL 2.2.2.47; 5 (the delegator's copy) is a matter of Exchange's delegates, of which no mail
 * tells. */
enum { UNSPECIFIED = 0, FIRST = 1, FULL = 2, INFORMATIONAL = 3, OUTDATED = 4, DELEGATED = 6 };

static uint64_t
digest(const struct mf_buf *b)
{
	uint8_t hash[DIGEST_SIZE];
	uint64_t n;

	digest_sha256(b->data, b->len, hash);
	memcpy(&n, hash, sizeof(n));
	return n;
}

/* The name is the organizer's too: nobody else can make a request look outdated. An exception is a meeting by
 * itself. */
static struct state_meeting
request_of(const struct mime_meeting *m)
{
	const struct mime_recurrence *r = &m->recurrence;
	struct state_meeting out = { .sequence = m->sequence, .stamp = m->stamp };
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mf_buf_printf(&b, "%s\n%s\n%lld", m->uid, m->organizer,
		m->has_recurrence_id ? (long long)m->recurrence_id : -1LL);
	out.name = digest(&b);
	mf_buf_clear(&b);
	mf_buf_printf(&b, "%lld %lld %d %d %u %u %u %lld %u %u %u %u", (long long)m->start,
		(long long)m->end, m->all_day, m->recurs, r->type, r->interval, r->occurrences,
		r->has_until ? (long long)r->until : -1LL, r->day_of_month, r->day_of_week,
		r->week_of_month, r->month_of_year);
	out.times = (uint32_t)digest(&b);
	mf_buf_deinit(&b);
	return out;
}

static void
load(struct meeting_memory *x)
{
	struct mf_error err;

	if (x->loaded)
		return;
	x->loaded = true;
	x->news = mf_new_array(x->a, struct state_meeting, MEETING_NEWS_MAX);
	if (state_meetings_load(x->state, x->user, x->a, &x->known, &err) == MF_OK)
		return;
	x->known.n = 0;
	mf_log_warning("event=meetings-unknown reason=%s", mf_log_value(err.text));
}

bool
meeting_is_delegated(const struct mime_meeting *m, const char *address)
{
	for (size_t i = 0; address != NULL && i < m->n_delegators; i++)
		if (str_ieq(m->delegators[i], address))
			return true;
	return false;
}

/* What a request is beside those that were told before. */
static uint8_t
judge(const struct state_meetings *known, const struct state_meeting *request)
{
	const struct state_meeting *newest = state_meetings_newest(known, request->name);

	if (newest == NULL)
		return request->sequence > 0 ? FULL : FIRST;
	if (request->sequence < newest->sequence ||
		(request->sequence == newest->sequence && request->stamp < newest->stamp))
		return OUTDATED;
	return request->times != newest->times ? FULL : INFORMATIONAL;
}

unsigned
meeting_type(struct meeting_memory *x, const struct mime_meeting *m, const char *address)
{
	struct state_meeting request;
	const struct state_meeting *told;

	if (strcmp(m->method, "REQUEST") != 0)
		return UNSPECIFIED;
	if (meeting_is_delegated(m, address))
		return DELEGATED;
	if (x->state == NULL || m->uid[0] == '\0')
		return m->sequence > 0 ? FULL : FIRST;
	load(x);
	request = request_of(m);
	told = state_meetings_find(&x->known, &request);
	if (told != NULL)
		return told->type;
	request.type = judge(&x->known, &request);
	state_meetings_add(&x->known, &request);
	if (x->n < MEETING_NEWS_MAX)
		x->news[x->n++] = request;
	return request.type;
}

void
meeting_memory_keep(struct meeting_memory *x)
{
	struct mf_error err;

	if (x->n > 0 && state_meetings_save(x->state, x->user, x->news, x->n, &err) != MF_OK)
		mf_log_warning("event=meetings-unknown reason=%s", mf_log_value(err.text));
	x->n = 0;
}
