/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sampler.c: the thread that looks at a trial's memory while the workers run.
 *
 * It wakes every 5 ms, on PUs that no worker has, reads what is shared (pages that the heap holds,
 * what caches tell at a glance, the process's resident set) and sleeps again. It never looks into a
 * CPU handle; it does take a node's list lock, as a slow path does, which is why it shares a PU
 * with a worker only when somebody asked for that: a worker could then wait for a sampler that is
 * not running. When the workers are parked a last sample is taken, which is exact in all columns.
 *
 * A cache's partial slabs are walked under the list lock, which takes longer the more there are, so
 * caches are looked at less often than every 5 ms where that would take over a 500th of the time.
 *
 * While workers run the page count may be late by what a CPU did not add to the total yet, and
 * `used` holds what CPUs hold free. Nothing is allocated between start and end, and the process's
 * file is kept open, so that a measured malloc sees no call from here.
 *
 * Locks: `lock` guards is_ending, which the thread sleeps on; nothing else is taken under it.
 */
#define _GNU_SOURCE
#include "runner/sampler.h"

#include "allocators/common/zone.h"
#include "core/list.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct nslab_sampler {
	struct nslab_memory_source source;
	struct nslab_world *world;
	struct nslab_timeline timeline;
	unsigned nr_reads;     /* of the heap */
	uint64_t next_look_ns; /* at caches */
	const struct nslab_clock *clock;
	int statm_fd; /* -1: no /proc */
	double page_bytes;
	int shares; /* PU of a worker, or -1 */
	pthread_t thread;
	bool is_running;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool is_ending;
};

/* ---- what is read ---- */

static double sampler_rss(const struct nslab_sampler *sampler)
{
	char text[128];
	ssize_t n =
		sampler->statm_fd < 0 ? -1 : pread(sampler->statm_fd, text, sizeof(text) - 1, 0);
	char *blank;

	if (n <= 0)
		return NAN;
	text[n] = '\0';
	blank = strchr(text, ' ');
	return blank ? (double)strtoull(blank, NULL, 10) * sampler->page_bytes : NAN;
}

/* Caches of a backend that tells nothing at a glance stay out until the workers are parked. */
static void sampler_read_caches(struct nslab_world *world, bool is_parked,
				struct nslab_memory_sample *sample)
{
	nslab_list_for_each (pos, &nslab_world_heap(world)->caches) {
		struct kmem_cache *s = nslab_list_entry(pos, struct kmem_cache, link);
		const struct nslab_allocator_ops *ops = s->heap->ops;
		struct nslab_cache_stats stats = {0};

		if ((s->flags & SLAB_ALIAS) || !ops->cache_glance(s, &stats))
			continue;
		if (is_parked)
			ops->cache_stats(s, &stats);
		nslab_memory_add_cache(sample, s, &stats, is_parked);
	}
}

/* Stays unknown for a page plug-in that tells of no zones. */
static void sampler_read_buddy(struct nslab_world *world, struct nslab_memory_sample *sample)
{
	double *blocks = &sample->values[NSLAB_MEMORY_BUDDY];
	struct nslab_zone_stats zone;

	for (int i = 0; memset(&zone, 0, sizeof(zone)), !nslab_world_zone_stats(world, i, &zone);
	     i++) {
		uint64_t nr_blocks[NSLAB_MAX_ORDER + 1] = {0};

		nslab_zone_add_blocks(&zone, nr_blocks);
		for (int order = 0; order <= NSLAB_MAX_ORDER; order++)
			blocks[order] = (i ? blocks[order] : 0) + (double)nr_blocks[order];
	}
}

static uint64_t sampler_cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

/* CPU time, since on a busy host the rest is time that this thread waited for its PU. */
static bool sampler_look(struct nslab_sampler *sampler, bool is_parked,
			 struct nslab_memory_sample *sample)
{
	uint64_t now_ns = nslab_now_ns(sampler->clock), start_ns = sampler_cpu_ns();

