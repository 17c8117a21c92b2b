/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conformance_objects.c: checks of single objects: where they lie, what is in them, who may free.
 *
 * Checks first look at addresses and only then write, so that an allocator which hands out
 * overlapping or misaligned memory is named for that and not for what the writes broke. Objects
 * from caches are used when the allocator has caches, objects from kmalloc always. The order of
 * operations is random but follows from the seed. Left out: how fast any of it is.
 *
 * Locks: none; the two threads of check_threads() share two single-producer rings, and a third
 * makes control calls meanwhile.
 */
#include "runner/conformance_suite.h"

#include "core/rng.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static bool is_aligned(const void *ptr, size_t align)
{
	return (uintptr_t)ptr % align == 0;
}

/* ---- alignment ---- */

static bool align_one(struct suite *t, size_t size, size_t align, unsigned flags)
{
	struct nslab_cache_spec spec = suite_spec("align", size);
	struct suite_object o[8];
	struct kmem_cache *s;

	spec.align = align;
	spec.flags = flags;
	s = suite_cache_of(t, &spec);
	if (!s)
		return false;
	for (int i = 0; i < 8; i++) {
		if (!suite_get(t, i % 2, s, size, NUMA_NO_NODE, &o[i]))
			return false;
		if (!is_aligned(o[i].ptr, align > 8 ? align : 8))
			return suite_fail(t, "%s: its cache asked for an alignment of %zu bytes",
					  suite_tell(&o[i]), align > 8 ? align : 8);
	}
	for (int i = 0; i < 8; i++)
		kmem_cache_free(t->cpu[i % 2], s, o[i].ptr);
	return suite_drop_caches(t);
}

static bool align_caches(struct suite *t)
{
	static const size_t aligns[] = {0, 16, 64, 512, 4096};

	for (size_t size = 1; size <= 8192; size += size < 72 ? 1 : size / 3 + 1) {
		for (size_t i = 0; i < sizeof(aligns) / sizeof(*aligns); i++) {
			if (!align_one(t, size, aligns[i], 0))
				return false;
		}
		if (!align_one(t, size, 0, SLAB_HWCACHE_ALIGN))
			return false;
	}
	return align_one(t, 8191, 64, 0) && align_one(t, 8192, 4096, 0);
}

bool check_alignment(struct suite *t)
{
	struct suite_object o;

	for (size_t size = 1; size <= 8192; size++) {
		if (!suite_get(t, (int)(size % SUITE_CPUS), NULL, size, NUMA_NO_NODE, &o))
			return false;
		if (!is_aligned(o.ptr, 8))
			return suite_fail(t, "%s is not aligned to 8 bytes", suite_tell(&o));
		kfree(t->cpu[o.cpu], o.ptr);
	}
	return !suite_has(t, NSLAB_CAP_CACHE) || align_caches(t);
}

/* ---- overlap ---- */

#define OVERLAP_OBJECTS 3000
#define OVERLAP_OPS	30000

static const size_t overlap_sizes[] = {1,   8,	 13,   24,   64,   100,	 192,
				       256, 700, 1024, 2048, 4096, 6000, 8192};
#define NR_OVERLAP_SIZES (sizeof(overlap_sizes) / sizeof(*overlap_sizes))

static int by_address(const void *a, const void *b)
{
	const struct suite_object *x = a, *y = b;

	return (x->ptr > y->ptr) - (x->ptr < y->ptr);
}

static bool all_disjoint(struct suite *t, const struct suite_object *objects, size_t nr)
{
	struct suite_object *sorted = malloc(nr * sizeof(*sorted));
	bool is_good = true;

	if (!sorted)
		return suite_fail(t, "out of memory");
	memcpy(sorted, objects, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), by_address);
	for (size_t i = 1; i < nr && is_good; i++) {
		if (sorted[i - 1].ptr && sorted[i - 1].ptr + sorted[i - 1].bytes > sorted[i].ptr)
			is_good = suite_fail(t, "%s overlaps %s", suite_tell(&sorted[i - 1]),
					     suite_tell(&sorted[i]));
	}
	free(sorted);
	return is_good;
}

