/* Commands of our own: writing them, waiting for their end. What answers mean is told in result.c. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ahead.h"

enum { DRAIN_MS = 1000, DRAIN_BYTES = 1 << 20 };

/* ---- Writing ---- */

void
imap_begin(struct mf_session *s)
{
	s->tag++;
	s->begun++;
	mf_buf_printf(&s->out, "A%u ", s->tag);
}

void
imap_put(struct mf_session *s, const char *text)
{
	mf_buf_add_str(&s->out, text);
}

void
imap_putf(struct mf_session *s, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	mf_buf_add_str(&s->out, line);
}

static void
put_literal(struct mf_session *s, const char *text)
{
	bool free_flow = imap_can(s, IMAP_CAP_LITERAL);

	mf_buf_printf(&s->out, free_flow ? "{%zu+}\r\n" : "{%zu}\r\n", strlen(text));
	if (!free_flow && s->n_stops == IMAP_STOPS_MAX)
		s->injection = true; /* more than any command of ours needs */
	else if (!free_flow)
		s->stops[s->n_stops++] = s->out.len;
	mf_buf_add_str(&s->out, text);
}

void
imap_put_string(struct mf_session *s, const char *text)
{
	bool high = false;

	for (const char *p = text; *p != '\0'; p++) {
		high = high || ((unsigned char)*p & 0x80) != 0;
		if (*p == '\r' || *p == '\n')
			s->injection = true;
	}
	if (high) {
		put_literal(s, text);
		return;
	}
	mf_buf_add_byte(&s->out, '"');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			mf_buf_add_byte(&s->out, '\\');
		mf_buf_add_byte(&s->out, (uint8_t)*p);
	}
	mf_buf_add_byte(&s->out, '"');
}

unsigned
imap_end(struct mf_session *s)
{
	mf_buf_add_str(&s->out, "\r\n");
	return s->tag;
}

unsigned
imap_command(struct mf_session *s, const char *fmt, ...)
{
	va_list ap;
	char line[512];

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	imap_begin(s);
	mf_buf_add_str(&s->out, line);
	return imap_end(s);
}

/* ---- Sending ---- */

static void
forget_out(struct mf_session *s)
{
	mf_buf_clear(&s->out);
	s->n_stops = 0;
	s->begun = 0;
	s->injection = false;
}

static enum mf_status
out_of_step(struct mf_session *s, struct mf_error *err)
{
	s->lost = true;
	return imap_fail(s, err, MF_TEMPORARY, "the server answered out of step");
}

static enum mf_status
send_out(struct mf_session *s, struct imap_result *r, struct mf_error *err)
{
	size_t at = 0;

	for (size_t i = 0; i <= s->n_stops; i++) {
		size_t to = i < s->n_stops ? s->stops[i] : s->out.len;
		bool go = true;
		enum mf_status status =
			net_stream_write(&s->stream, s->out.data + at, to - at, err);

		if (status == MF_OK && i < s->n_stops)
			status = imap_wait_continue(s, s->tag, &go, r, err);
		if (status != MF_OK)
			return status;
		if (!go)
			return r->condition == IMAP_OK ? out_of_step(s, err) : MF_REFUSED;
		at = to;
	}
	return MF_OK;
}

enum mf_status
imap_flush(struct mf_session *s, struct mf_error *err)
{
	struct imap_result r = { .condition = IMAP_OK };
	enum mf_status status;

	if (s->lost) {
		forget_out(s);
		return imap_fail(s, err, MF_TEMPORARY, "the connection is lost");
	}
	if (s->injection || s->out.failed) {
		status = imap_fail(s, err, MF_INVALID, "a name or text cannot be sent: %s",
			s->injection ? "it has line ends" : "too long");
		forget_out(s);
		return status;
	}
	if (!s->ahead_open && s->ahead != NULL) {
		status = imap_ahead_end(s, err);
		if (status != MF_OK) {
			forget_out(s);
			return status;
		}
	}
	s->pending += s->begun;
	net_stream_deadline(&s->stream, s->stream.where->command_ms);
	status = send_out(s, &r, err);
	if (status == MF_REFUSED)
		imap_refused(s, &r, "literal", err);
	else if (status != MF_OK)
		s->lost = true;
	forget_out(s);
	return status;
}

/* ---- Waiting ---- */

static enum mf_status
next(struct mf_session *s, struct imap_answer *a, struct mf_error *err)
{
	enum mf_status status = imap_read(&s->stream, s->sink, a, err);

	if (status == MF_OK && a->kind == IMAP_UNTAGGED)
		status = imap_note(s, a->lex, err);
	if (status != MF_OK)
		s->lost = true;
	return status;
}

/* The end of a command: "OK [CODE] text". Servers may end commands in another order than they were
 * given in (Dovecot holds back the end of a FETCH while it has more to do). */
