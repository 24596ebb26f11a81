/*
 * Thousands of clients at once in one thread: exchanges that run side by side over one epoll loop.
 * What the benchmarks' waiting phones are made of.
 */
#ifndef CLIENT_LOOP_H
#define CLIENT_LOOP_H

#include "client/client.h"

struct client_loop;

/* Called once an exchange is over, with what client_call would give. May start the next one, also of
 * this client; answer and err live until it returns. */
typedef void client_done(void *ctx, struct client *c, enum mf_status status,
	const struct client_answer *answer, const struct mf_error *err);

/* Never NULL. */
struct client_loop *client_loop_new(void);
/* Breaks off what still runs, without calling back. NULL is fine; before the clients are freed. */
void client_loop_free(struct client_loop *l);

/* Begins an exchange. The request's body and strings must live until done is called. */
void client_loop_start(struct client_loop *l, struct client *c, const struct client_request *r,
	client_done *done, void *ctx);
/* Breaks off the exchange of a client; done is not called. */
void client_loop_cancel(struct client_loop *l, struct client *c);

/* Works until timeout_ms have passed (0: only what is ready now; -1: no limit) or nothing runs any
 * more. How many exchanges still run. */
size_t client_loop_run(struct client_loop *l, int64_t timeout_ms);

#endif
