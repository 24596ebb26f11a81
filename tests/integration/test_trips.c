/*
 * Mail between users, all the way: a phone sends, Postfix takes it and delivers to Dovecot, another user's
 * phone is woken by Ping, syncs, replies, forwards. What arrives is compared with what was sent, byte for
 * byte, and signatures are verified by openssl and gpg.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "client/mail.h"
#include "mta.h"
#include "phone.h"
#include "wbxml/wbxml.h"

struct town {
	struct dovecot dovecot;
	struct mta mta;
	struct gateway gateway;
};

/* Postfix and the gateway in front of the shared Dovecot; skips the case where Postfix cannot run. */
static void
town_open(struct town *t, const char *smtp, const char *postfix, const char *more)
{
	char conf[1500];

	dovecot_get(&t->dovecot);
	if (!mta_start(&t->mta, &t->dovecot, postfix))
		cr_skip_test("Postfix cannot run here");
	snprintf(conf, sizeof conf,
		"backends = {\"imap\", \"smtp\"}\ndefault_domain = \"example.test\"\n%s"
		"imap {\n\turl = \"%s\"\n\tca_file = \"%s\"\n}\n"
		"smtp {\n\turl = \"%s://127.0.0.1:%u\"\n\tstarttls = %s\n\tca_file = \"%s\"\n}\n",
		more, dovecot_url(&t->dovecot, true), t->dovecot.ca, smtp,
		strcmp(smtp, "smtps") == 0 ? t->mta.smtps : t->mta.smtp,
		strcmp(smtp, "smtps") == 0 ? "auto" : "required", t->mta.ca);
	gateway_start(&t->gateway, &t->dovecot, conf);
}

static void
town_close(struct town *t)
{
	gateway_end(&t->gateway);
	mta_end(&t->mta);
}

/* ---- Waiting for mail ---- */

struct waiting {
	struct phone *phone;
	pthread_t thread;
	unsigned status;
};

static void *
wait_in_thread(void *arg)
{
	struct waiting *w = arg;
	struct client_folder *inbox = phone_folder(w->phone, "inbox");
	struct client_ping_result result = { 0 };
	struct mf_arena *a = mf_arena_new();
	struct mf_error err = { 0 };

	if (client_ping(w->phone->client, a, 120, &inbox, 1, &result, &err) == MF_OK)
		w->status = result.status;
	mf_arena_free(a);
	return NULL;
}

static struct phone *
arrive(const struct town *t, const char *user, const char *version)
{
	struct phone *p = phone_new_version(&t->gateway, user, "phone1", version);

	phone_hierarchy(p);
	phone_sync(p, "inbox");
	return p;
}

static void
start_waiting(struct waiting *w, struct phone *p)
{
	*w = (struct waiting){ .phone = p };
	pthread_create(&w->thread, NULL, wait_in_thread, w);
}

/* Ping was answered, and Sync brings the message with this subject. */
static const struct client_item *
await_mail(struct waiting *w, const char *subject)
{
	struct client_folder *inbox = phone_folder(w->phone, "inbox");
	const struct client_item *found = NULL;

	pthread_join(w->thread, NULL);
	cr_assert_eq(w->status, 2, "Ping: status %u", w->status);
	phone_sync(w->phone, "inbox");
	const struct client_item **items = client_items_sorted(inbox);
	for (size_t i = 0; i < inbox->n_items; i++)
		if (strcmp(items[i]->subject, subject) == 0)
			found = items[i];
	free(items);
	cr_assert_not_null(found, "Ping woke, but %s is not there", subject);
	return found;
}

/* ---- Sending and looking ---- */

struct letter {
	const char *command; /* NULL: SendMail */
	const char *version, *from, *to, *bcc, *subject, *more;
	const char *body;
	const struct client_item *source;
	bool replace;
};

