/* Telling systemd how the service is (sd_notify(3), without its library). */
#ifndef MAIN_NOTIFY_H
#define MAIN_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", ...; nothing happens where nobody listens. */
void main_notify(const char *state);

/* How often (in ms) systemd wants to hear "WATCHDOG=1", half of what it said; 0: never. */
int64_t main_watchdog(void);

#endif
