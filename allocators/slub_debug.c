// SPDX-License-Identifier: GPL-2.0-only
/*
 * slub_debug.c: the bytes around and in the objects of debug caches, and what is said of a fault.
 *
 * A red zone lies on both sides of an object (SLAB_RED_ZONE): 0xbb while it is free, 0xcc while it
 * is used; from 6.12 on the end of a kmalloc object that was not asked for is zone as well. With
 * SLAB_POISON a free object is 0x6b and ends in 0xa5, all else is 0x5a. With SLAB_STORE_USER two
 * records behind it say who allocated and who freed it last. object_layout.h has the places.
 *
 * A fault is one line of the kernel's words: the cache, what is wrong and where, the object, the
 * first byte of it, its records, and after FIX what was done so that the cache stays usable: the
 * bytes are restored, a freelist is cut at the pointer that leads astray (its remainder is lost),
 * a count is set to what was counted. The kernel says the FIX in a line of its own, and KUnit
 * counts it as one more error; here it is the same line and the same fault.
 *
 * Differences that are meant: sites are the callers of the table (of kmalloc itself for what it
 * allocates), ages are counted in allocations and frees of the cache and not in jiffies, there is
 * no process. An object whose bytes were restored is used again, where the kernel gives up its slab
 * or leaks it, so that a heap with faults can still be closed. Left out: stack traces, hex dumps.
 *
 * Everything here is called under the list_lock of the slab's node, or with a slab that nobody else
 * knows; it takes no lock but in slub_debug_tell_remaining (NSLAB_RANK_NODE).
 */
#include "allocators/slub_debug.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define SLUB_REMAINING_MAX 16 /* objects that are told when a cache cannot go */
#define SLUB_MAP_WORDS	   (32768 / 64)

/* ---- reports ---- */

static unsigned char *slub_bytes(uint64_t address)
{
	return (unsigned char *)(uintptr_t)address;
}

static uint64_t slub_slab_start(const struct slub_cache *s, const struct nslab_page *page)
{
	return (uintptr_t)nslab_page_address(s->base.heap->env, page);
}

static struct slub_track *slub_track_of(const struct slub_cache *s, uint64_t object,
					enum slub_track_kind kind)
{
	return (struct slub_track *)(uintptr_t)(object + s->layout.track +
						(unsigned)kind * NSLAB_LAYOUT_TRACK_BYTES);
}

/* "; allocated at 0x1234 age=5 cpu=1 node=0", "; freed ..." */
static void slub_print_tracks(const struct slub_cache *s, uint64_t object, char *text, size_t bytes)
{
	static const char *const words[] = {"allocated", "freed"};
	uint64_t now = slub_load(&s->debug_calls);
	size_t at = 0;

	*text = '\0';
	for (int i = 0; s->layout.track && object && i < 2; i++) {
		const struct slub_track *track = slub_track_of(s, object, (enum slub_track_kind)i);

		if (track->is_set && at < bytes)
			at += (size_t)snprintf(text + at, bytes - at,
					       "; %s at %p age=%" PRIu64 " calls cpu=%d node=%d",
					       words[i], track->site, now - track->when, track->cpu,
					       track->node);
	}
}

void slub_debug_report(const struct slub_cache *s, const struct nslab_page *page, uint64_t object,
		       const char *format, ...)
{
	const struct nslab_env *env = s->base.heap->env;
	char what[320], place[96] = "", tracks[192];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (page && object)
		snprintf(place, sizeof(place), "; object 0x%" PRIx64 " @offset=%" PRIu64, object,
			 object - slub_slab_start(s, page));
	else if (page)
		snprintf(place, sizeof(place), "; slab 0x%" PRIx64, slub_slab_start(s, page));
	slub_print_tracks(s, page ? object : 0, tracks, sizeof(tracks));
	env->report(env, "BUG %s (Not tainted): %s%s%s", s->base.name, what, place, tracks);
}

/* ---- filling ---- */

