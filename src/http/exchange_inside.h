/*
 * One request under way, as the HTTP thread that collects it (exchange.c) and the worker that runs it
 * (exchange_job.c) share it. For those two.
 */
#ifndef HTTP_EXCHANGE_INSIDE_H
#define HTTP_EXCHANGE_INSIDE_H

#include <stdatomic.h>

#include "http/exchange.h"

enum stage { STAGE_HEADER, STAGE_BODY, STAGE_RUNNING, STAGE_ANSWERED, STAGE_REPLIED };

struct exchange {
	struct work_job job; /* first: the pool gives it back */
	struct http_hall *hall;
	struct MHD_Connection *mhd;
	struct http_connection *connection;
	const struct http_route *route;
	struct http_body body;
	struct eas_request request;
	char *target; /* path and query as they came; cut in two in place */
	enum stage stage;
	uint64_t discarded;
	bool overflow; /* the body is refused; what comes is discarded */
	bool close;    /* the connection ends with this answer */
	bool run;      /* the route has seen it: its deinit is due */
	bool taken;    /* it waits without the library (see take_over) */
	atomic_int
		owners; /* of this memory, once it is taken: the job, and the library until it notices */
};

/* An answer of http's own, with a line in the log. */
void exchange_refuse(struct exchange *x, unsigned status, const char *why);
/* Hands the answer to the library. */
enum MHD_Result exchange_reply(struct exchange *x);

/* The body is whole: suspends the connection and pushes the job. */
enum MHD_Result exchange_hand_over(struct exchange *x);
/* Frees the request's part, and all that is large. */
void exchange_finish(struct exchange *x);
/* One of its owners is done with the exchange's memory. */
void exchange_release(struct exchange *x);

#endif
