/*
 * Sending a mail exactly once: what SendMail, SmartReply, SmartForward and a draft with Send share.
 *
 * The way of a mail: read and named (send_message.c), looked up in the ledger (state/ledger.h), completed
 * with its source (send_source.c), given to the submission backend; afterwards the copy in Sent, the
 * source's flag and the notice on refused recipients (send_after.c). send.c is the order of it all.
 */
#ifndef EAS_SEND_H
#define EAS_SEND_H

#include "eas/request.h"
#include "mime/build.h"
#include "state/folder.h"
#include "state/ledger.h"

enum send_kind { SEND_NEW, SEND_REPLY, SEND_FORWARD };

struct send_job {
	enum send_kind kind;
	const char *client_id; /* "": the phone gave none (12.1) */
	bool own_id;	       /* client_id is ours, and of no other mail */
	struct mf_bytes mime; /* what the phone sent, a whole message; outlives the request's run */
	bool save;	      /* a copy into Sent */
	bool replace;	      /* ReplaceMime: nothing of the source goes in */
	bool own_store; /* nobody but this mail uses r->store any more: it may be renewed, and be NULL
			   afterwards */
	bool composed; /* by us, and perhaps not with the same bytes in a repetition: client_id
				 alone tells which mail it is */
	const struct state_folder *source; /* where the source is; NULL: there is none */
	uint64_t source_id;
	bool one;	  /* only one occurrence of the meeting in the source */
	int64_t instance; /* when that is, seconds since 1970 */
};

/* Sends it. EAS_WAIT: the same mail is under way in another request; call again. EAS_DONE: *status is
 * EAS_OK or the number to tell (status.h); 118 only for a ClientId that was used before. Needs r->store.
 * Sends nothing twice, also over crashes: see contrib/docs/sending.md. */
enum eas_verdict send_run(struct eas_request *r, const struct send_job *job, unsigned *status);

/* Bytes of the largest request with a mail that may succeed: the setting body_limit, or less when the mail
 * server has told its limit in the last hour. */
uint64_t send_limit(const struct eas_server *server);

/* Whether this device has sent a mail under that ClientId or key; false when nobody can tell. */
bool send_was_sent(struct eas_request *r, const char *client_id);

/* A draft in the store, sent as it is (16.x: Sync's Add and Change with Send): key names the try, and is of
 * no other mail. A copy goes to Sent; the caller removes the draft after EAS_OK and
 * after 118. */
enum eas_verdict send_draft(struct eas_request *r, const struct state_folder *folder, uint64_t id,
	const char *key, unsigned *status);

/* ---- send_stream.c ---- */

/* Where the mail stands as one stream: the header that we edited, then the rest as it came. */
struct send_stream {
	struct mf_bytes header;
	const struct mf_bytes *rest;
	size_t n_rest;
	bool canonical; /* all line ends are CRLF: nothing is to be made of them */
	/* Of the reader. */
	size_t at;	 /* which piece: 0 the header */
	size_t offset;	 /* in it */
	uint8_t held[3]; /* what had no room any more */
	size_t n_held;
	bool cr; /* the last byte was CR */
};

/* An mf_read_fn over a struct send_stream: all line ends become CRLF, nothing else changes. */
ssize_t send_stream_read(void *stream, void *data, size_t size);
void send_stream_rewind(struct send_stream *s);
/* How many bytes send_stream_read will give, and whether any of them is 8-bit; rewinds. */
uint64_t send_stream_measure(struct send_stream *s, bool *eight_bits);

/* ---- What the files of sending share ---- */

struct outgoing {
	struct eas_request *r;
	const struct send_job *job;
	struct mime_header header; /* of the phone's message */
	const char *message_id;	   /* its own or ours, without brackets */
	bool own_id, own_date, own_from;
	const char *from;
	struct mf_recipient *to;
	size_t n_to;
	struct ledger_entry entry;
	uint32_t records_user;

	/* The source (send_source.c). */
	struct mf_bytes source_header, source_whole;
	int64_t source_received;

	struct mime_segments content; /* what is sent, before its header is edited */
	struct mf_buf out, copy;      /* the edited header: for the server, and with Bcc for Sent */
	struct send_stream stream;
	uint64_t size;
	bool eight_bit, utf8;
};

/* ---- send.c ---- */

/* A mail under way in this process: by one request at a time. */
struct send_flight {
	struct send_flight *next;
	uint32_t user;
	uint8_t name[STATE_LEDGER_NAME_LEN];
};

/* False: that mail is under way already, and f is not used. Any thread. */
bool send_flight_begin(struct send_flight *f, uint32_t user, const uint8_t *name);
void send_flight_end(struct send_flight *f);

/* ---- send_message.c ---- */

/* Reads what the phone sent. EAS_OK, or the status of what is wrong with it. */
unsigned message_read(struct outgoing *o);
/* Whether the setting send_from = auto lets it go. as_user: the mail server knows who sends it, and judges. */
bool message_sender_ok(const struct outgoing *o, bool as_user);
/* Composes, edits the header and measures; after the source is there. */
enum mf_status message_build(struct outgoing *o, struct mf_error *err);
/* For a server that takes no bytes over 127: what can be encoded is. What is signed, encrypted or very large stays as
 * it is. The copy for Sent is not changed. */
void message_make_seven_bit(struct outgoing *o);

/* ---- send_source.c ---- */

/* Fetches what is needed of the source. MF_GONE: it is not there. */
enum mf_status source_fetch(struct outgoing *o, struct mf_error *err);
/* A whole item, in memory when small, else in a file without a name, mapped. */
enum mf_status source_read(struct eas_request *r, const char *folder, uint64_t id,
	struct mf_bytes *out, struct mf_error *err);

/* ---- send_after.c ---- */

/* Copy, flags, and the notice of entry.note. again: an earlier run may have got there. False: try again
 * later. */
bool after_sent(struct outgoing *o, bool again);
/* The folder of a role that holds items. */
bool send_find_role(
	const struct state_folders *f, enum mf_role role, const struct state_folder **out);
/* Whether a message of this id is in the folder; false when the store cannot search. */
enum mf_status send_is_filed(struct outgoing *o, const char *folder, const char *message_id,
	bool *filed, struct mf_error *err);
enum mf_status send_file(struct outgoing *o, const char *folder, struct send_stream *s,
	uint32_t flags, struct mf_error *err);

/* ---- send_notice.c ---- */

/* Which recipients were refused, and why, a line each, for entry.note; empty: none. */
struct mf_bytes notice_list(const struct outgoing *o);
/* Tells the user in the Inbox what entry.note says; nothing when it is empty. */
enum mf_status notice_refused(
	struct outgoing *o, const struct state_folders *f, bool again, struct mf_error *err);
/* Tells the user that nobody knows whether the mail was sent. */
void notice_unknown(struct outgoing *o);

#endif
