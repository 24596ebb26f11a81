/* Knows XML by expat, and no element. */
#include "wbxml/fields.h"

#include <expat.h>
#include <string.h>

#include "base/str.h"

struct parse {
	XML_Parser parser;
	struct xml_field *fields;
	size_t n;
	struct mf_arena *a;
	struct xml_field *at; /* the element that is open and wanted; NULL: none */
	char text[XML_FIELDS_TEXT + 1];
	size_t len;
	unsigned depth, at_depth;
	const char *refused;
};

static void
refuse(struct parse *p, const char *why)
{
	p->refused = why;
	XML_StopParser(p->parser, XML_FALSE);
}

static void
on_doctype(void *ctx, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has;
	refuse(ctx, "a document type");
}

static void
on_begin(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct parse *p = ctx;
	const char *local = strrchr(name, '|');

	(void)attributes;
	if (++p->depth > XML_FIELDS_DEPTH) {
		refuse(p, "nested too deep");
		return;
	}
	local = local == NULL ? name : local + 1;
	for (size_t i = 0; i < p->n && p->at == NULL; i++)
		if (p->fields[i].value == NULL && str_ieq(p->fields[i].name, local)) {
			p->at = &p->fields[i];
			p->at_depth = p->depth;
			p->len = 0;
		}
}

static void
on_text(void *ctx, const XML_Char *s, int len)
{
	struct parse *p = ctx;

	if (p->at == NULL)
		return;
	if ((size_t)len > XML_FIELDS_TEXT - p->len) {
		refuse(p, "a text that is too long");
		return;
	}
	memcpy(p->text + p->len, s, (size_t)len);
	p->len += (size_t)len;
}

static const char *
trimmed(struct mf_arena *a, const char *s, size_t len)
{
	static const char blanks[] = " \t\r\n";

	while (len > 0 && strchr(blanks, s[len - 1]) != NULL)
		len--;
	while (len > 0 && strchr(blanks, *s) != NULL) {
		s++;
		len--;
	}
	return mf_strndup(a, s, len);
}

static void
on_end(void *ctx, const XML_Char *name)
{
	struct parse *p = ctx;

	(void)name;
	if (p->at != NULL && p->depth == p->at_depth) {
		p->at->value = trimmed(p->a, p->text, p->len);
		p->at = NULL;
	}
	p->depth--;
}

enum mf_status
xml_fields(const char *xml, size_t len, struct xml_field *fields, size_t n, struct mf_arena *a,
	struct mf_error *err)
{
	struct parse p = { .fields = fields, .n = n, .a = a };
	enum XML_Status ok;

	if (len == 0 || len > XML_FIELDS_BYTES)
		return mf_fail(err, MF_INVALID, "XML of %zu bytes", len);
	p.parser = XML_ParserCreateNS(NULL, '|');
	XML_SetUserData(p.parser, &p);
	XML_SetElementHandler(p.parser, on_begin, on_end);
	XML_SetCharacterDataHandler(p.parser, on_text);
	XML_SetStartDoctypeDeclHandler(p.parser, on_doctype);
	ok = XML_Parse(p.parser, xml, (int)len, 1);
	if (ok != XML_STATUS_OK)
		mf_fail(err, MF_INVALID, "XML: %s",
			p.refused != NULL ? p.refused
					  : XML_ErrorString(XML_GetErrorCode(p.parser)));
	XML_ParserFree(p.parser);
	return ok == XML_STATUS_OK ? MF_OK : MF_INVALID;
}
