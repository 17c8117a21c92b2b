/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages.c: blocks of mixed orders, types and lifetimes straight from the page allocator.
 *
 * It imitates what a kernel asks its page allocator for: mostly single pages of files and programs,
 * which can be moved, between slabs, page tables and buffers, which cannot; most of them short
 * lived, some for good. Lifetimes that lie side by side in one 2 MiB block are what fragments
 * memory, and grouping by type is the answer, so the workload tells the kernel's two fragmentation
 * numbers beside the speed, and how they change over operations.
 *
 * How it works: order, type and lifetime come from a table that is drawn ahead. A worker has slots;
 * an operation allocates a block, puts it into a slot of its lifetime and frees the one that was
 * there: among a sixteenth of the slots for the short-lived, among all others for the long-lived.
 * A request that is refused is counted and empties its slot; it is no operation. Worker 0 looks at
 * the zones every sample_ops operations; when its room is full it drops every other sample and
 * doubles the distance.
 *
 * Invariants: a slot is empty or has a block whose both ends carry its mark; verify() answers
 * -EILSEQ when a mark was gone. 64 refusals in a row are out of memory.
 *
 * Left out: reclaim and compaction (the page layer has none), and blocks that other CPUs free.
 */
#include "workloads/block.h"

#include "allocators/common/zone.h"
#include "core/rng.h"

#include <numaslab/plugin.h>
#include <stdio.h>

#define PAGES_DRAWS	  4096u
#define PAGES_SAMPLES	  256u
#define PAGES_REFUSED_MAX 64

struct pages_params {
	char orders[NSLAB_TEXT_MAX];
	int64_t live_pages;
	int64_t movable_percent, reclaimable_percent, long_percent;
	int64_t index_order, sample_ops;
};

struct pages_draw {
	gfp_t gfp;
	uint8_t order;
	bool is_long;
};

struct pages_sample {
	uint64_t nr_ops;
	int extfrag, unusable; /* thousandths, as in debugfs extfrag/ */
};

struct pages {
	struct nslab_workload base;
	struct pages_params params;
	uint64_t weights[NSLAB_MAX_ORDER + 1], weight_sum;
	size_t nr_slots;
	struct pages_draw draws[PAGES_DRAWS];
	/* worker 0's */
	struct pages_sample samples[PAGES_SAMPLES];
	unsigned nr_samples;
	uint64_t sample_ops, next_sample;
	atomic_uint_fast64_t nr_refused, nr_refused_large;
	struct nslab_block_tally tally;
};

struct pages_worker {
	struct nslab_worker base;
	struct nslab_page **slots;
	size_t nr_short, nr_long;
	uint64_t nr_ops, nr_refused, nr_refused_large, nr_bad, rng;
	unsigned at;
	bool is_failed;
};

#define PAGES_ROW(field, d, lo, hi, text)                                                          \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_INT, .offset = offsetof(struct pages_params, field),         \
  .def = (d), .min = (lo), .max = (hi), .help = (text)                                             \
 }

static const struct nslab_param pages_rows[] = {
	{
		.name = "orders",
		.type = NSLAB_PARAM_TEXT,
		.offset = offsetof(struct pages_params, orders),
		.def = "0:80 1:8 2:5 3:5 4:1 9:1",
		.help = "ORDER:WEIGHT of requests, separated by spaces",
	},
	PAGES_ROW(live_pages, "4096", 16, 1 << 24, "about as many pages each worker holds"),
	PAGES_ROW(movable_percent, "50", 0, 100, "requests that could be moved"),
	PAGES_ROW(reclaimable_percent, "15", 0, 100, "requests that could be given up"),
	PAGES_ROW(long_percent, "20", 0, 100, "requests of long-lived blocks"),
	PAGES_ROW(index_order, "4", 0, NSLAB_MAX_ORDER, "order that fragmentation is told for"),
	PAGES_ROW(sample_ops, "16k", 16, 1 << 30, "operations of worker 0 between two looks"),
	NSLAB_PARAM_END,
};

/* ---- setup ---- */

static int pages_parse_orders(struct pages *state)
{
	const char *text = state->params.orders;

	while (*text) {
		unsigned order, weight;
		int len = 0;

		if (sscanf(text, " %2u:%6u%n", &order, &weight, &len) != 2 ||
		    order > NSLAB_MAX_ORDER)
			return -EINVAL;
		state->weights[order] += weight;
		state->weight_sum += weight;
		text += len;
		text += strspn(text, " ");
	}
	return state->weight_sum ? 0 : -EINVAL;
}