/* Random size, from a cache or from kmalloc, on a random CPU. */
static bool overlap_get(struct suite *t, struct suite_object *o)
{
	size_t which = nslab_rng_below(&t->rng, NR_OVERLAP_SIZES);
	int cpu = (int)nslab_rng_below(&t->rng, SUITE_CPUS);
	bool is_cache = t->nr_caches && nslab_rng_below(&t->rng, 4);

	return suite_get(t, cpu, is_cache ? t->cache[which] : NULL, overlap_sizes[which],
			 NUMA_NO_NODE, o);
}

static bool overlap_run(struct suite *t, struct suite_object *o)
{
	for (size_t i = 0; i < OVERLAP_OBJECTS; i++) {
		if (!overlap_get(t, &o[i]))
			return false;
	}
	if (!all_disjoint(t, o, OVERLAP_OBJECTS))
		return false;
	for (size_t i = 0; i < OVERLAP_OBJECTS; i++)
		suite_fill(t, &o[i]);
	for (size_t i = 0; i < OVERLAP_OPS; i++) {
		size_t at = nslab_rng_below(&t->rng, OVERLAP_OBJECTS);
		int cpu = (int)nslab_rng_below(&t->rng, SUITE_CPUS);

		if (!suite_free(t, cpu, &o[at]) || !overlap_get(t, &o[at]))
			return false;
		suite_fill(t, &o[at]);
	}
	return all_disjoint(t, o, OVERLAP_OBJECTS) && suite_free_all(t, o, OVERLAP_OBJECTS);
}

bool check_overlap(struct suite *t)
{
	struct suite_object *o = calloc(OVERLAP_OBJECTS, sizeof(*o));
	bool is_good = o != NULL;

	for (size_t i = 0; is_good && suite_has(t, NSLAB_CAP_CACHE) && i < NR_OVERLAP_SIZES; i++)
		is_good = suite_cache(t, overlap_sizes[i]) != NULL;
	is_good = is_good && overlap_run(t, o);
	free(o);
	return is_good;
}

/* ---- kmalloc ---- */

bool check_ksize(struct suite *t)
{
	struct suite_object o, neighbour;

	for (size_t size = 1; size <= 70000; size += size < 300 ? 1 : size / 9) {
		int cpu = (int)(size % SUITE_CPUS);
		size_t usable;

		if (!suite_get(t, cpu, NULL, size, NUMA_NO_NODE, &o) ||
		    !suite_alloc(t, cpu, NULL, size, &neighbour))
			return false;
		usable = ksize(t->cpu[cpu], o.ptr);
		if (usable < size)
			return suite_fail(t, "ksize() of %s says %zu", suite_tell(&o), usable);
		o.bytes = usable;
		suite_fill(t, &o);
		if (!suite_free(t, cpu, &neighbour) || !suite_free(t, cpu, &o))
			return false;
	}
	if (ksize(t->cpu[0], NULL) != 0)
		return suite_fail(t, "ksize(NULL) is %zu, not 0", ksize(t->cpu[0], NULL));
	return true;
}

static bool kmalloc_zero_bytes(struct suite *t)
{
	struct nslab_cpu *cpu = t->cpu[1];
	void *ptr = kmalloc(cpu, 0, GFP_KERNEL);

	if (!ptr)
		return suite_fail(t, "kmalloc of 0 bytes gave NULL");
	if (ksize(cpu, ptr) > 8)
		return suite_fail(t, "kmalloc of 0 bytes gave %zu usable bytes", ksize(cpu, ptr));
	kfree(cpu, ptr);
	kfree(cpu, NULL);
	return true;
}

