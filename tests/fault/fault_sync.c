/*
 * A phone and the gateway, and everything that can go wrong between them: answers are lost, requests
 * come twice, the mail server fails in the middle of any call, the gateway stops. Meanwhile mail
 * arrives and goes, and both sides change flags. When it is over, phone and server must agree within a
 * few exchanges, and then fall silent. Seeds make each run the same again: pass one to repeat it.
 */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mime/mime.h"

enum { STEPS = 120, RUNS = 60 };

struct run {
	struct inside in;
	struct client_mailbox *box;
	struct client_folder *inbox;
	struct client_sync_options options;
	unsigned state;
	unsigned mails;
};

static unsigned
rnd(struct run *run, unsigned n)
{
	run->state = run->state * 1103515245 + 12345;
	return (run->state >> 11) % n;
}

/* ---- The mail server's side ---- */

static void
deliver(struct run *run)
{
	char text[300];

	snprintf(text, sizeof(text),
		"From: a@example.org\nTo: u@example.org\nSubject: mail %u\nMessage-ID: <%u@x>\n"
		"Content-Type: text/%s\n\nBody of mail %u.\n",
		run->mails, run->mails, run->mails % 3 == 0 ? "html" : "plain", run->mails);
	run->mails++;
	memory_add(run->in.world, "u", "INBOX", mf_bytes_str(text), 0, 0);
}

/* Some id that is there; 0 in an empty folder. */
static uint64_t
some_id(struct run *run)
{
	struct mf_idset ids;
	uint64_t id = 0;

	mf_idset_init(&ids);
	memory_ids(run->in.world, "u", "INBOX", &ids);
	for (uint64_t n = mf_idset_count(&ids) == 0 ? 0
						    : 1 + rnd(run, (unsigned)mf_idset_count(&ids));
		n > 0; n--)
		id = mf_idset_next(&ids, id);
	mf_idset_deinit(&ids);
	return id;
}

static void
server_step(struct run *run)
{
	uint32_t flag = rnd(run, 2) ? MF_FLAG_SEEN : MF_FLAG_FLAGGED;
	uint64_t id = some_id(run);
	unsigned what = rnd(run, 6);

	if (what < 3 || id == 0)
		deliver(run);
	else if (what == 3)
		memory_expunge(run->in.world, "u", "INBOX", id);
	else if (what == 4)
		memory_flag(run->in.world, "u", "INBOX", id, flag, 0, NULL);
	else
		memory_flag(run->in.world, "u", "INBOX", id, 0, flag, NULL);
}

/* ---- The phone's side ---- */

/* A phone has one change of an item under way at a time. */
static bool
is_edited(const struct run *run, const char *id)
{
	for (size_t i = 0; i < run->inbox->n_edits; i++)
		if (strcmp(run->inbox->edits[i].id, id) == 0)
			return true;
	return false;
}

static void
phone_edit(struct run *run)
{
	const struct client_item **items = client_items_sorted(run->inbox);
	const char *id = NULL;

	if (run->inbox->n_items > 0)
		id = items[rnd(run, (unsigned)run->inbox->n_items)]->id;
	if (id != NULL && !is_edited(run, id)) {
		switch (rnd(run, 4)) {
		case 0:
			client_edit_read(run->inbox, id, rnd(run, 2) == 1);
			break;
		case 1:
			client_edit_flag(
				run->inbox, id, rnd(run, 2) ? CLIENT_FLAGGED : CLIENT_UNFLAGGED);
			break;
		case 2:
			client_edit_delete(run->inbox, id);
			break;
		default:
			break;
		}
	}
	free(items);
}

static void
sync_status(struct run *run, unsigned status, const char *where)
{
	if (status == 3) /* the protocol's way out; must not be needed here */
		inside_check(false, "%s: the key was refused", where);
	inside_check(status == 0 || status == 1 || status == 16, "%s: status %u", where, status);
	(void)run;
}

/* One Sync; lost: the phone never sees the answer. Returns whether anything was told. */
static bool
phone_sync(struct run *run, bool lost, const char *where)
{
	struct inside_exchange x;
	struct client_sync_result result;
	struct mf_error err = { .text = "" };
	struct mf_buf body;
	bool told = false;

	inside_exchange_init(&x);
	mf_buf_init(&body, 0);
	client_sync_build(&run->inbox, 1, &run->options, &body);
	inside_call(&run->in, &x, "phone", "Sync", mf_buf_bytes(&body));
	inside_check(x.answer.http_status == 200 || x.answer.http_status == 503, "%s: HTTP %u",
		where, x.answer.http_status);
	if (!lost && x.answer.http_status == 200) {
		inside_check(client_sync_apply(&run->inbox, 1, &run->options, &x.answer, &result,
				     &err) == MF_OK,
			"%s: %s", where, err.text);
		sync_status(run, result.status, where);
		told = !result.empty;
	}
	mf_buf_deinit(&body);
	inside_exchange_deinit(&x);
	return told;
}

