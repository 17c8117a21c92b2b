/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * topology.h: the machine as plain arrays. hwloc stays behind topology.c.
 *
 * Indices: `os_index` is what the kernel, libnuma and taskset use (sparse); `logical_index` is
 * hwloc's order. Everything else in the project refers to nodes and PUs by their position in
 * nodes[] and pus[] unless a name says os_index.
 */
#ifndef NSLAB_TOPOLOGY_H
#define NSLAB_TOPOLOGY_H

#include "core/err.h"

#include <jansson.h>
#include <numaslab/types.h>
#include <stdio.h>

enum nslab_topo_origin {
	NSLAB_TOPO_MACHINE,
	NSLAB_TOPO_XML,
	NSLAB_TOPO_SYNTHETIC
};

struct nslab_topo_source {
	enum nslab_topo_origin origin;
	const char *text; /* file name or synthetic string; NULL for the machine */
	int sim_nodes;	  /* 0, or replace the nodes by this many simulated ones */
};

enum nslab_cpu_cache_type {
	NSLAB_CPU_CACHE_DATA,
	NSLAB_CPU_CACHE_INSTRUCTION,
	NSLAB_CPU_CACHE_UNIFIED,
	NSLAB_CPU_CACHE_MEMORY_SIDE, /* level 0 */
};

struct nslab_topo_node {
	int os_index;
	int logical_index;
	bool is_memory_only;   /* no PU is at home on it, as the kernel sees it */
	uint64_t memory_bytes; /* 0 is legal */
	int nr_pus;
	int *pus; /* OS indices of the PUs local to it, ascending; several nodes may share them */
};

struct nslab_topo_pu {
	int os_index;
	int logical_index;
	int core;	/* logical index of its core; its own index when there are no cores */
	int package;	/* logical index, -1 when unknown */
	int l3;		/* index into caches[] of its L3 (else its largest CPU cache), or -1 */
	int smt;	/* rank among the PUs of its core: 0 is the first thread */
	int node;	/* index into nodes[] of its local node with memory, else the nearest; -1 */
	bool is_usable; /* allowed, and in this process's CPU mask */
	int home;	/* index into nodes[]: of the nodes local to it the one with the fewest PUs,
			 * then the lowest OS index, with memory or not; -1 when none is local */
};

struct nslab_topo_cache {
	int level; /* 1..3, 0 for memory-side */
	enum nslab_cpu_cache_type type;
	uint64_t size_bytes;
	unsigned line_bytes;
	int nr_ways; /* 0 when unknown, -1 fully associative */
	int nr_pus;
	int *pus; /* OS indices */
};

/* One hwloc memory attribute value: as hwloc gives it, i.e. for local initiators only. */
struct nslab_topo_memattr {
	const char *name;   /* "Bandwidth" (MiB/s), "Latency" (ns), ... */
	int node;	    /* index into nodes[] */
	char initiator[64]; /* cpuset list, "" when the attribute has none */
	uint64_t value;
};

struct nslab_topo {
	char source[256];  /* "this machine", "xml FILE", "synthetic STRING" */
	char machine[128]; /* CPU model, or "unknown CPU" */
	bool is_this_machine;
	bool is_simulated; /* nodes were made up by sim_nodes */
	int nr_packages, nr_cores, nr_allowed_pus;
	int nr_nodes, nr_pus, nr_caches, nr_memattrs;
	struct nslab_topo_node *nodes;
	struct nslab_topo_pu *pus;
	struct nslab_topo_cache *caches;
	struct nslab_topo_memattr *memattrs;
	bool has_distances;  /* else distances[] is 10 on the diagonal and 20 elsewhere */
	unsigned *distances; /* [from * nr_nodes + to] */
	int nr_disallowed_nodes, nr_disallowed_pus;
	int *disallowed_nodes, *disallowed_pus; /* OS indices; there, but a cpuset forbids them */
	/* known to the OS, but not in the tree: offline, memoryless, or forbidden when recorded */
	int nr_absent_nodes, nr_absent_pus;
	int *absent_nodes, *absent_pus; /* OS indices */
	char mask_note[256]; /* "" or how a CPU mask (taskset, cpuset) narrowed the PUs */
	char *hwloc_xml;     /* the topology as hwloc exports it, for the result file */
};

/* 0 or -errno with a line in err. */
int nslab_topo_load(const struct nslab_topo_source *source, struct nslab_topo **topo,
		    struct nslab_err *err);
void nslab_topo_free(struct nslab_topo *topo);

/* The JSON of `numaslab topo --json`. NULL when memory is out. */
json_t *nslab_topo_json(const struct nslab_topo *topo);

/* A picture of one screen, at most `columns` wide. */
void nslab_topo_print(const struct nslab_topo *topo, FILE *out, int columns);

/* hwloc XML, complete or not there at all. */
int nslab_topo_export(const struct nslab_topo *topo, const char *path, struct nslab_err *err);

/* Position in pus[] or nodes[] of an OS index, or -1. */
int nslab_topo_pu_index(const struct nslab_topo *topo, int os_index);
int nslab_topo_node_index(const struct nslab_topo *topo, int os_index);

#endif
