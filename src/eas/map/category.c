/* Categories and keywords. Knows neither elements nor backends. */
#include "eas/map/category.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mailferry/buf.h"
#include "sync/held.h"

static bool
may_stand(unsigned char c)
{
	return c > ' ' && c < 0x7f && strchr("(){%*\"\\]=", c) == NULL;
}

static const char *
take(struct mf_arena *a, struct mf_buf *b)
{
	const char *copy = mf_strndup(a, (const char *)b->data, b->len);

	mf_buf_deinit(b);
	return copy;
}

const char *
category_keyword(struct mf_arena *a, const char *category)
{
	bool odd = !sync_is_category(category, strlen(category)); /* "$x", "Junk" */
	struct mf_buf b;

	if (category[0] == '\0' || strlen(category) > CATEGORY_KEYWORD_MAX)
		return NULL;
	mf_buf_init(&b, 0);
	for (const char *p = category; *p != '\0'; p++) {
		if (may_stand((unsigned char)*p) && !(odd && p == category))
			mf_buf_add_byte(&b, (uint8_t)*p);
		else
			mf_buf_printf(&b, "=%02X", (unsigned char)*p);
	}
	if (b.len <= CATEGORY_KEYWORD_MAX)
		return take(a, &b);
	mf_buf_deinit(&b);
	return NULL;
}

const char *
category_text(struct mf_arena *a, const char *keyword, size_t len)
{
	struct mf_buf b;
	uint8_t byte;

	mf_buf_init(&b, 0);
	for (size_t i = 0; i < len; i++) {
		if (keyword[i] == '=' && i + 2 < len && str_unhex(keyword + i + 1, 2, &byte) &&
			byte != 0) {
			mf_buf_add_byte(&b, byte);
			i += 2;
		} else {
			mf_buf_add_byte(&b, (uint8_t)keyword[i]);
		}
	}
	if (!utf8_valid_xml((const char *)b.data, b.len)) { /* somebody else's: as it is */
		mf_buf_clear(&b);
		mf_buf_add(&b, keyword, len);
	}
	return take(a, &b);
}
