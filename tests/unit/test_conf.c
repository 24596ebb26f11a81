/* The configuration: what loads, what stops the start and with which words, what overrides it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/builtin.h"
#include "base/log.h"
#include "conf/conf.h"
#include "mailferry/backend.h"

/* libconfuse forgets the lexer's buffer of a text that it refuses. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:cfg_yy_create_buffer\n";
}

static const char *const colours[] = { "red", "green", NULL };

static const struct mf_setting rows[] = {
	{ "url", MF_SETTING_STRING, NULL, 0, 0, NULL, "Where." },
	{ "password", MF_SETTING_SECRET, "", 0, 0, NULL, "Which." },
	{ "timeout", MF_SETTING_DURATION, "30s", 1, 3600, NULL, "How long." },
	{ "size", MF_SETTING_SIZE, "1M", 1024, 1 << 30, NULL, "How large." },
	{ "colour", MF_SETTING_CHOICE, "red", 0, 0, colours, "How." },
	{ "names", MF_SETTING_LIST, "{\"a\", \"b\"}", 0, 0, NULL, "Who." },
	{ "verify", MF_SETTING_BOOL, "yes", 0, 0, NULL, "Whether." },
	{ "patience", MF_SETTING_RENAMED, "timeout", 0, 0, NULL, "" },
	{ "people", MF_SETTING_RENAMED, "names", 0, 0, NULL, "" },
	{ 0 },
};
static const struct conf_table tables[] = {
	{ .name = "imap", .help = "The server.", .rows = rows },
	{ .name = "bare", .help = "Nothing to set." },
	{ 0 },
};

static const char base[] = "imap { url = \"imaps://x\" }\n";

static struct conf *
load(const char *text)
{
	struct mf_error err = { 0 };
	struct conf *c = NULL;

	cr_assert_eq(conf_parse(text, tables, &c, &err), MF_OK, "%s: %s", text, err.text);
	return c;
}

Test(conf, defaults_and_types)
{
	struct conf *c = load(base);
	const struct mf_conf *top = conf_top(c), *imap = conf_section(c, "imap");

	cr_assert_eq(mf_conf_number(top, "workers"), 16);
	cr_assert_eq(mf_conf_number(top, "body_limit"), 64 << 20);
	cr_assert_str_eq(mf_conf_list(top, "listen")[0], "127.0.0.1:8080");
	cr_assert_null(mf_conf_list(top, "listen")[1]);
	cr_assert_null(mf_conf_list(top, "listen_tls")[0]);
	cr_assert_str_eq(mf_conf_string(imap, "url"), "imaps://x");
	cr_assert_str_eq(mf_conf_list(imap, "names")[1], "b");
	cr_assert_eq(mf_conf_number(imap, "timeout"), 30);
	cr_assert(mf_conf_bool(imap, "verify"));
	cr_assert_not_null(conf_section(c, "bare"));
	cr_assert_null(conf_section(c, "none"));
	cr_assert_null(conf_section(c, ""));
	conf_free(c);
}

Test(conf, values)
{
	struct conf *c =
		load("# a comment\nworkers = 3\nlisten = {\"a:1\", \"[::]:2\", unix:/x}\n"
		     "listen_tls = {}\nlog_level = DEBUG\n"
		     "imap {\n url = \"a b\"\n timeout = 2m # two\n size = 256k\n"
		     " colour = green\n names = {}\n verify = off\n password = 's#{\"'\n}\n");
	const struct mf_conf *top = conf_top(c), *imap = conf_section(c, "imap");

	cr_assert_eq(mf_conf_number(top, "workers"), 3);
	cr_assert_str_eq(mf_conf_list(top, "listen")[2], "unix:/x");
	cr_assert_null(mf_conf_list(top, "listen")[3]);
	cr_assert_str_eq(mf_conf_string(top, "log_level"), "debug");
	cr_assert_eq(mf_conf_number(imap, "timeout"), 120);
	cr_assert_eq(mf_conf_number(imap, "size"), 262144);
	cr_assert_str_eq(mf_conf_string(imap, "colour"), "green");
	cr_assert_null(mf_conf_list(imap, "names")[0]);
	cr_assert_not(mf_conf_bool(imap, "verify"));
	cr_assert_str_eq(mf_conf_string(imap, "password"), "s#{\"");
	conf_free(c);
}

Test(conf, refused)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "listne = {}", ":1: no such option 'listne'" },
		{ "\n\nimap { urk = 1 }", ":3: no such option 'urk'" },
		{ "workers = 0", ":1: workers must be 1 to 4096" },
		{ "workers = 4097", "must be 1 to 4096" },
		{ "workers = many", "must be a whole number" },
		{ "workers = -1", "must be a whole number" },
		{ "workers = ''", "must be a whole number" },
		{ "workers = 99999999999999999999999", "must be a whole number" },
		{ "body_limit = 64X", "must be a number of bytes" },
		{ "body_limit = 9223372036854775807G", "must be a number of bytes" },
		{ "body_limit = 4G", "must be 64k to 2G" },
		{ "idle_timeout = 90", "must be a number with s, m, h or d" },
		{ "idle_timeout = 2h", "must be 1s to 1h" },
		{ "idle_timeout = 1h30m", "must be a number with" },
		{ "log_level = loud", "must be one of: error, warning, info, debug" },
		{ "strip_domain = perhaps", "must be yes or no" },
		{ "workers = 1\nworkers = 2", ":2: workers is set a second time" },
		{ "listen = {a}\nlisten = {b}", ":2: listen is set a second time" },
		{ "workers = {1, 2}", ":1: " },
		{ "workers", ":1: " },
		{ "listen = {\"a", "" },
		{ "imap { url = \"x\" password = \"</no/such\" }",
			"password cannot read /no/such: No such file" },
		{ "include(\"/no/such\")", "cannot include /no/such" },
		{ "include(\"/tmp\")", "cannot include /tmp" },
		{ "include()", "include takes one file" },
		{ "", "imap: url must be set" },
		{ "\xff\xfe = \x01", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mf_error err = { 0 };
		struct conf *c = NULL;

		cr_assert_eq(conf_parse(cases[i].text, tables, &c, &err), MF_INVALID, "taken: %s",
			cases[i].text);
		cr_assert_null(c);
		cr_assert_not_null(
			strstr(err.text, cases[i].why), "%s: got \"%s\"", cases[i].text, err.text);
	}
}

Test(conf, required_only_where_used)
{
	struct mf_error err = { 0 };
	struct conf *c = load("backends = {\"bare\"}");

	conf_free(c);
	cr_assert_eq(conf_parse("backends = {\"bare\", \"imap\"}", tables, &c, &err), MF_INVALID);
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

Test(conf, files)
{
	char dir[] = "/tmp/mailferry-conf-XXXXXX", path[200], secret[300];
	struct mf_error err = { 0 };
	struct conf *c = NULL;

	cr_assert_not_null(mkdtemp(dir));
	write_file(dir, "secret", "correct horse\n");
	snprintf(secret, sizeof(secret), "imap { url = u\n password = \"<%s/secret\" }\n", dir);
	write_file(dir, "part.conf", secret);
	write_file(dir, "main.conf", "workers = 5\ninclude(\"part.conf\")\nqueue_limit = 7\n");
	snprintf(path, sizeof(path), "%s/main.conf", dir);
	cr_assert_eq(conf_load(path, tables, &c, &err), MF_OK, "%s", err.text);
	cr_assert_str_eq(mf_conf_string(conf_section(c, "imap"), "password"), "correct horse");
	cr_assert_eq(mf_conf_number(conf_top(c), "queue_limit"), 7);
	conf_free(c);

	write_file(dir, "part.conf", "\nbad = 1\n");
	cr_assert_eq(conf_load(path, tables, &c, &err), MF_INVALID);
	cr_assert_not_null(strstr(err.text, "part.conf:2: no such option 'bad'"), "%s", err.text);
	write_file(dir, "part.conf", "include(\"part.conf\")\n");
	cr_assert_eq(conf_load(path, tables, &c, &err), MF_INVALID, "an endless include");
	cr_assert_eq(conf_load(dir, tables, &c, &err), MF_INVALID);
	cr_assert_not_null(strstr(err.text, "is a directory"), "%s", err.text);
	cr_assert_eq(conf_load("/no/such", tables, &c, &err), MF_INVALID);
	cr_assert_not_null(strstr(err.text, "/no/such: No such file"), "%s", err.text);
}

Test(conf, environment)
{
	struct mf_error err = { 0 };
	struct conf *c = NULL;

	setenv("MAILFERRY_LISTEN", "0.0.0.0:80, [::]:80", 1);
	setenv("MAILFERRY_IMAP_URL", "imaps://env", 1);
	setenv("MAILFERRY_IMAP_NAMES", "{\"x\"}", 1);
	setenv("MAILFERRY_PORT", "tcp://10.0.0.1:80", 1); /* of no row: told, not fatal */
	cr_assert_eq(conf_load(NULL, tables, &c, &err), MF_OK, "%s", err.text);
	cr_assert_str_eq(mf_conf_list(conf_top(c), "listen")[1], "[::]:80");
	cr_assert_str_eq(mf_conf_string(conf_section(c, "imap"), "url"), "imaps://env");
	cr_assert_str_eq(mf_conf_list(conf_section(c, "imap"), "names")[0], "x");
	conf_free(c);
	setenv("MAILFERRY_IMAP_TIMEOUT", "soon", 1);
	cr_assert_eq(conf_load(NULL, tables, &c, &err), MF_INVALID);
	cr_assert_not_null(strstr(err.text, "MAILFERRY_IMAP_TIMEOUT must be"), "%s", err.text);
}

