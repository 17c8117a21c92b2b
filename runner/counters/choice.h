/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * choice.h: what a run counts: the plan key `counters`, resolved for one CPU.
 *
 * Words are names of groups, `auto` (the group made for this CPU, and `generic`), `simulated`
 * (misses of simulated caches, see simulated.h), perf's own event names, libpfm4 names and raw
 * codes. No word at all: `generic`.
 */
#ifndef NSLAB_CHOICE_H
#define NSLAB_CHOICE_H

#include "runner/counters/group.h"
#include "runner/counters/pmu.h"

#define NSLAB_CHOICE_GROUPS 8

struct nslab_counter_choice {
	struct nslab_groups files; /* all there are */
	size_t nr_groups;
	const struct nslab_group *groups[NSLAB_CHOICE_GROUPS];
	size_t nr_events;
	struct nslab_pmu_event events[NSLAB_PMU_MAX]; /* besides perf's own */
	bool is_simulated;
};

/*
 * -EINVAL with what is accepted for a word that is none of the above; an event that cannot be
 * counted on this CPU is kept, with its reason. words: NULL-terminated, or NULL.
 */
int nslab_choice_make(const char *const *words, const struct nslab_cpu_id *id,
		      struct nslab_counter_choice **choice, struct nslab_err *err);
void nslab_choice_free(struct nslab_counter_choice *choice); /* NULL is fine */

/* The name under which a reading of the group's event is stored. */
struct nslab_event_name {
	char text[96];
};
struct nslab_event_name nslab_choice_event_name(const struct nslab_group *group,
						const struct nslab_group_event *event);

#endif
