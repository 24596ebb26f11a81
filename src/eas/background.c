/* Background work: its table, and what each run gets. */
#include "eas/background.h"

#include <stdio.h>

#include "backend/session.h"
#include "base/clock.h"
#include "base/log.h"
#include "eas/away.h"
#include "sync/numbered.h"

enum {
	SESSION_WAIT_MS = 2000, /* requests go first */
	BUDGET_MS = 1000,	/* of one run */
	AGAIN_MS = 100,		/* while there is more to do */
	RETRY_MS = 60 * 1000,	/* after a failure of the mail server */
};

static enum mf_status
conversations(const struct eas_background *b, bool *more, struct mf_error *err)
{
	struct sync_conversations_done done;
	enum mf_status st = sync_conversations_tend(b->mailbox, &done, err);

	*more = st == MF_OK && !done.complete;
	if (st == MF_OK && done.indexed > 0)
		mf_log_debug("event=conversations indexed=%zu moved=%zu complete=%d", done.indexed,
			done.moved, done.complete);
	return st;
}

static const struct eas_background_work table[] = {
	{ "conversations", conversations },
	{ "out of office", away_tend },
};

/* Each row in turn. False: the mail server failed, and the rest waits. */
static bool
run_all(const struct eas_background *b, bool *more)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct mf_error err = { .text = "" };
		bool again = false;
		enum mf_status st = table[i].run(b, &again, &err);

		if (st != MF_OK)
			mf_log_warning("event=background work=%s status=%s reason=%s",
				table[i].name, mf_status_name(st), mf_log_value(err.text));
		if (st == MF_TEMPORARY || st == MF_AUTH)
			return false;
		*more = *more || again;
	}
	return true;
}

/* session: over sync_numbered_api, with the items' numbers as commands see them. */
static int64_t
run(const struct eas_server *server, uint32_t user_number, const struct mf_login *who,
	struct mf_session *session, const struct mf_backend_api *api)
{
	struct mf_arena *a = mf_arena_new();
	struct state_folders folders;
	struct sync_mailbox m = { .state = server->state,
		.name = who->user,
		.user = user_number,
		.store = api->name,
		.api = &sync_numbered_api,
		.session = session,
		.folders = &folders };
	const struct eas_background b = { .server = server, .who = who, .mailbox = &m, .arena = a };
	struct mf_error err = { .text = "" };
	enum mf_status st = state_folders_load(server->state, user_number, a, &folders, &err);
	bool more = false, well;

	m.until = clock_ms() + BUDGET_MS;
	well = st == MF_OK && run_all(&b, &more);
	if (st != MF_OK)
		mf_log_warning("event=background status=%s reason=%s", mf_status_name(st),
			mf_log_value(err.text));
	mf_arena_free(a);
	return !well ? RETRY_MS : more ? AGAIN_MS : 0;
}

/* On failure the session is given back. */
static enum mf_status
number(const struct eas_server *server, uint32_t user_number, const struct mf_backend_api *api,
	struct mf_session **session, struct mf_error *err)
{
	struct mf_session *inner = *session;
	enum mf_status st = sync_numbered_open(
		server->state, user_number, api->name, api->store, inner, session, err);

	if (st != MF_OK)
		backend_session_put(server->backends, inner);
	return st;
}

int64_t
eas_background_run(const struct eas_server *server, uint32_t user_number,
	const struct mf_login *who, bool *patient)
{
	const struct mf_backend_api *api;
	struct mf_session *session;
	struct mf_error err = { .text = "" };
	char context[300];
	int64_t again = RETRY_MS;
	enum mf_status st = backend_session_get(server->backends, BACKEND_STORE, who,
		clock_ms() + SESSION_WAIT_MS, &session, &api, &err);

	snprintf(context, sizeof(context), "background user=%s", mf_log_value(who->user));
	log_set_context(context);
	if (st == MF_OK)
		st = number(server, user_number, api, &session, &err);
	if (st == MF_OK) {
		again = run(server, user_number, who, session, api);
		*patient = !sync_conversations_ruled(server->state, who->user);
		backend_session_put(server->backends, sync_numbered_close(session));
	} else if (st == MF_AUTH || st == MF_REFUSED) {
		again = EAS_BACKGROUND_DENIED; /* the next request brings others */
	} else {
		mf_log_info("event=background status=%s reason=%s", mf_status_name(st),
			mf_log_value(err.text));
	}
	log_set_context(NULL);
	return again;
}
