/*
 * Whom out-of-office replies know: senders to whom the user has written get a reply of their own (MS-ASCMD 2.2.3.12). The mail
 * server cannot know them; their list stands in the replies, and is brought up to date while a device has set replies that differ.
 * Knows the facet (mailferry/oof.h) and recent.h; no elements.
 */
#ifndef EAS_AWAY_H
#define EAS_AWAY_H

#include "eas/background.h"
#include "mailferry/oof.h"

/* Whether who is known makes a difference to these replies. */
bool away_differs(const struct mf_oof *oof);

/* The addresses for mf_oof_user.known, in the request's arena: none where they make no difference. */
const char *const *away_known(struct eas_request *r, const struct mf_oof *oof);

/* They were set, with these: from now on they are kept up to date, or not any more. A failure is logged. */
void away_remember(struct eas_request *r, const struct mf_oof *oof, const char *const *known);

/* Background work: writes the replies anew when the list has changed. What somebody else has switched off or set is left
 * alone, and what is over is forgotten. */
enum mf_status away_tend(const struct eas_background *b, bool *more, struct mf_error *err);

#endif
