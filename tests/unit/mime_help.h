/*
 * Everything that src/mime does to one message, with what must hold whatever the message is. Shared by
 * the unit tests and the fuzz target; a broken promise aborts.
 */
#ifndef MIME_HELP_H
#define MIME_HELP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "mime/body.h"
#include "mime/build.h"
#include "mime/charset.h"
#include "mime/decode.h"
#include "mime/structure.h"

static inline void
mime_require(bool held, const char *what)
{
	if (held)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

/* Valid for any phone, without controls. */
static inline void
mime_require_line(const char *s)
{
	size_t len = strlen(s);

	mime_require(utf8_valid_xml(s, len), "a string is valid UTF-8 and XML");
	mime_require(strpbrk(s, "\r\n\t") == NULL, "a string is one line");
}

static inline void
mime_exercise_field(struct mf_arena *a, const struct mime_field *f, const char *charset)
{
	struct mime_content_type type;
	struct mime_addresses list;
	struct mime_ids ids;
	int64_t when;

	mime_require_line(mime_text_decode(a, f->value, charset));
	mime_addresses_parse(a, f->value, charset, &list);
	mime_require(list.n <= MIME_ADDRESSES_MAX, "addresses are bounded");
	for (size_t i = 0; i < list.n; i++) {
		mime_require_line(list.list[i].name);
		mime_require_line(list.list[i].addr);
		mime_require(*list.list[i].name != '\0' || *list.list[i].addr != '\0',
			"no empty address");
	}
	mime_require_line(mime_addresses_full(a, &list, 1000));
	mime_require(strlen(mime_addresses_full(a, &list, 1000)) <= 1000, "cut addresses");
	mime_require_line(mime_addresses_display(a, &list, 1000));
	mime_ids_parse(a, f->value, &ids);
	for (size_t i = 0; i < ids.n; i++)
		mime_require_line(ids.list[i]);
	mime_content_type_parse(a, f->value, &type);
	mime_require(*type.type != '\0' && *type.subtype != '\0', "a type");
	mime_require_line(type.type);
	if (mime_date_parse(f->value, &when))
		mime_require(when > -3000000000 && when < 300000000000, "a date of this world");
}

static inline void
mime_exercise_body(struct mf_arena *a, const struct mime_message *m, const struct mime_text *t)
{
	static const size_t limits[] = { SIZE_MAX, 0, 1, 2, 3, 7, 500, 5120 };
	struct mime_piece pieces[MIME_TEXTS_MAX];
	struct mime_body body;
	const char *preview;

	for (size_t i = 0; i < t->n; i++)
		pieces[i] = (struct mime_piece){ t->parts[i], mime_message_part(m, t->parts[i]),
			false };
	for (size_t i = 0; i < 2 * sizeof(limits) / sizeof(limits[0]); i++) {
		size_t max = limits[i / 2];
		enum mime_format format = i % 2 == 0 ? MIME_PLAIN : MIME_HTML;

		for (size_t j = 0; j < t->n; j++) {
			uint64_t need = mime_body_fetch_size(t->parts[j], format, max);

			pieces[j].data = mime_message_part(m, t->parts[j]);
			pieces[j].cut = need > 0 && need < pieces[j].data.len;
			if (pieces[j].cut)
				pieces[j].data.len = (size_t)need;
		}
		mime_body_render(a, pieces, t->n, format, max, &body);
		mime_require(utf8_valid_xml(body.text, body.len), "a body is valid");
		mime_require(body.len <= max && body.text[body.len] == '\0', "a body is cut");
		mime_require(body.size >= body.len + body.truncated, "a body's size");
	}
	preview = mime_body_preview(a, pieces, t->n, 100);
	mime_require_line(preview);
	mime_require(utf8_count(preview, strlen(preview)) <= 100, "a preview is cut");
}

/* Decoding in portions is decoding at once. */
static inline void
mime_exercise_decoder(const struct mf_part *part, struct mf_bytes data)
{
	enum mime_encoding encoding = mime_encoding_parse(part->encoding);
	struct mf_buf whole, pieces;
	struct mime_decoder d;
	size_t step = 1;

	mf_buf_init(&whole, 0);
	mf_buf_init(&pieces, 0);
	mime_decode(encoding, data, &whole);
	mime_decoder_init(&d, encoding);
	for (size_t i = 0; i < data.len; i += step) {
		step = step % 7 + 1;
		mime_decoder_push(
			&d, data.data + i, data.len - i < step ? data.len - i : step, &pieces);
	}
	mime_require(mime_decoder_end(&d, &pieces) == whole.len, "decoded length");
	mime_require(pieces.len == whole.len &&
			     (whole.len == 0 || memcmp(pieces.data, whole.data, whole.len) == 0),
		"decoding in portions");
	mime_require(mime_decoded_length(encoding, data) == whole.len, "counted length");
	mf_buf_deinit(&pieces);
	mf_buf_deinit(&whole);
}

static inline void
mime_exercise_edit(struct mf_bytes raw)
{
	const char *const remove[] = { "Bcc", NULL };
	struct mime_edit edit = { remove, mf_bytes_str("X-Added: 1\r\n") };
	struct mime_edit nothing = { NULL, mf_bytes(NULL, 0) };
	struct mf_buf out, same;
	size_t n;

	mf_buf_init(&out, 0);
	mf_buf_init(&same, 0);
	n = mime_header_edit(&out, raw, &edit);
	mime_require(n <= raw.len, "an edited header's size");
	n = mime_header_edit(&same, raw, &nothing);
	mime_require(same.len >= n && (n == 0 || memcmp(same.data, raw.data, n) == 0),
		"an edit that changes nothing changes nothing");
	mf_buf_deinit(&same);
	mf_buf_deinit(&out);
}

/* A message forwarded and replied to by itself. */
static inline void
mime_exercise_compose(struct mf_bytes raw)
{
	for (int kind = MIME_COMPOSE_REPLY; kind <= MIME_COMPOSE_FORWARD; kind++) {
		struct mime_compose c = {
			.kind = (enum mime_compose_kind)kind, .message = raw, .original = raw
		};
		struct mf_arena *a = mf_arena_new();
		struct mime_segments out;
		struct mime_header h;
		uint64_t size = 0;

		if (mime_compose(a, &c, &out, NULL) == MF_OK) {
			for (size_t i = 0; i < out.n; i++)
				size += out.list[i].len;
			mime_require(size == out.size && out.n > 0, "the size of what is sent");
			mime_header_parse(a, out.list[0], &h);
			mime_require(h.size == out.list[0].len, "the header comes first");
		}
		mf_arena_free(a);
	}
}

static inline void
mime_exercise(struct mf_bytes raw)
{
	struct mf_arena *a = mf_arena_new();
	struct mime_message m;
	struct mime_structure s;

	mime_exercise_edit(raw);
	mime_exercise_compose(raw);
	if (mime_message_parse(a, raw, &m, NULL) == MF_OK) {
		mime_structure_read(a, m.root, &m.header, &s);
		for (size_t i = 0; i < m.header.n && i < 100; i++)
			mime_exercise_field(a, &m.header.fields[i], s.charset);
		mime_exercise_body(a, &m, &s.plain);
		mime_exercise_body(a, &m, &s.html);
		mime_require_line(s.message_class);
		for (size_t i = 0; i < s.n_attachments; i++) {
			const struct mime_attachment *at = &s.attachments[i];

			mime_require_line(at->name);
			mime_require_line(at->type);
			mime_require(*at->name != '\0' && strlen(at->name) <= 220 &&
					     strchr(at->name, '/') == NULL,
				"an attachment's name");
			mime_require(mime_part_find(m.root, at->part->section) == at->part,
				"an attachment can be fetched by its section");
			mime_exercise_decoder(at->part, mime_message_part(&m, at->part));
		}
		if (s.class_detail != NULL)
			mime_class_refine(a, &s, mime_message_part(&m, s.class_detail));
	}
	mf_arena_free(a);
}

#endif
