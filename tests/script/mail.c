/* What happens to the mail behind the gateway's back. */
#include "player.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "mailferry/directory.h"

static const struct {
	const char *name;
	uint32_t flag;
} flag_words[] = {
	{ "seen", MF_FLAG_SEEN },
	{ "flagged", MF_FLAG_FLAGGED },
	{ "answered", MF_FLAG_ANSWERED },
	{ "forwarded", MF_FLAG_FORWARDED },
	{ "draft", MF_FLAG_DRAFT },
	{ "deleted", MF_FLAG_DELETED },
};

static uint32_t
flag_word(struct player *p, const char *word, size_t n)
{
	for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++)
		if (strlen(flag_words[i].name) == n && strncmp(flag_words[i].name, word, n) == 0)
			return flag_words[i].flag;
	(void)p;
	return 0;
}

uint32_t
mail_flags(struct player *p, const char *words)
{
	uint32_t flags = 0;

	while (*words != '\0') {
		size_t n = strcspn(words, ",");
		uint32_t flag = flag_word(p, words, n);

		if (flag == 0)
			script_broken(p, "no such flag: %s", words);
		flags |= flag;
		words += n + (words[n] == ',');
	}
	return flags;
}

/* "-3d", "-12h", "-5m", "2024-02-05T10:11:12Z" */
static int64_t
read_date(struct player *p, const char *word)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	struct tm tm = { .tm_isdst = 0 };
	size_t n = strlen(word);

	for (size_t i = 0; word[0] == '-' && i < sizeof(units) / sizeof(units[0]); i++)
		if (word[n - 1] == units[i].unit)
			return clock_wall() -
			       (int64_t)script_number(p, mf_strndup(p->arena, word + 1, n - 2)) *
				       units[i].seconds;
	if (strptime(word, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		script_broken(p, "no date: %s", word);
	return timegm(&tm);
}

struct delivery {
	const char *folder, *user, *file, *as;
	uint32_t flags;
	int64_t date;
	uint64_t times;
};

static struct delivery
read_delivery(struct player *p, const char *rest)
{
	struct delivery d = { .folder = script_word(p, &rest), .user = p->phone.user, .times = 1 };

	while (*rest != '\0') {
		const char *word = script_word(p, &rest);

		if (strcmp(word, "file") == 0)
			d.file = script_word(p, &rest);
		else if (strcmp(word, "user") == 0)
			d.user = script_word(p, &rest);
		else if (strcmp(word, "as") == 0)
			d.as = script_word(p, &rest);
		else if (strcmp(word, "flags") == 0)
			d.flags = mail_flags(p, script_word(p, &rest));
		else if (strcmp(word, "date") == 0)
			d.date = read_date(p, script_word(p, &rest));
		else if (strcmp(word, "times") == 0)
			d.times = script_number(p, script_word(p, &rest));
		else
			script_broken(p, "deliver: %s", word);
	}
	return d;
}

/* %n in a message is the number of its repetition. */
static const char *
numbered(struct player *p, const char *text, uint64_t number)
{
	const char *at = strstr(text, "%n");

	if (at == NULL)
		return text;
	return mf_printf(p->arena, "%.*s%llu%s", (int)(at - text), text, (unsigned long long)number,
		numbered(p, at + 2, number));
}

/* deliver FOLDER [file F] [user U] [flags a,b] [date D] [times N] [as NAME]: a message from tests/data,
 * or the lines below; NAME is set to its id at the mail server. */
static void
step_deliver(struct player *p, const char *rest, const char *block)
{
	struct delivery d = read_delivery(p, rest);
	uint64_t id = 0;

	if (d.file == NULL && block[0] == '\0')
		script_broken(p, "deliver what?");
	for (uint64_t i = 1; i <= d.times; i++)
		id = d.file != NULL ? memory_add_file(p->world, d.user, d.folder,
					      mf_printf(p->arena, "%s/%s", TEST_DATA, d.file),
					      d.flags, d.date)
				    : memory_add(p->world, d.user, d.folder,
					      mf_bytes_str(numbered(p, block, i)), d.flags, d.date);
	if (id == 0)
		script_broken(p, "cannot read %s", d.file);
	if (d.as != NULL)
		script_set(p, d.as, mf_printf(p->arena, "%llu", (unsigned long long)id));
}

/* flag FOLDER ID +seen -flagged +Keyword */
static void
step_flag(struct player *p, const char *rest, const char *block)
{
	const char *folder = script_word(p, &rest);
	uint64_t id = script_number(p, script_word(p, &rest));

	(void)block;
	while (*rest != '\0') {
		const char *word = script_word(p, &rest), *name = word + 1;
		uint32_t flag = flag_word(p, name, strlen(name));

		if (*word != '+' && *word != '-')
			script_broken(p, "+ or - before %s", word);
		if (!memory_flag(p->world, p->phone.user, folder, id, *word == '+' ? flag : 0,
			    *word == '-' ? flag : 0, flag == 0 ? name : NULL))
			script_broken(p, "no such item");
	}
}

/* expunge FOLDER ID... */
static void
step_expunge(struct player *p, const char *rest, const char *block)
{
	const char *folder = script_word(p, &rest);

	(void)block;
	while (*rest != '\0')
		if (!memory_expunge(p->world, p->phone.user, folder,
			    script_number(p, script_word(p, &rest))))
			script_broken(p, "no such item");
}

/* damage FOLDER ID WHY */
static void
step_damage(struct player *p, const char *rest, const char *block)
{
	const char *folder = script_word(p, &rest);
	uint64_t id = script_number(p, script_word(p, &rest));

	(void)block;
	if (!memory_damage(p->world, p->phone.user, folder, id, rest))
		script_broken(p, "no such item");
}

/* epoch FOLDER: its UIDVALIDITY changes. */
static void
step_epoch(struct player *p, const char *rest, const char *block)
{
	(void)block;
	memory_new_epoch(p->world, p->phone.user, rest);
}

/* folder PATH [as all|important]; nofolder PATH */
static void
step_folder(struct player *p, const char *rest, const char *block)
{
	const char *as = strstr(rest, " as ");

	(void)block;
	if (as == NULL)
		memory_folder(p->world, p->phone.user, rest);
	else
		memory_folder_as(p->world, p->phone.user,
			mf_strndup(p->arena, rest, (size_t)(as - rest)),
			strcmp(as + 4, "all") == 0 ? MF_ROLE_ALL : MF_ROLE_IMPORTANT);
}

static void
step_nofolder(struct player *p, const char *rest, const char *block)
{
	(void)block;
	memory_folder_drop(p->world, p->phone.user, rest);
}

/* renamefolder PATH NEWNAME: at the top, by another client. */
static void
step_renamefolder(struct player *p, const char *rest, const char *block)
{
	struct mf_login who = { .user = p->phone.user, .password = p->phone.password };
	const char *from = script_word(p, &rest), *id;
	struct mf_backend *b = memory_open("script");
	struct mf_session *s;
	struct mf_error err;

	(void)block;
	if (mf_backend_memory.login(b, &who, &s, &err) != MF_OK)
		script_broken(p, "%s", err.text);
	if (mf_backend_memory.store->folder_rename(s, from, NULL, rest, p->arena, &id, &err) !=
		MF_OK)
		script_broken(p, "%s", err.text);
	mf_backend_memory.logout(s);
	mf_backend_memory.close(b);
}

/* account USER PASSWORD: makes it, or changes its password. */
static void
step_account(struct player *p, const char *rest, const char *block)
{
	const char *user = script_word(p, &rest);

	(void)block;
	memory_user(p->world, user, rest);
}

/* limit BYTES: the largest message that the mail server takes. */
static void
step_limit(struct player *p, const char *rest, const char *block)
{
	(void)block;
	memory_limit(p->world, script_number(p, rest));
}

static const char *const person_words[MF_PERSON_TEXTS] = { "name", "address", "alias", "first",
	"last", "phone", "home", "mobile", "office", "title", "company" };

/* A file of tests/data, for as long as the script. */
static struct mf_bytes
data_file(struct player *p, const char *name)
{
	struct mf_bytes out;
	FILE *f = fopen(mf_printf(p->arena, "%s/%s", TEST_DATA, name), "rb");
	char *data = mf_alloc(p->arena, 1 << 20);

	if (f == NULL)
		script_broken(p, "no such file: %s", name);
	out = mf_bytes(data, fread(data, 1, 1 << 20, f));
	fclose(f);
	return out;
}

/* person ID [group] [name N] [address A] ... [photo FILE] [certificate FILE]: in the directory, which
 * there is from then on. */
static void
step_person(struct player *p, const char *rest, const char *block)
{
	struct mf_person who = { .id = script_word(p, &rest) };
	struct mf_bytes certificate;

	(void)block;
	while (*rest != '\0') {
		const char *word = script_word(p, &rest);
		size_t t = 0;

		while (t < MF_PERSON_TEXTS && strcmp(person_words[t], word) != 0)
			t++;
		if (t < MF_PERSON_TEXTS) {
			who.text[t] = script_word(p, &rest);
		} else if (strcmp(word, "group") == 0) {
			who.group = true;
		} else if (strcmp(word, "photo") == 0) {
			who.photo = data_file(p, script_word(p, &rest));
		} else if (strcmp(word, "certificate") == 0) {
			certificate = data_file(p, script_word(p, &rest));
			who.certificates = &certificate;
			who.n_certificates = 1;
		} else {
			script_broken(p, "what of a person: %s", word);
		}
	}
	memory_person(p->world, &who);
}

/* member GROUP ID: belongs to it. */
static void
step_member(struct player *p, const char *rest, const char *block)
{
	const char *group = script_word(p, &rest);

	(void)block;
	if (!memory_member(p->world, group, rest))
		script_broken(p, "no group %s", group);
}

/* oof on, off: whether the mail server has out-of-office replies. */
static void
step_oof(struct player *p, const char *rest, const char *block)
{
	(void)block;
	memory_oof(p->world, strcmp(rest, "on") == 0);
}

const struct script_step mail_steps[] = {
	{ "oof", step_oof },
	{ "person", step_person },
	{ "member", step_member },
	{ "deliver", step_deliver },
	{ "flag", step_flag },
	{ "expunge", step_expunge },
	{ "damage", step_damage },
	{ "epoch", step_epoch },
	{ "folder", step_folder },
	{ "nofolder", step_nofolder },
	{ "renamefolder", step_renamefolder },
	{ "account", step_account },
	{ "limit", step_limit },
	{ NULL, NULL },
};
