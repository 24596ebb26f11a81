/* Knows who there is, and LDIF. */
#include "people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static const struct {
	const char *id, *name, *address, *first, *last, *phone, *office, *title, *company;
	bool group;
} people[] = {
	{ "ada", "Ada Lovelace", "ada@example.org", "Ada", "Lovelace", "+44 1", "Attic", "Countess",
		"Engines", false },
	{ "adam", "Adam (Smith) *\\", "adam@example.org", "Adam", "Smith", "", "", "", "", false },
	{ "barry", "Barry Johnson", "barry@example.org", "Barry", "Johnson", "+44 3", "", "", "",
		false },
	{ "john", "John Frum", "john@example.org", "John", "Frum", "", "Island", "", "", false },
	{ "james", "James Littlejohn", "james@example.org", "James", "Littlejohn", "", "", "", "",
		false },
	{ "unal", "Çağla Ünal", "unal@example.org", "Çağla", "Ünal", "", "", "", "", false },
	{ "ghost", "Ghost Ada", "", "Ghost", "Ada", "", "", "", "", false },
	{ "Team", "Team", "team@example.org", "", "", "", "", "", "", true },
	{ "Inner", "Inner", "inner@example.org", "", "", "", "", "", "", true },
	{ "Everyone", "Everyone", "everyone@example.org", "", "", "", "", "", "", true },
};

static const struct {
	const char *group, *person;
} members[] = { { "Team", "ada" }, { "Team", "barry" }, { "Team", "Inner" }, { "Inner", "john" },
	{ "Inner", "ghost" }, { "Inner", "ada" }, { "Inner", "Team" } };

static struct mf_bytes
load(const char *name)
{
	char path[400];
	size_t len;
	const char *data;

	snprintf(path, sizeof(path), "%s/people/%s", TEST_DATA, name);
	data = fixture_read(path, &len); /* until the program ends */
	return mf_bytes(data, len);
}

struct mf_bytes
people_photo(void)
{
	static struct mf_bytes photo;

	if (photo.data == NULL)
		photo = load("ada.jpg");
	return photo;
}

struct mf_bytes
people_certificate(void)
{
	static struct mf_bytes certificate;

	if (certificate.data == NULL)
		certificate = load("ada.cer");
	return certificate;
}

static void
tell_one(const struct people_sink *sink, size_t i)
{
	static struct mf_bytes certificate;
	bool ada = strcmp(people[i].id, "ada") == 0;
	struct mf_person p = { .id = people[i].id, .group = people[i].group };

	p.text[MF_PERSON_NAME] = people[i].name;
	p.text[MF_PERSON_ADDRESS] = people[i].address;
	p.text[MF_PERSON_ALIAS] = people[i].group ? "" : people[i].id;
	p.text[MF_PERSON_FIRST] = people[i].first;
	p.text[MF_PERSON_LAST] = people[i].last;
	p.text[MF_PERSON_PHONE] = people[i].phone;
	p.text[MF_PERSON_HOME_PHONE] = ada ? "+44 10" : "";
	p.text[MF_PERSON_MOBILE] = ada ? "+44 100" : "";
	p.text[MF_PERSON_OFFICE] = people[i].office;
	p.text[MF_PERSON_TITLE] = people[i].title;
	p.text[MF_PERSON_COMPANY] = people[i].company;
	if (ada) {
		certificate = people_certificate();
		p.photo = people_photo();
		p.certificates = &certificate;
		p.n_certificates = 1;
	}
	sink->person(sink->ctx, &p);
}

static void
tell_clone(const struct people_sink *sink, unsigned n)
{
	char id[20], name[20], address[40], last[10];
	struct mf_person p = { .id = id };

	snprintf(id, sizeof(id), "clone%03u", n);
	snprintf(name, sizeof(name), "Clone %03u", n);
	snprintf(last, sizeof(last), "%03u", n);
	snprintf(address, sizeof(address), "clone%03u@example.org", n);
	for (size_t t = 0; t < MF_PERSON_TEXTS; t++)
		p.text[t] = "";
	p.text[MF_PERSON_NAME] = name;
	p.text[MF_PERSON_ADDRESS] = address;
	p.text[MF_PERSON_ALIAS] = id;
	p.text[MF_PERSON_FIRST] = "Clone";
	p.text[MF_PERSON_LAST] = last;
	sink->person(sink->ctx, &p);
}