/* Bytes of the object that its user may touch. */
static size_t slub_used_bytes(const struct slub_cache *s, uint64_t object, bool is_active)
{
	size_t bytes = s->base.object_size;

	if (is_active && nslab_layout_guards_request(s->generation == SLUB_6_1 ? NSLAB_ORDER_6_1
									       : NSLAB_ORDER_6_12,
						     s->base.flags))
		bytes = *(uint32_t *)(uintptr_t)(object + s->layout.request);
	return bytes < s->base.object_size ? bytes : s->base.object_size;
}

void slub_debug_set_request(const struct slub_cache *s, uint64_t object, size_t bytes)
{
	if (s->layout.request)
		*(uint32_t *)(uintptr_t)(object + s->layout.request) = (uint32_t)bytes;
}

/* Are the contents of free objects overwritten? */
static bool slub_has_poison(const struct slub_cache *s)
{
	return (s->debug_flags & SLAB_POISON) && !s->base.ctor &&
	       !(s->base.flags & SLAB_TYPESAFE_BY_RCU);
}

void slub_debug_fill(const struct slub_cache *s, uint64_t object, bool is_active)
{
	int zone = is_active ? SLUB_BYTE_ACTIVE : SLUB_BYTE_INACTIVE;
	size_t used = slub_used_bytes(s, object, is_active);

	if (slub_has_poison(s) && used) {
		memset(slub_bytes(object), SLUB_BYTE_FREE, used - 1);
		slub_bytes(object)[used - 1] = SLUB_BYTE_END;
	}
	if (s->debug_flags & SLAB_RED_ZONE) {
		memset(slub_bytes(object - s->layout.red_left), zone, s->layout.red_left);
		memset(slub_bytes(object + used), zone, s->layout.inuse - used);
	}
}

void slub_debug_fill_slab(const struct slub_cache *s, const struct nslab_page *page)
{
	uint64_t start = slub_slab_start(s, page);
	size_t nr = nslab_order_objects(s->base.size, page->order);

	if (s->debug_flags & SLAB_POISON)
		memset(slub_bytes(start), SLUB_BYTE_PAD, NSLAB_PAGE_SIZE << page->order);
	for (size_t i = 0; i < nr; i++) {
		uint64_t object = start + s->layout.red_left + i * s->base.size;

		slub_debug_fill(s, object, false);
		if (s->layout.track)
			memset(slub_bytes(object + s->layout.track), 0,
			       2 * (size_t)NSLAB_LAYOUT_TRACK_BYTES);
		slub_debug_set_request(s, object, s->base.object_size);
	}
}

void slub_debug_set_track(const struct slub_debug_call *call, uint64_t object,
			  enum slub_track_kind kind)
{
	struct slub_cache *s = call->s;
	uint64_t when = __atomic_fetch_add(&s->debug_calls, 1, __ATOMIC_RELAXED);

	if (s->layout.track)
		*slub_track_of(s, object, kind) = (struct slub_track){
			.site = call->site,
			.when = when,
			.cpu = call->cpu->base.id,
			.node = call->cpu->base.node,
			.is_set = 1,
		};
}

/* ---- bytes ---- */

/* A range that should be full of one byte; what is not is told and restored. Number of faults. */
static int slub_check_bytes(const struct slub_cache *s, const struct nslab_page *page,
			    uint64_t object, const char *what, uint64_t from, size_t bytes,
			    int expected)
{
	unsigned char *first = slub_bytes(from), *end = slub_bytes(from + bytes), found;

	while (first < end && *first == expected)
		first++;
	if (first == end)
		return 0;
	while (end[-1] == expected)
		end--;
	found = *first;
	memset(first, expected, (size_t)(end - first));
	slub_debug_report(s, page, object,
			  "%s overwritten 0x%" PRIxPTR "-0x%" PRIxPTR " @offset=%" PRIu64
			  ". First byte 0x%x instead of 0x%x; FIX: restored with 0x%x",
			  what, (uintptr_t)first, (uintptr_t)end - 1,
			  (uintptr_t)first - slub_slab_start(s, page), found, (unsigned)expected,
			  (unsigned)expected);
	return 1;
}

