/*
 * The smallest backend: a mail account with one empty Inbox that takes nothing and sends nothing.
 *
 * It is there to be copied. Each function shows how a call ends when there is nothing to do; the
 * sentences of the contract (mailferry/backend.h) that the call must keep stand above it where they
 * are easily missed. It knows no network; a real backend keeps its connection in struct mf_session.
 */
#include "mailferry/backend.h"

#include <stdlib.h>
#include <string.h>

#define INBOX "INBOX"

/* An opened backend: what all sessions share. Read-only after open, so that it needs no lock. */
struct mf_backend {
	const char *password; /* the section's: lives longer than the backend */
};

/* One login. One thread at a time. */
struct mf_session {
	const struct mf_backend *backend;
};

static void *
allocate(size_t size)
{
	void *p = calloc(1, size);

	if (p == NULL)
		abort(); /* out of memory ends the process, here as everywhere */
	return p;
}

/* ---- The store ---- */

/* Every call that names a folder begins with this question. */
static enum mf_status
must_exist(const char *folder, struct mf_error *err)
{
	if (strcmp(folder, INBOX) != 0)
		return mf_fail(err, MF_GONE, "null: no such folder");
	return MF_OK;
}

/* A callback's status ends the call and is its result: hand it on as it is. */
static enum mf_status
null_folders(struct mf_session *s, mf_folder_fn *fn, void *ctx, struct mf_error *err)
{
	static const struct mf_folder inbox = {
		.id = INBOX,
		.name = "Inbox",
		.class = MF_CLASS_MAIL,
		.role = MF_ROLE_INBOX,
		.flags = MF_FOLDER_NO_CHILDREN,
		.identity = "",
		.epoch = 1,
	};

	(void)s;
	(void)err;
	return fn(ctx, &inbox);
}

/* The cursor is whatever the backend likes: here one letter, as nothing ever happens. A cursor that
 * is not ours is MF_RESYNC, never an error or a crash: it may be years old. */
static const char cursor[] = "0";

static bool
cursor_is_ours(struct mf_bytes c)
{
	return c.len == strlen(cursor) && memcmp(c.data, cursor, c.len) == 0;
}

static enum mf_status
null_changes(
	struct mf_session *s, const struct mf_changes *c, struct mf_buf *next, struct mf_error *err)
{
	enum mf_status st = must_exist(c->folder, err);

	(void)s;
	if (st != MF_OK)
		return st;
	if (c->cursor.len > 0 && !cursor_is_ours(c->cursor))
		return mf_fail(err, MF_RESYNC, "null: foreign cursor");
	/* Here a backend calls c->event for each change, ids ascending. */
	mf_buf_clear(next);
	mf_buf_add_str(next, cursor);
	return MF_OK;
}

/* A folder that is gone and a cursor that is not ours have changed. */
static enum mf_status
null_poll(struct mf_session *s, struct mf_poll *folders, size_t n, struct mf_error *err)
{
	(void)s;
	for (size_t i = 0; i < n; i++)
		folders[i].changed = must_exist(folders[i].folder, NULL) != MF_OK ||
				     !cursor_is_ours(folders[i].cursor);
	(void)err;
	return MF_OK;
}

/* Items that do not exist are left out: here all of them are. */
static enum mf_status
null_fetch(struct mf_session *s, const struct mf_fetch *f, struct mf_error *err)
{
	(void)s;
	return must_exist(f->folder, err);
}

static enum mf_status
null_stream(struct mf_session *s, const char *folder, uint64_t id,
	const struct mf_section_want *what, mf_write_fn *write, void *ctx, struct mf_error *err)
{
	enum mf_status st = must_exist(folder, err);

	(void)s;
	(void)id;
	(void)what;
	(void)write;
	(void)ctx;
	return st != MF_OK ? st : mf_fail(err, MF_GONE, "null: no such item");
}

static enum mf_status
null_put(struct mf_session *s, const struct mf_put *p, uint64_t *id, struct mf_error *err)
{
	enum mf_status st = must_exist(p->folder, err);

	(void)s;
	(void)id;
	return st != MF_OK ? st : mf_fail(err, MF_REFUSED, "null: takes no items");
}

/* `found` is replaced: it may hold something from before. */
static enum mf_status
null_flag(struct mf_session *s, const struct mf_flag_change *c, struct mf_idset *found,
	struct mf_error *err)
{
	(void)s;
	if (found != NULL)
		mf_idset_clear(found);
	return must_exist(c->folder, err);
}

/* Every item gets its status, whatever the call returns. */
static enum mf_status
null_move(struct mf_session *s, const char *from, const char *to, struct mf_move *moves, size_t n,
	struct mf_error *err)
{
	enum mf_status st = must_exist(from, err);

	(void)s;
	for (size_t i = 0; i < n; i++) {
		moves[i].status = MF_GONE;
		moves[i].to = 0;
	}
	if (st == MF_OK && must_exist(to, NULL) != MF_OK)
		return mf_fail(err, MF_INVALID, "null: no such destination");
	return st;
}

/* What does not exist is removed already: that is success. */
static enum mf_status
null_remove(
	struct mf_session *s, const char *folder, const struct mf_idset *ids, struct mf_error *err)
{
	(void)s;
	(void)ids;
	return must_exist(folder, err);
}

