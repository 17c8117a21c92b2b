/* SPDX-License-Identifier: MIT */
/*
 * page.h: page frames, the arena they lie in, and the page plug-in (kind "page").
 *
 * An arena is ONE contiguous reservation. Node n owns the bytes
 * [base + (n << node_shift), base + ((n + 1) << node_shift)), of which the first node_bytes are
 * usable. So the node of an address is a subtraction and a shift, and the frame record of an
 * address is a subtraction, a shift and an addition: no memory is read.
 *
 * Every frame has one 64-byte record. The page allocator owns all fields while the page is free.
 * While a page is allocated its owner may use `freelist`, `counters`, `list`, `s` and `priv` of the
 * HEAD record; `order`, `node` and `head` are the page allocator's.
 */
#ifndef NUMASLAB_PAGE_H
#define NUMASLAB_PAGE_H

#include <numaslab/param.h>
#include <numaslab/types.h>

/* Flags of a frame. */
#define NSLAB_PAGE_FREE	 (1u << 0) /* head of a free block of `order`, on a buddy list */
#define NSLAB_PAGE_HEAD	 (1u << 1) /* head of an allocated block */
#define NSLAB_PAGE_SLAB	 (1u << 2) /* the block belongs to a cache (set by the backend) */
#define NSLAB_PAGE_LARGE (1u << 3) /* a large kmalloc (set by the kmalloc front end) */
#define NSLAB_PAGE_PCP	 (1u << 4) /* free, on a per-CPU page list */

/*
 * What a page is used for, so that pages which can be moved or given up stay together. The numbers
 * and names are those of Linux. The first three have per-CPU lists; a request's type comes from
 * __GFP_MOVABLE and __GFP_RECLAIMABLE.
 */
enum nslab_migrate_type {
	NSLAB_MIGRATE_UNMOVABLE,
	NSLAB_MIGRATE_MOVABLE,
	NSLAB_MIGRATE_RECLAIMABLE,
	NSLAB_MIGRATE_HIGHATOMIC, /* kept for large requests that cannot wait */
	NSLAB_MIGRATE_CMA,	  /* lent to movable pages until a contiguous range is wanted */
	NSLAB_MIGRATE_ISOLATE,	  /* being emptied; nothing is allocated from it */
	NSLAB_NR_MIGRATE_TYPES
};

/* Pages whose type is kept as one: 2 MiB. */
#define NSLAB_PAGEBLOCK_ORDER 9

struct nslab_page {
	/* A 16-byte aligned pair that backends replace with one double-word CAS. */
	NSLAB_ALIGNED(16) uintptr_t freelist;
	uint64_t counters;
	struct nslab_list list; /* partial list, buddy list, per-CPU list */
	struct kmem_cache *s;	/* owner, or NULL */
	uint8_t order;		/* of the block, valid in the head */
	uint8_t flags;		/* NSLAB_PAGE_*; written by one owner at a time */
	int16_t node;		/* arena node, valid in every frame */
	uint32_t head;		/* distance in frames back to the head of an allocated block */
	uint64_t priv[2];	/* the owner's */
};

_Static_assert(sizeof(struct nslab_page) == 64, "a page record is one cache line");

/*
 * The address space that a page plug-in manages. Filled by the host before page ops open().
 * node_bytes is a multiple of 4 MiB and every node starts 4 MiB aligned.
 */
struct nslab_arena {
	uintptr_t base;
	unsigned node_shift; /* log2 of the distance in bytes between two nodes */
	int nr_nodes;
	size_t node_bytes;	  /* usable bytes of each node */
	struct nslab_page *pages; /* record of the frame at base; (nr_nodes << node_shift) >> 12 */
	const uint8_t *distance;  /* SLIT: [from * nr_nodes + to], 10 = local */
	const int *node_os_index; /* [nr_nodes] OS index of each node; -1: simulated, or several */
	int nr_cpus;		  /* CPUs that the modelled system has (order rules, list sizes) */
	const uint8_t *node_has_cpus; /* [nr_nodes], for the fallback order; NULL: all have */
};

/* Frames of node n are numbered from n << (node_shift - 12). */
static inline size_t nslab_arena_pfn(const struct nslab_arena *a, const struct nslab_page *page)
{
	return (size_t)(page - a->pages);
}

static inline void *nslab_arena_address(const struct nslab_arena *a, const struct nslab_page *page)
{
	return (void *)(a->base + (nslab_arena_pfn(a, page) << NSLAB_PAGE_SHIFT));
}

/* What a page plug-in can tell about one node. Counts are in pages unless said otherwise. */
struct nslab_page_stats {
	uint64_t nr_free_pages;			      /* on buddy lists and per-CPU lists */
	uint64_t nr_free_blocks[NSLAB_MAX_ORDER + 1]; /* buddy lists only, as /proc/buddyinfo */
	uint64_t nr_pcp_pages;			      /* on per-CPU page lists */
	uint64_t nr_alloc[NSLAB_MAX_ORDER + 1];	      /* successful allocations by order */
	uint64_t nr_failed;			      /* allocations refused */
	uint64_t nr_fallback;  /* served for a request that preferred another node */
	uint64_t nr_zone_lock; /* zone lock acquisitions */
};

