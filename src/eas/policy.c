/*
 * Policies: settings to elements, what contradicts what, and keys. Knows no command.
 */
#include "eas/policy.h"

#include <fnmatch.h>
#include <string.h>

#include "base/digest.h"
#include "base/str.h"
#include "eas/commands.h"
#include "eas/recovery.h"
#include "eas/status.h"
#include "state/device.h"

enum kind {
	POLICY_BOOL,
	POLICY_NUMBER,
	POLICY_LIMIT,	   /* 0 stands for none: an empty element */
	POLICY_TRUNCATION, /* KB; 0 stands for none: -1 */
	POLICY_LIST,
};

/* In the schema's order. */
static const struct element {
	uint16_t tag;
	const char *setting;
	enum kind kind;
} elements[] = {
	{ Provision_DevicePasswordEnabled, "device_password", POLICY_BOOL },
	{ Provision_AlphanumericDevicePasswordRequired, "password_alphanumeric", POLICY_BOOL },
	{ Provision_PasswordRecoveryEnabled, "password_recovery", POLICY_BOOL },
	{ Provision_RequireStorageCardEncryption, "encrypt_storage_card", POLICY_BOOL },
	{ Provision_AttachmentsEnabled, "attachments", POLICY_BOOL },
	{ Provision_MinDevicePasswordLength, "password_length", POLICY_LIMIT },
	{ Provision_MaxInactivityTimeDeviceLock, "lock_after", POLICY_LIMIT },
	{ Provision_MaxDevicePasswordFailedAttempts, "password_attempts", POLICY_LIMIT },
	{ Provision_MaxAttachmentSize, "attachment_size", POLICY_LIMIT },
	{ Provision_AllowSimpleDevicePassword, "password_simple", POLICY_BOOL },
	{ Provision_DevicePasswordExpiration, "password_days", POLICY_LIMIT },
	{ Provision_DevicePasswordHistory, "password_history", POLICY_NUMBER },
	{ Provision_AllowStorageCard, "storage_card", POLICY_BOOL },
	{ Provision_AllowCamera, "camera", POLICY_BOOL },
	{ Provision_RequireDeviceEncryption, "encrypt_device", POLICY_BOOL },
	{ Provision_AllowUnsignedApplications, "unsigned_applications", POLICY_BOOL },
	{ Provision_AllowUnsignedInstallationPackages, "unsigned_packages", POLICY_BOOL },
	{ Provision_MinDevicePasswordComplexCharacters, "password_classes", POLICY_NUMBER },
	{ Provision_AllowWiFi, "wifi", POLICY_BOOL },
	{ Provision_AllowTextMessaging, "text_messages", POLICY_BOOL },
	{ Provision_AllowPOPIMAPEmail, "other_mail", POLICY_BOOL },
	{ Provision_AllowBluetooth, "bluetooth", POLICY_NUMBER },
	{ Provision_AllowIrDA, "infrared", POLICY_BOOL },
	{ Provision_RequireManualSyncWhenRoaming, "manual_when_roaming", POLICY_BOOL },
	{ Provision_AllowDesktopSync, "desktop_sync", POLICY_BOOL },
	{ Provision_MaxCalendarAgeFilter, "calendar_age", POLICY_NUMBER },
	{ Provision_AllowHTMLEmail, "html_mail", POLICY_BOOL },
	{ Provision_MaxEmailAgeFilter, "mail_age", POLICY_NUMBER },
	{ Provision_MaxEmailBodyTruncationSize, "text_size", POLICY_TRUNCATION },
	{ Provision_MaxEmailHTMLBodyTruncationSize, "html_size", POLICY_TRUNCATION },
	{ Provision_RequireSignedSMIMEMessages, "sign_mail", POLICY_BOOL },
	{ Provision_RequireEncryptedSMIMEMessages, "encrypt_mail", POLICY_BOOL },
	{ Provision_RequireSignedSMIMEAlgorithm, "sign_algorithm", POLICY_NUMBER },
	{ Provision_RequireEncryptionSMIMEAlgorithm, "encrypt_algorithm", POLICY_NUMBER },
	{ Provision_AllowSMIMEEncryptionAlgorithmNegotiation, "encrypt_negotiation",
		POLICY_NUMBER },
	{ Provision_AllowSMIMESoftCerts, "soft_certificates", POLICY_BOOL },
	{ Provision_AllowBrowser, "browser", POLICY_BOOL },
	{ Provision_AllowConsumerEmail, "consumer_mail", POLICY_BOOL },
	{ Provision_AllowRemoteDesktop, "remote_desktop", POLICY_BOOL },
	{ Provision_AllowInternetSharing, "internet_sharing", POLICY_BOOL },
	{ Provision_UnapprovedInROMApplicationList, "forbidden_applications", POLICY_LIST },
	{ Provision_ApprovedApplicationList, "approved_applications", POLICY_LIST },
};