void
people_tell(const struct people_sink *sink)
{
	char id[20];

	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++)
		tell_one(sink, i);
	for (unsigned n = 1; n <= PEOPLE_CLONES; n++)
		tell_clone(sink, n);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		sink->member(sink->ctx, members[i].group, members[i].person);
	for (unsigned n = 1; n <= PEOPLE_CLONES; n++) {
		snprintf(id, sizeof(id), "clone%03u", n);
		sink->member(sink->ctx, "Everyone", id);
	}
}

/* ---- LDIF ---- */

struct writing {
	FILE *f;
	const char *group;
};

static void
write_base64(FILE *f, const char *attribute, struct mf_bytes v)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	fprintf(f, "%s:: ", attribute);
	for (size_t i = 0; i < v.len; i += 3) {
		unsigned long x = (unsigned long)v.data[i] << 16;

		x |= i + 1 < v.len ? (unsigned long)v.data[i + 1] << 8 : 0;
		x |= i + 2 < v.len ? v.data[i + 2] : 0;
		fputc(digits[x >> 18 & 63], f);
		fputc(digits[x >> 12 & 63], f);
		fputc(i + 1 < v.len ? digits[x >> 6 & 63] : '=', f);
		fputc(i + 2 < v.len ? digits[x & 63] : '=', f);
	}
	fputc('\n', f);
}

static void
write_text(FILE *f, const char *attribute, const char *text)
{
	if (*text != '\0')
		write_base64(f, attribute, mf_bytes(text, strlen(text)));
}

static void
write_person(void *ctx, const struct mf_person *p)
{
	static const char *const attributes[MF_PERSON_TEXTS] = { [MF_PERSON_NAME] = "cn",
		[MF_PERSON_ADDRESS] = "mail",
		[MF_PERSON_ALIAS] = "uid",
		[MF_PERSON_FIRST] = "givenName",
		[MF_PERSON_LAST] = "sn",
		[MF_PERSON_PHONE] = "telephoneNumber",
		[MF_PERSON_HOME_PHONE] = "homePhone",
		[MF_PERSON_MOBILE] = "mobile",
		[MF_PERSON_OFFICE] = "physicalDeliveryOfficeName",
		[MF_PERSON_TITLE] = "title",
		[MF_PERSON_COMPANY] = "o" };
	struct writing *w = ctx;

	if (p->group)
		return;
	fprintf(w->f, "dn: uid=%s,dc=example,dc=org\nobjectClass: inetOrgPerson\n", p->id);
	fprintf(w->f, "userPassword: secret-%s\n", p->id);
	for (size_t t = 0; t < MF_PERSON_TEXTS; t++)
		write_text(w->f, attributes[t], p->text[t]);
	if (p->photo.len > 0)
		write_base64(w->f, "jpegPhoto", p->photo);
	for (size_t i = 0; i < p->n_certificates; i++)
		write_base64(w->f, "userCertificate;binary", p->certificates[i]);
	fputc('\n', w->f);
}

static bool
is_group(const char *id)
{
	return id[0] >= 'A' && id[0] <= 'Z';
}

/* Members come group by group. */
static void
write_member(void *ctx, const char *group, const char *person)
{
	struct writing *w = ctx;

	if (w->group == NULL || strcmp(w->group, group) != 0) {
		fprintf(w->f,
			"\ndn: cn=%s,dc=example,dc=org\nobjectClass: groupOfNames\n"
			"objectClass: extensibleObject\ncn: %s\nmail: ",
			group, group);
		for (const char *c = group; *c != '\0'; c++)
			fputc(*c | 0x20, w->f);
		fputs("@example.org\n", w->f);
	}
	w->group = group;
	fprintf(w->f, "member: %s=%s,dc=example,dc=org\n", is_group(person) ? "cn" : "uid", person);
}

void
people_ldif(const char *path)
{
	struct writing w = { .f = fopen(path, "w") };
	struct people_sink sink = { write_person, write_member, &w };

	if (w.f == NULL)
		fixture_die("%s cannot be written", path);
	fputs("dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\n"
	      "o: Example\ndc: example\n\n",
		w.f);
	people_tell(&sink);
	fclose(w.f);
}
