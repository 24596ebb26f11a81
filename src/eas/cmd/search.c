/*
 * Search (MS-ASCMD 2.2.1.16): mail, people, documents. Knows the elements of queries; the search itself
 * is mailsearch.h's and peoplesearch.h's. There are no document libraries.
 *
 * Criteria stand in one And or Or, or in an Or inside that And; anything else is too complex (MS-ASCMD
 * 2.2.3.10, 2.2.3.80.2).
 */
#include "eas/commands.h"

#include <string.h>

#include "base/str.h"
#include "eas/cmd/mailsearch.h"
#include "eas/cmd/peoplesearch.h"
#include "eas/map/document.h"
#include "eas/map/ids.h"
#include "eas/map/phrase.h"
#include "eas/store.h"
#include "mailferry/log.h"
#include "mime/header.h"

/* MS-ASCMD 2.2.3.177.13, of a Store. */
enum {
	STORE_INVALID = 2,
	STORE_BAD_LINK = 4,
	STORE_NOT_FOUND = 6,
	STORE_TOO_COMPLEX = 8,
	STORE_TIMED_OUT = 10,
	STORE_PAST_END = 12,
};

enum { PHRASES_MAX = 8, FOLDERS_MAX = 1000, DAY = 86400 };

struct searching {
	struct eas_request *r;
	const struct wbxml_node *query, *options; /* options: NULL without */
	struct mailsearch m;
	struct mf_query phrases[PHRASES_MAX];
	size_t n_phrases;
	struct mf_query all; /* of the phrases */
	struct conversation_id conversation;
	uint32_t *folders;
	bool mail, other; /* Class: of mail, of something else */
	uint32_t first, last;
	struct mailsearch_teller teller;
};

/* ---- The query: each criterion gives a status of the Store ---- */

typedef unsigned criterion_fn(struct searching *s, const struct wbxml_node *n);

static unsigned
take_phrase(struct searching *s, const struct wbxml_node *n)
{
	const struct mf_query *q;
	if (s->n_phrases == PHRASES_MAX)
		return STORE_TOO_COMPLEX;
	enum mf_status st = phrase_parse(s->r->arena, wbxml_value(n), &q);
	if (st == MF_OK)
		s->phrases[s->n_phrases++] = *q;
	return eas_status_at(EAS_AT_SEARCH_STORE, st);
}

static unsigned
take_class(struct searching *s, const struct wbxml_node *n)
{
	static const char *const others[] = { "Calendar", "Contacts", "Tasks", "Notes", "SMS" };
	const char *class = wbxml_value(n);
	bool known = strcmp(class, "Email") == 0;
	s->mail = s->mail || known;
	for (size_t i = 0; !known && i < sizeof(others) / sizeof(*others); i++)
		known = s->other = strcmp(class, others[i]) == 0;
	return known ? EAS_OK : STORE_INVALID;
}

static unsigned
take_folder(struct searching *s, const struct wbxml_node *n)
{
	uint32_t number = 0;
	const char *text = wbxml_value(n);
	if (s->m.n_folders == FOLDERS_MAX)
		return STORE_TOO_COMPLEX;
	if (strcmp(text, "0") != 0 && !state_folder_parse(text, &number))
		return eas_status_at(EAS_AT_SEARCH_STORE, MF_RESYNC);
	s->folders[s->m.n_folders++] = number;
	return EAS_OK;
}

static unsigned
take_conversation(struct searching *s, const struct wbxml_node *n)
{
	if (s->m.conversation != NULL || !conversation_id_read(wbxml_data(n), &s->conversation))
		return STORE_INVALID;
	s->m.conversation = &s->conversation;
	return EAS_OK;
}

/* DateReceived must stand before Value. */
static bool
read_bound(const struct wbxml_node *n, int64_t *out)
{
	const struct wbxml_node *date = wbxml_child(n, Email_DateReceived);
	const struct wbxml_node *value = wbxml_child(n, Search_Value);
	if (date == NULL || value == NULL || n->children != date)
		return false;
	return mime_date_parse(wbxml_data(value), out);
}

static unsigned
take_after(struct searching *s, const struct wbxml_node *n)
{
	int64_t when;
	if (!read_bound(n, &when))
		return STORE_INVALID;
	s->m.after = s->m.has_after && s->m.after > when ? s->m.after : when;
	s->m.has_after = true;
	return EAS_OK;
}

