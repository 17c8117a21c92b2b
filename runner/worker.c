/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * worker.c: the life of one pinned thread.
 *
 * pin -> CPU handle online -> workload's worker_init -> warm-up and windows -> park with the
 * objects still live, so that the trial can ask the kernel where the pages are and the backend for
 * its statistics while nobody allocates -> worker_exit -> CPU handle offline.
 *
 * A worker that fails raises is_stopping and still comes to both barriers: nobody waits for it.
 * The two barriers are the only blocking points, and no worker is inside a batch when it gets
 * there.
 */
#define _GNU_SOURCE
#include "runner/worker.h"

#include "core/rng.h"
#include "runner/counters/simulated.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORKER_LATENCY_STREAM 1

struct timed_worker {
	struct nslab_timed timed;
	nslab_batch_fn batch;
	struct nslab_worker *worker;
};

static size_t timed_worker_batch(struct nslab_timed *timed, size_t n)
{
	struct timed_worker *t = nslab_container_of(timed, struct timed_worker, timed);

	return t->batch(t->worker, n);
}

struct worker_hooks {
	struct nslab_meter_hooks hooks;
	struct nslab_worker_thread *thread;
	struct nslab_counters *counters;
	struct nslab_counters *warm_counters; /* a set of its own: what starts again starts at 0 */
	struct nslab_sched_counts before;
};

static void worker_on_warm_up(struct nslab_meter_hooks *hooks)
{
	struct worker_hooks *h = nslab_container_of(hooks, struct worker_hooks, hooks);

	if (h->warm_counters)
		nslab_counters_start(h->warm_counters);
}

/* Read later: between warm-up and windows nothing but the loop may touch the caches. */
static void worker_on_warm(struct nslab_meter_hooks *hooks)
{
	struct worker_hooks *h = nslab_container_of(hooks, struct worker_hooks, hooks);

	if (h->warm_counters)
		nslab_counters_stop(h->warm_counters);
}

static void worker_on_start(struct nslab_meter_hooks *hooks)
{
	struct worker_hooks *h = nslab_container_of(hooks, struct worker_hooks, hooks);

	if (h->thread->crew->is_simulated) { /* what is read from /proc would move the caches */
		nslab_simulated_toggle();
		return;
	}
	nslab_sched_counts(&h->before);
	if (h->counters)
		nslab_counters_start(h->counters);
}

static void worker_on_stop(struct nslab_meter_hooks *hooks)
{
	struct worker_hooks *h = nslab_container_of(hooks, struct worker_hooks, hooks);
	struct nslab_sched_counts *sched = &h->thread->sched;

	if (h->thread->crew->is_simulated) {
		nslab_simulated_toggle();
		return;
	}
	if (h->counters)
		nslab_counters_stop(h->counters);
	nslab_sched_counts(sched);
	sched->run_delay_ns -= h->before.run_delay_ns;
	sched->cpu_ns -= h->before.cpu_ns;
	sched->nr_involuntary_switches -= h->before.nr_involuntary_switches;
	sched->nr_voluntary_switches -= h->before.nr_voluntary_switches;
}

static uint64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	uint64_t total, resident = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%" SCNu64 " %" SCNu64, &total, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void worker_on_all_done(struct nslab_meter_hooks *hooks)
{
	struct worker_hooks *h = nslab_container_of(hooks, struct worker_hooks, hooks);

	h->thread->crew->rss_bytes = resident_bytes();
}

static int worker_on_second_pass(struct nslab_meter_hooks *hooks, struct nslab_timed *timed,
				 size_t n)
{
	struct worker_hooks *h = nslab_container_of(hooks, struct worker_hooks, hooks);

	return nslab_latency_run(h->thread->crew->latency, timed, n,
				 nslab_rng_mix(h->thread->seed, WORKER_LATENCY_STREAM),
				 h->thread->latency);
}

static uint64_t worker_footprint(struct nslab_meter_hooks *hooks)
{
	struct worker_hooks *h = nslab_container_of(hooks, struct worker_hooks, hooks);
	struct nslab_world_usage usage;

	nslab_world_usage(h->thread->crew->world, &usage);
	return usage.nr_pages;
}

