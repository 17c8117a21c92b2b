/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * access_batch.h: put in front of a workload's unchanged file, so that each batch is counted by
 * access_plugin.c: accesses to the arena's pages, and operations.
 */
#ifndef NSLAB_TESTS_ACCESS_BATCH_H
#define NSLAB_TESTS_ACCESS_BATCH_H

#ifndef _GNU_SOURCE
# define _GNU_SOURCE
#endif
#include "tests/guest/access.h"

#include <numaslab/workload.h>
#include <sys/mman.h>

/* Fails from the second time on: then it is there. */
static inline void access_batch_map(void)
{
	mmap((void *)ACCESS_PAGE, ACCESS_PAGE_BYTES, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

static inline void access_batch_begin(const struct nslab_arena *arena)
{
	access_batch_map();
	access_send_number(ACCESS_FIRST, arena->base);
	access_send_number(ACCESS_END,
			   arena->base + ((uint64_t)arena->nr_nodes << arena->node_shift));
	access_send(ACCESS_START);
}

static inline void access_batch_end(size_t nr_operations)
{
	access_send(ACCESS_STOP);
	access_send_number(ACCESS_OPERATIONS, nr_operations);
}

#define ACCESS_BATCH_PLAIN(x, name, entry)                                                         \
 static size_t x##_##name(struct nslab_worker *worker, size_t n)                                   \
 {                                                                                                 \
  return x##_loop(worker, n, entry);                                                               \
 }

/* Other ways than a cache stay as they are: beside each cell the harness's floor is measured too.
 */
#undef NSLAB_WORKLOAD_BATCH
#define NSLAB_WORKLOAD_BATCH(x)                                                                    \
 ACCESS_BATCH_PLAIN(x, none, NSLAB_ENTRY_NONE)                                                     \
 ACCESS_BATCH_PLAIN(x, kmalloc, NSLAB_ENTRY_KMALLOC)                                               \
 ACCESS_BATCH_PLAIN(x, malloc, NSLAB_ENTRY_MALLOC)                                                 \
 static size_t x##_cache(struct nslab_worker *worker, size_t n)                                    \
 {                                                                                                 \
  size_t done;                                                                                     \
                                                                                                   \
  access_batch_begin(worker->workload->run->env->arena);                                           \
  done = x##_loop(worker, n, NSLAB_ENTRY_CACHE);                                                   \
  access_batch_end(done);                                                                          \
  return done;                                                                                     \
 }

#endif
