/* Both sides' moves, and the comparison in the end. */
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned
pair_random(struct pair *p, unsigned n)
{
	p->random = p->random * 1103515245 + 12345;
	return (p->random >> 11) % n;
}

/* ---- The mail server's side ---- */

void
pair_deliver(struct pair *p)
{
	char text[300];

	snprintf(text, sizeof(text),
		"From: a@example.org\nTo: u@example.org\nSubject: mail %u\nMessage-ID: <%u@x>\n"
		"Content-Type: text/%s\n\nBody of mail %u.\n",
		p->mails, p->mails, p->mails % 3 == 0 ? "html" : "plain", p->mails);
	p->mails++;
	memory_add(p->in.world, "u", "INBOX", mf_bytes_str(text), 0, 0);
}

/* Some id that is there; 0 in an empty folder. */
static uint64_t
some_id(struct pair *p)
{
	struct mf_idset ids;
	uint64_t id = 0;

	mf_idset_init(&ids);
	memory_ids(p->in.world, "u", "INBOX", &ids);
	for (uint64_t n = mf_idset_count(&ids) == 0
				  ? 0
				  : 1 + pair_random(p, (unsigned)mf_idset_count(&ids));
		n > 0; n--)
		id = mf_idset_next(&ids, id);
	mf_idset_deinit(&ids);
	return id;
}

void
pair_server_step(struct pair *p)
{
	uint32_t flag = pair_random(p, 2) ? MF_FLAG_SEEN : MF_FLAG_FLAGGED;
	uint64_t id = some_id(p);
	unsigned what = pair_random(p, 6);

	if (what < 3 || id == 0)
		pair_deliver(p);
	else if (what == 3 && pair_random(p, 4) == 0)
		memory_new_epoch(p->in.world, "u", "INBOX");
	else if (what == 3)
		memory_expunge(p->in.world, "u", "INBOX", id);
	else if (what == 4)
		memory_flag(p->in.world, "u", "INBOX", id, flag, 0, NULL);
	else
		memory_flag(p->in.world, "u", "INBOX", id, 0, flag, NULL);
}

/* ---- The phone's side ---- */

/* A phone has one change of an item under way at a time. */
static bool
is_edited(const struct pair *p, const char *id)
{
	for (size_t i = 0; i < p->inbox->n_edits; i++)
		if (strcmp(p->inbox->edits[i].id, id) == 0)
			return true;
	return false;
}

void
pair_phone_step(struct pair *p)
{
	const struct client_item **items = client_items_sorted(p->inbox);
	const char *id = NULL;

	if (p->inbox->n_items > 0)
		id = items[pair_random(p, (unsigned)p->inbox->n_items)]->id;
	if (id != NULL && !is_edited(p, id)) {
		switch (pair_random(p, 4)) {
		case 0:
			client_edit_read(p->inbox, id, pair_random(p, 2) == 1);
			break;
		case 1:
			client_edit_flag(p->inbox, id,
				pair_random(p, 2) ? CLIENT_FLAGGED : CLIENT_UNFLAGGED);
			break;
		case 2:
			client_edit_delete(p->inbox, id);
			break;
		default:
			break;
		}
	}
	free(items);
}

static void
take_answer(struct pair *p, const struct inside_exchange *x, bool lost, const char *where,
	struct client_sync_result *result)
{
	struct mf_error err = { .text = "" };
	unsigned http = x->answer.http_status;

	inside_check(http == 200 || http == 503, "%s: HTTP %u", where, http);
	p->failed += http != 200;
	if (lost || http != 200)
		return;
	inside_check(
		client_sync_apply(&p->inbox, 1, &p->options, &x->answer, result, &err) == MF_OK,
		"%s: %s", where, err.text);
	/* Status 3 is the protocol's way out; it must not be needed here. */
	inside_check(result->status <= 1 || result->status == 16, "%s: status %u", where,
		result->status);
	p->failed += result->status == 16;
}

bool
pair_sync(struct pair *p, bool lost, const char *where)
{
	struct client_sync_result result = { .empty = true };
	struct inside_exchange x;
	struct mf_buf body;
	unsigned failed = p->failed;

	inside_exchange_init(&x);
	mf_buf_init(&body, 0);
	client_sync_build(&p->inbox, 1, &p->options, &body);
	p->exchanges++;
	lost = lost || p->lose_each || p->exchanges == p->lose_at;
	inside_call(&p->in, &x, "phone", "Sync", mf_buf_bytes(&body));
	take_answer(p, &x, lost, where, &result);
	if (p->stubborn && (lost || p->failed != failed)) {
		inside_call(&p->in, &x, "phone", "Sync", mf_buf_bytes(&body));
		take_answer(p, &x, false, where, &result);
	}
	mf_buf_deinit(&body);
	inside_exchange_deinit(&x);
	return !result.empty;
}

void
pair_hierarchy(struct pair *p)
{
	struct inside_exchange x;
	struct client_hierarchy_result result;
	struct mf_error err = { .text = "" };
	struct mf_buf body;

	inside_exchange_init(&x);
	mf_buf_init(&body, 0);
	client_hierarchy_build(p->box, &body);
	inside_call(&p->in, &x, "phone", "FolderSync", mf_buf_bytes(&body));
	inside_check(x.answer.http_status == 200, "FolderSync: HTTP %u", x.answer.http_status);
	inside_check(client_hierarchy_apply(p->box, &x.answer, &result, &err) == MF_OK,
		"FolderSync: %s", err.text);
	p->inbox = client_folder_find(p->box, "inbox");
	inside_check(p->inbox != NULL, "no Inbox");
	mf_buf_deinit(&body);
	inside_exchange_deinit(&x);
}

