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
	const char *kernel; /* vmlinuz, or NULL: a Debian image, series by the snapshot's kernel */
	const char *cache_folder; /* where fetched kernels are kept; NULL: XDG_CACHE_HOME's */
	int nr_cpus, nr_nodes; /* of the guest; 0: at most 2, with slab_min_objects standing in */
	const char *sysfs_script; /* run in the guest after boot, then undo; or NULL */
	const char *sysfs_undo;
	FILE *talk; /* progress; NULL: silent */
};

struct nslab_tuner_oracle_cache {
	char name[64];
	unsigned size;			  /* stride that the guest has */
	int order_guest, order_predicted; /* objects are implied */
	int objects_guest, objects_predicted;
	bool depends_on_machine; /* its stride follows the number of CPUs or nodes */
};

struct nslab_tuner_oracle_result {
	char release[128];	/* of the kernel that booted */
	char command_line[512]; /* that was given, slab_min_objects that stands in included */
	int nr_cpus, nr_nodes;
	size_t nr_checked, nr_wrong, nr_apart; /* apart: depends_on_machine */
	struct nslab_tuner_oracle_cache *caches;
	size_t nr_caches;
	char verdict[256]; /* "confirmed", "rule confirmed on 6.12", "unconfirmed: REASON" */
	char sysfs[256];   /* "" or what applying and undoing the script did */
	uint64_t wall_ns;
};

/*
 * 0 also when the kernel disagrees (the verdict says so); -ENOTSUP without QEMU or an image, with
 * what to install. The host's CPU count enters by slab_min_objects when knobs leave it automatic.
 */
int nslab_tuner_oracle(const struct nslab_tuner_snapshot *snapshot,
		       const struct nslab_order_knobs *knobs,
		       const struct nslab_tuner_oracle_options *options,
		       struct nslab_tuner_oracle_result *result, struct nslab_err *err);
void nslab_tuner_oracle_free(struct nslab_tuner_oracle_result *result);

#endif
