/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock.h: a spinlock with a rank.
 *
 * A thread may take a lock only when its rank is HIGHER than that of every lock it holds. With
 * NSLAB_DEBUG_LOCKS that is checked at every acquisition, so the lock order written at the top of
 * each file is executable. The rank of each lock in the project:
 *
 *	NSLAB_RANK_AREA   one range being claimed at a time (CMA): outermost, callbacks run under it
 *	NSLAB_RANK_CACHE  a cache's or heap's own lock (control side, remote queues)
 *	NSLAB_RANK_NODE   a node's list_lock
 *	NSLAB_RANK_ZONE   the page layer's zone lock: innermost, pages may be asked for under the
 *			  others
 *
 * Waiters spin briefly and then yield the PU: on a machine with more threads than PUs the holder
 * may not be running. The number of acquisitions is kept by whoever wants it, not here.
 */
#ifndef NSLAB_CORE_LOCK_H
#define NSLAB_CORE_LOCK_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

enum nslab_lock_rank {
	NSLAB_RANK_AREA = 0,
	NSLAB_RANK_CACHE = 1,
	NSLAB_RANK_NODE = 2,
	NSLAB_RANK_ZONE = 3
};

struct nslab_lock {
	atomic_uint is_held;
	unsigned rank;
};

#ifdef NSLAB_DEBUG_LOCKS
/* In lock.c: stops the program with a message when the order is violated. */
void nslab_lock_check_acquire(const struct nslab_lock *lock);
void nslab_lock_check_release(const struct nslab_lock *lock);
#else
static inline void nslab_lock_check_acquire(const struct nslab_lock *lock)
{
	(void)lock;
}
static inline void nslab_lock_check_release(const struct nslab_lock *lock)
{
	(void)lock;
}
#endif

static inline void nslab_lock_init(struct nslab_lock *lock, enum nslab_lock_rank rank)
{
	atomic_init(&lock->is_held, 0);
	lock->rank = (unsigned)rank;
}

static inline void nslab_cpu_relax(void)
{
#if defined(__x86_64__)
	__asm__ volatile("pause");
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static inline bool nslab_lock_try(struct nslab_lock *lock)
{
	if (atomic_exchange_explicit(&lock->is_held, 1, memory_order_acquire))
		return false;
	nslab_lock_check_acquire(lock);
	return true;
}

static inline void nslab_lock_acquire(struct nslab_lock *lock)
{
	unsigned spins = 0;

	while (!nslab_lock_try(lock)) {
		while (atomic_load_explicit(&lock->is_held, memory_order_relaxed)) {
			if (++spins % 128)
				nslab_cpu_relax();
			else
				sched_yield();
		}
	}
}

static inline void nslab_lock_release(struct nslab_lock *lock)
{
	nslab_lock_check_release(lock);
	/* pairs with the exchange in nslab_lock_try */
	atomic_store_explicit(&lock->is_held, 0, memory_order_release);
}

#endif
