/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * simple_env.h: pages and metadata for a backend under test, without topology and page plug-in.
 */
#ifndef NSLAB_TESTS_SIMPLE_ENV_H
#define NSLAB_TESTS_SIMPLE_ENV_H

#include <numaslab/allocator.h>

struct simple_env;

/* nr_nodes nodes of node_bytes (a multiple of 4 MiB); 0 or -ENOMEM. */
int simple_env_open(int nr_nodes, size_t node_bytes, struct simple_env **simple);
void simple_env_close(struct simple_env *simple);

const struct nslab_env *simple_env_get(struct simple_env *simple);

/* Pages handed out and not given back, and bytes of metadata. */
uint64_t simple_env_nr_pages(struct simple_env *simple);
uint64_t simple_env_meta_bytes(struct simple_env *simple);
/* Successful and refused calls of alloc_pages so far; lines reported so far. */
uint64_t simple_env_nr_calls(struct simple_env *simple);
unsigned simple_env_nr_reports(struct simple_env *simple);
/* Refuses `nr` page allocations from call number `at` on, counted from now, 1 the next; 0: none. */
void simple_env_fail(struct simple_env *simple, uint64_t at, uint64_t nr);

#endif
