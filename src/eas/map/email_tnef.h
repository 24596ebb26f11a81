/*
 * A message with its winmail.dat open: the files in it take its place among the attachments, and its text serves
 * where the message has none. Knows structures; must not know how it was opened.
 */
#ifndef EAS_MAP_EMAIL_TNEF_H
#define EAS_MAP_EMAIL_TNEF_H

#include "mailferry/backend.h"
#include "mime/structure.h"
#include "mime/tnef.h"

/* What the item that is being shown has in it. */
struct tnef_shown {
	const char *section;	      /* of the part */
	const struct mime_tnef *tnef; /* NULL: nothing is open */
};

/* Changes what was read of the structure. */
void email_tnef_apply(struct mf_arena *a, const struct tnef_shown *shown, struct mime_structure *s);

/* Takes out what no store can be asked for: texts that are in the TNEF. Returns how many are left. */
size_t email_tnef_choose(struct mf_section_want *list, size_t n);

/* The meeting of a TNEF as a calendar, in the arena; the header is the message's. */
struct mf_bytes email_tnef_calendar(
	struct mf_arena *a, const struct mime_tnef *t, const struct mime_header *header);

/* The item with those texts, and the calendar, among its sections. */
struct mf_item email_tnef_item(
	struct mf_arena *a, const struct tnef_shown *shown, const struct mf_item *item);

#endif