static const size_t elements_n = sizeof(elements) / sizeof(*elements);

struct eas_policy {
	const struct mf_conf *conf;
	uint8_t digest[16];
};

struct eas_policies {
	struct mf_arena *arena;
	struct eas_policy *all;
	size_t n;
};

/* ---- Rules for devices ---- */

static bool
matches(const char *pattern, const char *value)
{
	return value != NULL && fnmatch(pattern, value, FNM_CASEFOLD) == 0;
}

static const char *const fields[] = { "type=", "agent=", "device=", "user=", "version=" };

static const char *
field(const struct eas_request *r, size_t i)
{
	const char *const values[] = { r->device_type, r->user_agent, r->device_id, r->user,
		eas_version_name(r->version) };

	return values[i];
}

bool
eas_device_rule_ok(const char *rule)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (str_istarts(rule, fields[i]))
			return true;
	return false;
}

bool
eas_device_matches(const struct eas_request *r, const char *rule)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (str_istarts(rule, fields[i]))
			return matches(rule + strlen(fields[i]), field(r, i));
	return false;
}

/* ---- Coherence ---- */

static bool
is_set(const struct mf_conf *c, const struct element *e)
{
	if (e->kind == POLICY_BOOL)
		return mf_conf_bool(c, e->setting);
	return e->kind == POLICY_LIST ? *mf_conf_list(c, e->setting) != NULL
				      : mf_conf_number(c, e->setting) > 0;
}

static bool
setting_on(const struct mf_conf *c, const char *name)
{
	for (size_t i = 0; i < elements_n; i++)
		if (strcmp(elements[i].setting, name) == 0)
			return is_set(c, &elements[i]);
	return false;
}

/* `first` makes no sense unless (or, without) `second` is set. */
static const struct {
	const char *first, *second;
	bool without;
} relations[] = {
	{ "password_alphanumeric", "device_password", false },
	{ "password_recovery", "device_password", false },
	{ "password_length", "device_password", false },
	{ "password_attempts", "device_password", false },
	{ "password_days", "device_password", false },
	{ "password_history", "device_password", false },
	{ "lock_after", "device_password", false },
	{ "encrypt_device", "device_password", false },
	{ "encrypt_storage_card", "storage_card", false },
	{ "attachment_size", "attachments", false },
	{ "html_size", "html_mail", false },
	{ "sign_algorithm", "sign_mail", false },
	{ "encrypt_algorithm", "encrypt_mail", false },
	{ "password_alphanumeric", "password_simple", true },
};

