/*
 * `mailferry device`: what is known of a user's devices, and what an administrator decides about them.
 * Works on the state directly, beside a running daemon, which sees it with the device's next request.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "main/commands.h"
#include "main/json.h"
#include "main/load.h"
#include "state/device.h"
#include "state/record.h"
#include "state/user.h"

struct options {
	const char *config, *confirm;
	bool json, account_only;
};

struct device {
	const struct options *o;
	struct conf *conf;
	struct state *state;
	const char *user, *id;
	struct mf_arena *arena;
};

static int
fail(const struct mf_error *err)
{
	fprintf(stderr, "mailferry device: %s\n", err->text);
	return err->status == MF_INVALID ? MAIN_CONFIG : MAIN_FAILED;
}

/* ---- list ---- */

static const char *const approvals[] = { "by rule", "allowed", "blocked", "waiting" };
static const char *const kinds[] = { "none", "account", "device" };
static const char *const stages[] = { "asked", "sent", "done", "failed" };

static void
print_field(struct mf_buf *out, const char *name, const char *value)
{
	mf_buf_printf(out, ",\"%s\":", name);
	main_json_string(out, value, strlen(value));
}

static void
print_json(struct mf_buf *out, const struct state_device *d, const struct state_record *r)
{
	mf_buf_add_str(out, "{\"id\":");
	main_json_string(out, d->id, strlen(d->id));
	print_field(out, "type", d->type);
	print_field(out, "agent", d->user_agent);
	print_field(out, "model", d->info[STATE_INFO_MODEL]);
	print_field(out, "name", d->info[STATE_INFO_FRIENDLY_NAME]);
	print_field(out, "os", d->info[STATE_INFO_OS]);
	mf_buf_printf(out, ",\"version\":\"%u.%u\",\"first_seen\":%lld,\"last_seen\":%lld",
		d->version / 10, d->version % 10, (long long)d->first_seen,
		(long long)d->last_seen);
	mf_buf_printf(out, ",\"provisioned\":%s", d->policy_key != 0 ? "true" : "false");
	print_field(out, "access", approvals[r->approval]);
	print_field(out, "wipe", kinds[r->wipe.kind]);
	if (r->wipe.kind != STATE_WIPE_NONE)
		print_field(out, "wipe_stage", stages[r->wipe.stage]);
	mf_buf_add_str(out, "}");
}

static void
print_line(struct mf_buf *out, const struct state_device *d, const struct state_record *r)
{
	mf_buf_printf(out, "%-34s %-16s %u.%u  %-8s", mf_log_value(d->id), mf_log_value(d->type),
		d->version / 10, d->version % 10, approvals[r->approval]);
	if (r->wipe.kind != STATE_WIPE_NONE)
		mf_buf_printf(out, " wipe: %s, %s", kinds[r->wipe.kind], stages[r->wipe.stage]);
	if (*d->user_agent != '\0')
		mf_buf_printf(out, " %s", mf_log_value(d->user_agent));
	mf_buf_add_str(out, "\n");
}

static enum mf_status
print_all(const struct device *x, struct mf_buf *out, struct mf_error *err)
{
	struct state_device *all = NULL;
	struct state_record record;
	uint32_t user;
	size_t n = 0;
	enum mf_status st = state_user_find(x->state, STATE_SYNC, x->user, &user, err);

	if (st == MF_OK)
		st = state_devices(x->state, user, x->arena, &all, &n, err);
	for (size_t i = 0; st == MF_OK && i < n; i++) {
		st = state_record_load(x->state, x->user, all[i].id, &record, err);
		if (x->o->json)
			mf_buf_add_str(out, i == 0 ? "\n" : ",\n");
		(x->o->json ? print_json : print_line)(out, &all[i], &record);
	}
	return st;
}

static int
list(struct device *x)
{
	struct mf_error err = { .text = "" };
	struct mf_buf out;
	enum mf_status st;

	mf_buf_init(&out, 0);
	st = print_all(x, &out, &err);
	if (st == MF_OK)
		printf(x->o->json ? "[%s\n]\n" : "%s", mf_buf_str(&out));
	mf_buf_deinit(&out);
	return st == MF_OK ? MAIN_OK : fail(&err);
}

/* ---- allow, block, reset ---- */

static int
approve(struct device *x, enum state_approval approval)
{
	struct mf_error err = { .text = "" };
	enum mf_status st = state_approval_save(x->state, x->user, x->id, approval, &err);

	return st == MF_OK ? MAIN_OK : fail(&err);
}

static int
allow(struct device *x)
{
	return approve(x, STATE_APPROVAL_ALLOWED);
}

static int
block(struct device *x)
{
	return approve(x, STATE_APPROVAL_BLOCKED);
}

static int
reset(struct device *x)
{
	return approve(x, STATE_APPROVAL_NONE);
}

/* ---- forget ---- */

static int
forget(struct device *x)
{
	struct mf_error err = { .text = "" };
	struct state_device *d;
	uint32_t user;
	enum mf_status st = state_user_find(x->state, STATE_SYNC, x->user, &user, &err);

	if (st == MF_OK)
		st = state_device_find(x->state, user, x->id, x->arena, &d, &err);
	if (st == MF_OK)
		st = state_device_remove(x->state, user, d->number, &err);
	return st == MF_OK ? MAIN_OK : fail(&err);
}

