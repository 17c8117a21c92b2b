// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_ceilings.c: the fast paths of slub, slab and sheaves against their ceilings, run by hand.
 *
 * A ceiling is what a design cannot go below: its own primitive, one look-up of the page record for
 * each free, and nothing else. For slub that is an intrusive list whose head is replaced by an
 * unlocked double-word compare-and-swap together with a counter, for slab and sheaves an array of
 * pointers as a stack with a plain word taken and given back around it. It is reached by the same
 * loop through the same two indirect calls with the same arguments as the model's alloc and free;
 * `bare` is the ceiling compiled into the loop, for information.
 *
 * Every trial is a process of its own, pinned, since a call site that has had several targets is
 * slower ever after and since addresses matter. A block runs all arms once in random order; the
 *statistic of a trial is the lower quartile of its windows; printed are the median over blocks of
 *arm / ceiling within the block and its 95 % interval from order statistics. A burst is that many
 *objects, freed last first, so that it stays within one slab, array or sheaf. Left out: kmalloc
 *entries, peers (bench_pairs, docs/speed.md), storing of results.
 *
 *	bench_ceilings [--blocks N] [--seed N]
 *	bench_ceilings --trial MODEL ARM SIZE BURST
 */
#define _GNU_SOURCE
#include "core/cas.h"
#include "core/clock.h"
#include "core/rng.h"
#include "tests/support/simple_env.h"

#include <math.h>
#include <numaslab/plugin.h>
#include <numaslab/slab.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NR_WINDOWS  30
#define WINDOW_OPS  100000
#define MIN_BLOCKS  6 /* below, no interval of 95 % exists */
#define MAX_BLOCKS  201
#define MAX_BURST   8
#define NR_OBJECTS  16
#define TID_STEP    1024
#define ARENA_BYTES ((size_t)16 << 20)

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define HOT	      __attribute__((aligned(64)))
#define LIKELY(x)     __builtin_expect(!!(x), 1)
#define UNLIKELY(x)   __builtin_expect(!!(x), 0)

extern const struct nslab_plugin nslab_plugin_slub, nslab_plugin_slab, nslab_plugin_sheaves;

enum arm {
	ARM_CEILING, /* what the others are divided by */
	ARM_MODEL,
	ARM_BARE,
	NR_ARMS
};

static const char *const arm_names[] = {"ceiling", "model", "bare"};

/* ---- the ceilings ---- */

struct ceiling_cpu {
	struct nslab_cpu base;
	uintptr_t arena_base;
	const struct nslab_page *pages;
	size_t offset; /* of the link in a free object */
	NSLAB_ALIGNED(64) uint64_t freelist;
	uint64_t tid;
	NSLAB_ALIGNED(64) volatile uint32_t is_busy;
	uint32_t avail, limit;
	void *entry[NR_OBJECTS];
};

ALWAYS_INLINE struct ceiling_cpu *ceiling_cpu_of(struct nslab_cpu *base)
{
	return nslab_container_of(base, struct ceiling_cpu, base);
}

ALWAYS_INLINE bool ceiling_is_local(const struct ceiling_cpu *cpu, const void *obj)
{
	size_t frame = ((uintptr_t)obj - cpu->arena_base) >> NSLAB_PAGE_SHIFT;

	return cpu->pages[frame].node == cpu->base.node;
}

ALWAYS_INLINE uint64_t *ceiling_link(const struct ceiling_cpu *cpu, uint64_t object)
{
	return (uint64_t *)(uintptr_t)(object + cpu->offset);
}

ALWAYS_INLINE void *list_alloc_body(struct nslab_cpu *base)
{
	struct ceiling_cpu *cpu = ceiling_cpu_of(base);
	uint64_t object = cpu->freelist, tid = cpu->tid;

	if (UNLIKELY(!object))
		return NULL;
	if (UNLIKELY(!nslab_cas2_local(&cpu->freelist, object, tid, *ceiling_link(cpu, object),
				       tid + TID_STEP)))
		return NULL; /* nobody else is there */
	return (void *)(uintptr_t)object;
}

