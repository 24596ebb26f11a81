/* The phone: who speaks, what is sent, and what comes of a request that waits. */
#include "player.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "eas/spool.h"
#include "eas/commands.h"

/* ---- Who speaks ---- */

/* user NAME PASSWORD */
static void
step_user(struct player *p, const char *rest, const char *block)
{
	(void)block;
	p->phone.user = script_word(p, &rest);
	p->phone.password = script_word(p, &rest);
}

/* device ID [TYPE] */
static void
step_device(struct player *p, const char *rest, const char *block)
{
	const char *type;

	(void)block;
	p->phone.device = script_word(p, &rest);
	type = script_word(p, &rest);
	p->phone.type = type[0] == '\0' ? "Script" : type;
}

static void
step_version(struct player *p, const char *rest, const char *block)
{
	(void)block;
	p->phone.version = rest;
}

/* policy KEY; policy alone: none is sent. */
static void
step_policy(struct player *p, const char *rest, const char *block)
{
	(void)block;
	p->phone.policy = rest[0] == '\0' ? NULL : rest;
}

static void
step_agent(struct player *p, const char *rest, const char *block)
{
	(void)block;
	p->phone.agent = rest;
}

/* query NAME=VALUE&...: behind the query of the next request. */
static void
step_query(struct player *p, const char *rest, const char *block)
{
	(void)block;
	p->extra_query = rest;
}

/* header NAME VALUE: of the next request. */
static void
step_header(struct player *p, const char *rest, const char *block)
{
	const char *name = script_word(p, &rest);

	(void)block;
	if (p->n_headers == sizeof(p->headers) / sizeof(p->headers[0]))
		script_broken(p, "too many headers");
	p->headers[p->n_headers++] = (struct eas_header){ name, rest };
}

/* ---- Bodies ---- */

/* The root's page: the command's, unless that has no such element. */
static unsigned
root_page(struct player *p, const char *root)
{
	const struct eas_command *c = eas_command_find(p->command);

	if (c != NULL && wbxml_tag_find(wbxml_page_name((uint8_t)(c->root >> 8)), root) != 0)
		return c->root >> 8;
	for (unsigned page = 0; page < WBXML_PAGES; page++) {
		const char *ns = wbxml_page_name((uint8_t)page);

		if (ns != NULL && wbxml_tag_find(ns, root) != 0)
			return page;
	}
	script_broken(p, "no element %s", root);
}

/* What the document's root needs: its own namespace, and each other one as a prefix. */
static const char *
namespaces(struct player *p, const char *root)
{
	const char *all =
		mf_printf(p->arena, " xmlns=\"%s\"", wbxml_page_name((uint8_t)root_page(p, root)));

	for (unsigned page = 0; page < WBXML_PAGES; page++) {
		const char *ns = wbxml_page_name((uint8_t)page);

		if (ns != NULL)
			all = mf_printf(
				p->arena, "%s xmlns:%s=\"%s\"", all, str_lower(p->arena, ns), ns);
	}
	return all;
}

/* XML with its namespaces told; whoever tells them himself is left alone. */
static const char *
complete_xml(struct player *p, const char *xml)
{
	size_t begin = strspn(xml, " \t\n"), name;
	const char *root;

	if (xml[begin] != '<')
		script_broken(p, "not XML: %s", xml);
	name = strcspn(xml + begin + 1, " />\n\t");
	root = mf_strndup(p->arena, xml + begin + 1, name);
	if (strstr(xml, "xmlns") != NULL)
		return xml;
	return mf_printf(p->arena, "<%s%s%s", root, namespaces(p, root), xml + begin + 1 + name);
}

static struct mf_bytes
hex_body(struct player *p, const char *digits)
{
	size_t n = strlen(digits);
	uint8_t *out = mf_alloc(p->arena, n / 2 + 1);

	if (!str_unhex(digits, n, out))
		script_broken(p, "not hexadecimal: %s", digits);
	return mf_bytes(out, n / 2);
}

static struct mf_bytes
xml_body(struct player *p, const char *xml)
{
	struct mf_buf wbxml;
	struct mf_bytes copy;
	struct mf_error err;

	xml = complete_xml(p, xml);
	mf_buf_init(&wbxml, 0);
	if (wbxml_from_xml(xml, strlen(xml), &wbxml, &err) != MF_OK)
		script_broken(p, "%s", err.text);
	copy = mf_memdup(p->arena, wbxml.data, wbxml.len);
	mf_buf_deinit(&wbxml);
	return copy;
}

