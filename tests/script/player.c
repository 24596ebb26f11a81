/* Reads a script line by line and runs its steps. `player [-v] FILE.eas` */
#include "player.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "mime/mime.h"

static const struct script_step *const tables[] = { phone_steps, mail_steps, server_steps,
	expect_steps };

enum { FILE_MAX = 1 << 20, DEPTH_MAX = 5 };

/* ---- Failing ---- */

static void tell(struct player *p, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void
tell(struct player *p, const char *fmt, va_list ap)
{
	printf("%s:%u: ", p->file, p->line);
	vprintf(fmt, ap);
	printf("\n");
}

void
script_broken(struct player *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(p, fmt, ap);
	va_end(ap);
	exit(2);
}

static void
show_answer(struct player *p)
{
	struct mf_buf xml;

	if (p->current == NULL)
		return;
	printf("    http %u", p->current->request.answer.http_status);
	if (p->current->waiting)
		printf(", waiting");
	printf("\n");
	mf_buf_init(&xml, 0);
	wbxml_dump(p->current->answer, false, &xml);
	printf("%.6000s%s\n", mf_buf_str(&xml), xml.len > 6000 ? "..." : "");
	mf_buf_deinit(&xml);
}

void
script_failed(struct player *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(p, fmt, ap);
	va_end(ap);
	if (p->failures++ == 0)
		show_answer(p);
}

/* ---- Words and variables ---- */

void
script_set(struct player *p, const char *name, const char *value)
{
	struct variable *v = mf_new(p->arena, struct variable);

	v->name = mf_strdup(p->arena, name[0] == '$' ? name + 1 : name);
	v->value = mf_strdup(p->arena, value);
	v->next = p->variables;
	p->variables = v;
}

static const char *
lookup(struct player *p, const char *name)
{
	for (const struct variable *v = p->variables; v != NULL; v = v->next)
		if (strcmp(v->name, name) == 0)
			return v->value;
	script_broken(p, "no variable $%s", name);
}

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* $name becomes its value, $$ a dollar. */
static const char *
substitute(struct player *p, const char *text)
{
	struct mf_buf out;
	const char *result;

	mf_buf_init(&out, 0);
	while (*text != '\0') {
		size_t n = 0;

		if (*text != '$') {
			mf_buf_add_byte(&out, (uint8_t)*text++);
			continue;
		}
		text++;
		while (is_name(text[n]))
			n++;
		mf_buf_add_str(&out, n == 0 ? "$" : lookup(p, mf_strndup(p->arena, text, n)));
		text += n == 0 && *text == '$' ? 1 : n;
	}
	result = mf_strndup(p->arena, mf_buf_str(&out), out.len);
	mf_buf_deinit(&out);
	return result;
}

const char *
script_word(struct player *p, const char **rest)
{
	const char *at = *rest + strspn(*rest, " "), *word;
	size_t n;

	if (*at == '"') {
		n = strcspn(at + 1, "\"");
		word = mf_strndup(p->arena, at + 1, n);
		at += n + (at[n + 1] == '"' ? 2 : 1);
	} else {
		n = strcspn(at, " ");
		word = mf_strndup(p->arena, at, n);
		at += n;
	}
	*rest = at + strspn(at, " ");
	return word;
}

uint64_t
script_number(struct player *p, const char *word)
{
	uint64_t n;

	if (!str_to_u64(word, UINT64_MAX, &n))
		script_broken(p, "not a number: \"%s\"", word);
	return n;
}

/* ---- Lines ---- */

struct lines {
	char *at;
	unsigned number;
};

static char *
next_line(struct lines *l)
{
	char *line = l->at, *end;

	if (*line == '\0')
		return NULL;
	end = line + strcspn(line, "\n");
	l->at = *end == '\0' ? end : end + 1;
	*end = '\0';
	l->number++;
	return line;
}

/* An empty line belongs to a block when an indented one follows. */
static bool
block_goes_on(const char *at)
{
	at += strspn(at, "\n");
	return *at == '\t';
}

/* The lines below that begin with a tab, without it. */
static const char *
read_block(struct player *p, struct lines *l)
{
	struct mf_buf out;
	const char *block;

	mf_buf_init(&out, 0);
	while (block_goes_on(l->at)) {
		const char *line = next_line(l);

		mf_buf_printf(&out, "%s\n", line[0] == '\t' ? line + 1 : line);
	}
	block = mf_strndup(p->arena, mf_buf_str(&out), out.len);
	mf_buf_deinit(&out);
	return block;
}

static const struct script_step *
find_step(struct player *p, const char *name)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct script_step *s = tables[t]; s->name != NULL; s++)
			if (strcmp(s->name, name) == 0)
				return s;
	script_broken(p, "no such step: %s", name);
}

