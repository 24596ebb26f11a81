/*
 * Find (MS-ASCMD 2.2.1.2): lists of mail by a search string, as 16.1 has it; answered for any version.
 * Knows its elements; the search itself is mailsearch.h's and peoplesearch.h's.
 */
#include "eas/commands.h"

#include <string.h>

#include "eas/cmd/mailsearch.h"
#include "eas/cmd/peoplesearch.h"
#include "eas/map/email_found.h"
#include "eas/map/ids.h"
#include "eas/map/phrase.h"
#include "eas/store.h"
#include "mailferry/log.h"

/* MS-ASCMD 2.2.3.177.2: of Find and its Response; the last of the Response alone. */
enum { FIND_INVALID = 2, FIND_FOLDERSYNC = 3, FIND_NOT_FROM_ZERO = 4 };

/* Store of the Response. */
static const char mailbox[] = "Mailbox", people_list[] = "GAL";

struct finding {
	struct eas_request *r;
	const struct wbxml_node *query, *options; /* options: NULL without */
	struct mailsearch m;
	uint32_t folder;
	uint32_t first, last;
};

/* ---- In ---- */

/* SearchId is a phone's name for the search, but not all give each search another. */
static void
make_digest(struct finding *f)
{
	struct mf_buf buf;
	struct wbxml_writer w;
	mf_buf_init(&buf, 0);
	wbxml_begin(&w, &buf);
	wbxml_copy(&w, f->query);
	mf_buf_add_byte(&buf, f->m.deep);
	digest_sha256(buf.data, buf.len, f->m.digest);
	mf_buf_deinit(&buf);
}

static unsigned
read_folder(struct finding *f)
{
	const char *text = wbxml_child_value(f->query, AirSync_CollectionId);
	if (text == NULL || *text == '\0' || strcmp(text, "0") == 0)
		return EAS_OK;
	if (!state_folder_parse(text, &f->folder))
		return FIND_FOLDERSYNC;
	f->m.folders = &f->folder;
	f->m.n_folders = 1;
	return EAS_OK;
}

static unsigned
read_request(struct finding *f)
{
	const char *class = wbxml_child_value(f->query, AirSync_Class);
	const char *text = wbxml_child_value(f->query, Find_FreeText);
	if (phrase_parse(f->r->arena, text, &f->m.query) != MF_OK ||
		!mailsearch_range(wbxml_child_value(f->options, Find_Range), &f->first, &f->last))
		return FIND_INVALID;
	f->m.nothing = class != NULL && *class != '\0' && strcmp(class, "Email") != 0;
	f->m.deep = wbxml_child(f->options, Find_DeepTraversal) != NULL;
	f->m.last = mailsearch_page_end(f->first, f->last);
	f->m.remembered = f->first > 0;
	make_digest(f);
	return read_folder(f);
}

/* ---- Out ---- */

static void
open_response(struct eas_request *r, const char *store, unsigned status)
{
	eas_reply_begin(r, Find_Find);
	eas_reply_status(r, status == FIND_NOT_FROM_ZERO ? EAS_OK : status);
	r->status = status;
	wbxml_open(&r->writer, Find_Response);
	wbxml_element(&r->writer, ItemOperations_Store, store);
	wbxml_number(&r->writer, Find_Status, status);
}

static enum eas_verdict
close_response(struct eas_request *r)
{
	wbxml_close(&r->writer);
	return eas_reply_end(r);
}

static enum eas_verdict
answer_status(struct eas_request *r, const char *store, unsigned status)
{
	open_response(r, store, status);
	if (status == EAS_OK)
		wbxml_number(&r->writer, Find_Total, 0);
	return close_response(r);
}

static void
write_result(struct eas_request *r, struct wbxml_writer *w, struct email_view *v,
	const struct mailsearch_hit *hit, const struct mf_item *item)
{
	(void)r;
	wbxml_open(w, Find_Result);
	wbxml_element(w, AirSync_Class, "Email");
	wbxml_element(w, AirSync_ServerId, ids_item_print(v->scratch, hit->folder, item->id));
	wbxml_element(w, AirSync_CollectionId, state_folder_print(v->scratch, hit->folder));
	wbxml_open(w, Find_Properties);
	email_found_write(w, v, item);
	wbxml_close(w);
	wbxml_close(w);
}

