// SPDX-License-Identifier: GPL-2.0-only
/*
 * load.c: the load of a cache of which only numbers are known.
 *
 * Some of its live objects stand, others come and go in bursts: a CPU allocates 1 to 256 objects
 * (lengths spread evenly over powers of two, since slabs, CPU lists and barns each notice another
 * length), they wait, and later some burst that waits is freed. How many wait goes down to a
 * quarter and up again in waves, and half of the standing objects come only while the load is
 * judged, since a cache that never grows would ask for no slabs at any order. One freed object in
 * 32 is not of the burst but an old one, whose place the young one takes, so that old objects end
 * at random places. Each free happens on the CPU that allocated, or with the share of remote frees
 * on any other.
 *
 * The setup goes on until as many wait as ever will and some have gone again: before CPUs and nodes
 * have what they keep, counts would say more of the beginning than of the load. More CPUs get more
 * operations, for the same reason. No more is live in the end than the cache has.
 *
 * Invariants: a load is a function of the snapshot, the cache, the segment and the seed; at no time
 * are more than NSLAB_TUNER_LOAD_BYTES of objects live. Left out: time. A rate becomes part of a
 * cost by multiplication.
 */
#include "tuner/load.h"

#include "core/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_OPS	   10000 /* judged, and more for each CPU */
#define LOAD_OPS_PER_CPU   128
#define LOAD_MAX_BURST	   256 /* objects */
#define LOAD_MIN_BURST	   4
#define LOAD_WAVES	   4	/* of the number of live objects, in as many judged operations */
#define LOAD_AGAINST	   4	/* one burst in so many goes against the tide */
#define LOAD_LEAST_WAITING 1024 /* objects */
#define LOAD_OLD	   32	/* one freed object in so many is an old one */
#define LOAD_REMOTE_SHARE  0.05
#define LOAD_UNKNOWN_LIVE  256
#define LOAD_FIRST_EVENTS  4096
#define LOAD_MAX_SLOTS	   (UINT32_C(1) << 31)

/* ---- loads as data ---- */

struct nslab_tuner_load *nslab_tuner_load_new(int nr_cpus)
{
	struct nslab_tuner_load *load = calloc(1, sizeof(*load));

	if (load) {
		load->nr_cpus = nr_cpus;
		load->thinning = 1;
	}
	return load;
}

void nslab_tuner_load_free(struct nslab_tuner_load *load)
{
	if (load)
		free(load->events);
	free(load);
}

int nslab_tuner_load_push(struct nslab_tuner_load *load, uint32_t slot, int cpu, bool is_free)
{
	if (load->nr_events == load->max_events) {
		size_t max = load->max_events ? 2 * load->max_events : LOAD_FIRST_EVENTS;
		void *events = realloc(load->events, max * sizeof(*load->events));

		if (!events)
			return -ENOMEM;
		load->events = events;
		load->max_events = max;
	}
	load->events[load->nr_events++] = (struct nslab_tuner_load_event){
		.slot = slot, .cpu = (uint16_t)cpu, .is_free = is_free};
	return 0;
}

int nslab_tuner_load_finish(struct nslab_tuner_load *load)
{
	bool *is_held;
	int rc = 0;

	load->nr_slots = load->nr_live = load->nr_live_peak = 0;
	for (size_t i = 0; i < load->nr_events; i++) {
		if (load->events[i].slot >= LOAD_MAX_SLOTS)
			return -EINVAL;
		if (load->events[i].slot >= load->nr_slots)
			load->nr_slots = load->events[i].slot + 1;
	}
	is_held = calloc((size_t)load->nr_slots + 1, sizeof(*is_held));
	if (!is_held)
		return -ENOMEM;
	for (size_t i = 0; !rc && i < load->nr_events; i++) {
		const struct nslab_tuner_load_event *e = &load->events[i];

		if (is_held[e->slot] != (bool)e->is_free || e->cpu >= load->nr_cpus)
			rc = -EINVAL;
		is_held[e->slot] = !e->is_free;
		load->nr_live += e->is_free ? UINT32_MAX : 1;
		if (load->nr_live > load->nr_live_peak)
			load->nr_live_peak = load->nr_live;
	}
	free(is_held);
	return rc;
}

/* ---- the standard load ---- */

struct load_burst {
	uint32_t *slots;
	unsigned nr;
};

struct load_maker {
	struct nslab_tuner_load *load;
	uint64_t rng;
	uint32_t remote_below;	/* of 2^32 */
	uint32_t nr_standing;	/* objects */
	uint32_t max_waiting;	/* objects in bursts, one burst more at most */
	uint32_t nr_end;	/* live objects in the end */
	unsigned max_burst_log; /* of objects */
	uint16_t *owner;	/* [slot] CPU that allocated it */
	uint32_t *standing;	/* [nr_filled] slots, nr_standing in the end */
	uint32_t nr_filled;
	uint32_t *empty; /* [nr_empty] slots */
	uint32_t nr_empty, nr_waiting;
	struct load_burst *bursts;
	unsigned nr_bursts, max_bursts;
	int rc;
};

