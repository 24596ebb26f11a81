/* Knows how Sent is counted and kept. A memory that is lost or cannot be written costs a look more. */
#include "eas/recent.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/utf8.h"
#include "base/varint.h"
#include "eas/store.h"
#include "mailferry/log.h"
#include "mime/header.h"
#include "state/blob.h"
#include "state/device.h"
#include "state/folder.h"

enum {
	FORMAT = 2,
	WEEK = 7 * 86400,
	COUNTED = 50,		 /* mails to one address that count */
	LOOK_BACK = 365 * 86400, /* seconds of Sent the first time */
	ADDRESS_MAX = 254,	 /* bytes; longer ones are not remembered */
	NAME_MAX_BYTES = 120,	 /* of a name that is kept */
	SINCE_LOOK = 30,	 /* seconds before Sent is looked at again */
	PEOPLE_ROOM = 2 * RECENT_MAX,
};

struct memory {
	struct recent_of of;
	const struct state_folder *sent;
	struct mf_bytes cursor; /* empty: from the beginning */
	int64_t looked;		/* clock_wall */
	struct recent *list;	/* room for PEOPLE_ROOM */
	size_t n;
	uint64_t last_id;	   /* given */
	uint64_t ids[RECENT_MAIL]; /* of new mail, a ring */
	size_t n_ids;
};

/* ---- The list ---- */

static int64_t
weight(const struct recent *p)
{
	return p->last + (int64_t)(p->count < COUNTED ? p->count : COUNTED) * WEEK;
}

static int
by_weight(const void *a, const void *b)
{
	const struct recent *x = a, *y = b;
	if (weight(x) != weight(y))
		return weight(x) > weight(y) ? -1 : 1;
	return strcmp(x->address, y->address);
}

static void
keep_best(struct memory *m)
{
	qsort(m->list, m->n, sizeof(*m->list), by_weight);
	if (m->n > RECENT_MAX)
		m->n = RECENT_MAX;
}

static struct recent *
find_address(const struct memory *m, const char *address)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcasecmp(m->list[i].address, address) == 0)
			return &m->list[i];
	return NULL;
}

static const char *
short_name(struct mf_arena *a, const struct mime_address *from)
{
	size_t len = strlen(from->name);
	if (str_ieq(from->name, from->addr))
		return "";
	return mf_strndup(a, from->name, utf8_cut(from->name, len, NAME_MAX_BYTES));
}

static void
count(struct memory *m, const struct mime_address *to, int64_t date)
{
	struct mf_arena *a = m->of.arena;
	if (strchr(to->addr, '@') == NULL || strlen(to->addr) > ADDRESS_MAX ||
		!utf8_valid_xml(to->addr, strlen(to->addr)) || str_ieq(to->addr, m->of.address))
		return;
	struct recent *p = find_address(m, to->addr);
	if (p == NULL) {
		if (m->n == PEOPLE_ROOM)
			keep_best(m);
		p = &m->list[m->n++];
		*p = (struct recent){ .address = mf_strdup(a, to->addr), .name = "" };
	}
	p->count += p->count < UINT32_MAX;
	if (*to->name != '\0' && (*p->name == '\0' || date >= p->last))
		p->name = short_name(a, to);
	p->last = date > p->last ? date : p->last;
	p->id = ++m->last_id;
}

/* ---- What is kept ---- */

static void
decode(struct memory *m, struct mf_bytes row)
{
	struct varint_reader in;
	varint_reader_init(&in, row);
	bool good = varint_get(&in) == FORMAT && varint_get(&in) == m->sent->number;
	uint64_t epoch = varint_get(&in);
	m->looked = (int64_t)varint_get(&in);
	m->last_id = varint_get(&in);
	m->cursor = varint_get_bytes(&in);
	size_t n = (size_t)varint_get_max(&in, RECENT_MAX);
	for (size_t i = 0; good && !in.failed && i < n; i++) {
		struct mf_bytes address = varint_get_bytes(&in), name = varint_get_bytes(&in);
		struct recent *p = &m->list[m->n++];
		p->address = mf_strndup(m->of.arena, (const char *)address.data, address.len);
		p->name = mf_strndup(m->of.arena, (const char *)name.data, name.len);
		p->count = (uint32_t)varint_get_max(&in, UINT32_MAX);
		p->last = (int64_t)varint_get(&in);
		p->id = varint_get(&in);
	}
	if (good && !in.failed && epoch == m->sent->epoch)
		return;
	m->n = 0;
	m->looked = 0;
	m->cursor = mf_bytes(NULL, 0);
}

