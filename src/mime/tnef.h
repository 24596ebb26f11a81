/*
 * TNEF, Outlook's winmail.dat (MS-OXTNEF): its attachments and its text, also where
 * that is RTF (rtf.h). Reads a decoded part; writes
 * none. Of messages that are attached the text is a file, and their files are among the files. Bounded by the input; what is cut or wrong ends the reading, what was found before stays.
 */
#ifndef MIME_TNEF_H
#define MIME_TNEF_H

#include <stdbool.h>
#include <stddef.h>

#include "mailferry/arena.h"
#include "mailferry/bytes.h"
#include "mailferry/error.h"
#include "mime/tnef_meeting.h"

enum { MIME_TNEF_FILES_MAX = 200 };

struct mime_tnef_file {
	const char *name; /* never empty, no path */
	const char *type; /* "application/pdf"; "application/octet-stream" when it is not told */
	const char *content_id; /* NULL when there is none */
	bool is_message;	/* data is TNEF: a message that could not be opened */
	bool is_object;		/* data is what another program embedded (OLE) */
	struct mf_bytes data;	/* a view into the input, or the text of a message in it, UTF-8 */
};

struct mime_tnef {
	struct mime_tnef_file *files;
	size_t n_files;
	const char *text; /* the message's text, UTF-8; NULL when there is none */
	const char *html; /* its HTML, UTF-8; NULL when there is none */
	const struct mime_tnef_meeting *meeting; /* NULL: it is none that can be told */
	const char *message_class;		 /* "IPM.Note"; NULL when it is not told */
};

/* MF_INVALID: this is no TNEF. The input must outlive the result. */
enum mf_status mime_tnef_read(
	struct mf_arena *a, struct mf_bytes data, struct mime_tnef *out, struct mf_error *err);

#endif
