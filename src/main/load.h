/* The configuration with the rows of all backends, for every subcommand that needs it. */
#ifndef MAIN_LOAD_H
#define MAIN_LOAD_H

#include "conf/conf.h"

enum { MAIN_TABLES_MAX = 64 };

/* The sections of all built-in backends, ended by a NULL name. */
void main_tables(struct conf_table out[MAIN_TABLES_MAX]);

/* The file to use: the one named, MAILFERRY_CONFIG, the usual place if there is a file, or NULL (the
 * environment alone, as in a container). */
const char *main_config_path(const char *named);

/* Loads it; modules that `backends` names are loaded first, for their rows. */
enum mf_status main_load(const char *path, struct conf **out, struct mf_error *err);

/* Level and timestamps of the log, as configured. */
void main_log_apply(const struct mf_conf *top);

#endif