static unsigned
take_before(struct searching *s, const struct wbxml_node *n)
{
	int64_t when;
	if (!read_bound(n, &when))
		return STORE_INVALID;
	s->m.before = s->m.has_before && s->m.before < when ? s->m.before : when;
	s->m.has_before = true;
	return EAS_OK;
}

/* ---- Or: strings and dates, of which one must be so ---- */

static unsigned
take_bound(struct searching *s, const struct wbxml_node *n, struct mf_query *out)
{
	int64_t when;
	(void)s;
	if (!read_bound(n, &when))
		return STORE_INVALID;
	if (n->tag == Search_GreaterThan)
		*out = (struct mf_query){ .kind = MF_QUERY_SINCE, .date = when };
	else
		*out = (struct mf_query){ .kind = MF_QUERY_BEFORE, .date = when + DAY };
	return EAS_OK;
}

static unsigned
take_alternative(struct searching *s, const struct wbxml_node *n, struct mf_query *out)
{
	const struct mf_query *q;
	if (n->tag == Search_GreaterThan || n->tag == Search_LessThan)
		return take_bound(s, n, out);
	if (n->tag != Search_FreeText)
		return n->tag == Search_And || n->tag == Search_Or ? STORE_TOO_COMPLEX
								   : STORE_INVALID;
	enum mf_status st = phrase_parse(s->r->arena, wbxml_value(n), &q);
	if (st == MF_OK)
		*out = *q;
	return eas_status_at(EAS_AT_SEARCH_STORE, st);
}

/* Classes and folders in it are what they are in And: where to search. */
static unsigned
take_or(struct searching *s, const struct wbxml_node * or)
{
	struct mf_query *list = mf_new_array(s->r->arena, struct mf_query, PHRASES_MAX);
	unsigned status = or->children == NULL ? STORE_INVALID : EAS_OK;
	size_t n = 0;
	for (const struct wbxml_node *c = or->children; c != NULL && status == EAS_OK;
		c = c->next) {
		if (c->tag == AirSync_Class) {
			status = take_class(s, c);
		} else if (c->tag == AirSync_CollectionId) {
			status = take_folder(s, c);
		} else if (n == PHRASES_MAX || s->n_phrases == PHRASES_MAX) {
			status = STORE_TOO_COMPLEX;
		} else {
			status = take_alternative(s, c, &list[n]);
			n += status == EAS_OK;
		}
	}
	if (status == EAS_OK && n > 0)
		s->phrases[s->n_phrases++] =
			(struct mf_query){ .kind = MF_QUERY_OR, .children = list, .n_children = n };
	return status;
}

static unsigned
too_complex(struct searching *s, const struct wbxml_node *n)
{
	(void)s, (void)n;
	return STORE_TOO_COMPLEX;
}

static const struct {
	uint16_t tag;
	criterion_fn *fn;
} criteria[] = {
	{ Search_FreeText, take_phrase },
	{ AirSync_Class, take_class },
	{ AirSync_CollectionId, take_folder },
	{ Search_ConversationId, take_conversation },
	{ Search_GreaterThan, take_after },
	{ Search_LessThan, take_before },
	{ Search_And, too_complex },
	{ Search_Or, take_or },
};

static unsigned
read_criterion(struct searching *s, const struct wbxml_node *n)
{
	for (size_t i = 0; i < sizeof(criteria) / sizeof(*criteria); i++)
		if (criteria[i].tag == n->tag)
			return criteria[i].fn(s, n);
	return STORE_INVALID;
}

static unsigned
read_query(struct searching *s)
{
	const struct wbxml_node *and = s->query->children;
	unsigned status = EAS_OK;
	if (and == NULL)
		return STORE_INVALID;
	if ((and->tag != Search_And && and->tag != Search_Or) || and->next != NULL)
		return STORE_TOO_COMPLEX;
	if (and->children == NULL)
		return STORE_INVALID;
	s->folders = mf_new_array(s->r->arena, uint32_t, FOLDERS_MAX);
	if (and->tag == Search_Or)
		status = take_or(s, and);
	for (const struct wbxml_node *n = and->children;
			and->tag == Search_And && n != NULL && status == EAS_OK; n = n->next)
		status = read_criterion(s, n);
	s->m.folders = s->folders;
	s->m.nothing = s->other && !s->mail;
	s->all = (struct mf_query){
		.kind = MF_QUERY_AND, .children = s->phrases, .n_children = s->n_phrases
	};
	s->m.query = s->n_phrases == 0 ? NULL : &s->all;
	return status;
}

