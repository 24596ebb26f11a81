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

const char *
memory_oof_known(struct memory_world *w, const char *user, struct mf_arena *a)
{
	const char *known = "";
	struct memory_user *u;

	memory_lock(w);
	u = memory_user_find(w, user);
	if (u != NULL && u->oof_known != NULL)
		known = mf_strdup(a, u->oof_known);
	memory_unlock(w);
	return known;
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
memory_oof_set(struct mf_session *s, const struct mf_oof *oof, const struct mf_oof_user *user,
	struct mf_error *err)
{
	struct mf_buf known;

	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		if (strlen(oof->reply[i].text) > MF_OOF_TEXT_MAX)
			return mf_fail(err, MF_TOO_LARGE, "memory: a text that is too long");
	memory_lock(s->world);
	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		free((char *)(uintptr_t)s->user->oof.reply[i].text);
	s->user->oof = *oof;
	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		s->user->oof.reply[i].text = memory_strdup(oof->reply[i].text);
	mf_buf_init(&known, 0);
	for (size_t i = 0; user->known[i] != NULL; i++)
		mf_buf_printf(&known, "%s%s", i == 0 ? "" : ",", user->known[i]);
	free(s->user->oof_known);
	s->user->oof_known = memory_strdup(mf_buf_str(&known));
	mf_buf_deinit(&known);
	memory_unlock(s->world);
	return MF_OK;
}
