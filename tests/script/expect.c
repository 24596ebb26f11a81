/* Expectations, and what is kept of an answer. */
#include "player.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "eas/request.h"

/* ---- Comparing ---- */

/* What a value must be; `values` of a whole list are joined by commas. */
static bool
compares(struct player *p, const char *op, const char *got, const char *want)
{
	size_t n = strlen(got), m = strlen(want);

	if (strcmp(op, "is") == 0)
		return strcmp(got, want) == 0;
	if (strcmp(op, "not") == 0)
		return strcmp(got, want) != 0;
	if (strcmp(op, "contains") == 0)
		return strstr(got, want) != NULL;
	if (strcmp(op, "lacks") == 0)
		return strstr(got, want) == NULL;
	if (strcmp(op, "begins") == 0)
		return strncmp(got, want, m) == 0;
	if (strcmp(op, "ends") == 0)
		return n >= m && strcmp(got + n - m, want) == 0;
	if (strcmp(op, "over") == 0)
		return atoll(got) > atoll(want);
	if (strcmp(op, "under") == 0)
		return atoll(got) < atoll(want);
	script_broken(p, "no such comparison: %s", op);
}

/* \n, \r, \t, \\ in what is expected. */
static const char *
unescape(struct player *p, const char *s)
{
	static const char from[] = "nrt\\", to[] = "\n\r\t\\";
	char *out = mf_strdup(p->arena, s), *at = out;

	for (; *s != '\0'; s++) {
		const char *known = *s == '\\' && s[1] != '\0' ? strchr(from, s[1]) : NULL;

		*at++ = known == NULL ? *s : to[known - from];
		s += known != NULL;
	}
	*at = '\0';
	return out;
}

static void
expect_value(struct player *p, const char *what, const char *got, const char *rest)
{
	const char *op = script_word(p, &rest), *want = unescape(p, rest);

	if (!compares(p, op, got, want))
		script_failed(p, "%s is \"%s\", expected: %s \"%s\"", what, got, op, want);
}

static void
expect_number(struct player *p, const char *what, uint64_t got, const char *rest)
{
	bool bare = strspn(rest, "0123456789") == strlen(rest);

	expect_value(p, what, mf_printf(p->arena, "%llu", (unsigned long long)got),
		mf_printf(p->arena, "%s%s", bare ? "is " : "", rest));
}

/* ---- The answer ---- */

static const struct exchange *
answer(struct player *p)
{
	if (p->current == NULL)
		script_broken(p, "nothing was sent");
	return p->current;
}

static const char *
join(struct player *p, const struct wbxml_node *const *nodes, size_t n)
{
	const char *all = "";

	for (size_t i = 0; i < n; i++)
		all = mf_printf(
			p->arena, "%s%s%s", all, i == 0 ? "" : ",", path_value(p, nodes[i]));
	return all;
}

/* expect PATH [absent | count N | list a,b,c | OP VALUE]; alone: it is there. */
static void
expect_path(struct player *p, const char *path, const char *rest)
{
	const struct wbxml_node **nodes =
		mf_new_array(p->arena, const struct wbxml_node *, PATH_NODES_MAX);
	size_t n = path_find(p, path, answer(p)->answer, nodes);
	const char *more = rest, *op = script_word(p, &more);

	if (strcmp(op, "absent") == 0) {
		if (n > 0)
			script_failed(p, "%s is there: \"%s\"", path, path_value(p, nodes[0]));
	} else if (strcmp(op, "count") == 0) {
		expect_number(p, mf_printf(p->arena, "the number of %s", path), n, more);
	} else if (strcmp(op, "list") == 0) {
		expect_value(p, path, join(p, nodes, n), mf_printf(p->arena, "is %s", more));
	} else if (n == 0) {
		script_failed(p, "%s is not there", path);
	} else if (op[0] != '\0') {
		for (size_t i = 0; i < n; i++)
			expect_value(p, path, path_value(p, nodes[i]), rest);
	}
}

/* expect status N: the Status below the root, of Sync without one that of each collection. */
static void
expect_status(struct player *p, const char *rest)
{
	const struct wbxml_node *root = answer(p)->answer, *nodes[PATH_NODES_MAX];
	size_t n = path_find(p, "/*/Status", root, nodes);

	if (n == 0)
		n = path_find(p, "/Sync/Collections/Collection/Status", root, nodes);
	if (n == 0)
		script_failed(p, "there is no status");
	for (size_t i = 0; i < n; i++)
		expect_number(p, "status", (uint64_t)atoll(path_value(p, nodes[i])), rest);
}

