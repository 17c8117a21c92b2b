/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * writer.h: makes a trace from events that carry addresses. One thread at a time.
 *
 * The recorder and the importer turn their texts (or the instruction pointers behind them) into
 * ids once, through the functions below, and put raw events. The writer sorts events that come a
 * little late, finds the slot of each address, and streams blocks to a temporary file beside PATH,
 * which gets its name when it is complete. Memory: the live objects, and the tables.
 */
#ifndef NSLAB_TRACE_WRITER_H
#define NSLAB_TRACE_WRITER_H

#include "workloads/trace/trace.h"

/* An event may come behind this many later ones, and finds its place by its time. */
#define NSLAB_TRACE_REORDER_EVENTS 1024

struct nslab_trace_writer;

/* One event of the kernel (or LOST). Ids come from the functions below. */
struct nslab_trace_raw {
	uint64_t time_ns;
	/* Address, or page frame number + 1; 0: NULL. LOST: how many. */
	uint64_t ptr;
	uint32_t cpu; /* the kernel's number */
	uint16_t site, attr;
	/*
	 * Allocations and PAGE_FREE: the id. CACHE_FREE: the id by name, 0 if not told. KFREE: 0.
	 */
	uint16_t cache;
	uint8_t kind; /* enum nslab_trace_kind, not TIME */
};

/* `info` is copied; has_pages is also set when a page event comes. -EINVAL where PATH is something
 * else than a regular file. */
int nslab_trace_writer_create(const char *path, const struct nslab_trace_info *info,
			      struct nslab_trace_writer **writer, struct nslab_err *err);

/* The last word on where the trace comes from: 0 or -ENOMEM. */
int nslab_trace_writer_info(struct nslab_trace_writer *writer, const struct nslab_trace_info *info);

/*
 * Ids, the same for the same arguments. Texts are `length` bytes, need no NUL, and are copied;
 * what is no printable ASCII becomes '?'. Each returns an id, or a negative errno (-ENOMEM,
 * -EOVERFLOW: more than 65,535 of a kind). Call sites beyond that are all "(unknown)".
 */
int nslab_trace_writer_site(struct nslab_trace_writer *writer, const char *text, size_t length);
int nslab_trace_writer_attr(struct nslab_trace_writer *writer, const char *gfp, size_t length,
			    int node, bool is_accounted);

/* A kmem cache by its name; sizes are 0 where the event does not tell (kmem_cache_free). */
int nslab_trace_writer_cache(struct nslab_trace_writer *writer, const char *name, size_t length,
			     uint64_t object_size, uint64_t size);

/*
 * The cache of an allocation without a name (kernels before 6.2), by its call site and sizes. When
 * the trace is finished it becomes the cache that most frees of its objects named; else the only
 * named cache of these sizes; else "size-N".
 */
int nslab_trace_writer_nameless(struct nslab_trace_writer *writer, uint16_t site,
				uint64_t object_size, uint64_t size);

/* `attr` tells the type. After 32,768 different sizes those asked count as those given. */
int nslab_trace_writer_kmalloc(struct nslab_trace_writer *writer, uint64_t bytes_req,
			       uint64_t bytes_alloc, uint16_t attr);
int nslab_trace_writer_pages(struct nslab_trace_writer *writer, unsigned order);

/*
 * -EINVAL: the event is older than one already written, behind more than
 * NSLAB_TRACE_REORDER_EVENTS later ones. A kfree of NULL and a failed allocation are counted.
 */
int nslab_trace_writer_put(struct nslab_trace_writer *writer, const struct nslab_trace_raw *raw,
			   struct nslab_err *err);

/* Before or after events; the last word on a CPU or a kernel's cache (by name) holds. */
int nslab_trace_writer_cpu(struct nslab_trace_writer *writer, unsigned id, int node);
int nslab_trace_writer_kernel_cache(struct nslab_trace_writer *writer,
				    const struct nslab_trace_kernel_cache *cache);

/* `ignored` and `skipped` may be set by the caller; the rest is the writer's. */
struct nslab_trace_tally *nslab_trace_writer_tally(struct nslab_trace_writer *writer);

/* Writes what is left and the tables, and gives the file its name. Then only destroy is left. */
int nslab_trace_writer_finish(struct nslab_trace_writer *writer, struct nslab_err *err);

/* Frees; a file that was not finished is removed. NULL does nothing. */
void nslab_trace_writer_destroy(struct nslab_trace_writer *writer);

#endif
