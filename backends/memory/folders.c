/* Folders: a folder's id is its path, as in IMAP, so that a rename changes ids. */
#include "memory/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_BYTES = 255, PATH_MAX_BYTES = 2000 };

/* ---- Listing ---- */

static const char *
last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static const char *
parent_path(struct mf_arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? NULL : mf_strndup(a, path, (size_t)(slash - path));
}

static struct mf_folder
folder_row(const struct memory_world *w, const struct memory_folder *f, struct mf_arena *a)
{
	bool inbox = f->role == MF_ROLE_INBOX;
	bool roles = inbox || (w->capabilities & MEMORY_SPECIAL_USE) != 0;
	bool identities = (w->capabilities & MEMORY_IDENTITIES) != 0;

	return (struct mf_folder){
		.id = mf_strdup(a, f->path),
		.parent = parent_path(a, f->path),
		.name = inbox ? "Inbox" : mf_strdup(a, last_component(f->path)),
		.class = MF_CLASS_MAIL,
		.role = roles ? f->role : MF_ROLE_NONE,
		.flags = MF_FOLDER_SUBSCRIBED,
		.identity = identities ? mf_printf(a, "F%llu", (unsigned long long)f->number) : "",
		.epoch = f->epoch,
	};
}

enum mf_status
memory_folders(struct mf_session *s, mf_folder_fn *fn, void *ctx, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	enum mf_status st = MF_OK;
	struct mf_folder *rows;
	size_t n;

	(void)err;
	memory_lock(s->world);
	n = s->user->n_folders;
	rows = mf_new_array(a, struct mf_folder, n + 1);
	for (size_t i = 0; i < n; i++)
		rows[i] = folder_row(s->world, s->user->folders[i], a);
	memory_unlock(s->world);
	for (size_t i = 0; i < n && st == MF_OK; i++)
		st = fn(ctx, &rows[i]);
	mf_arena_free(a);
	return st;
}

/* ---- Names ---- */

/* Length of the UTF-8 character at s, 0 where it is none or a control character. */
static size_t
character(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		size_t len;
	} forms[] = { { 0x80, 0x00, 1 }, { 0xE0, 0xC0, 2 }, { 0xF0, 0xE0, 3 }, { 0xF8, 0xF0, 4 } };

	if (*s < 0x20 || *s == 0x7F)
		return 0;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t k = 1;

		if ((*s & forms[i].mask) != forms[i].lead)
			continue;
		while (k < forms[i].len && (s[k] & 0xC0) == 0x80)
			k++;
		return k == forms[i].len ? k : 0;
	}
	return 0;
}

static bool
name_is_possible(const char *name)
{
	size_t n;

	if (name[0] == '\0' || strlen(name) > NAME_MAX_BYTES || strchr(name, '/') != NULL)
		return false;
	for (const char *p = name; *p != '\0'; p += n) {
		n = character((const unsigned char *)p);
		if (n == 0)
			return false;
	}
	return true;
}

/* True for a folder and what is below it. */
static bool
is_within(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* The path of a name below a parent, checked; NULL and err where it cannot be. Lock held. */
static const char *
new_path(struct mf_session *s, const char *parent, const char *name, struct mf_arena *a,
	struct mf_error *err)
{
	const char *path;

	if (parent != NULL && memory_folder_find(s->user, parent) == NULL) {
		mf_fail(err, MF_GONE, "memory: no folder %s", parent);
		return NULL;
	}
	path = parent == NULL ? name : mf_printf(a, "%s/%s", parent, name);
	if (!name_is_possible(name) || strlen(path) > PATH_MAX_BYTES) {
		mf_fail(err, MF_INVALID, "memory: impossible folder name");
		return NULL;
	}
	if (memory_folder_find(s->user, path) != NULL || strcasecmp(path, "INBOX") == 0) {
		mf_fail(err, MF_EXISTS, "memory: folder %s exists", path);
		return NULL;
	}
	return mf_strdup(a, path);
}

/* ---- Changing ---- */

enum mf_status
memory_folder_create(struct mf_session *s, const char *parent, const char *name, enum mf_role role,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	struct mf_error why = { .status = MF_OK };
	const char *path;

	memory_lock(s->world);
	path = new_path(s, parent, name, a, &why);
	if (path != NULL)
		memory_folder_new(s->world, s->user, path, role);
	memory_unlock(s->world);
	if (path == NULL)
		return mf_fail(err, why.status, "%s", why.text);
	*id = path;
	return MF_OK;
}

/* Gives the folders at and below `from` their new paths. */
static void
rename_tree(struct memory_user *u, const char *from, const char *to)
{
	size_t n = strlen(from);

	for (size_t i = 0; i < u->n_folders; i++) {
		struct memory_folder *f = u->folders[i];
		char *path;

		if (!is_within(f->path, from))
			continue;
		if (asprintf(&path, "%s%s", to, f->path + n) < 0)
			abort();
		free(f->path);
		f->path = path;
	}
	memory_folders_sort(u);
}

/* Lock held. */
static const char *
rename_checked(struct mf_session *s, const char *folder, const char *parent, const char *name,
	struct mf_arena *a, struct mf_error *err)
{
	const struct memory_folder *f = memory_folder_find(s->user, folder);
	const char *path;

	if (f == NULL) {
		mf_fail(err, MF_GONE, "memory: no folder %s", folder);
		return NULL;
	}
	if (f->role == MF_ROLE_INBOX) {
		mf_fail(err, MF_REFUSED, "memory: the Inbox keeps its name");
		return NULL;
	}
	path = new_path(s, parent, name, a, err);
	if (path != NULL && is_within(path, folder)) {
		mf_fail(err, MF_INVALID, "memory: folder %s cannot be in itself", folder);
		return NULL;
	}
	return path;
}

enum mf_status
memory_folder_rename(struct mf_session *s, const char *folder, const char *parent, const char *name,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	struct mf_error why = { .status = MF_OK };
	const char *path;

	memory_lock(s->world);
	path = rename_checked(s, folder, parent, name, a, &why);
	if (path != NULL)
		rename_tree(s->user, folder, path);
	memory_unlock(s->world);
	if (path == NULL)
		return mf_fail(err, why.status, "%s", why.text);
	*id = path;
	return MF_OK;
}

/* Lock held. */
static enum mf_status
delete_tree(struct memory_user *u, const char *folder, struct mf_error *err)
{
	const struct memory_folder *f = memory_folder_find(u, folder);

	if (f == NULL)
		return mf_fail(err, MF_GONE, "memory: no folder %s", folder);
	if (f->role == MF_ROLE_INBOX)
		return mf_fail(err, MF_REFUSED, "memory: the Inbox stays");
	for (size_t i = u->n_folders; i-- > 0;)
		if (u->folders[i] != f && is_within(u->folders[i]->path, f->path))
			memory_folder_remove(u, u->folders[i]);
	memory_folder_remove(u, memory_folder_find(u, folder));
	return MF_OK;
}

enum mf_status
memory_folder_delete(struct mf_session *s, const char *folder, struct mf_error *err)
{
	enum mf_status st;

	memory_lock(s->world);
	st = delete_tree(s->user, folder, err);
	memory_unlock(s->world);
	return st;
}

enum mf_status
memory_epoch(struct mf_session *s, const char *folder, uint64_t *out, struct mf_error *err)
{
	const struct memory_folder *f = memory_folder_find(s->user, folder);

	*out = f == NULL ? 1 : f->epoch;
	return f != NULL ? MF_OK : mf_fail(err, MF_GONE, "memory: no folder %s", folder);
}
