/*
 * The contract suite: each sentence of mailferry/backend.h as a check, for every backend.
 *
 * A case gets a bench: an opened backend, a user of its own with an empty account, a session. A
 * target (target_*.c) says how to get there for one backend, and what it can do: cases that need more
 * are left out. Each case runs in a process of its own, so that a crash is one failed case.
 */
#ifndef TESTS_CONTRACT_H
#define TESTS_CONTRACT_H

#include <stdio.h>

#include "mailferry/backend.h"

/* What a case needs and a target has. */
enum contract_can {
	CAN_KEEP = 1 << 0,    /* items can be put */
	CAN_FOLDERS = 1 << 1, /* folders can be made */
	CAN_REFUSE = 1 << 2,  /* wrong passwords are refused */
	CAN_DAMAGE = 1 << 3,  /* the target can damage an item */
	CAN_SUBMIT = 1 << 4,  /* mail can be sent to `colleague` and arrives in the store */
	CAN_ROLES = 1 << 5,   /* folders other than the Inbox have roles */
	CAN_TELL = 1 << 7,    /* a poll says no where nothing has happened */
	CAN_PEOPLE = 1 << 8,  /* a directory with the people of people.h */
	CAN_OOF = 1 << 10,    /* out-of-office replies */
	CAN_STORE = 1 << 9,   /* a store: all cases but the directory's need it */
	CAN_NULL = 1 << 6,    /* nothing is kept and sent */
};

struct bench;

struct contract_target {
	const char *name;
	unsigned can;
	/* Fills api, backend, user, password; whatever goes wrong ends the program. */
	void (*begin)(struct bench *b);
	void (*end)(struct bench *b);
	void (*damage)(struct bench *b, const char *folder, uint64_t id);
	const char *inbox;
};

extern const struct contract_target contract_targets[];

struct bench {
	const struct contract_target *target;
	void *own; /* the target's */
	const struct mf_backend_api *api;
	struct mf_backend *backend;
	const struct mf_store_api *store;
	char user[100], password[120];
	const char *colleague; /* of CAN_SUBMIT: another user's address; colleague_user logs in */
	const char *colleague_user, *colleague_password;

	struct mf_session *s;
	struct mf_arena *a; /* ends with the case */
	struct mf_error err;
	const char *inbox;
	unsigned failures;
};

struct contract_case {
	const char *name;
	void (*run)(struct bench *b);
	unsigned needs;
};

/* Each file's cases, with a NULL name at the end. */
extern const struct contract_case cases_session[], cases_folders[], cases_changes[], cases_fetch[],
	cases_content[], cases_items[], cases_move[], cases_search[], cases_hostile[],
	cases_submit[], cases_people[], cases_oof[];

/* A failed CHECK is told and the case goes on; a failed NEED ends it. */
#define CHECK(b, condition, ...) \
	((condition) ? (void)0 : contract_failed((b), __FILE__, __LINE__, #condition, __VA_ARGS__))
#define NEED(b, condition, ...) \
	((condition) ? (void)0 : contract_broken((b), __FILE__, __LINE__, #condition, __VA_ARGS__))
/* A call's status is this one; its text is told when it is not. */
#define STATUS(b, call, expected) \
	contract_status((b), __FILE__, __LINE__, #call, (call), (expected), false)
#define NEED_OK(b, call) contract_status((b), __FILE__, __LINE__, #call, (call), MF_OK, true)

void contract_failed(struct bench *b, const char *file, int line, const char *what, const char *fmt,
	...) __attribute__((format(printf, 5, 6)));
void contract_broken(struct bench *b, const char *file, int line, const char *what, const char *fmt,
	...) __attribute__((format(printf, 5, 6), noreturn));
void contract_status(struct bench *b, const char *file, int line, const char *call,
	enum mf_status got, enum mf_status expected, bool needed);

/* ---- Doing ---- */

struct mf_session *contract_login(struct bench *b);
/* A new session in the place of one that became unusable. */
void contract_again(struct bench *b);

/* A reader over bytes that gives at most `piece` a call, and fails or ends before `stop`. */
struct contract_reader {
	struct mf_bytes data;
	size_t at, piece, stop;
	bool fails; /* at stop: -1, else 0 */
};
ssize_t contract_read(void *ctx, void *data, size_t size);

/* Puts a message; its id (found by looking where the server does not say). */
uint64_t contract_put(
	struct bench *b, const char *folder, struct mf_bytes message, uint32_t flags, int64_t date);
/* A small message with that subject. */
uint64_t contract_put_subject(struct bench *b, const char *folder, const char *subject);
/* Folder at the top; its id. */
const char *contract_folder(struct bench *b, const char *name);
void contract_flag(struct bench *b, const char *folder, uint64_t id, uint32_t add, uint32_t remove);
void contract_remove(struct bench *b, const char *folder, uint64_t id);

/* ---- Looking ---- */

struct contract_folders {
	struct mf_folder *list; /* strings in the bench's arena */
	size_t n;
};
struct contract_folders contract_folders(struct bench *b);
const struct mf_folder *contract_find(const struct contract_folders *f, const char *id);

/* What changes told; checked against what every answer must keep (order, once each, cursor's size). */
struct contract_changes {
	enum mf_status status;
	struct mf_event *list;
	size_t n;
	struct mf_bytes cursor; /* in the arena */
	struct mf_idset added, flagged, gone;
};
struct contract_changes contract_changes(struct bench *b, const char *folder,
	struct mf_bytes cursor, const struct mf_idset *known, int64_t since);
/* The event of an id that was added or flagged; NULL. */
const struct mf_event *contract_event(const struct contract_changes *c, uint64_t id);
/* From the beginning, MF_OK. */
struct contract_changes contract_all(struct bench *b, const char *folder);
bool contract_poll(struct bench *b, const char *folder, struct mf_bytes cursor);

struct contract_items {
	struct mf_item *list; /* deep copies in the arena */
	size_t n;
};
/* sections: NULL, or the sections to choose for each item ("" ends it with a NULL name). */
struct contract_items contract_fetch(struct bench *b, const char *folder, const uint64_t *ids,
	size_t n, unsigned want, const char *const *fields, const struct mf_section_want *sections,
	size_t n_sections);
const struct mf_item *contract_item(const struct contract_items *items, uint64_t id);
/* One item, needed to be there. */
const struct mf_item *contract_fetch_one(struct bench *b, const char *folder, uint64_t id,
	unsigned want, const struct mf_section_want *sections, size_t n_sections);
/* The whole message. */
struct mf_bytes contract_message(struct bench *b, const char *folder, uint64_t id);

bool contract_equal(struct mf_bytes a, struct mf_bytes b);
/* For messages of failures: at most 60 printable bytes. */
const char *contract_show(struct bench *b, struct mf_bytes data);
/* A structure in one line: section type/subtype{params} encoding size/lines, children in (). */
const char *contract_structure(struct mf_arena *a, const struct mf_part *p);
bool contract_has_keyword(const struct mf_item *item, const char *keyword);

#endif
