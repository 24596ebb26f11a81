/* Replies and forwards: kept and written. */
#include "eas/map/verb.h"

#include "base/varint.h"
#include "eas/map/email.h"

struct mf_bytes
verb_keep(struct mf_arena *a, enum verb verb, int64_t when)
{
	struct mf_buf b;
	struct mf_bytes copy;

	mf_buf_init(&b, 0);
	varint_put(&b, verb);
	varint_put(&b, (uint64_t)when);
	copy = mf_memdup(a, b.data, b.len);
	mf_buf_deinit(&b);
	return copy;
}

static uint32_t
flag_of(enum verb verb)
{
	return verb == VERB_FORWARD ? MF_FLAG_FORWARDED : verb == VERB_NONE ? 0 : MF_FLAG_ANSWERED;
}

void
verb_write(struct wbxml_writer *w, struct mf_arena *a, uint32_t flags, struct mf_bytes kept)
{
	struct varint_reader r;
	enum verb verb;
	int64_t when;

	if ((flags & (MF_FLAG_ANSWERED | MF_FLAG_FORWARDED)) == 0)
		return;
	varint_reader_init(&r, kept);
	verb = (enum verb)varint_get_max(&r, VERB_FORWARD);
	when = (int64_t)varint_get_max(&r, INT64_MAX);
	if (r.failed || (flag_of(verb) & flags) == 0) { /* another mail program's */
		wbxml_number(w, Email2_LastVerbExecuted,
			(flags & MF_FLAG_FORWARDED) != 0 ? VERB_FORWARD : VERB_REPLY);
		return;
	}
	wbxml_number(w, Email2_LastVerbExecuted, verb);
	wbxml_element(w, Email2_LastVerbExecutionTime, email_date(a, when));
}
