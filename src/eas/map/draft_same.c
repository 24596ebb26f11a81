/*
 * Does a Change of a draft change anything? Some phones send every draft again, element by element as they
 * got it, and a mail server cannot change a message but by another.
 */
#include <string.h>

#include "base/str.h"
#include "eas/map/draft.h"
#include "mime/body.h"
#include "mime/header.h"
#include "mime/structure.h"

static bool
same_list(const struct mime_addresses *x, const struct mime_addresses *y)
{
	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->list[i].addr, y->list[i].addr) != 0 ||
			strcmp(x->list[i].name, y->list[i].name) != 0)
			return false;
	return true;
}

static bool
same_addresses(struct mf_arena *a, const struct draft *d, const struct mime_header *h)
{
	static const struct {
		uint16_t tag;
		const char *field;
	} rows[] = { { Email_To, "To" }, { Email_Cc, "Cc" }, { Email2_Bcc, "Bcc" },
		{ Email_From, "From" }, { Email_ReplyTo, "Reply-To" } };
	struct mime_addresses old, new;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = wbxml_child_value(d->data, rows[i].tag);

		if (text == NULL)
			continue;
		mime_header_addresses(a, h, rows[i].field, NULL, &old);
		mime_addresses_parse(a, mf_bytes_str(text), "utf-8", &new);
		if (!same_list(&old, &new))
			return false;
	}
	return true;
}

static bool
same_words(struct mf_arena *a, const struct draft *d, const struct mime_header *h)
{
	const char *subject = wbxml_child_value(d->data, Email_Subject);
	const char *importance = wbxml_child_value(d->data, Email_Importance);
	const char *was = mime_header_text(a, h, "Subject", NULL);

	if (subject != NULL && strcmp(subject, was == NULL ? "" : was) != 0)
		return false;
	return importance == NULL ||
	       (strlen(importance) == 1 && importance[0] - '0' == (int)mime_header_importance(h));
}

/* But for line ends, and blanks at the end. */
static bool
same_text(const char *x, size_t nx, const char *y, size_t ny)
{
	size_t i = 0, k = 0;

	while (nx > 0 && strchr(" \t\r\n", x[nx - 1]) != NULL)
		nx--;
	while (ny > 0 && strchr(" \t\r\n", y[ny - 1]) != NULL)
		ny--;
	for (;;) {
		while (i < nx && x[i] == '\r')
			i++;
		while (k < ny && y[k] == '\r')
			k++;
		if (i == nx || k == ny)
			return i == nx && k == ny;
		if (x[i++] != y[k++])
			return false;
	}
}

static bool
same_body(struct mf_arena *a, const struct wbxml_node *body, const struct mime_message *old,
	const struct mime_structure *s)
{
	const char *type = wbxml_child_value(body, AirSyncBase_Type);
	const struct wbxml_node *n = wbxml_child(body, AirSyncBase_Data);
	struct mf_bytes data = n == NULL ? mf_bytes(NULL, 0) : wbxml_data(n);
	bool html = type != NULL && strcmp(type, "2") == 0;
	const struct mime_text *text = html ? &s->html : &s->plain;
	struct mime_piece list[MIME_TEXTS_MAX];
	struct mime_body shown;
	size_t count = 0;

	if (type == NULL || (!html && strcmp(type, "1") != 0))
		return false;
	for (size_t i = 0; i < text->n; i++) {
		const struct mime_place *place = mime_message_place(old, text->parts[i]);

		if (place != NULL)
			list[count++] =
				(struct mime_piece){ .part = text->parts[i], .data = place->body };
	}
	mime_body_render(a, list, count, html ? MIME_HTML : MIME_PLAIN, SIZE_MAX, &shown);
	return same_text(shown.text, shown.len, (const char *)data.data, data.len);
}

bool
draft_same(struct mf_arena *a, const struct draft *d)
{
	const struct wbxml_node *body = wbxml_child(d->data, AirSyncBase_Body);
	const struct wbxml_node *files = wbxml_child(d->data, AirSyncBase_Attachments);
	struct mime_message old;
	struct mime_structure s;
	struct mf_error err;

	if ((files != NULL && files->children != NULL) ||
		mime_message_parse(a, d->old, &old, &err) != MF_OK ||
		!same_addresses(a, d, &old.header) || !same_words(a, d, &old.header))
		return false;
	mime_structure_read(a, old.root, &old.header, &s);
	return body == NULL || same_body(a, body, &old, &s);
}
