/* How to reach each backend. A new one is a row and its begin. */
#include "contract.h"

#include <string.h>

#include "conf/conf.h"
#include "fixture.h"
#include "memory/memory.h"
#include "people.h"
#include "slapd.h"

extern const struct mf_backend_api mf_backend_null, mf_backend_imap, mf_backend_ldap,
	mf_backend_sieve;

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
add_person(void *world, const struct mf_person *p)
{
	memory_person(world, p);
}

static void
add_member(void *world, const char *group, const char *person)
{
	memory_member(world, group, person);
}

static void
memory_begin(struct bench *b)
{
	struct people_sink sink = { add_person, add_member, NULL };

	memory_begin_with(b, MEMORY_ALL_CAPABILITIES);
	sink.ctx = b->own;
	memory_oof(b->own, true);
	people_tell(&sink);
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

/* ---- imap: the Dovecot that CTest shares, or one of its own ---- */

struct imap_own {
	struct dovecot dovecot;
	struct conf *conf;
};

static void
imap_begin_with(struct bench *b, const char *more)
{
	static struct conf_table tables[2];
	struct imap_own *own = mf_new(b->a, struct imap_own);
	const char *text;

	dovecot_get(&own->dovecot);
	text = mf_printf(b->a, "imap {\n\turl = \"%s\"\n\tca_file = \"%s\"\n%s}\n",
		dovecot_url(&own->dovecot, true), own->dovecot.ca, more);
	tables[0] = (struct conf_table){ .name = "imap", .rows = mf_backend_imap.settings };
	NEED_OK(b, conf_parse(text, tables, &own->conf, &b->err));
	b->own = own;
	b->api = &mf_backend_imap;
	NEED_OK(b, b->api->open(conf_section(own->conf, "imap"), &b->backend, &b->err));
	snprintf(b->user, sizeof(b->user), "%s", fixture_user("contract"));
	snprintf(b->password, sizeof(b->password), "secret-%s", b->user);
}

static void
imap_begin(struct bench *b)
{
	imap_begin_with(b, "");
}

/* As with a server that has nothing but the oldest IMAP. */
static void
imap_begin_poor(struct bench *b)
{
	imap_begin_with(b,
		"ignore = {\"CONDSTORE\", \"QRESYNC\", \"UIDPLUS\", \"MOVE\", \"ESEARCH\", "
		"\"LITERAL+\", \"LIST-EXTENDED\", \"LIST-STATUS\", \"NAMESPACE\", \"UNSELECT\", "
		"\"SPECIAL-USE\", \"SASL-IR\", \"PREVIEW\", \"ENABLE\"}\n");
}

static void
imap_end(struct bench *b)
{
	struct imap_own *own = b->own;

	b->api->close(b->backend);
	conf_free(own->conf);
	dovecot_end(&own->dovecot);
}

/* ---- ldap: a server of its own for each case ---- */

struct ldap_own {
	struct slapd slapd;
	struct conf *conf;
};

static void
ldap_begin_with(struct bench *b, const char *options, const char *more)
{
	static struct conf_table tables[2];
	struct ldap_own *own = mf_new(b->a, struct ldap_own);
	const char *text;

	slapd_start(&own->slapd, options);
	text = mf_printf(b->a,
		"ldap {\n\turl = \"ldaps://127.0.0.1:%u\"\n\tca_file = \"%s\"\n"
		"\tbase = \"dc=example,dc=org\"\n%s}\n",
		own->slapd.ldaps, own->slapd.ca, more);
	tables[0] = (struct conf_table){ .name = "ldap", .rows = mf_backend_ldap.settings };
	NEED_OK(b, conf_parse(text, tables, &own->conf, &b->err));
	b->own = own;
	b->api = &mf_backend_ldap;
	NEED_OK(b, b->api->open(conf_section(own->conf, "ldap"), &b->backend, &b->err));
	strcpy(b->user, "ada@example.org");
	strcpy(b->password, "secret-ada");
}

static void
ldap_begin(struct bench *b)
{
	ldap_begin_with(b, "", "");
}

/* Only users may read, as themselves; small pages and none. */
static void
ldap_begin_users(struct bench *b)
{
	ldap_begin_with(b, "--no-anonymous",
		"\tbind_dn = \"uid={name},dc=example,dc=org\"\n\tpage_size = 7\n");
}

static void
ldap_end(struct bench *b)
{
	struct ldap_own *own = b->own;

	b->api->close(b->backend);
	conf_free(own->conf);
	slapd_end(&own->slapd);
}

/* ---- sieve: the Dovecot that CTest shares ---- */

static void
sieve_begin(struct bench *b)
{
	static struct conf_table tables[2];
	struct imap_own *own = mf_new(b->a, struct imap_own);
	const char *text;

	dovecot_get(&own->dovecot);
	text = mf_printf(b->a,
		"sieve {\n\turl = \"sieve://127.0.0.1:%u\"\n\tstarttls = required\n\tca_file = "
		"\"%s\"\n}\n",
		own->dovecot.sieve, own->dovecot.ca);
	tables[0] = (struct conf_table){ .name = "sieve", .rows = mf_backend_sieve.settings };
	NEED_OK(b, conf_parse(text, tables, &own->conf, &b->err));
	b->own = own;
	b->api = &mf_backend_sieve;
	NEED_OK(b, b->api->open(conf_section(own->conf, "sieve"), &b->backend, &b->err));
	snprintf(b->user, sizeof(b->user), "%s", fixture_user("contract"));
	snprintf(b->password, sizeof(b->password), "secret-%s", b->user);
}

const struct contract_target contract_targets[] = {
	{ .name = "memory",
		.can = CAN_STORE | CAN_KEEP | CAN_FOLDERS | CAN_REFUSE | CAN_DAMAGE | CAN_SUBMIT |
		       CAN_ROLES | CAN_TELL | CAN_PEOPLE | CAN_OOF,
		.begin = memory_begin,
		.end = memory_end,
		.damage = memory_damage_item,
		.inbox = "INBOX" },
	{ .name = "memory-poor",
		.can = CAN_STORE | CAN_KEEP | CAN_FOLDERS | CAN_REFUSE | CAN_DAMAGE | CAN_SUBMIT |
		       CAN_TELL,
		.begin = memory_begin_poor,
		.end = memory_end,
		.damage = memory_damage_item,
		.inbox = "INBOX" },
	{ .name = "null",
		.can = CAN_STORE | CAN_NULL,
		.begin = null_begin,
		.end = null_end,
		.inbox = "INBOX" },
	{ .name = "imap",
		.can = CAN_STORE | CAN_KEEP | CAN_FOLDERS | CAN_REFUSE | CAN_ROLES | CAN_TELL,
		.begin = imap_begin,
		.end = imap_end,
		.inbox = "INBOX" },
	{ .name = "imap-poor",
		.can = CAN_STORE | CAN_KEEP | CAN_FOLDERS | CAN_REFUSE | CAN_ROLES,
		.begin = imap_begin_poor,
		.end = imap_end,
		.inbox = "INBOX" },
	{ .name = "ldap", .can = CAN_PEOPLE, .begin = ldap_begin, .end = ldap_end },
	{ .name = "ldap-users", .can = CAN_PEOPLE, .begin = ldap_begin_users, .end = ldap_end },
	{ .name = "sieve", .can = CAN_OOF, .begin = sieve_begin, .end = imap_end },
	{ .name = NULL },
};
