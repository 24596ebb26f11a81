/*
 * The names of things that phones see: ServerId of an item and FileReference of an attachment. Knows
 * their spelling; must not know commands, backends or the state.
 *
 *	ServerId       FOLDER:ITEM                     5:1234
 *	FileReference  FOLDER:ITEM:SECTION:DATE-SIZE   5:1234:2.1:65a1b2c3-4d2
 *	LongId         FOLDER:ITEM::DATE-SIZE          5:1234::65a1b2c3-4d2
 *
 * A server may number a folder's items anew (UIDVALIDITY): then 5:1234 names another message. Phones
 * keep file references for long, so these also tell the date and the size of the message, in
 * hexadecimal: another message has others, and the same message under the same id is still right.
 */
#ifndef EAS_MAP_IDS_H
#define EAS_MAP_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/item.h"

const char *ids_item_print(struct mf_arena *a, uint32_t folder, uint64_t id);
/* False for anything but what ids_item_print writes; NULL is fine. */
bool ids_item_parse(const char *text, uint32_t *folder, uint64_t *id);

enum { IDS_SECTION_MAX = 63, IDS_FILE_MAX = 200 };

struct ids_file {
	uint32_t folder;
	uint64_t id;
	char section[IDS_SECTION_MAX + 1]; /* of digits and dots, or "" for the whole item */
	/* A file within winmail.dat is "2!3": its number, from 1 on, in the TNEF of section "2"; 0: the
	 * section itself. */
	unsigned inner;
	int64_t date;
	uint64_t size;
	bool bare; /* of ids_long_parse: date and size were not told */
};

/* item: with date and size. section: at most IDS_SECTION_MAX bytes. */
const char *ids_file_print(struct mf_arena *a, uint32_t folder, const struct mf_item *item,
	const char *section, unsigned inner);
bool ids_file_parse(const char *text, struct ids_file *out);
/* LongId (of Search): the whole item, spelt like a file of no section. A ServerId will do: then it is
 * `bare`. */
bool ids_long_parse(const char *text, struct ids_file *out);
/* Is this item, fetched with MF_WANT_DATE | MF_WANT_SIZE, the one that was meant? A bare one is
 * by its id. */
bool ids_file_matches(const struct ids_file *f, const struct mf_item *item);

#endif
