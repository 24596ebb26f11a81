/* The table of commands and what is derived from it. Knows no request. */
#include "eas/commands.h"

#include <string.h>

#include "base/str.h"
#include "wbxml/tags.h"

const struct eas_command eas_commands[] = {
	{ "Sync", 0, EAS_12_1, EAS_16_1, EAS_STORE | EAS_EMPTY_BODY | EAS_MAY_WAIT, AirSync_Sync,
		AirSync_Status, EAS_AT_SYNC, cmd_sync, NULL },
	{ "SendMail", 1, EAS_12_1, EAS_16_1, EAS_STORE | EAS_MAIL_BODY | EAS_MAY_WAIT,
		ComposeMail_SendMail, ComposeMail_Status, EAS_AT_SEND, cmd_sendmail, NULL },
	{ "SmartForward", 2, EAS_12_1, EAS_16_1, EAS_STORE | EAS_MAIL_BODY | EAS_MAY_WAIT,
		ComposeMail_SmartForward, ComposeMail_Status, EAS_AT_SEND, cmd_smartforward, NULL },
	{ "SmartReply", 3, EAS_12_1, EAS_16_1, EAS_STORE | EAS_MAIL_BODY | EAS_MAY_WAIT,
		ComposeMail_SmartReply, ComposeMail_Status, EAS_AT_SEND, cmd_smartreply, NULL },
	{ "GetAttachment", 4, EAS_12_1, EAS_12_1, EAS_STORE | EAS_EMPTY_BODY, 0, 0,
		EAS_AT_ITEMOPERATIONS, cmd_getattachment, NULL },
	{ "GetHierarchy", EAS_NO_CODE, EAS_12_1, EAS_12_1, EAS_STORE | EAS_EMPTY_BODY, 0, 0,
		EAS_AT_FOLDERSYNC, cmd_gethierarchy, NULL },
	{ "FolderSync", 9, EAS_12_1, EAS_16_1, EAS_STORE, FolderHierarchy_FolderSync,
		FolderHierarchy_Status, EAS_AT_FOLDERSYNC, cmd_foldersync, NULL },
	{ "FolderCreate", 10, EAS_12_1, EAS_16_1, EAS_STORE, FolderHierarchy_FolderCreate,
		FolderHierarchy_Status, EAS_AT_FOLDERCREATE, cmd_foldercreate, NULL },
	{ "FolderDelete", 11, EAS_12_1, EAS_16_1, EAS_STORE, FolderHierarchy_FolderDelete,
		FolderHierarchy_Status, EAS_AT_FOLDERDELETE, cmd_folderdelete, NULL },
	{ "FolderUpdate", 12, EAS_12_1, EAS_16_1, EAS_STORE, FolderHierarchy_FolderUpdate,
		FolderHierarchy_Status, EAS_AT_FOLDERUPDATE, cmd_folderupdate, NULL },
	{ "MoveItems", 13, EAS_12_1, EAS_16_1, EAS_STORE, Move_MoveItems, Move_Status, EAS_AT_MOVE,
		cmd_moveitems, NULL },
	{ "GetItemEstimate", 14, EAS_12_1, EAS_16_1, EAS_STORE, GetItemEstimate_GetItemEstimate,
		GetItemEstimate_Status, EAS_AT_ESTIMATE, cmd_getitemestimate, NULL },
	{ "MeetingResponse", 15, EAS_12_1, EAS_16_1, EAS_STORE | EAS_MAY_WAIT,
		MeetingResponse_MeetingResponse, MeetingResponse_Status, EAS_AT_MEETING,
		cmd_meetingresponse, NULL },
	{ "Search", 16, EAS_12_1, EAS_16_1, 0, Search_Search, Search_Status, EAS_AT_SEARCH,
		cmd_search, NULL },
	{ "Settings", 17, EAS_12_1, EAS_16_1, 0, Settings_Settings, Settings_Status,
		EAS_AT_SETTINGS, cmd_settings, NULL },
	{ "Ping", 18, EAS_12_1, EAS_16_1, EAS_STORE | EAS_EMPTY_BODY | EAS_MAY_WAIT, Ping_Ping,
		Ping_Status, EAS_AT_PING, cmd_ping, cmd_ping_told },
	{ "ItemOperations", 19, EAS_12_1, EAS_16_1, EAS_STORE, ItemOperations_ItemOperations,
		ItemOperations_Status, EAS_AT_ITEMOPERATIONS, cmd_itemoperations, NULL },
	{ "Provision", 20, EAS_12_1, EAS_16_1, 0, Provision_Provision, Provision_Status,
		EAS_AT_PROVISION, cmd_provision, NULL },
	{ "ResolveRecipients", 21, EAS_12_1, EAS_16_1, 0, ResolveRecipients_ResolveRecipients,
		ResolveRecipients_Status, EAS_AT_RESOLVE, cmd_resolverecipients, NULL },
	{ "ValidateCert", 22, EAS_12_1, EAS_16_1, 0, ValidateCert_ValidateCert, ValidateCert_Status,
		EAS_AT_VALIDATE, cmd_validatecert, NULL },
	/* Of 16.1; iOS sends it under any version. */
	{ "Find", 23, EAS_12_1, EAS_16_1, 0, Find_Find, Find_Status, EAS_AT_FIND, cmd_find, NULL },
};

const size_t eas_commands_n = sizeof(eas_commands) / sizeof(*eas_commands);

static const struct {
	enum eas_version version;
	const char *name;
} versions[] = {
	{ EAS_12_1, "12.1" },
	{ EAS_14_0, "14.0" },
	{ EAS_14_1, "14.1" },
	{ EAS_16_0, "16.0" },
	{ EAS_16_1, "16.1" },
};

static const size_t versions_n = sizeof(versions) / sizeof(*versions);

const struct eas_command *
eas_command_find(const char *name)
{
	for (size_t i = 0; i < eas_commands_n; i++)
		if (str_ieq(eas_commands[i].name, name))
			return &eas_commands[i];
	return NULL;
}

const struct eas_command *
eas_command_by_code(unsigned code)
{
	for (size_t i = 0; i < eas_commands_n; i++)
		if (eas_commands[i].code == code && code != EAS_NO_CODE)
			return &eas_commands[i];
	return NULL;
}

const char *
eas_command_list(struct mf_arena *a)
{
	const char *list = "";
	for (size_t i = 0; i < eas_commands_n; i++)
		list = mf_printf(a, "%s%s%s", list, i == 0 ? "" : ",", eas_commands[i].name);
	return list;
}

const char *
eas_version_list(struct mf_arena *a)
{
	const char *list = "";
	for (size_t i = 0; i < versions_n; i++)
		list = mf_printf(a, "%s%s%s", list, i == 0 ? "" : ",", versions[i].name);
	return list;
}

bool
eas_version_parse(const char *s, enum eas_version *out)
{
	for (size_t i = 0; i < versions_n; i++)
		if (strcmp(versions[i].name, s) == 0) {
			*out = versions[i].version;
			return true;
		}
	return false;
}

const char *
eas_version_name(enum eas_version v)
{
	for (size_t i = 0; i < versions_n; i++)
		if (versions[i].version == v)
			return versions[i].name;
	return "-";
}
