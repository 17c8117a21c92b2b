/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tune.h: changes settings of a host for measuring, and takes the changes back.
 *
 * Only files of one short table are ever written, and every byte they held is in the undo file
 * before the first of them is.
 */
#ifndef NSLAB_HOST_TUNE_H
#define NSLAB_HOST_TUNE_H

#include "runner/host/undo.h"

#define NSLAB_HOST_LEAVE LONG_MIN /* of a long below: do not touch it */

struct nslab_host_tuning {
	bool is_smt_off;	  /* takes the second thread of each core offline */
	long latency_most_us;	  /* C-states that take longer to leave are disabled */
	long perf_event_paranoid; /* lower ones weaken a protection */
};

struct nslab_host_change {
	char *path;
	char *old; /* what the file holds */
	size_t old_bytes;
	char old_word[64], new_word[64]; /* as a person says it: "powersave", "performance" */
};

struct nslab_host_changes {
	size_t nr, room;
	struct nslab_host_change *changes;
};

/* What would be written; files that are absent or fine already are left out. Free it in any case.
 */
int nslab_host_tune_plan(const struct nslab_host_root *root, const struct nslab_host_tuning *tuning,
			 struct nslab_host_changes *changes, struct nslab_err *err);
void nslab_host_changes_free(struct nslab_host_changes *changes);

/*
 * Writes the undo file UNDO, then the settings. What an undo file of the same root and boot holds
 * already stays as it is; one of an earlier boot is replaced, since its settings are gone; one of
 * another root is refused. When a write fails, or is not to be seen afterwards, those before it are
 * taken back and the undo file is as it was.
 */
int nslab_host_tune_apply(const struct nslab_host_root *root, const char *undo,
			  const struct nslab_host_changes *changes, struct nslab_err *err);

/* Restores and removes UNDO; *nr: files. -ENOENT, -EINVAL: no undo file, or not one for this root
 * and boot, and nothing was written. Other errors: the undo file is kept. */
int nslab_host_tune_reset(const struct nslab_host_root *root, const char *undo, size_t *nr,
			  struct nslab_err *err);

/* $XDG_STATE_HOME/numaslab/env-undo, else below $HOME/.local/state. */
int nslab_host_undo_path(char *path, size_t path_bytes, struct nslab_err *err);

#endif
