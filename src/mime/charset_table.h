/* The labels of charsets that mail uses: what each really means. Internal to the folder. */
#ifndef MIME_CHARSET_TABLE_H
#define MIME_CHARSET_TABLE_H

#include <stddef.h>

enum charset_kind {
	CHARSET_UNKNOWN, /* not in the table: asked of iconv as it is */
	CHARSET_ASCII,	 /* says nothing about bytes above 127 */
	CHARSET_UTF8,
	CHARSET_LATIN,	 /* windows-1252 and what is meant by iso-8859-1: converted here */
	CHARSET_SINGLE,	 /* one byte a character, ASCII below 128 */
	CHARSET_MULTI,	 /* several bytes a character, ASCII where the high bit is clear */
	CHARSET_JIS,	 /* ISO-2022-JP and its dialects */
	CHARSET_HZ,	 /* HZ-GB-2312 */
	CHARSET_STATEFUL /* ASCII bytes do not mean ASCII: UTF-7, UTF-16, ISO-2022-KR */
};

struct charset_row {
	const char *label; /* lower case */
	const char *iconv;
	unsigned codepage; /* Windows' number */
	enum charset_kind kind;
};

/* Finds a label in any case, with quotes or blanks around it; NULL when it is not in the table. */
const struct charset_row *charset_find(const char *label);

/* The table itself, for tests: sorted by label. */
extern const struct charset_row charset_rows[];
extern const size_t charset_rows_n;

#endif
