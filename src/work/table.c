/*
 * Waiting jobs: a binary heap by due time, and hash chains by group. Pure data; knows no thread.
 */
#include "work/table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { GROUPS_MIN = 64 };

static void *
must(void *p)
{
	if (p == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void
work_table_deinit(struct work_table *t)
{
	free(t->heap);
	free(t->groups);
	*t = (struct work_table){ 0 };
}

static void
place(struct work_table *t, size_t slot, struct work_job *job)
{
	t->heap[slot] = job;
	job->slot = slot;
}

static void
sift_up(struct work_table *t, size_t slot, struct work_job *job)
{
	while (slot > 0 && t->heap[(slot - 1) / 2]->due > job->due) {
		place(t, slot, t->heap[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	place(t, slot, job);
}

static void
sift_down(struct work_table *t, size_t slot, struct work_job *job)
{
	for (;;) {
		size_t child = 2 * slot + 1;

		if (child + 1 < t->n && t->heap[child + 1]->due < t->heap[child]->due)
			child++;
		if (child >= t->n || t->heap[child]->due >= job->due)
			break;
		place(t, slot, t->heap[child]);
		slot = child;
	}
	place(t, slot, job);
}

void
work_table_park(struct work_table *t, struct work_job *job)
{
	if (t->n == t->room) {
		t->room = t->room == 0 ? 64 : t->room * 2;
		t->heap = must(realloc(t->heap, t->room * sizeof(struct work_job *)));
	}
	t->n++;
	sift_up(t, t->n - 1, job);
}

void
work_table_unpark(struct work_table *t, struct work_job *job)
{
	struct work_job *last = t->heap[t->n - 1];
	size_t slot = job->slot;

	assert(t->heap[slot] == job);
	t->n--;
	if (last == job)
		return;
	if (last->due < job->due)
		sift_up(t, slot, last);
	else
		sift_down(t, slot, last);
}

struct work_job *
work_table_first(const struct work_table *t)
{
	return t->n == 0 ? NULL : t->heap[0];
}

/* Numbers of users are dense: multiplying spreads them. */
static size_t
bucket(const struct work_table *t, uint64_t group)
{
	return (size_t)(group * 0x9e3779b97f4a7c15ULL >> 32) & (t->n_groups - 1);
}

static void
chain(struct work_table *t, struct work_job *job)
{
	struct work_job **head = &t->groups[bucket(t, job->listed_group)];

	job->newer = NULL;
	job->older = *head;
	if (*head != NULL)
		(*head)->newer = job;
	*head = job;
}

static void
unchain(struct work_table *t, struct work_job *job)
{
	if (job->newer != NULL)
		job->newer->older = job->older;
	else
		t->groups[bucket(t, job->listed_group)] = job->older;
	if (job->older != NULL)
		job->older->newer = job->newer;
}

/* Chains are walked oldest first, so that the newest stays in front in the new ones too. */
static void
grow_groups(struct work_table *t)
{
	size_t n = t->n_groups;
	struct work_job **old = t->groups;

	t->n_groups = n == 0 ? GROUPS_MIN : n * 2;
	t->groups = must(calloc(t->n_groups, sizeof(struct work_job *)));
	for (size_t i = 0; i < n; i++) {
		struct work_job *job = old[i];

		while (job != NULL && job->older != NULL)
			job = job->older;
		while (job != NULL) {
			struct work_job *newer = job->newer;

			chain(t, job);
			job = newer;
		}
	}
	free(old);
}

void
work_table_list(struct work_table *t, struct work_job *job, uint64_t group)
{
	if (job->listed_group == group)
		return;
	if (job->listed_group != 0) {
		unchain(t, job);
		t->listed--;
	}
	job->listed_group = group;
	if (group == 0)
		return;
	if (t->listed >= t->n_groups)
		grow_groups(t);
	t->listed++;
	chain(t, job);
}

static struct work_job *
of_group(struct work_job *job, uint64_t group)
{
	while (job != NULL && job->listed_group != group)
		job = job->older;
	return job;
}

struct work_job *
work_table_group(const struct work_table *t, uint64_t group)
{
	return t->n_groups == 0 || group == 0 ? NULL : of_group(t->groups[bucket(t, group)], group);
}

struct work_job *
work_table_group_next(const struct work_job *job)
{
	return of_group(job->older, job->listed_group);
}
