/* Charts as SVG within a page, with the same figures as a table for whoever cannot see them. */
#ifndef PAGE_CHART_H
#define PAGE_CHART_H

#include <stdint.h>

#include "mailferry/buf.h"

enum { CHART_SERIES = 2 };

struct chart {
	const char *id, *title;		 /* id: unique in the page */
	const char *names[CHART_SERIES]; /* what a bar's parts are, from below; NULL: only one */
	const int64_t *values[CHART_SERIES]; /* n of each, oldest first */
	size_t n;
	int64_t began, step; /* seconds since 1970 of the first bar; seconds a bar */
};

void chart_write(struct mf_buf *out, const struct chart *c);

#endif
