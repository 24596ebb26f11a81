/* Sealing and opening recovery passwords. Knows no command. */
#include "eas/recovery.h"

#include <string.h>

#include "base/seal.h"
#include "state/recovery.h"

static const char setting[] = "recovery_secret";

bool
eas_recovery_possible(const struct mf_conf *conf)
{
	return strlen(mf_conf_string(conf, setting)) >= EAS_RECOVERY_SECRET_LEAST;
}

/* Each device has a key of its own: a row that somebody puts in another's place does not open. */
static void
make_key(const struct mf_conf *conf, const char *device_id, uint8_t key[SEAL_KEY])
{
	seal_key(mf_conf_string(conf, setting), "recovery", device_id, strlen(device_id), key);
}

enum mf_status
eas_recovery_keep(struct state *st, const struct mf_conf *conf, const char *user,
	const char *device_id, const char *password, struct mf_error *err)
{
	uint8_t key[SEAL_KEY];
	enum mf_status status;
	struct mf_buf sealed;

	if (!eas_recovery_possible(conf))
		return mf_fail(err, MF_REFUSED, "%s is not set", setting);
	mf_buf_init(&sealed, 0);
	make_key(conf, device_id, key);
	if (*password != '\0')
		seal_close(&sealed, key, user, mf_bytes(password, strlen(password)));
	explicit_bzero(key, sizeof(key));
	status = state_recovery_save(st, user, device_id, mf_buf_bytes(&sealed), err);
	mf_buf_deinit(&sealed);
	return status;
}

enum mf_status
eas_recovery_find(struct state *st, const struct mf_conf *conf, const char *user,
	const char *device_id, struct mf_arena *a, char **password, struct mf_error *err)
{
	uint8_t key[SEAL_KEY];
	struct mf_bytes sealed;
	enum mf_status status = state_recovery_load(st, user, device_id, a, &sealed, err);

	*password = NULL;
	if (status != MF_OK)
		return status;
	make_key(conf, device_id, key);
	*password = seal_open(a, key, user, sealed);
	explicit_bzero(key, sizeof(key));
	if (*password == NULL)
		return mf_fail(err, MF_REFUSED, "%s is not what it was sealed under", setting);
	return MF_OK;
}
