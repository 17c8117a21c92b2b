/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nodelocal_stack.h: the stacks of a handle of the nodelocal backend, included by nodelocal.c
 * alone.
 *
 * How a stack is opened and closed, how its capacity follows what it is used for, and how a batch
 * leaves it or fills it. Only the handle's owner calls these; what they hold and how much of it is
 * told in nodelocal.c.
 */
#ifndef NSLAB_NODELOCAL_STACK_H
#define NSLAB_NODELOCAL_STACK_H

#include "allocators/nodelocal_depot.h"

#define NODELOCAL_STACK_BYTES ((size_t)1536 << 10) /* of objects, all stacks of a handle */

static void nodelocal_stack_reset(struct nodelocal_cpu *cpu, struct nodelocal_stack *stack)
{
	stack->top = stack->limit = stack->base = cpu->nothing;
	stack->capacity = 0;
	stack->is_short = false;
	stack->nr_spilt = 0;
}

static bool nodelocal_stack_is_open(const struct nodelocal_cpu *cpu,
				    const struct nodelocal_stack *stack)
{
	return stack->base != cpu->nothing;
}

static void nodelocal_stack_resize(struct nodelocal_cpu *cpu, struct nodelocal_stack *stack,
				   uint32_t capacity)
{
	cpu->stack_bytes += (size_t)capacity * stack->s->base.size;
	cpu->stack_bytes -= (size_t)stack->capacity * stack->s->base.size;
	stack->capacity = capacity;
	stack->limit = stack->base + capacity;
}

/* All objects go back to the slabs and the slots to the page allocator. */
static void nodelocal_stack_close(struct nodelocal_cpu *cpu, struct nodelocal_stack *stack)
{
	const struct nslab_env *env = cpu->base.heap->env;
	struct nslab_page *slots;

	if (!nodelocal_stack_is_open(cpu, stack))
		return;
	slots = nslab_page_of(env, stack->base);
	nodelocal_slabs_put(cpu, stack->s, cpu->base.node, (size_t)(stack->top - stack->base),
			    stack->base + 1);
	nodelocal_stack_resize(cpu, stack, 0);
	nodelocal_stack_reset(cpu, stack);
	env->free_pages(env, &cpu->base, slots, 0);
}

/* Closes stacks in turn until `bytes` more fit under the bound. */
static void nodelocal_make_room(struct nodelocal_cpu *cpu, size_t bytes)
{
	while (cpu->stack_bytes + bytes > NODELOCAL_STACK_BYTES) {
		cpu->hand = cpu->hand + 1 < cpu->nr_stacks ? cpu->hand + 1 : 1;
		nodelocal_stack_close(cpu, &cpu->stacks[cpu->hand]);
	}
}

static uint32_t nodelocal_least_capacity(const struct nodelocal_cache *s)
{
	return 2 * s->batch_objects < s->stack_objects ? 2 * s->batch_objects : s->stack_objects;
}

static bool nodelocal_stack_open(struct nodelocal_cpu *cpu, struct nodelocal_stack *stack)
{
	const struct nslab_env *env = cpu->base.heap->env;
	struct nodelocal_cache *s = stack->s;
	uint32_t capacity = nodelocal_least_capacity(s);
	struct nslab_page *slots;

	if (nodelocal_stack_is_open(cpu, stack))
		return true;
	if (!s->stack_objects)
		return false;
	nodelocal_make_room(cpu, (size_t)capacity * s->base.size);
	slots = env->alloc_pages(env, &cpu->base, 0, GFP_NOWAIT, cpu->base.node);
	if (!slots)
		return false;
	stack->base = nslab_page_address(env, slots);
	stack->base[0] = NULL;
	stack->top = stack->base;
	nodelocal_stack_resize(cpu, stack, capacity);
	return true;
}

/* A stack that runs both empty and full swings by more than it holds: it gets twice as much. */
static bool nodelocal_stack_grow(struct nodelocal_cpu *cpu, struct nodelocal_stack *stack)
{
	uint32_t capacity = 2 * stack->capacity;
	size_t bytes;

	if (!stack->is_short || stack->capacity >= stack->s->stack_objects)
		return false;
	if (capacity > stack->s->stack_objects)
		capacity = stack->s->stack_objects;
	bytes = (size_t)(capacity - stack->capacity) * stack->s->base.size;
	if (cpu->stack_bytes + bytes > NODELOCAL_STACK_BYTES)
		return false;
	stack->is_short = false;
	nodelocal_stack_resize(cpu, stack, capacity);
	return true;
}

