/* Structure and sections of messages, simple and absurd: the same from every backend. */
#include "contract.h"

#include <string.h>

/* Sections with their bytes; NULL: the message has no such section. */
struct expected {
	const char *section, *data;
};

static const struct sample {
	const char *name, *message, *structure;
	struct expected sections[12];
} samples[] = {
	{ "no MIME at all", "Subject: x\r\n\r\nHello\r\n", "\"1\" text/plain 7bit 7/1",
		{ { "1", "Hello\r\n" }, { "1.1", NULL }, { "2", NULL }, { "0", NULL },
			{ "TEXT", "Hello\r\n" }, { "HEADER", "Subject: x\r\n\r\n" } } },
	{ "no body", "Subject: x\r\n\r\n", "\"1\" text/plain 7bit 0/0",
		{ { "1", "" }, { "TEXT", "" } } },
	{ "an attachment alone",
		"Subject: x\r\nMIME-Version: 1.0\r\n"
		"Content-Type: Application/PDF; Name=\"a \\\"b\\\".pdf\"\r\n"
		"Content-Transfer-Encoding: BASE64\r\n"
		"Content-Disposition: Attachment; FileName=a.pdf\r\n\r\naGFsbG8=\r\n",
		"\"1\" application/pdf{name=a \"b\".pdf} base64 10 attachment{filename=a.pdf}",
		{ { "1", "aGFsbG8=\r\n" } } },
	{ "alternatives",
		"Subject: x\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/alternative; boundary=\"=_b\"\r\n\r\n"
		"preamble\r\n--=_b\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n\r\nplain\r\n\r\n--=_b\r\n"
		"Content-Type: text/html; charset=\"iso-8859-1\"\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n<b>h</b>\r\n--=_b--\r\nend\r\n",
		"\"\" multipart/alternative{boundary==_b} (\"1\" text/plain{charset=utf-8} 7bit "
		"7/1, "
		"\"2\" text/html{charset=iso-8859-1} quoted-printable 8/0)",
		{ { "1", "plain\r\n" }, { "2", "<b>h</b>" }, { "3", NULL }, { "1.1", NULL },
			{ "1.MIME", "Content-Type: text/plain; charset=utf-8\r\n\r\n" },
			{ "2.MIME", "Content-Type: text/html; charset=\"iso-8859-1\"\r\n"
				    "Content-Transfer-Encoding: quoted-printable\r\n\r\n" },
			{ "1.HEADER", NULL } } },
	{ "nested multiparts with an inline image",
		"Subject: x\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=A\r\n\r\n--A\r\n"
		"Content-Type: multipart/related; boundary=B; type=\"text/html\"\r\n\r\n--B\r\n"
		"Content-Type: text/html; charset=utf-8\r\n\r\n<img src=cid:1>\r\n--B\r\n"
		"Content-Type: image/png; name=\"i.png\"\r\nContent-ID: <1@x>\r\n"
		"Content-Description: a dot\r\nContent-Location: i.png\r\n"
		"Content-Disposition: inline; filename*=utf-8''%C3%A4.png\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--B--\r\n\r\n--A\r\n"
		"Content-Type: text/x-patch; charset=utf-8\r\n\r\n+a\r\n-b\r\n\r\n--A--\r\n",
		"\"\" multipart/mixed{boundary=A} (\"1\" "
		"multipart/related{boundary=B,type=text/html} "
		"(\"1.1\" text/html{charset=utf-8} 7bit 15/0, \"1.2\" image/png{name=i.png} base64 "
		"4 "
		"id=<1@x> what=a dot inline{filename*=utf-8''%C3%A4.png} at=i.png), "
		"\"2\" text/x-patch{charset=utf-8} 7bit 8/2)",
		{ { "1.1", "<img src=cid:1>" }, { "1.2", "AAAA" }, { "2", "+a\r\n-b\r\n" },
			{ "1.3", NULL }, { "1.2.1", NULL }, { "3", NULL } } },
	{ "a forwarded message",
		"Subject: out\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=A\r\n\r\n--A\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n\r\nsee below\r\n--A\r\n"
		"Content-Type: message/rfc822\r\n\r\n"
		"Subject: in\r\n\r\ninner text\r\n--A--\r\n",
		"\"\" multipart/mixed{boundary=A} (\"1\" text/plain{charset=utf-8} 7bit 9/0, "
		"\"2\" message/rfc822 7bit 25/2 (\"2.1\" text/plain 7bit 10/0))",
		{ { "2", "Subject: in\r\n\r\ninner text" }, { "2.HEADER", "Subject: in\r\n\r\n" },
			{ "2.TEXT", "inner text" }, { "2.1", "inner text" },
			{ "2.MIME", "Content-Type: message/rfc822\r\n\r\n" }, { "2.2", NULL },
			{ "1.TEXT", NULL } } },
	{ "a forwarded message with parts and a message in it",
		"Subject: out\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=A\r\n\r\n--A\r\n"
		"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n"
		"Subject: in\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n\r\none\r\n--B\r\n"
		"Content-Type: message/rfc822\r\n\r\nSubject: deep\r\n\r\ndeep text\r\n--B--\r\n"
		"\r\n--A--\r\n",
		"\"\" multipart/mixed{boundary=A} (\"1\" message/rfc822 7bit 202/15 attachment "
		"(\"1\" multipart/mixed{boundary=B} (\"1.1\" text/plain{charset=utf-8} 7bit 3/0, "
		"\"1.2\" message/rfc822 7bit 26/2 (\"1.2.1\" text/plain 7bit 9/0))))",
		{ { "1.1", "one" }, { "1.2.1", "deep text" },
			{ "1.2.HEADER", "Subject: deep\r\n\r\n" }, { "1.2.TEXT", "deep text" },
			{ "1.HEADER", "Subject: in\r\nMIME-Version: 1.0\r\n"
				      "Content-Type: multipart/mixed; boundary=B\r\n\r\n" },
			{ "1.2.MIME", "Content-Type: message/rfc822\r\n\r\n" }, { "1.3", NULL } } },
	{ "a message that is a message",
		"Subject: out\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"
		"Subject: in\r\n\r\ninner\r\n",
		"\"1\" message/rfc822 7bit 22/3 (\"1.1\" text/plain 7bit 7/1)",
		{ { "1", "Subject: in\r\n\r\ninner\r\n" }, { "1.1", "inner\r\n" },
			{ "1.HEADER", "Subject: in\r\n\r\n" }, { "1.TEXT", "inner\r\n" },
			{ "TEXT", "Subject: in\r\n\r\ninner\r\n" } } },
	{ "a digest",
		"Subject: d\r\nMIME-Version: 1.0\r\nContent-Type: multipart/digest; "
		"boundary=A\r\n\r\n"
		"--A\r\n\r\nSubject: a\r\n\r\naa\r\n--A\r\n\r\nSubject: b\r\n\r\nbb\r\n--A--\r\n",
		"\"\" multipart/digest{boundary=A} (\"1\" message/rfc822 7bit 16/2 "
		"(\"1.1\" text/plain 7bit 2/0), \"2\" message/rfc822 7bit 16/2 "
		"(\"2.1\" text/plain 7bit 2/0))",
		{ { "1.1", "aa" }, { "2.TEXT", "bb" }, { "2.HEADER", "Subject: b\r\n\r\n" } } },
	{ "a last boundary that is missing",
		"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
		"boundary=A\r\n\r\n"
		"--A\r\n\r\none\r\n--A\r\n\r\ntwo\r\n",
		"\"\" multipart/mixed{boundary=A} (\"1\" text/plain 7bit 3/0, "
		"\"2\" text/plain 7bit 5/1)",
		{ { "1", "one" }, { "2", "two\r\n" }, { "1.MIME", "\r\n" } } },
	{ "boundaries that only look alike",
		"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
		"boundary=A\r\n\r\n"
		"--A  \r\n\r\n-A\r\n-- A\r\n --A\r\n--A--\r\n--A\r\n\r\nbehind\r\n",
		"\"\" multipart/mixed{boundary=A} (\"1\" text/plain 7bit 14/2)",
		{ { "1", "-A\r\n-- A\r\n --A" }, { "2", NULL } } },
	{ "a folded type",
		"Subject: x\r\nMIME-Version: 1.0\r\n"
		"Content-Type: (comment) text/plain;\r\n\tcharset=utf-8 (other) ;\r\n "
		"format=flowed\r\n"
		"\r\nHello\r\n",
		"\"1\" text/plain{charset=utf-8,format=flowed} 7bit 7/1",
		{ { "1", "Hello\r\n" } } },
	{ "bytes over 127, long lines, no line end",
		"Subject: caf\xc3\xa9\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
		"caf\xc3\xa9 \xff\xfe",
		"\"1\" text/plain{charset=utf-8} 8bit 8/0", { { "1", "caf\xc3\xa9 \xff\xfe" } } },
};

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

