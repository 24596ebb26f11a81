/* Out-of-office replies that are kept, and sent to nobody. */
#include <stdlib.h>
#include <string.h>

#include "memory/calls.h"
#include "memory/fault.h"

void
memory_oof(struct memory_world *w, bool on)
{
	memory_lock(w);
	w->oof = on;
	memory_unlock(w);
}

enum mf_status
memory_has_oof(struct mf_session *s, struct mf_error *err)
{
	bool on;

	memory_lock(s->world);
	on = s->world->oof;
	memory_unlock(s->world);
	return on ? MF_OK : mf_fail(err, MF_UNSUPPORTED, "memory: no out-of-office replies");
}

enum mf_status
memory_oof_get(struct mf_session *s, struct mf_arena *a, struct mf_oof *out)
{
	memory_lock(s->world);
	*out = s->user->oof;
	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		out->reply[i].text =
			mf_strdup(a, out->reply[i].text == NULL ? "" : out->reply[i].text);
	memory_unlock(s->world);
	return MF_OK;
}

enum mf_status
memory_oof_set(struct mf_session *s, const struct mf_oof *oof, struct mf_error *err)
{
	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		if (strlen(oof->reply[i].text) > MF_OOF_TEXT_MAX)
			return mf_fail(err, MF_TOO_LARGE, "memory: a text that is too long");
	memory_lock(s->world);
	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		free((char *)(uintptr_t)s->user->oof.reply[i].text);
	s->user->oof = *oof;
	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		s->user->oof.reply[i].text = memory_strdup(oof->reply[i].text);
	memory_unlock(s->world);
	return MF_OK;
}
