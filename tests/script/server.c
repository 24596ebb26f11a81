/* The gateway below HTTP: configuration, state and backends; and what befalls it. */
#include "player.h"

#include <stdlib.h>
#include <string.h>

#include "backend/registry.h"
#include "base/clock.h"
#include "eas/access.h"
#include "eas/background.h"
#include "eas/limits.h"
#include "eas/password.h"
#include "eas/policy.h"
#include "eas/who.h"
#include "state/state.h"
#include "state/user.h"
#include "token/token.h"

static struct conf_table tables[] = {
	{ .name = "memory", .help = "Mail in memory." },
	{ .name = NULL },
};

static void
load_conf(struct player *p)
{
	const char *text = mf_printf(p->arena,
		"backends = {\"memory\"}\nmemory {\n\tworld = \"script\"\n}\n%s", p->settings);
	struct mf_error err;

	tables[0].rows = mf_backend_memory.settings;
	if (conf_parse(text, tables, &p->conf, &err) != MF_OK)
		script_broken(p, "configuration: %s", err.text);
	p->server.conf = conf_top(p->conf);
	if (tokens_open(p->server.conf, &p->server.tokens, &err) != MF_OK)
		script_broken(p, "tokens: %s", err.text);
	if (eas_policies_open(p->conf, &p->policies, &err) != MF_OK)
		script_broken(p, "policies: %s", err.text);
	p->server.policies = p->policies;
	if (eas_access_validate(p->server.conf, &err) != MF_OK)
		script_broken(p, "access: %s", err.text);
	p->server.limits = eas_limits_new(p->server.conf);
}

static void
open_backends(struct player *p)
{
	struct mf_error err;

	if (backends_open(p->conf, &p->server.backends, &err) != MF_OK)
		script_broken(p, "backends: %s", err.text);
}

static void
open_state(struct player *p)
{
	struct state_options o = {
		.directory = mf_printf(p->arena, "%s/state", p->directory),
		.map_size = 16 << 20,
		.readers = 16,
		.daemon = true,
	};
	struct mf_error err;

	if (state_open(&o, &p->server.state, &err) != MF_OK)
		script_broken(p, "state: %s", err.text);
}

void
server_start(struct player *p)
{
	load_conf(p);
	open_backends(p);
	open_state(p);
}

void
server_stop(struct player *p)
{
	exchange_free(p->current);
	p->current = NULL;
	while (p->parked != NULL) {
		struct exchange *next = p->parked->next;

		exchange_free(p->parked);
		p->parked = next;
	}
	backends_close(p->server.backends);
	state_close(p->server.state);
	eas_limits_free(p->server.limits);
	tokens_free(p->server.tokens);
	eas_policies_free(p->policies);
	conf_free(p->conf);
	p->server = (struct eas_server){ .conf = NULL };
}

/* ---- Steps ---- */

/* restart: stops the gateway and starts it again; mail and state stay. */
static void
step_restart(struct player *p, const char *rest, const char *block)
{
	(void)rest;
	(void)block;
	server_stop(p);
	server_start(p);
}

/* configure: starts it again with the settings below. */
static void
step_configure(struct player *p, const char *rest, const char *block)
{
	(void)rest;
	p->settings = block;
	server_stop(p);
	server_start(p);
}

/* forget: the state that can be rebuilt is lost. */
static void
step_forget(struct player *p, const char *rest, const char *block)
{
	const char *command = mf_printf(p->arena, "rm -rf '%s/state/sync'", p->directory);

	(void)rest;
	(void)block;
	server_stop(p);
	if (system(command) != 0)
		script_broken(p, "cannot remove the state");
	server_start(p);
}

/* pass SECONDS: that much time goes by. */
static void
step_pass(struct player *p, const char *rest, const char *block)
{
	(void)block;
	clock_skip((int64_t)script_number(p, rest));
}

static enum mf_status
status_word(struct player *p, const char *word)
{
	for (int st = MF_OK; st <= MF_BROKEN; st++)
		if (strcmp(mf_status_name((enum mf_status)st), word) == 0)
			return (enum mf_status)st;
	script_broken(p, "no such status: %s", word);
}

static enum memory_call
call_word(struct player *p, const char *word)
{
	enum memory_call call = memory_call_find(word);

	if (call == MEMORY_CALLS)
		script_broken(p, "no such call: %s", word);
	return call;
}

/* fail CALL NTH STATUS [late] [cut]: NTH 0 is every one. */
static void
step_fail(struct player *p, const char *rest, const char *block)
{
	enum memory_call call = call_word(p, script_word(p, &rest));
	unsigned nth = (unsigned)script_number(p, script_word(p, &rest)), how = 0;
	enum mf_status st = status_word(p, script_word(p, &rest));

	(void)block;
	while (*rest != '\0') {
		const char *word = script_word(p, &rest);

		if (strcmp(word, "late") == 0)
			how |= MEMORY_LATE;
		else if (strcmp(word, "cut") == 0)
			how |= MEMORY_CUT;
		else if (strcmp(word, "expired") == 0)
			how |= MEMORY_EXPIRED;
		else if (strcmp(word, "blocked") == 0)
			how |= MEMORY_BLOCKED;
		else
			script_broken(p, "late, cut, expired or blocked, not %s", word);
	}
	memory_fail(p->world, call, nth, st, how);
}

/* delay CALL MILLISECONDS */
static void
step_delay(struct player *p, const char *rest, const char *block)
{
	enum memory_call call = call_word(p, script_word(p, &rest));

	(void)block;
	memory_delay(p->world, call, (unsigned)script_number(p, rest));
}