static bool kmalloc_resize(struct suite *t)
{
	struct suite_object o;
	size_t was = 10;

	if (!suite_alloc(t, 2, NULL, was, &o))
		return false;
	for (size_t size = 11; size < 100000; size += size) {
		unsigned char *grown = krealloc(t->cpu[2], o.ptr, size, GFP_KERNEL);

		if (!grown)
			return suite_fail(t, "krealloc from %zu to %zu bytes gave NULL", was, size);
		o.ptr = grown;
		if (!suite_verify(t, &o))
			return false;
		o.bytes = was = size;
		suite_fill(t, &o);
	}
	kfree(t->cpu[2], krealloc(t->cpu[2], o.ptr, 0, GFP_KERNEL));
	return true;
}

bool check_kmalloc(struct suite *t)
{
	static const size_t sizes[] = {1,    2,	    7,	   8,	  9,	 95,	 96,	  97,
				       191,  193,   255,   1000,  4095,	 4097,	 8191,	  8192,
				       8193, 12288, 16384, 40000, 65537, 262144, 1000000, 4194304};
	struct suite_object o[sizeof(sizes) / sizeof(*sizes)];
	void *huge;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		if (!suite_alloc(t, (int)(i % SUITE_CPUS), NULL, sizes[i], &o[i]))
			return false;
	}
	if (!suite_free_all(t, o, sizeof(sizes) / sizeof(*sizes)))
		return false;
	huge = kmalloc(t->cpu[0], SIZE_MAX / 2, GFP_KERNEL);
	if (huge)
		return suite_fail(t, "kmalloc of %zu bytes gave %p", SIZE_MAX / 2, huge);
	return kmalloc_zero_bytes(t) && kmalloc_resize(t);
}

/* ---- zeroing ---- */

static bool all_zero(struct suite *t, const struct suite_object *o)
{
	for (size_t i = 0; i < o->bytes; i++) {
		if (o->ptr[i])
			return suite_fail(t, "byte %zu of %s is 0x%02x under __GFP_ZERO", i,
					  suite_tell(o), o->ptr[i]);
	}
	return true;
}

/* Dirties 16 objects, frees them, and wants 16 clean ones. */
static bool zero_one(struct suite *t, struct kmem_cache *s, size_t size)
{
	struct suite_object o[16];
	struct nslab_cpu *cpu = t->cpu[3];

	for (int i = 0; i < 16; i++) {
		if (!suite_alloc(t, 3, s, size, &o[i]))
			return false;
		memset(o[i].ptr, 0xa5, o[i].bytes);
	}
	for (int i = 0; i < 16; i++) {
		if (s)
			kmem_cache_free(cpu, s, o[i].ptr);
		else
			kfree(cpu, o[i].ptr);
	}
	for (int i = 0; i < 16; i++) {
		o[i].ptr =
			s ? kmem_cache_zalloc(cpu, s, GFP_KERNEL) : kzalloc(cpu, size, GFP_KERNEL);
		if (!o[i].ptr)
			return suite_fail(t, "zeroed allocation of %zu bytes gave NULL", size);
		if (!all_zero(t, &o[i]))
			return false;
		suite_fill(t, &o[i]);
	}
	return suite_free_all(t, o, 16);
}

bool check_zero(struct suite *t)
{
	static const size_t sizes[] = {1, 8, 17, 64, 96, 250, 1024, 3000, 8192};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct kmem_cache *s = NULL;

		if (!zero_one(t, NULL, sizes[i]))
			return false;
		if (!suite_has(t, NSLAB_CAP_CACHE))
			continue;
		s = suite_cache(t, sizes[i]);
		if (!s || !zero_one(t, s, sizes[i]))
			return false;
	}
	return zero_one(t, NULL, 10000) && zero_one(t, NULL, 100000);
}

/* ---- bulk ---- */

#define BULK_MAX 600

