/*
 * A real Dovecot for tests: contrib/tools/dovecot from C, and the few words of IMAP and LMTP by
 * which a test puts mail there and looks what became of it, without the code under test.
 *
 * Whatever goes wrong here ends the program with a message: a test without its server is no test.
 * Any account NAME exists with the password secret-NAME; take a name of your own (fixture_user) and
 * share the server with the other tests. One thread.
 */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dovecot {
	char dir[160];
	char mail[200]; /* mail of NAME: mail/NAME/Maildir (of the format maildir) */
	char ca[200];	/* the authority to trust, PEM */
	char log[200];
	uint16_t imap, imaps, lmtp, sieve, submission;
	bool own; /* started for this test alone: dovecot_end removes it */
	char url[64];
};

/* The server that CTest runs for all tests (MAILFERRY_DOVECOT names its directory), or, without one,
 * a server of its own. */
void dovecot_get(struct dovecot *d);

/* A server of its own, for tests that stop it or want options (d must stand until the program ends, or
 * dovecot_end): those of contrib/tools/dovecot, as in
 * a shell ("--format mdbox --cert expired"); "" for none. */
void dovecot_start(struct dovecot *d, const char *options);

/* A verb of contrib/tools/dovecot: stop, start, restart, kill, pause, continue. Own servers only. */
void dovecot_do(struct dovecot *d, const char *verb);

/* Removes an own server; leaves the shared one alone. */
void dovecot_end(struct dovecot *d);

/* Fills the mailbox of an account that has none yet with the output of a command that writes a maildir
 * ("contrib/demo/messages", "contrib/tools/corpus maildir"): run in the source directory with a new
 * directory as its last argument, and NOW fixed. Own servers only. */
void dovecot_fill(struct dovecot *d, const char *user, const char *command);

/* imap://127.0.0.1:PORT or imaps://127.0.0.1:PORT; stands until the next call. */
const char *dovecot_url(struct dovecot *d, bool tls);

/* How often text stands in Dovecot's log. */
size_t dovecot_log_count(const struct dovecot *d, const char *text);

/* Delivers over LMTP, as an MTA would; line ends of message may be bare LF. user may be
 * "name+Folder". */
void dovecot_deliver(const struct dovecot *d, const char *user, const char *message, size_t len);

/* A mail client of few words. */
struct imap_talk;

struct imap_talk *imap_talk_open(const struct dovecot *d, const char *user);

/* Sends one command (printf-like, without tag and line end) and returns all lines up to and with the
 * tagged one, which must be OK; owned by the session, until the next command. */
const char *imap_talk(struct imap_talk *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, where NO or BAD is an answer too. */
const char *imap_talk_any(struct imap_talk *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* APPEND; flags as in "\\Seen $Forwarded", date as in "01-Feb-2024 10:11:12 +0000" or NULL. */
void imap_talk_append(struct imap_talk *t, const char *folder, const char *flags, const char *date,
	const char *message, size_t len);

/* How many messages the folder has. */
unsigned imap_talk_count(struct imap_talk *t, const char *folder);

void imap_talk_close(struct imap_talk *t);

/* prefix and what makes it unique on this machine for now; stands until the end of the program. */
const char *fixture_user(const char *prefix);

/* A new directory below TMPDIR or /tmp that every uid can enter; removed by fixture_rmdir. */
void fixture_mkdir(char *out, size_t size);
void fixture_rmdir(const char *dir);

/* The whole file in malloc'ed memory with a NUL behind it. */
char *fixture_read(const char *path, size_t *len_out);

/* A connection to a port of 127.0.0.1. */
int fixture_connect(uint16_t port);

/* Prints and ends the program with status 3. */
void fixture_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* fn is called with a copy of the thing when the program ends before fixture_ended(thing) was: a failed
 * case leaves no server behind, though its variables are gone. Once more: the thing has changed. */
void fixture_at_end(void (*fn)(void *thing), const void *thing, size_t size);
void fixture_ended(const void *thing);

#endif
