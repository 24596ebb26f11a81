/* Threads that ping. */
#include "pinging.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

void
deliver(const struct dovecot *d, const char *user, const char *subject)
{
	char message[300];

	snprintf(message, sizeof message, "From: s@example.test\nSubject: %s\n\nBody\n", subject);
	dovecot_deliver(d, user, message, strlen(message));
}

static void *
ping(void *arg)
{
	struct pinging *p = arg;
	struct client_folder *list[PINGING_FOLDERS];
	struct client_ping_result result = { 0 };
	struct mf_arena *a = mf_arena_new();
	struct mf_error err;
	size_t n = 0;

	for (; p->folders[n] != NULL; n++)
		list[n] = phone_folder(p->phone, p->folders[n]);
	p->st = client_ping(p->phone->client, a, p->heartbeat, list, n, &result, &err);
	p->ended = now_ms();
	p->status = result.status;
	p->changed = 0;
	for (; result.changed != NULL && result.changed[p->changed] != NULL; p->changed++)
		if (p->changed == 0)
			snprintf(p->first, sizeof p->first, "%s", result.changed[0]);
	mf_arena_free(a);
	return NULL;
}

void
ping_start(struct pinging *p)
{
	cr_assert_eq(pthread_create(&p->thread, NULL, ping, p), 0);
}

void
ping_begin(struct pinging *p)
{
	ping_start(p);
	pause_ms(700);
}

void
ping_join(struct pinging *p)
{
	pthread_join(p->thread, NULL);
}

void
ping_end(struct pinging *p, const char *folder)
{
	ping_join(p);
	cr_assert_eq(p->st, MF_OK, "the Ping got no answer");
	cr_assert_eq(p->status, 2, "status %u", p->status);
	cr_assert_eq(p->changed, 1);
	cr_assert_str_eq(p->first, phone_folder(p->phone, folder)->id);
}
