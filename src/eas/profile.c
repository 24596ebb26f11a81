/* Knows Apple's form of an account; must not know who asks. */
#include "eas/profile.h"

#include <stdbool.h>
#include <string.h>

#include "base/digest.h"
#include "base/str.h"

#define ACCOUNT "com.apple.eas.account"

void
eas_profile_text(struct mf_buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("<>&\"'", *s) != NULL)
			mf_buf_printf(b, "&#%d;", *s);
		else
			mf_buf_add_byte(b, (uint8_t)*s);
	}
}

static bool
by_token(const struct eas_profile *p)
{
	return p->sign_in_url != NULL && *p->sign_in_url != '\0' && p->token_url != NULL &&
	       *p->token_url != '\0';
}

/* "mail.example.org" or "mail.example.org:8443" */
static const char *
host_of(struct mf_arena *a, const char *url)
{
	const char *host = strstr(url, "://") == NULL ? url : strstr(url, "://") + 3;
	return mf_strndup(a, host, strcspn(host, "/"));
}

static const char *
uuid(struct mf_arena *a, const struct eas_profile *p, const char *what)
{
	const char *name = mf_printf(a, "%s\n%s\n%s", what, host_of(a, p->url), p->user);
	uint8_t sum[DIGEST_SIZE];
	digest_sha256(name, strlen(name), sum);
	const char *hex = str_hex(a, sum, 16);
	return mf_printf(
		a, "%.8s-%.4s-5%.3s-a%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17, hex + 20);
}

static void
add_key(struct mf_buf *b, const char *key, const char *value)
{
	mf_buf_printf(b, "<key>%s</key><string>", key);
	eas_profile_text(b, value);
	mf_buf_add_str(b, "</string>\n");
}

static void
add_payload(struct mf_arena *a, struct mf_buf *b, const struct eas_profile *p, const char *type)
{
	const char *host = host_of(a, p->url);
	add_key(b, "PayloadType", type);
	mf_buf_add_str(b, "<key>PayloadVersion</key><integer>1</integer>\n");
	add_key(b, "PayloadUUID", uuid(a, p, type));
	add_key(b, "PayloadIdentifier", mf_printf(a, "%s.%s", host, type));
	add_key(b, "PayloadDisplayName", mf_printf(a, "%s (%s)", p->address, host));
}

void
eas_profile_write(struct mf_arena *a, const struct eas_profile *p, struct mf_buf *b)
{
	mf_buf_add_str(b,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<plist version=\"1.0\"><dict>\n<key>PayloadContent</key><array><dict>\n");
	add_key(b, "Host", host_of(a, p->url));
	add_key(b, "EmailAddress", p->address);
	add_key(b, "UserName", p->user);
	if (p->password != NULL)
		add_key(b, "Password", p->password);
	if (by_token(p)) {
		mf_buf_add_str(b, "<key>OAuth</key><true/>\n");
		add_key(b, "OAuthSignInURL", p->sign_in_url);
		add_key(b, "OAuthTokenRequestURL", p->token_url);
	}
	mf_buf_printf(
		b, "<key>SSL</key><%s/>\n", str_istarts(p->url, "http://") ? "false" : "true");
	add_payload(a, b, p, ACCOUNT);
	mf_buf_add_str(b, "</dict></array>\n");
	add_payload(a, b, p, "Configuration");
	mf_buf_add_str(b, "</dict></plist>\n");
}
