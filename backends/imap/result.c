/* What status answers mean: response codes, and which mf_status a refusal is. One table. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of enum imap_code; the status of a NO with this code. */
static const struct code_row {
	const char *name;
	enum mf_status status;
} codes[] = {
	[IMAP_CODE_NONE] = { "", MF_REFUSED },
	[IMAP_CODE_OTHER] = { "", MF_REFUSED },
	[IMAP_CODE_ALERT] = { "ALERT", MF_REFUSED },
	[IMAP_CODE_ALREADYEXISTS] = { "ALREADYEXISTS", MF_EXISTS },
	[IMAP_CODE_APPENDUID] = { "APPENDUID", MF_REFUSED },
	[IMAP_CODE_AUTHENTICATIONFAILED] = { "AUTHENTICATIONFAILED", MF_TEMPORARY },
	[IMAP_CODE_AUTHORIZATIONFAILED] = { "AUTHORIZATIONFAILED", MF_REFUSED },
	[IMAP_CODE_BADCHARSET] = { "BADCHARSET", MF_UNSUPPORTED },
	[IMAP_CODE_CANNOT] = { "CANNOT", MF_REFUSED },
	[IMAP_CODE_CAPABILITY] = { "CAPABILITY", MF_REFUSED },
	[IMAP_CODE_CLIENTBUG] = { "CLIENTBUG", MF_BROKEN },
	[IMAP_CODE_CONTACTADMIN] = { "CONTACTADMIN", MF_TEMPORARY },
	[IMAP_CODE_COPYUID] = { "COPYUID", MF_REFUSED },
	[IMAP_CODE_CORRUPTION] = { "CORRUPTION", MF_TEMPORARY },
	[IMAP_CODE_EXPIRED] = { "EXPIRED", MF_REFUSED },
	[IMAP_CODE_EXPUNGEISSUED] = { "EXPUNGEISSUED", MF_GONE },
	[IMAP_CODE_HASCHILDREN] = { "HASCHILDREN", MF_REFUSED },
	[IMAP_CODE_HIGHESTMODSEQ] = { "HIGHESTMODSEQ", MF_REFUSED },
	[IMAP_CODE_INUSE] = { "INUSE", MF_TEMPORARY },
	[IMAP_CODE_LIMIT] = { "LIMIT", MF_REFUSED },
	[IMAP_CODE_NOMODSEQ] = { "NOMODSEQ", MF_REFUSED },
	[IMAP_CODE_NONEXISTENT] = { "NONEXISTENT", MF_GONE },
	[IMAP_CODE_NOPERM] = { "NOPERM", MF_REFUSED },
	[IMAP_CODE_OVERQUOTA] = { "OVERQUOTA", MF_TOO_LARGE },
	[IMAP_CODE_PERMANENTFLAGS] = { "PERMANENTFLAGS", MF_REFUSED },
	[IMAP_CODE_PRIVACYREQUIRED] = { "PRIVACYREQUIRED", MF_REFUSED },
	[IMAP_CODE_READ_ONLY] = { "READ-ONLY", MF_REFUSED },
	[IMAP_CODE_READ_WRITE] = { "READ-WRITE", MF_REFUSED },
	[IMAP_CODE_SERVERBUG] = { "SERVERBUG", MF_TEMPORARY },
	[IMAP_CODE_TOOBIG] = { "TOOBIG", MF_TOO_LARGE },
	[IMAP_CODE_TRYCREATE] = { "TRYCREATE", MF_GONE },
	[IMAP_CODE_UIDNEXT] = { "UIDNEXT", MF_REFUSED },
	[IMAP_CODE_UIDVALIDITY] = { "UIDVALIDITY", MF_REFUSED },
	[IMAP_CODE_UNAVAILABLE] = { "UNAVAILABLE", MF_TEMPORARY },
};

enum mf_status
imap_fail(struct mf_session *s, struct mf_error *err, enum mf_status status, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return mf_fail(err, status, "imap %s:%s: %s", s->b->where.host, s->b->where.port, text);
}

enum mf_status
imap_refused(
	struct mf_session *s, const struct imap_result *r, const char *what, struct mf_error *err)
{
	enum mf_status status = r->condition == IMAP_BAD ? MF_BROKEN : codes[r->code].status;

	return imap_fail(s, err, status, "%s: %s%s%s", what,
		r->condition == IMAP_BAD ? "BAD " : "NO ", codes[r->code].name, r->text);
}

/* ---- Codes ---- */

