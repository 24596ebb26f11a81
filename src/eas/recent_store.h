/*
 * The recipient information cache (MS-ASCMD 2.2.3.30.6, MS-ASCNTC 3.2.4.4): whom the user has written to,
 * as a folder of contacts that phones synchronise and cannot change. Knows recent.h and the contract of
 * stores.
 *
 * An entry that changes gets another id: for phones it is deleted and added (MS-ASCMD 2.2.3.103.2).
 */
#ifndef EAS_RECENT_STORE_H
#define EAS_RECENT_STORE_H

#include "eas/request.h"
#include "state/folder.h"

enum { RECENT_STORE_MAX = 100 }; /* people that are kept in it, unless a phone wants fewer */

extern const struct mf_store_api recent_store_api;

/* The session to use with it, of this request. */
struct mf_session *recent_session(struct eas_request *r);
/* Keeps only the first n (MaxItems); 0: RECENT_STORE_MAX. */
void recent_session_limit(struct mf_session *s, uint64_t n);

/* The elements of an entry below ApplicationData; nothing where it is gone. */
void recent_store_write(struct mf_session *s, uint64_t id);

#endif
