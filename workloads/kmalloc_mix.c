// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmalloc_mix.c: every worker keeps a set of live objects of many sizes and replaces a random one
 * with a new one, whose size is drawn from a histogram.
 *
 * It imitates the kernel's general caches: what kmalloc serves is a mix of dozens of sizes, of
 * which a few are most of it. A benchmark of one size never shows what the mix costs: per-CPU
 * layers of a dozen caches that compete for the same lines, and bytes lost between a size and its
 * class.
 *
 * How it works: `file` is a copy of /proc/slabinfo, of which rows named kmalloc-... count with
 * their objsize and active objects (the other rows are passed over), or lines of SIZE COUNT; empty
 * lines and those that begin with # are skipped in both. Without a file the histogram is that of a
 * machine with Linux 6.18 and 2 CPUs: active objects of its kmalloc-, kmalloc-cg- and kmalloc-rcl-
 * caches, added up by size. Sizes are drawn ahead, 8192 in number: each has its share of them
 * (what is below 1 in 16384 falls out), in random order. As every slot is replaced with the same
 * chance, the objects alive have the histogram's shares, too. On the cache entry each size is a
 * cache of its own. One operation is one object allocated and one freed.
 *
 * Invariants: after worker_init every slot holds an object, until worker_exit frees them all. An
 * allocation that fails leaves the slot as it was, ends the batch, and verify() answers -ENOMEM. A
 * file that cannot be read or understood is reported with its line, and setup answers -EINVAL.
 */
#include "core/rng.h"
#include "workloads/permutation.h"

#include <ctype.h>
#include <numaslab/plugin.h>
#include <stdio.h>

#define MIX_SIZES_MAX 64
#define MIX_DRAWS     8192u /* a power of two */
#define MIX_COUNT_MAX (UINT64_C(1) << 40)
#define MIX_LINE_MAX  512 /* bytes */

struct mix_params {
	char file[NSLAB_TEXT_MAX];
	int64_t live_objects;
};

struct mix_bar {
	size_t size_bytes;
	uint64_t count;
};

struct mix_histogram {
	int nr;
	struct mix_bar bars[MIX_SIZES_MAX];
};

struct mix {
	struct nslab_workload base;
	struct nslab_tally tally;
	struct mix_histogram histogram;
	size_t nr_live;
	uint8_t *draws; /* [MIX_DRAWS], each an index of types[] */
	int nr_types;
	struct nslab_object_type types[MIX_SIZES_MAX];
};

struct mix_worker {
	struct nslab_worker base;
	size_t nr_live; /* slots in use */
	void **live;
	uint8_t *kinds; /* [slot], index of types[] */
	const uint8_t *draws;
	size_t pos; /* in draws */
	uint64_t rng;
	bool is_failed;
	int nr_types;
	struct nslab_object_type types[MIX_SIZES_MAX]; /* the worker's own copies */
};

static const struct mix_histogram mix_default = {
	.nr = 13,
	.bars = {{8, 2560},
		 {16, 3840},
		 {32, 2618},
		 {64, 2667},
		 {96, 17640},
		 {128, 5664},
		 {192, 3864},
		 {256, 832},
		 {512, 3598},
		 {1024, 845},
		 {2048, 486},
		 {4096, 408},
		 {8192, 44}},
};

static const struct nslab_param mix_rows[] = {
	{
		.name = "file",
		.type = NSLAB_PARAM_TEXT,
		.offset = offsetof(struct mix_params, file),
		.def = "",
		.help = "a copy of /proc/slabinfo, or lines of SIZE COUNT; empty: a built-in one",
	},
	{
		.name = "live_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct mix_params, live_objects),
		.def = "4096",
		.min = 1,
		.max = 1 << 24,
		.help = "objects that each worker keeps alive",
	},
	NSLAB_PARAM_END,
};

/* ---- the histogram ---- */

/* NULL, or what is wrong. */
static const char *mix_add(struct mix_histogram *h, uint64_t size_bytes, uint64_t count)
{
	int i = 0;

	if (size_bytes < 8 || size_bytes > NSLAB_WORKLOAD_SIZE_MAX)
		return "a size is 8 to 65536 bytes";
	if (count > MIX_COUNT_MAX)
		return "a count is at most 2^40";
	if (!count)
		return NULL;
	while (i < h->nr && h->bars[i].size_bytes != size_bytes)
		i++;
	if (i == MIX_SIZES_MAX)
		return "there are more than 64 sizes";
	h->bars[i].size_bytes = (size_t)size_bytes;
	h->bars[i].count += count;
	if (i == h->nr)
		h->nr++;
	return h->bars[i].count > MIX_COUNT_MAX ? "a count is at most 2^40" : NULL;
}

/* Reads a whole number and moves on behind it; false when there is none. */
static bool mix_number(const char **text, uint64_t *value)
{
	char *end;

	while (**text == ' ' || **text == '\t')
		(*text)++;
	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	*value = strtoull(*text, &end, 10);
	*text = end;
	return !errno && (!*end || isspace((unsigned char)*end));
}