static enum imap_code
code_named(struct mf_bytes name)
{
	for (size_t i = IMAP_CODE_ALERT; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (imap_bytes_is(name, codes[i].name))
			return (enum imap_code)i;
	return IMAP_CODE_OTHER;
}

static void
note_permanent_flags(struct mf_session *s, struct mf_bytes args)
{
	char *text = malloc(args.len + 3);

	if (text == NULL)
		abort();
	free(s->sel.permanent_flags);
	s->sel.permanent_flags = text;
	*text++ = ' ';
	for (size_t i = 0; i < args.len; i++)
		if (args.data[i] != '(' && args.data[i] != ')')
			*text++ = (char)args.data[i];
	*text++ = ' ';
	*text = '\0';
	s->sel.any_keyword = strstr(s->sel.permanent_flags, " \\* ") != NULL;
}

static uint64_t
number_of(struct mf_bytes args)
{
	struct imap_lex x = imap_lex_over(args);
	uint64_t n = imap_lex_number(&x);

	return x.bad ? 0 : n;
}

static void
note_code(struct mf_session *s, enum imap_code code, struct mf_bytes args)
{
	uint64_t n;

	switch (code) {
	case IMAP_CODE_CAPABILITY:
		imap_session_set_caps(s, args);
		break;
	case IMAP_CODE_PERMANENTFLAGS:
		note_permanent_flags(s, args);
		break;
	case IMAP_CODE_UIDVALIDITY:
	case IMAP_CODE_UIDNEXT:
		n = number_of(args);
		if (n <= UINT32_MAX && code == IMAP_CODE_UIDNEXT)
			s->sel.uidnext = (uint32_t)n;
		else if (n <= UINT32_MAX)
			s->sel.uidvalidity = (uint32_t)n;
		break;
	case IMAP_CODE_HIGHESTMODSEQ:
		s->sel.modseq = number_of(args);
		break;
	case IMAP_CODE_NOMODSEQ:
		s->sel.modseq = 0;
		break;
	case IMAP_CODE_READ_ONLY:
	case IMAP_CODE_READ_WRITE:
		s->sel.read_only = code == IMAP_CODE_READ_ONLY;
		break;
	default:
		break;
	}
}

void
imap_parse_code(struct mf_session *s, struct imap_lex x, struct imap_result *r)
{
	struct mf_bytes rest;

	if (imap_lex_take(&x, '[')) {
		const uint8_t *from;

		r->code = code_named(imap_lex_atom(&x));
		imap_lex_take(&x, ' ');
		from = x.p;
		while (x.p < x.end && *x.p != ']')
			x.p++;
		r->args = mf_bytes(from, (size_t)(x.p - from));
		imap_lex_take(&x, ']');
		if (!x.bad)
			note_code(s, r->code, r->args);
		imap_lex_take(&x, ' ');
	}
	rest = imap_lex_rest(&x);
	snprintf(r->text, sizeof(r->text), "%s%.*s", r->code == IMAP_CODE_NONE ? "" : " ",
		(int)(rest.len < sizeof(r->text) ? rest.len : sizeof(r->text)), rest.data);
}

/* ---- Untagged answers that concern the session ---- */

static void
note_vanished(struct mf_session *s, struct imap_lex x)
{
	struct mf_bytes set;
	struct mf_idset gone;
	uint64_t n;

	if (imap_lex_peek(&x, '('))
		return; /* (EARLIER): they are not counted in EXISTS any more */
	set = imap_lex_atom(&x);
	mf_idset_init(&gone);
	if (mf_idset_parse(&gone, (const char *)set.data, set.len, SIZE_MAX)) {
		n = mf_idset_count(&gone);
		s->sel.exists = n < s->sel.exists ? s->sel.exists - (uint32_t)n : 0;
	}
	mf_idset_deinit(&gone);
}

static void
note_number(struct mf_session *s, struct imap_lex x)
{
	uint64_t n = imap_lex_number(&x);

	imap_lex_take(&x, ' ');
	if (imap_lex_word(&x, "EXISTS") && n <= UINT32_MAX)
		s->sel.exists = (uint32_t)n;
	else if (imap_lex_word(&x, "EXPUNGE") && s->sel.exists > 0)
		s->sel.exists--;
}

enum mf_status
imap_note(struct mf_session *s, struct imap_lex x, struct mf_error *err)
{
	struct imap_result r = { .condition = IMAP_OK };

	if (x.p < x.end && *x.p >= '0' && *x.p <= '9') {
		note_number(s, x);
	} else if (imap_lex_word(&x, "OK") || imap_lex_word(&x, "NO") || imap_lex_word(&x, "BAD")) {
		imap_parse_code(s, x, &r);
	} else if (imap_lex_word(&x, "VANISHED")) {
		note_vanished(s, x);
	} else if (imap_lex_word(&x, "CAPABILITY")) {
		imap_session_set_caps(s, imap_lex_rest(&x));
	} else if (imap_lex_word(&x, "ENABLED")) {
		for (; !x.bad && !imap_lex_end(&x); imap_lex_take(&x, ' '))
			s->qresync = imap_bytes_is(imap_lex_atom(&x), "QRESYNC") || s->qresync;
	} else if (imap_lex_word(&x, "BYE")) {
		imap_parse_code(s, x, &r);
		s->lost = true;
		return imap_fail(s, err, MF_TEMPORARY, "BYE %s", r.text);
	}
	return MF_OK;
}
