/*
 * Searching mail over folders: what Search and Find share. Knows folders, the store's search and what
 * a device's last search found; must not know either command's elements.
 *
 * The results are in the order in which they are told: newest first, over all folders. The next page
 * of an unchanged search is told from what the first has found, without another search.
 */
#ifndef EAS_CMD_MAILSEARCH_H
#define EAS_CMD_MAILSEARCH_H

#include "base/digest.h"
#include "conversation/id.h"
#include "eas/map/email.h"
#include "eas/request.h"
#include "state/folder.h"

enum {
	MAILSEARCH_HITS_MAX = 1000,    /* that can be told of one search */
	MAILSEARCH_NEAR = 200,	       /* looked at when no more is wanted yet */
	MAILSEARCH_PAGE = 100,	       /* at most in one answer, and without a Range */
	MAILSEARCH_TIME_MS = 20 * 1000 /* for all folders together */
};

/* What is searched for. All that is given must be so. */
struct mailsearch {
	const struct mf_query *query;		    /* NULL: everything */
	const uint32_t *folders;		    /* numbers; 0 names the root, which has all */
	size_t n_folders;			    /* 0: all folders */
	bool deep;				    /* and what is below them */
	bool nothing;				    /* only what no folder of mail holds */
	const struct conversation_id *conversation; /* NULL: any */
	bool has_after, has_before;
	int64_t after, before;	     /* received: seconds since 1970, both outside */
	uint8_t digest[DIGEST_SIZE]; /* of the search itself: what an unchanged one has too */
	uint32_t last;		     /* the last result that is wanted now */
	bool remembered;	     /* take what an earlier one found, if it is still known */
};

struct mailsearch_hit {
	uint32_t folder;
	uint64_t id;
	int64_t date;
};

struct mailsearch_hits {
	struct mailsearch_hit *list; /* in the arena, newest first */
	size_t n;
	uint64_t total; /* of all that match, at least n */
	bool partial;	/* time was over, or a part of the server failed, before all was searched */
	bool remembered;
};

/* MF_RESYNC: a folder that the search names is not there. MF_GONE: m->remembered, but nothing is
 * known any more. */
enum mf_status mailsearch_run(struct eas_request *r, const struct state_folders *folders,
	const struct mailsearch *m, struct mailsearch_hits *out, struct mf_error *err);

/* "m-n" (MS-ASCMD 2.2.3.143): NULL is the first page. False: no range. Not bounded. */
bool mailsearch_range(const char *text, uint32_t *first, uint32_t *last);

/* The last of first to last that one answer tells. */
uint32_t mailsearch_page_end(uint32_t first, uint32_t last);

/* How hits are told: the fetched item as elements, into w. */
struct mailsearch_teller {
	struct body_options body;
	/* item has what EMAIL_WANT says and the sections that body asks for. */
	void (*write)(struct eas_request *r, struct wbxml_writer *w, struct email_view *v,
		const struct mailsearch_hit *hit, const struct mf_item *item);
};

/* Writes hits first to *last in their order. *last is moved back where the answer would grow too
 * large; *told is their count: what is gone meanwhile is left out. */
enum mf_status mailsearch_tell(struct eas_request *r, const struct state_folders *folders,
	const struct mailsearch_hits *hits, size_t first, size_t *last,
	const struct mailsearch_teller *t, size_t *told, struct mf_error *err);

#endif
