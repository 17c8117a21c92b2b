/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay_play.c: the loop of the replay workload, compiled for each entry.
 *
 * A pass has three parts: objects born before the trace are allocated, the stream is played, and
 * what is left is freed. The first and the last are rows of tables, shared out by slot; an event of
 * the stream is the business of the worker that has a handle for its CPU.
 *
 * Turns: when workers share the trace, event number n on a slot (counting from the start, passes
 * included) may act when the slot's turn is n, and sets it to n + 1. Each worker counts the events
 * of every slot as it reads past them. The earliest event that is not done yet can always act,
 * since all before it are done: nobody waits for ever. Barriers: the release store of the turn
 * pairs with the acquire load of who waits for it, so the object is there when it is freed.
 */
#include "workloads/replay.h"

#include "core/lock.h"

#define REPLAY_INLINE static inline __attribute__((always_inline))

REPLAY_INLINE bool replay_is_stopping(const struct replay_worker *self)
{
	return atomic_load_explicit(&self->base.workload->run->is_stopping, memory_order_relaxed);
}

/* ---- one event ---- */

REPLAY_INLINE void *replay_alloc(struct replay_worker *self, struct nslab_cpu *cpu,
				 const struct replay_action *a, const enum nslab_entry entry)
{
	const struct nslab_env *env = self->base.workload->run->env;

	if (__builtin_expect(a->op == REPLAY_PAGE_ALLOC, 0))
		return env->alloc_pages(env, cpu, a->order, a->gfp | __GFP_COMP, a->node);
	if (entry == NSLAB_ENTRY_CACHE && !a->is_kmem)
		return nslab_object_alloc_node(cpu, &a->type, a->gfp, a->node, NSLAB_ENTRY_KMALLOC);
	return nslab_object_alloc_node(cpu, &a->type, a->gfp, a->node, entry);
}

REPLAY_INLINE void replay_free(struct replay_worker *self, struct nslab_cpu *cpu,
			       const struct replay_action *a, void *obj,
			       const enum nslab_entry entry)
{
	const struct nslab_env *env = self->base.workload->run->env;

	if (__builtin_expect(a->op == REPLAY_PAGE_FREE, 0))
		env->free_pages(env, cpu, obj, a->order);
	else if (entry == NSLAB_ENTRY_CACHE && !a->is_kmem)
		nslab_object_free(cpu, &a->type, obj, NSLAB_ENTRY_KMALLOC);
	else
		nslab_object_free(cpu, &a->type, obj, entry);
}

REPLAY_INLINE bool replay_is_alloc(const struct replay_action *a)
{
	return a->op == REPLAY_ALLOC || a->op == REPLAY_PAGE_ALLOC;
}

REPLAY_INLINE void replay_act(struct replay_worker *self, struct replay_slot *slot,
			      const struct replay_action *a, struct nslab_cpu *cpu,
			      uint16_t recorded_cpu, const enum nslab_entry entry)
{
	if (replay_is_alloc(a)) {
		slot->obj = replay_alloc(self, cpu, a, entry);
		slot->cpu = recorded_cpu;
		slot->node = (uint16_t)cpu->node;
		self->nr_refused += !slot->obj;
	} else if (slot->obj) {
		self->nr_remote_frees += slot->cpu != recorded_cpu;
		self->nr_cross_node_frees += slot->node != cpu->node;
		replay_free(self, cpu, a, slot->obj, entry);
		slot->obj = NULL;
	}
}

/* ---- whose turn ---- */

/* False when the run is stopping. */
static bool replay_wait_turn(struct replay_worker *self, struct replay_slot *slot, unsigned turn)
{
	for (unsigned spins = 1;; spins++) {
		if (atomic_load_explicit(&slot->turn, memory_order_acquire) == turn)
			return true;
		if (replay_is_stopping(self))
			return false;
		if (spins % 256)
			nslab_cpu_relax();
		else
			sched_yield();
	}
}

/*
 * Acts on an event that is this worker's, when `is_mine`; counts it as seen in any case. False when
 * the run is stopping; the event is then still to come.
 */