/* Returns the MIME as sent, to be freed. */
static char *
mail_letter(struct phone *p, const struct letter *l)
{
	static unsigned count;
	struct client_folder *inbox = phone_folder(p, "inbox");
	char id[40], *mime;
	unsigned status;
	struct mf_error err = { 0 };

	snprintf(id, sizeof id, "letter%u", ++count);
	if (asprintf(&mime,
		    "From: <%s@example.test>\r\nTo: <%s@example.test>\r\n%s%s%sSubject: %s\r\n%s",
		    l->from, l->to, l->bcc != NULL ? "Bcc: <" : "", l->bcc != NULL ? l->bcc : "",
		    l->bcc != NULL ? "@example.test>\r\n" : "", l->subject, l->body) < 0)
		abort();
	struct client_sending s = { .command = l->command,
		.client_id = id,
		.mime = mf_bytes_str(mime),
		.folder_id = l->source != NULL ? inbox->id : NULL,
		.item_id = l->source != NULL ? l->source->id : NULL,
		.save = true,
		.replace_mime = l->replace };
	cr_assert_eq(client_send(p->client, &s, &status, &err), MF_OK, "%s", err.text);
	cr_assert_eq(status, 1, "%s: status %u", l->subject, status);
	return mime;
}

/* The whole message as the phone gets it, to be freed. */
static char *
fetch_mime(struct phone *p, const struct client_item *item, size_t *len)
{
	struct client_wish w = { .folder_id = phone_folder(p, "inbox")->id,
		.item_id = item->id,
		.body_type = 4,
		.truncation = -1,
		.mime_support = 2 };
	struct client_answer answer;
	struct client_fetched f;
	struct mf_error err = { 0 };

	cr_assert_eq(client_fetch(p->client, &w, &answer, &f, &err), MF_OK, "%s", err.text);
	cr_assert(f.status == 1 && f.body_type == 4 && !f.truncated,
		"status %u, type %u, truncated %d", f.status, f.body_type, f.truncated);
	char *copy = malloc(f.data.len + 1);
	memcpy(copy, f.data.data, f.data.len);
	copy[f.data.len] = '\0';
	*len = f.data.len;
	return copy;
}

/* The bytes of the only attachment, fetched by its reference. */
static void
attachment_digest(
	struct phone *p, const struct client_item *item, uint8_t out[DIGEST_SIZE], size_t *len)
{
	struct client_wish w = { .folder_id = phone_folder(p, "inbox")->id,
		.item_id = item->id,
		.body_type = 1,
		.truncation = -1,
		.mime_support = -1 };
	struct client_answer answer;
	struct client_fetched f;
	struct mf_error err = { 0 };

	cr_assert_eq(client_fetch(p->client, &w, &answer, &f, &err), MF_OK, "%s", err.text);
	const struct wbxml_node *list = wbxml_child(f.properties, AirSyncBase_Attachments);
	const struct wbxml_node *at = wbxml_child(list, AirSyncBase_Attachment);
	cr_assert_not_null(at, "no attachment");
	char *reference = strdup(wbxml_child_value(at, AirSyncBase_FileReference));
	w = (struct client_wish){
		.file_reference = reference, .truncation = -1, .mime_support = -1
	};
	cr_assert_eq(client_fetch(p->client, &w, &answer, &f, &err), MF_OK, "%s", err.text);
	cr_assert_eq(f.status, 1, "attachment: status %u", f.status);
	digest_sha256(f.data.data, f.data.len, out);
	*len = f.data.len;
	free(reference);
}

/* Both bodies, from the first empty line on, have one digest. */
static void
same_body(const char *sent, const char *got, size_t got_len, const char *what)
{
	const char *a = strstr(sent, "\r\n\r\n"), *b = strstr(got, "\r\n\r\n");
	uint8_t one[DIGEST_SIZE], other[DIGEST_SIZE];

	cr_assert(a != NULL && b != NULL);
	digest_sha256(a, strlen(a), one);
	digest_sha256(b, got_len - (size_t)(b - got), other);
	cr_assert_arr_eq(one, other, DIGEST_SIZE, "%s: sent\n%.400s\ngot\n%.400s", what, a, b);
}

static void
has(const char *text, const char *what, bool wanted, const char *where)
{
	cr_assert_eq(strstr(text, what) != NULL, wanted, "%s: %s is%s there:\n%.3000s", where, what,
		wanted ? " not" : "", text);
}

/* ---- A conversation of three ---- */

enum { PICTURE = 300 * 1000 };

