/* The frame of all pages. Knows HTTP and HTML, no noun. */
#include "page/view.h"

#include <string.h>

#include "base/log.h"
#include "base/seal.h"
#include "base/str.h"

static const char *
cookie_name(const struct view *v)
{
	return v->admin ? "mailferry-admin" : "mailferry-self";
}

/* ---- Answers ---- */

static void
answer(struct view *v, unsigned status, const char *type)
{
	struct eas_request *r = v->r;

	r->answer.http_status = status;
	r->answer.content_type = type;
	eas_answer_header(r, "Cache-Control", "no-store");
	eas_answer_header(r, "X-Content-Type-Options", "nosniff");
	eas_answer_header(r, "X-Frame-Options", "DENY");
	/* not no-referrer: browsers would then send no origin with our forms */
	eas_answer_header(r, "Referrer-Policy", "same-origin");
	eas_answer_header(r, "Content-Security-Policy",
		"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
		"base-uri 'none'; frame-ancestors 'none'");
}

static const struct {
	const char *path, *name;
} navigation[] = {
	{ ".", "Overview" },
	{ "users", "Users" },
};

static void
write_navigation(struct view *v, const char *at)
{
	if (v->session.name == NULL)
		return;
	html_add(v->out, "<nav aria-label=\"Pages\">");
	for (size_t i = 0; v->admin && i < sizeof(navigation) / sizeof(navigation[0]); i++)
		html_add(v->out, "<a href=\"%s\"%m>%s</a> ", navigation[i].path,
			strcmp(at, navigation[i].path) == 0 ? " aria-current=\"page\"" : "",
			navigation[i].name);
	html_add(v->out, "</nav>");
	if (!v->admin)
		html_add(v->out, "<span>%s</span>", v->session.user);
	view_form(v, "logout", "");
	html_add(v->out, "<button>Log out</button></form>");
}

void
view_begin(struct view *v, unsigned status, const char *title, const char *at)
{
	mf_buf_clear(v->out);
	answer(v, status, "text/html; charset=utf-8");
	html_add(v->out,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		"<meta name=\"color-scheme\" content=\"light dark\">"
		"<title>%s - Mailferry</title><link rel=\"stylesheet\" href=\"style.css\">"
		"<link rel=\"icon\" href=\"icon.svg\" type=\"image/svg+xml\">"
		"</head><body><a class=\"skip\" href=\"#main\">To the content</a>"
		"<header><div><strong>Mailferry</strong>",
		title);
	write_navigation(v, at);
	html_add(v->out, "</div></header><main id=\"main\"><h1>%s</h1>\n", title);
}

enum eas_verdict
view_end(struct view *v)
{
	html_add(v->out, "</main></body></html>\n");
	return EAS_DONE;
}

enum eas_verdict
view_goto(struct view *v, const char *where)
{
	mf_buf_clear(v->out);
	answer(v, 303, "text/plain");
	eas_answer_header(v->r, "Location", where);
	return EAS_DONE;
}

enum eas_verdict
view_fail(struct view *v, unsigned status, const char *why)
{
	view_begin(v, status, status == 404 ? "There is no such thing" : "That did not work", "");
	html_add(v->out,
		"<p class=\"card problem\">%s</p><p><a href=\".\">Back to the beginning</a>"
		"</p>",
		why);
	return view_end(v);
}

enum eas_verdict
view_error(struct view *v, enum mf_status st, const struct mf_error *err)
{
	mf_log_warning("page=%s path=%s failed=%s error=%s", v->admin ? "admin" : "self",
		mf_log_value(v->r->path), mf_status_name(st), mf_log_value(err->text));
	switch (st) {
	case MF_GONE:
		return view_fail(v, 404, "It was never seen, or is forgotten already.");
	case MF_TEMPORARY:
		return view_fail(v, 503, "Not now: try again in a minute. The log tells why.");
	case MF_INVALID:
	case MF_TOO_LARGE:
		return view_fail(v, 400, "What was entered cannot be used.");
	case MF_REFUSED:
		return view_fail(v, 409, "There are too many of them already: remove one first.");
	default:
		return view_fail(v, 500, "Something is wrong here. The log tells what.");
	}
}

