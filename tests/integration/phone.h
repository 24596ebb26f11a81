/*
 * A phone for tests: src/client's client with its picture of the mailbox, and the questions that every
 * case asks. What must succeed ends the program when it does not.
 */
#ifndef TESTS_PHONE_H
#define TESTS_PHONE_H

#include "client/client.h"
#include "client/mailbox.h"
#include "client/sync.h"
#include "fixture.h"
#include "gateway.h"

struct phone {
	struct client *client;
	struct client_mailbox *mailbox;
	struct client_sync_options options;
};

/* A new device of this user, over plain HTTP, with an empty picture. password NULL: the right one. */
struct phone *phone_new(
	const struct gateway *g, const char *user, const char *password, const char *device);
/* Over HTTPS, trusting the certificates of ca (NULL: the system's). */
struct phone *phone_new_tls(
	const struct gateway *g, const char *user, const char *device, const char *ca);
/* One that speaks a certain version ("12.1"). */
struct phone *phone_new_version(
	const struct gateway *g, const char *user, const char *device, const char *version);
/* NULL is fine. */
void phone_free(struct phone *p);

/* FolderSync, which must succeed. */
struct client_hierarchy_result phone_hierarchy(struct phone *p);
/* By id, name or type ("inbox"); must exist. */
struct client_folder *phone_folder(struct phone *p, const char *name);

/* Sync until nothing more comes; must succeed and hold nothing odd (an item added twice, ...). */
struct client_sync_result phone_sync(struct phone *p, const char *folder);

/* Sync until an answer tells nothing. The first answer after one that was lost may tell only what that
 * one told: what happened since then comes with the next. */
void phone_settle(struct phone *p, const char *folder);

/* Requires of the phone's picture of the folder: as many messages, unread and flagged ones as IMAP
 * tells of the mailbox, and no difference from what a new phone gets that syncs from nothing. */
void phone_agrees(struct phone *p, const char *folder, const struct gateway *g, struct imap_talk *t,
	const char *user, const char *mailbox);

/* A FolderSync from nothing by hand: the HTTP status, 0 when the connection broke; the value of Retry-After
 * in retry_out (-1: none) unless NULL. */
unsigned phone_http_status(struct phone *p, int *retry_out);

#endif
