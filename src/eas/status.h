/*
 * Status numbers of ActiveSync: the only place that knows them.
 *
 * A handler says what happened (an mf_status at a place, or one of these names); the number comes
 * from the tables here (MS-ASCMD 2.2.2 for those that all commands share, 2.2.3.177.x for each
 * command's own). Numbers of 101 and above exist from version 14.0 on: below, the whole request ends
 * with an HTTP status instead.
 */
#ifndef EAS_STATUS_H
#define EAS_STATUS_H

#include "mailferry/error.h"
#include "eas/request.h"

/* Common to all commands (MS-ASCMD 2.2.2). */
enum eas_common_status {
	EAS_OK = 1,
	EAS_INVALID_CONTENT = 101,
	EAS_INVALID_WBXML = 102,
	EAS_INVALID_XML = 103,
	EAS_INVALID_DATE = 104,
	EAS_INVALID_IDS_TOGETHER = 105,
	EAS_INVALID_IDS = 106,
	EAS_INVALID_MIME = 107,
	EAS_DEVICE_ID = 108,
	EAS_DEVICE_TYPE = 109,
	EAS_SERVER_ERROR = 110,
	EAS_RETRY_LATER = 111,
	EAS_ACCESS_DENIED_DIRECTORY = 112,
	EAS_QUOTA = 113,
	EAS_SERVER_OFFLINE = 114,
	EAS_SEND_QUOTA = 115,
	EAS_RECIPIENT_UNRESOLVED = 116,
	EAS_REPLY_NOT_ALLOWED = 117,
	EAS_PREVIOUSLY_SENT = 118,
	EAS_NO_RECIPIENT = 119,
	EAS_SUBMISSION_FAILED = 120,
	EAS_REPLY_FAILED = 121,
	EAS_ATTACHMENT_TOO_LARGE = 122,
	EAS_NO_MAILBOX = 123,
	EAS_ANONYMOUS = 124,
	EAS_USER_UNKNOWN = 125,
	EAS_USER_DISABLED = 126,
	EAS_USER_NEW_MAILBOX = 127,
	EAS_USER_LEGACY_MAILBOX = 128,
	EAS_DEVICE_BLOCKED = 129,
	EAS_ACCESS_DENIED = 130,
	EAS_ACCOUNT_DISABLED = 131,
	EAS_STATE_NOT_FOUND = 132,
	EAS_STATE_LOCKED = 133,
	EAS_STATE_CORRUPT = 134,
	EAS_STATE_EXISTS = 135,
	EAS_STATE_VERSION = 136,
	EAS_COMMAND_UNSUPPORTED = 137,
	EAS_VERSION_UNSUPPORTED = 138,
	EAS_NOT_FULLY_PROVISIONABLE = 139,
	EAS_WIPE_REQUESTED = 140,
	EAS_LEGACY_DEVICE = 141,
	EAS_NOT_PROVISIONED = 142,
	EAS_POLICY_REFRESH = 143,
	EAS_POLICY_KEY = 144,
	EAS_EXTERNALLY_MANAGED = 145,
	EAS_NO_RECURRENCE = 146,
	EAS_UNEXPECTED_CLASS = 147,
	EAS_NO_STORED_REQUEST = 149,
	EAS_ITEM_NOT_FOUND = 150,
	EAS_TOO_MANY_FOLDERS = 151,
	EAS_MOVE_ALWAYS_MISSING = 155,
	EAS_MOVE_DESTINATION = 156,
	EAS_BODY_PART_TYPE = 164,
	EAS_DEVICE_INFORMATION = 165,
	EAS_ACCOUNT_ID = 166,
	EAS_SEND_DISABLED = 167,
	EAS_IRM_DISABLED = 168,
	EAS_NO_PICTURE = 173,
	EAS_PICTURE_TOO_LARGE = 174,
	EAS_PICTURE_LIMIT = 175,
	EAS_CONVERSATION_TOO_LARGE = 176,
	EAS_TOO_MANY_DEVICES = 177,
	EAS_FORWARD_COMBINATION = 178,
	EAS_FORWARD_PARAMETERS = 179,
	EAS_INVALID_RECIPIENTS = 183,
	EAS_EXCEPTIONS_FAILED = 184,
};

/* The commands' own numbers, where a handler decides for one that no mf_status stands for. */
enum eas_sync_status {
	EAS_SYNC_KEY = 3,	  /* the key is unknown: begin again at 0 */
	EAS_SYNC_PROTOCOL = 4,	  /* the request breaks the rules */
	EAS_SYNC_SERVER = 5,	  /* retry */
	EAS_SYNC_CONVERSION = 6,  /* this item is malformed */
	EAS_SYNC_CONFLICT = 7,	  /* the server's copy won */
	EAS_SYNC_NOT_FOUND = 8,	  /* no such item on the server */
	EAS_SYNC_CANNOT = 9,	  /* out of space or not allowed */
	EAS_SYNC_HIERARCHY = 12,  /* the folder is unknown: FolderSync first */
	EAS_SYNC_INCOMPLETE = 13, /* an empty or partial request that nothing is stored for */
	EAS_SYNC_WAIT = 14,	  /* Wait or HeartbeatInterval out of range: with Limit */
	EAS_SYNC_TOO_MANY = 15,	  /* too many collections: with Limit */
	EAS_SYNC_RETRY = 16,	  /* something indeterminate: the same request again */
};

