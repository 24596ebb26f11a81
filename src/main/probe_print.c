/* What `mailferry probe` shows. Text of mail never reaches a terminal with control characters. */
#include <stdlib.h>

#include "base/utf8.h"
#include "main/json.h"
#include "main/probe.h"

/* Appends s without control characters (C0, DEL and C1, which terminals obey too); lines: LF stays. */
static void
put_clean(struct mf_buf *b, const char *s, size_t len, bool lines)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == 0xc2 && i + 1 < len && (unsigned char)s[i + 1] < 0xa0) {
			mf_buf_add_byte(b, '?');
			i++;
		} else if (c == '\n' && lines) {
			mf_buf_add_byte(b, c);
		} else if (c == '\r' && lines) {
			continue;
		} else {
			mf_buf_add_byte(b, c < 0x20 || c == 0x7f ? ' ' : c);
		}
	}
}

/* At most width characters, filled up to it. */
static void
put_column(struct mf_buf *b, const char *s, size_t width)
{
	size_t len = strlen(s), chars = utf8_count(s, len);

	while (chars > width) {
		len = utf8_cut(s, len, len - 1);
		chars = utf8_count(s, len);
	}
	put_clean(b, s, len, false);
	for (; chars < width; chars++)
		mf_buf_add_byte(b, ' ');
}

static void
put_member(struct mf_buf *b, const char *name, const char *value)
{
	mf_buf_printf(b, "\"%s\":", name);
	if (value == NULL)
		mf_buf_add_str(b, "null");
	else
		main_json_string(b, value, strlen(value));
}

/* ---- options ---- */

void
probe_print_options(struct probe *p, const struct client_answer *answer)
{
	static const char *const names[] = { "MS-ASProtocolVersions", "MS-ASProtocolCommands",
		"MS-Server-ActiveSync" };
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = client_answer_header(a, answer, names[i]);

		if (p->json) {
			mf_buf_add_byte(&p->out, i == 0 ? '{' : ',');
			put_member(&p->out, names[i], value);
		} else {
			mf_buf_printf(&p->out, "%-22s ", names[i]);
			value = value == NULL ? "(not told)" : value;
			put_clean(&p->out, value, strlen(value), false);
			mf_buf_add_byte(&p->out, '\n');
		}
	}
	mf_buf_add_str(&p->out, p->json ? "}\n" : "");
	mf_arena_free(a);
}

/* ---- folders ---- */

/* "Lists/2024": the folder's name behind those of the folders above it. */
static void
put_path(struct mf_buf *b, const struct client_mailbox *m, const struct client_folder *f,
	unsigned depth)
{
	const struct client_folder *parent = client_folder_by_id(m, f->parent);

	if (parent != NULL && depth < 32) {
		put_path(b, m, parent, depth + 1);
		mf_buf_add_byte(b, '/');
	}
	put_clean(b, f->name, strlen(f->name), false);
}

void
probe_print_folders(struct probe *p)
{
	const struct client_mailbox *m = p->mailbox;

	mf_buf_add_str(&p->out, p->json ? "{\"folders\":[" : "ID       TYPE        NAME\n");
	for (size_t i = 0; i < m->n_folders; i++) {
		const struct client_folder *f = m->folders[i];

		if (p->json) {
			mf_buf_add_str(&p->out, i == 0 ? "{" : ",{");
			put_member(&p->out, "id", f->id);
			mf_buf_add_byte(&p->out, ',');
			put_member(&p->out, "parent", f->parent);
			mf_buf_add_byte(&p->out, ',');
			put_member(&p->out, "name", f->name);
			mf_buf_printf(&p->out, ",\"type\":%u}", f->type);
			continue;
		}
		put_column(&p->out, f->id, 8);
		mf_buf_printf(&p->out, " %-11s ", client_folder_type_name(f->type));
		put_path(&p->out, m, f, 0);
		mf_buf_add_byte(&p->out, '\n');
	}
	mf_buf_add_str(&p->out, p->json ? "]}\n" : "");
}

/* ---- sync ---- */

static void
put_item_json(struct mf_buf *b, const struct client_item *item)
{
	mf_buf_add_byte(b, '{');
	put_member(b, "id", item->id);
	mf_buf_add_byte(b, ',');
	put_member(b, "date", item->date);
	mf_buf_add_byte(b, ',');
	put_member(b, "from", item->from);
	mf_buf_add_byte(b, ',');
	put_member(b, "to", item->to);
	mf_buf_add_byte(b, ',');
	put_member(b, "subject", item->subject);
	mf_buf_printf(b,
		",\"read\":%s,\"flag\":%u,\"attachments\":%u,\"size\":%llu,\"truncated\":%s",
		item->read ? "true" : "false", (unsigned)item->flag, (unsigned)item->attachments,
		(unsigned long long)item->body_size, item->truncated ? "true" : "false");
	if (item->body.len > 0) {
		mf_buf_add_str(b, ",\"body\":");
		main_json_string(b, (const char *)item->body.data, item->body.len);
	}
	mf_buf_add_byte(b, '}');
}

/* "2024-05-21T08:00:00.000Z" as "2024-05-21 08:00". */
static void
put_item_line(struct mf_buf *b, const struct client_item *item)
{
	put_column(b, item->id, 12);
	mf_buf_add_byte(b, ' ');
	put_column(b, item->date, 10);
	mf_buf_add_byte(b, ' ');
	put_column(b, strlen(item->date) > 16 ? item->date + 11 : "", 5);
	mf_buf_printf(b, " %c%c%c ", item->read ? ' ' : 'N',
		item->flag == CLIENT_FLAGGED ? 'F' : ' ', item->attachments > 0 ? 'A' : ' ');
	put_column(b, item->from, 30);
	mf_buf_add_byte(b, ' ');
	put_clean(b, item->subject, strlen(item->subject), false);
	mf_buf_add_byte(b, '\n');
}

