/* Watching: the functions of mf_watch_api. */
#ifndef IMAP_WATCH_H
#define IMAP_WATCH_H

#include "mailferry/backend.h"

extern const struct mf_watch_api imap_watch;

#endif