static char *
read_file(struct player *p, const char *path)
{
	char *text = mf_alloc(p->arena, FILE_MAX + 1);
	FILE *in = fopen(path, "rb");

	if (in == NULL)
		script_broken(p, "cannot read %s", path);
	text[fread(text, 1, FILE_MAX, in)] = '\0';
	fclose(in);
	return text;
}

static void play_file(struct player *p, const char *path, unsigned depth);

/* A file beside this one. */
static void
include(struct player *p, const char *name, unsigned depth)
{
	const char *file = p->file, *slash = strrchr(file, '/');
	unsigned line = p->line;

	if (depth == DEPTH_MAX)
		script_broken(p, "included too deeply");
	play_file(p,
		slash == NULL ? name
			      : mf_printf(p->arena, "%.*s/%s", (int)(slash - file), file, name),
		depth + 1);
	p->file = file;
	p->line = line;
}

static void
play_line(struct player *p, const char *line, struct lines *l, unsigned depth)
{
	const char *rest, *name;

	rest = line + strspn(line, " ");
	if (*rest == '\0' || *rest == '#')
		return;
	if (*line == '\t')
		script_broken(p, "an indented line that belongs to nothing");
	rest = substitute(p, rest);
	name = script_word(p, &rest);
	if (strcmp(name, "include") == 0)
		include(p, rest, depth);
	else
		find_step(p, name)->run(p, rest, substitute(p, read_block(p, l)));
}

static void
play_file(struct player *p, const char *path, unsigned depth)
{
	struct lines l = { .at = read_file(p, path) };
	const char *line;

	p->file = path;
	while ((line = next_line(&l)) != NULL && p->failures < 10) {
		p->line = l.number;
		if (p->trace)
			printf("%s:%u: %s\n", path, p->line, line);
		play_line(p, line, &l, depth);
	}
}

/* ---- The program ---- */

static void
remove_directory(const char *path)
{
	char command[200];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	if (system(command) != 0)
		fprintf(stderr, "%s is left behind\n", path);
}

static void
init(struct player *p)
{
	p->arena = mf_arena_new();
	p->phone = (struct phone){
		.user = "anna",
		.password = "secret",
		.device = "PHONE1",
		.type = "Script",
		.version = "14.1",
		.agent = "Script/1.0",
	};
	p->settings = "";
	strcpy(p->directory, "/tmp/mailferry-script-XXXXXX");
	if (mkdtemp(p->directory) == NULL)
		script_broken(p, "no temporary directory");
	p->world = memory_hold("script");
	memory_user(p->world, "anna", "secret");
	memory_user(p->world, "ben", "secret");
	server_start(p);
}

static void
deinit(struct player *p)
{
	server_stop(p);
	memory_release(p->world);
	remove_directory(p->directory);
	mf_arena_free(p->arena);
}

int
main(int argc, char **argv)
{
	struct player p = { .file = "player" };
	int at = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_set_level(MF_LOG_WARNING);
	if (at < argc && strcmp(argv[at], "-v") == 0) {
		p.trace = true;
		log_set_level(MF_LOG_DEBUG);
		at++;
	}
	if (at + 1 != argc) {
		fprintf(stderr, "usage: player [-v] FILE.eas\n");
		return 64;
	}
	mime_init();
	init(&p);
	play_file(&p, argv[at], 0);
	deinit(&p);
	mime_deinit();
	if (p.failures > 0)
		printf("%s: %u expectations failed\n", argv[at], p.failures);
	return p.failures > 0;
}
