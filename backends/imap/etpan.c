/* libetpan on a leash: our framing under it, one command a session. Knows libetpan; nothing else here
 * does. */
#include "etpan.h"

#include <libetpan/libetpan.h>
#include <stdlib.h>
#include <string.h>

#include "ahead.h"

/* One command in libetpan's hands. */
struct borrowed {
	struct mf_session *s;
	struct mf_error *err;
	bool greeting;	       /* the greeting is read: whatever it says */
	struct mf_bytes fed;   /* what it may still read of the current answer */
	struct imap_result *r; /* of the command's end */
	bool ended;
	enum mf_status status; /* the first failure of reading or writing */
};

/* ---- The driver under libetpan ---- */

/* Parentheses nest no deeper than `most`: libetpan recurses. */
static bool
shallow(struct mf_bytes raw, unsigned most)
{
	unsigned depth = 0;

	for (size_t i = 0; i < raw.len; i++) {
		if (raw.data[i] == '(' && ++depth > most)
			return false;
		if (raw.data[i] == ')' && depth > 0)
			depth--;
	}
	return true;
}

static void
note_end(struct borrowed *b, struct imap_lex x)
{
	*b->r = (struct imap_result){ .condition = IMAP_BAD };
	imap_lex_atom(&x); /* libetpan's own tag */
	imap_lex_take(&x, ' ');
	if (imap_lex_word(&x, "OK"))
		b->r->condition = IMAP_OK;
	else if (imap_lex_word(&x, "NO"))
		b->r->condition = IMAP_NO;
	else
		imap_lex_word(&x, "BAD");
	imap_parse_code(b->s, x, b->r);
	b->ended = true;
}

/* The next answer that libetpan may see. */
static enum mf_status
next_answer(struct borrowed *b)
{
	for (;;) {
		struct imap_answer a;
		enum mf_status status = imap_read(&b->s->stream, NULL, &a, b->err);

		if (status == MF_OK && a.kind == IMAP_UNTAGGED)
			status = imap_note(b->s, a.lex, b->err);
		if (status != MF_OK)
			return status;
		if (a.cut || !shallow(a.raw, b->s->stream.where->max_depth))
			return imap_fail(b->s, b->err, MF_TEMPORARY, "an answer beyond all limits");
		if (a.kind == IMAP_TAGGED)
			note_end(b, a.lex);
		b->fed = a.raw;
		if (a.kind != IMAP_UNTAGGED || b->greeting)
			return MF_OK;
	}
}

static ssize_t
low_read(mailstream_low *low, void *data, size_t size)
{
	struct borrowed *b = low->data;

	if (b->status == MF_OK && b->fed.len == 0)
		b->status = b->ended ? imap_fail(b->s, b->err, MF_TEMPORARY, "libetpan wants more")
				     : next_answer(b);
	if (b->status != MF_OK)
		return -1;
	if (size > b->fed.len)
		size = b->fed.len;
	memcpy(data, b->fed.data, size);
	b->fed = mf_bytes(b->fed.data + size, b->fed.len - size);
	return (ssize_t)size;
}

static ssize_t
low_write(mailstream_low *low, const void *data, size_t size)
{
	struct borrowed *b = low->data;

	if (b->status == MF_OK)
		b->status = net_stream_write(&b->s->stream, data, size, b->err);
	return b->status == MF_OK ? (ssize_t)size : -1;
}

static int
low_close(mailstream_low *low)
{
	(void)low;
	return 0;
}

static int
low_get_fd(mailstream_low *low)
{
	(void)low;
	return -1;
}

static void
low_free(mailstream_low *low)
{
	free(low);
}

static void
low_cancel(mailstream_low *low)
{
	(void)low;
}

static mailstream_low_driver driver = {
	.mailstream_read = low_read,
	.mailstream_write = low_write,
	.mailstream_close = low_close,
	.mailstream_get_fd = low_get_fd,
	.mailstream_free = low_free,
	.mailstream_cancel = low_cancel,
};

/* ---- Borrowing ---- */

