/* Logging in and out: the administrator by a password of its own, users by that of their mail. */
#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "backend/auth.h"
#include "base/seal.h"
#include "base/str.h"
#include "eas/limits.h"
#include "mailferry/log.h"
#include "page/view.h"

static const char admin_name[] = "administrator";

/* ---- The form ---- */

static enum eas_verdict
show(struct view *v, unsigned status, const char *why)
{
	view_begin(v, status, v->admin ? "Administration" : "Your devices", "");
	if (why != NULL)
		html_add(v->out, "<p class=\"card problem\" role=\"alert\">%s</p>", why);
	if (!v->admin)
		html_add(v->out, "<p>Log in as for your mail, to see the phones that have it, to "
				 "remove one, and to connect a new one.</p>");
	view_form(v, "login", "card stack");
	if (v->admin)
		html_add(v->out,
			"<label>User name<input name=\"user\" value=\"%s\" readonly "
			"autocomplete=\"username\"></label>",
			admin_name);
	else
		html_add(v->out, "<label>User name<input name=\"user\" autocomplete=\"username\" "
				 "autocapitalize=\"none\" spellcheck=\"false\" required autofocus>"
				 "</label>");
	html_add(v->out,
		"<label>Password<input name=\"password\" type=\"password\" "
		"autocomplete=\"current-password\" required%m></label>"
		"<div><button class=\"main\">Log in</button></div></form>",
		v->admin ? " autofocus" : "");
	return view_end(v);
}

enum eas_verdict
login_show(struct view *v)
{
	return v->session.name != NULL ? view_goto(v, ".") : show(v, 200, NULL);
}

static enum eas_verdict
enter(struct view *v, const char *user)
{
	mf_log_info("page=%s login=ok user=%s peer=%s", v->admin ? "admin" : "self",
		mf_log_value(v->admin ? admin_name : user), mf_log_value(v->r->peer));
	session_begin(v->sessions, user, v->r->arena, &v->session);
	view_cookie(v, v->session.name);
	return view_goto(v, ".");
}

static enum eas_verdict
refuse(struct view *v, const char *user, enum mf_status st)
{
	mf_log_info("page=%s login=%s user=%s peer=%s", v->admin ? "admin" : "self",
		st == MF_AUTH ? "refused" : "impossible", mf_log_value(user),
		mf_log_value(v->r->peer));
	if (st == MF_AUTH)
		return show(v, 403, "User name or password are wrong.");
	eas_answer_header(v->r, "Retry-After", "60");
	return show(v, 503,
		"Nobody can log in now: the mail server does not answer, or there were too many "
		"wrong passwords. Try again later.");
}

/* ---- The administrator ---- */

static bool
matches(const char *password, const char *hash)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *made;
	bool same;

	if (data == NULL)
		abort();
	made = crypt_r(password, hash, data);
	same = made != NULL && made[0] != '*' && strlen(made) == strlen(hash) &&
	       seal_equal(made, hash, strlen(hash));
	str_wipe(data, sizeof(*data));
	free(data);
	return same;
}

const char *
page_password_hash(struct mf_arena *a, const char *password)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *made = NULL;

	if (data == NULL)
		abort();
	if (crypt_gensalt_rn(NULL, 0, NULL, 0, setting, sizeof(setting)) != NULL)
		made = crypt_r(password, setting, data);
	made = made == NULL || made[0] == '*' ? NULL : mf_strdup(a, made);
	str_wipe(data, sizeof(*data));
	free(data);
	return made;
}

enum eas_verdict
login_admin(struct view *v)
{
	struct eas_request *r = v->r;
	const char *password = form_body(r, "password");

	r->login.user = admin_name; /* wrong ones are counted under this name */
	r->login.password = password;
	if (password == NULL)
		return refuse(v, admin_name, MF_AUTH);
	if (!eas_limits_may_try(r))
		return refuse(v, admin_name, MF_TEMPORARY);
	if (!matches(password, mf_conf_string(v->page->o.conf, "admin_password"))) {
		eas_limits_failed(r);
		return refuse(v, admin_name, MF_AUTH);
	}
	eas_limits_succeeded(r);
	return enter(v, "");
}

/* ---- Users ---- */

enum mf_status
login_check_user(struct view *v, const char *user, const char *password, const char **name,
	struct mf_error *err)
{
	struct eas_request *r = v->r;
	struct backends *b = v->page->o.backends;
	enum mf_status st;

	r->login = (struct mf_login){ .user = user, .password = password };
	if (user == NULL || password == NULL || *user == '\0')
		return mf_fail(err, MF_AUTH, "no credentials");
	if (backend_login_map(b, user, r->arena, name, err) != MF_OK)
		return mf_fail(err, MF_AUTH, "a name that nobody can have");
	if (!eas_limits_may_try(r))
		return mf_fail(err, MF_TEMPORARY, "too many wrong passwords");
	st = backend_login_check(b, &r->login, err);
	if (st == MF_AUTH)
		eas_limits_failed(r);
	else if (st == MF_OK)
		eas_limits_succeeded(r);
	return st == MF_OK || st == MF_AUTH ? st : MF_TEMPORARY;
}

enum eas_verdict
login_self(struct view *v)
{
	const char *user = form_body(v->r, "user"), *name = NULL;
	struct mf_error err = { .text = "" };
	enum mf_status st = login_check_user(v, user, form_body(v->r, "password"), &name, &err);

	return st == MF_OK ? enter(v, name) : refuse(v, user == NULL ? "" : user, st);
}

enum eas_verdict
login_out(struct view *v)
{
	session_end(v->sessions, v->session.name);
	view_cookie(v, NULL);
	return view_goto(v, "login");
}
