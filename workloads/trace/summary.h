/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * summary.h: what a trace holds, in numbers: one pass, memory by slots and caches.
 */
#ifndef NSLAB_TRACE_SUMMARY_H
#define NSLAB_TRACE_SUMMARY_H

#include "core/hist.h"
#include "workloads/trace/trace.h"

/* Frees of objects whose allocation is in the trace, implicit ones left out. */
struct nslab_trace_crossing {
	uint64_t nr_frees;
	uint64_t nr_cross_cpu;	/* freed on another CPU than allocated */
	uint64_t nr_node_told;	/* both CPUs' nodes are known */
	uint64_t nr_cross_node; /* of those */
};

/* All caches of one name: kmalloc has an entry for each size asked for. */
struct nslab_trace_group {
	const char *name;
	enum nslab_trace_cache_type type;
	uint64_t size;			   /* bytes of one object; the largest, when they differ */
	uint64_t nr_allocs;		   /* traced */
	uint64_t nr_frees;		   /* traced, born ones included */
	uint64_t nr_implicit;		   /* frees that had no event */
	uint64_t nr_born;		   /* freed but never seen allocated */
	uint64_t bytes_asked, bytes_given; /* of all allocations */
	uint64_t nr_live, nr_live_peak;	   /* objects; born ones from the start */
	struct nslab_trace_crossing crossing;
	struct nslab_hist *lifetimes; /* ns, of traced pairs; NULL: none */
};

struct nslab_trace_site_use {
	uint32_t site; /* index of the trace's sites */
	uint64_t nr_allocs, nr_frees, bytes_given;
};

struct nslab_trace_cpu_use {
	uint64_t nr_events, nr_lost;
};

struct nslab_trace_summary {
	struct nslab_trace_group total;	    /* name NULL */
	struct nslab_trace_group *groups;   /* most allocations first */
	struct nslab_trace_site_use *sites; /* most allocations first, then frees */
	struct nslab_trace_cpu_use *cpus;   /* by the trace's CPU index */
	uint32_t nr_groups, nr_sites, nr_cpus;
	uint64_t nr_stored_events; /* of the kernel: TIME, LOST and implicit frees left out */
	uint64_t peak_10ms;	   /* most stored events in any 10 ms of a grid */
	uint64_t live_bytes, live_bytes_peak;
	uint64_t cross_requests, node_requests; /* allocations that asked for a node; another one */
};

/* -EINVAL also for a trace that fails nslab_trace_check. */
int nslab_trace_summarize(const struct nslab_trace *trace, struct nslab_trace_summary **summary,
			  struct nslab_err *err);
void nslab_trace_summary_free(struct nslab_trace_summary *summary);

/* What no trace, or not this one, can show: one sentence each; returns NULL after the last. */
const char *nslab_trace_blind_spot(const struct nslab_trace_tables *tables, unsigned i);

#endif
