/* Long-lived memory of the client's pictures: never NULL, out of memory aborts. */
#ifndef CLIENT_MEMORY_H
#define CLIENT_MEMORY_H

#include <stddef.h>

void *client_realloc(void *p, size_t size);
/* Zeroed. */
void *client_zalloc(size_t size);
/* Of a string; NULL becomes "". */
char *client_copy(const char *s);

#endif
