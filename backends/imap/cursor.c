/* Cursors as bytes: a version, then numbers, the most significant byte first. Pure. */
#include "cursor.h"

enum { VERSION = 1, LENGTH = 21 };

static void
put(struct mf_buf *out, uint64_t n, unsigned bytes)
{
	while (bytes-- > 0)
		mf_buf_add_byte(out, (uint8_t)(n >> (8 * bytes)));
}

static uint64_t
get(const uint8_t **p, unsigned bytes)
{
	uint64_t n = 0;

	while (bytes-- > 0)
		n = n << 8 | *(*p)++;
	return n;
}

void
imap_cursor_write(const struct imap_cursor *c, struct mf_buf *out)
{
	mf_buf_clear(out);
	put(out, VERSION, 1);
	put(out, c->uidvalidity, 4);
	put(out, c->uidnext, 4);
	put(out, c->modseq, 8);
	put(out, c->count, 4);
}

bool
imap_cursor_read(struct imap_cursor *c, struct mf_bytes text)
{
	const uint8_t *p = text.data;

	if (text.len != LENGTH || *p++ != VERSION)
		return false;
	c->uidvalidity = (uint32_t)get(&p, 4);
	c->uidnext = (uint32_t)get(&p, 4);
	c->modseq = get(&p, 8);
	c->count = (uint32_t)get(&p, 4);
	return true;
}

bool
imap_cursor_same(const struct imap_cursor *a, const struct imap_cursor *b)
{
	return a->uidvalidity == b->uidvalidity && a->uidnext == b->uidnext &&
	       a->modseq == b->modseq && a->count == b->count;
}
