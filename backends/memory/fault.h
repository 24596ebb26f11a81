/* Where tests make calls fail: every call of the backend passes this gate. Without the lock. */
#ifndef MEMORY_FAULT_H
#define MEMORY_FAULT_H

#include "memory/world.h"

/* What a call owes at its end. */
struct memory_fault {
	enum mf_status status; /* MF_OK: nothing */
	bool cut;
};

/* Counts the call, delays it, and fails it when it is its turn or the session is lost. */
enum mf_status memory_begin(struct mf_session *s, enum memory_call call, struct memory_fault *fault,
	struct mf_error *err);
/* The call's result: `st`, or the failure that was to come after its work. */
enum mf_status memory_end(struct mf_session *s, const struct memory_fault *fault, enum mf_status st,
	struct mf_error *err);
/* A step within a call, once an item. */
enum mf_status memory_step(struct mf_session *s, enum memory_call call, struct mf_error *err);

/* Logins have no session yet. */
enum mf_status memory_begin_login(
	struct memory_world *w, struct memory_fault *fault, struct mf_error *err);

bool memory_is_usable(const struct mf_session *s);

#endif
