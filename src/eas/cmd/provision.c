/*
 * Provision (MS-ASPROV): while no policy is in force, a device that asks for one is told so, and one
 * that tells about itself is heard. A policy of a former server that a device acknowledges, and the
 * Status of a wipe that nobody asked for here (iOS sends one at times), are taken without comment.
 */
#include "eas/commands.h"

#include <string.h>

#include "eas/cmd/device_information.h"

/* The only type of policy from 12.0 on (MS-ASPROV 2.2.2.44). */
static const char policy_type[] = "MS-EAS-Provisioning-WBXML";

static void
write_information(struct eas_request *r, unsigned status)
{
	wbxml_open(&r->writer, Settings_DeviceInformation);
	wbxml_number(&r->writer, Settings_Status, status);
	wbxml_close(&r->writer);
}

static void
write_policy(struct eas_request *r, const struct wbxml_node *policies)
{
	const struct wbxml_node *policy = wbxml_child(policies, Provision_Policy);
	const char *type = wbxml_child_value(policy, Provision_PolicyType);
	wbxml_open(&r->writer, Provision_Policies);
	wbxml_open(&r->writer, Provision_Policy);
	wbxml_element(&r->writer, Provision_PolicyType, type);
	wbxml_number(&r->writer, Provision_Status,
		strcmp(type, policy_type) == 0 ? EAS_POLICY_NONE : EAS_POLICY_TYPE);
	wbxml_close(&r->writer);
	wbxml_close(&r->writer);
}

enum eas_verdict
cmd_provision(struct eas_request *r)
{
	const struct wbxml_node *information = wbxml_child(r->root, Settings_DeviceInformation);
	const struct wbxml_node *policies = wbxml_child(r->root, Provision_Policies);
	if (r->root->children == NULL)
		return eas_fail_status(r, EAS_PROVISION_PROTOCOL, "no policy type");
	struct mf_error err = { 0 };
	enum mf_status st =
		information == NULL ? MF_OK : device_information_set(r, information, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	eas_reply_begin(r, Provision_Provision);
	if (information != NULL)
		write_information(r, EAS_OK);
	eas_reply_status(r, EAS_OK);
	if (policies != NULL)
		write_policy(r, policies);
	return eas_reply_end(r);
}