void
view_form(struct view *v, const char *action, const char *class)
{
	html_add(v->out, "<form method=\"post\" action=\"%s\" class=\"%s\">", action, class);
	if (v->session.token != NULL)
		view_hidden(v, "token", v->session.token);
}

void
view_hidden(struct view *v, const char *name, const char *value)
{
	html_add(v->out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", name, value);
}

/* ---- Who may see what ---- */

static bool
token_ok(const struct view *v)
{
	const char *token = form_body(v->r, "token");

	return token != NULL && v->session.token != NULL &&
	       strlen(token) == strlen(v->session.token) &&
	       seal_equal(token, v->session.token, strlen(token));
}

static enum eas_verdict
style(struct view *v)
{
	answer(v, 200, "text/css; charset=utf-8");
	mf_buf_add(v->out, page_style, page_style_len);
	return EAS_DONE;
}

static enum eas_verdict
icon(struct view *v)
{
	answer(v, 200, "image/svg+xml");
	mf_buf_add_str(v->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><path "
		"fill=\"#0b66c3\" d=\"M1 9h14l-3 5H4zM4 3h8v5H4z\"/><path fill=\"none\" "
		"stroke=\"#fff\" d=\"M4 3.5l4 3 4-3\"/></svg>");
	return EAS_DONE;
}

static const struct view_row shared[] = {
	{ "GET", "/style.css", style, true },
	{ "GET", "/icon.svg", icon, true },
	{ "GET", "/login", login_show, true },
	{ "POST", "/logout", login_out, false },
	{ 0 },
};

/* NULL: no such page; *other: it is there, but not for this method. */
static const struct view_row *
find_row(const struct view *v, const struct view_row *rows, bool *other)
{
	for (; rows->path != NULL; rows++) {
		if (strcmp(rows->path, v->r->path) != 0)
			continue;
		if (strcmp(rows->method, v->r->method) == 0)
			return rows;
		*other = true;
	}
	return NULL;
}

static enum eas_verdict
run_row(struct view *v, const struct view_row *row)
{
	bool act = strcmp(row->method, "POST") == 0;

	if (act && !form_same_origin(v->r)) {
		mf_log_warning("page=%s peer=%s refused=\"a form of another server\"",
			v->admin ? "admin" : "self", mf_log_value(v->r->peer));
		return view_fail(v, 403, "This form was sent by another server's page.");
	}
	if (!row->open && v->session.name == NULL)
		return view_goto(v, "login");
	if (act && !row->open && !token_ok(v))
		return view_fail(v, 403,
			"This form is not of your session: go back, load the page again and "
			"repeat it.");
	return row->run(v);
}

static enum eas_verdict
run(struct eas_request *r, const struct view_row *rows, bool admin)
{
	struct page *page = (struct page *)(uintptr_t)r->server;
	struct view v = { .r = r,
		.page = page,
		.admin = admin,
		.sessions = admin ? page->admin_sessions : page->self_sessions,
		.out = &r->answer.body };
	const struct view_row *row;
	bool other = false;

	if (strcmp(r->method, "HEAD") == 0)
		r->method = "GET";
	if (!session_find(v.sessions, form_cookie(r, cookie_name(&v)), r->arena, &v.session))
		v.session = (struct session){ 0 };
	row = find_row(&v, rows, &other);
	if (row == NULL)
		row = find_row(&v, shared, &other);
	if (row == NULL && other) {
		eas_answer_header(r, "Allow", "GET, HEAD, POST");
		return view_fail(&v, 405, "This page is not used like that.");
	}
	return row != NULL ? run_row(&v, row) : view_fail(&v, 404, "This page does not exist.");
}

enum eas_verdict
view_run(struct eas_request *r, const struct view_row *rows, bool admin)
{
	enum eas_verdict verdict;

	log_set_context(mf_printf(r->arena, "req=%s", r->id));
	verdict = run(r, rows, admin);
	log_set_context(NULL);
	return verdict;
}

/* ---- Sessions ---- */

void
view_cookie(struct view *v, const char *name)
{
	eas_answer_header(v->r, "Set-Cookie",
		mf_printf(v->r->arena, "%s=%s; HttpOnly; SameSite=Strict%s%s", cookie_name(v),
			name == NULL ? "" : name, v->r->tls ? "; Secure" : "",
			name == NULL ? "; Max-Age=0" : ""));
}
