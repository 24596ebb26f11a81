/* mime: replies and forwards. */
#include <criterion/criterion.h>

#include "mime/mime.h"
#include "mime_help.h"

TestSuite(mime_compose, .init = mime_init, .fini = mime_deinit);

#define HEADER                                                                  \
	"From: Bert <bert@example.net>\r\nTo: Anna <anna@example.org>\r\nBcc: " \
	"hidden@example.org\r\n"                                                \
	"Subject: Re: Hello\r\nMIME-Version: 1.0\r\n"
#define ORIGINAL                                                                   \
	"Received: by somebody\r\nFrom: =?utf-8?Q?J=C3=B6rg?= <j@example.org>\r\n" \
	"To: bert@example.net\r\nSubject: Hello\r\nDate: Fri, 20 Nov 2026 10:20:30 +0100\r\n"

static const char phone_plain[] = HEADER "Content-Type: text/plain; charset=iso-8859-1\r\n"
					 "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
					 "Gr=FC=DFe\r\n";
static const char phone_html[] =
	HEADER "Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>My "
	       "reply</p></body></html>\r\n";
static const char phone_alternative[] =
	HEADER "Content-Type: multipart/alternative; boundary=pa\r\n\r\n--pa\r\nContent-Type: "
	       "text/plain\r\n\r\n"
	       "my plain\r\n--pa\r\nContent-Type: text/html\r\n\r\n<p>my html</p>\r\n--pa--\r\n";
static const char phone_mixed[] = HEADER
	"Content-Type: multipart/mixed; boundary=pm\r\n\r\n--pm\r\nContent-Type: text/plain\r\n\r\n"
	"my text\r\n--pm\r\nContent-Type: application/x-phone; name=own.bin\r\nX-Odd: kept\r\n"
	"Content-Transfer-Encoding: base64\r\n\r\nT1dO\r\n--pm--\r\n";
static const char phone_picture[] =
	HEADER "Content-Type: image/png; name=own.png\r\nContent-Transfer-Encoding: "
	       "base64\r\n\r\nT1dO\r\n";
static const char phone_encrypted[] =
	HEADER "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n"
	       "Content-Transfer-Encoding: base64\r\n\r\nMIAG\r\n";

static const char original_plain[] = ORIGINAL
	"Content-Type: text/plain; charset=koi8-r\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4\r\n> older\r\n";
static const char original_rich[] = ORIGINAL
	"Content-Type: multipart/mixed; boundary=om\r\n\r\n--om\r\n"
	"Content-Type: multipart/related; boundary=or\r\n\r\n--or\r\nContent-Type: "
	"text/html\r\n\r\n"
	"<html><head><style>p{color:red}</style></head><body><p>their html</p>"
	"<img src=\"cid:pic@x\"></body></html>\r\n"
	"--or\r\nContent-Type: image/png\r\nContent-ID: <pic@x>\r\nContent-Transfer-Encoding: "
	"base64\r\n"
	"\r\nUElD\r\n--or--\r\n--om\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\n"
	"Content-Transfer-Encoding: base64\r\n\r\nUERG\r\nUERG\r\n--om\r\n"
	"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner \xff body\r\n--om--\r\n";
static const char original_signed[] =
	ORIGINAL "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; "
		 "boundary=s\r\n\r\n"
		 "--s\r\n\r\nsigned text\r\n--s\r\nContent-Type: "
		 "application/pkcs7-signature\r\n\r\nxx\r\n--s--\r\n";
static const char original_encrypted[] =
	ORIGINAL "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; "
		 "name=smime.p7m\r\n\r\nMIAG\r\n";
static const char original_picture[] = ORIGINAL
	"Content-Type: image/gif; name=x.gif\r\nContent-Transfer-Encoding: base64\r\n\r\nR0lG\r\n";
static const char original_invitation[] = ORIGINAL
	"Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\ninvited\r\n--c\r\n"
	"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n--c--\r\n";

static const char original_calendar[] =
	ORIGINAL "Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n"
		 "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n";
static const char phone_meeting[] = HEADER
	"Content-Type: multipart/alternative; boundary=pm\r\n\r\n--pm\r\n\r\nI come.\r\n--pm\r\n"
	"Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\n--pm--\r\n";

