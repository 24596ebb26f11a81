/* A client's inside, shared by client.c (one at a time, blocking) and loop.c (thousands). */
#ifndef CLIENT_EXCHANGE_H
#define CLIENT_EXCHANGE_H

#include <curl/curl.h>

#include "client/client.h"
#include "client/loop.h"

struct client {
	struct mf_arena *arena; /* the options' strings, for as long as the client lives */
	struct client_options options;
	char *base; /* URL up to the query */
	CURL *easy;
	/* Of the exchange that is on its way or was the last. */
	struct client_request request;
	struct mf_arena *exchange; /* freed when the next one begins */
	struct curl_slist *headers_out;
	struct mf_buf body, headers;
	char curl_error[CURL_ERROR_SIZE];
	struct client_stats stats;
	/* While it runs in a loop. */
	client_done *done;
	void *done_ctx;
	struct client *loop_next, *loop_prev;
};

/* Sets c->easy up for the request, whose strings must live until the end. */
void client_exchange_begin(struct client *c, const struct client_request *r);
/* Makes the answer of it, once libcurl is done. */
enum mf_status client_exchange_end(
	struct client *c, CURLcode code, struct client_answer *out, struct mf_error *err);

/* Tells the trace, when there is one. */
void client_trace_request(const struct client *c);
void client_trace_answer(const struct client *c, const struct client_answer *answer);

#endif