static void
save(struct memory *m, struct mf_bytes cursor)
{
	struct mf_error err;
	struct mf_buf row;
	mf_buf_init(&row, STATE_BLOB_MAX);
	varint_put(&row, FORMAT);
	varint_put(&row, m->sent->number);
	varint_put(&row, m->sent->epoch);
	varint_put(&row, (uint64_t)clock_wall());
	varint_put(&row, m->last_id);
	varint_put_bytes(&row, cursor);
	varint_put(&row, m->n);
	for (size_t i = 0; i < m->n; i++) {
		varint_put_bytes(&row, mf_bytes_str(m->list[i].address));
		varint_put_bytes(&row, mf_bytes_str(m->list[i].name));
		varint_put(&row, m->list[i].count);
		varint_put(&row, (uint64_t)m->list[i].last);
		varint_put(&row, m->list[i].id);
	}
	if (row.failed || state_blob_save(m->of.state, m->of.user, m->of.device, STATE_BLOB_RECENT,
				  mf_buf_bytes(&row), &err) != MF_OK)
		mf_log_warning("event=recent-forgotten");
	mf_buf_deinit(&row);
}

/* ---- New mail in Sent ---- */

static enum mf_status
take_event(void *ctx, const struct mf_event *e)
{
	struct memory *m = ctx;
	if (e->kind == MF_EVENT_ADDED)
		m->ids[m->n_ids++ % RECENT_MAIL] = e->id;
	return MF_OK;
}

static enum mf_status
take_mail(void *ctx, const struct mf_item *item)
{
	static const char *const fields[] = { "To", "Cc", "Bcc" };
	struct memory *m = ctx;
	struct mf_arena *a = mf_arena_new();
	struct mime_header h;
	mime_header_parse(a, item->header, &h);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		struct mime_addresses list;
		mime_header_addresses(a, &h, fields[i], NULL, &list);
		for (size_t k = 0; k < list.n; k++)
			count(m, &list.list[k], item->date);
	}
	mf_arena_free(a);
	return MF_OK;
}

static enum mf_status
fetch_new(struct memory *m, struct mf_error *err)
{
	static const char *const fields[] = { "To", "Cc", "Bcc", NULL };
	struct mf_fetch f = { .folder = m->sent->id,
		.ids = m->ids,
		.n = m->n_ids < RECENT_MAIL ? m->n_ids : RECENT_MAIL,
		.want = MF_WANT_DATE | MF_WANT_HEADER,
		.fields = fields,
		.item = take_mail,
		.ctx = m };
	return f.n == 0 ? MF_OK : m->of.api->fetch(m->of.session, &f, err);
}

static enum mf_status
ask_changes(struct memory *m, struct mf_buf *next, struct mf_error *err)
{
	struct mf_idset nothing; /* what is gone stays counted */
	mf_idset_init(&nothing);
	struct mf_changes c = { .folder = m->sent->id,
		.cursor = m->cursor,
		.since = m->cursor.len == 0 ? clock_wall() - LOOK_BACK : 0,
		.known = &nothing,
		.event = take_event,
		.ctx = m };
	m->n_ids = 0;
	enum mf_status st = m->of.api->changes(m->of.session, &c, next, err);
	mf_idset_deinit(&nothing);
	return st;
}

static enum mf_status
look(struct memory *m, struct mf_error *err)
{
	struct mf_buf next;
	mf_buf_init(&next, 0);
	enum mf_status st = ask_changes(m, &next, err);
	if (st == MF_RESYNC) {
		m->n = 0;
		m->cursor = mf_bytes(NULL, 0);
		st = ask_changes(m, &next, err);
	}
	if (st == MF_OK)
		st = fetch_new(m, err);
	if (st == MF_OK) {
		keep_best(m);
		save(m, mf_buf_bytes(&next));
	}
	mf_buf_deinit(&next);
	return st;
}

/* ---- Asking ---- */

