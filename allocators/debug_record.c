// SPDX-License-Identifier: GPL-2.0-only
/*
 * debug_record.c: what the debug layer knows of every object, and what it says of a fault.
 *
 * A record's state changes under its shard's lock; the rest of it belongs to whoever owns the
 * object, or to the CPU that quarantines it. Faults are told after the lock is dropped, from a copy
 * of the record, in one line each: what it is, which object, where and when it was allocated, and
 * freed. Memory for records comes in blocks and goes back when the heap is closed: a record for
 * each address that was ever given out.
 *
 * Left out: faults that only another tool can see, such as a read of freed memory without ASan or
 * Valgrind; those tools are told where objects begin and end (debug_tools.h).
 *
 * Locks: a shard's lock (rank CACHE), one at a time; nothing of the backend is called under it.
 */
#include "allocators/debug.h"

#include "allocators/debug_tools.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RECORDS_IN_BLOCK 256

struct record_block {
	void *next;
	struct debug_record records[RECORDS_IN_BLOCK];
};

/* ---- the table ---- */

int debug_records_open(struct debug_heap *d)
{
	const struct nslab_env *env = d->base.env;

	d->shards = env->alloc_meta(env, DEBUG_SHARDS * sizeof(*d->shards), NUMA_NO_NODE);
	if (!d->shards)
		return -ENOMEM;
	for (int i = 0; i < DEBUG_SHARDS; i++)
		nslab_lock_init(&d->shards[i].lock, NSLAB_RANK_CACHE);
	return 0;
}

void debug_records_close(struct debug_heap *d)
{
	const struct nslab_env *env = d->base.env;

	for (int i = 0; d->shards && i < DEBUG_SHARDS; i++) {
		struct record_block *block = d->shards[i].blocks;

		while (block) {
			struct record_block *next = block->next;

			env->free_meta(env, block, sizeof(*block));
			block = next;
		}
	}
	env->free_meta(env, d->shards, DEBUG_SHARDS * sizeof(*d->shards));
}

