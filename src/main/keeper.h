/*
 * The keeper: a process that stays root when serve gives root up, and does one thing: it reads the files of
 * certificate, key and clients' roots again when they are to be reloaded. It is asked by number, not by
 * path, and gives nothing that serve did not have at its start.
 */
#ifndef MAIN_KEEPER_H
#define MAIN_KEEPER_H

#include "mailferry/conf.h"
#include "mailferry/error.h"

/* Starts it where serve is root, will become another (run_as) and has certificates; from then on
 * http/certificate.h's files come through it. It ends with this process. Before any thread. */
enum mf_status main_keeper_start(const struct mf_conf *top, struct mf_error *err);

#endif
