/* Knows the elements of Oof; who keeps the replies is the facet's (mailferry/oof.h). */
#include "eas/cmd/oof.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/utf8.h"
#include "eas/away.h"
#include "eas/facet.h"
#include "eas/map/email.h"
#include "eas/schema.h"
#include "eas/status.h"
#include "mailferry/log.h"
#include "mailferry/oof.h"
#include "mime/body.h"
#include "mime/header.h"

static const struct {
	enum mf_oof_audience audience;
	uint16_t tag;
} audiences[] = {
	{ MF_OOF_INTERNAL, Settings_AppliesToInternal },
	{ MF_OOF_KNOWN, Settings_AppliesToExternalKnown },
	{ MF_OOF_UNKNOWN, Settings_AppliesToExternalUnknown },
};

enum { AUDIENCES = sizeof(audiences) / sizeof(*audiences), DAY = 86400 };

static void
write_status(struct eas_request *r, unsigned status)
{
	wbxml_number(&r->writer, Settings_Status, status);
}

static void
fail(struct eas_request *r, enum mf_status st, const struct mf_error *err)
{
	if (st != MF_UNSUPPORTED)
		mf_log_warning("settings=Oof status=%s error=%s", mf_status_name(st),
			mf_log_value(err->text));
	write_status(r, eas_status_at(EAS_AT_SETTINGS, st));
}

/* ---- Text and HTML ---- */

/* The text as the phone wants it. */
static const char *
convert(struct mf_arena *a, const struct mf_oof_reply *reply, bool html)
{
	struct mf_buf out;
	size_t len = strlen(reply->text);
	if (reply->html == html || len == 0)
		return reply->text;
	mf_buf_init(&out, 4 * MF_OOF_TEXT_MAX);
	if (html)
		mime_text_to_html(&out, reply->text, len);
	else
		mime_html_to_text(&out, reply->text, len, MF_OOF_TEXT_MAX, true);
	const char *text = mf_strdup(a, mf_buf_str(&out));
	mf_buf_deinit(&out);
	return text;
}

/* "Text" or "HTML". */
static bool
read_type(const struct wbxml_node *parent, bool *html)
{
	const char *type = wbxml_child_value(parent, Settings_BodyType);
	*html = str_ieq(type, "HTML");
	return *html || str_ieq(type, "Text");
}

/* ---- Get ---- */

struct asking {
	struct mf_oof oof;
	struct mf_oof_user user;
};

static enum mf_status
ask_get(struct facet *f, void *ctx, struct mf_error *err)
{
	struct asking *x = ctx;
	return f->api->oof->get(f->session, f->r->arena, &x->oof, err);
}

static enum mf_status
ask_set(struct facet *f, void *ctx, struct mf_error *err)
{
	struct asking *x = ctx;
	return f->api->oof->set(f->session, &x->oof, &x->user, err);
}

static void
write_messages(struct eas_request *r, const struct mf_oof *oof, bool html)
{
	struct wbxml_writer *w = &r->writer;
	for (size_t i = 0; i < AUDIENCES; i++) {
		const struct mf_oof_reply *reply = &oof->reply[audiences[i].audience];
		wbxml_open(w, Settings_OofMessage);
		wbxml_empty(w, audiences[i].tag);
		wbxml_number(w, Settings_Enabled, reply->enabled);
		if (*reply->text != '\0') {
			wbxml_element(w, Settings_ReplyMessage, convert(r->arena, reply, html));
			wbxml_element(w, Settings_BodyType, html ? "HTML" : "Text");
		}
		wbxml_close(w);
	}
}

static void
get(struct facet *f, const struct wbxml_node *n)
{
	struct eas_request *r = f->r;
	struct wbxml_writer *w = &r->writer;
	struct asking x = { .oof = { .state = MF_OOF_OFF } };
	struct mf_error err = { 0 };
	bool html;
	if (!read_type(n, &html)) {
		write_status(r, eas_status_at(EAS_AT_SETTINGS, MF_GONE));
		return;
	}
	enum mf_status st = facet_ask(f, ask_get, &x, &err);
	if (st != MF_OK) {
		fail(r, st, &err);
		return;
	}
	write_status(r, EAS_OK);
	wbxml_open(w, Settings_Get);
	wbxml_number(w, Settings_OofState, x.oof.state);
	if (x.oof.state == MF_OOF_TIMED) {
		wbxml_element(w, Settings_StartTime, email_date(r->arena, x.oof.start));
		wbxml_element(w, Settings_EndTime, email_date(r->arena, x.oof.end));
	}
	write_messages(r, &x.oof, html);
	wbxml_close(w);
}

/* ---- Set ---- */

static bool
read_time(const struct wbxml_node *n, uint16_t tag, int64_t *out, bool *there)
{
	const char *text = wbxml_child_value(n, tag);
	*there = text != NULL;
	return text == NULL || mime_date_parse(mf_bytes_str(text), out);
}