static enum mf_status
check_numbers(const struct mf_conf *c, struct mf_error *err)
{
	int64_t length = mf_conf_number(c, "password_length");
	int64_t classes = mf_conf_number(c, "password_classes");
	int64_t attempts = mf_conf_number(c, "password_attempts");
	int64_t age = mf_conf_number(c, "calendar_age");

	if (classes > 1 && !mf_conf_bool(c, "password_alphanumeric"))
		return mf_fail(err, MF_INVALID,
			"policy \"%s\": password_classes needs password_alphanumeric",
			conf_title(c));
	if (mf_conf_bool(c, "password_alphanumeric") && length < classes)
		return mf_fail(err, MF_INVALID,
			"policy \"%s\": password_alphanumeric needs a password_length of at least "
			"password_classes",
			conf_title(c));
	if (attempts > 0 && attempts < 4)
		return mf_fail(err, MF_INVALID,
			"policy \"%s\": password_attempts must be 0 or 4 to 16", conf_title(c));
	if (age > 0 && age < 4)
		return mf_fail(err, MF_INVALID, "policy \"%s\": calendar_age must be 0 or 4 to 7",
			conf_title(c));
	return MF_OK;
}

static enum mf_status
check(const struct mf_conf *top, const struct mf_conf *c, struct mf_error *err)
{
	if (mf_conf_bool(c, "password_recovery") && !eas_recovery_possible(top))
		return mf_fail(err, MF_INVALID,
			"policy \"%s\": password_recovery needs a recovery_secret of at least %d "
			"bytes",
			conf_title(c), EAS_RECOVERY_SECRET_LEAST);
	for (size_t i = 0; i < sizeof(relations) / sizeof(*relations); i++)
		if (setting_on(c, relations[i].first) &&
			setting_on(c, relations[i].second) == relations[i].without)
			return mf_fail(err, MF_INVALID, "policy \"%s\": %s contradicts %s = %s",
				conf_title(c), relations[i].first, relations[i].second,
				relations[i].without ? "yes" : "no");
	for (const char *const *rule = mf_conf_list(c, "exempt"); *rule != NULL; rule++)
		if (!eas_device_rule_ok(*rule))
			return mf_fail(err, MF_INVALID,
				"policy \"%s\": exempt: \"%s\" is not of the form type=PATTERN",
				conf_title(c), *rule);
	return check_numbers(c, err);
}

/* ---- Writing ---- */

static void
write_list(struct wbxml_writer *w, const struct mf_conf *c, const struct element *e)
{
	uint16_t tag = e->tag == Provision_ApprovedApplicationList ? Provision_Hash
								   : Provision_ApplicationName;

	if (*mf_conf_list(c, e->setting) == NULL)
		return; /* an empty one might be read as "nothing is approved" */
	wbxml_open(w, e->tag);
	for (const char *const *s = mf_conf_list(c, e->setting); *s != NULL; s++)
		wbxml_element(w, tag, *s);
	wbxml_close(w);
}

static void
write_number(struct wbxml_writer *w, const struct element *e, int64_t n)
{
	if (n == 0 && e->kind == POLICY_LIMIT)
		wbxml_empty(w, e->tag);
	else if (e->kind == POLICY_TRUNCATION)
		wbxml_number(w, e->tag, n == 0 ? -1 : n);
	else
		wbxml_number(w, e->tag, n);
}

void
eas_policy_write(struct wbxml_writer *w, const struct eas_policy *p)
{
	const struct mf_conf *c = p->conf;

	wbxml_open(w, Provision_EASProvisionDoc);
	for (size_t i = 0; i < elements_n; i++) {
		const struct element *e = &elements[i];

		if (e->kind == POLICY_BOOL)
			wbxml_number(w, e->tag, mf_conf_bool(c, e->setting));
		else if (e->kind == POLICY_LIST)
			write_list(w, c, e);
		else
			write_number(w, e, mf_conf_number(c, e->setting));
	}
	wbxml_close(w);
}

/* ---- All policies ---- */

/* The digest is that of the document: whatever a device is told counts, and nothing else. */
static void
digest(struct eas_policy *p)
{
	struct wbxml_writer w;
	struct mf_buf b;
	uint8_t sum[DIGEST_SIZE];

	mf_buf_init(&b, 0);
	wbxml_begin(&w, &b);
	eas_policy_write(&w, p);
	digest_sha256(b.data, b.len, sum);
	memcpy(p->digest, sum, sizeof(p->digest));
	mf_buf_deinit(&b);
}

