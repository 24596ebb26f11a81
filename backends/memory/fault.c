/* Failures, delays and losses that tests ask for: see fault.h and memory.h. */
#include "memory/fault.h"

#include <string.h>
#include <time.h>

static const char *const names[MEMORY_CALLS] = {
	[MEMORY_LOGIN] = "login",
	[MEMORY_FOLDERS] = "folders",
	[MEMORY_CHANGES] = "changes",
	[MEMORY_POLL] = "poll",
	[MEMORY_FETCH] = "fetch",
	[MEMORY_STREAM] = "stream",
	[MEMORY_PUT] = "put",
	[MEMORY_FLAG] = "flag",
	[MEMORY_MOVE] = "move",
	[MEMORY_REMOVE] = "remove",
	[MEMORY_EMPTY] = "empty",
	[MEMORY_SEARCH] = "search",
	[MEMORY_FOLDER_CREATE] = "folder_create",
	[MEMORY_FOLDER_RENAME] = "folder_rename",
	[MEMORY_FOLDER_DELETE] = "folder_delete",
	[MEMORY_EPOCH] = "epoch",
	[MEMORY_SUBMIT] = "submit",
	[MEMORY_PEOPLE] = "people",
	[MEMORY_OOF_GET] = "oof-get",
	[MEMORY_OOF_SET] = "oof-set",
	[MEMORY_CHANGES_EVENT] = "changes_event",
	[MEMORY_FETCH_ITEM] = "fetch_item",
	[MEMORY_MOVE_ITEM] = "move_item",
};

const char *
memory_call_name(enum memory_call call)
{
	return names[call];
}

enum memory_call
memory_call_find(const char *name)
{
	int call = 0;

	while (call < MEMORY_CALLS && strcmp(names[call], name) != 0)
		call++;
	return (enum memory_call)call;
}

static bool
lost(const struct mf_session *s)
{
	return s->cut || s->world->down || s->generation != s->world->generation;
}

bool
memory_is_usable(const struct mf_session *s)
{
	bool usable;

	memory_lock(s->world);
	usable = !lost(s);
	memory_unlock(s->world);
	return usable;
}

static void
rule_remove(struct memory_world *w, size_t at)
{
	memmove(w->rules + at, w->rules + at + 1, (w->n_rules - at - 1) * sizeof(w->rules[0]));
	w->n_rules--;
}

/* The rule whose turn it is with this call, if any; others of the call come one nearer. */
static bool
strike(struct memory_world *w, enum memory_call call, struct memory_rule *out)
{
	bool found = false;

	for (size_t i = 0; i < w->n_rules;) {
		struct memory_rule *r = &w->rules[i++];

		if (r->call != call || (!r->always && --r->left > 0))
			continue;
		*out = *r;
		found = true;
		if (!r->always)
			rule_remove(w, --i);
	}
	return found;
}

static void
wait_ms(unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	if (ms > 0)
		nanosleep(&t, NULL);
}

static enum mf_status
failure(enum memory_call call, enum mf_status status, struct mf_error *err)
{
	return mf_fail(err, status, "memory: %s fails as asked", names[call]);
}

/* s is NULL for logins. */
static enum mf_status
gate(struct memory_world *w, struct mf_session *s, enum memory_call call,
	struct memory_fault *fault, struct mf_error *err)
{
	struct memory_rule rule = { .status = MF_OK };
	unsigned delay;
	bool gone;

	memory_lock(w);
	w->calls[call]++;
	delay = w->delays[call];
	strike(w, call, &rule);
	memory_unlock(w);
	wait_ms(delay);
	memory_lock(w);
	gone = s == NULL ? w->down : lost(s);
	memory_unlock(w);

	*fault = (struct memory_fault){ .status = MF_OK };
	if (gone)
		return mf_fail(
			err, MF_TEMPORARY, "memory: %s: the connection is lost", names[call]);
	if (rule.status == MF_OK)
		return MF_OK;
	if ((rule.how & MEMORY_LATE) != 0) {
		*fault = (struct memory_fault){ rule.status, (rule.how & MEMORY_CUT) != 0 };
		return MF_OK;
	}
	if (s != NULL && (rule.how & MEMORY_CUT) != 0)
		s->cut = true;
	failure(call, rule.status, err);
	if (err != NULL && (rule.how & (MEMORY_EXPIRED | MEMORY_BLOCKED)) != 0)
		err->reason =
			(rule.how & MEMORY_EXPIRED) != 0 ? MF_REASON_EXPIRED : MF_REASON_BLOCKED;
	return rule.status;
}

enum mf_status
memory_begin(struct mf_session *s, enum memory_call call, struct memory_fault *fault,
	struct mf_error *err)
{
	return gate(s->world, s, call, fault, err);
}

enum mf_status
memory_end(struct mf_session *s, const struct memory_fault *fault, enum mf_status st,
	struct mf_error *err)
{
	if (fault->status == MF_OK)
		return st;
	if (fault->cut)
		s->cut = true;
	return mf_fail(err, fault->status, "memory: the answer is lost as asked");
}

enum mf_status
memory_step(struct mf_session *s, enum memory_call call, struct mf_error *err)
{
	struct memory_fault fault;
	enum mf_status st = gate(s->world, s, call, &fault, err);

	return st != MF_OK ? st : memory_end(s, &fault, MF_OK, err);
}

enum mf_status
memory_begin_login(struct memory_world *w, struct memory_fault *fault, struct mf_error *err)
{
	return gate(w, NULL, MEMORY_LOGIN, fault, err);
}
