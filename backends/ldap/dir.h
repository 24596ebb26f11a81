/*
 * What the files of the LDAP backend share (dir_..., because ldap_... is the library's). The library is
 * OpenLDAP's, used with its asynchronous calls only: each has a deadline, and what a server sends is
 * bounded (wire.c, ask.c).
 */
#ifndef LDAP_DIR_H
#define LDAP_DIR_H

#include <ldap.h>

#include "mailferry/arena.h"
#include "mailferry/backend.h"
#include "mailferry/directory.h"

enum {
	DIR_MESSAGE_MAX = 4 << 20, /* bytes of one entry */
	DIR_WORDS_MAX = 10,	   /* of a search text */
	DIR_TEXT_MAX = 256,	   /* bytes of it */
};

struct mf_backend {
	const char *url, *ca_file, *bind_dn, *bind_password, *base, *filter;
	bool starttls, verify, own_login;	  /* own_login: users bind as themselves */
	const char *const *searched;		  /* attributes that `find` looks into */
	const char *const *text[MF_PERSON_TEXTS]; /* attributes of each, the first that is there */
	const char *const *photo, *const *certificates, *const *members, *const *group_classes;
	char **light, **heavy; /* attributes to ask for: without and with photo and certificates */
	size_t size_limit, page;
	int connect_ms, call_ms;
};

struct mf_session {
	const struct mf_backend *backend;
	LDAP *ld;
	struct ldap_conncb hook; /* lives as long as ld */
	int64_t deadline;	 /* dir_now: reads and writes end then, and the connection */
	bool failed;		 /* the connection is in doubt */
};

/* Milliseconds of the monotonic clock. */
int64_t dir_now(void);

/* ---- wire.c ---- */

/* From its connection on, the session keeps its deadline and reads no message over DIR_MESSAGE_MAX. */
void dir_watch_wire(struct mf_session *s);

/* ---- connect.c ---- */

/* A connection, encrypted as configured and bound. */
enum mf_status dir_connect_and_bind(
	struct mf_session *s, const struct mf_login *who, struct mf_error *err);

/* What an LDAP result code means; the text names the server and what was done. */
enum mf_status dir_failed(struct mf_session *s, int code, const char *what, struct mf_error *err);

/* ---- ask.c ---- */

/* Takes one entry; what it is given lives until it returns. */
typedef enum mf_status dir_entry_fn(void *ctx, LDAPMessage *entry);

struct dir_question {
	const char *base, *filter;
	int scope;
	char **attributes;
	size_t max; /* entries */
	int64_t until;
	dir_entry_fn *entry;
	void *ctx;
};

/* Asks, page by page. *more: there is more than `max`, the server's limits or the time allowed. */
enum mf_status dir_ask(
	struct mf_session *s, const struct dir_question *q, bool *more, struct mf_error *err);

/* The entries of these names (of those that are there), several under way at once. */
enum mf_status dir_look_up(struct mf_session *s, const char *const *names, size_t n,
	char **attributes, int64_t until, dir_entry_fn *entry, void *ctx, struct mf_error *err);

/* ---- filter.c: pure ---- */

/* The filter for a search; NULL: it finds nobody (no words). Texts are escaped (RFC 4515). */
const char *dir_filter_find(
	const struct mf_backend *b, struct mf_arena *a, const struct mf_people_find *f);
/* The words of a search text that are looked for; their count is at most DIR_WORDS_MAX. */
struct dir_word {
	const char *text;
	size_t len;
};
size_t dir_words(const char *text, struct dir_word words[DIR_WORDS_MAX]);
/* Whether one of the value's words begins so. Servers fold letters that we do not: what is not ASCII
 * may be anything. */
bool dir_word_begins(const struct dir_word *word, const char *value, size_t len);
/* Who has this login or short name. */
const char *dir_filter_alias(const struct mf_backend *b, struct mf_arena *a, const char *alias);
/* A user's name put into bind_dn in the place of {user}, {name} (before the @) and {domain}, escaped
 * (RFC 4514). */
const char *dir_bind_name(const struct mf_backend *b, struct mf_arena *a, const char *user);

/* ---- entry.c ---- */

/* An entry as a person; strings in the arena. False: it has no name in the directory. */
bool dir_person(
	const struct mf_session *s, LDAPMessage *entry, struct mf_arena *a, struct mf_person *out);
/* Whether the entry has each word in one of the attributes that are searched: servers squeeze blanks,
 * and then "* l*" is found in the middle of words. */
bool dir_has_words(
	const struct mf_session *s, LDAPMessage *entry, const struct dir_word *words, size_t n);
/* All values of the attributes that hold members, in the arena, NULL at the end. */
const char **dir_members_of(const struct mf_session *s, LDAPMessage *entry, struct mf_arena *a);
/* Attributes to ask for, without doubles; malloc'ed, NULL at the end. */
char **dir_attributes(const struct mf_backend *b, bool heavy);

/* ---- people.c ---- */

extern const struct mf_directory_api dir_directory;

#endif
