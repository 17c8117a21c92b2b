/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * debug.h: the debug layer: a table that stands in front of any backend and checks its users.
 *
 * The layer is itself an allocator whose open() takes struct nslab_debug_options instead of the
 * backend's parameters. It has the backend's name and capabilities, so nobody above needs to know.
 * See allocators/debug.c for what it finds and how.
 */
#ifndef NSLAB_COMMON_DEBUG_H
#define NSLAB_COMMON_DEBUG_H

#include <numaslab/allocator.h>

#define NSLAB_DEBUG_QUARANTINE 64 /* objects of each CPU */

struct nslab_debug_options {
	const struct nslab_allocator_ops *inner; /* from the registry */
	const void *inner_params;
	/* names a code address in text; NULL: it is printed as a number */
	void (*symbol)(const void *address, char *text, size_t text_bytes);
	unsigned quarantine; /* freed objects that each CPU keeps; 0: NSLAB_DEBUG_QUARANTINE */
	/* ASan and Valgrind are told nothing: every fault becomes a line and nothing stops */
	bool has_no_tools;
};

/* Fills table with the layer's calls, and name, summary and capabilities of inner. */
void nslab_debug_table(const struct nslab_allocator_ops *inner, struct nslab_allocator_ops *table);

/*
 * One line for each object that is still allocated, up to 16, and one for the others; each object
 * is told once. For a heap of such a table, while nobody allocates. Returns how many there are.
 */
uint64_t nslab_debug_report_leaks(struct nslab_heap *heap);

#endif
