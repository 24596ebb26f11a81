/* Out-of-office replies: mailferry/oof.h's sentences. */
#include "contract.h"

#include <string.h>

#include "mailferry/oof.h"

static enum mf_status
set(struct bench *b, const struct mf_oof *oof)
{
	static const char *const own[] = { "anna@example.org", NULL };
	static const char *const known[] = { "ben@example.net", NULL };
	const struct mf_oof_user user = { own, known };

	return b->api->oof->set(b->s, oof, &user, &b->err);
}

static struct mf_oof
get(struct bench *b)
{
	struct mf_oof oof;

	NEED_OK(b, b->api->oof->get(b->s, b->a, &oof, &b->err));
	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		NEED(b, oof.reply[i].text != NULL, "text %d is never NULL", i);
	return oof;
}

static struct mf_oof
away(const char *text)
{
	struct mf_oof oof = { .state = MF_OOF_ON };

	oof.reply[MF_OOF_INTERNAL] = (struct mf_oof_reply){ true, false, text };
	oof.reply[MF_OOF_KNOWN] = (struct mf_oof_reply){ true, true, "<p>Friends</p>" };
	oof.reply[MF_OOF_UNKNOWN] = (struct mf_oof_reply){ false, false, "kept" };
	return oof;
}

static bool
same(const struct mf_oof *x, const struct mf_oof *y)
{
	bool equal = x->state == y->state && x->start == y->start && x->end == y->end;

	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		equal = equal && x->reply[i].enabled == y->reply[i].enabled &&
			x->reply[i].html == y->reply[i].html &&
			strcmp(x->reply[i].text, y->reply[i].text) == 0;
	return equal;
}

static void
nothing_at_first(struct bench *b)
{
	struct mf_oof oof = get(b);

	CHECK(b, oof.state == MF_OOF_OFF && oof.start == 0 && oof.end == 0, "off");
	for (int i = 0; i < MF_OOF_AUDIENCES; i++)
		CHECK(b, !oof.reply[i].enabled && oof.reply[i].text[0] == '\0', "reply %d", i);
}

static void
there_and_back(struct bench *b)
{
	struct mf_oof oof = away("Away"), back;

	NEED_OK(b, set(b, &oof));
	back = get(b);
	CHECK(b, same(&oof, &back), "on");
	oof.state = MF_OOF_TIMED;
	oof.start = 1767225600;
	oof.end = 1769904000;
	NEED_OK(b, set(b, &oof));
	back = get(b);
	CHECK(b, same(&oof, &back), "for a time");
	oof.state = MF_OOF_OFF;
	oof.start = oof.end = 0;
	NEED_OK(b, set(b, &oof));
	back = get(b);
	CHECK(b, same(&oof, &back), "off, with its texts");
	NEED_OK(b, set(b, &oof));
}

static void
other_sessions_see_it(struct bench *b)
{
	struct mf_oof oof = away("Away"), back;
	struct mf_session *first = b->s;

	NEED_OK(b, set(b, &oof));
	b->s = contract_login(b);
	back = get(b);
	CHECK(b, same(&oof, &back), "from another session");
	b->api->logout(b->s);
	b->s = first;
}

static void
hostile_texts_are_kept(struct bench *b)
{
	static const char *const texts[] = { "\"; discard; \"", "\\", "{10+}\r\nLOGOUT\r\n", ".",
		"line\n.\nline", "#:AAAA", "Grüße\xf0\x9f\x98\x80", "*/" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mf_oof oof = away(texts[i]), back;

		NEED_OK(b, set(b, &oof));
		back = get(b);
		CHECK(b, same(&oof, &back), "text %zu", i);
	}
}

static void
too_long(struct bench *b)
{
	char *text = mf_alloc(b->a, MF_OOF_TEXT_MAX + 2);
	struct mf_oof oof = away("Away"), long_one, back;

	memset(text, 'x', MF_OOF_TEXT_MAX + 1);
	NEED_OK(b, set(b, &oof));
	long_one = away(text);
	STATUS(b, set(b, &long_one), MF_TOO_LARGE);
	back = get(b);
	CHECK(b, same(&oof, &back), "what was set stays");
	text[MF_OOF_TEXT_MAX] = '\0';
	NEED_OK(b, set(b, &long_one));
	back = get(b);
	CHECK(b, same(&long_one, &back), "the longest");
}

const struct contract_case cases_oof[] = {
	{ "nothing-at-first", nothing_at_first, CAN_OOF },
	{ "there-and-back", there_and_back, CAN_OOF },
	{ "other-sessions-see-it", other_sessions_see_it, CAN_OOF },
	{ "hostile-texts-are-kept", hostile_texts_are_kept, CAN_OOF },
	{ "too-long", too_long, CAN_OOF },
	{ .name = NULL },
};