/* One batch leaves the stack. */
static void nodelocal_spill_batch(struct nodelocal_cpu *cpu, struct nodelocal_stack *stack)
{
	struct nodelocal_cache *s = stack->s;
	struct nodelocal_node *node = s->node[cpu->base.node];
	struct nodelocal_batch *batch = nodelocal_batch_get(cpu);
	struct nodelocal_batch *surplus;
	unsigned nr = s->batch_objects;
	struct nslab_list freed;

	nslab_list_init(&freed);
	stack->top -= nr;
	if (batch) {
		memcpy(batch->objs, stack->top + 1, nr * sizeof(void *));
		batch->nr = (uint16_t)nr;
	}
	nodelocal_lock(node);
	if (batch)
		nodelocal_store_locked(s, node, batch, &freed);
	else
		nodelocal_put_locked(s, node, nr, stack->top + 1, &freed);
	if (node->empties) {
		cpu->spare = node->empties;
		node->empties = cpu->spare->next;
		node->nr_empties--;
	}
	surplus = nodelocal_trim_locked(node, s->depot_batches - node->nr_depot);
	nodelocal_unlock(node);
	nodelocal_slabs_release(cpu, s, &freed);
	nodelocal_batches_put(cpu, s->base.heap, surplus);
}

/*
 * Room in the full stack. When more left it since it last ran empty than any stack could have kept,
 * it is cut back to what it opened with: what it holds is of no use to such a load.
 */
static void nodelocal_spill(struct nodelocal_cpu *cpu, struct nodelocal_stack *stack)
{
	uint32_t least = nodelocal_least_capacity(stack->s);

	stack->nr_spilt += stack->s->batch_objects;
	if (stack->nr_spilt > stack->s->stack_objects && stack->capacity > least)
		nodelocal_stack_resize(cpu, stack, least);
	do {
		nodelocal_spill_batch(cpu, stack);
	} while (stack->top >= stack->limit);
}

/* The next batch of the depot, in exchange for the CPU's spare one. */
static struct nodelocal_batch *nodelocal_depot_take(struct nodelocal_cpu *cpu,
						    struct nodelocal_cache *s)
{
	struct nodelocal_node *node = s->node[cpu->base.node];
	struct nodelocal_batch *batch;
	struct nslab_list freed;

	nslab_list_init(&freed);
	nodelocal_lock(node);
	node->stat[NSLAB_STAT_ALLOC_REFILL]++;
	if (!node->depot)
		nodelocal_receive_locked(s, node, &freed);
	batch = node->depot;
	if (batch) {
		node->depot = batch->next;
		node->nr_depot--;
		if (cpu->spare && node->nr_empties < s->depot_batches) {
			cpu->spare->next = node->empties;
			node->empties = cpu->spare;
			node->nr_empties++;
			cpu->spare = NULL;
		}
	}
	nodelocal_unlock(node);
	nodelocal_slabs_release(cpu, s, &freed);
	return batch;
}

/* Fills the empty stack with one batch; false when the node has nothing or the stack no slots. */
static bool nodelocal_refill(struct nodelocal_cpu *cpu, struct nodelocal_stack *stack, gfp_t gfp)
{
	struct nodelocal_cache *s = stack->s;
	struct nodelocal_batch *batch;
	unsigned nr;

	if (!nodelocal_stack_open(cpu, stack))
		return false;
	stack->is_short = true;
	stack->nr_spilt = 0;
	batch = nodelocal_depot_take(cpu, s);
	if (batch) {
		nr = batch->nr;
		memcpy(stack->base + 1, batch->objs, nr * sizeof(void *));
		batch->nr = 0;
		batch->next = NULL;
		nodelocal_batches_put(cpu, s->base.heap, batch);
	} else {
		nr = nodelocal_slabs_take(cpu, s, gfp, cpu->base.node, s->batch_objects,
					  stack->base + 1);
	}
	stack->top = stack->base + nr;
	return nr > 0;
}

#endif
