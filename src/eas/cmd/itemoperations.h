/*
 * ItemOperations from the inside: what its files share. itemoperations.c walks through the operations,
 * itemoperations_fetch.c carries out a Fetch, itemoperations_move.c a Move.
 */
#ifndef EAS_CMD_ITEMOPERATIONS_H
#define EAS_CMD_ITEMOPERATIONS_H

#include "eas/commands.h"
#include "eas/spool.h"
#include "state/folder.h"

/* MS-ASCMD 2.2.3.177.8. */
enum {
	OPERATION_PROTOCOL = 2,
	OPERATION_SERVER = 3,
	OPERATION_BAD_LINK = 4,
	OPERATION_NOT_FOUND = 6,
	OPERATION_RANGE = 8,
	OPERATION_STORE = 9,
	OPERATION_EMPTY_FILE = 10,
	OPERATION_ATTACHMENT = 15,
	OPERATION_DENIED = 16,
	OPERATION_PARTIAL = 17,
};

enum { OPERATION_PARTS_MAX = EAS_PIECES_MAX };

struct operations {
	struct eas_request *r;
	struct state_folders folders;
	/* The parts of a multipart answer behind the first (the WBXML), in the answer's file. */
	struct {
		uint64_t offset, size;
	} parts[OPERATION_PARTS_MAX];
	unsigned n_parts;
};

/* A new part; its number, 0 when there are too many. */
unsigned operations_part(struct operations *o, uint64_t offset, uint64_t size);

/* Carries out one Fetch and writes its answer. MF_TEMPORARY, MF_AUTH: the store is lost; the answer
 * says so already. */
enum mf_status operations_fetch(
	struct operations *o, const struct wbxml_node *fetch, struct mf_error *err);

#endif
