/*
 * What mime costs a message: the header mapped and the plain body rendered at 5,120 bytes, as a first
 * Sync does. Prints one line a figure. Arguments: files or folders; none: tests/data/messages.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "mime/body.h"
#include "mime/mime.h"
#include "mime/structure.h"

enum { FILES_MAX = 20000, FILE_MAX = 1 << 20, TRUNCATION = 5120 };

struct sample {
	struct mf_bytes raw;
	struct mime_message message; /* parsed beforehand: a backend tells the structure */
};

static struct sample samples[FILES_MAX];
static size_t n_samples;

static void
read_file(struct mf_arena *a, const char *path)
{
	static char data[FILE_MAX];
	FILE *f = fopen(path, "rb");
	struct sample *s = &samples[n_samples];
	size_t n;

	if (f == NULL || n_samples == FILES_MAX)
		exit(1);
	n = fread(data, 1, sizeof(data), f);
	fclose(f);
	s->raw = mf_memdup(a, data, n);
	if (mime_message_parse(a, s->raw, &s->message, NULL) == MF_OK)
		n_samples++;
}

static void
read_path(struct mf_arena *a, const char *path)
{
	struct stat st;
	struct dirent **names;
	int n;

	if (stat(path, &st) != 0)
		exit(1);
	if (!S_ISDIR(st.st_mode)) {
		read_file(a, path);
		return;
	}
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			read_path(a, mf_printf(a, "%s/%s", path, names[i]->d_name));
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static size_t
map_header(struct mf_arena *a, const struct sample *s, struct mime_structure *structure)
{
	static const char *const lists[] = { "From", "To", "Cc", "Reply-To" };
	struct mime_header h;
	struct mime_addresses l;
	const char *subject;
	int64_t date = 0;
	size_t n = 0;

	mime_header_parse(a, mf_bytes(s->raw.data, s->message.header.size), &h);
	mime_structure_read(a, s->message.root, &h, structure);
	subject = mime_header_text(a, &h, "Subject", structure->charset);
	n += subject == NULL ? 0 : strlen(mime_subject_topic(subject));
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		mime_header_addresses(a, &h, lists[i], structure->charset, &l);
		n += strlen(mime_addresses_full(a, &l, 32768));
		if (i == 1)
			n += strlen(mime_addresses_display(a, &l, 32768));
	}
	mime_header_date(&h, "Date", &date);
	return n + (size_t)mime_header_importance(&h);
}

static size_t
render(struct mf_arena *a, const struct sample *s, const struct mime_text *t,
	enum mime_format format)
{
	struct mime_piece pieces[MIME_TEXTS_MAX];
	struct mime_body body;

	for (size_t i = 0; i < t->n; i++) {
		struct mf_bytes data = mime_message_part(&s->message, t->parts[i]);
		uint64_t need = mime_body_fetch_size(t->parts[i], format, TRUNCATION);
		bool cut = need > 0 && need < data.len;

		pieces[i] = (struct mime_piece){ t->parts[i],
			mf_bytes(data.data, cut ? (size_t)need : data.len), cut };
	}
	mime_body_render(a, pieces, t->n, format, TRUNCATION, &body);
	return body.len;
}

enum what { HEADER, PLAIN, HTML, PARSE };

static void
measure(const char *name, enum what what, bool only_plain)
{
	enum { ROUNDS = 5 };
	clock_t best = 0;
	size_t n = 0, bytes = 0;

	for (int round = 0; round < ROUNDS; round++) {
		clock_t begin = clock();

		n = bytes = 0;
		for (size_t i = 0; i < n_samples; i++) {
			struct mf_arena *a = mf_arena_new();
			struct mime_structure s;
			struct mime_message m;

			bytes += what == PARSE ? 0 : map_header(a, &samples[i], &s);
			if (what == PARSE)
				mime_message_parse(a, samples[i].raw, &m, NULL);
			if (only_plain && s.native != MIME_NATIVE_PLAIN) {
				mf_arena_free(a);
				continue;
			}
			if (what == PLAIN)
				bytes += render(a, &samples[i], &s.plain, MIME_PLAIN);
			else if (what == HTML)
				bytes += render(a, &samples[i], &s.html, MIME_HTML);
			mf_arena_free(a);
			n++;
		}
		if (round == 0 || clock() - begin < best)
			best = clock() - begin;
	}
	printf("%-40s %8.2f us/message (%zu messages, %zu bytes out)\n", name,
		(double)best * 1e6 / CLOCKS_PER_SEC / (double)(n == 0 ? 1 : n), n, bytes);
}

int
main(int argc, char **argv)
{
	struct mf_arena *a = mf_arena_new();

	mime_init();
	for (int i = 1; i < argc; i++)
		read_path(a, argv[i]);
	if (argc == 1)
		read_path(a, TEST_DATA "/messages");
	measure("header and structure", HEADER, false);
	measure("header and plain body", PLAIN, false);
	measure("header and plain body, of plain mail", PLAIN, true);
	measure("header and HTML body", HTML, false);
	measure("whole message parsed", PARSE, false);
	mf_arena_free(a);
	mime_deinit();
	return 0;
}