static struct pages_draw pages_draw_one(const struct pages *state, uint64_t *rng)
{
	const struct pages_params *p = &state->params;
	uint64_t pick = nslab_rng_below(rng, (uint32_t)state->weight_sum);
	int64_t type = nslab_rng_below(rng, 100);
	struct pages_draw draw = {.gfp = GFP_KERNEL | __GFP_NOWARN};

	while (pick >= state->weights[draw.order])
		pick -= state->weights[draw.order++];
	if (type < p->movable_percent)
		draw.gfp |= __GFP_MOVABLE;
	else if (type < p->movable_percent + p->reclaimable_percent)
		draw.gfp |= __GFP_RECLAIMABLE;
	draw.is_long = nslab_rng_below(rng, 100) < p->long_percent;
	return draw;
}

static int pages_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	struct pages *state = calloc(1, sizeof(*state));
	uint64_t rng = nslab_rng_mix(run->seed, UINT64_MAX);
	uint64_t pages = 0;
	int rc = -EINVAL;

	if (!state)
		return -ENOMEM;
	state->base.run = run;
	memcpy(&state->params, params, sizeof(state->params));
	if (state->params.movable_percent + state->params.reclaimable_percent <= 100)
		rc = pages_parse_orders(state);
	if (rc) {
		free(state);
		return rc;
	}
	for (unsigned order = 0; order <= NSLAB_MAX_ORDER; order++)
		pages += state->weights[order] << order;
	state->nr_slots = (size_t)state->params.live_pages * state->weight_sum / pages;
	state->nr_slots = state->nr_slots < 16 ? 16 : state->nr_slots;
	state->sample_ops = (uint64_t)state->params.sample_ops;
	for (unsigned i = 0; i < PAGES_DRAWS; i++)
		state->draws[i] = pages_draw_one(state, &rng);
	*w = &state->base;
	return 0;
}

static int pages_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			     struct nslab_worker **worker)
{
	struct pages *state = nslab_container_of(w, struct pages, base);
	struct pages_worker *self = nslab_apart_alloc(sizeof(*self));

	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->rng = nslab_rng_mix(w->run->seed, (uint64_t)index);
	self->at = (unsigned)(self->rng % PAGES_DRAWS);
	self->nr_short = state->nr_slots / 16;
	self->nr_long = state->nr_slots - self->nr_short;
	self->slots = nslab_apart_alloc(state->nr_slots * sizeof(struct nslab_page *));
	if (!self->slots) {
		free(self);
		return -ENOMEM;
	}
	*worker = &self->base;
	return 0;
}

/* ---- fragmentation ---- */

static void pages_thin_out(struct pages *state)
{
	for (unsigned i = 0; i < PAGES_SAMPLES / 2; i++)
		state->samples[i] = state->samples[2 * i];
	state->nr_samples = PAGES_SAMPLES / 2;
	state->sample_ops *= 2;
}

/* All zones as one memory; nothing when the page allocator does not tell of any. */
static void pages_look(struct pages *state, uint64_t nr_ops)
{
	const struct nslab_env *env = state->base.run->env;
	unsigned order = (unsigned)state->params.index_order;
	uint64_t nr_blocks[NSLAB_MAX_ORDER + 1] = {0};
	struct nslab_zone_stats zone;
	int nr = 0;

	for (; !env->zone_stats(env, nr, &zone); nr++)
		nslab_zone_add_blocks(&zone, nr_blocks);
	state->next_sample = nr_ops + state->sample_ops;
	if (!nr)
		return;
	if (state->nr_samples == PAGES_SAMPLES)
		pages_thin_out(state);
	state->samples[state->nr_samples++] = (struct pages_sample){
		.nr_ops = nr_ops,
		.extfrag = nslab_zone_extfrag_index(nr_blocks, order),
		.unusable = nslab_zone_unusable_index(nr_blocks, order),
	};
}

/* ---- operations ---- */

static uint64_t pages_mark(const struct nslab_page *page)
{
	return (uint64_t)(uintptr_t)page * UINT64_C(0x9e3779b97f4a7c15);
}

static void pages_give(struct pages_worker *self, struct nslab_page *page)
{
	const struct nslab_env *env = self->base.workload->run->env;
	unsigned order = page->order;

	self->nr_bad += !nslab_block_is_marked(nslab_page_address(env, page),
					       NSLAB_PAGE_SIZE << order, pages_mark(page));
	env->free_pages(env, self->base.cpu, page, order);
}

