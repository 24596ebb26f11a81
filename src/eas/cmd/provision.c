/*
 * Provision (MS-ASPROV): the policy of the device's user, in two phases; a wipe that an administrator
 * asked for; and what the device tells of itself.
 *
 * An empty request asks whether there is a wipe (MS-ASPROV 3.1.5.1.1): Status 1 alone says no.
 *
 * While no policy is in force a device that asks for one is told so. A policy of a former server that
 * a device acknowledges, and the Status of a wipe that nobody asked for here (iOS sends one at times),
 * are taken without comment.
 */
#include "eas/commands.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "eas/cmd/device_information.h"
#include "eas/policy.h"
#include "state/device.h"
#include "state/record.h"

/* The only type of policy from 12.0 on (MS-ASPROV 2.2.2.44). */
static const char policy_type[] = "MS-EAS-Provisioning-WBXML";

/* What the Status of an acknowledgement says (MS-ASPROV 2.2.2.54.1). */
enum { APPLIED = 1, APPLIED_PARTLY = 2, NOT_APPLIED = 3, MANAGED_ELSEWHERE = 4 };

struct provision {
	const struct wbxml_node *information, *policy;
	const struct eas_policy *set; /* NULL: none is in force for this device */
	const char *type, *key;	      /* of the policy element; key NULL: the first phase */
	uint32_t answer_key;	      /* 0: none */
	unsigned policy_status;
	bool document; /* the policy itself is told */
};

/* ---- Wipes ---- */

static const uint16_t wipe_tags[] = {
	[STATE_WIPE_ACCOUNT] = Provision_AccountOnlyRemoteWipe,
	[STATE_WIPE_DEVICE] = Provision_RemoteWipe,
};

static enum mf_status
note_wipe(struct eas_request *r, enum state_wipe_stage stage, struct mf_error *err)
{
	static const char *const names[] = { "asked", "sent", "done", "failed" };

	mf_log_warning("wipe=%s kind=%s", names[stage],
		r->record.wipe.kind == STATE_WIPE_DEVICE ? "device" : "account");
	return state_wipe_save(
		r->server->state, r->user, r->device_id, r->record.wipe.kind, stage, err);
}

static enum eas_verdict
answer_wipe(struct eas_request *r, unsigned status, bool directive)
{
	eas_reply_begin(r, Provision_Provision);
	eas_reply_status(r, status);
	if (directive)
		wbxml_empty(&r->writer, wipe_tags[r->record.wipe.kind]);
	return eas_reply_end(r);
}

