/*
 * Creating, renaming and deleting folders, with their subscriptions. Servers differ in what they do
 * with parents that do not exist and with what is below; so it is looked up first, and done step by
 * step.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "etpan.h"
#include "list.h"
#include "names.h"
#include "select.h"
#include "store.h"

/* A listing that lives as long as one call. */
struct tree {
	struct mf_session *s;
	struct mf_arena *a;
	struct imap_listing l;
	char delimiter;
};

static enum mf_status
look(struct tree *t, struct mf_session *s, struct mf_error *err)
{
	enum mf_status status;

	*t = (struct tree){ .s = s, .a = mf_arena_new() };
	status = imap_list(s, t->a, &t->l, err);
	if (status != MF_OK)
		return status;
	t->delimiter = s->names.personal.delimiter;
	for (size_t i = 0; i < t->l.n && t->delimiter == '\0'; i++)
		t->delimiter = t->l.entries[i]->delimiter;
	return MF_OK;
}

static bool
is_inbox(const char *folder)
{
	return strcasecmp(folder, "INBOX") == 0;
}

static bool
is_below(const struct tree *t, const char *id, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(id, folder, len) == 0 && t->delimiter != '\0' && id[len] == t->delimiter;
}

/* The wire name of a folder `name` in `parent`; NULL: the server cannot have it. */
static const char *
path(struct tree *t, const char *parent, const char *name)
{
	bool utf8 = !imap_can(t->s, IMAP_CAP_REV1);
	const char *wire = imap_name_encode(t->a, name), *full;
	const char between[2] = { t->delimiter, '\0' };

	/* "%" and "*" are legal but cannot be listed; a leading "#" or "~" means other things. */
	if (wire == NULL || name[0] == '\0' || strpbrk(name, "%*") != NULL || name[0] == '#' ||
		name[0] == '~' || (t->delimiter != '\0' && strchr(name, t->delimiter) != NULL))
		return NULL;
	if (utf8)
		wire = name;
	if (parent != NULL && t->delimiter == '\0')
		return NULL;
	full = mf_printf(t->a, "%s%s%s", parent == NULL ? t->s->names.personal.prefix : parent,
		parent == NULL ? "" : between, wire);
	return strlen(full) <= IMAP_NAME_MOST ? full : NULL;
}

static enum mf_status
check_parent(struct tree *t, const char *parent, struct mf_error *err)
{
	const struct imap_entry *e = parent == NULL ? NULL : imap_listing_find(&t->l, parent);

	if (parent != NULL && e == NULL)
		return imap_fail(t->s, err, MF_GONE, "no folder %s", parent);
	if (e != NULL && (e->flags & MF_FOLDER_NO_CHILDREN) != 0)
		return imap_fail(t->s, err, MF_REFUSED, "%s takes no folders", parent);
	return MF_OK;
}

/* A refusal to have such a name, in whatever words. */
static enum mf_status
refused(struct mf_session *s, const struct imap_result *r, const char *what, struct mf_error *err)
{
	enum mf_status status = imap_refused(s, r, what, err);

	if (r->condition == IMAP_BAD || r->code == IMAP_CODE_CANNOT)
		status = MF_INVALID;
	if (err != NULL)
		err->status = status;
	return status;
}

/* Best effort: a folder without subscription is still a folder. */
static enum mf_status
subscribe(struct mf_session *s, enum imap_verb verb, const char *folder, struct mf_error *err)
{
	struct imap_result r;

	return imap_etpan_folder(s, verb, folder, &r, err);
}

/* ---- Create ---- */

static enum mf_status
create(struct mf_session *s, const char *folder, enum mf_role role, struct imap_result *r,
	struct mf_error *err)
{
	const char *attribute = imap_role_attribute(role);
	enum mf_status status = MF_OK;

	r->condition = IMAP_NO;
	if (attribute != NULL && imap_can(s, IMAP_CAP_CREATE_USE)) {
		imap_begin(s);
		imap_put(s, "CREATE ");
		imap_put_string(s, folder);
		imap_putf(s, " (USE (%s))", attribute);
		status = imap_run(s, imap_end(s), NULL, NULL, r, err);
	}
	/* A role is a wish. */
	if (status == MF_OK && r->condition != IMAP_OK)
		status = imap_etpan_folder(s, IMAP_CREATE, folder, r, err);
	return status;
}

static enum mf_status
create_in(struct tree *t, const char *parent, const char *name, enum mf_role role, const char **id,
	struct mf_error *err)
{
	struct imap_result r;
	const struct imap_entry *e;
	enum mf_status status = check_parent(t, parent, err);

	if (status != MF_OK)
		return status;
	if (parent == NULL && is_inbox(name))
		return imap_fail(t->s, err, MF_EXISTS, "the Inbox exists");
	*id = path(t, parent, name);
	if (*id == NULL)
		return imap_fail(t->s, err, MF_INVALID, "no name for a folder");
	e = imap_listing_find(&t->l, *id);
	if (e != NULL && (e->flags & MF_FOLDER_NO_ITEMS) == 0)
		return imap_fail(t->s, err, MF_EXISTS, "%s exists", *id);
	status = create(t->s, *id, role, &r, err);
	if (status == MF_OK && r.condition != IMAP_OK)
		return refused(t->s, &r, "CREATE", err);
	return status == MF_OK ? subscribe(t->s, IMAP_SUBSCRIBE, *id, err) : status;
}

