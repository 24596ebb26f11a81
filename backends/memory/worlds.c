/* Worlds come and go by name: while somebody holds one, it is there. */
#include "memory/worlds.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct memory_world *list;

static struct memory_world *
world_new(const char *name)
{
	struct memory_world *w = memory_alloc(sizeof(*w));

	pthread_mutex_init(&w->lock, NULL);
	w->name = memory_strdup(name);
	w->domain = memory_strdup("example.org");
	w->capabilities = MEMORY_ALL_CAPABILITIES;
	/* Like UIDVALIDITY: another one in the next process. */
	w->epoch = (uint64_t)time(NULL);
	return w;
}

struct memory_world *
memory_hold(const char *name)
{
	struct memory_world *w;

	pthread_mutex_lock(&list_lock);
	for (w = list; w != NULL && strcmp(w->name, name) != 0;)
		w = w->next;
	if (w == NULL) {
		w = world_new(name);
		w->next = list;
		list = w;
	}
	w->refs++;
	pthread_mutex_unlock(&list_lock);
	return w;
}

static void
user_free(struct memory_user *u)
{
	while (u->n_folders > 0)
		memory_folder_remove(u, u->folders[0]);
	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		free((char *)(uintptr_t)u->oof.reply[i].text);
	free(u->oof_known);
	free(u->folders);
	free(u->name);
	free(u->password);
	free(u->token);
	free(u);
}

static void
mail_deinit(struct memory_mail *m)
{
	for (size_t i = 0; i < m->n_to; i++)
		free(m->to[i]);
	free(m->to);
	free(m->user);
	free(m->from);
	memory_message_unref(m->message);
}

static void
world_free(struct memory_world *w)
{
	for (size_t i = 0; i < w->n_users; i++)
		user_free(w->users[i]);
	for (size_t i = 0; i < w->n_sent; i++)
		mail_deinit(&w->sent[i]);
	for (size_t i = 0; i < w->n_people; i++)
		memory_person_free(w->people[i]);
	free(w->people);
	free(w->users);
	free(w->sent);
	free(w->name);
	free(w->domain);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void
memory_release(struct memory_world *w)
{
	struct memory_world **at = &list;
	bool last;

	pthread_mutex_lock(&list_lock);
	last = --w->refs == 0;
	if (last) {
		while (*at != w)
			at = &(*at)->next;
		*at = w->next;
	}
	pthread_mutex_unlock(&list_lock);
	if (last)
		world_free(w);
}

void
memory_user_set(struct memory_world *w, const char *user, const char *password)
{
	struct memory_user *u = memory_user_find(w, user);

	if (u == NULL)
		u = memory_user_new(w, user);
	free(u->password);
	u->password = memory_strdup(password);
}
