/* SELECT, remembered. Knows nothing of messages. */
#include "select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "store.h"

bool
imap_is_selected(const struct mf_session *s, const char *folder)
{
	return s->sel.folder != NULL && strcmp(s->sel.folder, folder) == 0;
}

bool
imap_sendable(const char *folder)
{
	return folder[0] != '\0' && strpbrk(folder, "\r\n") == NULL &&
	       strlen(folder) <= IMAP_NAME_MOST;
}

static void
forget(struct mf_session *s)
{
	free(s->sel.folder);
	free(s->sel.permanent_flags);
	s->sel = (struct imap_selected){ .folder = NULL };
}

unsigned
imap_select_write(struct mf_session *s, const char *folder)
{
	imap_begin(s);
	imap_put(s, "SELECT ");
	imap_put_string(s, folder);
	if (imap_can(s, IMAP_CAP_CONDSTORE))
		imap_put(s, " (CONDSTORE)");
	forget(s);
	return imap_end(s);
}

void
imap_unselect_write(struct mf_session *s)
{
	if (s->sel.folder == NULL)
		return;
	forget(s);
	/* Without UNSELECT: the failure to examine a folder that cannot exist closes the old one. */
	imap_command(
		s, imap_can(s, IMAP_CAP_UNSELECT) ? "UNSELECT" : "EXAMINE \"no such folder \\\"\"");
}

enum mf_status
imap_missing(
	struct mf_session *s, const char *folder, const struct imap_result *r, struct mf_error *err)
{
	enum mf_status status = imap_refused(s, r, "SELECT", err);

	if (status == MF_GONE || status == MF_TEMPORARY)
		return status;
	/* A plain NO may mean anything, and a folder that is told to be gone is gone from phones. */
	status = imap_exists(s, folder, err);
	if (status == MF_REFUSED)
		return imap_fail(s, err, MF_GONE, "%s holds no items", folder);
	return status == MF_OK ? imap_fail(s, err, MF_TEMPORARY, "SELECT:%s", r->text) : status;
}

enum mf_status
imap_select_wait(struct mf_session *s, unsigned tag, const char *folder, struct mf_error *err)
{
	struct imap_result r;
	enum mf_status status = imap_wait(s, tag, NULL, NULL, &r, err);

	if (status != MF_OK)
		return status;
	if (r.condition != IMAP_OK) {
		forget(s);
		imap_drain(s);
		return imap_missing(s, folder, &r, err);
	}
	s->sel.folder = strdup(folder);
	if (s->sel.folder == NULL)
		abort();
	return MF_OK;
}

enum mf_status
imap_select(struct mf_session *s, const char *folder, uint64_t upto, struct mf_error *err)
{
	unsigned tag;
	enum mf_status status;

	if (!imap_sendable(folder))
		return imap_fail(s, err, MF_GONE, "no such folder");
	if (imap_is_selected(s, folder) && upto < s->sel.uidnext)
		return MF_OK;
	if (imap_is_selected(s, folder))
		return imap_run(s, imap_command(s, "NOOP"), NULL, NULL, NULL, err);
	tag = imap_select_write(s, folder);
	status = imap_flush(s, err);
	return status == MF_OK ? imap_select_wait(s, tag, folder, err) : status;
}

enum mf_status
imap_epoch(struct mf_session *s, const char *folder, uint64_t *out, struct mf_error *err)
{
	enum mf_status status = imap_select(s, folder, 0, err);

	*out = s->sel.uidvalidity == 0 ? 1 : s->sel.uidvalidity; /* RFC 9051 has no 0 */
	return status;
}

bool
imap_may_store(const struct mf_session *s, const char *flag)
{
	char word[256];

	if (s->sel.permanent_flags == NULL)
		return true;
	if (flag[0] != '\\' && s->sel.any_keyword)
		return true;
	snprintf(word, sizeof(word), " %s ", flag);
	return strcasestr(s->sel.permanent_flags, word) != NULL;
}
