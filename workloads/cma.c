/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cma.c: large contiguous ranges out of memory that movable blocks fill in the meantime.
 *
 * It imitates a camera or display driver that asks for a frame buffer on a system whose file cache
 * has spread into the area that was kept for it: the range has to be emptied page by page first.
 * One block that cannot be moved makes a range useless, and nowhere to move to makes the request
 * fail; how often either happens, and how many pages had to move, is told beside the speed.
 *
 * How it works: setup makes an area of area_mib on each node with PUs, and takes unmovable memory
 * until half as much as the area is free beside it and above the watermark, so that movable
 * requests have to use the area. Each worker fills its share of pressure_percent of all that with
 * movable blocks of order 0 to 2. One operation frees the
 * oldest of the worker's live_ranges ranges and requests range_pages pages in a row on its node
 * instead; then replace_blocks of the worker's movable
 * blocks are freed and allocated again, which refills the area. pinned_percent of the blocks have
 * no mover.
 *
 * Movers: blocks know their owner (one for each worker, which lives as long as the workload, since
 * a claim may call it just as the block goes). slot_of[] says in which slot a frame's block stands;
 * it is a hint that only counts when that slot, read under the owner's lock, agrees.
 *
 * Invariants: a slot's block carries the slot's mark at both ends, wherever it was moved to; a
 * range carries its own while it is held. verify() answers -EILSEQ when one was gone.
 *
 * Locks: owner->lock (NSLAB_RANK_CACHE), around a slot; the mover takes it within a claim.
 *
 * Left out: several areas on a node, and requests that wait for a pinned page.
 */
#include "workloads/block.h"

#include "core/lock.h"
#include "core/rng.h"

#include <numaslab/plugin.h>

#define CMA_MOVABLE    (GFP_KERNEL | __GFP_MOVABLE | __GFP_NOWARN | __GFP_THISNODE)
#define CMA_BALLAST    (GFP_KERNEL | __GFP_NOWARN | __GFP_THISNODE)
#define CMA_MEAN_PAGES 2 /* of a movable block; orders 0, 1 and 2: 7 / 3 */
#define CMA_MIB_PAGES  ((size_t)1 << 20 >> NSLAB_PAGE_SHIFT)
#define CMA_SLOT_BITS  24

struct cma_params {
	int64_t area_mib, range_pages, live_ranges, align_order;
	int64_t pressure_percent, pinned_percent, replace_blocks;
};

struct cma;

struct cma_owner {
	struct nslab_page_mover mover;
	struct cma *state;
	struct nslab_lock lock;
	struct nslab_page **blocks; /* [nr_slots], NULL: none */
	size_t nr_slots;
	uint64_t nr_moved; /* pages; under the lock */
} NSLAB_ALIGNED(NSLAB_APART);

struct cma {
	struct nslab_workload base;
	struct cma_params params;
	struct nslab_cma *areas[NSLAB_MAX_NODES]; /* NULL: none on that node */
	int nr_areas;
	struct nslab_page *ballast; /* chained by freelist */
	struct cma_owner *owners;
	_Atomic uint32_t *slot_of; /* [frames]: slot + 1 of a movable block's head, 0: none */
	atomic_uint_fast64_t nr_served, nr_busy, nr_full;
	struct nslab_block_tally tally;
};

struct cma_worker {
	struct nslab_worker base;
	struct cma_owner *owner;
	struct nslab_cma *area;
	struct nslab_page **ranges; /* [nr_ranges], NULL: none */
	size_t range_pages, nr_ranges, oldest;
	uint64_t nr_served, nr_busy, nr_full, nr_bad, rng;
};

#define CMA_ROW(field, d, lo, hi, text)                                                            \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_INT, .offset = offsetof(struct cma_params, field),           \
  .def = (d), .min = (lo), .max = (hi), .help = (text)                                             \
 }

static const struct nslab_param cma_rows[] = {
	CMA_ROW(area_mib, "16", 4, 1 << 20, "of the area on each node"),
	CMA_ROW(range_pages, "512", 1, 1 << 20, "of one request, in a row"),
	CMA_ROW(live_ranges, "4", 1, 1 << 16, "that each worker holds"),
	CMA_ROW(align_order, "0", 0, 8, "a range starts at a multiple of 2^order pages"),
	CMA_ROW(pressure_percent, "60", 0, 95, "of area and rest that movable blocks fill"),
	CMA_ROW(pinned_percent, "0", 0, 100, "movable blocks that stay where they are"),
	CMA_ROW(replace_blocks, "32", 0, 1 << 16, "movable blocks renewed after each request"),
	NSLAB_PARAM_END,
};

