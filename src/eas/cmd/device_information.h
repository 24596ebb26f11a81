/* What a device tells of itself, in Settings and in Provision (MS-ASCMD 2.2.3.45). */
#ifndef EAS_CMD_DEVICE_INFORMATION_H
#define EAS_CMD_DEVICE_INFORMATION_H

#include "eas/request.h"

/* Stores the children of Set of a DeviceInformation element; those that are missing are unset. */
enum mf_status device_information_set(
	struct eas_request *r, const struct wbxml_node *information, struct mf_error *err);

#endif
