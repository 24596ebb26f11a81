/* `mailferry state`: how large it is, is it sound, copies of it. */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "main/commands.h"
#include "main/tool.h"

static const char *
directory_of(const struct tool *t)
{
	return mf_conf_string(t->top, "state_directory");
}

/* ---- show ---- */

static int
show(struct tool *t)
{
	static const char *const names[] = { "sync", "records" };
	struct mf_error err = { .text = "" };
	struct state_stats s;
	pid_t daemon = state_daemon(directory_of(t));

	if (state_stats(t->state, &s, &err) != MF_OK)
		return tool_fail(t, &err);
	if (t->json) {
		mf_buf_add_str(&t->out, "{");
		tool_field(&t->out, "directory", directory_of(t));
		tool_number(&t->out, "daemon", daemon);
		tool_number(&t->out, "users", (int64_t)s.users);
		tool_number(&t->out, "devices", (int64_t)s.devices);
		tool_number(&t->out, "folders", (int64_t)s.folders);
		tool_number(&t->out, "collections", (int64_t)s.collections);
	} else {
		mf_buf_printf(&t->out,
			"directory   %s\ndaemon      %s\nusers       %" PRIu64
			"\ndevices     %" PRIu64 "\nfolders     %" PRIu64 "\ncollections %" PRIu64
			"\n",
			directory_of(t), daemon > 0 ? "at work" : "not running", s.users, s.devices,
			s.folders, s.collections);
	}
	for (int i = 0; i < STATE_STORES; i++) {
		const struct kv_stats *k = &s.store[i];

		mf_buf_printf(&t->out,
			t->json ? ",\"%s\":{\"rows\":%" PRIu64 ",\"used\":%" PRIu64
				  ",\"file\":%" PRIu64 "}"
				: "%-11s %" PRIu64 " rows, %" PRIu64
				  " bytes in use, file of %" PRIu64 " bytes\n",
			names[i], k->rows, k->bytes_used, k->bytes_file);
	}
	if (t->json)
		mf_buf_add_str(&t->out, "}\n");
	return MAIN_OK;
}

/* ---- verify ---- */

struct verifying {
	struct tool *t;
	size_t problems;
	bool records; /* one of them is there */
};

static void
problem(void *ctx, const char *line)
{
	struct verifying *v = ctx;
	struct mf_buf *out = &v->t->out;

	v->records |= strncmp(line, "records", strlen("records")) == 0;
	if (v->t->json) {
		mf_buf_add_str(out, v->problems++ == 0 ? "\n{" : ",\n{");
		tool_field(out, "problem", line);
		mf_buf_add_str(out, "}");
		return;
	}
	v->problems++;
	mf_buf_printf(out, "%s\n", line);
}

static int
verify(struct tool *t)
{
	struct verifying v = { .t = t };
	struct mf_error err = { .text = "" };
	enum mf_status st;

	if (t->json)
		mf_buf_add_str(&t->out, "[");
	st = state_verify(t->state, problem, &v, &err);
	mf_buf_add_str(&t->out, t->json ? "\n]\n" : st == MF_OK ? "every row makes sense\n" : "");
	if (st != MF_BROKEN || v.problems == 0)
		return tool_end(t, st, &err);
	return tool_refuse(t, MAIN_FAILED, "%s\n  %s", err.text,
		v.records ? "stop the daemon and bring a backup back: mailferry state restore "
			    "DIRECTORY"
			  : "`mailferry user reset USER` makes the user's phones start afresh; so "
			    "does stopping the\n  daemon and removing the directory sync, for all");
}

/* ---- backup, restore, compact ---- */

static int
backup(struct tool *t)
{
	const char *to = tool_operand(t, 0);
	struct mf_error err = { .text = "" };
	enum mf_status st = state_backup(t->state, to, tool_option(t, 'r') != NULL, &err);

	if (st == MF_EXISTS)
		return tool_refuse(t, MAIN_FAILED, "%s is there already: name a new directory", to);
	return tool_end(t, st, &err);
}

static int
busy(const struct tool *t)
{
	return tool_refuse(t, MAIN_FAILED,
		"a daemon serves from %s: stop it first (systemctl stop mailferry)",
		directory_of(t));
}

static int
restore(struct tool *t)
{
	const char *from = tool_operand(t, 0);
	bool sync_too = tool_option(t, 's') != NULL;
	struct mf_error err = { .text = "" };
	enum mf_status st = state_restore(directory_of(t), from, sync_too, &err);

	if (st == MF_EXISTS)
		return busy(t);
	if (st == MF_GONE)
		return tool_refuse(t, MAIN_FAILED,
			"%s\n  name a directory that `mailferry state "
			"backup` made%s",
			err.text, sync_too ? ", without --records-only" : "");
	if (st == MF_OK && !t->json)
		mf_buf_printf(&t->out, "records restored; %s\n",
			sync_too ? "what phones held, too"
				 : "phones will synchronise afresh. The former files are kept as "
				   "data.mdb.before");
	return tool_end(t, st, &err);
}

static int
compact(struct tool *t)
{
	uint64_t before = 0, after = 0;
	struct mf_error err = { .text = "" };
	enum mf_status st = state_compact(directory_of(t), &before, &after, &err);

	if (st == MF_EXISTS)
		return busy(t);
	if (st == MF_OK)
		mf_buf_printf(&t->out,
			t->json ? "{\"before\":%" PRIu64 ",\"after\":%" PRIu64 "}\n"
				: "%" PRIu64 " bytes before, %" PRIu64 " after\n",
			before, after);
	return tool_end(t, st, &err);
}

int
main_state(int argc, char **argv)
{
	static const struct tool_action actions[] = {
		{ "show", "", 0, 0, show, "how large it is", false },
		{ "verify", "", 0, 0, verify, "reads every row and tells those that make no sense",
			false },
		{ "backup", "DIRECTORY", 1, 1, backup,
			"copies it into a new directory, while the daemon works", false },
		{ "restore", "DIRECTORY", 1, 1, restore,
			"brings the records of a backup back, while no daemon works", true },
		{ "compact", "", 0, 0, compact,
			"gives unused room back to the disk, while no daemon works", true },
		{ 0 },
	};
	static const struct tool_option options[] = {
		{ 'r', "records-only", NULL,
			"backup: not what phones hold, which can be made again" },
		{ 's', "with-sync", NULL,
			"restore: what phones held, too; only when no phone came since" },
		{ 0 },
	};
	static const struct tool_command command = { "state", actions, options,
		"The records (decisions about devices, rules, application passwords, what was "
		"sent)\n"
		"cannot be made again: back them up. The rest makes phones synchronise afresh when "
		"it is\n"
		"lost." };

	return tool_main(&command, argc, argv);
}
