/* Parsing a file with line numbers that are true. */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include <confuse.h>

/* As cfg_parse. The library counts the line of a comment three times, so that "file:line" of an error led
 * nowhere: comments are made blank before it sees them. At most CONF_FILE_MAX bytes. */
int conf_file_parse(cfg_t *cfg, const char *path);

enum { CONF_FILE_MAX = 4 << 20 };

#endif
