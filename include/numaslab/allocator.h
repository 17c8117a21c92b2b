/* SPDX-License-Identifier: MIT */
/*
 * allocator.h: what an allocator backend implements (kind "allocator") and what it gets.
 *
 * Who calls what: `open`, `close`, `cpu_online`, `cpu_offline`, `cache_create`, `cache_destroy`,
 * `cache_shrink`, `cache_validate`, `cache_stats` and `rcu_barrier` are CONTROL calls. The host
 * makes one control call at a time; threads may allocate and free on other caches meanwhile.
 * `alloc`, `free`, the bulk and kmalloc calls and `quiesce` are made by the thread that owns the
 * CPU handle at that moment.
 *
 * A control call never touches the private words of a live CPU handle. When it needs what a handle
 * holds (shrink, destroy) it raises heap->flush_epoch; the handle's owner sees at its next slow
 * path or in `quiesce` that cpu->flushed_epoch is behind, gives everything back, and sets
 * flushed_epoch to the epoch that it saw (release; the control side reads it with acquire).
 */
#ifndef NUMASLAB_ALLOCATOR_H
#define NUMASLAB_ALLOCATOR_H

#include <numaslab/env.h>
#include <numaslab/page.h>
#include <numaslab/param.h>
#include <numaslab/stat.h>
#include <numaslab/types.h>
#include <stdatomic.h>

/* ---- base structures, embedded first in the backend's own ---- */

#define NSLAB_KMALLOC_CLASSES 13 /* 8 16 32 64 96 128 192 256 512 1k 2k 4k 8k */

/* Sorts of kmalloc caches; a request is of the last one whose flag it has. */
enum nslab_kmalloc_type {
	NSLAB_KMALLOC_NORMAL,  /* kmalloc-N */
	NSLAB_KMALLOC_CGROUP,  /* kmalloc-cg-N: __GFP_ACCOUNT */
	NSLAB_KMALLOC_RECLAIM, /* kmalloc-rcl-N: __GFP_RECLAIMABLE */
	NSLAB_KMALLOC_DMA,     /* dma-kmalloc-N: __GFP_DMA */
	NSLAB_NR_KMALLOC_TYPES
};

struct nslab_heap {
	const struct nslab_allocator_ops *ops; /* filled by the host after open() */
	const struct nslab_env *env;
	struct nslab_list cpus;	  /* of struct nslab_cpu, by `link` */
	struct nslab_list caches; /* of struct kmem_cache, by `link` */
	int nr_cpus;		  /* handles on the list */
	atomic_uint flush_epoch;
	struct kmem_cache *kmalloc[NSLAB_KMALLOC_CLASSES]; /* of the default kmalloc */
	/* [type - 1][class]; NULL where the backend has its own kmalloc: types share kmalloc[] */
	struct kmem_cache *(*kmalloc_types)[NSLAB_KMALLOC_CLASSES];
	/* large requests that are pages now, and their pages; unreclaimable slab memory */
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) _Atomic uint64_t nr_large, nr_large_pages;
};

struct nslab_cpu {
	const struct nslab_allocator_ops *ops; /* heap->ops, or cpu_online's own copy of it */
	struct nslab_heap *heap;
	int id;	  /* number of this CPU: 0 .. NSLAB_MAX_CPUS - 1 */
	int node; /* arena node that its memory comes from */
	atomic_uint flushed_epoch;
	struct nslab_list link;
	void *page_state;  /* the page plug-in's per-CPU lists; NULL until it needs them */
	void *rcu_pending; /* of the default free_rcu; NULL until it needs it */
};

struct kmem_cache {
	struct nslab_heap *heap;
	char name[NSLAB_NAME_MAX];
	unsigned object_size; /* bytes asked for */
	unsigned size;	      /* bytes from one object to the next (stride) */
	unsigned align;	      /* bytes */
	unsigned order;	      /* of a new slab */
	unsigned objects;     /* in a slab of that order */
	unsigned flags;	      /* SLAB_* */
	void (*ctor)(void *obj);
	struct nslab_list link;
};

/* ---- creation of a cache ---- */

#define SLAB_HWCACHE_ALIGN	(1u << 0) /* align to a cache line, see align rule of Linux */
#define SLAB_TYPESAFE_BY_RCU	(1u << 1)
#define SLAB_RECLAIM_ACCOUNT	(1u << 2)
#define SLAB_ACCOUNT		(1u << 3)
#define SLAB_NO_MERGE		(1u << 4) /* slabs, counts and -EBUSY are its own alone */
#define SLAB_CONSISTENCY_CHECKS (1u << 5) /* slab_debug letter F */
#define SLAB_RED_ZONE		(1u << 6) /* Z */
#define SLAB_POISON		(1u << 7) /* P */
#define SLAB_STORE_USER		(1u << 8) /* U */
#define SLAB_CACHE_DMA		(1u << 9)
#define SLAB_KMALLOC		(1u << 10) /* the cache serves kmalloc */
#define SLAB_ALIAS		(1u << 11) /* set by the backend: another cache shows its slabs */

#define NSLAB_AUTO (-1) /* let the backend's own rule decide */

