/* Values inside answers and commands: flags, dates, sets of UIDs. */
#ifndef IMAP_VALUES_H
#define IMAP_VALUES_H

#include "reader.h"
#include "session.h"

enum { IMAP_KEYWORDS_MAX = 64, IMAP_KEYWORD_BYTES = 4096 };

struct imap_flags {
	uint32_t flags;				     /* mf_flags */
	const char *keywords[IMAP_KEYWORDS_MAX + 1]; /* sorted, no duplicates, into text */
	size_t n;
	char text[IMAP_KEYWORD_BYTES];
};

/* "(\Seen $Forwarded work)"; what is too much or not ASCII is left out. */
void imap_flags_read(struct imap_lex *x, struct imap_flags *out);

/* "\Seen $Forwarded" into out, blanks between; n_out counts what was written. */
void imap_flags_print(uint32_t flags, struct mf_buf *out);

/* An atom, fit for a keyword (RFC 9051 flag-keyword) and none of the flags in mf_flags. */
bool imap_keyword_valid(const char *keyword);

/* " 1-Feb-2024 10:11:12 +0100" in seconds since 1970; 0 when it is no date. */
int64_t imap_date_read(struct mf_bytes text);
/* "01-Feb-2024 10:11:12 +0000"; room for 32 bytes. */
void imap_date_print(int64_t date, char *out);
/* "1-Feb-2024", the day in UTC. */
void imap_day_print(int64_t date, char *out);

/* A set as pieces that fit into a command line. */
struct imap_pieces {
	const struct mf_idset *set;
	uint64_t most; /* ids in one piece; 0: any number */
	size_t next;   /* range */
	uint64_t done; /* the last id of that range that was in an earlier piece; 0: none */
};

/* Appends the next piece ("1:5,9") to the command that is being written; false when there is none
 * left. Ids beyond 32 bits are no UIDs and are left out. */
bool imap_put_piece(struct mf_session *s, struct imap_pieces *p);
/* There is one. */
bool imap_has_piece(const struct imap_pieces *p);

#endif
