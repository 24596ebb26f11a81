/*
 * Where a server is and how it is reached: the settings that all backends over TCP have alike, and what is
 * made of them. Knows no protocol but its name and ports.
 */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "mailferry/conf.h"
#include "mailferry/error.h"

/* A protocol's names: "smtp" and "smtps", with the ports of scheme://host. A constant. */
struct net_protocol {
	const char *name; /* also of the backend, in errors and the log */
	const char *port; /* of NAME:// */
	const char *tls,
		*tls_port; /* of what is encrypted from the first byte; NULL: there is none */
};

struct net_resume;

/* Where to, and how. Owned by the backend, shared by its sessions, read only. */
struct net_endpoint {
	const struct net_protocol *protocol;
	char *host, *port;
	bool tls;		   /* TLS from the first byte */
	bool starttls;		   /* STARTTLS before anything else, or no session */
	bool verify;		   /* the certificate and its name */
	char *tls_name;		   /* the name that the certificate must have */
	SSL_CTX *ctx;		   /* NULL when neither tls nor starttls */
	struct net_resume *resume; /* of ctx; the only part that changes, with a lock of its own */
	int connect_ms, command_ms;
	/* Bounds for those who read what the server says. */
	size_t max_line, max_literal; /* bytes of one answer: outside its literals, in one */
	unsigned max_depth;	      /* of parentheses */
};

extern const char *const net_starttls_modes[];

/* The rows of a backend's table that net_endpoint_read reads, besides url, connect_timeout and
 * command_timeout, whose defaults differ. */
/* clang-format off */
#define NET_TLS_SETTINGS(scheme) \
	{ .name = "starttls", .type = MF_SETTING_CHOICE, .value = "auto", .choices = net_starttls_modes, \
		.help = "With " scheme "://: encrypt before logging in; auto: yes, except to this machine itself." }, \
	{ .name = "verify", .type = MF_SETTING_BOOL, .value = "yes", \
		.help = "Check the server's certificate and its name." }, \
	{ .name = "ca_file", .type = MF_SETTING_STRING, .value = "", \
		.help = "Certificates to trust (PEM) instead of the system's." }, \
	{ .name = "tls_name", .type = MF_SETTING_STRING, .value = "", \
		.help = "The name that the certificate has, where it is not the host's." }
/* clang-format on */

/* Reads url and the rows above; says in the log when passwords will travel unprotected. On failure, too,
 * net_endpoint_deinit frees what there is. */
enum mf_status net_endpoint_read(const struct mf_conf *conf, const struct net_protocol *protocol,
	struct net_endpoint *where, struct mf_error *err);
void net_endpoint_deinit(struct net_endpoint *where);

/* host is a name or address of this machine itself. */
bool net_is_this_machine(const char *host);

#endif
