/* Knows the elements of DeviceInformation and where they are kept. */
#include "eas/cmd/device_information.h"

#include "state/device.h"

static const uint16_t tags[STATE_INFO_COUNT] = {
	[STATE_INFO_MODEL] = Settings_Model,
	[STATE_INFO_IMEI] = Settings_IMEI,
	[STATE_INFO_FRIENDLY_NAME] = Settings_FriendlyName,
	[STATE_INFO_OS] = Settings_OS,
	[STATE_INFO_OS_LANGUAGE] = Settings_OSLanguage,
	[STATE_INFO_PHONE_NUMBER] = Settings_PhoneNumber,
	[STATE_INFO_USER_AGENT] = Settings_UserAgent,
	[STATE_INFO_ENABLE_OUTBOUND_SMS] = Settings_EnableOutboundSMS,
	[STATE_INFO_MOBILE_OPERATOR] = Settings_MobileOperator,
};

enum mf_status
device_information_set(
	struct eas_request *r, const struct wbxml_node *information, struct mf_error *err)
{
	const struct wbxml_node *set = wbxml_child(information, Settings_Set);
	for (int i = 0; i < STATE_INFO_COUNT; i++) {
		const char *value = wbxml_child_value(set, tags[i]);
		r->device->info[i] = value == NULL ? "" : value;
	}
	return state_device_save(
		r->server->state, r->user_number, r->device, STATE_DEVICE_INFO, err);
}
