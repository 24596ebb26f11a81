/*
 * The table of commands: the only dispatcher. The OPTIONS answer, the query's command codes, the
 * names in the log and a completeness test come from it; a command that has no row does not exist.
 */
#ifndef EAS_COMMANDS_H
#define EAS_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

#include "eas/request.h"
#include "eas/status.h"

/* What must be ready before a command runs. dispatch.c sees to it. */
enum eas_needs {
	EAS_STORE = 1 << 0,	 /* r->store: a session of the store */
	EAS_EMPTY_BODY = 1 << 1, /* the request may come without a body: r->root is NULL then */
	EAS_MAY_WAIT = 1 << 2,	 /* may answer EAS_WAIT */
	/* The body holds a mail: of any size, and before 14.0 nothing else (r->root is NULL then). */
	EAS_MAIL_BODY = 1 << 3,
};

enum { EAS_NO_CODE = 255 };

struct eas_command {
	const char *name; /* as in the query, MS-ASHTTP 2.2.1.1.1.1.2 */
	uint8_t code;	  /* of the base64 query; EAS_NO_CODE: it has none */
	enum eas_version first, last;
	unsigned needs;	     /* eas_needs */
	uint16_t root;	     /* tag of the request's and the answer's root; 0: it has no elements */
	uint16_t status_tag; /* of the Status below the root */
	enum eas_place place; /* what a failure of the whole command means: status.h */
	enum eas_verdict (*run)(struct eas_request *r);
	/* Of a request that waits, without a session: can it be answered by what has come (wait.arrived)?
	 * Then it is, and this is true. NULL: it cannot. */
	bool (*told)(struct eas_request *r);
};

extern const struct eas_command eas_commands[];
extern const size_t eas_commands_n;

/* By name (letter case does not count) and by code; NULL when there is none. */
const struct eas_command *eas_command_find(const char *name);
const struct eas_command *eas_command_by_code(unsigned code);

/* "Sync,SendMail,...": for MS-ASProtocolCommands. "12.1,14.0,...": for MS-ASProtocolVersions. */
const char *eas_command_list(struct mf_arena *a);
const char *eas_version_list(struct mf_arena *a);

/* "14.1" -> EAS_14_1; false when it is not served. And back ("-" for what is none). */
bool eas_version_parse(const char *s, enum eas_version *out);
const char *eas_version_name(enum eas_version v);

/* The commands, one file each in cmd/. */
enum eas_verdict cmd_foldercreate(struct eas_request *r);
enum eas_verdict cmd_folderdelete(struct eas_request *r);
enum eas_verdict cmd_find(struct eas_request *r);
enum eas_verdict cmd_foldersync(struct eas_request *r);
enum eas_verdict cmd_folderupdate(struct eas_request *r);
enum eas_verdict cmd_getattachment(struct eas_request *r);
enum eas_verdict cmd_getitemestimate(struct eas_request *r);
enum eas_verdict cmd_itemoperations(struct eas_request *r);
enum eas_verdict cmd_gethierarchy(struct eas_request *r);
enum eas_verdict cmd_meetingresponse(struct eas_request *r);
enum eas_verdict cmd_moveitems(struct eas_request *r);
enum eas_verdict cmd_ping(struct eas_request *r);
bool cmd_ping_told(struct eas_request *r);
enum eas_verdict cmd_provision(struct eas_request *r);
enum eas_verdict cmd_resolverecipients(struct eas_request *r);
enum eas_verdict cmd_search(struct eas_request *r);
enum eas_verdict cmd_sendmail(struct eas_request *r);
enum eas_verdict cmd_smartforward(struct eas_request *r);
enum eas_verdict cmd_smartreply(struct eas_request *r);
enum eas_verdict cmd_settings(struct eas_request *r);
enum eas_verdict cmd_sync(struct eas_request *r);
enum eas_verdict cmd_validatecert(struct eas_request *r);

#endif