/* ---- movers ---- */

static uint64_t cma_mark(const struct cma_owner *owner, size_t slot)
{
	return (uint64_t)(owner - owner->state->owners) << 32 | slot;
}

static void cma_copy(const struct nslab_env *env, struct nslab_page *from, struct nslab_page *to)
{
	memcpy(nslab_page_address(env, to), nslab_page_address(env, from),
	       NSLAB_PAGE_SIZE << from->order);
}

static int cma_move(struct nslab_page_mover *mover, struct nslab_page *from, struct nslab_page *to)
{
	struct cma_owner *owner = nslab_container_of(mover, struct cma_owner, mover);
	struct cma *state = owner->state;
	const struct nslab_env *env = state->base.run->env;
	_Atomic uint32_t *hint = state->slot_of + nslab_arena_pfn(env->arena, from);
	uint32_t slot;
	int rc = -ENOENT;

	nslab_lock_acquire(&owner->lock);
	slot = atomic_load_explicit(hint, memory_order_relaxed) - 1;
	if (slot < owner->nr_slots && owner->blocks[slot] == from) {
		cma_copy(env, from, to);
		owner->blocks[slot] = to;
		atomic_store_explicit(state->slot_of + nslab_arena_pfn(env->arena, to), slot + 1,
				      memory_order_relaxed);
		owner->nr_moved += (uint64_t)1 << from->order;
		rc = 0;
	}
	nslab_lock_release(&owner->lock);
	return rc;
}

/* ---- movable blocks ---- */

/* The block is known to its slot before it has a mover. Refused: the slot stays empty. */
static void cma_block_take(struct cma_worker *self, size_t slot)
{
	struct cma_owner *owner = self->owner;
	struct cma *state = owner->state;
	const struct nslab_env *env = state->base.run->env;
	unsigned order = (unsigned)nslab_block_draw(&self->rng, 3);
	bool is_pinned = (int64_t)nslab_block_draw(&self->rng, 100) < state->params.pinned_percent;
	struct nslab_page *page =
		env->alloc_pages(env, self->base.cpu, order, CMA_MOVABLE, self->base.cpu->node);

	if (!page)
		return;
	nslab_block_mark(nslab_page_address(env, page), NSLAB_PAGE_SIZE << order,
			 cma_mark(owner, slot));
	nslab_lock_acquire(&owner->lock);
	owner->blocks[slot] = page;
	atomic_store_explicit(state->slot_of + nslab_arena_pfn(env->arena, page),
			      (uint32_t)slot + 1, memory_order_relaxed);
	nslab_lock_release(&owner->lock);
	if (!is_pinned)
		env->set_mover(env, page, &owner->mover);
}

/* From the moment that its slot is empty nobody moves it. */
static void cma_block_give(struct cma_worker *self, size_t slot)
{
	struct cma_owner *owner = self->owner;
	const struct nslab_env *env = owner->state->base.run->env;
	struct nslab_page *page;

	nslab_lock_acquire(&owner->lock);
	page = owner->blocks[slot];
	owner->blocks[slot] = NULL;
	nslab_lock_release(&owner->lock);
	if (!page)
		return;
	self->nr_bad +=
		!nslab_block_is_marked(nslab_page_address(env, page),
				       NSLAB_PAGE_SIZE << page->order, cma_mark(owner, slot));
	env->free_pages(env, self->base.cpu, page, page->order);
}

/* ---- setup ---- */

/* Free pages of a node beside its area and its high watermark, below which nothing moves to. */
static size_t cma_rest_pages(const struct nslab_env *env, int node)
{
	struct nslab_zone_stats zone;
	size_t nr = 0, kept = 0;

	for (int i = 0; !env->zone_stats(env, i, &zone); i++) {
		if (zone.node != node)
			continue;
		nr += zone.nr_free_pages;
		kept += zone.high_pages;
		for (unsigned order = 0; order <= NSLAB_MAX_ORDER; order++)
			nr -= zone.nr_free_blocks[NSLAB_MIGRATE_CMA][order] << order;
	}
	return nr > kept ? nr - kept : 0;
}

static void cma_add_ballast(struct cma *state, int node, size_t rest_pages)
{
	const struct nslab_env *env = state->base.run->env;
	size_t left = cma_rest_pages(env, node);

	while (left >= rest_pages + ((size_t)1 << NSLAB_MAX_ORDER)) {
		struct nslab_page *page =
			env->alloc_pages(env, NULL, NSLAB_MAX_ORDER, CMA_BALLAST, node);

		if (!page)
			return;
		page->freelist = (uintptr_t)state->ballast;
		state->ballast = page;
		left -= (size_t)1 << NSLAB_MAX_ORDER;
	}
}

