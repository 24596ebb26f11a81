/*
 * XML to WBXML, for tests and people, never for requests: the only user of expat. Knows the forms that
 * dump.c writes; takes any XML with ActiveSync's namespaces.
 */
#include <expat.h>
#include <stdio.h>

#include "base/str.h"
#include "wbxml/token.h"
#include "wbxml/wbxml.h"

enum { XML_BYTES_MAX = 64 << 20 };

struct xml {
	XML_Parser parser;
	struct wbxml_writer writer;
	struct mf_buf text; /* since the last tag */
	bool nested;	    /* the element that is open has child elements */
	char why[160];	    /* the first failure; "" */
};

static void
fail(struct xml *x, const char *what, const char *which)
{
	if (x->why[0] != '\0')
		return;
	snprintf(x->why, sizeof(x->why), "%s%s", what, which);
	XML_StopParser(x->parser, XML_FALSE);
}

/* "namespace\nname", as expat gives it, to a tag; 0 for none. */
static uint16_t
parse_tag(const char *full)
{
	const char *name = strchr(full, '\n');
	char ns[40];
	uint8_t number[2];

	if (name == NULL || (size_t)(name - full) >= sizeof(ns))
		return 0;
	memcpy(ns, full, (size_t)(name - full));
	ns[name - full] = '\0';
	name++;
	if (strcmp(ns, "Unknown") != 0)
		return wbxml_tag_find(ns, name);
	if (name[0] != 'T' || strlen(name) != 5 || !str_unhex(name + 1, 4, number) ||
		number[1] < WBXML_TOKEN_FIRST || number[1] > WBXML_TOKEN_LAST)
		return 0;
	return (uint16_t)(number[0] << 8 | number[1]);
}

static void
put_base64(struct xml *x, const char *s, size_t len)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_bytes data = str_unbase64(a, s, len);

	if (data.data == NULL)
		fail(x, "no base64 behind ", WBXML_XML_OPAQUE);
	else
		wbxml_opaque(&x->writer, data.data, data.len);
	mf_arena_free(a);
}

/* Writes the text collected so far; blanks beside elements are only layout. */
static void
put_text(struct xml *x, bool beside_elements)
{
	const char *s = mf_buf_str(&x->text), *p = s;
	size_t skip = 0;

	if (beside_elements && strspn(s, " \t\r\n") == x->text.len)
		mf_buf_clear(&x->text);
	while (str_starts(p, WBXML_XML_TEXT))
		p += strlen(WBXML_XML_TEXT);
	if (str_starts(p, WBXML_XML_OPAQUE) && p > s)
		skip = strlen(WBXML_XML_TEXT);
	if (str_starts(s, WBXML_XML_OPAQUE) && x->text.len > 0)
		put_base64(x, s + strlen(WBXML_XML_OPAQUE), x->text.len - strlen(WBXML_XML_OPAQUE));
	else if (x->text.len > 0)
		wbxml_text_n(&x->writer, s + skip, x->text.len - skip);
	mf_buf_clear(&x->text);
}

static void XMLCALL
on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct xml *x = ctx;
	uint16_t tag = parse_tag(name);

	if (tag == 0)
		fail(x, "no such element: ", name);
	else if (attributes[0] != NULL)
		fail(x, "an attribute: ", attributes[0]);
	else if (x->writer.depth == WBXML_DEPTH_MAX)
		fail(x, "nested too deep: ", name);
	if (x->why[0] != '\0')
		return;
	if (x->writer.depth > 0)
		put_text(x, true);
	wbxml_open(&x->writer, tag);
	x->nested = false;
}

static void XMLCALL
on_end(void *ctx, const XML_Char *name)
{
	struct xml *x = ctx;

	(void)name;
	if (x->why[0] != '\0')
		return;
	put_text(x, x->nested);
	if (x->why[0] != '\0')
		return;
	wbxml_close(&x->writer);
	x->nested = true;
}

static void XMLCALL
on_text(void *ctx, const XML_Char *s, int len)
{
	mf_buf_add(&((struct xml *)ctx)->text, s, (size_t)len);
}

static void XMLCALL
on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
	int has_internal_subset)
{
	(void)system_id;
	(void)public_id;
	(void)has_internal_subset;
	fail(ctx, "a document type: ", name);
}

static enum mf_status
parse(struct xml *x, const char *xml, size_t len, struct mf_error *err)
{
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_start, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	if (XML_Parse(x->parser, xml, (int)len, 1) == XML_STATUS_OK)
		return MF_OK;
	return mf_fail(err, MF_INVALID, "xml: line %lu: %s", XML_GetCurrentLineNumber(x->parser),
		x->why[0] != '\0' ? x->why : XML_ErrorString(XML_GetErrorCode(x->parser)));
}

enum mf_status
wbxml_from_xml(const char *xml, size_t len, struct mf_buf *out, struct mf_error *err)
{
	struct xml x = { .parser = NULL };
	enum mf_status st;

	if (len > XML_BYTES_MAX)
		return mf_fail(err, MF_TOO_LARGE, "xml: %zu bytes", len);
	x.parser = XML_ParserCreateNS(NULL, '\n');
	if (x.parser == NULL)
		return mf_fail(err, MF_TEMPORARY, "xml: out of memory");
	mf_buf_init(&x.text, 0);
	wbxml_begin(&x.writer, out);
	st = parse(&x, xml, len, err);
	mf_buf_deinit(&x.text);
	XML_ParserFree(x.parser);
	return st;
}
