/* gzip of answers: who takes it, what it leaves alone, and that nothing is lost. */
#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

#include "http/gzip.h"

Test(http_gzip, accept)
{
	static const struct {
		const char *accept;
		bool taken;
	} cases[] = { { NULL, false }, { "", false }, { "gzip", true }, { "GZIP, deflate", true },
		{ "deflate, gzip;q=0.5", true }, { "gzip;q=0", false }, { "gzip; q=0.000", false },
		{ "br, x-gzip", true }, { "identity", false }, { "gzipped", false },
		{ ",,, ,gzip", true }, { "gzip;q=0, deflate;q=1", false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(http_gzip_accepted(cases[i].accept), cases[i].taken, "%s",
			cases[i].accept == NULL ? "none" : cases[i].accept);
}

static void
request(struct eas_request *r, const char *accept, const char *type, size_t len, bool noise)
{
	static struct eas_header header;
	uint32_t seed = 1;

	memset(r, 0, sizeof(*r));
	header = (struct eas_header){ "accept-encoding", accept };
	r->arena = mf_arena_new();
	r->headers = &header;
	r->n_headers = 1;
	r->answer.http_status = 200;
	r->answer.content_type = type;
	mf_buf_init(&r->answer.body, 0);
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		mf_buf_add_byte(&r->answer.body, noise ? (uint8_t)(seed >> 24) : "mail"[i % 4]);
	}
}

static void
done(struct eas_request *r)
{
	mf_buf_deinit(&r->answer.body);
	mf_arena_free(r->arena);
}

Test(http_gzip, alone)
{
	static const struct {
		const char *name, *accept, *type;
		size_t len;
		bool noise;
	} cases[] = { { "small", "gzip", "application/vnd.ms-sync.wbxml", 500, false },
		{ "not taken", "deflate", "application/vnd.ms-sync.wbxml", 5000, false },
		{ "an attachment", "gzip", "application/zip", 5000, false },
		{ "does not shrink", "gzip", "application/vnd.ms-sync.wbxml", 5000, true } };
	struct eas_request r;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		request(&r, cases[i].accept, cases[i].type, cases[i].len, cases[i].noise);
		http_gzip(&r);
		cr_assert_eq(r.answer.body.len, cases[i].len, "%s", cases[i].name);
		cr_assert_eq(r.answer.n_headers, 0, "%s", cases[i].name);
		done(&r);
	}
}

Test(http_gzip, nothing_is_lost)
{
	enum { LEN = 100000 };
	static uint8_t out[LEN + 1];
	struct eas_request r;
	z_stream z = { 0 };

	request(&r, "gzip", "application/vnd.ms-sync.wbxml", LEN, false);
	http_gzip(&r);
	cr_assert(r.answer.body.len < LEN / 10, "smaller");
	cr_assert_str_eq(r.answer.headers[0].name, "Content-Encoding");
	cr_assert_str_eq(r.answer.headers[0].value, "gzip");
	cr_assert_eq(inflateInit2(&z, 31), Z_OK);
	z.next_in = r.answer.body.data;
	z.avail_in = (uInt)r.answer.body.len;
	z.next_out = out;
	z.avail_out = sizeof(out);
	cr_assert_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	cr_assert_eq(z.total_out, LEN);
	for (size_t i = 0; i < LEN; i++)
		cr_assert_eq(out[i], "mail"[i % 4], "byte %zu", i);
	inflateEnd(&z);
	done(&r);
}