/* ---- The rest of the request ---- */

/* What an unchanged search has too: the query and where it is deep. */
static void
make_digest(struct searching *s)
{
	struct mf_buf buf;
	struct wbxml_writer w;
	mf_buf_init(&buf, 0);
	wbxml_begin(&w, &buf);
	wbxml_copy(&w, s->query);
	mf_buf_add_byte(&buf, s->m.deep);
	digest_sha256(buf.data, buf.len, s->m.digest);
	mf_buf_deinit(&buf);
}

static unsigned
read_request(struct searching *s)
{
	unsigned status = read_query(s);
	if (status != EAS_OK)
		return status;
	if (!mailsearch_range(wbxml_child_value(s->options, Search_Range), &s->first, &s->last) ||
		!body_options_parse(s->options, &s->teller.body))
		return STORE_INVALID;
	if (body_part_refused(&s->teller.body, s->r->version))
		return EAS_BODY_PART_TYPE;
	s->m.last = mailsearch_page_end(s->first, s->last);
	s->m.deep = wbxml_child(s->options, Search_DeepTraversal) != NULL;
	s->m.remembered = s->first > 0 && wbxml_child(s->options, Search_RebuildResults) == NULL;
	make_digest(s);
	return EAS_OK;
}

/* ---- Out ---- */

static void
open_store(struct eas_request *r, unsigned status)
{
	eas_reply_begin(r, Search_Search);
	eas_reply_status(r, EAS_OK);
	r->status = status;
	wbxml_open(&r->writer, Search_Response);
	wbxml_open(&r->writer, Search_Store);
	wbxml_number(&r->writer, Search_Status, status);
}

static enum eas_verdict
close_store(struct eas_request *r)
{
	wbxml_close(&r->writer);
	wbxml_close(&r->writer);
	return eas_reply_end(r);
}

static enum eas_verdict
answer_status(struct eas_request *r, unsigned status)
{
	open_store(r, status);
	return close_store(r);
}

/* Nothing was found: an empty Result says so (MS-ASCMD 2.2.3.155.3). */
static enum eas_verdict
answer_nothing(struct eas_request *r, unsigned status)
{
	open_store(r, status);
	wbxml_empty(&r->writer, Search_Result);
	return close_store(r);
}

static void
write_result(struct eas_request *r, struct wbxml_writer *w, struct email_view *v,
	const struct mailsearch_hit *hit, const struct mf_item *item)
{
	(void)r;
	wbxml_open(w, Search_Result);
	wbxml_element(w, AirSync_Class, "Email");
	wbxml_element(w, Search_LongId, ids_file_print(v->scratch, hit->folder, item, "", 0));
	wbxml_element(w, AirSync_CollectionId, state_folder_print(v->scratch, hit->folder));
	wbxml_open(w, Search_Properties);
	email_write(w, v, item);
	wbxml_close(w);
	wbxml_close(w);
}

