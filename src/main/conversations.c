/*
 * `mailferry conversations USER`: shows the conversations that a user ignores or has moved always, and
 * removes such rules. Works beside a running daemon, which heeds it at once.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/str.h"
#include "main/commands.h"
#include "main/load.h"
#include "state/rule.h"
#include "state/user.h"

static int
usage(FILE *f, int status)
{
	fputs("usage: mailferry conversations [--config FILE] USER [--remove ID | --remove-all]\n\n"
	      "Shows the rules of a user's conversations: those that are ignored (new mail goes "
	      "to\n"
	      "Deleted Items) and those that are always moved. USER is the name as in the log.\n",
		f);
	return status;
}

struct job {
	struct state *state;
	struct mf_arena *arena;
	uint32_t user; /* number in STATE_RECORDS; 0: it has no rules */
	struct state_rule *rules;
	size_t n;
};

static void
show(const struct job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct state_rule *rule = &j->rules[i];
		char when[32];
		time_t t = (time_t)rule->created;
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
		printf("%s  %s  %s\n",
			str_hex(j->arena, rule->conversation.bytes, CONVERSATION_ID_LEN), when,
			rule->ignore ? "ignored" : mf_printf(j->arena, "moved to %s", rule->id));
	}
}

static enum mf_status
drop(const struct job *j, const char *hex, struct mf_error *err)
{
	struct conversation_id id;

	if (strlen(hex) != 2 * sizeof(id.bytes) || !str_unhex(hex, strlen(hex), id.bytes))
		return mf_fail(err, MF_INVALID, "%s: not the id of a conversation", hex);
	return state_rule_remove(j->state, j->user, &id, err);
}

static enum mf_status
drop_all(const struct job *j, struct mf_error *err)
{
	enum mf_status st = MF_OK;

	for (size_t i = 0; i < j->n && st == MF_OK; i++)
		st = state_rule_remove(j->state, j->user, &j->rules[i].conversation, err);
	return st;
}

/* A user without a number has no rules. */
static enum mf_status
load(struct job *j, const char *user, struct mf_error *err)
{
	enum mf_status st = state_user_find(j->state, STATE_RECORDS, user, &j->user, err);

	if (st == MF_GONE)
		return MF_OK;
	if (st != MF_OK)
		return st;
	return state_rules_load(j->state, j->user, j->arena, &j->rules, &j->n, err);
}

static enum mf_status
run(const struct mf_conf *conf, const char *user, const char *remove, bool all,
	struct mf_error *err)
{
	struct state_options o = { .directory = mf_conf_string(conf, "state_directory") };
	struct job j = { 0 };
	enum mf_status st = state_open(&o, &j.state, err);

	if (st != MF_OK)
		return st;
	j.arena = mf_arena_new();
	st = load(&j, user, err);
	if (st == MF_OK && remove != NULL)
		st = drop(&j, remove, err);
	else if (st == MF_OK && all)
		st = drop_all(&j, err);
	else if (st == MF_OK)
		show(&j);
	mf_arena_free(j.arena);
	state_close(j.state);
	return st;
}

int
main_conversations(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		{ "remove", required_argument, NULL, 'r' },
		{ "remove-all", no_argument, NULL, 'a' }, { "help", no_argument, NULL, 'h' },
		{ 0 } };
	const char *config = NULL, *remove = NULL;
	struct mf_error err = { .text = "" };
	struct conf *conf = NULL;
	bool all = false;
	enum mf_status st;

	for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;)
		switch (c) {
		case 'c':
			config = optarg;
			break;
		case 'r':
			remove = optarg;
			break;
		case 'a':
			all = true;
			break;
		case 'h':
			return usage(stdout, MAIN_OK);
		default:
			return usage(stderr, MAIN_USAGE);
		}
	if (optind + 1 != argc || (remove != NULL && all))
		return usage(stderr, MAIN_USAGE);
	log_set_level(MF_LOG_ERROR);
	st = main_load(main_config_path(config), &conf, &err);
	if (st != MF_OK) {
		fprintf(stderr, "mailferry: %s\n", err.text);
		return MAIN_CONFIG;
	}
	st = run(conf_top(conf), argv[optind], remove, all, &err);
	conf_free(conf);
	if (st == MF_OK)
		return MAIN_OK;
	fprintf(stderr, "mailferry: %s\n", err.text);
	return st == MF_INVALID ? MAIN_USAGE : MAIN_FAILED;
}
