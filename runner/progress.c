/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * progress.c: how far a run is.
 *
 * On a terminal: one line that is rewritten, with a bar, the trial, the rate and the time left. In
 * a file or pipe: a plain line at most every ten seconds, so that logs stay short. Time left is the
 * mean time per finished trial times the trials to come: families differ little in length.
 */
#define _GNU_SOURCE
#include "runner/progress.h"

#include "core/clock.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH     20
#define LINE_EVERY_NS UINT64_C(10000000000)

void nslab_progress_start(struct nslab_progress *progress, FILE *out, size_t nr_total)
{
	*progress = (struct nslab_progress){
		.out = out,
		.is_terminal = out && isatty(fileno(out)),
		.nr_total = nr_total,
		.start_ns = nslab_now_ns(&nslab_real_clock),
	};
	progress->last_line_ns = progress->start_ns;
}

static void draw(const struct nslab_progress *p, const char *what, double seconds)
{
	static const char full[] = "####################";
	int filled = (int)(p->nr_done * BAR_WIDTH / (p->nr_total ? p->nr_total : 1));
	double rate = seconds > 0 ? (double)p->nr_done / seconds : 0;
	double left = rate > 0 ? (double)(p->nr_total - p->nr_done) / rate : 0;

	fprintf(p->out, "%s[%.*s%*s] %zu/%zu %.1f/s %d:%02d left  %-28.28s%s",
		p->is_terminal ? "\r" : "", filled, full, BAR_WIDTH - filled, "", p->nr_done,
		p->nr_total, rate, (int)left / 60, (int)left % 60, what,
		p->is_terminal ? "" : "\n");
	fflush(p->out);
}

void nslab_progress_step(struct nslab_progress *progress, const char *what)
{
	uint64_t now_ns = nslab_now_ns(&nslab_real_clock);

	progress->nr_done++;
	if (!progress->out)
		return;
	if (!progress->is_terminal && now_ns - progress->last_line_ns < LINE_EVERY_NS)
		return;
	progress->last_line_ns = now_ns;
	draw(progress, what, (double)(now_ns - progress->start_ns) / 1e9);
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
}
