/*
 * TNEF: attributes one after the other, some of which hold MAPI properties. A cursor with a sticky
 * error reads them; nothing is believed but the bytes that are there. Knows no MIME.
 */
#include "mime/tnef.h"

#include <stdio.h>
#include <string.h>

#include "mime/attachment.h"
#include "mime/charset.h"
#include "mime/rtf.h"

enum {
	SIGNATURE = 0x223e9f78,
	PROPERTIES_MAX = 2000, /* of one object */
	VALUES_MAX = 1000,     /* of one property */
	TEXT_MAX = 4 << 20,    /* bytes of a text that are read */
	LINE_MAX = 4096,       /* of one that is a name, a place or a subject */
	DEPTH_MAX = 4,	       /* messages within messages */
};

/* Attributes (MS-OXTNEF 2.1.3.2), without their type. */
enum attribute {
	ATT_MESSAGE_CLASS = 0x8008,
	ATT_BODY = 0x800c,
	ATT_ATTACH_DATA = 0x800f,
	ATT_ATTACH_TITLE = 0x8010,
	ATT_ATTACH_RENDDATA = 0x9002, /* a new attachment begins */
	ATT_MSG_PROPS = 0x9003,
	ATT_ATTACHMENT = 0x9005, /* properties of an attachment */
	ATT_OEM_CODEPAGE = 0x9007,
};

/* MAPI properties. */
enum property {
	PR_BODY = 0x1000,
	PR_RTF_COMPRESSED = 0x1009,
	PR_HTML = 0x1013,
	PR_ATTACH_DATA = 0x3701,
	PR_ATTACH_FILENAME = 0x3704,
	PR_ATTACH_LONG_FILENAME = 0x3707,
	PR_ATTACH_MIME_TAG = 0x370e,
	PR_ATTACH_CONTENT_ID = 0x3712,
	PR_INTERNET_CPID = 0x3fde,
};

enum type {
	PT_OBJECT = 0x0d,
	PT_STRING8 = 0x1e,
	PT_UNICODE = 0x1f,
	PT_BINARY = 0x102,
	PT_MULTIPLE = 0x1000,
};

/* After a failure every read gives zeros and nothing. */
struct cursor {
	const uint8_t *p;
	size_t left;
	bool failed;
};

struct reader {
	struct mf_arena *a;
	struct mime_tnef *out;
	struct mime_tnef_file *file; /* the attachment that is being read */
	size_t cap;
	unsigned codepage;
	struct mf_bytes rtf; /* compressed */
	struct mime_tnef_meeting meeting;
};

static struct mf_bytes
take(struct cursor *c, size_t n)
{
	struct mf_bytes b = { c->p, n };

	if (c->failed || n > c->left) {
		c->failed = true;
		return mf_bytes(NULL, 0);
	}
	c->p += n;
	c->left -= n;
	return b;
}

static uint32_t
take_number(struct cursor *c, size_t n)
{
	struct mf_bytes b = take(c, n);
	uint32_t v = 0;

	for (size_t i = b.len; i > 0; i--)
		v = v << 8 | b.data[i - 1];
	return v;
}

static uint16_t
take_u16(struct cursor *c)
{
	return (uint16_t)take_number(c, 2);
}

static uint32_t
take_u32(struct cursor *c)
{
	return take_number(c, 4);
}

/* ---- Strings ---- */

static const char *
string(struct reader *r, struct mf_bytes b, bool unicode)
{
	char label[24];

	if (b.len > TEXT_MAX)
		b.len = TEXT_MAX;
	snprintf(label, sizeof(label), unicode ? "utf-16le" : "cp%u", r->codepage);
	if (unicode)
		while (b.len >= 2 && b.data[b.len - 1] == 0 && b.data[b.len - 2] == 0)
			b.len -= 2;
	else
		while (b.len > 0 && b.data[b.len - 1] == 0)
			b.len--;
	return mime_charset_dup(r->a, label, NULL, b.data, b.len);
}