struct nslab_cache_spec {
	const char *name;
	size_t object_size;	 /* bytes, > 0 */
	size_t align;		 /* bytes, 0 or a power of two <= 4096 */
	unsigned flags;		 /* SLAB_* */
	void (*ctor)(void *obj); /* runs once per object when its slab is made */
	int order;		 /* NSLAB_AUTO or 0..NSLAB_MAX_ORDER */
	int min_partial;	 /* slabs kept per node, or NSLAB_AUTO */
	int cpu_partial;	 /* objects kept per CPU on partial slabs, or NSLAB_AUTO */
	int sheaf_capacity;	 /* objects, or NSLAB_AUTO */
};

/* ---- the backend ---- */

#define NSLAB_CAP_NODE	      (1ull << 0) /* honours the node argument of alloc */
#define NSLAB_CAP_REMOTE_FREE (1ull << 1) /* an object may be freed on any CPU */
#define NSLAB_CAP_ORDER	      (1ull << 2) /* slabs have an order that can be forced */
#define NSLAB_CAP_CACHE	      (1ull << 3) /* per-type caches, not only kmalloc */
#define NSLAB_CAP_CTOR	      (1ull << 4)
#define NSLAB_CAP_SHRINK      (1ull << 5)
#define NSLAB_CAP_PAGES	      (1ull << 6) /* its memory comes from env->alloc_pages */
#define NSLAB_CAP_DIRECT      (1ull << 7) /* a peer: workloads call malloc/free themselves */
#define NSLAB_CAP_DEBUG	      (1ull << 8) /* honours SLAB_RED_ZONE, SLAB_POISON and the like */

/*
 * Errors are negative errno; out-parameters come last and are untouched on error. Objects are
 * aligned to at least 8 bytes, and to `align` when the cache asks for it. Contents of an object
 * are undefined unless __GFP_ZERO or a constructor says otherwise.
 */
struct nslab_allocator_ops {
	const char *name;    /* as users type it */
	const char *summary; /* one line */
	const char *models;  /* "Linux 6.1 mm/slub.c", a paper, or "-" */
	const char *preload; /* shared library to preload in the trial process, or NULL */
	uint64_t caps;	     /* NSLAB_CAP_* */
	const struct nslab_param *params;
	size_t params_size; /* bytes of the structure that the rows describe; 0 without params */

	/* required */
	int (*open)(const struct nslab_env *env, const void *params, struct nslab_heap **heap);
	void (*close)(struct nslab_heap *heap); /* all caches destroyed, all CPUs offline */
	int (*cpu_online)(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu);
	void (*cpu_offline)(struct nslab_cpu *cpu); /* gives back all it holds, then frees it */
	int (*cache_create)(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
			    struct kmem_cache **s);
	/* 0; -EBUSY while objects live; -EAGAIN until every CPU handle has quiesced */
	int (*cache_destroy)(struct kmem_cache *s);
	void *(*alloc)(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node);
	void (*free)(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj);

	/* optional: the host fills a default once at load, so callers never test for NULL */
	void (*quiesce)(struct nslab_cpu *cpu);
	size_t (*alloc_bulk)(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node,
			     size_t nr, void **objs); /* nr, or 0 and nothing allocated */
	void (*free_bulk)(struct nslab_cpu *cpu, struct kmem_cache *s, size_t nr, void **objs);
	/* frees empty slabs that the shared layers hold; returns slabs that remain */
	size_t (*cache_shrink)(struct kmem_cache *s);
	/* number of inconsistencies found, each told by env->report; needs quiesced handles */
	int (*cache_validate)(struct kmem_cache *s);
	void (*cache_stats)(struct kmem_cache *s, struct nslab_cache_stats *stats);
	void *(*kmalloc)(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node);
	void (*kfree)(struct nslab_cpu *cpu, void *obj);
	size_t (*ksize)(struct nslab_cpu *cpu, const void *obj); /* usable bytes */
	void *(*krealloc)(struct nslab_cpu *cpu, void *obj, size_t size_bytes, gfp_t gfp);
	/* ---- since ABI 1, table size grown; an older plug-in gets the defaults ---- */
	/*
	 * Frees obj after a grace period. numaslab has no readers to wait for: the grace period
	 * ends at the next rcu_barrier, which the owner of the handle calls; nothing is reused
	 * before.
	 */
	void (*free_rcu)(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj);
	void (*rcu_barrier)(struct nslab_cpu *cpu);
	/*
	 * A private reserve of at least nr objects (a sheaf). sheaf_alloc never falls back to the
	 * cache: NULL when the reserve is used up. sheaf_return takes the rest back.
	 */
	int (*sheaf_prefill)(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, size_t nr,
			     struct nslab_sheaf **sheaf);
	void *(*sheaf_alloc)(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
			     struct nslab_sheaf *sheaf);
	void (*sheaf_return)(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
			     struct nslab_sheaf *sheaf);
	/* Bytes that a kmalloc of size_bytes can use; size_bytes itself when it is too large. */
	size_t (*size_roundup)(const struct nslab_heap *heap, size_t size_bytes);
};

#endif
