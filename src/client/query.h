/* The query of a request's URL in its two forms (MS-ASHTTP 2.2.1.1.1). Knows no connection. */
#ifndef CLIENT_QUERY_H
#define CLIENT_QUERY_H

#include "client/client.h"

/* "Cmd=Sync&User=..&DeviceId=..&DeviceType=..", in the arena. */
char *client_query_plain(
	struct mf_arena *a, const struct client_options *o, const struct client_request *r);

/* The base64 form; NULL where it cannot say it (a command without a code, a field over 255 bytes). */
char *client_query_base64(
	struct mf_arena *a, const struct client_options *o, const struct client_request *r);

/* "14.1" to 141; 0 for anything else. */
unsigned client_query_version(const char *version);

#endif
