/* Errors: a status and one line. Knows no protocol. */
#include "mailferry/error.h"

#include <stddef.h>
#include <stdio.h>

static const char *const names[] = {
	[MF_OK] = "ok",
	[MF_GONE] = "gone",
	[MF_EXISTS] = "exists",
	[MF_REFUSED] = "refused",
	[MF_TOO_LARGE] = "too-large",
	[MF_INVALID] = "invalid",
	[MF_UNSUPPORTED] = "unsupported",
	[MF_RESYNC] = "resync",
	[MF_AUTH] = "auth",
	[MF_TEMPORARY] = "temporary",
	[MF_BROKEN] = "broken",
};

const char *
mf_status_name(enum mf_status status)
{
	size_t i = (size_t)status;

	return i < sizeof(names) / sizeof(names[0]) ? names[i] : "unknown";
}

enum mf_status
mf_vfail(struct mf_error *err, enum mf_status status, const char *fmt, va_list ap)
{
	if (err == NULL)
		return status;
	err->status = status;
	err->reason = MF_REASON_NONE;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	for (char *p = err->text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return status;
}

#undef mf_fail /* the analyzer's */
enum mf_status
mf_fail(struct mf_error *err, enum mf_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	mf_vfail(err, status, fmt, ap);
	va_end(ap);
	return status;
}
