/*
 * A mail server in memory: the tests' backend.
 *
 * This file is the contract's side: settings, logins, and the two tables of calls, each of which
 * passes the gate of fault.h before and after its work. See memory.h for what tests can do to it.
 */
#include "memory/memory.h"

#include <stdlib.h>
#include <string.h>

#include "memory/calls.h"
#include "memory/fault.h"
#include "memory/worlds.h"

/* A call between the two sides of the gate. */
#define GATED(s, what, err, call)                                             \
	do {                                                                  \
		struct memory_fault fault;                                    \
		enum mf_status st = memory_begin((s), (what), &fault, (err)); \
                                                                              \
		if (st != MF_OK)                                              \
			return st;                                            \
		return memory_end((s), &fault, (call), (err));                \
	} while (0)

/* ---- The store ---- */

static enum mf_status
store_folders(struct mf_session *s, mf_folder_fn *fn, void *ctx, struct mf_error *err)
{
	GATED(s, MEMORY_FOLDERS, err, memory_folders(s, fn, ctx, err));
}

static enum mf_status
store_changes(
	struct mf_session *s, const struct mf_changes *c, struct mf_buf *next, struct mf_error *err)
{
	GATED(s, MEMORY_CHANGES, err, memory_changes(s, c, next, err));
}

static enum mf_status
store_poll(struct mf_session *s, struct mf_poll *folders, size_t n, struct mf_error *err)
{
	GATED(s, MEMORY_POLL, err, memory_poll(s, folders, n, err));
}

static enum mf_status
store_fetch(struct mf_session *s, const struct mf_fetch *f, struct mf_error *err)
{
	GATED(s, MEMORY_FETCH, err, memory_fetch(s, f, err));
}

static enum mf_status
store_stream(struct mf_session *s, const char *folder, uint64_t id,
	const struct mf_section_want *what, mf_write_fn *write, void *ctx, struct mf_error *err)
{
	GATED(s, MEMORY_STREAM, err, memory_stream(s, folder, id, what, write, ctx, err));
}

static enum mf_status
store_put(struct mf_session *s, const struct mf_put *p, uint64_t *id, struct mf_error *err)
{
	GATED(s, MEMORY_PUT, err, memory_put(s, p, id, err));
}

static enum mf_status
store_flag(struct mf_session *s, const struct mf_flag_change *c, struct mf_idset *found,
	struct mf_error *err)
{
	GATED(s, MEMORY_FLAG, err, memory_flags(s, c, found, err));
}

/* Statuses are set whatever happens: before the gate nobody knows better. */
static enum mf_status
store_move(struct mf_session *s, const char *from, const char *to, struct mf_move *moves, size_t n,
	struct mf_error *err)
{
	for (size_t i = 0; i < n; i++) {
		moves[i].status = MF_TEMPORARY;
		moves[i].to = 0;
	}
	GATED(s, MEMORY_MOVE, err, memory_move(s, from, to, moves, n, err));
}

static enum mf_status
store_remove(
	struct mf_session *s, const char *folder, const struct mf_idset *ids, struct mf_error *err)
{
	GATED(s, MEMORY_REMOVE, err, memory_remove(s, folder, ids, err));
}

static enum mf_status
store_empty(struct mf_session *s, const char *folder, struct mf_error *err)
{
	GATED(s, MEMORY_EMPTY, err, memory_remove(s, folder, NULL, err));
}

static enum mf_status
store_search(struct mf_session *s, const char *folder, const struct mf_query *q, int timeout_ms,
	struct mf_idset *found, struct mf_error *err)
{
	GATED(s, MEMORY_SEARCH, err, memory_search(s, folder, q, timeout_ms, found, err));
}

static enum mf_status
store_folder_create(struct mf_session *s, const char *parent, const char *name, enum mf_role role,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	GATED(s, MEMORY_FOLDER_CREATE, err,
		memory_folder_create(s, parent, name, role, a, id, err));
}

static enum mf_status
store_folder_rename(struct mf_session *s, const char *folder, const char *parent, const char *name,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	GATED(s, MEMORY_FOLDER_RENAME, err,
		memory_folder_rename(s, folder, parent, name, a, id, err));
}

static enum mf_status
store_folder_delete(struct mf_session *s, const char *folder, struct mf_error *err)
{
	GATED(s, MEMORY_FOLDER_DELETE, err, memory_folder_delete(s, folder, err));
}

static enum mf_status
store_epoch(struct mf_session *s, const char *folder, uint64_t *out, struct mf_error *err)
{
	GATED(s, MEMORY_EPOCH, err, memory_epoch(s, folder, out, err));
}

