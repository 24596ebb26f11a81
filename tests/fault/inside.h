/*
 * The gateway without HTTP, on one thread: eas_run over the memory backend and a state in a temporary
 * directory, to be stopped, started and broken at will by fault tests.
 */
#ifndef TESTS_INSIDE_H
#define TESTS_INSIDE_H

#include "client/sync.h"
#include "conf/conf.h"
#include "eas/request.h"
#include "memory/memory.h"

struct inside {
	char directory[64];
	struct memory_world *world;
	struct conf *conf;
	struct eas_server server;
	bool open;
	unsigned requests;
};

/* A phone's request and what came of it; the answer lives until the next exchange of the same struct.
 * http 0: the gateway was not there. */
struct inside_exchange {
	struct mf_arena *arena;
	struct client_answer answer;
	struct mf_buf body;
};

/* A new world and a new state; user "u" with password "p". */
void inside_init(struct inside *in, const char *world);
/* Closes all and removes the directory. */
void inside_deinit(struct inside *in);
void inside_start(struct inside *in);
void inside_stop(struct inside *in);

void inside_exchange_init(struct inside_exchange *x);
void inside_exchange_deinit(struct inside_exchange *x);
/* One request of a device, run until it is answered; one that would wait is told to end. */
void inside_call(struct inside *in, struct inside_exchange *x, const char *device,
	const char *command, struct mf_bytes body);

/* Ends the program with a message when ok is false. */
void inside_check(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
