/* One user's devices, one device, and what the administrator decides about it. */
#include <string.h>

#include "base/clock.h"
#include "eas/access.h"
#include "eas/commands.h"
#include "eas/history.h"
#include "eas/problem.h"
#include "mailferry/log.h"
#include "page/view.h"
#include "state/device.h"
#include "state/record.h"
#include "state/user.h"

/* ---- A user ---- */

static const char *
wipe_text(struct mf_arena *a, const struct state_wipe *w)
{
	if (w->kind == STATE_WIPE_NONE)
		return "";
	return mf_printf(a, "%s to be erased: %s",
		w->kind == STATE_WIPE_DEVICE ? "the device" : "the account",
		state_wipe_stage_name(w->stage));
}

static enum mf_status
write_device(struct view *v, const char *user, const struct state_device *d, struct mf_error *err)
{
	struct mf_arena *a = v->r->arena;
	struct state_record record;
	enum mf_status st = state_record_load(v->page->o.state, user, d->id, &record, err);

	if (st == MF_OK)
		html_add(v->out,
			"<tr><th scope=\"row\"><a href=\"device?user=%m&amp;id=%m\">%s</a></th>"
			"<td>%s</td><td class=\"t\">%s</td><td>%s</td><td class=\"t\">%s</td>"
			"<td>%s %s</td></tr>",
			html_query(a, user), html_query(a, d->id), d->id,
			*d->info[STATE_INFO_MODEL] != '\0' ? d->info[STATE_INFO_MODEL] : d->type,
			eas_version_name((enum eas_version)d->version), d->user_agent,
			html_ago(a, d->last_seen), state_approval_name(record.approval),
			wipe_text(a, &record.wipe));
	return st;
}

enum eas_verdict
admin_user(struct view *v)
{
	const char *user = form_query(v->r, "name");
	struct state_device *devices = NULL;
	struct mf_error err = { .text = "" };
	uint32_t number;
	size_t n = 0;
	enum mf_status st = state_user_find(
		v->page->o.state, STATE_SYNC, user == NULL ? "" : user, &number, &err);

	if (st == MF_OK)
		st = state_devices(v->page->o.state, number, v->r->arena, &devices, &n, &err);
	if (st != MF_OK)
		return view_error(v, st, &err);
	view_begin(v, 200, user, "users");
	html_add(v->out,
		"<div class=\"wide\" tabindex=\"0\"><table><caption>Devices</caption><thead><tr>"
		"<th scope=\"col\">Device</th><th scope=\"col\">Kind</th>"
		"<th scope=\"col\">Protocol</th><th scope=\"col\">Agent</th>"
		"<th scope=\"col\">Last seen</th><th scope=\"col\">Access</th></tr></thead>"
		"<tbody>");
	for (size_t i = 0; st == MF_OK && i < n; i++)
		st = write_device(v, user, &devices[i], &err);
	if (st != MF_OK)
		return view_error(v, st, &err);
	html_add(v->out, "</tbody></table></div>");
	return view_end(v);
}

/* ---- A device ---- */

struct shown {
	const char *user, *id;
	uint32_t number; /* of the user */
	struct state_device *device;
	struct state_record record;
};

static enum mf_status
find(struct view *v, const char *user, const char *id, struct shown *out, struct mf_error *err)
{
	struct state *state = v->page->o.state;
	enum mf_status st;

	*out = (struct shown){ .user = user == NULL ? "" : user, .id = id == NULL ? "" : id };
	st = state_user_find(state, STATE_SYNC, out->user, &out->number, err);
	if (st == MF_OK)
		st = state_device_find(state, out->number, out->id, v->r->arena, &out->device, err);
	if (st == MF_OK)
		st = state_record_load(state, out->user, out->id, &out->record, err);
	return st;
}

static void
write_fact(struct view *v, const char *name, const char *value)
{
	if (*value != '\0')
		html_add(v->out, "<dt>%s</dt><dd>%s</dd>", name, value);
}

