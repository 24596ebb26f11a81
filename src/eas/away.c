/* The list is compared by a digest: contacting the server that keeps the replies costs more than looking at Sent. */
#include "eas/away.h"

#include <stdlib.h>
#include <string.h>

#include "backend/session.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/varint.h"
#include "eas/recent.h"
#include "mailferry/log.h"
#include "state/blob.h"
#include "state/device.h"

enum {
	SESSION_WAIT_MS = 2000,
	PAUSE = 10 * 60, /* seconds, when the server that keeps the replies has failed */
};

bool
away_differs(const struct mf_oof *oof)
{
	const struct mf_oof_reply *k = &oof->reply[MF_OOF_KNOWN], *u = &oof->reply[MF_OOF_UNKNOWN];
	bool same = k->enabled == u->enabled && k->html == u->html && strcmp(k->text, u->text) == 0;
	bool over = oof->state == MF_OOF_TIMED && oof->end <= clock_wall();
	return !same && !over && oof->state != MF_OOF_OFF;
}

/* ---- The list: in an order that does not change with the count of mails ---- */

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *const *
addresses(struct mf_arena *a, const struct recent *list, size_t n)
{
	const char **out = (const char **)mf_alloc_array(a, n + 1, sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out[i] = list[i].address;
	qsort(out, n, sizeof(*out), by_text);
	return out;
}

static void
make_digest(const char *const *known, uint8_t out[DIGEST_SIZE])
{
	struct mf_buf b;
	mf_buf_init(&b, 0);
	for (; *known != NULL; known++)
		mf_buf_add(&b, *known, strlen(*known) + 1);
	digest_sha256(b.data, b.len, out);
	mf_buf_deinit(&b);
}

const char *const *
away_known(struct eas_request *r, const struct mf_oof *oof)
{
	struct recent *list = NULL;
	struct mf_error err;
	size_t n = 0;
	if (away_differs(oof) && recent_load(r, &list, &n, &err) != MF_OK)
		mf_log_warning("settings=Oof known=none error=%s", mf_log_value(err.text));
	return addresses(r->arena, list, n);
}

/* ---- What is remembered: of one device, the last that has set replies ---- */

struct kept {
	struct mf_bytes digest; /* empty: nothing is kept up to date */
	int64_t not_before;	/* clock_wall */
};

static enum mf_status
remember(struct state *state, uint32_t user, uint32_t device, const struct kept *k,
	struct mf_error *err)
{
	struct mf_buf row;
	mf_buf_init(&row, 0);
	if (k->digest.len > 0) {
		varint_put(&row, (uint64_t)k->not_before);
		mf_buf_add(&row, k->digest.data, k->digest.len);
	}
	enum mf_status st =
		state_blob_save(state, user, device, STATE_BLOB_AWAY, mf_buf_bytes(&row), err);
	mf_buf_deinit(&row);
	return st;
}

static enum mf_status
recall(const struct eas_background *b, uint32_t device, struct kept *out, struct mf_error *err)
{
	const struct sync_mailbox *m = b->mailbox;
	struct varint_reader in;
	struct mf_bytes row;
	enum mf_status st =
		state_blob_load(m->state, m->user, device, STATE_BLOB_AWAY, b->arena, &row, err);
	*out = (struct kept){ .digest = mf_bytes(NULL, 0) };
	if (st != MF_OK || row.len <= DIGEST_SIZE)
		return st;
	varint_reader_init(&in, row);
	out->not_before = (int64_t)varint_get(&in);
	out->digest = mf_bytes(row.data + row.len - DIGEST_SIZE, DIGEST_SIZE);
	return MF_OK;
}

void
away_remember(struct eas_request *r, const struct mf_oof *oof, const char *const *known)
{
	struct state *state = r->server->state;
	struct state_device *all = NULL;
	uint8_t digest[DIGEST_SIZE];
	struct mf_error err;
	size_t n = 0;
	enum mf_status st = state_devices(state, r->user_number, r->arena, &all, &n, &err);
	make_digest(known, digest);
	for (size_t i = 0; st == MF_OK && i < n; i++) {
		bool mine = all[i].number == r->device->number && away_differs(oof);
		struct kept k = { .digest = mf_bytes(digest, mine ? DIGEST_SIZE : 0) };
		st = remember(state, r->user_number, all[i].number, &k, &err);
	}
	if (st != MF_OK)
		mf_log_warning("settings=Oof known=frozen error=%s", mf_log_value(err.text));
}

/* ---- In the background ---- */

static const char *
own_address(const struct eas_background *b)
{
	const char *name = b->who->user;
	const char *domain = mf_conf_string(b->server->conf, "default_domain");
	if (strchr(name, '@') != NULL || *domain == '\0')
		return name;
	return mf_printf(b->arena, "%s@%s", name, domain);
}

/* *still: the replies are those that want the list. */
static enum mf_status
write_replies(const struct eas_background *b, const struct mf_backend_api *api,
	struct mf_session *s, const char *const *known, bool *still, struct mf_error *err)
{
	const char *own[] = { own_address(b), NULL };
	const struct mf_oof_user user = { .addresses = own, .known = known };
	struct mf_oof oof;
	enum mf_status st = api->oof->get(s, b->arena, &oof, err);
	*still = st == MF_OK && away_differs(&oof);
	return *still ? api->oof->set(s, &oof, &user, err) : st;
}

static enum mf_status
refresh(const struct eas_background *b, const char *const *known, bool *still, struct mf_error *err)
{
	const struct mf_backend_api *api;
	struct mf_session *s;
	enum mf_status st = backend_session_get(b->server->backends, BACKEND_OOF, b->who,
		clock_ms() + SESSION_WAIT_MS, &s, &api, err);
	*still = false;
	if (st != MF_OK)
		return st;
	st = write_replies(b, api, s, known, still, err);
	backend_session_put(b->server->backends, s);
	return st;
}

static enum mf_status
tend_device(const struct eas_background *b, uint32_t device, struct kept *k, struct mf_error *err)
{
	const struct sync_mailbox *m = b->mailbox;
	const struct recent_of of = { .state = m->state,
		.arena = b->arena,
		.user = m->user,
		.device = device,
		.address = own_address(b),
		.api = m->api,
		.session = m->session };
	uint8_t digest[DIGEST_SIZE];
	struct recent *list;
	bool still;
	size_t n;
	enum mf_status st = recent_read(&of, &list, &n, err);
	if (st != MF_OK)
		return st;
	const char *const *known = addresses(b->arena, list, n);
	make_digest(known, digest);
	if (memcmp(k->digest.data, digest, DIGEST_SIZE) == 0)
		return MF_OK;
	st = refresh(b, known, &still, err);
	if (st != MF_OK) /* of another server than that of the mail, which goes on */
		mf_log_warning("event=away known=old status=%s reason=%s", mf_status_name(st),
			mf_log_value(err->text));
	if (st == MF_TEMPORARY || st == MF_AUTH)
		k->not_before = clock_wall() + PAUSE;
	else
		*k = (struct kept){ .digest = mf_bytes(
					    digest, st == MF_OK && still ? DIGEST_SIZE : 0) };
	return remember(m->state, m->user, device, k, err);
}

enum mf_status
away_tend(const struct eas_background *b, bool *more, struct mf_error *err)
{
	const struct sync_mailbox *m = b->mailbox;
	struct state_device *all = NULL;
	struct kept k;
	size_t n = 0;
	enum mf_status st = state_devices(m->state, m->user, b->arena, &all, &n, err);
	*more = false;
	for (size_t i = 0; st == MF_OK && i < n; i++) {
		st = recall(b, all[i].number, &k, err);
		if (st == MF_OK && k.digest.len > 0 && clock_wall() >= k.not_before)
			st = tend_device(b, all[i].number, &k, err);
	}
	return st;
}