static uint64_t record_hash(const void *obj)
{
	return ((uint64_t)(uintptr_t)obj >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

static struct debug_shard *record_shard(struct debug_heap *d, const void *obj)
{
	return &d->shards[record_hash(obj) % DEBUG_SHARDS];
}

static struct debug_record **record_bucket(struct debug_shard *shard, const void *obj)
{
	return &shard->bucket[record_hash(obj) / DEBUG_SHARDS % DEBUG_BUCKETS];
}

/* Under the shard's lock. */
static struct debug_record *record_find(struct debug_shard *shard, const void *obj)
{
	struct debug_record *r = *record_bucket(shard, obj);

	while (r && r->obj != obj)
		r = r->next;
	return r;
}

static struct debug_record *record_new(struct debug_heap *d, struct debug_shard *shard,
				       const void *obj)
{
	const struct nslab_env *env = d->base.env;
	struct debug_record **bucket = record_bucket(shard, obj);
	struct debug_record *r;

	if (!shard->unused) {
		struct record_block *block =
			env->alloc_meta(env, sizeof(struct record_block), NUMA_NO_NODE);

		if (!block)
			return NULL;
		block->next = shard->blocks;
		shard->blocks = block;
		for (int i = 0; i < RECORDS_IN_BLOCK; i++) {
			block->records[i].next = shard->unused;
			shard->unused = &block->records[i];
		}
	}
	r = shard->unused;
	shard->unused = r->next;
	r->next = *bucket;
	*bucket = r;
	return r;
}

/* ---- telling ---- */

struct record_text {
	char object[192]; /* "64 bytes at 0x.. (cache 'x')" */
	char alloc[192];
	char free[192];
};

static void tell_here(struct debug_heap *d, const struct debug_event *event, char *text,
		      size_t text_bytes)
{
	char site[128];

	if (d->options.symbol)
		d->options.symbol(event->site, site, sizeof(site));
	else
		snprintf(site, sizeof(site), "%p", event->site);
	snprintf(text, text_bytes, "on CPU %d by %s", event->cpu, site);
}

static void tell_event(struct debug_heap *d, const struct debug_event *event, char *text,
		       size_t text_bytes)
{
	uint64_t now = atomic_load_explicit(&d->time, memory_order_relaxed);
	char here[160];

	tell_here(d, event, here, sizeof(here));
	snprintf(text, text_bytes, "%" PRIu64 " operations ago %s", now - event->time, here);
}

static void tell_record(struct debug_heap *d, const struct debug_record *r,
			struct record_text *text)
{
	snprintf(text->object, sizeof(text->object), "%zu bytes at %p (%s)", r->bytes,
		 (const void *)r->obj, r->name);
	tell_event(d, &r->alloc, text->alloc, sizeof(text->alloc));
	tell_event(d, &r->free, text->free, sizeof(text->free));
}

/* Red zones and poison may be closed to everybody else. */
#if defined(__clang__) || defined(__GNUC__)
__attribute__((no_sanitize("address")))
#endif
static size_t
count_wrong(const unsigned char *bytes, size_t nr, unsigned char want, size_t *first)
{
	size_t nr_wrong = 0;

	for (size_t i = 0; i < nr; i++) {
		if (((const volatile unsigned char *)bytes)[i] == want)
			continue;
		if (!nr_wrong++)
			*first = i;
	}
	return nr_wrong;
}

/* True when the red zone is not as it was left. */
static bool check_zone(struct debug_heap *d, struct debug_record *r, bool is_closed)
{
	struct record_text text;
	size_t first = 0, nr_wrong;

	if (is_closed && !d->options.has_no_tools)
		debug_tool_open(r->obj + r->bytes, r->zone);
	nr_wrong = count_wrong(r->obj + r->bytes, r->zone, DEBUG_BYTE_ZONE, &first);
	if (nr_wrong) {
		/* told once */
		memset(r->obj + r->bytes, DEBUG_BYTE_ZONE, r->zone);
		tell_record(d, r, &text);
		d->base.env->report(d->base.env,
				    "debug: overrun: %zu bytes behind %s were changed, the first "
				    "at offset %zu; allocated %s",
				    nr_wrong, text.object, r->bytes + first, text.alloc);
	}
	if (is_closed && !d->options.has_no_tools)
		debug_tool_close(r->obj + r->bytes, r->zone);
	return nr_wrong != 0;
}

static bool check_poison(struct debug_heap *d, const struct debug_record *r)
{
	struct record_text text;
	size_t first = r->bytes - 1, last = 0, nr_wrong = 0;

	if (!r->has_poison)
		return false;
	nr_wrong = count_wrong(r->obj + r->bytes - 1, 1, DEBUG_BYTE_LAST, &last);
	nr_wrong += count_wrong(r->obj, r->bytes - 1, DEBUG_BYTE_FREE, &first);
	if (!nr_wrong)
		return false;
	tell_record(d, r, &text);
	d->base.env->report(d->base.env,
			    "debug: use after free: %zu bytes of %s were changed, the first at "
			    "offset %zu; freed %s; allocated %s",
			    nr_wrong, text.object, first, text.free, text.alloc);
	return true;
}

/* Under no lock: a live object that ptr points into, if any. */
static bool find_around(struct debug_heap *d, const void *ptr, struct debug_record *copy)
{
	const unsigned char *at = ptr;
	bool is_found = false;

	for (int i = 0; i < DEBUG_SHARDS && !is_found; i++) {
		struct debug_shard *shard = &d->shards[i];

		nslab_lock_acquire(&shard->lock);
		for (int b = 0; b < DEBUG_BUCKETS && !is_found; b++) {
			struct debug_record *r = shard->bucket[b];

			while (r && (r->state != DEBUG_LIVE || at < r->obj ||
				     at >= r->obj + r->bytes + r->zone))
				r = r->next;
			is_found = r != NULL;
			if (r)
				*copy = *r;
		}
		nslab_lock_release(&shard->lock);
	}
	return is_found;
}

static void tell_foreign(struct debug_heap *d, const void *obj, const struct debug_event *event,
			 const char *what)
{
	const struct nslab_env *env = d->base.env;
	struct debug_record around;
	struct record_text text;
	char here[192];

	tell_here(d, event, here, sizeof(here));
	if (find_around(d, obj, &around)) {
		tell_record(d, &around, &text);
		env->report(env,
			    "debug: foreign pointer: %s of %p, which is %zu bytes inside of %s; %s",
			    what, obj, (size_t)((const unsigned char *)obj - around.obj),
			    text.object, here);
		return;
	}
	env->report(env, "debug: foreign pointer: %s of %p, which was never allocated here; %s",
		    what, obj, here);
}

static void tell_freed(struct debug_heap *d, const struct debug_record *r,
		       const struct debug_event *event, const char *fault, const char *what)
{
	struct record_text text;
	char here[192];

	tell_record(d, r, &text);
	tell_here(d, event, here, sizeof(here));
	d->base.env->report(d->base.env, "debug: %s: %s of %s %s; freed before %s; allocated %s",
			    fault, what, text.object, here, text.free, text.alloc);
}

void debug_ask_tools(struct debug_heap *d, const struct debug_event *event)
{
	uint64_t nr = debug_tool_errors();
	uint64_t seen = atomic_load_explicit(&d->nr_tool_errors, memory_order_relaxed);
	char here[192];

	if (nr <= seen || !atomic_compare_exchange_strong(&d->nr_tool_errors, &seen, nr))
		return;
	tell_here(d, event, here, sizeof(here));
	d->base.env->report(d->base.env,
			    "debug: valgrind: %" PRIu64 " new uses of uninitialised or freed "
			    "memory (its own output says where), seen at a free %s",
			    nr - seen, here);
}

/* ---- life of a record ---- */

static void record_fill(struct debug_heap *d, struct debug_record *r, bool is_filled)
{
	if (is_filled)
		memset(r->obj, DEBUG_BYTE_NEW, r->bytes);
	memset(r->obj + r->bytes, DEBUG_BYTE_ZONE, r->zone);
	if (d->options.has_no_tools)
		return;
	debug_tool_alloc(r->obj, r->bytes, !is_filled);
	if (r->zone)
		debug_tool_close(r->obj + r->bytes, r->zone);
}

int debug_track(struct debug_heap *d, const struct debug_record *new, bool is_filled)
{
	struct debug_shard *shard = record_shard(d, new->obj);
	struct debug_record *r, *next;
	struct record_text text;
	bool is_taken;

	nslab_lock_acquire(&shard->lock);
	r = record_find(shard, new->obj);
	is_taken = r && r->state != DEBUG_RELEASED;
	if (!r)
		r = record_new(d, shard, new->obj);
	if (r && !is_taken) {
		next = r->next;
		*r = *new;
		r->next = next;
	}
	nslab_lock_release(&shard->lock);
	if (!r)
		return -ENOMEM;
	if (is_taken) {
		tell_record(d, r, &text);
		d->base.env->report(
			d->base.env,
			"debug: '%s' gave out %s again while it is in use; allocated %s",
			d->options.inner->name, text.object, text.alloc);
		return 0;
	}
	record_fill(d, r, is_filled);
	return 0;
}

struct debug_record *debug_untrack(struct debug_heap *d, const struct debug_cache *s, void *obj,
				   const struct debug_event *event, const char *what)
{
	struct debug_shard *shard = record_shard(d, obj);
	struct debug_record copy, *r;
	bool is_live, is_other;

	nslab_lock_acquire(&shard->lock);
	r = record_find(shard, obj);
	is_live = r && r->state == DEBUG_LIVE;
	is_other = is_live && s && r->s != s;
	if (is_live && !is_other) {
		r->state = DEBUG_QUARANTINED;
		r->free = *event;
	}
	if (r)
		copy = *r;
	nslab_lock_release(&shard->lock);
	if (!r)
		tell_foreign(d, obj, event, what);
	else if (!is_live)
		tell_freed(d, &copy, event, "double free", what);
	else if (is_other)
		d->base.env->report(d->base.env,
				    "debug: wrong cache: %s of %p as an object of '%s', it is of "
				    "'%s'",
				    what, obj, s->base.name, copy.name);
	return is_live && !is_other ? r : NULL;
}

bool debug_look(struct debug_heap *d, const void *obj, const struct debug_event *event,
		const char *what, size_t *bytes)
{
	struct debug_shard *shard = record_shard(d, obj);
	struct debug_record copy, *r;

	nslab_lock_acquire(&shard->lock);
	r = record_find(shard, obj);
	if (r)
		copy = *r;
	nslab_lock_release(&shard->lock);
	if (!r) {
		tell_foreign(d, obj, event, what);
		return false;
	}
	if (copy.state != DEBUG_LIVE) {
		tell_freed(d, &copy, event, "use after free", what);
		return false;
	}
	check_zone(d, r, true);
	*bytes = copy.bytes;
	return true;
}

void debug_poison(struct debug_heap *d, struct debug_record *r)
{
	bool has_tools = !d->options.has_no_tools;

	if (has_tools) {
		debug_tool_free(r->obj);
		debug_tool_open(r->obj, r->bytes + r->zone);
	}
	check_zone(d, r, false);
	if (r->has_poison) {
		memset(r->obj, DEBUG_BYTE_FREE, r->bytes - 1);
		r->obj[r->bytes - 1] = DEBUG_BYTE_LAST;
	}
	if (has_tools)
		debug_tool_close(r->obj, r->bytes + r->zone);
}

void debug_release(struct debug_heap *d, struct debug_record *r)
{
	struct debug_shard *shard = record_shard(d, r->obj);

	if (!d->options.has_no_tools)
		debug_tool_open(r->obj, r->bytes + r->zone);
	check_poison(d, r);
	check_zone(d, r, false);
	nslab_lock_acquire(&shard->lock);
	r->state = DEBUG_RELEASED;
	r->s = NULL;
	nslab_lock_release(&shard->lock);
}

/* ---- all records ---- */

int debug_validate(struct debug_heap *d, const struct debug_cache *s)
{
	int nr_bad = 0;

	for (int i = 0; i < DEBUG_SHARDS * DEBUG_BUCKETS; i++) {
		struct debug_record *r = d->shards[i / DEBUG_BUCKETS].bucket[i % DEBUG_BUCKETS];

		for (; r; r = r->next) {
			if (r->state != DEBUG_RELEASED && r->s == s)
				nr_bad += check_zone(d, r, true);
		}
	}
	return nr_bad;
}

static void leak(struct debug_heap *d, struct debug_record *r, uint64_t number)
{
	struct record_text text;

	check_zone(d, r, true);
	if (!d->options.has_no_tools)
		debug_tool_open(r->obj, r->bytes + r->zone);
	r->is_told = true;
	if (number >= DEBUG_LEAKS_MAX)
		return;
	tell_record(d, r, &text);
	d->base.env->report(d->base.env, "debug: leak: %s, allocated %s", text.object, text.alloc);
}

uint64_t debug_leaks(struct debug_heap *d)
{
	uint64_t nr = 0, nr_bytes = 0;

	for (int i = 0; i < DEBUG_SHARDS * DEBUG_BUCKETS; i++) {
		struct debug_record *r = d->shards[i / DEBUG_BUCKETS].bucket[i % DEBUG_BUCKETS];

		for (; r; r = r->next) {
			if (r->state != DEBUG_LIVE || r->is_told)
				continue;
			leak(d, r, nr++);
			nr_bytes += nr > DEBUG_LEAKS_MAX ? r->bytes : 0;
		}
	}
	if (nr > DEBUG_LEAKS_MAX)
		d->base.env->report(d->base.env,
				    "debug: leak: and %" PRIu64 " more objects of %" PRIu64
				    " bytes together",
				    nr - DEBUG_LEAKS_MAX, nr_bytes);
	return nr;
}
