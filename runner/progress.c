/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * progress.c: how far a run is, and how long it will take.
 *
 * On a terminal: one line that is rewritten, with a bar, the trial, the rate and the time left. In
 * a file or pipe: a plain line at most every ten seconds, so that logs stay short.
 *
 * Cells differ in length, and a block runs them one after the other, so a mean over all trials
 * would swing with every block. Each trial to come is taken to last what its own cell took so far,
 * or, as long as that has none, the mean of the cells that have. What a run does between trials
 * (waiting for a calm host, running disturbed blocks again) is added in proportion. Trials that an
 * earlier run finished count as done, and tell nothing of time.
 */
#define _GNU_SOURCE
#include "runner/progress.h"

#include "core/paint.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH     20
#define LINE_EVERY_NS UINT64_C(10000000000)

struct progress_cell {
	uint64_t sum_ns;
	size_t nr_timed, nr_done;
};

int nslab_progress_start(struct nslab_progress *progress, FILE *out,
			 const struct nslab_clock *clock, size_t nr_cells, size_t nr_rounds)
{
	*progress = (struct nslab_progress){
		.out = out,
		.is_terminal = out && isatty(fileno(out)),
		.clock = clock,
		.cells = calloc(nr_cells + 1, sizeof(*progress->cells)),
		.nr_rounds = nr_rounds,
		.nr_total = nr_cells * nr_rounds,
		.start_ns = nslab_now_ns(clock),
	};
	progress->last_line_ns = progress->start_ns;
	if (!progress->cells)
		return -ENOMEM;
	progress->nr_cells = nr_cells;
	return 0;
}

uint64_t nslab_progress_left_ns(const struct nslab_progress *p)
{
	double spent_ns = (double)(nslab_now_ns(p->clock) - p->start_ns);
	double timed_ns = 0, means_ns = 0, left_ns = 0;
	size_t nr_unknown = 0, nr_known = 0;

	for (size_t i = 0; i < p->nr_cells; i++) {
		const struct progress_cell *cell = &p->cells[i];
		size_t nr_left = p->nr_rounds - cell->nr_done;
		double mean_ns = 0;

		if (!cell->nr_timed) {
			nr_unknown += nr_left;
			continue;
		}
		mean_ns = (double)cell->sum_ns / (double)cell->nr_timed;
		timed_ns += (double)cell->sum_ns;
		means_ns += mean_ns;
		nr_known++;
		left_ns += mean_ns * (double)nr_left;
	}
	if (!nr_known || timed_ns <= 0)
		return 0;
	left_ns += (double)nr_unknown * means_ns / (double)nr_known;
	if (p->limit_ns)
		left_ns = fmin(left_ns, fmax((double)p->limit_ns - timed_ns, 0));
	return (uint64_t)(left_ns * (spent_ns > timed_ns ? spent_ns / timed_ns : 1));
}

static void draw(const struct nslab_progress *p, const char *what)
{
	static const char full[] = "####################";
	double seconds = (double)(nslab_now_ns(p->clock) - p->start_ns) / 1e9;
	int filled = (int)(p->nr_done * BAR_WIDTH / (p->nr_total ? p->nr_total : 1));
	double rate = seconds > 0 ? (double)p->nr_timed / seconds : 0;
	uint64_t left_s = nslab_progress_left_ns(p) / UINT64_C(1000000000);

	fprintf(p->out, "%s[", p->is_terminal ? "\r" : "");
	nslab_paint(p->out, NSLAB_PAINT_GOOD, "%.*s", filled, full);
	fprintf(p->out, "%*s] %zu/%zu %.1f/s %llu:%02llu left  %-28.28s%s", BAR_WIDTH - filled, "",
		p->nr_done, p->nr_total, rate, (unsigned long long)left_s / 60,
		(unsigned long long)left_s % 60, what, p->is_terminal ? "" : "\n");
	fflush(p->out);
}

void nslab_progress_begin(struct nslab_progress *progress)
{
	progress->trial_ns = nslab_now_ns(progress->clock);
	progress->is_begun = true;
}

void nslab_progress_step(struct nslab_progress *progress, size_t cell, const char *what)
{
	uint64_t now_ns = nslab_now_ns(progress->clock);
	bool is_timed = progress->is_begun;

	progress->nr_done++;
	progress->nr_timed += is_timed;
	if (cell < progress->nr_cells) {
		progress->cells[cell].nr_done++;
		progress->cells[cell].nr_timed += is_timed;
		progress->cells[cell].sum_ns += is_timed ? now_ns - progress->trial_ns : 0;
	}
	progress->is_begun = false;
	if (!progress->out)
		return;
	if (!progress->is_terminal && now_ns - progress->last_line_ns < LINE_EVERY_NS)
		return;
	progress->last_line_ns = now_ns;
	draw(progress, what);
}

void nslab_progress_drop(struct nslab_progress *progress, size_t cell)
{
	progress->is_begun = false;
	if (cell >= progress->nr_cells)
		return;
	progress->nr_total -= progress->nr_rounds - progress->cells[cell].nr_done;
	progress->cells[cell].nr_done = progress->nr_rounds;
}

static void clear(const struct nslab_progress *progress)
{
	if (progress->out && progress->is_terminal)
		fprintf(progress->out, "\r%79s\r", "");
}

void nslab_progress_say(struct nslab_progress *progress, const char *format, ...)
{
	va_list args;

	if (!progress->out)
		return;
	clear(progress);
	va_start(args, format);
	vfprintf(progress->out, format, args);
	va_end(args);
	fputc('\n', progress->out);
	fflush(progress->out);
}

void nslab_progress_end(struct nslab_progress *progress)
{
	clear(progress);
	free(progress->cells);
	progress->cells = NULL;
	progress->nr_cells = 0;
}
