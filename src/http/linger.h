/*
 * Sockets that linger: an answer that refuses a body which is still on its way must not be lost. Closing a socket
 * with unread data resets the connection, and the client might never see our 413. So such a socket lives on as a
 * duplicate, is read and discarded for a while, and closed at its end. Knows no lock and no thread: the door's.
 */
#ifndef HTTP_LINGER_H
#define HTTP_LINGER_H

#include <stddef.h>
#include <stdint.h>

enum { HTTP_LINGER_MAX = 64 /* sockets at once */ };

struct http_linger {
	struct {
		int fd; /* -1: free */
		int64_t until;
	} places[HTTP_LINGER_MAX];
	size_t n;
};

void http_linger_init(struct http_linger *l);
void http_linger_deinit(struct http_linger *l);

/* Duplicates the socket and tells its other side that nothing more will come. The place, and *fd to watch; or
 * HTTP_LINGER_MAX: there is no room. */
uint32_t http_linger_add(struct http_linger *l, int socket, int *fd);

/* Something came at this place, or it ended. */
void http_linger_read(struct http_linger *l, uint32_t place);

/* Those whose time is over are closed. */
void http_linger_sweep(struct http_linger *l, int64_t now);

#endif
