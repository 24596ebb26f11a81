/* Knows the resolver of libc; must not know what is looked for. */
#include "main/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

#include "base/str.h"

enum { MESSAGE_MAX = 8192, WAIT_S = 3, TRIES = 2 };

/* Another server than the system's. */
static bool
use_server(struct __res_state *r, const char *server)
{
	struct sockaddr_in *in = &r->nsaddr_list[0];
	const char *colon = strchr(server, ':');
	char host[64];
	uint32_t port;

	if (colon == NULL || (size_t)(colon - server) >= sizeof(host) ||
		!str_to_u32(colon + 1, 65535, &port))
		return false;
	memcpy(host, server, (size_t)(colon - server));
	host[colon - server] = '\0';
	*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	r->nscount = 1;
	return inet_pton(AF_INET, host, &in->sin_addr) == 1;
}

/* One record of an answer; those of other kinds (aliases on the way) are passed over. */
static void
take(struct mf_arena *a, const ns_msg *m, const ns_rr *rr, int type, struct dns_answers *out)
{
	struct dns_answer *to = &out->all[out->n];
	const unsigned char *data = ns_rr_rdata(*rr);
	char text[NS_MAXDNAME];

	if ((int)ns_rr_type(*rr) != type || out->n == DNS_ANSWERS_MAX)
		return;
	*to = (struct dns_answer){ .name = NULL };
	if (type == ns_t_srv && ns_rr_rdlen(*rr) > 6 &&
		ns_name_uncompress(ns_msg_base(*m), ns_msg_end(*m), data + 6, text, sizeof(text)) >=
			0) {
		to->priority = ns_get16(data);
		to->weight = ns_get16(data + 2);
		to->port = ns_get16(data + 4);
		to->name = mf_strdup(a, text);
	} else if (type == ns_t_a && ns_rr_rdlen(*rr) == 4) {
		to->name = mf_strdup(a, inet_ntop(AF_INET, data, text, sizeof(text)));
	} else if (type == ns_t_aaaa && ns_rr_rdlen(*rr) == 16) {
		to->name = mf_strdup(a, inet_ntop(AF_INET6, data, text, sizeof(text)));
	}
	out->n += to->name != NULL;
}

static enum mf_status
read_answer(const unsigned char *message, int len, int type, struct mf_arena *a,
	struct dns_answers *out, struct mf_error *err)
{
	ns_msg m;
	ns_rr rr;

	if (ns_initparse(message, len, &m) != 0)
		return mf_fail(err, MF_TEMPORARY, "an answer that makes no sense");
	for (int i = 0; i < ns_msg_count(m, ns_s_an); i++)
		if (ns_parserr(&m, ns_s_an, i, &rr) == 0)
			take(a, &m, &rr, type, out);
	return MF_OK;
}

static enum mf_status
ask(const char *server, const char *name, int type, struct mf_arena *a, struct dns_answers *out,
	struct mf_error *err)
{
	static unsigned char message[MESSAGE_MAX];
	struct __res_state r = { 0 };
	enum mf_status st = MF_OK;
	int len;

	if (res_ninit(&r) != 0)
		return mf_fail(err, MF_TEMPORARY, "no resolver");
	r.retrans = WAIT_S;
	r.retry = TRIES;
	if (server != NULL && !use_server(&r, server)) {
		res_nclose(&r);
		return mf_fail(err, MF_INVALID, "%s: not ADDRESS:PORT", server);
	}
	len = res_nquery(&r, name, ns_c_in, type, message, sizeof(message));
	if (len >= 0)
		st = read_answer(message, len < MESSAGE_MAX ? len : MESSAGE_MAX, type, a, out, err);
	else if (r.res_h_errno == TRY_AGAIN)
		st = mf_fail(err, MF_TEMPORARY, "the DNS does not answer");
	res_nclose(&r);
	return st;
}

enum mf_status
dns_addresses(const char *server, const char *name, struct mf_arena *a, struct dns_answers *out,
	struct mf_error *err)
{
	enum mf_status st;

	out->n = 0;
	st = ask(server, name, ns_t_a, a, out, err);
	if (st == MF_OK)
		st = ask(server, name, ns_t_aaaa, a, out, err);
	return st != MF_OK || out->n > 0 ? st : mf_fail(err, MF_GONE, "%s has no address", name);
}

enum mf_status
dns_services(const char *server, const char *name, struct mf_arena *a, struct dns_answers *out,
	struct mf_error *err)
{
	enum mf_status st;

	out->n = 0;
	st = ask(server, name, ns_t_srv, a, out, err);
	return st != MF_OK || out->n > 0 ? st : mf_fail(err, MF_GONE, "%s is not there", name);
}
