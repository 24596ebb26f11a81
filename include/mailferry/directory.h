/*
 * People: the directory facet of a backend (backend.h), an address book of the whole organisation.
 *
 * A directory is asked, never changed. People and groups cross as struct mf_person; what is heavy
 * (photos, certificates) comes only by `read`, for those that are shown. Texts are UTF-8 as the
 * directory has them: whoever shows them repairs what is not.
 *
 * All calls return what mf_people_fn returns where that is not MF_OK. MF_TEMPORARY: the directory is
 * down, slow, or answers nonsense. MF_UNSUPPORTED: there is no directory after all.
 */
#ifndef MAILFERRY_DIRECTORY_H
#define MAILFERRY_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/bytes.h"
#include "mailferry/error.h"

struct mf_session;

enum mf_person_text {
	MF_PERSON_NAME, /* as shown; may be empty */
	MF_PERSON_ADDRESS,
	MF_PERSON_ALIAS, /* a short name: the login, the part before the @ */
	MF_PERSON_FIRST,
	MF_PERSON_LAST,
	MF_PERSON_PHONE, /* at work */
	MF_PERSON_HOME_PHONE,
	MF_PERSON_MOBILE,
	MF_PERSON_OFFICE,
	MF_PERSON_TITLE,
	MF_PERSON_COMPANY,
	MF_PERSON_TEXTS /* their number */
};

enum mf_person_want {
	MF_PERSON_PHOTO = 1 << 0,
	MF_PERSON_CERTIFICATES = 1 << 1,
};

struct mf_person {
	const char *id; /* what read and members take: opaque, unique in the directory */
	bool group;	/* a list of people with an address of its own */
	const char *text[MF_PERSON_TEXTS]; /* never NULL: "" where absent */
	/* Of `read`, what was wanted: */
	struct mf_bytes photo; /* a picture file (JPEG, PNG); empty: none */
	/* DER: X.509 certificates, or PKCS #7 bundles of them; not checked. */
	const struct mf_bytes *certificates;
	size_t n_certificates;
};

/* Takes one person. What it is given lives until it returns. */
typedef enum mf_status mf_people_fn(void *ctx, const struct mf_person *person);

struct mf_people_find {
	/* Each word of it is the beginning of a word in a name, the alias, an address or the company,
	 * or of one of those; letter case does not count (ASCII at
	 * least). With `exact`: it is an address (any of the
	 * person's), the alias or the name. Without words nobody is found. */
	const char *text;
	bool exact;
	size_t max;	      /* people to tell at most; not 0 */
	int timeout_ms;	      /* 0: the backend's own */
	mf_people_fn *person; /* in any order, each once; only those with an address */
	void *ctx;
};

struct mf_directory_api {
	uint32_t size; /* sizeof(struct mf_directory_api) */

	/* Who matches. *more: there are others, beyond `max`, the server's own limits or the time. */
	enum mf_status (*find)(struct mf_session *s, const struct mf_people_find *f, bool *more,
		struct mf_error *err);

	/* People by their ids, with what `want` (mf_person_want) says, in any order. Who is no longer
	 * there is left out. */
	enum mf_status (*read)(struct mf_session *s, const char *const *ids, size_t n,
		unsigned want, mf_people_fn *person, void *ctx, struct mf_error *err);

	/* The people in a group and in the groups inside it, each once, without the groups; those
	 * without an address too. *total: how many there are, which may be more than `max` that were
	 * told. MF_GONE: no such group. */
	enum mf_status (*members)(struct mf_session *s, const char *group, size_t max,
		mf_people_fn *person, void *ctx, size_t *total, struct mf_error *err);
};

#endif