/* A row of slabinfo: NAME ACTIVE TOTAL OBJSIZE and more. */
static const char *mix_slabinfo_row(struct mix_histogram *h, const char *line)
{
	const char *text = line + strcspn(line, " \t\n");
	uint64_t nr_active, nr_total, size_bytes;

	if (!mix_number(&text, &nr_active) || !mix_number(&text, &nr_total) ||
	    !mix_number(&text, &size_bytes))
		return "a row of slabinfo is NAME ACTIVE TOTAL OBJSIZE and more";
	return mix_add(h, size_bytes, nr_active);
}

static const char *mix_line(struct mix_histogram *h, const char *line, bool *is_slabinfo)
{
	uint64_t size_bytes, count;

	line += strspn(line, " \t");
	if (*line == '\n' || *line == '#' || !*line)
		return NULL;
	if (strncmp(line, "slabinfo - version", 18) == 0) {
		*is_slabinfo = true;
		return NULL;
	}
	if (strncmp(line, "kmalloc-", 8) == 0)
		return mix_slabinfo_row(h, line);
	if (*is_slabinfo)
		return NULL;
	if (!mix_number(&line, &size_bytes) || !mix_number(&line, &count))
		return "a line is SIZE COUNT, or a row of slabinfo";
	line += strspn(line, " \t\r\n");
	return *line ? "nothing may follow SIZE COUNT" : mix_add(h, size_bytes, count);
}

static const char *mix_parse(struct mix_histogram *h, FILE *file, unsigned *line_number)
{
	bool is_slabinfo = false;
	char line[MIX_LINE_MAX];

	for (*line_number = 1; fgets(line, sizeof(line), file); (*line_number)++) {
		const char *why = mix_line(h, line, &is_slabinfo);

		if (!why && strlen(line) == sizeof(line) - 1 && !strchr(line, '\n'))
			why = "a line has at most 510 bytes";
		if (why)
			return why;
	}
	if (ferror(file))
		return "it cannot be read";
	return h->nr ? NULL : "it has no size with a count above 0";
}

static int mix_read(const struct nslab_env *env, const char *name, struct mix_histogram *h)
{
	unsigned line_number;
	const char *why;
	FILE *file;

	if (!*name) {
		*h = mix_default;
		return 0;
	}
	file = fopen(name, "re");
	if (!file) {
		env->report(env, "cannot open histogram '%s': %s", name, strerror(errno));
		return -EINVAL;
	}
	why = mix_parse(h, file, &line_number);
	fclose(file);
	if (!why)
		return 0;
	env->report(env, "cannot use histogram '%s': line %u: %s", name, line_number, why);
	return -EINVAL;
}

/* Each size has its share of the draws, at even quantiles; the order is random. */
static int mix_draw(struct mix *state)
{
	const struct mix_histogram *h = &state->histogram;
	uint64_t rng = nslab_rng_mix(state->base.run->seed, 0), total = 0, below = 0;
	uint32_t *order = nslab_permutation_create(MIX_DRAWS, &rng);
	uint32_t i = 0;

	state->draws = nslab_apart_alloc(MIX_DRAWS);
	if (!order || !state->draws) {
		free(order);
		return -ENOMEM;
	}
	for (int kind = 0; kind < h->nr; kind++)
		total += h->bars[kind].count;
	for (int kind = 0; kind < h->nr; kind++) {
		below += h->bars[kind].count;
		for (; i < MIX_DRAWS &&
		       (2.0 * i + 1) / (2.0 * MIX_DRAWS) < (double)below / (double)total;
		     i++)
			state->draws[order[i]] = (uint8_t)kind;
	}
	free(order);
	return 0;
}

/* ---- the workload ---- */

static void mix_teardown(struct nslab_workload *w)
{
	struct mix *state = nslab_container_of(w, struct mix, base);

	for (int i = 0; i < state->nr_types; i++)
		nslab_object_exit(&state->types[i]);
	free(state->draws);
	free(state);
}

static int mix_types_create(struct mix *state, struct nslab_run *run)
{
	char name[NSLAB_NAME_MAX];
	int rc = 0;

	while (!rc && state->nr_types < state->histogram.nr) {
		size_t size_bytes = state->histogram.bars[state->nr_types].size_bytes;

		snprintf(name, sizeof(name), "kmalloc_mix-%zu", size_bytes);
		rc = nslab_object_init(run, name, size_bytes, &state->types[state->nr_types++]);
	}
	return rc;
}

static int mix_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct mix_params *p = params;
	struct mix *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return -ENOMEM;
	state->base.run = run;
	state->nr_live = (size_t)p->live_objects;
	rc = mix_read(run->env, p->file, &state->histogram);
	if (!rc)
		rc = mix_draw(state);
	if (!rc)
		rc = mix_types_create(state, run);
	if (rc) {
		mix_teardown(&state->base);
		return rc;
	}
	*w = &state->base;
	return 0;
}