static int slub_check_zones(const struct slub_cache *s, const struct nslab_page *page,
			    uint64_t object, bool is_active)
{
	int zone = is_active ? SLUB_BYTE_ACTIVE : SLUB_BYTE_INACTIVE;
	size_t used = slub_used_bytes(s, object, is_active), size = s->base.object_size;
	int nr_bad;

	nr_bad = slub_check_bytes(s, page, object, "Left Redzone", object - s->layout.red_left,
				  s->layout.red_left, zone);
	nr_bad += slub_check_bytes(s, page, object, "kmalloc Redzone", object + used, size - used,
				   zone);
	return nr_bad + slub_check_bytes(s, page, object, "Right Redzone", object + size,
					 s->layout.inuse - size, zone);
}

static int slub_check_poison(const struct slub_cache *s, const struct nslab_page *page,
			     uint64_t object, bool is_active)
{
	size_t size = s->base.object_size, end = s->base.size - s->layout.red_left;
	int nr_bad = 0;

	if (!is_active && slub_has_poison(s)) {
		nr_bad = slub_check_bytes(s, page, object, "Poison", object, size - 1,
					  SLUB_BYTE_FREE);
		nr_bad += slub_check_bytes(s, page, object, "End Poison", object + size - 1, 1,
					   SLUB_BYTE_END);
	}
	if (!(s->debug_flags & SLAB_RED_ZONE))
		nr_bad += slub_check_bytes(s, page, object, "Alignment padding", object + size,
					   s->layout.inuse - size, SLUB_BYTE_PAD);
	return nr_bad + slub_check_bytes(s, page, object, "Object padding",
					 object + s->layout.info_end, end - s->layout.info_end,
					 SLUB_BYTE_PAD);
}

int slub_debug_check(const struct slub_cache *s, const struct nslab_page *page, uint64_t object,
		     bool is_active)
{
	int nr_bad = 0;

	if (s->debug_flags & SLAB_RED_ZONE)
		nr_bad += slub_check_zones(s, page, object, is_active);
	if (s->debug_flags & SLAB_POISON)
		nr_bad += slub_check_poison(s, page, object, is_active);
	return nr_bad;
}

/* ---- freelists ---- */

bool slub_debug_is_object(const struct slub_cache *s, const struct nslab_page *page,
			  uint64_t object)
{
	uint64_t at = object - slub_slab_start(s, page) - s->layout.red_left;

	return at % s->base.size == 0 && at / s->base.size < slub_objects(slub_page_counters(page));
}

static void slub_set_free(struct nslab_page *page, uint64_t nr_free)
{
	uint64_t counters = slub_page_counters(page), objects = slub_objects(counters);

	__atomic_store_n(&page->counters, objects << SLUB_OBJECTS_SHIFT | (objects - nr_free),
			 __ATOMIC_RELAXED);
}

/* The pointer behind `last` (0: of the page) leads nowhere. */
static void slub_cut_freelist(struct slub_cache *s, struct nslab_page *page, uint64_t last,
			      uint64_t astray)
{
	if (last) {
		slub_set_next_free(s, last, 0);
		slub_debug_report(s, page, last,
				  "Freechain corrupt, next is 0x%" PRIx64
				  "; FIX: cut there, what followed is lost",
				  astray);
	} else {
		__atomic_store_n(&page->freelist, 0, __ATOMIC_RELAXED);
		slub_debug_report(s, page, 0,
				  "Freepointer corrupt: 0x%" PRIx64 "; FIX: freelist cleared",
				  astray);
	}
}

/* Also marks objects in a map by their number, when there is one. */
static int slub_walk(struct slub_cache *s, struct nslab_page *page, uint64_t wanted, bool *is_found,
		     uint64_t *map)
{
	uint64_t start = slub_slab_start(s, page) + s->layout.red_left;
	uint64_t counters = slub_page_counters(page), objects = slub_objects(counters);
	uint64_t object = slub_page_freelist(page), last = 0, nr = 0;
	int nr_bad = 0;

	*is_found = false;
	for (; object; last = object, object = slub_next_free(s, object)) {
		if (!slub_debug_is_object(s, page, object) || nr == objects) {
			slub_cut_freelist(s, page, last, object);
			nr_bad++;
			break;
		}
		nr++;
		*is_found = *is_found || object == wanted;
		if (map)
			map[(object - start) / s->base.size / 64] |=
				UINT64_C(1) << (object - start) / s->base.size % 64;
	}
	if (slub_inuse(counters) == objects - nr)
		return nr_bad;
	slub_set_free(page, nr);
	slub_debug_report(s, page, 0,
			  "Wrong object count. Counter is %" PRIu64 " but counted were %" PRIu64
			  "; FIX: object count adjusted",
			  slub_inuse(counters), objects - nr);
	return nr_bad + 1;
}

