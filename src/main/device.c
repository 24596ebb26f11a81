/*
 * `mailferry device` and `mailferry devices`: what is known of devices, and what an administrator
 * decides about them. A running daemon sees it with the device's next request.
 */
#include <string.h>

#include "base/log.h"
#include "eas/access.h"
#include "eas/recovery.h"
#include "main/commands.h"
#include "main/tool.h"
#include "state/device.h"
#include "state/record.h"
#include "state/recovery.h"
#include "state/user.h"

/* ---- Printing ---- */

static void
print_json(struct mf_buf *out, const char *user, const struct state_device *d,
	const struct state_record *r)
{
	mf_buf_add_str(out, "{");
	tool_field(out, "user", user);
	tool_field(out, "id", d->id);
	tool_field(out, "type", d->type);
	tool_field(out, "agent", d->user_agent);
	tool_field(out, "model", d->info[STATE_INFO_MODEL]);
	tool_field(out, "name", d->info[STATE_INFO_FRIENDLY_NAME]);
	tool_field(out, "os", d->info[STATE_INFO_OS]);
	mf_buf_printf(out, ",\"version\":\"%u.%u\"", d->version / 10, d->version % 10);
	tool_number(out, "first_seen", d->first_seen);
	tool_number(out, "last_seen", d->last_seen);
	mf_buf_printf(out, ",\"provisioned\":%s", d->policy_key != 0 ? "true" : "false");
	tool_field(out, "access", state_approval_name(r->approval));
	tool_field(out, "wipe", state_wipe_kind_name(r->wipe.kind));
	if (r->wipe.kind != STATE_WIPE_NONE)
		tool_field(out, "wipe_stage", state_wipe_stage_name(r->wipe.stage));
	mf_buf_add_str(out, "}");
}

static void
print_line(struct tool *t, const char *user, const struct state_device *d,
	const struct state_record *r)
{
	mf_buf_printf(&t->out, "%-24s %-34s %-12s %u.%u  %-20s %-8s", mf_log_value(user),
		mf_log_value(d->id), mf_log_value(d->type), d->version / 10, d->version % 10,
		tool_time(t->arena, d->last_seen), state_approval_name(r->approval));
	if (r->wipe.kind != STATE_WIPE_NONE)
		mf_buf_printf(&t->out, " wipe: %s, %s", state_wipe_kind_name(r->wipe.kind),
			state_wipe_stage_name(r->wipe.stage));
	if (*d->user_agent != '\0')
		mf_buf_printf(&t->out, " %s", mf_log_value(d->user_agent));
	mf_buf_add_str(&t->out, "\n");
}

