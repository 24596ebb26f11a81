/* Out-of-office replies in Settings (MS-ASCMD 2.2.3.122): the property Oof. */
#ifndef EAS_CMD_OOF_H
#define EAS_CMD_OOF_H

#include "eas/request.h"

/* Carries out the Get or Set of an element Oof and writes what stands below its answer, Status first. */
void oof_property(struct eas_request *r, const struct wbxml_node *oof);

#endif
