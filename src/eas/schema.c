/*
 * Walks a decoded request along rules.def. Knows the table's meaning; must not know any command.
 */
#include "eas/schema.h"

#include <string.h>

#include "base/str.h"
#include "eas/commands.h"
#include "eas/status.h"
#include "mailferry/conf.h"

enum type {
	ANY,
	STRUCT, /* other elements; text in it is let through, for it is ignored */
	TEXT,	/* no elements */
	KEY,	/* text of at most 64 bytes, may be empty */
	ID,	/* text of 1 to 64 bytes */
	UINT,	/* 0 to 4294967295; empty is let through: as if it were absent */
	BYTE,	/* the same, up to 255 */
	UPTO_8, /* the same, up to 8 */
	UPTO_2, /* the same, up to 2 */
	COUNT,	/* the same, but as large as you like: the command cuts it */
	INT,	/* as COUNT, or negative: the command says how far it may go */
	BOOL,	/* 0, 1 or empty (MS-ASDTYPE 2.1) */
};

enum { ID_MAX = 64 };

struct rule {
	uint16_t root, parent, child;
	unsigned min, max;
	enum type type;
	enum eas_version first, last;
	unsigned status;
};

static const struct rule rules[] = {
#define RULE(root, parent, child, min, max, type, ...) \
	{ root, parent, child, min, max, type, __VA_ARGS__ },
#include "eas/rules.def"
};

static const size_t rules_n = sizeof(rules) / sizeof(*rules);

/* How many there may be in one request, wherever they stand: settings (MS-ASCMD 3.1.5.10). */
struct limit {
	uint16_t root, parent;
	uint16_t children[5]; /* counted together; 0 at the end */
	const char *setting;
	unsigned status;
};

static const struct limit limits[] = {
	{ AirSync_Sync, AirSync_Commands,
		{ AirSync_Add, AirSync_Change, AirSync_Delete, AirSync_Fetch, 0 },
		"sync_commands_max", EAS_SYNC_PROTOCOL },
	{ GetItemEstimate_GetItemEstimate, GetItemEstimate_Collections,
		{ GetItemEstimate_Collection, 0 }, "estimate_collections_max", EAS_INVALID_XML },
	{ Move_MoveItems, Move_MoveItems, { Move_Move, 0 }, "moveitems_max", EAS_INVALID_XML },
	{ ItemOperations_ItemOperations, ItemOperations_ItemOperations,
		{ ItemOperations_EmptyFolderContents, ItemOperations_Fetch, ItemOperations_Move,
			0 },
		"itemoperations_max", EAS_OPERATIONS_TOO_MANY },
	{ MeetingResponse_MeetingResponse, MeetingResponse_MeetingResponse,
		{ MeetingResponse_Request, 0 }, "meetingresponse_max", EAS_INVALID_XML },
	{ ResolveRecipients_ResolveRecipients, ResolveRecipients_ResolveRecipients,
		{ ResolveRecipients_To, 0 }, "resolverecipients_max", EAS_RESOLVE_PROTOCOL },
	{ ValidateCert_ValidateCert, ValidateCert_Certificates, { ValidateCert_Certificate, 0 },
		"validatecert_max", EAS_VALIDATE_PROTOCOL },
};

/* Children that must follow each other so; others may stand anywhere. */
struct order {
	uint16_t root, parent;
	uint16_t children[10]; /* 0 at the end */
};

/* MS-ASCMD 2.2.3.29.2 ("a strict ordering"); MS-ASAIRS 2.2.2.11, 2.2.2.12. */
#define PREFERENCE_ORDER                                                             \
	{                                                                            \
		AirSyncBase_Type, AirSyncBase_TruncationSize, AirSyncBase_AllOrNone, \
			AirSyncBase_Preview                                          \
	}
static const struct order orders[] = {
	{ AirSync_Sync, AirSync_Collection,
		{ AirSync_SyncKey, AirSync_CollectionId, AirSync_Supported, AirSync_DeletesAsMoves,
			AirSync_GetChanges, AirSync_WindowSize, AirSync_ConversationMode,
			AirSync_Options, AirSync_Commands } },
	{ AirSync_Sync, AirSyncBase_BodyPreference, PREFERENCE_ORDER },
	{ AirSync_Sync, AirSyncBase_BodyPartPreference, PREFERENCE_ORDER },
	{ ItemOperations_ItemOperations, AirSyncBase_BodyPreference, PREFERENCE_ORDER },
	{ ItemOperations_ItemOperations, AirSyncBase_BodyPartPreference, PREFERENCE_ORDER },
};

/* What a walk carries along. */
struct walk {
	uint16_t root;
	const struct rule *begin, *end; /* the rows of this root */
	enum eas_version version;
	bool broken;	 /* something is wrong; the first is told */
	unsigned status; /* of what is wrong; 0: the command's own */
	struct mf_error *err;
};

static const char *
name(uint16_t tag)
{
	const char *s = wbxml_tag_name(tag);
	return s == NULL ? "?" : s;
}

static bool
number(const char *s, uint32_t max)
{
	uint32_t n;
	return *s == '\0' || str_to_u32(s, max, &n);
}

static bool
digits(const char *s)
{
	return s[strspn(s, "0123456789")] == '\0';
}