static struct mf_bytes
make_body(struct player *p, const char *rest, const char *block)
{
	if (strncmp(rest, "hex ", 4) == 0)
		return hex_body(p, rest + 4);
	if (rest[0] != '\0' && block[0] != '\0')
		rest = mf_printf(p->arena, "%s\n%s", rest, block);
	else if (block[0] != '\0')
		rest = block;
	return rest[0] == '\0' ? mf_bytes(NULL, 0) : xml_body(p, rest);
}

/* ---- Sending ---- */

void
exchange_free(struct exchange *e)
{
	struct mf_arena *a;

	if (e == NULL)
		return;
	a = e->arena;
	eas_request_deinit(&e->request);
	mf_arena_free(a);
}

static struct eas_header *
make_headers(struct player *p, struct mf_arena *a, size_t *n)
{
	struct eas_header *h = mf_new_array(a, struct eas_header, 16);
	const char *login = mf_printf(a, "%s:%s", p->phone.user, p->phone.password);

	*n = 0;
	h[(*n)++] = (struct eas_header){ "Authorization",
		mf_printf(a, "Basic %s", str_base64(a, login, strlen(login))) };
	if (p->phone.version[0] != '\0')
		h[(*n)++] = (struct eas_header){ "MS-ASProtocolVersion", p->phone.version };
	h[(*n)++] = (struct eas_header){ "User-Agent", p->phone.agent };
	if (p->phone.policy != NULL)
		h[(*n)++] = (struct eas_header){ "X-MS-PolicyKey", p->phone.policy };
	if (p->body.len > 0)
		h[(*n)++] = (struct eas_header){ "Content-Type", "application/vnd.ms-sync.wbxml" };
	/* The script's own come first: the first of a name counts. */
	memmove(h + p->n_headers, h, *n * sizeof(*h));
	memcpy(h, p->headers, p->n_headers * sizeof(*h));
	*n += p->n_headers;
	return h;
}

static const char *
make_query(struct player *p, struct mf_arena *a)
{
	if (strcmp(p->command, "OPTIONS") == 0)
		return "";
	if (p->extra_query != NULL && p->extra_query[0] == '?')
		return p->extra_query + 1;
	return mf_printf(a, "Cmd=%s&User=%s&DeviceId=%s&DeviceType=%s%s%s", p->command,
		p->phone.user, p->phone.device, p->phone.type, p->extra_query == NULL ? "" : "&",
		p->extra_query == NULL ? "" : p->extra_query);
}

/* The body as the phone gets it. */
static struct mf_bytes
whole_body(struct exchange *e)
{
	uint64_t size = eas_answer_size(&e->request.answer), at = 0;
	uint8_t *data = mf_alloc(e->arena, (size_t)size + 1);
	ssize_t n = 1;

	for (; at < size && n > 0; at += (uint64_t)n)
		n = eas_answer_read(&e->request.answer, at, data + at, (size_t)(size - at));
	return mf_bytes(data, n > 0 ? (size_t)size : 0);
}

struct mf_bytes
script_part(struct mf_bytes whole, uint32_t n)
{
	uint32_t words[2], count = 0;

	if (whole.len >= 4)
		memcpy(&count, whole.data, 4);
	if (n >= count || whole.len < 4 + 8 * (size_t)(n + 1))
		return mf_bytes(NULL, 0);
	memcpy(words, whole.data + 4 + 8 * n, 8);
	return words[0] > whole.len || words[1] > whole.len - words[0]
		       ? mf_bytes(NULL, 0)
		       : mf_bytes(whole.data + words[0], words[1]);
}

static void
read_answer(struct player *p, struct exchange *e)
{
	const char *type = e->request.answer.content_type;
	struct mf_bytes body;
	struct mf_error err;

	e->answer = NULL;
	body = e->whole = whole_body(e);
	if (type != NULL && strstr(type, "multipart") != NULL)
		body = script_part(e->whole, 0);
	else if (type == NULL || strstr(type, "wbxml") == NULL)
		return;
	if (body.len == 0)
		return;
	if (wbxml_decode(e->arena, body, &wbxml_limits_default, true, &e->answer, &err) != MF_OK)
		script_failed(p, "the answer is not WBXML: %s", err.text);
}

static void
show_xml(const char *what, const struct wbxml_node *root)
{
	struct mf_buf xml;

	mf_buf_init(&xml, 0);
	wbxml_dump(root, false, &xml);
	printf("%s\n%s", what, mf_buf_str(&xml));
	mf_buf_deinit(&xml);
}

