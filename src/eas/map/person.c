/* See person.h. */
#include "eas/map/person.h"

#include "base/str.h"
#include "eas/status.h"
#include "wbxml/tags.h"

enum { PICTURE_SIZE_MAX = 102400 };

static bool
read_number(const struct wbxml_node *parent, uint16_t tag, uint64_t absent, uint64_t *out)
{
	const char *text = wbxml_child_value(parent, tag);
	*out = absent;
	return text == NULL || *text == '\0' || str_to_u64(text, UINT32_MAX, out);
}

bool
person_pictures_read(const struct wbxml_node *picture, uint16_t max_size, uint16_t max_pictures,
	struct person_pictures *out)
{
	out->wanted = picture != NULL;
	return read_number(picture, max_size, PICTURE_SIZE_MAX, &out->max_size) &&
	       read_number(picture, max_pictures, UINT32_MAX, &out->left) &&
	       out->max_size <= PICTURE_SIZE_MAX;
}

unsigned
person_picture_status(struct person_pictures *pictures, const struct mf_person *p)
{
	if (p->photo.len == 0)
		return EAS_NO_PICTURE;
	if (p->photo.len > pictures->max_size)
		return EAS_PICTURE_TOO_LARGE;
	if (pictures->left == 0)
		return EAS_PICTURE_LIMIT;
	pictures->left--;
	return EAS_OK;
}

/* In the order of the namespace's schema. */
static const struct {
	enum mf_person_text text;
	uint16_t tag;
} rows[] = {
	{ MF_PERSON_NAME, GAL_DisplayName },
	{ MF_PERSON_PHONE, GAL_Phone },
	{ MF_PERSON_OFFICE, GAL_Office },
	{ MF_PERSON_TITLE, GAL_Title },
	{ MF_PERSON_COMPANY, GAL_Company },
	{ MF_PERSON_ALIAS, GAL_Alias },
	{ MF_PERSON_FIRST, GAL_FirstName },
	{ MF_PERSON_LAST, GAL_LastName },
	{ MF_PERSON_HOME_PHONE, GAL_HomePhone },
	{ MF_PERSON_MOBILE, GAL_MobilePhone },
	{ MF_PERSON_ADDRESS, GAL_EmailAddress },
};

void
person_write(struct wbxml_writer *w, const struct mf_person *p, struct person_pictures *pictures)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (*p->text[rows[i].text] != '\0')
			wbxml_element(w, rows[i].tag, p->text[rows[i].text]);
	if (!pictures->wanted)
		return;
	unsigned status = person_picture_status(pictures, p);
	wbxml_open(w, GAL_Picture);
	wbxml_number(w, GAL_Status, status);
	if (status == EAS_OK) {
		wbxml_open(w, GAL_Data);
		wbxml_opaque(w, p->photo.data, p->photo.len);
		wbxml_close(w);
	}
	wbxml_close(w);
}
