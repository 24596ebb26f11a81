/*
 * WBXML from anybody: decoded strictly and tolerantly, shown as XML, read back from it, and decoded
 * again: the same tree.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "wbxml/wbxml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool held)
{
	if (!held)
		abort();
}

/* Whether XML can say it all: not a text and opaque data in one element. */
static bool
plain(const struct wbxml_node *n)
{
	for (; n != NULL; n = n->next) {
		if (n->opaque.data != NULL && (n->text != NULL || n->children != NULL))
			return false;
		if (n->text != NULL && n->children != NULL)
			return false;
		if (!plain(n->children))
			return false;
	}
	return true;
}

static void
same(const struct wbxml_node *a, const struct wbxml_node *b)
{
	for (; a != NULL && b != NULL; a = a->next, b = b->next) {
		const char *text = wbxml_value(a);

		require(a->tag == b->tag);
		require(utf8_valid_xml(text, strlen(text)));
		require(strcmp(text, wbxml_value(b)) == 0);
		require((a->opaque.data == NULL) == (b->opaque.data == NULL));
		require(a->opaque.len == b->opaque.len);
		require(a->opaque.len == 0 ||
			memcmp(a->opaque.data, b->opaque.data, a->opaque.len) == 0);
		same(a->children, b->children);
	}
	require(a == NULL && b == NULL);
}

static void
there_and_back(struct mf_arena *a, const struct wbxml_node *root, bool strict)
{
	struct wbxml_node *again;
	struct mf_buf xml, wbxml;

	mf_buf_init(&xml, 0);
	mf_buf_init(&wbxml, 0);
	wbxml_dump(root, false, &xml);
	require(wbxml_from_xml((const char *)xml.data, xml.len, &wbxml, NULL) == MF_OK);
	require(wbxml_decode(a, mf_buf_bytes(&wbxml), &wbxml_limits_default, strict, &again,
			NULL) == MF_OK);
	if (plain(root))
		same(root, again);
	mf_buf_clear(&xml);
	wbxml_dump(root, true, &xml);
	mf_buf_deinit(&wbxml);
	mf_buf_deinit(&xml);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_arena *a = mf_arena_new();
	struct wbxml_node *root;
	struct mf_buf xml;

	for (int strict = 0; strict <= 1; strict++)
		if (wbxml_decode(a, mf_bytes(data, size), &wbxml_limits_default, strict, &root,
			    NULL) == MF_OK)
			there_and_back(a, root, strict);
	mf_buf_init(&xml, 0);
	if (size > 0 && data[0] == '<')
		wbxml_from_xml((const char *)data, size, &xml, NULL);
	mf_buf_deinit(&xml);
	mf_arena_free(a);
	return 0;
}
