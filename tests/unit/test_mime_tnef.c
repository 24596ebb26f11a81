/* mime: winmail.dat, written here attribute by attribute. */
#include <criterion/criterion.h>

#include "mime/tnef.h"
#include "mime_help.h"

static void
add_number(struct mf_buf *b, uint32_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mf_buf_add_byte(b, (uint8_t)(v >> (8 * i)));
}

static void
add_attribute(struct mf_buf *b, unsigned id, const void *data, size_t len)
{
	unsigned sum = 0;

	mf_buf_add_byte(b, id == 0x9002 || id == 0x8010 || id == 0x800f || id == 0x9005 ? 2 : 1);
	add_number(b, id, 2);
	add_number(b, 6, 2);
	add_number(b, (uint32_t)len, 4);
	mf_buf_add(b, data, len);
	for (size_t i = 0; i < len; i++)
		sum += ((const uint8_t *)data)[i];
	add_number(b, sum, 2);
}

static void
add_property(struct mf_buf *b, unsigned id, unsigned type, const void *data, size_t len)
{
	add_number(b, type, 2);
	add_number(b, id, 2);
	add_number(b, 1, 4);
	add_number(b, (uint32_t)len, 4);
	mf_buf_add(b, data, len);
	while (b->len % 4 != 0)
		mf_buf_add_byte(b, 0);
}

/* The id of the interface of messages, and what would be the message. */
static const uint8_t message_object[20] = { 0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0,
	0x46, 'T', 'N', 'E', 'F' };

static void
make(struct mf_buf *b)
{
	struct mf_buf p;

	mf_buf_init(&p, 0);
	add_number(b, 0x223e9f78, 4);
	add_number(b, 1, 2);
	add_attribute(b, 0x9007, "\xe3\x04\0\0\0\0\0\0", 8); /* windows-1251 */
	add_attribute(b, 0x8008, "IPM.Note\0", 9);
	add_number(&p, 3, 4);
	add_number(&p, 0x3, 2); /* a number, and one with a name */
	add_number(&p, 0x0e17, 2);
	add_number(&p, 7, 4);
	add_number(&p, 0x1e, 2);
	add_number(&p, 0x8001, 2);
	for (int i = 0; i < 16; i++)
		mf_buf_add_byte(&p, 0);
	add_number(&p, 1, 4);
	add_number(&p, 6, 4);
	mf_buf_add(&p, "n\0a\0\0\0\0\0", 8);
	add_number(&p, 1, 4);
	add_number(&p, 2, 4);
	mf_buf_add(&p, "x\0\0\0", 4);
	add_property(&p, 0x1000, 0x1f, "\x1f\x04\x40\x04\0\0", 6);
	add_attribute(b, 0x9003, p.data, p.len);
	add_attribute(b, 0x9002, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 14);
	add_attribute(b, 0x8010, "SHORT~1.TXT\0", 12);
	add_attribute(b, 0x800f, "file one", 8);
	mf_buf_clear(&p);
	add_number(&p, 3, 4);
	add_property(&p, 0x3707, 0x1e, "..\\\xcf\xf0.txt\0", 10);
	add_property(&p, 0x370e, 0x1e, "text/plain\0", 11);
	add_property(&p, 0x3712, 0x1f, "i\0d\0\0\0", 6);
	add_attribute(b, 0x9005, p.data, p.len);
	add_attribute(b, 0x9002, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 14);
	mf_buf_clear(&p);
	add_number(&p, 1, 4);
	add_property(&p, 0x3701, 0x0d, message_object, sizeof(message_object));
	add_attribute(b, 0x9005, p.data, p.len);
	mf_buf_deinit(&p);
}

Test(mime_tnef, files_and_text_are_found)
{
	struct mf_arena *a = mf_arena_new();
	struct mime_tnef t;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	make(&b);
	cr_assert_eq(mime_tnef_read(a, mf_buf_bytes(&b), &t, NULL), MF_OK);
	cr_assert_str_eq(t.message_class, "IPM.Note");
	cr_assert_str_eq(t.text, "Пр");
	cr_assert_null(t.html);
	cr_assert_eq(t.n_files, 2);
	cr_assert_str_eq(t.files[0].name, "Пр.txt");
	cr_assert_str_eq(t.files[0].type, "text/plain");
	cr_assert_str_eq(t.files[0].content_id, "id");
	cr_assert_eq(t.files[0].data.len, 8);
	cr_assert_eq(memcmp(t.files[0].data.data, "file one", 8), 0);
	cr_assert(!t.files[0].is_message);
	cr_assert_str_eq(t.files[1].name, "attachment-2.msg");
	cr_assert(t.files[1].is_message);
	cr_assert_eq(t.files[1].data.len, 4);
	mf_buf_deinit(&b);
	mf_arena_free(a);
}