struct sent {
	struct mf_arena *a;
	struct mf_bytes raw;
	struct mime_message m;
	struct mime_structure s;
};

static struct sent
compose(enum mime_compose_kind kind, const char *message, const char *original,
	const char *const *without)
{
	struct sent t = { .a = mf_arena_new() };
	struct mime_compose c = { kind, mf_bytes_str(message), mf_bytes_str(original), without };
	struct mime_segments out;
	struct mf_buf b;

	cr_assert_eq(mime_compose(t.a, &c, &out, NULL), MF_OK);
	mf_buf_init(&b, 0);
	for (size_t i = 0; i < out.n; i++)
		mf_buf_add(&b, out.list[i].data, out.list[i].len);
	cr_assert_eq(b.len, out.size);
	t.raw = mf_memdup(t.a, b.data, b.len);
	mf_buf_deinit(&b);
	cr_assert_eq(mime_message_parse(t.a, t.raw, &t.m, NULL), MF_OK);
	mime_structure_read(t.a, t.m.root, &t.m.header, &t.s);
	return t;
}

static const char *
text_of(const struct sent *t, enum mime_format format)
{
	const struct mime_text *text = format == MIME_HTML ? &t->s.html : &t->s.plain;
	struct mime_piece pieces[MIME_TEXTS_MAX];
	struct mime_body body;

	for (size_t i = 0; i < text->n; i++)
		pieces[i] = (struct mime_piece){ text->parts[i],
			mime_message_part(&t->m, text->parts[i]), false };
	mime_body_render(t->a, pieces, text->n, format, SIZE_MAX, &body);
	return body.text;
}

/* "multipart/mixed(text/plain,application/pdf)" */
static const char *
shape(struct mf_arena *a, const struct mf_part *part)
{
	const char *s = mf_printf(a, "%s/%s", part->type, part->subtype);

	if (strcmp(part->type, "multipart") != 0)
		return s;
	s = mf_printf(a, "%s(", part->subtype);
	for (size_t i = 0; i < part->n_children; i++)
		s = mf_printf(a, "%s%s%s", s, i > 0 ? "," : "", shape(a, &part->children[i]));
	return mf_printf(a, "%s)", s);
}

