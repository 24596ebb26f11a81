/* What the client prefers of bodies: BodyPreference, BodyPartPreference, MIMESupport and MIMETruncation read. */
#include <string.h>

#include "base/str.h"
#include "eas/map/body.h"
#include "eas/schema.h"

enum { PREVIEW_MAX = 255 }; /* characters, MS-ASAIRS 2.2.2.35 */

/* MS-ASCMD 2.2.3.111. */
static const uint64_t mime_truncations[] = { 0, 4096, 5120, 7168, 10240, 20480, 51200, 102400,
	UINT64_MAX };

/* The children of a preference, in their order (MS-ASAIRS 2.2.2.11, 2.2.2.12). */
static const uint16_t order[] = { AirSyncBase_Type, AirSyncBase_TruncationSize,
	AirSyncBase_AllOrNone, AirSyncBase_Preview, 0 };

static bool
is_number(const struct wbxml_node *n)
{
	uint32_t value;
	const char *s = wbxml_value(n);

	return n->children == NULL && (*s == '\0' || str_to_u32(s, UINT32_MAX, &value));
}

static bool
is_boolean(const struct wbxml_node *n)
{
	const char *s = wbxml_value(n);

	return n->children == NULL && (*s == '\0' || strcmp(s, "0") == 0 || strcmp(s, "1") == 0);
}

/* Each child once, of its type, in its order; no preference within another. */
static bool
is_sound(const struct wbxml_node *preference)
{
	size_t seen[sizeof(order) / sizeof(order[0])] = { 0 };

	for (const struct wbxml_node *c = preference->children; c != NULL; c = c->next) {
		size_t i = 0;

		while (order[i] != 0 && order[i] != c->tag)
			i++;
		if (c->tag == preference->tag || (order[i] != 0 && seen[i]++ > 0))
			return false;
		if (order[i] != 0 &&
			!(c->tag == AirSyncBase_AllOrNone ? is_boolean(c) : is_number(c)))
			return false;
	}
	return seen[0] == 1 && schema_in_order(preference, order);
}

static bool
preference_parse(const struct wbxml_node *n, struct body_preference *out)
{
	if (!is_sound(n))
		return false;
	out->type = schema_u32(n, AirSyncBase_Type, 0);
	out->truncation = schema_number(n, AirSyncBase_TruncationSize, UINT64_MAX);
	out->all_or_none =
		out->truncation != UINT64_MAX && schema_bool(n, AirSyncBase_AllOrNone, false);
	out->preview = schema_u32(n, AirSyncBase_Preview, 0);
	if (out->preview > PREVIEW_MAX)
		out->preview = PREVIEW_MAX;
	return out->type >= BODY_PLAIN && out->type <= BODY_MIME;
}

bool
body_options_parse(const struct wbxml_node *options, struct body_options *out)
{
	const struct wbxml_node *n = wbxml_child(options, AirSyncBase_BodyPreference);
	uint64_t truncation = schema_number(options, AirSync_MIMETruncation, 8);

	memset(out, 0, sizeof(*out));
	out->mime_support = schema_u32(options, AirSync_MIMESupport, 0);
	out->mime_truncation = mime_truncations[truncation <= 8 ? truncation : 8];
	for (; n != NULL; n = wbxml_next(n)) {
		struct body_preference *p = &out->list[out->n];

		if (out->n == BODY_PREFERENCES_MAX || !preference_parse(n, p))
			return false;
		for (size_t i = 0; i < out->n; i++)
			if (out->list[i].type == p->type)
				return false;
		out->n++;
	}
	n = wbxml_child(options, AirSyncBase_BodyPartPreference);
	out->has_part = n != NULL;
	return n == NULL || preference_parse(n, &out->part);
}

bool
body_part_refused(const struct body_options *o, enum eas_version version)
{
	return version >= EAS_14_1 && o->has_part && o->part.type != BODY_HTML;
}

void
body_options_whole(struct body_options *o)
{
	for (size_t i = 0; i < o->n; i++) {
		o->list[i].truncation = UINT64_MAX;
		o->list[i].all_or_none = false;
	}
	o->part.truncation = UINT64_MAX;
	o->part.all_or_none = false;
	o->mime_truncation = UINT64_MAX;
	o->outside = false;
}
