/* Which name at the backends a name that a phone sent stands for. Pure but for the settings. */
#include <stdlib.h>
#include <string.h>

#include "backend/opened.h"
#include "base/str.h"
#include "base/utf8.h"

/* How often rules of login_map may follow one another: more is a circle. */
enum { RULES_IN_A_ROW = 8 };

struct names {
	const char *default_domain; /* the configuration's, as all here */
	bool strip_domain;
	const char *const *map;
};

struct names *
names_new(const struct mf_conf *top)
{
	struct names *n = calloc(1, sizeof(*n));

	if (n == NULL)
		abort();
	n->default_domain = mf_conf_string(top, "default_domain");
	n->strip_domain = mf_conf_bool(top, "strip_domain");
	n->map = mf_conf_list(top, "login_map");
	return n;
}

void
names_free(struct names *n)
{
	free(n);
}

static bool
name_good(const char *user)
{
	size_t len = strlen(user);

	if (len == 0 || len > BACKEND_USER_MAX || !utf8_valid(user, len))
		return false;
	for (const char *p = user; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	}
	return true;
}

/* ---- The map: "FROM=TO", with a star at most in each ---- */

static size_t
stars(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += s[i] == '*';
	return n;
}

enum mf_status
backend_names_validate(const struct mf_conf *top, struct mf_error *err)
{
	for (const char *const *s = mf_conf_list(top, "login_map"); *s != NULL; s++) {
		size_t from = strcspn(*s, "=");
		const char *to = *s + from;

		if (from == 0 || to[0] == '\0' || to[1] == '\0' || stars(*s, from) > 1 ||
			stars(to, strlen(to)) > stars(*s, from))
			return mf_fail(err, MF_INVALID,
				"login_map: \"%s\" is not of the form "
				"\"*@old.example=*@new.example\"",
				*s);
	}
	return MF_OK;
}

/* What the rule makes of the name; NULL: it is for others, or changes nothing. */
static const char *
apply(struct mf_arena *a, const char *rule, const char *name)
{
	size_t from = strcspn(rule, "="), len = strlen(name);
	const char *to = rule + from + 1, *star = memchr(rule, '*', from), *hole = strchr(to, '*');
	size_t before = star == NULL ? from : (size_t)(star - rule);
	size_t after = star == NULL ? 0 : from - before - 1;
	const char *made;

	if (len < before + after || (star == NULL && len != from) ||
		!str_ieqn(rule, name, before) ||
		!str_ieqn(rule + from - after, name + len - after, after))
		return NULL;
	made = hole == NULL ? to
			    : mf_printf(a, "%.*s%.*s%s", (int)(hole - to), to,
				      (int)(len - before - after), name + before, hole + 1);
	return strcmp(made, name) == 0 ? NULL : made;
}

/* The first rule that fits; NULL: none. */
static const char *
apply_map(struct mf_arena *a, const struct names *n, const char *name)
{
	const char *made = NULL;

	for (const char *const *s = n->map; made == NULL && *s != NULL; s++)
		made = apply(a, *s, name);
	return made;
}

/* ---- The forms ---- */

/* `DOMAIN\user`: user; `example.org\user`: user@example.org. */
static const char *
without_backslash(struct mf_arena *a, const char *user)
{
	const char *at = strchr(user, '\\');
	size_t domain = at != NULL ? (size_t)(at - user) : 0;

	if (at == NULL)
		return user;
	if (strchr(at, '@') != NULL || memchr(user, '.', domain) == NULL)
		return at + 1;
	return mf_printf(a, "%s@%.*s", at + 1, (int)domain, user);
}

/* Changes nothing of a name that has come through already. */
static enum mf_status
normalise(struct mf_arena *a, const struct names *n, const char *user, const char **out,
	struct mf_error *err)
{
	const char *name = without_backslash(a, user), *at = strrchr(name, '@');

	if (at != NULL)
		name = mf_printf(a, "%.*s%s", (int)(at - name), name,
			n->strip_domain ? "" : str_lower(a, at));
	if (*name == '\0' || *name == '@')
		return mf_fail(err, MF_INVALID, "a login name without a user");
	if (*n->default_domain != '\0' && strchr(name, '@') == NULL)
		name = mf_printf(a, "%s@%s", name, n->default_domain);
	if (strlen(name) > BACKEND_USER_MAX)
		return mf_fail(err, MF_INVALID, "a login name that is too long");
	*out = name;
	return MF_OK;
}

enum mf_status
backend_login_map(struct backends *b, const char *user, struct mf_arena *a, const char **out,
	struct mf_error *err)
{
	const char *name = user, *made;
	enum mf_status st = MF_OK;

	if (user == NULL || !name_good(user))
		return mf_fail(err, MF_INVALID, "a login name that nobody can have");
	for (int i = 0; i < RULES_IN_A_ROW && st == MF_OK; i++) {
		made = apply_map(a, b->names, name); /* as it was sent, too: "OLD\*" */
		if (made != NULL) {
			name = made;
			continue;
		}
		st = normalise(a, b->names, name, &name, err);
		if (st == MF_OK && apply_map(a, b->names, name) == NULL) {
			*out = mf_strdup(a, name);
			return MF_OK;
		}
	}
	return st != MF_OK ? st : mf_fail(err, MF_INVALID, "login_map turns in circles");
}
