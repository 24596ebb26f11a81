/*
 * Is a request's header sound? The library is lenient where proxies in front of us are not; whatever
 * two of them could read differently is refused, so that nobody smuggles a second request in the
 * first one's body (RFC 9112, 6.3 and 11.2). Pure functions.
 */
#ifndef HTTP_FRAMING_H
#define HTTP_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eas/request.h"

struct http_framing {
	bool chunked;	 /* the length is not known before the end */
	uint64_t length; /* of the body, unless chunked */
	bool expects;	 /* Expect: 100-continue: the client waits before it sends the body */
};

/* 0, or the status to refuse with (400, 413, 417, 501) and why. `http11`: HTTP/1.1. */
unsigned http_framing_check(const struct eas_header *headers, size_t n, bool http11,
	uint64_t body_limit, struct http_framing *out, const char **why);

/* The path of a request target, and its query ("" when there is none); both in place: target is cut.
 * Takes "/path?query" and "http://host/path?query". NULL: neither. */
char *http_target_split(char *target, const char **query);

/* A method is a short token of letters. */
bool http_method_valid(const char *method);

#endif