/* Bytes without order, and their base64 in lines. */
static char *
picture(uint8_t digest[DIGEST_SIZE])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *raw = malloc(PICTURE);
	char *text = malloc(PICTURE * 2), *p = text;
	uint32_t x = 12345;

	for (size_t i = 0; i < PICTURE; i++)
		raw[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	digest_sha256(raw, PICTURE, digest);
	for (size_t i = 0; i < PICTURE; i += 3) {
		uint32_t v = (uint32_t)raw[i] << 16 | (uint32_t)raw[i + 1] << 8 | raw[i + 2];

		for (int k = 3; k >= 0; k--)
			*p++ = digits[v >> (6 * k) & 63];
		if (i / 3 % 18 == 17) {
			*p++ = '\r';
			*p++ = '\n';
		}
	}
	*p = '\0';
	free(raw);
	return text;
}

static char *
letter_with_picture(const char *base64)
{
	char *body;

	if (asprintf(&body,
		    "Message-ID: <first@trip>\r\nDate: Mon, 05 Feb 2024 10:11:12 +0000\r\n"
		    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=mm\r\n\r\n"
		    "--mm\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
		    "<html><body><p>See gr\xc3\xbc\xc3\x9f.</p>\r\n.\r\n..\r\n</body></html>\r\n"
		    "--mm\r\nContent-Type: image/jpeg; name=\"p.jpg\"\r\n"
		    "Content-Disposition: attachment; filename=\"p.jpg\"\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n%s\r\n--mm--\r\n",
		    base64) < 0)
		abort();
	return body;
}

static void
converse(struct town *t, const char *version)
{
	const char *anna = fixture_user("anna"), *ben = fixture_user("ben"),
		   *carl = fixture_user("carl");
	struct phone *a = arrive(t, anna, version), *b = arrive(t, ben, version),
		     *c = arrive(t, carl, version);
	uint8_t shown[DIGEST_SIZE], got[DIGEST_SIZE];
	char *base64 = picture(shown), *body = letter_with_picture(base64), *sent, *mime;
	struct waiting wait_b, wait_c, wait_a;
	size_t len;

	start_waiting(&wait_b, b);
	start_waiting(&wait_c, c);
	sent = mail_letter(a,
		&(struct letter){
			.from = anna, .to = ben, .bcc = carl, .subject = "Picture", .body = body });
	const struct client_item *first = await_mail(&wait_b, "Picture");
	await_mail(&wait_c, "Picture");
	mime = fetch_mime(b, first, &len);
	same_body(sent, mime, len, version);
	has(mime, "\r\nBcc:", false, version);
	has(mime, "Message-ID: <first@trip>\r\n", true, version);
	has(mime, "Thread-Index:", true, version);
	attachment_digest(b, first, got, &len);
	cr_assert_arr_eq(got, shown, DIGEST_SIZE, "%s: the attachment, %zu bytes", version, len);
	free(mime);
	free(sent);

	/* The answer: the original below it, as HTML. */
	start_waiting(&wait_a, a);
	free(mail_letter(b, &(struct letter){ .command = "SmartReply",
				    .from = ben,
				    .to = anna,
				    .subject = "Re: Picture",
				    .source = first,
				    .body = "MIME-Version: 1.0\r\nContent-Type: text/html; "
					    "charset=utf-8\r\n\r\n<html><body>Nice!</body>"
					    "</html>\r\n" }));
	mime = fetch_mime(a, await_mail(&wait_a, "Re: Picture"), &len);
	has(mime, "In-Reply-To: <first@trip>\r\n", true, version);
	has(mime, "References: <first@trip>\r\n", true, version);
	has(mime, "image/jpeg", false, version);
	free(mime);

	/* The forward: with the picture. */
	start_waiting(&wait_c, c);
	free(mail_letter(b, &(struct letter){ .command = "SmartForward",
				    .from = ben,
				    .to = carl,
				    .subject = "Fwd: Picture",
				    .source = first,
				    .body = "MIME-Version: 1.0\r\nContent-Type: text/plain; "
					    "charset=utf-8\r\n\r\nLook.\r\n" }));
	attachment_digest(c, await_mail(&wait_c, "Fwd: Picture"), got, &len);
	cr_assert_arr_eq(got, shown, DIGEST_SIZE, "%s: forwarded, %zu bytes", version, len);

	/* What is left: a copy of each in Sent, the marks of answer and forward. */
	struct imap_talk *i = imap_talk_open(&t->dovecot, ben);
	cr_assert_eq(imap_talk_count(i, "Sent"), 2);
	imap_talk(i, "SELECT INBOX");
	const char *flags = imap_talk(i, "FETCH 1 FLAGS");
	has(flags, "\\Answered", true, version);
	has(flags, "$Forwarded", true, version);
	imap_talk_close(i);
	free(base64);
	free(body);
	phone_free(a);
	phone_free(b);
	phone_free(c);
}

