/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nodelocal_remote.h: how objects of other nodes go home, included by nodelocal.c alone.
 *
 * A handle sorts them by home into batches that hang on the cache's stack. A full batch is pushed
 * onto its home's `incoming` word with one compare-and-swap; whoever makes that word reach its
 * bound empties it, so that a home which never allocates again does not collect without end.
 */
#ifndef NSLAB_NODELOCAL_REMOTE_H
#define NSLAB_NODELOCAL_REMOTE_H

#include "allocators/nodelocal_depot.h"

#define NODELOCAL_OUT_BYTES ((size_t)512 << 10) /* of objects, on their way to other nodes */
#define NODELOCAL_INCOMING  4			/* batches that a home may leave uncollected */

/* One atomic operation for the whole batch; its home is told by what is in it. */
static void nodelocal_send(struct nodelocal_cpu *cpu, struct nodelocal_cache *s,
			   struct nodelocal_batch *batch)
{
	const struct nslab_env *env = s->base.heap->env;
	struct nodelocal_node *home = s->node[batch->home];
	uint64_t index = ((uintptr_t)batch - env->arena->base) / sizeof(*batch);
	uint64_t old = atomic_load_explicit(&home->incoming, memory_order_relaxed);
	uint64_t word;

	cpu->out_bytes -= (size_t)s->batch_objects * s->base.size;
	do {
		batch->next = nodelocal_batch_at(env, old);
		word = index << NODELOCAL_COUNT_BITS | (nodelocal_batch_count(old) + 1);
		/* pairs with the acquire in nodelocal_receive_locked */
	} while (!atomic_compare_exchange_weak_explicit(
		&home->incoming, &old, word, memory_order_release, memory_order_relaxed));
	if (nodelocal_batch_count(word) >= NODELOCAL_INCOMING)
		nodelocal_drain(cpu, s, home, s->depot_batches);
}

static void nodelocal_send_all(struct nodelocal_cpu *cpu, struct nodelocal_stack *stack)
{
	while (stack->out) {
		struct nodelocal_batch *batch = stack->out;

		stack->out = batch->next;
		nodelocal_send(cpu, stack->s, batch);
	}
}

/* A batch for node `home`; NULL when there is no memory or the objects are too large to wait. */
static struct nodelocal_batch *nodelocal_out_open(struct nodelocal_cpu *cpu,
						  struct nodelocal_stack *stack, int home)
{
	struct nodelocal_cache *s = stack->s;
	size_t bytes = (size_t)s->batch_objects * s->base.size;
	struct nodelocal_batch *batch;

	if (bytes > NODELOCAL_OUT_BYTES)
		return NULL;
	if (cpu->out_bytes + bytes > NODELOCAL_OUT_BYTES) {
		for (unsigned i = 1; i < cpu->nr_stacks; i++)
			nodelocal_send_all(cpu, &cpu->stacks[i]);
	}
	batch = nodelocal_batch_get(cpu);
	if (!batch)
		return NULL;
	cpu->out_bytes += bytes;
	batch->home = (int16_t)home;
	batch->next = stack->out;
	stack->out = batch;
	return batch;
}

static void nodelocal_free_remote(struct nodelocal_cpu *cpu, struct nodelocal_stack *stack,
				  int home, void *obj)
{
	struct nodelocal_batch **link = &stack->out;
	struct nodelocal_batch *batch;

	cpu->counts[stack->s->index].nr_remote++;
	while (*link && (*link)->home != home)
		link = &(*link)->next;
	batch = *link;
	if (!batch) {
		link = &stack->out;
		batch = nodelocal_out_open(cpu, stack, home);
	}
	if (!batch) {
		nodelocal_slabs_put(cpu, stack->s, home, 1, &obj);
		return;
	}
	batch->objs[batch->nr++] = obj;
	if (batch->nr < stack->s->batch_objects)
		return;
	*link = batch->next;
	nodelocal_send(cpu, stack->s, batch);
}

#endif