static mailimap *
borrow(struct borrowed *b, struct mf_session *s, struct imap_result *r, struct mf_error *err)
{
	mailimap *imap = mailimap_new(0, NULL);
	mailstream_low *low;

	*b = (struct borrowed){ .s = s, .err = err, .r = r };
	*r = (struct imap_result){ .condition = IMAP_OK };
	low = mailstream_low_new(b, &driver);
	if (imap == NULL || low == NULL || (imap->imap_stream = mailstream_new(low, 4096)) == NULL)
		abort();
	imap->imap_state =
		s->authenticated ? MAILIMAP_STATE_AUTHENTICATED : MAILIMAP_STATE_NON_AUTHENTICATED;
	net_stream_deadline(&s->stream, s->stream.where->command_ms);
	return imap;
}

/* The session is out of step unless libetpan understood all that was said, up to the end. */
static enum mf_status
give_back(struct borrowed *b, mailimap *imap, int result)
{
	bool understood = result != MAILIMAP_ERROR_PARSE && result != MAILIMAP_ERROR_STREAM &&
			  result != MAILIMAP_ERROR_BAD_STATE && b->fed.len == 0 &&
			  (b->ended || b->greeting);

	explicit_bzero(imap->imap_stream->write_buffer, imap->imap_stream->buffer_max_size);
	mailstream_close(imap->imap_stream);
	imap->imap_stream = NULL;
	mailimap_free(imap);
	if (b->status == MF_OK && !understood)
		b->status = imap_fail(b->s, b->err, MF_TEMPORARY, "an answer makes no sense");
	if (b->status != MF_OK)
		b->s->lost = true;
	return b->status;
}

static enum mf_status
usable(struct mf_session *s, struct mf_error *err)
{
	if (s->lost)
		return imap_fail(s, err, MF_TEMPORARY, "the connection is lost");
	return imap_ahead_end(s, err);
}

/* ---- Commands ---- */

enum mf_status
imap_etpan_greeting(struct mf_session *s, struct mf_error *err)
{
	struct imap_result r;
	struct borrowed b;
	mailimap *imap = borrow(&b, s, &r, err);
	mailstream *stream = imap->imap_stream;
	int result;

	b.greeting = true;
	net_stream_deadline(&s->stream, s->stream.where->connect_ms);
	imap->imap_state = MAILIMAP_STATE_DISCONNECTED;
	result = mailimap_connect(imap, stream);
	imap->imap_stream = stream;
	if (b.status == MF_OK && result != MAILIMAP_NO_ERROR_NON_AUTHENTICATED) {
		b.status = imap_fail(s, err, MF_TEMPORARY, "no greeting that asks for a login");
	}
	return give_back(&b, imap, result);
}

enum mf_status
imap_etpan_login(struct mf_session *s, const char *user, const char *password,
	struct imap_result *r, struct mf_error *err)
{
	struct borrowed b;
	mailimap *imap = borrow(&b, s, r, err);
	int result = mailimap_login(imap, user, password);

	return give_back(&b, imap, result);
}

enum mf_status
imap_etpan_folder(struct mf_session *s, enum imap_verb verb, const char *folder,
	struct imap_result *r, struct mf_error *err)
{
	static int (*const calls[])(mailimap *, const char *) = {
		[IMAP_CREATE] = mailimap_create,
		[IMAP_DELETE] = mailimap_delete,
		[IMAP_SUBSCRIBE] = mailimap_subscribe,
		[IMAP_UNSUBSCRIBE] = mailimap_unsubscribe,
	};
	struct borrowed b;
	mailimap *imap;
	enum mf_status status = usable(s, err);

	if (status != MF_OK)
		return status;
	if (strpbrk(folder, "\r\n") != NULL)
		return imap_fail(s, err, MF_INVALID, "a folder's name has line ends");
	imap = borrow(&b, s, r, err);
	return give_back(&b, imap, calls[verb](imap, folder));
}

enum mf_status
imap_etpan_rename(struct mf_session *s, const char *from, const char *to, struct imap_result *r,
	struct mf_error *err)
{
	struct borrowed b;
	mailimap *imap;
	enum mf_status status = usable(s, err);

	if (status != MF_OK)
		return status;
	if (strpbrk(from, "\r\n") != NULL || strpbrk(to, "\r\n") != NULL)
		return imap_fail(s, err, MF_INVALID, "a folder's name has line ends");
	imap = borrow(&b, s, r, err);
	return give_back(&b, imap, mailimap_rename(imap, from, to));
}
