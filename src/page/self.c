/* A user's own page: the devices that have the mail, passwords for single devices, a new phone. */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "eas/password.h"
#include "eas/profile.h"
#include "eas/who.h"
#include "mailferry/log.h"
#include "page/qr.h"
#include "page/view.h"
#include "state/device.h"
#include "state/record.h"
#include "state/user.h"

/* ---- What is shown ---- */

static enum mf_status
own_devices(struct view *v, struct state_device **out, size_t *n, uint32_t *number,
	struct mf_error *err)
{
	struct state *state = v->page->o.state;
	enum mf_status st = state_user_find(state, STATE_SYNC, v->session.user, number, err);

	*n = 0;
	if (st == MF_GONE)
		return MF_OK;
	return st == MF_OK ? state_devices(state, *number, v->r->arena, out, n, err) : st;
}

static void
write_fact(struct view *v, const char *name, const char *value)
{
	html_add(v->out, "<dt>%s</dt><dd>%s</dd>", name, value);
}

static void
write_device(struct view *v, const struct state_device *d)
{
	const char *name = *d->info[STATE_INFO_FRIENDLY_NAME] != '\0'
				   ? d->info[STATE_INFO_FRIENDLY_NAME]
				   : d->info[STATE_INFO_MODEL];
	const char *system =
		*d->info[STATE_INFO_OS] != '\0' ? d->info[STATE_INFO_OS] : d->user_agent;
	struct state_record record = { 0 };
	struct mf_error err;

	html_add(v->out, "<li class=\"card\"><h3>%s</h3><dl class=\"facts\">",
		*name != '\0' ? name : d->type);
	write_fact(v, "Id", d->id);
	if (*system != '\0')
		write_fact(v, "System", system);
	write_fact(v, "Last seen", html_ago(v->r->arena, d->last_seen));
	if (state_record_load(v->page->o.state, v->session.user, d->id, &record, &err) == MF_OK &&
		(record.approval == STATE_APPROVAL_BLOCKED ||
			record.approval == STATE_APPROVAL_WAITING))
		write_fact(v, "Access", "kept out by the administrator");
	html_add(v->out, "</dl>");
	view_form(v, "remove", "");
	view_hidden(v, "id", d->id);
	html_add(v->out, "<button class=\"bad\">Remove</button></form></li>");
}

static enum mf_status
write_devices(struct view *v, struct mf_error *err)
{
	struct state_device *devices = NULL;
	uint32_t number;
	size_t n;
	enum mf_status st = own_devices(v, &devices, &n, &number, err);

	html_add(v->out,
		"<section aria-labelledby=\"devices\"><h2 id=\"devices\">Phones and tablets "
		"that have your mail</h2>");
	html_add(v->out, n == 0 ? "<p>None has come yet.</p>" : "<ul class=\"list\">");
	for (size_t i = 0; i < n; i++)
		write_device(v, &devices[i]);
	html_add(v->out, "%m</section>", n == 0 ? "" : "</ul>");
	return st;
}

static bool
issues_passwords(const struct view *v)
{
	const char *const *way = mf_conf_list(v->page->o.conf, "logins");

	while (*way != NULL && strcmp(*way, EAS_BY_APPLICATION) != 0)
		way++;
	return *way != NULL;
}

static void
write_password(struct view *v, const struct state_password *p)
{
	struct mf_arena *a = v->r->arena;

	html_add(v->out, "<li class=\"card\"><h3>%s</h3><dl class=\"facts\">",
		*p->name == '\0' ? "without a name" : p->name);
	write_fact(v, "Device", *p->device_id == '\0' ? "the first that uses it" : p->device_id);
	write_fact(v, "Made", html_time(a, p->created));
	write_fact(v, "Used", html_ago(a, p->used));
	html_add(v->out, "</dl>");
	view_form(v, "withdraw", "");
	view_hidden(v, "number", mf_printf(a, "%u", p->number));
	html_add(v->out, "<button class=\"bad\">Withdraw</button></form></li>");
}

