/* NAMESPACE (RFC 2342): where folders hang. Knows no folder. */
#include <string.h>

#include "command.h"
#include "list.h"

/* ("INBOX." ".") with extensions behind that nobody needs. */
static struct imap_namespace
read_one(struct mf_session *s, struct imap_lex *x)
{
	struct imap_namespace n = { .prefix = "" };
	struct mf_bytes prefix, delimiter;

	imap_lex_want(x, '(');
	prefix = imap_lex_string(x);
	imap_lex_take(x, ' ');
	delimiter = imap_lex_string(x);
	while (!x->bad && !imap_lex_take(x, ')')) {
		imap_lex_take(x, ' ');
		imap_lex_skip(x);
	}
	if (x->bad || prefix.len > IMAP_NAME_MOST)
		return n;
	if (prefix.len > 0)
		n.prefix = mf_strndup(s->arena, (const char *)prefix.data, prefix.len);
	n.delimiter = delimiter.len == 1 ? (char)delimiter.data[0] : '\0';
	return n;
}

/* One of the three lists: NIL, or namespaces without anything between them. */
static size_t
read_list(struct mf_session *s, struct imap_lex *x, struct imap_namespace *out, size_t most)
{
	size_t n = 0;

	if (!imap_lex_take(x, '(')) {
		imap_lex_skip(x);
		imap_lex_take(x, ' ');
		return 0;
	}
	while (!x->bad && !imap_lex_take(x, ')')) {
		struct imap_namespace one = read_one(s, x);

		if (!x->bad && n < most)
			out[n++] = one;
		imap_lex_take(x, ' ');
	}
	imap_lex_take(x, ' ');
	return n;
}

static enum mf_status
on_answer(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	struct imap_namespaces n = { .known = true, .personal = { .prefix = "" } };

	(void)ctx;
	if (cut || !imap_lex_word(x, "NAMESPACE"))
		return MF_OK;
	read_list(s, x, &n.personal, 1);
	n.n_others = n.n_other_users = read_list(s, x, n.others, IMAP_NAMESPACES_MAX);
	n.n_others += read_list(s, x, n.others + n.n_others, IMAP_NAMESPACES_MAX - n.n_others);
	if (!x->bad)
		s->names = n;
	return MF_OK;
}

enum mf_status
imap_names(struct mf_session *s, struct mf_error *err)
{
	struct imap_result r;

	if (s->names.known)
		return MF_OK;
	s->names = (struct imap_namespaces){ .known = true, .personal = { .prefix = "" } };
	if (!imap_can(s, IMAP_CAP_NAMESPACE))
		return MF_OK;
	/* A server that refuses has folders nonetheless. */
	return imap_run(s, imap_command(s, "NAMESPACE"), on_answer, NULL, &r, err);
}
