/* What the cases do and look at: see contract.h. */
#include "contract.h"

#include <string.h>
#include <strings.h>

/* ---- Sessions ---- */

struct mf_session *
contract_login(struct bench *b)
{
	struct mf_login who = { .user = b->user, .password = b->password };
	struct mf_session *s = NULL;

	NEED_OK(b, b->api->login(b->backend, &who, &s, &b->err));
	NEED(b, s != NULL && b->api->usable(s), "a new session");
	return s;
}

void
contract_again(struct bench *b)
{
	if (b->api->usable(b->s))
		return;
	b->api->logout(b->s);
	b->s = contract_login(b);
}

/* ---- Putting ---- */

ssize_t
contract_read(void *ctx, void *data, size_t size)
{
	struct contract_reader *r = ctx;
	size_t stop = r->stop > 0 && r->stop < r->data.len ? r->stop : r->data.len;
	size_t n = stop - r->at;

	if (n == 0)
		return r->fails ? -1 : 0;
	if (n > size)
		n = size;
	if (r->piece > 0 && n > r->piece)
		n = r->piece;
	memcpy(data, r->data.data + r->at, n);
	r->at += n;
	return (ssize_t)n;
}

uint64_t
contract_put(
	struct bench *b, const char *folder, struct mf_bytes message, uint32_t flags, int64_t date)
{
	struct contract_reader r = { .data = message };
	struct mf_put p = {
		.folder = folder,
		.read = contract_read,
		.ctx = &r,
		.size = message.len,
		.flags = flags,
		.date = date,
	};
	uint64_t id = 0;

	NEED_OK(b, b->store->put(b->s, &p, &id, &b->err));
	if (id == 0) {
		struct contract_changes c = contract_all(b, folder);

		id = mf_idset_max(&c.added);
	}
	NEED(b, id != 0, "the item that was put is there");
	return id;
}

uint64_t
contract_put_subject(struct bench *b, const char *folder, const char *subject)
{
	const char *text = mf_printf(b->a,
		"From: Anna <anna@example.org>\r\nTo: ben@example.org\r\n"
		"Subject: %s\r\nDate: Mon, 05 Feb 2024 10:11:12 +0000\r\n"
		"Message-ID: <%s@example.org>\r\n\r\nThe text of %s.\r\n",
		subject, subject, subject);

	return contract_put(b, folder, mf_bytes_str(text), 0, 0);
}

const char *
contract_folder(struct bench *b, const char *name)
{
	const char *id = NULL;

	NEED_OK(b, b->store->folder_create(b->s, NULL, name, MF_ROLE_NONE, b->a, &id, &b->err));
	NEED(b, id != NULL && id[0] != '\0', "folder %s has an id", name);
	return id;
}

static struct mf_idset *
one(struct bench *b, uint64_t id)
{
	struct mf_idset *set = mf_new(b->a, struct mf_idset);

	mf_idset_init(set);
	mf_idset_add(set, id);
	mf_on_free(b->a, (void (*)(void *))mf_idset_deinit, set);
	return set;
}

void
contract_flag(struct bench *b, const char *folder, uint64_t id, uint32_t add, uint32_t remove)
{
	struct mf_flag_change c = {
		.folder = folder, .ids = one(b, id), .add = add, .remove = remove
	};

	NEED_OK(b, b->store->flag(b->s, &c, NULL, &b->err));
}

void
contract_remove(struct bench *b, const char *folder, uint64_t id)
{
	NEED_OK(b, b->store->remove(b->s, folder, one(b, id), &b->err));
}

/* ---- Folders ---- */

struct folder_list {
	struct bench *b;
	struct contract_folders *out;
};

static enum mf_status
on_folder(void *ctx, const struct mf_folder *f)
{
	struct folder_list *l = ctx;
	struct mf_arena *a = l->b->a;
	struct mf_folder *copy;

	NEED(l->b, l->out->n < 1000, "at most 1000 folders here");
	copy = &l->out->list[l->out->n++];
	*copy = *f;
	copy->id = mf_strdup(a, f->id);
	copy->parent = mf_strdup(a, f->parent);
	copy->name = mf_strdup(a, f->name);
	copy->identity = mf_strdup(a, f->identity);
	return MF_OK;
}

