/* Names of items and attachments: printed and parsed. */
#include "eas/map/ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

const char *
ids_item_print(struct mf_arena *a, uint32_t folder, uint64_t id)
{
	char text[2 * STR_DECIMAL_SIZE];
	size_t n = str_decimal(folder, text);

	text[n++] = ':';
	n += str_decimal(id, text + n);
	return mf_strndup(a, text, n);
}

/* A canonical decimal number up to the separator, which is stepped over. */
static bool
take_number(const char **text, char separator, uint64_t max, uint64_t *out)
{
	const char *end = strchr(*text, separator);
	char digits[24];
	size_t len = end == NULL ? 0 : (size_t)(end - *text);

	if (len == 0 || len >= sizeof(digits) || **text == '0')
		return false;
	memcpy(digits, *text, len);
	digits[len] = '\0';
	*text = separator == '\0' ? end : end + 1;
	return str_to_u64(digits, max, out) && *out != 0;
}

bool
ids_item_parse(const char *text, uint32_t *folder, uint64_t *id)
{
	uint64_t f;

	if (text == NULL || !take_number(&text, ':', UINT32_MAX, &f) ||
		!take_number(&text, '\0', UINT64_MAX, id))
		return false;
	*folder = (uint32_t)f;
	return true;
}

const char *
ids_file_print(struct mf_arena *a, uint32_t folder, const struct mf_item *item, const char *section,
	unsigned inner)
{
	const char *in = inner == 0 ? "" : mf_printf(a, "!%u", inner);

	return mf_printf(a, "%" PRIu32 ":%" PRIu64 ":%s%s:%" PRIx64 "-%" PRIx64, folder, item->id,
		section, in, (uint64_t)item->date, item->size);
}

static bool
take_section(const char **text, struct ids_file *out)
{
	size_t len = strspn(*text, "0123456789.");
	const char *end = *text + len;
	uint64_t inner = 0;

	if (len > IDS_SECTION_MAX)
		return false;
	memcpy(out->section, *text, len);
	out->section[len] = '\0';
	*text = end + 1;
	if (*end == '!' && !take_number(text, ':', 1000000, &inner))
		return false;
	out->inner = (unsigned)inner;
	return *end == ':' || *end == '!';
}

static bool
take_hex(const char **text, char separator, uint64_t *out)
{
	const char *p = *text;
	size_t len = strspn(p, "0123456789abcdef");

	if (len == 0 || len > 16 || p[len] != separator)
		return false;
	*out = 0;
	for (size_t i = 0; i < len; i++)
		*out = *out << 4 | (uint64_t)(p[i] <= '9' ? p[i] - '0' : p[i] - 'a' + 10);
	*text = p + len + (separator != '\0');
	return true;
}

bool
ids_file_parse(const char *text, struct ids_file *out)
{
	uint64_t folder, date;

	memset(out, 0, sizeof(*out));
	if (text == NULL || strlen(text) > IDS_FILE_MAX ||
		!take_number(&text, ':', UINT32_MAX, &folder) ||
		!take_number(&text, ':', UINT64_MAX, &out->id) || !take_section(&text, out) ||
		!take_hex(&text, '-', &date) || !take_hex(&text, '\0', &out->size))
		return false;
	out->folder = (uint32_t)folder;
	out->date = (int64_t)date;
	return true;
}

bool
ids_long_parse(const char *text, struct ids_file *out)
{
	if (ids_file_parse(text, out))
		return out->section[0] == '\0' && out->inner == 0;
	memset(out, 0, sizeof(*out));
	out->bare = true;
	return ids_item_parse(text, &out->folder, &out->id);
}

bool
ids_file_matches(const struct ids_file *f, const struct mf_item *item)
{
	return item->id == f->id && (f->bare || (item->date == f->date && item->size == f->size));
}
