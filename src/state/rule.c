/* Rules for conversations. Knows no message. */
#include "state/rule.h"

#include <string.h>

#include "state/store.h"

static struct state_key
key_of(uint32_t user, const struct conversation_id *id)
{
	struct state_key k;

	state_key_begin(&k, user, STATE_SPACE_RULE);
	state_key_bytes(&k, id->bytes, sizeof(id->bytes));
	return k;
}

static bool
row_decode(struct mf_bytes row, struct mf_arena *a, struct state_rule *out)
{
	struct varint_reader c = codec_begin(row);

	out->created = (int64_t)varint_get_max(&c, INT64_MAX);
	out->ignore = varint_get_max(&c, 1) == 1;
	out->store = codec_str(&c, a);
	out->id = codec_str(&c, a);
	out->identity = codec_str(&c, a);
	return codec_end(&c);
}

bool
rule_row_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	struct state_rule rule;

	return key.len == STATE_KEY_FIELDS + CONVERSATION_ID_LEN && row_decode(row, a, &rule);
}

struct access {
	uint32_t user;
	struct mf_arena *a;
	struct state_rule *rules;
	size_t n;
	const struct state_rule *rule;
	const struct conversation_id *id;
};

static bool
take(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct access *x = ctx;
	struct state_rule *rule = &x->rules[x->n];

	if (key.len != STATE_KEY_FIELDS + CONVERSATION_ID_LEN || !row_decode(row, x->a, rule))
		return true;
	memcpy(rule->conversation.bytes, key.data + STATE_KEY_FIELDS, CONVERSATION_ID_LEN);
	return ++x->n <= STATE_RULES_MAX;
}

static enum mf_status
load(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key prefix;

	(void)err;
	x->n = 0;
	x->rules = mf_new_array(x->a, struct state_rule, STATE_RULES_MAX + 2);
	state_key_begin(&prefix, x->user, STATE_SPACE_RULE);
	kv_scan(t, state_key_view(&prefix), mf_bytes(NULL, 0), take, x);
	return MF_OK;
}

enum mf_status
state_rules_load(struct state *st, uint32_t user, struct mf_arena *a, struct state_rule **out,
	size_t *n, struct mf_error *err)
{
	struct access x = { .user = user, .a = a };
	enum mf_status status = kv_read(st->kv[STATE_RECORDS], load, &x, err);

	*out = x.rules;
	*n = x.n;
	return status;
}

static void
forget_oldest(struct kv_txn *t, struct access *x)
{
	size_t oldest = 0;
	struct state_key k;

	for (size_t i = 1; i < x->n; i++)
		if (x->rules[i].created < x->rules[oldest].created)
			oldest = i;
	k = key_of(x->user, &x->rules[oldest].conversation);
	kv_delete(t, state_key_view(&k));
}

static enum mf_status
save(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	const struct state_rule *rule = x->rule;
	struct state_key k = key_of(x->user, &rule->conversation);
	struct mf_buf b;

	load(t, ctx, err);
	if (x->n >= STATE_RULES_MAX && !kv_get(t, state_key_view(&k), NULL))
		forget_oldest(t, x);
	mf_buf_init(&b, 0);
	varint_put(&b, (uint64_t)rule->created);
	varint_put(&b, rule->ignore);
	codec_add_str(&b, rule->store);
	codec_add_str(&b, rule->id);
	codec_add_str(&b, rule->identity);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
	return MF_OK;
}

enum mf_status
state_rule_save(
	struct state *st, uint32_t user, const struct state_rule *rule, struct mf_error *err)
{
	struct access x = { .user = user, .a = mf_arena_new(), .rule = rule };
	enum mf_status status = kv_write(st->kv[STATE_RECORDS], save, &x, err);

	mf_arena_free(x.a);
	return status;
}

static enum mf_status
drop(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key k = key_of(x->user, x->id);

	if (!kv_get(t, state_key_view(&k), NULL))
		return mf_fail(err, MF_GONE, "state: no such rule");
	kv_delete(t, state_key_view(&k));
	return MF_OK;
}

enum mf_status
state_rule_remove(struct state *st, uint32_t user, const struct conversation_id *conversation,
	struct mf_error *err)
{
	struct access x = { .user = user, .id = conversation };

	return kv_write(st->kv[STATE_RECORDS], drop, &x, err);
}

const struct state_folder *
state_rule_folder(const struct state_rule *rule, const struct state_folders *folders)
{
	if (rule->ignore)
		return state_folder_by_role(folders, MF_ROLE_TRASH);
	for (size_t i = 0; rule->identity[0] != '\0' && i < folders->n; i++)
		if (folders->folders[i].gone == 0 &&
			strcmp(folders->folders[i].identity, rule->identity) == 0 &&
			strcmp(folders->folders[i].store, rule->store) == 0)
			return &folders->folders[i];
	return state_folder_by_id(folders, rule->store, rule->id);
}
