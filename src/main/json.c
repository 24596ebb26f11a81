/* JSON strings. */
#include "main/json.h"

void
main_json_string(struct mf_buf *b, const char *s, size_t len)
{
	mf_buf_add_byte(b, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			mf_buf_printf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			mf_buf_printf(b, "\\u%04x", (unsigned)c);
		else
			mf_buf_add_byte(b, c);
	}
	mf_buf_add_byte(b, '"');
}
