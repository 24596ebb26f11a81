/* The only user of zlib. Knows answers as bytes with a type. */
#include "http/gzip.h"

#include <string.h>
#include <zlib.h>

#include "base/str.h"

enum {
	WORTH = 1024,	  /* bytes: less fits into a packet anyway */
	LEVEL = 3,	  /* most of the gain at a fraction of the time */
	GZIP_WINDOW = 31, /* zlib's way of asking for gzip */
};

bool
http_gzip_accepted(const char *accept)
{
	while (accept != NULL && *accept != '\0') {
		accept += strspn(accept, " \t,");
		size_t len = strcspn(accept, ","), name = strcspn(accept, " \t;,");
		const char *q = memchr(accept, '=', len);
		if ((name == 4 && str_ieqn(accept, "gzip", 4)) ||
			(name == 6 && str_ieqn(accept, "x-gzip", 6)))
			return q == NULL || strspn(q + 1, "0. \t") < strcspn(q + 1, ",");
		accept += len;
	}
	return false;
}

static bool
worth_it(const struct eas_request *r)
{
	const struct eas_answer *a = &r->answer;
	return a->http_status == 200 && a->spool == NULL && a->body.len >= WORTH &&
	       a->n_headers < EAS_HEADERS_MAX && a->content_type != NULL &&
	       strcmp(a->content_type, "application/vnd.ms-sync.wbxml") == 0 &&
	       http_gzip_accepted(eas_header(r, "Accept-Encoding"));
}

/* False: it did not fit into nine tenths of the room, or not at all. */
static bool
compress_into(const struct mf_buf *in, struct mf_buf *out)
{
	z_stream z = { 0 };
	size_t room = in->len / 10 * 9;
	uint8_t *to = mf_buf_reserve(out, room);
	if (to == NULL || in->len > UINT32_MAX ||
		deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	z.next_in = in->data;
	z.avail_in = (uInt)in->len;
	z.next_out = to;
	z.avail_out = (uInt)room;
	bool done = deflate(&z, Z_FINISH) == Z_STREAM_END;
	mf_buf_commit(out, room - z.avail_out);
	deflateEnd(&z);
	return done;
}

void
http_gzip(struct eas_request *r)
{
	struct mf_buf smaller;
	if (!worth_it(r))
		return;
	mf_buf_init(&smaller, r->answer.body.max);
	if (compress_into(&r->answer.body, &smaller)) {
		mf_buf_deinit(&r->answer.body);
		r->answer.body = smaller;
		eas_answer_header(r, "Content-Encoding", "gzip");
	} else {
		mf_buf_deinit(&smaller);
	}
}
