/* LIST: entries as the server sends them, missing parents, roles. Knows no message. */
#include "list.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "mailferry/log.h"
#include "names.h"
#include "select.h"
#include "store.h"

/* ---- The table of entries ---- */

static size_t
slot_of(const struct imap_listing *l, const char *id)
{
	uint64_t h = 14695981039346656037u;
	size_t i;

	for (const char *p = id; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	for (i = h & (l->n_slots - 1); l->slots[i] != 0; i = (i + 1) & (l->n_slots - 1))
		if (strcmp(l->entries[l->slots[i] - 1]->id, id) == 0)
			break;
	return i;
}

struct imap_entry *
imap_listing_find(const struct imap_listing *l, const char *id)
{
	size_t i = slot_of(l, id);

	return l->slots[i] == 0 ? NULL : l->entries[l->slots[i] - 1];
}

static void
index_all(struct imap_listing *l)
{
	l->n_slots = l->cap * 4;
	l->slots = mf_new_array(l->a, uint32_t, l->n_slots);
	for (size_t i = 0; i < l->n; i++)
		l->slots[slot_of(l, l->entries[i]->id)] = (uint32_t)i + 1;
}

static void
grow(struct imap_listing *l)
{
	struct imap_entry **more;

	l->cap = l->cap == 0 ? 64 : l->cap * 2;
	more = mf_new_array(l->a, struct imap_entry *, l->cap);
	if (l->n > 0)
		memcpy(more, l->entries, l->n * sizeof(struct imap_entry *));
	l->entries = more;
	index_all(l);
}

/* "INBOX.a" with the personal prefix "INBOX." is at the top. */
static const char *
parent_of(struct imap_listing *l, const char *id, char delimiter)
{
	const char *cut = delimiter == '\0' ? NULL : strrchr(id, delimiter), *prefix;

	if (cut == NULL || cut == id)
		return NULL;
	prefix = l->s->names.personal.prefix;
	if (strlen(prefix) == (size_t)(cut - id) + 1 && strncmp(prefix, id, strlen(prefix)) == 0)
		return NULL;
	return mf_strndup(l->a, id, (size_t)(cut - id));
}

/* The entry of that id, new or old; NULL when there are too many. */
static struct imap_entry *
entry(struct imap_listing *l, const char *id, char delimiter)
{
	struct imap_entry *e;
	const char *last;
	size_t slot;

	if (l->n == l->cap)
		grow(l);
	slot = slot_of(l, id);
	if (l->slots[slot] != 0)
		return l->entries[l->slots[slot] - 1];
	/* The Inbox has its place. */
	if (strcmp(id, "INBOX") == 0)
		l->has_inbox = true;
	else if (l->n + !l->has_inbox >= l->s->b->max_folders) {
		l->too_many = true;
		return NULL;
	}
	e = mf_new(l->a, struct imap_entry);
	e->id = mf_strdup(l->a, id);
	e->delimiter = delimiter;
	e->parent = parent_of(l, e->id, delimiter);
	last = delimiter == '\0' ? NULL : strrchr(e->id, delimiter);
	e->name = imap_name_decode(l->a, last == NULL || last[1] == '\0' ? e->id : last + 1);
	e->identity = "";
	l->entries[l->n++] = e;
	l->slots[slot] = (uint32_t)l->n;
	return e;
}

/* ---- Reading ---- */

static const struct {
	const char *word;
	unsigned flag;
} flag_words[] = {
	{ "\\Noselect", MF_FOLDER_NO_ITEMS },
	{ "\\NonExistent", MF_FOLDER_NO_ITEMS },
	{ "\\Noinferiors", MF_FOLDER_NO_CHILDREN },
	{ "\\Subscribed", MF_FOLDER_SUBSCRIBED },
};

static unsigned
read_attributes(struct imap_lex *x, enum mf_role *special)
{
	unsigned flags = 0;

	imap_lex_want(x, '(');
	while (!x->bad && !imap_lex_take(x, ')')) {
		struct mf_bytes word = imap_lex_flag(x);

		if (*special == MF_ROLE_NONE)
			*special = imap_role_by_attribute(word);
		for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++)
			if (imap_bytes_is(word, flag_words[i].word))
				flags |= flag_words[i].flag;
		imap_lex_take(x, ' ');
	}
	imap_lex_take(x, ' ');
	return flags;
}

