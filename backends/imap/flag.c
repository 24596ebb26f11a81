/* STORE: flags and keywords of many items. */
#include <string.h>

#include "command.h"
#include "select.h"
#include "store.h"
#include "storeflags.h"
#include "uidsearch.h"
#include "values.h"

static bool
keywords_valid(const char *const *keywords)
{
	for (; keywords != NULL && *keywords != NULL; keywords++)
		if (!imap_keyword_valid(*keywords))
			return false;
	return true;
}

/* "\Seen $Forwarded Green": what of it the folder can keep. */
static void
print_list(const struct mf_session *s, uint32_t flags, const char *const *keywords, bool add,
	struct mf_buf *out)
{
	imap_flags_print(flags, out);
	for (; keywords != NULL && *keywords != NULL; keywords++)
		if (!add || imap_may_store(s, *keywords))
			mf_buf_printf(out, "%s%s", out->len > 0 ? " " : "", *keywords);
}

enum mf_status
imap_store_flags(struct mf_session *s, const struct mf_idset *ids, char sign, const char *list,
	struct mf_error *err)
{
	struct imap_pieces pieces = { .set = ids, .most = IMAP_STORE_AT_ONCE };
	enum mf_status status = MF_OK;

	while (status == MF_OK && list[0] != '\0' && imap_has_piece(&pieces)) {
		struct imap_result r;

		imap_begin(s);
		imap_put(s, "UID STORE ");
		imap_put_piece(s, &pieces);
		imap_putf(s, " %cFLAGS.SILENT (", sign);
		imap_put(s, list);
		imap_put(s, ")");
		status = imap_run(s, imap_end(s), NULL, NULL, &r, err);
		if (status == MF_OK && r.condition != IMAP_OK && r.code != IMAP_CODE_EXPUNGEISSUED)
			status = imap_refused(s, &r, "STORE", err);
	}
	return status;
}

static enum mf_status
change(struct mf_session *s, const struct mf_flag_change *c, const struct mf_idset *ids,
	struct mf_idset *found, struct mf_error *err)
{
	struct mf_buf add, take;
	bool wanted = c->add != 0 || (c->add_keywords != NULL && *c->add_keywords != NULL);
	enum mf_status status = MF_OK;

	mf_buf_init(&add, 0);
	mf_buf_init(&take, 0);
	print_list(s, c->add, c->add_keywords, true, &add);
	print_list(s, c->remove, c->remove_keywords, false, &take);
	if (wanted && add.len == 0)
		status = imap_fail(s, err, MF_REFUSED, "%s keeps no keywords", c->folder);
	if (status == MF_OK)
		status = imap_store_flags(s, ids, '+', mf_buf_str(&add), err);
	if (status == MF_OK)
		status = imap_store_flags(s, ids, '-', mf_buf_str(&take), err);
	if (status == MF_OK && found != NULL)
		status = imap_uid_present(s, ids, found, err);
	mf_buf_deinit(&add);
	mf_buf_deinit(&take);
	return status;
}

enum mf_status
imap_flag(struct mf_session *s, const struct mf_flag_change *c, struct mf_idset *found,
	struct mf_error *err)
{
	struct mf_idset ids;
	enum mf_status status;

	if (found != NULL)
		mf_idset_clear(found);
	if (!keywords_valid(c->add_keywords) || !keywords_valid(c->remove_keywords))
		return imap_fail(s, err, MF_INVALID, "not a keyword");
	status = imap_select(s, c->folder, mf_idset_max(c->ids), err);
	if (status != MF_OK)
		return status;
	if (s->sel.read_only)
		return imap_fail(s, err, MF_REFUSED, "%s is read-only", c->folder);
	mf_idset_init(&ids);
	status = imap_uid_portion(s, c->ids, &ids, err);
	if (status == MF_OK)
		status = change(s, c, &ids, found, err);
	mf_idset_deinit(&ids);
	return status;
}