Test(mime_compose, gives_the_right_structure)
{
	static const struct {
		enum mime_compose_kind kind;
		const char *message, *original, *want;
	} rows[] = {
		{ MIME_COMPOSE_REPLY, phone_plain, original_plain, "text/plain" },
		{ MIME_COMPOSE_REPLY, phone_plain, original_rich, "text/plain" },
		{ MIME_COMPOSE_REPLY, phone_html, original_plain, "text/html" },
		{ MIME_COMPOSE_REPLY, phone_html, original_rich, "related(text/html,image/png)" },
		{ MIME_COMPOSE_REPLY, phone_alternative, original_rich,
			"alternative(text/plain,related(text/html,image/png))" },
		{ MIME_COMPOSE_REPLY, phone_mixed, original_plain,
			"mixed(text/plain,application/x-phone)" },
		{ MIME_COMPOSE_REPLY, phone_html, original_signed, "text/html" },
		{ MIME_COMPOSE_REPLY, phone_html, original_encrypted,
			"mixed(text/html,message/rfc822)" },
		{ MIME_COMPOSE_REPLY, phone_picture, original_plain,
			"mixed(text/plain,image/png)" },
		{ MIME_COMPOSE_REPLY, phone_encrypted, original_plain, "application/pkcs7-mime" },
		{ MIME_COMPOSE_FORWARD, phone_plain, original_plain, "text/plain" },
		{ MIME_COMPOSE_FORWARD, phone_plain, original_rich,
			"mixed(alternative(text/plain,related(text/html,image/png)),application/"
			"pdf,"
			"message/rfc822)" },
		{ MIME_COMPOSE_FORWARD, phone_html, original_rich,
			"mixed(related(text/html,image/png),application/pdf,message/rfc822)" },
		{ MIME_COMPOSE_FORWARD, phone_alternative, original_rich,
			"mixed(alternative(text/plain,related(text/html,image/png)),application/"
			"pdf,"
			"message/rfc822)" },
		{ MIME_COMPOSE_FORWARD, phone_mixed, original_rich,
			"mixed(alternative(text/plain,related(text/html,image/png)),"
			"application/x-phone,application/pdf,message/rfc822)" },
		{ MIME_COMPOSE_FORWARD, phone_html, original_signed,
			"mixed(text/html,message/rfc822)" },
		{ MIME_COMPOSE_FORWARD, phone_plain, original_encrypted,
			"mixed(text/plain,message/rfc822)" },
		{ MIME_COMPOSE_FORWARD, phone_plain, original_picture,
			"mixed(text/plain,image/gif)" },
		{ MIME_COMPOSE_FORWARD, phone_picture, original_plain,
			"mixed(text/plain,image/png)" },
		{ MIME_COMPOSE_FORWARD, phone_html, original_invitation,
			"mixed(text/html,text/calendar)" },
		{ MIME_COMPOSE_FORWARD, phone_html, original_calendar,
			"mixed(text/html,text/calendar)" },
		{ MIME_COMPOSE_REPLY, phone_meeting, original_invitation,
			"alternative(text/plain,text/calendar)" },
		{ MIME_COMPOSE_REPLY, phone_meeting, original_calendar,
			"alternative(text/plain,text/calendar)" },
		{ MIME_COMPOSE_FORWARD, phone_encrypted, original_rich, "application/pkcs7-mime" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sent t = compose(rows[i].kind, rows[i].message, rows[i].original, NULL);
		struct sent again = compose(rows[i].kind, rows[i].message, rows[i].original, NULL);
		const char *got = shape(t.a, t.m.root);

		cr_assert_str_eq(got, rows[i].want, "%zu: %s", i, got);
		cr_assert_eq(t.raw.len, again.raw.len);
		cr_assert_eq(memcmp(t.raw.data, again.raw.data, t.raw.len), 0,
			"%zu: a repeat differs", i);
		cr_assert_not_null(mime_header_find(&t.m.header, "Bcc"));
		cr_assert_null(mime_header_find(&t.m.header, "Received"), "%zu", i);
		cr_assert_str_eq(mime_header_text(t.a, &t.m.header, "Subject", NULL), "Re: Hello");
		mf_arena_free(again.a);
		mf_arena_free(t.a);
	}
}

Test(mime_compose, text_goes_below_text)
{
	struct sent t = compose(MIME_COMPOSE_REPLY, phone_plain, original_plain, NULL);

	cr_assert_str_eq(text_of(&t, MIME_PLAIN),
		"Grüße\r\n\r\nOn Fri, 20 Nov 2026 10:20:30 +0100, Jörg <j@example.org> wrote:\r\n"
		"> Привет\r\n>> older\r\n",
		"<%s>", text_of(&t, MIME_PLAIN));
	mf_arena_free(t.a);
	t = compose(MIME_COMPOSE_FORWARD, phone_plain, original_plain, NULL);
	cr_assert_str_eq(text_of(&t, MIME_PLAIN),
		"Grüße\r\n\r\n---------- Forwarded message ----------\r\n"
		"From: \"Jörg\" <j@example.org>\r\nDate: Fri, 20 Nov 2026 10:20:30 +0100\r\n"
		"Subject: Hello\r\nTo: bert@example.net\r\n\r\nПривет\r\n> older\r\n",
		"<%s>", text_of(&t, MIME_PLAIN));
	mf_arena_free(t.a);
}

Test(mime_compose, html_goes_into_the_body_element)
{
	struct sent t = compose(MIME_COMPOSE_FORWARD, phone_html, original_rich, NULL);
	const char *html = text_of(&t, MIME_HTML);
	const char *mine = strstr(html, "My reply"), *rule = strstr(html, "Forwarded message"),
		   *style = strstr(html, "<style>p{color:red}</style>"),
		   *theirs = strstr(html, "their html"), *end = strstr(html, "</body>");

	cr_assert(mine != NULL && rule > mine && style > rule && theirs > style && end > theirs,
		"%s", html);
	cr_assert_null(strstr(end + 1, "</body>"), "%s", html);
	cr_assert_null(strstr(html, "<head>"), "%s", html);
	mf_arena_free(t.a);
}

/* The bytes from the header of the part with that type to the end of its body. */
static const char *
part_bytes(const struct sent *t, const char *type, const char *subtype)
{
	for (size_t i = 0; i < t->m.n_places; i++) {
		const struct mime_place *p = &t->m.places[i];

		if (strcmp(p->part->type, type) == 0 && strcmp(p->part->subtype, subtype) == 0)
			return mf_printf(t->a, "%.*s%.*s", (int)p->header.len, p->header.data,
				(int)p->body.len, p->body.data);
	}
	return "";
}

Test(mime_compose, attachments_stay_byte_for_byte)
{
	struct sent t = compose(MIME_COMPOSE_FORWARD, phone_mixed, original_rich, NULL);

	cr_assert_str_eq(part_bytes(&t, "application", "pdf"),
		"Content-Type: application/pdf; name=\"a.pdf\"\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nUERG\r\nUERG");
	cr_assert_str_eq(part_bytes(&t, "message", "rfc822"),
		"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner \xff body");
	cr_assert_str_eq(part_bytes(&t, "application", "x-phone"),
		"Content-Type: application/x-phone; name=own.bin\r\nX-Odd: kept\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nT1dO");
	mf_arena_free(t.a);
	t = compose(MIME_COMPOSE_FORWARD, phone_plain, original_signed, NULL);
	cr_assert_str_eq(part_bytes(&t, "message", "rfc822") +
				 strlen("Content-Type: message/rfc822\r\n"
					"Content-Disposition: attachment\r\n"
					"Content-Description: Hello\r\n"
					"Content-Transfer-Encoding: 7bit\r\n\r\n"),
		original_signed);
	mf_arena_free(t.a);
}

Test(mime_compose, what_is_encrypted_passes_unchanged)
{
	struct sent t = compose(MIME_COMPOSE_FORWARD, phone_encrypted, original_rich, NULL);

	cr_assert_str_eq((const char *)t.raw.data, phone_encrypted);
	mf_arena_free(t.a);
}

Test(mime_compose, attachments_can_be_left_out)
{
	const char *const without[] = { "2", "1.2", NULL };
	struct sent t = compose(MIME_COMPOSE_FORWARD, phone_html, original_rich, without);

	cr_assert_str_eq(shape(t.a, t.m.root), "mixed(text/html,message/rfc822)");
	mf_arena_free(t.a);
}

Test(mime_compose, boundaries_do_not_collide)
{
	/* The original holds the phone's boundary: its picture must not stand within that multipart. */
	static const char evil[] = ORIGINAL
		"Content-Type: multipart/related; boundary=or\r\n\r\n--or\r\nContent-Type: "
		"text/html\r\n\r\n"
		"<p>x</p>\r\n--or\r\nContent-Type: image/svg+xml\r\nContent-ID: <pic@x>\r\n\r\n"
		"<svg>\r\n--pa--\r\n</svg>\r\n--or--\r\n";
	struct sent t = compose(MIME_COMPOSE_FORWARD, phone_alternative, evil, NULL);

	cr_assert_str_eq(shape(t.a, t.m.root),
		"mixed(alternative(text/plain,text/html),image/svg+xml)", "%s",
		shape(t.a, t.m.root));
	cr_assert_str_eq(
		part_bytes(&t, "image", "svg+xml") +
			strlen("Content-Type: image/svg+xml\r\nContent-ID: <pic@x>\r\n\r\n"),
		"<svg>\r\n--pa--\r\n</svg>");
	mf_arena_free(t.a);
}

Test(mime_compose, large_originals_are_not_copied)
{
	struct mf_arena *a = mf_arena_new();
	struct mime_segments out;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mf_buf_add_str(&b,
		"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\ntext\r\n--m\r\n"
		"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	for (int i = 0; i < 100000; i++)
		mf_buf_add_str(&b, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n");
	mf_buf_add_str(&b, "--m--\r\n");
	cr_assert_eq(mime_compose(a,
			     &(struct mime_compose){ MIME_COMPOSE_FORWARD,
				     mf_bytes_str(phone_plain), mf_buf_bytes(&b), NULL },
			     &out, NULL),
		MF_OK);
	cr_assert_gt(out.size, b.len);
	cr_assert_lt(mf_arena_used(a), 100000, "%zu", mf_arena_used(a));
	mf_buf_deinit(&b);
	mf_arena_free(a);
}
