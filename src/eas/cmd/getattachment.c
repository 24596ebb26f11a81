/* GetAttachment (MS-ASCMD 2.2.1.7): one attachment as the body of the answer. Version 12.1 alone. */
#include "eas/attachment.h"
#include "eas/commands.h"
#include "eas/spool.h"

enum eas_verdict
cmd_getattachment(struct eas_request *r)
{
	struct attachment_want want = { .reference = r->param_attachment_name, .last = UINT64_MAX };
	struct state_folders folders;
	struct attachment at;
	struct mf_error err = { 0 };
	enum mf_status st =
		state_folders_load(r->server->state, r->user_number, r->arena, &folders, &err);
	if (st == MF_OK)
		st = attachment_load(r, &folders, &want, &at, &err);
	if (st == MF_OK)
		st = eas_spool_put(r, 0, at.offset, at.size, &err);
	if (st == MF_TEMPORARY || st == MF_AUTH)
		return eas_fail(r, st, &err);
	if (st != MF_OK) /* named by the specification */
		return eas_fail_http(r, 500, err.text);
	r->answer.http_status = 200;
	r->answer.content_type = at.type;
	r->status = EAS_OK;
	return EAS_DONE;
}