/* Without memory for a set the trial goes on without. */
static struct nslab_counters *worker_open_counters(const struct nslab_crew *crew)
{
	struct nslab_counters *counters;

	return crew->has_counters && !nslab_counters_open(&counters) ? counters : NULL;
}

static int worker_take_counters(struct nslab_counters *counters,
				struct nslab_counter_reading *readings)
{
	int nr = counters ? nslab_counters_read(counters, readings, NSLAB_COUNTERS_MAX) : 0;

	if (counters)
		nslab_counters_close(counters);
	return nr;
}

static int worker_measure(struct nslab_worker_thread *thread, struct nslab_worker *worker)
{
	struct nslab_crew *crew = thread->crew;
	struct timed_worker timed = {
		.timed.batch = timed_worker_batch,
		.batch = crew->workload->ops->batch[crew->entry],
		.worker = worker,
	};
	struct worker_hooks hooks = {
		.hooks = {.on_warm_up = worker_on_warm_up,
			  .on_warm = worker_on_warm,
			  .on_start = worker_on_start,
			  .on_stop = worker_on_stop,
			  .on_all_done = worker_on_all_done,
			  .on_second_pass = crew->latency ? worker_on_second_pass : NULL,
			  .footprint = worker_footprint},
		.thread = thread,
		.counters = worker_open_counters(crew),
		.warm_counters = worker_open_counters(crew),
	};
	int rc;

	if (crew->is_simulated)
		nslab_simulated_begin();
	thread->is_counted = worker->is_counted;
	rc = nslab_meter_run(&crew->meter, &timed.timed, thread->seed, &hooks.hooks,
			     thread->windows);
	thread->precondition_ops = hooks.hooks.precondition_ops;
	thread->is_steady = hooks.hooks.is_steady;
	if (rc == -ENODATA)
		nslab_fail(&thread->err, rc,
			   "worker %d: the workload did no operation (out of "
			   "memory?)",
			   thread->index);
	thread->nr_counters = worker_take_counters(hooks.counters, thread->counters);
	thread->nr_warm_counters = worker_take_counters(hooks.warm_counters, thread->warm_counters);
	return rc == -ECANCELED ? 0 : rc;
}

static int worker_prepare(struct nslab_worker_thread *thread, struct nslab_cpu **cpu,
			  struct nslab_worker **worker)
{
	struct nslab_crew *crew = thread->crew;
	int rc = nslab_pin_self(thread->pu_os_index);

	if (rc)
		return nslab_fail(&thread->err, rc, "cannot bind worker %d to PU %d: %s",
				  thread->index, thread->pu_os_index, strerror(-rc));
	rc = nslab_world_cpu_online(crew->world, thread->index, thread->arena_node, cpu);
	if (rc)
		return nslab_fail(&thread->err, rc, "cannot bring CPU %d online: %s", thread->index,
				  strerror(-rc));
	rc = crew->workload->ops->worker_init(crew->workload, *cpu, thread->index, worker);
	if (rc)
		return nslab_fail(&thread->err, rc, "cannot prepare worker %d of '%s': %s",
				  thread->index, crew->workload->ops->name, strerror(-rc));
	return 0;
}

static void *worker_main(void *arg)
{
	struct nslab_worker_thread *thread = arg;
	struct nslab_crew *crew = thread->crew;
	struct nslab_worker *worker = NULL;
	struct nslab_cpu *cpu = NULL;
	int rc = worker_prepare(thread, &cpu, &worker);

	if (!rc)
		rc = worker_measure(thread, worker);
	if (rc)
		atomic_store_explicit(crew->meter.is_stopping, true, memory_order_release);
	if (worker) /* the trial looks at what is left when everything has gone home */
		cpu->ops->quiesce(cpu);
	pthread_barrier_wait(&crew->parked);
	pthread_barrier_wait(&crew->released);
	if (worker)
		crew->workload->ops->worker_exit(worker);
	if (cpu)
		nslab_world_cpu_offline(crew->world, cpu);
	return NULL;
}

int nslab_worker_start(struct nslab_worker_thread *worker)
{
	return -pthread_create(&worker->thread, NULL, worker_main, worker);
}

void nslab_worker_join(struct nslab_worker_thread *worker)
{
	pthread_join(worker->thread, NULL);
}
