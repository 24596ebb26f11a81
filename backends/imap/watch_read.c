/*
 * What a watched server says by itself: lines out of bytes, and events out of lines. Knows numbers, not
 * messages.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "attrs.h"
#include "reader.h"
#include "status.h"
#include "values.h"
#include "watch_inside.h"

enum { LINE_KEEP = 1024 }; /* of a line that came in pieces; what is longer tells no more */

static void
event(struct mf_watch *w, enum mf_stir what, const char *folder)
{
	w->stirred = true;
	w->restless = w->heard;
	watch_plan_check(w);
	w->stir(w->ctx, what, folder);
}

/* ---- STATUS: of a round, or told by NOTIFY ---- */

static struct watch_folder *
folder_of(struct mf_watch *w, struct mf_bytes name)
{
	for (size_t i = 0; i < w->n_folders; i++)
		if (strlen(w->folders[i].id) == name.len &&
			memcmp(w->folders[i].id, name.data, name.len) == 0)
			return &w->folders[i];
	return NULL;
}

void
watch_compare(
	struct mf_watch *w, struct imap_cursor *seen, const struct imap_cursor *now, const char *id)
{
	struct imap_cursor then = *seen;

	/* What was not told is as it was. */
	if (now->uidvalidity != 0)
		seen->uidvalidity = now->uidvalidity;
	if (now->uidnext != 0) {
		seen->uidnext = now->uidnext;
		seen->count = now->count;
	}
	if (now->modseq != 0)
		seen->modseq = now->modseq;
	if (imap_cursor_same(seen, &then))
		return;
	event(w,
		seen->uidnext != then.uidnext || seen->uidvalidity != then.uidvalidity
			? MF_STIR_NEW
			: MF_STIR_CHANGED,
		id);
}

static void
take_status(struct mf_watch *w, struct imap_lex *x)
{
	bool literal = imap_lex_peek(x, '{');
	struct mf_bytes name;
	struct imap_cursor now;
	struct watch_folder *f;

	if (literal) { /* a name that takes more than one line: whose, nobody here can tell */
		if (w->state == WATCH_WAITING)
			event(w, MF_STIR_NEW, NULL);
		return;
	}
	if (!imap_status_parse(x, &name, &now))
		return;
	if (imap_bytes_is(name, "INBOX")) {
		if (w->notify && w->state == WATCH_WAITING && w->inbox)
			watch_compare(w, &w->now, &now, "INBOX");
		else if (w->notify)
			w->now = now;
		return;
	}
	f = folder_of(w, name);
	if (f == NULL)
		return;
	if (f->seen.uidvalidity == 0)
		f->seen = now; /* the first time, before anybody relies on it */
	else
		watch_compare(w, &f->seen, &now, f->id);
}

/* ---- The Inbox, while it idles ---- */

/* How many are in "1:4,7". */
static uint64_t
count_set(struct mf_bytes set)
{
	struct imap_lex x = imap_lex_over(set);
	uint64_t n = 0;

	do {
		uint64_t first = imap_lex_number(&x), last = first;

		if (imap_lex_take(&x, ':'))
			last = imap_lex_number(&x);
		n += last >= first ? last - first + 1 : first - last + 1;
	} while (!x.bad && imap_lex_take(&x, ','));
	return n;
}

static void
fewer(struct mf_watch *w, uint64_t n)
{
	w->now.count -= n < w->now.count ? (uint32_t)n : w->now.count;
	if (w->state != WATCH_SETTING && w->inbox)
		event(w, MF_STIR_CHANGED, "INBOX");
}

/* What came is asked for on this connection, which is awake now: whoever waits can then decide without
 * another one. */
static void
ask_what_came(struct mf_watch *w, uint32_t from)
{
	w->stirred = true;
	if (w->ask_from != 0) {
		w->ask_next = w->ask_next != 0 ? w->ask_next : from;
	} else if (w->state == WATCH_WAITING && w->idling) {
		w->ask_from = from;
		watch_round_begin(w);
	} else {
		event(w, MF_STIR_NEW, "INBOX");
	}
}

/* EXISTS with the number that was known tells nothing new. */
static void
exist(struct mf_watch *w, uint32_t n)
{
	uint32_t before = w->now.count, from = w->now.uidnext;

	w->now.count = n;
	if (w->state == WATCH_SETTING || n == before)
		return;
	if (n > before && from != 0)
		w->now.uidnext += n - before;
	if (w->inbox && n > before && from != 0)
		ask_what_came(w, from);
	else if (w->inbox)
		event(w, n > before ? MF_STIR_NEW : MF_STIR_CHANGED, "INBOX");
}

