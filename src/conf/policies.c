/*
 * The rows of a policy: what a device must keep to while it holds an account (MS-ASPROV 2.2.2). Which
 * element each becomes is known to eas/policy.c, and so is what contradicts what.
 */
#include "conf/conf.h"

static const struct mf_setting policy[] = {
	{ "users", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Whom it is for: names, and patterns as \"*@example.org\" or \"*\"; the first "
		"policy of "
		"the file that names a user is the user's." },
	{ "exempt", MF_SETTING_LIST, "{\"type=WindowsOutlook*\"}", 0, 0, NULL,
		"Devices that need not keep to it, as \"type=...\", \"agent=...\" or "
		"\"device=...\" with a "
		"pattern." },
	{ "allow_non_provisionable", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"Let in devices that send no policy key at all, and those that cannot keep to "
		"every rule." },
	{ "require_device_information", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"From 14.1 on a device must tell its model when it asks for the policy." },
	{ "device_password", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"The device must have a password; the rules for it are those named password_...." },
	{ "password_alphanumeric", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"The password needs letters and digits." },
	{ "password_recovery", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"Devices send a recovery password, which `mailferry device recovery` shows to who "
		"helps an owner that forgot the other; needs recovery_secret." },
	{ "encrypt_storage_card", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"What is on a storage card must be encrypted." },
	{ "attachments", MF_SETTING_BOOL, "yes", 0, 0, NULL, "Attachments may be fetched." },
	{ "password_length", MF_SETTING_NUMBER, "0", 0, 16, NULL,
		"Least length of the password; 0: any." },
	{ "lock_after", MF_SETTING_DURATION, "0", 0, 9999, NULL,
		"The device locks itself after this time without a touch; 0: the user "
		"decides." },
	{ "password_attempts", MF_SETTING_NUMBER, "0", 0, 16, NULL,
		"After so many wrong passwords, 4 to 16, the device erases itself; 0: "
		"never." },
	{ "attachment_size", MF_SETTING_SIZE, "0", 0, 2147483647, NULL,
		"Largest attachment that may be fetched; 0: any." },
	{ "password_simple", MF_SETTING_BOOL, "yes", 0, 0, NULL, "Passwords as 1234 are allowed." },
	{ "password_days", MF_SETTING_NUMBER, "0", 0, 730, NULL,
		"Days after which a new password is due; 0: never." },
	{ "password_history", MF_SETTING_NUMBER, "0", 0, 50, NULL,
		"So many former passwords may not be used again." },
	{ "storage_card", MF_SETTING_BOOL, "yes", 0, 0, NULL, "The storage card may be used." },
	{ "camera", MF_SETTING_BOOL, "yes", 0, 0, NULL, "The camera may be used." },
	{ "encrypt_device", MF_SETTING_BOOL, "no", 0, 0, NULL, "The device must be encrypted." },
	{ "unsigned_applications", MF_SETTING_BOOL, "yes", 0, 0, NULL,
		"Applications without a signature may run." },
	{ "unsigned_packages", MF_SETTING_BOOL, "yes", 0, 0, NULL,
		"Packages without a signature may be installed." },
	{ "password_classes", MF_SETTING_NUMBER, "1", 1, 4, NULL,
		"Of how many kinds (capitals, small letters, digits, others) the "
		"characters of an alphanumeric password must be." },
	{ "wifi", MF_SETTING_BOOL, "yes", 0, 0, NULL, "Wireless networks may be used." },
	{ "text_messages", MF_SETTING_BOOL, "yes", 0, 0, NULL, "Text messages may be sent." },
	{ "other_mail", MF_SETTING_BOOL, "yes", 0, 0, NULL,
		"Mail accounts by POP and IMAP may be set up." },
	{ "bluetooth", MF_SETTING_NUMBER, "2", 0, 2, NULL,
		"Bluetooth: 0 none, 1 hands-free only, 2 all." },
	{ "infrared", MF_SETTING_BOOL, "yes", 0, 0, NULL, "Infrared may be used." },
	{ "manual_when_roaming", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"Abroad the device asks for mail only when the user does." },
	{ "desktop_sync", MF_SETTING_BOOL, "yes", 0, 0, NULL,
		"The device may be synchronised with a computer." },
	{ "calendar_age", MF_SETTING_NUMBER, "0", 0, 7, NULL,
		"Oldest calendar entries: 0 all, 4 two weeks, 5 one month, 6 three "
		"months, 7 six." },
	{ "html_mail", MF_SETTING_BOOL, "yes", 0, 0, NULL, "Mail may be shown as HTML." },
	{ "mail_age", MF_SETTING_NUMBER, "0", 0, 5, NULL,
		"Oldest mail: 0 all, 1 one day, 2 three days, 3 one week, 4 two weeks, "
		"5 one month." },
	{ "text_size", MF_SETTING_NUMBER, "0", 0, 1048576, NULL,
		"Largest text of a mail in KB that a device may fetch; 0: any." },
	{ "html_size", MF_SETTING_NUMBER, "0", 0, 1048576, NULL,
		"Largest HTML of a mail in KB that a device may fetch; 0: any." },
	{ "sign_mail", MF_SETTING_BOOL, "no", 0, 0, NULL, "Sent mail must be signed by S/MIME." },
	{ "encrypt_mail", MF_SETTING_BOOL, "no", 0, 0, NULL,
		"Sent mail must be encrypted by S/MIME." },
	{ "sign_algorithm", MF_SETTING_NUMBER, "0", 0, 1, NULL, "Of a signature: 0 SHA1, 1 MD5." },
	{ "encrypt_algorithm", MF_SETTING_NUMBER, "0", 0, 4, NULL,
		"Of encryption: 0 3DES, 1 DES, 2 RC2 of 128 bits, 3 of 64, 4 of 40." },
	{ "encrypt_negotiation", MF_SETTING_NUMBER, "2", 0, 2, NULL,
		"Other algorithms where the receiver's certificate wants them: 0 none, "
		"1 strong ones, 2 any." },
	{ "soft_certificates", MF_SETTING_BOOL, "yes", 0, 0, NULL,
		"Certificates may stand in files." },
	{ "browser", MF_SETTING_BOOL, "yes", 0, 0, NULL, "The browser may be used." },
	{ "consumer_mail", MF_SETTING_BOOL, "yes", 0, 0, NULL,
		"Private mail accounts may be used." },
	{ "remote_desktop", MF_SETTING_BOOL, "yes", 0, 0, NULL, "Remote desktops may be used." },
	{ "internet_sharing", MF_SETTING_BOOL, "yes", 0, 0, NULL,
		"The device may share its connection." },
	{ "forbidden_applications", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Names of built-in applications that may not run." },
	{ "approved_applications", MF_SETTING_LIST, "{}", 0, 0, NULL,
		"Hashes of the applications that may run; empty: all." },
	{ 0 },
};

const struct conf_table conf_own_tables[] = {
	{ .name = "policy",
		.help = "A policy for devices; there may be several, each with a name. Without one "
			"nothing is asked of a device.",
		.rows = policy,
		.titled = true },
	{ 0 },
};