enum mf_status
eas_policies_open(const struct conf *c, struct eas_policies **out, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct eas_policies *p = mf_new(a, struct eas_policies);
	enum mf_status st = MF_OK;

	p->arena = a;
	while (conf_titled(c, "policy", p->n) != NULL)
		p->n++;
	p->all = mf_new_array(a, struct eas_policy, p->n);
	for (size_t i = 0; st == MF_OK && i < p->n; i++) {
		p->all[i].conf = conf_titled(c, "policy", i);
		st = check(conf_top(c), p->all[i].conf, err);
		digest(&p->all[i]);
	}
	if (st == MF_OK)
		*out = p;
	else
		mf_arena_free(a);
	return st;
}

void
eas_policies_free(struct eas_policies *p)
{
	if (p != NULL)
		mf_arena_free(p->arena);
}

static bool
names_user(const struct eas_policy *p, const char *user)
{
	for (const char *const *s = mf_conf_list(p->conf, "users"); *s != NULL; s++)
		if (matches(*s, user))
			return true;
	return false;
}

const struct eas_policy *
eas_policy_of(const struct eas_request *r)
{
	const struct eas_policies *p = r->server->policies;

	for (size_t i = 0; p != NULL && i < p->n; i++) {
		if (!names_user(&p->all[i], r->user))
			continue;
		for (const char *const *s = mf_conf_list(p->all[i].conf, "exempt"); *s != NULL; s++)
			if (eas_device_matches(r, *s))
				return NULL;
		return &p->all[i];
	}
	return NULL;
}

bool
eas_policy_recovers(const struct eas_policy *p)
{
	return p != NULL && mf_conf_bool(p->conf, "password_recovery");
}

/* ---- Keys ---- */

uint32_t
eas_policy_key(const struct eas_request *r, const struct eas_policy *p, bool final)
{
	uint8_t in[sizeof(p->digest) + 2 * sizeof(uint64_t)], sum[DIGEST_SIZE];
	uint64_t first = (uint64_t)r->device->first_seen;
	uint64_t who = (uint64_t)r->user_number << 32 | r->device->number;
	uint32_t key;

	memcpy(in, p->digest, sizeof(p->digest));
	memcpy(in + sizeof(p->digest), &first, sizeof(first));
	memcpy(in + sizeof(p->digest) + sizeof(first), &who, sizeof(who));
	digest_sha256(in, sizeof(in), sum);
	memcpy(&key, sum, sizeof(key));
	/* The last bit tells them apart. */
	return (key & ~1U) == 0 ? 2U | final : (key & ~1U) | final;
}

const uint8_t *
eas_policy_digest(const struct eas_policy *p)
{
	return p->digest;
}

bool
eas_policy_lenient(const struct eas_policy *p)
{
	return mf_conf_bool(p->conf, "allow_non_provisionable");
}

bool
eas_policy_wants_information(const struct eas_policy *p)
{
	return mf_conf_bool(p->conf, "require_device_information");
}

/* MS-ASPROV 3.1.5.2, MS-ASCMD 2.2.2. A Ping may come without a key (MS-ASPROV 3.1.5.1). */
unsigned
eas_policy_check(const struct eas_request *r, const struct eas_policy *p)
{
	const struct state_device *d = r->device;
	uint32_t key = 0;

	if (p == NULL)
		return 0;
	if (r->policy_key == NULL) {
		if (eas_policy_lenient(p) || strcmp(r->command->name, "Ping") == 0)
			return 0;
		return EAS_LEGACY_DEVICE;
	}
	str_to_u32(r->policy_key, UINT32_MAX, &key);
	if (key == 0)
		return EAS_NOT_PROVISIONED;
	if (key != d->policy_key)
		return EAS_POLICY_KEY;
	return memcmp(d->policy_digest, p->digest, sizeof(p->digest)) == 0 ? 0 : EAS_POLICY_REFRESH;
}

const char *
eas_policy_name(const struct eas_policy *p)
{
	return conf_title(p->conf);
}
