/* `mailferry user`: whom the state knows, what it holds of one, and forgetting it. */
#include <string.h>

#include "base/log.h"
#include "main/commands.h"
#include "main/tool.h"
#include "state/device.h"
#include "state/folder.h"
#include "state/rule.h"
#include "state/user.h"

/* ---- list ---- */

static enum mf_status
count_devices(struct tool *t, uint32_t user, size_t *n, int64_t *seen, struct mf_error *err)
{
	struct state_device *devices = NULL;
	enum mf_status st = state_devices(t->state, user, t->arena, &devices, n, err);

	*seen = 0;
	for (size_t i = 0; st == MF_OK && i < *n; i++)
		if (devices[i].last_seen > *seen)
			*seen = devices[i].last_seen;
	return st;
}

static enum mf_status
list_one(struct tool *t, const struct state_user *u, bool first, struct mf_error *err)
{
	size_t devices;
	int64_t seen;
	enum mf_status st = count_devices(t, u->number, &devices, &seen, err);

	if (st != MF_OK)
		return st;
	if (!t->json) {
		mf_buf_printf(&t->out, "%-32s %3zu devices  last seen %s\n", mf_log_value(u->name),
			devices, tool_time(t->arena, seen));
		return MF_OK;
	}
	mf_buf_add_str(&t->out, first ? "\n{" : ",\n{");
	tool_field(&t->out, "user", u->name);
	tool_number(&t->out, "devices", (int64_t)devices);
	tool_number(&t->out, "created", u->created);
	tool_number(&t->out, "last_seen", seen);
	mf_buf_add_str(&t->out, "}");
	return MF_OK;
}

static int
list(struct tool *t)
{
	struct mf_error err = { .text = "" };
	struct state_user *users = NULL;
	size_t n = 0;
	enum mf_status st = state_users(t->state, STATE_SYNC, t->arena, &users, &n, &err);

	if (t->json)
		mf_buf_add_str(&t->out, "[");
	for (size_t i = 0; st == MF_OK && i < n; i++)
		st = list_one(t, &users[i], i == 0, &err);
	if (t->json)
		mf_buf_add_str(&t->out, "\n]\n");
	return tool_end(t, st, &err);
}

/* ---- show ---- */

struct facts {
	bool known; /* in either store */
	int64_t created, seen;
	size_t devices, folders, rules;
};

/* MF_GONE is no failure: a user may be in one store only. */
static enum mf_status
number_in(struct tool *t, enum state_store store, uint32_t *out, struct mf_error *err)
{
	enum mf_status st = state_user_find(t->state, store, tool_operand(t, 0), out, err);

	if (st == MF_GONE)
		*out = 0;
	return st == MF_GONE ? MF_OK : st;
}

static enum mf_status
gather_sync(struct tool *t, uint32_t user, struct facts *f, struct mf_error *err)
{
	struct state_folders folders = { 0 };
	struct state_user *users = NULL;
	size_t n = 0;
	enum mf_status st = count_devices(t, user, &f->devices, &f->seen, err);

	if (st == MF_OK)
		st = state_folders_load(t->state, user, t->arena, &folders, err);
	for (size_t i = 0; i < folders.n; i++)
		f->folders += folders.folders[i].gone == 0;
	if (st == MF_OK)
		st = state_users(t->state, STATE_SYNC, t->arena, &users, &n, err);
	for (size_t i = 0; st == MF_OK && i < n; i++)
		if (users[i].number == user)
			f->created = users[i].created;
	return st;
}

static enum mf_status
gather(struct tool *t, struct facts *f, struct mf_error *err)
{
	struct state_rule *rules;
	uint32_t sync = 0, records = 0;
	enum mf_status st = number_in(t, STATE_SYNC, &sync, err);

	if (st == MF_OK)
		st = number_in(t, STATE_RECORDS, &records, err);
	if (st == MF_OK && sync != 0)
		st = gather_sync(t, sync, f, err);
	if (st == MF_OK && records != 0)
		st = state_rules_load(t->state, records, t->arena, &rules, &f->rules, err);
	if (st == MF_OK && sync == 0 && records == 0)
		st = mf_fail(err, MF_GONE, "the user %s was never seen", tool_operand(t, 0));
	return st;
}

static int
show(struct tool *t)
{
	struct facts f = { 0 };
	struct mf_error err = { .text = "" };
	enum mf_status st = gather(t, &f, &err);

	if (st != MF_OK)
		return tool_fail(t, &err);
	if (t->json) {
		mf_buf_add_str(&t->out, "{");
		tool_field(&t->out, "user", tool_operand(t, 0));
		tool_number(&t->out, "created", f.created);
		tool_number(&t->out, "last_seen", f.seen);
		tool_number(&t->out, "devices", (int64_t)f.devices);
		tool_number(&t->out, "folders", (int64_t)f.folders);
		tool_number(&t->out, "rules", (int64_t)f.rules);
		mf_buf_add_str(&t->out, "}\n");
		return MAIN_OK;
	}
	mf_buf_printf(&t->out,
		"user        %s\nfirst seen  %s\nlast seen   %s\ndevices     %zu\nfolders     "
		"%zu\nrules       %zu of conversations\n",
		mf_log_value(tool_operand(t, 0)), tool_time(t->arena, f.created),
		tool_time(t->arena, f.seen), f.devices, f.folders, f.rules);
	return MAIN_OK;
}

/* ---- reset, remove ---- */

static enum mf_status
known(struct tool *t, struct mf_error *err)
{
	struct facts f = { 0 };

	return gather(t, &f, err);
}

static int
reset(struct tool *t)
{
	struct mf_error err = { .text = "" };
	enum mf_status st = known(t, &err);

	if (st == MF_OK)
		st = state_user_remove(t->state, STATE_SYNC, tool_operand(t, 0), &err);
	return tool_end(t, st, &err);
}

static int
remove_user(struct tool *t)
{
	const char *user = tool_operand(t, 0), *confirm = tool_option(t, 'y');
	struct mf_error err = { .text = "" };
	enum mf_status st = known(t, &err);

	if (st == MF_OK && (confirm == NULL || strcmp(confirm, user) != 0))
		return tool_refuse(t, MAIN_USAGE,
			"this forgets what was decided about the devices, rules and application "
			"passwords as well. Say so again: --confirm %s",
			user);
	if (st == MF_OK)
		st = state_user_remove(t->state, STATE_SYNC, user, &err);
	if (st == MF_OK)
		st = state_user_remove(t->state, STATE_RECORDS, user, &err);
	return tool_end(t, st, &err);
}

int
main_user(int argc, char **argv)
{
	static const struct tool_action actions[] = {
		{ "list", "", 0, 0, list, "all users that were seen", false },
		{ "show", "USER", 1, 1, show, "what the state holds of one", false },
		{ "reset", "USER", 1, 1, reset, "the user's phones synchronise afresh", false },
		{ "remove", "USER", 1, 1, remove_user,
			"forgets the user altogether (--confirm USER)", false },
		{ 0 },
	};
	static const struct tool_option options[] = {
		{ 'y', "confirm", "USER", "the user to remove, once more" },
		{ 0 },
	};
	static const struct tool_command command = {
		"user", actions, options,
		"USER is the name that the log shows. Mail is on the mail server and stays there."
	};

	return tool_main(&command, argc, argv);
}