static bool bulk_take(struct suite *t, struct kmem_cache *s, int cpu, size_t nr, gfp_t gfp,
		      struct suite_object *o)
{
	void *objs[BULK_MAX];
	size_t got = kmem_cache_alloc_bulk(t->cpu[cpu], s, gfp, nr, objs);

	if (got != nr)
		return suite_fail(t, "bulk of %zu objects of %u bytes on CPU %d gave %zu", nr,
				  s->object_size, cpu, got);
	for (size_t i = 0; i < nr; i++) {
		o[i] = (struct suite_object){
			.ptr = objs[i], .bytes = s->object_size, .s = s, .cpu = cpu};
		if ((gfp & __GFP_ZERO) && !all_zero(t, &o[i]))
			return false;
		suite_fill(t, &o[i]);
	}
	return true;
}

static bool bulk_give(struct suite *t, struct kmem_cache *s, int cpu, size_t nr,
		      struct suite_object *o)
{
	void *objs[BULK_MAX];

	for (size_t i = 0; i < nr; i++) {
		size_t other = i + nslab_rng_below(&t->rng, (uint32_t)(nr - i));
		struct suite_object swapped = o[other];

		o[other] = o[i];
		o[i] = swapped;
		if (!suite_verify(t, &o[i]))
			return false;
		objs[i] = o[i].ptr;
	}
	kmem_cache_free_bulk(t->cpu[cpu], s, nr, objs);
	return true;
}

bool check_bulk(struct suite *t)
{
	static const size_t counts[] = {0, 1, 2, 16, 31, 64, 300};
	static const size_t sizes[] = {8, 64, 512, 2048};
	struct suite_object o[BULK_MAX];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct kmem_cache *s = suite_cache(t, sizes[i]);
		int far = suite_has(t, NSLAB_CAP_REMOTE_FREE) ? 6 : 1;

		if (!s)
			return false;
		for (size_t k = 0; k < 2 * sizeof(counts) / sizeof(*counts); k++) {
			size_t nr = counts[k / 2];

			/* two halves, so that a free sees objects of many slabs in any order */
			if (!bulk_take(t, s, 1, nr, k % 2 ? __GFP_ZERO : 0, o) ||
			    !bulk_take(t, s, far, nr, 0, o + nr) || !all_disjoint(t, o, 2 * nr) ||
			    !bulk_give(t, s, 1, 2 * nr, o))
				return false;
		}
	}
	return true;
}

bool check_bulk_failure(struct suite *t)
{
	struct kmem_cache *s = suite_cache(t, 256);
	struct nslab_world_usage usage;
	struct suite_object o[64];
	void *objs[BULK_MAX];
	size_t got;

	for (uint64_t later = 1; s && later <= 8; later++) {
		nslab_world_usage(t->world, &usage);
		nslab_world_fail_at(t->world, usage.nr_page_calls + later, UINT64_MAX);
		got = kmem_cache_alloc_bulk(t->cpu[4], s, GFP_KERNEL, BULK_MAX, objs);
		nslab_world_fail_at(t->world, 0, 0);
		if (got == BULK_MAX)
			kmem_cache_free_bulk(t->cpu[4], s, got, objs);
		else if (got)
			return suite_fail(t, "bulk of %d objects gave %zu when pages ran out",
					  BULK_MAX, got);
		if (!bulk_take(t, s, 4, 64, 0, o) || !bulk_give(t, s, 4, 64, o))
			return false;
		/* what a failed bulk kept would be found here */
		if (!suite_drop_caches(t))
			return false;
		s = suite_cache(t, 256);
	}
	return s != NULL;
}

/* ---- remote free ---- */

#define REMOTE_OBJECTS 48

