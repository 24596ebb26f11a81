/* How to reach each backend. A new one is a row and its begin. */
#include "contract.h"

#include <string.h>

#include "memory/memory.h"

extern const struct mf_backend_api mf_backend_null;

/* ---- memory ---- */

static void
memory_begin_with(struct bench *b, unsigned capabilities)
{
	struct memory_world *w = memory_hold("contract");

	memory_user(w, "anna", "secret-anna");
	memory_user(w, "ben", "secret-ben");
	memory_capabilities(w, capabilities);
	b->own = w;
	b->api = &mf_backend_memory;
	b->backend = memory_open("contract");
	strcpy(b->user, "anna");
	strcpy(b->password, "secret-anna");
	b->colleague = "ben@example.org";
	b->colleague_user = "ben";
	b->colleague_password = "secret-ben";
}

static void
memory_begin(struct bench *b)
{
	memory_begin_with(b, MEMORY_ALL_CAPABILITIES);
}

/* A server that has nothing but the oldest IMAP. */
static void
memory_begin_poor(struct bench *b)
{
	memory_begin_with(b, 0);
}

static void
memory_end(struct bench *b)
{
	CHECK(b, memory_sessions(b->own) == 0, "all sessions are logged out");
	b->api->close(b->backend);
	memory_release(b->own);
}

static void
memory_damage_item(struct bench *b, const char *folder, uint64_t id)
{
	memory_damage(b->own, b->user, folder, id, "the disk has a bad block");
}

/* ---- null ---- */

static void
null_begin(struct bench *b)
{
	b->api = &mf_backend_null;
	strcpy(b->user, "anna");
	strcpy(b->password, "whatever");
	NEED_OK(b, b->api->open(NULL, &b->backend, &b->err));
}

static void
null_end(struct bench *b)
{
	b->api->close(b->backend);
}

const struct contract_target contract_targets[] = {
	{ .name = "memory",
		.can = CAN_KEEP | CAN_FOLDERS | CAN_REFUSE | CAN_DAMAGE | CAN_SUBMIT | CAN_ROLES,
		.begin = memory_begin,
		.end = memory_end,
		.damage = memory_damage_item,
		.inbox = "INBOX" },
	{ .name = "memory-poor",
		.can = CAN_KEEP | CAN_FOLDERS | CAN_REFUSE | CAN_DAMAGE | CAN_SUBMIT,
		.begin = memory_begin_poor,
		.end = memory_end,
		.damage = memory_damage_item,
		.inbox = "INBOX" },
	{ .name = "null", .can = CAN_NULL, .begin = null_begin, .end = null_end, .inbox = "INBOX" },
	{ .name = NULL },
};
