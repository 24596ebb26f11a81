/*
 * New mail taken into the index of conversations, against reading the same threading headers from the server and
 * throwing them away.
 *
 *	bench_index [COUNT]	messages (10000)
 *
 * Prints one line a figure. Only ratios within one run mean anything.
 */
#include <ftw.h>
#include <stdlib.h>

#include "base/clock.h"
#include "imap_help.h"
#include "mime/mime.h"
#include "raw.h"
#include "state/user.h"
#include "sync/conversations.h"

enum { RUNS = 5, DEPTH = 12 };

static const char headers[] =
	"d UID FETCH 1:* (UID INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID REFERENCES "
	"IN-REPLY-TO THREAD-INDEX DATE FROM SUBJECT)])\r\n";

static void
must(enum mf_status st, const struct mf_error *err)
{
	if (st != MF_OK)
		fixture_die("bench_index: %s", err->text);
}

/* Threads of up to DEPTH messages, each naming all before it. */
static void
fill(const struct dovecot *d, const char *user, unsigned count)
{
	struct imap_talk *t = imap_talk_open(d, user);
	struct mf_buf b;

	mf_buf_init(&b, 0);
	for (unsigned i = 0; i < count; i++) {
		unsigned first = i - i % (1 + i / DEPTH % DEPTH);

		mf_buf_clear(&b);
		mf_buf_printf(&b,
			"Received: from a.example (a.example [192.0.2.1]) by b.example\r\n"
			"From: Somebody <a%u@example.test>\r\nTo: anna@example.test\r\n"
			"Subject: message %u about this and that\r\n"
			"Date: Mon, 1 Jan 2024 10:%02u:00 +0000\r\n"
			"Message-ID: <%u.message@mail.example.test>\r\n",
			i % 97, i, i % 60, i);
		for (unsigned k = first; k < i; k++)
			mf_buf_printf(&b, "%s<%u.message@mail.example.test>",
				k == first ? "References: " : "\r\n ", k);
		mf_buf_add_str(&b, "\r\n\r\nText.\r\n");
		imap_talk_append(t, "INBOX", "", NULL, (const char *)b.data, b.len);
	}
	mf_buf_deinit(&b);
	imap_talk_close(t);
}

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* ---- The index, from nothing ---- */

struct world {
	char directory[64];
	struct state *state;
	struct state_folders folders;
	struct sync_mailbox mailbox;
	struct mf_arena *a;
};

static void
open_world(struct world *w, struct imap_world *imap, const char *user)
{
	static const struct mf_folder inbox = {
		.id = "INBOX", .name = "Inbox", .role = MF_ROLE_INBOX, .identity = ""
	};
	struct state_options o = { .directory = w->directory };
	struct mf_error err = { .text = "" };

	strcpy(w->directory, "./bench-index-XXXXXX");
	if (mkdtemp(w->directory) == NULL)
		fixture_die("no directory");
	w->a = mf_arena_new();
	must(state_open(&o, &w->state, &err), &err);
	w->mailbox = (struct sync_mailbox){ .state = w->state,
		.name = user,
		.store = "imap",
		.api = mf_backend_imap.store,
		.session = imap->session,
		.folders = &w->folders };
	must(state_user_number(w->state, STATE_SYNC, user, &w->mailbox.user, &err), &err);
	must(state_folders_reconcile(
		     w->state, w->mailbox.user, "imap", &inbox, 1, w->a, &w->folders, &err),
		&err);
}

static void
close_world(struct world *w)
{
	state_close(w->state);
	mf_arena_free(w->a);
	nftw(w->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* One look; the messages taken in. */
static size_t
look(struct world *w, double *seconds)
{
	struct sync_conversations_done done;
	struct mf_error err = { .text = "" };
	double start = now();

	w->mailbox.until = clock_ms() + 600000;
	must(sync_conversations_tend(&w->mailbox, &done, &err), &err);
	*seconds = now() - start;
	if (!done.complete)
		fixture_die("the index is not complete");
	return done.indexed;
}

int
main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 10000;
	const char *user = "bench";
	struct dovecot d;
	struct imap_world imap;
	double read = 1e9, index = 1e9, idle = 1e9;
	char settings[300];

	mime_init();
	dovecot_start(&d, "--format sdbox");
	fill(&d, user, count);
	snprintf(settings, sizeof(settings), "url = \"%s\"\n", dovecot_url(&d, false));
	must(imap_world_open(&imap, settings), &imap.err);
	must(imap_world_login(&imap, user, "secret-bench"), &imap.err);
	for (int i = 0; i < RUNS; i++) {
		double seconds = raw(&d, user, headers, "\nd OK");
		struct world w;

		read = seconds < read ? seconds : read;
		open_world(&w, &imap, user);
		if (look(&w, &seconds) != count)
			fixture_die("not all messages were taken in");
		index = seconds < index ? seconds : index;
		look(&w, &seconds);
		idle = seconds < idle ? seconds : idle;
		close_world(&w);
	}
	printf("index: messages %u s %.3f raw s %.3f ratio %.2f\n", count, index, read,
		index / read);
	printf("index: nothing new ms %.3f\n", idle * 1e3);
	imap_world_close(&imap);
	dovecot_end(&d);
	return 0;
}
