// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_pairs.c: ratios of alloc+free pairs between backends, peers and ceilings, run by hand.
 *
 * Every trial is this program started again in a process of its own, pinned, with the arm's library
 * preloaded when it is a peer. A block runs every arm once in seeded random order; the statistic
 * of a trial is the lower quartile of its windows (the median with two threads); the ratio of an
 * arm is the median over blocks of arm / best peer within the block. All arms run one loop,
 * compiled once for each way of reaching an allocator; sizes are run-time values and every object
 * gets one 8-byte store. Left out: counters, placement on several nodes, storing of results.
 *
 *	bench_pairs [--blocks N] [--seed N] [--size N]... [--pattern NAME]... [--arm NAME]...
 */
#define _GNU_SOURCE
#include "allocators/common/defaults.h"
#include "allocators/nodelocal.h"
#include "core/clock.h"
#include "core/rng.h"
#include "tests/support/simple_env.h"

#include <numaslab/plugin.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_WINDOWS  20
#define WINDOW_NS   2000000.0
#define WINDOW2_NS  10000000.0 /* with two threads */
#define NR_CHURN    4096
#define NR_BATCH    256
#define NR_BURST    64
#define NR_RING	    1024
#define NR_INDICES  65536
#define MAX_BLOCKS  200
#define ARENA_BYTES ((size_t)256 << 20)

#define ENTRY_INLINE ((enum nslab_entry)NSLAB_NR_ENTRIES) /* nodelocal's header */

extern const struct nslab_plugin nslab_plugin_nodelocal, nslab_plugin_null, nslab_plugin_libc;

struct arm {
	const char *name;
	const char *preload;
	const struct nslab_plugin *plugin; /* NULL without a heap */
	enum nslab_entry entry;
	bool is_peer;
};

static const struct arm arms[] = {
	{"empty", NULL, NULL, NSLAB_ENTRY_NONE, false},
	{"ceiling", NULL, NULL, NSLAB_ENTRY_CACHE, false},
	{"null-cache", NULL, &nslab_plugin_null, NSLAB_ENTRY_CACHE, false},
	{"null-kmalloc", NULL, &nslab_plugin_null, NSLAB_ENTRY_KMALLOC, false},
	{"nodelocal-cache", NULL, &nslab_plugin_nodelocal, NSLAB_ENTRY_CACHE, false},
	{"nodelocal-kmalloc", NULL, &nslab_plugin_nodelocal, NSLAB_ENTRY_KMALLOC, false},
	{"nodelocal-inline", NULL, &nslab_plugin_nodelocal, ENTRY_INLINE, false},
	{"libc-kmalloc", NULL, &nslab_plugin_libc, NSLAB_ENTRY_KMALLOC, false},
	{"glibc", NULL, NULL, NSLAB_ENTRY_MALLOC, true},
	{"jemalloc", "libjemalloc.so.2", NULL, NSLAB_ENTRY_MALLOC, true},
	{"mimalloc", "libmimalloc.so.2.0", NULL, NSLAB_ENTRY_MALLOC, true},
	{"tcmalloc", "libtcmalloc_minimal.so.4", NULL, NSLAB_ENTRY_MALLOC, true},
};

#define NR_ARMS ((int)(sizeof(arms) / sizeof(arms[0])))

enum pattern {
	PINGPONG,
	BATCH,
	CHURN,
	BURSTS,
	REMOTE,
	NR_PATTERNS
};

static const char *const pattern_names[] = {"pingpong", "batch256", "churn4096", "bursts64",
					    "remote_free"};

struct bench {
	struct nslab_cpu *cpu[2];
	struct nslab_object_type type;
	struct nslab_heap *heap;
	struct nslab_allocator_ops ops;
};

static void *live[NR_CHURN];
static uint16_t indices[NR_INDICES];

/* ---- the loops ---- */

static inline __attribute__((always_inline)) void *bench_alloc(struct nslab_cpu *cpu,
							       const struct nslab_object_type *type,
							       const enum nslab_entry entry)
{
	void *obj;

	if (entry != ENTRY_INLINE)
		return nslab_object_alloc(cpu, type, entry);
	obj = nodelocal_kmalloc_fast(cpu, type->size_bytes, GFP_KERNEL, NUMA_NO_NODE);
	__asm__ volatile("" : "+r"(obj) : : "memory");
	*(volatile uint64_t *)obj = (uint64_t)(uintptr_t)obj;
	return obj;
}

