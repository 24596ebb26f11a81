/* SmartForward (MS-ASCMD 2.2.1): see send_request.c, which the three commands share. */
#include "eas/commands.h"

#include "eas/cmd/send_request.h"

enum eas_verdict
cmd_smartforward(struct eas_request *r)
{
	return send_command(r, SEND_FORWARD);
}