/* "(UID 7 INTERNALDATE ...)" that was asked for; false: of something else. */
static bool
take_arrival(struct mf_watch *w, struct imap_lex x)
{
	struct mf_arrival a = { .folder = "INBOX", .epoch = w->now.uidvalidity };
	struct imap_attr attr;
	bool dated = false;

	if (w->ask_from == 0 || w->state != WATCH_ROUND || !imap_attrs_open(&x))
		return false;
	while (imap_attrs_next(&x, &attr)) {
		if (imap_bytes_is(attr.name, "UID")) {
			a.id = imap_lex_number(&x);
		} else if (imap_bytes_is(attr.name, "INTERNALDATE")) {
			a.date = imap_date_read(imap_lex_string(&x));
			dated = true;
		} else {
			imap_lex_skip(&x);
		}
	}
	if (x.bad || !dated || a.id == 0)
		return false;
	if (a.id < w->ask_from) /* "7:*" is the last one, too, when that is older */
		return true;
	if (w->arrivals == NULL)
		w->arrivals = calloc(WATCH_ARRIVALS_MAX, sizeof(*w->arrivals));
	if (w->arrivals == NULL)
		abort();
	if (w->n_arrivals < WATCH_ARRIVALS_MAX)
		w->arrivals[w->n_arrivals] = a;
	if (w->n_arrivals <= WATCH_ARRIVALS_MAX)
		w->n_arrivals++;
	if (a.id >= w->now.uidnext && a.id < UINT32_MAX)
		w->now.uidnext = (uint32_t)a.id + 1;
	return true;
}

void
watch_tell_arrivals(struct mf_watch *w)
{
	event(w, MF_STIR_NEW, "INBOX");
	free(w->arrivals);
	w->arrivals = NULL;
	w->n_arrivals = 0;
	w->ask_from = w->ask_next;
	w->ask_next = 0;
}

static void
take_number(struct mf_watch *w, struct imap_lex *x)
{
	struct imap_lex all = *x;
	uint64_t n = imap_lex_number(x);

	imap_lex_take(x, ' ');
	if (imap_lex_word(x, "EXISTS"))
		exist(w, (uint32_t)n);
	else if (imap_lex_word(x, "EXPUNGE"))
		fewer(w, 1);
	else if (imap_lex_word(x, "FETCH") && !take_arrival(w, all) && w->state != WATCH_SETTING &&
		 w->inbox)
		event(w, MF_STIR_CHANGED, "INBOX");
}

/* ---- The list of folders ---- */

void
watch_digest_list(uint64_t *sum, struct imap_lex x)
{
	static const char *const fickle[] = { "\\Marked", "\\Unmarked" };
	size_t len = (size_t)(x.end - x.p) < LINE_KEEP / 2 ? (size_t)(x.end - x.p) : LINE_KEEP / 2;
	uint64_t h = 1469598103934665603ULL;

	for (size_t i = 0; i < len; i++) {
		for (size_t k = 0; k < sizeof(fickle) / sizeof(fickle[0]); k++) {
			size_t n = strlen(fickle[k]);

			if (len - i > n && strncasecmp((const char *)x.p + i, fickle[k], n) == 0)
				i += n;
		}
		if (x.p[i] != ' ')
			h = (h ^ x.p[i]) * 1099511628211ULL;
	}
	*sum += h;
}

void
watch_take_listing(struct mf_watch *w, uint64_t listing)
{
	bool other = listing != 0 && w->listing != 0 && listing != w->listing;

	w->listing = listing;
	if (other)
		event(w, MF_STIR_FOLDERS, NULL);
}

/* ---- Lines ---- */

/* "OK [UIDNEXT 4] ...": where the Inbox stands when it is opened. */
static void
take_ok(struct mf_watch *w, struct imap_lex *x)
{
	if (w->state == WATCH_WAITING)
		w->chatters = true;
	if (!imap_lex_take(x, '['))
		return;
	if (imap_lex_word(x, "NOTIFICATIONOVERFLOW") || imap_lex_word(x, "NOTIFICATIONOVERFLOW]"))
		watch_lost(w, "too many notifications for the server");
	else if (w->state != WATCH_SETTING || w->notify)
		return;
	else if (imap_lex_word(x, "UIDNEXT"))
		w->now.uidnext = (uint32_t)imap_lex_number(x);
	else if (imap_lex_word(x, "UIDVALIDITY"))
		w->now.uidvalidity = (uint32_t)imap_lex_number(x);
}

