/*
 * One section of one item, in pieces: while the caller takes one, the next is on its way. Pieces keep
 * the memory constant and let a slow caller wait without the server losing patience.
 */
#include <stdlib.h>
#include <string.h>

#include "attrs.h"
#include "command.h"
#include "select.h"
#include "store.h"
#include "structure.h"
#include "window.h"

enum { PIECE = 512 * 1024 };

struct piece {
	uint64_t id;
	const struct mf_section_want *what;
	uint64_t offset; /* of the piece whose command is waited for */
	/* What has come so far. A server may answer the next command before it ends this one. */
	uint64_t at;
	bool ended;   /* the last byte has come */
	bool missing; /* there is no such section, says the structure */
	struct mf_arena *a;
	bool cut;
	mf_write_fn *write;
	void *ctx;
};

static uint64_t
uid_of(struct imap_lex x)
{
	struct imap_attr a;

	while (imap_attrs_next(&x, &a)) {
		if (imap_bytes_is(a.name, "UID"))
			return imap_lex_number(&x);
		imap_lex_skip(&x);
	}
	return 0;
}

static uint64_t
length_at(const struct mf_section_want *what, uint64_t offset)
{
	uint64_t left = what->max == 0 ? UINT64_MAX : what->max - (offset - what->offset);

	return left < PIECE ? left : PIECE;
}

static enum mf_status
take(struct piece *p, const struct imap_attr *a, struct mf_bytes data)
{
	uint64_t asked = length_at(p->what, p->at), got = data.len < asked ? data.len : asked;

	if (data.data == NULL || !imap_bytes_is(a->section, p->what->section) ||
		(a->has_origin ? a->origin : 0) != p->at || p->ended || p->missing)
		return MF_OK;
	p->at += got;
	p->ended = got < asked || length_at(p->what, p->at) == 0;
	return got == 0 ? MF_OK : p->write(p->ctx, data.data, (size_t)got);
}

/* Comes with the first piece. */
static void
look(struct piece *p, struct imap_lex *x)
{
	const struct mf_part *top = imap_structure_read(p->a, x);

	p->missing = top != NULL && !imap_structure_has(top, p->what->section);
}

static enum mf_status
on_answer(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	struct piece *p = ctx;
	struct imap_attr a, body = { .has_section = false };
	struct mf_bytes data = mf_bytes(NULL, 0);

	(void)s;
	if (!imap_attrs_open(x) || uid_of(*x) != p->id)
		return MF_OK;
	p->cut = p->cut || cut;
	while (!cut && imap_attrs_next(x, &a)) {
		if (imap_bytes_is(a.name, "BODY") && a.has_section) {
			body = a;
			data = imap_lex_string(x);
		} else if (imap_bytes_is(a.name, "BODYSTRUCTURE")) {
			look(p, x);
		} else {
			imap_lex_skip(x);
		}
	}
	return body.has_section && !x->bad ? take(p, &body, data) : MF_OK;
}

static unsigned
ask(struct mf_session *s, const struct piece *p, uint64_t offset)
{
	return imap_command(s, "UID FETCH %llu (UID%s BODY.PEEK[%s]<%llu.%llu>)",
		(unsigned long long)p->id, offset == p->what->offset ? " BODYSTRUCTURE" : "",
		p->what->section, (unsigned long long)offset,
		(unsigned long long)length_at(p->what, offset));
}

/* The piece at p->offset; tag is its command's. */
static enum mf_status
one_piece(struct mf_session *s, struct piece *p, unsigned tag, struct mf_error *err)
{
	struct imap_result r;
	enum mf_status status;

	status = imap_wait(s, tag, on_answer, p, &r, err);
	if (status != MF_OK)
		return status;
	if (p->cut)
		return imap_fail(s, err, MF_TOO_LARGE, "a piece larger than the limits allow");
	if (r.condition != IMAP_OK)
		return imap_refused(s, &r, "UID FETCH", err);
	bool told = p->at > p->offset || p->ended;
	if (!told && p->offset == p->what->offset)
		return imap_fail(s, err, MF_GONE, "no message %llu with a section %s",
			(unsigned long long)p->id, p->what->section);
	return told ? MF_OK : imap_fail(s, err, MF_TEMPORARY, "a message has vanished");
}

static enum mf_status
all_pieces(struct mf_session *s, struct piece *p, struct mf_error *err)
{
	unsigned tag = ask(s, p, p->offset), next = 0;
	enum mf_status status = MF_OK;

	while (status == MF_OK && tag != 0) {
		uint64_t end = p->offset + length_at(p->what, p->offset);

		/* The next is asked for before this one is read. */
		next = length_at(p->what, end) > 0 ? ask(s, p, end) : 0;
		status = imap_flush(s, err);
		if (status == MF_OK)
			status = one_piece(s, p, tag, err);
		if (p->ended)
			break;
		p->offset = end;
		tag = next;
	}
	imap_drain(s);
	return status;
}

enum mf_status
imap_stream_part(struct mf_session *s, const char *folder, uint64_t id,
	const struct mf_section_want *what, mf_write_fn *write, void *ctx, struct mf_error *err)
{
	struct piece p = { .id = id,
		.what = what,
		.offset = what->offset,
		.at = what->offset,
		.write = write,
		.ctx = ctx };
	enum mf_status status = imap_select(s, folder, id, err);

	if (status != MF_OK)
		return status;
	if (id == 0 || id > UINT32_MAX || !imap_section_valid(what->section))
		return imap_fail(s, err, MF_GONE, "no such message or section");
	p.a = mf_arena_new();
	status = all_pieces(s, &p, err);
	mf_arena_free(p.a);
	net_stream_shrink(&s->stream);
	return status;
}