/* A mailbox name as an id; NULL for what cannot be sent back. */
static const char *
read_name(struct imap_listing *l, struct imap_lex *x, char delimiter)
{
	struct mf_bytes raw = imap_lex_string(x);
	char *id;

	if (x->bad || raw.data == NULL || raw.len == 0 || raw.len > IMAP_NAME_MOST)
		return NULL;
	for (size_t i = 0; i < raw.len; i++)
		if (raw.data[i] < 0x20 || raw.data[i] == 0x7f)
			return NULL;
	id = mf_strndup(l->a, (const char *)raw.data, raw.len);
	if (strncasecmp(id, "inbox", 5) == 0 && (id[5] == '\0' || id[5] == delimiter))
		memcpy(id, "INBOX", 5);
	return id;
}

static void
read_list(struct imap_listing *l, struct imap_lex *x, unsigned more_flags)
{
	enum mf_role special = MF_ROLE_NONE;
	unsigned flags = read_attributes(x, &special) | more_flags;
	struct mf_bytes delimiter = imap_lex_string(x);
	struct imap_entry *e;
	const char *id;
	char c = delimiter.len == 1 ? (char)delimiter.data[0] : '\0';

	imap_lex_take(x, ' ');
	id = read_name(l, x, c);
	/* LSUB may name what does not exist; it only adds to what LIST told. */
	if (id == NULL || (more_flags != 0 && imap_listing_find(l, id) == NULL))
		return;
	e = entry(l, id, c);
	if (e == NULL)
		return;
	if (more_flags != 0)
		flags = more_flags;
	e->flags |= flags;
	if (special != MF_ROLE_NONE)
		e->special = special;
}

static void
read_status(struct imap_listing *l, struct imap_lex *x)
{
	const char *id = read_name(l, x, '/');
	struct imap_entry *e = id == NULL || l->n == 0 ? NULL : imap_listing_find(l, id);

	imap_lex_take(x, ' ');
	imap_lex_want(x, '(');
	while (e != NULL && !x->bad && !imap_lex_take(x, ')')) {
		if (imap_lex_word(x, "UIDVALIDITY")) {
			e->epoch = (uint32_t)imap_lex_number(x);
		} else if (imap_lex_word(x, "MAILBOXID")) {
			struct mf_bytes text;

			imap_lex_want(x, '(');
			text = imap_lex_flag(x);
			imap_lex_want(x, ')');
			if (!x->bad)
				e->identity = mf_strndup(l->a, (const char *)text.data, text.len);
		} else {
			imap_lex_atom(x);
			imap_lex_take(x, ' ');
			imap_lex_skip(x);
		}
		imap_lex_take(x, ' ');
	}
}

static enum mf_status
on_answer(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	struct imap_listing *l = ctx;

	(void)s;
	if (cut)
		return MF_OK;
	if (l->cap == 0)
		grow(l);
	if (imap_lex_word(x, "LIST"))
		read_list(l, x, 0);
	else if (imap_lex_word(x, "LSUB"))
		read_list(l, x, MF_FOLDER_SUBSCRIBED);
	else if (imap_lex_word(x, "STATUS"))
		read_status(l, x);
	return MF_OK;
}

/* ---- Asking ---- */

/* Other users' and shared namespaces stand in one row, in this order. */
static bool
wanted_namespace(const struct mf_session *s, size_t i)
{
	return i < s->names.n_other_users ? s->b->other_users : s->b->shared;
}

static unsigned
write_list(struct imap_listing *l, const char *verb, const char *pattern)
{
	imap_begin(l->s);
	imap_put(l->s, verb);
	imap_put_string(l->s, pattern);
	if (strcmp(verb, "LIST \"\" ") == 0 && imap_can(l->s, IMAP_CAP_LIST_EXTENDED)) {
		imap_put(l->s, " RETURN (SUBSCRIBED CHILDREN");
		if (imap_can(l->s, IMAP_CAP_SPECIAL_USE))
			imap_put(l->s, " SPECIAL-USE");
		if (imap_can(l->s, IMAP_CAP_LIST_STATUS))
			imap_put(l->s, imap_can(l->s, IMAP_CAP_OBJECTID)
					       ? " STATUS (UIDVALIDITY MAILBOXID)"
					       : " STATUS (UIDVALIDITY)");
		imap_put(l->s, ")");
	}
	return imap_end(l->s);
}