static enum mf_status
write_passwords(struct view *v, struct mf_error *err)
{
	struct state_password *all = NULL;
	size_t n = 0;
	enum mf_status st =
		state_passwords_load(v->page->o.state, v->session.user, v->r->arena, &all, &n, err);

	html_add(v->out,
		"<section aria-labelledby=\"passwords\"><h2 id=\"passwords\">Passwords for "
		"single devices</h2>");
	html_add(v->out, n == 0 ? "<p>None.</p>" : "<ul class=\"list\">");
	for (size_t i = 0; i < n; i++)
		write_password(v, &all[i]);
	html_add(v->out, "%m</section>", n == 0 ? "" : "</ul>");
	return st;
}

/* ---- A new phone ---- */

/* "https://mail.example.org": what the browser asked for, if it is nothing but a host. */
static const char *
this_host(const struct view *v)
{
	const char *host = eas_header(v->r, "Host");

	for (const char *p = host; p != NULL && *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr(".-:[]", *p) == NULL)
			return NULL;
	return host == NULL ? NULL
			    : mf_printf(v->r->arena, "%s://%s", v->r->tls ? "https" : "http", host);
}

static const char *
phones_url(const struct view *v)
{
	const char *url = mf_conf_string(v->page->o.conf, "public_url");
	const char *host = this_host(v);

	if (*url != '\0')
		return url;
	return host == NULL ? "" : mf_printf(v->r->arena, "https://%s", strstr(host, "://") + 3);
}

static void
write_account(struct view *v, const char *password)
{
	const char *url = phones_url(v), *host = strstr(url, "://");

	html_add(v->out,
		"<dl class=\"facts\"><dt>Server</dt><dd>%s</dd><dt>User name</dt><dd>%s</dd>"
		"<dt>Domain</dt><dd>leave it empty</dd><dt>Password</dt><dd>%s</dd></dl>",
		host == NULL ? "ask your administrator" : host + 3, v->session.user, password);
}

static void
write_new(struct view *v)
{
	html_add(v->out, "<section aria-labelledby=\"new\"><h2 id=\"new\">Connect a phone</h2>"
			 "<p>On the phone, add an account of the kind <em>Exchange</em> (Android: "
			 "<em>Exchange and Office 365</em>) with these:</p><div class=\"card\">");
	write_account(v, issues_passwords(v) ? "one that you make here for this phone"
					     : "that of your mail");
	html_add(v->out, "</div>");
	view_form(v, "connect", "card stack");
	html_add(v->out, "<label>What to call the phone<input name=\"name\" maxlength=\"60\" "
			 "autocomplete=\"off\" placeholder=\"My phone\"></label>");
	if (issues_passwords(v) && !eas_who_has_master(v->page->o.conf))
		html_add(v->out,
			"<label>Your user name<input value=\"%s\" readonly "
			"autocomplete=\"username\"></label><label>Your password, once more<input "
			"name=\"password\" "
			"type=\"password\" autocomplete=\"current-password\" required>"
			"</label>",
			v->session.user);
	html_add(v->out, "<div><button class=\"main\">%s</button></div></form></section>",
		issues_passwords(v) ? "Make a password, profile and QR code"
				    : "Make a profile and QR code");
}

static enum eas_verdict
show(struct view *v)
{
	struct mf_error err = { .text = "" };
	enum mf_status st;

	view_begin(v, 200, "Your devices", ".");
	st = write_devices(v, &err);
	if (st == MF_OK)
		write_new(v);
	if (st == MF_OK && issues_passwords(v))
		st = write_passwords(v, &err);
	return st == MF_OK ? view_end(v) : view_error(v, st, &err);
}

/* ---- Made for a new phone ---- */

