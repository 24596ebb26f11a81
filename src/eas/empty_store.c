/* Knows the contract of stores; must not know who asks. */
#include "eas/empty_store.h"

#include "eas/map/folder.h"
#include "eas/recent_store.h"

static enum mf_status
changes(struct mf_session *s, const struct mf_changes *c, struct mf_buf *next, struct mf_error *err)
{
	(void)s, (void)c, (void)err;
	mf_buf_clear(next);
	mf_buf_add_str(next, "empty");
	return MF_OK;
}

static enum mf_status
poll(struct mf_session *s, struct mf_poll *folders, size_t n, struct mf_error *err)
{
	(void)s, (void)err;
	for (size_t i = 0; i < n; i++)
		folders[i].changed = false;
	return MF_OK;
}

static enum mf_status
fetch(struct mf_session *s, const struct mf_fetch *f, struct mf_error *err)
{
	(void)s, (void)f, (void)err;
	return MF_OK;
}

static enum mf_status
put(struct mf_session *s, const struct mf_put *p, uint64_t *id, struct mf_error *err)
{
	(void)s, (void)id;
	return mf_fail(err, MF_REFUSED, "%s cannot hold items", p->folder);
}

static enum mf_status
flag(struct mf_session *s, const struct mf_flag_change *c, struct mf_idset *found,
	struct mf_error *err)
{
	(void)s, (void)c, (void)err;
	if (found != NULL)
		mf_idset_clear(found);
	return MF_OK;
}

static enum mf_status
move(struct mf_session *s, const char *from, const char *to, struct mf_move *moves, size_t n,
	struct mf_error *err)
{
	(void)s, (void)from, (void)to, (void)err;
	for (size_t i = 0; i < n; i++)
		moves[i].status = MF_GONE;
	return MF_OK;
}

static enum mf_status
remove_items(
	struct mf_session *s, const char *folder, const struct mf_idset *ids, struct mf_error *err)
{
	(void)s, (void)folder, (void)ids, (void)err;
	return MF_OK;
}

static enum mf_status
empty(struct mf_session *s, const char *folder, struct mf_error *err)
{
	(void)s, (void)folder, (void)err;
	return MF_OK;
}

static enum mf_status
search(struct mf_session *s, const char *folder, const struct mf_query *q, int timeout_ms,
	struct mf_idset *found, struct mf_error *err)
{
	(void)s, (void)folder, (void)q, (void)timeout_ms, (void)err;
	mf_idset_clear(found);
	return MF_OK;
}

const struct mf_store_api eas_empty_store = {
	.size = sizeof(struct mf_store_api),
	.changes = changes,
	.poll = poll,
	.fetch = fetch,
	.put = put,
	.flag = flag,
	.move = move,
	.remove = remove_items,
	.empty = empty,
	.search = search,
};

const struct mf_store_api *
eas_store_of(const struct eas_request *r, const struct state_folder *f)
{
	if (folder_is_recipients(f))
		return &recent_store_api;
	return folder_holds_items(f) ? r->store_api : &eas_empty_store;
}

struct mf_session *
eas_session_of(struct eas_request *r, const struct state_folder *f)
{
	return folder_is_recipients(f) ? recent_session(r) : r->store;
}
