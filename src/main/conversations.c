/*
 * `mailferry conversations USER`: shows the conversations that a user ignores or has moved always, and
 * removes such rules. Works beside a running daemon, which heeds it at once.
 */
#include <string.h>

#include "base/str.h"
#include "main/commands.h"
#include "main/tool.h"
#include "state/rule.h"
#include "state/user.h"

struct rules {
	uint32_t user; /* number in STATE_RECORDS; 0: it has no rules */
	struct state_rule *all;
	size_t n;
};

static void
show_one(struct tool *t, const struct state_rule *rule, bool first)
{
	const char *id = str_hex(t->arena, rule->conversation.bytes, CONVERSATION_ID_LEN);

	if (!t->json) {
		mf_buf_printf(&t->out, "%s  %s  %s\n", id, tool_time(t->arena, rule->created),
			rule->ignore ? "ignored" : mf_printf(t->arena, "moved to %s", rule->id));
		return;
	}
	mf_buf_add_str(&t->out, first ? "\n{" : ",\n{");
	tool_field(&t->out, "id", id);
	tool_number(&t->out, "created", rule->created);
	tool_field(&t->out, "what", rule->ignore ? "ignore" : "move");
	tool_field(&t->out, "folder", rule->ignore ? "" : rule->id);
	mf_buf_add_str(&t->out, "}");
}

static void
show(struct tool *t, const struct rules *r)
{
	if (t->json)
		mf_buf_add_str(&t->out, "[");
	for (size_t i = 0; i < r->n; i++)
		show_one(t, &r->all[i], i == 0);
	if (t->json)
		mf_buf_add_str(&t->out, "\n]\n");
}

static enum mf_status
drop(struct tool *t, const struct rules *r, const char *hex, struct mf_error *err)
{
	struct conversation_id id;

	if (strlen(hex) != 2 * sizeof(id.bytes) || !str_unhex(hex, strlen(hex), id.bytes))
		return mf_fail(err, MF_INVALID, "%s: not the id of a conversation", hex);
	return state_rule_remove(t->state, r->user, &id, err);
}

static enum mf_status
drop_all(struct tool *t, const struct rules *r, struct mf_error *err)
{
	enum mf_status st = MF_OK;

	for (size_t i = 0; i < r->n && st == MF_OK; i++)
		st = state_rule_remove(t->state, r->user, &r->all[i].conversation, err);
	return st;
}

/* A user without a number has no rules. */
static enum mf_status
load(struct tool *t, struct rules *r, struct mf_error *err)
{
	enum mf_status st =
		state_user_find(t->state, STATE_RECORDS, tool_operand(t, 0), &r->user, err);

	if (st == MF_GONE)
		return MF_OK;
	if (st != MF_OK)
		return st;
	return state_rules_load(t->state, r->user, t->arena, &r->all, &r->n, err);
}

static int
run(struct tool *t)
{
	const char *remove = tool_option(t, 'r');
	bool all = tool_option(t, 'a') != NULL;
	struct mf_error err = { .text = "" };
	struct rules r = { 0 };
	enum mf_status st;

	if (remove != NULL && all)
		return tool_refuse(t, MAIN_USAGE, "either --remove or --remove-all");
	st = load(t, &r, &err);
	if (st == MF_OK && remove != NULL)
		st = drop(t, &r, remove, &err);
	else if (st == MF_OK && all)
		st = drop_all(t, &r, &err);
	else if (st == MF_OK)
		show(t, &r);
	if (st == MF_OK)
		return MAIN_OK;
	tool_fail(t, &err);
	return st == MF_INVALID ? MAIN_USAGE : MAIN_FAILED;
}

int
main_conversations(int argc, char **argv)
{
	static const struct tool_action only[] = {
		{ NULL, "USER", 1, 1, run,
			"shows the rules of a user's conversations: those that are ignored (new "
			"mail goes to\n  Deleted Items) and those that are always moved",
			false },
		{ 0 },
	};
	static const struct tool_option options[] = {
		{ 'r', "remove", "ID", "removes the rule of that conversation" },
		{ 'a', "remove-all", NULL, "removes all rules" },
		{ 0 },
	};
	static const struct tool_command command = { "conversations", only, options,
		"USER is the name that the log shows." };

	return tool_main(&command, argc, argv);
}
