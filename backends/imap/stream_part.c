/*
 * One section of one item, passed on as it comes: the whole is asked for at once (pieces cost some servers
 * twice the time), and nobody holds it. A caller that is slow holds the server back.
 */
#include <stdlib.h>
#include <string.h>

#include "ahead.h"
#include "attrs.h"
#include "command.h"
#include "select.h"
#include "store.h"
#include "structure.h"
#include "window.h"

/* What one command asks for at most: lengths in IMAP end at 32 bits. */
#define PIECE (UINT64_C(1) << 30)

struct piece {
	uint64_t id;
	const struct mf_section_want *what;
	uint64_t offset, asked; /* of the command that is under way; asked UINT64_MAX: all */
	uint64_t got;		/* of it */
	bool told;		/* it has been answered */
	bool missing;		/* there is no such section, says the structure */
	bool wrong;		/* an answer for another message brought content */
	bool cut;
	struct mf_arena *a;
	uint8_t line[4096]; /* of an answer that may bring content */
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

static bool
is_ours(const struct piece *p, const struct imap_attr *a)
{
	return imap_bytes_is(a->name, "BODY") && a->has_section &&
	       imap_bytes_is(a->section, p->what->section) &&
	       (a->has_origin ? a->origin : 0) == p->offset;
}

/* More than was asked for is not taken. */
static enum mf_status
pass(void *ctx, const void *data, size_t len)
{
	struct piece *p = ctx;
	uint64_t room = p->asked - p->got;

	if (len > room)
		len = (size_t)room;
	p->got += len;
	return len == 0 ? MF_OK : p->write(p->ctx, data, len);
}

/* The beginning is "* 1 FETCH (UID 5 BODY[2] {": the last attribute tells what follows. */
static bool
wants(void *ctx, struct mf_bytes beginning, uint64_t n)
{
	struct piece *p = ctx;
	struct imap_attr a, last = { .has_section = false };
	struct imap_lex x;

	(void)n;
	if (p->told || p->missing || beginning.len < 4 || beginning.len > sizeof(p->line))
		return false;
	memcpy(p->line, beginning.data, beginning.len);
	x = imap_lex_over(mf_bytes(p->line + 2, beginning.len - 2));
	if (!imap_attrs_open(&x))
		return false;
	while (imap_attrs_next(&x, &a)) {
		last = a;
		if (imap_lex_peek(&x, '{') || imap_lex_peek(&x, '~'))
			break;
		if (imap_bytes_is(a.name, "UID") && imap_lex_number(&x) != p->id)
			return false;
		if (!imap_bytes_is(a.name, "UID"))
			imap_lex_skip(&x);
	}
	p->told = !x.bad && is_ours(p, &last);
	return p->told;
}

/* Comes before the content. */
static void
look(struct piece *p, struct imap_lex *x)
{
	const struct mf_part *top = imap_structure_read(p->a, x);

	p->missing = top != NULL && !imap_structure_has(top, p->what->section);
}

/* Content that was no literal: short, or the empty rest of one that was passed on. */
static enum mf_status
take(struct piece *p, struct mf_bytes data)
{
	if (data.data == NULL || p->missing || p->told)
		return MF_OK;
	p->told = true;
	return pass(p, data.data, data.len);
}

static enum mf_status
on_answer(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	struct piece *p = ctx;
	struct imap_attr a;
	enum mf_status status = MF_OK;

	(void)s;
	if (!imap_attrs_open(x))
		return MF_OK;
	if (uid_of(*x) != p->id) {
		p->wrong = p->wrong || p->got > 0;
		return MF_OK;
	}
	p->cut = p->cut || cut;
	while (status == MF_OK && !cut && imap_attrs_next(x, &a)) {
		if (is_ours(p, &a))
			status = take(p, imap_lex_string(x));
		else if (imap_bytes_is(a.name, "BODYSTRUCTURE"))
			look(p, x);
		else
			imap_lex_skip(x);
	}
	return status;
}

static unsigned
ask(struct mf_session *s, const struct piece *p)
{
	imap_begin(s);
	imap_putf(s, "UID FETCH %llu (UID BODY.PEEK[%s]", (unsigned long long)p->id,
		p->what->section);
	if (p->asked != UINT64_MAX)
		imap_putf(s, "<%llu.%llu>", (unsigned long long)p->offset,
			(unsigned long long)p->asked);
	imap_put(s, ")");
	return imap_end(s);
}

/* What the next command asks for. */
static uint64_t
length_at(const struct mf_section_want *what, uint64_t offset)
{
	uint64_t left = what->max == 0 ? UINT64_MAX : what->max - (offset - what->offset);

	if (offset == 0 && what->max == 0)
		return UINT64_MAX;
	return left < PIECE ? left : PIECE;
}

static enum mf_status
one_piece(struct mf_session *s, struct piece *p, bool first, struct mf_error *err)
{
	struct imap_result r;
	unsigned tag;
	enum mf_status status;

	p->got = 0;
	p->told = false;
	if (first)
		imap_command(s, "UID FETCH %llu (UID BODYSTRUCTURE)", (unsigned long long)p->id);
	tag = ask(s, p);
	status = imap_run(s, tag, on_answer, p, &r, err);
	if (status != MF_OK)
		return status;
	if (p->cut)
		return imap_fail(s, err, MF_TOO_LARGE, "an answer larger than the limits allow");
	if (r.condition != IMAP_OK)
		return imap_refused(s, &r, "UID FETCH", err);
	if (p->wrong)
		return imap_fail(s, err, MF_TEMPORARY, "the content of another message came");
	if (!p->told && first)
		return imap_fail(s, err, MF_GONE, "no message %llu with a section %s",
			(unsigned long long)p->id, p->what->section);
	return p->told ? MF_OK : imap_fail(s, err, MF_TEMPORARY, "a message has vanished");
}

static enum mf_status
all_pieces(struct mf_session *s, struct piece *p, struct mf_error *err)
{
	enum mf_status status = MF_OK;
	bool more = true;

	p->offset = p->what->offset;
	while (status == MF_OK && more) {
		p->asked = length_at(p->what, p->offset);
		status = one_piece(s, p, p->offset == p->what->offset, err);
		more = p->asked != UINT64_MAX && p->got == p->asked;
		p->offset += p->got;
		more = more && length_at(p->what, p->offset) > 0;
	}
	return status;
}

/* Literals of what is read ahead are not for the sink: that was put aside. */
static enum mf_status
run(struct mf_session *s, const char *folder, struct piece *p, struct mf_error *err)
{
	struct imap_sink sink = { .wants = wants, .take = pass, .ctx = p };
	enum mf_status status = imap_select(s, folder, p->id, err);

	if (status != MF_OK)
		return status;
	if (p->id == 0 || p->id > UINT32_MAX || !imap_section_valid(p->what->section))
		return imap_fail(s, err, MF_GONE, "no such message or section");
	p->a = mf_arena_new();
	s->sink = &sink;
	status = all_pieces(s, p, err);
	imap_drain(s);
	s->sink = NULL;
	mf_arena_free(p->a);
	net_stream_shrink(&s->stream);
	return status;
}

enum mf_status
imap_stream_part(struct mf_session *s, const char *folder, uint64_t id,
	const struct mf_section_want *what, mf_write_fn *write, void *ctx, struct mf_error *err)
{
	struct piece p = { .id = id, .what = what, .write = write, .ctx = ctx };
	struct imap_ahead *aside;
	enum mf_status status = imap_ahead_aside(s, folder, &aside, err);

	if (status == MF_OK)
		status = run(s, folder, &p, err);
	imap_ahead_back(s, aside);
	return status;
}
