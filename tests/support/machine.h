/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * machine.h: one allocator on a made-up machine: 8 CPUs, two on each of 4 nodes in a ring.
 *
 * Nothing of it depends on the machine that the test runs on, and one thread drives all CPUs. A
 * backend is a built-in name, or a plug-in's file.
 */
#ifndef NSLAB_TESTS_MACHINE_H
#define NSLAB_TESTS_MACHINE_H

#include "runner/world.h"

#define MACHINE_CPUS  8
#define MACHINE_NODES 4

struct machine {
	struct nslab_registry *registry;
	const struct nslab_allocator_ops *ops;
	const struct nslab_page_ops *page;
	bool is_debug;		   /* behind the debug layer; set it before machine_open() */
	struct nslab_world *world; /* NULL: closed */
	const struct nslab_env *env;
	struct nslab_heap *heap;
	struct nslab_cpu *cpu[MACHINE_CPUS]; /* CPU i is of node i / 2; NULL: offline */
	unsigned nr_reports;		     /* notes aside */
	char report[256];		     /* the first of them */
};

/* Finds the backend; the text of an error goes to stderr. */
int machine_find(struct machine *m, const char *name, const char *plugin);
void machine_forget(struct machine *m);

/* A world of node_bytes per node, with all CPUs online. */
int machine_open(struct machine *m, size_t node_bytes, uint64_t seed);
/* Takes the CPUs offline and closes the world, which then reports what is still held. */
void machine_close(struct machine *m);

int machine_online(struct machine *m, int cpu);
void machine_offline(struct machine *m, int cpu);
void machine_quiesce(struct machine *m);

struct nslab_world_usage machine_usage(const struct machine *m);

static inline bool machine_has(const struct machine *m, uint64_t caps)
{
	return (m->ops->caps & caps) == caps;
}

/* Everything left to the backend. */
struct nslab_cache_spec machine_spec(const char *name, size_t object_size);

#endif