static const struct mf_store_api store = {
	.size = sizeof(store),
	.folders = store_folders,
	.changes = store_changes,
	.poll = store_poll,
	.fetch = store_fetch,
	.stream = store_stream,
	.put = store_put,
	.flag = store_flag,
	.move = store_move,
	.remove = store_remove,
	.empty = store_empty,
	.search = store_search,
	.folder_create = store_folder_create,
	.folder_rename = store_folder_rename,
	.folder_delete = store_folder_delete,
	.epoch = store_epoch,
};

/* ---- Submission ---- */

static uint64_t
submit_limit(struct mf_session *s)
{
	uint64_t limit;

	memory_lock(s->world);
	limit = s->world->limit;
	memory_unlock(s->world);
	return limit;
}

/* An answer that is lost leaves its outcome open. */
static enum mf_status
submit_submit(struct mf_session *s, const struct mf_envelope *e, mf_read_fn *read, void *ctx,
	enum mf_sent *sent, struct mf_error *err)
{
	struct memory_fault fault;
	enum mf_status st;

	*sent = MF_SENT_NOT;
	st = memory_begin(s, MEMORY_SUBMIT, &fault, err);
	if (st != MF_OK)
		return st;
	st = memory_submit(s, e, read, ctx, sent, err);
	if (fault.status != MF_OK && *sent == MF_SENT_YES)
		*sent = MF_SENT_UNKNOWN;
	return memory_end(s, &fault, st, err);
}

static bool
has(struct mf_session *s, enum memory_capability what)
{
	bool it;

	memory_lock(s->world);
	it = (s->world->capabilities & what) != 0;
	memory_unlock(s->world);
	return it;
}

static bool
submit_eight_bit(struct mf_session *s)
{
	return has(s, MEMORY_EIGHT_BIT);
}

static bool
submit_as_user(struct mf_session *s)
{
	return has(s, MEMORY_AS_USER);
}

static const struct mf_submit_api submit = {
	.size = sizeof(submit),
	.limit = submit_limit,
	.submit = submit_submit,
	.eight_bit = submit_eight_bit,
	.as_user = submit_as_user,
};

/* ---- The directory ---- */

/* As GATED, where there is a directory. */
#define GATED_PEOPLE(s, err, call)                                  \
	do {                                                        \
		enum mf_status has = memory_has_people((s), (err)); \
                                                                    \
		if (has != MF_OK)                                   \
			return has;                                 \
		GATED((s), MEMORY_PEOPLE, (err), (call));           \
	} while (0)

static enum mf_status
people_find(struct mf_session *s, const struct mf_people_find *f, bool *more, struct mf_error *err)
{
	*more = false;
	GATED_PEOPLE(s, err, memory_people_find(s, f, more, err));
}

static enum mf_status
people_read(struct mf_session *s, const char *const *ids, size_t n, unsigned want,
	mf_people_fn *person, void *ctx, struct mf_error *err)
{
	GATED_PEOPLE(s, err, memory_people_read(s, ids, n, want, person, ctx, err));
}

static enum mf_status
people_members(struct mf_session *s, const char *group, size_t max, mf_people_fn *person, void *ctx,
	size_t *total, struct mf_error *err)
{
	*total = 0;
	GATED_PEOPLE(s, err, memory_people_members(s, group, max, person, ctx, total, err));
}

static const struct mf_directory_api directory = {
	.size = sizeof(directory),
	.find = people_find,
	.read = people_read,
	.members = people_members,
};

/* ---- Out-of-office replies ---- */

static enum mf_status
oof_get(struct mf_session *s, struct mf_arena *a, struct mf_oof *out, struct mf_error *err)
{
	enum mf_status has = memory_has_oof(s, err);

	if (has != MF_OK)
		return has;
	GATED(s, MEMORY_OOF_GET, err, memory_oof_get(s, a, out));
}

static enum mf_status
oof_set(struct mf_session *s, const struct mf_oof *oof, const struct mf_oof_user *user,
	struct mf_error *err)
{
	enum mf_status has = memory_has_oof(s, err);

	if (has != MF_OK)
		return has;
	GATED(s, MEMORY_OOF_SET, err, memory_oof_set(s, oof, user, err));
}

static const struct mf_oof_api oof = { .size = sizeof(oof), .get = oof_get, .set = oof_set };

/* ---- The backend ---- */

static const struct mf_setting settings[] = {
	{ .name = "world",
		.type = MF_SETTING_STRING,
		.value = "default",
		.help = "Backends of one process that name the same world share its mail." },
	{ .name = "domain",
		.type = MF_SETTING_STRING,
		.value = "example.org",
		.help = "The domain of the users' addresses." },
	{ .name = "users",
		.type = MF_SETTING_LIST,
		.value = "{}",
		.help = "Users with their passwords, each as name:password." },
	{ .name = NULL },
};