static enum eas_verdict
answer_hits(struct searching *s, const struct state_folders *folders,
	const struct mailsearch_hits *hits)
{
	struct eas_request *r = s->r;
	struct mf_error err = { 0 };
	size_t last = s->m.last, told;
	unsigned status = hits->partial ? STORE_TIMED_OUT : EAS_OK;
	eas_note(r, "found=%llu partial=%d searched=%d", (unsigned long long)hits->total,
		hits->partial, !hits->remembered);
	if (hits->n == 0)
		return answer_nothing(r, status);
	if (s->first >= hits->n)
		return answer_status(r, STORE_PAST_END);
	if (last >= hits->n)
		last = hits->n - 1;
	open_store(r, status);
	enum mf_status st =
		mailsearch_tell(r, folders, hits, s->first, &last, &s->teller, &told, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	if (told == 0)
		wbxml_empty(&r->writer, Search_Result);
	wbxml_element(&r->writer, Search_Range, mf_printf(r->arena, "%u-%zu", s->first, last));
	wbxml_number(&r->writer, Search_Total, (int64_t)hits->total);
	r->items = told;
	eas_note(r, "items=%zu", told);
	return close_store(r);
}

/* ---- The stores ---- */

static enum eas_verdict
search_mailbox(
	struct eas_request *r, const struct wbxml_node *query, const struct wbxml_node *options)
{
	struct searching s = { .r = r, .query = query, .options = options };
	struct state_folders folders;
	struct mailsearch_hits hits;
	struct mf_error err = { 0 };
	s.teller.write = write_result;
	unsigned status = read_request(&s);
	if (status != EAS_OK)
		return answer_status(r, status);
	enum mf_status st =
		state_folders_load(r->server->state, r->user_number, r->arena, &folders, &err);
	if (st == MF_OK)
		st = eas_store_need(r, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	st = mailsearch_run(r, &folders, &s.m, &hits, &err);
	if (st == MF_GONE && s.m.remembered) {
		s.m.remembered = false;
		st = mailsearch_run(r, &folders, &s.m, &hits, &err);
	}
	if (st == MF_TEMPORARY || st == MF_AUTH || st == MF_BROKEN)
		return eas_fail(r, st, &err);
	if (st == MF_UNSUPPORTED)
		return answer_status(r, STORE_TOO_COMPLEX);
	if (st != MF_OK)
		return answer_status(r, eas_status_at(EAS_AT_SEARCH_STORE, st));
	return answer_hits(&s, &folders, &hits);
}

/* ---- People ---- */

static enum eas_verdict
answer_people(struct peoplesearch *s, struct eas_request *r)
{
	struct wbxml_writer *w = &r->writer;
	if (s->total == 0)
		return answer_nothing(r, EAS_OK);
	if (s->n == 0)
		return answer_status(r, STORE_PAST_END);
	open_store(r, EAS_OK);
	for (size_t i = 0; i < s->n; i++) {
		wbxml_open(w, Search_Result);
		wbxml_open(w, Search_Properties);
		person_write(w, &s->list[i], &s->pictures);
		wbxml_close(w);
		wbxml_close(w);
	}
	wbxml_element(
		w, Search_Range, mf_printf(r->arena, "%u-%zu", s->first, s->first + s->n - 1));
	wbxml_number(w, Search_Total, (int64_t)s->total);
	r->items = s->n;
	return close_store(r);
}

/* The mail server has been asked for nothing yet: what fails here is told in the Store's Status. */
static enum eas_verdict
search_people(
	struct eas_request *r, const struct wbxml_node *query, const struct wbxml_node *options)
{
	struct peoplesearch s = { .text = wbxml_value(query) };
	struct mf_error err = { 0 };
	const struct wbxml_node *picture = wbxml_child(options, Search_Picture);
	if (query->children != NULL ||
		!mailsearch_range(wbxml_child_value(options, Search_Range), &s.first, &s.last) ||
		!person_pictures_read(r->version < EAS_14_1 ? NULL : picture, Search_MaxSize,
			Search_MaxPictures, &s.pictures))
		return answer_status(r, STORE_INVALID);
	s.last = mailsearch_page_end(s.first, s.last);
	enum mf_status st = peoplesearch_run(r, &s, &err);
	if (st == MF_OK)
		return answer_people(&s, r);
	mf_log_warning(
		"search=people status=%s error=%s", mf_status_name(st), mf_log_value(err.text));
	return answer_status(r, eas_status_at(EAS_AT_SEARCH_STORE, st));
}

/* Documents: no library is there to hold what the link names. */
static enum eas_verdict
search_documents(struct eas_request *r, const struct wbxml_node *query)
{
	const struct wbxml_node *equal = wbxml_child(query, Search_EqualTo);
	const char *link = wbxml_child_value(equal, Search_Value);
	if (equal == NULL || wbxml_child(equal, DocumentLibrary_LinkId) == NULL || link == NULL)
		return answer_status(r, STORE_INVALID);
	if (!document_link_ok(link))
		return answer_status(r, STORE_BAD_LINK);
	return answer_status(r, STORE_NOT_FOUND);
}

static const struct {
	const char *name;
	enum eas_verdict (*search)(struct eas_request *r, const struct wbxml_node *query,
		const struct wbxml_node *options);
} stores[] = {
	{ "Mailbox", search_mailbox },
	{ "GAL", search_people },
};

enum eas_verdict
cmd_search(struct eas_request *r)
{
	const struct wbxml_node *store = wbxml_child(r->root, Search_Store);
	const char *name = wbxml_child_value(store, Search_Name);
	for (size_t i = 0; i < sizeof(stores) / sizeof(*stores); i++)
		if (str_ieq(stores[i].name, name))
			return stores[i].search(r, wbxml_child(store, Search_Query),
				wbxml_child(store, Search_Options));
	if (document_store_is(name))
		return search_documents(r, wbxml_child(store, Search_Query));
	return answer_status(r, STORE_INVALID);
}