REPLAY_INLINE bool replay_event(struct replay_worker *self, uint32_t slot_index,
				const struct replay_action *a, struct nslab_cpu *cpu,
				uint16_t recorded_cpu, const enum nslab_entry entry)
{
	struct replay_slot *slot = &self->replay->slots[slot_index];
	unsigned turn;

	if (!self->turns) {
		replay_act(self, slot, a, cpu, recorded_cpu, entry);
		return true;
	}
	turn = self->turns[slot_index];
	if (cpu) {
		if (!replay_wait_turn(self, slot, turn))
			return false;
		replay_act(self, slot, a, cpu, recorded_cpu, entry);
		/* pairs with the acquire in replay_wait_turn() of the next event's worker */
		atomic_store_explicit(&slot->turn, turn + 1, memory_order_release);
	}
	self->turns[slot_index] = turn + 1;
	return true;
}

/* ---- paced ---- */

static uint64_t replay_epoch(struct replay_worker *self)
{
	struct replay *r = self->replay;
	uint64_t none = 0, now = r->base.run->now_ns(r->base.run);

	atomic_compare_exchange_strong(&r->epoch_ns, &none, now);
	return atomic_load(&r->epoch_ns);
}

static uint64_t replay_intended_ns(struct replay_worker *self)
{
	return replay_epoch(self) + self->nr_passes * self->replay->tables->duration_ns +
	       self->trace_ns;
}

/* False when the run is stopping. */
static bool replay_wait_time(struct replay_worker *self)
{
	const struct nslab_run *run = self->base.workload->run;
	uint64_t intended_ns = replay_intended_ns(self);

	while (run->now_ns(run) < intended_ns) {
		if (replay_is_stopping(self))
			return false;
		nslab_cpu_relax();
	}
	return true;
}

static void replay_note_latency(struct replay_worker *self)
{
	const struct nslab_run *run = self->base.workload->run;

	nslab_hist_add(self->latency, run->now_ns(run) - replay_intended_ns(self));
}

/* ---- the three parts of a pass ---- */

/* The fill has put the born object of the row in hand into its slot, or knows that it was not. */
REPLAY_INLINE bool replay_is_there(const struct replay_worker *self, bool is_alloc)
{
	return is_alloc && !self->nr_passes && self->is_born && self->is_born[self->row];
}

/* Rows of a table: is_alloc of born objects, frees of left ones. */
REPLAY_INLINE size_t replay_rows(struct replay_worker *self, const struct nslab_trace_born *rows,
				 uint32_t nr_rows, bool is_alloc, size_t n,
				 const enum nslab_entry entry)
{
	const struct replay *r = self->replay;
	uint32_t nr_workers = (uint32_t)r->base.run->nr_workers;
	size_t done = 0;

	for (; self->row < nr_rows && done < n; self->row++) {
		const struct nslab_trace_born *row = &rows[self->row];
		const struct replay_action *a = &r->of_cache[2 * row->cache + !is_alloc];
		bool is_mine = row->slot % nr_workers == (uint32_t)self->base.index;

		if (a->op == REPLAY_SKIP || replay_is_there(self, is_alloc))
			continue;
		if (!replay_event(self, row->slot, a, is_mine ? self->base.cpu : NULL,
				  (uint16_t)self->base.index, entry))
			break;
		done += is_mine;
	}
	return done;
}

REPLAY_INLINE size_t replay_block(struct replay_worker *self, size_t n,
				  const enum nslab_entry entry)
{
	const struct replay_action *actions = self->replay->actions;
	const struct nslab_trace_event *events = self->events;
	const int nr_events = self->nr_events;
	uint64_t trace_ns = self->trace_ns;
	size_t done = 0;
	int pos = self->pos;

	for (; pos < nr_events && done < n; pos++) {
		const struct nslab_trace_event *e = &events[pos];
		const struct replay_action *a = &actions[e->shape];
		struct nslab_cpu *cpu = self->cpus[e->cpu];

		if (!a->is_event) {
			trace_ns += nslab_trace_step_ns(e, self->replay->tables->shapes);
		} else if (a->op == REPLAY_SKIP) {
			trace_ns += e->delta_ns;
			self->nr_skipped += !!cpu;
		} else {
			self->trace_ns = trace_ns + e->delta_ns;
			if (self->latency && cpu && !replay_wait_time(self))
				break;
			if (!replay_event(self, e->slot, a, cpu, e->cpu, entry))
				break;
			if (self->latency && cpu)
				replay_note_latency(self);
			trace_ns = self->trace_ns;
			done += !!cpu;
		}
	}
	self->trace_ns = trace_ns;
	self->pos = pos;
	return done;
}

