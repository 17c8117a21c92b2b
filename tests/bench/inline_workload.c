// SPDX-License-Identifier: GPL-2.0-only
/*
 * inline_workload.c: a built-in workload once more, with nodelocal's fast path compiled into its
 * loop, as the kernel compiles its own into its callers.
 *
 * The build makes one plug-in of each workload and way: INLINE_SOURCE is the workload's own source,
 * included here with kmalloc_node and kfree replaced, so that the loop cannot differ from the one
 * behind the table. The slow path is the table's function of the handle, which is what the built-in
 * backend falls into as well. Every other entry stays as it is: peers run in the same plan, in the
 * same blocks, by the same malloc loop.
 *
 * With INLINE_TLS the same fast path stands behind two functions with the signatures of malloc and
 * free, called through the procedure linkage table as a peer's are; the handle is in thread-local
 * storage. The difference between the two is what the explicit handle is worth. With INLINE_RSEQ
 * the handle comes from a table, by the CPU number that the kernel keeps in the thread's rseq area.
 * There is no critical section, which a handle for each CPU would need as soon as threads move:
 * workers are pinned here, so the row tells what the look-up costs and nothing more.
 *
 * A heap that is not nodelocal's, or that counts, is refused on this entry: the handle would be
 * read as something that it is not, or the counts would be wrong.
 */
#include "allocators/nodelocal.h"

#include <numaslab/slab.h>
#ifdef INLINE_RSEQ
# include <sys/rseq.h>
#endif

#if defined(INLINE_TLS) || defined(INLINE_RSEQ)
# define INLINE_CALLED
# ifdef INLINE_TLS
#  define INLINE_PREFIX "tls-"
# else
#  define INLINE_PREFIX "rseq-"
# endif
NSLAB_EXPORT void *inline_malloc(size_t size_bytes);
NSLAB_EXPORT void inline_free(void *obj);
# define kmalloc_node(cpu, size_bytes, gfp, node)                                                  \
  ((void)(cpu), (void)(gfp), (void)(node), inline_malloc(size_bytes))
# define kfree(cpu, obj) ((void)(cpu), inline_free(obj))
#else
# define INLINE_PREFIX				  "inline-"
# define kmalloc_node(cpu, size_bytes, gfp, node) nodelocal_kmalloc_fast(cpu, size_bytes, gfp, node)
# define kfree(cpu, obj)			  nodelocal_kfree_fast(cpu, obj)
#endif

/* from here on the two names are replaced: in object.h, thus in the loop */
#include <numaslab/plugin.h>

#undef NSLAB_WORKLOAD_PLUGIN
#define NSLAB_WORKLOAD_PLUGIN(table)                                                               \
 static const struct nslab_workload_ops *const inline_from = &(table)

#include INLINE_SOURCE

#undef kmalloc_node
#undef kfree

void *nodelocal_kmalloc_slow(struct nslab_cpu *base, size_t size_bytes, gfp_t gfp, int node)
{
	return base->ops->kmalloc(base, size_bytes, gfp, node);
}

void nodelocal_kfree_slow(struct nslab_cpu *base, void *obj)
{
	base->ops->kfree(base, obj);
}

#if defined(INLINE_TLS)

static _Thread_local struct nslab_cpu *inline_cpu __attribute__((tls_model("initial-exec")));

static int inline_cpu_set(struct nslab_cpu *cpu)
{
	inline_cpu = cpu;
	return 0;
}

#elif defined(INLINE_RSEQ)

static struct nslab_cpu *inline_cpus[NSLAB_MAX_CPUS];

static inline unsigned inline_cpu_id(void)
{
	const char *thread = __builtin_thread_pointer();
	const struct rseq *area = (const void *)(thread + __rseq_offset);

	return *(const volatile uint32_t *)&area->cpu_id;
}

# define inline_cpu inline_cpus[inline_cpu_id()]

/* The caller is pinned. A C library that did not register the area says so by its size. */
static int inline_cpu_set(struct nslab_cpu *cpu)
{
	if (!__rseq_size || inline_cpu_id() >= NSLAB_MAX_CPUS)
		return -EOPNOTSUPP;
	inline_cpu = cpu;
	return 0;
}

#else

static int inline_cpu_set(struct nslab_cpu *cpu)
{
	(void)cpu;
	return 0;
}

#endif

#ifdef INLINE_CALLED
NODELOCAL_HOT void *inline_malloc(size_t size_bytes)
{
	return nodelocal_kmalloc_fast(inline_cpu, size_bytes, GFP_KERNEL, NUMA_NO_NODE);
}

NODELOCAL_HOT void inline_free(void *obj)
{
	nodelocal_kfree_fast(inline_cpu, obj);
}
#endif

static int inline_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			      struct nslab_worker **worker)
{
	if (w->run->entry == NSLAB_ENTRY_KMALLOC) {
		int rc = inline_cpu_set(cpu);

		if (rc)
			return rc;
		if (strcmp(cpu->ops->name, "nodelocal") != 0 || cpu->ops != cpu->heap->ops)
			return -EOPNOTSUPP;
	}
	return inline_from->worker_init(w, cpu, index, worker);
}

static struct nslab_workload_ops inline_ops;

/* Before main, or while the plug-in is loaded: the table is the original's but for these words. */
static __attribute__((constructor)) void inline_fill(void)
{
	inline_ops = *inline_from;
	inline_ops.name = INLINE_PREFIX INLINE_NAME;
	inline_ops.summary = "the same with nodelocal's fast path compiled in";
	inline_ops.worker_init = inline_worker_init;
}

NSLAB_PLUGIN(NSLAB_PLUGIN_WORKLOAD, inline_ops);
