/*
 * Policies for devices (MS-ASPROV): which one is a user's, whether a device keeps to it, and how it is
 * written. Sets come from the configuration's sections `policy`; one that contradicts itself is
 * refused at start, for phones refuse such a policy with the whole account.
 *
 * Keys. A device gets a temporary key with the policy and a final one when it acknowledges. Both follow
 * from the policy's content and the device, so that a repeated request gets the same answer, and a
 * changed policy makes the old key void.
 */
#ifndef EAS_POLICY_H
#define EAS_POLICY_H

#include "conf/conf.h"
#include "eas/request.h"

struct eas_policies;
struct eas_policy;

/* Reads and checks all policies. MF_INVALID names the first contradiction. */
enum mf_status eas_policies_open(
	const struct conf *c, struct eas_policies **out, struct mf_error *err);
void eas_policies_free(struct eas_policies *p); /* NULL is fine */

/* The policy that this request's device must keep to; NULL: none. */
const struct eas_policy *eas_policy_of(const struct eas_request *r);

/* Whether the device may go on: 0, or the status to refuse with (141 to 144). For every command
 * but Provision. */
unsigned eas_policy_check(const struct eas_request *r, const struct eas_policy *p);

/* The two keys of this device for that policy; never 0, never the same. */
uint32_t eas_policy_key(const struct eas_request *r, const struct eas_policy *p, bool final);
const uint8_t *eas_policy_digest(const struct eas_policy *p); /* 16 bytes */
bool eas_policy_lenient(const struct eas_policy *p);	      /* allow_non_provisionable */
const char *eas_policy_name(const struct eas_policy *p);      /* its title */
bool eas_policy_wants_information(const struct eas_policy *p);
/* Whether recovery passwords of devices under it are kept; NULL is fine: no. */
bool eas_policy_recovers(const struct eas_policy *p);

/* Writes EASProvisionDoc. */
void eas_policy_write(struct wbxml_writer *w, const struct eas_policy *p);

/* Whether the device matches "type=...", "agent=...", "device=..." or "user=..." with a pattern in
 * which * and ? have their usual meaning; letter case does not count. */
bool eas_device_matches(const struct eas_request *r, const char *rule);
/* Whether such a rule is well formed. */
bool eas_device_rule_ok(const char *rule);

#endif