struct contract_folders
contract_folders(struct bench *b)
{
	struct contract_folders out = { .list = mf_new_array(b->a, struct mf_folder, 1000) };
	struct folder_list l = { b, &out };

	NEED_OK(b, b->store->folders(b->s, on_folder, &l, &b->err));
	return out;
}

const struct mf_folder *
contract_find(const struct contract_folders *f, const char *id)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].id, id) == 0)
			return &f->list[i];
	return NULL;
}

/* ---- Changes ---- */

enum { EVENTS_MAX = 4000, CURSOR_MAX = 8192 };

struct event_list {
	struct bench *b;
	struct contract_changes *out;
	uint64_t last; /* of added and flagged */
};

static const char *const *
copy_keywords(struct mf_arena *a, const char *const *keywords, size_t n)
{
	const char **copy = mf_new_array(a, const char *, n + 1);

	for (size_t i = 0; i < n; i++)
		copy[i] = mf_strdup(a, keywords[i]);
	return copy;
}

static enum mf_status
on_event(void *ctx, const struct mf_event *e)
{
	struct event_list *l = ctx;
	struct contract_changes *out = l->out;

	NEED(l->b, out->n < EVENTS_MAX, "too many events");
	out->list[out->n] = *e;
	out->list[out->n].keywords = copy_keywords(l->b->a, e->keywords, e->n_keywords);
	out->n++;
	if (e->kind == MF_EVENT_GONE) {
		NEED(l->b, e->id != 0 && e->last >= e->id, "a range of ids is gone");
		mf_idset_add_range(&out->gone, e->id, e->last);
		return MF_OK;
	}
	CHECK(l->b, e->id > l->last, "ascending, each once: %llu after %llu",
		(unsigned long long)e->id, (unsigned long long)l->last);
	l->last = e->id;
	mf_idset_add(e->kind == MF_EVENT_ADDED ? &out->added : &out->flagged, e->id);
	return MF_OK;
}

static void
deinit_changes(void *thing)
{
	struct contract_changes *c = thing;

	mf_idset_deinit(&c->added);
	mf_idset_deinit(&c->flagged);
	mf_idset_deinit(&c->gone);
}

struct contract_changes
contract_changes(struct bench *b, const char *folder, struct mf_bytes cursor,
	const struct mf_idset *known, int64_t since)
{
	struct contract_changes *out = mf_new(b->a, struct contract_changes);
	struct event_list l = { .b = b, .out = out };
	struct mf_changes c = {
		.folder = folder,
		.cursor = cursor,
		.known = known,
		.since = since,
		.event = on_event,
		.ctx = &l,
	};
	struct mf_buf next;

	mf_idset_init(&out->added);
	mf_idset_init(&out->flagged);
	mf_idset_init(&out->gone);
	mf_on_free(b->a, deinit_changes, out);
	out->list = mf_new_array(b->a, struct mf_event, EVENTS_MAX);
	mf_buf_init(&next, 0);
	mf_buf_add_str(&next, "what stood here before");
	out->status = b->store->changes(b->s, &c, &next, &b->err);
	if (out->status == MF_OK) {
		out->cursor = mf_memdup(b->a, next.data, next.len);
		CHECK(b, next.len > 0 && next.len <= CURSOR_MAX, "a cursor of %zu bytes", next.len);
		CHECK(b, next.len < 22 || memcmp(next.data, "what stood here before", 22) != 0,
			"the cursor replaces what stood there");
	}
	mf_buf_deinit(&next);
	return *out;
}

const struct mf_event *
contract_event(const struct contract_changes *c, uint64_t id)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].kind != MF_EVENT_GONE && c->list[i].id == id)
			return &c->list[i];
	return NULL;
}

struct contract_changes
contract_all(struct bench *b, const char *folder)
{
	struct contract_changes c = contract_changes(b, folder, mf_bytes(NULL, 0), NULL, 0);

	NEED_OK(b, c.status);
	return c;
}

bool
contract_poll(struct bench *b, const char *folder, struct mf_bytes cursor)
{
	struct mf_poll p = { .folder = folder, .cursor = cursor };

	NEED_OK(b, b->store->poll(b->s, &p, 1, &b->err));
	return p.changed;
}

