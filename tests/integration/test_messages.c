/*
 * Whole mailboxes of messages as they are, nested folders, charsets and damage included: every folder is
 * synchronised to the last message in every form of body, all text is fit for a phone, and a second Sync
 * finds nothing. The demonstration mailbox always, the real messages where MAILFERRY_CORPUS is set.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "phone.h"

/* Folders that hold mail: not Outbox (6), nor what is no mail. */
static bool
holds_mail(unsigned type)
{
	return (type >= 2 && type <= 5) || type == 12;
}

static void
check_text(const struct client_item *item, unsigned body_type)
{
	const struct {
		const char *what, *text;
	} texts[] = { { "subject", item->subject }, { "from", item->from }, { "to", item->to },
		{ "date", item->date } };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		cr_assert(utf8_valid_xml(texts[i].text, strlen(texts[i].text)),
			"item %s: %s is fit for XML", item->id, texts[i].what);
	cr_assert_neq(item->date[0], '\0', "item %s has a date", item->id);
	cr_assert_neq(item->body_type, 0, "item %s has a body", item->id);
	if (body_type != 4)
		cr_assert(utf8_valid_xml((const char *)item->body.data, item->body.len),
			"item %s: the body is fit for XML", item->id);
	cr_assert_leq(item->body.len, 5120, "item %s: the body is cut", item->id);
}

static size_t
sync_folder(struct phone *p, struct client_folder *f)
{
	const struct client_item **items;
	struct client_sync_result r = phone_sync(p, f->id);

	cr_assert_eq(r.added, f->n_items, "%s: each came once", f->name);
	items = client_items_sorted(f);
	for (size_t i = 0; i < f->n_items; i++)
		check_text(items[i], p->options.body_type);
	free(items);
	r = phone_sync(p, f->id);
	cr_assert_eq(r.added + r.changed + r.deleted, 0, "%s: then nothing", f->name);
	return f->n_items;
}

static size_t
sync_mailbox(const struct gateway *g, const char *user, unsigned body_type)
{
	char device[20];
	size_t n = 0;
	struct phone *p;

	snprintf(device, sizeof device, "phone%u", body_type);
	p = phone_new(g, user, NULL, device);
	p->options.body_type = body_type;
	p->options.truncation = 5120;
	p->options.mime_support = body_type == 4 ? 2 : -1;
	p->options.keep_bodies = true;
	p->options.window = 100;
	phone_hierarchy(p);
	for (size_t i = 0; i < p->mailbox->n_folders; i++)
		if (holds_mail(p->mailbox->folders[i]->type))
			n += sync_folder(p, p->mailbox->folders[i]);
	phone_free(p);
	return n;
}

static void
whole_mailbox(const char *options, const char *command, size_t expected)
{
	static const unsigned body_types[] = { 1, 2, 4 };
	struct dovecot d;
	struct gateway g;

	dovecot_start(&d, options);
	dovecot_fill(&d, "demo", command);
	gateway_start(&g, &d, "");
	for (size_t i = 0; i < sizeof body_types / sizeof body_types[0]; i++) {
		size_t n = sync_mailbox(&g, "demo", body_types[i]);

		cr_assert_eq(n, expected, "body type %u: %zu messages instead of %zu",
			body_types[i], n, expected);
	}
	gateway_end(&g);
	dovecot_end(&d);
}

Test(messages, demonstration, .timeout = 240)
{
	whole_mailbox("", "contrib/demo/messages", 345);
}

Test(messages, demonstration_in_mdbox, .timeout = 240)
{
	whole_mailbox("--format mdbox --separator .", "contrib/demo/messages", 345);
}

Test(messages, corpus, .timeout = 900)
{
	if (getenv("MAILFERRY_CORPUS") == NULL)
		return;
	whole_mailbox("--format sdbox", "contrib/tools/corpus maildir", 6046);
}