static enum mf_status
issue(struct view *v, const char **text, struct mf_error *err)
{
	const char *name = form_body(v->r, "name"), *password = form_body(v->r, "password");
	struct eas_password_order o = {
		.user = v->session.user, .name = name == NULL ? "" : name, .device_id = ""
	};
	const char *same = NULL;
	uint32_t number;
	enum mf_status st = MF_OK;

	if (!eas_who_has_master(v->page->o.conf)) {
		st = login_check_user(v, v->session.user, password, &same, err);
		o.account = password;
	}
	if (st == MF_OK)
		st = eas_password_issue(v->page->o.state, &o, v->r->arena, text, &number, err);
	if (st == MF_OK)
		mf_log_info("page=self action=password user=%s number=%u peer=%s",
			mf_log_value(v->session.user), number, mf_log_value(v->r->peer));
	return st;
}

/* The profile waits under a name that cannot be guessed: the phone that reads the code has no session. */
static const char *
profile_ticket(struct view *v, const char *password)
{
	struct eas_request *r = v->r;
	struct eas_profile p = {
		.url = phones_url(v), .user = v->session.user, .password = password
	};
	struct mf_buf b;
	const char *ticket;

	r->user = v->session.user;
	r->login.user = v->session.user;
	p.address = eas_user_address(r);
	mf_buf_init(&b, 0);
	eas_profile_write(r->arena, &p, &b);
	ticket = ticket_new(v->sessions, mf_buf_str(&b), b.len, r->arena);
	str_wipe(b.data, b.len);
	mf_buf_deinit(&b);
	return ticket;
}

/* Beside the page that asks. */
static const char *
beside(const struct view *v, const char *name)
{
	const char *host = this_host(v);

	return host == NULL ? NULL : mf_printf(v->r->arena, "%s/%s", host, name);
}

static void
write_made(struct view *v, const char *password, const char *ticket)
{
	const char *name = mf_printf(v->r->arena, "profile.mobileconfig?ticket=%s", ticket);
	const char *url = beside(v, name);

	if (password != NULL)
		html_add(v->out,
			"<section class=\"card\"><h2>Password</h2><p class=\"secret\">%s</p><p>It "
			"is "
			"shown this once. Enter it on the phone where the password is asked for; "
			"the "
			"first device that uses it is the only one.</p></section>",
			password);
	html_add(v->out,
		"<section class=\"card\"><h2>iPhone, iPad</h2><p>Point the camera at this "
		"code, open the link, and then <em>Settings, Profile Downloaded</em>.%s It "
		"works once, for ten minutes.</p>",
		password == NULL ? "" : " The password is in it.");
	if (url != NULL && !qr_write(v->out, url, "QR code with the profile's address"))
		html_add(v->out, "<p>The address is too long for a code.</p>");
	html_add(v->out,
		"<p><a href=\"%s\">The profile itself</a>, when this is the device.</p>"
		"</section><section class=\"card\"><h2>Android, Windows, others</h2><p>Add an "
		"account of the kind Exchange by hand:</p>",
		name);
	write_account(v, password == NULL ? "that of your mail" : password);
	html_add(v->out, "</section><p><a href=\".\">Back to your devices</a></p>");
}

static enum eas_verdict
connect_phone(struct view *v)
{
	const char *password = NULL;
	struct mf_error err = { .text = "" };
	enum mf_status st = issues_passwords(v) ? issue(v, &password, &err) : MF_OK;

	if (st == MF_AUTH)
		return view_fail(v, 403, "The password is wrong.");
	if (st != MF_OK)
		return view_error(v, st, &err);
	const char *ticket = profile_ticket(v, password);
	view_begin(v, 200, "A new phone", "");
	write_made(v, password, ticket);
	return view_end(v);
}

static enum eas_verdict
profile(struct view *v)
{
	size_t len = 0;
	const char *text = ticket_take(v->sessions, form_query(v->r, "ticket"), v->r->arena, &len);

	if (text == NULL)
		return view_fail(v, 404,
			"This profile was fetched already, or is older than ten minutes: make a "
			"new "
			"one.");
	mf_buf_clear(v->out);
	v->r->answer.http_status = 200;
	v->r->answer.content_type = EAS_PROFILE_TYPE;
	eas_answer_header(v->r, "Cache-Control", "no-store");
	eas_answer_header(
		v->r, "Content-Disposition", "attachment; filename=\"mailferry.mobileconfig\"");
	mf_buf_add(v->out, text, len);
	return EAS_DONE;
}

