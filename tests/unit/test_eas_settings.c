/* Settings and Provision against the memory backend. */
#include <criterion/criterion.h>

#include "eas_help.h"
#include "state/device.h"
#include "state/user.h"

static struct gateway g;

static void
setup(void)
{
	gateway_open(&g);
}

static void
teardown(void)
{
	gateway_close(&g);
}

TestSuite(eas_settings, .init = setup, .fini = teardown);

#define INFORMATION                                                                        \
	"<Set><Model>phone</Model><OS>Tester 1</OS><FriendlyName>J\xc3\xb6</FriendlyName>" \
	"<EnableOutboundSMS>0</EnableOutboundSMS></Set>"
#define SETTINGS(x)  "<Settings xmlns=\"Settings\">" x "</Settings>"
#define PROVISION(x) "<Provision xmlns=\"Provision\" xmlns:s=\"Settings\">" x "</Provision>"
#define POLICY(type) "<Policies><Policy><PolicyType>" type "</PolicyType></Policy></Policies>"
#define WBXML_TYPE   "MS-EAS-Provisioning-WBXML"

/* The Status at a path of up to three tags below the root, 0 where there is none. */
static unsigned
status_at(struct eas_request *r, const uint16_t *tags)
{
	const struct wbxml_node *n = answer_root(r);
	for (int i = 0; i < 3 && tags[i] != 0; i++)
		n = wbxml_child(n, tags[i]);
	const char *value = wbxml_value(n);
	return value == NULL ? 0 : (unsigned)atoi(value);
}

static const struct {
	const char *name, *command, *version, *xml;
	unsigned status;   /* of the whole */
	uint16_t where[3]; /* and of another element */
	unsigned there;
} cases[] = {
	{ "information", "Settings", "12.1",
		SETTINGS("<DeviceInformation>" INFORMATION "</DeviceInformation>"), 1,
		{ Settings_DeviceInformation, Settings_Status }, 1 },
	{ "no Set", "Settings", "12.1", SETTINGS("<DeviceInformation/>"), 2, { 0 }, 0 },
	{ "nothing", "Settings", "14.1", SETTINGS(""), 2, { 0 }, 0 },
	{ "out of office", "Settings", "14.1",
		SETTINGS("<Oof><Get><BodyType>Text</BodyType></Get></Oof>"), 1,
		{ Settings_Oof, Settings_Status }, 3 },
	{ "password", "Settings", "14.1",
		SETTINGS("<DevicePassword><Set><Password>x</Password></Set></DevicePassword>"), 1,
		{ Settings_DevicePassword, Settings_Status }, 7 },
	{ "rights", "Settings", "14.1",
		SETTINGS("<RightsManagementInformation><Get/></RightsManagementInformation>"), 1,
		{ Settings_RightsManagementInformation, Settings_Status }, 1 },
	{ "user", "Settings", "14.1", SETTINGS("<UserInformation><Get/></UserInformation>"), 1,
		{ Settings_UserInformation, Settings_Status }, 1 },
	{ "no policy", "Provision", "14.1", PROVISION(POLICY(WBXML_TYPE)), 1,
		{ Provision_Policies, Provision_Policy, Provision_Status }, 2 },
	{ "no policy, 12.1", "Provision", "12.1", PROVISION(POLICY(WBXML_TYPE)), 1,
		{ Provision_Policies, Provision_Policy, Provision_Status }, 2 },
	{ "policy type", "Provision", "14.1", PROVISION(POLICY("MS-WAP-Provisioning-XML")), 1,
		{ Provision_Policies, Provision_Policy, Provision_Status }, 3 },
	{ "acknowledged", "Provision", "14.1",
		PROVISION("<Policies><Policy><PolicyType>" WBXML_TYPE
			  "</PolicyType><PolicyKey>77</PolicyKey><Status>1</Status></Policy>"
			  "</Policies>"),
		1, { Provision_Policies, Provision_Policy, Provision_Status }, 2 },
	{ "no type", "Provision", "14.1", PROVISION("<Policies><Policy/></Policies>"), 2, { 0 },
		0 },
	{ "empty", "Provision", "14.1", PROVISION(""), 1, { 0 }, 0 },
	{ "misplaced", "Provision", "14.1", PROVISION("<Policy/>"), 2, { 0 }, 0 },
	{ "wipe nobody asked for", "Provision", "14.1",
		PROVISION("<RemoteWipe><Status>1</Status></RemoteWipe>"), 1, { 0 }, 0 },
	{ "with information", "Provision", "14.1",
		PROVISION("<s:DeviceInformation><s:Set><s:Model>phone</s:Model></s:Set>"
			  "</s:DeviceInformation>" POLICY(WBXML_TYPE)),
		1, { Settings_DeviceInformation, Settings_Status }, 1 },
};

Test(eas_settings, table)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ask q = { .command = cases[i].command,
			.version = cases[i].version,
			.key = "0",
			.xml = cases[i].xml };
		struct eas_request *r = ask(&g, &q);
		cr_assert_eq(r->answer.http_status, 200, "%s", cases[i].name);
		cr_assert_eq(r->status, cases[i].status, "%s: %s", cases[i].name, answer_xml(r));
		cr_assert(cases[i].there == 0 || status_at(r, cases[i].where) == cases[i].there,
			"%s: %s", cases[i].name, answer_xml(r));
		ask_free(r);
	}
}

/* What a device tells of itself is kept, and replaced as a whole. */
Test(eas_settings, stored)
{
	const char *xml[] = { SETTINGS("<DeviceInformation>" INFORMATION "</DeviceInformation>"),
		PROVISION("<s:DeviceInformation><s:Set><s:Model>new</s:Model></s:Set>"
			  "</s:DeviceInformation>") };
	const char *commands[] = { "Settings", "Provision" };
	const char *models[] = { "phone", "new" }, *systems[] = { "Tester 1", "" };
	for (int i = 0; i < 2; i++) {
		struct ask q = { .command = commands[i], .version = "16.1", .xml = xml[i] };
		struct eas_request *r = ask(&g, &q);
		struct state_device *d;
		cr_assert_eq(r->status, 1, "%s", answer_xml(r));
		cr_assert_eq(state_device_find(g.state, r->user_number, "dev1", r->arena, &d, NULL),
			MF_OK);
		cr_assert_str_eq(d->info[STATE_INFO_MODEL], models[i]);
		cr_assert_str_eq(d->info[STATE_INFO_OS], systems[i]);
		cr_assert_eq(d->version, 161);
		cr_assert_str_eq(d->type, "Test");
		ask_free(r);
	}
}

/* The shape changed with 14.1. */
Test(eas_settings, addresses)
{
	const char *versions[] = { "12.1", "14.0", "14.1", "16.1" };
	for (int i = 0; i < 4; i++) {
		struct ask q = { .command = "Settings",
			.version = versions[i],
			.xml = SETTINGS("<UserInformation><Get/></UserInformation>") };
		struct eas_request *r = ask(&g, &q);
		const struct wbxml_node *n = wbxml_child(
			wbxml_child(answer_root(r), Settings_UserInformation), Settings_Get);
		if (i >= 2)
			n = wbxml_child(wbxml_child(n, Settings_Accounts), Settings_Account);
		n = wbxml_child(n, Settings_EmailAddresses);
		cr_assert_str_eq(wbxml_child_value(n, Settings_SMTPAddress), EAS_USER, "%s: %s",
			versions[i], answer_xml(r));
		cr_assert_eq(wbxml_child(n, Settings_PrimarySmtpAddress) != NULL, i >= 2);
		ask_free(r);
	}
}
