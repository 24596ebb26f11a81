/* Checks of the backends: opened, and, as one user, logged in to and asked what they can do. */
#include <stdio.h>
#include <string.h>

#include "backend/auth.h"
#include "backend/registry.h"
#include "main/check.h"
#include "mime/mime.h"

struct counting {
	unsigned folders;
	bool inbox;
};

static enum mf_status
count_folder(void *ctx, const struct mf_folder *folder)
{
	struct counting *n = ctx;

	n->folders++;
	n->inbox = n->inbox || folder->role == MF_ROLE_INBOX;
	return MF_OK;
}

static void
check_store(struct check *c, const struct mf_backend_api *api, struct mf_session *s)
{
	struct counting n = { .folders = 0 };
	struct mf_error err = { .text = "" };

	if (api->store->folders(s, count_folder, &n, &err) != MF_OK)
		check_say(c, CHECK_ERROR, api->name, "folders: %s", err.text);
	else if (!n.inbox)
		check_say(c, CHECK_ERROR, api->name, "%u folders, but no Inbox", n.folders);
	else
		check_say(c, CHECK_OK, api->name, "%u folders", n.folders);
}

/* What the backend has to tell, line by line. */
static void
say_description(struct check *c, const struct mf_backend_api *api, struct mf_session *s)
{
	struct mf_buf text;
	const char *line;

	mf_buf_init(&text, 64 * 1024);
	api->describe(s, &text);
	line = mf_buf_str(&text);
	while (*line != '\0') {
		size_t n = strcspn(line, "\n");

		if (n > 0)
			check_say(c, CHECK_OK, api->name, "%.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
	mf_buf_deinit(&text);
}

static void
check_login(struct check *c, struct backends *b, const struct mf_backend_api *api, const char *user)
{
	struct mf_login who = { .user = user, .password = c->password };
	struct mf_session *s = NULL;
	struct mf_error err = { .text = "" };

	if (api->login(backends_handle(b, api), &who, &s, &err) != MF_OK) {
		check_say(c, CHECK_ERROR, api->name, "login: %s", err.text);
		return;
	}
	check_say(c, CHECK_OK, api->name, "login as %s", user);
	if (api->describe != NULL)
		say_description(c, api, s);
	if (api->store != NULL && api->usable(s))
		check_store(c, api, s);
	api->logout(s);
}

static void
check_facets(struct check *c, const struct backends *b)
{
	if (backends_facet(b, BACKEND_STORE) == NULL)
		check_say(
			c, CHECK_ERROR, "backends", "none of them has mail: name imap in backends");
	if (backends_facet(b, BACKEND_SUBMIT) == NULL)
		check_say(c, CHECK_ADVICE, "backends",
			"none of them can send mail: phones will only read");
}

void
check_backends(struct check *c)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_error err = { .text = "" };
	const struct mf_backend_api *api;
	struct backends *b = NULL;
	const char *user = NULL;

	mime_init();
	if (backends_open(c->conf, &b, &err) != MF_OK) {
		check_say(c, CHECK_ERROR, "backends", "%s", err.text);
	} else if (c->user == NULL) {
		check_facets(c, b);
		check_say(c, CHECK_ADVICE, "login",
			"was not tried: --user USER tests the mail server too");
	} else if (backend_login_map(b, c->user, a, &user, &err) != MF_OK) {
		check_say(c, CHECK_ERROR, "login", "%s", err.text);
	} else {
		check_facets(c, b);
		for (size_t i = 0; (api = backends_api(b, i)) != NULL; i++) {
			check_login(c, b, api, user);
			check_master(c, b, api, user);
		}
	}
	backends_close(b);
	mf_arena_free(a);
	mime_deinit();
}
