/* The administrator's overview: what is wrong, what goes on, who waits; and the list of users. */
#include <string.h>

#include "base/clock.h"
#include "eas/commands.h"
#include "eas/history.h"
#include "eas/problem.h"
#include "page/chart.h"
#include "page/view.h"
#include "state/device.h"
#include "state/user.h"

enum {
	WAITING_SHOWN = 100,
	PROBLEMS_SHOWN = 50,
	PROBLEMS_LOOK = 3600, /* devices that came within so many seconds */
	BARS = 96,	      /* a quarter of an hour each */
	USERS_SHOWN = 100
};

/* ---- Problems ---- */

static void
write_problem(struct view *v, const struct problem *p, const char *user, const char *device)
{
	struct mf_arena *a = v->r->arena;

	html_add(v->out, "<article class=\"card problem\"><h3>%s</h3>", problem_title(a, p));
	if (user != NULL)
		html_add(v->out, "<p><a href=\"device?user=%m&amp;id=%m\">%s, %s</a></p>",
			html_query(a, user), html_query(a, device), user, device);
	html_add(v->out, "<p>%s</p></article>", problem_advice(a, p));
}

struct finding {
	struct mf_arena *a;
	size_t n;
	struct {
		struct problem problem;
		const char *user, *device;
	} found[PROBLEMS_SHOWN];
};

/* With the history's lock held: nothing is written yet. */
static bool
look(void *ctx, const char *user, const char *device, const struct history_event *events, size_t n)
{
	struct finding *f = ctx;
	struct problem found[PROBLEM_KINDS];
	size_t k = problems_of_device(events, n, clock_wall(), found);

	for (size_t i = 0; i < k && f->n < PROBLEMS_SHOWN; i++) {
		f->found[f->n].problem = found[i];
		f->found[f->n].user = mf_strdup(f->a, user);
		f->found[f->n++].device = mf_strdup(f->a, device);
	}
	return f->n < PROBLEMS_SHOWN;
}

static void
write_problems(struct view *v, const struct history_slot *slots)
{
	struct eas_history *h = v->page->o.history;
	struct finding *f = mf_new(v->r->arena, struct finding);
	struct problem all[PROBLEM_KINDS];
	int64_t now = clock_wall();
	size_t n = problems_of_all(slots, now, all);

	f->a = v->r->arena;
	eas_history_each(h, now - PROBLEMS_LOOK, look, f);
	html_add(v->out, "<section aria-labelledby=\"problems\"><h2 id=\"problems\">Problems</h2>");
	for (size_t i = 0; i < n; i++)
		write_problem(v, &all[i], NULL, NULL);
	for (size_t i = 0; i < f->n; i++)
		write_problem(v, &f->found[i].problem, f->found[i].user, f->found[i].device);
	if (n + f->n == 0)
		html_add(v->out, "<p class=\"card notice\">None that can be seen from here.</p>");
	html_add(v->out, "</section>");
}

/* ---- Figures ---- */

static void
write_tile(struct view *v, const char *name, int64_t value)
{
	html_add(v->out, "<div><dt>%s</dt><dd>%d</dd></div>", name, value);
}

static void
write_charts(struct view *v, const struct history_slot *slots)
{
	int64_t *quick = mf_new_array(v->r->arena, int64_t, BARS);
	int64_t *waits = mf_new_array(v->r->arena, int64_t, BARS);
	int64_t *told = mf_new_array(v->r->arena, int64_t, BARS);
	int64_t *idle = mf_new_array(v->r->arena, int64_t, BARS);
	struct chart requests = { .id = "requests",
		.title = "Requests in the last day",
		.names = { "answered at once", "waited for news" },
		.values = { quick, waits },
		.n = BARS,
		.began = slots[0].began,
		.step = HISTORY_SLOTS / BARS * HISTORY_SLOT_SECONDS };
	struct chart wakes = requests;

	for (size_t i = 0; i < HISTORY_SLOTS; i++) {
		size_t bar = i * BARS / HISTORY_SLOTS;

		quick[bar] += slots[i].requests - slots[i].waits;
		waits[bar] += slots[i].waits;
		told[bar] += slots[i].woken - slots[i].woken_idle;
		idle[bar] += slots[i].woken_idle;
	}
	wakes.id = "wakes";
	wakes.title = "Wake-ups in the last day";
	wakes.names[0] = "with news";
	wakes.names[1] = "for nothing";
	wakes.values[0] = told;
	wakes.values[1] = idle;
	html_add(v->out, "<h2>The last day</h2><div class=\"charts\">");
	chart_write(v->out, &requests);
	chart_write(v->out, &wakes);
	html_add(v->out, "</div>");
}

