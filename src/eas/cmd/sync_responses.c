/* What Sync answers to the client's commands: Responses, with the content of what was fetched. */
#include "eas/cmd/sync_telling.h"
#include "eas/tnef.h"

static enum mf_status
take_fetch(void *ctx, const struct mf_item *item)
{
	struct sync_telling *t = ctx;

	t->view.scratch = mf_arena_new();
	sync_item_write(t, AirSync_Fetch, item);
	mf_arena_free(t->view.scratch);
	t->written++;
	return MF_OK;
}

static size_t
choose_fetch(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	struct sync_telling *t = ctx;
	uint64_t bytes = 0;
	size_t n;

	t->view.scratch = mf_arena_new();
	n = email_choose(&t->view, item, out, &bytes);
	mf_arena_free(t->view.scratch);
	return n;
}

static enum mf_status
write_response(struct sync_telling *t, const struct sync_response *s, struct mf_error *err)
{
	struct wbxml_writer *w = &t->r->writer;
	enum mf_status st = MF_OK;

	wbxml_open(w, s->tag);
	if (s->class[0] != '\0' && t->r->version >= EAS_14_0)
		wbxml_element(w, AirSync_Class, s->class);
	if (s->client_id[0] != '\0')
		wbxml_element(w, AirSync_ClientId, s->client_id);
	if (s->server_id[0] != '\0')
		wbxml_element(w, AirSync_ServerId, s->server_id);
	wbxml_number(w, AirSync_Status, s->status);
	if (s->tag == AirSync_Add)
		st = sync_added_write(t->r, t->c, s, err);
	wbxml_close(w);
	return st;
}

/* A Fetch (MS-ASCMD 2.2.3.67.2): content, or the status that tells that it is gone. */
static enum mf_status
write_fetch(struct sync_telling *t, const struct sync_response *s, struct mf_error *err)
{
	struct mf_fetch f = { .folder = t->c->source.folder,
		.ids = &s->fetch,
		.n = 1,
		.want = EMAIL_WANT,
		.fields = email_fields,
		.choose = choose_fetch,
		.item = take_fetch,
		.ctx = t };
	size_t before = t->written;
	struct body_options options = t->view.body;
	struct sync_response gone = *s;
	enum mf_status st;

	body_options_whole(&t->view.body);
	st = tnef_fetch(t->r, t->c->source.api, t->c->source.session, &f, &t->view.tnef, NULL, err);
	t->view.body = options;

	if (st == MF_OK && t->written == before) {
		gone.status = eas_status_at(EAS_AT_SYNC_ITEM, MF_GONE);
		st = write_response(t, &gone, err);
	}
	return st;
}

enum mf_status
sync_responses_write(struct sync_telling *t, struct mf_error *err)
{
	const struct sync_answer *answer = &t->c->answer;
	enum mf_status st = MF_OK;

	if (answer->n_responses == 0)
		return MF_OK;
	wbxml_open(&t->r->writer, AirSync_Responses);
	for (size_t i = 0; st == MF_OK && i < answer->n_responses; i++) {
		if (answer->responses[i].fetch != 0)
			st = write_fetch(t, &answer->responses[i], err);
		else
			st = write_response(t, &answer->responses[i], err);
	}
	wbxml_close(&t->r->writer);
	t->written = 0;
	return st;
}
