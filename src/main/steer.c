/* Knows the control file and the one setting that is read while the daemon runs. */
#include "main/steer.h"

#include "base/clock.h"
#include "base/log.h"
#include "main/control.h"

static const char *const levels[] = { "error", "warning", "info", "debug" };

void
steer_begin(struct steer *s, const char *config, const struct mf_conf *top)
{
	struct mf_arena *a = mf_arena_new();

	*s = (struct steer){ .config = config,
		.directory = mf_conf_string(top, "state_directory") };
	control_forget(s->directory);
	s->trace = eas_trace_new(control_trace_directory(a, s->directory));
	mf_arena_free(a);
}

void
steer_end(struct steer *s)
{
	eas_trace_free(s->trace);
	s->trace = NULL;
}

static void
set_level(struct steer *s, const struct control *c, struct mf_arena *a)
{
	enum mf_log_level level = MF_LOG_INFO;

	if (c->level_set)
		level = c->level;
	else
		log_level_parse(conf_peek_string(s->config, "log_level", a), &level);
	s->level_until = c->level_set ? c->level_until : 0;
	log_set_level(level);
	mf_log_info("log_level=%s until=%lld", levels[level], (long long)s->level_until);
}

static void
set_traces(struct steer *s, const struct control *c)
{
	struct eas_trace_order orders[CONTROL_TRACES];

	for (size_t i = 0; i < c->n; i++) {
		orders[i] = (struct eas_trace_order){ c->traces[i].user, c->traces[i].until };
		mf_log_warning("trace=on user=%s until=%lld", mf_log_value(c->traces[i].user),
			(long long)c->traces[i].until);
	}
	eas_trace_set(s->trace, orders, c->n);
}

void
steer_again(struct steer *s)
{
	struct mf_arena *a = mf_arena_new();
	struct control c;

	control_read(s->directory, a, &c);
	set_level(s, &c, a);
	set_traces(s, &c);
	mf_arena_free(a);
}

int64_t
steer_due(struct steer *s, int64_t max)
{
	int64_t left = (s->level_until - clock_wall()) * 1000;

	if (s->level_until == 0)
		return max;
	if (left > 0)
		return left < max ? left : max;
	steer_again(s); /* what the file says is over as well */
	return max;
}