int slub_debug_walk(struct slub_cache *s, struct nslab_page *page, uint64_t object, bool *is_found)
{
	return slub_walk(s, page, object, is_found, NULL);
}

/* ---- slabs ---- */

/* What is left over at a slab's end. */
static int slub_check_slab_padding(const struct slub_cache *s, const struct nslab_page *page)
{
	size_t bytes = NSLAB_PAGE_SIZE << page->order, left = bytes % s->base.size;

	if (!(s->debug_flags & SLAB_POISON))
		return 0;
	return slub_check_bytes(s, page, 0, "Slab padding", slub_slab_start(s, page) + bytes - left,
				left, SLUB_BYTE_PAD);
}

/* is_map_used false: every object is taken to be free. */
static int slub_check_objects(const struct slub_cache *s, const struct nslab_page *page,
			      const uint64_t *map)
{
	uint64_t start = slub_slab_start(s, page) + s->layout.red_left;
	uint64_t objects = slub_objects(slub_page_counters(page));
	int nr_bad = 0;

	for (uint64_t i = 0; i < objects; i++)
		nr_bad += slub_debug_check(s, page, start + i * s->base.size,
					   map && !(map[i / 64] >> i % 64 & 1));
	return nr_bad;
}

int slub_debug_validate(struct slub_cache *s, struct nslab_page *page)
{
	uint64_t map[SLUB_MAP_WORDS] = {0};
	bool is_found;
	int nr_bad;

	if (page->s != &s->base || !(page->flags & NSLAB_PAGE_SLAB)) {
		slub_debug_report(s, page, 0, "Not a valid slab page");
		return 1;
	}
	nr_bad = slub_check_slab_padding(s, page);
	nr_bad += slub_walk(s, page, 0, &is_found, map);
	return nr_bad + slub_check_objects(s, page, map);
}

void slub_debug_discarded(struct slub_cache *s, struct nslab_page *page)
{
	if (!(s->debug_flags & SLAB_CONSISTENCY_CHECKS))
		return;
	slub_check_slab_padding(s, page);
	slub_check_objects(s, page, NULL);
}

/* ---- what is left ---- */

static unsigned slub_tell_live(struct slub_cache *s, struct nslab_page *page, unsigned nr_told)
{
	const struct nslab_env *env = s->base.heap->env;
	uint64_t start = slub_slab_start(s, page) + s->layout.red_left;
	uint64_t map[SLUB_MAP_WORDS] = {0}, objects = slub_objects(slub_page_counters(page));
	char tracks[192];
	bool is_found;

	slub_walk(s, page, 0, &is_found, map);
	for (uint64_t i = 0; i < objects && nr_told < SLUB_REMAINING_MAX; i++) {
		uint64_t object = start + i * s->base.size;

		if (map[i / 64] >> i % 64 & 1)
			continue;
		slub_print_tracks(s, object, tracks, sizeof(tracks));
		env->report(env,
			    "note: BUG %s (Not tainted): Object 0x%" PRIx64 " @offset=%" PRIu64
			    " remains at kmem_cache_destroy()%s",
			    s->base.name, object, object - slub_slab_start(s, page), tracks);
		nr_told++;
	}
	return nr_told;
}

void slub_debug_tell_remaining(struct slub_cache *s)
{
	unsigned nr_told = 0;

	for (int i = 0; i < s->base.heap->env->arena->nr_nodes; i++) {
		struct slub_node *n = s->node[i];

		slub_lock(n);
		nslab_list_for_each (pos, &n->full)
			nr_told = slub_tell_live(s, nslab_list_entry(pos, struct nslab_page, list),
						 nr_told);
		nslab_list_for_each (pos, &n->partial)
			nr_told = slub_tell_live(s, nslab_list_entry(pos, struct nslab_page, list),
						 nr_told);
		slub_unlock(n);
	}
}
