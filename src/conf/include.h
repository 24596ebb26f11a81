/* The function include("file") of configuration files. */
#ifndef CONF_INCLUDE_H
#define CONF_INCLUDE_H

#include <confuse.h>

int conf_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv);

#endif
