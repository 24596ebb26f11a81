/*
 * ItemOperations Move (MS-ASCON 3.2.5.3; MS-ASCMD 2.2.3.117.1): a conversation is moved, and always from now on. For
 * itemoperations.c, which knows the rest of the command.
 */
#ifndef EAS_CMD_ITEMOPERATIONS_MOVE_H
#define EAS_CMD_ITEMOPERATIONS_MOVE_H

#include "eas/request.h"

/* What is wrong with all Move elements of the request (root) for the whole answer: EAS_OK, or 155 when one lacks
 * MoveAlways. To be asked before anything is carried out. */
unsigned itemoperations_move_check(const struct wbxml_node *root);

/* Carries out one Move element and writes its answer, a Move element below Response, whatever happens. Needs
 * r->store. */
void itemoperations_move_run(struct eas_request *r, const struct wbxml_node *move);

#endif
