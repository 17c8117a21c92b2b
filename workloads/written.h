/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * written.h: objects that are written many times while they live: what cache_thrash and
 * cache_scratch share.
 *
 * The first word of an object counts the writes upwards from its own address, so that a word that
 * another worker wrote too, because both were given the same memory, shows when the object is
 * freed. The other words are only stored to.
 */
#ifndef NSLAB_WORKLOADS_WRITTEN_H
#define NSLAB_WORKLOADS_WRITTEN_H

#include "workloads/common.h"

struct nslab_written_params {
	int64_t size;
	int64_t writes;
};

static const struct nslab_param nslab_written_rows[] = {
	{
		.name = "size",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct nslab_written_params, size),
		.def = "8",
		.min = 8,
		.max = NSLAB_WORKLOAD_SIZE_MAX,
		.help = "bytes of each object; more than a cache line share little",
	},
	{
		.name = "writes",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct nslab_written_params, writes),
		.def = "100",
		.min = 1,
		.max = 1 << 30,
		.help = "times that every word of an object is written before it is freed",
	},
	NSLAB_PARAM_END,
};

struct nslab_written {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct nslab_written_params params;
	struct nslab_tally tally;
	atomic_uint_fast64_t nr_spoilt; /* objects that somebody else wrote to */
};

struct nslab_written_worker {
	struct nslab_worker base;
	struct nslab_object_type type;
	uint64_t writes;
	uint64_t nr_spoilt;
	bool is_failed;
};

/* *state zeroed; nslab_written_exit() is right after success and failure. */
static inline int nslab_written_init(struct nslab_written *state, struct nslab_run *run,
				     const char *name, const struct nslab_written_params *params)
{
	state->base.run = run;
	state->params = *params;
	return nslab_object_init(run, name, (size_t)params->size, &state->type);
}

static inline void nslab_written_exit(struct nslab_written *state)
{
	nslab_object_exit(&state->type);
}

static inline struct nslab_written *nslab_written_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct nslab_written, base);
}

static inline int nslab_written_verdict(const struct nslab_written *state)
{
	return atomic_load(&state->nr_spoilt) ? -EILSEQ : nslab_tally_verdict(&state->tally);
}

/* *self zeroed. 0 or -ENOMEM. */
static inline int nslab_written_worker_init(struct nslab_written_worker *self,
					    struct nslab_workload *w, struct nslab_cpu *cpu,
					    int index)
{
	struct nslab_written *state = nslab_written_of(w);

	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->writes = (uint64_t)state->params.writes;
	return nslab_object_type_copy(&state->type, &self->type);
}

static inline void nslab_written_worker_exit(struct nslab_written_worker *self)
{
	struct nslab_written *state = nslab_written_of(self->base.workload);

	atomic_fetch_add(&state->nr_spoilt, self->nr_spoilt);
	atomic_fetch_add(&state->tally.nr_failed, self->is_failed);
	nslab_object_exit(&self->type);
}

/* True when the object's first word counted exactly these writes. */
static inline __attribute__((always_inline)) bool
nslab_written_work(volatile uint64_t *words, size_t nr_words, uint64_t writes)
{
	for (uint64_t k = 0; k < writes; k++) {
		words[0]++;
		for (size_t i = 1; i < nr_words; i++)
			words[i] = k;
	}
	return words[0] == (uintptr_t)words + writes;
}

static inline __attribute__((always_inline)) size_t
nslab_written_loop(struct nslab_written_worker *self, size_t n, const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->type;
	const size_t nr_words = type.size_bytes / sizeof(uint64_t);
	struct nslab_cpu *cpu = self->base.cpu;
	const uint64_t writes = self->writes;
	uint64_t nr_spoilt = 0;
	size_t done = 0;

	for (; done < n; done++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);

		if (!obj) {
			self->is_failed = true;
			break;
		}
		nr_spoilt += !nslab_written_work(obj, nr_words, writes);
		nslab_object_free(cpu, &type, obj, entry);
	}
	self->nr_spoilt += nr_spoilt;
	return done;
}

#endif
