/* Replies as scripts and back; scripts of other tools; scripts that are none. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "sieve/sieve.h"

static struct mf_arena *arena;

static void
setup(void)
{
	arena = mf_arena_new();
}

static void
teardown(void)
{
	mf_arena_free(arena);
}

TestSuite(sieve_script, .init = setup, .fini = teardown);

static const char *const own[] = { "anna@example.org", NULL };
static const char *const known[] = { "ben@example.net", NULL };
static const char *const domains[] = { "example.org", NULL };

static struct sieve_script
example(enum mf_oof_state state)
{
	struct sieve_script s = { .include = "my rules" };

	s.oof.state = state;
	if (state == MF_OOF_TIMED) {
		s.oof.start = 1767225600;
		s.oof.end = 1769904000;
	}
	s.oof.reply[0] = (struct mf_oof_reply){ true, false, "I am away.\nSee \"the\" \\ list." };
	s.oof.reply[1] = (struct mf_oof_reply){ true, true, "<p>Grüße</p>" };
	s.oof.reply[2] = (struct mf_oof_reply){ false, false, "not sent" };
	return s;
}

static const char *
write_script(const struct sieve_script *s)
{
	struct mf_oof_user user = { own, known };
	struct sieve_writing how = { &user, domains, 7 };

	return sieve_script_write(arena, s, &how);
}

Test(sieve_script, there_and_back)
{
	for (int state = MF_OOF_OFF; state <= MF_OOF_TIMED; state++) {
		struct sieve_script s = example((enum mf_oof_state)state), back;
		const char *text = write_script(&s);

		cr_assert(sieve_script_unpack(arena, text, &back), "%s", text);
		cr_assert_eq(back.oof.state, s.oof.state);
		cr_assert_eq(back.oof.start, s.oof.start);
		cr_assert_eq(back.oof.end, s.oof.end);
		cr_assert_str_eq(back.include, s.include);
		for (int i = 0; i < MF_OOF_AUDIENCES; i++) {
			cr_assert_eq(back.oof.reply[i].enabled, s.oof.reply[i].enabled);
			cr_assert_eq(back.oof.reply[i].html, s.oof.reply[i].html);
			cr_assert_str_eq(back.oof.reply[i].text, s.oof.reply[i].text);
		}
	}
}

/* Whoever changes the commands is believed, not the comments. */
Test(sieve_script, changed_by_others)
{
	struct sieve_script s = example(MF_OOF_ON), back;
	char *text = mf_strdup(arena, write_script(&s));
	char *at = strstr(text, "I am away");

	cr_assert_not_null(at);
	for (int i = 0; i < 9; i++)
		at[i] = (char)toupper((unsigned char)at[i]);
	cr_assert(!sieve_script_unpack(arena, text, &back));
	cr_assert_eq(sieve_script_read(arena, text, &back), SIEVE_VACATION_ONLY);
	cr_assert_str_eq(back.oof.reply[0].text, "I AM AWAY.\r\nSee \"the\" \\ list.");
	cr_assert_str_eq(back.include, "my rules");
}