/* Takes away the # before settings; required ones have no default and keep the empty string. */
static char *
uncomment(const char *text, char *to)
{
	char *p = to;

	while (*text != '\0') {
		if (*text == '#' && text[1] != ' ')
			text++;
		*p++ = *text++;
	}
	*p = '\0';
	return to;
}

/* conf/mailferry.conf is what the tables say, and each of its lines loads. */
Test(conf, shipped_file)
{
	struct conf_table all[64] = { 0 };
	static char have[65536], open[65536];
	struct mf_error err = { 0 };
	struct conf *c = NULL;
	struct mf_buf want;
	size_t n;
	FILE *f;

	for (size_t i = 0; backend_builtin[i] != NULL; i++)
		all[i] = (struct conf_table){ .name = backend_builtin[i]->name,
			.help = backend_builtin[i]->help,
			.rows = backend_builtin[i]->settings };
	mf_buf_init(&want, sizeof(have) - 1);
	conf_print_defaults(&want, all);
	f = fopen(TEST_SOURCE "/conf/mailferry.conf", "r");
	cr_assert_not_null(f);
	n = fread(have, 1, sizeof(have) - 1, f);
	fclose(f);
	have[n] = '\0';
	cr_assert_str_eq(have, mf_buf_str(&want),
		"conf/mailferry.conf is stale: mailferry check --defaults > conf/mailferry.conf");
	mf_buf_deinit(&want);
	uncomment(have, open);
	cr_assert_eq(conf_parse(open, all, &c, &err), MF_OK, "%s", err.text);
	conf_free(c);
}

