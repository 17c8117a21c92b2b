/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * skb.c: packets of a head object and a data buffer, made by the worker that receives and freed by
 * the worker of the application.
 *
 * It imitates the receive path: the CPU that takes the interrupt allocates a packet head from its
 * cache and a data buffer of kmalloc, the CPU on which the application runs frees both: the data at
 * once, the heads gathered and in bulk, as a network poll does. Two sizes go the same way at
 * different speeds through the per-CPU layers, and the bulk call decides how well a design groups
 * objects that belong to slabs of another node.
 *
 * How it works: lanes (lanes.h) carry heads; a head's second word points to its data. `flows=pairs`
 * gives worker 2k to worker 2k + 1; with `flows=groups` the first half of the workers receives for
 * all of the second half in turn. An application waits until `bulk` packets are there, frees their
 * data one by one and their heads in one call. The data buffer is a kmalloc where the head is of a
 * cache. Only receivers are counted; an operation is an object, so a packet is two, and a batch may
 * do one more than asked.
 *
 * Invariants: those of lanes.h; a head's third word is its own address mixed with that of its data:
 * one that was changed on the way is counted, and verify() fails. Left out: the entry without an
 * allocator, where all heads would be one; what is in the packet.
 */
#include "workloads/carry.h"
#include "workloads/structure.h"

#include <numaslab/plugin.h>
#include <stdio.h>

#define SKB_BULK_MAX 64

enum skb_flows {
	SKB_PAIRS,
	SKB_GROUPS
};

struct skb_params {
	int64_t head_size;
	int64_t data_size;
	int64_t bulk;
	int64_t ring_objects;
	int64_t flows;
};

struct skb_head {
	uint64_t stamp; /* the store that every object gets */
	void *data;
	uintptr_t check;
};

struct skb {
	struct nslab_lanes lanes;
	struct nslab_object_type data;
	size_t bulk;
	atomic_uint_fast64_t nr_broken; /* heads that do not fit their data */
};

struct skb_worker {
	struct nslab_carrier carrier;
	struct nslab_object_type data;
	size_t bulk;
	uint64_t nr_broken;
};

static const char *const skb_flows[] = {"pairs", "groups", NULL};

static const struct nslab_param skb_rows[] = {
	{
		.name = "head_size",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct skb_params, head_size),
		.def = "224",
		.min = sizeof(struct skb_head),
		.max = 4096,
		.help = "bytes of a packet's head",
	},
	{
		.name = "data_size",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct skb_params, data_size),
		.def = "1024",
		.min = 8,
		.max = NSLAB_WORKLOAD_SIZE_MAX,
		.help = "bytes of a packet's data buffer",
	},
	{
		.name = "bulk",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct skb_params, bulk),
		.def = "64",
		.min = 1,
		.max = SKB_BULK_MAX,
		.help = "heads that are freed in one call; not more than ring_objects",
	},
	NSLAB_RING_ROW(skb_params),
	{
		.name = "flows",
		.type = NSLAB_PARAM_CHOICE,
		.offset = offsetof(struct skb_params, flows),
		.def = "pairs",
		.choices = skb_flows,
		.help = "one receiver for each application, or every receiver for all of them",
	},
	NSLAB_PARAM_END,
};

static struct skb *skb_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct skb, lanes.base);
}

static struct skb_worker *skb_worker_of(struct nslab_worker *worker)
{
	return nslab_container_of(worker, struct skb_worker, carrier.base);
}

static void skb_teardown(struct nslab_workload *w)
{
	nslab_lanes_exit(&skb_of(w)->lanes);
	nslab_object_exit(&skb_of(w)->data);
	free(skb_of(w));
}

static int skb_lanes(struct skb *state, const struct skb_params *p, int half)
{
	const size_t nr_slots = (size_t)p->ring_objects;
	int rc = 0;

	for (int from = 0; from < half; from++) {
		if (p->flows == SKB_PAIRS)
			rc = nslab_lanes_add(&state->lanes, 2 * from, 2 * from + 1, nr_slots);
		for (int to = half; p->flows == SKB_GROUPS && !rc && to < 2 * half; to++)
			rc = nslab_lanes_add(&state->lanes, from, to, nr_slots);
		if (rc)
			return rc;
	}
	return 0;
}

static int skb_check(const void *params, char *why, size_t why_bytes)
{
	const struct skb_params *p = params;

	if (p->bulk <= p->ring_objects)
		return 0;
	snprintf(why, why_bytes, "bulk=%lld is more than ring_objects=%lld", (long long)p->bulk,
		 (long long)p->ring_objects);
	return -EINVAL;
}

static int skb_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct skb_params *p = params;
	const int half = run->nr_workers / 2;
	struct skb *state;
	int rc;

	if (half < 1 || run->nr_workers % 2 || p->bulk > p->ring_objects)
		return -EINVAL;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->bulk = (size_t)p->bulk;
	/* always kmalloc where there is a table: kmalloc needs no cache of the workload's */
	state->data.size_bytes = (size_t)p->data_size;
	rc = nslab_lanes_init(&state->lanes, run, p->flows == SKB_PAIRS ? half : half * half);
	state->lanes.objects_per_slot = 2;
	if (!rc)
		rc = skb_lanes(state, p, half);
	if (!rc)
		rc = nslab_object_create(run, "skbuff_head", (size_t)p->head_size, 0,
					 SLAB_HWCACHE_ALIGN, &state->lanes.type);
	if (rc) {
		skb_teardown(&state->lanes.base);
		return rc;
	}
	*w = &state->lanes.base;
	return 0;
}

