/* Knows rules and words for people; must not know any command. */
#include "eas/access.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "backend/session.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "eas/policy.h"
#include "eas/status.h"
#include "mime/build.h"

enum { SESSION_WAIT_MS = 5000 };

/* The first word of a rule. */
static const struct {
	const char *name;
	unsigned status; /* 0: let in */
	bool quarantine;
} actions[] = {
	{ "allow", 0, false },
	{ "block", EAS_DEVICE_BLOCKED, false },
	{ "quarantine", EAS_DEVICE_BLOCKED, true },
	{ "user-disabled", EAS_USER_DISABLED, false },
	{ "server-disabled", EAS_USER_NEW_MAILBOX, false },
	{ "legacy-mailbox", EAS_USER_LEGACY_MAILBOX, false },
	{ "deny", EAS_ACCESS_DENIED, false },
	{ "account-disabled", EAS_ACCOUNT_DISABLED, false },
};

static const size_t actions_n = sizeof(actions) / sizeof(*actions);

/* ---- Rules ---- */

/* Takes the next word of *s, which shrinks; a copy, NULL at the end. */
static const char *
next_word(struct mf_arena *a, const char **s)
{
	*s += strspn(*s, " \t");
	size_t len = strcspn(*s, " \t");
	const char *word = len == 0 ? NULL : mf_strndup(a, *s, len);
	*s += len;
	return word;
}

static size_t
find_action(const char *name)
{
	size_t i = 0;
	while (i < actions_n && (name == NULL || strcmp(actions[i].name, name) != 0))
		i++;
	return i;
}

enum mf_status
eas_access_validate(const struct mf_conf *top, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	enum mf_status st = MF_OK;
	for (const char *const *rule = mf_conf_list(top, "access_rules"); *rule != NULL; rule++) {
		const char *s = *rule, *word;
		size_t fields = 0;
		bool good = find_action(next_word(a, &s)) < actions_n;
		for (; (word = next_word(a, &s)) != NULL; fields++)
			good = good && eas_device_rule_ok(word);
		if (st == MF_OK && (!good || fields == 0))
			st = mf_fail(err, MF_INVALID,
				"access_rules: \"%s\" is not of the form \"block type=PATTERN\"",
				*rule);
	}
	for (const char *const *s = mf_conf_list(top, "redirects"); *s != NULL; s++)
		if (st == MF_OK && strstr(*s, "=https://") == NULL &&
			strstr(*s, "=http://") == NULL)
			st = mf_fail(err, MF_INVALID,
				"redirects: \"%s\" is not of the form \"USER=https://...\"", *s);
	mf_arena_free(a);
	return st;
}

const char *
eas_access_elsewhere(const struct eas_request *r)
{
	const char *const *s = mf_conf_list(r->server->conf, "redirects");
	for (; *s != NULL; s++) {
		const char *url = strchr(*s, '=');
		const char *pattern = mf_strndup(r->arena, *s, strcspn(*s, "="));
		if (url != NULL && fnmatch(pattern, r->user, FNM_CASEFOLD) == 0)
			return url + 1;
	}
	return NULL;
}

/* All conditions of a rule; an agent with blanks is matched by ? for each. */
static bool
fits(const struct eas_request *r, const char *conditions)
{
	const char *word;
	while ((word = next_word(r->arena, &conditions)) != NULL)
		if (!eas_device_matches(r, word))
			return false;
	return true;
}

unsigned
eas_access_check(const struct eas_request *r, bool *quarantine)
{
	*quarantine = false;
	if (r->record.approval == STATE_APPROVAL_ALLOWED)
		return 0;
	if (r->record.approval == STATE_APPROVAL_BLOCKED)
		return EAS_DEVICE_BLOCKED;
	const char *const *rule = mf_conf_list(r->server->conf, "access_rules");
	for (; *rule != NULL; rule++) {
		const char *s = *rule;
		size_t i = find_action(next_word(r->arena, &s));
		if (i == actions_n || !fits(r, s))
			continue;
		*quarantine = actions[i].quarantine && r->record.approval != STATE_APPROVAL_WAITING;
		return actions[i].status;
	}
	return 0;
}