Test(trips, conversation, .timeout = 240)
{
	static const char *const versions[] = { "12.1", "14.0", "14.1", "16.0", "16.1" };
	static struct town t; /* stands until the end of the program */

	town_open(&t, "smtp", "", "");
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		converse(&t, versions[i]);
	town_close(&t);
}

/* ---- Seals ---- */

static char *output_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *
output_of(const char *fmt, ...)
{
	char command[600], *text = calloc(1, 200000);
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	FILE *f = popen(command, "r");
	cr_assert(f != NULL && text != NULL);
	n = fread(text, 1, 199999, f);
	text[n] = '\0';
	cr_assert_eq(pclose(f), 0, "%s", command);
	return text;
}

static int
verify(const char *kind, const char *keys, const char *mime, size_t len)
{
	char command[600];

	snprintf(command, sizeof command, SIGNATURES " verify %s '%s'", kind, keys);
	FILE *f = popen(command, "w");
	cr_assert_not_null(f);
	fwrite(mime, 1, len, f);
	return pclose(f);
}

Test(trips, seals_hold, .timeout = 240)
{
	static const char *const kinds[] = { "smime", "smime-opaque", "smime-encrypted", "pgp",
		"pgp-encrypted" };
	const char *anna = fixture_user("anna"), *ben = fixture_user("ben");
	static struct town t; /* stands until the end of the program */
	char keys[160], *at;
	size_t len;

	town_open(&t, "smtps", "", "");
	fixture_mkdir(keys, sizeof keys);
	free(output_of(SIGNATURES " keys '%s'", keys));
	struct phone *a = arrive(&t, anna, "16.1"), *b = arrive(&t, ben, "14.1");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const char *kind = kinds[i];
		struct waiting wait;
		struct mf_error err = { 0 };
		unsigned status;
		char *mime = output_of(SIGNATURES " make %s '%s' %s@example.test %s@example.test",
			kind, keys, anna, ben);

		start_waiting(&wait, b);
		struct client_sending s = {
			.client_id = kind, .mime = mf_bytes_str(mime), .save = true
		};
		cr_assert_eq(client_send(a->client, &s, &status, &err), MF_OK, "%s", err.text);
		cr_assert_eq(status, 1, "%s: status %u", kind, status);
		free(mime);
		mime = fetch_mime(b, await_mail(&wait, kind), &len);
		cr_assert_eq(verify(kind, keys, mime, len), 0, "%s:\n%s", kind, mime);
		/* What the check is worth: one changed byte. */
		at = strstr(mime, "A line.");
		if (at != NULL) {
			at[0] = 'B';
			cr_assert_neq(verify(kind, keys, mime, len), 0, "%s: a forgery", kind);
		}
		free(mime);
	}
	/* The copies in Sent verify as well. */
	struct imap_talk *i = imap_talk_open(&t.dovecot, anna);
	cr_assert_eq(imap_talk_count(i, "Sent"), sizeof kinds / sizeof *kinds);
	imap_talk(i, "SELECT Sent");
	const char *copy = strstr(imap_talk(i, "FETCH 1 BODY.PEEK[]"), "From: ");
	cr_assert_eq(verify("smime", keys, copy, strlen(copy)), 0, "the copy:\n%s", copy);
	imap_talk_close(i);
	free(output_of(SIGNATURES " end '%s'", keys));
	fixture_rmdir(keys);
	phone_free(a);
	phone_free(b);
	town_close(&t);
}

/* ---- What is not sent, and what is sent to some ---- */

static unsigned
status_of(struct phone *p, const char *id, const char *mime)
{
	struct client_sending s = { .client_id = id, .mime = mf_bytes_str(mime), .save = true };
	struct mf_error err = { 0 };
	unsigned status = 0;
	enum mf_status st = client_send(p->client, &s, &status, &err);

	return st == MF_OK ? status : 0;
}

