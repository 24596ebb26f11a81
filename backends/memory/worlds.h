/* The worlds of the process, by name. */
#ifndef MEMORY_WORLDS_H
#define MEMORY_WORLDS_H

#include "memory/world.h"

/* Sets a user's password; makes the user when there is none. Lock held. */
void memory_user_set(struct memory_world *w, const char *user, const char *password);

#endif
