/* Two lists: who waits, and who runs. */
#include "work/line.h"

bool
work_line_ready(const struct work_line *l)
{
	return l->first != NULL && l->running < l->max;
}

bool
work_line_crowded(const struct work_line *l, int64_t now)
{
	if (l->running < l->max)
		return false;
	return l->slow || l->queued >= l->queue_max || now - l->oldest->began > LINE_PATIENCE_MS;
}

static void
append(struct work_job **first, struct work_job **last, struct work_job *job)
{
	job->next = NULL;
	if (*last == NULL)
		*first = job;
	else
		(*last)->next = job;
	*last = job;
}

void
work_line_add(struct work_line *l, struct work_job *job)
{
	append(&l->first, &l->last, job);
	l->queued++;
}

struct work_job *
work_line_pop(struct work_line *l)
{
	struct work_job *job = l->first;

	if (job == NULL)
		return NULL;
	l->first = job->next;
	if (l->first == NULL)
		l->last = NULL;
	l->queued--;
	return job;
}

void
work_line_begin(struct work_line *l, struct work_job *job, int64_t now)
{
	job->began = now;
	append(&l->oldest, &l->newest, job);
	l->running++;
}

void
work_line_end(struct work_line *l, struct work_job *job, int64_t now)
{
	struct work_job **at = &l->oldest, *before = NULL;

	while (*at != job) {
		before = *at;
		at = &(*at)->next;
	}
	*at = job->next;
	if (l->newest == job)
		l->newest = before;
	l->running--;
	l->slow = now - job->began > LINE_PATIENCE_MS;
}
