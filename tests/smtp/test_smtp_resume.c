/*
 * TLS sessions that the next connection resumes: once each, only of servers whose certificate was good, no
 * more than a few. Client and server are in this process, without a socket.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/resume.h"

enum { KEPT = 32 };

static char certs[100];
static SSL_CTX *server, *client;
static struct net_resume *resume;

static void
setup(void)
{
	char text[400];

	strcpy(certs, "/tmp/mf-resume.XXXXXX");
	cr_assert_not_null(mkdtemp(certs));
	snprintf(text, sizeof text, CERTS " '%s'", certs);
	cr_assert_eq(system(text), 0);
	server = SSL_CTX_new(TLS_server_method());
	snprintf(text, sizeof text, "%s/server.pem", certs);
	cr_assert_eq(SSL_CTX_use_certificate_chain_file(server, text), 1);
	snprintf(text, sizeof text, "%s/server.key", certs);
	cr_assert_eq(SSL_CTX_use_PrivateKey_file(server, text, SSL_FILETYPE_PEM), 1);
}

/* The client; trusting: the authority that signed the server's certificate. */
static void
client_begin(bool verify, bool trusting)
{
	char text[200];

	client = SSL_CTX_new(TLS_client_method());
	snprintf(text, sizeof text, "%s/ca.pem", certs);
	if (trusting)
		cr_assert_eq(SSL_CTX_load_verify_locations(client, text, NULL), 1);
	resume = net_resume_new(client, verify);
}

static void
client_end(void)
{
	SSL_CTX_free(client);
	net_resume_free(resume);
}

static void
teardown(void)
{
	char command[200];

	SSL_CTX_free(server);
	snprintf(command, sizeof command, "rm -rf '%s'", certs);
	cr_assert_eq(system(command), 0);
}

TestSuite(smtp_resume, .init = setup, .fini = teardown);

/* A connection up to its first byte of text; whether it resumed another's session. */
static bool
connects(bool given)
{
	SSL *to = SSL_new(server), *from = SSL_new(client);
	BIO *a, *b;
	char text[10];
	int began = 0, accepted = 0;
	bool resumed;

	SSL_set_accept_state(to);
	SSL_set_connect_state(from);
	cr_assert_eq(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(to, a, a);
	SSL_set_bio(from, b, b);
	if (given)
		net_resume_give(resume, from);
	for (int i = 0; i < 20 && (began != 1 || accepted != 1); i++) {
		began = SSL_do_handshake(from);
		accepted = SSL_do_handshake(to);
	}
	cr_assert(began == 1 && accepted == 1);
	cr_assert_eq(SSL_write(to, "* OK\r\n", 6), 6);
	cr_assert_eq(SSL_read(from, text, sizeof text), 6);
	resumed = SSL_session_reused(from) == 1;
	SSL_shutdown(from);
	SSL_free(to);
	SSL_free(from);
	return resumed;
}

Test(smtp_resume, each_version)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		client_begin(true, true);
		SSL_CTX_set_max_proto_version(client, versions[i]);
		cr_assert_not(connects(true), "nothing to resume yet");
		for (int n = 0; n < 5; n++)
			cr_assert(connects(true), "version %#x, %d", (unsigned)versions[i], n);
		net_resume_forget(resume);
		cr_assert_not(connects(true), "forgotten");
		client_end();
	}
}

Test(smtp_resume, once_and_few)
{
	unsigned resumed = 0;

	client_begin(true, true);
	SSL_CTX_set_num_tickets(server, 1);
	for (int n = 0; n < KEPT + 10; n++)
		cr_assert_not(connects(false));
	SSL_CTX_set_num_tickets(server, 0);
	for (int n = 0; n < KEPT + 10; n++)
		resumed += connects(true);
	cr_assert_eq(resumed, KEPT, "%u", resumed);
	client_end();
}

/* A certificate that was not found good: its session is nobody's, where certificates count. */
Test(smtp_resume, not_unverified)
{
	client_begin(true, false);
	cr_assert_not(connects(true));
	cr_assert_not(connects(true));
	client_end();
	client_begin(false, false);
	cr_assert_not(connects(true));
	cr_assert(connects(true));
	client_end();
}
