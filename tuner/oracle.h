/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle.h: a real kernel, booted in QEMU with a command line, and what it says of its caches, held
 * against what was predicted.
 */
#ifndef NSLAB_TUNER_ORACLE_H
#define NSLAB_TUNER_ORACLE_H

#include "tuner/tuner.h"

#include <stdio.h>

struct nslab_tuner_oracle_options {
	const char
		*kernel; /* vmlinuz, "6.1" or "6.12"; NULL: the series with the snapshot's rule */
	const char *command_line; /* given as it is, knobs are what it says; NULL: that of knobs */
	const char *cache_folder; /* where fetched kernels are kept; NULL: XDG_CACHE_HOME's */
	int nr_cpus, nr_nodes;	  /* of the guest; 0: the snapshot's, at most 2 */
	const char *sysfs_script; /* run in the guest after boot, then undo; or NULL */
	const char *sysfs_undo;
	FILE *talk; /* progress; NULL: silent */
};

struct nslab_tuner_oracle_cache {
	char name[64]; /* its folder below /sys/kernel/slab */
	unsigned size; /* stride that the guest has */
	int order_guest, order_predicted;
	int objects_guest, objects_predicted;
	/* the guest's stride says nothing of the snapshot's machine: it follows CPUs or nodes */
	bool depends_on_machine;
};

struct nslab_tuner_oracle_result {
	char release[128];	/* of the kernel that booted */
	char command_line[512]; /* that was given, slab_min_objects that stands in included */
	unsigned stand_in;	/* slab_min_objects for the snapshot's CPUs; 0: none was needed */
	int nr_cpus, nr_nodes;	/* of the guest */
	size_t nr_checked, nr_wrong, nr_apart; /* apart: depends_on_machine */
	size_t nr_moved;		       /* order is not what it is without command line */
	size_t nr_known; /* caches of the snapshot that the guest has with the same stride */
	size_t nr_met;	 /* caches of the snapshot that the guest has by that name */
	struct nslab_tuner_oracle_cache *caches;
	size_t nr_caches;
	char verdict[256];    /* "confirmed", "rule confirmed on 6.12", "unconfirmed: REASON" */
	bool is_confirmed;    /* one of the first two */
	char sysfs[256];      /* "" or what applying and undoing the script did */
	bool is_sysfs_undone; /* every value was set, and afterwards was what it had been */
	uint64_t wall_ns;
};

/*
 * 0 also when the kernel disagrees (the verdict says so); -ENOTSUP without QEMU or an image, with
 * what to install. Order follows the number of CPUs in nothing but the objects that a slab should
 * hold, so slab_min_objects stands in for the snapshot's CPUs where knobs leave it automatic and
 * the guest's own count would give another.
 */
int nslab_tuner_oracle(const struct nslab_tuner_snapshot *snapshot,
		       const struct nslab_order_knobs *knobs,
		       const struct nslab_tuner_oracle_options *options,
		       struct nslab_tuner_oracle_result *result, struct nslab_err *err);
void nslab_tuner_oracle_free(struct nslab_tuner_oracle_result *result);

#endif