/* ---- A day ---- */

/* What happens before the n-th exchange: on the server (s..., e: all ids are new), on the phone (r: read, f: flag, d: delete
 * its newest item), nothing (-). */
static const char *const day[] = { "-", "-", "-", "-", "s+", "r", "-", "s+s+f", "d", "s-", "sf",
	"rd", "s+f", "se", "drf", "s-s+", "-", "sfr", "d", "s-ses+", "s+s+s+s+s+s+", "-", "-", "r",
	"-", "d", "-" };

static void
edit(struct pair *p, char what)
{
	const struct client_item **items = client_items_sorted(p->inbox);
	const struct client_item *newest = p->inbox->n_items > 0 ? items[0] : NULL;

	free(items);
	if (newest == NULL || is_edited(p, newest->id))
		return;
	if (what == 'r')
		client_edit_read(p->inbox, newest->id, !newest->read);
	else if (what == 'f')
		client_edit_flag(p->inbox, newest->id,
			newest->flag == CLIENT_FLAGGED ? CLIENT_UNFLAGGED : CLIENT_FLAGGED);
	else
		client_edit_delete(p->inbox, newest->id);
}

static void
server(struct pair *p, char what)
{
	uint64_t id = some_id(p);

	if (what == '+')
		pair_deliver(p);
	else if (what == 'e')
		memory_new_epoch(p->in.world, "u", "INBOX");
	else if (what == '-' && id != 0)
		memory_expunge(p->in.world, "u", "INBOX", id);
	else if (id != 0)
		memory_flag(p->in.world, "u", "INBOX", id, MF_FLAG_SEEN, MF_FLAG_FLAGGED, NULL);
}

void
pair_play(struct pair *p, void (*between)(struct pair *p))
{
	pair_hierarchy(p);
	for (int i = 0; i < 8; i++)
		pair_deliver(p);
	for (size_t i = 0; i < sizeof(day) / sizeof(day[0]); i++) {
		for (const char *c = day[i]; *c != '\0'; c++) {
			if (*c == 's')
				server(p, *++c);
			else if (*c != '-')
				edit(p, *c);
		}
		if (between != NULL)
			between(p);
		pair_sync(p, false, day[i]);
	}
}

/* ---- Beginning and end ---- */

void
pair_init(struct pair *p, const char *name, unsigned seed)
{
	memset(p, 0, sizeof(*p));
	p->random = seed * 2654435761U + 1;
	p->options = client_sync_defaults;
	p->options.window = 1 + seed % 7;
	p->options.conflict = seed % 2 == 0 ? 0 : 1;
	inside_init(&p->in, name);
	memory_capabilities(p->in.world,
		MEMORY_ALL_CAPABILITIES & ~(seed % 3 == 1 ? MEMORY_MODSEQ | MEMORY_VANISHED : 0U) &
			~(seed % 3 == 2 ? (unsigned)MEMORY_VANISHED : 0U));
	p->box = client_mailbox_new();
}

void
pair_deinit(struct pair *p)
{
	client_mailbox_free(p->box);
	inside_deinit(&p->in);
}

/* By its subject, which no two have: its number may be another than the server's. */
static const struct client_item *
find(struct pair *p, const struct mf_item *item, struct mf_arena *a)
{
	const char *text = mf_strndup(a, (const char *)item->header.data, item->header.len);
	const char *subject = strstr(text, "Subject: ") + strlen("Subject: ");
	const struct client_item **items = client_items_sorted(p->inbox), *found = NULL;

	subject = mf_strndup(a, subject, strcspn(subject, "\r\n"));
	for (size_t i = 0; i < p->inbox->n_items; i++)
		if (strcmp(items[i]->subject, subject) == 0)
			found = items[i];
	free(items);
	return found;
}

static void
compare_item(struct pair *p, uint64_t id, struct mf_arena *a)
{
	const struct mf_item *item = memory_item(p->in.world, "u", "INBOX", id, a);
	const struct client_item *have = find(p, item, a);

	inside_check(have != NULL, "item %llu is missing on the phone", (unsigned long long)id);
	inside_check(have->read == ((item->flags & MF_FLAG_SEEN) != 0), "item %llu: read differs",
		(unsigned long long)id);
	inside_check((have->flag == CLIENT_FLAGGED) == ((item->flags & MF_FLAG_FLAGGED) != 0),
		"item %llu: flag differs", (unsigned long long)id);
}

static void
compare(struct pair *p)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_idset ids;

	mf_idset_init(&ids);
	memory_ids(p->in.world, "u", "INBOX", &ids);
	for (uint64_t id = mf_idset_next(&ids, 0); id != 0; id = mf_idset_next(&ids, id))
		compare_item(p, id, a);
	inside_check(mf_idset_count(&ids) == p->inbox->n_items,
		"the phone has %zu items, the server %llu", p->inbox->n_items,
		(unsigned long long)mf_idset_count(&ids));
	mf_idset_deinit(&ids);
	mf_arena_free(a);
}

void
pair_converge(struct pair *p)
{
	int rounds = 0;

	memory_reset(p->in.world);
	p->lose_at = 0;
	p->lose_each = false;
	while (pair_sync(p, false, "converging"))
		inside_check(++rounds < 200, "they do not come to rest");
	inside_check(!pair_sync(p, false, "silence"), "told again after silence");
	compare(p);
}
