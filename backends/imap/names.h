/*
 * Names of folders: modified UTF-7 (RFC 3501, 5.1.3), their parts, and what they are likely for.
 * Pure functions.
 */
#ifndef IMAP_NAMES_H
#define IMAP_NAMES_H

#include <stdbool.h>

#include "mailferry/arena.h"
#include "mailferry/item.h"

/* The name in valid UTF-8; what cannot be decoded is shown as it is, bad bytes as U+FFFD. */
const char *imap_name_decode(struct mf_arena *a, const char *wire);

/* Valid UTF-8 as modified UTF-7; NULL for invalid UTF-8 or control characters. */
const char *imap_name_encode(struct mf_arena *a, const char *name);

/* Valid UTF-8 (RFC 3629). */
bool imap_utf8_valid(const char *text);

/* The role of a folder of this name (last component, UTF-8) in any of forty languages. */
enum mf_role imap_role_by_name(const char *name);

/* The role of a LIST attribute ("\Trash"); MF_ROLE_NONE for others. */
enum mf_role imap_role_by_attribute(struct mf_bytes attribute);
/* The attribute of a role for CREATE (USE ...); NULL where there is none. */
const char *imap_role_attribute(enum mf_role role);

#endif
