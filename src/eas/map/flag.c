/* Flag elements: read, checked, kept and written. */
#include "eas/map/flag.h"

#include <string.h>

/* MS-ASEMAIL 2.2.2.34: the children that there are. Others are dropped. */
static const uint16_t children[] = { Tasks_Subject, Email_Status, Email_FlagType,
	Tasks_DateCompleted, Email_CompleteTime, Tasks_StartDate, Tasks_DueDate, Tasks_UtcStartDate,
	Tasks_UtcDueDate, Tasks_ReminderSet, Tasks_ReminderTime, Tasks_OrdinalDate,
	Tasks_SubOrdinalDate };

static const char usual_type[] = "for Follow Up";

/* All four or none (MS-ASEMAIL 2.2.2.31). */
static const uint16_t dates[] = { Tasks_StartDate, Tasks_DueDate, Tasks_UtcStartDate,
	Tasks_UtcDueDate };

static bool
is_set(const struct wbxml_node *flag, uint16_t tag)
{
	const char *value = wbxml_child_value(flag, tag);

	return value != NULL && value[0] != '\0';
}

/* Dates of one form compare as texts; of two forms nothing is said. */
static bool
in_order(const struct wbxml_node *flag, uint16_t first, uint16_t last)
{
	const char *x = wbxml_child_value(flag, first), *y = wbxml_child_value(flag, last);

	return x == NULL || y == NULL || strlen(x) != strlen(y) || strcmp(x, y) <= 0;
}

static bool
dates_ok(const struct wbxml_node *flag)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++)
		n += is_set(flag, dates[i]);
	return (n == 0 || n == sizeof(dates) / sizeof(dates[0])) &&
	       in_order(flag, Tasks_StartDate, Tasks_DueDate) &&
	       in_order(flag, Tasks_UtcStartDate, Tasks_UtcDueDate);
}

/* What MS-ASEMAIL 2.2.2.65 and 3.2.5.4.2 require beside some values. */
static bool
complete(const struct wbxml_node *flag, const char *status)
{
	const char *reminder = wbxml_child_value(flag, Tasks_ReminderSet);

	if (reminder != NULL && strcmp(reminder, "1") == 0 && !is_set(flag, Tasks_ReminderTime))
		return false;
	return status[0] != '1' ||
	       (is_set(flag, Email_CompleteTime) && is_set(flag, Tasks_DateCompleted));
}

/* A flag without a FlagType has the one that Outlook gives: others could not show it (MS-ASEMAIL 2.2.2.35). */
static const char *
kept_value(const struct wbxml_node *flag, uint16_t tag)
{
	return tag == Email_FlagType && !is_set(flag, tag) ? usual_type
							   : wbxml_child_value(flag, tag);
}

static struct mf_bytes
keep(struct mf_arena *a, const struct wbxml_node *flag)
{
	struct wbxml_writer w;
	struct mf_buf b;
	struct mf_bytes copy;

	mf_buf_init(&b, 0);
	wbxml_begin(&w, &b);
	wbxml_open(&w, Email_Flag);
	for (size_t i = 0; i < sizeof(children) / sizeof(children[0]); i++)
		if (is_set(flag, children[i]) || children[i] == Email_FlagType)
			wbxml_element(&w, children[i], kept_value(flag, children[i]));
	wbxml_close(&w);
	copy = mf_memdup(a, b.data, b.len);
	mf_buf_deinit(&b);
	return copy;
}

bool
flag_lacks_type(const struct wbxml_node *flag)
{
	const char *status = wbxml_child_value(flag, Email_Status);

	return status != NULL && strcmp(status, "2") == 0 && !is_set(flag, Email_FlagType);
}

bool
flag_read(struct mf_arena *a, const struct wbxml_node *flag, bool *set, struct mf_bytes *details)
{
	const char *status = wbxml_child_value(flag, Email_Status);

	*details = mf_bytes(NULL, 0);
	*set = status != NULL && strcmp(status, "2") == 0;
	if (flag->children == NULL || status == NULL)
		return true;
	if (strlen(status) != 1 || strchr("012", status[0]) == NULL || !dates_ok(flag) ||
		!complete(flag, status))
		return false;
	if (status[0] != '0')
		*details = keep(a, flag);
	return true;
}

void
flag_write(struct wbxml_writer *w, struct mf_arena *a, bool set, struct mf_bytes details)
{
	struct wbxml_node *kept = NULL;
	const char *status = NULL;

	if (details.len > 0 &&
		wbxml_decode(a, details, &wbxml_limits_default, false, &kept, NULL) == MF_OK)
		status = wbxml_child_value(kept, Email_Status);
	wbxml_open(w, Email_Flag);
	if (status != NULL && (strcmp(status, "2") == 0) == set) {
		for (const struct wbxml_node *n = kept->children; n != NULL; n = n->next)
			wbxml_element(w, n->tag, wbxml_value(n));
	} else if (set) { /* flagged by another mail program */
		wbxml_element(w, Email_Status, "2");
		wbxml_element(w, Email_FlagType, usual_type);
	}
	wbxml_close(w);
}
