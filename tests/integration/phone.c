/* The phone of phone.h. Knows src/client; asks it only what a person with a phone could see. */
#include "phone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct phone *
open_phone(const struct client_options *o)
{
	struct phone *p = calloc(1, sizeof *p);

	if (p == NULL)
		fixture_die("out of memory");
	p->client = client_new(o);
	p->mailbox = client_mailbox_new();
	p->options = client_sync_defaults;
	return p;
}

struct phone *
phone_new(const struct gateway *g, const char *user, const char *password, const char *device)
{
	char right[100];

	snprintf(right, sizeof right, "secret-%s", user);
	return open_phone(&(struct client_options){ .url = g->url,
		.user = user,
		.password = password != NULL ? password : right,
		.device_id = device });
}

struct phone *
phone_new_tls(const struct gateway *g, const char *user, const char *device, const char *ca)
{
	char password[100];

	snprintf(password, sizeof password, "secret-%s", user);
	return open_phone(&(struct client_options){ .url = g->tls_url,
		.user = user,
		.password = password,
		.device_id = device,
		.ca_file = ca });
}

struct phone *
phone_new_version(
	const struct gateway *g, const char *user, const char *device, const char *version)
{
	char password[100];

	snprintf(password, sizeof password, "secret-%s", user);
	return open_phone(&(struct client_options){ .url = g->url,
		.user = user,
		.password = password,
		.device_id = device,
		.version = version });
}

void
phone_free(struct phone *p)
{
	if (p == NULL)
		return;
	client_free(p->client);
	client_mailbox_free(p->mailbox);
	free(p);
}

struct client_hierarchy_result
phone_hierarchy(struct phone *p)
{
	struct client_hierarchy_result result = { 0 };
	struct mf_error err = { 0 };

	if (client_hierarchy_sync(p->client, p->mailbox, &result, &err) != MF_OK)
		fixture_die("FolderSync: %s", err.text);
	if (result.status != 1)
		fixture_die("FolderSync: status %u", result.status);
	return result;
}

struct client_folder *
phone_folder(struct phone *p, const char *name)
{
	struct client_folder *f = client_folder_find(p->mailbox, name);

	if (f == NULL)
		fixture_die("the phone has no folder %s", name);
	return f;
}

struct client_sync_result
phone_sync(struct phone *p, const char *folder)
{
	struct client_folder *f = phone_folder(p, folder);
	struct client_sync_result result = { 0 };
	struct mf_error err = { 0 };

	if (client_sync_all(p->client, f, &p->options, &result, &err) != MF_OK)
		fixture_die("Sync of %s: %s", folder, err.text);
	if (result.status > 1)
		fixture_die("Sync of %s: status %u", folder, result.status);
	if (f->odd.added_twice + f->odd.changed_unknown + f->odd.deleted_unknown > 0)
		fixture_die(
			"Sync of %s: %zu added twice, %zu changed or %zu deleted that never came",
			folder, f->odd.added_twice, f->odd.changed_unknown, f->odd.deleted_unknown);
	return result;
}

void
phone_settle(struct phone *p, const char *folder)
{
	for (int i = 0; i < 10; i++) {
		struct client_sync_result r = phone_sync(p, folder);

		if (r.added + r.changed + r.deleted + r.soft_deleted == 0)
			return;
	}
	fixture_die("Sync of %s: no end of changes", folder);
}

static size_t
count(const struct client_folder *f, bool unread)
{
	const struct client_item **items = client_items_sorted(f);
	size_t n = 0;

	for (size_t i = 0; i < f->n_items; i++)
		n += unread ? !items[i]->read : items[i]->flag == CLIENT_FLAGGED;
	free(items);
	return n;
}

static size_t
imap_count(struct imap_talk *t, const char *key)
{
	const char *at = strstr(imap_talk(t, "UID SEARCH RETURN (COUNT) %s", key), "COUNT ");

	return at != NULL ? strtoul(at + strlen("COUNT "), NULL, 10) : 0;
}

/* Both sides of a difference, for whoever has to find it. */
static void
tell_items(struct client_folder *f, struct imap_talk *t)
{
	const struct client_item **items = client_items_sorted(f);

	fprintf(stderr, "phone: key %s:", f->key);
	for (size_t i = 0; i < f->n_items; i++)
		fprintf(stderr, " %s", items[i]->id);
	fprintf(stderr, "\nserver: %s\n", imap_talk(t, "UID SEARCH ALL"));
	free(items);
}

void
phone_agrees(struct phone *p, const char *folder, const struct gateway *g, struct imap_talk *t,
	const char *user, const char *mailbox)
{
	struct client_folder *f = phone_folder(p, folder);
	struct phone *fresh = phone_new(g, user, NULL, "freshphone");
	struct mf_buf why;

	imap_talk(t, "EXAMINE \"%s\"", mailbox);
	if (imap_count(t, "ALL") != f->n_items) {
		tell_items(f, t);
		fixture_die("%s: %zu messages there, %zu on the phone", mailbox,
			imap_count(t, "ALL"), f->n_items);
	}
	if (imap_count(t, "UNSEEN") != count(f, true))
		fixture_die("%s: %zu unread there, %zu on the phone", mailbox,
			imap_count(t, "UNSEEN"), count(f, true));
	if (imap_count(t, "FLAGGED") != count(f, false))
		fixture_die("%s: %zu flagged there, %zu on the phone", mailbox,
			imap_count(t, "FLAGGED"), count(f, false));
	imap_talk(t, "UNSELECT");
	phone_hierarchy(fresh);
	phone_sync(fresh, folder);
	mf_buf_init(&why, 1000);
	if (client_folder_differs(f, phone_folder(fresh, folder), &why))
		fixture_die("%s: not what a new phone gets: %.*s", folder, (int)why.len,
			(char *)why.data);
	mf_buf_deinit(&why);
	phone_free(fresh);
}

unsigned
phone_http_status(struct phone *p, int *retry_out)
{
	struct client_answer answer = { 0 };
	struct mf_arena *arena = mf_arena_new();
	const char *retry = NULL;

	if (client_call_xml(p->client, "FolderSync",
		    "<FolderSync xmlns=\"FolderHierarchy\"><SyncKey>0</SyncKey></FolderSync>",
		    &answer, NULL) != MF_OK)
		answer.http_status = 0;
	else
		retry = client_answer_header(arena, &answer, "Retry-After");
	if (retry_out != NULL)
		*retry_out = retry != NULL ? atoi(retry) : -1;
	mf_arena_free(arena);
	return answer.http_status;
}