static bool
fits(const struct wbxml_node *n, enum type type)
{
	const char *s = wbxml_value(n);
	switch (type) {
	case ANY:
	case STRUCT:
		return true;
	case TEXT:
		return n->children == NULL;
	case KEY:
		return n->children == NULL && strlen(s) <= ID_MAX;
	case ID:
		return n->children == NULL && *s != '\0' && strlen(s) <= ID_MAX;
	case UINT:
		return n->children == NULL && number(s, UINT32_MAX);
	case BYTE:
		return n->children == NULL && number(s, UINT8_MAX);
	case UPTO_8:
		return n->children == NULL && number(s, 8);
	case UPTO_2:
		return n->children == NULL && number(s, 2);
	case COUNT:
		return n->children == NULL && digits(s);
	case INT:
		return n->children == NULL &&
		       (digits(s) || (s[0] == '-' && s[1] != '\0' && digits(s + 1)));
	case BOOL:
		return n->children == NULL &&
		       (*s == '\0' || strcmp(s, "0") == 0 || strcmp(s, "1") == 0);
	}
	return false;
}

static void
broken(struct walk *w, const struct rule *r, const char *why)
{
	if (w->broken)
		return;
	w->broken = true;
	w->status = r->status;
	mf_fail(w->err, MF_INVALID, "request: %s in %s: %s", name(r->child), name(r->parent), why);
}

static void
check_rule(struct walk *w, const struct rule *r, const struct wbxml_node *parent)
{
	unsigned n = 0;
	for (const struct wbxml_node *c = parent->children; c != NULL && n <= r->max; c = c->next) {
		if (c->tag != r->child)
			continue;
		n++;
		if (!fits(c, r->type))
			broken(w, r, "wrong content");
	}
	if (n < r->min)
		broken(w, r, "missing");
	else if (n > r->max)
		broken(w, r, "too many");
}

static void
check_order(struct walk *w, const struct wbxml_node *n)
{
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		const struct order *o = &orders[i];
		if (w->broken || o->root != w->root || o->parent != n->tag ||
			schema_in_order(n, o->children))
			continue;
		w->broken = true;
		mf_fail(w->err, MF_INVALID, "request: children of %s out of order", name(n->tag));
	}
}

static void
check_node(struct walk *w, const struct wbxml_node *n)
{
	check_order(w, n);
	for (const struct rule *r = w->begin; r < w->end; r++)
		if (r->parent == n->tag && r->first <= w->version && w->version <= r->last)
			check_rule(w, r, n);
	for (const struct wbxml_node *c = n->children; c != NULL && !w->broken; c = c->next)
		if (c->children != NULL || c->text == NULL)
			check_node(w, c);
}

static bool
counts(const struct limit *l, uint16_t parent, uint16_t child)
{
	for (size_t i = 0; parent == l->parent && l->children[i] != 0; i++)
		if (l->children[i] == child)
			return true;
	return false;
}

static int64_t
count(const struct wbxml_node *n, const struct limit *l)
{
	int64_t sum = 0;
	for (const struct wbxml_node *c = n->children; c != NULL; c = c->next) {
		sum += counts(l, n->tag, c->tag);
		if (c->children != NULL)
			sum += count(c, l);
	}
	return sum;
}

/* The limit that is exceeded; NULL: none is. */
static const struct limit *
check_limits(const struct eas_request *r, struct mf_error *err)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		const struct limit *l = &limits[i];
		if (l->root != r->root->tag ||
			count(r->root, l) <= mf_conf_number(r->server->conf, l->setting))
			continue;
		mf_fail(err, MF_INVALID, "request: more than %s", l->setting);
		return l;
	}
	return NULL;
}

static struct walk
walk_of(uint16_t root, enum eas_version version, struct mf_error *err)
{
	struct walk w = { .root = root, .begin = rules, .version = version, .err = err };
	while (w.begin < rules + rules_n && w.begin->root != root)
		w.begin++;
	w.end = w.begin;
	while (w.end < rules + rules_n && w.end->root == root)
		w.end++;
	return w;
}

enum mf_status
schema_check(const struct eas_request *r, unsigned *status, struct mf_error *err)
{
	*status = eas_status_at(r->command->place, MF_INVALID);
	if (r->root->tag != r->command->root)
		return mf_fail(err, MF_INVALID, "request: the root is %s", name(r->root->tag));
	struct walk w = walk_of(r->command->root, r->version, err);
	check_node(&w, r->root);
	if (!w.broken) {
		const struct limit *l = check_limits(r, err);
		if (l != NULL)
			*status = l->status;
		return l == NULL ? MF_OK : MF_INVALID;
	}
	if (w.status != 0)
		*status = w.status;
	return MF_INVALID;
}

bool
schema_in_order(const struct wbxml_node *parent, const uint16_t *order)
{
	size_t last = 0;
	for (const struct wbxml_node *c = parent->children; c != NULL; c = c->next) {
		size_t i = 0;
		while (order[i] != 0 && order[i] != c->tag)
			i++;
		if (order[i] != 0 && i < last)
			return false;
		if (order[i] != 0)
			last = i;
	}
	return true;
}

bool
schema_bool(const struct wbxml_node *parent, uint16_t tag, bool absent)
{
	const char *s = wbxml_child_value(parent, tag);
	return s == NULL ? absent : strcmp(s, "0") != 0;
}

uint64_t
schema_number(const struct wbxml_node *parent, uint16_t tag, uint64_t absent)
{
	uint64_t n;
	const char *s = wbxml_child_value(parent, tag);
	if (s == NULL || *s == '\0' || !digits(s))
		return absent;
	return str_to_u64(s, UINT64_MAX, &n) ? n : UINT64_MAX;
}

uint32_t
schema_u32(const struct wbxml_node *parent, uint16_t tag, uint32_t absent)
{
	uint64_t n = schema_number(parent, tag, absent);
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}
