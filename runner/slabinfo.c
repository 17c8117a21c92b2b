/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slabinfo.c: tables of a backend in the layout of /proc/slabinfo and /proc/buddyinfo.
 *
 * Column names, widths and meanings are those of a kernel with SLUB: <objsize> is the stride,
 * <active_objs> counts free objects that CPUs hold as active, every slab is active, the tunables
 * are 0, since no backend has any that /proc could show. The tables are made in the trial's process
 * while its workers are parked with their objects, travel as two strings in its result, and are
 * appended to one file of the run, cell by cell. Lines that no kernel writes begin with '#', which
 * readers of the kernel's files skip. Zones are those that the page plug-in tells of.
 *
 * Left out: /proc/pagetypeinfo, which the world can print as well.
 */
#define _GNU_SOURCE
#include "runner/slabinfo.h"

#include "core/list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void slabinfo_row(FILE *out, struct kmem_cache *s)
{
	struct nslab_cache_stats stats = {0};
	uint64_t nr_listed_free;

	s->heap->ops->cache_stats(s, &stats);
	nr_listed_free = stats.nr_free - stats.nr_cpu_free;
	fprintf(out, "%-17s %6" PRIu64 " %6" PRIu64 " %6u %4u %4u", s->name,
		stats.nr_objects - nr_listed_free, stats.nr_objects, s->size, s->objects,
		1u << s->order);
	fprintf(out, " : tunables %4u %4u %4u", 0u, 0u, 0u);
	fprintf(out, " : slabdata %6" PRIu64 " %6" PRIu64 " %6u\n", stats.nr_slabs, stats.nr_slabs,
		0u);
}

static void slabinfo_print(FILE *out, struct nslab_world *world)
{
	fputs("slabinfo - version: 2.1\n"
	      "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
	      " : tunables <limit> <batchcount> <sharedfactor>"
	      " : slabdata <active_slabs> <num_slabs> <sharedavail>\n",
	      out);
	nslab_list_for_each (pos, &nslab_world_heap(world)->caches) {
		struct kmem_cache *s = nslab_list_entry(pos, struct kmem_cache, link);

		if (!(s->flags & SLAB_ALIAS)) /* merged caches have one line */
			slabinfo_row(out, s);
	}
}

/* A page plug-in that knows of no zones has one for each node. */
static void buddyinfo_print_nodes(FILE *out, struct nslab_world *world)
{
	const struct nslab_arena *arena = nslab_world_env(world)->arena;

	for (int node = 0; node < arena->nr_nodes; node++) {
		struct nslab_page_stats stats = {0};
		int os_index = arena->node_os_index[node];

		nslab_world_page_stats(world, node, &stats);
		fprintf(out, "Node %d, zone %8s ", os_index < 0 ? node : os_index, "Normal");
		for (int order = 0; order <= NSLAB_MAX_ORDER; order++)
			fprintf(out, "%6" PRIu64 " ", stats.nr_free_blocks[order]);
		fputc('\n', out);
	}
}

static void buddyinfo_print(FILE *out, struct nslab_world *world)
{
	char *text = nslab_world_buddyinfo(world);

	if (text)
		fputs(text, out);
	else
		buddyinfo_print_nodes(out, world);
	free(text);
}

/* What print writes, as JSON; NULL when memory is out. */
static json_t *text_of(void (*print)(FILE *out, struct nslab_world *world),
		       struct nslab_world *world)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	json_t *json = NULL;

	if (!out)
		return NULL;
	print(out, world);
	if (!fclose(out))
		json = json_string(text);
	free(text);
	return json;
}

json_t *nslab_slabinfo_json(struct nslab_world *world)
{
	const struct nslab_allocator_ops *ops = nslab_world_heap(world)->ops;
	char reason[128];

	if (ops->caps & NSLAB_CAP_PAGES)
		return json_pack("{s:o, s:o, s:s}", "slabinfo", text_of(slabinfo_print, world),
				 "buddyinfo", text_of(buddyinfo_print, world), "unavailable", "");
	snprintf(reason, sizeof(reason), "'%s' does not take its pages from the arena", ops->name);
	return json_pack("{s:n, s:n, s:s}", "slabinfo", "buddyinfo", "unavailable", reason);
}

/* ---- the run's file ---- */

static void append_cell(FILE *file, const char *cell, const json_t *document, const char *cause)
{
	const json_t *tables = json_object_get(document, "slabinfo");
	const char *slabinfo = json_string_value(json_object_get(tables, "slabinfo"));
	const char *buddyinfo = json_string_value(json_object_get(tables, "buddyinfo"));
	const char *reason = json_string_value(json_object_get(tables, "unavailable"));

	fprintf(file, "# cell: %s\n", cell);
	if (slabinfo && buddyinfo)
		fprintf(file, "# /proc/slabinfo\n%s# /proc/buddyinfo\n%s\n", slabinfo, buddyinfo);
	else
		fprintf(file, "# unavailable: %s\n\n", reason && *reason ? reason : cause);
}

int nslab_slabinfo_append(const char *folder, const char *cell, const json_t *document,
			  const char *cause, struct nslab_err *err)
{
	char path[4200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/slabinfo.txt", folder);
	file = fopen(path, "ae");
	if (!file)
		return nslab_fail(err, -errno, "cannot write '%s': %s", path, strerror(errno));
	append_cell(file, cell, document, *cause ? cause : "the trial told nothing");
	if (fclose(file))
		return nslab_fail(err, -errno, "cannot write '%s': %s", path, strerror(errno));
	return 0;
}
