/* Reading a decoded tree. Knows nodes only. */
#include "wbxml/wbxml.h"

static const struct wbxml_node *
find(const struct wbxml_node *n, uint16_t tag)
{
	while (n != NULL && n->tag != tag)
		n = n->next;
	return n;
}

const struct wbxml_node *
wbxml_child(const struct wbxml_node *parent, uint16_t tag)
{
	return parent == NULL ? NULL : find(parent->children, tag);
}

const struct wbxml_node *
wbxml_next(const struct wbxml_node *n)
{
	return find(n->next, n->tag);
}

const char *
wbxml_value(const struct wbxml_node *n)
{
	if (n == NULL)
		return NULL;
	return n->text == NULL ? "" : n->text;
}

const char *
wbxml_child_value(const struct wbxml_node *parent, uint16_t tag)
{
	return wbxml_value(wbxml_child(parent, tag));
}

struct mf_bytes
wbxml_data(const struct wbxml_node *n)
{
	if (n == NULL)
		return mf_bytes(NULL, 0);
	return n->opaque.data != NULL ? n->opaque : mf_bytes_str(n->text);
}
