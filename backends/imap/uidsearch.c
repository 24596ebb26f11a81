/* UID SEARCH, with ESEARCH where the server has it. Knows no query. */
#include "uidsearch.h"

#include "storeflags.h"
#include "values.h"

void
imap_uid_search_begin(struct mf_session *s)
{
	imap_begin(s);
	imap_put(s, imap_can(s, IMAP_CAP_ESEARCH) ? "UID SEARCH RETURN (ALL) " : "UID SEARCH ");
}

static void
add_set(struct mf_idset *found, struct mf_bytes text)
{
	struct mf_idset part;

	mf_idset_init(&part);
	if (mf_idset_parse(&part, (const char *)text.data, text.len, SIZE_MAX))
		mf_idset_union(found, &part);
	mf_idset_deinit(&part);
}

/* ESEARCH (TAG "A1") UID ALL 1:5,9 */
static void
take_esearch(struct mf_idset *found, struct imap_lex *x)
{
	while (!x->bad && !imap_lex_end(x)) {
		if (imap_lex_word(x, "ALL"))
			add_set(found, imap_lex_atom(x));
		else
			imap_lex_skip(x);
		imap_lex_take(x, ' ');
	}
}

enum mf_status
imap_uid_search_take(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	struct mf_idset *found = ctx;

	if (cut)
		return imap_fail(s, NULL, MF_TEMPORARY, "too many results");
	if (imap_lex_word(x, "ESEARCH")) {
		take_esearch(found, x);
	} else if (imap_lex_word(x, "SEARCH")) {
		while (!x->bad && x->p < x->end && *x->p >= '0' && *x->p <= '9') {
			uint64_t id = imap_lex_number(x);

			if (id > 0 && id <= UINT32_MAX)
				mf_idset_add(found, id);
			imap_lex_take(x, ' ');
		}
	}
	return MF_OK;
}

enum mf_status
imap_uid_search(
	struct mf_session *s, const char *criteria, struct mf_idset *found, struct mf_error *err)
{
	mf_idset_clear(found);
	imap_uid_search_begin(s);
	imap_put(s, criteria);
	return imap_run(s, imap_end(s), imap_uid_search_take, found, NULL, err);
}

enum mf_status
imap_uid_present(struct mf_session *s, const struct mf_idset *ids, struct mf_idset *found,
	struct mf_error *err)
{
	struct imap_pieces pieces = { .set = ids };
	enum mf_status status = MF_OK;

	mf_idset_clear(found);
	while (status == MF_OK && imap_has_piece(&pieces)) {
		imap_uid_search_begin(s);
		imap_put(s, "UID ");
		imap_put_piece(s, &pieces);
		status = imap_run(s, imap_end(s), imap_uid_search_take, found, NULL, err);
	}
	mf_idset_intersect(found, ids);
	return status;
}

enum mf_status
imap_uid_portion(struct mf_session *s, const struct mf_idset *ids, struct mf_idset *out,
	struct mf_error *err)
{
	if (mf_idset_count(ids) > IMAP_STORE_AT_ONCE)
		return imap_uid_present(s, ids, out, err);
	mf_idset_copy(out, ids);
	return MF_OK;
}
