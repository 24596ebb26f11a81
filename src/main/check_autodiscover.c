/* `mailferry check --autodiscover DOMAIN`: the DNS records that phones of a domain need, whether they are
 * there, and whether what they lead to answers as Autodiscover does. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "client/client.h"
#include "http/certificate.h"
#include "main/check.h"
#include "main/dns.h"

enum { TIMEOUT_S = 15 };

struct place {
	const char *url;  /* "https://mail.example.org:8443" */
	const char *host; /* "mail.example.org" */
	unsigned port;
};

/* Where public_url leads; without one, phones go on with the name that they asked. */
static struct place
public_place(struct mf_arena *a, const struct mf_conf *top, const char *domain)
{
	const char *url = mf_conf_string(top, "public_url"), *colon;
	struct place p = { .port = 443 };
	uint32_t port;

	if (*url == '\0')
		url = mf_printf(a, "https://autodiscover.%s", domain);
	p.url = url;
	p.host = strstr(url, "://") == NULL ? url : strstr(url, "://") + 3;
	p.host = mf_strndup(a, p.host, strcspn(p.host, "/"));
	colon = strrchr(p.host, ':');
	if (colon != NULL && str_to_u32(colon + 1, 65535, &port)) {
		p.port = port;
		p.host = mf_strndup(a, p.host, (size_t)(colon - p.host));
	}
	return p;
}

/* ---- What is needed ---- */

static void
say_records(struct check *c, const char *domain, const struct place *p)
{
	if (str_istarts(p->host, "autodiscover."))
		check_say(c, CHECK_ADVICE, "autodiscover",
			"autodiscover.%s. A (and AAAA)  the address of this server", domain);
	else
		check_say(c, CHECK_ADVICE, "autodiscover", "autodiscover.%s. CNAME %s.", domain,
			p->host);
	check_say(c, CHECK_ADVICE, "autodiscover", "_autodiscover._tcp.%s. SRV 0 0 %u %s.", domain,
		p->port, p->host);
}

/* ---- Whether it is there ---- */

static bool
check_name(struct check *c, struct mf_arena *a, const char *name)
{
	struct dns_answers found;
	struct mf_error err = { .text = "" };
	enum mf_status st = dns_addresses(c->resolver, name, a, &found, &err);
	struct mf_buf all;

	if (st != MF_OK) {
		check_say(c, CHECK_ERROR, "autodiscover", "%s: %s", name, err.text);
		return false;
	}
	mf_buf_init(&all, 0);
	for (size_t i = 0; i < found.n; i++)
		mf_buf_printf(&all, " %s", found.all[i].name);
	check_say(c, CHECK_OK, "autodiscover", "%s:%s", name, mf_buf_str(&all));
	mf_buf_deinit(&all);
	return true;
}

/* Only some clients look for it, so a missing one is no error; one that leads elsewhere is. */
static void
check_service(struct check *c, struct mf_arena *a, const char *domain, const struct place *p)
{
	const char *name = mf_printf(a, "_autodiscover._tcp.%s", domain);
	struct dns_answers found;
	struct mf_error err = { .text = "" };
	enum mf_status st = dns_services(c->resolver, name, a, &found, &err);

	if (st != MF_OK) {
		check_say(c, st == MF_GONE ? CHECK_ADVICE : CHECK_WARNING, "autodiscover", "%s: %s",
			name, err.text);
		return;
	}
	for (size_t i = 0; i < found.n; i++) {
		const struct dns_answer *s = &found.all[i];
		bool ours = str_ieq(s->name, p->host) && s->port == p->port;

		check_say(c, ours ? CHECK_OK : CHECK_ERROR, "autodiscover", "%s: %s port %u%s",
			name, s->name, s->port,
			ours ? "" : ", which is not where public_url leads");
	}
}

/* "*.example.org" is good for one label. */
static bool
covers(const char *names, const char *host)
{
	const char *dot = strchr(host, '.');

	for (size_t n; *names != '\0'; names += n + (names[n] == ' ')) {
		n = strcspn(names, " ");
		if ((n == strlen(host) && str_ieqn(names, host, n)) ||
			(n > 2 && names[0] == '*' && dot != NULL && strlen(dot) == n - 1 &&
				str_ieqn(names + 1, dot, n - 1)))
			return true;
	}
	return false;
}

/* Our own certificate; a proxy's is seen by asking. */
static void
check_certificate(struct check *c, struct mf_arena *a, const char *host)
{
	const struct mf_conf *top = conf_top(c->conf);
	const char *file = mf_conf_string(top, "tls_certificate");
	struct http_certificate cert;

	if (*file == '\0' || http_certificate_load(
				     a, file, mf_conf_string(top, "tls_key"), &cert, NULL) != MF_OK)
		return; /* check_tls says why */
	check_say(c, covers(cert.names, host) ? CHECK_OK : CHECK_ERROR, "autodiscover", "%s %s %s",
		file, covers(cert.names, host) ? "holds" : "does not hold", host);
}

static void
check_answer(struct check *c, struct mf_arena *a, const char *url, const char *domain)
{
	struct client_options o = { .url = mf_printf(a,
					    "%s/autodiscover/autodiscover.json?Email=check%%40%s"
					    "&Protocol=ActiveSync",
					    url, domain),
		.ca_file = c->ca_file,
		.timeout_s = TIMEOUT_S };
	struct client_request r = { .method = "GET" };
	struct client_answer answer;
	struct mf_error err = { .text = "" };
	struct client *client = client_new(&o);
	const char *text;

	if (client_call(client, &r, &answer, &err) != MF_OK) {
		check_say(c, CHECK_ERROR, "autodiscover", "%s: %s", url, err.text);
	} else {
		text = mf_strndup(a, (const char *)answer.body.data, answer.body.len);
		if (answer.http_status == 200 && strstr(text, "\"Url\":\"") != NULL)
			check_say(c, CHECK_OK, "autodiscover", "%s answers: %s", url, text);
		else
			check_say(c, CHECK_ERROR, "autodiscover",
				"%s answers HTTP %u, and not as Autodiscover does", url,
				answer.http_status);
	}
	client_free(client);
}

void
check_autodiscover(struct check *c)
{
	struct mf_arena *a = mf_arena_new();
	const char *domain = c->autodiscover;
	const char *name = mf_printf(a, "autodiscover.%s", domain);
	struct place p = public_place(a, conf_top(c->conf), domain);

	say_records(c, domain, &p);
	check_certificate(c, a, name);
	if (check_name(c, a, name))
		check_answer(c, a, mf_printf(a, "https://%s", name), domain);
	if (!str_ieq(p.host, name)) {
		check_certificate(c, a, p.host);
		check_name(c, a, p.host);
		check_answer(c, a, p.url, domain);
	}
	check_service(c, a, domain, &p);
	mf_arena_free(a);
}
