/* Files without a name, for what is too large for memory: they vanish with their descriptor. */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>

/* A new, empty file in a directory; -1 and errno. */
int spool_open(const char *directory);
/* Appends all of data; false and errno. */
bool spool_write(int fd, const void *data, size_t len);

#endif