ALWAYS_INLINE void list_free_body(struct nslab_cpu *base, void *obj)
{
	struct ceiling_cpu *cpu = ceiling_cpu_of(base);
	uint64_t object = (uintptr_t)obj, list = cpu->freelist, tid = cpu->tid;

	if (UNLIKELY(!ceiling_is_local(cpu, obj)))
		return;
	*ceiling_link(cpu, object) = list;
	if (UNLIKELY(!nslab_cas2_local(&cpu->freelist, list, tid, object, tid + TID_STEP)))
		abort();
}

ALWAYS_INLINE bool stack_take(struct ceiling_cpu *cpu)
{
	if (UNLIKELY(cpu->is_busy))
		return false;
	cpu->is_busy = 1;
	atomic_signal_fence(memory_order_acquire);
	return true;
}

ALWAYS_INLINE void stack_give(struct ceiling_cpu *cpu)
{
	atomic_signal_fence(memory_order_release);
	cpu->is_busy = 0;
}

ALWAYS_INLINE void *stack_alloc_body(struct nslab_cpu *base)
{
	struct ceiling_cpu *cpu = ceiling_cpu_of(base);
	void *obj = NULL;

	if (!stack_take(cpu))
		return NULL;
	if (LIKELY(cpu->avail))
		obj = cpu->entry[--cpu->avail];
	stack_give(cpu);
	return obj;
}

ALWAYS_INLINE void stack_free_body(struct nslab_cpu *base, void *obj)
{
	struct ceiling_cpu *cpu = ceiling_cpu_of(base);

	if (UNLIKELY(!ceiling_is_local(cpu, obj)) || !stack_take(cpu))
		return;
	if (LIKELY(cpu->avail < cpu->limit))
		cpu->entry[cpu->avail++] = obj;
	stack_give(cpu);
}

