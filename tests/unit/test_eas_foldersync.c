/* FolderSync against the memory backend: the hierarchy as a phone comes to hold it. */
#include <criterion/criterion.h>

#include "eas_help.h"

static struct gateway g;

static void
setup(void)
{
	gateway_open(&g);
}

static void
teardown(void)
{
	gateway_close(&g);
}

TestSuite(eas_foldersync, .init = setup, .fini = teardown);

/* A phone: what it holds after the answers so far. */
struct held {
	char id[16], parent[16], name[64];
	int type;
};

struct phone {
	char key[32];
	struct held folders[64];
	size_t n;
	unsigned adds, updates, deletes; /* of the last answer */
	unsigned status;
	bool told_server; /* X-MS-RP stood in it */
};

static struct held *
find(struct phone *p, const char *id)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->folders[i].id, id) == 0)
			return &p->folders[i];
	return NULL;
}

static struct held *
named(struct phone *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->folders[i].name, name) == 0)
			return &p->folders[i];
	return NULL;
}

static void
copy(char *to, size_t size, const struct wbxml_node *n, uint16_t tag)
{
	const char *value = wbxml_child_value(n, tag);
	cr_assert_not_null(value, "no %s", wbxml_tag_name(tag));
	snprintf(to, size, "%s", value);
}

/* Parents must be known when a folder comes. */
static void
take_folder(struct phone *p, const struct wbxml_node *n, bool add)
{
	struct held h = { 0 };
	copy(h.id, sizeof(h.id), n, FolderHierarchy_ServerId);
	copy(h.parent, sizeof(h.parent), n, FolderHierarchy_ParentId);
	copy(h.name, sizeof(h.name), n, FolderHierarchy_DisplayName);
	h.type = atoi(wbxml_child_value(n, FolderHierarchy_Type));
	cr_assert(strcmp(h.parent, "0") == 0 || find(p, h.parent) != NULL, "%s has no parent",
		h.name);
	struct held *have = find(p, h.id);
	cr_assert_eq(have == NULL, add, "%s", h.name);
	*(add ? &p->folders[p->n++] : have) = h;
	*(add ? &p->adds : &p->updates) += 1;
}

static void
drop_folder(struct phone *p, const struct wbxml_node *n)
{
	struct held *h = find(p, wbxml_child_value(n, FolderHierarchy_ServerId));
	cr_assert_not_null(h);
	*h = p->folders[--p->n];
	p->deletes++;
}

static void
take(struct phone *p, const struct wbxml_node *root)
{
	const struct wbxml_node *changes = wbxml_child(root, FolderHierarchy_Changes);
	p->status = (unsigned)atoi(wbxml_child_value(root, FolderHierarchy_Status));
	if (p->status != 1)
		return;
	if (strcmp(p->key, "0") == 0)
		p->n = 0;
	copy(p->key, sizeof(p->key), root, FolderHierarchy_SyncKey);
	p->adds = p->updates = p->deletes = 0;
	for (const struct wbxml_node *n = changes->children; n != NULL; n = n->next)
		if (n->tag == FolderHierarchy_Add || n->tag == FolderHierarchy_Update)
			take_folder(p, n, n->tag == FolderHierarchy_Add);
		else if (n->tag == FolderHierarchy_Delete)
			drop_folder(p, n);
	cr_assert_eq((unsigned)atoi(wbxml_child_value(changes, FolderHierarchy_Count)),
		p->adds + p->updates + p->deletes);
}

/* lose: the answer does not arrive. Gives the HTTP status. */
static unsigned
sync_folders(struct phone *p, const char *device, bool lose)
{
	char xml[200], query[100];
	snprintf(xml, sizeof(xml),
		"<FolderSync xmlns=\"FolderHierarchy\"><SyncKey>%s</SyncKey></FolderSync>", p->key);
	snprintf(query, sizeof(query), "Cmd=FolderSync&DeviceId=%s&DeviceType=t", device);
	struct ask q = { .query = query, .version = "14.1", .xml = xml };
	struct eas_request *r = ask(&g, &q);
	unsigned http = r->answer.http_status;
	if (http == 200 && !lose)
		take(p, answer_root(r));
	p->told_server = answer_header(r, "X-MS-RP") != NULL;
	ask_free(r);
	return http;
}

static void
begin(struct phone *p)
{
	*p = (struct phone){ .key = "0" };
	cr_assert_eq(sync_folders(p, "dev1", false), 200);
	cr_assert_eq(p->status, 1);
}

static const struct {
	const char *name;
	int type;
} expected[] = { { "Inbox", 2 }, { "Drafts", 3 }, { "Trash", 4 }, { "Sent", 5 }, { "Outbox", 6 },
	{ "Junk", 12 }, { "Archive", 12 }, { "RecipientInfo", 19 } };

Test(eas_foldersync, initial)
{
	struct phone p;
	begin(&p);
	cr_assert(p.told_server);
	cr_assert_eq(p.n, sizeof(expected) / sizeof(*expected));
	for (size_t i = 0; i < p.n; i++) {
		struct held *h = named(&p, expected[i].name);
		cr_assert_not_null(h, "%s is missing", expected[i].name);
		cr_assert_eq(h->type, expected[i].type, "%s has type %d", h->name, h->type);
	}
}

Test(eas_foldersync, nothing_new)
{
	struct phone p;
	char key[32];
	begin(&p);
	memcpy(key, p.key, sizeof(key));
	cr_assert_eq(sync_folders(&p, "dev1", false), 200);
	cr_assert_eq(p.adds + p.updates + p.deletes, 0);
	cr_assert_str_eq(p.key, key);
	cr_assert_not(p.told_server);
}