static int skb_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			   struct nslab_worker **worker)
{
	struct skb *state = skb_of(w);
	struct skb_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	rc = nslab_carrier_open(&self->carrier, &state->lanes, cpu, index);
	if (rc) {
		nslab_carrier_free(&self->carrier);
		free(self);
		return rc;
	}
	self->data = state->data;
	self->bulk = state->bulk;
	self->carrier.base.is_counted = self->carrier.nr_out > 0;
	*worker = &self->carrier.base;
	return 0;
}

/* ---- packets ---- */

static inline __attribute__((always_inline)) enum nslab_entry
skb_data_entry(const enum nslab_entry entry)
{
	return entry == NSLAB_ENTRY_CACHE ? NSLAB_ENTRY_KMALLOC : entry;
}

static inline __attribute__((always_inline)) size_t skb_put(struct nslab_carrier *carrier,
							    struct nslab_ring_end *to, size_t nr,
							    const enum nslab_entry entry)
{
	struct skb_worker *self = nslab_container_of(carrier, struct skb_worker, carrier);
	const struct nslab_object_type type = carrier->type, data_type = self->data;
	struct nslab_cpu *cpu = carrier->base.cpu;
	struct nslab_ring_end end = *to;
	size_t done = 0;

	for (; done < nr; done++) {
		struct skb_head *head = nslab_object_alloc(cpu, &type, entry);
		void *data;

		if (!head)
			break;
		data = nslab_object_alloc(cpu, &data_type, skb_data_entry(entry));
		if (!data) {
			nslab_object_free(cpu, &type, head, entry);
			break;
		}
		head->data = data;
		head->check = (uintptr_t)head ^ (uintptr_t)data;
		carrier->sent_sum += (uintptr_t)head;
		nslab_ring_put(&end, head);
	}
	*to = end;
	return done;
}

static inline __attribute__((always_inline)) void skb_take(struct nslab_carrier *carrier,
							   struct nslab_ring_end *from, size_t nr,
							   const enum nslab_entry entry)
{
	struct skb_worker *self = nslab_container_of(carrier, struct skb_worker, carrier);
	const struct nslab_object_type type = carrier->type, data_type = self->data;
	const uintptr_t base = carrier->arena_base;
	const unsigned shift = carrier->node_shift;
	struct nslab_cpu *cpu = carrier->base.cpu;
	const int node = cpu->node;
	struct nslab_ring_end end = *from;
	uint64_t nr_far = 0;
	void *heads[SKB_BULK_MAX];

	for (size_t i = 0; i < nr; i++) {
		struct skb_head *head = nslab_ring_take(&end);
		void *data = head->data;

		self->nr_broken += head->check != ((uintptr_t)head ^ (uintptr_t)data);
		carrier->received_sum += (uintptr_t)head;
		nr_far += nslab_carry_is_far(base, shift, node, head);
		nr_far += nslab_carry_is_far(base, shift, node, data);
		nslab_object_free(cpu, &data_type, data, skb_data_entry(entry));
		heads[i] = head;
	}
	nslab_object_free_bulk(cpu, &type, nr, heads, entry);
	carrier->nr_far += nr_far;
	*from = end;
}

static inline __attribute__((always_inline)) size_t skb_loop(struct nslab_worker *worker, size_t n,
							     const enum nslab_entry entry)
{
	struct skb_worker *self = skb_worker_of(worker);
	const size_t nr_packets = (n + 1) / 2;

	if (self->carrier.nr_out)
		return 2 * nslab_carry_send(&self->carrier, nr_packets, skb_put, entry);
	return 2 * nslab_carry_receive(&self->carrier, nr_packets, self->bulk, self->bulk, skb_take,
				       entry);
}

NSLAB_STRUCTURE_BATCH(skb)

/* Off the clock. */
static void skb_drop(struct nslab_carrier *carrier, void *slot)
{
	struct skb_worker *self = nslab_container_of(carrier, struct skb_worker, carrier);
	const enum nslab_entry entry = carrier->base.workload->run->entry;
	struct skb_head *head = slot;

	nslab_object_free(carrier->base.cpu, &self->data, head->data, skb_data_entry(entry));
	nslab_object_free(carrier->base.cpu, &carrier->type, head, entry);
}

static void skb_worker_exit(struct nslab_worker *worker)
{
	struct skb_worker *self = skb_worker_of(worker);

	atomic_fetch_add(&skb_of(worker->workload)->nr_broken, self->nr_broken);
	nslab_carrier_exit(&self->carrier, skb_drop);
	free(self);
}

static int skb_verify(struct nslab_workload *w)
{
	if (atomic_load(&skb_of(w)->nr_broken))
		return -EILSEQ;
	return nslab_lanes_verdict(&skb_of(w)->lanes);
}

static void skb_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	nslab_lanes_figures(&skb_of(w)->lanes, figures);
}

static const struct nslab_workload_ops skb_ops = {
	.name = "skb",
	.summary = "packets of head and data: allocated by a receiver, freed by an application; an "
		   "operation is an object",
	.models = "the network receive path with its bulk free of packet heads",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 2,
	.worker_group = 2,
	.params = skb_rows,
	.params_size = sizeof(struct skb_params),
	.setup = skb_setup,
	.worker_init = skb_worker_init,
	.batch = NSLAB_STRUCTURE_ENTRIES(skb),
	.worker_exit = skb_worker_exit,
	.verify = skb_verify,
	.teardown = skb_teardown,
	.figures = skb_figures,
	.check = skb_check,
};
NSLAB_WORKLOAD_PLUGIN(skb_ops);
