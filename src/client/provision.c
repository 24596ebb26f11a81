/* Provision: asks for the policy, then says that it was applied. */
#include "client/mail.h"

enum { VERSION_14_1 = 141 };

static void
put_device(struct wbxml_writer *w)
{
	wbxml_open(w, Settings_DeviceInformation);
	wbxml_open(w, Settings_Set);
	wbxml_element(w, Settings_Model, "mailferry probe");
	wbxml_element(w, Settings_FriendlyName, "mailferry probe");
	wbxml_element(w, Settings_OS, "Linux");
	wbxml_element(w, Settings_UserAgent, "Mailferry/" MAILFERRY_VERSION);
	wbxml_close(w);
	wbxml_close(w);
}

/* key NULL: the first step. */
static enum mf_status
step(struct client *c, const char *key, struct client_answer *answer, struct mf_error *err)
{
	struct client_request r = { .command = "Provision" };
	struct wbxml_writer w;
	struct mf_buf body;
	enum mf_status st;

	mf_buf_init(&body, 0);
	wbxml_begin(&w, &body);
	wbxml_open(&w, Provision_Provision);
	if (key == NULL && client_version(c) >= VERSION_14_1)
		put_device(&w);
	wbxml_open(&w, Provision_Policies);
	wbxml_open(&w, Provision_Policy);
	wbxml_element(&w, Provision_PolicyType, "MS-EAS-Provisioning-WBXML");
	if (key != NULL) {
		wbxml_element(&w, Provision_PolicyKey, key);
		wbxml_number(&w, Provision_Status, 1);
	}
	wbxml_close(&w);
	wbxml_close(&w);
	wbxml_close(&w);
	r.body = mf_buf_bytes(&body);
	st = client_call(c, &r, answer, err);
	mf_buf_deinit(&body);
	return st == MF_OK ? client_check_http(answer, err) : st;
}

/* The key of an answer, when its policy's status is 1. */
static enum mf_status
take(struct client *c, const struct client_answer *answer, struct client_provision_result *out,
	bool *done, struct mf_error *err)
{
	const struct wbxml_node *root = answer->root, *policy;
	const char *key;

	if (root == NULL || root->tag != Provision_Provision)
		return mf_fail(err, MF_INVALID, "not an answer to Provision");
	policy = wbxml_child(wbxml_child(root, Provision_Policies), Provision_Policy);
	key = wbxml_child_value(policy, Provision_PolicyKey);
	out->status = client_number(root, Provision_Status, 0);
	out->policy_status = client_number(policy, Provision_Status, 0);
	out->wipe = out->wipe || wbxml_child(root, Provision_RemoteWipe) != NULL ||
		    wbxml_child(root, Provision_AccountOnlyRemoteWipe) != NULL;
	*done = out->status != 1 || out->policy_status != 1 || key == NULL;
	if (!*done)
		client_set_policy_key(c, key);
	return MF_OK;
}

enum mf_status
client_provision(struct client *c, struct client_provision_result *out, struct mf_error *err)
{
	const char *key = NULL;
	bool done = false;
	enum mf_status st = MF_OK;

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < 2 && !done && st == MF_OK; i++) {
		struct client_answer answer;

		st = step(c, key, &answer, err);
		if (st == MF_OK)
			st = take(c, &answer, out, &done, err);
		key = client_policy_key(c);
	}
	return st;
}
