/*
 * A real OpenLDAP server for tests: contrib/tools/slapd from C, filled with the people of people.h.
 * Whatever goes wrong ends the program.
 */
#ifndef TESTS_SLAPD_H
#define TESTS_SLAPD_H

#include <stdint.h>

struct slapd {
	char dir[160], ca[200], socket[200];
	uint16_t ldap, ldaps;
};

/* Options are those of contrib/tools/slapd, as in a shell; "" for none. d must stand until slapd_end. */
void slapd_start(struct slapd *d, const char *options);
/* A verb of contrib/tools/slapd: stop, start, kill, pause, continue. */
void slapd_do(struct slapd *d, const char *verb);
void slapd_end(struct slapd *d);

#endif
