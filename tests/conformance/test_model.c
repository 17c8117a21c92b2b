/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_model.c NAME | --plugin FILE: random operations on an allocator beside a reference that
 * knows every live object.
 *
 * One thread drives 8 CPUs of 4 made-up nodes. Each operation is drawn from a table of weights:
 * single and bulk allocation with and without a node, kmalloc, krealloc, frees on any CPU, shrink,
 * quiesce, CPUs going offline and coming back on another node, caches made and destroyed (also in
 * vain, while objects live), page allocations that fail for a while. The reference (model_map.h)
 * holds address, size, cache, CPU and fill pattern of each live object. What comes back is looked
 * at before it is written: alignment, place, node, zeros, overlap with a live object; and when an
 * object goes, or grows by krealloc, its contents must be what was written. NULL is accepted only
 * when a page allocation was made to fail within the same operation, or from an allocator that
 * cannot shrink and has used the arena up. Now and then the allocator's validation and statistics
 * are held against the reference. At the end everything is freed, every
 * cache destroyed, and the world must close without a page or a byte of metadata left.
 *
 * Everything follows from one seed (--seed, else NUMASLAB_SEED, else a constant), which is printed
 * with each failure; addresses decide nothing. With --expect the run must fail, with that text.
 * Left out: threads and constructors, which the conformance suite has, and time.
 */
#define _GNU_SOURCE
#include "core/list.h"
#include "core/rng.h"
#include "tests/conformance/model_map.h"
#include "tests/support/machine.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MODEL_NODE_BYTES ((size_t)64 << 20)
#define MODEL_LIVE_BYTES ((size_t)24 << 20) /* so that no node ever runs out by itself */
#define MODEL_LIVE	 20000		    /* objects */
#define MODEL_CACHES	 12
#define MODEL_BULK	 64
#define MODEL_PHASE	 4000 /* operations between growing and draining */
#define MODEL_ARMED	 200  /* operations that an armed failure waits */
#define MODEL_USED_UP	 (MACHINE_NODES * MODEL_NODE_BYTES / 2) /* bytes */
#define MODEL_KEPT_PAGES 64 /* that a backend may keep for its own tables until it is closed */
#define MODEL_ZERO_SIZE	 ((void *)16)

struct model_cache {
	struct kmem_cache *s; /* NULL: none */
	size_t align;	      /* that was asked for, at least 8 */
	size_t nr_live;
};

struct model {
	struct machine machine;
	struct model_map map;
	struct model_object *objects;
	struct model_object **table; /* [MODEL_LIVE]: the live ones first */
	size_t nr_live, live_bytes;
	struct model_cache cache[MODEL_CACHES];
	uint64_t rng, seed, op, nr_ops;
	uint32_t next_tag;
	bool is_draining;
	uint64_t fail_at, fail_end;   /* page calls that fail; 0: none */
	uint64_t disarm_op, nr_calls; /* nr_calls: at the start of the operation, while armed */
	uint64_t nr_refused;
	char failure[512];
};