static int cma_open_areas(struct cma *state)
{
	const struct nslab_run *run = state->base.run;
	const struct nslab_env *env = run->env;
	size_t nr_pages = (size_t)state->params.area_mib * CMA_MIB_PAGES;

	for (int node = 0; node < env->arena->nr_nodes; node++) {
		int rc;

		if (run->node_has_pus && !run->node_has_pus[node])
			continue;
		rc = env->cma_open(env, node, nr_pages, &state->areas[node]);
		if (rc)
			return rc;
		state->nr_areas++;
		cma_add_ballast(state, node, nr_pages / 2);
	}
	return state->nr_areas ? 0 : -ENXIO;
}

static int cma_make_owners(struct cma *state)
{
	const struct nslab_run *run = state->base.run;
	const struct nslab_arena *a = run->env->arena;
	size_t nr_frames = (size_t)a->nr_nodes << (a->node_shift - NSLAB_PAGE_SHIFT);
	size_t nr_pages = (size_t)state->params.area_mib * CMA_MIB_PAGES * 3 / 2 *
			  (size_t)state->nr_areas * (size_t)state->params.pressure_percent / 100;
	size_t nr_slots = nr_pages / CMA_MEAN_PAGES / (size_t)run->nr_workers;

	state->slot_of = calloc(nr_frames, sizeof(*state->slot_of));
	state->owners = nslab_apart_alloc((size_t)run->nr_workers * sizeof(*state->owners));
	if (!state->slot_of || !state->owners)
		return -ENOMEM;
	if (nr_slots >> CMA_SLOT_BITS)
		return -EINVAL;
	for (int i = 0; i < run->nr_workers; i++) {
		struct cma_owner *owner = &state->owners[i];

		owner->mover.move = cma_move;
		owner->state = state;
		owner->nr_slots = nr_slots;
		nslab_lock_init(&owner->lock, NSLAB_RANK_CACHE);
		owner->blocks = calloc(nr_slots + 1, sizeof(struct nslab_page *));
		if (!owner->blocks)
			return -ENOMEM;
	}
	return 0;
}

static void cma_teardown(struct nslab_workload *w)
{
	struct cma *state = nslab_container_of(w, struct cma, base);
	const struct nslab_env *env = w->run->env;

	while (state->ballast) {
		struct nslab_page *page = state->ballast;

		state->ballast = (struct nslab_page *)page->freelist;
		env->free_pages(env, NULL, page, NSLAB_MAX_ORDER);
	}
	for (int node = 0; node < NSLAB_MAX_NODES; node++) {
		if (state->areas[node])
			env->cma_close(env, state->areas[node]);
	}
	for (int i = 0; state->owners && i < w->run->nr_workers; i++)
		free(state->owners[i].blocks);
	free(state->owners);
	free(state->slot_of);
	free(state);
}

static int cma_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	struct cma *state;
	int rc;

	if (!run->env->cma_open || !run->env->set_mover || !run->env->zone_stats)
		return -EOPNOTSUPP;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->base.run = run;
	memcpy(&state->params, params, sizeof(state->params));
	rc = cma_open_areas(state);
	if (!rc)
		rc = cma_make_owners(state);
	if (rc) {
		cma_teardown(&state->base);
		return rc;
	}
	*w = &state->base;
	return 0;
}

static int cma_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			   struct nslab_worker **worker)
{
	struct cma *state = nslab_container_of(w, struct cma, base);
	struct cma_worker *self;

	if (index >= w->run->nr_workers || !state->areas[cpu->node])
		return -EINVAL;
	self = nslab_apart_alloc(sizeof(*self));
	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->rng = nslab_rng_mix(w->run->seed, (uint64_t)index);
	self->owner = &state->owners[index];
	self->area = state->areas[cpu->node];
	self->range_pages = (size_t)state->params.range_pages;
	self->nr_ranges = (size_t)state->params.live_ranges;
	self->ranges = calloc(self->nr_ranges, sizeof(struct nslab_page *));
	if (!self->ranges) {
		free(self);
		return -ENOMEM;
	}
	for (size_t slot = 0; slot < self->owner->nr_slots; slot++)
		cma_block_take(self, slot);
	*worker = &self->base;
	return 0;
}

/* ---- operations ---- */

