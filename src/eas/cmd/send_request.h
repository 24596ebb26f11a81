/* What SendMail, SmartReply and SmartForward read from a request, and how they answer. */
#ifndef EAS_CMD_SEND_REQUEST_H
#define EAS_CMD_SEND_REQUEST_H

#include "eas/send.h"

/* Reads and sends it (MS-ASCMD 2.2.1.17, 2.2.1.19, 2.2.1.18), and answers: an empty body on success,
 * else the Status alone (14.0 on) or the HTTP status. */
enum eas_verdict send_command(struct eas_request *r, enum send_kind kind);

#endif
