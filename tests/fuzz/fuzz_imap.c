/*
 * An IMAP server that says anything: the first byte chooses the call, the rest is what the server has
 * said when it hung up. The backend's calls run over it in earnest, parsers and all.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "imap/ahead.h"
#include "imap/session.h"
#include "imap/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum mf_status
on_folder(void *ctx, const struct mf_folder *f)
{
	*(size_t *)ctx += strlen(f->id) + strlen(f->name) + strlen(f->identity);
	return MF_OK;
}

static enum mf_status
on_event(void *ctx, const struct mf_event *e)
{
	for (size_t i = 0; e->kind != MF_EVENT_GONE && i < e->n_keywords; i++)
		*(size_t *)ctx += strlen(e->keywords[i]);
	return MF_OK;
}

static size_t
weigh(const struct mf_part *p)
{
	size_t n = strlen(p->section) + strlen(p->type) + strlen(p->subtype) +
		   strlen(p->content_id) + strlen(p->description) + strlen(p->encoding) +
		   strlen(p->disposition) + strlen(p->location);

	for (size_t i = 0; i < p->n_params; i++)
		n += strlen(p->params[i].name) + strlen(p->params[i].value);
	for (size_t i = 0; i < p->n_children; i++)
		n += weigh(&p->children[i]);
	return n;
}

static enum mf_status
on_item(void *ctx, const struct mf_item *item)
{
	size_t *n = ctx;

	*n += item->structure == NULL ? 0 : weigh(item->structure);
	*n += item->preview == NULL ? 0 : strlen(item->preview);
	*n += strlen(item->thread) + strlen(item->identity);
	for (size_t i = 0; i < item->header.len; i++)
		*n += item->header.data[i];
	for (size_t i = 0; i < item->n_sections; i++)
		for (size_t k = 0; k < item->sections[i].data.len; k++)
			*n += item->sections[i].data.data[k];
	return MF_OK;
}

static size_t
choose(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	(void)ctx;
	strcpy(out[0].section, item->structure == NULL ? "TEXT" : "1");
	out[0].max = 10;
	strcpy(out[1].section, "1.MIME");
	return 2;
}

static enum mf_status
on_bytes(void *ctx, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		*(size_t *)ctx += p[i];
	return MF_OK;
}

static ssize_t
give(void *ctx, void *data, size_t size)
{
	size_t *left = ctx;
	size_t n = *left < size ? *left : size;

	memset(data, 'x', n);
	*left -= n;
	return (ssize_t)n;
}

static void
call(struct mf_session *s, unsigned which)
{
	static const uint8_t cursor[21] = { 1, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 5 };
	static const uint64_t ids[] = { 9, 5, 2, 1 };
	size_t n = 0, left = 100;
	struct mf_idset set, found;
	struct mf_buf next;
	struct mf_arena *a = mf_arena_new();
	struct mf_changes c = { .folder = "x", .known = &set, .event = on_event, .ctx = &n };
	struct mf_fetch f = {
		.folder = "x", .ids = ids, .n = 4, .want = ~0u, .item = on_item, .ctx = &n
	};
	struct mf_section_want want = { .section = "1.2" };
	struct mf_query q = { .kind = MF_QUERY_TEXT, .text = "x" };
	struct mf_flag_change flag = { .folder = "x", .ids = &set, .add = MF_FLAG_SEEN };
	struct mf_move moves[2] = { { .id = 1 }, { .id = 5 } };
	struct mf_put put = { .folder = "x", .read = give, .ctx = &left, .size = 100 };
	struct mf_poll polls[2] = { { .folder = "x", .cursor = mf_bytes(cursor, sizeof(cursor)) },
		{ .folder = "INBOX", .cursor = mf_bytes(cursor, sizeof(cursor)) } };
	const char *id;
	uint64_t uid;

	mf_idset_init(&set);
	mf_idset_init(&found);
	mf_idset_add_range(&set, 1, 5);
	mf_buf_init(&next, 4096);
	switch (which % 16) {
	case 0:
		imap_folders(s, on_folder, &n, NULL);
		break;
	case 1:
		imap_changes(s, &c, &next, NULL);
		break;
	case 2:
		c.cursor = mf_bytes(cursor, sizeof(cursor));
		imap_changes(s, &c, &next, NULL);
		break;
	case 3:
		c.since = 1700000000;
		imap_changes(s, &c, &next, NULL);
		break;
	case 4:
		f.choose = choose;
		imap_fetch(s, &f, NULL);
		break;
	case 5:
		imap_fetch(s, &f, NULL);
		break;
	case 6:
		imap_stream_part(s, "x", 1, &want, on_bytes, &n, NULL);
		break;
	case 7:
		imap_search(s, "x", &q, 0, &found, NULL);
		break;
	case 8:
		imap_flag(s, &flag, &found, NULL);
		break;
	case 9:
		imap_move(s, "x", "y", moves, 2, NULL);
		break;
	case 10:
		imap_remove(s, "x", &set, NULL);
		break;
	case 11:
		imap_append(s, &put, &uid, NULL);
		break;
	case 12:
		imap_folder_create(s, NULL, "new", MF_ROLE_ARCHIVE, a, &id, NULL);
		break;
	case 13:
		imap_folder_rename(s, "x", NULL, "new", a, &id, NULL);
		break;
	case 14:
		imap_folder_delete(s, "x", NULL);
		break;
	default:
		imap_poll(s, polls, 2, NULL);
		break;
	}
	mf_idset_deinit(&set);
	mf_idset_deinit(&found);
	mf_buf_deinit(&next);
	mf_arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const nothing[] = { NULL };
	static const struct net_protocol protocol = { .name = "imap" };
	static char host[] = "fuzz", port[] = "0";
	struct mf_backend b = { .where = { .protocol = &protocol,
					.host = host,
					.port = port,
					.command_ms = 1000,
					.max_line = 4096,
					.max_literal = 8192,
					.max_depth = 50 },
		.ignore = nothing,
		.preview = true,
		.shared = true,
		.max_folders = 20 };
	struct mf_session s = { .b = &b };
	int fds[2];

	if (size < 2 || size > 60000)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0 ||
		write(fds[1], data + 2, size - 2) != (ssize_t)(size - 2))
		abort();
	shutdown(fds[1], SHUT_WR);
	s.arena = mf_arena_new();
	mf_buf_init(&s.out, 1 << 20);
	s.stream = (struct net_stream){ .where = &b.where, .fd = fds[0] };
	s.authenticated = true;
	if ((data[1] & 1) != 0)
		s.caps = ~(uint32_t)0;
	s.caps |= IMAP_CAP_REV1;
	s.qresync = (data[1] & 2) != 0;
	call(&s, data[0]);
	net_stream_close(&s.stream);
	close(fds[1]);
	mf_buf_deinit(&s.out);
	imap_ahead_release(&s, s.ahead);
	free(s.told.folder);
	free(s.sel.folder);
	free(s.sel.permanent_flags);
	mf_arena_free(s.arena);
	return 0;
}
