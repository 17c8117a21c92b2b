/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * caches.h: the cache table while a trace is written, and how caches without a name get one.
 */
#ifndef NSLAB_TRACE_CACHES_H
#define NSLAB_TRACE_CACHES_H

#include "workloads/trace/intern.h"
#include "workloads/trace/trace.h"

struct nslab_trace_caches {
	struct nslab_trace_intern ids;
	struct nslab_trace_cache *rows; /* by id; name NULL: told at the end */
	uint32_t nr_max;
	struct nslab_trace_intern votes; /* pairs: a nameless cache, the name a free told */
	uint64_t *nr_votes;		 /* by pair */
	uint32_t nr_votes_max;
	struct nslab_trace_intern names; /* of those that get one at the end */
	uint16_t *final;		 /* by id, once resolved: the id in the file */
	struct nslab_trace_cache *file_rows;
	uint32_t nr_file_rows;
};

/* Makes cache 0, the unknown one. */
int nslab_trace_caches_init(struct nslab_trace_caches *caches);
void nslab_trace_caches_free(struct nslab_trace_caches *caches);

/* Ids, or a negative errno; as the functions of writer.h. `name` is printable. */
int nslab_trace_caches_named(struct nslab_trace_caches *caches, const char *name, size_t length,
			     uint64_t object_size, uint64_t size);
int nslab_trace_caches_nameless(struct nslab_trace_caches *caches, uint16_t site,
				uint64_t object_size, uint64_t size);
int nslab_trace_caches_kmalloc(struct nslab_trace_caches *caches, uint64_t bytes_req,
			       uint64_t bytes_alloc, enum nslab_trace_kmalloc_type type);
int nslab_trace_caches_pages(struct nslab_trace_caches *caches, unsigned order);

/* An object of `nameless` was freed to `named`: 0 or -ENOMEM; what is not nameless, is ignored. */
int nslab_trace_caches_vote(struct nslab_trace_caches *caches, uint16_t nameless, uint16_t named);

static inline bool nslab_trace_caches_is_nameless(const struct nslab_trace_caches *caches,
						  uint16_t id)
{
	return caches->rows[id].type == NSLAB_TRACE_KMEM && !caches->rows[id].name;
}

/* Names what has no name, and makes final[] and file_rows[]. */
int nslab_trace_caches_resolve(struct nslab_trace_caches *caches);

#endif