/* ---- Items ---- */

struct item_list {
	struct bench *b;
	struct contract_items *out;
	const struct mf_section_want *sections;
	size_t n_sections, cap;
	unsigned want;
};

static const struct mf_param *
copy_params(struct mf_arena *a, const struct mf_param *params, size_t n)
{
	struct mf_param *copy = mf_new_array(a, struct mf_param, n + 1);

	for (size_t i = 0; i < n; i++)
		copy[i] = (struct mf_param){ mf_strdup(a, params[i].name),
			mf_strdup(a, params[i].value) };
	return copy;
}

static const struct mf_part *
copy_parts(struct mf_arena *a, const struct mf_part *parts, size_t n)
{
	struct mf_part *copy = mf_new_array(a, struct mf_part, n + 1);

	for (size_t i = 0; i < n; i++) {
		struct mf_part *c = &copy[i];

		*c = parts[i];
		c->section = mf_strdup(a, c->section);
		c->type = mf_strdup(a, c->type);
		c->subtype = mf_strdup(a, c->subtype);
		c->params = copy_params(a, c->params, c->n_params);
		c->content_id = mf_strdup(a, c->content_id);
		c->description = mf_strdup(a, c->description);
		c->encoding = mf_strdup(a, c->encoding);
		c->disposition = mf_strdup(a, c->disposition);
		c->disposition_params =
			copy_params(a, c->disposition_params, c->n_disposition_params);
		c->location = mf_strdup(a, c->location);
		c->children = copy_parts(a, c->children, c->n_children);
	}
	return copy;
}

static void
copy_item(struct mf_arena *a, struct mf_item *c)
{
	struct mf_section *sections = mf_new_array(a, struct mf_section, c->n_sections + 1);

	c->keywords = copy_keywords(a, c->keywords, c->n_keywords);
	c->header = mf_memdup(a, c->header.data, c->header.len);
	if (c->structure != NULL)
		c->structure = copy_parts(a, c->structure, 1);
	c->preview = mf_strdup(a, c->preview);
	c->thread = mf_strdup(a, c->thread);
	c->identity = mf_strdup(a, c->identity);
	for (size_t i = 0; i < c->n_sections; i++) {
		sections[i] = c->sections[i];
		sections[i].section = mf_strdup(a, c->sections[i].section);
		sections[i].data = mf_memdup(a, c->sections[i].data.data, c->sections[i].data.len);
	}
	c->sections = sections;
	c->damaged = mf_strdup(a, c->damaged);
}

static size_t
on_choose(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	const struct item_list *l = ctx;
	unsigned promised =
		MF_WANT_FLAGS | MF_WANT_DATE | MF_WANT_SIZE | MF_WANT_HEADER | MF_WANT_STRUCTURE;

	CHECK(l->b, (l->want & promised & ~item->have) == 0,
		"what was wanted (%x) is there (%x) before the sections are chosen", l->want,
		item->have);
	memcpy(out, l->sections, l->n_sections * sizeof(*out));
	return l->n_sections;
}

static enum mf_status
on_item(void *ctx, const struct mf_item *item)
{
	struct item_list *l = ctx;

	NEED(l->b, l->out->n < l->cap, "not more items than were asked for");
	NEED(l->b, item->id != 0, "an item has an id");
	l->out->list[l->out->n] = *item;
	copy_item(l->b->a, &l->out->list[l->out->n]);
	l->out->n++;
	return MF_OK;
}

struct contract_items
contract_fetch(struct bench *b, const char *folder, const uint64_t *ids, size_t n, unsigned want,
	const char *const *fields, const struct mf_section_want *sections, size_t n_sections)
{
	struct contract_items out = { .list = mf_new_array(b->a, struct mf_item, n + 1) };
	struct item_list l = { .b = b,
		.out = &out,
		.sections = sections,
		.n_sections = n_sections,
		.cap = n,
		.want = want };
	struct mf_fetch f = {
		.folder = folder,
		.ids = ids,
		.n = n,
		.want = want,
		.fields = fields,
		.choose = sections == NULL ? NULL : on_choose,
		.item = on_item,
		.ctx = &l,
	};

	NEED_OK(b, b->store->fetch(b->s, &f, &b->err));
	for (size_t i = 0; i < out.n; i++)
		for (size_t k = 0; k < i; k++)
			CHECK(b, out.list[i].id != out.list[k].id, "each item once");
	return out;
}

