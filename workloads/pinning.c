// SPDX-License-Identifier: GPL-2.0-only
/*
 * pinning.c: one long-lived object holds each slab while the others come and go.
 *
 * It imitates what makes caches stay large after their objects have gone: a file tree is walked and
 * forgotten, but one dentry here and there is still in use, and a slab goes back only when its last
 * object is free. How many pages that costs is a matter of the order: a larger slab serves more
 * objects and is held by one of them all the same.
 *
 * How it works: worker_init allocates live_objects, keeps the first object of each slab that it
 * finds and frees all others. Where an object lies tell the page records of the arena, the slab
 * being the block of pages that holds it; memory from elsewhere counts by single pages of 4096
 * bytes. An operation then allocates and frees one object, in rounds of churn_objects; batch(n)
 * does whole rounds, so it may return up to churn_objects - 1 more than n. New objects fill the
 * holes beside the pins: the allocator's search for partly full slabs is what is timed.
 *
 * The figures: pinned objects, the pages of the blocks that they hold, and the pages that they
 * would need side by side. A block that workers share counts once.
 *
 * Invariants: the pins stay from worker_init to worker_exit with the stamp that they got, which is
 * read at the end: verify() answers -EILSEQ when one changed, and -ENOMEM when an allocation
 * failed.
 */
#include "workloads/live.h"
#include "workloads/typed.h"

#include <numaslab/plugin.h>

struct pinning_params {
	int64_t size;
	int64_t live_objects;
	int64_t churn_objects;
};

/* Where an object lies. */
struct pinning_place {
	uintptr_t start; /* of its block */
	size_t nr_pages;
	size_t index; /* of the object, in the order of allocation */
	void *obj;    /* once it is one that stays */
};

/* What a worker leaves behind for the figures. */
struct pinning_tally {
	struct pinning_place *places; /* [nr] */
	size_t nr;
};

struct pinning {
	struct nslab_typed typed;
	struct pinning_params params;
	atomic_uint_fast64_t nr_changed; /* pins whose stamp was not as it was left */
	int nr_workers;
	struct pinning_tally *tallies; /* [nr_workers] */
};

struct pinning_worker {
	struct nslab_worker base;
	struct nslab_live pins;
	struct nslab_live churn; /* empty between rounds */
	bool is_failed;
};

static const struct nslab_param pinning_rows[] = {
	NSLAB_SIZE_ROW(pinning_params),
	{
		.name = "live_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct pinning_params, live_objects),
		.def = "4096",
		.min = 1,
		.max = 1 << 24,
		.help = "objects allocated at first, of which one in each slab stays",
	},
	{
		.name = "churn_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct pinning_params, churn_objects),
		.def = "512",
		.min = 1,
		.max = 1 << 24,
		.help = "objects allocated, then freed, in a round",
	},
	NSLAB_PARAM_END,
};

static void pinning_teardown(struct nslab_workload *w)
{
	struct pinning *state = nslab_container_of(w, struct pinning, typed.base);

	for (int i = 0; state->tallies && i < state->nr_workers; i++)
		free(state->tallies[i].places);
	free(state->tallies);
	nslab_typed_teardown(w);
}

static int pinning_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct pinning_params *p = params;
	struct pinning *state;
	int rc;

	state = nslab_typed_create(run, "pinning", p->size, sizeof(*state), &rc);
	if (!state)
		return rc;
	state->params = *p;
	state->nr_workers = run->nr_workers;
	state->tallies = calloc((size_t)run->nr_workers, sizeof(*state->tallies));
	if (!state->tallies) {
		pinning_teardown(&state->typed.base);
		return -ENOMEM;
	}
	*w = &state->typed.base;
	return 0;
}

static struct pinning_place pinning_place_of(const struct nslab_env *env, const void *obj)
{
	if (env && nslab_is_arena(env, obj)) {
		const struct nslab_page *page = nslab_page_of(env, obj);

		return (struct pinning_place){
			.start = (uintptr_t)nslab_page_address(env, page),
			.nr_pages = (size_t)1 << page->order,
		};
	}
	return (struct pinning_place){
		.start = (uintptr_t)obj & ~(uintptr_t)(NSLAB_PAGE_SIZE - 1),
		.nr_pages = 1,
	};
}