static bool model_fail(struct model *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Keeps the first failure; returns false. */
static bool model_fail(struct model *t, const char *format, ...)
{
	va_list args;

	if (t->failure[0])
		return false;
	va_start(args, format);
	vsnprintf(t->failure, sizeof(t->failure), format, args);
	va_end(args);
	return false;
}

static uint32_t model_below(struct model *t, uint32_t bound)
{
	return nslab_rng_below(&t->rng, bound);
}

static bool model_chance(struct model *t, uint32_t one_in)
{
	return !model_below(t, one_in);
}

/* "object 0x.. of 64 bytes (cache 'c-64', CPU 3, operation 812)"; two buffers in turn. */
static const char *model_tell(const struct model *t, const struct model_object *o)
{
	static char texts[2][200];
	static unsigned turn;
	char *text = texts[turn++ % 2];

	snprintf(text, sizeof(texts[0]),
		 "object %p of %zu bytes (%s%s, CPU %d, operation %" PRIu64 ")",
		 (const void *)o->ptr, o->bytes, o->cache < 0 ? "kmalloc" : "cache ",
		 o->cache < 0 ? "" : t->cache[o->cache].s->name, o->cpu, o->op);
	return text;
}

static int model_cpu(struct model *t)
{
	int cpu = (int)model_below(t, MACHINE_CPUS);

	while (!t->machine.cpu[cpu])
		cpu = (cpu + 1) % MACHINE_CPUS;
	return cpu;
}

/* ---- contents ---- */

static uint64_t model_word(uint32_t tag, size_t at)
{
	return (tag + at) * UINT64_C(0x9e3779b97f4a7c15);
}

static void model_fill(struct model *t, struct model_object *o)
{
	o->tag = ++t->next_tag << 8;
	for (size_t at = 0; at < o->bytes; at += 8) {
		uint64_t word = model_word(o->tag, at);

		memcpy(o->ptr + at, &word, o->bytes - at < 8 ? o->bytes - at : 8);
	}
}

/* The first `bytes` of what was written into o now stand at ptr. */
static bool model_verify(struct model *t, const struct model_object *o, const unsigned char *ptr,
			 size_t bytes)
{
	for (size_t at = 0; at < bytes; at += 8) {
		uint64_t word = model_word(o->tag, at);

		if (memcmp(ptr + at, &word, bytes - at < 8 ? bytes - at : 8))
			return model_fail(t, "bytes from %zu on of live %s were changed", at,
					  model_tell(t, o));
	}
	return true;
}

static bool model_is_zero(const unsigned char *ptr, size_t bytes)
{
	return !bytes || (!ptr[0] && !memcmp(ptr, ptr + 1, bytes - 1));
}

/* ---- failures that are meant ---- */

static void model_disarm(struct model *t)
{
	t->fail_at = t->fail_end = 0;
	nslab_world_fail_at(t->machine.world, 0, 0);
}

static void model_begin(struct model *t)
{
	if (!t->fail_at)
		return;
	t->nr_calls = machine_usage(&t->machine).nr_page_calls;
	if (t->nr_calls + 1 >= t->fail_end || t->op >= t->disarm_op)
		model_disarm(t);
}

/*
 * True when a page allocation was refused since the operation began; else the test has failed. An
 * allocator that cannot shrink may also use the arena up, which holds ten times what is ever live.
 */
static bool model_may_refuse(struct model *t, const char *what)
{
	struct nslab_world_usage usage = machine_usage(&t->machine);
	bool is_injected = t->fail_at && usage.nr_page_calls >= t->fail_at &&
			   t->nr_calls + 1 < t->fail_end && usage.nr_page_calls > t->nr_calls;

	if (is_injected || (!machine_has(&t->machine, NSLAB_CAP_SHRINK) &&
			    usage.nr_pages << NSLAB_PAGE_SHIFT > MODEL_USED_UP)) {
		t->nr_refused++;
		return true;
	}
	return model_fail(t, "%s failed although no page was refused", what);
}

/* ---- objects come and go ---- */

static bool model_has_room(const struct model *t, size_t nr, size_t bytes)
{
	return t->nr_live + nr <= MODEL_LIVE && t->live_bytes + nr * bytes <= MODEL_LIVE_BYTES;
}

/* Everything that can be said about an object before it is written. */
static bool model_check_new(struct model *t, const struct model_object *o, gfp_t gfp, int node)
{
	size_t align = o->cache < 0 ? 8 : t->cache[o->cache].align;
	const struct machine *m = &t->machine;
	const struct model_object *other;

	if ((uintptr_t)o->ptr % align)
		return model_fail(t, "%s is not aligned to %zu bytes", model_tell(t, o), align);
	if (machine_has(m, NSLAB_CAP_PAGES) &&
	    !(nslab_is_arena(m->env, o->ptr) && nslab_is_arena(m->env, o->ptr + o->bytes - 1)))
		return model_fail(t, "%s lies outside the arena", model_tell(t, o));
	if (machine_has(m, NSLAB_CAP_PAGES | NSLAB_CAP_NODE) && (gfp & __GFP_THISNODE) &&
	    nslab_node_of(m->env, o->ptr) != node)
		return model_fail(t, "%s is not on node %d", model_tell(t, o), node);
	other = model_overlap(&t->map, o);
	if (other)
		return model_fail(t, "%s overlaps %s", model_tell(t, o), model_tell(t, other));
	if ((gfp & __GFP_ZERO) && !model_is_zero(o->ptr, o->asked))
		return model_fail(t, "%s is not cleared", model_tell(t, o));
	return true;
}

/* A new object: checks, fills and records it. o is the next free record of the table. */
static bool model_add(struct model *t, struct model_object *o, gfp_t gfp, int node)
{
	o->op = t->op;
	if (!model_check_new(t, o, gfp, node))
		return false;
	model_fill(t, o);
	if (!model_insert(&t->map, o))
		return model_fail(t, "out of memory");
	t->nr_live++;
	t->live_bytes += o->bytes;
	if (o->cache >= 0)
		t->cache[o->cache].nr_live++;
	return true;
}

static bool model_add_new(struct model *t, void *ptr, int cache, int cpu, gfp_t gfp, int node)
{
	struct model_object *o = t->table[t->nr_live];

	o->ptr = ptr;
	o->cache = (int16_t)cache;
	o->cpu = (int16_t)cpu;
	o->asked = o->bytes = t->cache[cache].s->object_size;
	return model_add(t, o, gfp, node);
}

/* Takes o out of the reference, with its contents checked. */
static bool model_drop(struct model *t, struct model_object *o)
{
	struct model_object *last = t->table[t->nr_live - 1];

	if (!model_verify(t, o, o->ptr, o->bytes))
		return false;
	model_remove(&t->map, o);
	t->nr_live--;
	t->live_bytes -= o->bytes;
	if (o->cache >= 0)
		t->cache[o->cache].nr_live--;
	t->table[o->index] = last;
	t->table[t->nr_live] = o;
	last->index = o->index;
	o->index = t->nr_live;
	return true;
}

static bool model_free(struct model *t, struct model_object *o)
{
	const struct machine *m = &t->machine;
	int cpu = model_cpu(t);

	if (!machine_has(m, NSLAB_CAP_REMOTE_FREE) && m->cpu[o->cpu])
		cpu = o->cpu;
	if (!model_drop(t, o))
		return false;
	if (o->cache >= 0)
		kmem_cache_free(m->cpu[cpu], t->cache[o->cache].s, o->ptr);
	else
		kfree(m->cpu[cpu], o->ptr);
	return true;
}

/* ---- operations: caches' objects ---- */

static gfp_t model_gfp(struct model *t, int *node)
{
	gfp_t gfp = GFP_KERNEL;

	*node = NUMA_NO_NODE;
	if (model_chance(t, 4))
		*node = (int)model_below(t, MACHINE_NODES);
	if (*node != NUMA_NO_NODE && model_chance(t, 2))
		gfp |= __GFP_THISNODE;
	if (model_chance(t, 8))
		gfp |= __GFP_ZERO;
	return gfp;
}

static bool model_op_free(struct model *t)
{
	return !t->nr_live || model_free(t, t->table[model_below(t, (uint32_t)t->nr_live)]);
}

/* While draining, half of what would allocate frees. */
static bool model_is_turned(struct model *t)
{
	return t->is_draining && model_chance(t, 2);
}

static bool model_op_alloc(struct model *t)
{
	int which = (int)model_below(t, MODEL_CACHES), cpu = model_cpu(t), node;
	struct kmem_cache *s = t->cache[which].s;
	gfp_t gfp = model_gfp(t, &node);
	void *ptr;

	if (!s)
		return true;
	if (model_is_turned(t) || !model_has_room(t, 1, s->object_size))
		return model_op_free(t);
	ptr = kmem_cache_alloc_node(t->machine.cpu[cpu], s, gfp, node);
	if (!ptr)
		return model_may_refuse(t, "an allocation");
	return model_add_new(t, ptr, which, cpu, gfp, node);
}

static bool model_op_alloc_bulk(struct model *t)
{
	int which = (int)model_below(t, MODEL_CACHES), cpu = model_cpu(t), node;
	size_t nr = 1 + model_below(t, MODEL_BULK), got;
	struct nslab_cpu *handle = t->machine.cpu[cpu];
	struct kmem_cache *s = t->cache[which].s;
	gfp_t gfp = model_gfp(t, &node);
	void *ptrs[MODEL_BULK];

	if (!s)
		return true;
	if (model_is_turned(t) || !model_has_room(t, nr, s->object_size))
		return model_op_free(t);
	got = handle->ops->alloc_bulk(handle, s, gfp, node, nr, ptrs);
	if (!got)
		return model_may_refuse(t, "a bulk allocation");
	if (got != nr)
		return model_fail(t, "a bulk allocation of %zu gave %zu", nr, got);
	for (size_t i = 0; i < nr; i++) {
		if (!model_add_new(t, ptrs[i], which, cpu, gfp, node))
			return false;
	}
	return true;
}

/* Objects of one cache that follow a random place of the table. */
static bool model_op_free_bulk(struct model *t)
{
	size_t at, nr = 0, most = 1 + model_below(t, MODEL_BULK);
	void *ptrs[MODEL_BULK];
	int cpu = model_cpu(t), cache = -1;

	if (!t->nr_live)
		return true;
	at = model_below(t, (uint32_t)t->nr_live);
	for (size_t seen = 0; seen < 512 && at < t->nr_live && nr < most; seen++) {
		struct model_object *o = t->table[at];
		bool is_fit = cache < 0 ? o->cache >= 0 : o->cache == cache;

		if (is_fit && !machine_has(&t->machine, NSLAB_CAP_REMOTE_FREE))
			is_fit = o->cpu == cpu;
		if (!is_fit) {
			at++;
			continue;
		}
		cache = o->cache;
		ptrs[nr++] = o->ptr;
		if (!model_drop(t, o)) /* another one takes its place in the table */
			return false;
	}
	if (nr)
		kmem_cache_free_bulk(t->machine.cpu[cpu], t->cache[cache].s, nr, ptrs);
	return true;
}

/* ---- operations: kmalloc ---- */

static size_t model_size(struct model *t)
{
	uint32_t dice = model_below(t, 1000);

	if (dice < 3)
		return 0;
	if (dice < 500)
		return 1 + model_below(t, 256);
	if (dice < 960)
		return 1 + model_below(t, 8192);
	return 1 + model_below(t, dice < 999 ? 40000 : 1000000);
}

/* Records what kmalloc or krealloc gave for `bytes`. */
static bool model_add_kmalloc(struct model *t, void *ptr, size_t bytes, int cpu, gfp_t gfp,
			      int node)
{
	struct model_object *o = t->table[t->nr_live];
	size_t usable;

	o->ptr = ptr;
	o->cache = -1;
	o->cpu = (int16_t)cpu;
	o->asked = o->bytes = bytes;
	o->op = t->op;
	usable = ksize(t->machine.cpu[cpu], ptr);
	if (usable < bytes)
		return model_fail(t, "ksize() of %s is %zu", model_tell(t, o), usable);
	if (model_chance(t, 4))
		o->bytes = usable;
	return model_add(t, o, gfp, node);
}

static bool model_op_kmalloc(struct model *t)
{
	size_t bytes = model_size(t);
	int cpu = model_cpu(t), node;
	gfp_t gfp = model_gfp(t, &node);
	void *ptr;

	if (model_is_turned(t) || !model_has_room(t, 1, 2 * bytes))
		return model_op_free(t);
	ptr = kmalloc_node(t->machine.cpu[cpu], bytes, gfp, node);
	if (!ptr)
		return model_may_refuse(t, "a kmalloc");
	if (bytes)
		return model_add_kmalloc(t, ptr, bytes, cpu, gfp, node);
	if (ptr != MODEL_ZERO_SIZE || ksize(t->machine.cpu[cpu], ptr))
		return model_fail(t, "a kmalloc of 0 bytes gave %p", ptr);
	kfree(t->machine.cpu[cpu], ptr);
	return true;
}

/* The reference forgets the object, and learns it again where it now is. */
static bool model_grow(struct model *t, struct model_object *o, size_t bytes)
{
	int cpu = machine_has(&t->machine, NSLAB_CAP_REMOTE_FREE) ? model_cpu(t) : o->cpu;
	struct model_object old;
	void *ptr;

	if (!model_drop(t, o))
		return false;
	old = *o;
	ptr = krealloc(t->machine.cpu[cpu], old.ptr, bytes, GFP_KERNEL);
	if (!bytes)
		return ptr == MODEL_ZERO_SIZE || model_fail(t, "krealloc to 0 gave %p", ptr);
	if (!ptr) {
		/* the old one must still be there, untouched */
		return model_may_refuse(t, "a krealloc") &&
		       model_verify(t, &old, old.ptr, old.bytes) &&
		       model_add_kmalloc(t, old.ptr, old.asked, cpu, 0, NUMA_NO_NODE);
	}
	return model_verify(t, &old, ptr, old.asked < bytes ? old.asked : bytes) &&
	       model_add_kmalloc(t, ptr, bytes, cpu, 0, NUMA_NO_NODE);
}

static bool model_op_krealloc(struct model *t)
{
	size_t bytes = model_size(t);

	if (!model_has_room(t, 1, 2 * bytes))
		return model_op_free(t);
	for (int i = 0; i < 8 && t->nr_live; i++) {
		struct model_object *o = t->table[model_below(t, (uint32_t)t->nr_live)];

		if (o->cache < 0 && t->machine.cpu[o->cpu])
			return model_grow(t, o, bytes);
	}
	return true;
}

/* ---- operations: control ---- */

static bool model_op_quiesce(struct model *t)
{
	t->machine.ops->quiesce(t->machine.cpu[model_cpu(t)]);
	return true;
}

static bool model_op_shrink(struct model *t)
{
	struct kmem_cache *s = t->cache[model_below(t, MODEL_CACHES)].s;

	if (s)
		t->machine.ops->cache_shrink(s);
	return true;
}

static bool model_op_cpu(struct model *t)
{
	int cpu = (int)model_below(t, MACHINE_CPUS), nr_online = 0, rc;
	int node = (int)model_below(t, MACHINE_NODES);
	struct machine *m = &t->machine;

	for (int i = 0; i < MACHINE_CPUS; i++)
		nr_online += m->cpu[i] != NULL;
	if (m->cpu[cpu] && nr_online > 1) {
		machine_offline(m, cpu);
		return true;
	}
	if (m->cpu[cpu])
		return true;
	rc = nslab_world_cpu_online(m->world, cpu, node, &m->cpu[cpu]);
	if (rc == -ENOMEM)
		return model_may_refuse(t, "a CPU coming online");
	return !rc || model_fail(t, "CPU %d does not come online: %s", cpu, strerror(-rc));
}

static bool model_create(struct model *t, struct model_cache *c)
{
	static const size_t sizes[] = {1,   8,	 13,  24,  48,	 64,   72,   96,   128,
				       200, 256, 320, 700, 1024, 1500, 2048, 4096, 6000};
	static const size_t aligns[] = {0, 0, 0, 8, 16, 64, 256};
	size_t size = sizes[model_below(t, sizeof(sizes) / sizeof(*sizes))];
	size_t align = aligns[model_below(t, sizeof(aligns) / sizeof(*aligns))];
	struct nslab_cache_spec spec;
	char name[NSLAB_NAME_MAX];
	int rc;

	snprintf(name, sizeof(name), "model-%zu-%zu", size, align);
	spec = machine_spec(name, size);
	spec.flags = SLAB_NO_MERGE; /* its counts are held against the reference */
	spec.align = align;
	if (model_chance(t, 4))
		spec.flags |= SLAB_HWCACHE_ALIGN;
	if (machine_has(&t->machine, NSLAB_CAP_ORDER) && model_chance(t, 3))
		spec.order = 2 + (int)model_below(t, 3);
	if (model_chance(t, 3))
		spec.min_partial = (int)model_below(t, 8);
	if (model_chance(t, 3))
		spec.cpu_partial = (int)model_below(t, 60);
	rc = t->machine.ops->cache_create(t->machine.heap, &spec, &c->s);
	if (rc)
		c->s = NULL;
	c->align = align > 8 ? align : 8;
	if (rc == -ENOMEM)
		return model_may_refuse(t, "creating a cache");
	return !rc || model_fail(t, "creating cache '%s' gave: %s", name, strerror(-rc));
}

static bool model_destroy(struct model *t, struct model_cache *c)
{
	int rc;

	for (size_t i = t->nr_live; i-- > 0 && c->nr_live;) {
		if (t->table[i]->cache == c - t->cache && !model_free(t, t->table[i]))
			return false;
	}
	rc = nslab_world_cache_destroy(t->machine.world, c->s);
	if (rc)
		return model_fail(t, "cache '%s' is not destroyed with no object left: %s",
				  c->s->name, strerror(-rc));
	c->s = NULL;
	return true;
}

static bool model_op_cache(struct model *t)
{
	struct model_cache *c = &t->cache[model_below(t, MODEL_CACHES)];
	int rc;

	if (!c->s)
		return model_create(t, c);
	if (!c->nr_live || model_chance(t, 2))
		return model_destroy(t, c);
	rc = nslab_world_cache_destroy(t->machine.world, c->s);
	return rc == -EBUSY ||
	       model_fail(t, "destroying a cache with %zu live objects gave %d", c->nr_live, rc);
}

/* Some page calls from one of the next on fail. */
static bool model_op_failure(struct model *t)
{
	uint32_t delay = model_below(t, 8), nr = 1 + model_below(t, 12);

	t->nr_calls = machine_usage(&t->machine).nr_page_calls;
	t->fail_at = t->nr_calls + 1 + delay;
	t->fail_end = t->fail_at + nr;
	t->disarm_op = t->op + MODEL_ARMED;
	nslab_world_fail_at(t->machine.world, t->fail_at, nr);
	return true;
}

/* What the allocator says about a cache, against the reference. */
static bool model_op_inspect(struct model *t)
{
	struct model_cache *c = &t->cache[model_below(t, MODEL_CACHES)];
	struct nslab_cache_stats stats;
	int nr_bad;

	if (!c->s)
		return true;
	machine_quiesce(&t->machine);
	nr_bad = t->machine.ops->cache_validate(c->s);
	if (nr_bad)
		return model_fail(t, "%d inconsistencies in '%s': %s", nr_bad, c->s->name,
				  t->machine.report);
	t->machine.ops->cache_stats(c->s, &stats);
	if (stats.nr_objects && stats.nr_objects - stats.nr_free != c->nr_live)
		return model_fail(t,
				  "cache '%s' tells %" PRIu64 " objects, %" PRIu64
				  " of them free; %zu are live",
				  c->s->name, stats.nr_objects, stats.nr_free, c->nr_live);
	return true;
}

static bool model_op_sweep(struct model *t)
{
	for (size_t i = 0; i < t->nr_live; i++) {
		if (!model_verify(t, t->table[i], t->table[i]->ptr, t->table[i]->bytes))
			return false;
	}
	return true;
}

/* ---- the run ---- */

static struct {
	const char *name;
	unsigned weight; /* of 10000 */
	bool (*run)(struct model *t);
	uint64_t nr;
} operations[] = {
	{"alloc", 3200, model_op_alloc, 0},
	{"free", 4000, model_op_free, 0},
	{"bulk alloc", 150, model_op_alloc_bulk, 0},
	{"bulk free", 150, model_op_free_bulk, 0},
	{"kmalloc", 1500, model_op_kmalloc, 0},
	{"krealloc", 500, model_op_krealloc, 0},
	{"quiesce", 400, model_op_quiesce, 0},
	{"shrink", 50, model_op_shrink, 0},
	{"cpu", 20, model_op_cpu, 0},
	{"cache", 15, model_op_cache, 0},
	{"failure", 10, model_op_failure, 0},
	{"inspect", 4, model_op_inspect, 0},
	{"sweep", 1, model_op_sweep, 0},
};

#define NR_OPERATIONS (sizeof(operations) / sizeof(*operations))

static bool model_step(struct model *t)
{
	uint32_t dice = model_below(t, 10000);
	size_t i = 0;

	if (t->op % MODEL_PHASE == 0)
		t->is_draining = t->op && model_chance(t, 2);
	model_begin(t);
	while (dice >= operations[i].weight)
		dice -= operations[i++].weight;
	operations[i].nr++;
	if (!operations[i].run(t))
		return false;
	if (t->machine.nr_reports)
		return model_fail(t, "reported during '%s': %s", operations[i].name,
				  t->machine.report);
	return true;
}

static void model_shrink_kmalloc(struct model *t)
{
	struct machine *m = &t->machine;

	for (int round = 0; round < 2; round++) {
		nslab_list_for_each (pos, &m->heap->caches)
			m->ops->cache_shrink(nslab_list_entry(pos, struct kmem_cache, link));
		machine_quiesce(m);
	}
}

/* Frees all, destroys all, and closes: nothing may be left. */
static bool model_finish(struct model *t, uint64_t baseline_pages)
{
	struct machine *m = &t->machine;
	uint64_t nr_pages;

	model_disarm(t);
	while (t->nr_live) {
		if (!model_op_free(t))
			return false;
	}
	for (size_t i = 0; i < MODEL_CACHES; i++) {
		if (t->cache[i].s && !model_destroy(t, &t->cache[i]))
			return false;
	}
	model_shrink_kmalloc(t);
	nr_pages = machine_usage(m).nr_pages;
	/* the debug layer keeps freed objects back until it is closed */
	if (machine_has(m, NSLAB_CAP_SHRINK) && !m->is_debug &&
	    nr_pages > baseline_pages + MODEL_KEPT_PAGES)
		return model_fail(
			t, "%" PRIu64 " pages are held in the end, %" PRIu64 " in the beginning",
			nr_pages, baseline_pages);
	machine_close(m);
	return !m->nr_reports || model_fail(t, "reported at the end: %s", m->report);
}

static bool model_run(struct model *t)
{
	uint64_t baseline_pages;
	int rc = machine_open(&t->machine, MODEL_NODE_BYTES, t->seed);

	if (rc)
		return model_fail(t, "cannot open: %s", strerror(-rc));
	baseline_pages = machine_usage(&t->machine).nr_pages;
	for (size_t i = 0; i < MODEL_CACHES; i++) {
		if (!model_create(t, &t->cache[i]))
			return false;
	}
	for (; t->op < t->nr_ops; t->op++) {
		if (!model_step(t))
			return false;
	}
	return model_finish(t, baseline_pages);
}

static bool model_init(struct model *t)
{
	t->objects = calloc(MODEL_LIVE + 1, sizeof(*t->objects));
	t->table = calloc(MODEL_LIVE + 1, sizeof(*t->table));
	if (!t->objects || !t->table || !model_map_grow(&t->map, 4096))
		return model_fail(t, "out of memory");
	for (size_t i = 0; i <= MODEL_LIVE; i++) {
		t->table[i] = &t->objects[i];
		t->objects[i].index = i;
	}
	t->rng = nslab_rng_mix(t->seed, 0);
	return true;
}

static int model_tell_result(struct model *t, const char *name, const char *expected)
{
	printf("%s: seed %" PRIu64 ", %" PRIu64 " of %" PRIu64 " operations, %" PRIu64
	       " refused as meant\n",
	       name, t->seed, t->op, t->nr_ops, t->nr_refused);
	for (size_t i = 0; i < NR_OPERATIONS; i++)
		printf("  %-12s %" PRIu64 "\n", operations[i].name, operations[i].nr);
	if (t->failure[0])
		printf("%s: operation %" PRIu64 ", seed %" PRIu64 ": %s\n",
		       expected ? "found" : "FAILED", t->op, t->seed, t->failure);
	if (!expected)
		return t->failure[0] != '\0';
	if (strstr(t->failure, expected))
		return 0;
	printf("FAILED: expected a failure with '%s'\n", expected);
	return 1;
}

/* Static, so that what a failed run leaves behind is still reachable for LeakSanitizer. */
static struct model model = {.seed = 20, .nr_ops = 1000000};

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"ops", required_argument, NULL, 'o'},	  {"seed", required_argument, NULL, 's'},
		{"plugin", required_argument, NULL, 'p'}, {"expect", required_argument, NULL, 'e'},
		{"debug", no_argument, NULL, 'd'},	  {NULL, 0, NULL, 0},
	};
	const char *plugin = NULL, *expected = NULL, *name;
	const char *seed = getenv("NUMASLAB_SEED");
	int option, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o')
			model.nr_ops = strtoull(optarg, NULL, 0);
		else if (option == 's')
			seed = optarg;
		else if (option == 'p')
			plugin = optarg;
		else if (option == 'e')
			expected = optarg;
		else if (option == 'd')
			model.machine.is_debug = true;
		else
			return 2;
	}
	name = plugin ? "plug-in" : optind < argc ? argv[optind] : "slub";
	if (seed && *seed)
		model.seed = strtoull(seed, NULL, 0);
	if (machine_find(&model.machine, name, plugin))
		return 2;
	if (model_init(&model))
		model_run(&model);
	status = model_tell_result(&model, name, expected);
	free(model.objects);
	free(model.table);
	free(model.map.pages);
	if (!model.machine.world)
		machine_forget(&model.machine);
	return status;
}
