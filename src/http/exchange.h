/*
 * One request's life between the library and the worker pool.
 *
 *	begin (request line) -> header checked -> BODY -> suspended, RUNNING in the pool
 *	      -> resumed, ANSWERED -> end
 *
 * It belongs to the connection's HTTP thread, but while it is RUNNING to the pool.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <microhttpd.h>
#include <pthread.h>

#include "http/body.h"
#include "http/door.h"
#include "http/server.h"

/* What all exchanges of a server share. Read-only while it serves, but for what the lock guards. */
struct http_hall {
	const struct http_route *routes;
	const struct eas_server *eas;
	const struct mf_conf *conf;
	struct http_door *door;
	struct http_body_room room;
	struct http_trust trust;
	int64_t idle_ms, header_ms, body_ms;

	pthread_mutex_t lock;
	pthread_cond_t less;   /* there are fewer requests or jobs than before */
	size_t requests, jobs; /* begun and not ended; in the pool or on their way back */
	uint64_t number;       /* of the last request */
	bool stopping;	       /* answers say that the connection closes */
	bool closed;	       /* nothing may be suspended any more */
	uint64_t answered;
};

/* The library's callbacks; cls is the hall. */
void *http_exchange_begin(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result http_exchange_step(void *cls, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *len, void **context);
void http_exchange_end(void *cls, struct MHD_Connection *mhd, void **context,
	enum MHD_RequestTerminationCode code);
void http_exchange_connection(void *cls, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode code);

/* The request of a job that http_exchange_step pushed. */
const struct eas_request *http_exchange_request(const struct work_job *job);

/* Writes an answer to the socket of a client that has waited, as far as the socket takes it at once; the connection
 * ends with it. (reply.c) */
void http_reply_plain(int fd, const struct eas_answer *answer);

/* Hands an answer to the library: Content-Length always, Content-Type only with a body. The body must
 * outlive the exchange's end. (reply.c) */
enum MHD_Result http_reply(
	struct MHD_Connection *mhd, const struct eas_answer *answer, bool close_after);

#endif
