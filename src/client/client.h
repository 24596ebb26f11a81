/*
 * An ActiveSync client: one device of one user on one connection (MS-ASHTTP). Sends a command, gives the
 * HTTP status, the headers and the decoded tree. Knows no mailbox: see mailbox.h, sync.h and mail.h.
 *
 * One thread at a time may use a client; different clients share nothing. Strings of options are copied.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/error.h"
#include "wbxml/wbxml.h"

struct client_options {
	const char *url;  /* "https://host:port", with or without a path */
	const char *user; /* NULL: no credentials are sent */
	const char *password;
	const char *device_id;	 /* NULL: "mailferryprobe" */
	const char *device_type; /* NULL: "Mailferry" */
	const char *user_agent;	 /* NULL: "Mailferry/VERSION" */
	const char *version;	 /* of the protocol; NULL: "16.1" */
	const char *policy_key;	 /* NULL: "0" */
	const char *ca_file;	 /* certificates to trust; NULL: the system's */
	bool insecure;		 /* TLS: takes any certificate */
	bool base64;		 /* the query in base64, where the command has a code */
	bool tolerant;		 /* keeps unknown tags instead of failing */
	bool small_buffers;	 /* for thousands of clients that mostly wait */
	unsigned timeout_s;	 /* of an exchange besides client_request.wait_s; 0: 60 */
	size_t answer_max;	 /* bytes of an answer; 0: 256 MB */
	/* Called with lines for people: request and answer, as XML with secrets hidden. */
	void (*trace)(void *ctx, const char *text, size_t len);
	void *trace_ctx;
};

struct client;

/* Never NULL; a bad URL fails at the first call. */
struct client *client_new(const struct client_options *o);
/* NULL is fine. */
void client_free(struct client *c);

/* The key that the next requests carry, after Provision. */
void client_set_policy_key(struct client *c, const char *key);
const char *client_policy_key(const struct client *c);
/* 121, 140, 141, 160, 161: for what differs between versions. */
unsigned client_version(const struct client *c);

struct client_request {
	const char *method;	  /* NULL: "POST" */
	const char *command;	  /* "Sync"; NULL: no query at all (OPTIONS) */
	struct mf_bytes body;	  /* must live until the answer; empty: none */
	const char *content_type; /* NULL: application/vnd.ms-sync.wbxml, with a body */
	const char *attachment_name, *collection_id, *item_id, *long_id,
		*occurrence; /* NULL: not */
	bool save_in_sent, accept_multipart;
	const char *const *headers; /* "Name: value", NULL at the end; NULL: none */
	unsigned wait_s;	    /* how long the server may hold the request */
};

/* What came. Everything is the client's and lives until its next call. */
struct client_answer {
	unsigned http_status;
	struct mf_bytes body;
	struct wbxml_node *root; /* NULL: no body, or one that is not WBXML */
	const char *headers;	 /* as they came, a line each */
	int64_t first_byte_us, total_us;
};

/* Sends a request and waits for its answer. MF_OK: there is an HTTP answer, of whatever status.
 * MF_TEMPORARY: none came (refused, cut, timed out, certificate); MF_TOO_LARGE: over a limit;
 * MF_INVALID: a WBXML body that does not decode (out is filled but for the root). */
enum mf_status client_call(struct client *c, const struct client_request *r,
	struct client_answer *out, struct mf_error *err);

/* The same for a command whose body is written as XML. */
enum mf_status client_call_xml(struct client *c, const char *command, const char *xml,
	struct client_answer *out, struct mf_error *err);

/* HTTP OPTIONS: the headers tell versions and commands. */
enum mf_status client_ask_options(
	struct client *c, struct client_answer *out, struct mf_error *err);

/* What went over the wire since the client was made. */
struct client_stats {
	size_t exchanges;	 /* that got an answer */
	uint64_t sent, received; /* bytes of bodies */
	int64_t first_byte_us;	 /* of the first exchange */
	int64_t total_us;	 /* of all */
};
struct client_stats client_stats(const struct client *c);

/* The value of a header, compared without case, in the arena; NULL when absent. */
const char *client_answer_header(
	struct mf_arena *a, const struct client_answer *answer, const char *name);

/* What an HTTP status other than 200 means to us: MF_AUTH for 401, MF_TEMPORARY for 503, ... with the
 * error's text; MF_OK for 200. */
enum mf_status client_check_http(const struct client_answer *answer, struct mf_error *err);

/* The number in a child, or missing when there is none or it is no number. */
unsigned client_number(const struct wbxml_node *parent, uint16_t tag, unsigned missing);

#endif
