/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * snapshot.h: what the tuner knows of a machine: its CPUs and nodes, its kernel, free blocks of
 * the page allocator, and every slab cache with its attributes and how full it is.
 *
 * It is read from a running machine (/sys, /proc), from a file that `numaslab snapshot` wrote, from
 * a table of sysfs attributes or the text of /proc/slabinfo, from a trace, or it is made from
 * caches that were spelled out. It is small and holds no secrets: no names but those of caches, no
 * addresses, no processes. Caches that the kernel merged are one cache with several names, since
 * whatever is set for one is set for all.
 */
#ifndef NSLAB_TUNER_SNAPSHOT_H
#define NSLAB_TUNER_SNAPSHOT_H

#include "allocators/common/order.h"
#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define NSLAB_TUNER_ORDERS  (NSLAB_MAX_ORDER + 1)
#define NSLAB_TUNER_UNKNOWN (-1) /* of an integer attribute: not told, which is not 0 */

struct nslab_tuner_cache {
	char *name;   /* that people know: slabinfo's, the first of its aliases, or the folder's */
	char *folder; /* below /sys/kernel/slab: ":0000064" for merged caches; what one writes to */
	char **aliases; /* every name of a merged cache, sorted; none for one that was not */
	size_t nr_aliases;
	unsigned object_size, size, align; /* bytes; size: from one object to the next */
	unsigned flags;		      /* SLAB_HWCACHE_ALIGN, _RECLAIM_ACCOUNT, _CACHE_DMA, ... */
	bool has_ctor, is_debug;      /* debug caches have no per-CPU slabs */
	int order, objects;	      /* of a slab now; NSLAB_TUNER_UNKNOWN */
	int min_partial, cpu_partial; /* slabs a node keeps; objects a CPU keeps; or UNKNOWN */
	int sheaf_capacity;	      /* objects; 0: none; or UNKNOWN */
	int64_t live;		      /* objects in use, or UNKNOWN */
	int64_t total;		      /* objects that the slabs have room for, or UNKNOWN */
	int64_t nr_slabs, nr_partial; /* slabs, and those on partial lists; or UNKNOWN */
	double allocs_per_s, frees_per_s; /* NaN: unknown */
	double remote_share;		  /* of frees, on another CPU than the allocation; NaN */
};

struct nslab_tuner_snapshot {
	char *source;			/* "this machine", or the file's path as it was given */
	char *release;			/* "6.1.0-56-cloud-amd64"; "" unknown */
	enum nslab_order_kernel kernel; /* whose rules hold */
	char *arch;			/* "x86_64" */
	char *cmdline_slab;		/* the boot parameters of slabs in force, "" for none */
	struct nslab_order_knobs knobs; /* what they say */
	int nr_cpus, nr_nodes;		/* CPUs: present ones, as the order rule counts them */
	int *cpu_nodes;			/* [nr_cpus] node of each CPU; NULL when not told */
	int64_t *node_mib;		/* [nr_nodes]; NULL when not told */
	bool has_free_blocks;
	uint64_t free_blocks[NSLAB_TUNER_ORDERS]; /* of all zones together, by order */
	char *taken_at;				  /* UTC, "" unknown; never part of an advice */
	size_t nr_caches;
	struct nslab_tuner_cache *caches; /* in order of their names */
	/* what could not be read, and what would help: one line each, for the user */
	char **notes;
	size_t nr_notes;
};

/*
 * What is said by the user where the source does not tell; negative or NULL: nothing. -EINVAL where
 * it contradicts the source.
 */
struct nslab_tuner_given {
	int nr_cpus, nr_nodes;
	const char *kernel; /* "6.1", "6.12", "6.18", or a release such as 6.12.48 */
};

/*
 * A running machine. sysroot: "" or the folder of a fixture tree with /sys and /proc. Without
 * permission to read /sys/kernel/slab /proc/slabinfo serves, and without that -EACCES says what
 * would help.
 */
int nslab_tuner_snapshot_take(const char *sysroot, const struct nslab_tuner_given *given,
			      struct nslab_tuner_snapshot **snapshot, struct nslab_err *err);

/*
 * A file: JSON of `numaslab snapshot`, a table with tabs, or slabinfo text, told apart by their
 * first line. -EINVAL names file and line: another architecture or page size, missing columns,
 * sizes that contradict each other, a kernel whose rules are not known, CPUs that nobody told.
 */
int nslab_tuner_snapshot_read(const char *path, const struct nslab_tuner_given *given,
			      struct nslab_tuner_snapshot **snapshot, struct nslab_err *err);

/*
 * The caches of a trace's kernel, with rates, live objects and the share of remote frees as the
 * trace has them. -EINVAL for a trace without sysfs attributes; `given` helps as above.
 */
int nslab_tuner_snapshot_of_trace(const char *path, const struct nslab_tuner_given *given,
				  struct nslab_tuner_snapshot **snapshot, struct nslab_err *err);

/*
 * Explicit caches: NULL-terminated "name=N,size=BYTES,live=OBJECTS,rate=PER_S[,object_size=BYTES,
 * align=BYTES,order=N,remote=0..1]". nr_cpus and kernel must be given.
 */
int nslab_tuner_snapshot_make(const char *const *caches, const struct nslab_tuner_given *given,
			      struct nslab_tuner_snapshot **snapshot, struct nslab_err *err);

/* What `numaslab snapshot` writes; NULL when memory is out. Equal snapshots give equal bytes. */
json_t *nslab_tuner_snapshot_json(const struct nslab_tuner_snapshot *snapshot);

/* Writes that, one cache on each line. */
int nslab_tuner_snapshot_write(const struct nslab_tuner_snapshot *snapshot, FILE *out,
			       struct nslab_err *err);

void nslab_tuner_snapshot_free(struct nslab_tuner_snapshot *snapshot); /* NULL is fine */

/* The cache of that name, alias or folder; NULL. */
const struct nslab_tuner_cache *
nslab_tuner_snapshot_find(const struct nslab_tuner_snapshot *snapshot, const char *name);

#endif
