/*
 * Background work (eas/background.h) for all users that are known, whether their phones are near or not: where a
 * master user can log in as each of them. One user after the other, on a thread of its own, then a pause.
 */
#ifndef MAIN_ROUNDS_H
#define MAIN_ROUNDS_H

#include "eas/request.h"
#include "work/work.h"

struct rounds {
	struct work_job job;	/* first */
	struct work_pool *pool; /* NULL: no rounds are made */
	const struct eas_server *server;
	int64_t every_ms;
	uint32_t user;	/* whose turn it was last; 0: a round begins */
	unsigned again; /* how often that user had more to do */
	size_t users;	/* of this round */
};

/* Begins when settings ask for it: master_user and background_every. server must live as long. */
enum mf_status rounds_open(struct rounds *r, const struct mf_conf *top,
	const struct eas_server *server, struct mf_error *err);
void rounds_close(struct rounds *r);

#endif