static void mix_worker_free(struct mix_worker *self)
{
	enum nslab_entry entry = self->base.workload->run->entry;

	for (size_t i = 0; i < self->nr_live; i++)
		nslab_object_free(self->base.cpu, &self->types[self->kinds[i]], self->live[i],
				  entry);
	for (int i = 0; i < self->nr_types; i++)
		nslab_object_exit(&self->types[i]);
	free(self->kinds);
	free(self->live);
	free(self);
}

static int mix_fill(struct mix_worker *self, const struct mix *state)
{
	const enum nslab_entry entry = state->base.run->entry;

	self->live = nslab_apart_alloc(state->nr_live * sizeof(*self->live));
	self->kinds = nslab_apart_alloc(state->nr_live);
	if (!self->live || !self->kinds)
		return -ENOMEM;
	while (self->nr_types < state->nr_types) {
		int i = self->nr_types++;
		int rc = nslab_object_type_copy(&state->types[i], &self->types[i]);

		if (rc)
			return rc;
	}
	for (size_t i = 0; i < state->nr_live; i++) {
		self->kinds[i] = self->draws[i % MIX_DRAWS];
		self->live[i] =
			nslab_object_alloc(self->base.cpu, &self->types[self->kinds[i]], entry);
		if (!self->live[i])
			return -ENOMEM;
		self->nr_live++;
	}
	return 0;
}

static int mix_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			   struct nslab_worker **worker)
{
	struct mix *state = nslab_container_of(w, struct mix, base);
	struct mix_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->draws = state->draws;
	self->rng = nslab_rng_mix(w->run->seed, (uint64_t)index + 1);
	self->pos = nslab_rng_below(&self->rng, MIX_DRAWS);
	rc = mix_fill(self, state);
	if (rc) {
		mix_worker_free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) size_t mix_loop(struct nslab_worker *worker, size_t n,
							     const enum nslab_entry entry)
{
	struct mix_worker *self = nslab_container_of(worker, struct mix_worker, base);
	struct nslab_cpu *cpu = worker->cpu;
	const uint64_t nr_live = self->nr_live;
	uint64_t rng = self->rng;
	size_t done = 0;

	for (; done < n; done++) {
		const uint8_t kind = self->draws[self->pos];
		void *obj = nslab_object_alloc(cpu, &self->types[kind], entry);
		uint8_t old_kind;
		void *old;
		size_t i;

		if (!obj) {
			self->is_failed = true;
			break;
		}
		self->pos = (self->pos + 1) & (MIX_DRAWS - 1);
		rng = rng * UINT64_C(0xd1342543de82ef95) + 1;
		i = ((rng >> 32) * nr_live) >> 32;
		old = self->live[i];
		old_kind = self->kinds[i];
		self->live[i] = obj;
		self->kinds[i] = kind;
		nslab_object_free(cpu, &self->types[old_kind], old, entry);
	}
	self->rng = rng;
	return done;
}

NSLAB_WORKLOAD_BATCH(mix)

static void mix_worker_exit(struct nslab_worker *worker)
{
	struct mix_worker *self = nslab_container_of(worker, struct mix_worker, base);
	struct mix *state = nslab_container_of(worker->workload, struct mix, base);

	if (self->is_failed)
		atomic_fetch_add(&state->tally.nr_failed, 1);
	mix_worker_free(self);
}

static int mix_verify(struct nslab_workload *w)
{
	return nslab_tally_verdict(&nslab_container_of(w, struct mix, base)->tally);
}

static void mix_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct mix *state = nslab_container_of(w, struct mix, base);
	const struct nslab_heap *heap = w->run->heap;
	double asked_bytes = 0, usable_bytes = 0;

	for (size_t i = 0; i < MIX_DRAWS; i++) {
		size_t size_bytes = state->types[state->draws[i]].size_bytes;

		asked_bytes += (double)size_bytes;
		if (w->run->entry == NSLAB_ENTRY_KMALLOC)
			usable_bytes += (double)heap->ops->size_roundup(heap, size_bytes);
	}
	figures->figure(figures, "sizes", state->nr_types, "sizes");
	figures->figure(figures, "asked_mean", asked_bytes / MIX_DRAWS, "bytes");
	if (w->run->entry == NSLAB_ENTRY_KMALLOC)
		figures->figure(figures, "usable_mean", usable_bytes / MIX_DRAWS, "bytes");
}

static const struct nslab_workload_ops mix_ops = {
	.name = "kmalloc_mix",
	.summary = "replace a random object of a live set, sizes drawn from a histogram",
	.models = "the kernel's kmalloc caches, in the shares of a real slabinfo",
	.min_workers = 1,
	.params = mix_rows,
	.params_size = sizeof(struct mix_params),
	.setup = mix_setup,
	.worker_init = mix_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(mix),
	.worker_exit = mix_worker_exit,
	.verify = mix_verify,
	.teardown = mix_teardown,
	.figures = mix_figures,
};
NSLAB_WORKLOAD_PLUGIN(mix_ops);
