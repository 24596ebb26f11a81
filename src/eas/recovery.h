/*
 * Recovery passwords: a device that is under a policy with password_recovery makes one and sends it by Settings, and an
 * administrator reads it to an owner who has forgotten the device's own password (MS-ASCMD 2.2.3.46, MS-ASPROV 2.2.2.39).
 * They are kept sealed under the setting recovery_secret: who has the records alone has none of them.
 */
#ifndef EAS_RECOVERY_H
#define EAS_RECOVERY_H

#include "mailferry/arena.h"
#include "mailferry/conf.h"
#include "mailferry/error.h"
#include "state/state.h"

enum { EAS_RECOVERY_SECRET_LEAST = 16 }; /* bytes of recovery_secret */

/* `conf` is the top section. */
bool eas_recovery_possible(const struct mf_conf *conf);

/* Keeps the device's recovery password; an empty one forgets what is kept. `user` is the name as after the login check. */
enum mf_status eas_recovery_keep(struct state *st, const struct mf_conf *conf, const char *user,
	const char *device_id, const char *password, struct mf_error *err);

/* *password is in the arena: to be shown, and wiped with it. MF_GONE: none is kept. MF_REFUSED: recovery_secret is not what it
 * was sealed under. */
enum mf_status eas_recovery_find(struct state *st, const struct mf_conf *conf, const char *user,
	const char *device_id, struct mf_arena *a, char **password, struct mf_error *err);

#endif
