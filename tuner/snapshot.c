// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot.c: the life of a snapshot, and what holds for every one, wherever it came from.
 *
 * Readers add caches one by one, each checked as it comes; at the end the caches are sorted and
 * searched for doubles. What the user says fills in what the source does not tell and never
 * overrides it: settings of one machine with the CPUs of another would be advice for neither.
 *
 * Invariant: a finished snapshot has CPUs, nodes, rules, sizes and an order for each cache;
 * whatever else is not known is NSLAB_TUNER_UNKNOWN, NaN, NULL or "". Left out: the readers.
 */
#define _GNU_SOURCE
#include "tuner/snapshot_impl.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define NAME_BYTES_MAX 200

/* ---- making ---- */

int nslab_tuner_snapshot_text(char **text, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

struct nslab_tuner_snapshot *nslab_tuner_snapshot_new(const char *source)
{
	struct nslab_tuner_snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->knobs = (struct nslab_order_knobs)NSLAB_ORDER_KNOBS_DEFAULT;
	s->kernel = NSLAB_NR_ORDER_KERNELS;
	if (nslab_tuner_snapshot_text(&s->source, source) ||
	    nslab_tuner_snapshot_text(&s->release, "") || nslab_tuner_snapshot_text(&s->arch, "") ||
	    nslab_tuner_snapshot_text(&s->cmdline_slab, "") ||
	    nslab_tuner_snapshot_text(&s->taken_at, "")) {
		nslab_tuner_snapshot_free(s);
		return NULL;
	}
	return s;
}

/* Room for one more; capacities are powers of two. NULL without memory: items stay. */
static void *snapshot_grow(void *items, size_t nr, size_t item_bytes)
{
	return nr & (nr - 1) ? items : realloc(items, (nr ? 2 * nr : 1) * item_bytes);
}

struct nslab_tuner_cache *nslab_tuner_snapshot_add(struct nslab_tuner_snapshot *snapshot,
						   const char *name)
{
	struct nslab_tuner_cache *caches =
		snapshot_grow(snapshot->caches, snapshot->nr_caches, sizeof(*caches));
	struct nslab_tuner_cache *cache;

	if (!caches)
		return NULL;
	snapshot->caches = caches;
	cache = &caches[snapshot->nr_caches];
	*cache = (struct nslab_tuner_cache){
		.name = strdup(name),
		.folder = strdup(name),
		.order = NSLAB_TUNER_UNKNOWN,
		.objects = NSLAB_TUNER_UNKNOWN,
		.min_partial = NSLAB_TUNER_UNKNOWN,
		.cpu_partial = NSLAB_TUNER_UNKNOWN,
		.sheaf_capacity = NSLAB_TUNER_UNKNOWN,
		.live = NSLAB_TUNER_UNKNOWN,
		.total = NSLAB_TUNER_UNKNOWN,
		.nr_slabs = NSLAB_TUNER_UNKNOWN,
		.nr_partial = NSLAB_TUNER_UNKNOWN,
		.allocs_per_s = NAN,
		.frees_per_s = NAN,
		.remote_share = NAN,
	};
	snapshot->nr_caches++;
	return cache->name && cache->folder ? cache : NULL;
}

static int snapshot_add_text(char ***texts, size_t *nr, const char *text)
{
	char **grown = snapshot_grow(*texts, *nr, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*texts = grown;
	grown[*nr] = strdup(text);
	if (!grown[*nr])
		return -ENOMEM;
	(*nr)++;
	return 0;
}

int nslab_tuner_snapshot_add_alias(struct nslab_tuner_cache *cache, const char *name)
{
	return snapshot_add_text(&cache->aliases, &cache->nr_aliases, name);
}

void nslab_tuner_snapshot_note(struct nslab_tuner_snapshot *snapshot, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (size_t i = 0; i < snapshot->nr_notes; i++) {
		if (!strcmp(snapshot->notes[i], text))
			return;
	}
	snapshot_add_text(&snapshot->notes, &snapshot->nr_notes, text);
}

static void snapshot_free_texts(char **texts, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(texts[i]);
	free(texts);
}

void nslab_tuner_snapshot_free(struct nslab_tuner_snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->nr_caches; i++) {
		free(snapshot->caches[i].name);
		free(snapshot->caches[i].folder);
		snapshot_free_texts(snapshot->caches[i].aliases, snapshot->caches[i].nr_aliases);
	}
	snapshot_free_texts(snapshot->notes, snapshot->nr_notes);
	free(snapshot->source);
	free(snapshot->release);
	free(snapshot->arch);
	free(snapshot->cmdline_slab);
	free(snapshot->cpu_nodes);
	free(snapshot->node_mib);
	free(snapshot->taken_at);
	free(snapshot->caches);
	free(snapshot);
}

unsigned nslab_tuner_snapshot_flag(enum nslab_slab_column column)
{
	static const unsigned flags[NSLAB_NR_SLAB_COLUMNS] = {
		[NSLAB_SLAB_HWCACHE_ALIGN] = SLAB_HWCACHE_ALIGN,
		[NSLAB_SLAB_RECLAIM_ACCOUNT] = SLAB_RECLAIM_ACCOUNT,
		[NSLAB_SLAB_CACHE_DMA] = SLAB_CACHE_DMA,
		[NSLAB_SLAB_DESTROY_BY_RCU] = SLAB_TYPESAFE_BY_RCU,
		[NSLAB_SLAB_RED_ZONE] = SLAB_RED_ZONE,
		[NSLAB_SLAB_POISON] = SLAB_POISON,
		[NSLAB_SLAB_STORE_USER] = SLAB_STORE_USER,
		[NSLAB_SLAB_SANITY_CHECKS] = SLAB_CONSISTENCY_CHECKS,
	};

	return flags[column];
}

/* ---- checks ---- */

/* A terminal must not obey a name, nor a script that is made of it break. */
static int snapshot_check_name(const char *name, struct nslab_err *err)
{
	size_t length = strlen(name);

	if (!length || length > NAME_BYTES_MAX)
		return nslab_fail(err, -EINVAL,
				  "the name of a cache has %zu bytes; 1 to %d are "
				  "accepted",
				  length, NAME_BYTES_MAX);
	for (size_t i = 0; i < length; i++) {
		if (name[i] < ' ' || name[i] > '~' || name[i] == '/')
			return nslab_fail(err, -EINVAL,
					  "byte 0x%02x is in no cache's name; letters, digits and "
					  "signs but '/' are accepted",
					  (unsigned char)name[i]);
	}
	return 0;
}

static int snapshot_check_slab(const struct nslab_tuner_cache *cache, struct nslab_err *err)
{
	size_t bytes, fit;

	if (cache->order == NSLAB_TUNER_UNKNOWN)
		return 0;
	if (cache->order > NSLAB_MAX_ORDER)
		return nslab_fail(err, -EINVAL, "cache '%s': order is %d; 0 to %d are accepted",
				  cache->name, cache->order, NSLAB_MAX_ORDER);
	bytes = nslab_order_bytes((unsigned)cache->order);
	fit = nslab_order_objects(cache->size, (unsigned)cache->order);
	if (!fit)
		return nslab_fail(err, -EINVAL,
				  "cache '%s' contradicts itself: a slab of order %d has %zu "
				  "bytes, an object takes %u",
				  cache->name, cache->order, bytes, cache->size);
	if (cache->objects != NSLAB_TUNER_UNKNOWN && (size_t)cache->objects != fit)
		return nslab_fail(err, -EINVAL,
				  "cache '%s' contradicts itself: %zu objects of %u bytes fit a "
				  "slab of order %d, not %d; only pages of 4096 bytes are known",
				  cache->name, fit, cache->size, cache->order, cache->objects);
	return 0;
}

int nslab_tuner_snapshot_check(const struct nslab_tuner_cache *cache, struct nslab_err *err)
{
	int rc = snapshot_check_name(cache->name, err);

	for (size_t i = 0; !rc && i < cache->nr_aliases; i++)
		rc = snapshot_check_name(cache->aliases[i], err);
	if (!rc)
		rc = snapshot_check_name(cache->folder, err);
	if (!rc && !cache->object_size)
		rc = nslab_fail(err, -EINVAL, "cache '%s': object_size is 0", cache->name);
	if (!rc)
		rc = nslab_slab_sizes_check(cache->name, cache->object_size, cache->size,
					    cache->align, err);
	return rc ? rc : snapshot_check_slab(cache, err);
}

int nslab_tuner_snapshot_arch(const struct nslab_tuner_snapshot *snapshot, struct nslab_err *err)
{
	struct utsname here;

	if (!*snapshot->arch || uname(&here) || !strcmp(here.machine, snapshot->arch))
		return 0;
	return nslab_fail(err, -EINVAL,
			  "arch is '%.64s', but this machine is '%s'; run numaslab on a machine of "
			  "that kind",
			  snapshot->arch, here.machine);
}

/* ---- the end ---- */

static int snapshot_by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int snapshot_by_name(const void *a, const void *b)
{
	const struct nslab_tuner_cache *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int snapshot_sort(struct nslab_tuner_snapshot *s, struct nslab_err *err)
{
	for (size_t i = 0; i < s->nr_caches; i++) {
		struct nslab_tuner_cache *cache = &s->caches[i];

		if (cache->nr_aliases)
			qsort(cache->aliases, cache->nr_aliases, sizeof(*cache->aliases),
			      snapshot_by_text);
	}
	qsort(s->caches, s->nr_caches, sizeof(*s->caches), snapshot_by_name);
	for (size_t i = 1; i < s->nr_caches; i++) {
		if (!snapshot_by_name(&s->caches[i - 1], &s->caches[i]))
			return nslab_fail(err, -EINVAL, "'%s': cache '%s' is there twice",
					  s->source, s->caches[i].name);
	}
	return 0;
}

/* Fills *number from what the user said; what the source told stands. */
static int snapshot_fill(const struct nslab_tuner_snapshot *s, int *number, int given, int most,
			 const char *option, struct nslab_err *err)
{
	if (given > most || !given)
		return nslab_fail(err, -EINVAL, "option '--%s' takes 1..%d, not %d", option, most,
				  given);
	if (given > 0 && *number && *number != given)
		return nslab_fail(err, -EINVAL,
				  "'%s' tells of %d %s, '--%s' says %d; leave the option out",
				  s->source, *number, option, option, given);
	if (!*number && given > 0)
		*number = given;
	return 0;
}

static int snapshot_machine(struct nslab_tuner_snapshot *s, const struct nslab_tuner_given *given,
			    struct nslab_err *err)
{
	int nr_cpus = given ? given->nr_cpus : -1, nr_nodes = given ? given->nr_nodes : -1;
	int rc = snapshot_fill(s, &s->nr_cpus, nr_cpus, NSLAB_TUNER_CPUS_MAX, "cpus", err);

	if (!rc)
		rc = snapshot_fill(s, &s->nr_nodes, nr_nodes, NSLAB_TUNER_NODES_MAX, "nodes", err);
	if (!rc && !s->nr_cpus)
		rc = nslab_fail(err, -EINVAL,
				"'%s' does not tell how many CPUs the machine has; give --cpus N",
				s->source);
	if (rc || s->nr_nodes)
		return rc;
	s->nr_nodes = 1;
	nslab_tuner_snapshot_note(s,
				  "nodes are not told: one is assumed; --nodes N says otherwise");
	return 0;
}

int nslab_tuner_snapshot_finish(struct nslab_tuner_snapshot *snapshot,
				const struct nslab_tuner_given *given, struct nslab_err *err)
{
	int rc;

	if (!snapshot->nr_caches)
		return nslab_fail(err, -EINVAL, "'%s' holds no cache", snapshot->source);
	rc = snapshot_machine(snapshot, given, err);
	if (!rc)
		rc = snapshot_sort(snapshot, err);
	return rc ? rc : nslab_tuner_snapshot_rules(snapshot, given, err);
}

const struct nslab_tuner_cache *
nslab_tuner_snapshot_find(const struct nslab_tuner_snapshot *snapshot, const char *name)
{
	for (size_t i = 0; i < snapshot->nr_caches; i++) {
		const struct nslab_tuner_cache *cache = &snapshot->caches[i];

		if (!strcmp(cache->name, name) || !strcmp(cache->folder, name))
			return cache;
		for (size_t k = 0; k < cache->nr_aliases; k++) {
			if (!strcmp(cache->aliases[k], name))
				return cache;
		}
	}
	return NULL;
}