static void
run(struct player *p, struct exchange *e)
{
	e->waiting = eas_run(&e->request) == EAS_WAIT;
	if (e->waiting && (e->request.wait.until <= 0 || e->request.answer.body.len > 0))
		script_failed(p, "waits without an end, or with half an answer");
	if (!e->waiting)
		read_answer(p, e);
	if (p->trace)
		show_xml(mf_printf(e->arena, "< %u%s", e->request.answer.http_status,
				 e->waiting ? " waiting" : ""),
			e->answer);
}

static struct exchange *
exchange_new(struct player *p)
{
	struct mf_arena *a = mf_arena_new();
	struct exchange *e = mf_new(a, struct exchange);
	struct eas_request *r = &e->request;

	e->arena = a;
	r->arena = a;
	r->server = &p->server;
	r->id = mf_printf(a, "%u", ++p->requests);
	r->method = strcmp(p->command, "OPTIONS") == 0 ? "OPTIONS" : "POST";
	r->path = "/Microsoft-Server-ActiveSync";
	r->query = make_query(p, a);
	r->headers = make_headers(p, a, &r->n_headers);
	r->body = mf_memdup(a, p->body.data, p->body.len);
	r->peer = "192.0.2.1";
	r->began = clock_ms();
	mf_buf_init(&r->answer.body, 0);
	return e;
}

static void
send_now(struct player *p)
{
	exchange_free(p->current);
	p->current = exchange_new(p);
	p->extra_query = NULL;
	p->n_headers = 0;
	run(p, p->current);
}

/* send COMMAND [XML | hex DIGITS]: with the XML below. OPTIONS is a command here. */
static void
step_send(struct player *p, const char *rest, const char *block)
{
	p->command = script_word(p, &rest);
	p->body = make_body(p, rest, block);
	send_now(p);
}

/* again: the same request byte for byte, as after a lost answer. */
static void
step_again(struct player *p, const char *rest, const char *block)
{
	(void)rest;
	(void)block;
	if (p->command == NULL)
		script_broken(p, "nothing was sent yet");
	send_now(p);
}

/* ---- Waiting ---- */

/* park NAME: the request that waits is put aside. */
static void
step_park(struct player *p, const char *rest, const char *block)
{
	(void)block;
	if (p->current == NULL || !p->current->waiting)
		script_broken(p, "nothing waits");
	p->current->name = mf_strdup(p->current->arena, rest);
	p->current->next = p->parked;
	p->parked = p->current;
	p->current = NULL;
}

static void
unpark(struct player *p, const char *name)
{
	struct exchange **at = &p->parked;

	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	if (*at == NULL)
		script_broken(p, "nothing waits as %s", name);
	exchange_free(p->current);
	p->current = *at;
	*at = p->current->next;
}

/* wake [NAME]: something may have changed. end [NAME]: answer now. due [NAME]: its time has come. */
static void
go_on(struct player *p, const char *name, bool stirred, bool ended)
{
	if (name[0] != '\0')
		unpark(p, name);
	if (p->current == NULL || !p->current->waiting)
		script_broken(p, "nothing waits");
	p->current->request.wait.stirred = stirred ? EAS_STIR_ITEMS : 0;
	p->current->request.wait.ended = ended;
	run(p, p->current);
}

static void
step_wake(struct player *p, const char *rest, const char *block)
{
	(void)block;
	go_on(p, rest, true, false);
}

static void
step_end(struct player *p, const char *rest, const char *block)
{
	(void)block;
	go_on(p, rest, false, true);
}

static void
step_due(struct player *p, const char *rest, const char *block)
{
	int64_t left;

	(void)block;
	if (rest[0] != '\0')
		unpark(p, rest);
	if (p->current == NULL || !p->current->waiting)
		script_broken(p, "nothing waits");
	left = p->current->request.wait.until - clock_ms();
	clock_skip(left / 1000 + 1);
	go_on(p, "", false, false);
}

const struct script_step phone_steps[] = {
	{ "user", step_user },
	{ "device", step_device },
	{ "version", step_version },
	{ "policy", step_policy },
	{ "agent", step_agent },
	{ "query", step_query },
	{ "header", step_header },
	{ "send", step_send },
	{ "again", step_again },
	{ "park", step_park },
	{ "wake", step_wake },
	{ "end", step_end },
	{ "due", step_due },
	{ NULL, NULL },
};
