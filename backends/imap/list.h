/* What LIST tells, with roles and parents made out. */
#ifndef IMAP_LIST_H
#define IMAP_LIST_H

#include "session.h"

/* One folder as the server has it. Strings live in the listing's arena. */
struct imap_entry {
	const char *id;	    /* the name on the wire; INBOX in capitals */
	const char *parent; /* its id; NULL at the top */
	const char *name;   /* the last component, UTF-8 */
	const char *identity;
	uint32_t epoch;
	unsigned flags;	      /* mf_folder_flags */
	enum mf_role special; /* by the server's attribute */
	enum mf_role role;
	bool shown;
	char delimiter;
};

struct imap_listing {
	struct mf_session *s;
	struct mf_arena *a;
	struct imap_entry **entries; /* sorted: parents before their children */
	size_t n, cap;
	uint32_t *slots; /* index + 1 by the id's hash */
	size_t n_slots;
	bool has_inbox, too_many;
};

/* All folders of the user. The listing lives as long as the arena. */
enum mf_status imap_list(
	struct mf_session *s, struct mf_arena *a, struct imap_listing *out, struct mf_error *err);

struct imap_entry *imap_listing_find(const struct imap_listing *l, const char *id);

/* The namespaces are known afterwards (namespace.c). */
enum mf_status imap_names(struct mf_session *s, struct mf_error *err);

/* What LIST says of one folder: MF_OK: it holds items; MF_REFUSED: it is only a parent; MF_GONE. */
enum mf_status imap_exists(struct mf_session *s, const char *folder, struct mf_error *err);

#endif
