/* Squares: one path for the whole code, black on white whatever the page's colours are. */
#include "page/qr.h"

#include <qrencode.h>

#include "page/html.h"

enum { QUIET = 4 }; /* modules around the code, as readers want it */

bool
qr_write(struct mf_buf *out, const char *text, const char *label)
{
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	int size;

	if (code == NULL)
		return false;
	size = code->width + 2 * QUIET;
	html_add(out,
		"<svg class=\"qr\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\" "
		"shape-rendering=\"crispEdges\"><rect width=\"100%%\" height=\"100%%\" "
		"fill=\"#fff\"/><path fill=\"#000\" d=\"",
		(int64_t)size, (int64_t)size, label);
	for (int y = 0; y < code->width; y++)
		for (int x = 0; x < code->width; x++)
			if (code->data[y * code->width + x] & 1)
				mf_buf_printf(out, "M%d %dh1v1h-1z", x + QUIET, y + QUIET);
	html_add(out, "\"/></svg>");
	QRcode_free(code);
	return true;
}
