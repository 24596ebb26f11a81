/*
 * The player of scripts: conversations of phones with the gateway, in readable text.
 *
 * It drives eas_run itself, on one thread, with the memory backend and a state in a temporary
 * directory; README.md tells the language. This header is what its files share.
 */
#ifndef TESTS_PLAYER_H
#define TESTS_PLAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "conf/conf.h"
#include "eas/request.h"
#include "memory/memory.h"

/* What a script says about the phone that speaks next. */
struct phone {
	const char *user, *password, *device, *type, *version, *agent;
	const char *policy; /* NULL: no X-MS-PolicyKey */
};

/* A request with its answer; `bytes` outlives the request. */
struct exchange {
	const char *name; /* of `park`; NULL: the current one */
	struct eas_request request;
	struct mf_arena *arena;
	bool waiting;
	struct mf_bytes whole;	   /* the body, with what was not in memory */
	struct wbxml_node *answer; /* decoded; NULL without a body */
	struct exchange *next;
};

struct variable {
	const char *name, *value;
	struct variable *next;
};

struct player {
	struct mf_arena *arena; /* ends with the script */
	const char *file;
	unsigned line;
	unsigned failures;
	bool trace;
	struct variable *variables;
	char directory[64];

	struct memory_world *world;
	struct conf *conf;
	struct eas_policies *policies;
	struct eas_server server;
	const char *settings; /* lines of the configuration that the script adds */

	struct phone phone;
	const char *command, *extra_query; /* of the last send; of the next one */
	struct eas_header headers[8];	   /* of the next one */
	size_t n_headers;
	struct mf_bytes body; /* of the last send */
	struct exchange *current, *parked;
	unsigned requests;
};

/* ---- player.c ---- */

/* A wrong script ends the program; an expectation that fails is counted. */
void script_broken(struct player *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
void script_failed(struct player *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Takes the next word of *rest ("" at the end); "quoted words" may hold blanks. */
const char *script_word(struct player *p, const char **rest);
uint64_t script_number(struct player *p, const char *word);
void script_set(struct player *p, const char *name, const char *value);

/* A step of the language: rest is the line behind its name, block the indented lines below it. */
struct script_step {
	const char *name;
	void (*run)(struct player *p, const char *rest, const char *block);
};

/* Steps of each file, with a NULL name at the end. */
extern const struct script_step phone_steps[], mail_steps[], server_steps[], expect_steps[];

/* ---- server.c ---- */

void server_start(struct player *p);
void server_stop(struct player *p);

/* ---- phone.c ---- */

void exchange_free(struct exchange *e);

/* ---- mail.c ---- */

/* "seen,flagged" */
uint32_t mail_flags(struct player *p, const char *words);

/* ---- path.c ---- */

enum { PATH_NODES_MAX = 10000 };

/* The elements that a path names, in document order; their number. See README.md for paths. */
size_t path_find(struct player *p, const char *path, const struct wbxml_node *root,
	const struct wbxml_node **out);
/* An element's text; opaque data as they are. */
const char *path_value(struct player *p, const struct wbxml_node *n);

/* The n-th part of a multipart answer, the WBXML is 0; empty when there is none. */
struct mf_bytes script_part(struct mf_bytes whole, uint32_t n);

#endif
