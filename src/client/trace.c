/* Requests and answers for people: a line, then the XML. Passwords are hidden, content is not. */
#include "base/utf8.h"
#include "client/exchange.h"

enum { TEXT_SHOWN = 2000 };

static void
tell(const struct client *c, struct mf_buf *b)
{
	c->options.trace(c->options.trace_ctx, mf_buf_str(b), b->len);
	mf_buf_deinit(b);
}

static void
put_text(struct mf_buf *b, struct mf_bytes body)
{
	size_t len = body.len < TEXT_SHOWN ? body.len : TEXT_SHOWN;

	utf8_sanitise(b, (const char *)body.data, len);
	mf_buf_add_str(b, len < body.len ? "\n[...]\n" : "\n");
}

void
client_trace_request(const struct client *c)
{
	const struct client_request *r = &c->request;
	struct mf_arena *a;
	struct wbxml_node *root;
	struct mf_buf b;

	if (c->options.trace == NULL)
		return;
	a = mf_arena_new();
	mf_buf_init(&b, 0);
	mf_buf_printf(&b, "> %s %s, version %s, policy key %s, %zu bytes\n",
		r->method == NULL ? "POST" : r->method, r->command == NULL ? "" : r->command,
		c->options.version, c->options.policy_key, r->body.len);
	if (r->content_type != NULL)
		mf_buf_printf(&b, "[%s]\n", r->content_type);
	else if (r->body.len > 0 &&
		 wbxml_decode(a, r->body, &wbxml_limits_default, false, &root, NULL) == MF_OK)
		wbxml_dump(root, true, &b);
	mf_arena_free(a);
	tell(c, &b);
}

void
client_trace_answer(const struct client *c, const struct client_answer *answer)
{
	struct mf_buf b;

	if (c->options.trace == NULL)
		return;
	mf_buf_init(&b, 0);
	mf_buf_printf(&b, "< HTTP %u, %zu bytes, first byte after %.1f ms, all after %.1f ms\n",
		answer->http_status, answer->body.len, (double)answer->first_byte_us / 1000,
		(double)answer->total_us / 1000);
	if (answer->root != NULL)
		wbxml_dump(answer->root, true, &b);
	else if (answer->body.len > 0)
		put_text(&b, answer->body);
	tell(c, &b);
}