static void
phone_hierarchy(struct run *run)
{
	struct inside_exchange x;
	struct client_hierarchy_result result;
	struct mf_error err = { .text = "" };
	struct mf_buf body;

	inside_exchange_init(&x);
	mf_buf_init(&body, 0);
	client_hierarchy_build(run->box, &body);
	inside_call(&run->in, &x, "phone", "FolderSync", mf_buf_bytes(&body));
	inside_check(x.answer.http_status == 200, "FolderSync: HTTP %u", x.answer.http_status);
	inside_check(client_hierarchy_apply(run->box, &x.answer, &result, &err) == MF_OK,
		"FolderSync: %s", err.text);
	run->inbox = client_folder_find(run->box, "inbox");
	inside_check(run->inbox != NULL, "no Inbox");
	mf_buf_deinit(&body);
	inside_exchange_deinit(&x);
}

/* ---- What goes wrong ---- */

static void
break_something(struct run *run)
{
	static const enum memory_call calls[] = { MEMORY_LOGIN, MEMORY_CHANGES, MEMORY_FETCH,
		MEMORY_FLAG, MEMORY_MOVE, MEMORY_CHANGES_EVENT, MEMORY_FETCH_ITEM,
		MEMORY_MOVE_ITEM };

	switch (rnd(run, 4)) {
	case 0:
		inside_stop(&run->in);
		inside_start(&run->in);
		break;
	case 1:
		memory_drop(run->in.world);
		break;
	default:
		memory_fail(run->in.world, calls[rnd(run, sizeof(calls) / sizeof(calls[0]))],
			1 + rnd(run, 4), MF_TEMPORARY,
			(rnd(run, 2) ? MEMORY_LATE : 0U) | (rnd(run, 2) ? MEMORY_CUT : 0U));
	}
}

/* ---- The end ---- */

static void
compare_item(struct run *run, uint64_t id, struct mf_arena *a)
{
	const struct mf_item *item = memory_item(run->in.world, "u", "INBOX", id, a);
	const struct client_item *have = client_item_find(
		run->inbox, mf_printf(a, "%s:%llu", run->inbox->id, (unsigned long long)id));

	inside_check(have != NULL, "item %llu is missing on the phone", (unsigned long long)id);
	inside_check(have->read == ((item->flags & MF_FLAG_SEEN) != 0), "item %llu: read differs",
		(unsigned long long)id);
	inside_check((have->flag == CLIENT_FLAGGED) == ((item->flags & MF_FLAG_FLAGGED) != 0),
		"item %llu: flag differs", (unsigned long long)id);
}

static void
compare(struct run *run)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_idset ids;

	mf_idset_init(&ids);
	memory_ids(run->in.world, "u", "INBOX", &ids);
	for (uint64_t id = mf_idset_next(&ids, 0); id != 0; id = mf_idset_next(&ids, id))
		compare_item(run, id, a);
	inside_check(mf_idset_count(&ids) == run->inbox->n_items,
		"the phone has %zu items, the server %llu", run->inbox->n_items,
		(unsigned long long)mf_idset_count(&ids));
	mf_idset_deinit(&ids);
	mf_arena_free(a);
}

static void
converge(struct run *run)
{
	int rounds = 0;

	memory_reset(run->in.world);
	while (phone_sync(run, false, "converging"))
		inside_check(++rounds < 200, "they do not come to rest");
	inside_check(!phone_sync(run, false, "silence"), "told again after silence");
	compare(run);
}

static void
run_once(unsigned seed)
{
	struct run run = { .state = seed * 2654435761U + 1, .options = client_sync_defaults };

	inside_init(&run.in, "fault");
	memory_capabilities(run.in.world,
		MEMORY_ALL_CAPABILITIES & ~(seed % 3 == 1 ? MEMORY_MODSEQ | MEMORY_VANISHED : 0U) &
			~(seed % 3 == 2 ? (unsigned)MEMORY_VANISHED : 0U));
	run.options.window = 1 + seed % 7;
	run.options.conflict = seed % 2 == 0 ? 0 : 1;
	run.box = client_mailbox_new();
	phone_hierarchy(&run);
	for (int i = 0; i < 8; i++)
		deliver(&run);
	for (int i = 0; i < STEPS; i++) {
		unsigned what = rnd(&run, 10);

		if (what < 3)
			server_step(&run);
		else if (what < 5)
			phone_edit(&run);
		else if (what < 6)
			break_something(&run);
		else
			phone_sync(&run, what == 6, "in the storm");
	}
	converge(&run);
	client_mailbox_free(run.box);
	inside_deinit(&run.in);
}

int
main(int argc, char **argv)
{
	if (argc > 1) {
		run_once((unsigned)strtoul(argv[1], NULL, 10));
		mime_deinit();
		return 0;
	}
	for (unsigned seed = 0; seed < RUNS; seed++) {
		fprintf(stderr, "seed %u\n", seed);
		run_once(seed);
	}
	mime_deinit();
	printf("%d runs of %d steps: phone and server agree\n", RUNS, STEPS);
	return 0;
}