/* What is kept. *fresh: Sent was looked at a moment ago, or there is none. */
static enum mf_status
begin(struct memory *m, const struct recent_of *of, bool *fresh, struct mf_error *err)
{
	struct state_folders *folders = mf_new(of->arena, struct state_folders);
	struct mf_bytes row;
	m->of = *of;
	m->list = mf_new_array(of->arena, struct recent, PEOPLE_ROOM);
	*fresh = true;
	enum mf_status st = state_folders_load(of->state, of->user, of->arena, folders, err);
	m->sent = st == MF_OK ? state_folder_by_role(folders, MF_ROLE_SENT) : NULL;
	if (m->sent == NULL)
		return st == MF_GONE ? MF_OK : st;
	st = state_blob_load(
		of->state, of->user, of->device, STATE_BLOB_RECENT, of->arena, &row, err);
	if (st != MF_OK)
		return st;
	decode(m, row);
	int64_t since = clock_wall() - m->looked;
	*fresh = since >= 0 && since < SINCE_LOOK;
	return MF_OK;
}

static enum mf_status
end(const struct memory *m, enum mf_status st, struct recent **out, size_t *n)
{
	*out = m->list;
	*n = m->n;
	return st == MF_GONE ? MF_OK : st;
}

enum mf_status
recent_read(const struct recent_of *of, struct recent **out, size_t *n, struct mf_error *err)
{
	struct memory *m = mf_new(of->arena, struct memory);
	bool fresh;
	enum mf_status st = begin(m, of, &fresh, err);
	if (st == MF_OK && m->sent != NULL)
		st = look(m, err);
	return end(m, st, out, n);
}

enum mf_status
recent_load(struct eas_request *r, struct recent **out, size_t *n, struct mf_error *err)
{
	const struct recent_of of = { .state = r->server->state,
		.arena = r->arena,
		.user = r->user_number,
		.device = r->device->number,
		.address = eas_user_address(r) };
	struct memory *m = mf_new(r->arena, struct memory);
	bool fresh;
	enum mf_status st = begin(m, &of, &fresh, err);
	if (st == MF_OK && !fresh)
		st = eas_store_need(r, err);
	if (st == MF_OK && !fresh) {
		m->of.api = r->store_api;
		m->of.session = r->store;
		st = look(m, err);
	}
	return end(m, st, out, n);
}

/* ---- Matching ---- */

static bool
begins_word(const char *text, const char *word, size_t len)
{
	for (const char *at = text; *at != '\0'; at++)
		if ((at == text || strchr(" .-_@\"'(", at[-1]) != NULL) &&
			strncasecmp(at, word, len) == 0)
			return true;
	return false;
}

static bool
matches(const struct recent *p, const char *text, bool exact)
{
	static const char blanks[] = " \t\r\n,;\"<>";
	size_t words = 0;
	if (exact)
		return strcasecmp(p->address, text) == 0 ||
		       (*p->name != '\0' && strcasecmp(p->name, text) == 0);
	for (const char *at = text; *(at += strspn(at, blanks)) != '\0'; words++) {
		size_t len = strcspn(at, blanks);
		size_t asked = len > 1 && at[len - 1] == '.' ? len - 1 : len;
		if (!begins_word(p->name, at, asked) && !begins_word(p->address, at, asked))
			return false;
		at += len;
	}
	return words > 0;
}

static struct mf_person
as_person(const struct recent *p)
{
	struct mf_person out = { .id = p->address };
	for (size_t t = 0; t < MF_PERSON_TEXTS; t++)
		out.text[t] = "";
	out.text[MF_PERSON_NAME] = *p->name != '\0' ? p->name : p->address;
	out.text[MF_PERSON_ADDRESS] = p->address;
	return out;
}

enum mf_status
recent_find(struct eas_request *r, const char *text, bool exact, size_t max,
	struct people_list *out, struct mf_error *err)
{
	struct recent *list;
	size_t n;
	enum mf_status st = recent_load(r, &list, &n, err);
	for (size_t i = 0; st == MF_OK && i < n; i++) {
		if (!matches(&list[i], text, exact))
			continue;
		if (out->n == max) {
			out->more = true;
			break;
		}
		out->list[out->n++] = as_person(&list[i]);
	}
	return st;
}
