/* Queries as UID SEARCH. */
#include <string.h>

#include "command.h"
#include "names.h"
#include "select.h"
#include "store.h"
#include "uidsearch.h"
#include "values.h"

enum { DEEPEST = 20, TEXT_MOST = 1000 };

static const struct {
	enum mf_query_kind kind;
	const char *key;
} text_keys[] = {
	{ MF_QUERY_TEXT, "TEXT " },
	{ MF_QUERY_BODY, "BODY " },
	{ MF_QUERY_SUBJECT, "SUBJECT " },
	{ MF_QUERY_FROM, "FROM " },
	{ MF_QUERY_TO, "TO " },
	{ MF_QUERY_CC, "CC " },
	{ MF_QUERY_BCC, "BCC " },
};

static const struct {
	uint32_t flag;
	const char *set, *unset;
} flag_keys[] = {
	{ MF_FLAG_SEEN, "SEEN", "UNSEEN" },
	{ MF_FLAG_FLAGGED, "FLAGGED", "UNFLAGGED" },
	{ MF_FLAG_ANSWERED, "ANSWERED", "UNANSWERED" },
	{ MF_FLAG_FORWARDED, "KEYWORD $Forwarded", "UNKEYWORD $Forwarded" },
	{ MF_FLAG_DRAFT, "DRAFT", "UNDRAFT" },
	{ MF_FLAG_DELETED, "DELETED", "UNDELETED" },
};

/* ---- What may be sent ---- */

static bool
is_field(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == ':')
			return false;
	return name[0] != '\0';
}

static bool
fits(const char *text)
{
	return text == NULL || (strlen(text) <= TEXT_MOST && strpbrk(text, "\r\n") == NULL &&
				       imap_utf8_valid(text));
}

/* The whole tree can be sent; *high: some text is not ASCII. */
static bool
sendable(const struct mf_query *q, unsigned depth, bool *high)
{
	bool has_text = q->kind >= MF_QUERY_TEXT && q->kind <= MF_QUERY_BCC;

	if (depth > DEEPEST || !fits(q->text) || (has_text && q->text == NULL))
		return false;
	if (q->kind == MF_QUERY_HEADER && (q->name == NULL || !fits(q->name) || !is_field(q->name)))
		return false;
	if (q->kind == MF_QUERY_NOT && q->n_children != 1)
		return false;
	for (const char *p = q->text; p != NULL && *p != '\0'; p++)
		*high = *high || (*p & 0x80) != 0;
	for (size_t i = 0; i < q->n_children; i++)
		if (!sendable(&q->children[i], depth + 1, high))
			return false;
	return true;
}

/* ---- Writing ---- */

static void write_query(struct mf_session *s, const struct mf_query *q);

static void
write_and(struct mf_session *s, const struct mf_query *q)
{
	if (q->n_children == 0)
		imap_put(s, "ALL");
	for (size_t i = 0; i < q->n_children; i++) {
		imap_put(s, i == 0 ? "(" : " ");
		write_query(s, &q->children[i]);
	}
	if (q->n_children > 0)
		imap_put(s, ")");
}

/* OR takes two: a or (b or (c ...)). */
static void
write_or(struct mf_session *s, const struct mf_query *q)
{
	if (q->n_children == 0)
		imap_put(s, "NOT ALL");
	for (size_t i = 0; i < q->n_children; i++) {
		if (i + 1 < q->n_children)
			imap_put(s, "OR ");
		write_query(s, &q->children[i]);
		if (i + 1 < q->n_children)
			imap_put(s, " ");
	}
}

static void
write_flag(struct mf_session *s, const struct mf_query *q)
{
	for (size_t i = 0; i < sizeof(flag_keys) / sizeof(flag_keys[0]); i++)
		if (flag_keys[i].flag == q->flag)
			imap_put(
				s, q->kind == MF_QUERY_SET ? flag_keys[i].set : flag_keys[i].unset);
}

/* Gmail's own search finds words that its TEXT does not (attachments, other forms): a phrase in quotes,
 * in which nothing else means anything. */
static void
write_gmail(struct mf_session *s, const char *text)
{
	char phrase[TEXT_MOST + 3], *to = phrase;

	*to++ = '"';
	for (; *text != '\0'; text++)
		*to++ = *text == '"' || *text == '\\' ? ' ' : *text;
	*to++ = '"';
	*to = '\0';
	imap_put(s, "X-GM-RAW ");
	imap_put_string(s, phrase);
}

/* Where there is an index it is asked (RFC 6203); else the server reads all mail. A phrase is meant as it stands, and nothing
 * like it. */
static void
write_text(struct mf_session *s, const struct mf_query *q)
{
	bool free_text = (q->kind == MF_QUERY_TEXT || q->kind == MF_QUERY_BODY) &&
			 strchr(q->text, ' ') == NULL;

	if (q->kind == MF_QUERY_TEXT && imap_can(s, IMAP_CAP_GMAIL)) {
		write_gmail(s, q->text);
		return;
	}
	if (free_text && imap_can(s, IMAP_CAP_FUZZY))
		imap_put(s, "FUZZY ");
	for (size_t i = 0; i < sizeof(text_keys) / sizeof(text_keys[0]); i++)
		if (text_keys[i].kind == q->kind)
			imap_put(s, text_keys[i].key);
	imap_put_string(s, q->text);
}

static void
write_query(struct mf_session *s, const struct mf_query *q)
{
	char day[32];

	switch (q->kind) {
	case MF_QUERY_AND:
		write_and(s, q);
		break;
	case MF_QUERY_OR:
		write_or(s, q);
		break;
	case MF_QUERY_NOT:
		imap_put(s, "NOT ");
		write_query(s, &q->children[0]);
		break;
	case MF_QUERY_SINCE:
	case MF_QUERY_BEFORE:
		imap_day_print(q->date, day);
		imap_putf(s, q->kind == MF_QUERY_SINCE ? "SINCE %s" : "BEFORE %s", day);
		break;
	case MF_QUERY_SET:
	case MF_QUERY_UNSET:
		write_flag(s, q);
		break;
	case MF_QUERY_HEADER:
		imap_put(s, "HEADER ");
		imap_put_string(s, q->name);
		imap_put(s, " ");
		imap_put_string(s, q->text == NULL ? "" : q->text);
		break;
	case MF_QUERY_LARGER:
		imap_putf(s, "LARGER %llu",
			(unsigned long long)(q->size > UINT32_MAX ? UINT32_MAX : q->size));
		break;
	default:
		write_text(s, q);
		break;
	}
}

enum mf_status
imap_search(struct mf_session *s, const char *folder, const struct mf_query *q, int timeout_ms,
	struct mf_idset *found, struct mf_error *err)
{
	struct imap_result r;
	bool high = false;
	enum mf_status status = imap_select(s, folder, UINT64_MAX, err);
	unsigned tag;

	mf_idset_clear(found);
	if (status != MF_OK || s->sel.exists == 0)
		return status;
	if (!sendable(q, 0, &high))
		return imap_fail(s, err, MF_INVALID, "a query that cannot be sent");
	imap_uid_search_begin(s);
	if (high)
		imap_put(s, "CHARSET UTF-8 ");
	write_query(s, q);
	tag = imap_end(s);
	status = imap_flush(s, err);
	if (status == MF_OK && timeout_ms > 0)
		net_stream_deadline(&s->stream, timeout_ms);
	if (status == MF_OK)
		status = imap_wait(s, tag, imap_uid_search_take, found, &r, err);
	if (status == MF_OK && r.condition != IMAP_OK)
		status = imap_refused(s, &r, "SEARCH", err);
	return status;
}
