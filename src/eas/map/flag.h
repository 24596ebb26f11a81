/*
 * The follow-up flag (MS-ASEMAIL 2.2.2.34): what a phone says about it, checked and kept as a small
 * document of its own; and told again. Must not know where it is kept.
 */
#ifndef EAS_MAP_FLAG_H
#define EAS_MAP_FLAG_H

#include "eas/request.h"

/* A client's Flag element. False: it breaks MS-ASEMAIL 3.1.5.1's rules about dates (status 6). *set: the
 * item is flagged from now on; details: what to keep of it, empty when there is nothing beyond *set. */
bool flag_read(
	struct mf_arena *a, const struct wbxml_node *flag, bool *set, struct mf_bytes *details);

/* It is to be set, and has no FlagType. */
bool flag_lacks_type(const struct wbxml_node *flag);

/* Writes Flag of an item that is flagged or not, with the details that agree with that. */
void flag_write(struct wbxml_writer *w, struct mf_arena *a, bool set, struct mf_bytes details);

#endif
