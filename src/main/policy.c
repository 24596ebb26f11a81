/* `mailferry policy`: which policies there are, and whether a device keeps to its own. */
#include <string.h>

#include "base/log.h"
#include "eas/policy.h"
#include "main/commands.h"
#include "main/tool.h"
#include "state/device.h"
#include "state/user.h"

/* ---- list ---- */

static void
print_names(struct tool *t, const char *const *names)
{
	for (const char *const *s = names; *s != NULL; s++)
		mf_buf_printf(&t->out, " %s", mf_log_value(*s));
}

static void
print_list(struct tool *t, const char *name, const char *const *values)
{
	mf_buf_printf(&t->out, ",\"%s\":[", name);
	for (size_t i = 0; values[i] != NULL; i++) {
		mf_buf_add_str(&t->out, i == 0 ? "" : ",");
		tool_string(&t->out, values[i]);
	}
	mf_buf_add_str(&t->out, "]");
}

static void
list_one(struct tool *t, const struct mf_conf *policy, bool first)
{
	bool lenient = mf_conf_bool(policy, "allow_non_provisionable");

	if (t->json) {
		mf_buf_add_str(&t->out, first ? "\n{" : ",\n{");
		tool_field(&t->out, "name", conf_title(policy));
		mf_buf_printf(&t->out, ",\"lenient\":%s", lenient ? "true" : "false");
		print_list(t, "users", mf_conf_list(policy, "users"));
		print_list(t, "exempt", mf_conf_list(policy, "exempt"));
		mf_buf_add_str(&t->out, "}");
		return;
	}
	mf_buf_printf(&t->out, "%s%s\n  users: ", mf_log_value(conf_title(policy)),
		lenient ? " (devices that know no policies may come in)" : "");
	print_names(t, mf_conf_list(policy, "users"));
	mf_buf_add_str(&t->out, "\n  exempt:");
	print_names(t, mf_conf_list(policy, "exempt"));
	mf_buf_add_str(&t->out, "\n");
}

static int
list(struct tool *t)
{
	const struct mf_conf *policy;
	size_t n = 0;

	if (t->json)
		mf_buf_add_str(&t->out, "[");
	for (; (policy = conf_titled(t->conf, "policy", n)) != NULL; n++)
		list_one(t, policy, n == 0);
	if (t->json)
		mf_buf_add_str(&t->out, "\n]\n");
	else if (n == 0)
		mf_buf_add_str(&t->out, "no policy is configured: nothing is asked of a device\n");
	return MAIN_OK;
}

/* ---- A device's ---- */

struct found {
	uint32_t user;
	struct state_device *device;
	struct eas_policies *policies;
	const struct eas_policy *policy; /* NULL: none */
};

static enum mf_status
find(struct tool *t, struct found *f, struct mf_error *err)
{
	struct eas_server server = { .conf = t->top };
	struct eas_request r = { .server = &server, .arena = t->arena, .user = tool_operand(t, 0) };
	enum mf_status st = eas_policies_open(t->conf, &f->policies, err);

	if (st == MF_OK)
		st = state_user_find(t->state, STATE_SYNC, r.user, &f->user, err);
	if (st == MF_OK)
		st = state_device_find(
			t->state, f->user, tool_operand(t, 1), t->arena, &f->device, err);
	if (st != MF_OK)
		return st;
	server.policies = f->policies;
	r.device = f->device;
	r.device_id = f->device->id;
	r.device_type = f->device->type;
	r.user_agent = f->device->user_agent;
	r.version = (enum eas_version)f->device->version;
	f->policy = eas_policy_of(&r);
	return MF_OK;
}

static const char *
standing(const struct found *f)
{
	if (f->policy == NULL)
		return "none is for this device";
	if (f->device->policy_key == 0)
		return "not acknowledged";
	return memcmp(f->device->policy_digest, eas_policy_digest(f->policy),
		       sizeof(f->device->policy_digest)) == 0
		       ? "acknowledged"
		       : "acknowledged as it was before it changed";
}

static int
show(struct tool *t)
{
	struct found f = { 0 };
	struct mf_error err = { .text = "" };
	enum mf_status st = find(t, &f, &err);
	const char *name = f.policy == NULL ? "" : eas_policy_name(f.policy);

	if (st == MF_OK && t->json) {
		mf_buf_add_str(&t->out, "{");
		tool_field(&t->out, "policy", name);
		tool_field(&t->out, "standing", standing(&f));
		mf_buf_add_str(&t->out, "}\n");
	} else if (st == MF_OK) {
		mf_buf_printf(&t->out, "%s%s%s\n", *name == '\0' ? "" : mf_log_value(name),
			*name == '\0' ? "" : ": ", standing(&f));
	}
	eas_policies_free(f.policies);
	return tool_end(t, st, &err);
}

/* The device is told to ask for its policy with its next request. */
static int
reset(struct tool *t)
{
	struct found f = { 0 };
	struct mf_error err = { .text = "" };
	enum mf_status st = find(t, &f, &err);

	if (st == MF_OK) {
		f.device->policy_key = f.device->policy_key_temporary = 0;
		st = state_device_save(t->state, f.user, f.device, STATE_DEVICE_POLICY, &err);
	}
	eas_policies_free(f.policies);
	return tool_end(t, st, &err);
}

int
main_policy(int argc, char **argv)
{
	static const struct tool_action actions[] = {
		{ "list", "", 0, 0, list, "the policies of the configuration", true },
		{ "show", "USER ID", 2, 2, show, "which one a device must keep to, and does it",
			false },
		{ "reset", "USER ID", 2, 2, reset, "the device is to ask for its policy again",
			false },
		{ 0 },
	};
	static const struct tool_command command = { "policy", actions, NULL,
		"USER is the name that the log shows." };

	return tool_main(&command, argc, argv);
}
