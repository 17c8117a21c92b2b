/* SPDX-License-Identifier: GPL-2.0-only */
/* artefacts_impl.h: what the files that write artefacts share. */
#ifndef NSLAB_TUNER_ARTEFACTS_IMPL_H
#define NSLAB_TUNER_ARTEFACTS_IMPL_H

#include "tuner/artefacts.h"

#include <stdio.h>

/* One attribute of one cache that sysfs can change while the machine runs. */
struct nslab_artefact_write {
	const struct nslab_tuner_cache *cache;
	const char *file; /* "cpu_partial" */
	int now, then;
};

/* What is written down, and the texts that several files need. */
struct nslab_artefacts {
	const struct nslab_tuner_advice *advice;
	char line[128]; /* of the advised knobs; "" for the kernel's defaults */
	bool is_booted; /* another line than that of now is advised */
	struct nslab_artefact_write *writes;
	size_t nr_writes;
	json_t *json;
};

/* The setting that is advised for a cache by itself; NULL: no change. */
const struct nslab_tuner_setting *nslab_artefact_setting(const struct nslab_tuner_group *group);

/* "dentry" or "kmalloc-64, pid (merged)": every name of the cache. */
void nslab_artefact_names(FILE *out, const struct nslab_tuner_cache *cache);

/* Each writes one file; errors are seen by the stream. */
void nslab_artefact_boot(FILE *out, const struct nslab_artefacts *a);
void nslab_artefact_apply(FILE *out, const struct nslab_artefacts *a);
void nslab_artefact_undo(FILE *out, const struct nslab_artefacts *a);
void nslab_artefact_tuned(FILE *out, const struct nslab_artefacts *a);
void nslab_artefact_patch(FILE *out, const struct nslab_artefacts *a);
void nslab_artefact_plan(FILE *out, const struct nslab_artefacts *a);

#endif
