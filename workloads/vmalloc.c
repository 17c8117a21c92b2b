/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmalloc.c: areas that are contiguous in addresses only, of sizes within min_pages..max_pages.
 *
 * It imitates modules, ring buffers, file system tables and kvmalloc of large arrays: what is too
 * large for contiguous pages. Each area costs a range of addresses, single pages and mappings, and
 * freeing it is lazy, so the price is in the search for a range and in the purges, which all CPUs
 * share.
 *
 * How it works: each worker holds live_areas areas and replaces a random one by one of another size
 * over and over; sizes are drawn ahead. The first area of a run makes the arena behind all others,
 * so setup makes one off the clock. One operation is one area allocated and one freed.
 *
 * Invariants: a slot is empty or has an area whose both ends carry its mark, since the first and
 * the last page are written as soon as they are mapped; verify() answers -EILSEQ when a mark was
 * gone or an area was not known when it was freed.
 *
 * Left out: huge mappings and vm_map_ram, which the model does not have, and areas that another
 * CPU frees.
 */
#include "workloads/block.h"

#include "core/rng.h"

#include <numaslab/plugin.h>

#define VMALLOC_DRAWS 1024u

struct vmalloc_params {
	int64_t min_pages, max_pages, live_areas;
};

struct vmalloc_area {
	void *start; /* NULL: none */
	size_t bytes;
};

struct vmalloc {
	struct nslab_workload base;
	struct vmalloc_params params;
	size_t draws[VMALLOC_DRAWS]; /* bytes */
	atomic_uint_fast64_t nr_areas, nr_pages;
	struct nslab_block_tally tally;
};

struct vmalloc_worker {
	struct nslab_worker base;
	struct vmalloc_area *areas;
	size_t nr_slots;
	uint64_t nr_areas, nr_pages, nr_bad, rng;
	unsigned at;
	bool is_failed;
};

#define VMALLOC_ROW(field, d, hi, text)                                                            \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_INT, .offset = offsetof(struct vmalloc_params, field),       \
  .def = (d), .min = 1, .max = (hi), .help = (text)                                                \
 }

static const struct nslab_param vmalloc_rows[] = {
	VMALLOC_ROW(min_pages, "1", 1 << 20, "pages of the smallest area"),
	VMALLOC_ROW(max_pages, "32", 1 << 20, "pages of the largest area"),
	VMALLOC_ROW(live_areas, "64", 1 << 20, "areas that each worker keeps"),
	NSLAB_PARAM_END,
};

static int vmalloc_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct vmalloc_params *p = params;
	struct vmalloc *state;
	uint64_t rng = nslab_rng_mix(run->seed, UINT64_MAX);
	void *first;

	if (p->min_pages > p->max_pages)
		return -EINVAL;
	if (!run->env->vmalloc)
		return -EOPNOTSUPP;
	first = run->env->vmalloc(run->env, NULL, NSLAB_PAGE_SIZE, GFP_KERNEL, 0);
	if (!first)
		return -ENOMEM;
	run->env->vfree(run->env, NULL, first);
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->base.run = run;
	state->params = *p;
	for (unsigned i = 0; i < VMALLOC_DRAWS; i++)
		state->draws[i] =
			(size_t)(p->min_pages +
				 nslab_rng_below(&rng, (uint32_t)(p->max_pages - p->min_pages + 1)))
			<< NSLAB_PAGE_SHIFT;
	*w = &state->base;
	return 0;
}

/* ---- operations ---- */

static uint64_t vmalloc_mark(const struct vmalloc_area *area)
{
	return (uint64_t)(uintptr_t)area->start + area->bytes;
}

static bool vmalloc_take(struct vmalloc_worker *self, struct vmalloc_area *area, size_t bytes)
{
	const struct nslab_env *env = self->base.workload->run->env;

	area->bytes = bytes;
	area->start = env->vmalloc(env, self->base.cpu, bytes, GFP_KERNEL, NUMA_NO_NODE);
	if (!area->start)
		return false;
	nslab_block_mark(area->start, bytes, vmalloc_mark(area));
	self->nr_areas++;
	self->nr_pages += bytes >> NSLAB_PAGE_SHIFT;
	return true;
}

