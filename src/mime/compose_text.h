/* The text of replies and forwards, for the folder's own use. */
#ifndef MIME_COMPOSE_TEXT_H
#define MIME_COMPOSE_TEXT_H

#include "mime/body.h"
#include "mime/build.h"
#include "mime/structure.h"

/* The whole text of a message in one format. */
struct mf_bytes mime_whole_text(struct mf_arena *a, const struct mime_message *m,
	const struct mime_text *t, enum mime_format format);

/* The new text with the original's below it. */
void mime_add_original(struct mf_arena *a, struct mf_buf *out, struct mf_bytes text,
	enum mime_format format, enum mime_compose_kind kind, const struct mime_message *original,
	const struct mime_structure *structure);

/* Appends the content of a text part with its fields: "Content-Type: text/plain; charset=utf-8", a
 * transfer encoding that suits it, an empty line, the encoded text. */
void mime_add_text_entity(struct mf_buf *out, struct mf_bytes text, enum mime_format format);

/* Appends text (lines that end with CRLF or LF; base64: any bytes) in a transfer encoding, with CRLF. */
void mime_add_encoded(struct mf_buf *out, struct mf_bytes text, bool base64);

#endif