static inline __attribute__((always_inline)) void bench_free(struct nslab_cpu *cpu,
							     const struct nslab_object_type *type,
							     void *obj,
							     const enum nslab_entry entry)
{
	if (entry != ENTRY_INLINE) {
		nslab_object_free(cpu, type, obj, entry);
		return;
	}
	__asm__ volatile("" : "+r"(obj) : : "memory");
	nodelocal_kfree_fast(cpu, obj);
}

static inline __attribute__((always_inline)) void pingpong(const struct bench *b, size_t n,
							   const enum nslab_entry entry)
{
	for (size_t i = 0; i < n; i++)
		bench_free(b->cpu[0], &b->type, bench_alloc(b->cpu[0], &b->type, entry), entry);
}

static inline __attribute__((always_inline)) void batch(const struct bench *b, size_t n,
							const enum nslab_entry entry)
{
	for (size_t done = 0; done < n; done += NR_BATCH) {
		for (size_t i = 0; i < NR_BATCH; i++)
			live[i] = bench_alloc(b->cpu[0], &b->type, entry);
		for (size_t i = 0; i < NR_BATCH; i++)
			bench_free(b->cpu[0], &b->type, live[i], entry);
	}
}

static inline __attribute__((always_inline)) void churn(const struct bench *b, size_t n,
							const enum nslab_entry entry)
{
	for (size_t i = 0; i < n; i++) {
		size_t slot = indices[i % NR_INDICES];
		void *old = live[slot];

		live[slot] = bench_alloc(b->cpu[0], &b->type, entry);
		bench_free(b->cpu[0], &b->type, old, entry);
	}
}

static inline __attribute__((always_inline)) void bursts(const struct bench *b, size_t n,
							 const enum nslab_entry entry)
{
	for (size_t i = 0; i < n; i += NR_BURST) {
		const uint16_t *slots = &indices[i % NR_INDICES];

		for (size_t j = 0; j < NR_BURST; j++)
			bench_free(b->cpu[0], &b->type, live[slots[j]], entry);
		for (size_t j = 0; j < NR_BURST; j++)
			live[slots[j]] = bench_alloc(b->cpu[0], &b->type, entry);
	}
}

/* One single-producer, single-consumer ring; an object of NULL says "no more". */
static struct {
	_Alignas(64) atomic_size_t head;
	_Alignas(64) atomic_size_t tail;
	_Alignas(64) void *slots[NR_RING];
} ring;

static inline __attribute__((always_inline)) void remote(const struct bench *b, size_t n,
							 const enum nslab_entry entry)
{
	size_t head = atomic_load_explicit(&ring.head, memory_order_relaxed), tail = 0;

	tail = atomic_load_explicit(&ring.tail, memory_order_acquire);
	for (size_t i = 0; i < n; i++) {
		void *obj = bench_alloc(b->cpu[0], &b->type, entry);

		if (!obj)
			exit(3); /* NULL would end the consumer */
		while (head - tail == NR_RING) {
			tail = atomic_load_explicit(&ring.tail, memory_order_acquire);
			nslab_cpu_relax();
		}
		ring.slots[head++ % NR_RING] = obj;
		atomic_store_explicit(&ring.head, head, memory_order_release);
	}
	while (atomic_load_explicit(&ring.tail, memory_order_acquire) != head)
		nslab_cpu_relax();
}

static inline __attribute__((always_inline)) void consume(const struct bench *b,
							  const enum nslab_entry entry)
{
	size_t tail = 0;

	for (;;) {
		size_t head = atomic_load_explicit(&ring.head, memory_order_acquire);

		while (tail != head) {
			void *obj = ring.slots[tail % NR_RING];

			if (!obj)
				return;
			bench_free(b->cpu[1], &b->type, obj, entry);
			atomic_store_explicit(&ring.tail, ++tail, memory_order_release);
		}
		nslab_cpu_relax();
	}
}

