/* Counters by digest. Knows what is counted together; must not know what follows. */
#include "eas/limits.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "mailferry/conf.h"

enum { SETS = 8192, WAYS = 4, FAILURES_MS = 15 * 60 * 1000, COMMAND_MS = 60 * 1000 };

struct counter {
	uint64_t key; /* of a digest; 0: free */
	int64_t until;
	uint32_t n;
};

struct eas_limits {
	int64_t user, address, command; /* 0: no limit */
	int64_t agents, agents_ms, agents_block_ms;
	const char *const *cloud;
	pthread_mutex_t lock; /* of the table */
	struct counter table[SETS][WAYS];
};

struct eas_limits *
eas_limits_new(const struct mf_conf *top)
{
	struct eas_limits *l = calloc(1, sizeof(*l));
	if (l == NULL)
		abort();
	l->user = mf_conf_number(top, "login_failures");
	l->address = mf_conf_number(top, "login_failures_address");
	l->command = mf_conf_number(top, "command_repeats");
	l->agents = mf_conf_number(top, "agent_changes");
	l->agents_ms = mf_conf_number(top, "agent_changes_time") * 1000;
	l->agents_block_ms = mf_conf_number(top, "agent_block_time") * 1000;
	l->cloud = mf_conf_list(top, "cloud_clients");
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void
eas_limits_free(struct eas_limits *l)
{
	if (l == NULL)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* ---- The table; the lock is held ---- */

/* The counter of a key; without `make` NULL when there is none. The one that ends first gives way. */
static struct counter *
find(struct eas_limits *l, uint64_t key, bool make)
{
	struct counter *set = l->table[key % SETS], *first = set;
	int64_t now = clock_ms();
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key && set[i].until > now)
			return &set[i];
		if (set[i].until < first->until)
			first = &set[i];
	}
	if (!make)
		return NULL;
	*first = (struct counter){ .key = key };
	return first;
}

static uint32_t
count(struct eas_limits *l, uint64_t key, int64_t window_ms)
{
	pthread_mutex_lock(&l->lock);
	struct counter *c = find(l, key, true);
	if (c->n == 0)
		c->until = clock_ms() + window_ms;
	uint32_t n = ++c->n;
	pthread_mutex_unlock(&l->lock);
	return n;
}

static uint32_t
peek(struct eas_limits *l, uint64_t key)
{
	pthread_mutex_lock(&l->lock);
	const struct counter *c = find(l, key, false);
	uint32_t n = c == NULL ? 0 : c->n;
	pthread_mutex_unlock(&l->lock);
	return n;
}

static void
forgive(struct eas_limits *l, uint64_t key)
{
	pthread_mutex_lock(&l->lock);
	struct counter *c = find(l, key, false);
	if (c != NULL)
		*c = (struct counter){ 0 };
	pthread_mutex_unlock(&l->lock);
}

/* ---- Keys ---- */

static uint64_t
digest_key(const char *text)
{
	uint8_t sum[DIGEST_SIZE];
	uint64_t key;
	digest_sha256(text, strlen(text), sum);
	memcpy(&key, sum, sizeof(key));
	return key == 0 ? 1 : key;
}

/* Of IPv6 the network of 64 bits: its owner has all of it. */
static const char *
address_of(const struct eas_request *r)
{
	unsigned char a[16];
	const char *peer = r->peer == NULL ? "" : r->peer;
	if (inet_pton(AF_INET6, peer, a) != 1)
		return peer;
	memset(a + 8, 0, 8);
	char text[INET6_ADDRSTRLEN];
	return mf_strdup(r->arena, inet_ntop(AF_INET6, a, text, sizeof(text)));
}

/* As IPv6, IPv4 mapped; *before: how many bits stand before those of the address itself. */
static bool
parse_address(const char *text, uint8_t out[16], uint32_t *before)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	memcpy(out, mapped, sizeof(mapped));
	*before = 96;
	if (inet_pton(AF_INET, text, out + sizeof(mapped)) == 1)
		return true;
	*before = 0;
	return inet_pton(AF_INET6, text, out) == 1;
}

