/*
 * A request's body: in memory while it is small, then in a file without a name, mapped when it is
 * complete, so that large mails are never anonymous memory. One thread at a time for each body; the
 * room is shared by all.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdatomic.h>

#include "mailferry/buf.h"
#include "mailferry/error.h"

struct http_body_room {
	uint64_t limit;	       /* bytes of one body */
	uint64_t memory;       /* of them in memory */
	uint64_t memory_total; /* of all bodies in memory: beyond it they go to files at once */
	uint64_t spool_total;  /* of all bodies in files */
	const char *directory; /* of the files */
	_Atomic uint64_t memory_used, spool_used;
};

struct http_body {
	struct http_body_room *room;
	struct mf_buf buf;
	int fd; /* -1: in memory */
	uint64_t len;
	uint64_t reserved; /* what is counted in room->spool_used */
	void *map;
};

void http_body_init(struct http_body *b, struct http_body_room *room);
void http_body_deinit(struct http_body *b);

/* MF_TOO_LARGE: over the limit. MF_TEMPORARY: no room in the spool, or it cannot be written. */
enum mf_status http_body_add(
	struct http_body *b, const void *data, size_t len, struct mf_error *err);

/* The whole body; valid until deinit. MF_TEMPORARY: the file cannot be mapped. */
enum mf_status http_body_end(struct http_body *b, struct mf_bytes *out, struct mf_error *err);

#endif
