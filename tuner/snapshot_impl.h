/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * snapshot_impl.h: what the readers of snapshots share; nobody else includes it.
 *
 * A reader makes an empty snapshot, adds caches (each checked, so that the error can name its
 * line), fills in what its source tells of the machine, and finishes it.
 */
#ifndef NSLAB_TUNER_SNAPSHOT_IMPL_H
#define NSLAB_TUNER_SNAPSHOT_IMPL_H

#include "runner/slab_table.h"
#include "tuner/snapshot.h"

#include <stdio.h>

#define NSLAB_TUNER_CPUS_MAX  8192
#define NSLAB_TUNER_NODES_MAX 1024

/*
 * Nothing is known: numbers of the machine are 0, texts "", kernel NSLAB_NR_ORDER_KERNELS. NULL
 * when memory is out.
 */
struct nslab_tuner_snapshot *nslab_tuner_snapshot_new(const char *source);

/* A cache of which only the name is known; valid until the next one is added. NULL: no memory. */
struct nslab_tuner_cache *nslab_tuner_snapshot_add(struct nslab_tuner_snapshot *snapshot,
						   const char *name);
int nslab_tuner_snapshot_add_alias(struct nslab_tuner_cache *cache, const char *name);
/* One line for the user; the same line is kept once. Without memory it is lost. */
void nslab_tuner_snapshot_note(struct nslab_tuner_snapshot *snapshot, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Replaces *text. 0 or -ENOMEM. */
int nslab_tuner_snapshot_text(char **text, const char *value);

/* The flag (SLAB_HWCACHE_ALIGN, ...) of a column that is yes or no; 0: it has none. */
unsigned nslab_tuner_snapshot_flag(enum nslab_slab_column column);

/* -EINVAL for a cache that no kernel can have. */
int nslab_tuner_snapshot_check(const struct nslab_tuner_cache *cache, struct nslab_err *err);

/* -EINVAL when the snapshot is of another architecture than this program; unknown is fine. */
int nslab_tuner_snapshot_arch(const struct nslab_tuner_snapshot *snapshot, struct nslab_err *err);

/* Keeps the words of a kernel command line that are about slabs. 0 or -ENOMEM. */
int nslab_tuner_snapshot_cmdline(struct nslab_tuner_snapshot *snapshot, const char *cmdline);

/*
 * Takes from given what the source did not tell, finds the kernel's rules and what its command line
 * changes of them, computes what caches do not tell, and sorts. -EINVAL when kernel or CPUs remain
 * unknown, when given contradicts the source, and for two caches of one name.
 */
int nslab_tuner_snapshot_finish(struct nslab_tuner_snapshot *snapshot,
				const struct nslab_tuner_given *given, struct nslab_err *err);
/* The part of it that is about rules: snapshot_kernel.c. */
int nslab_tuner_snapshot_rules(struct nslab_tuner_snapshot *snapshot,
			       const struct nslab_tuner_given *given, struct nslab_err *err);

/* Readers of one source each; they add to the snapshot. path is what errors call it. */
int nslab_tuner_snapshot_rows(struct nslab_tuner_snapshot *snapshot, const char *path,
			      const struct nslab_slab_table *table, struct nslab_err *err);
int nslab_tuner_snapshot_slabinfo(struct nslab_tuner_snapshot *snapshot, const char *path,
				  FILE *file, struct nslab_err *err);
int nslab_tuner_snapshot_parse_json(struct nslab_tuner_snapshot *snapshot, const char *path,
				    const char *text, size_t bytes, struct nslab_err *err);

/* The file of that text, whichever kind it is: nslab_tuner_snapshot_read() without the disk. */
int nslab_tuner_snapshot_parse(const char *path, const char *text, size_t bytes,
			       const struct nslab_tuner_given *given,
			       struct nslab_tuner_snapshot **snapshot, struct nslab_err *err);

#endif
