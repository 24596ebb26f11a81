/*
 * What an item is recognised by when its folder's ids began anew: its Message-ID, size and date of
 * arrival; without a Message-ID the name that the server gives it (EMAILID), or sender, date and subject.
 */
#ifndef SYNC_IDENTITY_H
#define SYNC_IDENTITY_H

#include "mailferry/item.h"

/* What to fetch for it: the wants, and the fields of mf_fetch.fields; more do no harm. */
enum { SYNC_IDENTITY_WANT = MF_WANT_DATE | MF_WANT_SIZE | MF_WANT_HEADER | MF_WANT_THREAD };
extern const char *const sync_identity_fields[];

/* A digest; 0 when the item has nothing to be recognised by. */
uint64_t sync_identity(const struct mf_item *item);

#endif
