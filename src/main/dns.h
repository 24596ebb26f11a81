/* Questions to the DNS, for checks: what strangers would be told, whatever this machine's hosts file says. */
#ifndef MAIN_DNS_H
#define MAIN_DNS_H

#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/error.h"

enum { DNS_ANSWERS_MAX = 16 };

struct dns_answer {
	const char *name;		 /* an address, or the target of a service */
	unsigned priority, weight, port; /* of a service */
};

struct dns_answers {
	struct dns_answer all[DNS_ANSWERS_MAX];
	size_t n;
};

/* The addresses of a name (aliases followed), or a service's places ("_autodiscover._tcp.example.org"), in the
 * arena. `server` is "IPv4:port" of a server to ask, NULL: the system's. MF_GONE: there is no such name,
 * or it has none; MF_TEMPORARY: no answer; MF_INVALID: a server that makes no sense. */
enum mf_status dns_addresses(const char *server, const char *name, struct mf_arena *a,
	struct dns_answers *out, struct mf_error *err);
enum mf_status dns_services(const char *server, const char *name, struct mf_arena *a,
	struct dns_answers *out, struct mf_error *err);

#endif