/* A setting that got another name is taken by its former one, and the log says so, once. */
Test(conf, former_names)
{
	static const struct {
		const char *text, *environment;
		int64_t timeout;
		const char *name; /* the first of names */
		const char *warned;
	} cases[] = {
		{ "timeout = 5s", NULL, 5, "a", "" },
		{ "patience = 7s", NULL, 7, "a",
			"setting=imap.patience why=\"it is called timeout now" },
		{ "people = {\"x\", \"y\", \"z\"}", NULL, 30, "x", "setting=imap.people" },
		{ "people = {}", NULL, 30, NULL, "setting=imap.people" },
		{ "", "9s", 9, "a", "setting=imap.patience" },
	};
	char path[] = "/tmp/mailferry-conf-XXXXXX", log[] = "/tmp/mailferry-log-XXXXXX";
	int fd = mkstemp(path), log_file = mkstemp(log);
	struct mf_error err = { 0 };
	struct conf *c;

	log_set_fd(log_file);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[300], said[2000] = "", *first;

		snprintf(text, sizeof(text), "imap { url = \"x\"\n %s }\n", cases[i].text);
		cr_assert_eq(ftruncate(fd, 0), 0);
		cr_assert_eq(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
		cr_assert_eq(ftruncate(log_file, 0), 0);
		lseek(log_file, 0, SEEK_SET);
		if (cases[i].environment != NULL)
			setenv("MAILFERRY_IMAP_PATIENCE", cases[i].environment, 1);
		cr_assert_eq(conf_load(path, tables, &c, &err), MF_OK, "%s: %s", text, err.text);
		cr_assert_eq(mf_conf_number(conf_section(c, "imap"), "timeout"), cases[i].timeout,
			"%s", text);
		if (cases[i].name == NULL)
			cr_assert_null(mf_conf_list(conf_section(c, "imap"), "names")[0]);
		else
			cr_assert_str_eq(
				mf_conf_list(conf_section(c, "imap"), "names")[0], cases[i].name);
		conf_free(c);
		cr_assert_geq(pread(log_file, said, sizeof(said) - 1, 0), 0);
		first = strstr(said, "setting=");
		cr_assert_eq(first != NULL, cases[i].warned[0] != '\0', "%s: %s", text, said);
		if (first != NULL) {
			cr_assert_not_null(strstr(said, cases[i].warned), "%s", said);
			cr_assert_null(strstr(first + 1, "setting="), "twice: %s", said);
		}
	}
	unsetenv("MAILFERRY_IMAP_PATIENCE");
	cr_assert_eq(
		conf_parse("imap { url = \"x\"\n patience = 1s\n timeout = 2s }", tables, &c, &err),
		MF_INVALID);
	cr_assert_not_null(strstr(err.text, "second time"), "%s", err.text);
	log_set_fd(2);
	unlink(path);
	unlink(log);
}