	if (!is_parked && now_ns < sampler->next_look_ns)
		return false;
	sampler_read_caches(sampler->world, is_parked, sample);
	sampler->next_look_ns = now_ns + NSLAB_SAMPLER_LOOK_SHARE * (sampler_cpu_ns() - start_ns);
	return true;
}

static void sampler_read(struct nslab_memory_source *source, bool is_parked,
			 struct nslab_memory_sample *sample)
{
	struct nslab_sampler *sampler = nslab_container_of(source, struct nslab_sampler, source);
	const struct nslab_heap *heap = nslab_world_heap(sampler->world);
	double *values = sample->values;
	struct nslab_world_usage usage;
	uint64_t nr_pages;
	bool has_looked;

	values[NSLAB_MEMORY_RSS] = sampler_rss(sampler);
	if (!(heap->ops->caps & NSLAB_CAP_PAGES))
		return;
	has_looked = sampler_look(sampler, is_parked, sample);
	if (sampler->nr_reads++ % NSLAB_SAMPLER_BUDDY_STEP == 0 || is_parked)
		sampler_read_buddy(sampler->world, sample);
	nslab_world_usage(sampler->world, &usage); /* atomic counts, all of it */
	nr_pages = usage.nr_pages + usage.nr_vmalloc_pages + usage.nr_cma_pages;
	values[NSLAB_MEMORY_META] = (double)usage.meta_bytes;
	if (!has_looked)
		return;
	values[NSLAB_MEMORY_OTHER] = (double)(nr_pages << NSLAB_PAGE_SHIFT);
	if (values[NSLAB_MEMORY_SLABS] >= 0)
		values[NSLAB_MEMORY_OTHER] -= values[NSLAB_MEMORY_SLABS];
	if (values[NSLAB_MEMORY_OTHER] < 0) /* slabs were counted a moment before pages */
		values[NSLAB_MEMORY_OTHER] = 0;
}

/* ---- the thread ---- */

/* False when it is time to end. */
static bool sampler_sleep(struct nslab_sampler *sampler)
{
	struct timespec until;
	uint64_t ns;
	bool is_ending;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	ns = (uint64_t)until.tv_nsec + sampler->timeline.step_ns;
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	pthread_mutex_lock(&sampler->lock);
	while (!sampler->is_ending && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&sampler->wake, &sampler->lock, &until);
	is_ending = sampler->is_ending;
	pthread_mutex_unlock(&sampler->lock);
	return !is_ending;
}

static void *sampler_main(void *arg)
{
	struct nslab_sampler *sampler = arg;

	do {
		nslab_timeline_take(&sampler->timeline, sampler->clock, &sampler->source, false);
	} while (sampler_sleep(sampler));
	return NULL;
}

static int sampler_affinity(const json_t *spec, pthread_attr_t *attr)
{
	json_t *pus = json_object_get(spec, "pus");
	cpu_set_t *set = CPU_ALLOC(NSLAB_MAX_CPUS);
	size_t bytes = CPU_ALLOC_SIZE(NSLAB_MAX_CPUS);
	int rc;

	if (!set)
		return -ENOMEM;
	CPU_ZERO_S(bytes, set);
	for (size_t i = 0; i < json_array_size(pus); i++) {
		json_int_t pu = json_integer_value(json_array_get(pus, i));

		if (pu >= 0 && pu < NSLAB_MAX_CPUS)
			CPU_SET_S((size_t)pu, bytes, set);
	}
	rc = CPU_COUNT_S(bytes, set) ? -pthread_attr_setaffinity_np(attr, bytes, set) : -EINVAL;
	CPU_FREE(set);
	return rc;
}

static int sampler_thread(struct nslab_sampler *sampler, const json_t *spec)
{
	pthread_condattr_t cond;
	pthread_attr_t attr;
	int rc;

	pthread_mutex_init(&sampler->lock, NULL);
	pthread_condattr_init(&cond);
	pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
	pthread_cond_init(&sampler->wake, &cond);
	pthread_condattr_destroy(&cond);
	pthread_attr_init(&attr);
	rc = sampler_affinity(spec, &attr);
	if (!rc)
		rc = -pthread_create(&sampler->thread, &attr, sampler_main, sampler);
	pthread_attr_destroy(&attr);
	sampler->is_running = !rc;
	return rc;
}

