/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * timeline.c: samples of memory in the order of time, and what a cache's numbers mean in bytes.
 *
 * Slabs of a cache are cut into what was asked for (used, queued, free), what alignment and debug
 * data add (padding), and what is left behind the last object (tail), so that the five add up to
 * the pages. While workers run the free objects that CPUs hold cannot be told from used ones and
 * are in `used`; `queued` is then not known. Counts that were read while they changed may not fit
 * each other: no part becomes negative.
 *
 * Invariant: samples lie at least step_ns apart, and there are never more than room of them.
 */
#include "runner/sampler.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nslab_memory_word(int column, char *word, size_t word_bytes)
{
	static const char *const words[NSLAB_MEMORY_BUDDY] = {
		"slabs", "used",  "queued", "free", "padding",
		"tail",	 "other", "meta",   "rss",  "nr_slabs",
	};

	if (column < NSLAB_MEMORY_BUDDY)
		snprintf(word, word_bytes, "%s", words[column]);
	else
		snprintf(word, word_bytes, "buddy %d", column - NSLAB_MEMORY_BUDDY);
}

static double not_negative(double value)
{
	return value > 0 ? value : 0;
}

/* NaN stands for not known yet. */
static void add(double *value, double more)
{
	*value = isnan(*value) ? more : *value + more;
}

void nslab_memory_add_cache(struct nslab_memory_sample *sample, const struct kmem_cache *s,
			    const struct nslab_cache_stats *stats, bool is_parked)
{
	double *values = sample->values;
	double asked = s->object_size, nr = (double)stats->nr_objects;
	double pages = (double)stats->nr_pages * NSLAB_PAGE_SIZE;
	double queued = is_parked ? (double)stats->nr_cpu_free : 0;
	double nr_free = not_negative((double)stats->nr_free - queued);

	add(&values[NSLAB_MEMORY_SLABS], pages);
	add(&values[NSLAB_MEMORY_NR_SLABS], (double)stats->nr_slabs);
	add(&values[NSLAB_MEMORY_FREE], nr_free * asked);
	add(&values[NSLAB_MEMORY_USED], not_negative(nr - nr_free - queued) * asked);
	if (is_parked)
		add(&values[NSLAB_MEMORY_QUEUED], queued * asked);
	add(&values[NSLAB_MEMORY_PADDING], not_negative(nr * (s->size - asked)));
	add(&values[NSLAB_MEMORY_TAIL], not_negative(pages - nr * s->size));
}

int nslab_timeline_init(struct nslab_timeline *timeline, size_t room, uint64_t step_ns)
{
	*timeline = (struct nslab_timeline){.room = room, .step_ns = step_ns};
	timeline->samples = malloc(room * sizeof(*timeline->samples));
	if (!timeline->samples)
		return -ENOMEM;
	memset(timeline->samples, 0xff, room * sizeof(*timeline->samples));
	return 0;
}

void nslab_timeline_free(struct nslab_timeline *timeline)
{
	free(timeline->samples);
	timeline->samples = NULL;
}

static void timeline_thin(struct nslab_timeline *timeline)
{
	size_t nr = 0;

	for (size_t i = 0; i < timeline->nr; i += 2)
		timeline->samples[nr++] = timeline->samples[i];
	timeline->nr = nr;
	timeline->step_ns *= 2;
}

void nslab_timeline_take(struct nslab_timeline *timeline, const struct nslab_clock *clock,
			 struct nslab_memory_source *source, bool is_parked)
{
	struct nslab_memory_sample *sample;
	uint64_t now_ns = nslab_now_ns(clock);

	if (!timeline->nr)
		timeline->start_ns = now_ns;
	if (timeline->nr == timeline->room)
		timeline_thin(timeline);
	sample = &timeline->samples[timeline->nr++];
	sample->at_ns = now_ns - timeline->start_ns;
	for (int i = 0; i < NSLAB_NR_MEMORY; i++)
		sample->values[i] = NAN;
	source->read(source, is_parked, sample);
}

/* A count of blocks stays the same for most of a trial: its first, its changes and its last tell.
 */
static bool timeline_is_told(const struct nslab_timeline *timeline, int column, size_t at,
			     double before)
{
	double value = timeline->samples[at].values[column];

	if (column < NSLAB_MEMORY_BUDDY || at + 1 == timeline->nr)
		return isfinite(value);
	return isfinite(value) && (isnan(before) || value < before || value > before);
}

void nslab_timeline_points(const struct nslab_timeline *timeline, json_t *points)
{
	for (int column = 0; column < NSLAB_NR_MEMORY; column++) {
		char word[24], series[32];
		double before = NAN;

		nslab_memory_word(column, word, sizeof(word));
		snprintf(series, sizeof(series), "memory %s", word);
		for (size_t i = 0; i < timeline->nr; i++) {
			const struct nslab_memory_sample *sample = &timeline->samples[i];

			if (!timeline_is_told(timeline, column, i, before))
				continue;
			before = sample->values[column];
			json_array_append_new(points,
					      json_pack("[s, f, f]", series,
							(double)sample->at_ns / 1e6, before));
		}
	}
}