/* One line, for names and types. */
static const char *
line(struct reader *r, struct mf_bytes b, bool unicode)
{
	return mime_text_decode(r->a, mf_bytes_str(string(r, b, unicode)), "utf-8");
}

/* ---- Properties ---- */

static size_t
fixed_size(unsigned type)
{
	switch (type) {
	case 0x05: /* double */
	case 0x06: /* currency */
	case 0x07: /* application time */
	case 0x14: /* 64 bits */
	case 0x40: /* time */
		return 8;
	case 0x48: /* GUID */
		return 16;
	default: /* 16 and 32 bits, boolean, error: padded to 4 */
		return 4;
	}
}

static bool
is_variable(unsigned type)
{
	return type == PT_STRING8 || type == PT_UNICODE || type == PT_BINARY || type == PT_OBJECT;
}

/* A named property's number where its set is known, else one that nobody knows. */
static unsigned
take_name(struct cursor *c)
{
	static const uint8_t appointment[16] = { 0x02, 0x20, 0x06, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0,
		0, 0, 0x46 };
	static const uint8_t meeting[16] = { 0x90, 0xda, 0xd8, 0x6e, 0x0b, 0x45, 0x1b, 0x10, 0x98,
		0xda, 0x00, 0xaa, 0x00, 0x3f, 0x13, 0x05 };
	struct mf_bytes set = take(c, 16);
	unsigned number = 0;

	if (take_u32(c) == 0) {
		number = take_u32(c) & 0xffff;
	} else {
		uint32_t len = take_u32(c);

		take(c, len);
		take(c, (4 - len % 4) % 4);
		return 0;
	}
	if (set.len == 16 && memcmp(set.data, appointment, 16) == 0)
		return TNEF_APPOINTMENT | number;
	return set.len == 16 && memcmp(set.data, meeting, 16) == 0 ? TNEF_MEETING | number : 0;
}

/* The (first) value of a property. */
static struct mf_bytes
take_value(struct cursor *c, unsigned type)
{
	unsigned plain = type & ~(unsigned)PT_MULTIPLE;
	struct mf_bytes first = { NULL, 0 };
	uint32_t count = 1;

	if ((type & PT_MULTIPLE) != 0 || is_variable(plain))
		count = take_u32(c);
	if (count > VALUES_MAX)
		c->failed = true;
	for (uint32_t i = 0; i < count && !c->failed; i++) {
		size_t len = is_variable(plain) ? take_u32(c) : fixed_size(plain);
		struct mf_bytes value = take(c, len);

		take(c, is_variable(plain) ? (4 - len % 4) % 4 : 0);
		if (i == 0)
			first = value;
	}
	return first;
}

typedef void property_fn(struct reader *r, unsigned id, unsigned type, struct mf_bytes value);

static void
read_properties(struct reader *r, struct mf_bytes data, property_fn *fn)
{
	struct cursor c = { data.data, data.len, false };
	uint32_t n = take_u32(&c);

	for (uint32_t i = 0; i < n && i < PROPERTIES_MAX && !c.failed; i++) {
		unsigned type = take_u16(&c), id = take_u16(&c);
		struct mf_bytes value;

		if (id >= 0x8000)
			id = take_name(&c);
		value = take_value(&c, type);
		if (!c.failed)
			fn(r, id, type, value);
	}
}

static void
on_message_property(struct reader *r, unsigned id, unsigned type, struct mf_bytes value)
{
	const bool is_text = type == PT_UNICODE || type == PT_STRING8;

	if (value.len <= LINE_MAX || !is_text)
		tnef_meeting_property(r->a, &r->meeting, id, value,
			is_text ? line(r, value, type == PT_UNICODE) : NULL);
	if (id == PR_INTERNET_CPID && value.len == 4) {
		unsigned codepage = value.data[0] | (unsigned)value.data[1] << 8;

		r->codepage = codepage > 0 ? codepage : r->codepage;
	} else if (id == PR_BODY && (type == PT_UNICODE || type == PT_STRING8)) {
		r->out->text = string(r, value, type == PT_UNICODE);
	} else if (id == PR_HTML && (type == PT_BINARY || type == PT_STRING8)) {
		r->out->html = string(r, value, false);
	} else if (id == PR_HTML && type == PT_UNICODE) {
		r->out->html = string(r, value, true);
	} else if (id == PR_RTF_COMPRESSED && type == PT_BINARY) {
		r->rtf = value;
	}
}

