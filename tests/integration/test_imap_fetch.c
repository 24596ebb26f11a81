/* imap: metadata, structure and bodies of many messages at once, against a real Dovecot. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "imap_help.h"

static const char mixed[] =
	"From: a@example.test\r\nSubject: two parts\r\nMIME-Version: 1.0\r\n"
	"Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n"
	"--b1\r\nContent-Type: Text/Plain; charset=UTF-8\r\n\r\nHello there.\r\n"
	"--b1\r\nContent-Type: message/rfc822\r\n\r\n"
	"Subject: inner\r\nContent-Type: multipart/alternative; boundary=b2\r\n\r\n"
	"--b2\r\n\r\nplain\r\n--b2\r\nContent-Type: text/html\r\n\r\n<b>html</b>\r\n--b2--\r\n"
	"--b1\r\nContent-Type: application/pdf; name*0*=UTF-8''a; name*1=b.pdf\r\n"
	"Content-Disposition: Attachment; filename=\"a \\\"b.pdf\"\r\n"
	"Content-ID: <x@y>\r\nContent-Transfer-Encoding: BASE64\r\n\r\nAAAA\r\n--b1--\r\n";
static const char simple[] = "From: b@example.test\r\nSubject: one\r\n\r\n0123456789\r\n";

struct seen {
	struct mf_idset ids;
	size_t n, bodies;
	struct mf_buf log;
};

static void
log_part(struct mf_buf *log, const struct mf_part *p)
{
	mf_buf_printf(log, "[%s %s/%s", p->section, p->type, p->subtype);
	for (size_t i = 0; i < p->n_params; i++)
		mf_buf_printf(log, " %s=%s", p->params[i].name, p->params[i].value);
	if (p->disposition[0] != '\0')
		mf_buf_printf(log, " %s:%s %s %s", p->disposition, p->disposition_params[0].value,
			p->content_id, p->encoding);
	for (size_t i = 0; i < p->n_children; i++)
		log_part(log, &p->children[i]);
	mf_buf_add_str(log, "]");
}

static size_t
choose(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	(void)ctx;
	memset(out, 0, 3 * sizeof(*out));
	if (item->id % 3 == 0)
		return 0;
	if (item->structure->n_children == 0) {
		strcpy(out[0].section, "1");
		out[0].offset = 2;
		out[0].max = 5;
		return 1;
	}
	strcpy(out[0].section, "1");
	strcpy(out[1].section, "9");
	strcpy(out[2].section, "3.MIME");
	return 3;
}

static enum mf_status
take(void *ctx, const struct mf_item *item)
{
	struct seen *seen = ctx;

	cr_assert_null(item->damaged, "%lu: %s", item->id, item->damaged);
	cr_assert(!mf_idset_has(&seen->ids, item->id));
	mf_idset_add(&seen->ids, item->id);
	seen->n++;
	cr_assert_eq(item->have, MF_WANT_FLAGS | MF_WANT_SIZE | MF_WANT_STRUCTURE | MF_WANT_HEADER);
	cr_assert_gt(item->header.len, 13);
	cr_assert_eq(memcmp(item->header.data + item->header.len - 4, "\r\n\r\n", 4), 0);
	cr_assert_eq(memcmp(item->header.data, "Subject: ", 9), 0);
	if (item->id <= 2) {
		log_part(&seen->log, item->structure);
		for (size_t i = 0; i < item->n_sections; i++)
			mf_buf_printf(&seen->log, "{%s|%.*s|%d}", item->sections[i].section,
				(int)item->sections[i].data.len, item->sections[i].data.data,
				item->sections[i].cut);
	}
	if (item->id % 3 == 0) {
		cr_assert_eq(item->n_sections, 0);
		return MF_OK;
	}
	cr_assert_geq(item->n_sections, 1);
	if (item->structure->n_children == 0) {
		cr_assert_eq(item->sections[0].data.len, 5);
		cr_assert_eq(memcmp(item->sections[0].data.data, "23456", 5), 0);
		cr_assert(item->sections[0].cut);
	}
	seen->bodies++;
	return MF_OK;
}

static enum mf_status
collect(void *ctx, const void *data, size_t len)
{
	mf_buf_add(ctx, data, len);
	return MF_OK;
}

Test(imap_fetch, many)
{
	static const char *const fields[] = { "Subject", "X-None", NULL };
	enum { N = 250 };
	struct dovecot d;
	struct imap_world w;
	struct imap_talk *t;
	struct seen seen = { .n = 0 };
	const char *user = fixture_user("fetch");
	char settings[300], password[100];
	uint64_t ids[N + 3];
	struct mf_fetch f = { .folder = "INBOX",
		.ids = ids,
		.n = N + 3,
		.want = MF_WANT_FLAGS | MF_WANT_SIZE | MF_WANT_STRUCTURE | MF_WANT_HEADER,
		.fields = fields,
		.choose = choose,
		.item = take,
		.ctx = &seen };
	struct mf_section_want whole = { .section = "", .offset = 6 };

	dovecot_get(&d);
	t = imap_talk_open(&d, user);
	imap_talk_append(t, "INBOX", "", NULL, mixed, sizeof(mixed) - 1);
	for (int i = 1; i < N; i++)
		imap_talk_append(t, "INBOX", "", NULL, simple, sizeof(simple) - 1);
	for (int i = 0; i < N; i++)
		ids[i] = (uint64_t)(N - i);
	ids[N] = 0;
	ids[N + 1] = 5;
	ids[N + 2] = 100000;
	imap_talk(t, "SELECT INBOX");
	imap_talk(t, "STORE 100:109 +FLAGS (\\Deleted)");
	imap_talk(t, "EXPUNGE");
	snprintf(settings, sizeof(settings), "url = \"%s\"\n", dovecot_url(&d, false));
	snprintf(password, sizeof(password), "secret-%s", user);
	cr_assert_eq(imap_world_open(&w, settings), MF_OK, "%s", w.err.text);
	cr_assert_eq(imap_world_login(&w, user, password), MF_OK, "%s", w.err.text);
	mf_idset_init(&seen.ids);
	mf_buf_init(&seen.log, 0);
	cr_assert_eq(mf_backend_imap.store->fetch(w.session, &f, &w.err), MF_OK, "%s", w.err.text);
	cr_assert_eq(seen.n, N - 10);
	cr_assert(mf_backend_imap.usable(w.session));
	cr_assert_str_eq(mf_buf_str(&seen.log),
		"[ multipart/mixed boundary=b1[1 text/plain charset=UTF-8]"
		"[2 message/rfc822[2 multipart/alternative boundary=b2[2.1 text/plain "
		"charset=us-ascii][2.2 text/html charset=us-ascii]]]"
		"[3 application/pdf name*=UTF-8''ab.pdf attachment:a \"b.pdf <x@y> base64]]"
		"{1|Hello there.|0}"
		"{3.MIME|Content-Type: application/pdf; name*0*=UTF-8''a; name*1=b.pdf\r\n"
		"Content-Disposition: Attachment; filename=\"a \\\"b.pdf\"\r\n"
		"Content-ID: <x@y>\r\nContent-Transfer-Encoding: BASE64\r\n\r\n|0}"
		"[1 text/plain charset=us-ascii]{1|23456|1}");
	mf_buf_clear(&seen.log);
	cr_assert_eq(mf_backend_imap.store->stream(
			     w.session, "INBOX", 2, &whole, collect, &seen.log, &w.err),
		MF_OK, "%s", w.err.text);
	cr_assert_str_eq(mf_buf_str(&seen.log), simple + 6);
	cr_assert_eq(mf_backend_imap.store->stream(
			     w.session, "INBOX", 105, &whole, collect, &seen.log, &w.err),
		MF_GONE);
	cr_assert(mf_backend_imap.usable(w.session));
	mf_idset_deinit(&seen.ids);
	mf_buf_deinit(&seen.log);
	imap_world_close(&w);
	imap_talk_close(t);
	dovecot_end(&d);
}
