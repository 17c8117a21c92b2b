/* SPDX-License-Identifier: MIT */
/*
 * managed.h: allocations that belong to a group and are freed together, as devm_* in Linux.
 *
 * A driver's set-up takes memory step by step and may fail at any of them. With a group the error
 * path and the tear-down are one call: nslab_managed_release() frees everything in reverse order.
 * An entry is a header of 32 bytes in front of the payload, in one kmalloc; an action is an entry
 * whose function is called instead. A group is used by one thread at a time.
 */
#ifndef NUMASLAB_MANAGED_H
#define NUMASLAB_MANAGED_H

#include <numaslab/slab.h>

struct nslab_managed_entry {
	struct nslab_managed_entry *prev, *next; /* older, newer */
	void (*action)(void *context);		 /* NULL: memory only */
	void *context;
};

struct nslab_managed {
	struct nslab_managed_entry *last; /* the newest, or NULL */
	size_t nr;
};

static inline void nslab_managed_init(struct nslab_managed *group)
{
	group->last = NULL;
	group->nr = 0;
}

static inline void nslab_managed_add(struct nslab_managed *group, struct nslab_managed_entry *entry)
{
	entry->prev = group->last;
	entry->next = NULL;
	if (group->last)
		group->last->next = entry;
	group->last = entry;
	group->nr++;
}

static inline void nslab_managed_del(struct nslab_managed *group, struct nslab_managed_entry *entry)
{
	if (entry->next)
		entry->next->prev = entry->prev;
	else
		group->last = entry->prev;
	if (entry->prev)
		entry->prev->next = entry->next;
	group->nr--;
}

/* devm_kmalloc, and devm_kzalloc with __GFP_ZERO. The payload is aligned to 8 bytes. */
static inline void *nslab_managed_alloc(struct nslab_cpu *cpu, struct nslab_managed *group,
					size_t size_bytes, gfp_t gfp)
{
	struct nslab_managed_entry *entry;
	size_t bytes;

	if (__builtin_add_overflow(sizeof(*entry), size_bytes, &bytes))
		return NULL;
	entry = (struct nslab_managed_entry *)kmalloc(cpu, bytes, gfp);
	if (!entry)
		return NULL;
	entry->action = NULL;
	nslab_managed_add(group, entry);
	return entry + 1;
}

/* devm_kcalloc */
static inline void *nslab_managed_calloc(struct nslab_cpu *cpu, struct nslab_managed *group,
					 size_t nr, size_t size_bytes, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size_bytes, &bytes))
		return NULL;
	return nslab_managed_alloc(cpu, group, bytes, gfp | __GFP_ZERO);
}

/* devm_add_action: called with context when its turn comes. 0 or -ENOMEM. */
static inline int nslab_managed_action(struct nslab_cpu *cpu, struct nslab_managed *group,
				       void (*action)(void *context), void *context, gfp_t gfp)
{
	struct nslab_managed_entry *entry;

	entry = (struct nslab_managed_entry *)nslab_managed_alloc(cpu, group, 0, gfp);
	if (!entry)
		return -ENOMEM;
	entry[-1].action = action;
	entry[-1].context = context;
	return 0;
}

/* devm_kfree: one allocation of the group, before the others. NULL does nothing. */
static inline void nslab_managed_free(struct nslab_cpu *cpu, struct nslab_managed *group, void *obj)
{
	struct nslab_managed_entry *entry = (struct nslab_managed_entry *)obj;

	if (!obj)
		return;
	nslab_managed_del(group, entry - 1);
	kfree(cpu, entry - 1);
}

/* devres_release_all: the newest first. */
static inline void nslab_managed_release(struct nslab_cpu *cpu, struct nslab_managed *group)
{
	while (group->last) {
		struct nslab_managed_entry *entry = group->last;

		nslab_managed_del(group, entry);
		if (entry->action)
			entry->action(entry->context);
		kfree(cpu, entry);
	}
}

#endif