int nslab_sampler_start(const json_t *spec, struct nslab_world *world,
			struct nslab_sampler **result, struct nslab_err *err)
{
	const json_t *shares = json_object_get(spec, "shares");
	struct nslab_sampler *sampler = calloc(1, sizeof(*sampler));
	int rc = -ENOMEM;

	if (!sampler)
		goto fail;
	sampler->source.read = sampler_read;
	sampler->world = world;
	sampler->clock = &nslab_real_clock;
	sampler->shares = shares ? (int)json_integer_value(shares) : -1;
	sampler->page_bytes = (double)sysconf(_SC_PAGESIZE);
	sampler->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	rc = nslab_timeline_init(&sampler->timeline, NSLAB_SAMPLER_ROOM, NSLAB_SAMPLER_STEP_NS);
	if (!rc)
		rc = sampler_thread(sampler, spec);
	if (rc)
		goto fail;
	*result = sampler;
	return 0;
fail:
	nslab_sampler_free(sampler);
	return nslab_fail(err, rc, "cannot start the sampler: %s", strerror(-rc));
}

void nslab_sampler_park(struct nslab_sampler *sampler)
{
	if (!sampler || !sampler->is_running)
		return;
	pthread_mutex_lock(&sampler->lock);
	sampler->is_ending = true;
	pthread_cond_signal(&sampler->wake);
	pthread_mutex_unlock(&sampler->lock);
	pthread_join(sampler->thread, NULL);
	sampler->is_running = false;
	nslab_timeline_take(&sampler->timeline, sampler->clock, &sampler->source, true);
}

void nslab_sampler_result(const struct nslab_sampler *sampler, json_t *figures, json_t *points)
{
	if (!sampler)
		return;
	nslab_timeline_points(&sampler->timeline, points);
	if (sampler->shares >= 0)
		json_array_append_new(figures, json_pack("[s, f, s]", "sampler: shares PU",
							 (double)sampler->shares, "OS index"));
}

void nslab_sampler_free(struct nslab_sampler *sampler)
{
	if (!sampler)
		return;
	nslab_sampler_park(sampler);
	nslab_timeline_free(&sampler->timeline);
	if (sampler->statm_fd >= 0)
		close(sampler->statm_fd);
	free(sampler);
}

/* ---- where it runs ---- */

static bool place_is_taken(const struct nslab_topo *topo, const int *pus, int nr, int pu,
			   bool is_core)
{
	for (int i = 0; i < nr; i++) {
		if (pus[i] == pu || (is_core && topo->pus[pus[i]].core == topo->pus[pu].core))
			return true;
	}
	return false;
}

static json_t *place_free(const struct nslab_topo *topo, const int *pus, int nr, bool is_core)
{
	json_t *list = json_array();

	for (int i = 0; i < topo->nr_pus; i++) {
		if (topo->pus[i].is_usable && !place_is_taken(topo, pus, nr, i, is_core))
			json_array_append_new(list, json_integer(topo->pus[i].os_index));
	}
	return list;
}

json_t *nslab_sampler_place(const struct nslab_topo *topo, const int *pus, int nr,
			    enum nslab_sampler_mode mode)
{
	json_t *list;
	int last;

	if (mode == NSLAB_SAMPLER_OFF || nr < 1)
		return NULL;
	list = place_free(topo, pus, nr, true);
	if (!json_array_size(list)) {
		json_decref(list);
		list = place_free(topo, pus, nr, false);
	}
	if (json_array_size(list))
		return json_pack("{s:o}", "pus", list);
	json_decref(list);
	last = topo->pus[pus[nr - 1]].os_index;
	return mode == NSLAB_SAMPLER_ON ? json_pack("{s:[i], s:i}", "pus", last, "shares", last)
					: NULL;
}
