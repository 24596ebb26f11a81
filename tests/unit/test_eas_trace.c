/* eas: traces of single users. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "eas/commands.h"
#include "eas/trace.h"
#include "unit/state_help.h"

static struct eas_server server;

static const uint8_t foldersync[] = { 0x03, 0x01, 0x6a, 0x00, 0x00, 0x07, 0x56, 0x52, 0x03, '0',
	0x00, 0x01, 0x01 };

static void
happens(struct eas_trace *t, const char *user, const char *id, struct mf_bytes body)
{
	static const struct eas_header headers[] = { { "Authorization", "Basic c2VjcmV0" },
		{ "X-Note", "a\nb\x01" } };
	struct eas_request r = { .arena = mf_arena_new(),
		.server = &server,
		.id = id,
		.method = "POST",
		.user = user,
		.device_id = "D1",
		.peer = "::1",
		.command = eas_command_find("FolderSync"),
		.version = EAS_14_1,
		.headers = headers,
		.n_headers = 2,
		.body = body,
		.began = clock_ms() };

	r.answer.http_status = 200;
	mf_buf_init(&r.answer.body, 0);
	mf_buf_add(&r.answer.body, foldersync, sizeof(foldersync));
	eas_trace_done(t, &r);
	mf_buf_deinit(&r.answer.body);
	mf_arena_free(r.arena);
}

/* All files of a folder, one behind the other; how many there are. */
static size_t
read_all(const char *folder, char *out, size_t size)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	size_t n = 0, len = 0;

	out[0] = '\0';
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		char path[600];
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		f = fopen(path, "r");
		len += fread(out + len, 1, size - 1 - len, f);
		out[len] = '\0';
		fclose(f);
		n++;
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}

Test(eas_trace, of_one_user)
{
	static char text[100000];
	char *dir = state_help_directory(), folder[100];
	struct eas_trace *t = eas_trace_new(dir);
	struct eas_trace_order orders[] = { { "anna", clock_wall() + 60 },
		{ "../x", clock_wall() + 60 } };
	struct mf_bytes body = mf_bytes(foldersync, sizeof(foldersync));
	struct mf_arena *a = mf_arena_new();

	happens(t, "anna", "r0", body);
	eas_trace_set(t, orders, 2);
	happens(t, "anna", "r1", body);
	happens(t, "ben", "r2", body);
	happens(t, NULL, "r3", body);
	happens(t, "anna", "r4", mf_bytes("rubbish", 7));
	snprintf(folder, sizeof(folder), "%s/anna", dir);
	cr_assert_eq(read_all(folder, text, sizeof(text)), 2);
	cr_assert_not_null(strstr(text, "<SyncKey>0</SyncKey>"), "%s", text);
	cr_assert_not_null(strstr(text, "Authorization: ***\n"), "%s", text);
	cr_assert_null(strstr(text, "c2VjcmV0"), "%s", text);
	cr_assert_not_null(strstr(text, "7 bytes that are not shown"), "%s", text);
	cr_assert_not_null(strstr(text, "< 200"), "%s", text);
	/* one that waited since before has no body any more */
	cr_assert(eas_trace_wants(t, "anna") && !eas_trace_wants(t, "ben"));
	happens(t, "anna", "r7", (struct mf_bytes){ NULL, 35 });
	cr_assert_eq(read_all(folder, text, sizeof(text)), 3);
	cr_assert_not_null(strstr(text, "35 bytes that were not kept"), "%s", text);
	/* a name stays in the folder */
	happens(t, "../x", "r5", body);
	cr_assert_eq(read_all(eas_trace_folder(a, dir, "../x"), text, sizeof(text)), 1);
	cr_assert(strncmp(eas_trace_folder(a, dir, "../x"), dir, strlen(dir)) == 0);
	cr_assert_null(strstr(eas_trace_folder(a, dir, "../x"), "/.."));
	/* for a time, and only so many */
	clock_shift(61);
	happens(t, "anna", "r6", body);
	cr_assert_eq(read_all(folder, text, sizeof(text)), 3);
	clock_shift(-61);
	for (int i = 0; i < EAS_TRACE_FILES + 10; i++) {
		char id[20];

		snprintf(id, sizeof(id), "n%d", i);
		happens(t, "anna", id, body);
	}
	cr_assert_eq(read_all(folder, text, 2), EAS_TRACE_FILES);
	mf_arena_free(a);
	eas_trace_free(t);
	state_help_remove(dir);
}
