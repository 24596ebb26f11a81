/*
 * People: asked of the directory (mailferry/directory.h), or, where no backend has one, of those whom
 * the user has written to (recent.h). What Search, Find and ResolveRecipients share. Knows no elements.
 */
#ifndef EAS_PEOPLE_H
#define EAS_PEOPLE_H

#include "eas/facet.h"
#include "mailferry/directory.h"

enum {
	PEOPLE_TEXT_MAX = 256,	/* bytes of a search text (MS-ASCMD 2.2.3.183) */
	PEOPLE_FOUND_MAX = 500, /* people that one search sorts */
};

/* A question to the directory, open for a command. */
struct people {
	struct eas_request *r;
	struct facet facet;
	const struct mf_directory_api *api; /* NULL: there is no directory */
};

struct people_list {
	struct mf_person *list; /* in the request's arena, by name */
	size_t n;
	bool more; /* there are others than these */
};

/* MF_TEMPORARY, MF_AUTH: the directory cannot be asked; nothing is to be closed then. */
enum mf_status people_open(struct eas_request *r, struct people *p, struct mf_error *err);
void people_close(struct people *p);

/* Who matches (mf_people_find), at most `max` (PEOPLE_FOUND_MAX at most), without what is heavy. */
enum mf_status people_find(struct people *p, const char *text, bool exact, size_t max,
	struct people_list *out, struct mf_error *err);

/* Fills in what `want` says of n people. */
enum mf_status people_read(
	struct people *p, struct mf_person *list, size_t n, unsigned want, struct mf_error *err);

/* The people in a group, at most `max` of *total. */
enum mf_status people_members(struct people *p, const char *group, size_t max,
	struct people_list *out, size_t *total, struct mf_error *err);

#endif
