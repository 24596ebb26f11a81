/* The cursor of a folder: what a phone's state keeps for us between two calls. */
#ifndef IMAP_CURSOR_H
#define IMAP_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/buf.h"

struct imap_cursor {
	uint32_t uidvalidity;
	uint32_t uidnext; /* what has this UID or a greater one is new */
	uint64_t modseq;  /* 0: the folder has none: compare everything */
	uint32_t count;	  /* messages in the folder */
};

bool imap_cursor_same(const struct imap_cursor *a, const struct imap_cursor *b);

/* Replaces out's content. */
void imap_cursor_write(const struct imap_cursor *c, struct mf_buf *out);
/* False: not ours, or of another version. */
bool imap_cursor_read(struct imap_cursor *c, struct mf_bytes text);

#endif
