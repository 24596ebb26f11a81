/* Knows what phones want to see of a hierarchy; must not know backends, requests or elements. */
#include "eas/map/folder.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

/* Deeper folders are shown at the top: no phone shows them anyway, and a loop ends here. */
enum { DEPTH_MAX = 100 };

static const char RECIPIENTS_NAME[] = "RI"; /* MS-ASCMD 2.2.3.30.6 */

static const struct {
	enum mf_role role;
	enum folder_type type;
} types[] = {
	{ MF_ROLE_INBOX, FOLDER_INBOX },
	{ MF_ROLE_DRAFTS, FOLDER_DRAFTS },
	{ MF_ROLE_TRASH, FOLDER_DELETED },
	{ MF_ROLE_SENT, FOLDER_SENT },
	{ MF_ROLE_OUTBOX, FOLDER_OUTBOX },
};

enum folder_type
folder_type_of(enum mf_role role)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i].role == role)
			return types[i].type;
	return FOLDER_MAIL;
}

bool
folder_is_recipients(const struct state_folder *f)
{
	return strcmp(f->store, FOLDER_VIRTUAL_STORE) == 0 &&
	       strcmp(f->id, FOLDER_RECIPIENTS_ID) == 0;
}

static const struct state_folder *
recipients_of(const struct state_folders *folders)
{
	for (size_t i = 0; i < folders->n; i++)
		if (folders->folders[i].gone == 0 && folder_is_recipients(&folders->folders[i]))
			return &folders->folders[i];
	return NULL;
}

const struct state_folder *
folder_by_text(const struct state_folders *folders, const char *text)
{
	uint32_t number;
	if (strcmp(text, RECIPIENTS_NAME) == 0)
		return recipients_of(folders);
	return state_folder_parse(text, &number) ? state_folder_by_number(folders, number) : NULL;
}

bool
folder_shown(const struct state_folder *f)
{
	return f->gone == 0 && (f->class == MF_CLASS_MAIL || folder_is_recipients(f));
}

bool
folder_holds_items(const struct state_folder *f)
{
	return !(f->flags & MF_FOLDER_NO_ITEMS) && strcmp(f->store, FOLDER_VIRTUAL_STORE) != 0;
}

/* The nearest ancestor that is shown; 0: none. */
static uint32_t
shown_parent(const struct state_folders *folders, const struct state_folder *f)
{
	for (int i = 0; i < DEPTH_MAX && f->parent != 0; i++) {
		f = state_folder_by_number(folders, f->parent);
		if (f == NULL)
			return 0;
		if (folder_shown(f))
			return f->number;
	}
	return 0;
}

/* INBOX is a name for servers. */
static const char *
shown_name(struct mf_arena *a, const struct state_folder *f)
{
	if (f->role == MF_ROLE_INBOX && str_ieq(f->name, "INBOX"))
		return "Inbox";
	const char *name = utf8_clean(a, f->name, strlen(f->name));
	if (*name == '\0')
		return mf_printf(a, "Folder %u", f->number);
	return mf_strndup(a, name, utf8_cut(name, strlen(name), FOLDER_NAME_MAX));
}

static bool
type_taken(const struct state_hierarchy *h, uint8_t type)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->held[i].type == type)
			return true;
	return false;
}

void
folder_view(struct mf_arena *a, const struct state_folders *folders, bool recipients,
	struct state_hierarchy *out)
{
	*out = (struct state_hierarchy){ .held = mf_new_array(a, struct state_held, folders->n) };
	for (size_t i = 0; i < folders->n; i++) {
		const struct state_folder *f = &folders->folders[i];
		if (!folder_shown(f) || (!recipients && folder_is_recipients(f)))
			continue;
		uint8_t type = folder_is_recipients(f) ? FOLDER_RECIPIENTS
						       : (uint8_t)folder_type_of(f->role);
		if (type != FOLDER_MAIL && type_taken(out, type))
			type = FOLDER_MAIL;
		out->held[out->n++] = (struct state_held){ f->number, shown_parent(folders, f),
			type, shown_name(a, f) };
	}
}

static int
depth_of(const struct state_hierarchy *h, const struct state_held *f)
{
	int depth = 0;
	while (f != NULL && f->parent != 0 && depth < DEPTH_MAX) {
		f = state_hierarchy_find(h, f->parent);
		depth++;
	}
	return depth;
}

const struct state_held **
folder_order(struct mf_arena *a, const struct state_hierarchy *h)
{
	const struct state_held **order =
		(const struct state_held **)mf_alloc_array(a, h->n + 1, sizeof(*order));
	int *depths = mf_new_array(a, int, h->n + 1);
	int deepest = 0;
	for (size_t i = 0; i < h->n; i++) {
		depths[i] = depth_of(h, &h->held[i]);
		deepest = depths[i] > deepest ? depths[i] : deepest;
	}
	size_t n = 0;
	for (int depth = 0; depth <= deepest; depth++)
		for (size_t i = 0; i < h->n; i++)
			if (depths[i] == depth)
				order[n++] = &h->held[i];
	return order;
}
