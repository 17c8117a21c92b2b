/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memblock.c: early memory, as two sorted arrays of regions (Linux 6.12 mm/memblock.c).
 *
 * One array says what memory there is, the other what of it is reserved. Free is what the first has
 * and the second has not. Adding a range inserts the parts that are not covered yet and then merges
 * neighbours that touch and have the same node and flags; removing a range cuts the regions at its
 * ends and drops what lies between. An allocation looks for a free range from the highest address
 * down (or from the lowest up), on the asked node and then on any, and reserves it. The arrays
 * start with 128 places and double. At the end the page allocator asks for the free ranges one by
 * one and takes them in the largest aligned blocks; there is no hand-back.
 *
 * Invariants: regions are sorted, not empty, do not overlap, and none could be merged with the
 * next. A call that fails has changed nothing that a user can see.
 *
 * No locks: early memory has one user. Left out: mirrored and hot-pluggable memory as a reason to
 * choose (flags only keep regions apart), the physical-address limit of an allocation, arrays that
 * are taken from the memory they describe (malloc instead), and bootmem, the bitmap before it.
 */
#include "allocators/memblock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void memblock_array_init(struct nslab_memblock_array *a)
{
	a->nr = 0;
	a->max = NSLAB_MEMBLOCK_STATIC;
	a->regions = a->fixed;
}

void nslab_memblock_init(struct nslab_memblock *m)
{
	memblock_array_init(&m->memory);
	memblock_array_init(&m->reserved);
	m->is_bottom_up = false;
}

void nslab_memblock_exit(struct nslab_memblock *m)
{
	if (m->memory.regions != m->memory.fixed)
		free(m->memory.regions);
	if (m->reserved.regions != m->reserved.fixed)
		free(m->reserved.regions);
	nslab_memblock_init(m);
}

static uint64_t memblock_end(const struct nslab_memblock_region *r)
{
	return r->base + r->size;
}

/* ---- one array ---- */

