/*
 * How often the same thing may happen: wrong passwords of a user from one address, wrong passwords
 * from one address, the same command of a device again and again. Counted in a table of fixed size,
 * in memory; any thread.
 */
#ifndef EAS_LIMITS_H
#define EAS_LIMITS_H

#include "eas/request.h"

struct eas_limits;

struct eas_limits *eas_limits_new(const struct mf_conf *top);
void eas_limits_free(struct eas_limits *l); /* NULL is fine */

/* Whether a login that nobody remembers may still be tried upstream. */
bool eas_limits_may_try(const struct eas_request *r);
/* A login failed upstream, or was good (which forgives the user at this address). */
void eas_limits_failed(const struct eas_request *r);
void eas_limits_succeeded(const struct eas_request *r);

/* Whether this command may run, or came too often in the last minute. Counts it. */
bool eas_limits_command(const struct eas_request *r);

/* For how many seconds a device is not let in because its User-Agent changed too often (settings
 * agent_changes...; MS-ASHTTP 3.2.5.1.1); 0: it is. Counts the changes. */
int64_t eas_limits_agent(const struct eas_request *r);

#endif