/* A list that was refused is no empty list: folders must not vanish from phones. Subscriptions may
 * be had or not. */
static enum mf_status
ask(struct imap_listing *l, const char *prefix, struct mf_error *err)
{
	bool extended = imap_can(l->s, IMAP_CAP_LIST_EXTENDED);
	const char *pattern = mf_printf(l->a, "%s*", prefix);
	unsigned list = write_list(l, "LIST \"\" ", pattern);
	unsigned lsub = extended ? 0 : write_list(l, "LSUB \"\" ", pattern);
	struct imap_result r;
	enum mf_status status = imap_flush(l->s, err);

	if (status == MF_OK)
		status = imap_wait(l->s, list, on_answer, l, NULL, err);
	if (lsub != 0 && !l->s->lost) {
		enum mf_status also = imap_wait(l->s, lsub, on_answer, l, &r, err);

		status = status == MF_OK ? also : status;
	}
	return status;
}

static enum mf_status
ask_all(struct imap_listing *l, struct mf_error *err)
{
	struct mf_session *s = l->s;
	enum mf_status status = ask(l, "", err);

	for (size_t i = 0; i < s->names.n_others && status == MF_OK; i++)
		if (wanted_namespace(s, i) && s->names.others[i].prefix[0] != '\0')
			status = ask(l, s->names.others[i].prefix, err);
	return status;
}

/* ---- Making it whole ---- */

/* In which namespace a folder is: an index of others, or -1 in the personal one. */
static int
namespace_of(const struct mf_session *s, const char *id)
{
	for (size_t i = 0; i < s->names.n_others; i++) {
		const struct imap_namespace *n = &s->names.others[i];
		size_t len = strlen(n->prefix);

		if (len > 0 &&
			(strncmp(n->prefix, id, len) == 0 ||
				(strlen(id) == len - 1 && strncmp(n->prefix, id, len - 1) == 0 &&
					n->prefix[len - 1] == n->delimiter)))
			return (int)i;
	}
	return -1;
}

static bool
is_wanted(const struct imap_listing *l, const struct imap_entry *e)
{
	int i = namespace_of(l->s, e->id);

	if (i >= 0 && !wanted_namespace(l->s, (size_t)i))
		return false;
	if ((e->flags & MF_FOLDER_NO_ITEMS) != 0)
		return false; /* only as somebody's parent */
	return !l->s->b->subscribed_only || (e->flags & MF_FOLDER_SUBSCRIBED) != 0 ||
	       strcmp(e->id, "INBOX") == 0;
}

/* Shows a folder and what is above it, made up where the server did not list it. */
static void
show(struct imap_listing *l, struct imap_entry *e)
{
	while (e != NULL && !e->shown) {
		struct imap_entry *above = NULL;

		e->shown = true;
		if (namespace_of(l->s, e->id) >= 0)
			e->flags |= MF_FOLDER_SHARED;
		if (e->parent != NULL) {
			above = imap_listing_find(l, e->parent);
			if (above == NULL) {
				above = entry(l, e->parent, e->delimiter);
				if (above != NULL)
					above->flags |= MF_FOLDER_NO_ITEMS;
			}
			if (above == NULL)
				e->parent = NULL; /* too many: better at the top than not at all */
		}
		e = above;
	}
}

static int
by_id(const void *a, const void *b)
{
	const struct imap_entry *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

static void
sort(struct imap_listing *l)
{
	qsort(l->entries, l->n, sizeof(struct imap_entry *), by_id);
	index_all(l);
}

/* ---- Roles ---- */

static bool
may_have_role(const struct imap_entry *e)
{
	return e->shown && e->role == MF_ROLE_NONE &&
	       (e->flags & (MF_FOLDER_NO_ITEMS | MF_FOLDER_SHARED)) == 0;
}

static bool
is_set(struct imap_listing *l, const struct imap_entry *e, const char *setting)
{
	const char *path = imap_name_decode(l->a, e->id);
	const char *prefix = l->s->names.personal.prefix;

	if (strcmp(path, setting) == 0)
		return true;
	return strncmp(path, prefix, strlen(prefix)) == 0 &&
	       strcmp(path + strlen(prefix), setting) == 0;
}

/* Names mean something at the top and just below the Inbox only. */
static bool
by_name(const struct imap_entry *e, enum mf_role role)
{
	return (e->parent == NULL || strcmp(e->parent, "INBOX") == 0) &&
	       imap_role_by_name(e->name) == role;
}

/* At most one folder has a role: the setting's, else the server's, else one that is called so. */
static void
give_role(struct imap_listing *l, enum mf_role role)
{
	const char *setting = l->s->b->roles[role];
	struct imap_entry *best = NULL;
	int best_rank = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct imap_entry *e = l->entries[i];
		int rank = 0;

		if (!may_have_role(e))
			continue;
		if (setting != NULL && is_set(l, e, setting))
			rank = 4;
		else if (e->special == role)
			rank = 3;
		else if (e->special == MF_ROLE_NONE && by_name(e, role))
			rank = e->parent == NULL ? 2 : 1;
		if (rank > best_rank) {
			best = e;
			best_rank = rank;
		}
	}
	if (best != NULL)
		best->role = role;
}

