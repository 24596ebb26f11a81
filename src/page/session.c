/* Two small tables. Names are compared as a whole and come from 32 random bytes: they cannot be guessed. */
#include "page/session.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/seal.h"
#include "base/str.h"

struct row {
	char name[SESSION_NAME + 1]; /* "": free */
	char token[SESSION_NAME + 1];
	char *user;
	int64_t began, last; /* clock_ms */
};

struct ticket {
	char name[SESSION_NAME + 1];
	char *text;
	size_t len;
	int64_t until;
};

struct sessions {
	pthread_mutex_t lock;
	struct row rows[SESSIONS_MAX];
	struct ticket tickets[TICKETS_MAX];
};

struct sessions *
sessions_new(void)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

static void
row_clear(struct row *r)
{
	free(r->user);
	*r = (struct row){ .user = NULL };
}

static void
ticket_clear(struct ticket *t)
{
	if (t->text != NULL)
		str_wipe(t->text, t->len);
	free(t->text);
	*t = (struct ticket){ .text = NULL };
}

void
sessions_free(struct sessions *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		row_clear(&s->rows[i]);
	for (size_t i = 0; i < TICKETS_MAX; i++)
		ticket_clear(&s->tickets[i]);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void
random_name(char out[SESSION_NAME + 1])
{
	uint8_t bytes[SESSION_NAME / 2];
	struct mf_arena *a = mf_arena_new();

	seal_random(bytes, sizeof(bytes));
	memcpy(out, str_hex(a, bytes, sizeof(bytes)), SESSION_NAME + 1);
	mf_arena_free(a);
}

/* ---- Sessions ---- */

static bool
is_over(const struct row *r, int64_t now)
{
	return now - r->last > SESSION_IDLE * 1000 || now - r->began > SESSION_LIFE * 1000;
}

static void
show(const struct row *r, struct mf_arena *a, struct session *out)
{
	*out = (struct session){ .name = mf_strdup(a, r->name),
		.token = mf_strdup(a, r->token),
		.user = mf_strdup(a, r->user) };
}

void
session_begin(struct sessions *s, const char *user, struct mf_arena *a, struct session *out)
{
	struct row *free_row;

	pthread_mutex_lock(&s->lock);
	free_row = &s->rows[0];
	for (size_t i = 0; i < SESSIONS_MAX && free_row->name[0] != '\0'; i++)
		if (s->rows[i].name[0] == '\0' || s->rows[i].last < free_row->last)
			free_row = &s->rows[i];
	row_clear(free_row);
	random_name(free_row->name);
	random_name(free_row->token);
	free_row->user = strdup(user);
	if (free_row->user == NULL)
		abort();
	free_row->began = free_row->last = clock_ms();
	show(free_row, a, out);
	pthread_mutex_unlock(&s->lock);
}

/* The lock is held. */
static struct row *
find(struct sessions *s, const char *name)
{
	int64_t now = clock_ms();

	if (name == NULL || strlen(name) != SESSION_NAME)
		return NULL;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct row *r = &s->rows[i];

		if (r->name[0] == '\0' || !seal_equal(r->name, name, SESSION_NAME))
			continue;
		if (!is_over(r, now))
			return r;
		row_clear(r);
	}
	return NULL;
}

bool
session_find(struct sessions *s, const char *name, struct mf_arena *a, struct session *out)
{
	struct row *r;

	pthread_mutex_lock(&s->lock);
	r = find(s, name);
	if (r != NULL) {
		r->last = clock_ms();
		show(r, a, out);
	}
	pthread_mutex_unlock(&s->lock);
	return r != NULL;
}

void
session_end(struct sessions *s, const char *name)
{
	struct row *r;

	pthread_mutex_lock(&s->lock);
	r = find(s, name);
	if (r != NULL)
		row_clear(r);
	pthread_mutex_unlock(&s->lock);
}

/* ---- Tickets ---- */

const char *
ticket_new(struct sessions *s, const char *text, size_t len, struct mf_arena *a)
{
	struct ticket *t;
	const char *name;

	pthread_mutex_lock(&s->lock);
	t = &s->tickets[0];
	for (size_t i = 1; i < TICKETS_MAX; i++)
		if (s->tickets[i].until < t->until)
			t = &s->tickets[i];
	ticket_clear(t);
	random_name(t->name);
	t->text = malloc(len + 1);
	if (t->text == NULL)
		abort();
	memcpy(t->text, text, len);
	t->len = len;
	t->until = clock_ms() + TICKET_LIFE * 1000;
	name = mf_strdup(a, t->name);
	pthread_mutex_unlock(&s->lock);
	return name;
}

const char *
ticket_take(struct sessions *s, const char *name, struct mf_arena *a, size_t *len)
{
	const char *text = NULL;

	if (name == NULL || strlen(name) != SESSION_NAME)
		return NULL;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < TICKETS_MAX; i++) {
		struct ticket *t = &s->tickets[i];

		if (t->text == NULL || !seal_equal(t->name, name, SESSION_NAME))
			continue;
		if (t->until > clock_ms()) {
			text = mf_strndup(a, t->text, t->len);
			*len = t->len;
		}
		ticket_clear(t);
	}
	pthread_mutex_unlock(&s->lock);
	return text;
}
