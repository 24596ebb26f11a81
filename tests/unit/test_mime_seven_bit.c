/* mime: mail for servers that take no bytes over 127. */
#include <criterion/criterion.h>
#include <string.h>

#include "mime/seven_bit.h"
#include "mime_help.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

Test(mime_seven_bit, parts_are_encoded)
{
	static const struct {
		const char *name, *in, *out; /* out NULL: as it is */
	} rows[] = {
		{ "a text",
			"Subject: x\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9f"
			"e, lang genug, damit es kein base64 wird\r\n.\r\n",
			"Content-Transfer-Encoding: quoted-printable\r\nSubject: x\r\n\r\n"
			"Gr=C3=BC=C3=9Fe, lang genug, damit es kein base64 wird\r\n.\r\n" },
		{ "mostly high", "Subject: x\r\n\r\n\xd0\x9f\xd1\x80\xd0\xb8",
			"Content-Transfer-Encoding: base64\r\nSubject: x\r\n\r\n0J/RgNC4\r\n" },
		{ "only the part that has them",
			"Content-Type: multipart/mixed; boundary=A\r\n"
			"Content-Transfer-Encoding: 8bit\r\n\r\nbefore\r\n--A\r\n"
			"Content-Type: text/plain\r\n\r\nplain\r\n--A\r\n"
			"Content-Type: application/octet-stream\r\n"
			"Content-Transfer-Encoding: binary\r\n\r\n\x80\x01\r\n--A--\r\nbehind\r\n",
			"Content-Transfer-Encoding: 7bit\r\n"
			"Content-Type: multipart/mixed; boundary=A\r\n\r\nbefore\r\n--A\r\n"
			"Content-Type: text/plain\r\n\r\nplain\r\n--A\r\n"
			"Content-Transfer-Encoding: base64\r\n"
			"Content-Type: "
			"application/octet-stream\r\n\r\ngAE=\r\n\r\n--A--\r\nbehind\r\n" },
		{ "a message within",
			"Content-Type: multipart/mixed; boundary=A\r\n\r\n--A\r\n"
			"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
			"Subject: y\r\n\r\n\xc3\xa4 and much more text that is plain\r\n--A--\r\n",
			"Content-Type: multipart/mixed; boundary=A\r\n\r\n--A\r\n"
			"Content-Transfer-Encoding: 7bit\r\nContent-Type: message/rfc822\r\n\r\n"
			"Content-Transfer-Encoding: quoted-printable\r\nSubject: y\r\n\r\n"
			"=C3=A4 and much more text that is plain\r\n--A--\r\n" },
		{ "signed",
			"Content-Type: multipart/signed; boundary=A\r\n\r\n--A\r\n\r\n\xc3\xa4\r\n"
			"--A\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--A--\r\n",
			NULL },
		{ "nothing to do", "Subject: x\r\n\r\nplain\r\n", NULL },
		{ "only in the header", "Subject: \xc3\xa4\r\n\r\nplain\r\n", NULL },
		{ "base64 with a stray byte",
			"Content-Transfer-Encoding: base64\r\n\r\nQUJD\xff\r\n", NULL },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct mf_arena *a = mf_arena_new();
		struct mime_segments s;
		struct mf_buf all;
		bool changed = mime_seven_bit(a, mf_bytes_str(rows[i].in), &s);

		cr_assert_eq(changed, rows[i].out != NULL, "%s", rows[i].name);
		mf_buf_init(&all, 0);
		for (size_t k = 0; changed && k < s.n; k++)
			mf_buf_add(&all, s.list[k].data, s.list[k].len);
		if (changed) {
			cr_assert_str_eq(mf_buf_str(&all), rows[i].out, "%s:\n%s", rows[i].name,
				mf_buf_str(&all));
			cr_assert_eq(s.size, all.len, "%s", rows[i].name);
		}
		mf_buf_deinit(&all);
		mf_arena_free(a);
	}
}
