/*
 * Searching people, a page of them: what Search and Find share. Knows no element of either but what the
 * caller names.
 */
#ifndef EAS_CMD_PEOPLESEARCH_H
#define EAS_CMD_PEOPLESEARCH_H

#include "eas/map/person.h"
#include "eas/people.h"

/* The page that is asked for, and the answer. */
struct peoplesearch {
	const char *text;
	uint32_t first, last;
	struct person_pictures pictures;
	struct mf_person *list; /* out: this page, in the arena, with pictures where wanted */
	size_t n, total;
};

/* MF_INVALID: no text; MF_TOO_LARGE: one that is too long. Notes for the log. */
enum mf_status peoplesearch_run(
	struct eas_request *r, struct peoplesearch *s, struct mf_error *err);

#endif
