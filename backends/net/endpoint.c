/* Settings to an endpoint: the URL, the mode of TLS, the certificates to trust. Knows no connection. */
#include "endpoint.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mailferry/log.h"
#include "net/resume.h"

const char *const net_starttls_modes[] = { "auto", "required", "never", NULL };

static char *
copy(const char *s, size_t n)
{
	char *c = strndup(s, n);

	if (c == NULL)
		abort();
	return c;
}

/* What stands behind "scheme://"; NULL: another scheme. */
static const char *
behind_scheme(const char *url, const char *scheme)
{
	size_t n = scheme == NULL ? 0 : strlen(scheme);

	if (n == 0 || strncasecmp(url, scheme, n) != 0 || strncmp(url + n, "://", 3) != 0)
		return NULL;
	return url + n + 3;
}

/* name://host:port, names://[::1] */
static bool
parse_url(const char *url, struct net_endpoint *where)
{
	const struct net_protocol *p = where->protocol;
	const char *host = behind_scheme(url, p->tls), *end, *port;

	where->tls = host != NULL;
	if (!where->tls)
		host = behind_scheme(url, p->name);
	if (host == NULL)
		return false;
	if (*host == '[') {
		host++;
		end = strchr(host, ']');
		if (end == NULL)
			return false;
		port = end + 1;
	} else {
		end = port = host + strcspn(host, ":/");
	}
	where->host = copy(host, (size_t)(end - host));
	if (*port == ':') {
		port++;
		where->port = copy(port, strspn(port, "0123456789"));
		port += strlen(where->port);
	} else {
		where->port = copy(where->tls ? p->tls_port : p->port, SIZE_MAX);
	}
	return end > host && where->port[0] != '\0' && (*port == '\0' || strcmp(port, "/") == 0);
}

bool
net_is_this_machine(const char *host)
{
	struct in_addr in;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
		return true;
	return inet_pton(AF_INET, host, &in) == 1 && (ntohl(in.s_addr) >> 24) == 127;
}

static enum mf_status
make_context(struct net_endpoint *where, const char *ca_file, struct mf_error *err)
{
	const char *name = where->protocol->name;
	int ok;

	where->ctx = SSL_CTX_new(TLS_client_method());
	if (where->ctx == NULL)
		return mf_fail(err, MF_BROKEN, "%s: TLS cannot be set up", name);
	SSL_CTX_set_min_proto_version(where->ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(where->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					     SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(where->ctx, where->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (ca_file[0] != '\0')
		ok = SSL_CTX_load_verify_locations(where->ctx, ca_file, NULL);
	else
		ok = SSL_CTX_set_default_verify_paths(where->ctx);
	ERR_clear_error();
	where->resume = net_resume_new(where->ctx, where->verify);
	if (ok != 1 && where->verify)
		return mf_fail(
			err, MF_INVALID, "%s: ca_file %s: no certificates there", name, ca_file);
	return MF_OK;
}

enum mf_status
net_endpoint_read(const struct mf_conf *conf, const struct net_protocol *protocol,
	struct net_endpoint *where, struct mf_error *err)
{
	const char *mode = mf_conf_string(conf, "starttls"),
		   *name = mf_conf_string(conf, "tls_name");

	where->protocol = protocol;
	if (!parse_url(mf_conf_string(conf, "url"), where))
		return mf_fail(err, MF_INVALID, "%s: url: not %s://host or %s://host:port",
			protocol->name, protocol->tls != NULL ? protocol->tls : protocol->name,
			protocol->name);
	where->starttls = !where->tls && strcmp(mode, "never") != 0 &&
			  (strcmp(mode, "required") == 0 || !net_is_this_machine(where->host));
	where->verify = mf_conf_bool(conf, "verify");
	where->tls_name = copy(name[0] != '\0' ? name : where->host, SIZE_MAX);
	where->connect_ms = (int)mf_conf_number(conf, "connect_timeout") * 1000;
	where->command_ms = (int)mf_conf_number(conf, "command_timeout") * 1000;
	if (where->tls || where->starttls)
		return make_context(where, mf_conf_string(conf, "ca_file"), err);
	if (!net_is_this_machine(where->host))
		mf_log_warning("backend=%s warning=passwords-travel-in-plain-text", protocol->name);
	return MF_OK;
}

void
net_endpoint_deinit(struct net_endpoint *where)
{
	SSL_CTX_free(where->ctx);
	net_resume_free(where->resume);
	free(where->host);
	free(where->port);
	free(where->tls_name);
	*where = (struct net_endpoint){ .host = NULL };
}
