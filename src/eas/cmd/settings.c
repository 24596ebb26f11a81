/*
 * Settings (MS-ASCMD 2.2.1.18): named properties, each with a Status of its own, in the order of the
 * request. Password recovery is refused by its Status where no policy wants it.
 */
#include "eas/commands.h"

#include <string.h>

#include "eas/cmd/device_information.h"
#include "eas/cmd/oof.h"
#include "eas/policy.h"
#include "eas/recovery.h"
#include "eas/status.h"
#include "mailferry/log.h"

enum { PASSWORD_MAX = 255 }; /* bytes (MS-ASCMD 2.2.3.132.3) */

/* Sets the property and writes what stands below its element, Status first. */
typedef void property_fn(struct eas_request *r, const struct wbxml_node *n);

static void
write_status(struct eas_request *r, unsigned status)
{
	wbxml_number(&r->writer, Settings_Status, status);
}

static void
set_information(struct eas_request *r, const struct wbxml_node *n)
{
	struct mf_error err;
	enum mf_status st = device_information_set(r, n, &err);
	if (st != MF_OK)
		mf_log_warning("settings=DeviceInformation error=%s", mf_log_value(err.text));
	write_status(r, eas_status_at(EAS_AT_SETTINGS, st));
}

static void
write_addresses(struct eas_request *r)
{
	const char *address = eas_user_address(r);
	wbxml_open(&r->writer, Settings_EmailAddresses);
	wbxml_element(&r->writer, Settings_SMTPAddress, address);
	if (r->version >= EAS_14_1)
		wbxml_element(&r->writer, Settings_PrimarySmtpAddress, address);
	wbxml_close(&r->writer);
}

/* Up to 14.0 the addresses stand below Get, from 14.1 on below the one account (2.2.3.55). */
static void
get_user(struct eas_request *r, const struct wbxml_node *n)
{
	(void)n;
	write_status(r, EAS_OK);
	wbxml_open(&r->writer, Settings_Get);
	if (r->version >= EAS_14_1) {
		wbxml_open(&r->writer, Settings_Accounts);
		wbxml_open(&r->writer, Settings_Account);
		write_addresses(r);
		wbxml_close(&r->writer);
		wbxml_close(&r->writer);
	} else {
		write_addresses(r);
	}
	wbxml_close(&r->writer);
}

/* The device's recovery password; an empty one clears it (MS-ASCMD 2.2.3.132.3). One that is too long is none anywhere. */
static void
set_password(struct eas_request *r, const struct wbxml_node *n)
{
	const char *password = wbxml_child_value(wbxml_child(n, Settings_Set), Settings_Password);
	struct mf_error err;
	enum mf_status st;

	if (strlen(password) > PASSWORD_MAX) {
		write_status(r, EAS_SETTINGS_ARGUMENTS);
		return;
	}
	if (!eas_policy_recovers(eas_policy_of(r))) {
		write_status(r, EAS_SETTINGS_DENIED_BY_POLICY);
		return;
	}
	st = eas_recovery_keep(
		r->server->state, r->server->conf, r->user, r->device_id, password, &err);
	if (st != MF_OK)
		mf_log_warning("settings=DevicePassword error=%s", mf_log_value(err.text));
	write_status(r, eas_status_at(EAS_AT_SETTINGS, st));
}

/* Password must be there; an empty one clears it (MS-ASCMD 2.2.3.132.3). */
static bool
password_missing(const struct wbxml_node *root)
{
	const struct wbxml_node *n = wbxml_child(root, Settings_DevicePassword);

	return n != NULL && wbxml_child(wbxml_child(n, Settings_Set), Settings_Password) == NULL;
}

/* There are no templates; mail that wants one is refused with 168 (send_request.c). */
static void
get_rights(struct eas_request *r, const struct wbxml_node *n)
{
	(void)n;
	write_status(r, EAS_OK);
	wbxml_open(&r->writer, Settings_Get);
	wbxml_empty(&r->writer, RightsManagement_RightsManagementTemplates);
	wbxml_close(&r->writer);
}

static const struct {
	uint16_t tag;
	enum eas_version first;
	property_fn *fn;
} properties[] = {
	{ Settings_Oof, EAS_12_1, oof_property },
	{ Settings_DeviceInformation, EAS_12_1, set_information },
	{ Settings_DevicePassword, EAS_12_1, set_password },
	{ Settings_UserInformation, EAS_12_1, get_user },
	{ Settings_RightsManagementInformation, EAS_14_1, get_rights },
};

static void
do_property(struct eas_request *r, const struct wbxml_node *n)
{
	for (size_t i = 0; i < sizeof(properties) / sizeof(*properties); i++) {
		if (properties[i].tag != n->tag || r->version < properties[i].first)
			continue;
		wbxml_open(&r->writer, n->tag);
		properties[i].fn(r, n);
		wbxml_close(&r->writer);
	}
}

enum eas_verdict
cmd_settings(struct eas_request *r)
{
	if (r->root->children == NULL)
		return eas_fail_status(r, EAS_SETTINGS_PROTOCOL, "no property");
	if (password_missing(r->root))
		return eas_fail_status(r, EAS_SETTINGS_PROTOCOL, "DevicePassword without Password");
	eas_reply_begin(r, Settings_Settings);
	eas_reply_status(r, EAS_OK);
	for (const struct wbxml_node *n = r->root->children; n != NULL; n = n->next)
		do_property(r, n);
	return eas_reply_end(r);
}
