/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure_probe.c: the probe that really measures this machine.
 *
 * Memory is an arena with one part for each node, bound before it is touched. A reader is a thread
 * pinned to one PU: it links the part's lines into one random cycle through all of them, so that
 * neither a CPU cache nor a prefetcher helps, and follows it; then it reads the part from end to
 * end. A hand-over is one cache line that two pinned threads write in turns, timed by one of them
 * in rows there and back; the median row counts. A part that was linked once stays linked: the next
 * reader of the same node follows the same cycle.
 *
 * Huge pages are asked for, so that page walks stay small. A thread that cannot be pinned, and a
 * partner that does not answer within half a second, leave their place unmeasured. No locks: the
 * two threads share one atomic word, and `is_ending` beside it.
 */
#define _GNU_SOURCE
#include "topology/measure.h"

#include "topology/pages.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_STEPS	  50000 /* of a row: 5 ms at 100 ns */
#define PROBE_ROWS	  15
#define PROBE_PASSES	  3 /* over the whole part, for bandwidth */
#define PROBE_SEED	  1
#define HANDOVER_ROUNDS	  100 /* there and back, in a row */
#define HANDOVER_ROWS	  50
#define HANDOVER_LIMIT_NS UINT64_C(500000000)
#define HANDOVER_SPINS	  4096 /* between two looks at the clock */

struct machine_probe {
	struct nslab_matrix_probe base;
	const struct nslab_topo *topo;
	const struct nslab_clock *clock;
	struct nslab_arena_map *map;
	size_t bytes;
	bool *is_linked; /* [nr_nodes] */
};

