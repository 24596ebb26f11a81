/*
 * Writing HTML: everything that is not ours is escaped, whatever it holds. Knows tags, no page.
 */
#ifndef PAGE_HTML_H
#define PAGE_HTML_H

#include "mailferry/arena.h"
#include "mailferry/buf.h"

/* Text between tags or in an attribute with double quotes: escaped, repaired to valid UTF-8, without
 * control characters and without those that turn the direction of what follows. NULL is "". */
void html_text(struct mf_buf *b, const char *s);

/* Markup of ours. In fmt, %s is put in as html_text does; %d a number (int64_t), %m markup (a string of
 * ours), %% a percent sign. Nothing else is known. */
void html_add(struct mf_buf *b, const char *fmt, ...);

/* A value in a query or a form's body, percent-encoded. */
const char *html_query(struct mf_arena *a, const char *s);

/* "3 minutes ago", "never" for 0; and "2026-11-26 20:45 UTC". */
const char *html_ago(struct mf_arena *a, int64_t when);
const char *html_time(struct mf_arena *a, int64_t when);

#endif
