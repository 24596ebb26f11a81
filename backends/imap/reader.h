/*
 * What a server says, one answer at a time.
 *
 * An answer is a line with the literals in it. imap_read waits until one is there as a whole, in one
 * piece of the stream's buffer, and hands out a lexer over it: nothing is copied. Everything is
 * bounded: a literal over the limit is read and dropped (it then looks empty) and of a line over the
 * limit only the beginning is kept; `cut` tells both, and the stream stays in step.
 *
 * The lexer keeps its first error (`bad`); later calls find nothing, and the caller looks once at the
 * end. It never recurses, so depth costs nothing. Knows no command and no session.
 */
#ifndef IMAP_READER_H
#define IMAP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "mailferry/bytes.h"
#include "mailferry/error.h"

struct net_stream;

struct imap_lex {
	uint8_t *p,
		*end; /* what is left, without the line's CRLF; strings are unescaped in place */
	bool bad;
};

enum imap_answer_kind {
	IMAP_UNTAGGED, /* "* " */
	IMAP_CONTINUE, /* "+ " */
	IMAP_TAGGED,   /* "A12 " */
};

struct imap_answer {
	enum imap_answer_kind kind;
	unsigned tag;	     /* of IMAP_TAGGED; 0: not one of ours */
	struct imap_lex lex; /* after the tag */
	struct mf_bytes raw; /* all of it, with its CRLF */
	bool cut;
};

/* Takes literals as they come, so that they need not fit into memory: in the answer they look empty. */
struct imap_sink {
	/* A literal of n bytes follows this beginning of an answer: is it meant? */
	bool (*wants)(void *ctx, struct mf_bytes beginning, uint64_t n);
	/* Anything but MF_OK ends the reading with it, and the connection is out of step. */
	enum mf_status (*take)(void *ctx, const void *data, size_t len);
	void *ctx;
};

/* The next answer; it lives until the next call. sink: NULL, or who takes literals. Failures are
 * MF_TEMPORARY, or the sink's. */
enum mf_status imap_read(struct net_stream *st, const struct imap_sink *sink,
	struct imap_answer *out, struct mf_error *err);

/* The same over bytes in memory, which are changed: for tests and fuzzing. Returns the length of the
 * first answer, 0 when it is not complete. */
size_t imap_frame(const uint8_t *data, size_t len);

/* A lexer over bytes that nobody else reads meanwhile. */
struct imap_lex imap_lex_over(struct mf_bytes b);

/* c is next: taken. */
bool imap_lex_take(struct imap_lex *x, char c);
/* c must be next. */
void imap_lex_want(struct imap_lex *x, char c);
bool imap_lex_peek(const struct imap_lex *x, char c);
/* Everything was taken, blanks aside. */
bool imap_lex_end(const struct imap_lex *x);
/* Bytes up to a blank, parenthesis, bracket or quote; "\Seen" and "BODY" are such. */
struct mf_bytes imap_lex_atom(struct imap_lex *x);
/* The same with brackets in it: flags and keywords as servers really have them. */
struct mf_bytes imap_lex_flag(struct imap_lex *x);
/* The word (any case) is the next atom: taken with the blank behind it. */
bool imap_lex_word(struct imap_lex *x, const char *word);
uint64_t imap_lex_number(struct imap_lex *x);
/* string or nstring or atom; NIL gives data NULL. */
struct mf_bytes imap_lex_string(struct imap_lex *x);
/* One value, whatever it is: an atom with its sections, a string, a list of any depth. */
void imap_lex_skip(struct imap_lex *x);
/* What is left, as text. */
struct mf_bytes imap_lex_rest(struct imap_lex *x);

/* Any case. Here, so that the lengths of words are known when it is compiled. */
static inline bool
imap_bytes_is(struct mf_bytes b, const char *word)
{
	return b.len == strlen(word) && strncasecmp((const char *)b.data, word, b.len) == 0;
}

#endif
