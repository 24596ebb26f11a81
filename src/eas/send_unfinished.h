/*
 * Mails that were sent and whose copy in Sent, mark or notice could not be made then: the mail server was
 * away. No phone repeats a mail that was sent, so it is kept here, and done with the user's next requests. As long as
 * the process lives, and within bounds; what the ledger holds is told to a phone that does repeat, as ever.
 */
#ifndef EAS_SEND_UNFINISHED_H
#define EAS_SEND_UNFINISHED_H

#include "eas/send.h"

/* Keeps what is needed of a mail that stands as sent in the ledger. Any thread. */
void send_unfinished_keep(struct outgoing *o);

/* Does what is due for the request's user; needs r->store, which may be lost afterwards. Any thread. */
void send_unfinished_run(struct eas_request *r);

#endif