/* One thing a line. */
static void
print_whole(struct tool *t, const struct state_device *d, const struct state_record *r)
{
	const struct {
		const char *name, *value;
	} rows[] = {
		{ "device", d->id },
		{ "type", d->type },
		{ "agent", d->user_agent },
		{ "model", d->info[STATE_INFO_MODEL] },
		{ "name", d->info[STATE_INFO_FRIENDLY_NAME] },
		{ "system", d->info[STATE_INFO_OS] },
		{ "protocol", mf_printf(t->arena, "%u.%u", d->version / 10, d->version % 10) },
		{ "first seen", tool_time(t->arena, d->first_seen) },
		{ "last seen", tool_time(t->arena, d->last_seen) },
		{ "policy", d->policy_key != 0 ? "acknowledged" : "none" },
		{ "access", state_approval_name(r->approval) },
		{ "wipe", state_wipe_kind_name(r->wipe.kind) },
		{ "wipe is", r->wipe.kind == STATE_WIPE_NONE
				     ? ""
				     : state_wipe_stage_name(r->wipe.stage) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (*rows[i].value != '\0')
			mf_buf_printf(&t->out, "%-11s %s\n", rows[i].name,
				strchr(rows[i].value, ' ') == NULL ? mf_log_value(rows[i].value)
								   : rows[i].value);
}

/* ---- list ---- */

struct listing {
	struct tool *t;
	bool first;
};

static enum mf_status
list_user(struct listing *l, uint32_t number, const char *user, struct mf_error *err)
{
	struct tool *t = l->t;
	struct state_device *all = NULL;
	struct state_record record;
	size_t n = 0;
	enum mf_status st = state_devices(t->state, number, t->arena, &all, &n, err);

	for (size_t i = 0; st == MF_OK && i < n; i++) {
		st = state_record_load(t->state, user, all[i].id, &record, err);
		if (t->json)
			mf_buf_add_str(&t->out, l->first ? "\n" : ",\n");
		l->first = false;
		if (t->json)
			print_json(&t->out, user, &all[i], &record);
		else
			print_line(t, user, &all[i], &record);
	}
	return st;
}

static enum mf_status
list_all(struct listing *l, struct mf_error *err)
{
	struct state_user *users = NULL;
	size_t n = 0;
	enum mf_status st = state_users(l->t->state, STATE_SYNC, l->t->arena, &users, &n, err);

	for (size_t i = 0; st == MF_OK && i < n; i++)
		st = list_user(l, users[i].number, users[i].name, err);
	return st;
}

static int
list(struct tool *t)
{
	struct listing l = { .t = t, .first = true };
	const char *user = tool_operand(t, 0);
	struct mf_error err = { .text = "" };
	enum mf_status st = MF_OK;
	uint32_t number;

	if (t->json)
		mf_buf_add_str(&t->out, "[");
	if (user == NULL)
		st = list_all(&l, &err);
	else if ((st = state_user_find(t->state, STATE_SYNC, user, &number, &err)) == MF_OK)
		st = list_user(&l, number, user, &err);
	if (t->json)
		mf_buf_add_str(&t->out, "\n]\n");
	if (st != MF_OK)
		mf_buf_clear(&t->out);
	else if (l.first && !t->json)
		mf_buf_add_str(&t->out, "no device has come yet\n");
	return tool_end(t, st, &err);
}

/* ---- One device ---- */

static enum mf_status
find(struct tool *t, uint32_t *user, struct state_device **out, struct mf_error *err)
{
	enum mf_status st = state_user_find(t->state, STATE_SYNC, tool_operand(t, 0), user, err);

	if (st == MF_OK)
		st = state_device_find(t->state, *user, tool_operand(t, 1), t->arena, out, err);
	return st;
}

static int
show(struct tool *t)
{
	struct mf_error err = { .text = "" };
	struct state_record record;
	struct state_device *d;
	uint32_t user;
	enum mf_status st = find(t, &user, &d, &err);

	if (st == MF_OK)
		st = state_record_load(t->state, tool_operand(t, 0), d->id, &record, &err);
	if (st == MF_OK && t->json) {
		print_json(&t->out, tool_operand(t, 0), d, &record);
		mf_buf_add_str(&t->out, "\n");
	} else if (st == MF_OK) {
		print_whole(t, d, &record);
	}
	return tool_end(t, st, &err);
}

/* The recovery password: for whoever helps the device's owner, who asks seldom. */
static int
recovery(struct tool *t)
{
	struct mf_error err = { .text = "" };
	char *password;
	enum mf_status st = eas_recovery_find(t->state, t->top, tool_operand(t, 0),
		tool_operand(t, 1), t->arena, &password, &err);

	if (st == MF_OK) {
		mf_log_warning("recovery=shown user=%s device=%s", mf_log_value(tool_operand(t, 0)),
			mf_log_value(tool_operand(t, 1)));
		if (t->json)
			tool_string(&t->out, password);
		else
			mf_buf_add_str(&t->out, password);
		mf_buf_add_str(&t->out, "\n");
		explicit_bzero(password, strlen(password));
	}
	return tool_end(t, st, &err);
}

static int
approve(struct tool *t, enum state_approval approval)
{
	struct mf_error err = { .text = "" };

	return tool_end(t,
		state_approval_save(
			t->state, tool_operand(t, 0), tool_operand(t, 1), approval, &err),
		&err);
}

static int
allow(struct tool *t)
{
	return approve(t, STATE_APPROVAL_ALLOWED);
}

static int
block(struct tool *t)
{
	return approve(t, STATE_APPROVAL_BLOCKED);
}

static int
reset(struct tool *t)
{
	return approve(t, STATE_APPROVAL_NONE);
}

static int
forget(struct tool *t)
{
	struct mf_error err = { .text = "" };
	struct state_device *d;
	uint32_t user;
	enum mf_status st = find(t, &user, &d, &err);

	if (st == MF_OK)
		st = state_device_remove(t->state, user, d->number, &err);
	return tool_end(t, st, &err);
}

static int
unwipe(struct tool *t)
{
	struct mf_error err = { .text = "" };

	return tool_end(t,
		state_wipe_save(t->state, tool_operand(t, 0), tool_operand(t, 1), STATE_WIPE_NONE,
			STATE_WIPE_ASKED, &err),
		&err);
}

static int
forget_recovery(struct tool *t)
{
	struct mf_error err = { .text = "" };

	return tool_end(t,
		state_recovery_save(
			t->state, tool_operand(t, 0), tool_operand(t, 1), mf_bytes(NULL, 0), &err),
		&err);
}

/* What was decided goes as well, and what is kept for it. */
static int
remove_device(struct tool *t)
{
	int status = forget(t);

	if (status == MAIN_OK)
		status = reset(t);
	if (status == MAIN_OK)
		status = forget_recovery(t);
	return status == MAIN_OK ? unwipe(t) : status;
}

/* Asked for twice: the setting, and the device's id once more. */
static int
wipe(struct tool *t)
{
	enum state_wipe_kind kind =
		tool_option(t, 'a') != NULL ? STATE_WIPE_ACCOUNT : STATE_WIPE_DEVICE;
	const char *id = tool_operand(t, 1), *confirm = tool_option(t, 'y');
	struct mf_error err = { .text = "" };

	if (!eas_access_may_wipe(t->top, kind))
		return tool_refuse(t, MAIN_DENIED,
			"remote_wipe = %s forbids this: set it in the configuration and restart",
			mf_conf_string(t->top, "remote_wipe"));
	if (confirm == NULL || strcmp(confirm, id) != 0)
		return tool_refuse(t, MAIN_USAGE, "this erases %s. Say so again: --confirm %s",
			kind == STATE_WIPE_DEVICE ? "everything on the device"
						  : "the account on the device",
			id);
	mf_log_warning("wipe=asked kind=%s user=%s device=%s", state_wipe_kind_name(kind),
		mf_log_value(tool_operand(t, 0)), mf_log_value(id));
	return tool_end(t,
		state_wipe_save(t->state, tool_operand(t, 0), id, kind, STATE_WIPE_ASKED, &err),
		&err);
}

/* ---- The commands ---- */

static const struct tool_action actions[] = {
	{ "list", "[USER]", 0, 1, list, "the devices of a user, or of all", false },
	{ "show", "USER ID", 2, 2, show, "all that is known of one", false },
	{ "recovery", "USER ID", 2, 2, recovery,
		"its recovery password, where a policy wants one (password_recovery)", false },
	{ "allow", "USER ID", 2, 2, allow, "lets it in, whatever the rules say", false },
	{ "block", "USER ID", 2, 2, block, "keeps it out", false },
	{ "reset", "USER ID", 2, 2, reset, "leaves it to the rules again", false },
	{ "forget", "USER ID", 2, 2, forget, "forgets what it holds: it starts afresh", false },
	{ "remove", "USER ID", 2, 2, remove_device, "forgets it, and what was decided about it",
		false },
	{ "wipe", "USER ID", 2, 2, wipe, "erases it with its next request (--confirm ID)", false },
	{ "unwipe", "USER ID", 2, 2, unwipe, "cancels a wipe, or lets a wiped device in again",
		false },
	{ 0 },
};

static const struct tool_option options[] = {
	{ 'a', "account-only", NULL, "wipes the account, not the device (from version 16.1 on)" },
	{ 'y', "confirm", "ID", "the device to wipe, once more" },
	{ 0 },
};

static const char notes[] = "USER is the name that the log shows.";

int
main_device(int argc, char **argv)
{
	static const struct tool_command command = { "device", actions, options, notes };

	return tool_main(&command, argc, argv);
}

int
main_devices(int argc, char **argv)
{
	static const struct tool_action only[] = {
		{ NULL, "[USER]", 0, 1, list,
			"shows the devices of a user, or of all: user, device, type, protocol,\n"
			"  last seen, access, wipe, agent",
			false },
		{ 0 },
	};
	static const struct tool_command command = { "devices", only, NULL, notes };

	return tool_main(&command, argc, argv);
}
