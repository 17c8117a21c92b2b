/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ring.h: objects on their way from one worker to another: one producer, one consumer.
 *
 * `tail` counts the objects put in and is stored only by the producer, `head` those taken out and
 * is stored only by the consumer. They lie on cache lines of their own and each side works from its
 * last look at the other's count, looking again only when the ring seems full or empty; who calls
 * publishes once per chunk, so that the transport costs little beside what is measured.
 *
 * Barriers: the release store of tail pairs with the consumer's acquire load (slots are written
 * before they are seen), the release store of head with the producer's (slots are read before they
 * are written again).
 */
#ifndef NSLAB_WORKLOADS_RING_H
#define NSLAB_WORKLOADS_RING_H

#include "core/lock.h"
#include "workloads/common.h"

#define NSLAB_RING_CHUNK 32u /* objects between two publications */

struct nslab_ring {
	NSLAB_ALIGNED(NSLAB_APART) atomic_size_t tail;
	NSLAB_ALIGNED(NSLAB_APART) atomic_size_t head;
	NSLAB_ALIGNED(NSLAB_APART) void **slots;
	size_t nr_slots;
	/* workers that may still touch it: the one that leaves last drains it */
	NSLAB_ALIGNED(NSLAB_APART) atomic_int nr_inside;
};

/* One side's view; private to its worker. */
struct nslab_ring_end {
	struct nslab_ring *ring;
	size_t count; /* own side: tail of a producer, head of a consumer */
	size_t other; /* the other side, as last seen */
	size_t pos;   /* slot of `count` */
};

/* The ring itself must be zeroed and aligned to NSLAB_APART. 0 or -ENOMEM. */
static inline int nslab_ring_init(struct nslab_ring *ring, size_t nr_slots)
{
	ring->nr_slots = nr_slots;
	ring->slots = nslab_apart_alloc(nr_slots * sizeof(*ring->slots));
	return ring->slots ? 0 : -ENOMEM;
}

static inline void nslab_ring_exit(struct nslab_ring *ring)
{
	free(ring->slots);
}

static inline void nslab_ring_enter(struct nslab_ring *ring, struct nslab_ring_end *end)
{
	*end = (struct nslab_ring_end){.ring = ring};
	atomic_fetch_add(&ring->nr_inside, 1);
}

/* True for the side that leaves last: both counts are final then, and what is left is its to free.
 */
static inline bool nslab_ring_leave(struct nslab_ring_end *end)
{
	return atomic_fetch_sub_explicit(&end->ring->nr_inside, 1, memory_order_acq_rel) == 1;
}

static inline size_t nslab_ring_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Slots that the producer may fill / objects that the consumer may take, as last seen. */
static inline size_t nslab_ring_room(const struct nslab_ring_end *end)
{
	return end->ring->nr_slots - (end->count - end->other);
}

static inline size_t nslab_ring_there(const struct nslab_ring_end *end)
{
	return end->other - end->count;
}

/* Looks once at the other side. */
static inline void nslab_ring_look(struct nslab_ring_end *end, atomic_size_t *other)
{
	end->other = atomic_load_explicit(other, memory_order_acquire);
}

/* Looks until the other side has moved; false when the run is stopping. */
static inline bool nslab_ring_wait(struct nslab_ring_end *end, atomic_size_t *other,
				   const atomic_bool *is_stopping)
{
	const size_t stuck = end->other;

	for (unsigned spins = 1;; spins++) {
		nslab_ring_look(end, other);
		if (end->other != stuck)
			return true;
		if (atomic_load_explicit(is_stopping, memory_order_relaxed))
			return false;
		if (spins % 256)
			nslab_cpu_relax();
		else
			sched_yield();
	}
}

/* Into the next slot / out of it; not published yet. */
static inline __attribute__((always_inline)) void nslab_ring_put(struct nslab_ring_end *end,
								 void *obj)
{
	end->ring->slots[end->pos] = obj;
	end->pos = end->pos + 1 == end->ring->nr_slots ? 0 : end->pos + 1;
	end->count++;
}

static inline __attribute__((always_inline)) void *nslab_ring_take(struct nslab_ring_end *end)
{
	void *obj = end->ring->slots[end->pos];

	end->pos = end->pos + 1 == end->ring->nr_slots ? 0 : end->pos + 1;
	end->count++;
	return obj;
}

static inline void nslab_ring_publish_tail(struct nslab_ring_end *end)
{
	atomic_store_explicit(&end->ring->tail, end->count, memory_order_release);
}

static inline void nslab_ring_publish_head(struct nslab_ring_end *end)
{
	atomic_store_explicit(&end->ring->head, end->count, memory_order_release);
}

/* After nslab_ring_leave() said so: the next object that is left, or NULL. */
static inline void *nslab_ring_drain(struct nslab_ring *ring)
{
	size_t head = atomic_load(&ring->head);

	if (head == atomic_load(&ring->tail))
		return NULL;
	atomic_store(&ring->head, head + 1);
	return ring->slots[head % ring->nr_slots];
}

#endif
