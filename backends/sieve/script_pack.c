/*
 * What is set, packed into comments at the head of the script:
 *
 *	# Out-of-office replies, written by Mailferry. ...
 *	#:BASE64
 *	#=DIGEST of what follows
 *
 * The digest tells whether somebody else has changed what follows: then the comments are history. Pure.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "sieve.h"

enum { LINE_BYTES = 54, DIGEST_TEXT = 65, FORMAT = 1 };
static const int64_t year_10000 = 253402300800;

static const char head[] =
	"# Out-of-office replies, written by Mailferry when a phone sets them. Rules of your\r\n"
	"# own belong into another script: this one includes the one that was active.\r\n";

static void
digest_text(const char *rest, char out[DIGEST_TEXT])
{
	uint8_t digest[32];

	EVP_Digest(rest, strlen(rest), digest, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* ---- Out ---- */

static void
add_text(struct mf_buf *b, const char *text)
{
	mf_buf_printf(b, "%zu:%s", strlen(text), text);
}

static void
add_number(struct mf_buf *b, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	add_text(b, text);
}

static void
add_all(struct mf_buf *b, const struct sieve_script *s)
{
	add_number(b, FORMAT);
	add_number(b, s->oof.state);
	add_number(b, s->oof.start);
	add_number(b, s->oof.end);
	add_text(b, s->include);
	for (int i = 0; i < MF_OOF_AUDIENCES; i++) {
		add_number(b, s->oof.reply[i].enabled);
		add_number(b, s->oof.reply[i].html);
		add_text(b, s->oof.reply[i].text);
	}
}

const char *
sieve_script_pack(struct mf_arena *a, const struct sieve_script *s, const char *rest)
{
	struct mf_buf all, out;
	char digest[DIGEST_TEXT];
	const char *text;

	mf_buf_init(&all, 0);
	mf_buf_init(&out, 0);
	add_all(&all, s);
	mf_buf_add_str(&out, head);
	for (size_t at = 0; at < all.len; at += LINE_BYTES) {
		uint8_t line[80];
		size_t n = all.len - at < LINE_BYTES ? all.len - at : LINE_BYTES;

		EVP_EncodeBlock(line, all.data + at, (int)n);
		mf_buf_printf(&out, "#:%s\r\n", line);
	}
	digest_text(rest, digest);
	mf_buf_printf(&out, "#=%s\r\n", digest);
	text = mf_strdup(a, mf_buf_str(&out));
	mf_buf_deinit(&all);
	mf_buf_deinit(&out);
	return text;
}

/* ---- In ---- */

struct reader {
	struct mf_arena *a;
	const char *at, *end;
	bool failed;
};

static const char *
get_text(struct reader *r, size_t max)
{
	size_t n = 0, digits = 0;
	const char *text;

	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && digits < 8; r->at++, digits++)
		n = n * 10 + (size_t)(*r->at - '0');
	if (r->failed || digits == 0 || r->at == r->end || *r->at != ':' || n > max ||
		n > (size_t)(r->end - r->at - 1)) {
		r->failed = true;
		return "";
	}
	text = mf_strndup(r->a, r->at + 1, n);
	r->at += 1 + n;
	return text;
}

static int64_t
get_number(struct reader *r, int64_t min, int64_t max)
{
	long long n = strtoll(get_text(r, 20), NULL, 10);

	if (n < min || n > max)
		r->failed = true;
	return r->failed ? 0 : n;
}

static bool
read_all(struct reader *r, struct sieve_script *out)
{
	get_number(r, FORMAT, FORMAT);
	out->oof.state = (enum mf_oof_state)get_number(r, MF_OOF_OFF, MF_OOF_TIMED);
	out->oof.start = get_number(r, 0, year_10000 - 1);
	out->oof.end = get_number(r, 0, year_10000 - 1);
	out->include = get_text(r, SIEVE_NAME_MAX);
	for (int i = 0; i < MF_OOF_AUDIENCES; i++) {
		out->oof.reply[i].enabled = get_number(r, 0, 1) != 0;
		out->oof.reply[i].html = get_number(r, 0, 1) != 0;
		out->oof.reply[i].text = get_text(r, MF_OOF_TEXT_MAX);
	}
	return !r->failed && r->at == r->end &&
	       (out->include[0] == '\0' || sieve_name_ok(out->include));
}

/* One "#:" line. */
static bool
decode_line(struct mf_buf *all, const char *line, size_t len)
{
	uint8_t bytes[80];
	int n;

	if (len == 0 || len % 4 != 0 || len > 76)
		return false;
	n = EVP_DecodeBlock(bytes, (const uint8_t *)line, (int)len);
	if (n < 0)
		return false;
	n -= (line[len - 1] == '=') + (line[len - 2] == '=');
	mf_buf_add(all, bytes, (size_t)n);
	return true;
}

bool
sieve_script_unpack(struct mf_arena *a, const char *text, struct sieve_script *out)
{
	struct mf_buf all;
	char digest[DIGEST_TEXT];
	bool good = true, sealed = false;

	memset(out, 0, sizeof(*out));
	mf_buf_init(&all, SIEVE_LITERAL_MAX);
	while (good && !sealed && *text == '#') {
		size_t len = strcspn(text, "\r\n");
		const char *next = text + len;

		next += *next == '\r';
		next += *next == '\n';
		if (text[1] == ':')
			good = decode_line(&all, text + 2, len - 2);
		if (text[1] == '=' && len == 2 + DIGEST_TEXT - 1) {
			digest_text(next, digest);
			sealed = strncmp(digest, text + 2, DIGEST_TEXT - 1) == 0;
			good = sealed;
		}
		text = next;
	}
	good = good && sealed && all.len > 0;
	if (good) {
		struct reader r = { .a = a, .at = (const char *)all.data };

		r.end = r.at + all.len;
		good = read_all(&r, out);
	}
	mf_buf_deinit(&all);
	return good;
}
