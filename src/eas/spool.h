/*
 * Content of an answer that is not kept in memory: in a file without a name, put into the answer's
 * body where it belongs. Knows no command.
 */
#ifndef EAS_SPOOL_H
#define EAS_SPOOL_H

#include <sys/types.h>

#include "eas/request.h"

enum { EAS_PIECES_MAX = 512 };

/* `size` bytes of the file from `offset` come where the body in memory is `at` bytes long. */
struct eas_piece {
	size_t at;
	uint64_t offset, size;
};

struct eas_spool {
	int fd;
	uint64_t size;
	struct eas_piece pieces[EAS_PIECES_MAX]; /* ascending by at */
	size_t n;
};

/* Appends to the file of r's answer, which is made when it is not there. MF_TEMPORARY: the disk. */
enum mf_status eas_spool_add(
	struct eas_request *r, const void *data, size_t len, struct mf_error *err);
/* Where the next bytes will be. */
uint64_t eas_spool_end(const struct eas_request *r);
/* Cuts the file off there: what came after is not wanted. */
void eas_spool_cut(struct eas_request *r, uint64_t end);
/* Puts a part of the file into the body. MF_TOO_LARGE: EAS_PIECES_MAX are there already. */
enum mf_status eas_spool_put(
	struct eas_request *r, size_t at, uint64_t offset, uint64_t size, struct mf_error *err);
/* All pieces move by that many bytes: something was put before the body. */
void eas_spool_shift(struct eas_request *r, size_t by);

/* The length of the whole answer, and its bytes from `from` on: how many were read, 0 at the end, -1
 * when the file cannot be read. */
uint64_t eas_answer_size(const struct eas_answer *a);
ssize_t eas_answer_read(const struct eas_answer *a, uint64_t from, void *out, size_t max);

/* The file, when the whole answer can stand in it as one stretch of eas_answer_size bytes from *offset on;
 * what is in memory is written around the pieces for that. -1: it cannot, read it by eas_answer_read. */
int eas_answer_file(const struct eas_answer *a, uint64_t *offset);

#endif