static enum eas_verdict
answer_hits(
	struct finding *f, const struct state_folders *folders, const struct mailsearch_hits *hits)
{
	const struct mailsearch_teller teller = { email_found_options(), write_result };
	struct eas_request *r = f->r;
	struct mf_error err = { 0 };
	size_t last = f->m.last, told = 0;
	eas_note(r, "found=%llu partial=%d searched=%d", (unsigned long long)hits->total,
		hits->partial, !hits->remembered);
	if (f->first >= hits->n)
		return answer_status(r, mailbox, EAS_OK);
	if (last >= hits->n)
		last = hits->n - 1;
	open_response(r, mailbox, EAS_OK);
	enum mf_status st =
		mailsearch_tell(r, folders, hits, f->first, &last, &teller, &told, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	wbxml_element(&r->writer, Find_Range, mf_printf(r->arena, "%u-%zu", f->first, last));
	wbxml_number(&r->writer, Find_Total, (int64_t)hits->total);
	r->items = told;
	eas_note(r, "items=%zu", told);
	return close_response(r);
}

/* ---- The criteria ---- */

static enum eas_verdict
find_mail(struct eas_request *r, const struct wbxml_node *criterion)
{
	struct finding f = { .r = r,
		.query = wbxml_child(criterion, Find_Query),
		.options = wbxml_child(criterion, Find_Options) };
	struct state_folders folders;
	struct mailsearch_hits hits;
	struct mf_error err = { 0 };
	unsigned status = read_request(&f);
	if (status != EAS_OK)
		return answer_status(r, mailbox, status);
	enum mf_status st =
		state_folders_load(r->server->state, r->user_number, r->arena, &folders, &err);
	if (st == MF_OK)
		st = eas_store_need(r, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	st = mailsearch_run(r, &folders, &f.m, &hits, &err);
	if (st == MF_GONE && f.m.remembered)
		return answer_status(r, mailbox, FIND_NOT_FROM_ZERO);
	if (st == MF_TEMPORARY || st == MF_AUTH || st == MF_BROKEN)
		return eas_fail(r, st, &err);
	if (st != MF_OK)
		return answer_status(r, mailbox, eas_status_at(EAS_AT_FIND, st));
	return answer_hits(&f, &folders, &hits);
}

static enum eas_verdict
answer_people(struct peoplesearch *s, struct eas_request *r)
{
	struct wbxml_writer *w = &r->writer;
	if (s->n == 0)
		return answer_status(r, people_list, EAS_OK);
	open_response(r, people_list, EAS_OK);
	for (size_t i = 0; i < s->n; i++) {
		wbxml_open(w, Find_Result);
		wbxml_open(w, Find_Properties);
		person_write(w, &s->list[i], &s->pictures);
		wbxml_close(w);
		wbxml_close(w);
	}
	wbxml_element(w, Find_Range, mf_printf(r->arena, "%u-%zu", s->first, s->first + s->n - 1));
	wbxml_number(w, Find_Total, (int64_t)s->total);
	r->items = s->n;
	return close_response(r);
}

/* The text stands in Query itself (2.2.3.142.1), or, of some phones, in FreeText below it. */
static enum eas_verdict
find_people(struct eas_request *r, const struct wbxml_node *criterion)
{
	const struct wbxml_node *options = wbxml_child(criterion, Find_Options);
	const struct wbxml_node *query = wbxml_child(criterion, Find_Query);
	struct peoplesearch s = { .text = wbxml_child_value(query, Find_FreeText) };
	struct mf_error err = { 0 };
	s.text = s.text == NULL ? wbxml_value(query) : s.text;
	if (!mailsearch_range(wbxml_child_value(options, Find_Range), &s.first, &s.last) ||
		!person_pictures_read(wbxml_child(options, Find_Picture), Find_MaxSize,
			Find_MaxPictures, &s.pictures))
		return answer_status(r, people_list, FIND_INVALID);
	s.last = mailsearch_page_end(s.first, s.last);
	enum mf_status st = peoplesearch_run(r, &s, &err);
	if (st == MF_OK)
		return answer_people(&s, r);
	mf_log_warning(
		"find=people status=%s error=%s", mf_status_name(st), mf_log_value(err.text));
	return answer_status(r, people_list, eas_status_at(EAS_AT_FIND, st));
}

enum eas_verdict
cmd_find(struct eas_request *r)
{
	const struct wbxml_node *search = wbxml_child(r->root, Find_ExecuteSearch);
	const struct wbxml_node *mail = wbxml_child(search, Find_MailBoxSearchCriterion);
	const struct wbxml_node *people = wbxml_child(search, Find_GalSearchCriterion);
	if ((mail == NULL) == (people == NULL))
		return eas_fail_status(r, FIND_INVALID, "one criterion is needed");
	if (*wbxml_child_value(r->root, Find_SearchId) == '\0')
		return answer_status(r, mail != NULL ? mailbox : people_list, FIND_INVALID);
	return mail != NULL ? find_mail(r, mail) : find_people(r, people);
}