enum eas_folder_status {
	EAS_FOLDER_EXISTS = 2,
	EAS_FOLDER_SPECIAL = 3,
	EAS_FOLDER_NOT_FOUND = 4,
	EAS_FOLDER_PARENT = 5,
	EAS_FOLDER_SERVER = 6,
	EAS_FOLDER_KEY = 9,
	EAS_FOLDER_FORMAT = 10,
	EAS_FOLDER_UNKNOWN = 11,
	EAS_FOLDER_CODE = 12,
};

enum eas_estimate_status {
	EAS_ESTIMATE_COLLECTION = 2,
	EAS_ESTIMATE_NOT_PRIMED = 3,
	EAS_ESTIMATE_KEY = 4,
	EAS_ESTIMATE_NOT_MAIL = 4, /* of the whole: ConversationMode (MS-ASCON 3.2.5.2) */
};

/* More than the limit of a request (MS-ASCMD 3.1.5.10). */
enum eas_limit_status {
	EAS_OPERATIONS_TOO_MANY = 11, /* ItemOperations */
	EAS_RESOLVE_PROTOCOL = 5,
	EAS_VALIDATE_PROTOCOL = 2,
};

enum eas_ping_status {
	EAS_PING_CHANGES = 2,
	EAS_PING_PARAMETERS = 3, /* HeartbeatInterval or Folders were never sent */
	EAS_PING_SYNTAX = 4,
	EAS_PING_HEARTBEAT = 5, /* out of range: with HeartbeatInterval */
	EAS_PING_TOO_MANY = 6,	/* with MaxFolders */
	EAS_PING_HIERARCHY = 7, /* FolderSync first */
	EAS_PING_SERVER = 8,
};

enum eas_settings_status {
	EAS_SETTINGS_PROTOCOL = 2,
	EAS_SETTINGS_ACCESS = 3,
	EAS_SETTINGS_UNAVAILABLE = 4,
	EAS_SETTINGS_ARGUMENTS = 5,
	EAS_SETTINGS_CONFLICT = 6,
	EAS_SETTINGS_DENIED_BY_POLICY = 7,
};

enum eas_provision_status {
	EAS_PROVISION_PROTOCOL = 2, /* at the root */
	EAS_PROVISION_SERVER = 3,
	EAS_POLICY_NONE = 2, /* at a Policy: there is none for this client */
	EAS_POLICY_TYPE = 3,
	EAS_POLICY_DATA = 4,
	EAS_POLICY_KEY_MISMATCH = 5,
};

/* Where a status is told: each has its own meaning of an mf_status. */
enum eas_place {
	EAS_AT_SYNC,		/* the whole Sync */
	EAS_AT_SYNC_COLLECTION, /* one of its collections */
	EAS_AT_SYNC_ITEM,	/* one Add, Change, Delete or Fetch */
	EAS_AT_FOLDERSYNC,
	EAS_AT_FOLDERCREATE,
	EAS_AT_FOLDERUPDATE,
	EAS_AT_FOLDERDELETE,
	EAS_AT_MOVE,
	EAS_AT_ESTIMATE,
	EAS_AT_PING,
	EAS_AT_ITEMOPERATIONS, /* the whole and each of its operations */
	EAS_AT_SEARCH,
	EAS_AT_SEARCH_STORE,
	EAS_AT_FIND,
	EAS_AT_SEND, /* SendMail, SmartReply, SmartForward */
	EAS_AT_SETTINGS,
	EAS_AT_PROVISION,
	EAS_AT_RESOLVE,
	EAS_AT_VALIDATE,
	EAS_AT_MEETING,
	EAS_PLACES
};

/* The number that tells st at that place. MF_OK gives success. */
unsigned eas_status_at(enum eas_place place, enum mf_status st);

/* The HTTP status that versions below 14.0 get instead of a number of 101 or above. */
unsigned eas_status_http(unsigned status);

/* Ends the request with the command's root and this Status alone; below 14.0 and for numbers of 101
 * or above with the HTTP status instead. why is for the log. */
enum eas_verdict eas_fail_status(struct eas_request *r, unsigned status, const char *why);

/* Ends the request as the command's row says for that failure: MF_TEMPORARY before anything was
 * processed is HTTP 503 with Retry-After, MF_AUTH is HTTP 401. err is logged; it may be NULL. */
enum eas_verdict eas_fail(struct eas_request *r, enum mf_status st, const struct mf_error *err);

#endif