/* Text that is RTF only; and an object of another program among the files. */
Test(mime_tnef, text_in_rtf_and_objects)
{
	static const struct {
		const char *rtf, *html, *text;
	} rows[] = { { "{\\rtf1\\ansi\\fromhtml1 {\\*\\htmltag <p>}Hello}", "<p>Hello", NULL },
		{ "{\\rtf1\\ansi Hello\\par}", NULL, "Hello\r\n" }, { "no rtf", NULL, NULL } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mf_arena *a = mf_arena_new();
		struct mf_buf b, p, packed;
		struct mime_tnef t;

		mf_buf_init(&b, 0);
		mf_buf_init(&p, 0);
		mf_buf_init(&packed, 0);
		add_number(&packed, (uint32_t)strlen(rows[i].rtf) + 12, 4);
		add_number(&packed, (uint32_t)strlen(rows[i].rtf), 4);
		mf_buf_add(&packed, "MELA\0\0\0\0", 8);
		mf_buf_add_str(&packed, rows[i].rtf);
		add_number(&b, 0x223e9f78, 4);
		add_number(&b, 1, 2);
		add_number(&p, 1, 4);
		add_property(&p, 0x1009, 0x102, packed.data, packed.len);
		add_attribute(&b, 0x9003, p.data, p.len);
		add_attribute(&b, 0x9002, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 14);
		mf_buf_clear(&p);
		add_number(&p, 1, 4);
		add_property(&p, 0x3701, 0x0d, "\x0a\3\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46ole", 19);
		add_attribute(&b, 0x9005, p.data, p.len);
		cr_assert_eq(mime_tnef_read(a, mf_buf_bytes(&b), &t, NULL), MF_OK);
		if (rows[i].html != NULL)
			cr_assert_str_eq(t.html, rows[i].html, "row %zu", i);
		else
			cr_assert_null(t.html, "row %zu", i);
		if (rows[i].text != NULL)
			cr_assert_str_eq(t.text, rows[i].text, "row %zu", i);
		else
			cr_assert_null(t.text, "row %zu", i);
		cr_assert_eq(t.n_files, 1);
		cr_assert(t.files[0].is_object && !t.files[0].is_message);
		cr_assert_eq(t.files[0].data.len, 3);
		mf_buf_deinit(&b);
		mf_buf_deinit(&p);
		mf_buf_deinit(&packed);
		mf_arena_free(a);
	}
}

static void
add_named(struct mf_buf *b, unsigned type, unsigned number, const void *value, size_t len)
{
	static const uint8_t appointment[16] = { 0x02, 0x20, 0x06, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0,
		0, 0, 0x46 };

	add_number(b, type, 2);
	add_number(b, 0x8001, 2);
	mf_buf_add(b, appointment, 16);
	add_number(b, 0, 4);
	add_number(b, number, 4);
	mf_buf_add(b, value, len);
}

