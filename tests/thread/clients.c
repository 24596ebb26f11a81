/*
 * Phones side by side: threads with a client and a picture each, and a loop with many more, all against one
 * server. They share nothing but libcurl's and wbxml's constants.
 */
#include "client/loop.h"
#include "client/sync.h"
#include "../unit/fake_http.h"

enum { THREADS = 4, CALLS = 30, LOOPED = 40 };

static const struct fake_reply reply = { 200, NULL,
	"<Sync xmlns='AirSync' xmlns:e='Email'><Collections><Collection><CollectionId>5"
	"</CollectionId><SyncKey>7</SyncKey><Status>1</Status><Commands><Add><ServerId>5:1"
	"</ServerId><ApplicationData><e:Subject>One</e:Subject></ApplicationData></Add></Commands>"
	"</Collection></Collections></Sync>",
	NULL };

static struct client *
client_to(const struct fake_http *h)
{
	struct client_options o = { .url = h->url, .user = "bob", .password = "secret" };

	return client_new(&o);
}

static void *
phone(void *ctx)
{
	struct client *c = client_to(ctx);
	struct client_mailbox *m = client_mailbox_new();
	struct client_folder *f = client_folder_put(m, "5", "0", "Inbox", 2);

	for (int i = 0; i < CALLS; i++) {
		struct client_sync_result r;

		fake_require(client_sync(c, f, &client_sync_defaults, &r, NULL) == MF_OK);
		fake_require(r.added == 1 && f->n_items == 1);
	}
	client_mailbox_free(m);
	client_free(c);
	return NULL;
}

static void
done(void *ctx, struct client *c, enum mf_status status, const struct client_answer *answer,
	const struct mf_error *err)
{
	(void)c;
	(void)err;
	fake_require(status == MF_OK && answer->root != NULL);
	++*(int *)ctx;
}

int
main(void)
{
	struct fake_http *h = fake_start(&reply, 1, 0);
	struct client_loop *loop = client_loop_new();
	struct client_request r = { .command = "Sync" };
	struct client *looped[LOOPED];
	pthread_t threads[THREADS];
	int count = 0;

	for (int i = 0; i < THREADS; i++)
		fake_require(pthread_create(&threads[i], NULL, phone, h) == 0);
	for (int i = 0; i < LOOPED; i++) {
		looped[i] = client_to(h);
		client_loop_start(loop, looped[i], &r, done, &count);
	}
	fake_require(client_loop_run(loop, 30000) == 0 && count == LOOPED);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	client_loop_free(loop);
	for (int i = 0; i < LOOPED; i++)
		client_free(looped[i]);
	fake_stop(h);
	fake_free(h);
	return 0;
}