/* As many as may be live, of `most`. */
static uint32_t load_fit(const struct nslab_tuner_cache *cache, size_t share, uint32_t most)
{
	size_t fits = NSLAB_TUNER_LOAD_BYTES / share / (cache->size ? cache->size : 1);

	return fits < most ? (uint32_t)fits : most;
}

/* Half of the longest burst for each CPU waits, or more, but never over half of the live objects.
 */
static void load_plan(struct load_maker *m, const struct nslab_tuner_cache *cache, int nr_cpus)
{
	uint64_t live = cache->live < 0 ? LOAD_UNKNOWN_LIVE : (uint64_t)cache->live;
	uint32_t most =
		NSLAB_TUNER_LOAD_LIVE + LOAD_LEAST_WAITING + (uint32_t)nr_cpus * LOAD_MAX_BURST;
	double remote = isnan(cache->remote_share) ? LOAD_REMOTE_SHARE : cache->remote_share;
	unsigned burst;

	m->nr_end = load_fit(cache, 2, live < most ? (uint32_t)live : most);
	burst = m->nr_end / 8;
	burst = burst > LOAD_MAX_BURST ? LOAD_MAX_BURST : burst;
	burst = burst < LOAD_MIN_BURST ? LOAD_MIN_BURST : burst;
	m->max_burst_log = nslab_order_log2(burst);
	burst = 1u << m->max_burst_log;
	m->max_waiting = (uint32_t)nr_cpus * burst / 2;
	if (m->max_waiting < LOAD_LEAST_WAITING)
		m->max_waiting = LOAD_LEAST_WAITING;
	if (m->max_waiting > m->nr_end / 2)
		m->max_waiting = m->nr_end / 2;
	m->nr_standing = m->nr_end - m->max_waiting;
	if (m->nr_standing > NSLAB_TUNER_LOAD_LIVE)
		m->nr_standing = NSLAB_TUNER_LOAD_LIVE;
	remote = remote < 0 ? 0 : remote > 1 ? 1 : remote;
	m->remote_below = nr_cpus > 1 ? (uint32_t)(remote * UINT32_MAX) : 0;
}

static int load_maker_open(struct load_maker *m, struct nslab_tuner_load *load)
{
	uint32_t nr_slots = m->nr_standing + m->max_waiting + (1u << m->max_burst_log);

	m->load = load;
	m->max_bursts = m->max_waiting + 2;
	m->owner = calloc(nr_slots, sizeof(*m->owner));
	m->empty = calloc(nr_slots, sizeof(*m->empty));
	m->standing = calloc((size_t)m->nr_standing + 1, sizeof(*m->standing));
	m->bursts = calloc(m->max_bursts, sizeof(*m->bursts));
	if (!m->owner || !m->empty || !m->standing || !m->bursts)
		return -ENOMEM;
	while (m->nr_empty < nr_slots) {
		m->empty[m->nr_empty] = nr_slots - 1 - m->nr_empty;
		m->nr_empty++;
	}
	return 0;
}

static void load_maker_close(struct load_maker *m)
{
	for (unsigned i = 0; m->bursts && i < m->nr_bursts; i++)
		free(m->bursts[i].slots);
	free(m->bursts);
	free(m->owner);
	free(m->empty);
	free(m->standing);
}

static int load_random_cpu(struct load_maker *m)
{
	return (int)nslab_rng_below(&m->rng, (uint32_t)m->load->nr_cpus);
}

static uint32_t load_alloc(struct load_maker *m, int cpu)
{
	uint32_t slot = m->empty[--m->nr_empty];

	m->owner[slot] = (uint16_t)cpu;
	if (!m->rc)
		m->rc = nslab_tuner_load_push(m->load, slot, cpu, false);
	return slot;
}

static void load_free(struct load_maker *m, uint32_t slot)
{
	int nr_cpus = m->load->nr_cpus, cpu = m->owner[slot];

	if (m->remote_below && (uint32_t)(nslab_rng_next(&m->rng) >> 32) < m->remote_below)
		cpu = (cpu + 1 + (int)nslab_rng_below(&m->rng, (uint32_t)nr_cpus - 1)) % nr_cpus;
	m->empty[m->nr_empty++] = slot;
	if (!m->rc)
		m->rc = nslab_tuner_load_push(m->load, slot, cpu, true);
}

static unsigned load_draw_burst(struct load_maker *m)
{
	unsigned log = nslab_rng_below(&m->rng, m->max_burst_log + 1);

	return log ? (1u << (log - 1)) + 1 + nslab_rng_below(&m->rng, 1u << (log - 1)) : 1;
}

/* A CPU's burst of allocations, which then waits. */
static void load_burst_begin(struct load_maker *m)
{
	struct load_burst *burst = &m->bursts[m->nr_bursts];
	int cpu = load_random_cpu(m);
	unsigned nr = load_draw_burst(m);

	burst->slots = calloc(nr, sizeof(*burst->slots));
	if (!burst->slots) {
		m->rc = -ENOMEM;
		return;
	}
	m->nr_bursts++;
	burst->nr = nr;
	m->nr_waiting += nr;
	while (nr)
		burst->slots[--nr] = load_alloc(m, cpu);
}