/* MS-ASPROV 3.2.5.1.2.2 and .3: a device that could not do it is told once more. */
static enum eas_verdict
take_report(struct eas_request *r, const struct wbxml_node *said)
{
	const char *status = wbxml_child_value(said, Provision_Status);
	bool done = r->record.wipe.stage == STATE_WIPE_DONE ||
		    (status != NULL && strcmp(status, "1") == 0);
	enum state_wipe_stage stage = done ? STATE_WIPE_DONE : STATE_WIPE_FAILED;
	struct mf_error err = { 0 };
	enum mf_status st = MF_OK;

	if (r->record.wipe.stage != stage)
		st = note_wipe(r, stage, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	return answer_wipe(r, done ? EAS_OK : EAS_PROVISION_PROTOCOL, !done);
}

/* A device that was told to wipe itself hears nothing else, until the wipe is cancelled. */
static enum eas_verdict
wipe(struct eas_request *r)
{
	const struct state_wipe *w = &r->record.wipe;
	const struct wbxml_node *said = wbxml_child(r->root, wipe_tags[w->kind]);
	struct mf_error err = { 0 };
	enum mf_status st;

	if (said != NULL && w->stage != STATE_WIPE_ASKED)
		return take_report(r, said);
	if (w->stage == STATE_WIPE_DONE)
		return eas_fail_status(r, EAS_DEVICE_BLOCKED, "this device was wiped");
	st = note_wipe(r, STATE_WIPE_SENT, &err);
	return st == MF_OK ? answer_wipe(r, EAS_OK, true) : eas_fail(r, st, &err);
}

/* ---- The policy ---- */

/* The first phase: the policy with a key that is good for its acknowledgement only. */
static enum mf_status
hand_out(struct eas_request *r, struct provision *p, struct mf_error *err)
{
	p->answer_key = eas_policy_key(r, p->set, false);
	p->policy_status = EAS_OK;
	p->document = true;
	if (r->device->policy_key_temporary == p->answer_key)
		return MF_OK;
	r->device->policy_key_temporary = p->answer_key;
	return state_device_save(
		r->server->state, r->user_number, r->device, STATE_DEVICE_POLICY, err);
}

/* The second phase: from now on the device keeps to it. */
static enum mf_status
acknowledge(struct eas_request *r, struct provision *p, struct mf_error *err)
{
	uint32_t key = 0;

	p->policy_status = EAS_POLICY_KEY_MISMATCH;
	if (!str_to_u32(p->key, UINT32_MAX, &key) || key != eas_policy_key(r, p->set, false))
		return MF_OK;
	p->policy_status = EAS_OK;
	p->answer_key = eas_policy_key(r, p->set, true);
	r->device->policy_key = p->answer_key;
	memcpy(r->device->policy_digest, eas_policy_digest(p->set),
		sizeof(r->device->policy_digest));
	return state_device_save(
		r->server->state, r->user_number, r->device, STATE_DEVICE_POLICY, err);
}

/* 0, or the Status that a device gets that cannot keep to the policy. */
static unsigned
judge_acknowledgement(const struct provision *p)
{
	uint32_t said = APPLIED;
	const char *status = wbxml_child_value(p->policy, Provision_Status);

	if (status == NULL || !str_to_u32(status, UINT32_MAX, &said) || said == APPLIED ||
		eas_policy_lenient(p->set))
		return 0;
	return said == MANAGED_ELSEWHERE ? EAS_EXTERNALLY_MANAGED : EAS_NOT_FULLY_PROVISIONABLE;
}

static enum mf_status
prepare_policy(struct eas_request *r, struct provision *p, struct mf_error *err)
{
	if (strcmp(p->type, policy_type) != 0)
		p->policy_status = EAS_POLICY_TYPE;
	else if (p->set == NULL)
		p->policy_status = EAS_POLICY_NONE;
	else
		return p->key == NULL ? hand_out(r, p, err) : acknowledge(r, p, err);
	return MF_OK;
}

/* ---- The command ---- */

static struct provision
parse(const struct eas_request *r)
{
	struct provision p = { .set = eas_policy_of(r) };

	p.information = wbxml_child(r->root, Settings_DeviceInformation);
	p.policy = wbxml_child(wbxml_child(r->root, Provision_Policies), Provision_Policy);
	p.type = wbxml_child_value(p.policy, Provision_PolicyType);
	p.key = wbxml_child_value(p.policy, Provision_PolicyKey);
	return p;
}

static unsigned
judge(const struct eas_request *r, const struct provision *p)
{
	if (wbxml_child(r->root, Provision_Policy) != NULL)
		return EAS_PROVISION_PROTOCOL;
	if (p->set == NULL || p->policy == NULL)
		return 0;
	if (p->key != NULL)
		return judge_acknowledgement(p);
	if (p->information == NULL && r->version >= EAS_14_1 &&
		eas_policy_wants_information(p->set))
		return EAS_DEVICE_INFORMATION;
	return 0;
}

static void
write_policy(struct eas_request *r, const struct provision *p)
{
	struct wbxml_writer *w = &r->writer;

	wbxml_open(w, Provision_Policies);
	wbxml_open(w, Provision_Policy);
	wbxml_element(w, Provision_PolicyType, p->type);
	wbxml_number(w, Provision_Status, p->policy_status);
	if (p->answer_key != 0)
		wbxml_number(w, Provision_PolicyKey, p->answer_key);
	if (p->document) {
		wbxml_open(w, Provision_Data);
		eas_policy_write(w, p->set);
		wbxml_close(w);
	}
	wbxml_close(w);
	wbxml_close(w);
}

static enum eas_verdict
answer(struct eas_request *r, const struct provision *p)
{
	eas_reply_begin(r, Provision_Provision);
	if (p->information != NULL) {
		wbxml_open(&r->writer, Settings_DeviceInformation);
		wbxml_number(&r->writer, Settings_Status, EAS_OK);
		wbxml_close(&r->writer);
	}
	eas_reply_status(r, EAS_OK);
	if (p->policy != NULL)
		write_policy(r, p);
	return eas_reply_end(r);
}

enum eas_verdict
cmd_provision(struct eas_request *r)
{
	if (r->record.wipe.kind != STATE_WIPE_NONE)
		return wipe(r);
	struct provision p = parse(r);
	unsigned status = judge(r, &p);
	if (status != 0)
		return eas_fail_status(r, status, "not provisioned");
	struct mf_error err = { 0 };
	enum mf_status st =
		p.information == NULL ? MF_OK : device_information_set(r, p.information, &err);
	if (st == MF_OK && p.policy != NULL)
		st = prepare_policy(r, &p, &err);
	return st == MF_OK ? answer(r, &p) : eas_fail(r, st, &err);
}