/* ---- The mail ---- */

static enum mf_status
find_inbox(void *ctx, const struct mf_folder *folder)
{
	const char **id = ctx;
	if (folder->role != MF_ROLE_INBOX || *id != NULL)
		return MF_OK;
	*id = strdup(folder->id);
	return MF_OK;
}

struct source {
	struct mf_bytes rest;
};

static ssize_t
read_source(void *ctx, void *data, size_t size)
{
	struct source *s = ctx;
	size_t n = size < s->rest.len ? size : s->rest.len;
	if (n > 0)
		memcpy(data, s->rest.data, n);
	s->rest.data += n;
	s->rest.len -= n;
	return (ssize_t)n;
}

/* Text of a device in a mail: one line, printable. */
static const char *
printable(const struct eas_request *r, const char *s)
{
	char *copy = mf_strdup(r->arena, s == NULL || *s == '\0' ? "-" : s);
	if (strlen(copy) > 200)
		copy[200] = '\0';
	for (char *p = copy; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
			*p = '?';
	return copy;
}

static void
compose(const struct eas_request *r, struct mf_buf *b)
{
	const char *address = eas_user_address(r);
	const char *seed = mf_printf(r->arena, "%s\n%s", r->user, r->device_id);
	uint8_t sum[DIGEST_SIZE];
	digest_sha256(seed, strlen(seed), sum);
	mime_field_add_text(b, "From", mf_printf(r->arena, "Mailferry <%s>", address));
	mime_field_add_text(b, "To", address);
	mime_field_add_text(b, "Subject", "A new device waits for approval");
	mime_field_add_date(b, "Date", clock_wall());
	mf_buf_printf(b, "Message-ID: <%s@mailferry>\r\n", str_hex(r->arena, sum, 16));
	mf_buf_printf(b,
		"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=us-ascii\r\n\r\n"
		"A device has asked for your mail with your password. It gets nothing until an\r\n"
		"administrator has approved it.\r\n\r\n"
		"  Type:    %s\r\n  Agent:   %s\r\n  Id:      %s\r\n\r\n"
		"If this is not your device, change your password now.\r\n",
		printable(r, r->device_type), printable(r, r->user_agent),
		printable(r, r->device_id));
}

static enum mf_status
put(struct mf_session *s, const struct mf_store_api *store, struct mf_bytes mail,
	struct mf_error *err)
{
	char *inbox = NULL;
	enum mf_status st = store->folders(s, find_inbox, &inbox, err);
	if (st == MF_OK && inbox == NULL)
		st = mf_fail(err, MF_GONE, "no Inbox");
	if (st == MF_OK) {
		struct source source = { mail };
		struct mf_put p = {
			.folder = inbox, .read = read_source, .ctx = &source, .size = mail.len
		};
		uint64_t id;
		st = store->put(s, &p, &id, err);
	}
	free(inbox);
	return st;
}

enum mf_status
eas_access_tell(struct eas_request *r, struct mf_error *err)
{
	const struct mf_backend_api *api;
	struct mf_session *s;
	struct mf_buf b;
	enum mf_status st = backend_session_get(r->server->backends, BACKEND_STORE, &r->login,
		clock_ms() + SESSION_WAIT_MS, &s, &api, err);
	if (st != MF_OK)
		return st;
	mf_buf_init(&b, 0);
	compose(r, &b);
	st = put(s, api->store, mf_buf_bytes(&b), err);
	mf_buf_deinit(&b);
	backend_session_put(r->server->backends, s);
	return st != MF_OK ? st
			   : state_approval_save(r->server->state, r->user, r->device_id,
				     STATE_APPROVAL_WAITING, err);
}

bool
eas_access_may_wipe(const struct mf_conf *top, enum state_wipe_kind kind)
{
	const char *allowed = mf_conf_string(top, "remote_wipe");
	return strcmp(allowed, "device") == 0 ||
	       (kind == STATE_WIPE_ACCOUNT && strcmp(allowed, "account") == 0);
}
