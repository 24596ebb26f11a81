/* Paths into an answer: /Sync/Collections/Collection[CollectionId=5]/Commands/Add[2]/ServerId. */
#include "player.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct finding {
	struct player *player;
	const struct wbxml_node **out;
	size_t n;
};

const char *
path_value(struct player *p, const struct wbxml_node *n)
{
	struct mf_bytes data = wbxml_data(n);

	/* Bytes, not text: as `send` takes them. */
	if (n->tag == Email2_ConversationId || n->tag == Email2_ConversationIndex ||
		n->tag == ItemOperations_ConversationId)
		return mf_printf(p->arena, "base64:%s", str_base64(p->arena, data.data, data.len));
	return data.len == 0 ? "" : mf_strndup(p->arena, (const char *)data.data, data.len);
}

/* One step: name or ns:name or *, with conditions behind it. */
struct path_step {
	bool deep; /* behind "//" */
	const char *name;
	const char *child, *value; /* [child=value]; value NULL: [child] */
	unsigned nth;		   /* [n]; 0: all */
};

static bool
is_named(const struct wbxml_node *n, const char *name)
{
	const char *colon = strchr(name, ':'), *own = wbxml_tag_name(n->tag);
	const char *page = wbxml_page_name((uint8_t)(n->tag >> 8));

	if (strcmp(name, "*") == 0)
		return true;
	if (own == NULL)
		return false;
	if (colon == NULL)
		return strcmp(own, name) == 0;
	return strcmp(own, colon + 1) == 0 && strlen(page) == (size_t)(colon - name) &&
	       str_ieqn(page, name, strlen(page));
}

static bool
has_child(struct player *p, const struct wbxml_node *n, const struct path_step *s)
{
	if (s->child == NULL)
		return true;
	for (const struct wbxml_node *c = n->children; c != NULL; c = c->next)
		if (is_named(c, s->child) &&
			(s->value == NULL || strcmp(path_value(p, c), s->value) == 0))
			return true;
	return false;
}

static void
read_condition(struct player *p, const char *text, struct path_step *s)
{
	const char *equals = strchr(text, '=');

	if (text[0] >= '0' && text[0] <= '9') {
		s->nth = (unsigned)strtoul(text, NULL, 10);
		return;
	}
	s->child = equals == NULL ? text : mf_strndup(p->arena, text, (size_t)(equals - text));
	s->value = equals == NULL ? NULL : equals + 1;
}

/* Takes one step off the path; false at its end. */
static bool
read_step(struct player *p, const char **path, struct path_step *s)
{
	const char *at = *path;
	size_t n;

	*s = (struct path_step){ .deep = false };
	if (*at == '\0')
		return false;
	if (*at != '/')
		script_broken(p, "a path begins with /: %s", at);
	at++;
	s->deep = *at == '/';
	at += s->deep;
	n = strcspn(at, "/[");
	s->name = mf_strndup(p->arena, at, n);
	at += n;
	while (*at == '[') {
		n = strcspn(at, "]");
		if (at[n] == '\0')
			script_broken(p, "a condition without its end: %s", at);
		read_condition(p, mf_strndup(p->arena, at + 1, n - 1), s);
		at += n + 1;
	}
	*path = at;
	return true;
}

static void find(struct finding *f, const char *path, const struct wbxml_node *children);

static void
descend(struct finding *f, const char *path, const struct path_step *s,
	const struct wbxml_node *children, unsigned *seen)
{
	for (const struct wbxml_node *n = children; n != NULL; n = n->next) {
		if (is_named(n, s->name) && has_child(f->player, n, s) &&
			(++*seen == s->nth || s->nth == 0)) {
			if (*path != '\0')
				find(f, path, n->children);
			else if (f->n < PATH_NODES_MAX)
				f->out[f->n++] = n;
		}
		if (s->deep)
			descend(f, path, s, n->children, seen);
	}
}

static void
find(struct finding *f, const char *path, const struct wbxml_node *children)
{
	struct path_step step;
	unsigned seen = 0;

	if (read_step(f->player, &path, &step))
		descend(f, path, &step, children, &seen);
}

size_t
path_find(struct player *p, const char *path, const struct wbxml_node *root,
	const struct wbxml_node **out)
{
	struct finding f = { .player = p, .out = out };

	find(&f, path, root);
	return f.n;
}