Test(sieve_script, other_tools)
{
	static const struct {
		const char *script;
		enum sieve_reading says;
		enum mf_oof_state state;
		const char *text;
		int64_t start, end;
		bool html;
	} cases[] = {
		{ "", SIEVE_NO_VACATION, MF_OOF_OFF, "", 0, 0, false },
		{ "require [\"fileinto\"]; if header :contains \"subject\" \"vacation\" { fileinto "
		  "\"x\"; }",
			SIEVE_NO_VACATION, MF_OOF_OFF, "", 0, 0, false },
		/* A web mail's form. */
		{ "require [\"date\",\"relational\",\"vacation\"];\n# rule:[Vacation]\n"
		  "if allof (currentdate :zone \"+0100\" :value \"ge\" \"date\" \"2026-12-24\", "
		  "currentdate :zone \"+0100\" :value \"le\" \"date\" \"2026-12-26\")\n{\n"
		  "\tvacation :days 1 :addresses [\"a@b\", \"c@d\"] :subject \"Away\" :from "
		  "\"x@y\" "
		  "text:\nBack soon.\n..dot\n.\n;\n}\n",
			SIEVE_VACATION_ONLY, MF_OOF_TIMED, "Back soon.\n.dot\n", 1798070400,
			1798329600, false },
		{ "require \"vacation\"; /* \"not this\"; */ vacation \"I am \\\"away\\\"\";",
			SIEVE_VACATION_ONLY, MF_OOF_ON, "I am \"away\"", 0, 0, false },
		{ "require [\"vacation\",\"fileinto\"]; vacation :days 3 \"Away\"; if true { "
		  "fileinto "
		  "\"x\"; }",
			SIEVE_HAS_VACATION, MF_OOF_ON, "Away", 0, 0, false },
		{ "require \"vacation\"; vacation :mime \"Content-Type: text/html; "
		  "charset=utf-8\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\nPGI+SGk8L2I+\r\n\";",
			SIEVE_VACATION_ONLY, MF_OOF_ON, "<b>Hi</b>", 0, 0, true },
		{ "vacation :addresses \"a@b\" :mime \"Content-Type: text/plain\n\nHi\";",
			SIEVE_VACATION_ONLY, MF_OOF_ON, "Hi", 0, 0, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sieve_script s;

		cr_assert_eq(
			sieve_script_read(arena, cases[i].script, &s), cases[i].says, "%zu", i);
		cr_assert_eq(s.oof.state, cases[i].state, "%zu", i);
		cr_assert_str_eq(s.oof.reply[0].text == NULL ? "" : s.oof.reply[0].text,
			cases[i].text, "%zu", i);
		cr_assert_eq(s.oof.start, cases[i].start, "%zu: %lld", i, (long long)s.oof.start);
		cr_assert_eq(s.oof.end, cases[i].end, "%zu: %lld", i, (long long)s.oof.end);
		cr_assert_eq(s.oof.reply[0].html, cases[i].html, "%zu", i);
	}
}

/* Cut anywhere, and with any byte changed: nothing is read beyond its end. */
Test(sieve_script, damage)
{
	struct sieve_script s = example(MF_OOF_TIMED), back;
	const char *text = write_script(&s);
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		char *bad = mf_strndup(arena, text, i);

		cr_assert(!sieve_script_unpack(arena, bad, &back), "cut at %zu", i);
		sieve_script_read(arena, bad, &back);
		bad = mf_strdup(arena, text);
		bad[i] = bad[i] == '"' ? '\\' : '"';
		sieve_script_unpack(arena, bad, &back);
		sieve_script_read(arena, bad, &back);
		if (i % 50 == 0) {
			teardown();
			setup();
			s = example(MF_OOF_TIMED);
			text = write_script(&s);
		}
	}
}

/* No text ends the string that it stands in. */
Test(sieve_script, injection)
{
	static const char *const texts[] = { "\"; discard; \"", "\\\"; discard; #", "\\",
		"\r\n.\r\n;", "*/ discard; /*", "{5+}\r\n", "\xff\xfe", "#=00" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct sieve_script s = example(MF_OOF_ON), back;
		char *text;

		for (int k = 0; k < MF_OOF_AUDIENCES; k++)
			s.oof.reply[k] = (struct mf_oof_reply){ true, false, texts[i] };
		s.include = sieve_name_ok(texts[i]) ? texts[i] : "other";
		text = mf_strdup(arena, write_script(&s));
		cr_assert(sieve_script_unpack(arena, text, &back), "%zu", i);
		cr_assert_str_eq(back.oof.reply[0].text, texts[i]);
		text = strstr(text, "require");
		cr_assert_eq(sieve_script_read(arena, text, &back), SIEVE_VACATION_ONLY, "%zu: %s",
			i, text);
	}
}

static long
memory_kb(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* A script of nothing but strings takes their size, not its own for each of them. */
Test(sieve_script, many_strings)
{
	static const char *const pieces[] = { "\"\" ", "text:\n.\n" };
	enum { MANY = 10000 };

	for (size_t i = 0; i < 2; i++) {
		struct sieve_script back;
		struct mf_buf b;
		long before;

		mf_buf_init(&b, 0);
		mf_buf_add_str(&b, "keep; ");
		for (size_t k = 0; k < MANY; k++)
			mf_buf_add_str(&b, pieces[i]);
		before = memory_kb();
		cr_assert_eq(sieve_script_read(arena, mf_buf_str(&b), &back), SIEVE_NO_VACATION);
		cr_assert_lt(
			memory_kb() - before, 32 << 10, "%zu: %ld KB", i, memory_kb() - before);
		mf_buf_deinit(&b);
	}
}