static int memblock_make_room(struct nslab_memblock_array *a, size_t nr)
{
	size_t max = a->max;
	struct nslab_memblock_region *regions;

	while (max < a->nr + nr)
		max *= 2;
	if (max == a->max)
		return 0;
	regions = calloc(max, sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	memcpy(regions, a->regions, a->nr * sizeof(*regions));
	if (a->regions != a->fixed)
		free(a->regions);
	a->regions = regions;
	a->max = max;
	return 0;
}

/* There is room. */
static void memblock_insert(struct nslab_memblock_array *a, size_t at,
			    const struct nslab_memblock_region *r)
{
	memmove(a->regions + at + 1, a->regions + at, (a->nr - at) * sizeof(*r));
	a->regions[at] = *r;
	a->nr++;
}

static void memblock_delete(struct nslab_memblock_array *a, size_t from, size_t to)
{
	memmove(a->regions + from, a->regions + to, (a->nr - to) * sizeof(*a->regions));
	a->nr -= to - from;
}

static bool memblock_may_merge(const struct nslab_memblock_region *a,
			       const struct nslab_memblock_region *b)
{
	return memblock_end(a) == b->base && a->node == b->node && a->flags == b->flags;
}

static void memblock_merge(struct nslab_memblock_array *a)
{
	size_t kept = 0;

	for (size_t i = 1; i < a->nr; i++) {
		if (memblock_may_merge(&a->regions[kept], &a->regions[i]))
			a->regions[kept].size += a->regions[i].size;
		else
			a->regions[++kept] = a->regions[i];
	}
	if (a->nr)
		a->nr = kept + 1;
}

/* First region that ends above the address. */
static size_t memblock_search(const struct nslab_memblock_array *a, uint64_t address)
{
	size_t low = 0, high = a->nr;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (memblock_end(&a->regions[middle]) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Inserts what of the new region is not covered, or only counts the pieces. */
static size_t memblock_fill(struct nslab_memblock_array *a, struct nslab_memblock_region new,
			    bool is_dry)
{
	uint64_t base = new.base, end = memblock_end(&new);
	size_t nr = 0;

	for (size_t i = memblock_search(a, base); base < end; i++) {
		const struct nslab_memblock_region *next = i < a->nr ? &a->regions[i] : NULL;
		uint64_t next_base = next ? next->base : UINT64_MAX;
		uint64_t next_end = next ? memblock_end(next) : UINT64_MAX;
		struct nslab_memblock_region piece = new;

		if (next_base > base) {
			piece.base = base;
			piece.size = (next_base < end ? next_base : end) - base;
			nr++;
			if (!is_dry)
				memblock_insert(a, i++, &piece);
		}
		base = next_end;
	}
	return nr;
}

static int memblock_add_range(struct nslab_memblock_array *a, uint64_t base, uint64_t size,
			      int node, unsigned flags)
{
	struct nslab_memblock_region new = {base, size, node, flags};
	int rc;

	if (base + size < base)
		return -EINVAL;
	if (!size)
		return 0;
	rc = memblock_make_room(a, memblock_fill(a, new, true));
	if (rc)
		return rc;
	memblock_fill(a, new, false);
	memblock_merge(a);
	return 0;
}

/* One region becomes two at this address, when it lies inside one. There is room. */
static void memblock_cut(struct nslab_memblock_array *a, uint64_t address)
{
	size_t i = memblock_search(a, address);
	struct nslab_memblock_region tail;

	if (i == a->nr || a->regions[i].base >= address)
		return;
	tail = a->regions[i];
	tail.size = memblock_end(&tail) - address;
	tail.base = address;
	a->regions[i].size -= tail.size;
	memblock_insert(a, i + 1, &tail);
}

static int memblock_remove_range(struct nslab_memblock_array *a, uint64_t base, uint64_t size)
{
	size_t from, to;
	int rc;

	if (base + size < base)
		return -EINVAL;
	if (!size)
		return 0;
	rc = memblock_make_room(a, 2);
	if (rc)
		return rc;
	memblock_cut(a, base);
	memblock_cut(a, base + size);
	from = memblock_search(a, base);
	to = from;
	while (to < a->nr && a->regions[to].base < base + size)
		to++;
	memblock_delete(a, from, to);
	return 0;
}

int nslab_memblock_add(struct nslab_memblock *m, uint64_t base, uint64_t size, int node,
		       unsigned flags)
{
	return memblock_add_range(&m->memory, base, size, node, flags);
}

int nslab_memblock_remove(struct nslab_memblock *m, uint64_t base, uint64_t size)
{
	return memblock_remove_range(&m->memory, base, size);
}

int nslab_memblock_reserve(struct nslab_memblock *m, uint64_t base, uint64_t size)
{
	return memblock_add_range(&m->reserved, base, size, NUMA_NO_NODE, 0);
}

int nslab_memblock_free(struct nslab_memblock *m, uint64_t base, uint64_t size)
{
	return memblock_remove_range(&m->reserved, base, size);
}

uint64_t nslab_memblock_bytes(const struct nslab_memblock_array *a)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < a->nr; i++)
		nr += a->regions[i].size;
	return nr;
}

/* ---- both arrays ---- */

bool nslab_memblock_next_free(const struct nslab_memblock *m, uint64_t from,
			      struct nslab_memblock_region *range)
{
	size_t i = memblock_search(&m->memory, from);
	size_t j = memblock_search(&m->reserved, from);

	for (; i < m->memory.nr; i++) {
		const struct nslab_memblock_region *r = &m->memory.regions[i];
		uint64_t base = r->base > from ? r->base : from;
		uint64_t end = memblock_end(r);

		while (j < m->reserved.nr && m->reserved.regions[j].base <= base) {
			if (memblock_end(&m->reserved.regions[j]) > base)
				base = memblock_end(&m->reserved.regions[j]);
			j++;
		}
		if (base >= end) {
			/* the next region may begin under the same reservation */
			from = base;
			continue;
		}
		if (j < m->reserved.nr && m->reserved.regions[j].base < end)
			end = m->reserved.regions[j].base;
		*range = (struct nslab_memblock_region){base, end - base, r->node, r->flags};
		return true;
	}
	return false;
}

/* Where in this range size bytes fit, at the preferred end of it. */
static bool memblock_fit(const struct nslab_memblock_region *range, uint64_t size, uint64_t align,
			 bool is_bottom_up, uint64_t *base)
{
	uint64_t low = (range->base + align - 1) & ~(align - 1);

	if (low < range->base || low > memblock_end(range) || memblock_end(range) - low < size)
		return false;
	*base = is_bottom_up ? low : (memblock_end(range) - size) & ~(align - 1);
	return true;
}

static bool memblock_find(const struct nslab_memblock *m, uint64_t size, uint64_t align, int node,
			  uint64_t *base)
{
	struct nslab_memblock_region range = {0, 0, NUMA_NO_NODE, 0};
	bool is_found = false;

	while (nslab_memblock_next_free(m, memblock_end(&range), &range)) {
		if (node != NUMA_NO_NODE && range.node != node)
			continue;
		if (!memblock_fit(&range, size, align, m->is_bottom_up, base))
			continue;
		is_found = true;
		if (m->is_bottom_up)
			break;
	}
	return is_found;
}

int nslab_memblock_alloc(struct nslab_memblock *m, uint64_t size, uint64_t align, int node,
			 bool is_exact, uint64_t *base)
{
	uint64_t found;
	int rc;

	if (!size || !align || (align & (align - 1)))
		return -EINVAL;
	if (!memblock_find(m, size, align, node, &found) &&
	    (is_exact || node == NUMA_NO_NODE ||
	     !memblock_find(m, size, align, NUMA_NO_NODE, &found)))
		return -ENOMEM;
	rc = nslab_memblock_reserve(m, found, size);
	if (!rc)
		*base = found;
	return rc;
}
