/* A state in a directory of its own, for tests. */
#ifndef TESTS_STATE_HELP_H
#define TESTS_STATE_HELP_H

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "state/state.h"

static inline char *
state_help_directory(void)
{
	static char path[64];

	strcpy(path, "/tmp/mailferry-state-XXXXXX");
	cr_assert(mkdtemp(path) != NULL);
	return path;
}

static inline int
state_help_remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
state_help_remove(const char *directory)
{
	nftw(directory, state_help_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct state *
state_help_open_at(const char *directory, size_t map_size)
{
	struct state_options o = { .directory = directory, .map_size = map_size };
	struct state *st = NULL;
	struct mf_error err = { 0 };

	cr_assert_eq(state_open(&o, &st, &err), MF_OK, "%s", err.text);
	return st;
}

static inline struct state *
state_help_open(const char *directory)
{
	return state_help_open_at(directory, 0);
}

static inline void
state_help_problem(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s\n", line);
}

/* Every row makes sense. */
static inline void
state_help_verify(struct state *st)
{
	struct mf_error err = { 0 };

	cr_assert_eq(state_verify(st, state_help_problem, NULL, &err), MF_OK, "%s", err.text);
}

#endif
