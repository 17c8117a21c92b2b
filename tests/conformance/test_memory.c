/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_memory.c SIZE,... SUBJECT MODEL... [-- OTHER...]: how much memory an allocator holds.
 *
 * 8 CPUs of 4 made-up nodes are driven by one thread. Objects are allocated on random CPUs, a part
 * of them is replaced, then nine of ten, or all, are freed on random CPUs; handles are quiesced,
 * and caches are shrunk where the backend can do that. Pages that are held then are counted by the
 * services that handed them out, not by the backend. The subject is held against the best of the
 * models at the sizes named; all else in the table is for information. After everything was freed
 * an object that a CPU or a depot keeps pins its whole slab: freed in the order of allocation,
 * neighbours are kept together; freed at random, each may pin a slab of its own. Both are judged,
 * with four times as many objects too, and once more after shrinking. What a CPU holds in free
 * objects is asked of the backend after the patterns of the speed table, over all kmalloc classes
 * at once.
 *
 * Nothing depends on time or on the machine. Left out: resident memory, which the runner measures.
 */
#include "core/list.h"
#include "core/rng.h"
#include "tests/support/machine.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MEMORY_NODE_BYTES ((size_t)128 << 20)
#define MEMORY_BYTES	  ((size_t)32 << 20) /* of objects at the peak */
#define MEMORY_NAMES	  16
#define MEMORY_SEED	  20
#define MEMORY_KEPT_PAGES 64		      /* for a backend's own tables, after shrinking */
#define MEMORY_CPU_BYTES  ((uint64_t)2 << 20) /* of free objects that a CPU may hold */
/* that all of them may pin, with their nodes, in one cache */
#define MEMORY_PINNED_PAGES (MACHINE_CPUS * MEMORY_CPU_BYTES / NSLAB_PAGE_SIZE)

static const char *judged_sizes;	/* "64,256" */
static const char *names[MEMORY_NAMES]; /* the subject first, then the models, then the others */
static int nr_names, nr_judged;		/* nr_judged: with the subject */

static const size_t sizes[] = {64, 256, 1024, 4096};
#define NR_SIZES (sizeof(sizes) / sizeof(*sizes))

/* One cache of one allocator and its objects. */
struct load {
	struct machine machine;
	struct kmem_cache *s;
	void **objs;
	size_t nr, nr_live;
	uint64_t baseline_pages;
	uint64_t rng;
};

static struct nslab_cpu *any_cpu(struct load *l)
{
	return l->machine.cpu[nslab_rng_below(&l->rng, MACHINE_CPUS)];
}

static void load_open(struct load *l, const char *name, size_t size, size_t nr)
{
	struct nslab_cache_spec spec = machine_spec("load", size);

	memset(l, 0, sizeof(*l));
	l->rng = nslab_rng_mix(MEMORY_SEED, size);
	l->nr = nr;
	l->objs = calloc(nr, sizeof(*l->objs));
	assert_non_null(l->objs);
	assert_int_equal(machine_find(&l->machine, name, NULL), 0);
	assert_int_equal(machine_open(&l->machine, MEMORY_NODE_BYTES, MEMORY_SEED), 0);
	l->baseline_pages = machine_usage(&l->machine).nr_pages;
	assert_int_equal(l->machine.ops->cache_create(l->machine.heap, &spec, &l->s), 0);
}

static void load_alloc(struct load *l, size_t at)
{
	l->objs[at] = kmem_cache_alloc(any_cpu(l), l->s, GFP_KERNEL);
	assert_non_null(l->objs[at]);
}

/* Fills the table and then replaces as many objects as it has, at random. */
static void load_churn(struct load *l)
{
	for (; l->nr_live < l->nr; l->nr_live++)
		load_alloc(l, l->nr_live);
	for (size_t i = 0; i < l->nr; i++) {
		size_t at = nslab_rng_below(&l->rng, (uint32_t)l->nr);

		kmem_cache_free(any_cpu(l), l->s, l->objs[at]);
		load_alloc(l, at);
	}
}

/* Frees random objects until `left` are live. */
static void load_free(struct load *l, size_t left)
{
	while (l->nr_live > left) {
		size_t at = nslab_rng_below(&l->rng, (uint32_t)l->nr_live);

		kmem_cache_free(any_cpu(l), l->s, l->objs[at]);
		l->objs[at] = l->objs[--l->nr_live];
	}
}

