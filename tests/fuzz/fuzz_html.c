/* HTML to text, text to HTML and back, format=flowed: valid and bounded whatever comes in. */
#include "../unit/mime_help.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_buf clean, text, html, flowed;

	mf_buf_init(&clean, 0);
	mf_buf_init(&text, 0);
	mf_buf_init(&html, 0);
	mf_buf_init(&flowed, 0);
	utf8_sanitise(&clean, (const char *)data, size);
	mime_html_to_text(&text, (const char *)clean.data, clean.len, 100000, size % 2 == 0);
	mime_require(utf8_valid_xml((const char *)text.data, text.len), "HTML to text is valid");
	mime_text_to_html(&html, (const char *)clean.data, clean.len);
	mime_require(utf8_valid_xml((const char *)html.data, html.len), "text to HTML is valid");
	mime_unflow(&flowed, (const char *)clean.data, clean.len, size % 3 == 0);
	mime_require(utf8_valid_xml((const char *)flowed.data, flowed.len), "unflowed is valid");
	mime_require(mime_html_end((const char *)clean.data, clean.len) <= clean.len, "an end");
	mime_require(mime_html_begin((const char *)clean.data, clean.len) <= clean.len, "a begin");
	mf_buf_deinit(&flowed);
	mf_buf_deinit(&html);
	mf_buf_deinit(&text);
	mf_buf_deinit(&clean);
	return 0;
}
