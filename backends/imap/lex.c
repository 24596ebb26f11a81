/* The words inside an answer. Knows the grammar's atoms, numbers, strings and lists; never recurses. */
#include "reader.h"

#include <string.h>
#include <strings.h>

struct imap_lex
imap_lex_over(struct mf_bytes b)
{
	static uint8_t nothing[1];
	uint8_t *p = b.len == 0 ? nothing : (uint8_t *)b.data;

	return (struct imap_lex){ .p = p, .end = p + b.len };
}

static struct mf_bytes
bad(struct imap_lex *x)
{
	x->bad = true;
	x->p = x->end;
	return mf_bytes(x->end, 0);
}

bool
imap_lex_peek(const struct imap_lex *x, char c)
{
	return x->p < x->end && *x->p == (uint8_t)c;
}

bool
imap_lex_take(struct imap_lex *x, char c)
{
	if (!imap_lex_peek(x, c))
		return false;
	x->p++;
	return true;
}

void
imap_lex_want(struct imap_lex *x, char c)
{
	if (!imap_lex_take(x, c))
		bad(x);
}

bool
imap_lex_end(const struct imap_lex *x)
{
	const uint8_t *p = x->p;

	while (p < x->end && *p == ' ')
		p++;
	return p == x->end && !x->bad;
}

enum { ENDS_ATOM = 1, ENDS_FLAG = 2 };

/* What a word ends at, besides blanks and controls. */
static const uint8_t ends[256] = { ['('] = ENDS_ATOM | ENDS_FLAG,
	[')'] = ENDS_ATOM | ENDS_FLAG,
	['"'] = ENDS_ATOM | ENDS_FLAG,
	['['] = ENDS_ATOM,
	[']'] = ENDS_ATOM,
	['{'] = ENDS_ATOM };

static struct mf_bytes
until(struct imap_lex *x, uint8_t mark)
{
	const uint8_t *from = x->p;

	while (x->p<x->end && * x->p> ' ' && (ends[*x->p] & mark) == 0)
		x->p++;
	if (x->p == from)
		return bad(x);
	return mf_bytes(from, (size_t)(x->p - from));
}

struct mf_bytes
imap_lex_atom(struct imap_lex *x)
{
	return until(x, ENDS_ATOM);
}

struct mf_bytes
imap_lex_flag(struct imap_lex *x)
{
	return until(x, ENDS_FLAG);
}

bool
imap_lex_word(struct imap_lex *x, const char *word)
{
	struct imap_lex ahead = *x;

	if (!imap_bytes_is(imap_lex_atom(&ahead), word) || ahead.bad)
		return false;
	imap_lex_take(&ahead, ' ');
	*x = ahead;
	return true;
}

uint64_t
imap_lex_number(struct imap_lex *x)
{
	uint64_t n = 0;
	const uint8_t *from = x->p;

	for (; x->p < x->end && *x->p >= '0' && *x->p <= '9'; x->p++) {
		if (n > (UINT64_MAX - 9) / 10) {
			bad(x);
			return 0;
		}
		n = n * 10 + (uint64_t)(*x->p - '0');
	}
	if (x->p == from)
		bad(x);
	return n;
}

static struct mf_bytes
quoted(struct imap_lex *x)
{
	uint8_t *from = ++x->p, *to = from;

	while (x->p < x->end && *x->p != '"') {
		if (*x->p == '\\' && x->p + 1 < x->end)
			x->p++;
		if (to != x->p)
			*to = *x->p;
		to++;
		x->p++;
	}
	if (x->p == x->end)
		return bad(x);
	x->p++;
	return mf_bytes(from, (size_t)(to - from));
}

static struct mf_bytes
literal(struct imap_lex *x)
{
	const uint8_t *from;
	uint64_t n;

	imap_lex_take(x, '~');
	imap_lex_want(x, '{');
	n = imap_lex_number(x);
	imap_lex_take(x, '+');
	imap_lex_want(x, '}');
	imap_lex_take(x, '\r');
	imap_lex_want(x, '\n');
	if (x->bad || n > (uint64_t)(x->end - x->p))
		return bad(x);
	from = x->p;
	x->p += n;
	return mf_bytes(from, (size_t)n);
}

struct mf_bytes
imap_lex_string(struct imap_lex *x)
{
	struct mf_bytes b;

	if (imap_lex_peek(x, '"'))
		return quoted(x);
	if (imap_lex_peek(x, '{') || imap_lex_peek(x, '~'))
		return literal(x);
	b = imap_lex_flag(x);
	return imap_bytes_is(b, "NIL") ? mf_bytes(NULL, 0) : b;
}

/* Past a quoted string, which stays as it is: others may read it after us. */
static void
skip_quoted(struct imap_lex *x)
{
	for (x->p++; x->p < x->end && *x->p != '"'; x->p++)
		if (*x->p == '\\' && x->p + 1 < x->end)
			x->p++;
	imap_lex_want(x, '"');
}

/* One token of a value that is of no interest. */
static void
skip_token(struct imap_lex *x, size_t *depth)
{
	if (imap_lex_take(x, '(') || imap_lex_take(x, '['))
		++*depth;
	else if (imap_lex_take(x, ')') || imap_lex_take(x, ']'))
		--*depth;
	else if (imap_lex_peek(x, '"'))
		skip_quoted(x);
	else if (imap_lex_peek(x, '{'))
		literal(x);
	else if (!imap_lex_take(x, ' '))
		imap_lex_atom(x);
}

void
imap_lex_skip(struct imap_lex *x)
{
	size_t depth = 0;

	if (imap_lex_peek(x, ')') || imap_lex_peek(x, ' '))
		bad(x);
	do {
		skip_token(x, &depth);
		/* BODY[1] and the like: the bracket belongs to the atom before it. */
	} while (!x->bad && x->p < x->end &&
		 (depth > 0 || (*x->p != ' ' && *x->p != ')' && *x->p != ']')));
	if (depth > 0)
		bad(x);
}

struct mf_bytes
imap_lex_rest(struct imap_lex *x)
{
	struct mf_bytes b = mf_bytes(x->p, (size_t)(x->end - x->p));

	x->p = x->end;
	return b;
}
