/*
 * A wire with scissors: listens on a port of its own, passes everything on to another, and cuts at the
 * command that it was told. It runs in threads of the test.
 */
#ifndef TESTS_CUTTER_H
#define TESTS_CUTTER_H

#include <stdbool.h>
#include <stdint.h>

struct cutter;

struct cutter *cutter_start(uint16_t to);
uint16_t cutter_port(const struct cutter *c);
/* From now on: the nth line that a client sends (0: none) is not passed on, or is passed on and its
 * answer is not; then that connection ends. */
void cutter_arm(struct cutter *c, unsigned nth, bool answer);
/* From now on: after so many bytes that servers send (0: never) that connection ends, in the middle. Once. */
void cutter_arm_bytes(struct cutter *c, uint64_t bytes);
/* Lines since it was armed. */
unsigned cutter_lines(struct cutter *c);
void cutter_end(struct cutter *c);

#endif