/* To one who is there, one who is not and one who is busy: sent once, and a notice tells of both. */
Test(trips, refused_recipients, .timeout = 240)
{
	const char *anna = fixture_user("anna"), *ben = fixture_user("ben");
	static struct town t; /* stands until the end of the program */
	struct waiting wait;
	char mime[600];
	size_t len;

	town_open(&t, "smtp", "", "");
	struct phone *a = arrive(&t, anna, "16.1"), *b = arrive(&t, ben, "14.1");
	snprintf(mime, sizeof mime,
		"From: %s@example.test\r\nTo: %s@example.test, refused@example.test\r\n"
		"Cc: later@example.test\r\nSubject: Some\r\n\r\nText.\r\n",
		anna, ben);
	start_waiting(&wait, b);
	cr_assert_eq(status_of(a, "some", mime), 1);
	await_mail(&wait, "Some");
	phone_sync(a, "inbox");
	const struct client_item **items = client_items_sorted(phone_folder(a, "inbox"));
	cr_assert_eq(phone_folder(a, "inbox")->n_items, 1);
	cr_assert_str_eq(items[0]->subject, "Not sent to everybody: Some");
	char *notice = fetch_mime(a, items[0], &len);
	has(notice, "refused@example.test", true, "notice");
	has(notice, "550 5.1.1", true, "notice");
	has(notice, "later@example.test", true, "notice");
	has(notice, "450 4.2.1", true, "notice");
	has(strstr(notice, "\r\n\r\n"), ben, false, "notice");
	free(notice);
	free(items);
	/* The gateway dies when the mail is gone and before it has told: told by the repetition. */
	snprintf(mime, sizeof mime,
		"From: %s@example.test\r\nTo: %s@example.test, refused@example.test\r\n"
		"Subject: Others\r\n\r\nText.\r\n",
		anna, ben);
	gateway_stop(&t.gateway);
	setenv("MAILFERRY_FAULT", "state:after:2", 1);
	gateway_again(&t.gateway);
	unsetenv("MAILFERRY_FAULT");
	unsigned died = status_of(a, "others", mime); /* alone: the writes are counted */
	gateway_kill(&t.gateway);
	gateway_again(&t.gateway);
	cr_assert_eq(died, 0, "it was to die: status %u", died);
	cr_assert_eq(status_of(a, "others", mime), 118);
	cr_assert_eq(status_of(a, "others", mime), 118);
	phone_sync(a, "inbox");
	cr_assert_eq(phone_folder(a, "inbox")->n_items, 2, "one notice more, not %zu",
		phone_folder(a, "inbox")->n_items - 1);
	struct imap_talk *i = imap_talk_open(&t.dovecot, ben);
	for (int n = 0; n < 300 && imap_talk_count(i, "INBOX") < 2; n++)
		usleep(100000);
	cr_assert_eq(imap_talk_count(i, "INBOX"), 2);
	imap_talk_close(i);
	i = imap_talk_open(&t.dovecot, anna);
	cr_assert_eq(imap_talk_count(i, "Sent"), 2);
	imap_talk_close(i);
	phone_free(a);
	phone_free(b);
	town_close(&t);
}

/* What is too large is refused before it is uploaded, once the mail server has told its limit. */
Test(trips, too_large, .timeout = 240)
{
	static const struct {
		const char *version;
		unsigned status, http;
	} rows[] = { { "12.1", 0, 507 }, { "14.0", 115, 200 }, { "16.1", 115, 200 } };
	enum { LARGE = 300000, HUGE = 3000000 };
	const char *anna = fixture_user("anna");
	static struct town t; /* stands until the end of the program */
	char small[300], *large = malloc(HUGE + 1000);

	town_open(&t, "smtp", "--limit 200000", "body_limit = 1M\n");
	snprintf(small, sizeof small,
		"From: %s@example.test\r\nTo: %s@example.test\r\nSubject: Size\r\n\r\n", anna,
		anna);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t size = LARGE; size <= HUGE; size += HUGE - LARGE) {
			struct phone *p = arrive(&t, anna, rows[i].version);
			struct client_answer answer;
			struct mf_error err;
			struct client_request r = { .command = "SendMail",
				.content_type = "message/rfc822",
				.body = mf_bytes(large, size) };
			size_t n = (size_t)sprintf(large, "%s", small);

			memset(large + n, 'x', HUGE - n);
			large[size] = '\0';
			for (size_t k = n + 70; k < size; k += 70)
				large[k] = '\n';
			if (rows[i].status != 0) {
				cr_assert_eq(status_of(p, "size", large), rows[i].status, "%s, %zu",
					rows[i].version, size);
			} else {
				cr_assert_eq(client_call(p->client, &r, &answer, &err), MF_OK);
				cr_assert_eq(answer.http_status, rows[i].http);
			}
			phone_free(p);
		}
	/* The first came whole, and taught the limit; of all others no byte was read. */
	cr_assert_eq(gateway_log_count(&t.gateway, "why=\"mail over the limit\""), 5);
	cr_assert_eq(gateway_log_count(&t.gateway, "send=failed"), 1);
	free(large);
	town_close(&t);
}

