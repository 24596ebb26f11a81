/* MeetingRequest of a mail that invites or calls off (MS-ASEMAIL 2.2.2.48). */
#ifndef EAS_MAP_MEETING_H
#define EAS_MAP_MEETING_H

#include "eas/request.h"
#include "mime/structure.h"

/* Does an item of this structure have one? Then the section of its text/calendar is needed. */
bool meeting_expected(const struct mime_structure *s, enum eas_version version);

enum { MEETING_SECTION_MAX = 256 << 10 }; /* bytes of it to fetch */

/* Writes it from that section (still encoded). False: it cannot be read, nothing is written. */
struct email_view;
bool meeting_write(struct wbxml_writer *w, struct email_view *v, const struct mf_part *part,
	struct mf_bytes data);

#endif