/* "52.96.0.0/14" */
static bool
within(struct mf_arena *a, const char *network, const char *peer)
{
	const char *slash = strchr(network, '/');
	uint8_t net[16], address[16];
	uint32_t before, ignored, bits;
	if (slash == NULL || !str_to_u32(slash + 1, 128, &bits) ||
		!parse_address(mf_strndup(a, network, (size_t)(slash - network)), net, &before) ||
		!parse_address(peer, address, &ignored) || bits + before > 128)
		return false;
	bits += before;
	for (uint32_t i = 0; i < bits; i++)
		if (((net[i / 8] ^ address[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

static bool
from_cloud(const struct eas_limits *l, const struct eas_request *r)
{
	for (const char *const *s = l->cloud; *s != NULL; s++)
		if (r->peer != NULL &&
			(fnmatch(*s, r->peer, FNM_CASEFOLD) == 0 || within(r->arena, *s, r->peer)))
			return true;
	return false;
}

static uint64_t
user_key(const struct eas_request *r)
{
	return digest_key(mf_printf(r->arena, "user\n%s\n%s",
		r->login.user == NULL ? "" : r->login.user, address_of(r)));
}

static uint64_t
address_key(const struct eas_request *r)
{
	return digest_key(mf_printf(r->arena, "address\n%s", address_of(r)));
}

/* ---- Failures ---- */

bool
eas_limits_may_try(const struct eas_request *r)
{
	struct eas_limits *l = r->server->limits;
	if (l == NULL)
		return true;
	if (l->user > 0 && peek(l, user_key(r)) >= l->user)
		return false;
	return l->address == 0 || from_cloud(l, r) || peek(l, address_key(r)) < l->address;
}

void
eas_limits_failed(const struct eas_request *r)
{
	struct eas_limits *l = r->server->limits;
	if (l == NULL)
		return;
	count(l, user_key(r), FAILURES_MS);
	count(l, address_key(r), FAILURES_MS);
}

void
eas_limits_succeeded(const struct eas_request *r)
{
	if (r->server->limits != NULL)
		forgive(r->server->limits, user_key(r));
}

/* ---- Commands ---- */

bool
eas_limits_command(const struct eas_request *r)
{
	struct eas_limits *l = r->server->limits;
	uint8_t sum[DIGEST_SIZE];
	if (l == NULL || l->command == 0)
		return true;
	digest_sha256(r->body.data, r->body.len, sum);
	uint64_t body;
	memcpy(&body, sum, sizeof(body));
	const char *what = mf_printf(r->arena, "command\n%s\n%s\n%s\n%llu", r->user, r->device_id,
		r->query, (unsigned long long)body);
	return count(l, digest_key(what), COMMAND_MS) <= l->command;
}

/* ---- Agents ---- */

/* Whether this agent is another than the device's last. The counter's number is the agent's digest. */
static bool
agent_changed(struct eas_limits *l, uint64_t key, uint32_t agent)
{
	pthread_mutex_lock(&l->lock);
	struct counter *c = find(l, key, true);
	bool changed = c->until != 0 && c->n != agent;
	*c = (struct counter){ .key = key, .until = clock_ms() + l->agents_ms, .n = agent };
	pthread_mutex_unlock(&l->lock);
	return changed;
}

/* When a counter ends, clock_ms; 0: there is none. */
static int64_t
ends(struct eas_limits *l, uint64_t key)
{
	pthread_mutex_lock(&l->lock);
	const struct counter *c = find(l, key, false);
	int64_t until = c == NULL ? 0 : c->until;
	pthread_mutex_unlock(&l->lock);
	return until;
}

static uint64_t
agent_key(const struct eas_request *r, const char *what)
{
	return digest_key(mf_printf(r->arena, "agent %s\n%s\n%s", what, r->user, r->device_id));
}

int64_t
eas_limits_agent(const struct eas_request *r)
{
	struct eas_limits *l = r->server->limits;
	if (l == NULL || l->agents == 0 || r->user_agent == NULL)
		return 0;
	uint64_t blocked = agent_key(r, "blocked");
	int64_t until = ends(l, blocked);
	if (until == 0 &&
		agent_changed(l, agent_key(r, "last"), (uint32_t)digest_key(r->user_agent)) &&
		count(l, agent_key(r, "changes"), l->agents_ms) > l->agents) {
		forgive(l, agent_key(r, "changes"));
		count(l, blocked, l->agents_block_ms);
		until = ends(l, blocked);
	}
	int64_t left = until - clock_ms();
	return left > 0 ? (left + 999) / 1000 : 0;
}