/* ---- Who waits ---- */

struct waiting {
	struct mf_arena *a;
	size_t n, all;
	struct {
		const char *user, *device, *type, *command;
		int64_t since, left; /* seconds */
		bool watched;
	} rows[WAITING_SHOWN];
};

/* With the pool's lock held: only copied. */
static void
take_waiting(void *ctx, const struct eas_request *r)
{
	struct waiting *w = ctx;
	int64_t now = clock_ms();

	w->all++;
	if (w->n == WAITING_SHOWN)
		return;
	w->rows[w->n].user = mf_strdup(w->a, r->user);
	w->rows[w->n].device = mf_strdup(w->a, r->device_id);
	w->rows[w->n].type = mf_strdup(w->a, r->device_type);
	w->rows[w->n].command = r->command == NULL ? "" : r->command->name;
	w->rows[w->n].since = (now - r->began) / 1000;
	w->rows[w->n].left = (r->wait.until - now) / 1000;
	w->rows[w->n++].watched = r->watching != NULL;
}

static void
write_waiting(struct view *v, const struct waiting *w)
{
	html_add(v->out, "<h2>Waiting phones</h2>");
	if (w->n == 0) {
		html_add(v->out, "<p>None.</p>");
		return;
	}
	html_add(v->out,
		"<div class=\"wide\" tabindex=\"0\"><table><caption>%d of %d</caption><thead><tr>"
		"<th scope=\"col\">User</th><th scope=\"col\">Device</th>"
		"<th scope=\"col\">Kind</th><th scope=\"col\">Command</th>"
		"<th scope=\"col\" class=\"n\">For s</th>"
		"<th scope=\"col\" class=\"n\">Left s</th>"
		"<th scope=\"col\">Is told by</th></tr></thead><tbody>",
		(int64_t)w->n, (int64_t)w->all);
	for (size_t i = 0; i < w->n; i++)
		html_add(v->out,
			"<tr><th scope=\"row\">%s</th><td><a "
			"href=\"device?user=%m&amp;id=%m\">%s</a></td><td>%s</td><td>%s</td>"
			"<td class=\"n\">%d</td><td class=\"n\">%d</td><td>%s</td></tr>",
			w->rows[i].user,
			html_query(w->a, w->rows[i].user == NULL ? "" : w->rows[i].user),
			html_query(w->a, w->rows[i].device == NULL ? "" : w->rows[i].device),
			w->rows[i].device, w->rows[i].type, w->rows[i].command, w->rows[i].since,
			w->rows[i].left,
			w->rows[i].watched ? "the mail server" : "looking now and then");
	html_add(v->out, "</tbody></table></div>");
}

