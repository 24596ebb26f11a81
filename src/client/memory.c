/* Memory that is there or the process is not. */
#include "client/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
client_realloc(void *p, size_t size)
{
	p = realloc(p, size == 0 ? 1 : size);
	if (p == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void *
client_zalloc(size_t size)
{
	return memset(client_realloc(NULL, size), 0, size);
}

char *
client_copy(const char *s)
{
	size_t len = s == NULL ? 0 : strlen(s);
	char *copy = client_realloc(NULL, len + 1);

	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}
