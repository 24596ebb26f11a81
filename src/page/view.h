/* One request at a page, and what all pages share: frame, answers, forms with their token. */
#ifndef PAGE_VIEW_H
#define PAGE_VIEW_H

#include "page/form.h"
#include "page/html.h"
#include "page/page.h"
#include "page/session.h"

struct page {
	struct eas_server eas; /* first: requests lead back to the page by it */
	struct page_options o;
	struct work_pool *pool;
	struct http_server *admin, *self; /* NULL: off */
	struct sessions *admin_sessions, *self_sessions;
	int64_t began; /* clock_wall */
};

struct view {
	struct eas_request *r;
	struct page *page;
	struct sessions *sessions;
	struct session session; /* whose it is; name NULL: nobody's */
	bool admin;
	struct mf_buf *out; /* the answer's body */
};

/* A page, or what a form does. `open`: for everybody. */
struct view_row {
	const char *method, *path;
	enum eas_verdict (*run)(struct view *v);
	bool open;
};

enum { VIEW_FORM_MAX = 64 * 1024 }; /* bytes of a form */

/* Runs the row that fits: with a session where one is needed, with the form's token where something is
 * done. Rows end with a NULL path. */
enum eas_verdict view_run(struct eas_request *r, const struct view_row *rows, bool admin);

/* Begins and ends a page. `at`: which row of the navigation it is, "" none. */
void view_begin(struct view *v, unsigned status, const char *title, const char *at);
enum eas_verdict view_end(struct view *v);

/* Another page: its relative address. After a form, so that a reload does nothing again. */
enum eas_verdict view_goto(struct view *v, const char *where);
/* A page that says that something did not work; `why` is a sentence. */
enum eas_verdict view_fail(struct view *v, unsigned status, const char *why);
/* The same for a failure of a lower layer: what people can do about it. */
enum eas_verdict view_error(struct view *v, enum mf_status st, const struct mf_error *err);

/* Gives the browser the session's name; NULL takes it away. Before the answer is begun. */
void view_cookie(struct view *v, const char *name);

/* Begins a form that is sent to `action`, with its token. */
void view_form(struct view *v, const char *action, const char *class);
void view_hidden(struct view *v, const char *name, const char *value);

/* ---- admin.c, admin_device.c, self.c, login.c ---- */

enum eas_verdict admin_run(struct eas_request *r);
enum eas_verdict admin_users(struct view *v);
enum eas_verdict admin_user(struct view *v);
enum eas_verdict admin_device(struct view *v);
enum eas_verdict admin_device_act(struct view *v);

enum eas_verdict self_run(struct eas_request *r);

enum eas_verdict login_show(struct view *v);
enum eas_verdict login_admin(struct view *v);
enum eas_verdict login_self(struct view *v);
enum eas_verdict login_out(struct view *v);
/* Whether this is the user's password (as the login check has it), within the limits. */
enum mf_status login_check_user(struct view *v, const char *user, const char *password,
	const char **name, struct mf_error *err);

/* The style sheet: made from style.css when the program is built. */
extern const unsigned char page_style[];
extern const size_t page_style_len;

#endif