/* What it says of a meeting becomes a calendar, whose lines nothing in it can end. */
Test(mime_tnef, a_meeting_becomes_a_calendar)
{
	static const uint8_t time[8] = { 0x00, 0xa8, 0x31, 0xf3, 0x22, 0xaa, 0xdc, 0x01 };
	struct mf_arena *a = mf_arena_new();
	struct mf_buf b, p, out;
	struct mime_tnef t;
	struct mime_addresses from, to;

	mf_buf_init(&b, 0);
	mf_buf_init(&p, 0);
	mf_buf_init(&out, 0);
	add_number(&b, 0x223e9f78, 4);
	add_number(&b, 1, 2);
	add_attribute(&b, 0x8008, "IPM.Microsoft Schedule.MtgReq\0", 30);
	add_number(&p, 5, 4);
	add_property(&p, 0x37, 0x1e, "a;b,c\\\r\nEND:VEVENT\0", 19);
	add_property(&p, 0x42, 0x1e, "The \"Boss\"\0", 11);
	add_number(&p, 0xb, 2);
	add_number(&p, 0x63, 2);
	add_number(&p, 1, 4);
	add_named(&p, 0x40, 0x820d, time, 8);
	add_named(&p, 0x3, 0x8201, "\4\0\0\0", 4);
	add_attribute(&b, 0x9003, p.data, p.len);
	cr_assert_eq(mime_tnef_read(a, mf_buf_bytes(&b), &t, NULL), MF_OK);
	cr_assert_null(t.meeting, "it has no id");
	mf_buf_clear(&p);
	add_number(&p, 1, 4);
	add_number(&p, 0x102, 2);
	add_number(&p, 0x8001, 2);
	mf_buf_add(&p, "\x90\xda\xd8\x6e\x0b\x45\x1b\x10\x98\xda\x00\xaa\x00\x3f\x13\x05", 16);
	add_number(&p, 0, 4);
	add_number(&p, 3, 4);
	add_number(&p, 1, 4);
	add_number(&p, 4, 4);
	mf_buf_add(&p, "\4\0\xab\xcd", 4);
	add_attribute(&b, 0x9003, p.data, p.len);
	cr_assert_eq(mime_tnef_read(a, mf_buf_bytes(&b), &t, NULL), MF_OK);
	cr_assert_not_null(t.meeting);
	mime_addresses_parse(a, mf_bytes_str("Boss <boss@x.org>"), NULL, &from);
	mime_addresses_parse(a, mf_bytes_str("Anna <anna@x.org>, b@x.org"), NULL, &to);
	mime_tnef_calendar(t.meeting, &from, &to, &out);
	cr_assert_str_eq(mf_buf_str(&out),
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"
		"UID:0400ABCD\r\nDTSTAMP:20260302T090000Z\r\nDTSTART:20260302T090000Z\r\n"
		"DTEND:20260302T090000Z\r\nSUMMARY:a\\;b\\,c\\\\ END:VEVENT\r\n"
		"ORGANIZER;CN=\"The Boss\":mailto:boss@x.org\r\n"
		"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=\"Anna\":mailto:anna@x.org\r\n"
		"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:b@x.org\r\nSEQUENCE:4\r\n"
		"X-MICROSOFT-CDO-ALLDAYEVENT:FALSE\r\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY\r\n"
		"END:VEVENT\r\nEND:VCALENDAR\r\n");
	mf_buf_deinit(&b);
	mf_buf_deinit(&p);
	mf_buf_deinit(&out);
	mf_arena_free(a);
}

/* A message as attachment: its text and its files are files. */
Test(mime_tnef, messages_within_are_opened)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_buf b, object, p;
	struct mime_tnef t;

	mf_buf_init(&b, 0);
	mf_buf_init(&p, 0);
	mf_buf_init(&object, 0);
	mf_buf_add(&object, message_object, 16);
	make(&object);
	add_number(&b, 0x223e9f78, 4);
	add_number(&b, 1, 2);
	add_attribute(&b, 0x9002, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 14);
	add_number(&p, 2, 4);
	add_property(&p, 0x3707, 0x1e, "Letter.msg\0", 11);
	add_property(&p, 0x3701, 0x0d, object.data, object.len);
	add_attribute(&b, 0x9005, p.data, p.len);
	cr_assert_eq(mime_tnef_read(a, mf_buf_bytes(&b), &t, NULL), MF_OK);
	cr_assert_eq(t.n_files, 3);
	cr_assert_str_eq(t.files[0].name, "Letter.txt");
	cr_assert_str_eq(t.files[0].type, "text/plain; charset=utf-8");
	cr_assert_eq(t.files[0].data.len, strlen("Пр"));
	cr_assert_eq(memcmp(t.files[0].data.data, "Пр", t.files[0].data.len), 0);
	cr_assert_str_eq(t.files[1].name, "Пр.txt");
	cr_assert_eq(memcmp(t.files[1].data.data, "file one", 8), 0);
	cr_assert(t.files[2].is_message, "that one is no TNEF");
	mf_buf_deinit(&b);
	mf_buf_deinit(&p);
	mf_buf_deinit(&object);
	mf_arena_free(a);
}

Test(mime_tnef, what_is_cut_or_wrong_is_survived)
{
	struct mf_buf b;

	mf_buf_init(&b, 0);
	make(&b);
	for (size_t cut = 0; cut < b.len; cut++) {
		struct mf_arena *a = mf_arena_new();
		struct mf_bytes part = mf_memdup(a, b.data, cut);
		struct mime_tnef t;

		cr_assert_eq(mime_tnef_read(a, part, &t, NULL), cut < 4 ? MF_INVALID : MF_OK);
		for (size_t i = 0; i < t.n_files; i++)
			mime_require_line(t.files[i].name);
		mf_arena_free(a);
	}
	for (size_t at = 6; at < b.len; at++) {
		struct mf_arena *a = mf_arena_new();
		struct mf_bytes wrong = mf_memdup(a, b.data, b.len);
		struct mime_tnef t;

		((uint8_t *)wrong.data)[at] ^= 0xff;
		cr_assert_eq(mime_tnef_read(a, wrong, &t, NULL), MF_OK);
		mf_arena_free(a);
	}
	mf_buf_deinit(&b);
}