/* Mail that nobody should send: refused, each with its status, and the gateway lives. */
Test(trips, malformed, .timeout = 240)
{
	const char *anna = fixture_user("anna");
	static struct town t; /* stands until the end of the program */
	struct mf_buf many, fields, line;

	mf_buf_init(&many, 0);
	mf_buf_init(&fields, 0);
	mf_buf_init(&line, 0);
	mf_buf_add_str(&many, "To: a@example.test");
	for (int i = 0; i < 2500; i++)
		mf_buf_printf(&many, ",\r\n a%d@example.test", i);
	mf_buf_add_str(&many, "\r\n\r\nText.\r\n");
	mf_buf_add_str(&fields, "To: a@example.test\r\n");
	for (int i = 0; i < 2000; i++)
		mf_buf_printf(&fields, "X-%d: y\r\n", i);
	mf_buf_add_str(&fields, "\r\nText.\r\n");
	mf_buf_add_str(&line, "To: a@example.test\r\nX-Long: ");
	for (int i = 0; i < 1100000; i++)
		mf_buf_add_byte(&line, 'x');
	mf_buf_add_str(&line, "\r\n\r\nText.\r\n");
	const struct {
		const char *name, *mime;
		unsigned status;
	} rows[] = {
		{ "empty", "", 107 },
		{ "no header", "\r\n\r\n", 107 },
		{ "words", "hello", 107 },
		{ "no recipient", "Subject: x\r\n\r\n", 119 },
		{ "too many recipients", mf_buf_str(&many), 120 },
		{ "too many fields", mf_buf_str(&fields), 107 },
		{ "a giant field", mf_buf_str(&line), 107 },
		{ "a name alone", "To: Nobody\r\nCc: a@example.test, No Body\r\n\r\n", 116 },
		{ "two addresses, one like a command",
			"To: <x@example.test>\r\n RCPT TO:<second@example.test>\r\n\r\nText.\r\n",
			1 },
		{ "an address folded in quotes",
			"To: \"a\r\n RSET\r\n b\"@example.test\r\n\r\nText.\r\n", 1 },
		{ "a word with a line end",
			"To: =?utf-8?q?x=0d=0aRSET?= <y@example.test>\r\n"
			"Subject: =?utf-8?q?x=0d=0aBcc:_evil@example.test?=\r\n\r\nText.\r\n",
			1 },
		{ "bare line feeds", "To: a@example.test\nSubject: LF\n\n.\nQUIT\n.\n", 1 },
		{ "bare carriage returns", "To: a@example.test\r\n\r\na\r.\rb\r\n", 1 },
	};

	town_open(&t, "smtp", "", "");
	struct phone *p = arrive(&t, anna, "16.1");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_assert_eq(status_of(p, rows[i].name, rows[i].mime), rows[i].status,
			"%s: status %u", rows[i].name, status_of(p, rows[i].name, rows[i].mime));
	struct client_sending nul = { .client_id = "nul",
		.mime = mf_bytes("To: a@example.test\r\n\r\na\0b\r\n", 28) };
	struct mf_error err;
	unsigned status;
	cr_assert_eq(client_send(p->client, &nul, &status, &err), MF_OK);
	cr_assert_eq(status, 107);
	cr_assert_eq(mta_log_count(&t.mta, "evil@example.test"), 0);
	mf_buf_deinit(&many);
	mf_buf_deinit(&fields);
	mf_buf_deinit(&line);
	phone_free(p);
	town_close(&t);
}

/* ---- A meeting ---- */