static int pinning_compare(const void *a, const void *b)
{
	const struct pinning_place *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Sorts and drops all but the first of each block; returns how many are left. */
static size_t pinning_unique(struct pinning_place *places, size_t nr)
{
	size_t kept = 0;

	qsort(places, nr, sizeof(*places), pinning_compare);
	for (size_t i = 0; i < nr; i++) {
		if (!kept || places[kept - 1].start != places[i].start)
			places[kept++] = places[i];
	}
	return kept;
}

/* Frees every object but the first of each block; the places of those stay in *tally. */
static int pinning_thin(struct pinning_worker *self, struct pinning_tally *tally)
{
	const struct nslab_run *run = self->base.workload->run;
	struct nslab_live *pins = &self->pins;

	tally->places = calloc(pins->nr, sizeof(*tally->places));
	if (!tally->places)
		return -ENOMEM;
	for (size_t i = 0; i < pins->nr; i++) {
		tally->places[i] = pinning_place_of(run->env, pins->objs[i]);
		tally->places[i].index = i;
	}
	tally->nr = pinning_unique(tally->places, pins->nr);
	for (size_t i = 0; i < tally->nr; i++) {
		void **slot = &pins->objs[tally->places[i].index];

		tally->places[i].obj = *slot;
		*slot = NULL;
	}
	nslab_live_pack(pins);
	nslab_live_drain(pins, self->base.cpu, run->entry);
	for (size_t i = 0; i < tally->nr; i++)
		pins->objs[pins->nr++] = tally->places[i].obj;
	return 0;
}

static int pinning_pin(struct pinning_worker *self, struct pinning *state)
{
	size_t nr = (size_t)state->params.live_objects;
	int rc = nslab_live_init(&self->pins, &state->typed.type, nr);

	if (!rc)
		rc = nslab_live_fill(&self->pins, self->base.cpu, nr, state->typed.base.run->entry);
	return rc ? rc : pinning_thin(self, &state->tallies[self->base.index]);
}

static void pinning_worker_free(struct pinning_worker *self)
{
	enum nslab_entry entry = self->base.workload->run->entry;

	nslab_live_exit(&self->pins, self->base.cpu, entry);
	nslab_live_exit(&self->churn, self->base.cpu, entry);
	free(self);
}

static int pinning_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			       struct nslab_worker **worker)
{
	struct pinning *state = nslab_container_of(w, struct pinning, typed.base);
	struct pinning_worker *self = nslab_worker_create(w, cpu, index, sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	rc = nslab_live_init(&self->churn, &state->typed.type, (size_t)state->params.churn_objects);
	if (!rc)
		rc = pinning_pin(self, state);
	if (rc) {
		pinning_worker_free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) size_t
pinning_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct pinning_worker *self = nslab_container_of(worker, struct pinning_worker, base);
	const struct nslab_object_type type = self->churn.type;
	struct nslab_cpu *cpu = worker->cpu;
	const size_t nr_churn = self->churn.room;
	void **objs = self->churn.objs;
	size_t done = 0;

	while (done < n && !self->is_failed) {
		size_t nr = 0;

		for (; nr < nr_churn; nr++) {
			objs[nr] = nslab_object_alloc(cpu, &type, entry);
			if (!objs[nr])
				break;
		}
		for (size_t i = 0; i < nr; i++)
			nslab_object_free(cpu, &type, objs[i], entry);
		self->is_failed = nr < nr_churn;
		done += nr;
	}
	return done;
}

NSLAB_WORKLOAD_BATCH(pinning)

static void pinning_worker_exit(struct nslab_worker *worker)
{
	struct pinning_worker *self = nslab_container_of(worker, struct pinning_worker, base);
	struct pinning *state = nslab_container_of(worker->workload, struct pinning, typed.base);

	/* nslab_object_alloc() stamped each with its address */
	for (size_t i = 0; i < self->pins.nr; i++) {
		if (*(uint64_t *)self->pins.objs[i] != (uintptr_t)self->pins.objs[i])
			atomic_fetch_add(&state->nr_changed, 1);
	}
	nslab_typed_leave(worker, self->is_failed);
	pinning_worker_free(self);
}

static int pinning_verify(struct nslab_workload *w)
{
	struct pinning *state = nslab_container_of(w, struct pinning, typed.base);

	return atomic_load(&state->nr_changed) ? -EILSEQ : nslab_typed_verify(w);
}

/* All workers' places in one array; NULL when memory is out. */
static struct pinning_place *pinning_gather(const struct pinning *state, size_t *nr)
{
	struct pinning_place *all;

	*nr = 0;
	for (int i = 0; i < state->nr_workers; i++)
		*nr += state->tallies[i].nr;
	all = calloc(*nr + 1, sizeof(*all));
	if (!all)
		return NULL;
	*nr = 0;
	for (int i = 0; i < state->nr_workers; i++) {
		memcpy(all + *nr, state->tallies[i].places, state->tallies[i].nr * sizeof(*all));
		*nr += state->tallies[i].nr;
	}
	return all;
}

static void pinning_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct pinning *state = nslab_container_of(w, struct pinning, typed.base);
	const struct kmem_cache *s = state->typed.type.s;
	size_t stride = s && s->size ? s->size : state->typed.type.size_bytes;
	size_t nr_pins, nr_blocks, nr_pages = 0;
	struct pinning_place *all = pinning_gather(state, &nr_pins);

	if (!all)
		return;
	nr_blocks = pinning_unique(all, nr_pins);
	for (size_t i = 0; i < nr_blocks; i++)
		nr_pages += all[i].nr_pages;
	free(all);
	figures->figure(figures, "pinned_objects", (double)nr_pins, "objects");
	figures->figure(figures, "pages_held", (double)nr_pages, "pages");
	figures->figure(figures, "pages_needed",
			(double)((nr_pins * stride + NSLAB_PAGE_SIZE - 1) / NSLAB_PAGE_SIZE),
			"pages");
}

static const struct nslab_workload_ops pinning_ops = {
	.name = "pinning",
	.summary = "one long-lived object holds each slab while the others come and go",
	.models = "dentries still in use after a file tree was walked and forgotten",
	.min_workers = 1,
	.params = pinning_rows,
	.params_size = sizeof(struct pinning_params),
	.setup = pinning_setup,
	.worker_init = pinning_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(pinning),
	.worker_exit = pinning_worker_exit,
	.verify = pinning_verify,
	.teardown = pinning_teardown,
	.figures = pinning_figures,
};
NSLAB_WORKLOAD_PLUGIN(pinning_ops);