/* False: refused. Whatever was in the slot is freed. */
static bool pages_replace(struct pages_worker *self, const struct pages_draw *draw)
{
	const struct nslab_env *env = self->base.workload->run->env;
	size_t slot = draw->is_long ? self->nr_short + nslab_block_draw(&self->rng, self->nr_long)
				    : nslab_block_draw(&self->rng, self->nr_short);
	struct nslab_page *old = self->slots[slot];
	struct nslab_page *page =
		env->alloc_pages(env, self->base.cpu, draw->order, draw->gfp, NUMA_NO_NODE);

	if (page)
		nslab_block_mark(nslab_page_address(env, page), NSLAB_PAGE_SIZE << draw->order,
				 pages_mark(page));
	self->slots[slot] = page;
	if (old)
		pages_give(self, old);
	return page != NULL;
}

static size_t pages_batch(struct nslab_worker *worker, size_t n)
{
	struct pages_worker *self = nslab_container_of(worker, struct pages_worker, base);
	struct pages *state = nslab_container_of(worker->workload, struct pages, base);
	int nr_in_row = 0;
	size_t done = 0;

	while (done < n) {
		const struct pages_draw *draw = &state->draws[self->at++ % PAGES_DRAWS];

		if (pages_replace(self, draw)) {
			nr_in_row = 0;
			done++;
			continue;
		}
		self->nr_refused++;
		self->nr_refused_large += draw->order > 0;
		if (++nr_in_row == PAGES_REFUSED_MAX) {
			self->is_failed = true;
			break;
		}
	}
	self->nr_ops += done;
	if (!worker->index && self->nr_ops >= state->next_sample)
		pages_look(state, self->nr_ops);
	return done;
}

static void pages_worker_exit(struct nslab_worker *worker)
{
	struct pages_worker *self = nslab_container_of(worker, struct pages_worker, base);
	struct pages *state = nslab_container_of(worker->workload, struct pages, base);

	for (size_t i = 0; i < state->nr_slots; i++) {
		if (self->slots[i])
			pages_give(self, self->slots[i]);
	}
	atomic_fetch_add(&state->nr_refused, self->nr_refused);
	atomic_fetch_add(&state->nr_refused_large, self->nr_refused_large);
	atomic_fetch_add(&state->tally.nr_bad, self->nr_bad);
	atomic_fetch_add(&state->tally.tally.nr_failed, self->is_failed);
	free(self->slots);
	free(self);
}

/* ---- results ---- */

static int pages_verify(struct nslab_workload *w)
{
	return nslab_block_verdict(&nslab_container_of(w, struct pages, base)->tally);
}

/* Requests that were served from blocks of another type, which is how memory gets mixed. */
static uint64_t pages_nr_extfrag(const struct nslab_env *env)
{
	struct nslab_zone_stats zone;
	uint64_t nr = 0;

	for (int i = 0; !env->zone_stats(env, i, &zone); i++)
		nr += zone.nr_extfrag;
	return nr;
}

static void pages_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct pages *state = nslab_container_of(w, struct pages, base);
	const struct pages_sample *last;

	figures->figure(figures, "refused", (double)atomic_load(&state->nr_refused), "requests");
	figures->figure(figures, "refused_large", (double)atomic_load(&state->nr_refused_large),
			"requests");
	if (!state->nr_samples)
		return;
	last = &state->samples[state->nr_samples - 1];
	figures->figure(figures, "other_type", (double)pages_nr_extfrag(w->run->env), "requests");
	figures->figure(figures, "fragmentation_index", last->extfrag / 1000.0, "ratio");
	figures->figure(figures, "unusable_index", last->unusable / 1000.0, "ratio");
	for (unsigned i = 0; i < state->nr_samples; i++) {
		const struct pages_sample *sample = &state->samples[i];

		figures->point(figures, "fragmentation_index by operations", (double)sample->nr_ops,
			       sample->extfrag / 1000.0);
		figures->point(figures, "unusable_index by operations", (double)sample->nr_ops,
			       sample->unusable / 1000.0);
	}
}

static void pages_teardown(struct nslab_workload *w)
{
	free(nslab_container_of(w, struct pages, base));
}

static const struct nslab_workload_ops pages_ops = {
	.name = "pages",
	.summary = "page blocks of mixed orders, types and lifetimes; fragmentation over time",
	.models = "mm/page_alloc.c under files, programs, slabs and buffers at once",
	.needs = NSLAB_CAP_PAGES,
	.min_workers = 1,
	.params = pages_rows,
	.params_size = sizeof(struct pages_params),
	.setup = pages_setup,
	.worker_init = pages_worker_init,
	.batch = {[NSLAB_ENTRY_PAGES] = pages_batch},
	.worker_exit = pages_worker_exit,
	.verify = pages_verify,
	.figures = pages_figures,
	.teardown = pages_teardown,
};
NSLAB_WORKLOAD_PLUGIN(pages_ops);
