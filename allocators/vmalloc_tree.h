/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmalloc_tree.h: virtual ranges: busy ones, and the free ones as a tree by address.
 */
#ifndef NSLAB_VMALLOC_TREE_H
#define NSLAB_VMALLOC_TREE_H

#include <numaslab/types.h>

/* One range in pages, in any state; only free ones are in a tree. */
struct vmap_area {
	size_t start, nr; /* nr with the guard page */
	struct vmap_area *left, *right;
	size_t largest; /* nr of the largest range in this subtree */
	uint64_t priority;
	struct nslab_list link;	   /* lazy list or pool */
	struct nslab_page **pages; /* while busy: nr - 1 of them */
	size_t nr_maps;		   /* mappings that this area costs the process */
	unsigned vnode;
};

/* Free ranges that touch are one. Zeros are an empty tree. */
struct vmap_tree {
	struct vmap_area *root;
	uint64_t rng;
};

/* Takes over `area`, whose range touches or overlaps no busy one. */
void vmap_tree_insert(struct vmap_tree *tree, struct vmap_area *area);

/*
 * Lowest address where nr pages are free: they leave the tree. False when there is none. *emptied
 * becomes the range's own structure when all of it was taken, else NULL: the caller's to free.
 */
bool vmap_tree_take(struct vmap_tree *tree, size_t nr, size_t *start, struct vmap_area **emptied);

size_t vmap_tree_largest(const struct vmap_tree *tree);
void vmap_tree_destroy(struct vmap_tree *tree);

#endif
