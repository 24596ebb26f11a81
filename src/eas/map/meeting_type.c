/* The type of a meeting message. Knows iTIP's order of requests; must not know elements. */
#include "eas/map/meeting_type.h"

#include <string.h>

#include "base/digest.h"
#include "base/str.h"
#include "mailferry/log.h"

/* Of MS-ASEMAIL 2.2.2.47; 5 (the delegator's copy) is a matter of Exchange's delegates, of which no mail
 * tells. */
enum { UNSPECIFIED = 0, FIRST = 1, FULL = 2, INFORMATIONAL = 3, OUTDATED = 4, DELEGATED = 6 };

/* Of the same organizer: nobody else can make a request look outdated. An exception is a meeting by itself. */
static uint64_t
name_of(const struct mime_meeting *m)
{
	struct mf_buf b;
	uint8_t hash[DIGEST_SIZE];
	uint64_t name;

	mf_buf_init(&b, 0);
	mf_buf_printf(&b, "%s\n%s\n%lld", m->uid, m->organizer,
		m->has_recurrence_id ? (long long)m->recurrence_id : -1LL);
	digest_sha256(b.data, b.len, hash);
	mf_buf_deinit(&b);
	memcpy(&name, hash, sizeof(name));
	return name;
}

static void
load(struct meeting_memory *x)
{
	struct mf_error err;

	if (x->loaded)
		return;
	x->loaded = true;
	x->news = mf_new_array(x->a, struct state_meeting_request, MEETING_NEWS_MAX);
	if (state_meetings_load(x->state, x->user, x->a, &x->known, &err) == MF_OK)
		return;
	x->known.n = 0;
	mf_log_warning("event=meetings-unknown reason=%s", mf_log_value(err.text));
}

/* The meeting with this request taken in; NULL: nothing is remembered. */
static const struct state_meeting *
take(struct meeting_memory *x, const struct mime_meeting *m)
{
	struct state_meeting_request one = {
		.name = name_of(m), .sequence = m->sequence, .stamp = m->stamp
	};

	if (x->state == NULL || m->uid[0] == '\0')
		return NULL;
	load(x);
	if (state_meetings_take(&x->known, &one) && x->n < MEETING_NEWS_MAX)
		x->news[x->n++] = one;
	return state_meetings_find(&x->known, one.name);
}

/* The user has handed the invitation on: who was named instead answers. */
static bool
is_delegated(const struct mime_meeting *m, const char *address)
{
	for (size_t i = 0; address != NULL && i < m->n_delegators; i++)
		if (str_ieq(m->delegators[i], address))
			return true;
	return false;
}

unsigned
meeting_type(struct meeting_memory *memory, const struct mime_meeting *m, const char *address)
{
	const struct state_meeting *newest;

	if (strcmp(m->method, "REQUEST") != 0)
		return UNSPECIFIED;
	newest = take(memory, m);
	if (is_delegated(m, address))
		return DELEGATED;
	if (newest != NULL && (m->sequence < newest->sequence || m->stamp < newest->last))
		return OUTDATED;
	if (newest != NULL && newest->first < m->stamp)
		return INFORMATIONAL; /* nothing that would raise the sequence */
	return m->sequence > 0 ? FULL : FIRST;
}

void
meeting_memory_keep(struct meeting_memory *x)
{
	struct mf_error err;

	if (x->n > 0 && state_meetings_save(x->state, x->user, x->news, x->n, &err) != MF_OK)
		mf_log_warning("event=meetings-unknown reason=%s", mf_log_value(err.text));
	x->n = 0;
}