static void
write_facts(struct view *v, const struct shown *s)
{
	const struct state_device *d = s->device;
	struct mf_arena *a = v->r->arena;

	html_add(v->out, "<dl class=\"card facts\">");
	html_add(v->out, "<dt>User</dt><dd><a href=\"user?name=%m\">%s</a></dd>",
		html_query(a, s->user), s->user);
	write_fact(v, "Type", d->type);
	write_fact(v, "Model", d->info[STATE_INFO_MODEL]);
	write_fact(v, "Name", d->info[STATE_INFO_FRIENDLY_NAME]);
	write_fact(v, "System", d->info[STATE_INFO_OS]);
	write_fact(v, "Agent", d->user_agent);
	write_fact(v, "Protocol", eas_version_name((enum eas_version)d->version));
	write_fact(v, "First seen", html_time(a, d->first_seen));
	write_fact(v, "Last seen",
		mf_printf(a, "%s (%s)", html_time(a, d->last_seen), html_ago(a, d->last_seen)));
	write_fact(v, "Policy", d->policy_key != 0 ? "acknowledged" : "none");
	write_fact(v, "Access", state_approval_name(s->record.approval));
	write_fact(v, "Erasing", wipe_text(a, &s->record.wipe));
	html_add(v->out, "</dl>");
}

static void
write_events(struct view *v, const struct history_event *events, size_t n)
{
	struct mf_arena *a = v->r->arena;

	html_add(v->out, "<h2>Last requests</h2>");
	if (n == 0) {
		html_add(v->out, "<p>None since the daemon started.</p>");
		return;
	}
	html_add(v->out, "<div class=\"wide\" tabindex=\"0\"><table><caption>Newest "
			 "first</caption><thead><tr>"
			 "<th scope=\"col\">When</th><th scope=\"col\">Command</th>"
			 "<th scope=\"col\" class=\"n\">HTTP</th>"
			 "<th scope=\"col\" class=\"n\">Status</th>"
			 "<th scope=\"col\" class=\"n\">Items</th>"
			 "<th scope=\"col\" class=\"n\">Took s</th>"
			 "<th scope=\"col\" class=\"n\">Mail server s</th>"
			 "<th scope=\"col\">Waited</th></tr></thead><tbody>");
	for (size_t i = 0; i < n; i++) {
		const struct history_event *e = &events[i];

		html_add(v->out,
			"<tr><td class=\"t\">%s</td><td>%s</td><td class=\"n\">%d</td><td "
			"class=\"n\">%d</td><td class=\"n\">%d</td><td class=\"n\">%s</td><td "
			"class=\"n\">%s</td><td>%s</td></tr>",
			html_ago(a, e->at),
			e->command < eas_commands_n ? eas_commands[e->command].name : "other",
			(int64_t)e->http, (int64_t)e->status, (int64_t)e->items,
			mf_printf(a, "%.1f", e->ms / 1000.0),
			mf_printf(a, "%.1f", e->server_ms / 1000.0),
			!e->waited ? ""
			: e->left  ? "until its client left"
				   : "for news");
	}
	html_add(v->out, "</tbody></table></div>");
}

/* ---- What can be decided ---- */

enum confirm { CONFIRM_NO, CONFIRM_ASK, CONFIRM_TYPE };

static enum mf_status
approve(struct view *v, const struct shown *s, enum state_approval to, struct mf_error *err)
{
	return state_approval_save(v->page->o.state, s->user, s->id, to, err);
}

static enum mf_status
do_allow(struct view *v, const struct shown *s, struct mf_error *err)
{
	return approve(v, s, STATE_APPROVAL_ALLOWED, err);
}

static enum mf_status
do_block(struct view *v, const struct shown *s, struct mf_error *err)
{
	return approve(v, s, STATE_APPROVAL_BLOCKED, err);
}

static enum mf_status
do_reset(struct view *v, const struct shown *s, struct mf_error *err)
{
	return approve(v, s, STATE_APPROVAL_NONE, err);
}

