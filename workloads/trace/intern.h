/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * intern.h: byte strings to dense numbers from 0, and back. Every table of a trace is one.
 */
#ifndef NSLAB_TRACE_INTERN_H
#define NSLAB_TRACE_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct nslab_trace_key {
	const char *bytes; /* followed by a NUL that is not counted */
	uint32_t length;
	uint32_t hash;
};

struct nslab_trace_intern {
	struct nslab_trace_key *keys; /* by number */
	uint32_t *buckets;	      /* number + 1, 0: empty */
	uint32_t nr, nr_keys_max, mask;
	struct nslab_trace_chunk *chunks; /* what the keys' bytes live in; they never move */
};

/* All zeros is an empty one. The number, or -ENOENT. */
int nslab_trace_intern_find(const struct nslab_trace_intern *intern, const void *bytes,
			    size_t length);

/* The number, the old one or a new one, or -ENOMEM, or -EOVERFLOW when `limit` are there. */
int nslab_trace_intern(struct nslab_trace_intern *intern, const void *bytes, size_t length,
		       uint32_t limit);

void nslab_trace_intern_free(struct nslab_trace_intern *intern);

#endif
