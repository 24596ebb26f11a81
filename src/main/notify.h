/* Telling systemd how the service is (sd_notify(3), without its library). */
#ifndef MAIN_NOTIFY_H
#define MAIN_NOTIFY_H

/* "READY=1", "STOPPING=1", ...; nothing happens where nobody listens. */
void main_notify(const char *state);

#endif
