/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * live.h: objects of one type that a worker holds, off the clock: filled, kept, given back.
 */
#ifndef NSLAB_WORKLOADS_LIVE_H
#define NSLAB_WORKLOADS_LIVE_H

#include "workloads/common.h"

struct nslab_live {
	struct nslab_object_type type; /* the worker's own copy */
	void **objs;		       /* [room], the first nr hold objects */
	size_t nr, room;
};

/* `live` is zeroed. 0 or -ENOMEM; nslab_live_exit() is right after both. */
static inline int nslab_live_init(struct nslab_live *live, const struct nslab_object_type *type,
				  size_t room)
{
	live->room = room;
	live->objs = nslab_apart_alloc((room ? room : 1) * sizeof(*live->objs));
	if (!live->objs)
		return -ENOMEM;
	return nslab_object_type_copy(type, &live->type);
}

/* Until nr objects are held, asked for on `node` or NUMA_NO_NODE. 0 or -ENOMEM. */
static inline int nslab_live_fill_node(struct nslab_live *live, struct nslab_cpu *cpu, size_t nr,
				       gfp_t gfp, int node, enum nslab_entry entry)
{
	for (; live->nr < nr; live->nr++) {
		live->objs[live->nr] = nslab_object_alloc_node(cpu, &live->type, gfp, node, entry);
		if (!live->objs[live->nr])
			return -ENOMEM;
	}
	return 0;
}

static inline int nslab_live_fill(struct nslab_live *live, struct nslab_cpu *cpu, size_t nr,
				  enum nslab_entry entry)
{
	return nslab_live_fill_node(live, cpu, nr, GFP_KERNEL, NUMA_NO_NODE, entry);
}

static inline void nslab_live_drain(struct nslab_live *live, struct nslab_cpu *cpu,
				    enum nslab_entry entry)
{
	while (live->nr)
		nslab_object_free(cpu, &live->type, live->objs[--live->nr], entry);
}

/* Closes the gaps: entries that read NULL hold nothing. */
static inline void nslab_live_pack(struct nslab_live *live)
{
	size_t kept = 0;

	for (size_t i = 0; i < live->nr; i++) {
		if (live->objs[i])
			live->objs[kept++] = live->objs[i];
	}
	live->nr = kept;
}

static inline void nslab_live_exit(struct nslab_live *live, struct nslab_cpu *cpu,
				   enum nslab_entry entry)
{
	nslab_live_drain(live, cpu, entry);
	nslab_object_exit(&live->type);
	free(live->objs);
}

#endif