/* Of the text in RTF what is not there in a better form. */
static void
read_rtf(struct reader *r)
{
	struct mf_buf plain;
	struct mime_rtf rtf;

	if (r->rtf.len == 0 || r->out->html != NULL)
		return;
	mf_buf_init(&plain, 0);
	if (mime_rtf_decompress(r->rtf, TEXT_MAX, &plain, NULL) == MF_OK) {
		mime_rtf_read(r->a, mf_buf_bytes(&plain), &rtf);
		r->out->html = rtf.html;
		if (r->out->text == NULL)
			r->out->text = rtf.text;
	}
	mf_buf_deinit(&plain);
}

/* Embedded messages and OLE objects begin with the id of their interface. */
static void
set_object(struct mime_tnef_file *f, struct mf_bytes value)
{
	static const uint8_t message[16] = { 0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0,
		0, 0x46 };

	if (value.len < 16)
		return;
	f->is_message = memcmp(value.data, message, 16) == 0;
	f->is_object = !f->is_message;
	f->data = mf_bytes(value.data + 16, value.len - 16);
}

static void
on_file_property(struct reader *r, unsigned id, unsigned type, struct mf_bytes value)
{
	struct mime_tnef_file *f = r->file;
	bool unicode = type == PT_UNICODE;

	if (id == PR_ATTACH_DATA && type == PT_OBJECT) {
		set_object(f, value);
		return;
	}
	if (id == PR_ATTACH_DATA && type == PT_BINARY) {
		f->data = value;
		return;
	}
	if (!unicode && type != PT_STRING8)
		return;
	if (id == PR_ATTACH_LONG_FILENAME || (id == PR_ATTACH_FILENAME && f->name == NULL))
		f->name = line(r, value, unicode);
	else if (id == PR_ATTACH_MIME_TAG)
		f->type = line(r, value, unicode);
	else if (id == PR_ATTACH_CONTENT_ID)
		f->content_id = line(r, value, unicode);
}

/* ---- Attributes ---- */

static void
new_file(struct reader *r)
{
	struct mime_tnef *out = r->out;

	r->file = NULL;
	if (out->n_files == MIME_TNEF_FILES_MAX)
		return;
	if (out->n_files == r->cap) {
		struct mime_tnef_file *more =
			mf_new_array(r->a, struct mime_tnef_file, r->cap * 2 + 4);

		if (out->n_files > 0)
			memcpy(more, out->files, out->n_files * sizeof(*more));
		out->files = more;
		r->cap = r->cap * 2 + 4;
	}
	r->file = &out->files[out->n_files++];
}

static void
on_attribute(struct reader *r, unsigned id, struct mf_bytes data)
{
	switch (id) {
	case ATT_OEM_CODEPAGE:
		if (data.len >= 4)
			r->codepage = data.data[0] | (unsigned)data.data[1] << 8;
		break;
	case ATT_MESSAGE_CLASS:
		r->out->message_class = line(r, data, false);
		tnef_meeting_class(&r->meeting, r->out->message_class);
		break;
	case ATT_BODY:
		if (r->out->text == NULL)
			r->out->text = string(r, data, false);
		break;
	case ATT_MSG_PROPS:
		read_properties(r, data, on_message_property);
		break;
	case ATT_ATTACH_RENDDATA:
		new_file(r);
		break;
	case ATT_ATTACH_TITLE:
		if (r->file != NULL && r->file->name == NULL)
			r->file->name = line(r, data, false);
		break;
	case ATT_ATTACH_DATA:
		if (r->file != NULL)
			r->file->data = data;
		break;
	case ATT_ATTACHMENT:
		if (r->file != NULL)
			read_properties(r, data, on_file_property);
		break;
	default:
		break;
	}
}