/* Starts fn(arg) on a PU (position in topo->pus). */
static int probe_thread(const struct machine_probe *p, int pu, pthread_t *thread,
			void *(*fn)(void *), void *arg)
{
	size_t bit = (size_t)p->topo->pus[pu].os_index;
	size_t bytes = CPU_ALLOC_SIZE(bit + 1);
	cpu_set_t *set = CPU_ALLOC(bit + 1);
	pthread_attr_t attr;
	int rc;

	if (!set)
		return -ENOMEM;
	CPU_ZERO_S(bytes, set);
	CPU_SET_S(bit, bytes, set);
	pthread_attr_init(&attr);
	rc = pthread_attr_setaffinity_np(&attr, bytes, set);
	if (!rc)
		rc = pthread_create(thread, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	CPU_FREE(set);
	return -rc;
}

/* ---- a node's memory ---- */

struct reader {
	const struct machine_probe *probe;
	struct nslab_chase_line *lines;
	size_t nr;
	bool is_linked;
	double latency_ns, bandwidth_mbs;
};

static double reader_bandwidth(const struct reader *r)
{
	const uint64_t *words = (const void *)r->lines;
	size_t nr = r->nr * sizeof(*r->lines) / sizeof(*words);
	uint64_t best = UINT64_MAX, sum = 0;

	for (int pass = 0; pass < PROBE_PASSES; pass++) {
		uint64_t start = nslab_now_ns(r->probe->clock), ns;

		for (size_t i = 0; i < nr; i += 8)
			sum += words[i] + words[i + 1] + words[i + 2] + words[i + 3] +
			       words[i + 4] + words[i + 5] + words[i + 6] + words[i + 7];
		__asm__ volatile("" : : "r"(sum) : "memory");
		ns = nslab_now_ns(r->probe->clock) - start;
		best = ns < best ? ns : best;
	}
	return (double)(nr * sizeof(*words)) * 1e3 / (double)(best ? best : 1);
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;

	if (!r->is_linked) {
		memset(r->lines, 0, r->nr * sizeof(*r->lines));
		nslab_chase_link(r->lines, r->nr, PROBE_SEED);
	}
	r->latency_ns = nslab_chase_time(r->lines, PROBE_STEPS, PROBE_ROWS, r->probe->clock);
	r->bandwidth_mbs = reader_bandwidth(r);
	return NULL;
}

static int machine_read(struct nslab_matrix_probe *base, int pu, int node, double *latency_ns,
			double *bandwidth_mbs)
{
	struct machine_probe *p = nslab_container_of(base, struct machine_probe, base);
	const struct nslab_arena *arena = nslab_arena_map_arena(p->map);
	int part = nslab_arena_map_node(p->map, node);
	struct reader reader = {.probe = p, .is_linked = p->is_linked[node]};
	pthread_t thread;
	int rc;

	if (part < 0)
		return -ENXIO;
	reader.lines = (void *)(arena->base + ((uintptr_t)part << arena->node_shift));
	reader.nr = p->bytes / sizeof(*reader.lines);
	rc = probe_thread(p, pu, &thread, reader_main, &reader);
	if (rc)
		return rc;
	pthread_join(thread, NULL);
	p->is_linked[node] = true;
	*latency_ns = reader.latency_ns;
	*bandwidth_mbs = reader.bandwidth_mbs;
	return 0;
}

/* ---- a line from PU to PU ---- */

struct handover {
	NSLAB_ALIGNED(128) atomic_uint turn;
	NSLAB_ALIGNED(128) atomic_bool is_ending;
	const struct machine_probe *probe;
	int nr_rows;
	double rows[HANDOVER_ROWS];
};

/* True when the line came with this turn; false when it is time to end. */
static bool handover_wait(struct handover *h, unsigned turn, uint64_t until_ns)
{
	unsigned spins = 0;

	while (atomic_load_explicit(&h->turn, memory_order_acquire) != turn) {
		if (++spins % HANDOVER_SPINS)
			continue;
		if (atomic_load_explicit(&h->is_ending, memory_order_relaxed) ||
		    nslab_now_ns(h->probe->clock) > until_ns)
			return false;
	}
	return true;
}

static void *handover_first(void *arg)
{
	struct handover *h = arg;
	uint64_t until = nslab_now_ns(h->probe->clock) + HANDOVER_LIMIT_NS;
	unsigned turn = 0;

	while (h->nr_rows < HANDOVER_ROWS) {
		uint64_t start = nslab_now_ns(h->probe->clock);

		for (int i = 0; i < HANDOVER_ROUNDS; i++) {
			atomic_store_explicit(&h->turn, turn + 1, memory_order_release);
			if (!handover_wait(h, turn + 2, until))
				goto out;
			turn += 2;
		}
		h->rows[h->nr_rows++] =
			(double)(nslab_now_ns(h->probe->clock) - start) / (2.0 * HANDOVER_ROUNDS);
	}
out:
	atomic_store_explicit(&h->is_ending, true, memory_order_relaxed);
	return NULL;
}

static void *handover_second(void *arg)
{
	struct handover *h = arg;
	unsigned turn = 1;

	while (handover_wait(h, turn, UINT64_MAX)) {
		atomic_store_explicit(&h->turn, turn + 1, memory_order_release);
		turn += 2;
	}
	return NULL;
}

static int machine_handover(struct nslab_matrix_probe *base, int a, int b, double *ns)
{
	struct machine_probe *p = nslab_container_of(base, struct machine_probe, base);
	struct handover h = {.probe = p};
	pthread_t first, second;
	int rc = probe_thread(p, b, &second, handover_second, &h);

	if (rc)
		return rc;
	rc = probe_thread(p, a, &first, handover_first, &h);
	if (rc)
		atomic_store_explicit(&h.is_ending, true, memory_order_relaxed);
	else
		pthread_join(first, NULL);
	pthread_join(second, NULL);
	if (rc || !h.nr_rows)
		return rc ? rc : -ETIMEDOUT;
	*ns = nslab_matrix_median(h.rows, h.nr_rows);
	return 0;
}

/* ---- the whole ---- */

static void matrix_note(const struct machine_probe *p, struct nslab_matrix *matrix)
{
	const char *unavailable = nslab_arena_unavailable(p->map);
	char sign[128];

	if (p->topo->is_simulated)
		snprintf(matrix->note, sizeof(matrix->note),
			 "nodes are simulated: their memory is wherever the machine puts it");
	else if (nslab_is_guest("", sign, sizeof(sign)))
		snprintf(matrix->note, sizeof(matrix->note),
			 "taken in a virtual machine (%s): times are of what the host gives", sign);
	else if (*unavailable)
		snprintf(matrix->note, sizeof(matrix->note), "memory could not be bound: %.200s",
			 unavailable);
	matrix->is_hardware = !matrix->note[0];
}

int nslab_matrix_measure(const struct nslab_topo *topo, struct nslab_matrix **matrix,
			 struct nslab_err *err)
{
	struct machine_probe p = {
		.base = {machine_read, machine_handover},
		.topo = topo,
		.clock = &nslab_real_clock,
		.bytes = nslab_chase_bytes(topo),
	};
	const struct nslab_arena_spec spec = {
		.topo = topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.huge = NSLAB_HUGE_THP,
		.node_bytes = p.bytes,
		.nr_cpus = 1,
	};
	int rc;

	if (!topo->is_this_machine)
		return nslab_fail(err, -EINVAL, "cannot measure '%s': it is not this machine",
				  topo->source);
	p.is_linked = calloc((size_t)topo->nr_nodes + 1, sizeof(*p.is_linked));
	if (!p.is_linked)
		return nslab_fail(err, -ENOMEM, "cannot measure the machine: out of memory");
	rc = nslab_arena_map_open(&spec, &p.map, err);
	if (!rc) {
		rc = nslab_matrix_fill(topo, &p.base, matrix, err);
		if (!rc)
			matrix_note(&p, *matrix);
		nslab_arena_map_close(p.map);
	}
	free(p.is_linked);
	return rc;
}