static uint64_t cma_range_mark(const struct cma_worker *self, const struct nslab_page *first)
{
	return (uint64_t)(uintptr_t)self ^ (uint64_t)(uintptr_t)first;
}

static void cma_range_give(struct cma_worker *self, struct nslab_page *first)
{
	const struct nslab_env *env = self->base.workload->run->env;

	if (!first)
		return;
	self->nr_bad += !nslab_block_is_marked(nslab_page_address(env, first),
					       self->range_pages << NSLAB_PAGE_SHIFT,
					       cma_range_mark(self, first));
	self->nr_bad += env->cma_free(env, self->area, first, self->range_pages) != 0;
}

/* NULL when the request was not served, which is an outcome and no error. */
static struct nslab_page *cma_range_take(struct cma_worker *self, unsigned align_order)
{
	const struct nslab_env *env = self->base.workload->run->env;
	struct nslab_page *first = NULL;
	int rc = env->cma_alloc(env, self->area, self->range_pages, align_order, &first);

	self->nr_served += !rc;
	self->nr_busy += rc == -EBUSY;
	self->nr_full += rc && rc != -EBUSY;
	if (!rc)
		nslab_block_mark(nslab_page_address(env, first),
				 self->range_pages << NSLAB_PAGE_SHIFT,
				 cma_range_mark(self, first));
	return first;
}

static size_t cma_batch(struct nslab_worker *worker, size_t n)
{
	struct cma_worker *self = nslab_container_of(worker, struct cma_worker, base);
	const struct cma_params *p = &self->owner->state->params;
	size_t nr_slots = self->owner->nr_slots;

	for (size_t done = 0; done < n; done++) {
		struct nslab_page **range = &self->ranges[self->oldest];

		cma_range_give(self, *range);
		*range = cma_range_take(self, (unsigned)p->align_order);
		self->oldest = self->oldest + 1 == self->nr_ranges ? 0 : self->oldest + 1;
		for (int64_t i = 0; i < p->replace_blocks && nr_slots; i++) {
			size_t slot = nslab_block_draw(&self->rng, nr_slots);

			cma_block_give(self, slot);
			cma_block_take(self, slot);
		}
	}
	return n;
}

static void cma_worker_exit(struct nslab_worker *worker)
{
	struct cma_worker *self = nslab_container_of(worker, struct cma_worker, base);
	struct cma *state = nslab_container_of(worker->workload, struct cma, base);

	for (size_t i = 0; i < self->nr_ranges; i++)
		cma_range_give(self, self->ranges[i]);
	for (size_t slot = 0; slot < self->owner->nr_slots; slot++)
		cma_block_give(self, slot);
	atomic_fetch_add(&state->nr_served, self->nr_served);
	atomic_fetch_add(&state->nr_busy, self->nr_busy);
	atomic_fetch_add(&state->nr_full, self->nr_full);
	atomic_fetch_add(&state->tally.nr_bad, self->nr_bad);
	free(self->ranges);
	free(self);
}

/* ---- results ---- */

static int cma_verify(struct nslab_workload *w)
{
	return nslab_block_verdict(&nslab_container_of(w, struct cma, base)->tally);
}

static void cma_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct cma *state = nslab_container_of(w, struct cma, base);
	double served = (double)atomic_load(&state->nr_served);
	double busy = (double)atomic_load(&state->nr_busy);
	double full = (double)atomic_load(&state->nr_full);
	double moved = 0;

	for (int i = 0; i < w->run->nr_workers; i++)
		moved += (double)state->owners[i].nr_moved;
	figures->figure(figures, "moved_pages", moved, "pages");
	figures->figure(figures, "served", served, "requests");
	figures->figure(figures, "busy", busy, "requests");
	figures->figure(figures, "no_room", full, "requests");
	if (served + busy + full > 0)
		figures->figure(figures, "success_rate", served / (served + busy + full), "ratio");
}

static const struct nslab_workload_ops cma_ops = {
	.name = "cma",
	.summary = "one operation: a contiguous range requested, movable blocks moved away, freed",
	.models = "mm/cma.c: a driver's buffer where the file cache stands",
	.needs = NSLAB_CAP_PAGES,
	.min_workers = 1,
	.params = cma_rows,
	.params_size = sizeof(struct cma_params),
	.setup = cma_setup,
	.worker_init = cma_worker_init,
	.batch = {[NSLAB_ENTRY_PAGES] = cma_batch},
	.worker_exit = cma_worker_exit,
	.verify = cma_verify,
	.figures = cma_figures,
	.teardown = cma_teardown,
};
NSLAB_WORKLOAD_PLUGIN(cma_ops);