/* mailserver down, up, drop, heal: heal ends all failures. */
static void
step_mailserver(struct player *p, const char *rest, const char *block)
{
	(void)block;
	if (strcmp(rest, "down") == 0)
		memory_down(p->world, true);
	else if (strcmp(rest, "up") == 0)
		memory_down(p->world, false);
	else if (strcmp(rest, "drop") == 0)
		memory_drop(p->world);
	else if (strcmp(rest, "heal") == 0)
		memory_reset(p->world);
	else
		script_broken(p, "down, up, drop or heal");
}

/* without WORD...: the mail server lacks these from now on; none: it has all. */
static void
step_without(struct player *p, const char *rest, const char *block)
{
	static const char *const words[] = { "move-ids", "put-ids", "identities", "modseq",
		"vanished", "special-use", "previews", "eight-bit", "as-user" };
	unsigned lacks = 0;

	(void)block;
	while (*rest != '\0') {
		const char *word = script_word(p, &rest);
		size_t i = 0, n = sizeof(words) / sizeof(words[0]);

		while (i < n && strcmp(words[i], word) != 0)
			i++;
		if (i == n)
			script_broken(p, "no such capability: %s", word);
		lacks |= 1U << i;
	}
	memory_capabilities(p->world, MEMORY_ALL_CAPABILITIES & ~lacks);
}

static size_t
choose(struct player *p, const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	script_broken(p, "no such word: %s", word);
}

static void
record_done(struct player *p, enum mf_status st, const struct mf_error *err)
{
	if (st != MF_OK)
		script_broken(p, "record: %s", err->text);
}

/* wipe none, account, device: what an administrator asks for, of the phone that speaks. */
static void
step_wipe(struct player *p, const char *rest, const char *block)
{
	static const char *const words[] = { "none", "account", "device" };
	enum state_wipe_kind kind = (enum state_wipe_kind)choose(p, rest, words, 3);
	struct mf_error err = { 0 };

	(void)block;
	record_done(p,
		state_wipe_save(p->server.state, p->phone.user, p->phone.device, kind,
			STATE_WIPE_ASKED, &err),
		&err);
}

/* wiped asked, sent, done, failed: how far that is. */
static void
step_wiped(struct player *p, const char *rest, const char *block)
{
	static const char *const words[] = { "asked", "sent", "done", "failed" };
	enum state_wipe_stage stage = (enum state_wipe_stage)choose(p, rest, words, 4);
	struct state_record record;
	struct mf_error err = { 0 };

	(void)block;
	record_done(p,
		state_record_load(p->server.state, p->phone.user, p->phone.device, &record, &err),
		&err);
	if (record.wipe.stage != stage)
		script_failed(p, "the wipe is %s", words[record.wipe.stage]);
}

/* approve none, allowed, blocked: what an administrator decides, of the phone that speaks. */
static void
step_approve(struct player *p, const char *rest, const char *block)
{
	static const char *const words[] = { "none", "allowed", "blocked" };
	enum state_approval approval = (enum state_approval)choose(p, rest, words, 3);
	struct mf_error err = { 0 };

	(void)block;
	record_done(p,
		state_approval_save(
			p->server.state, p->phone.user, p->phone.device, approval, &err),
		&err);
}

/* application VAR [device ID] [days N]: the phone's user gets an application password, which seals the
 * password that the phone has unless there is a master user. */
static void
step_application(struct player *p, const char *rest, const char *block)
{
	const char *variable = script_word(p, &rest), *word, *text;
	struct eas_password_order o = { .user = p->phone.user, .name = "", .device_id = "" };
	struct mf_error err = { 0 };
	uint32_t number;

	(void)block;
	while (*(word = script_word(p, &rest)) != '\0') {
		if (strcmp(word, "device") == 0)
			o.device_id = script_word(p, &rest);
		else if (strcmp(word, "days") == 0)
			o.expires = clock_wall() +
				    86400 * (int64_t)script_number(p, script_word(p, &rest));
		else
			script_broken(p, "no such word: %s", word);
	}
	o.account = eas_who_has_master(p->server.conf) ? NULL : p->phone.password;
	record_done(
		p, eas_password_issue(p->server.state, &o, p->arena, &text, &number, &err), &err);
	script_set(p, variable, text);
}

/* withdraw NUMBER: of the phone's user. */
static void
step_withdraw(struct player *p, const char *rest, const char *block)
{
	struct mf_error err = { 0 };

	(void)block;
	record_done(p,
		state_password_remove(
			p->server.state, p->phone.user, (uint32_t)script_number(p, rest), &err),
		&err);
}

/* tend: the work for the phone's user that is done beside requests. */
static void
step_tend(struct player *p, const char *rest, const char *block)
{
	const struct mf_login who = { .user = p->phone.user, .password = p->phone.password };
	struct mf_error err = { 0 };
	uint32_t user = 0;
	bool patient = false;

	(void)rest, (void)block;
	record_done(p, state_user_find(p->server.state, STATE_SYNC, who.user, &user, &err), &err);
	eas_background_run(&p->server, user, &who, &patient);
}

const struct script_step server_steps[] = {
	{ "tend", step_tend },
	{ "restart", step_restart },
	{ "configure", step_configure },
	{ "forget", step_forget },
	{ "pass", step_pass },
	{ "fail", step_fail },
	{ "delay", step_delay },
	{ "mailserver", step_mailserver },
	{ "without", step_without },
	{ "wipe", step_wipe },
	{ "wiped", step_wiped },
	{ "approve", step_approve },
	{ "application", step_application },
	{ "withdraw", step_withdraw },
	{ NULL, NULL },
};
