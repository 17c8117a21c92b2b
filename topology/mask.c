/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mask.c: which PUs this process may run on.
 *
 * taskset, cgroup cpusets and batch systems all end up in the thread's affinity mask, so that is
 * what is read; PUs outside of it stay in the topology and are marked unusable. Systems may have
 * more CPUs than a static cpu_set_t holds, so the set grows until the kernel is content. What is
 * left out: watching the mask; it is read once, when the topology is loaded.
 */
#define _GNU_SOURCE
#include "topology/model.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The mask, with room for *nr_cpus; NULL and errno when there is none. */
static cpu_set_t *read_mask(int *nr_cpus)
{
	for (*nr_cpus = 1024; *nr_cpus <= NSLAB_TOPO_MAX_OS_INDEX; *nr_cpus *= 2) {
		cpu_set_t *mask = CPU_ALLOC((size_t)*nr_cpus);
		size_t bytes = CPU_ALLOC_SIZE((size_t)*nr_cpus);

		if (!mask)
			return NULL;
		CPU_ZERO_S(bytes, mask);
		if (!sched_getaffinity(0, bytes, mask))
			return mask;
		CPU_FREE(mask);
		if (errno != EINVAL)
			return NULL;
	}
	return NULL;
}

/* Every PU that there is, also those that a cpuset hides from the tree. */
static void all_text(const struct nslab_topo *topo, char *text, size_t text_bytes)
{
	int nr = topo->nr_pus + topo->nr_disallowed_pus;
	int *list = calloc((size_t)nr + 1, sizeof(*list));

	snprintf(text, text_bytes, "%d", nr);
	if (!list)
		return;
	for (int i = 0; i < topo->nr_pus; i++)
		list[i] = topo->pus[i].os_index;
	for (int i = 0; i < topo->nr_disallowed_pus; i++)
		list[topo->nr_pus + i] = topo->disallowed_pus[i];
	qsort(list, (size_t)nr, sizeof(*list), nslab_by_value);
	nslab_index_text(list, nr, text, text_bytes);
	free(list);
}

static void write_note(struct nslab_topo *topo)
{
	char usable[100], all[100];

	if (topo->nr_allowed_pus == topo->nr_pus && !topo->nr_disallowed_pus)
		return;
	nslab_topo_pu_text(topo, true, usable, sizeof(usable));
	all_text(topo, all, sizeof(all));
	snprintf(topo->mask_note, sizeof(topo->mask_note), "taskset/cpuset leaves PUs %s of %s",
		 usable, all);
}

int nslab_topo_apply_mask(struct nslab_topo *topo, struct nslab_err *err)
{
	int nr_cpus;
	cpu_set_t *mask = read_mask(&nr_cpus);

	if (!mask)
		return nslab_fail(err, -errno, "cannot read the CPU mask: %s", strerror(errno));
	topo->nr_allowed_pus = 0;
	for (int i = 0; i < topo->nr_pus; i++) {
		struct nslab_topo_pu *pu = &topo->pus[i];

		pu->is_usable =
			pu->os_index < nr_cpus &&
			CPU_ISSET_S((size_t)pu->os_index, CPU_ALLOC_SIZE((size_t)nr_cpus), mask);
		topo->nr_allowed_pus += pu->is_usable;
	}
	CPU_FREE(mask);
	write_note(topo);
	return 0;
}