/* "anna:secret"; the first colon divides. Lock held. */
static bool
add_user(struct memory_world *w, const char *row)
{
	const char *colon = strchr(row, ':');
	char *name;

	if (colon == NULL || colon == row)
		return false;
	name = memory_strdup(row);
	name[colon - row] = '\0';
	memory_user_set(w, name, colon + 1);
	free(name);
	return true;
}

static bool
configure(struct memory_world *w, const struct mf_conf *conf)
{
	bool good = true;

	memory_lock(w);
	free(w->domain);
	w->domain = memory_strdup(mf_conf_string(conf, "domain"));
	for (const char *const *row = mf_conf_list(conf, "users"); *row != NULL; row++)
		good = add_user(w, *row) && good;
	memory_unlock(w);
	return good;
}

struct mf_backend *
memory_open(const char *world)
{
	struct mf_backend *b = memory_alloc(sizeof(*b));

	b->world = memory_hold(world);
	return b;
}

static void
backend_close(struct mf_backend *b)
{
	memory_release(b->world);
	free(b);
}

static enum mf_status
backend_open(const struct mf_conf *conf, struct mf_backend **out, struct mf_error *err)
{
	struct mf_backend *b =
		memory_open(conf == NULL ? "default" : mf_conf_string(conf, "world"));

	if (conf != NULL && !configure(b->world, conf)) {
		backend_close(b);
		return mf_fail(err, MF_INVALID, "memory: users: a row is not name:password");
	}
	*out = b;
	return MF_OK;
}

/* Lock held. */
static struct memory_user *
authenticate(struct memory_world *w, const struct mf_login *who)
{
	struct memory_user *u = memory_user_find(w, who->user);
	const struct memory_user *m = who->master == NULL ? u : memory_user_find(w, who->master);
	bool right;

	if (u == NULL || m == NULL)
		return NULL;
	if (who->token != NULL)
		right = m->token != NULL && strcmp(m->token, who->token) == 0;
	else
		right = who->password != NULL && strcmp(m->password, who->password) == 0;
	return right ? u : NULL;
}

static struct mf_session *
session_new(struct memory_world *w, const struct mf_login *who)
{
	struct mf_session *s = NULL;
	struct memory_user *u;

	memory_lock(w);
	u = authenticate(w, who);
	if (u != NULL) {
		s = memory_alloc(sizeof(*s));
		s->world = w;
		s->user = u;
		s->generation = w->generation;
		w->sessions++;
	}
	memory_unlock(w);
	return s;
}

static void
backend_logout(struct mf_session *s)
{
	memory_lock(s->world);
	s->world->sessions--;
	memory_unlock(s->world);
	free(s);
}

static enum mf_status
backend_login(struct mf_backend *b, const struct mf_login *who, struct mf_session **out,
	struct mf_error *err)
{
	struct memory_fault fault;
	enum mf_status st = memory_begin_login(b->world, &fault, err);
	struct mf_session *s;

	if (st != MF_OK)
		return st;
	s = session_new(b->world, who);
	if (s == NULL)
		return mf_fail(err, MF_AUTH, "memory: wrong credentials");
	st = memory_end(s, &fault, MF_OK, err);
	if (st != MF_OK) {
		backend_logout(s);
		return st;
	}
	*out = s;
	return MF_OK;
}

static void
backend_describe(struct mf_session *s, struct mf_buf *out)
{
	static const char *const words[] = { "move-ids", "put-ids", "identities", "modseq",
		"vanished", "special-use", "previews", "eight-bit", "as-user" };
	unsigned c;

	memory_lock(s->world);
	c = s->world->capabilities;
	memory_unlock(s->world);
	mf_buf_add_str(out, "a mail server in memory:");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if ((c & 1U << i) != 0)
			mf_buf_printf(out, " %s", words[i]);
	mf_buf_add_str(out, "\n");
}

const struct mf_backend_api mf_backend_memory = {
	.abi = MF_BACKEND_ABI,
	.size = sizeof(mf_backend_memory),
	.name = "memory",
	.help = "Mail in memory, gone with the process: for tests.",
	.settings = settings,
	.open = backend_open,
	.close = backend_close,
	.login = backend_login,
	.logout = backend_logout,
	.usable = memory_is_usable,
	.describe = backend_describe,
	.store = &store,
	.submit = &submit,
	.directory = &directory,
	.oof = &oof,
};
