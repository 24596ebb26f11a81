/* Who waits is told to push, and whom push wakes to the pool. Knows no protocol. */
#include "main/watcher.h"

#include "eas/background.h"

static void *
begin(const struct eas_watcher *eas, const struct eas_request *r)
{
	const struct watcher *w = (const struct watcher *)eas;
	struct mf_login who = r->login;

	who.user = r->user; /* as the backend knows it */
	return push_watch(w->push, &(struct push_wanted){ .group = r->wait.group,
					   .one = r->wait.one,
					   .who = &who,
					   .folders = r->wait.folders,
					   .changes = r->wait.changes });
}

static bool
sees(const struct eas_watcher *eas, const void *handle)
{
	(void)eas;
	return push_sees(handle);
}

static size_t
arrived(const struct eas_watcher *eas, void *handle, struct mf_arrival *out, size_t max)
{
	(void)eas;
	return push_arrived(handle, out, max);
}

static void
end(const struct eas_watcher *eas, void *handle)
{
	const struct watcher *w = (const struct watcher *)eas;

	push_release(w->push, handle);
}

static void
leave(const struct eas_watcher *eas, uint32_t user)
{
	const struct watcher *w = (const struct watcher *)eas;

	if (w->push != NULL)
		push_leave(w->push, user);
}

static void
wake(void *ctx, uint64_t group, uint64_t one, enum push_news news)
{
	static const unsigned stirs[] = {
		[PUSH_LOOK] = EAS_STIR_LOOK,
		[PUSH_ITEMS] = EAS_STIR_ITEMS,
		[PUSH_FOLDERS] = EAS_STIR_FOLDERS,
	};
	struct watcher *w = ctx;

	work_wake(w->pool, group, one, stirs[news]);
}

static int64_t
tend(void *ctx, uint64_t group, const struct mf_login *who, bool *patient)
{
	const struct watcher *w = ctx;

	int64_t again = eas_background_run(w->server, (uint32_t)group, who, patient);

	if (again == EAS_BACKGROUND_DENIED)
		push_forget(w->push, group, who);
	return again == EAS_BACKGROUND_DENIED ? 0 : again;
}

enum mf_status
watcher_open(struct watcher *w, const struct mf_conf *top, const struct eas_server *server,
	struct work_pool *pool, struct mf_error *err)
{
	struct backends *backends = server->backends;
	const struct mf_backend_api *api = backends_facet(backends, BACKEND_STORE);
	struct push_options o = { .linger_ms = mf_conf_number(top, "watch_linger") * 1000,
		.users_max = (size_t)mf_conf_number(top, "watch_limit"),
		.wake = wake,
		.tend = tend,
		.tend_threads = (unsigned)mf_conf_number(top, "background_threads"),
		.ctx = w };

	*w = (struct watcher){ .eas = { .begin = begin,
				       .sees = sees,
				       .arrived = arrived,
				       .end = end,
				       .leave = leave },
		.pool = pool,
		.server = server };
	if (api == NULL || api->watch == NULL)
		return MF_OK;
	o.api = api->watch;
	o.backend = backends_handle(backends, api);
	return push_open(&o, &w->push, err);
}

void
watcher_close(struct watcher *w)
{
	push_close(w->push);
	w->push = NULL;
}