enum mf_status
imap_folder_create(struct mf_session *s, const char *parent, const char *name, enum mf_role role,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	const char *wire = NULL;
	struct tree t;
	enum mf_status status = look(&t, s, err);

	if (status == MF_OK)
		status = create_in(&t, parent, name, role, &wire, err);
	if (status == MF_OK)
		*id = mf_strdup(a, wire);
	mf_arena_free(t.a);
	return status;
}

/* ---- Rename ---- */

static enum mf_status
move_subscriptions(struct tree *t, const char *from, const char *to, struct mf_error *err)
{
	enum mf_status status = MF_OK;

	for (size_t i = 0; i < t->l.n && status == MF_OK; i++) {
		const struct imap_entry *e = t->l.entries[i];

		if ((e->flags & MF_FOLDER_SUBSCRIBED) == 0 ||
			(strcmp(e->id, from) != 0 && !is_below(t, e->id, from)))
			continue;
		status = subscribe(t->s, IMAP_UNSUBSCRIBE, e->id, err);
		if (status == MF_OK)
			status = subscribe(t->s, IMAP_SUBSCRIBE,
				mf_printf(t->a, "%s%s", to, e->id + strlen(from)), err);
	}
	return status;
}

static enum mf_status
close_if_below(struct tree *t, const char *folder, struct mf_error *err)
{
	const char *selected = t->s->sel.folder;

	/* Servers hang up on those who have a folder selected that goes away. */
	if (selected == NULL || (strcmp(selected, folder) != 0 && !is_below(t, selected, folder)))
		return MF_OK;
	imap_unselect_write(t->s);
	return imap_run(t->s, imap_command(t->s, "NOOP"), NULL, NULL, NULL, err);
}

static enum mf_status
rename_to(struct tree *t, const char *folder, const char *parent, const char *name, const char **id,
	struct mf_error *err)
{
	struct imap_result r;
	enum mf_status status;

	if (is_inbox(folder))
		return imap_fail(t->s, err, MF_REFUSED, "the Inbox stays");
	if (imap_listing_find(&t->l, folder) == NULL)
		return imap_fail(t->s, err, MF_GONE, "no folder %s", folder);
	status = check_parent(t, parent, err);
	if (status != MF_OK)
		return status;
	*id = path(t, parent, name);
	if (*id == NULL || is_below(t, *id, folder))
		return imap_fail(t->s, err, MF_INVALID, "no name for a folder");
	if (strcmp(*id, folder) == 0)
		return MF_OK;
	if (imap_listing_find(&t->l, *id) != NULL || is_inbox(*id))
		return imap_fail(t->s, err, MF_EXISTS, "%s exists", *id);
	status = close_if_below(t, folder, err);
	if (status == MF_OK)
		status = imap_etpan_rename(t->s, folder, *id, &r, err);
	if (status == MF_OK && r.condition != IMAP_OK)
		return refused(t->s, &r, "RENAME", err);
	return status == MF_OK ? move_subscriptions(t, folder, *id, err) : status;
}

enum mf_status
imap_folder_rename(struct mf_session *s, const char *folder, const char *parent, const char *name,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	const char *wire = NULL;
	struct tree t;
	enum mf_status status = look(&t, s, err);

	if (status == MF_OK)
		status = rename_to(&t, folder, parent, name, &wire, err);
	if (status == MF_OK)
		*id = mf_strdup(a, wire);
	mf_arena_free(t.a);
	return status;
}

/* ---- Delete ---- */

static enum mf_status
delete_one(struct tree *t, const struct imap_entry *e, bool top, struct mf_error *err)
{
	struct imap_result r;
	enum mf_status status = imap_etpan_folder(t->s, IMAP_DELETE, e->id, &r, err);

	if (status != MF_OK)
		return status;
	/* A mere parent may have gone with the last of its children. */
	if (r.condition != IMAP_OK && (e->flags & MF_FOLDER_NO_ITEMS) == 0 &&
		(top || imap_refused(t->s, &r, "DELETE", NULL) != MF_GONE))
		return imap_refused(t->s, &r, "DELETE", err);
	if ((e->flags & MF_FOLDER_SUBSCRIBED) != 0)
		return subscribe(t->s, IMAP_UNSUBSCRIBE, e->id, err);
	return MF_OK;
}

static enum mf_status
delete_tree(struct tree *t, const char *folder, struct mf_error *err)
{
	enum mf_status status;

	if (is_inbox(folder))
		return imap_fail(t->s, err, MF_REFUSED, "the Inbox stays");
	if (imap_listing_find(&t->l, folder) == NULL)
		return imap_fail(t->s, err, MF_GONE, "no folder %s", folder);
	status = close_if_below(t, folder, err);
	/* Sorted: what is below comes later, and goes first. */
	for (size_t i = t->l.n; i-- > 0 && status == MF_OK;) {
		const struct imap_entry *e = t->l.entries[i];
		bool top = strcmp(e->id, folder) == 0;

		if (top || is_below(t, e->id, folder))
			status = delete_one(t, e, top, err);
	}
	return status;
}

enum mf_status
imap_folder_delete(struct mf_session *s, const char *folder, struct mf_error *err)
{
	struct tree t;
	enum mf_status status = look(&t, s, err);

	if (status == MF_OK)
		status = delete_tree(&t, folder, err);
	mf_arena_free(t.a);
	return status;
}
