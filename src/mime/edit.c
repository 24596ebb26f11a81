/* A raw header with fields removed and added; everything else stays byte for byte. */
#include <string.h>

#include "mime/build.h"
#include "mime/field.h"

static bool
listed(const struct mime_field *f, const char *const *names)
{
	for (; names != NULL && *names != NULL; names++)
		if (mime_field_is(f, *names))
			return true;
	return false;
}

size_t
mime_header_edit(struct mf_buf *out, struct mf_bytes raw, const struct mime_edit *edit)
{
	struct mime_scan scan;
	struct mime_field f;
	size_t end = 0;

	mf_buf_add(out, edit->add.data, edit->add.len);
	mime_scan_init(&scan, raw);
	while (mime_scan_next(&scan, &f)) {
		if (!listed(&f, edit->remove))
			mf_buf_add(out, f.whole.data, f.whole.len);
		end = scan.at;
	}
	if (scan.ended) {
		mf_buf_add(out, raw.data + end, scan.at - end);
	} else {
		if (out->len > 0 && out->data[out->len - 1] != '\n')
			mf_buf_add_str(out, "\r\n");
		mf_buf_add_str(out, "\r\n");
	}
	return scan.at;
}
