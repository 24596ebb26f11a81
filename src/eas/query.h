/*
 * The query of a request, in its three forms: plain, base64 of the plain text, base64 of the binary
 * table (MS-ASHTTP 2.2.1.1.1). Pure: knows no header, no command's meaning.
 */
#ifndef EAS_QUERY_H
#define EAS_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/error.h"

enum {
	QUERY_MAX = 16384,	 /* bytes of a query as sent */
	QUERY_PARAMETERS = 64,	 /* in one query */
	QUERY_DEVICE_ID = 1000,	 /* bytes of a device id */
	QUERY_DEVICE_TYPE = 256, /* bytes of a device type */
};

/* Strings are NULL where the query does not have them. Of repeated parameters the first counts. */
struct eas_query {
	bool binary;	       /* it was the binary table */
	unsigned version;      /* 121, ... of the binary table; 0 else */
	int code;	       /* command code of the binary table; -1 else */
	const char *command;   /* name of the command in text; NULL in the binary table */
	const char *device_id; /* canonical: see query_device_id */
	const char *device_type;
	const char *user;
	const char *policy_key; /* decimal */
	uint16_t locale;	/* MS-LCID; 0: not told */
	const char *collection_id, *item_id, *long_id, *occurrence, *attachment_name;
	bool save_in_sent, accept_multipart;
};

/* MF_INVALID: malformed; MF_TOO_LARGE: over a limit. *out is filled as far as it was read. */
enum mf_status query_parse(
	struct mf_arena *a, const char *query, struct eas_query *out, struct mf_error *err);

/*
 * One identity for a device however it writes its id: printable ASCII stays as it is; anything else
 * (a Windows device sends the 16 raw bytes of its GUID in the binary table) becomes upper-case
 * hexadecimal, and so do 32 hexadecimal digits, which is how it writes the same GUID in text.
 */
const char *query_device_id(struct mf_arena *a, const void *data, size_t len);

#endif
