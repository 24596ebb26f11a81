/* The XML of Autodiscover, as strangers send it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wbxml/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xml_field fields[] = { { .name = "EMailAddress" },
		{ .name = "AcceptableResponseSchema" } };
	struct mf_arena *a = mf_arena_new();
	struct mf_error err = { .text = "" };

	if (xml_fields((const char *)data, size, fields, 2, a, &err) == MF_OK)
		for (size_t i = 0; i < 2; i++)
			if (fields[i].value != NULL && strlen(fields[i].value) > XML_FIELDS_TEXT)
				abort();
	mf_arena_free(a);
	return 0;
}
