/*
 * The other commands that a phone needs: Provision, SendMail and its relatives, ItemOperations, MoveItems.
 * Statuses are the protocol's numbers; an empty answer (HTTP 200) counts as 1.
 */
#ifndef CLIENT_MAIL_H
#define CLIENT_MAIL_H

#include "client/client.h"

/* Provision in its two steps (MS-ASPROV 3.1.5.1), with DeviceInformation from 14.1 on; the client goes on
 * with the key that it got. status 2: the server has no policy. wipe: a remote wipe is asked for. */
struct client_provision_result {
	unsigned status, policy_status;
	bool wipe;
};
enum mf_status client_provision(
	struct client *c, struct client_provision_result *out, struct mf_error *err);

/* Sends MIME as it is: SendMail, SmartReply or SmartForward (then with the source's ids). Before 14.0 the
 * body is the MIME itself. client_id: up to 40 characters, the same for a repetition. */
struct client_sending {
	const char *command; /* NULL: "SendMail" */
	const char *client_id;
	struct mf_bytes mime;
	const char *folder_id, *item_id; /* the source; NULL for SendMail */
	bool save, replace_mime;
};
enum mf_status client_send(
	struct client *c, const struct client_sending *s, unsigned *status, struct mf_error *err);

/* What to fetch: an item by ids (or a search result by its LongId), or an attachment. */
struct client_wish {
	const char *folder_id, *item_id, *long_id, *file_reference;
	unsigned body_type; /* 0: no BodyPreference */
	int64_t truncation; /* -1: whole */
	int mime_support;   /* -1: not sent */
	const char *range;  /* of an attachment: "0-99"; NULL: all */
};
struct client_fetched {
	unsigned status; /* of this fetch */
	const struct wbxml_node *properties;
	unsigned body_type;
	bool truncated;
	struct mf_bytes data;	  /* the body, or the attachment decoded */
	const char *content_type; /* of an attachment; "" */
};
/* Everything in out lives as long as the answer. */
enum mf_status client_fetch(struct client *c, const struct client_wish *wish,
	struct client_answer *answer, struct client_fetched *out, struct mf_error *err);

/* Moves one item. status 3: success; new_id in the arena then. */
enum mf_status client_move(struct client *c, struct mf_arena *a, const char *item_id,
	const char *from_folder, const char *to_folder, unsigned *status, const char **new_id,
	struct mf_error *err);

#endif