static enum eas_verdict
overview(struct view *v)
{
	struct history_slot *slots = mf_new_array(v->r->arena, struct history_slot, HISTORY_SLOTS);
	struct waiting *w = mf_new(v->r->arena, struct waiting);
	struct http_stats http;
	int64_t requests = 0, failed = 0, denied = 0;

	w->a = v->r->arena;
	eas_history_slots(v->page->o.history, slots);
	http_each_waiting(v->page->o.phones, take_waiting, w);
	http_server_stats(v->page->o.phones, &http);
	for (size_t i = 0; i < HISTORY_SLOTS; i++) {
		requests += slots[i].requests;
		failed += slots[i].failed;
		denied += slots[i].denied;
	}
	view_begin(v, 200, "Overview", ".");
	html_add(v->out, "<dl class=\"tiles\">");
	write_tile(v, "Phones waiting", (int64_t)w->all);
	write_tile(v, "Connections", (int64_t)http.connections);
	write_tile(v, "Requests in a day", requests);
	write_tile(v, "Refused in a day", denied);
	write_tile(v, "Failed in a day", failed);
	html_add(v->out, "</dl>");
	write_problems(v, slots);
	write_charts(v, slots);
	write_waiting(v, w);
	html_add(v->out,
		"<p class=\"dim\">Version %s, running since %s. Figures and problems are "
		"those since then. Now it is %s.</p>",
		MAILFERRY_VERSION, html_time(v->r->arena, v->page->began),
		html_time(v->r->arena, clock_wall()));
	return view_end(v);
}

/* ---- Users ---- */

static enum mf_status
write_user(struct view *v, const struct state_user *u, struct mf_error *err)
{
	struct mf_arena *a = v->r->arena;
	struct state_device *devices = NULL;
	int64_t seen = 0;
	size_t n = 0;
	enum mf_status st = state_devices(v->page->o.state, u->number, a, &devices, &n, err);

	for (size_t i = 0; st == MF_OK && i < n; i++)
		seen = devices[i].last_seen > seen ? devices[i].last_seen : seen;
	html_add(v->out,
		"<tr><th scope=\"row\"><a href=\"user?name=%m\">%s</a></th><td class=\"n\">%d</td>"
		"<td class=\"t\">%s</td></tr>",
		html_query(a, u->name), u->name, (int64_t)n, html_ago(a, seen));
	return st;
}

enum eas_verdict
admin_users(struct view *v)
{
	const char *begin = form_query(v->r, "begin"), *after = form_query(v->r, "after");
	struct state_user *users = NULL;
	struct mf_error err = { .text = "" };
	size_t n = 0;
	enum mf_status st;

	begin = begin == NULL ? "" : begin;
	st = state_users_page(v->page->o.state, STATE_SYNC, begin, after == NULL ? "" : after,
		USERS_SHOWN + 1, v->r->arena, &users, &n, &err);
	if (st != MF_OK)
		return view_error(v, st, &err);
	view_begin(v, 200, "Users", "users");
	html_add(v->out,
		"<form method=\"get\" action=\"users\" class=\"card row\" role=\"search\"><label>"
		"The name begins with<input name=\"begin\" value=\"%s\" autocapitalize=\"none\" "
		"spellcheck=\"false\"></label><button>Find</button></form>",
		begin);
	html_add(v->out,
		"<div class=\"wide\" tabindex=\"0\"><table><caption>Users whose phones "
		"came</caption>"
		"<thead><tr><th scope=\"col\">User</th>"
		"<th scope=\"col\" class=\"n\">Devices</th><th scope=\"col\">Last seen</th>"
		"</tr></thead><tbody>");
	for (size_t i = 0; st == MF_OK && i < n && i < USERS_SHOWN; i++)
		st = write_user(v, &users[i], &err);
	if (st != MF_OK)
		return view_error(v, st, &err);
	html_add(v->out, "</tbody></table></div>");
	if (n == 0)
		html_add(v->out, "<p>Nobody%s.</p>", *begin == '\0' ? " has come yet" : "");
	if (n > USERS_SHOWN)
		html_add(v->out, "<p><a href=\"users?begin=%m&amp;after=%m\">More</a></p>",
			html_query(v->r->arena, begin),
			html_query(v->r->arena, users[USERS_SHOWN - 1].name));
	return view_end(v);
}

static const struct view_row rows[] = {
	{ "GET", "/", overview, false },
	{ "GET", "/users", admin_users, false },
	{ "GET", "/user", admin_user, false },
	{ "GET", "/device", admin_device, false },
	{ "POST", "/device", admin_device_act, false },
	{ "POST", "/login", login_admin, true },
	{ 0 },
};

enum eas_verdict
admin_run(struct eas_request *r)
{
	return view_run(r, rows, true);
}
