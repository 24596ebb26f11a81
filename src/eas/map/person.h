/*
 * People as the elements of the namespace GAL, and their pictures and certificates under the limits of
 * a request. Knows elements; must not know commands or backends.
 */
#ifndef EAS_MAP_PERSON_H
#define EAS_MAP_PERSON_H

#include "mailferry/directory.h"
#include "wbxml/wbxml.h"

/* Whether pictures are asked for, and how many of which size still fit (MS-ASCMD 2.2.3.104, .105). */
struct person_pictures {
	bool wanted;
	uint64_t max_size; /* bytes of one */
	uint64_t left;	   /* pictures */
};

/* From an element Picture (NULL: none is asked for) with its MaxSize and MaxPictures. False: a size over
 * 100 KB, or what is no number. */
bool person_pictures_read(const struct wbxml_node *picture, uint16_t max_size,
	uint16_t max_pictures, struct person_pictures *out);

/* The picture's Status (MS-ASCMD 2.2.3.177.12, .13): 1, 173 none, 174 too large, 175 too many. Counts
 * what is shown. */
unsigned person_picture_status(struct person_pictures *pictures, const struct mf_person *p);

/* What is known of a person, below Properties, and the picture where one is wanted. */
void person_write(
	struct wbxml_writer *w, const struct mf_person *p, struct person_pictures *pictures);

#endif