/* Shrink asks the handles for what they hold, quiesce gives it, and then it can be given back. */
static void load_settle(struct load *l)
{
	const struct nslab_allocator_ops *ops = l->machine.ops;

	for (int round = 0; round < 2; round++) {
		nslab_list_for_each (pos, &l->machine.heap->caches) {
			struct kmem_cache *s = nslab_list_entry(pos, struct kmem_cache, link);

			if (ops->caps & NSLAB_CAP_SHRINK)
				ops->cache_shrink(s);
		}
		machine_quiesce(&l->machine);
	}
	if (ops->caps & NSLAB_CAP_SHRINK)
		ops->cache_shrink(l->s);
}

static uint64_t load_pages(const struct load *l)
{
	return machine_usage(&l->machine).nr_pages - l->baseline_pages;
}

static void load_close(struct load *l)
{
	load_free(l, 0);
	assert_int_equal(nslab_world_cache_destroy(l->machine.world, l->s), 0);
	machine_close(&l->machine);
	if (l->machine.nr_reports)
		fail_msg("%s", l->machine.report);
	machine_forget(&l->machine);
	free(l->objs);
}

/* ---- after nine of ten objects were freed ---- */

static bool is_judged(size_t size)
{
	const char *at = judged_sizes;
	char *end;

	for (; *at; at = *end == ',' ? end + 1 : end) {
		if (strtoul(at, &end, 10) == size)
			return true;
		if (end == at)
			break;
	}
	return false;
}

static uint64_t pages_after_churn(const char *name, size_t size)
{
	struct load l;
	uint64_t nr_pages;

	load_open(&l, name, size, MEMORY_BYTES / size);
	load_churn(&l);
	load_free(&l, l.nr / 10);
	load_settle(&l);
	nr_pages = load_pages(&l);
	load_close(&l);
	return nr_pages;
}

static void subject_holds_no_more_than_the_best_model_when_most_is_freed(void **state)
{
	uint64_t pages[MEMORY_NAMES][NR_SIZES];
	uint64_t best[NR_SIZES];

	(void)state;
	memset(best, 0xff, sizeof(best));
	printf("pages held after 90 %% of %zu MiB were freed at random\n%-12s", MEMORY_BYTES >> 20,
	       "size");
	for (size_t i = 0; i < NR_SIZES; i++)
		printf(" %8zu", sizes[i]);
	for (int who = 0; who < nr_names; who++) {
		printf("\n%-12s", names[who]);
		for (size_t i = 0; i < NR_SIZES; i++) {
			pages[who][i] = pages_after_churn(names[who], sizes[i]);
			printf(" %8" PRIu64, pages[who][i]);
			if (who && who < nr_judged && pages[who][i] < best[i])
				best[i] = pages[who][i];
		}
	}
	printf("\n%s / best", names[0]);
	for (size_t i = 0; i < NR_SIZES; i++)
		printf(" %.3f", (double)pages[0][i] / (double)best[i]);
	printf("\n");
	for (size_t i = 0; i < NR_SIZES; i++) {
		if (is_judged(sizes[i]))
			assert_true(pages[0][i] * 4 <= best[i] * 5);
	}
}

/* ---- after everything was freed ---- */

struct held {
	uint64_t nr_pages;  /* after everything was freed */
	uint64_t cpu_bytes; /* of free objects on CPUs then */
	uint64_t nr_shrunk; /* pages after shrinking */
};

/* Frees the oldest objects first, each on the CPU that allocates the next: as a queue does. */
static void load_free_in_order(struct load *l)
{
	for (size_t i = 0; i < l->nr_live; i++)
		kmem_cache_free(any_cpu(l), l->s, l->objs[i]);
	l->nr_live = 0;
}

static struct held held_after_all(const char *name, size_t size, size_t nr, bool is_random)
{
	struct nslab_cache_stats stats;
	struct held held;
	struct load l;

	load_open(&l, name, size, nr);
	for (; l.nr_live < l.nr; l.nr_live++)
		load_alloc(&l, l.nr_live);
	if (is_random)
		load_free(&l, 0);
	else
		load_free_in_order(&l);
	machine_quiesce(&l.machine);
	held.nr_pages = load_pages(&l);
	l.machine.ops->cache_stats(l.s, &stats);
	held.cpu_bytes = stats.nr_cpu_free * l.s->size;
	load_settle(&l);
	held.nr_shrunk = load_pages(&l);
	load_close(&l);
	printf("%s: %zu objects of %zu bytes freed %s: %" PRIu64 " of %zu pages held, %" PRIu64
	       " KiB of objects on CPUs; %" PRIu64 " pages after shrinking\n",
	       name, nr, size, is_random ? "at random" : "in order", held.nr_pages,
	       nr * size / NSLAB_PAGE_SIZE, held.cpu_bytes >> 10, held.nr_shrunk);
	return held;
}