static void
expect_http(struct player *p, const char *rest)
{
	expect_number(p, "http", answer(p)->request.answer.http_status, rest);
}

/* expect header NAME absent | OP VALUE; alone: it is there. */
static void
expect_header(struct player *p, const char *rest)
{
	const struct eas_answer *a = &answer(p)->request.answer;
	const char *name = script_word(p, &rest), *value = NULL;

	for (size_t i = 0; i < a->n_headers; i++)
		if (str_ieq(a->headers[i].name, name))
			value = a->headers[i].value;
	if (str_ieq(name, "Content-Type") && a->body.len > 0)
		value = a->content_type;
	if (strcmp(rest, "absent") == 0) {
		if (value != NULL)
			script_failed(p, "header %s is there: %s", name, value);
	} else if (value == NULL) {
		script_failed(p, "header %s is not there", name);
	} else if (rest[0] != '\0') {
		expect_value(p, name, value, rest);
	}
}

static void
expect_empty(struct player *p, const char *rest)
{
	(void)rest;
	if (answer(p)->waiting || answer(p)->request.answer.body.len > 0)
		script_failed(p, "the answer is not empty");
}

/* "body is X" and, of a multipart answer, "part 1 is X". */
static void
expect_body(struct player *p, const char *rest)
{
	struct mf_bytes b = answer(p)->whole;

	expect_value(p, "body", mf_strndup(p->arena, (const char *)b.data, b.len), rest);
}

static void
expect_part(struct player *p, const char *rest)
{
	uint32_t n = (uint32_t)atoi(script_word(p, &rest));
	struct mf_bytes b = script_part(answer(p)->whole, n);

	expect_value(p, "part", mf_strndup(p->arena, (const char *)b.data, b.len), rest);
}

static void
expect_waiting(struct player *p, const char *rest)
{
	(void)rest;
	if (!answer(p)->waiting)
		script_failed(p, "it does not wait");
}

/* ---- The mail server ---- */

static const char *
flag_list(struct player *p, const struct mf_item *i)
{
	static const char *const names[] = { "seen", "flagged", "answered", "forwarded", "draft",
		"deleted" };
	const char *all = "";

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		if ((i->flags & 1U << k) != 0)
			all = mf_printf(
				p->arena, "%s%s%s", all, all[0] == '\0' ? "" : ",", names[k]);
	return all;
}

static const char *
keyword_list(struct player *p, const struct mf_item *i)
{
	const char *all = "";

	for (size_t k = 0; k < i->n_keywords; k++)
		all = mf_printf(p->arena, "%s%s%s", all, k == 0 ? "" : ",", i->keywords[k]);
	return all;
}

/* expect item FOLDER ID absent | flags a,b | keywords A,B | text OP VALUE; alone: it is there. */
static void
expect_item(struct player *p, const char *rest)
{
	const char *folder = script_word(p, &rest), *what;
	uint64_t id = script_number(p, script_word(p, &rest));
	const struct mf_item *i = memory_item(p->world, p->phone.user, folder, id, p->arena);

	what = script_word(p, &rest);
	if (strcmp(what, "absent") == 0 || i == NULL) {
		if ((strcmp(what, "absent") == 0) != (i == NULL))
			script_failed(p, "item %llu of %s is %sthere", (unsigned long long)id,
				folder, i == NULL ? "not " : "");
	} else if (strcmp(what, "flags") == 0) {
		expect_value(p, "flags", flag_list(p, i), mf_printf(p->arena, "is %s", rest));
	} else if (strcmp(what, "keywords") == 0) {
		expect_value(p, "keywords", keyword_list(p, i), mf_printf(p->arena, "is %s", rest));
	} else if (strcmp(what, "text") == 0) {
		expect_value(p, "text",
			mf_strndup(p->arena, (const char *)i->header.data, i->header.len), rest);
	} else if (what[0] != '\0') {
		script_broken(p, "expect item: %s", what);
	}
}

/* expect items FOLDER [user U] N */
static void
expect_items(struct player *p, const char *rest)
{
	const char *folder = script_word(p, &rest), *user = p->phone.user;
	struct mf_idset ids;

	if (strncmp(rest, "user ", 5) == 0) {
		rest += 5;
		user = script_word(p, &rest);
	}
	mf_idset_init(&ids);
	memory_ids(p->world, user, folder, &ids);
	expect_number(p, folder, mf_idset_count(&ids), rest);
	mf_idset_deinit(&ids);
}