/* ---- Removing, withdrawing ---- */

static enum eas_verdict
ask_remove(struct view *v, const struct state_device *d)
{
	view_begin(v, 200, "Remove a device", "");
	html_add(v->out,
		"<p class=\"card problem\">%s (%s) is forgotten here. To keep it out for good, "
		"withdraw its password as well, or change the password of your mail: a device "
		"that still has one comes back.</p>",
		*d->info[STATE_INFO_MODEL] != '\0' ? d->info[STATE_INFO_MODEL] : d->type, d->id);
	view_form(v, "remove", "card actions");
	view_hidden(v, "id", d->id);
	view_hidden(v, "confirm", d->id);
	html_add(v->out, "<button class=\"bad\">Remove</button> <a href=\".\">Do not</a></form>");
	return view_end(v);
}

/* The passwords that only this device may use go with it. */
static enum mf_status
withdraw_of(struct view *v, const char *device_id, struct mf_error *err)
{
	struct state *state = v->page->o.state;
	struct state_password *all = NULL;
	size_t n = 0;
	enum mf_status st =
		state_passwords_load(state, v->session.user, v->r->arena, &all, &n, err);

	for (size_t i = 0; st == MF_OK && i < n; i++)
		if (strcmp(all[i].device_id, device_id) == 0)
			st = state_password_remove(state, v->session.user, all[i].number, err);
	return st;
}

static enum eas_verdict
remove_device(struct view *v)
{
	const char *id = form_body(v->r, "id"), *confirm = form_body(v->r, "confirm");
	struct state_device *devices = NULL, *d = NULL;
	struct mf_error err = { .text = "" };
	uint32_t number = 0;
	size_t n = 0;
	enum mf_status st = own_devices(v, &devices, &n, &number, &err);

	for (size_t i = 0; id != NULL && i < n; i++)
		if (strcmp(devices[i].id, id) == 0)
			d = &devices[i];
	if (st == MF_OK && d == NULL)
		return view_fail(v, 404, "There is no such device.");
	if (st == MF_OK && (confirm == NULL || strcmp(confirm, id) != 0))
		return ask_remove(v, d);
	if (st == MF_OK)
		st = withdraw_of(v, id, &err);
	if (st == MF_OK)
		st = state_device_remove(v->page->o.state, number, d->number, &err);
	if (st != MF_OK)
		return view_error(v, st, &err);
	mf_log_info("page=self action=remove user=%s device=%s peer=%s",
		mf_log_value(v->session.user), mf_log_value(id), mf_log_value(v->r->peer));
	return view_goto(v, ".");
}

static enum eas_verdict
withdraw(struct view *v)
{
	const char *text = form_body(v->r, "number");
	struct mf_error err = { .text = "" };
	uint32_t number;
	enum mf_status st;

	if (text == NULL || !str_to_u32(text, UINT32_MAX, &number))
		return view_fail(v, 400, "That cannot be done here.");
	st = state_password_remove(v->page->o.state, v->session.user, number, &err);
	if (st != MF_OK)
		return view_error(v, st, &err);
	mf_log_info("page=self action=withdraw user=%s number=%u peer=%s",
		mf_log_value(v->session.user), number, mf_log_value(v->r->peer));
	return view_goto(v, ".");
}

static const struct view_row rows[] = {
	{ "GET", "/", show, false },
	{ "GET", "/profile.mobileconfig", profile, true },
	{ "POST", "/connect", connect_phone, false },
	{ "POST", "/remove", remove_device, false },
	{ "POST", "/withdraw", withdraw, false },
	{ "POST", "/login", login_self, true },
	{ 0 },
};

enum eas_verdict
self_run(struct eas_request *r)
{
	return view_run(r, rows, false);
}
