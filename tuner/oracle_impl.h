/* SPDX-License-Identifier: GPL-2.0-only */
/* oracle_impl.h: what the oracle's judgement needs of its guest. */
#ifndef NSLAB_TUNER_ORACLE_IMPL_H
#define NSLAB_TUNER_ORACLE_IMPL_H

#include "runner/slab_table.h"
#include "tuner/oracle.h"

#include <limits.h>

/* A guest that is to be booted, and what it left. */
struct nslab_oracle_guest {
	const char *series; /* "6.1": fetched; or NULL: file */
	const char *file;   /* vmlinuz */
	const char *cache_folder;
	const char *command_line;
	int nr_cpus, nr_nodes;
	const char *sysfs_script, *sysfs_undo; /* or NULL */
	FILE *talk;
	/* filled in by the boot */
	char release[128];
	struct nslab_slab_table booted, applied, undone; /* the last two only with a script */
	int apply_status, undo_status;
	char script_text[200]; /* last line that a script which failed said */
	char why[160];	       /* the guest did not get to its end; "" it did */
};

/*
 * Boots, reads, shuts down. 0 also when the guest died (why says so); -ENOTSUP with what is
 * missing. To be freed also after an error.
 */
int nslab_oracle_guest_run(struct nslab_oracle_guest *guest, struct nslab_err *err);
void nslab_oracle_guest_free(struct nslab_oracle_guest *guest);

#endif
