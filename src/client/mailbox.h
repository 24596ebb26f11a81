/*
 * A picture of a mailbox in memory: what a phone would hold after what it was told. Knows folders, items
 * and what is odd about an answer (an item added twice, a change of one never seen); knows no network.
 * One thread at a time.
 */
#ifndef CLIENT_MAILBOX_H
#define CLIENT_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wbxml/wbxml.h"

enum client_flag { CLIENT_UNFLAGGED = 0, CLIENT_COMPLETE = 1, CLIENT_FLAGGED = 2 };

/* A message as last told. Strings are "" where nothing was told; all belong to the item. */
struct client_item {
	const char *id; /* the server's */
	const char *subject, *from, *to, *date, *message_class;
	bool read;
	uint8_t flag; /* client_flag */
	uint8_t importance;
	uint16_t attachments;
	uint8_t body_type, native_body_type; /* 0: no body was told */
	bool truncated;
	uint64_t body_size;   /* EstimatedDataSize */
	struct mf_bytes body; /* kept only when client_sync_options.keep_bodies asks for it */
	uint8_t conversation[16];
	bool has_conversation;
};

/* What the client itself wants to change; sent with the next Sync, and again until an answer is applied. */
enum client_edit_kind { CLIENT_EDIT_READ, CLIENT_EDIT_FLAG, CLIENT_EDIT_DELETE };

struct client_edit {
	enum client_edit_kind kind;
	char *id;
	uint8_t value; /* read: 0 or 1; flag: client_flag */
	bool refused;  /* by the server, in the answer that is being applied */
};

/* What must not happen. */
struct client_oddities {
	size_t added_twice, changed_unknown, deleted_unknown;
};

struct client_folder {
	char *id, *parent, *name;
	unsigned type; /* MS-ASCMD 2.2.3.186.3: 2 is the Inbox */
	char *key;     /* the SyncKey to send next; "0" at first */
	bool more;     /* the last answer said MoreAvailable */
	struct client_item **slots;
	size_t n_items, n_slots;
	struct client_edit *edits;
	size_t n_edits;
	size_t n_sent; /* how many of them the last request that was built carries */
	struct client_oddities odd;
};

struct client_mailbox {
	char *key; /* of FolderSync; "0" at first */
	struct client_folder **folders;
	size_t n_folders;
	struct client_oddities odd; /* of folders */
};

struct client_mailbox *client_mailbox_new(void);
/* NULL is fine. */
void client_mailbox_free(struct client_mailbox *m);

/* NULL when there is none. The name is compared with id, then name, then ("inbox", "sent", ...) what the
 * type says, without case. */
struct client_folder *client_folder_by_id(const struct client_mailbox *m, const char *id);
struct client_folder *client_folder_find(const struct client_mailbox *m, const char *name);
/* "inbox", "drafts", ...: "folder" for those of the user. */
const char *client_folder_type_name(unsigned type);

/* Adds a folder or changes it, and removes one with its items. */
struct client_folder *client_folder_put(struct client_mailbox *m, const char *id,
	const char *parent, const char *name, unsigned type);
void client_folder_remove(struct client_mailbox *m, const char *id);
/* Forgets items, key and edits: the next Sync is a first one. */
void client_folder_reset(struct client_folder *f);
void client_folder_set_key(struct client_folder *f, const char *key);
void client_mailbox_set_key(struct client_mailbox *m, const char *key);

/* NULL when there is none; valid until the folder changes. */
const struct client_item *client_item_find(const struct client_folder *f, const char *id);
/* All items, newest first by date; free() the array. */
const struct client_item **client_items_sorted(const struct client_folder *f);

/* Takes what ApplicationData tells about an item: all of a new one, or only what is told of a known
 * one. keep: with the body's data. */
void client_item_put(
	struct client_folder *f, const char *id, const struct wbxml_node *data, bool keep);
/* Whether it was there. */
bool client_item_remove(struct client_folder *f, const char *id);

/* Queues a change by the user; the picture changes when the server took it. */
void client_edit_read(struct client_folder *f, const char *id, bool read);
void client_edit_flag(struct client_folder *f, const char *id, enum client_flag flag);
void client_edit_delete(struct client_folder *f, const char *id);
/* Applies the edits that were sent and not refused to the picture, and forgets those sent. */
void client_edits_settle(struct client_folder *f);
/* Forgets all. */
void client_edits_clear(struct client_folder *f);

/* The first difference in ids, read, flag or subject of two folders as a sentence in out (for tests:
 * phone against phone); false when there is none. */
bool client_folder_differs(
	const struct client_folder *a, const struct client_folder *b, struct mf_buf *out);

#endif
