/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * page_text.h: what a page plug-in tells of its zones, in the shape of the kernel's own files.
 *
 * Each function gives a text that the caller frees, or NULL when memory ran out.
 */
#ifndef NSLAB_PAGE_TEXT_H
#define NSLAB_PAGE_TEXT_H

#include <numaslab/page.h>

/* "Unmovable", "Movable", ... as the kernel spells them. */
const char *nslab_migrate_word(enum nslab_migrate_type type);

/* /proc/buddyinfo: free blocks by order, one line for each zone. */
char *nslab_page_buddyinfo(const struct nslab_zone_stats *zones, size_t nr);

/* /proc/pagetypeinfo: the same by type, then the number of pageblocks by type. */
char *nslab_page_pagetypeinfo(const struct nslab_zone_stats *zones, size_t nr);

/* The two files of debugfs extfrag/: extfrag_index and unusable_index, by order. */
char *nslab_page_extfrag_index(const struct nslab_zone_stats *zones, size_t nr);
char *nslab_page_unusable_index(const struct nslab_zone_stats *zones, size_t nr);

#endif
