/* A raw message from anybody: header, structure, bodies, attachments. */
#include "../unit/mime_help.h"
#include "mime/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mime_init();
	mime_exercise(mf_bytes(data, size));
	return 0;
}
