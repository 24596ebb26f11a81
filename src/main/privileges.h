/* What the process may not do: leave its memory in a core file, gain rights, keep root's. */
#ifndef MAIN_PRIVILEGES_H
#define MAIN_PRIVILEGES_H

#include "mailferry/conf.h"
#include "mailferry/error.h"

/* No rights by programs that it starts; no core files and no debugger of another user's process, unless
 * the administrator wants them (`core_dumps`). */
void main_privileges_harden(bool core_dumps);

/* Root becomes the user of the setting run_as for good, with that user's groups and nothing else; the
 * state's directory is made for him when there is none. Before any thread. MF_INVALID: no such user;
 * MF_REFUSED: rights that cannot be given up. Who is not root already stays who he is. */
enum mf_status main_privileges_drop(const struct mf_conf *top, struct mf_error *err);

#endif