static enum mf_status
do_forget(struct view *v, const struct shown *s, struct mf_error *err)
{
	return state_device_remove(v->page->o.state, s->number, s->device->number, err);
}

static enum mf_status
ask_wipe(struct view *v, const struct shown *s, enum state_wipe_kind kind, struct mf_error *err)
{
	return state_wipe_save(v->page->o.state, s->user, s->id, kind, STATE_WIPE_ASKED, err);
}

static enum mf_status
do_wipe_account(struct view *v, const struct shown *s, struct mf_error *err)
{
	return ask_wipe(v, s, STATE_WIPE_ACCOUNT, err);
}

static enum mf_status
do_wipe(struct view *v, const struct shown *s, struct mf_error *err)
{
	return ask_wipe(v, s, STATE_WIPE_DEVICE, err);
}

static enum mf_status
do_unwipe(struct view *v, const struct shown *s, struct mf_error *err)
{
	return ask_wipe(v, s, STATE_WIPE_NONE, err);
}

static bool
may_account(const struct view *v, const struct shown *s)
{
	return s->record.wipe.kind == STATE_WIPE_NONE &&
	       eas_access_may_wipe(v->page->o.conf, STATE_WIPE_ACCOUNT);
}

static bool
may_device(const struct view *v, const struct shown *s)
{
	return s->record.wipe.kind == STATE_WIPE_NONE &&
	       eas_access_may_wipe(v->page->o.conf, STATE_WIPE_DEVICE);
}

static bool
may_unwipe(const struct view *v, const struct shown *s)
{
	(void)v;
	return s->record.wipe.kind != STATE_WIPE_NONE;
}

static const struct action {
	const char *name, *button;
	enum confirm confirm;
	const char *question; /* what confirming means */
	enum mf_status (*run)(struct view *v, const struct shown *s, struct mf_error *err);
	bool (*may)(const struct view *v, const struct shown *s); /* NULL: always */
} actions[] = {
	{ "allow", "Allow", CONFIRM_NO, "", do_allow, NULL },
	{ "block", "Block", CONFIRM_ASK,
		"The device is kept out from its next request on. What it holds stays on it.",
		do_block, NULL },
	{ "reset", "Leave to the rules", CONFIRM_NO, "", do_reset, NULL },
	{ "forget", "Forget", CONFIRM_ASK,
		"What the device holds is forgotten here. If it comes again it synchronises "
		"afresh.",
		do_forget, NULL },
	{ "wipe-account", "Erase the account", CONFIRM_TYPE,
		"The device erases the account with all its mail at its next request (from "
		"protocol "
		"16.1 on; an older one is blocked).",
		do_wipe_account, may_account },
	{ "wipe", "Erase the device", CONFIRM_TYPE,
		"The device erases everything on it, also what is private, at its next request. "
		"Nobody can undo that.",
		do_wipe, may_device },
	{ "unwipe", "Cancel erasing", CONFIRM_NO, "", do_unwipe, may_unwipe },
};

static const size_t actions_n = sizeof(actions) / sizeof(actions[0]);

static void
begin_action(struct view *v, const struct shown *s, const char *action, const char *class)
{
	view_form(v, "device", class);
	view_hidden(v, "user", s->user);
	view_hidden(v, "id", s->id);
	view_hidden(v, "action", action);
}

static void
write_actions(struct view *v, const struct shown *s)
{
	html_add(v->out, "<h2>Decide</h2><div class=\"actions\">");
	for (size_t i = 0; i < actions_n; i++) {
		if (actions[i].may != NULL && !actions[i].may(v, s))
			continue;
		begin_action(v, s, actions[i].name, "");
		html_add(v->out, "<button%m>%s</button></form>",
			actions[i].confirm == CONFIRM_NO ? "" : " class=\"bad\"",
			actions[i].button);
	}
	html_add(v->out, "</div>");
	if (!eas_access_may_wipe(v->page->o.conf, STATE_WIPE_ACCOUNT))
		html_add(v->out, "<p class=\"dim\">Erasing is off: the setting remote_wipe allows "
				 "it.</p>");
}

