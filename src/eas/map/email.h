/*
 * Mail to elements: what Sync, ItemOperations, Search and Find show of a message (MS-ASEMAIL 2.2.2,
 * MS-ASAIRS). Knows no command and no backend.
 */
#ifndef EAS_MAP_EMAIL_H
#define EAS_MAP_EMAIL_H

#include "eas/map/body.h"
#include "eas/map/email_tnef.h"
#include "eas/map/meeting_type.h"
#include "state/flag.h"

/* What to ask the backend for besides sections. */
enum {
	EMAIL_WANT = MF_WANT_FLAGS | MF_WANT_DATE | MF_WANT_SIZE | MF_WANT_HEADER |
		     MF_WANT_STRUCTURE | MF_WANT_THREAD
};
/* The header fields that the elements come from, NULL at the end. */
extern const char *const email_fields[];

/* How items of one collection are shown. */
struct email_view {
	enum eas_version version;
	struct body_options body;
	uint32_t folder;	/* its number: part of FileReference */
	struct tnef_shown tnef; /* what is in the item's winmail.dat; tnef NULL: it stays closed */
	struct mf_arena *scratch; /* for one item; the caller frees it between items */
	struct state *state;	  /* what is known of conversations; NULL: nothing is */
	uint32_t user;		  /* number in STATE_SYNC */
	/* What is known of the folder's flags, replies and forwards; {0}: nothing is. */
	struct state_flags flags, verbs;
	struct meeting_memory meetings;
	const char *address; /* the user's own; NULL: unknown */
	/* What email_choose has read of an item serves email_write, too, when the caller keeps `scratch` from
	 * the one to the other for items that come as they were chosen. */
	bool keeps;
	struct email_parts *chosen; /* of the item chosen_id, in that scratch; NULL: of none */
	uint64_t chosen_id;
};

/* Reads flags and verbs of a folder from view->state, view->user; without them flags are plain. What is known of
 * meetings is read when one comes, into the arena, which outlives the view. */
struct state_folder;
void email_view_load(struct email_view *v, const struct state_folder *folder, struct mf_arena *a);

/* The sections that the item's body needs: for mf_fetch.choose. Adds their size to *bytes. */
size_t email_choose(struct email_view *v, const struct mf_item *item, struct mf_section_want *out,
	uint64_t *bytes);

/* Writes the children of ApplicationData (or Properties) of a fetched item. flags and keywords are the
 * item's unless mark is given (what the client was promised). */
void email_write(struct wbxml_writer *w, struct email_view *v, const struct mf_item *item);

/* Writes only what a change of flags and keywords changes: Read, Flag, Categories. before: what the
 * client holds; elements that are the same are left out. */
struct sync_mark;
void email_write_change(struct wbxml_writer *w, struct email_view *v, uint64_t id,
	const struct sync_mark *before, const struct sync_mark *now);

/* "2026-11-21T01:52:38.000Z" (MS-ASDTYPE 2.3). */
const char *email_date(struct mf_arena *a, int64_t when);

#endif
