/*
 * winmail.dat (TNEF) opened for phones, which cannot: its files are shown as the message's attachments and its
 * text where the message has no other. Knows stores and files; must not know elements nor commands.
 *
 * What is inside can only be told when all of it has been read: the part is decoded into a file without a name
 * and read there, so that memory stays flat.
 */
#ifndef EAS_TNEF_H
#define EAS_TNEF_H

#include "eas/map/email_tnef.h"
#include "eas/request.h"

/* Larger ones (as transferred) stay closed: an attachment like any other. */
enum { TNEF_OPEN_MAX = 64 << 20 };

/* One that is open. */
struct tnef_opened {
	struct mime_tnef tnef; /* in the arena; its files' data are views into the file */
	const void *map;
	size_t len;
};

/* Opens the TNEF that is the section of an item, in that transfer encoding. MF_INVALID: it is none. MF_GONE: no such
 * section. *out is to be closed on MF_OK alone. */
enum mf_status tnef_open(struct eas_request *r, const struct mf_store_api *api,
	struct mf_session *session, const char *folder, uint64_t id, const char *section,
	const char *encoding, struct mf_arena *a, struct tnef_opened *out, struct mf_error *err);
void tnef_close(struct tnef_opened *t);

/* As the store's fetch, but each item that has a TNEF comes after all the others, with *shown telling what is in it
 * while choose and item are called. full (may be NULL): nothing more will be shown, so nothing is opened. What
 * cannot be opened is shown closed. */
enum mf_status tnef_fetch(struct eas_request *r, const struct mf_store_api *api,
	struct mf_session *session, const struct mf_fetch *f, struct tnef_shown *shown,
	bool (*full)(void *ctx), struct mf_error *err);

#endif