/* expect sent N; expect sent N from|to|text OP VALUE: the N-th message that was sent. */
static void
expect_sent(struct player *p, const char *rest)
{
	uint64_t n = script_number(p, script_word(p, &rest)), all = memory_sent_count(p->world);
	const char *what = script_word(p, &rest), *to = "";
	const struct memory_sent *m;

	if (what[0] == '\0') {
		if (n != all)
			script_failed(p, "%llu messages were sent, expected: %llu",
				(unsigned long long)all, (unsigned long long)n);
		return;
	}
	if (n == 0 || n > all)
		script_broken(p, "only %llu messages were sent", (unsigned long long)all);
	m = memory_sent(p->world, n - 1, p->arena);
	for (size_t i = 0; i < m->n_to; i++)
		to = mf_printf(p->arena, "%s%s%s", to, i == 0 ? "" : ",", m->to[i]);
	if (strcmp(what, "from") == 0)
		expect_value(p, "from", m->from, rest);
	else if (strcmp(what, "to") == 0)
		expect_value(p, "to", to, rest);
	else
		expect_value(p, "text",
			mf_strndup(p->arena, (const char *)m->message.data, m->message.len), rest);
}

/* expect calls CALL N */
static void
expect_calls(struct player *p, const char *rest)
{
	const char *name = script_word(p, &rest);
	enum memory_call call = memory_call_find(name);

	if (call == MEMORY_CALLS)
		script_broken(p, "no such call: %s", name);
	expect_number(p, name, memory_calls(p->world, call), rest);
}

/* expect known OP VALUE: whom the user's out-of-office replies know. */
static void
expect_known(struct player *p, const char *rest)
{
	expect_value(p, "known", memory_oof_known(p->world, p->phone.user, p->arena), rest);
}

/* ---- Steps ---- */

static const struct {
	const char *name;
	void (*run)(struct player *p, const char *rest);
} expectations[] = {
	{ "status", expect_status },
	{ "http", expect_http },
	{ "header", expect_header },
	{ "empty", expect_empty },
	{ "waiting", expect_waiting },
	{ "body", expect_body },
	{ "part", expect_part },
	{ "item", expect_item },
	{ "items", expect_items },
	{ "sent", expect_sent },
	{ "calls", expect_calls },
	{ "known", expect_known },
};

static void
step_expect(struct player *p, const char *rest, const char *block)
{
	const char *what = script_word(p, &rest);

	(void)block;
	if (what[0] == '/') {
		expect_path(p, what, rest);
		return;
	}
	for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++)
		if (strcmp(expectations[i].name, what) == 0) {
			expectations[i].run(p, rest);
			return;
		}
	script_broken(p, "expect what? %s", what);
}

/* keep NAME PATH: the value of the first such element. */
static void
step_keep(struct player *p, const char *rest, const char *block)
{
	const struct wbxml_node *nodes[PATH_NODES_MAX];
	const char *name = script_word(p, &rest);

	(void)block;
	if (path_find(p, rest, answer(p)->answer, nodes) == 0) {
		script_failed(p, "%s is not there", rest);
		exit(1); /* nothing that follows makes sense without it */
	}
	script_set(p, name, path_value(p, nodes[0]));
}

/* let NAME VALUE */
static void
step_let(struct player *p, const char *rest, const char *block)
{
	const char *name = script_word(p, &rest);

	(void)block;
	script_set(p, name, rest);
}

/* same VALUE VALUE; differ VALUE VALUE: of two variables. */
static void
step_same(struct player *p, const char *rest, const char *block)
{
	const char *a = script_word(p, &rest);

	(void)block;
	if (strcmp(a, rest) != 0)
		script_failed(p, "\"%s\" and \"%s\" are not the same", a, rest);
}

static void
step_differ(struct player *p, const char *rest, const char *block)
{
	const char *a = script_word(p, &rest);

	(void)block;
	if (strcmp(a, rest) == 0)
		script_failed(p, "both are \"%s\"", a);
}

const struct script_step expect_steps[] = {
	{ "expect", step_expect },
	{ "keep", step_keep },
	{ "let", step_let },
	{ "same", step_same },
	{ "differ", step_differ },
	{ NULL, NULL },
};
