/* STATUS, and the poll that is made of it. */
#include "status.h"

#include "select.h"
#include "store.h"

/* SELECT costs with the messages in a folder; beyond so many a selected one stays selected. */
enum { AT_ONCE = 32, SELECT_DEAR = 20000 };

unsigned
imap_status_write(struct mf_session *s, const char *folder)
{
	imap_begin(s);
	imap_put(s, "STATUS ");
	imap_put_string(s, folder);
	imap_put(s, " (MESSAGES UIDNEXT UIDVALIDITY");
	imap_put(s, imap_can(s, IMAP_CAP_CONDSTORE) ? " HIGHESTMODSEQ)" : ")");
	return imap_end(s);
}

static void
take_number(struct imap_cursor *now, struct imap_lex *x)
{
	struct mf_bytes name = imap_lex_atom(x);
	uint64_t n;

	imap_lex_take(x, ' ');
	n = imap_lex_number(x);
	imap_lex_take(x, ' ');
	if (imap_bytes_is(name, "HIGHESTMODSEQ"))
		now->modseq = n;
	else if (imap_bytes_is(name, "UIDNEXT"))
		now->uidnext = (uint32_t)n;
	else if (imap_bytes_is(name, "UIDVALIDITY"))
		now->uidvalidity = (uint32_t)n;
	else if (imap_bytes_is(name, "MESSAGES"))
		now->count = (uint32_t)n;
}

static struct imap_status *
find_row(const struct imap_status_rows *awaited, struct mf_bytes name)
{
	for (size_t i = 0; i < awaited->n; i++)
		if (!awaited->rows[i].told && imap_bytes_is(name, awaited->rows[i].folder))
			return &awaited->rows[i];
	return NULL;
}

bool
imap_status_parse(struct imap_lex *x, struct mf_bytes *name, struct imap_cursor *now)
{
	*now = (struct imap_cursor){ 0 };
	*name = imap_lex_string(x);
	imap_lex_take(x, ' ');
	imap_lex_want(x, '(');
	while (!x->bad && !imap_lex_take(x, ')'))
		take_number(now, x);
	return !x->bad && name->data != NULL;
}

enum mf_status
imap_status_take(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	struct mf_bytes name;
	struct imap_cursor now;
	struct imap_status *st;

	(void)s;
	if (cut || !imap_lex_word(x, "STATUS") || !imap_status_parse(x, &name, &now))
		return MF_OK;
	st = find_row(ctx, name);
	if (st != NULL) {
		st->now = now;
		st->told = true;
	}
	return MF_OK;
}

unsigned
imap_status_fresh(struct mf_session *s, const char *folder, struct mf_error *err)
{
	if (imap_is_selected(s, folder) && s->sel.exists > SELECT_DEAR)
		imap_run(s, imap_command(s, "NOOP"), NULL, NULL, NULL, err);
	else
		imap_unselect_write(s);
	return imap_status_write(s, folder);
}

/* ---- Polling ---- */

static bool
changed(const struct imap_status *st, const struct imap_cursor *then)
{
	/* Without mod-sequences flags change unseen: the contract wants a yes then. */
	return !st->told || then->modseq == 0 || !imap_cursor_same(&st->now, then);
}

static enum mf_status
poll_some(struct mf_session *s, struct mf_poll *folders, size_t n, struct mf_error *err)
{
	struct imap_status rows[AT_ONCE];
	struct imap_status_rows awaited = { .rows = rows, .n = n };
	unsigned tags[AT_ONCE];
	enum mf_status status;

	imap_unselect_write(s);
	for (size_t i = 0; i < n; i++) {
		rows[i] = (struct imap_status){ .folder = folders[i].folder };
		tags[i] = imap_sendable(folders[i].folder) ? imap_status_write(s, folders[i].folder)
							   : 0;
	}
	status = imap_flush(s, err);
	for (size_t i = 0; i < n && status == MF_OK; i++) {
		struct imap_result r;

		if (tags[i] != 0)
			status = imap_wait(s, tags[i], imap_status_take, &awaited, &r, err);
	}
	for (size_t i = 0; i < n && status == MF_OK; i++) {
		struct imap_cursor then;

		folders[i].changed =
			!imap_cursor_read(&then, folders[i].cursor) || changed(&rows[i], &then);
	}
	return status;
}

enum mf_status
imap_poll(struct mf_session *s, struct mf_poll *folders, size_t n, struct mf_error *err)
{
	enum mf_status status = MF_OK;

	for (size_t at = 0; at < n && status == MF_OK; at += AT_ONCE)
		status = poll_some(s, folders + at, n - at < AT_ONCE ? n - at : AT_ONCE, err);
	return status;
}