static bool remote_round(struct suite *t, struct kmem_cache *s)
{
	struct suite_object o[REMOTE_OBJECTS];

	for (int from = 0; from < SUITE_CPUS; from++) {
		for (int to = 0; to < SUITE_CPUS; to++) {
			for (int i = 0; i < REMOTE_OBJECTS; i++) {
				if (!suite_alloc(t, from, s, 200, &o[i]))
					return false;
			}
			for (int i = 0; i < REMOTE_OBJECTS; i++) {
				if (!suite_free(t, to, &o[(i * 7) % REMOTE_OBJECTS]))
					return false;
			}
		}
	}
	return true;
}

bool check_remote_free(struct suite *t)
{
	struct kmem_cache *s = NULL;
	uint64_t settled = 0, pages;

	if (suite_has(t, NSLAB_CAP_CACHE)) {
		s = suite_cache(t, 120);
		if (!s)
			return false;
	}
	for (int round = 0; round < 24; round++) {
		if (!remote_round(t, s) || (s && !remote_round(t, NULL)))
			return false;
		if (round == 5)
			settled = suite_pages(t);
	}
	pages = suite_pages(t);
	/* an allocator that never gives slabs back promises no bound either */
	if (suite_has(t, NSLAB_CAP_SHRINK) && pages > 2 * settled + 64)
		return suite_fail(t,
				  "freeing on other CPUs grows without end: %llu pages after 6 "
				  "rounds, %llu after 24",
				  (unsigned long long)settled, (unsigned long long)pages);
	return true;
}

/* ---- threads ---- */

#define RING_SLOTS     64
#define THREAD_OBJECTS 20000
#define CONTROL_ROUNDS 50

struct ring {
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) atomic_size_t head;
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) atomic_size_t tail;
	struct suite_object slot[RING_SLOTS];
};

struct peer {
	struct suite t; /* its own pattern tags and random numbers */
	struct nslab_conformance_result result;
	int cpu;
	struct ring *out, *in;
	struct signals *signals;
};

struct signals {
	atomic_bool is_stopped; /* something failed */
	atomic_bool is_over;	/* no more control calls */
};

static bool ring_put(struct ring *ring, const struct suite_object *o)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	if (tail - atomic_load_explicit(&ring->head, memory_order_acquire) == RING_SLOTS)
		return false;
	ring->slot[tail % RING_SLOTS] = *o;
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
	return true;
}

static bool ring_get(struct ring *ring, struct suite_object *o)
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	if (head == atomic_load_explicit(&ring->tail, memory_order_acquire))
		return false;
	*o = ring->slot[head % RING_SLOTS];
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	return true;
}

static bool peer_make(struct peer *p, struct suite_object *o)
{
	static const size_t sizes[] = {24, 200, 1000, 5000};
	uint32_t which = nslab_rng_below(&p->t.rng, 4);
	struct kmem_cache *s = p->t.nr_caches ? p->t.cache[which & 1] : NULL;

	return suite_alloc(&p->t, p->cpu, which < 2 ? s : NULL, sizes[which], o);
}

/* One step: frees what came in, and sends one more. */
static bool peer_step(struct peer *p, struct suite_object *made, size_t *nr_sent, size_t *nr_freed)
{
	struct suite_object o;

	while (ring_get(p->in, &o)) {
		if (!suite_free(&p->t, p->cpu, &o))
			return false;
		++*nr_freed;
	}
	if (*nr_sent < THREAD_OBJECTS) {
		if (!made->ptr && !peer_make(p, made))
			return false;
		if (ring_put(p->out, made)) {
			made->ptr = NULL;
			++*nr_sent;
			return true;
		}
	}
	sched_yield();
	return true;
}

/* When all is sent and freed, the handle still serves the requests of control calls. */
static void *peer_main(void *context)
{
	struct peer *p = context;
	struct suite_object made = {.ptr = NULL};
	size_t nr_sent = 0, nr_freed = 0;

	while (!atomic_load(&p->signals->is_stopped)) {
		p->t.ops->quiesce(p->t.cpu[p->cpu]);
		if (nr_sent < THREAD_OBJECTS || nr_freed < THREAD_OBJECTS) {
			if (!peer_step(p, &made, &nr_sent, &nr_freed))
				atomic_store(&p->signals->is_stopped, true);
		} else if (atomic_load(&p->signals->is_over)) {
			break;
		} else {
			sched_yield();
		}
	}
	return NULL;
}

