/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock.c: the lock order, checked.
 *
 * Each thread counts the locks it holds by rank. An acquisition that is not above all of them is a
 * bug in the program, whether or not it deadlocks today, so it stops there. Compiled in only with
 * NSLAB_DEBUG_LOCKS; the release build keeps no ranks.
 */
#include "core/lock.h"

#ifdef NSLAB_DEBUG_LOCKS
# include <stdio.h>
# include <stdlib.h>

static _Thread_local unsigned held_by_rank[8];

void nslab_lock_check_acquire(const struct nslab_lock *lock)
{
	for (unsigned rank = lock->rank; rank < 8; rank++) {
		if (held_by_rank[rank]) {
			fprintf(stderr, "lock order: rank %u asked for while rank %u is held\n",
				lock->rank, rank);
			abort();
		}
	}
	held_by_rank[lock->rank]++;
}

void nslab_lock_check_release(const struct nslab_lock *lock)
{
	held_by_rank[lock->rank]--;
}
#else
typedef int nslab_lock_is_unchecked; /* a translation unit may not be empty */
#endif