/* ---- wipe, unwipe ---- */

/* Asked for twice: the setting, and the device's id once more. */
static int
wipe(struct device *x)
{
	enum state_wipe_kind kind = x->o->account_only ? STATE_WIPE_ACCOUNT : STATE_WIPE_DEVICE;
	const char *allowed = mf_conf_string(conf_top(x->conf), "remote_wipe");
	struct mf_error err = { .text = "" };

	if (strcmp(allowed, "device") != 0 &&
		(kind == STATE_WIPE_DEVICE || strcmp(allowed, "account") != 0)) {
		fprintf(stderr, "mailferry device: remote_wipe = %s forbids this\n", allowed);
		return MAIN_DENIED;
	}
	if (x->o->confirm == NULL || strcmp(x->o->confirm, x->id) != 0) {
		fprintf(stderr, "mailferry device: this erases %s. Say so again: --confirm %s\n",
			kind == STATE_WIPE_DEVICE ? "everything on the device"
						  : "the account on the device",
			x->id);
		return MAIN_USAGE;
	}
	mf_log_warning("wipe=asked kind=%s user=%s device=%s", kinds[kind], mf_log_value(x->user),
		mf_log_value(x->id));
	if (state_wipe_save(x->state, x->user, x->id, kind, STATE_WIPE_ASKED, &err) != MF_OK)
		return fail(&err);
	return MAIN_OK;
}

static int
unwipe(struct device *x)
{
	struct mf_error err = { .text = "" };
	enum mf_status st =
		state_wipe_save(x->state, x->user, x->id, STATE_WIPE_NONE, STATE_WIPE_ASKED, &err);

	return st == MF_OK ? MAIN_OK : fail(&err);
}

/* ---- The command ---- */

static const struct {
	const char *name;
	int operands; /* behind the name */
	int (*run)(struct device *x);
	const char *help;
} actions[] = {
	{ "list", 1, list, "USER       the user's devices" },
	{ "allow", 2, allow, "USER ID    lets the device in, whatever the rules say" },
	{ "block", 2, block, "USER ID    keeps it out" },
	{ "reset", 2, reset, "USER ID    leaves it to the rules again" },
	{ "forget", 2, forget, "USER ID    forgets what it holds: it starts afresh" },
	{ "wipe", 2, wipe, "USER ID    erases it with its next request (--confirm ID)" },
	{ "unwipe", 2, unwipe, "USER ID    cancels a wipe, or lets a wiped device in again" },
};

static int
usage(FILE *f, int status)
{
	fputs("usage: mailferry device [options] ACTION USER [ID]\n\nactions:\n", f);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		fprintf(f, "  %-7s %s\n", actions[i].name, actions[i].help);
	fputs("\n  -c, --config FILE   the configuration (/etc/mailferry/mailferry.conf)\n"
	      "  -a, --account-only  wipes the account, not the device (from version 16.1 on)\n"
	      "  -y, --confirm ID    the device to wipe, once more\n"
	      "  -j, --json          the list as JSON\n"
	      "  -h, --help          this text\n\n"
	      "USER is the name that the log shows.\n",
		f);
	return status;
}

static int
run(struct device *x, int (*action)(struct device *x))
{
	struct mf_error err = { .text = "" };
	struct state_options state = { 0 };
	int status;

	if (main_load(main_config_path(x->o->config), &x->conf, &err) != MF_OK)
		return fail(&err);
	state.directory = mf_conf_string(conf_top(x->conf), "state_directory");
	state.readers = (unsigned)mf_conf_number(conf_top(x->conf), "state_readers");
	if (state_open(&state, &x->state, &err) != MF_OK) {
		conf_free(x->conf);
		return fail(&err);
	}
	x->arena = mf_arena_new();
	status = action(x);
	mf_arena_free(x->arena);
	state_close(x->state);
	conf_free(x->conf);
	return status;
}

int
main_device(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "account-only", no_argument, NULL, 'a' },
		{ "confirm", required_argument, NULL, 'y' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options o = { 0 };
	struct device x = { .o = &o };
	int letter;

	while ((letter = getopt_long(argc, argv, "c:ay:jh", longs, NULL)) != -1) {
		if (letter == 'h')
			return usage(stdout, MAIN_OK);
		if (letter == '?')
			return usage(stderr, MAIN_USAGE);
		o.config = letter == 'c' ? optarg : o.config;
		o.confirm = letter == 'y' ? optarg : o.confirm;
		o.account_only |= letter == 'a';
		o.json |= letter == 'j';
	}
	for (size_t i = 0; optind < argc && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(argv[optind], actions[i].name) == 0 &&
			argc - optind == actions[i].operands + 1) {
			x.user = argv[optind + 1];
			x.id = argv[optind + actions[i].operands];
			return run(&x, actions[i].run);
		}
	return usage(stderr, MAIN_USAGE);
}