static enum mf_status
null_empty(struct mf_session *s, const char *folder, struct mf_error *err)
{
	(void)s;
	return must_exist(folder, err);
}

static enum mf_status
null_search(struct mf_session *s, const char *folder, const struct mf_query *q, int timeout_ms,
	struct mf_idset *found, struct mf_error *err)
{
	(void)s;
	(void)q;
	(void)timeout_ms;
	mf_idset_clear(found);
	return must_exist(folder, err);
}

/* A call that the backend does not have at all may be a NULL member; one that exists and will not do
 * it says MF_REFUSED. */
static enum mf_status
null_folder_create(struct mf_session *s, const char *parent, const char *name, enum mf_role role,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	enum mf_status st = parent == NULL ? MF_OK : must_exist(parent, err);

	(void)s;
	(void)name;
	(void)role;
	(void)a;
	(void)id;
	return st != MF_OK ? st : mf_fail(err, MF_REFUSED, "null: has one folder only");
}

static enum mf_status
null_folder_rename(struct mf_session *s, const char *folder, const char *parent, const char *name,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	enum mf_status st = must_exist(folder, err);

	(void)s;
	(void)parent;
	(void)name;
	(void)a;
	(void)id;
	return st != MF_OK ? st : mf_fail(err, MF_REFUSED, "null: the Inbox keeps its name");
}

static enum mf_status
null_folder_delete(struct mf_session *s, const char *folder, struct mf_error *err)
{
	enum mf_status st = must_exist(folder, err);

	(void)s;
	return st != MF_OK ? st : mf_fail(err, MF_REFUSED, "null: the Inbox stays");
}

/* Ids never begin anew here. */
static enum mf_status
null_epoch(struct mf_session *s, const char *folder, uint64_t *out, struct mf_error *err)
{
	(void)s;
	*out = 1;
	return must_exist(folder, err);
}

static const struct mf_store_api store = {
	.size = sizeof(store),
	.folders = null_folders,
	.changes = null_changes,
	.poll = null_poll,
	.fetch = null_fetch,
	.stream = null_stream,
	.put = null_put,
	.flag = null_flag,
	.move = null_move,
	.remove = null_remove,
	.empty = null_empty,
	.search = null_search,
	.folder_create = null_folder_create,
	.folder_rename = null_folder_rename,
	.folder_delete = null_folder_delete,
	.epoch = null_epoch,
};

/* ---- Submission ---- */

static uint64_t
null_limit(struct mf_session *s)
{
	(void)s;
	return 0;
}

/* Refusing is honest where nothing can be sent: success would lose the mail. *sent is set whatever is
 * returned. */
static enum mf_status
null_submit(struct mf_session *s, const struct mf_envelope *e, mf_read_fn *read, void *ctx,
	enum mf_sent *sent, struct mf_error *err)
{
	(void)s;
	(void)read;
	(void)ctx;
	*sent = MF_SENT_NOT;
	for (size_t i = 0; i < e->n_to; i++)
		e->to[i].accepted = false;
	return mf_fail(err, MF_REFUSED, "null: sends no mail");
}

static const struct mf_submit_api submit = {
	.size = sizeof(submit),
	.limit = null_limit,
	.submit = null_submit,
};

/* ---- The backend ---- */

static const struct mf_setting settings[] = {
	{ .name = "password",
		.type = MF_SETTING_SECRET,
		.value = "",
		.help = "The password of every user; empty: any password is right." },
	{ .name = NULL },
};

/* conf holds this backend's section, checked against the rows above; NULL means their defaults. */
static enum mf_status
null_open(const struct mf_conf *conf, struct mf_backend **out, struct mf_error *err)
{
	struct mf_backend *b = allocate(sizeof(*b));

	(void)err;
	b->password = conf == NULL ? "" : mf_conf_string(conf, "password");
	*out = b;
	return MF_OK;
}

static void
null_close(struct mf_backend *b)
{
	free(b);
}

/* A wrong password is MF_AUTH; a server that cannot be asked is MF_TEMPORARY, never MF_AUTH. */
static enum mf_status
null_login(struct mf_backend *b, const struct mf_login *who, struct mf_session **out,
	struct mf_error *err)
{
	struct mf_session *s;

	if (b->password[0] != '\0' &&
		(who->password == NULL || strcmp(who->password, b->password) != 0))
		return mf_fail(err, MF_AUTH, "null: wrong password");
	s = allocate(sizeof(*s));
	s->backend = b;
	*out = s;
	return MF_OK;
}

static void
null_logout(struct mf_session *s)
{
	free(s);
}

static bool
null_usable(const struct mf_session *s)
{
	(void)s;
	return true;
}

static void
null_describe(struct mf_session *s, struct mf_buf *out)
{
	mf_buf_printf(out, "an empty Inbox, %s password; nothing is kept or sent\n",
		s->backend->password[0] == '\0' ? "any" : "one");
}

const struct mf_backend_api mf_backend_null = {
	.abi = MF_BACKEND_ABI,
	.size = sizeof(mf_backend_null),
	.name = "null",
	.help = "One empty Inbox: to try things out, and to copy from.",
	.settings = settings,
	.open = null_open,
	.close = null_close,
	.login = null_login,
	.logout = null_logout,
	.usable = null_usable,
	.describe = null_describe,
	.store = &store,
	.submit = &submit,
};
