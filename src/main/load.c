/* Finding and loading the configuration. */
#include "main/load.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/builtin.h"
#include "backend/registry.h"
#include "base/log.h"
#include "mailferry/backend.h"

#define USUAL_PATH "/etc/mailferry/mailferry.conf"

static void
set_table(struct conf_table *t, const struct mf_backend_api *api)
{
	*t = (struct conf_table){ .name = api->name, .help = api->help, .rows = api->settings };
}

void
main_tables(struct conf_table out[MAIN_TABLES_MAX])
{
	size_t n = 0;

	for (; backend_builtin[n] != NULL && n < MAIN_TABLES_MAX - 1; n++)
		set_table(&out[n], backend_builtin[n]);
	out[n] = (struct conf_table){ 0 };
}

/* Modules stand in `backends` by their path; others are known already. */
static enum mf_status
add_modules(const char *const *names, struct conf_table *tables, struct mf_error *err)
{
	size_t n = 0;

	while (tables[n].name != NULL)
		n++;
	for (; *names != NULL && n < MAIN_TABLES_MAX - 1; names++) {
		const struct mf_backend_api *api;
		enum mf_status st;

		if ((*names)[0] != '/')
			continue;
		st = backend_find(*names, &api, err);
		if (st != MF_OK)
			return st;
		set_table(&tables[n++], api);
		tables[n] = (struct conf_table){ 0 };
	}
	return MF_OK;
}

const char *
main_config_path(const char *named)
{
	const char *env = conf_environment("MAILFERRY_CONFIG");

	if (named != NULL)
		return named;
	if (env != NULL)
		return env;
	return access(USUAL_PATH, F_OK) == 0 ? USUAL_PATH : NULL;
}

enum mf_status
main_load(const char *path, struct conf **out, struct mf_error *err)
{
	static struct conf_table tables[MAIN_TABLES_MAX]; /* the configuration points into it */
	struct mf_arena *a = mf_arena_new();
	enum mf_status st;

	main_tables(tables);
	st = add_modules(conf_peek_list(path, "backends", a), tables, err);
	mf_arena_free(a);
	return st == MF_OK ? conf_load(path, tables, out, err) : st;
}

/* systemd tells which stream its journal reads, by device and inode. */
static bool
to_journal(void)
{
	const char *stream = conf_environment("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat sb;

	return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &sb) == 0 && sb.st_dev == device && sb.st_ino == inode;
}

void
main_log_apply(const struct mf_conf *top)
{
	const char *stamps = mf_conf_string(top, "log_timestamps");
	enum mf_log_level level = MF_LOG_INFO;

	log_level_parse(mf_conf_string(top, "log_level"), &level);
	log_set_level(level);
	log_set_timestamps(
		strcmp(stamps, "auto") == 0 ? !to_journal() : strcmp(stamps, "yes") == 0);
}
