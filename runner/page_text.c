/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * page_text.c: texts shaped like /proc/buddyinfo, /proc/pagetypeinfo and debugfs extfrag/.
 *
 * Columns and words are the kernel's, so that scripts written for it read these too. They are made
 * from what a page plug-in tells of each zone, without touching it, into memory that grows as it is
 * written. Blocks that were never used count as free ones of the largest order, as they do in a
 * kernel. Left out: the kernel's cut of long lists ("> 100000" in pagetypeinfo).
 */
#define _GNU_SOURCE
#include "runner/page_text.h"

#include "allocators/common/zone.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const page_words[NSLAB_NR_MIGRATE_TYPES] = {
	[NSLAB_MIGRATE_UNMOVABLE] = "Unmovable",
	[NSLAB_MIGRATE_MOVABLE] = "Movable",
	[NSLAB_MIGRATE_RECLAIMABLE] = "Reclaimable",
	[NSLAB_MIGRATE_HIGHATOMIC] = "HighAtomic",
	[NSLAB_MIGRATE_CMA] = "CMA",
	[NSLAB_MIGRATE_ISOLATE] = "Isolate",
};

const char *nslab_migrate_word(enum nslab_migrate_type type)
{
	return (unsigned)type < NSLAB_NR_MIGRATE_TYPES ? page_words[type] : "?";
}

static void page_put_counts(FILE *out, const uint64_t *nr_blocks)
{
	for (int order = 0; order <= NSLAB_MAX_ORDER; order++)
		fprintf(out, "%6" PRIu64 " ", nr_blocks[order]);
	fputc('\n', out);
}

static void page_put_buddyinfo(FILE *out, const struct nslab_zone_stats *zone)
{
	uint64_t nr_blocks[NSLAB_MAX_ORDER + 1] = {0};

	nslab_zone_add_blocks(zone, nr_blocks);
	page_put_counts(out, nr_blocks);
}

static void page_put_extfrag(FILE *out, const struct nslab_zone_stats *zone)
{
	uint64_t nr_blocks[NSLAB_MAX_ORDER + 1] = {0};

	nslab_zone_add_blocks(zone, nr_blocks);
	for (unsigned order = 0; order <= NSLAB_MAX_ORDER; order++) {
		int index = nslab_zone_extfrag_index(nr_blocks, order);

		fprintf(out, "%2d.%03d ", index / 1000, index < 0 ? 0 : index % 1000);
	}
	fputc('\n', out);
}

static void page_put_unusable(FILE *out, const struct nslab_zone_stats *zone)
{
	uint64_t nr_blocks[NSLAB_MAX_ORDER + 1] = {0};

	nslab_zone_add_blocks(zone, nr_blocks);
	for (unsigned order = 0; order <= NSLAB_MAX_ORDER; order++) {
		int index = nslab_zone_unusable_index(nr_blocks, order);

		fprintf(out, "%d.%03d ", index / 1000, index % 1000);
	}
	fputc('\n', out);
}

static void page_put_types(FILE *out, const struct nslab_zone_stats *zones, size_t nr)
{
	fprintf(out, "Page block order: %d\nPages per block:  %d\n\n%-43s ", NSLAB_PAGEBLOCK_ORDER,
		1 << NSLAB_PAGEBLOCK_ORDER, "Free pages count per migrate type at order");
	for (int order = 0; order <= NSLAB_MAX_ORDER; order++)
		fprintf(out, "%6d ", order);
	fputc('\n', out);
	for (size_t i = 0; i < nr; i++) {
		for (int type = 0; type < NSLAB_NR_MIGRATE_TYPES; type++) {
			fprintf(out, "Node %4d, zone %8s, type %12s ", zones[i].node, zones[i].name,
				page_words[type]);
			page_put_counts(out, zones[i].nr_free_blocks[type]);
		}
	}
}

static void page_put_pageblocks(FILE *out, const struct nslab_zone_stats *zones, size_t nr)
{
	fprintf(out, "\n%-23s", "Number of blocks type ");
	for (int type = 0; type < NSLAB_NR_MIGRATE_TYPES; type++)
		fprintf(out, "%12s ", page_words[type]);
	fputc('\n', out);
	for (size_t i = 0; i < nr; i++) {
		fprintf(out, "Node %d, zone %8s ", zones[i].node, zones[i].name);
		for (int type = 0; type < NSLAB_NR_MIGRATE_TYPES; type++)
			fprintf(out, "%12" PRIu64 " ", zones[i].nr_pageblocks[type]);
		fputc('\n', out);
	}
}

/* The text is complete or there is none. */
static char *page_text_end(FILE *out, char **text)
{
	int is_bad = ferror(out);

	if (fclose(out) || is_bad) {
		free(*text);
		return NULL;
	}
	return *text;
}

static char *page_by_zone(const struct nslab_zone_stats *zones, size_t nr,
			  void (*put)(FILE *out, const struct nslab_zone_stats *zone))
{
	size_t bytes;
	char *text = NULL;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	for (size_t i = 0; i < nr; i++) {
		fprintf(out, "Node %d, zone %8s ", zones[i].node, zones[i].name);
		put(out, &zones[i]);
	}
	return page_text_end(out, &text);
}

char *nslab_page_buddyinfo(const struct nslab_zone_stats *zones, size_t nr)
{
	return page_by_zone(zones, nr, page_put_buddyinfo);
}

char *nslab_page_extfrag_index(const struct nslab_zone_stats *zones, size_t nr)
{
	return page_by_zone(zones, nr, page_put_extfrag);
}

char *nslab_page_unusable_index(const struct nslab_zone_stats *zones, size_t nr)
{
	return page_by_zone(zones, nr, page_put_unusable);
}

char *nslab_page_pagetypeinfo(const struct nslab_zone_stats *zones, size_t nr)
{
	size_t bytes;
	char *text = NULL;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	page_put_types(out, zones, nr);
	page_put_pageblocks(out, zones, nr);
	return page_text_end(out, &text);
}
