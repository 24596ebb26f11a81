/*
 * The tables of status numbers. Knows every number of the protocol that an answer can tell; must not
 * know how a command comes to it.
 */
#include "eas/status.h"

#include <assert.h>
#include <stddef.h>

/*
 * What an mf_status means at each place (MS-ASCMD 2.2.3.177.x, MS-ASPROV 3.1.5.2). MF_AUTH and
 * MF_TEMPORARY only stand here for what happens after a part of the request was processed: before, the
 * whole request is HTTP 401 or 503.
 */
struct row {
	unsigned ok, gone, exists, refused, too_large, invalid, unsupported, resync, auth,
		temporary, broken;
};

static const struct row places[EAS_PLACES] = {
	/* clang-format off */
	/*                          ok  gone exists refused large invalid unsup resync auth temp broken */
	[EAS_AT_SYNC]            = { 1,  12,    4,     5,    4,     4,    4,     3,   16,  16,    5 },
	[EAS_AT_SYNC_COLLECTION] = { 1,  12,    4,     5,    4,     4,    4,     3,   16,  16,    5 },
	[EAS_AT_SYNC_ITEM]       = { 1,   8,    7,     6,    9,     6,    6,     8,   16,  16,    6 },
	[EAS_AT_FOLDERSYNC]      = { 1,   6,    6,     6,   10,    10,   10,     9,    6,   6,   12 },
	[EAS_AT_FOLDERCREATE]    = { 1,   5,    2,     3,   10,    10,    3,     9,    6,   6,   12 },
	[EAS_AT_FOLDERUPDATE]    = { 1,   4,    2,     2,   10,    10,    2,     9,    6,   6,   11 },
	[EAS_AT_FOLDERDELETE]    = { 1,   4,    6,     3,   10,    10,    3,     9,    6,   6,   11 },
	[EAS_AT_MOVE]            = { 3,   1,    5,     5,    5,     5,    5,     1,    7,   7,    5 },
	[EAS_AT_ESTIMATE]        = { 1,   2,    2,     2,  103,   103,    2,     4,  111, 111,  110 },
	[EAS_AT_PING]            = { 1,   7,    4,     8,    6,     4,    8,     7,    8,   8,    8 },
	[EAS_AT_ITEMOPERATIONS]  = { 1,   6,    3,    16,   11,     2,    9,     6,   18,   3,   14 },
	[EAS_AT_SEARCH]          = { 1,   3,    3,     3,    3,     2,    3,     3,    3,   3,    3 },
	[EAS_AT_SEARCH_STORE]    = { 1,   6,    2,     5,    8,     2,    2,    11,   14,   7,    3 },
	[EAS_AT_FIND]            = { 1,   3,    2,     2,    2,     2,    2,     3,  111, 111,  110 },
	[EAS_AT_SEND]            = { 1, 150,  118,   120,  122,   107,  120,   150,  111, 111,  120 },
	[EAS_AT_SETTINGS]        = { 1,   5,    6,     3,    5,     2,    3,     4,    4,   4,    4 },
	[EAS_AT_PROVISION]       = { 1,   3,    3,     3,    2,     2,    3,     3,    3,   3,    3 },
	[EAS_AT_RESOLVE]         = { 1,   6,    6,     6,    5,     5,    6,     6,    6,   6,    6 },
	[EAS_AT_VALIDATE]        = { 1,  17,   17,    17,    2,     2,   17,    17,   17,  17,   17 },
	[EAS_AT_MEETING]         = { 1,   2,    2,     3,    2,     2,    2,     3,    4,   4,    3 },
	/* clang-format on */
};

/* Where in a row an mf_status stands. */
static const size_t columns[] = {
	[MF_OK] = offsetof(struct row, ok),
	[MF_GONE] = offsetof(struct row, gone),
	[MF_EXISTS] = offsetof(struct row, exists),
	[MF_REFUSED] = offsetof(struct row, refused),
	[MF_TOO_LARGE] = offsetof(struct row, too_large),
	[MF_INVALID] = offsetof(struct row, invalid),
	[MF_UNSUPPORTED] = offsetof(struct row, unsupported),
	[MF_RESYNC] = offsetof(struct row, resync),
	[MF_AUTH] = offsetof(struct row, auth),
	[MF_TEMPORARY] = offsetof(struct row, temporary),
	[MF_BROKEN] = offsetof(struct row, broken),
};

unsigned
eas_status_at(enum eas_place place, enum mf_status st)
{
	assert(place < EAS_PLACES && (size_t)st < sizeof(columns) / sizeof(*columns));
	return *(const unsigned *)((const char *)&places[place] + columns[st]);
}

/*
 * What versions below 14.0 get instead (MS-ASCMD 2.2.2). The specification names those marked; the
 * others are malformed requests (400), refusals (403), or failures that another try may mend (503).
 * None becomes a 500 that it does not name: phones reload everything after a series of them.
 */
static const struct {
	unsigned first, last, http;
} twins[] = {
	{ 101, 101, 400 }, /* named */
	{ 103, 103, 400 }, /* named */
	{ 106, 106, 400 }, /* named */
	{ 110, 110, 500 }, /* named */
	{ 111, 111, 503 }, /* named */
	{ 112, 112, 403 }, /* named */
	{ 113, 113, 507 }, /* named */
	{ 125, 126, 403 }, /* named */
	{ 137, 137, 501 }, /* named */
	{ 138, 138, 400 }, /* named */
	{ 140, 140, 449 }, /* named; 403 for a request without a policy key */
	{ 141, 144, 449 }, /* named */
	{ 147, 147, 400 }, /* named */
	{ 114, 114, 503 },
	{ 115, 115, 507 },
	{ 124, 131, 403 },
	{ 132, 136, 503 },
	{ 139, 139, 403 },
	{ 145, 145, 403 },
	{ 162, 162, 503 },
	{ 177, 177, 403 },
};

unsigned
eas_status_http(unsigned status)
{
	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		if (twins[i].first <= status && status <= twins[i].last)
			return twins[i].http;
	return 400;
}
