/* winmail.dat from anybody. */
#include "../unit/mime_help.h"
#include "mime/tnef.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_arena *a = mf_arena_new();
	struct mime_tnef t;

	if (mime_tnef_read(a, mf_bytes(data, size), &t, NULL) == MF_OK) {
		for (size_t i = 0; i < t.n_files; i++) {
			const struct mime_tnef_file *f = &t.files[i];

			mime_require_line(f->name);
			mime_require_line(f->type);
			mime_require(*f->name != '\0', "a file");
			mime_require(
				f->data.len == 0 ||
					(f->data.data > data &&
						f->data.data + f->data.len <= data + size) ||
					utf8_valid_xml((const char *)f->data.data, f->data.len),
				"a view of the input, or a text");
		}
		mime_require(t.text == NULL || utf8_valid_xml(t.text, strlen(t.text)), "text");
		mime_require(t.html == NULL || utf8_valid_xml(t.html, strlen(t.html)), "HTML");
	}
	mf_arena_free(a);
	return 0;
}