static void
give_roles(struct imap_listing *l)
{
	imap_listing_find(l, "INBOX")->role = MF_ROLE_INBOX;
	for (int role = MF_ROLE_DRAFTS; role <= MF_ROLE_IMPORTANT; role++)
		give_role(l, (enum mf_role)role);
}

enum mf_status
imap_list(struct mf_session *s, struct mf_arena *a, struct imap_listing *out, struct mf_error *err)
{
	enum mf_status status = imap_names(s, err);
	struct imap_entry *inbox;
	size_t n;

	*out = (struct imap_listing){ .s = s, .a = a };
	if (status == MF_OK)
		status = ask_all(out, err);
	if (status != MF_OK)
		return status;
	inbox = entry(out, "INBOX", '\0');
	inbox->flags &= ~(unsigned)MF_FOLDER_NO_ITEMS;
	n = out->n;
	for (size_t i = 0; i < n; i++)
		if (is_wanted(out, out->entries[i]))
			show(out, out->entries[i]);
	sort(out);
	give_roles(out);
	if (out->too_many)
		mf_log_warning("backend=imap folders=too-many shown=%zu", out->n);
	return MF_OK;
}

enum mf_status
imap_folders(struct mf_session *s, mf_folder_fn *fn, void *ctx, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct imap_listing l;
	enum mf_status status = imap_list(s, a, &l, err);

	for (size_t i = 0; status == MF_OK && i < l.n; i++) {
		const struct imap_entry *e = l.entries[i];
		struct mf_folder f = { .id = e->id,
			.parent = e->parent,
			.name = e->name,
			.class = MF_CLASS_MAIL,
			.role = e->role,
			.flags = e->flags,
			.identity = e->identity,
			.epoch = e->epoch };

		if (e->shown)
			status = fn(ctx, &f);
	}
	mf_arena_free(a);
	return status;
}

/* ---- One folder ---- */

struct one {
	const char *folder;
	bool there, no_items;
};

static enum mf_status
on_one(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	struct one *o = ctx;
	enum mf_role special = MF_ROLE_NONE;
	unsigned flags;
	struct mf_bytes name;

	(void)s;
	if (cut || !imap_lex_word(x, "LIST"))
		return MF_OK;
	flags = read_attributes(x, &special);
	imap_lex_string(x);
	imap_lex_take(x, ' ');
	name = imap_lex_string(x);
	if (!x->bad && name.len == strlen(o->folder) &&
		(strcasecmp(o->folder, "INBOX") == 0 ||
			memcmp(name.data, o->folder, name.len) == 0))
		*((flags & MF_FOLDER_NO_ITEMS) == 0 ? &o->there : &o->no_items) = true;
	return MF_OK;
}

enum mf_status
imap_exists(struct mf_session *s, const char *folder, struct mf_error *err)
{
	struct one o = { .folder = folder };
	enum mf_status status;

	if (!imap_sendable(folder))
		return imap_fail(s, err, MF_GONE, "no such folder");
	imap_begin(s);
	imap_put(s, "LIST \"\" ");
	imap_put_string(s, folder);
	status = imap_run(s, imap_end(s), on_one, &o, NULL, err);
	if (status == MF_OK && !o.there && o.no_items)
		return imap_fail(s, err, MF_REFUSED, "%s holds no items", folder);
	if (status == MF_OK && !o.there)
		status = imap_fail(s, err, MF_GONE, "no folder %s", folder);
	return status;
}