static void
structures(struct bench *b)
{
	for (size_t k = 0; k < SAMPLES; k++) {
		uint64_t id = contract_put(b, b->inbox, mf_bytes_str(samples[k].message), 0, 0);
		const struct mf_item *i =
			contract_fetch_one(b, b->inbox, id, MF_WANT_STRUCTURE, NULL, 0);
		const char *got;

		NEED(b, i->structure != NULL && i->damaged == NULL, "%s: a structure",
			samples[k].name);
		got = contract_structure(b->a, i->structure);
		CHECK(b, strcmp(got, samples[k].structure) == 0, "%s:\n\tgot  %s\n\twant %s",
			samples[k].name, got, samples[k].structure);
	}
}

static void
check_section(struct bench *b, const struct sample *s, uint64_t id, const struct expected *e)
{
	struct mf_section_want want = { .max = 0 };
	const struct mf_item *i;

	strcpy(want.section, e->section);
	i = contract_fetch_one(b, b->inbox, id, 0, &want, 1);
	if (e->data == NULL)
		CHECK(b, i->n_sections == 0, "%s has a section %s", s->name, e->section);
	else
		CHECK(b,
			i->n_sections == 1 &&
				contract_equal(i->sections[0].data, mf_bytes_str(e->data)),
			"%s, section %s: %s", s->name, e->section,
			i->n_sections == 0 ? "none" : contract_show(b, i->sections[0].data));
}

