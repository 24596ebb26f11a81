/*
 * Devices of a user: (user, device id) becomes a number that the other rows carry.
 *
 * Several requests of one device may run at once, each with its own copy of the struct; a save writes
 * only the group of fields that it names, over what is stored then.
 */
#ifndef STATE_DEVICE_H
#define STATE_DEVICE_H

#include "state/state.h"

enum { STATE_DEVICE_ID_MAX = 1000, STATE_DEVICE_TEXT_MAX = 1024, STATE_DEVICES_MAX = 200 };

/* What a device tells of itself (Settings and Provision: DeviceInformation). */
enum state_info {
	STATE_INFO_MODEL,
	STATE_INFO_IMEI,
	STATE_INFO_FRIENDLY_NAME,
	STATE_INFO_OS,
	STATE_INFO_OS_LANGUAGE,
	STATE_INFO_PHONE_NUMBER,
	STATE_INFO_USER_AGENT,
	STATE_INFO_ENABLE_OUTBOUND_SMS,
	STATE_INFO_MOBILE_OPERATOR,
	STATE_INFO_COUNT
};

struct state_device {
	uint32_t number;
	const char *id, *type, *user_agent; /* type and agent: as last seen */
	unsigned version;		    /* protocol version last used: 121, 140, ... */
	int64_t first_seen, last_seen; /* seconds since 1970; last_seen is a few minutes coarse */
	/* STATE_DEVICE_INFO */
	const char *info[STATE_INFO_COUNT]; /* "" where it has not told */
	/* STATE_DEVICE_POLICY */
	uint32_t policy_key;	       /* acknowledged; 0: none */
	uint32_t policy_key_temporary; /* handed out, not yet acknowledged; 0: none */
	uint8_t policy_digest[16];     /* of the policy that policy_key stands for */
};

/* What a request tells about its device. */
struct state_hello {
	const char *id, *type, *user_agent; /* NULL is ""; id is 1 to STATE_DEVICE_ID_MAX bytes; the
					       others are cut at STATE_DEVICE_TEXT_MAX */
	unsigned version;
};

/* The device of a request, made on first sight; type, agent, version and last_seen are brought up to
 * date (written only when they differ, the time every 5 minutes at most). MF_REFUSED: the user has
 * STATE_DEVICES_MAX devices already. */
enum mf_status state_device_load(struct state *st, uint32_t user, const struct state_hello *hello,
	struct mf_arena *a, struct state_device **out, struct mf_error *err);

/* The same without making or writing anything. MF_GONE: never seen. */
enum mf_status state_device_find(struct state *st, uint32_t user, const char *id,
	struct mf_arena *a, struct state_device **out, struct mf_error *err);

enum state_device_group { STATE_DEVICE_INFO = 1 << 0, STATE_DEVICE_POLICY = 1 << 1 };

/* Writes the groups named of d (texts are cut at STATE_DEVICE_TEXT_MAX). MF_GONE: removed
 * meanwhile. */
enum mf_status state_device_save(struct state *st, uint32_t user, const struct state_device *d,
	unsigned groups, struct mf_error *err);

/* All devices of a user in the order in which they came. */
enum mf_status state_devices(struct state *st, uint32_t user, struct mf_arena *a,
	struct state_device **out, size_t *n, struct mf_error *err);

/* Removes a device with everything kept for it: it starts afresh when it comes again. MF_OK when
 * there is none. */
enum mf_status state_device_remove(
	struct state *st, uint32_t user, uint32_t device, struct mf_error *err);

#endif
