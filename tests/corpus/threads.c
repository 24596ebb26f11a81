/*
 * Conversations of real mail, compared with a threader of its own: read with nothing but strchr, joined by
 * walking a table until nothing changes. Every message is in the right set whatever the order, and after the
 * state is lost; the index of a message begins with that of the one that it answers (in 99 of 100).
 * Usage: corpus_threads DIRECTORY
 */
#include <ctype.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mime/mime.h"
#include "state/conversation.h"
#include "state/user.h"

enum { MAIL_MAX = 10000, REFS_MAX = 60, HEADER_MAX = 64 << 10 };

struct mail {
	char *header;
	char *id;	      /* "" without one */
	char *refs[REFS_MAX]; /* oldest first */
	int n_refs;
	char *outlook; /* most of the GUID of its Thread-Index; NULL without one */
	int set;
};

static struct mail mail[MAIL_MAX];
static int n_mail;
static char directory[] = "/tmp/mailferry-threads-XXXXXX";
static int failures, misplaced;

static void
complain(const char *what, int i)
{
	if (++failures < 20)
		printf("%s: message %d <%s>\n", what, i, mail[i].id);
}

/* ---- Reading, independently ---- */

/* A field's value, unfolded; "" when there is none. */
static char *
field(const char *header, const char *name)
{
	size_t len = strlen(name);
	char *value = calloc(1, HEADER_MAX), *to = value;
	const char *line = header;

	while (line != NULL && (strncasecmp(line, name, len) != 0 || line[len] != ':')) {
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	for (line = line == NULL ? "" : line + len + 1; *line != '\0'; line++) {
		if (*line == '\n' && line[1] != ' ' && line[1] != '\t')
			break;
		if (*line != '\r' && *line != '\n')
			*to++ = *line;
	}
	while (to > value && isspace((unsigned char)to[-1]))
		*--to = '\0';
	return value;
}

/* The next <id>, without blanks inside; *at moves behind it. */
static char *
next_id(const char **at)
{
	const char *begin = strchr(*at, '<'), *end = begin == NULL ? NULL : strchr(begin, '>');
	char *id, *to;

	if (end == NULL)
		return NULL;
	for (const char *again;
		(again = memchr(begin + 1, '<', (size_t)(end - begin - 1))) != NULL;)
		begin = again;
	id = to = calloc(1, (size_t)(end - begin));
	for (const char *p = begin + 1; p < end; p++)
		if (!isspace((unsigned char)*p))
			*to++ = *p;
	*at = end + 1;
	return id;
}

static void
add_ref(struct mail *m, char *id)
{
	for (int i = 0; i < m->n_refs; i++)
		if (strcmp(m->refs[i], id) == 0)
			return;
	if (m->n_refs < REFS_MAX && id[0] != '\0' && strcmp(id, m->id) != 0)
		m->refs[m->n_refs++] = id;
}

static void
read_threading(struct mail *m)
{
	const char *own = field(m->header, "Message-ID"), *refs = field(m->header, "References"),
		   *reply = field(m->header, "In-Reply-To");
	bool odd = strchr(own, '<') != strrchr(own, '<');
	char *id = next_id(&own), *index;

	m->id = id == NULL || odd ? strdup("") : id;
	index = field(m->header, "Thread-Index");
	if (strlen(index) >= 30)
		m->outlook = strndup(index + 8, 20); /* bytes 6 to 20 */
	while ((id = next_id(&refs)) != NULL)
		add_ref(m, id);
	while (isspace((unsigned char)*reply))
		reply++;
	if (m->n_refs == 0 && *reply == '<' && strchr(reply + 1, '<') == NULL &&
		reply[strlen(reply) - 1] == '>')
		add_ref(m, next_id(&reply));
}

static int
take_file(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	char *text;
	char *end;
	FILE *f;
	size_t len;

	(void)sb;
	(void)ftw;
	if (type != FTW_F || strstr(path, ".txt") == NULL || n_mail == MAIL_MAX)
		return 0;
	f = fopen(path, "r");
	text = calloc(1, HEADER_MAX + 1);
	len = fread(text, 1, HEADER_MAX, f);
	fclose(f);
	if (memchr(text, '\0', len) != NULL)
		return 0;
	if (strncmp(text, "From ", 5) == 0)
		memmove(text, strchr(text, '\n') + 1, strlen(strchr(text, '\n')));
	end = strstr(text, "\n\n");
	if (end != NULL)
		end[1] = '\0';
	mail[n_mail].header = text;
	read_threading(&mail[n_mail]);
	/* Without an id that everybody reads alike there is nothing to compare. */
	if (mail[n_mail].id[0] != '\0' && strpbrk(mail[n_mail].id, "<\"") == NULL &&
		strchr(mail[n_mail].id, '@') != NULL)
		n_mail++;
	return 0;
}

/* ---- Joining, independently: a table of names, the smaller number wins until nothing changes ---- */

struct name {
	const char *id;
	int set;
};

static struct name names[MAIL_MAX * 8];
static int n_names;

static int
by_id(const void *x, const void *y)
{
	return strcmp(((const struct name *)x)->id, ((const struct name *)y)->id);
}

static struct name *
name_of(const char *id)
{
	struct name key = { .id = id };

	return bsearch(&key, names, (size_t)n_names, sizeof(*names), by_id);
}

static void
collect_names(void)
{
	int unique = 0;

	for (int i = 0; i < n_mail; i++) {
		names[n_names++].id = mail[i].id;
		if (mail[i].outlook != NULL)
			names[n_names++].id = mail[i].outlook;
		for (int j = 0; j < mail[i].n_refs && n_names < MAIL_MAX * 8 - 1; j++)
			names[n_names++].id = mail[i].refs[j];
	}
	qsort(names, (size_t)n_names, sizeof(*names), by_id);
	for (int i = 0; i < n_names; i++)
		if (i == 0 || strcmp(names[i].id, names[unique - 1].id) != 0)
			names[unique++] = names[i];
	n_names = unique;
	for (int i = 0; i < n_names; i++)
		names[i].set = i;
}

static bool
lower(struct name *n, int *least)
{
	if (n->set < *least)
		*least = n->set;
	return n->set != *least;
}

static void
join(void)
{
	for (bool again = true; again;) {
		again = false;
		for (int i = 0; i < n_mail; i++) {
			int least = name_of(mail[i].id)->set;
			struct name *outlook =
				mail[i].outlook == NULL ? NULL : name_of(mail[i].outlook);

			if (outlook != NULL)
				lower(outlook, &least);
			for (int j = 0; j < mail[i].n_refs; j++)
				lower(name_of(mail[i].refs[j]), &least);
			again = again || lower(name_of(mail[i].id), &least);
			name_of(mail[i].id)->set = least;
			if (outlook != NULL)
				outlook->set = least;
			for (int j = 0; j < mail[i].n_refs; j++) {
				again = again || lower(name_of(mail[i].refs[j]), &least);
				name_of(mail[i].refs[j])->set = least;
			}
		}
	}
	for (int i = 0; i < n_mail; i++)
		mail[i].set = name_of(mail[i].id)->set;
}

/* ---- The index under test ---- */

static void
facts(struct mf_arena *a, int i, struct conversation_facts *f)
{
	struct mime_header h;

	mime_header_parse(a, mf_bytes_str(mail[i].header), &h);
	conversation_facts_read(a, &h, "", 0, f);
}

static void
build(struct state *st, uint32_t user, const int *order)
{
	for (int at = 0; at < n_mail; at += STATE_CONVERSATION_BATCH) {
		struct mf_arena *a = mf_arena_new();
		struct state_conversation_item items[STATE_CONVERSATION_BATCH];
		struct conversation_facts *f =
			mf_new_array(a, struct conversation_facts, STATE_CONVERSATION_BATCH);
		size_t n = 0;

		for (; n < STATE_CONVERSATION_BATCH && at + (int)n < n_mail; n++) {
			facts(a, order[at + (int)n], &f[n]);
			items[n] = (struct state_conversation_item){ .id = (uint64_t)at + n + 1,
				.facts = &f[n] };
		}
		if (state_conversation_add(st, user, 1, items, n, NULL, NULL) != MF_OK)
			abort();
		mf_arena_free(a);
	}
}

/* Each independent set is one set of the index, and the other way round. */
static void
compare_sets(struct state *st, uint32_t user)
{
	struct conversation_id *ids = calloc((size_t)n_mail, sizeof(*ids));
	uint32_t *sets = calloc((size_t)n_mail, sizeof(*sets));
	uint32_t *of_set = calloc((size_t)n_names, sizeof(*of_set));
	int *back = calloc((size_t)n_mail * 8 + 2, sizeof(*back));

	for (int i = 0; i < n_mail; i++)
		ids[i] = conversation_id_of_message(mail[i].id);
	if (state_conversation_sets(st, user, ids, (size_t)n_mail, sets, NULL) != MF_OK)
		abort();
	for (int i = 0; i < n_mail; i++) {
		if (sets[i] == 0 || sets[i] > (uint32_t)n_mail * 8)
			complain("not in the index", i);
		else if (of_set[mail[i].set] == 0 && back[sets[i]] == 0) {
			of_set[mail[i].set] = sets[i];
			back[sets[i]] = mail[i].set + 1;
		} else if (of_set[mail[i].set] != sets[i] || back[sets[i]] != mail[i].set + 1) {
			complain("in another set", i);
		}
	}
	free(ids);
	free(sets);
	free(of_set);
	free(back);
}

static struct state_conversation_shown *
show_all(struct state *st, uint32_t user)
{
	struct state_conversation_shown *shown = calloc((size_t)n_mail, sizeof(*shown));

	for (int i = 0; i < n_mail; i++) {
		struct mf_arena *a = mf_arena_new();
		struct conversation_facts f;

		facts(a, i, &f);
		if (state_conversation_show(st, user, &f, &shown[i], NULL) != MF_OK)
			abort();
		mf_arena_free(a);
	}
	return shown;
}

static int
find_mail(const char *id)
{
	int found = -1;

	for (int i = 0; i < n_mail; i++)
		if (strcmp(mail[i].id, id) == 0) {
			if (found >= 0)
				return -1; /* two of that id */
			found = i;
		}
	return found;
}

static int
compare_trees(const struct state_conversation_shown *shown)
{
	int answers = 0;

	for (int i = 0; i < n_mail; i++) {
		int parent = mail[i].n_refs == 0 ? -1 : find_mail(mail[i].refs[mail[i].n_refs - 1]);

		if (parent < 0 || mail[i].outlook != NULL || mail[i].n_refs == REFS_MAX)
			continue;
		answers++;
		if (shown[i].index.len != shown[parent].index.len + 5 ||
			memcmp(shown[i].index.bytes, shown[parent].index.bytes,
				shown[parent].index.len) != 0)
			misplaced++;
	}
	return answers;
}

static struct state *
open_at(const char *name)
{
	char path[100];
	struct state_options o = { .directory = path };
	struct state *st;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (state_open(&o, &st, NULL) != MF_OK)
		abort();
	return st;
}

static struct state_conversation_shown *
run(const char *name, const int *order)
{
	struct state_conversation_shown *shown;
	struct state *st = open_at(name);
	uint32_t user;

	if (state_user_number(st, STATE_SYNC, "anna", &user, NULL) != MF_OK)
		abort();
	build(st, user, order);
	compare_sets(st, user);
	shown = show_all(st, user);
	state_close(st);
	return shown;
}

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
main(int argc, char **argv)
{
	static int order[MAIL_MAX];
	struct state_conversation_shown *first, *second;
	int sets = 0, answers;

	mime_init();
	if (argc != 2 || nftw(argv[1], take_file, 16, FTW_PHYS) != 0 || n_mail == 0 ||
		mkdtemp(directory) == NULL) {
		fprintf(stderr, "corpus_threads: no messages\n");
		return 1;
	}
	collect_names();
	join();
	for (int i = 0; i < n_names; i++)
		for (int j = 0; j < n_mail; j++)
			if (mail[j].set == i) {
				sets++;
				break;
			}
	for (int i = 0; i < n_mail; i++)
		order[i] = i;
	first = run("one", order);
	answers = compare_trees(first);
	srand(7);
	for (int i = n_mail - 1; i > 0; i--) {
		int j = rand() % (i + 1), x = order[i];

		order[i] = order[j];
		order[j] = x;
	}
	second = run("two", order);
	for (int i = 0; i < n_mail; i++)
		if (!conversation_id_same(&first[i].id, &second[i].id) ||
			first[i].index.len != second[i].index.len ||
			memcmp(first[i].index.bytes, second[i].index.bytes, first[i].index.len) !=
				0)
			complain("differs in another order", i);
	printf("%d messages, %d conversations, %d answers: %d not below what they answer, "
	       "%d other differences\n",
		n_mail, sets, answers, misplaced, failures);
	free(first);
	free(second);
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	/* Mail exists whose References contradict one another: there is no right tree then. */
	return failures == 0 && misplaced <= answers / 100 ? 0 : 1;
}