/* An error's line is the file's, whatever comments stand before it. */
Test(conf, lines_are_true)
{
	static const struct {
		const char *text;
		unsigned line;
	} cases[] = {
		{ "lisen = 1\n", 1 },
		{ "# a\n# b\n\nlisen = 1\n", 4 },
		{ "#x = \"1\n# it's\nlisen = 1\n", 3 },
		{ "workers = 2 # two\nlisen = 1\n", 2 },
		{ "public_url = \"https://x/#y\"\nlisen = 1\n", 2 },
		{ "public_url = 'a\"#'\n# b\nlisen = 1\n", 3 },
		{ "/* # \" */\n# b\nlisen = 1\n", 3 },
		{ "imap {\n\t# a\n\turl = \"x\"\n}\nlisen = 1\n", 5 },
	};
	char path[] = "/tmp/mailferry-conf-XXXXXX", where[200];
	int fd = mkstemp(path);
	struct mf_error err = { 0 };
	struct conf *c;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(ftruncate(fd, 0), 0);
		cr_assert_eq(pwrite(fd, cases[i].text, strlen(cases[i].text), 0),
			(ssize_t)strlen(cases[i].text));
		cr_assert_eq(conf_load(path, tables, &c, &err), MF_INVALID);
		snprintf(where, sizeof(where), "%s:%u: no such option", path, cases[i].line);
		cr_assert_not_null(strstr(err.text, where), "%s", err.text);
	}
	unlink(path);
}