static void
invite(const struct town *t, const char *from, const char *to)
{
	char *m;
	int n = asprintf(&m,
		"From: <%s@example.test>\nTo: <%s@example.test>\nSubject: Lunch\n"
		"Message-ID: <lunch.%s@example.test>\nMIME-Version: 1.0\n"
		"Content-Type: text/calendar; charset=utf-8; method=REQUEST\n\n"
		"BEGIN:VCALENDAR\nMETHOD:REQUEST\nVERSION:2.0\nBEGIN:VEVENT\nUID:lunch\n"
		"DTSTAMP:20240205T100000Z\nDTSTART:20240207T120000Z\nDTEND:20240207T130000Z\n"
		"SUMMARY:Lunch\nORGANIZER:mailto:%s@example.test\n"
		"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:%s@example.test\n"
		"END:VEVENT\nEND:VCALENDAR\n",
		from, to, to, from, to);

	cr_assert_gt(n, 0);
	dovecot_deliver(&t->dovecot, to, m, (size_t)n);
	free(m);
}

/* Status of the only Result; 0: no answer. */
static unsigned
answer_meeting(struct phone *p, const char *item)
{
	struct client_answer answer;
	struct mf_error err;
	char xml[600];

	snprintf(xml, sizeof xml,
		"<MeetingResponse xmlns=\"MeetingResponse\" xmlns:b=\"AirSyncBase\"><Request>"
		"<UserResponse>1</UserResponse><CollectionId>%s</CollectionId>"
		"<RequestId>%s</RequestId><SendResponse><b:Body><b:Type>1</b:Type>"
		"<b:Data>Gladly.</b:Data></b:Body></SendResponse></Request></MeetingResponse>",
		phone_folder(p, "inbox")->id, item);
	if (client_call_xml(p->client, "MeetingResponse", xml, &answer, &err) != MF_OK)
		return 0;
	return client_number(
		wbxml_child(answer.root, MeetingResponse_Result), MeetingResponse_Status, 0);
}

/* The organizer hears of it once, though the gateway dies at each write on the way. */
Test(trips, meeting_is_answered, .timeout = 240)
{
	const char *anna = fixture_user("anna"), *ben = fixture_user("ben");
	static struct town t; /* stands until the end of the program */

	town_open(&t, "smtp", "", "");
	struct phone *a = arrive(&t, anna, "16.1"), *b = arrive(&t, ben, "14.1");
	for (unsigned n = 1; n <= 6; n++) {
		char fault[40];

		invite(&t, ben, anna);
		phone_sync(a, "inbox");
		const struct client_item **items = client_items_sorted(phone_folder(a, "inbox"));
		char *id = strdup(items[0]->id);
		free(items);
		gateway_stop(&t.gateway);
		snprintf(fault, sizeof fault, "state:%s:%u", n % 2 ? "before" : "after",
			(n + 1) / 2);
		setenv("MAILFERRY_FAULT", fault, 1);
		gateway_again(&t.gateway);
		unsetenv("MAILFERRY_FAULT");
		unsigned status = answer_meeting(a, id);
		cr_assert(status == 0 || status == 1, "%s: status %u", fault, status);
		gateway_kill(&t.gateway);
		gateway_again(&t.gateway);
		status = answer_meeting(a, id);
		cr_assert_eq(status, 1, "%s: then %u", fault, status);
		phone_settle(a, "inbox");
		cr_assert_eq(phone_folder(a, "inbox")->n_items, 0, "%s: it stays", fault);
		free(id);
	}
	struct imap_talk *i = imap_talk_open(&t.dovecot, ben);
	unsigned again = (unsigned)gateway_log_count(&t.gateway, "send=again");
	for (int n = 0; n < 300 && imap_talk_count(i, "INBOX") < 6; n++)
		usleep(100000);
	sleep(1);
	cr_assert(imap_talk_count(i, "INBOX") >= 6 && imap_talk_count(i, "INBOX") <= 6 + again,
		"%u answers, %u sent again", imap_talk_count(i, "INBOX"), again);
	cr_assert_leq(again, 2, "only the gap makes twins");
	imap_talk_close(i);
	phone_sync(b, "inbox");
	const struct client_item **items = client_items_sorted(phone_folder(b, "inbox"));
	cr_assert_str_eq(items[0]->subject, "Accepted: Lunch");
	cr_assert_str_eq(items[0]->message_class, "IPM.Schedule.Meeting.Resp.Pos");
	free(items);
	i = imap_talk_open(&t.dovecot, anna);
	cr_assert_eq(imap_talk_count(i, "Trash"), 6);
	cr_assert_eq(imap_talk_count(i, "Sent"), 6);
	imap_talk_close(i);
	phone_free(a);
	phone_free(b);
	town_close(&t);
}
