/*
 * Removing for good: some items, or all of a folder.
 *
 * Without UIDPLUS a server can only expunge everything that is marked \Deleted. What others have
 * marked is unmarked for that moment, and marked again: it is not ours to remove.
 */
#include "command.h"
#include "select.h"
#include "store.h"
#include "storeflags.h"
#include "uidsearch.h"
#include "values.h"

static enum mf_status
expunge_by_id(struct mf_session *s, const struct mf_idset *ids, struct mf_error *err)
{
	struct imap_pieces pieces = { .set = ids, .most = IMAP_STORE_AT_ONCE };
	enum mf_status status = MF_OK;

	while (status == MF_OK && imap_has_piece(&pieces)) {
		imap_begin(s);
		imap_put(s, "UID EXPUNGE ");
		imap_put_piece(s, &pieces);
		status = imap_run(s, imap_end(s), NULL, NULL, NULL, err);
	}
	return status;
}

static enum mf_status
expunge_marked(struct mf_session *s, const struct mf_idset *ids, struct mf_error *err)
{
	struct mf_idset others;
	enum mf_status status;

	mf_idset_init(&others);
	status = imap_uid_search(s, "DELETED", &others, err);
	mf_idset_subtract(&others, ids);
	if (status == MF_OK)
		status = imap_store_flags(s, &others, '-', "\\Deleted", err);
	if (status == MF_OK)
		status = imap_run(s, imap_command(s, "EXPUNGE"), NULL, NULL, NULL, err);
	if (status == MF_OK)
		status = imap_store_flags(s, &others, '+', "\\Deleted", err);
	mf_idset_deinit(&others);
	return status;
}

enum mf_status
imap_expunge(struct mf_session *s, const struct mf_idset *ids, struct mf_error *err)
{
	struct mf_idset real;
	enum mf_status status;

	mf_idset_init(&real);
	status = imap_uid_portion(s, ids, &real, err);
	if (status == MF_OK)
		status = imap_store_flags(s, &real, '+', "\\Deleted", err);
	if (status == MF_OK && real.n > 0)
		status = imap_can(s, IMAP_CAP_UIDPLUS) ? expunge_by_id(s, &real, err)
						       : expunge_marked(s, &real, err);
	mf_idset_deinit(&real);
	return status;
}

static enum mf_status
writable(struct mf_session *s, struct mf_error *err)
{
	if (s->sel.read_only || !imap_may_store(s, "\\Deleted"))
		return imap_fail(s, err, MF_REFUSED, "%s is read-only", s->sel.folder);
	return MF_OK;
}

enum mf_status
imap_remove(
	struct mf_session *s, const char *folder, const struct mf_idset *ids, struct mf_error *err)
{
	enum mf_status status = imap_select(s, folder, mf_idset_max(ids), err);

	if (status == MF_OK)
		status = writable(s, err);
	return status == MF_OK ? imap_expunge(s, ids, err) : status;
}

/* What is there now; what arrives meanwhile has not been seen by who wanted this. */
enum mf_status
imap_empty(struct mf_session *s, const char *folder, struct mf_error *err)
{
	struct mf_idset all;
	enum mf_status status = imap_select(s, folder, UINT64_MAX, err);

	if (status != MF_OK || s->sel.exists == 0)
		return status;
	mf_idset_init(&all);
	status = writable(s, err);
	if (status == MF_OK)
		status = imap_uid_search(s, "ALL", &all, err);
	if (status == MF_OK)
		status = imap_expunge(s, &all, err);
	mf_idset_deinit(&all);
	return status;
}