static void assert_held(const struct held *held)
{
	assert_true(held->cpu_bytes <= MACHINE_CPUS * MEMORY_CPU_BYTES);
	assert_true(held->nr_pages <= MEMORY_PINNED_PAGES);
	assert_true(held->nr_shrunk <= MEMORY_KEPT_PAGES);
}

static void subject_holds_a_bounded_amount_when_all_is_freed(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SIZES; i++) {
		size_t nr = MEMORY_BYTES / sizes[i];
		struct held few = held_after_all(names[0], sizes[i], nr, false);
		struct held many = held_after_all(names[0], sizes[i], 4 * nr, false);
		struct held mixed = held_after_all(names[0], sizes[i], nr, true);
		struct held many_mixed = held_after_all(names[0], sizes[i], 4 * nr, true);

		/* what is held does not grow with what was allocated */
		assert_true(many.nr_pages * 4 <= few.nr_pages * 5);
		assert_held(&few);
		assert_held(&many);
		assert_held(&mixed);
		assert_held(&many_mixed);
	}
}

/* ---- what one CPU holds ---- */

#define PATTERN_MOST 4096

/* `live` objects at a time, first in first out or at random; 0 frees each at once. */
static void pattern(struct machine *m, size_t size, size_t live, bool is_random, uint64_t *rng)
{
	static void *objs[PATTERN_MOST];

	for (size_t i = 0; i < live; i++)
		objs[i] = kmalloc(m->cpu[0], size, GFP_KERNEL);
	for (size_t i = 0; is_random && i < 8 * live; i++) {
		size_t at = nslab_rng_below(rng, (uint32_t)live);

		kfree(m->cpu[0], objs[at]);
		objs[at] = kmalloc(m->cpu[0], size, GFP_KERNEL);
	}
	for (size_t i = 0; i < live; i++)
		kfree(m->cpu[0], objs[i]);
}

static uint64_t cpu_free_bytes(const struct machine *m)
{
	uint64_t bytes = 0;

	nslab_list_for_each (pos, &m->heap->caches) {
		struct kmem_cache *s = nslab_list_entry(pos, struct kmem_cache, link);
		struct nslab_cache_stats stats;

		m->ops->cache_stats(s, &stats);
		bytes += stats.nr_cpu_free * s->size;
	}
	return bytes;
}

static void subject_holds_two_mib_per_cpu_at_most(void **state)
{
	static const size_t lives[] = {1, 256, 4096, 64};
	static const char *const words[] = {"pingpong", "batch256", "churn4096", "bursts of 64"};
	struct machine m = {0};
	uint64_t rng = MEMORY_SEED;

	(void)state;
	assert_int_equal(machine_find(&m, names[0], NULL), 0);
	assert_int_equal(machine_open(&m, MEMORY_NODE_BYTES, MEMORY_SEED), 0);
	for (size_t i = 0; i < 4; i++) {
		uint64_t most = 0;

		for (size_t size = 16; size <= 4096; size *= 2) {
			for (int round = 0; round < 50; round++) {
				pattern(&m, size, lives[i], lives[i] == 4096 && !round, &rng);
				if (lives[i] == 4096 && round == 1)
					break;
			}
			if (cpu_free_bytes(&m) > most)
				most = cpu_free_bytes(&m);
		}
		printf("%s: %s over kmalloc-16 to kmalloc-4096: %" PRIu64
		       " KiB of free objects on the CPU\n",
		       names[0], words[i], most >> 10);
		assert_true(most <= MEMORY_CPU_BYTES);
	}
	machine_close(&m);
	assert_int_equal(m.nr_reports, 0);
	machine_forget(&m);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subject_holds_no_more_than_the_best_model_when_most_is_freed),
		cmocka_unit_test(subject_holds_a_bounded_amount_when_all_is_freed),
		cmocka_unit_test(subject_holds_two_mib_per_cpu_at_most),
	};

	judged_sizes = argc > 1 ? argv[1] : "";
	for (int i = 2; i < argc && nr_names < MEMORY_NAMES; i++) {
		if (!strcmp(argv[i], "--"))
			nr_judged = nr_names;
		else
			names[nr_names++] = argv[i];
	}
	nr_judged = nr_judged ? nr_judged : nr_names;
	if (nr_judged < 2) {
		fprintf(stderr, "sizes, a subject and at least one model, please\n");
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