/* One of those that wait goes, in the order in which it came; some old objects in place of its. */
static void load_burst_end(struct load_maker *m)
{
	unsigned which = nslab_rng_below(&m->rng, m->nr_bursts);
	struct load_burst burst = m->bursts[which];

	m->bursts[which] = m->bursts[--m->nr_bursts];
	m->nr_waiting -= burst.nr;
	while (burst.nr) {
		uint32_t slot = burst.slots[--burst.nr];

		if (m->nr_filled && !nslab_rng_below(&m->rng, LOAD_OLD)) {
			uint32_t at = nslab_rng_below(&m->rng, m->nr_filled);
			uint32_t old = m->standing[at];

			m->standing[at] = slot;
			slot = old;
		}
		load_free(m, slot);
	}
	free(burst.slots);
}

/* Objects that should wait after a part of a wave: from all of them down to a quarter and back. */
static uint32_t load_tide(const struct load_maker *m, size_t at, size_t wave)
{
	uint64_t part = at % wave, down = part < wave / 2 ? part : wave - part;

	return m->max_waiting - (uint32_t)(m->max_waiting * down * 3 / (2 * wave));
}

/* Of the standing objects until there are so many; a burst of a random CPU each time. */
static void load_fill(struct load_maker *m, uint32_t nr_filled)
{
	while (!m->rc && m->nr_filled < nr_filled) {
		int cpu = load_random_cpu(m);

		for (unsigned nr = load_draw_burst(m); nr && m->nr_filled < nr_filled; nr--)
			m->standing[m->nr_filled++] = load_alloc(m, cpu);
	}
}

/* Meanwhile the standing objects grow from as many as there are to nr_filled. */
static void load_bursts(struct load_maker *m, size_t nr_ops, uint32_t nr_filled)
{
	size_t start = m->load->nr_events, wave = nr_ops / LOAD_WAVES, done;
	uint32_t first = m->nr_filled, growth = nr_filled - first;

	while (!m->rc && (done = m->load->nr_events - start) < nr_ops) {
		uint32_t tide = load_tide(m, done, wave);
		bool is_draw = nslab_rng_below(&m->rng, LOAD_AGAINST) != 0;

		load_fill(m, first + (uint32_t)(done * growth / nr_ops));
		if (m->nr_waiting < tide ? is_draw : m->nr_waiting < m->max_waiting && !is_draw)
			load_burst_begin(m);
		else if (m->nr_bursts)
			load_burst_end(m);
		else
			load_burst_begin(m);
	}
	load_fill(m, nr_filled);
}

static int load_make(struct load_maker *m)
{
	size_t nr_ops = LOAD_OPS + LOAD_OPS_PER_CPU * (size_t)m->load->nr_cpus;

	load_fill(m, m->nr_standing / 2);
	while (!m->rc && m->nr_waiting < m->max_waiting)
		load_burst_begin(m);
	load_bursts(m, nr_ops / 2, m->nr_filled);
	m->load->nr_setup = m->load->nr_events;
	load_bursts(m, nr_ops, m->nr_standing);
	while (!m->rc && m->nr_bursts && m->nr_filled + m->nr_waiting > m->nr_end)
		load_burst_end(m);
	return m->rc ? m->rc : nslab_tuner_load_finish(m->load);
}

static uint64_t load_seed(const struct nslab_tuner_cache *cache, enum nslab_tuner_segment segment,
			  uint64_t seed)
{
	uint64_t state = nslab_rng_mix(seed, segment);

	for (const char *c = cache->name ? cache->name : ""; *c; c++)
		state = nslab_rng_mix(state, (unsigned char)*c);
	return state;
}

int nslab_tuner_load_standard(const struct nslab_tuner_snapshot *snapshot,
			      const struct nslab_tuner_cache *cache,
			      enum nslab_tuner_segment segment, uint64_t seed,
			      struct nslab_tuner_load **load, struct nslab_err *err)
{
	int nr_cpus = snapshot->nr_cpus < 1		   ? 1
		      : snapshot->nr_cpus > NSLAB_MAX_CPUS ? NSLAB_MAX_CPUS
							   : snapshot->nr_cpus;
	struct nslab_tuner_load *made = nslab_tuner_load_new(nr_cpus);
	struct load_maker m = {.rng = load_seed(cache, segment, seed)};
	int rc = -ENOMEM;

	load_plan(&m, cache, nr_cpus);
	if (made)
		rc = load_maker_open(&m, made);
	if (!rc)
		rc = load_make(&m);
	load_maker_close(&m);
	if (rc) {
		nslab_tuner_load_free(made);
		return nslab_fail(err, rc, "cannot make a load for cache '%s': %s", cache->name,
				  strerror(-rc));
	}
	*load = made;
	return 0;
}