/* The two bodies behind the table's signatures, and in a loop as they are. */
#define CEILING(name)                                                                              \
 static HOT void *name##_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node)   \
 {                                                                                                 \
  (void)s;                                                                                         \
  (void)gfp;                                                                                       \
  (void)node;                                                                                      \
  return name##_alloc_body(cpu);                                                                   \
 }                                                                                                 \
 static HOT void name##_free(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)               \
 {                                                                                                 \
  (void)s;                                                                                         \
  name##_free_body(cpu, obj);                                                                      \
 }                                                                                                 \
 static HOT void name##_loop(struct nslab_cpu *cpu, struct kmem_cache *s, size_t nr, size_t burst) \
 {                                                                                                 \
  (void)s;                                                                                         \
  LOOP(name##_alloc_body(cpu), name##_free_body(cpu, objs[i]))                                     \
 }

/* One 8-byte store into each object. */
#define LOOP(alloc, free)                                                                          \
 void *objs[MAX_BURST];                                                                            \
 for (size_t done = 0; done < nr; done += burst) {                                                 \
  for (size_t i = 0; i < burst; i++) {                                                             \
   void *obj = alloc;                                                                              \
   __asm__ volatile("" : "+r"(obj) : : "memory");                                                  \
   *(volatile uint64_t *)obj = (uint64_t)(uintptr_t)obj;                                           \
   objs[i] = obj;                                                                                  \
  }                                                                                                \
  for (size_t i = burst; i-- > 0;) {                                                               \
   __asm__ volatile("" : : : "memory");                                                            \
   free;                                                                                           \
  }                                                                                                \
 }

CEILING(list)
CEILING(stack)

static HOT void table_loop(struct nslab_cpu *cpu, struct kmem_cache *s, size_t nr, size_t burst)
{
	LOOP(kmem_cache_alloc(cpu, s, GFP_KERNEL), kmem_cache_free(cpu, s, objs[i]))
}

/* ---- one trial ---- */

typedef void (*loop_fn)(struct nslab_cpu *cpu, struct kmem_cache *s, size_t nr, size_t burst);

static const struct model {
	const char *name;
	const struct nslab_plugin *plugin;
	double goal; /* model / ceiling */
	void *(*alloc)(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node);
	void (*free)(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj);
	loop_fn bare;
} models[] = {
	{"slub", &nslab_plugin_slub, 1.10, list_alloc, list_free, list_loop},
	{"slab", &nslab_plugin_slab, 1.30, stack_alloc, stack_free, stack_loop},
	{"sheaves", &nslab_plugin_sheaves, 1.30, stack_alloc, stack_free, stack_loop},
};

#define NR_MODELS ((int)(sizeof(models) / sizeof(models[0])))

struct bench {
	struct nslab_allocator_ops model_ops, ceiling_ops;
	struct nslab_heap *heap;
	struct nslab_cpu *cpu;
	struct kmem_cache *s;
	struct ceiling_cpu ceiling;
};

static void bench_open(struct bench *b, const struct model *model, size_t size)
{
	const struct nslab_cache_spec spec = {.name = "bench",
					      .object_size = size,
					      .order = NSLAB_AUTO,
					      .min_partial = NSLAB_AUTO,
					      .cpu_partial = NSLAB_AUTO,
					      .sheaf_capacity = NSLAB_AUTO};
	struct simple_env *simple;

	b->model_ops = *(const struct nslab_allocator_ops *)model->plugin->ops;
	if (simple_env_open(1, ARENA_BYTES, &simple) ||
	    b->model_ops.open(simple_env_get(simple), NULL, &b->heap))
		exit(2);
	b->heap->ops = &b->model_ops;
	if (b->model_ops.cpu_online(b->heap, 0, 0, &b->cpu) ||
	    b->model_ops.cache_create(b->heap, &spec, &b->s))
		exit(2);
}

/* The ceiling's objects are the model's, so both write to memory that is laid out alike. */
static void bench_fill_ceiling(struct bench *b, const struct model *model, size_t size)
{
	const struct nslab_arena *arena = b->heap->env->arena;
	void *objs[NR_OBJECTS];

	b->ceiling_ops.alloc = model->alloc;
	b->ceiling_ops.free = model->free;
	b->ceiling.base.ops = &b->ceiling_ops;
	b->ceiling.arena_base = arena->base;
	b->ceiling.pages = arena->pages;
	b->ceiling.offset = size / 2;
	b->ceiling.limit = NR_OBJECTS;
	for (int i = 0; i < NR_OBJECTS; i++) {
		objs[i] = kmem_cache_alloc(b->cpu, b->s, GFP_KERNEL);
		if (!objs[i])
			exit(2);
	}
	for (int i = NR_OBJECTS; i-- > 0;)
		model->free(&b->ceiling.base, b->s, objs[i]);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* ns for each pair */
static double trial(const struct model *model, enum arm arm, size_t size, size_t burst)
{
	static struct bench b;
	loop_fn loop = arm == ARM_BARE ? model->bare : table_loop;
	double ns[NR_WINDOWS];
	struct nslab_cpu *cpu;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
	bench_open(&b, model, size);
	if (arm != ARM_MODEL)
		bench_fill_ceiling(&b, model, size);
	cpu = arm == ARM_MODEL ? b.cpu : &b.ceiling.base;
	for (int i = -10; i < NR_WINDOWS; i++) {
		uint64_t start = nslab_now_ns(&nslab_real_clock);

		loop(cpu, b.s, WINDOW_OPS, burst);
		if (i >= 0)
			ns[i] = (double)(nslab_now_ns(&nslab_real_clock) - start) / WINDOW_OPS;
	}
	qsort(ns, NR_WINDOWS, sizeof(ns[0]), by_value);
	return ns[NR_WINDOWS / 4];
}

/* ---- blocks ---- */

/* In a process of its own with addresses of its own; does not come back when that fails. */
static double spawn(const struct model *model, enum arm arm, size_t size, size_t burst)
{
	char command[128];
	double ns = -1;
	FILE *out;

	snprintf(command, sizeof(command), "exec /proc/%ld/exe --trial %s %s %zu %zu",
		 (long)getpid(), model->name, arm_names[arm], size, burst);
	out = popen(command, "r");
	if (!out || fscanf(out, "%lf", &ns) != 1 || pclose(out)) {
		fprintf(stderr, "no result from: %s\n", command);
		exit(2);
	}
	return ns;
}

/* Sorts; ranks of the interval: those that a fair coin's n throws leave out 2.5 % beyond. */
static void print_arm(const struct model *model, enum arm arm, double ns, double *ratio, int nr)
{
	int low = (int)floor(nr / 2.0 - 0.98 * sqrt(nr));

	low = low < 0 ? 0 : low;
	qsort(ratio, (size_t)nr, sizeof(*ratio), by_value);
	printf(" %s | %.2f | **%.3f** | %.3f..%.3f | %d | ", arm_names[arm], ns, ratio[nr / 2],
	       ratio[low], ratio[nr - 1 - low], nr);
	if (arm == ARM_MODEL)
		printf("%.2f: %s |\n", model->goal,
		       ratio[nr / 2] <= model->goal ? "reached" : "missed");
	else
		printf("- |\n");
	fflush(stdout);
}

static void run_cell(const struct model *model, size_t size, size_t burst, int nr_blocks,
		     uint64_t *rng)
{
	static double ns[NR_ARMS][MAX_BLOCKS], ratio[MAX_BLOCKS];

	for (int block = 0; block < nr_blocks; block++) {
		unsigned first = nslab_rng_below(rng, NR_ARMS);

		for (unsigned i = 0; i < NR_ARMS; i++) {
			enum arm arm = (enum arm)((first + i) % NR_ARMS);

			ns[arm][block] = spawn(model, arm, size, burst);
		}
	}
	for (int arm = NR_ARMS - 1; arm >= 0; arm--) {
		for (int block = 0; block < nr_blocks; block++)
			ratio[block] = ns[arm][block] / ns[ARM_CEILING][block];
		qsort(ns[arm], (size_t)nr_blocks, sizeof(double), by_value);
		printf("| %s | %zu | %zu |", model->name, size, burst);
		print_arm(model, (enum arm)arm, ns[arm][nr_blocks / 2], ratio, nr_blocks);
	}
}

static const struct model *find_model(const char *name)
{
	for (int i = 0; i < NR_MODELS; i++) {
		if (!strcmp(models[i].name, name))
			return &models[i];
	}
	return NULL;
}

static int run_trial(char **argv)
{
	const struct model *model = find_model(argv[2]);
	size_t size = strtoull(argv[4], NULL, 0), burst = strtoull(argv[5], NULL, 0);

	for (int arm = 0; model && burst && burst <= MAX_BURST && arm < NR_ARMS; arm++) {
		if (strcmp(argv[3], arm_names[arm]))
			continue;
		printf("%.4f\n", trial(model, (enum arm)arm, size, burst));
		return 0;
	}
	return 2;
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {64, 256, 1024};
	int nr_blocks = 21;
	uint64_t rng = 1;

	if (argc == 6 && !strcmp(argv[1], "--trial"))
		return run_trial(argv);
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--blocks"))
			nr_blocks = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--seed"))
			rng = strtoull(argv[i + 1], NULL, 0);
	}
	if (nr_blocks < MIN_BLOCKS || nr_blocks > MAX_BLOCKS)
		return 2;
	printf("| model | bytes | burst | arm | ns | / ceiling | 95 %% | n | goal |\n"
	       "|---|---:|---:|---|---:|---:|---|---:|---|\n");
	for (int m = 0; m < NR_MODELS; m++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			run_cell(&models[m], sizes[i], 1, nr_blocks, &rng);
			run_cell(&models[m], sizes[i], MAX_BURST, nr_blocks, &rng);
		}
	}
	return 0;
}
