/* Knows how application passwords are made, hashed and sealed; must not know who may use one where. */
#include "eas/password.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/seal.h"
#include "base/str.h"

/* Without i, l, o, 0 and 1, which people mix up. */
static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";

enum { LETTERS = sizeof(letters) - 1, LENGTH = 20, GROUP = 4, SHOWN = LENGTH + LENGTH / GROUP };

static const char purpose[] = "mailferry account password";

static void
wipe(void *s)
{
	str_wipe(s, strlen(s));
}

/* Every letter is as likely as any other: what would favour the first ones is drawn again. */
static void
draw(char secret[LENGTH + 1])
{
	uint8_t c;

	for (size_t i = 0; i < LENGTH;) {
		seal_random(&c, 1);
		if (c < 256 / LETTERS * LETTERS)
			secret[i++] = letters[c % LETTERS];
	}
	secret[LENGTH] = '\0';
}

static char *
show(struct mf_arena *a, const char *secret)
{
	char *out = mf_alloc(a, SHOWN + 1);
	size_t n = 0;

	for (size_t i = 0; i < LENGTH; i++) {
		if (i > 0 && i % GROUP == 0)
			out[n++] = '-';
		out[n++] = secret[i];
	}
	mf_on_free(a, wipe, out);
	return out;
}

/* False: not of the form. */
static bool
normalise(const char *text, char secret[LENGTH + 1])
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		char c = *text >= 'A' && *text <= 'Z' ? (char)(*text | 0x20) : *text;

		if (c == ' ' || c == '-')
			continue;
		if (n == LENGTH || strchr(letters, c) == NULL)
			return false;
		secret[n++] = c;
	}
	secret[n] = '\0';
	return n == LENGTH;
}

static void
hash(const struct state_password *p, const char *secret, uint8_t out[DIGEST_SIZE])
{
	uint8_t both[STATE_PASSWORD_SALT + LENGTH];

	memcpy(both, p->salt, STATE_PASSWORD_SALT);
	memcpy(both + STATE_PASSWORD_SALT, secret, LENGTH);
	digest_sha256(both, sizeof(both), out);
	str_wipe(both, sizeof(both));
}

static void
seal(struct mf_buf *out, const struct state_password *p, const char *secret,
	const struct eas_password_order *o)
{
	uint8_t key[SEAL_KEY];

	seal_key(secret, purpose, p->salt, sizeof(p->salt), key);
	seal_close(out, key, o->user, mf_bytes(o->account, strlen(o->account)));
	str_wipe(key, sizeof(key));
}

enum mf_status
eas_password_issue(struct state *st, const struct eas_password_order *o, struct mf_arena *a,
	const char **text, uint32_t *number, struct mf_error *err)
{
	struct state_password p = {
		.name = o->name, .device_id = o->device_id, .expires = o->expires
	};
	char secret[LENGTH + 1];
	struct mf_buf sealed;
	enum mf_status status;

	draw(secret);
	seal_random(p.salt, sizeof(p.salt));
	hash(&p, secret, p.hash);
	mf_buf_init(&sealed, 0);
	if (o->account != NULL)
		seal(&sealed, &p, secret, o);
	p.sealed = mf_buf_bytes(&sealed);
	status = state_password_add(st, o->user, &p, err);
	if (status == MF_OK) {
		*text = show(a, secret);
		*number = p.number;
	}
	mf_buf_deinit(&sealed);
	str_wipe(secret, sizeof(secret));
	return status;
}

static bool
is_it(const struct state_password *p, const char *secret)
{
	uint8_t sum[DIGEST_SIZE];

	hash(p, secret, sum);
	return seal_equal(sum, p->hash, sizeof(sum));
}

static enum mf_status
unseal(const struct state_password *p, const char *user, const char *secret, struct mf_arena *a,
	struct eas_password *out, struct mf_error *err)
{
	uint8_t key[SEAL_KEY];

	*out = (struct eas_password){ .number = p->number, .expires = p->expires };
	if (p->expires != 0 && clock_wall() >= p->expires) {
		mf_fail(err, MF_AUTH, "application password %u has expired", p->number);
		err->reason = MF_REASON_EXPIRED;
		return MF_AUTH;
	}
	if (p->sealed.len == 0)
		return MF_OK;
	seal_key(secret, purpose, p->salt, sizeof(p->salt), key);
	out->account = seal_open(a, key, user, p->sealed);
	str_wipe(key, sizeof(key));
	return out->account != NULL
		       ? MF_OK
		       : mf_fail(err, MF_BROKEN, "application password %u of %s cannot be opened",
				 p->number, user);
}

enum mf_status
eas_password_find(struct state *st, const char *user, const char *text, struct mf_arena *a,
	struct eas_password *out, struct mf_error *err)
{
	char secret[LENGTH + 1];
	struct state_password *all = NULL;
	size_t n = 0, i = 0;
	enum mf_status status = MF_GONE;

	if (normalise(text, secret))
		status = state_passwords_load(st, user, a, &all, &n, err);
	while (status == MF_OK && i < n && !is_it(&all[i], secret))
		i++;
	if (status == MF_OK)
		status = i < n ? unseal(&all[i], user, secret, a, out, err) : MF_GONE;
	str_wipe(secret, sizeof(secret));
	return status == MF_GONE ? mf_fail(err, MF_GONE, "no application password") : status;
}