static void
sections(struct bench *b)
{
	for (size_t k = 0; k < SAMPLES; k++) {
		const struct sample *s = &samples[k];
		uint64_t id = contract_put(b, b->inbox, mf_bytes_str(s->message), 0, 0);

		for (const struct expected *e = s->sections; e->section != NULL; e++)
			check_section(b, s, id, e);
		CHECK(b,
			contract_equal(contract_message(b, b->inbox, id), mf_bytes_str(s->message)),
			"%s comes back byte for byte", s->name);
	}
}

/* All in one call: sections belong to their items. */
static size_t
choose_first(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	(void)ctx;
	(void)item;
	strcpy(out[0].section, "1");
	strcpy(out[1].section, "HEADER");
	return 2;
}

struct check_all {
	struct bench *b;
	uint64_t ids[SAMPLES];
	unsigned seen;
};

static enum mf_status
check_headers(void *ctx, const struct mf_item *item)
{
	struct check_all *all = ctx;

	for (size_t k = 0; k < SAMPLES; k++) {
		const char *m = samples[k].message;
		size_t n = (size_t)(strstr(m, "\r\n\r\n") + 4 - m);

		if (all->ids[k] != item->id)
			continue;
		all->seen++;
		NEED(all->b, item->n_sections == 2, "%s: %zu sections", samples[k].name,
			item->n_sections);
		CHECK(all->b, contract_equal(item->sections[1].data, mf_bytes(m, n)), "%s: %s",
			samples[k].name, contract_show(all->b, item->sections[1].data));
	}
	return MF_OK;
}

static void
together(struct bench *b)
{
	struct check_all all = { .b = b };
	struct mf_fetch f = { .folder = b->inbox,
		.ids = all.ids,
		.n = SAMPLES,
		.want = MF_WANT_STRUCTURE,
		.choose = choose_first,
		.item = check_headers,
		.ctx = &all };

	for (size_t k = 0; k < SAMPLES; k++)
		all.ids[k] = contract_put(b, b->inbox, mf_bytes_str(samples[k].message), 0, 0);
	STATUS(b, b->store->fetch(b->s, &f, &b->err), MF_OK);
	CHECK(b, all.seen == SAMPLES, "%u items", all.seen);
}

/* ---- Absurd messages: some valid item, and the session lives ---- */

