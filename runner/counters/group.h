/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * group.h: which events to count on which CPU and what they mean, as a text file.
 *
 *	# comment; a line that begins with a blank goes on with the line above
 *	summary Ice Lake server: where loads that missed were served from
 *	cpu     GenuineIntel 6 106		vendor, family, model or range of models (106-108)
 *	set					the events below are on the hardware together
 *	event   REMOTE  icx::MEM_LOAD_L3_MISS_RETIRED:REMOTE_DRAM raw:0x2d3
 *	metric  remote-dram/op events = REMOTE / ops
 *	note    with sub-NUMA clusters, ...
 *
 * An event has a name for formulas and up to two for the machine, the second of which is tried when
 * the first one is not known here. In formulas `ops` is the number of counted operations. Notes
 * tell what the numbers can not: they travel with every result.
 */
#ifndef NSLAB_GROUP_H
#define NSLAB_GROUP_H

#include "core/err.h"
#include "runner/counters/cpu_id.h"

#include <stdbool.h>

#define NSLAB_GROUP_EVENTS  12
#define NSLAB_GROUP_METRICS 12
#define NSLAB_GROUP_CPUS    8
#define NSLAB_GROUP_NOTES   8

struct nslab_group_cpu {
	const char *vendor;
	int family, first_model, last_model;
};

struct nslab_group_event {
	const char *alias;
	const char *names[2]; /* the second may be NULL */
	int set;
};

struct nslab_group_metric {
	const char *name, *unit, *formula;
};

/* Texts live in `text`. */
struct nslab_group {
	char name[32]; /* of the file, without .txt */
	char *text;
	const char *summary;
	int nr_cpus, nr_events, nr_metrics, nr_notes;
	struct nslab_group_cpu cpus[NSLAB_GROUP_CPUS]; /* none: for every CPU */
	struct nslab_group_event events[NSLAB_GROUP_EVENTS];
	struct nslab_group_metric metrics[NSLAB_GROUP_METRICS];
	const char *notes[NSLAB_GROUP_NOTES];
};

/*
 * Reads a group from text. -EINVAL with "FILE:LINE: ..." for anything that is not as above, for a
 * formula that does not parse and for a name in it that no event has.
 */
int nslab_group_parse(const char *file, const char *text, struct nslab_group **group,
		      struct nslab_err *err);
void nslab_group_free(struct nslab_group *group); /* NULL is fine */

/* Is the group made for this CPU by name? A group for every CPU does not count. */
bool nslab_group_fits(const struct nslab_group *group, const struct nslab_cpu_id *id);

/* ---- all of them ---- */

#define NSLAB_GROUPS_MAX 32

struct nslab_groups {
	size_t nr;
	struct nslab_group *group[NSLAB_GROUPS_MAX]; /* by folder, then by name */
};

/*
 * Every group file: in the folder NUMASLAB_GROUPS, then those that come with numaslab; a name that
 * an earlier folder has hides the later one. A broken file is an error; no folder at all is not.
 */
int nslab_groups_load(struct nslab_groups *groups, struct nslab_err *err);
void nslab_groups_free(struct nslab_groups *groups);
struct nslab_group *nslab_groups_find(const struct nslab_groups *groups, const char *name);
/* The group made for this CPU, or NULL. */
struct nslab_group *nslab_groups_for(const struct nslab_groups *groups,
				     const struct nslab_cpu_id *id);

#endif
