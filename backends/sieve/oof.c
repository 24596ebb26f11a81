/* What is set, found in the user's scripts; and set, without touching a script of the user's own. */
#include <string.h>
#include <strings.h>

#include "sieve.h"

/* What there is. */
struct look {
	struct mf_arena *a;
	struct sieve_names names;
	bool ours_active, ours_exists;
	bool packed;		      /* ours is as we wrote it */
	struct sieve_script ours;     /* as packed, or as read */
	enum sieve_reading ours_says; /* where it is not packed */
	struct sieve_script active;   /* of the active script, where that is another */
	enum sieve_reading active_says;
};

static bool
has_name(const struct sieve_names *n, const char *name)
{
	for (size_t i = 0; i < n->n; i++)
		if (strcmp(n->list[i], name) == 0)
			return true;
	return false;
}

static void
no_replies(struct sieve_script *s)
{
	memset(s, 0, sizeof(*s));
	s->include = "";
	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		s->oof.reply[i].text = "";
}

static enum mf_status
look_at_ours(struct mf_session *s, struct look *l, struct mf_error *err)
{
	const char *text;
	enum mf_status st = sieve_get(s, s->backend->script, l->a, &text, err);

	if (st != MF_OK)
		return st;
	l->packed = sieve_script_unpack(l->a, text, &l->ours);
	if (!l->packed)
		l->ours_says = sieve_script_read(l->a, text, &l->ours);
	return MF_OK;
}

/* The active one, when it is another; also the one that ours includes, which runs then. */
static enum mf_status
look_at_other(struct mf_session *s, struct look *l, struct mf_error *err)
{
	const char *name = l->names.active, *text;
	enum mf_status st;

	if (l->ours_active)
		name = l->ours.include;
	if (name == NULL || *name == '\0' || !has_name(&l->names, name))
		return MF_OK;
	st = sieve_get(s, name, l->a, &text, err);
	if (st == MF_OK)
		l->active_says = sieve_script_read(l->a, text, &l->active);
	return st == MF_GONE ? MF_OK : st;
}

static enum mf_status
look(struct mf_session *s, struct mf_arena *a, struct look *l, struct mf_error *err)
{
	enum mf_status st;

	memset(l, 0, sizeof(*l));
	l->a = a;
	no_replies(&l->ours);
	no_replies(&l->active);
	if (!(s->extensions & SIEVE_VACATION))
		return mf_fail(err, MF_UNSUPPORTED, "sieve %s: the server has no vacation",
			s->backend->where.host);
	st = sieve_list(s, a, &l->names, err);
	if (st != MF_OK)
		return st;
	l->ours_exists = has_name(&l->names, s->backend->script);
	l->ours_active =
		l->names.active != NULL && strcmp(l->names.active, s->backend->script) == 0;
	if (l->ours_exists)
		st = look_at_ours(s, l, err);
	return st == MF_OK ? look_at_other(s, l, err) : st;
}

/* ---- Getting ---- */

static enum mf_status
get(struct mf_session *s, struct mf_arena *a, struct mf_oof *out, struct mf_error *err)
{
	struct look l;
	enum mf_status st = look(s, a, &l, err);

	if (st != MF_OK)
		return st;
	*out = l.ours.oof;
	if (!l.ours_active) {
		out->state = MF_OOF_OFF; /* its texts are still offered */
		out->start = out->end = 0;
	}
	/* What another tool has switched on counts more than what is off here. */
	if (out->state == MF_OOF_OFF && l.active_says != SIEVE_NO_VACATION)
		*out = l.active.oof;
	return MF_OK;
}

/* ---- Setting ---- */

static enum mf_status
check(const struct mf_session *s, const struct mf_oof *oof, const struct look *l,
	const char *include, struct mf_error *err)
{
	const char *host = s->backend->where.host;
	unsigned need = oof->state == MF_OOF_TIMED ? SIEVE_DATE | SIEVE_RELATIONAL : 0;

	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		if (strlen(oof->reply[i].text) > MF_OOF_TEXT_MAX)
			return mf_fail(err, MF_TOO_LARGE, "sieve: a text that is too long");
	if (l->ours_exists && !l->packed && l->ours_says == SIEVE_HAS_VACATION)
		return mf_fail(err, MF_REFUSED, "sieve %s: somebody has put rules into %s", host,
			s->backend->script);
	if (l->active_says != SIEVE_NO_VACATION)
		return mf_fail(err, MF_REFUSED,
			"sieve %s: another script of the user answers already", host);
	if (*include != '\0' && oof->state != MF_OOF_OFF)
		need |= SIEVE_INCLUDE;
	if ((s->extensions & need) != need)
		return mf_fail(err, MF_REFUSED,
			"sieve %s: the server lacks include, date or relational", host);
	return MF_OK;
}

static const char *const *
internal_domains(const struct mf_session *s, const struct mf_oof_user *user, struct mf_arena *a)
{
	size_t n = 0, own = 0;
	const char **out;

	while (s->backend->domains[n] != NULL)
		n++;
	while (user->addresses[own] != NULL)
		own++;
	out = (const char **)mf_alloc_array(a, n + own + 1, sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out[i] = s->backend->domains[i];
	for (size_t i = 0; i < own; i++) {
		const char *at = strrchr(user->addresses[i], '@');

		if (at != NULL && at[1] != '\0')
			out[n++] = at + 1;
	}
	return out;
}

/* Off: the script that was active before is so again. A crash in between leaves ours active, without
 * replies and with that script included: as good. */
static enum mf_status
activate(struct mf_session *s, const struct mf_oof *oof, const struct look *l, const char *include,
	struct mf_error *err)
{
	if (oof->state != MF_OOF_OFF)
		return l->ours_active ? MF_OK : sieve_activate(s, s->backend->script, err);
	return l->ours_active ? sieve_activate(s, include, err) : MF_OK;
}

static enum mf_status
set(struct mf_session *s, const struct mf_oof *oof, const struct mf_oof_user *user,
	struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct sieve_script script = { .oof = *oof };
	struct sieve_writing how = { .user = user, .days = s->backend->days };
	struct look l;
	enum mf_status st = look(s, a, &l, err);

	if (st == MF_OK) {
		script.include = l.ours_active		  ? l.ours.include
				 : l.names.active != NULL ? l.names.active
							  : "";
		if (!has_name(&l.names, script.include))
			script.include = "";
		st = check(s, oof, &l, script.include, err);
	}
	if (st == MF_OK) {
		how.domains = internal_domains(s, user, a);
		st = sieve_put(s, s->backend->script, sieve_script_write(a, &script, &how), err);
	}
	if (st == MF_OK)
		st = activate(s, oof, &l, script.include, err);
	mf_arena_free(a);
	return st;
}

const struct mf_oof_api sieve_oof = { .size = sizeof(struct mf_oof_api), .get = get, .set = set };