const struct mf_item *
contract_item(const struct contract_items *items, uint64_t id)
{
	for (size_t i = 0; i < items->n; i++)
		if (items->list[i].id == id)
			return &items->list[i];
	return NULL;
}

const struct mf_item *
contract_fetch_one(struct bench *b, const char *folder, uint64_t id, unsigned want,
	const struct mf_section_want *sections, size_t n_sections)
{
	struct contract_items items =
		contract_fetch(b, folder, &id, 1, want, NULL, sections, n_sections);

	NEED(b, items.n == 1 && items.list[0].id == id, "the item is there");
	return &items.list[0];
}

struct mf_bytes
contract_message(struct bench *b, const char *folder, uint64_t id)
{
	struct mf_section_want whole = { .section = "" };
	const struct mf_item *item = contract_fetch_one(b, folder, id, 0, &whole, 1);

	NEED(b, item->n_sections == 1, "the whole message");
	return item->sections[0].data;
}

/* ---- Comparing ---- */

bool
contract_equal(struct mf_bytes a, struct mf_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

const char *
contract_show(struct bench *b, struct mf_bytes data)
{
	char *out = mf_alloc(b->a, 80);
	size_t n = data.len < 60 ? data.len : 60;

	for (size_t i = 0; i < n; i++)
		out[i] = (char)(data.data[i] < ' ' || data.data[i] > '~' ? '.' : data.data[i]);
	return mf_printf(b->a, "%zu \"%s\"", data.len, out);
}

/* us-ascii is what a text without a charset has: servers may say so or not. */
static void
show_params(struct mf_buf *out, const struct mf_param *params, size_t n)
{
	bool open = false;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(params[i].name, "charset") == 0 &&
			strcasecmp(params[i].value, "us-ascii") == 0)
			continue;
		mf_buf_printf(out, "%s%s=%s", open ? "," : "{", params[i].name, params[i].value);
		open = true;
	}
	mf_buf_add_str(out, open ? "}" : "");
}

static void
show_part(struct mf_buf *out, const struct mf_part *p)
{
	mf_buf_printf(out, "\"%s\" %s/%s", p->section, p->type, p->subtype);
	show_params(out, p->params, p->n_params);
	if (p->encoding[0] != '\0')
		mf_buf_printf(out, " %s", p->encoding);
	if (strcmp(p->type, "multipart") != 0)
		mf_buf_printf(out, " %llu", (unsigned long long)p->size);
	if (strcmp(p->type, "text") == 0 || strcmp(p->type, "message") == 0)
		mf_buf_printf(out, "/%llu", (unsigned long long)p->lines);
	if (p->content_id[0] != '\0')
		mf_buf_printf(out, " id=%s", p->content_id);
	if (p->description[0] != '\0')
		mf_buf_printf(out, " what=%s", p->description);
	if (p->disposition[0] != '\0')
		mf_buf_printf(out, " %s", p->disposition);
	show_params(out, p->disposition_params, p->n_disposition_params);
	if (p->location[0] != '\0')
		mf_buf_printf(out, " at=%s", p->location);
	for (size_t i = 0; i < p->n_children; i++) {
		mf_buf_add_str(out, i == 0 ? " (" : ", ");
		show_part(out, &p->children[i]);
	}
	mf_buf_add_str(out, p->n_children > 0 ? ")" : "");
}

const char *
contract_structure(struct mf_arena *a, const struct mf_part *p)
{
	struct mf_buf out;
	const char *text;

	mf_buf_init(&out, 0);
	show_part(&out, p);
	text = mf_strndup(a, mf_buf_str(&out), out.len);
	mf_buf_deinit(&out);
	return text;
}

bool
contract_has_keyword(const struct mf_item *item, const char *keyword)
{
	for (size_t i = 0; i < item->n_keywords; i++)
		if (strcmp(item->keywords[i], keyword) == 0)
			return true;
	return false;
}