/* What a file lacks is made up. */
static void
finish(struct reader *r)
{
	for (size_t i = 0; i < r->out->n_files; i++) {
		struct mime_tnef_file *f = &r->out->files[i];

		f->name = f->name == NULL ? "" : mime_clean_name(r->a, f->name);
		if (*f->name == '\0')
			f->name = mf_printf(
				r->a, "attachment-%zu.%s", i + 1, f->is_message ? "msg" : "bin");
		if (f->type == NULL || *f->type == '\0')
			f->type = "application/octet-stream";
		if (f->content_id != NULL && *f->content_id == '\0')
			f->content_id = NULL;
	}
}

static enum mf_status read_all(struct mf_arena *a, struct mf_bytes data, unsigned depth,
	struct mime_tnef *out, struct mf_error *err);

/* A message in place of which its text stands, as a file. */
static bool
become_text(struct mf_arena *a, struct mime_tnef_file *f, const struct mime_tnef *t)
{
	size_t len = strlen(f->name);

	if (t->html == NULL && t->text == NULL)
		return false;
	if (len > 4 && strcmp(f->name + len - 4, ".msg") == 0)
		len -= 4;
	f->name = mf_printf(a, "%.*s.%s", (int)len, f->name, t->html != NULL ? "html" : "txt");
	f->type = t->html != NULL ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
	f->data = mf_bytes_str(t->html != NULL ? t->html : t->text);
	f->is_message = false;
	return true;
}

/* What is in the messages that are attached comes behind the files; what cannot be read stays closed. */
static void
open_messages(struct reader *r, unsigned depth)
{
	struct mime_tnef *out = r->out;
	size_t n = out->n_files;

	for (size_t i = 0; i < n && depth < DEPTH_MAX; i++) {
		struct mime_tnef t;
		size_t from = 0;

		if (!out->files[i].is_message ||
			read_all(r->a, out->files[i].data, depth + 1, &t, NULL) != MF_OK)
			continue;
		if (!become_text(r->a, &out->files[i], &t) && t.n_files > 0)
			out->files[i] = t.files[from++];
		for (; from < t.n_files; from++) {
			new_file(r);
			if (r->file != NULL)
				*r->file = t.files[from];
		}
	}
}

static enum mf_status
read_all(struct mf_arena *a, struct mf_bytes data, unsigned depth, struct mime_tnef *out,
	struct mf_error *err)
{
	struct reader r = { .a = a, .out = out, .codepage = 1252 };
	struct cursor c = { data.data, data.len, false };

	memset(out, 0, sizeof(*out));
	tnef_meeting_init(&r.meeting);
	if (take_u32(&c) != SIGNATURE)
		return mf_fail(err, MF_INVALID, "mime: no TNEF");
	take_u16(&c); /* a key of no meaning */
	while (c.left > 0 && !c.failed) {
		unsigned id;
		struct mf_bytes value;

		take(&c, 1); /* level: the ids tell as well */
		id = take_u16(&c);
		take_u16(&c); /* type */
		value = take(&c, take_u32(&c));
		if (!c.failed)
			on_attribute(&r, id, value);
		take_u16(&c); /* checksum */
	}
	read_rtf(&r);
	if (tnef_meeting_good(&r.meeting)) {
		struct mime_tnef_meeting *m = mf_new(a, struct mime_tnef_meeting);

		*m = r.meeting;
		out->meeting = m;
	}
	finish(&r);
	open_messages(&r, depth);
	return MF_OK;
}

enum mf_status
mime_tnef_read(
	struct mf_arena *a, struct mf_bytes data, struct mime_tnef *out, struct mf_error *err)
{
	return read_all(a, data, 0, out, err);
}
