/*
 * The last reply or forward of an item: LastVerbExecuted and LastVerbExecutionTime (MS-ASEMAIL 2.2.2.44,
 * 2.2.2.45). IMAP knows only that there was one; which and when is kept by the state for what went
 * through here (state/flag.h). Knows no command and no backend.
 */
#ifndef EAS_MAP_VERB_H
#define EAS_MAP_VERB_H

#include "mailferry/arena.h"
#include "mailferry/bytes.h"
#include "wbxml/wbxml.h"

enum verb { VERB_NONE = 0, VERB_REPLY = 1, VERB_REPLY_ALL = 2, VERB_FORWARD = 3 };

/* What to keep of it; in the arena. when: seconds since 1970. */
struct mf_bytes verb_keep(struct mf_arena *a, enum verb verb, int64_t when);

/* Writes both elements, the time only when what is kept agrees with the item's flags (mf_flags); nothing
 * when these know of no verb. */
void verb_write(struct wbxml_writer *w, struct mf_arena *a, uint32_t flags, struct mf_bytes kept);

#endif