static struct mf_bytes
deep_multiparts(struct mf_arena *a)
{
	struct mf_buf m;
	struct mf_bytes copy;

	mf_buf_init(&m, 0);
	mf_buf_add_str(&m, "Subject: deep\r\nMIME-Version: 1.0\r\n");
	for (int k = 0; k < 150; k++)
		mf_buf_printf(
			&m, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", k, k);
	mf_buf_add_str(&m, "\r\ntext\r\n");
	copy = mf_memdup(a, m.data, m.len);
	mf_buf_deinit(&m);
	return copy;
}

static struct mf_bytes
many_parts(struct mf_arena *a)
{
	struct mf_buf m;
	struct mf_bytes copy;

	mf_buf_init(&m, 0);
	mf_buf_add_str(&m, "Subject: wide\r\nMIME-Version: 1.0\r\n"
			   "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int k = 0; k < 3000; k++)
		mf_buf_add_str(&m, "--b\r\n\r\nx\r\n");
	mf_buf_add_str(&m, "--b--\r\n");
	copy = mf_memdup(a, m.data, m.len);
	mf_buf_deinit(&m);
	return copy;
}

static struct mf_bytes
huge_header(struct mf_arena *a)
{
	struct mf_buf m;
	struct mf_bytes copy;

	mf_buf_init(&m, 0);
	mf_buf_add_str(&m, "Subject: ");
	for (int k = 0; k < 3000; k++)
		mf_buf_add_str(&m, "(\"{10}\\ \r\n\t");
	mf_buf_add_str(
		&m, "end\r\nContent-Type: text/plain; charset=\"{5}\"; x=\"((((\"\r\n\r\nx\r\n");
	copy = mf_memdup(a, m.data, m.len);
	mf_buf_deinit(&m);
	return copy;
}

static struct mf_bytes
no_header(struct mf_arena *a)
{
	(void)a;
	return mf_bytes_str("\r\nonly a body\r\n");
}

static struct mf_bytes
no_colon(struct mf_arena *a)
{
	(void)a;
	return mf_bytes_str("this is no field\r\nSubject: x\r\nnor this\r\n\r\nbody\r\n");
}

static struct mf_bytes
no_boundary(struct mf_arena *a)
{
	(void)a;
	return mf_bytes_str("MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\nbody\r\n");
}

static struct mf_bytes
never_bounded(struct mf_arena *a)
{
	(void)a;
	return mf_bytes_str(
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\nbody\r\n");
}

static struct mf_bytes
no_subtype(struct mf_arena *a)
{
	(void)a;
	return mf_bytes_str("MIME-Version: 1.0\r\nContent-Type: text; ; = ; a=\"\r\n\r\nbody\r\n");
}

static void
absurd(struct bench *b)
{
	static struct mf_bytes (*const makers[])(struct mf_arena *) = { deep_multiparts, many_parts,
		huge_header, no_header, no_colon, no_boundary, never_bounded, no_subtype };
	enum { MAKERS = sizeof(makers) / sizeof(makers[0]) };
	struct mf_bytes messages[MAKERS];
	uint64_t ids[MAKERS];
	struct contract_items items;

	for (int k = 0; k < MAKERS; k++) {
		messages[k] = makers[k](b->a);
		ids[k] = contract_put(b, b->inbox, messages[k], 0, 0);
	}
	items = contract_fetch(b, b->inbox, ids, MAKERS,
		MF_WANT_SIZE | MF_WANT_HEADER | MF_WANT_STRUCTURE, NULL, NULL, 0);
	CHECK(b, items.n == MAKERS, "%zu items", items.n);
	for (int k = 0; k < MAKERS; k++) {
		const struct mf_item *i = contract_item(&items, ids[k]);

		NEED(b, i != NULL, "message %d comes", k);
		CHECK(b, i->damaged != NULL || i->structure != NULL, "message %d: a structure", k);
		CHECK(b, i->damaged != NULL || i->size == messages[k].len, "message %d: size %llu",
			k, (unsigned long long)i->size);
		CHECK(b, contract_equal(contract_message(b, b->inbox, ids[k]), messages[k]),
			"message %d comes back byte for byte", k);
	}
	CHECK(b, b->api->usable(b->s), "the session is none the worse");
}

const struct contract_case cases_content[] = {
	{ "content-structures", structures, CAN_KEEP },
	{ "content-sections", sections, CAN_KEEP },
	{ "content-together", together, CAN_KEEP },
	{ "content-absurd", absurd, CAN_KEEP },
	{ NULL, NULL, 0 },
};
