/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure.c: warm-up, windows, and the reduction of a trial to one number.
 *
 * A window is a number of operations, not a time: the clock is read twice around batch(n), never
 * inside. n is found during warm-up by doubling until a batch is long enough to be timed, then
 * scaled to the wished window and jittered by 0 to 20 %, so that windows do not beat against
 * periodic noise or against the slab size.
 *
 * Workers never block on each other here. A worker that is warm keeps running unrecorded batches
 * until all are warm, and one that has its windows keeps running until all have theirs: so every
 * recorded window sees the full contention, and a producer never waits for a consumer that sits in
 * a barrier. The last worker to finish raises is_stopping, which lets blocked batches return.
 */
#include "runner/measure.h"

#include "core/rng.h"

#include <errno.h>
#include <math.h>

#define FIRST_GUESS    64
#define JITTER_PERCENT 20

static bool meter_is_stopping(const struct nslab_meter *meter)
{
	return atomic_load_explicit(meter->is_stopping, memory_order_relaxed);
}

static int meter_check(const struct nslab_meter *meter, size_t ops)
{
	if (meter_is_stopping(meter))
		return -ECANCELED;
	return ops ? 0 : -ENODATA;
}

/* Runs for warmup_ns; *nr_ops becomes the operations that fill one window. */
static int meter_warm_up(struct nslab_meter *meter, struct nslab_timed *timed, size_t *nr_ops)
{
	uint64_t start = nslab_now_ns(meter->clock);
	size_t n = FIRST_GUESS;

	for (;;) {
		uint64_t before = nslab_now_ns(meter->clock);
		size_t ops = timed->batch(timed, n);
		uint64_t now = nslab_now_ns(meter->clock);
		uint64_t ns = now - before;
		int rc = meter_check(meter, ops);

		if (rc)
			return rc;
		if (ns < meter->window_ns / 8) {
			n *= 2;
			continue;
		}
		n = (size_t)((double)ops * (double)meter->window_ns / (double)ns) + 1;
		if (now - start >= meter->warmup_ns) {
			*nr_ops = n;
			return 0;
		}
		if (n > ops)
			n = ops; /* keep warm-up batches short: the end is not overrun by much */
	}
}

/* Counts this worker in `count` and keeps the load up until everybody is counted. */
static int meter_wait(struct nslab_meter *meter, struct nslab_timed *timed, atomic_int *count,
		      size_t n)
{
	atomic_fetch_add_explicit(count, 1, memory_order_acq_rel);
	while (atomic_load_explicit(count, memory_order_acquire) < meter->nr_workers) {
		int rc = meter_check(meter, timed->batch(timed, n));

		if (rc)
			return rc;
	}
	return 0;
}

static int meter_window(struct nslab_meter *meter, struct nslab_timed *timed, size_t n,
			struct nslab_window *window)
{
	uint64_t cpu_ns = nslab_thread_cpu_ns(meter->clock);
	uint64_t ns = nslab_now_ns(meter->clock);
	size_t ops = timed->batch(timed, n);

	window->ns = nslab_now_ns(meter->clock) - ns;
	window->cpu_ns = nslab_thread_cpu_ns(meter->clock) - cpu_ns;
	window->ops = ops;
	return meter_check(meter, ops);
}

static int meter_windows(struct nslab_meter *meter, struct nslab_timed *timed, uint64_t seed,
			 size_t n, struct nslab_window *windows)
{
	for (int i = 0; i < meter->nr_windows; i++) {
		size_t jitter = n * nslab_rng_below(&seed, JITTER_PERCENT + 1) / 100;
		int rc;

		windows[i].index = i;
		rc = meter_window(meter, timed, n + jitter, &windows[i]);
		if (rc)
			return rc;
	}
	return 0;
}

int nslab_meter_run(struct nslab_meter *meter, struct nslab_timed *timed, uint64_t seed,
		    struct nslab_meter_hooks *hooks, struct nslab_window *windows)
{
	size_t n;
	int rc = meter_warm_up(meter, timed, &n);

	if (rc)
		return rc;
	rc = meter_wait(meter, timed, &meter->nr_warm, n / 16 + 1);
	if (rc)
		return rc;
	hooks->on_start(hooks);
	rc = meter_windows(meter, timed, seed, n, windows);
	hooks->on_stop(hooks);
	if (rc)
		return rc;
	if (atomic_fetch_add_explicit(&meter->nr_done, 1, memory_order_acq_rel) + 1 ==
	    meter->nr_workers) {
		hooks->on_all_done(hooks);
		atomic_store_explicit(meter->is_stopping, true, memory_order_release);
		return 0;
	}
	while (!meter_is_stopping(meter)) {
		if (!timed->batch(timed, n / 16 + 1) && !meter_is_stopping(meter))
			return -ENODATA;
	}
	return 0;
}

static double worker_rate(const struct nslab_window *windows, size_t nr_windows, int worker,
			  enum nslab_statistic statistic, double *scratch)
{
	size_t n = 0;

	for (size_t i = 0; i < nr_windows; i++) {
		if (windows[i].worker == worker && windows[i].is_counted && windows[i].ops)
			scratch[n++] = (double)windows[i].ns / (double)windows[i].ops;
	}
	return n ? 1 / nslab_reduce(scratch, n, statistic) : 0;
}

double nslab_trial_ns_per_op(const struct nslab_window *windows, size_t nr_windows,
			     enum nslab_statistic statistic, double *scratch)
{
	double rate = 0;
	int nr_counted = 0;
	int last_worker = -1;

	for (size_t i = 0; i < nr_windows; i++) {
		if (windows[i].worker > last_worker)
			last_worker = windows[i].worker;
	}
	for (int worker = 0; worker <= last_worker; worker++) {
		double r = worker_rate(windows, nr_windows, worker, statistic, scratch);

		rate += r;
		nr_counted += r > 0;
	}
	return nr_counted ? nr_counted / rate : NAN;
}
