/* The index of conversations within requests. Must not know elements. */
#include "eas/conversations.h"

#include "base/clock.h"
#include "mailferry/log.h"

enum {
	WAIT_BUDGET_MS = 1000,	 /* of one look while a phone waits */
	WAIT_AGAIN_MS = 100,	 /* until the next one while there is more to do */
	WAIT_EVERY_MS = 60000,	 /* without a sign of news, looks are that far apart */
	FOLDER_BUDGET_MS = 5000, /* before a Sync with ConversationMode */
};

void
eas_conversations_mailbox(const struct eas_request *r, const struct state_folders *folders,
	int64_t budget_ms, struct sync_mailbox *out)
{
	*out = (struct sync_mailbox){ .state = r->server->state,
		.name = r->user,
		.user = r->user_number,
		.store = r->store_name,
		.api = r->store_api,
		.session = r->store,
		.folders = folders,
		.until = clock_ms() + budget_ms };
}

bool
eas_conversations_tend(struct eas_request *r, int64_t budget_ms)
{
	struct mf_arena *a = mf_arena_new();
	struct sync_conversations_done done = { 0 };
	struct state_folders folders;
	struct sync_mailbox mailbox;
	struct mf_error err;
	enum mf_status st = state_folders_load(r->server->state, r->user_number, a, &folders, &err);

	eas_conversations_mailbox(r, &folders, budget_ms, &mailbox);
	if (st == MF_OK)
		st = sync_conversations_tend(&mailbox, &done, &err);
	if (st != MF_OK)
		mf_log_warning("event=conversations status=%s reason=%s", mf_status_name(st),
			mf_log_value(err.text));
	else if (done.indexed > 0)
		mf_log_debug("event=conversations indexed=%zu moved=%zu complete=%d", done.indexed,
			done.moved, done.complete);
	mf_arena_free(a);
	return st != MF_OK || done.complete;
}

void
eas_conversations_wait(struct eas_request *r)
{
	int64_t now = clock_ms();

	if (r->store == NULL || r->wait.ended)
		return;
	/* Who is watched is tended in the background (eas/background.h); who only polls, here. */
	if (r->server->watcher != NULL && (!r->waited || r->wait.stirred))
		return;
	if (r->tended != 0 && !r->wait.stirred && now - r->tended < WAIT_EVERY_MS)
		return;
	if (eas_conversations_tend(r, WAIT_BUDGET_MS)) {
		r->tended = now;
		return;
	}
	r->tended = 0;
	if (r->wait.until > now + WAIT_AGAIN_MS)
		r->wait.until = now + WAIT_AGAIN_MS;
}

enum mf_status
eas_conversations_scope(struct eas_request *r, const struct state_folders *folders,
	const struct state_folder *folder, struct sync_scope *scope, bool *complete,
	struct mf_error *err)
{
	struct sync_mailbox mailbox;

	*complete = true;
	if (!scope->conversations || sync_scope_since(scope) == 0)
		return MF_OK;
	scope->state = r->server->state;
	scope->user = r->user_number;
	scope->folder = folder->number;
	eas_conversations_mailbox(r, folders, FOLDER_BUDGET_MS, &mailbox);
	return sync_conversations_folder(&mailbox, folder, complete, err);
}
