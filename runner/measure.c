/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure.c: preconditioning, warm-up and windows.
 *
 * Preconditioning counts operations, not time: rounds of ROUND_OPS run until the allocator's
 * footprint has made no new peak for ROUNDS_STEADY rounds. A slow host then starts its windows from
 * the same state of the slabs as a fast one. A pattern that grows for ever is cut off by a time.
 *
 * A window is a row of chunks, batch(n) each, that ends with the first chunk after the wished time;
 * the clock is read between chunks, never inside. A chunk starts small and doubles, in warm-up and
 * ever after, while it lasts less than 1/CHUNKS of a window: so reading the clock costs less than
 * 0.1 % whatever disturbed the first chunks, and a slow host makes few chunks, not long windows.
 * The wished time is jittered by 0 to 20 %, so that windows do not beat against periodic noise or
 * against the slab size.
 *
 * Workers never block on each other here. A worker that is warm keeps running unrecorded chunks
 * until all are warm, and one that has its windows keeps running until all have theirs: so every
 * recorded window sees the full contention, and a producer never waits for a consumer that sits in
 * a barrier. The last worker to finish raises is_stopping, which lets blocked batches return.
 */
#include "runner/measure.h"

#include "core/rng.h"

#include <errno.h>

#define FIRST_CHUNK    64 /* operations */
#define CHUNKS	       64 /* at most about so many in a window */
#define JITTER_PERCENT 20
#define ROUND_OPS      4096
#define ROUNDS_STEADY  3

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

/*
 * Runs chunks for at least `wished` ns. *n, the operations of a chunk, grows when they are short.
 * The operations and ns go to *window.
 */
static int meter_run_for(struct nslab_meter *meter, struct nslab_timed *timed, uint64_t wished,
			 size_t *n, struct nslab_window *window)
{
	uint64_t start = nslab_now_ns(meter->clock);
	uint64_t before = start;

	window->ops = 0;
	do {
		size_t ops = timed->batch(timed, *n);
		uint64_t now = nslab_now_ns(meter->clock);
		int rc = meter_check(meter, ops);

		if (rc)
			return rc;
		window->ops += ops;
		window->ns = now - start;
		if (now - before < meter->window_ns / CHUNKS)
			*n *= 2;
		before = now;
	} while (window->ns < wished);
	return 0;
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

static int meter_windows(struct nslab_meter *meter, struct nslab_timed *timed, uint64_t seed,
			 size_t n, struct nslab_window *windows)
{
	for (int i = 0; i < meter->nr_windows; i++) {
		uint64_t jitter = nslab_rng_below(&seed, 1000 * JITTER_PERCENT);
		uint64_t wished = meter->window_ns + meter->window_ns * jitter / 100000;
		uint64_t cpu_ns = nslab_thread_cpu_ns(meter->clock);
		int rc;

		windows[i].index = i;
		rc = meter_run_for(meter, timed, wished, &n, &windows[i]);
		if (rc) {
			windows[i].ops = 0; /* cut short: not a window */
			return rc;
		}
		windows[i].cpu_ns = nslab_thread_cpu_ns(meter->clock) - cpu_ns;
	}
	return 0;
}

/* Nobody's windows see another worker's second pass. */
static int meter_second_pass(struct nslab_meter *meter, struct nslab_timed *timed,
			     struct nslab_meter_hooks *hooks, size_t n)
{
	int rc = meter_wait(meter, timed, &meter->nr_measured, n);

	return rc ? rc : hooks->on_second_pass(hooks, timed, n);
}

static int meter_round(struct nslab_meter *meter, struct nslab_timed *timed, uint64_t *ops)
{
	for (uint64_t goal = *ops + ROUND_OPS; *ops < goal;) {
		size_t done = timed->batch(timed, FIRST_CHUNK);
		int rc = meter_check(meter, done);

		if (rc)
			return rc;
		*ops += done;
	}
	return 0;
}

static int meter_precondition(struct nslab_meter *meter, struct nslab_timed *timed,
			      struct nslab_meter_hooks *hooks)
{
	uint64_t start_ns = nslab_now_ns(meter->clock);
	uint64_t peak = 0;
	int nr_steady = 0;

	hooks->precondition_ops = 0;
	hooks->is_steady = false;
	if (!meter->precondition_ns || !hooks->footprint)
		return 0;
	while (nr_steady < ROUNDS_STEADY &&
	       nslab_now_ns(meter->clock) - start_ns < meter->precondition_ns) {
		int rc = meter_round(meter, timed, &hooks->precondition_ops);
		uint64_t footprint = hooks->footprint(hooks);

		if (rc)
			return rc;
		nr_steady = footprint > peak ? 0 : nr_steady + 1;
		peak = footprint > peak ? footprint : peak;
	}
	hooks->is_steady = nr_steady == ROUNDS_STEADY;
	return 0;
}

static int meter_warm_up(struct nslab_meter *meter, struct nslab_timed *timed,
			 struct nslab_meter_hooks *hooks, size_t *n)
{
	struct nslab_window warm_up;
	int rc;

	if (hooks->on_warm_up)
		hooks->on_warm_up(hooks);
	rc = meter_run_for(meter, timed, meter->warmup_ns, n, &warm_up);
	if (hooks->on_warm)
		hooks->on_warm(hooks);
	return rc;
}

int nslab_meter_run(struct nslab_meter *meter, struct nslab_timed *timed, uint64_t seed,
		    struct nslab_meter_hooks *hooks, struct nslab_window *windows)
{
	size_t n = FIRST_CHUNK;
	int rc = meter_precondition(meter, timed, hooks);

	if (!rc)
		rc = meter_warm_up(meter, timed, hooks, &n);
	if (rc)
		return rc;
	rc = meter_wait(meter, timed, &meter->nr_warm, n);
	if (rc)
		return rc;
	hooks->on_start(hooks);
	rc = meter_windows(meter, timed, seed, n, windows);
	hooks->on_stop(hooks);
	if (!rc && hooks->on_second_pass)
		rc = meter_second_pass(meter, timed, hooks, n);
	if (rc)
		return rc;
	if (atomic_fetch_add_explicit(&meter->nr_done, 1, memory_order_acq_rel) + 1 ==
	    meter->nr_workers) {
		hooks->on_all_done(hooks);
		atomic_store_explicit(meter->is_stopping, true, memory_order_release);
		return 0;
	}
	while (!meter_is_stopping(meter)) {
		if (!timed->batch(timed, n) && !meter_is_stopping(meter))
			return -ENODATA;
	}
	return 0;
}