static void peer_init(struct suite *t, struct peer *p, int cpu, struct ring *in, struct ring *out,
		      struct signals *signals)
{
	memset(&p->result, 0, sizeof(p->result));
	p->t = *t;
	p->t.result = &p->result;
	p->t.rng = nslab_rng_mix(t->rng, (uint64_t)cpu);
	p->t.next_tag = (uint32_t)cpu << 24;
	p->cpu = cpu;
	p->in = in;
	p->out = out;
	p->signals = signals;
}

/* Handles that no peer owns are this thread's. */
static void control_quiesce(struct suite *t)
{
	for (int cpu = 1; cpu < SUITE_CPUS - 1; cpu++)
		t->ops->quiesce(t->cpu[cpu]);
	sched_yield();
}

/* A cache comes and goes while the peers work on others. */
static bool control_round(struct suite *t, const struct signals *signals, size_t size)
{
	struct nslab_cache_spec spec = suite_spec("control", size);
	struct suite_object o[20];
	struct kmem_cache *s;
	int rc = t->ops->cache_create(t->heap, &spec, &s);

	if (rc)
		return suite_fail(t, "a cache cannot be created while threads run: %s",
				  strerror(-rc));
	for (int i = 0; i < 20; i++) {
		if (!suite_alloc(t, 1 + i % 6, s, 0, &o[i]))
			return false;
	}
	for (int i = 0; i < 20; i++) {
		if (!suite_free(t, 1 + i % 5, &o[i]))
			return false;
	}
	while ((rc = t->ops->cache_destroy(s)) == -EAGAIN && !atomic_load(&signals->is_stopped))
		control_quiesce(t);
	if (rc && rc != -EAGAIN)
		return suite_fail(t, "an empty cache cannot be destroyed while threads run: %s",
				  strerror(-rc));
	return true;
}

static bool control_run(struct suite *t, struct signals *signals)
{
	bool is_good = true;

	for (size_t i = 0; is_good && i < CONTROL_ROUNDS; i++) {
		if (atomic_load(&signals->is_stopped))
			break;
		is_good = control_round(t, signals, 8 + i * 24);
	}
	if (!is_good)
		atomic_store(&signals->is_stopped, true);
	atomic_store(&signals->is_over, true);
	return is_good;
}

bool check_threads(struct suite *t)
{
	struct ring rings[2];
	struct peer peers[2];
	pthread_t threads[2];
	struct signals signals;
	int nr = 0;

	memset(rings, 0, sizeof(rings));
	atomic_init(&signals.is_stopped, false);
	atomic_init(&signals.is_over, false);
	if (suite_has(t, NSLAB_CAP_CACHE) && (!suite_cache(t, 48) || !suite_cache(t, 300)))
		return false;
	for (; nr < 2; nr++) {
		peer_init(t, &peers[nr], nr * (SUITE_CPUS - 1), &rings[nr], &rings[!nr], &signals);
		if (pthread_create(&threads[nr], NULL, peer_main, &peers[nr]))
			break;
	}
	if (nr < 2) {
		suite_skip(t, "no two threads could be started");
		atomic_store(&signals.is_stopped, true);
	} else if (suite_has(t, NSLAB_CAP_CACHE)) {
		control_run(t, &signals);
	}
	atomic_store(&signals.is_over, true);
	while (nr--) {
		pthread_join(threads[nr], NULL);
		if (peers[nr].result.verdict == NSLAB_VERDICT_FAIL)
			suite_fail(t, "%s", peers[nr].result.text);
	}
	return t->result->verdict == NSLAB_VERDICT_PASS;
}