enum eas_verdict
admin_device(struct view *v)
{
	struct history_event events[HISTORY_EVENTS];
	struct problem problems[PROBLEM_KINDS];
	struct mf_arena *a = v->r->arena;
	struct mf_error err = { .text = "" };
	struct shown s;
	size_t n, k;
	enum mf_status st = find(v, form_query(v->r, "user"), form_query(v->r, "id"), &s, &err);

	if (st != MF_OK)
		return view_error(v, st, &err);
	n = eas_history_device(v->page->o.history, s.user, s.id, events);
	k = problems_of_device(events, n, clock_wall(), problems);
	view_begin(v, 200, s.id, "");
	for (size_t i = 0; i < k; i++)
		html_add(v->out, "<article class=\"card problem\"><h2>%s</h2><p>%s</p></article>",
			problem_title(a, &problems[i]), problem_advice(a, &problems[i]));
	write_facts(v, &s);
	write_actions(v, &s);
	write_events(v, events, n);
	return view_end(v);
}

static enum eas_verdict
ask(struct view *v, const struct shown *s, const struct action *action, bool again)
{
	view_begin(v, again ? 400 : 200, action->button, "");
	html_add(v->out, "<p>%s, %s</p><p class=\"card problem\">%s</p>", s->user, s->id,
		action->question);
	if (again)
		html_add(v->out, "<p role=\"alert\">That is not the device's id.</p>");
	begin_action(v, s, action->name, "card stack");
	if (action->confirm == CONFIRM_TYPE)
		html_add(v->out, "<label>Enter the device's id once more<input name=\"confirm\" "
				 "autocomplete=\"off\" spellcheck=\"false\" required></label>");
	else
		view_hidden(v, "confirm", s->id);
	html_add(v->out,
		"<div class=\"actions\"><button class=\"bad\">%s</button> <a "
		"href=\"device?user=%m&amp;id=%m\">Do not</a></div></form>",
		action->button, html_query(v->r->arena, s->user), html_query(v->r->arena, s->id));
	return view_end(v);
}

static enum eas_verdict
act(struct view *v, const struct shown *s, const struct action *action)
{
	const char *confirm = form_body(v->r, "confirm");
	struct mf_error err = { .text = "" };
	enum mf_status st;

	if (action->confirm != CONFIRM_NO && (confirm == NULL || strcmp(confirm, s->id) != 0))
		return ask(v, s, action, confirm != NULL);
	st = action->run(v, s, &err);
	if (st != MF_OK)
		return view_error(v, st, &err);
	mf_log_warning("page=admin action=%s user=%s device=%s peer=%s", action->name,
		mf_log_value(s->user), mf_log_value(s->id), mf_log_value(v->r->peer));
	if (action->run == do_forget)
		return view_goto(v,
			mf_printf(v->r->arena, "user?name=%s", html_query(v->r->arena, s->user)));
	return view_goto(
		v, mf_printf(v->r->arena, "device?user=%s&id=%s", html_query(v->r->arena, s->user),
			   html_query(v->r->arena, s->id)));
}

enum eas_verdict
admin_device_act(struct view *v)
{
	const char *name = form_body(v->r, "action");
	struct mf_error err = { .text = "" };
	struct shown s;
	enum mf_status st = find(v, form_body(v->r, "user"), form_body(v->r, "id"), &s, &err);

	if (st != MF_OK)
		return view_error(v, st, &err);
	for (size_t i = 0; name != NULL && i < actions_n; i++)
		if (strcmp(actions[i].name, name) == 0 &&
			(actions[i].may == NULL || actions[i].may(v, &s)))
			return act(v, &s, &actions[i]);
	return view_fail(v, 400, "That cannot be done here.");
}
