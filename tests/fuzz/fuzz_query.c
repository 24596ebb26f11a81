/* The query and the credentials of a stranger: whatever they are, what comes out is clean text. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "eas/login.h"
#include "eas/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require_clean(const char *s)
{
	if (s != NULL && !utf8_valid_xml(s, strlen(s)))
		abort();
}

static void
require_device_id(const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_arena *a = mf_arena_new();
	const char *text = mf_strndup(a, (const char *)data, size);
	struct eas_query q;
	struct mf_login login;

	if (query_parse(a, text, &q, NULL) == MF_OK) {
		const char *all[] = { q.command, q.device_type, q.user, q.collection_id, q.item_id,
			q.long_id, q.occurrence, q.attachment_name };
		for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
			require_clean(all[i]);
		require_device_id(q.device_id);
	}
	if (login_parse(a, text, &login) && login.token == NULL &&
		(*login.user == '\0' || strchr(login.user, ':')))
		abort();
	mf_arena_free(a);
	return 0;
}