/* Whether idle sessions hibernate is nowhere said; which server does that, is (RFC 2971). */
static void
take_id(struct mf_watch *w, struct imap_lex *x)
{
	if (!imap_lex_take(x, '('))
		return;
	while (!x->bad && !imap_lex_end(x) && !imap_lex_peek(x, ')')) {
		bool name = imap_bytes_is(imap_lex_string(x), "name");
		struct mf_bytes value;

		imap_lex_take(x, ' ');
		value = imap_lex_string(x);
		imap_lex_take(x, ' ');
		if (name && value.len >= 7 &&
			strncasecmp((const char *)value.data, "Dovecot", 7) == 0)
			w->hibernates = true;
	}
}

static void
take_untagged(struct mf_watch *w, struct imap_lex *x)
{
	if (x->p < x->end && *x->p >= '0' && *x->p <= '9') {
		take_number(w, x);
	} else if (imap_lex_word(x, "BYE")) {
		watch_lost(w, "the server says goodbye");
	} else if (imap_lex_word(x, "STATUS")) {
		take_status(w, x);
	} else if (imap_lex_word(x, "VANISHED")) {
		fewer(w, count_set(imap_lex_rest(x)));
	} else if (imap_lex_word(x, "OK")) {
		take_ok(w, x);
	} else if (imap_lex_word(x, "ID")) {
		take_id(w, x);
	} else if (imap_lex_word(x, "LIST") || imap_lex_word(x, "LSUB")) {
		if (w->state == WATCH_WAITING)
			event(w, MF_STIR_FOLDERS, NULL);
		else if (w->listing_due)
			watch_digest_list(&w->listing_new, *x);
	}
}

/* "{123}" at a line's end: bytes follow that are no line. */
static uint64_t
literal_of(const char *s, size_t len)
{
	size_t at = len;
	uint64_t n = 0;

	if (len < 3 || s[len - 1] != '}')
		return 0;
	while (at > 0 && s[at - 1] != '{')
		at--;
	for (; at > 0 && at < len && s[at] >= '0' && s[at] <= '9' && n < UINT32_MAX; at++)
		n = n * 10 + (uint64_t)(s[at] - '0');
	return n;
}

static void
take_line(struct mf_watch *w, char *s, size_t len)
{
	struct imap_lex x = imap_lex_over((struct mf_bytes){ (uint8_t *)s, len });

	w->literal = literal_of(s, len);
	if (len > 2 && s[0] == '*' && s[1] == ' ') {
		x.p += 2;
		take_untagged(w, &x);
	} else if (len > 2 && s[0] == 'W') {
		unsigned tag;

		x.p++;
		tag = (unsigned)imap_lex_number(&x);
		imap_lex_take(&x, ' ');
		watch_ended(w, tag, imap_lex_word(&x, "OK"));
	}
	/* "+ idling" and the rest of lines with literals tell nothing */
}

static void
keep(struct mf_watch *w, const char *data, size_t len)
{
	if (w->line == NULL && (w->line = malloc(LINE_KEEP)) == NULL)
		abort();
	len = len < LINE_KEEP - w->n_line ? len : LINE_KEEP - w->n_line;
	memcpy(w->line + w->n_line, data, len);
	w->n_line += len;
}

void
watch_take(struct mf_watch *w, const char *data, size_t len)
{
	while (len > 0 && w->io.fd >= 0) {
		const char *nl;
		char *line;
		size_t n;

		if (w->literal > 0) {
			n = w->literal < len ? (size_t)w->literal : len;
			w->literal -= n;
			data += n;
			len -= n;
			continue;
		}
		nl = memchr(data, '\n', len);
		n = nl == NULL ? len : (size_t)(nl - data) + 1;
		keep(w, data, n);
		data += n;
		len -= n;
		if (nl == NULL)
			return;
		line = w->line;
		n = w->n_line;
		w->line = NULL;
		w->n_line = 0;
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			n--;
		take_line(w, line, n);
		free(line);
	}
}