#define LOOPS(entry_name, entry)                                                                   \
 static __attribute__((noinline)) void run_##entry_name(const struct bench *b, enum pattern p,     \
							size_t n)                                  \
 {                                                                                                 \
  switch (p) {                                                                                     \
  case PINGPONG:                                                                                   \
   pingpong(b, n, entry);                                                                          \
   break;                                                                                          \
  case BATCH:                                                                                      \
   batch(b, n, entry);                                                                             \
   break;                                                                                          \
  case CHURN:                                                                                      \
   churn(b, n, entry);                                                                             \
   break;                                                                                          \
  case BURSTS:                                                                                     \
   bursts(b, n, entry);                                                                            \
   break;                                                                                          \
  default:                                                                                         \
   remote(b, n, entry);                                                                            \
   break;                                                                                          \
  }                                                                                                \
 }                                                                                                 \
 static void *consume_##entry_name(void *b)                                                        \
 {                                                                                                 \
  consume(b, entry);                                                                               \
  return NULL;                                                                                     \
 }                                                                                                 \
 static void fill_##entry_name(const struct bench *b)                                              \
 {                                                                                                 \
  for (int i = 0; i < NR_CHURN; i++)                                                               \
   live[i] = bench_alloc(b->cpu[0], &b->type, entry);                                              \
 }

LOOPS(none, NSLAB_ENTRY_NONE)
LOOPS(cache, NSLAB_ENTRY_CACHE)
LOOPS(kmalloc, NSLAB_ENTRY_KMALLOC)
LOOPS(malloc, NSLAB_ENTRY_MALLOC)
LOOPS(inline, ENTRY_INLINE)

static const struct {
	void (*run)(const struct bench *b, enum pattern p, size_t n);
	void *(*consume)(void *b);
	void (*fill)(const struct bench *b);
} loops[] = {
	[NSLAB_ENTRY_NONE] = {run_none, consume_none, fill_none},
	[NSLAB_ENTRY_CACHE] = {run_cache, consume_cache, fill_cache},
	[NSLAB_ENTRY_KMALLOC] = {run_kmalloc, consume_kmalloc, fill_kmalloc},
	[NSLAB_ENTRY_MALLOC] = {run_malloc, consume_malloc, fill_malloc},
	[ENTRY_INLINE] = {run_inline, consume_inline, fill_inline},
};

/* ---- the ceiling: an intrusive list reached through the handle, behind the same table ---- */

struct ceiling_cpu {
	struct nslab_cpu base;
	void *head;
};

static void *ceiling_alloc(struct nslab_cpu *base, struct kmem_cache *s, gfp_t gfp, int node)
{
	struct ceiling_cpu *cpu = nslab_container_of(base, struct ceiling_cpu, base);
	void *obj = cpu->head;

	(void)s;
	(void)gfp;
	(void)node;
	cpu->head = *(void **)obj;
	return obj;
}

static void ceiling_free(struct nslab_cpu *base, struct kmem_cache *s, void *obj)
{
	struct ceiling_cpu *cpu = nslab_container_of(base, struct ceiling_cpu, base);

	(void)s;
	*(void **)obj = cpu->head;
	cpu->head = obj;
}

static void ceiling_open(struct bench *b)
{
	static struct ceiling_cpu cpu;
	size_t size = b->type.size_bytes;
	char *memory = aligned_alloc(4096, ((size_t)2 * NR_CHURN * size + 4095) & ~(size_t)4095);

	for (size_t i = 2 * NR_CHURN; i-- > 0;)
		ceiling_free(&cpu.base, NULL, memory + i * size);
	b->ops.alloc = ceiling_alloc;
	b->ops.free = ceiling_free;
	cpu.base.ops = &b->ops;
	b->cpu[0] = b->cpu[1] = &cpu.base;
}

/* ---- one trial ---- */

static void backend_open(struct bench *b, const struct nslab_plugin *plugin, enum nslab_entry entry)
{
	struct nslab_cache_spec spec = {.name = "bench",
					.object_size = b->type.size_bytes,
					.order = NSLAB_AUTO,
					.min_partial = NSLAB_AUTO};
	struct simple_env *simple;

	b->ops = *(const struct nslab_allocator_ops *)plugin->ops;
	if (simple_env_open(1, ARENA_BYTES, &simple) ||
	    b->ops.open(simple_env_get(simple), NULL, &b->heap))
		exit(2);
	b->heap->ops = &b->ops;
	for (int i = 0; i < 2; i++) {
		if (b->ops.cpu_online(b->heap, i, 0, &b->cpu[i]))
			exit(2);
	}
	if (entry == NSLAB_ENTRY_CACHE && b->ops.cache_create(b->heap, &spec, &b->type.s))
		exit(2);
}