static void vmalloc_give(struct vmalloc_worker *self, const struct vmalloc_area *area)
{
	const struct nslab_env *env = self->base.workload->run->env;

	if (!area->start)
		return;
	self->nr_bad += !nslab_block_is_marked(area->start, area->bytes, vmalloc_mark(area));
	self->nr_bad += !env->vfree(env, self->base.cpu, area->start);
}

static size_t vmalloc_batch(struct nslab_worker *worker, size_t n)
{
	struct vmalloc_worker *self = nslab_container_of(worker, struct vmalloc_worker, base);
	const struct vmalloc *state = nslab_container_of(worker->workload, struct vmalloc, base);
	size_t done = 0;

	for (; done < n; done++) {
		size_t slot = nslab_block_draw(&self->rng, self->nr_slots);
		struct vmalloc_area old = self->areas[slot];

		if (!vmalloc_take(self, &self->areas[slot],
				  state->draws[self->at++ % VMALLOC_DRAWS])) {
			self->areas[slot] = old;
			self->is_failed = true;
			break;
		}
		vmalloc_give(self, &old);
	}
	return done;
}

static void vmalloc_worker_exit(struct nslab_worker *worker)
{
	struct vmalloc_worker *self = nslab_container_of(worker, struct vmalloc_worker, base);
	struct vmalloc *state = nslab_container_of(worker->workload, struct vmalloc, base);

	for (size_t i = 0; i < self->nr_slots; i++)
		vmalloc_give(self, &self->areas[i]);
	atomic_fetch_add(&state->nr_areas, self->nr_areas);
	atomic_fetch_add(&state->nr_pages, self->nr_pages);
	atomic_fetch_add(&state->tally.nr_bad, self->nr_bad);
	atomic_fetch_add(&state->tally.tally.nr_failed, self->is_failed);
	free(self->areas);
	free(self);
}

static int vmalloc_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			       struct nslab_worker **worker)
{
	struct vmalloc *state = nslab_container_of(w, struct vmalloc, base);
	struct vmalloc_worker *self = nslab_apart_alloc(sizeof(*self));

	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->rng = nslab_rng_mix(w->run->seed, (uint64_t)index);
	self->at = (unsigned)(self->rng % VMALLOC_DRAWS);
	self->nr_slots = (size_t)state->params.live_areas;
	self->areas = nslab_apart_alloc(self->nr_slots * sizeof(*self->areas));
	for (size_t i = 0; self->areas && i < self->nr_slots && !self->is_failed; i++)
		self->is_failed = !vmalloc_take(self, &self->areas[i],
						state->draws[self->at++ % VMALLOC_DRAWS]);
	if (!self->areas || self->is_failed) {
		self->nr_slots = self->areas ? self->nr_slots : 0;
		vmalloc_worker_exit(&self->base);
		return -ENOMEM;
	}
	*worker = &self->base;
	return 0;
}

static int vmalloc_verify(struct nslab_workload *w)
{
	return nslab_block_verdict(&nslab_container_of(w, struct vmalloc, base)->tally);
}

static void vmalloc_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct vmalloc *state = nslab_container_of(w, struct vmalloc, base);

	figures->figure(figures, "areas", (double)atomic_load(&state->nr_areas), "areas");
	figures->figure(figures, "mapped_pages", (double)atomic_load(&state->nr_pages), "pages");
}

static void vmalloc_teardown(struct nslab_workload *w)
{
	free(nslab_container_of(w, struct vmalloc, base));
}

static const struct nslab_workload_ops vmalloc_ops = {
	.name = "vmalloc",
	.summary = "areas of single pages mapped in a row, of mixed sizes, replaced at random",
	.models = "mm/vmalloc.c under kvmalloc, modules and ring buffers",
	.needs = NSLAB_CAP_PAGES,
	.min_workers = 1,
	.params = vmalloc_rows,
	.params_size = sizeof(struct vmalloc_params),
	.setup = vmalloc_setup,
	.worker_init = vmalloc_worker_init,
	.batch = {[NSLAB_ENTRY_PAGES] = vmalloc_batch},
	.worker_exit = vmalloc_worker_exit,
	.verify = vmalloc_verify,
	.figures = vmalloc_figures,
	.teardown = vmalloc_teardown,
};
NSLAB_WORKLOAD_PLUGIN(vmalloc_ops);