Test(eas_foldersync, changes)
{
	struct phone p;
	begin(&p);
	memory_folder(g.world, EAS_USER, "Projects");
	memory_folder(g.world, EAS_USER, "Projects/2024");
	memory_folder(g.world, EAS_USER, "Projects/2024/May");
	sync_folders(&p, "dev1", false);
	cr_assert_eq(p.adds, 3);
	cr_assert_str_eq(named(&p, "2024")->parent, named(&p, "Projects")->id);
	cr_assert_str_eq(named(&p, "May")->parent, named(&p, "2024")->id);
	memory_folder_drop(g.world, EAS_USER, "Projects/2024/May");
	sync_folders(&p, "dev1", false);
	cr_assert_eq(p.deletes, 1);
	cr_assert_eq(p.adds + p.updates, 0);
	cr_assert_null(named(&p, "May"));
}

/* Ids are the same for all devices and for key 0 again; other keys stay good. */
Test(eas_foldersync, stable_ids)
{
	struct phone first, second = { .key = "0" }, again;
	begin(&first);
	sync_folders(&second, "dev2", false);
	begin(&again);
	for (size_t i = 0; i < first.n; i++) {
		cr_assert_str_eq(find(&second, first.folders[i].id)->name, first.folders[i].name);
		cr_assert_str_eq(find(&again, first.folders[i].id)->name, first.folders[i].name);
	}
	cr_assert_eq(sync_folders(&first, "dev1", false), 200);
	cr_assert_eq(first.status, 1);
}

/* A lost answer is told again, also when more has happened since. */
Test(eas_foldersync, lost_answer)
{
	struct phone p;
	begin(&p);
	memory_folder(g.world, EAS_USER, "A");
	sync_folders(&p, "dev1", true);
	sync_folders(&p, "dev1", true);
	memory_folder(g.world, EAS_USER, "B");
	sync_folders(&p, "dev1", true);
	sync_folders(&p, "dev1", false);
	cr_assert_eq(p.status, 1);
	cr_assert_eq(p.adds, 2);
	sync_folders(&p, "dev1", false);
	cr_assert_eq(p.adds + p.updates + p.deletes, 0);
}

/* The first answer is lost when the device already had a hierarchy. */
Test(eas_foldersync, lost_restart)
{
	struct phone p, other;
	begin(&p);
	memory_folder(g.world, EAS_USER, "A");
	other = p;
	snprintf(other.key, sizeof(other.key), "0");
	sync_folders(&other, "dev1", true);
	sync_folders(&p, "dev1", false);
	cr_assert_eq(p.status, 1);
	cr_assert_eq(p.adds, 1);
}

Test(eas_foldersync, unknown_keys)
{
	const char *keys[] = { "1", "4711", "x", "", "-1", "99999999999999999999999999" };
	struct phone p;
	begin(&p);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		snprintf(p.key, sizeof(p.key), "%s", keys[i]);
		cr_assert_eq(sync_folders(&p, "dev1", false), 200);
		cr_assert_eq(p.status, 9, "key %s: %u", keys[i], p.status);
	}
}

/* A key of two generations ago is gone. */
Test(eas_foldersync, old_key)
{
	struct phone p, old;
	begin(&p);
	old = p;
	memory_folder(g.world, EAS_USER, "A");
	sync_folders(&p, "dev1", false);
	memory_folder(g.world, EAS_USER, "B");
	sync_folders(&p, "dev1", false);
	sync_folders(&old, "dev1", false);
	cr_assert_eq(old.status, 9);
}

/* A server without special uses: folders get their roles by name, what is missing is made. */
Test(eas_foldersync, no_special_use)
{
	struct phone p;
	memory_capabilities(g.world, MEMORY_ALL_CAPABILITIES & ~(unsigned)MEMORY_SPECIAL_USE);
	memory_folder_drop(g.world, EAS_USER, "Drafts");
	begin(&p);
	cr_assert_eq(named(&p, "Drafts")->type, 3);
	cr_assert_eq(named(&p, "Sent")->type, 5);
	cr_assert_eq(named(&p, "Trash")->type, 4);
	cr_assert_eq(memory_calls(g.world, MEMORY_FOLDER_CREATE), 1);
}

/* A server that makes no folders: phones still see what they need. */
Test(eas_foldersync, refused_folder)
{
	struct phone p;
	memory_folder_drop(g.world, EAS_USER, "Drafts");
	memory_fail(g.world, MEMORY_FOLDER_CREATE, 0, MF_REFUSED, 0);
	begin(&p);
	cr_assert_eq(named(&p, "Drafts")->type, 3);
	memory_reset(g.world);
	sync_folders(&p, "dev1", false);
	cr_assert_eq(p.status, 1);
	cr_assert_eq(named(&p, "Drafts")->type, 3);
}

/* Down in the middle: no empty hierarchy. */
Test(eas_foldersync, backend_down)
{
	struct phone p;
	begin(&p);
	memory_fail(g.world, MEMORY_FOLDERS, 1, MF_TEMPORARY, 0);
	cr_assert_eq(sync_folders(&p, "dev1", false), 503);
	cr_assert_eq(sync_folders(&p, "dev1", false), 200);
	cr_assert_eq(p.adds + p.updates + p.deletes, 0);
}

/* Names that XML cannot hold. */
Test(eas_foldersync, names)
{
	struct phone p;
	memory_folder(g.world, EAS_USER, "bad\x01\xffname");
	memory_folder(g.world, EAS_USER, "<&>");
	begin(&p);
	cr_assert_not_null(named(&p, "bad\xef\xbf\xbdname"));
	cr_assert_not_null(named(&p, "<&>"));
}
