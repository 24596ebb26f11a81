/*
 * A script that a server gives us, be it the user's, another tool's or one that somebody has changed. Whatever could be read of it
 * can be written as ours, comes back from that as it was, and is found in its commands by those who do not know the comments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sieve/sieve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool held, const char *what)
{
	if (held)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void
same_replies(const struct mf_oof *x, const struct mf_oof *y)
{
	require(x->state == y->state && x->start == y->start && x->end == y->end, "the same times");
	for (int i = 0; i < MF_OOF_AUDIENCES; i++) {
		require(x->reply[i].enabled == y->reply[i].enabled &&
				x->reply[i].html == y->reply[i].html,
			"the same reply");
		require(strcmp(x->reply[i].text, y->reply[i].text) == 0, "the same text");
	}
}

static void
check(struct mf_arena *a, const struct sieve_script *s)
{
	static const char *const own[] = { "anna@example.org", NULL },
				 *const known[] = { "ben@example.net", NULL },
				 *const domains[] = { "example.org", NULL };
	static const struct mf_oof_user user = { own, known };
	static const struct sieve_writing how = { &user, domains, 7 };
	struct sieve_script back, read;
	bool sent = false;
	const char *text;

	for (int i = 0; i < MF_OOF_AUDIENCES; i++) {
		require(strlen(s->oof.reply[i].text) <= MF_OOF_TEXT_MAX, "a bounded text");
		sent = sent || (s->oof.reply[i].enabled && s->oof.reply[i].text[0] != '\0');
	}
	require(strlen(s->include) <= SIEVE_NAME_MAX, "a bounded name");
	text = sieve_script_write(a, s, &how);
	require(sieve_script_unpack(a, text, &back), "what is written can be read");
	same_replies(&s->oof, &back.oof);
	require(strcmp(s->include, back.include) == 0, "the same script included");
	require(sieve_script_read(a, text, &read) == (sent && s->oof.state != MF_OOF_OFF
								     ? SIEVE_VACATION_ONLY
								     : SIEVE_NO_VACATION),
		"others see whether there is a reply");
	require(strcmp(s->include, read.include) == 0, "others see the script included");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_arena *a = mf_arena_new();
	char *text = mf_strndup(a, (const char *)data, size);
	struct sieve_script s;

	sieve_script_read(a, text, &s);
	check(a, &s);
	if (sieve_script_unpack(a, text, &s))
		check(a, &s);
	mf_arena_free(a);
	return 0;
}
