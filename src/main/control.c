/* The file: a line each, "log_level LEVEL UNTIL" and "trace UNTIL USER". */
#include "main/control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "mailferry/buf.h"
#include "state/state.h"

enum { LINE_MAX_BYTES = 600 };

static const char *const levels[] = { "error", "warning", "info", "debug" };

static const char *
path_of(struct mf_arena *a, const char *directory, const char *more)
{
	return mf_printf(a, "%s/control%s", directory, more);
}

const char *
control_trace_directory(struct mf_arena *a, const char *state_directory)
{
	return mf_printf(a, "%s/trace", state_directory);
}

static void
read_line(struct control *c, struct mf_arena *a, char *line)
{
	char level[20];
	int64_t until;
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "log_level %19s %" SCNd64, level, &until) == 2) {
		c->level_set =
			(until == 0 || until > clock_wall()) && log_level_parse(level, &c->level);
		c->level_until = until;
	} else if (sscanf(line, "trace %" SCNd64 " %n", &until, &at) == 1 && at > 0 &&
		   line[at] != '\0' && until > clock_wall() && c->n < CONTROL_TRACES) {
		c->traces[c->n].user = mf_strdup(a, line + at);
		c->traces[c->n++].until = until;
	}
}

void
control_read(const char *state_directory, struct mf_arena *a, struct control *out)
{
	FILE *f = fopen(path_of(a, state_directory, ""), "re");
	char line[LINE_MAX_BYTES];

	*out = (struct control){ .level = MF_LOG_INFO };
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		read_line(out, a, line);
	if (f != NULL)
		fclose(f);
}

static void
print(struct mf_buf *b, const struct control *c)
{
	if (c->level_set)
		mf_buf_printf(b, "log_level %s %" PRId64 "\n", levels[c->level], c->level_until);
	for (size_t i = 0; i < c->n; i++)
		mf_buf_printf(b, "trace %" PRId64 " %s\n", c->traces[i].until, c->traces[i].user);
}

/* Whole or not at all, and the daemon's to read. */
static enum mf_status
store(const char *directory, const struct control *c, struct mf_arena *a, struct mf_error *err)
{
	const char *fresh = path_of(a, directory, ".new"), *path = path_of(a, directory, "");
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat owner;
	struct mf_buf b;
	bool ok;

	if (fd < 0)
		return mf_fail(err, MF_REFUSED, "%s: %s", fresh, strerror(errno));
	mf_buf_init(&b, 0);
	print(&b, c);
	ok = write(fd, b.len == 0 ? "" : (const char *)b.data, b.len) == (ssize_t)b.len;
	if (geteuid() == 0 && stat(directory, &owner) == 0)
		ok = fchown(fd, owner.st_uid, owner.st_gid) == 0 && ok;
	ok = close(fd) == 0 && ok;
	mf_buf_deinit(&b);
	if (ok && rename(fresh, path) == 0)
		return MF_OK;
	return mf_fail(err, MF_TEMPORARY, "%s: %s", path, strerror(errno));
}

enum mf_status
control_tell(const char *state_directory, const struct control *c, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	pid_t daemon = state_daemon(state_directory);
	enum mf_status st =
		daemon > 0 ? store(state_directory, c, a, err)
			   : mf_fail(err, MF_GONE, "no daemon serves from %s", state_directory);

	mf_arena_free(a);
	if (st == MF_OK && kill(daemon, SIGUSR2) != 0)
		st = mf_fail(err, MF_REFUSED, "the daemon (process %d) cannot be told: %s",
			(int)daemon, strerror(errno));
	return st;
}

void
control_forget(const char *state_directory)
{
	struct mf_arena *a = mf_arena_new();

	unlink(path_of(a, state_directory, ""));
	mf_arena_free(a);
}