static void
put_result(struct probe *p, const char *name, const struct client_sync_result *r)
{
	if (p->json)
		mf_buf_printf(&p->out,
			",\"%s\":{\"status\":%u,\"added\":%zu,\"changed\":%zu,\"deleted\":%zu,"
			"\"more\":%s}",
			name, r->status, r->added, r->changed, r->deleted + r->soft_deleted,
			r->more ? "true" : "false");
	else
		mf_buf_printf(&p->out, "%s Sync: %zu added, %zu changed, %zu deleted%s%s\n", name,
			r->added, r->changed, r->deleted + r->soft_deleted,
			r->more ? ", more is there" : "", r->empty ? " (an empty answer)" : "");
}

static void
put_stats(struct probe *p)
{
	struct client_stats s = client_stats(p->client);

	if (p->json)
		mf_buf_printf(&p->out,
			",\"exchanges\":%zu,\"sent\":%llu,\"received\":%llu,\"ms\":%.1f}\n",
			s.exchanges, (unsigned long long)s.sent, (unsigned long long)s.received,
			(double)s.total_us / 1000);
	else
		mf_buf_printf(&p->out, "%zu exchanges, %llu bytes sent, %llu received, %.1f ms\n",
			s.exchanges, (unsigned long long)s.sent, (unsigned long long)s.received,
			(double)s.total_us / 1000);
}

static void
put_oddities(struct probe *p, const struct client_folder *f)
{
	const struct client_oddities *o = &f->odd;

	if (!p->json && o->added_twice + o->changed_unknown + o->deleted_unknown > 0)
		mf_buf_printf(&p->out,
			"odd: %zu added twice, %zu unknown changed, %zu unknown deleted\n",
			o->added_twice, o->changed_unknown, o->deleted_unknown);
}

void
probe_print_items(struct probe *p, const struct client_folder *f,
	const struct client_sync_result *first, const struct client_sync_result *second)
{
	const struct client_item **items = client_items_sorted(f);

	if (p->json) {
		mf_buf_add_byte(&p->out, '{');
		put_member(&p->out, "folder", f->id);
		mf_buf_add_str(&p->out, ",\"items\":[");
	}
	for (size_t i = 0; i < f->n_items; i++) {
		if (p->json && i > 0)
			mf_buf_add_byte(&p->out, ',');
		if (p->json)
			put_item_json(&p->out, items[i]);
		else
			put_item_line(&p->out, items[i]);
	}
	mf_buf_add_str(&p->out, p->json ? "]" : "");
	put_result(p, "first", first);
	if (second != NULL)
		put_result(p, "second", second);
	put_oddities(p, f);
	put_stats(p);
	free(items);
}

/* ---- ping, show ---- */

void
probe_print_ping(struct probe *p, const struct client_ping_result *r)
{
	mf_buf_printf(&p->out, p->json ? "{\"status\":%u,\"changed\":[" : "status %u", r->status);
	for (size_t i = 0; r->changed[i] != NULL; i++) {
		const struct client_folder *f = client_folder_by_id(p->mailbox, r->changed[i]);

		if (p->json) {
			mf_buf_add_str(&p->out, i == 0 ? "" : ",");
			main_json_string(&p->out, r->changed[i], strlen(r->changed[i]));
		} else {
			mf_buf_add_str(&p->out, ", changed: ");
			put_path(&p->out, p->mailbox, f, 0);
		}
	}
	if (r->heartbeat != 0)
		mf_buf_printf(&p->out,
			p->json ? "],\"heartbeat\":%u}\n" : ", heartbeat must be %u\n",
			r->heartbeat);
	else
		mf_buf_add_str(&p->out, p->json ? "]}\n" : "\n");
}

void
probe_print_item(struct probe *p, const char *id, const struct wbxml_node *properties)
{
	static const struct {
		uint16_t tag;
		const char *name, *member;
	} rows[] = {
		{ Email_From, "From", "from" },
		{ Email_To, "To", "to" },
		{ Email_Cc, "Cc", "cc" },
		{ Email_Subject, "Subject", "subject" },
		{ Email_DateReceived, "Received", "date" },
	};
	const struct wbxml_node *body = wbxml_child(properties, AirSyncBase_Body);
	struct mf_bytes data = wbxml_data(wbxml_child(body, AirSyncBase_Data));
	struct mf_buf *b = &p->out;

	if (p->json) {
		mf_buf_add_byte(b, '{');
		put_member(b, "id", id);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *value = wbxml_child_value(properties, rows[i].tag);

		if (p->json) {
			mf_buf_add_byte(b, ',');
			put_member(b, rows[i].member, value);
		} else if (value != NULL) {
			mf_buf_printf(b, "%s: ", rows[i].name);
			put_clean(b, value, strlen(value), false);
			mf_buf_add_byte(b, '\n');
		}
	}
	if (p->json) {
		mf_buf_printf(
			b, ",\"type\":%u,\"body\":", client_number(body, AirSyncBase_Type, 0));
		main_json_string(b, (const char *)data.data, data.len);
		mf_buf_add_str(b, "}\n");
		return;
	}
	mf_buf_add_byte(b, '\n');
	put_clean(b, (const char *)data.data, data.len, true);
	mf_buf_add_byte(b, '\n');
}