/* Both times or none; they count only where the state says so. Who names none keeps those that hold, and where none do is away for
 * a day, not for ever. */
static unsigned
read_state(const struct wbxml_node *n, struct mf_oof *oof)
{
	uint64_t state = schema_number(n, Settings_OofState, oof->state);
	int64_t start = oof->start, end = oof->end;
	bool starts, ends;
	if (state > MF_OOF_TIMED || !read_time(n, Settings_StartTime, &start, &starts) ||
		!read_time(n, Settings_EndTime, &end, &ends))
		return EAS_SETTINGS_ARGUMENTS;
	if (starts != ends)
		return EAS_SETTINGS_PROTOCOL;
	oof->state = (enum mf_oof_state)state;
	oof->start = oof->end = 0;
	if (oof->state != MF_OOF_TIMED)
		return EAS_OK;
	if (!starts && end <= clock_wall()) {
		start = clock_wall();
		end = start + DAY;
	}
	if (start >= end)
		return EAS_SETTINGS_ARGUMENTS;
	oof->start = start;
	oof->end = end;
	return EAS_OK;
}

/* The one audience of a message. NULL: none, or several. */
static struct mf_oof_reply *
audience_of(const struct wbxml_node *message, struct mf_oof *oof)
{
	struct mf_oof_reply *found = NULL;
	for (size_t i = 0; i < AUDIENCES; i++) {
		if (wbxml_child(message, audiences[i].tag) == NULL)
			continue;
		if (found != NULL)
			return NULL;
		found = &oof->reply[audiences[i].audience];
	}
	return found;
}

static unsigned
read_message(struct eas_request *r, const struct wbxml_node *message, struct mf_oof *oof,
	struct mf_oof_reply **which)
{
	const char *text = wbxml_child_value(message, Settings_ReplyMessage);
	bool html;
	*which = audience_of(message, oof);
	if (*which == NULL)
		return EAS_SETTINGS_CONFLICT;
	(*which)->enabled = schema_bool(message, Settings_Enabled, (*which)->enabled);
	if (text == NULL && !(*which)->enabled)
		(*which)->text = "";
	if (text == NULL)
		return EAS_OK;
	if ((!read_type(message, &html) && *text != '\0') || strlen(text) > MF_OOF_TEXT_MAX)
		return EAS_SETTINGS_ARGUMENTS;
	(*which)->html = html;
	(*which)->text = utf8_clean(r->arena, text, strlen(text));
	return EAS_OK;
}

/* Each audience once. What is not sent stays as it is. */
static unsigned
read_messages(struct eas_request *r, const struct wbxml_node *n, struct mf_oof *oof)
{
	const struct wbxml_node *m = wbxml_child(n, Settings_OofMessage);
	const struct mf_oof_reply *seen[AUDIENCES];
	size_t n_seen = 0;
	for (; m != NULL; m = wbxml_next(m)) {
		struct mf_oof_reply *which;
		unsigned status = read_message(r, m, oof, &which);
		if (status != EAS_OK)
			return status;
		for (size_t i = 0; i < n_seen; i++)
			if (seen[i] == which)
				return EAS_SETTINGS_CONFLICT;
		seen[n_seen++] = which;
	}
	return EAS_OK;
}

static void
set(struct facet *f, const struct wbxml_node *n)
{
	struct eas_request *r = f->r;
	const char *own[] = { eas_user_address(r), NULL };
	struct asking x = { .oof = { .state = MF_OOF_OFF }, .user = { .addresses = own } };
	struct mf_error err = { 0 };
	enum mf_status st = facet_ask(f, ask_get, &x, &err);
	if (st != MF_OK) {
		fail(r, st, &err);
		return;
	}
	unsigned status = read_state(n, &x.oof);
	if (status == EAS_OK)
		status = read_messages(r, n, &x.oof);
	if (status != EAS_OK) {
		write_status(r, status);
		return;
	}
	x.user.known = away_known(r, &x.oof);
	st = facet_ask(f, ask_set, &x, &err);
	if (st == MF_OK)
		away_remember(r, &x.oof, x.user.known);
	if (st == MF_OK)
		write_status(r, EAS_OK);
	else
		fail(r, st, &err);
}

void
oof_property(struct eas_request *r, const struct wbxml_node *oof)
{
	const struct wbxml_node *want = wbxml_child(oof, Settings_Set);
	struct mf_error err = { 0 };
	struct facet f;
	enum mf_status st = facet_open(&f, r, BACKEND_OOF, &err);
	if (st == MF_OK && f.api == NULL)
		st = MF_UNSUPPORTED;
	if (st != MF_OK)
		fail(r, st, &err);
	else if (want != NULL)
		set(&f, want);
	else if ((want = wbxml_child(oof, Settings_Get)) != NULL)
		get(&f, want);
	else
		write_status(r, EAS_SETTINGS_PROTOCOL);
	facet_close(&f);
}
