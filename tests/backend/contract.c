/* The suite's main program: `contract TARGET [CASE]`; see contract.h. */
#include "contract.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const struct contract_case *cases;
	unsigned needs; /* each of them */
} files[] = { { cases_session, CAN_STORE }, { cases_folders, CAN_STORE },
	{ cases_changes, CAN_STORE }, { cases_fetch, CAN_STORE }, { cases_content, CAN_STORE },
	{ cases_items, CAN_STORE }, { cases_move, CAN_STORE }, { cases_search, CAN_STORE },
	{ cases_hostile, CAN_STORE }, { cases_submit, CAN_STORE }, { cases_people, CAN_PEOPLE },
	{ cases_oof, CAN_OOF } };

/* ---- Failing ---- */

static void tell(const char *file, int line, const char *what, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

static void
tell(const char *file, int line, const char *what, const char *fmt, va_list ap)
{
	const char *base = strrchr(file, '/');

	printf("    %s:%d: %s: ", base == NULL ? file : base + 1, line, what);
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
}

void
contract_failed(struct bench *b, const char *file, int line, const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(file, line, what, fmt, ap);
	va_end(ap);
	b->failures++;
}

void
contract_broken(struct bench *b, const char *file, int line, const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(file, line, what, fmt, ap);
	va_end(ap);
	(void)b;
	_exit(1);
}

void
contract_status(struct bench *b, const char *file, int line, const char *call, enum mf_status got,
	enum mf_status expected, bool needed)
{
	if (got != expected) {
		contract_failed(b, file, line, call, "%s instead of %s (%s)", mf_status_name(got),
			mf_status_name(expected), got == MF_OK ? "" : b->err.text);
		if (needed)
			_exit(1);
	}
	if (got != MF_OK && b->err.status != got && b->err.status != MF_OK)
		contract_failed(b, file, line, call, "the error says %s, the call %s",
			mf_status_name(b->err.status), mf_status_name(got));
	b->err.status = MF_OK;
	b->err.text[0] = '\0';
}

/* ---- Running ---- */

static void
run_case(const struct contract_target *t, const struct contract_case *c)
{
	struct bench b = { .target = t, .a = mf_arena_new() };

	t->begin(&b);
	b.store = b.api->store;
	b.s = contract_login(&b);
	b.inbox = t->inbox;
	c->run(&b);
	b.api->logout(b.s);
	t->end(&b);
	mf_arena_free(b.a);
	fflush(stdout);
	if (b.failures > 0)
		_exit(1);
}

/* In a child, so that whatever happens there is one case's. */
static bool
passes(const struct contract_target *t, const struct contract_case *c)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		exit(2);
	if (child == 0) {
		alarm(120);
		run_case(t, c);
		exit(0);
	}
	if (waitpid(child, &status, 0) != child)
		exit(2);
	if (WIFSIGNALED(status))
		printf("    ended by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static unsigned
run(const struct contract_target *t, const char *only)
{
	unsigned failed = 0, ran = 0, left_out = 0;

	for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++)
		for (const struct contract_case *c = files[f].cases; c->name != NULL; c++) {
			bool good;

			if (only != NULL && strcmp(only, c->name) != 0)
				continue;
			if (((c->needs | files[f].needs) & ~t->can) != 0) {
				left_out++;
				continue;
			}
			ran++;
			fflush(stdout);
			good = passes(t, c);
			failed += !good;
			printf("%-6s %s\n", good ? "ok" : "FAILED", c->name);
		}
	printf("%s: %u of %u cases passed, %u not applicable\n", t->name, ran - failed, ran,
		left_out);
	return failed > 0 || ran == 0;
}

int
main(int argc, char **argv)
{
	const struct contract_target *t = contract_targets;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (argc > 1 && t->name != NULL && strcmp(t->name, argv[1]) != 0)
		t++;
	if (argc < 2 || t->name == NULL) {
		fprintf(stderr, "usage: contract TARGET [CASE]; see target_*.c\n");
		return 64;
	}
	return (int)run(t, argc > 2 ? argv[2] : NULL);
}
