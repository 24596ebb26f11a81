/*
 * What the administrating commands have in common: the table of their actions, options, the opened
 * state, text or JSON, and errors that say what to do next. They work beside a running daemon.
 */
#ifndef MAIN_TOOL_H
#define MAIN_TOOL_H

#include <stdbool.h>

#include "conf/conf.h"
#include "mailferry/buf.h"
#include "state/state.h"

struct tool;

/* Not even the configuration is read: conf and top are NULL. */
enum { TOOL_WITHOUT_CONF = 2 };

struct tool_action {
	const char *name;     /* NULL: the command has only this one; its row is the only one */
	const char *operands; /* "USER ID", for people */
	int min, max;	      /* how many operands */
	int (*run)(struct tool *t);
	const char *help;
	int without; /* false: nothing; true: the state, it opens what it needs itself; or TOOL_WITHOUT_CONF */
};

/* Besides --config, --json and --help, which all have. */
struct tool_option {
	char letter;
	const char *name, *value; /* value NULL: a flag */
	const char *help;
};

struct tool_command {
	const char *name;
	const struct tool_action *actions; /* ended by a NULL run */
	const struct tool_option *options; /* ended by a NULL name; NULL: none */
	const char *notes;		   /* below the options; NULL: none */
};

struct tool {
	const struct tool_command *command;
	const char *config; /* as named; NULL: the usual */
	bool json;
	int argc; /* operands */
	char **argv;
	const char *values[26]; /* of options, by letter; "" for a flag that is there */
	struct conf *conf;
	const struct mf_conf *top;
	struct state *state; /* NULL for an action without it */
	struct mf_arena *arena;
	struct mf_buf out; /* printed at the end, whatever the result */
};

/* The command: reads arguments, opens what the action needs, runs it. The exit status. */
int tool_main(const struct tool_command *command, int argc, char **argv);

/* An operand, NULL when it was not given. */
const char *tool_operand(const struct tool *t, int i);
/* The value of an option, "" of a flag; NULL: it was not given. */
const char *tool_option(const struct tool *t, char letter);

/* Tells what went wrong and, where it is known, what to do about it; the exit status. */
int tool_fail(const struct tool *t, const struct mf_error *err);
/* Refuses: `why` is a whole sentence. */
int tool_refuse(const struct tool *t, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* MAIN_OK, or what tool_fail says. */
int tool_end(const struct tool *t, enum mf_status st, const struct mf_error *err);

/* "2026-11-26T20:45:00Z"; "-" for 0. In the arena. */
const char *tool_time(struct mf_arena *a, int64_t when);

/* "value", and ,"name":"value" (the comma not behind a brace): valid JSON whatever the bytes are. */
void tool_string(struct mf_buf *out, const char *value);
void tool_field(struct mf_buf *out, const char *name, const char *value);
/* The same for a time, as seconds. */
void tool_number(struct mf_buf *out, const char *name, int64_t value);

#endif