static void pin(pthread_t thread, size_t pu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(pu, &set);
	pthread_setaffinity_np(thread, sizeof(set), &set);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double window(const struct bench *b, const struct arm *arm, enum pattern p, size_t n)
{
	uint64_t start = nslab_now_ns(&nslab_real_clock);

	loops[arm->entry].run(b, p, n);
	return (double)(nslab_now_ns(&nslab_real_clock) - start);
}

/* ns for each pair */
static double measure(const struct bench *b, const struct arm *arm, enum pattern p)
{
	double ns[NR_WINDOWS], want = p == REMOTE ? WINDOW2_NS : WINDOW_NS;
	size_t n = NR_INDICES;

	for (int i = 0; i < 3; i++)
		window(b, arm, p, n);
	while (window(b, arm, p, n) < want / 2)
		n *= 2;
	for (int i = 0; i < NR_WINDOWS; i++)
		ns[i] = window(b, arm, p, n) / (double)n;
	qsort(ns, NR_WINDOWS, sizeof(ns[0]), compare_doubles);
	return ns[p == REMOTE ? NR_WINDOWS / 2 : NR_WINDOWS / 4];
}

static void end_consumer(pthread_t consumer)
{
	size_t head = atomic_load(&ring.head);

	ring.slots[head % NR_RING] = NULL;
	atomic_store_explicit(&ring.head, head + 1, memory_order_release);
	pthread_join(consumer, NULL);
}

static int trial(const struct arm *arm, enum pattern p, size_t size)
{
	static struct bench b;
	static char scratch[8192];
	uint64_t rng = 1;
	pthread_t consumer;

	b.type.size_bytes = size;
	b.type.scratch = scratch;
	alarm(30);
	pin(pthread_self(), 0);
	for (int i = 0; i < NR_INDICES; i++)
		indices[i] = (uint16_t)nslab_rng_below(&rng, NR_CHURN);
	/* a burst frees 64 different slots */
	for (int i = 0; p == BURSTS && i < NR_INDICES; i++)
		indices[i] = (uint16_t)(((unsigned)i % NR_BURST) * (NR_CHURN / NR_BURST) +
					indices[i] % (NR_CHURN / NR_BURST));
	if (arm->plugin)
		backend_open(&b, arm->plugin, arm->entry);
	else if (arm->entry == NSLAB_ENTRY_CACHE)
		ceiling_open(&b);
	if (p == CHURN || p == BURSTS)
		loops[arm->entry].fill(&b);
	if (p == REMOTE) {
		pthread_create(&consumer, NULL, loops[arm->entry].consume, &b);
		pin(consumer, 1);
	}
	printf("%.4f\n", measure(&b, arm, p));
	if (p == REMOTE)
		end_consumer(consumer);
	return 0;
}

/* ---- blocks ---- */

static double spawn(const char *self, const struct arm *arm, enum pattern p, size_t size)
{
	char command[512];
	double ns = -1;
	FILE *out;

	snprintf(command, sizeof(command), "%s%s '%s' --trial %s %d %zu",
		 arm->preload ? "LD_PRELOAD=" : "", arm->preload ? arm->preload : "", self,
		 arm->name, (int)p, size);
	out = popen(command, "r");
	if (!out)
		return -1;
	if (fscanf(out, "%lf", &ns) != 1)
		ns = -1;
	pclose(out);
	return ns;
}

struct cell {
	double ns[NR_ARMS][MAX_BLOCKS];
	bool wanted[NR_ARMS];
	int nr_blocks;
};

static void run_block(const char *self, struct cell *cell, enum pattern p, size_t size, int block,
		      uint64_t *rng)
{
	int order[NR_ARMS];

	for (int i = 0; i < NR_ARMS; i++) {
		int j = (int)nslab_rng_below(rng, (uint32_t)i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (int i = 0; i < NR_ARMS; i++) {
		const struct arm *arm = &arms[order[i]];
		bool is_racy = p == REMOTE && arm->entry == NSLAB_ENTRY_CACHE && !arm->plugin;

		if (cell->wanted[order[i]] && !is_racy)
			cell->ns[order[i]][block] = spawn(self, arm, p, size);
		else
			cell->ns[order[i]][block] = -1;
	}
}

static double sorted_at(const double *values, int nr, double quantile)
{
	double copy[MAX_BLOCKS];

	memcpy(copy, values, (size_t)nr * sizeof(copy[0]));
	qsort(copy, (size_t)nr, sizeof(copy[0]), compare_doubles);
	return copy[(int)(quantile * (nr - 1) + 0.5)];
}

/* The peer whose median over blocks is lowest. */
static int best_peer(const struct cell *cell)
{
	double best_ns = 1e9;
	int best = -1;

	for (int i = 0; i < NR_ARMS; i++) {
		double ns = sorted_at(cell->ns[i], cell->nr_blocks, 0.5);

		if (arms[i].is_peer && ns > 0 && ns < best_ns) {
			best_ns = ns;
			best = i;
		}
	}
	return best;
}

static void print_cell(const struct cell *cell, enum pattern p, size_t size)
{
	int base = best_peer(cell);

	for (int i = 0; i < NR_ARMS; i++) {
		double ratio[MAX_BLOCKS];

		if (cell->ns[i][0] < 0)
			continue;
		printf("%-12s %5zu %-18s %8.3f ns", pattern_names[p], size, arms[i].name,
		       sorted_at(cell->ns[i], cell->nr_blocks, 0.5));
		for (int j = 0; base >= 0 && j < cell->nr_blocks; j++)
			ratio[j] = cell->ns[i][j] / cell->ns[base][j];
		if (base >= 0)
			printf("  %.3f of %s [%.3f, %.3f]", sorted_at(ratio, cell->nr_blocks, 0.5),
			       arms[base].name, sorted_at(ratio, cell->nr_blocks, 0.25),
			       sorted_at(ratio, cell->nr_blocks, 0.75));
		printf("  n=%d\n", cell->nr_blocks);
	}
	fflush(stdout);
}

static const struct arm *find_arm(const char *name)
{
	for (int i = 0; i < NR_ARMS; i++) {
		if (!strcmp(arms[i].name, name))
			return &arms[i];
	}
	return NULL;
}

struct options {
	int nr_blocks, nr_sizes, nr_arms;
	uint64_t seed;
	size_t sizes[16];
	bool patterns[NR_PATTERNS];
	bool arms[NR_ARMS];
};

static int parse(int argc, char **argv, struct options *o)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		const struct arm *arm = find_arm(argv[i + 1]);

		if (!strcmp(argv[i], "--blocks"))
			o->nr_blocks = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--seed"))
			o->seed = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--size") && o->nr_sizes < 16)
			o->sizes[o->nr_sizes++] = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--arm") && arm)
			o->arms[arm - arms] = true;
		else if (strcmp(argv[i], "--pattern"))
			return -1;
		for (int p = 0; p < NR_PATTERNS; p++)
			o->patterns[p] |= !strcmp(argv[i + 1], pattern_names[p]);
	}
	return o->nr_blocks > 0 && o->nr_blocks <= MAX_BLOCKS ? 0 : -1;
}

static bool any(const bool *flags, int nr)
{
	for (int i = 0; i < nr; i++) {
		if (flags[i])
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	static struct options o = {.nr_blocks = 10, .seed = 1};
	static const size_t sizes[] = {16, 64, 256, 1024, 4096};
	uint64_t rng;

	if (argc == 5 && !strcmp(argv[1], "--trial") && find_arm(argv[2]))
		return trial(find_arm(argv[2]), (enum pattern)atoi(argv[3]),
			     strtoull(argv[4], NULL, 0));
	if (parse(argc, argv, &o)) {
		fprintf(stderr, "usage: bench_pairs [--blocks N] [--seed N] [--size N]... "
				"[--pattern NAME]... [--arm NAME]...\n");
		return 2;
	}
	if (!o.nr_sizes) {
		memcpy(o.sizes, sizes, sizeof(sizes));
		o.nr_sizes = 5;
	}
	rng = o.seed;
	for (int p = 0; p < NR_PATTERNS; p++) {
		if (any(o.patterns, NR_PATTERNS) && !o.patterns[p])
			continue;
		for (int i = 0; i < o.nr_sizes; i++) {
			static struct cell cell;

			cell.nr_blocks = o.nr_blocks;
			for (int j = 0; j < NR_ARMS; j++)
				cell.wanted[j] = o.arms[j] || !any(o.arms, NR_ARMS);
			for (int block = 0; block < o.nr_blocks; block++)
				run_block(argv[0], &cell, (enum pattern)p, o.sizes[i], block, &rng);
			print_cell(&cell, (enum pattern)p, o.sizes[i]);
		}
	}
	return 0;
}