/* To the next block, or the next part of the pass; false when the trace cannot be read. */
static bool replay_advance(struct replay_worker *self)
{
	const struct replay *r = self->replay;
	struct nslab_err err = {""};

	self->row = 0;
	if (self->phase == REPLAY_BORN) {
		self->phase = REPLAY_STREAM;
		return true;
	}
	if (self->phase == REPLAY_LEFT) {
		self->phase = REPLAY_BORN;
		self->trace_ns = 0;
		self->nr_passes++;
		nslab_trace_cursor_rewind(self->cursor);
		return true;
	}
	self->pos = 0;
	if (r->part) { /* one block is all there is */
		self->nr_events = self->events ? 0 : r->nr_part;
		self->events = self->events ? NULL : r->part;
	} else {
		self->nr_events = nslab_trace_cursor_next(self->cursor, &self->events, &err);
	}
	if (self->nr_events == 0)
		self->phase = REPLAY_LEFT;
	self->is_broken = self->nr_events < 0;
	return !self->is_broken;
}

static bool replay_is_used_up(const struct replay_worker *self)
{
	const struct replay *r = self->replay;

	if (self->phase == REPLAY_BORN)
		return self->row == r->nr_born;
	if (self->phase == REPLAY_LEFT)
		return self->row == r->nr_leftovers;
	return self->pos >= self->nr_events;
}

/* A part of the pass, or of the block; may do less than n. */
REPLAY_INLINE size_t replay_part(struct replay_worker *self, size_t n, const enum nslab_entry entry)
{
	const struct replay *r = self->replay;

	if (self->phase == REPLAY_BORN)
		return replay_rows(self, r->born, r->nr_born, true, n, entry);
	if (self->phase == REPLAY_LEFT)
		return replay_rows(self, r->leftovers, r->nr_leftovers, false, n, entry);
	return replay_block(self, n, entry);
}

REPLAY_INLINE size_t replay_loop(struct nslab_worker *worker, size_t n,
				 const enum nslab_entry entry)
{
	struct replay_worker *self = nslab_container_of(worker, struct replay_worker, base);
	enum replay_phase phase = self->phase;
	uint64_t nr_passes = self->nr_passes;
	size_t done = 0;

	while (done < n && !replay_is_stopping(self)) {
		done += replay_part(self, n - done, entry);
		if (replay_is_used_up(self) && !replay_advance(self))
			break;
		if (self->is_counting && self->phase != phase)
			break;
		/* a whole pass without an event for this worker: there will never be one */
		if (!done && self->nr_passes > nr_passes + 1)
			break;
	}
	self->nr_done += done;
	return done;
}

size_t replay_none(struct nslab_worker *worker, size_t n)
{
	return replay_loop(worker, n, NSLAB_ENTRY_NONE);
}

size_t replay_cache(struct nslab_worker *worker, size_t n)
{
	return replay_loop(worker, n, NSLAB_ENTRY_CACHE);
}

size_t replay_kmalloc(struct nslab_worker *worker, size_t n)
{
	return replay_loop(worker, n, NSLAB_ENTRY_KMALLOC);
}

size_t replay_malloc(struct nslab_worker *worker, size_t n)
{
	return replay_loop(worker, n, NSLAB_ENTRY_MALLOC);
}

nslab_batch_fn replay_batch_of(enum nslab_entry entry)
{
	switch (entry) {
	case NSLAB_ENTRY_CACHE:
		return replay_cache;
	case NSLAB_ENTRY_KMALLOC:
		return replay_kmalloc;
	case NSLAB_ENTRY_MALLOC:
		return replay_malloc;
	default:
		return replay_none;
	}
}

void replay_drain(struct replay_worker *self)
{
	struct replay *r = self->replay;
	enum nslab_entry entry = r->base.run->entry;

	for (uint32_t i = 0; i < r->tables->nr_slots; i++) {
		const struct replay_action *a = &r->of_cache[2 * r->slot_cache[i] + 1];

		if (r->slots[i].obj)
			replay_free(self, self->base.cpu, a, r->slots[i].obj, entry);
		r->slots[i].obj = NULL;
	}
}