/* What a page plug-in can tell about one zone, in pages unless said otherwise. */
struct nslab_zone_stats {
	const char *name; /* "DMA", "Normal" */
	int node;
	uint64_t nr_present_pages;
	uint64_t nr_managed_pages; /* without what was reserved early */
	uint64_t nr_free_pages;	   /* on buddy lists, isolated ones excepted */
	uint64_t nr_pcp_pages;	   /* on per-CPU page lists */
	uint64_t nr_free_blocks[NSLAB_NR_MIGRATE_TYPES][NSLAB_MAX_ORDER + 1];
	uint64_t nr_pageblocks[NSLAB_NR_MIGRATE_TYPES]; /* of 2 MiB, by what they are labelled */
	uint64_t min_pages, low_pages, high_pages;	/* watermarks; 0 when switched off */
	uint64_t boost_pages;				/* on top of them now */
	uint64_t reserve_pages; /* kept from requests that a higher zone could serve */
	uint64_t nr_extfrag;	/* requests served from blocks of another type */
	uint64_t nr_claimed;	/* of them, by taking over whole pageblocks */
	uint64_t nr_below_low;	/* requests that found the zone at its low watermark */
	unsigned pcp_batch, pcp_high_min, pcp_high_max;
};

struct nslab_page_source {
	const struct nslab_page_ops *ops;
	const struct nslab_arena *arena;
};

/*
 * How the owner of a movable block lets it be moved. Called without locks that matter to the owner,
 * who serialises it with its own use of the block. It copies the contents and makes every reference
 * point to `to`, a block of the same order. 0: `to` belongs to the owner and `from` no longer.
 * -ENOENT: the owner has freed `from`, or is about to. Anything else: it cannot be moved now. The
 * mover must live as long as any page that knows it.
 */
struct nslab_page_mover {
	int (*move)(struct nslab_page_mover *mover, struct nslab_page *from, struct nslab_page *to);
};

/*
 * Page plug-in. Errors are negative errno. alloc_pages and free_pages may be called by many
 * threads at once, each with a CPU handle of its own or with cpu == NULL (then no per-CPU list is
 * used); so may zone_stats, range_claim, range_free and set_mover, without one. The others are
 * called by one thread while nobody allocates.
 */
struct nslab_page_ops {
	const char *name;
	const char *summary;
	const char *models; /* the kernel version or paper that is modelled */
	uint64_t caps;
	const struct nslab_param *params;
	size_t params_size;
	/* required */
	int (*open)(const struct nslab_arena *arena, const void *params,
		    struct nslab_page_source **source);
	void (*close)(struct nslab_page_source *source);
	/*
	 * NULL when no block is left. Contents are undefined unless __GFP_ZERO. The head record
	 * has exactly the flag NSLAB_PAGE_HEAD, its order, and zeros in the owner's words; a block
	 * that is not allocated has no such flag. The host checks both before free_pages.
	 */
	struct nslab_page *(*alloc_pages)(struct nslab_page_source *source, struct nslab_cpu *cpu,
					  unsigned order, gfp_t gfp, int node);
	void (*free_pages)(struct nslab_page_source *source, struct nslab_cpu *cpu,
			   struct nslab_page *page, unsigned order);
	/* optional: give the pages of this CPU's lists back; default does nothing */
	void (*cpu_drain)(struct nslab_page_source *source, struct nslab_cpu *cpu);
	/* optional: default reports zeros */
	void (*stats)(struct nslab_page_source *source, int node, struct nslab_page_stats *stats);
	/* ---- since ABI 1, table size grown; an older plug-in gets the defaults ---- */
	/* Zone number `zone` in the order of /proc/zoneinfo; -ENOENT past the last one. */
	int (*zone_stats)(struct nslab_page_source *source, int zone,
			  struct nslab_zone_stats *stats);
	/*
	 * Lends nr_pages (a multiple of 4 MiB) of never used memory of `node` to movable requests
	 * until range_claim wants them. -ENOMEM when there is no such range. Default of this and
	 * the next two: -EOPNOTSUPP.
	 */
	int (*range_lend)(struct nslab_page_source *source, int node, size_t nr_pages,
			  struct nslab_page **first);
	/*
	 * Takes the frames first .. first + nr_pages - 1 of a lent range, moving away what stands
	 * there; each becomes an allocated page of order 0.
	 * -EBUSY when something cannot be moved, -ENOMEM when there is nowhere to move it to.
	 */
	int (*range_claim)(struct nslab_page_source *source, struct nslab_page *first,
			   size_t nr_pages);
	/*
	 * Says that this block of a movable request can be moved; the page layer takes priv[1] of
	 * its head for that. Blocks of which nobody says so stay where they are.
	 */
	int (*set_mover)(struct nslab_page_source *source, struct nslab_page *page,
			 struct nslab_page_mover *mover);
	/* Gives claimed frames back. Default: does nothing, since nothing was claimed. */
	void (*range_free)(struct nslab_page_source *source, struct nslab_page *first,
			   size_t nr_pages);
};

#endif
