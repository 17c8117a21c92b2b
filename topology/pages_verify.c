/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages_verify.c: where the pages really are, asked from the kernel for a sample.
 *
 * The sample is drawn from the frames of allocated blocks (records with NSLAB_PAGE_HEAD) by
 * reservoir sampling, so every such frame is as likely as another and one pass is enough. Records
 * that were never touched hold no block; mincore tells which those are, so the pass reads only what
 * the page allocator has used, however large the arena. Reading the records is a race with
 * allocating threads: the caller calls while none allocates.
 *
 * Right means: under a bound part, on the part's node. Under interleave, on a node of the set, and
 * a node's pages count only up to its equal share plus four standard deviations of the sample, so
 * that an arena which sits on one node is not called interleaved. Under first-touch no node was
 * asked for, so every allowed node with memory is right. A page that is not resident has no node
 * and is left out of the rate.
 */
#define _GNU_SOURCE
#include "topology/pages_internal.h"

#include "core/rng.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct page_sample {
	void **addresses;
	int *status;
	unsigned max, nr;
	uint64_t nr_seen; /* frames that were offered */
	uint64_t rng;
	uintptr_t host_page_mask;
};

static void sample_offer(struct page_sample *sample, uintptr_t address)
{
	uint64_t slot = sample->nr;

	sample->nr_seen++;
	if (sample->nr < sample->max)
		sample->nr++;
	else
		slot = nslab_rng_next(&sample->rng) % sample->nr_seen;
	if (slot < sample->max)
		sample->addresses[slot] = (void *)(address & sample->host_page_mask);
}

static void sample_records(const struct nslab_arena *arena, struct page_sample *sample,
			   size_t first, size_t nr)
{
	for (size_t pfn = first; pfn < first + nr; pfn++) {
		const struct nslab_page *page = &arena->pages[pfn];

		if (!(page->flags & NSLAB_PAGE_HEAD) || page->order > NSLAB_MAX_ORDER)
			continue;
		for (size_t i = 0; i < (size_t)1 << page->order; i++)
			sample_offer(sample, arena->base + ((pfn + i) << NSLAB_PAGE_SHIFT));
	}
}

/* A host page of records that is not resident was never touched, or is swapped out. */
static int sample_all(const struct nslab_arena_map *map, struct page_sample *sample)
{
	size_t host_page = (size_t)sysconf(_SC_PAGESIZE);
	size_t nr_host = (map->pages_bytes + host_page - 1) / host_page;
	size_t nr_records = host_page / sizeof(struct nslab_page);
	unsigned char *resident = malloc(nr_host);
	int rc = 0;

	if (!resident)
		return -ENOMEM;
	if (mincore(map->arena.pages, map->pages_bytes, resident)) {
		rc = -errno;
		goto out_free;
	}
	for (size_t i = 0; i < nr_host; i++) {
		if (resident[i] & 1)
			sample_records(&map->arena, sample, i * nr_records, nr_records);
	}
out_free:
	free(resident);
	return rc;
}

static int part_of(const struct nslab_arena_map *map, const void *address)
{
	return (int)(((uintptr_t)address - map->arena.base) >> map->arena.node_shift);
}

static unsigned share_cap(unsigned nr, unsigned nr_nodes)
{
	double share = (double)nr / nr_nodes;

	return (unsigned)ceil(share + 4 * sqrt(share * (1 - 1.0 / nr_nodes)));
}

static unsigned count_interleaved(const struct node_mask *wanted, const unsigned *nr_on,
				  unsigned nr_resident)
{
	unsigned cap = share_cap(nr_resident, node_mask_weight(wanted));
	unsigned nr = 0;

	for (int node = 0; node < NODE_MASK_BITS; node++) {
		if (node_mask_has(wanted, node))
			nr += nr_on[node] < cap ? nr_on[node] : cap;
	}
	return nr;
}

static void count_sample(const struct nslab_arena_map *map, const struct page_sample *sample,
			 struct nslab_page_check *check)
{
	unsigned nr_on[NODE_MASK_BITS] = {0};

	check->nr_sampled = sample->nr;
	for (unsigned i = 0; i < sample->nr; i++) {
		int node = sample->status[i];

		if (node < 0)
			continue;
		check->nr_resident++;
		if (node_mask_has(&map->parts[part_of(map, sample->addresses[i])].wanted, node)) {
			check->nr_right++;
			nr_on[node]++;
		}
	}
	if (map->policy == PART_INTERLEAVE && check->nr_resident)
		check->nr_right =
			count_interleaved(&map->parts[0].wanted, nr_on, check->nr_resident);
	if (check->nr_resident)
		check->hit_rate = (double)check->nr_right / check->nr_resident;
}

static int sample_open(struct page_sample *sample, unsigned max_pages, uint64_t seed)
{
	memset(sample, 0, sizeof(*sample));
	sample->max = max_pages;
	sample->rng = seed;
	sample->host_page_mask = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	sample->addresses = calloc(max_pages, sizeof(*sample->addresses));
	sample->status = calloc(max_pages, sizeof(*sample->status));
	return sample->addresses && sample->status ? 0 : -ENOMEM;
}

static void sample_close(struct page_sample *sample)
{
	free(sample->addresses);
	free(sample->status);
}

int nslab_arena_verify(struct nslab_arena_map *map, unsigned max_pages, uint64_t seed,
		       struct nslab_page_check *check, struct nslab_err *err)
{
	struct page_sample sample;
	int rc, query;

	memset(check, 0, sizeof(*check));
	check->hit_rate = NAN;
	snprintf(check->unavailable, sizeof(check->unavailable), "%s", map->unavailable);
	if (map->is_simulated || !max_pages)
		return 0;
	rc = sample_open(&sample, max_pages, seed);
	if (!rc)
		rc = sample_all(map, &sample);
	if (rc) {
		nslab_fail(err, rc, "cannot choose pages to check: %s", strerror(-rc));
		goto out_close;
	}
	query = sample.nr ? arena_query(sample.nr, sample.addresses, sample.status) : 0;
	if (!query)
		count_sample(map, &sample, check);
	else if (!check->unavailable[0])
		snprintf(check->unavailable, sizeof(check->unavailable), "move_pages: %s",
			 strerror(-query));
out_close:
	sample_close(&sample);
	return rc;
}