static enum mf_status
finish(struct mf_session *s, struct imap_answer *a, struct imap_result *r, struct mf_error *err)
{
	struct imap_lex *x = &a->lex;
	unsigned slot = a->tag % IMAP_PIPELINE_MAX;

	if (a->tag == 0 || a->tag > s->tag || s->tag - a->tag >= IMAP_PIPELINE_MAX ||
		s->pending == 0 || s->ended[slot].tag == a->tag)
		return out_of_step(s, err);
	s->pending--;
	*r = (struct imap_result){ .condition = IMAP_OK };
	if (imap_lex_word(x, "NO"))
		r->condition = IMAP_NO;
	else if (imap_lex_word(x, "BAD"))
		r->condition = IMAP_BAD;
	else if (!imap_lex_word(x, "OK"))
		return out_of_step(s, err);
	imap_parse_code(s, *x, r);
	s->ended[slot].tag = a->tag;
	s->ended[slot].condition = (uint8_t)r->condition;
	s->ended[slot].code = (uint8_t)r->code;
	/* The next command of a pipeline begins now. */
	net_stream_deadline(&s->stream, s->stream.where->command_ms);
	return MF_OK;
}

void
imap_drain(struct mf_session *s)
{
	size_t bytes = 0;

	net_stream_deadline(&s->stream, DRAIN_MS);
	while (!s->lost && s->pending > 0) {
		int64_t deadline = s->stream.deadline;
		struct imap_answer a;
		struct imap_result r;

		if (next(s, &a, NULL) != MF_OK)
			return;
		bytes += a.raw.len;
		if (bytes > DRAIN_BYTES)
			s->lost = true;
		if (a.kind == IMAP_TAGGED)
			finish(s, &a, &r, NULL);
		s->stream.deadline = deadline;
	}
}

enum mf_status
imap_next(struct mf_session *s, imap_untagged_fn *fn, void *ctx, unsigned *ended,
	struct imap_result *r, struct mf_error *err)
{
	struct imap_answer a;
	enum mf_status status;

	*ended = 0;
	if (s->lost)
		return imap_fail(s, err, MF_TEMPORARY, "the connection is lost");
	status = next(s, &a, err);
	if (status == MF_OK && a.kind == IMAP_UNTAGGED && fn != NULL) {
		int64_t start = net_stream_now();

		status = fn(ctx, s, &a.lex, a.cut);
		net_stream_excuse(&s->stream, start);
		if (status != MF_OK)
			imap_drain(s);
	}
	if (status != MF_OK || a.kind != IMAP_TAGGED)
		return status;
	*ended = a.tag;
	return finish(s, &a, r, err);
}

static enum mf_status
wait_end(struct mf_session *s, unsigned tag, imap_untagged_fn *fn, void *ctx, struct imap_result *r,
	struct mf_error *err)
{
	unsigned slot = tag % IMAP_PIPELINE_MAX, ended = 0;
	enum mf_status status = MF_OK;

	if (s->ended[slot].tag == tag) {
		*r = (struct imap_result){ .condition =
						   (enum imap_condition)s->ended[slot].condition,
			.code = (enum imap_code)s->ended[slot].code };
		return MF_OK;
	}
	while (status == MF_OK && ended != tag)
		status = imap_next(s, fn, ctx, &ended, r, err);
	return status;
}

enum mf_status
imap_wait(struct mf_session *s, unsigned tag, imap_untagged_fn *fn, void *ctx,
	struct imap_result *r, struct mf_error *err)
{
	struct imap_result own = { .condition = IMAP_OK };
	enum mf_status status;

	status = wait_end(s, tag, fn, ctx, r == NULL ? &own : r, err);
	if (status == MF_OK && r == NULL && own.condition != IMAP_OK)
		status = imap_refused(s, &own, "command", err);
	return status;
}

enum mf_status
imap_wait_continue(
	struct mf_session *s, unsigned tag, bool *go, struct imap_result *r, struct mf_error *err)
{
	for (;;) {
		struct imap_answer a;
		enum mf_status status = next(s, &a, err);

		*go = a.kind == IMAP_CONTINUE;
		if (status != MF_OK || *go)
			return status;
		if (a.kind == IMAP_UNTAGGED)
			continue;
		status = finish(s, &a, r, err);
		return status != MF_OK || a.tag == tag ? status : out_of_step(s, err);
	}
}

enum mf_status
imap_run(struct mf_session *s, unsigned tag, imap_untagged_fn *fn, void *ctx, struct imap_result *r,
	struct mf_error *err)
{
	enum mf_status status = imap_flush(s, err);

	return status == MF_OK ? imap_wait(s, tag, fn, ctx, r, err) : status;
}
