/* SPDX-License-Identifier: GPL-2.0-only */
/* progress.h: a bar on a terminal, a plain line now and then elsewhere. Always on stderr. */
#ifndef NSLAB_PROGRESS_H
#define NSLAB_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct nslab_progress {
	FILE *out; /* NULL: silent */
	bool is_terminal;
	size_t nr_done, nr_total;
	uint64_t start_ns, last_line_ns;
};

void nslab_progress_start(struct nslab_progress *progress, FILE *out, size_t nr_total);
/* One more trial is done; `what` names it. */
void nslab_progress_step(struct nslab_progress *progress, const char *what);
/* A line of talk that does not collide with the bar. */
void nslab_progress_say(struct nslab_progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void nslab_progress_end(struct nslab_progress *progress);

#endif
