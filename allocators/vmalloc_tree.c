/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmalloc_tree.c: free virtual ranges: lowest fit in the depth of a balanced tree.
 *
 * A treap by start address: a search tree whose nodes carry random priorities, each above its
 * children's, which keeps it balanced without rotations (split and join). Every node knows the
 * largest range of its subtree. The lowest fit is found by going left whenever something there is
 * large enough. A range that is inserted takes in the neighbours that it touches.
 *
 * Invariants: no two ranges in the tree touch; `largest` is exact after each call. No locks: the
 * owner's. Left out: alignment above a page.
 */
#include "allocators/vmalloc_tree.h"

#include "core/rng.h"

#include <stdlib.h>

static size_t vmap_largest(const struct vmap_area *a)
{
	return a ? a->largest : 0;
}

static void vmap_update(struct vmap_area *a)
{
	size_t left = vmap_largest(a->left), right = vmap_largest(a->right);

	a->largest = left > right ? left : right;
	if (a->nr > a->largest)
		a->largest = a->nr;
}

/* Ranges that start below `start` go left. */
static void vmap_split(struct vmap_area *a, size_t start, struct vmap_area **left,
		       struct vmap_area **right)
{
	if (!a) {
		*left = *right = NULL;
		return;
	}
	if (a->start < start) {
		vmap_split(a->right, start, &a->right, right);
		*left = a;
	} else {
		vmap_split(a->left, start, left, &a->left);
		*right = a;
	}
	vmap_update(a);
}

/* All of left lies below all of right. */
static struct vmap_area *vmap_join(struct vmap_area *left, struct vmap_area *right)
{
	if (!left || !right)
		return left ? left : right;
	if (left->priority > right->priority) {
		left->right = vmap_join(left->right, right);
		vmap_update(left);
		return left;
	}
	right->left = vmap_join(left, right->left);
	vmap_update(right);
	return right;
}

/* Takes the highest range out of this tree when it ends at `end`. */
static struct vmap_area *vmap_take_last(struct vmap_area **root, size_t end)
{
	struct vmap_area *last = *root, *rest, *taken;

	while (last && last->right)
		last = last->right;
	if (!last || last->start + last->nr != end)
		return NULL;
	vmap_split(*root, last->start, &rest, &taken);
	*root = rest;
	return taken;
}

/* Takes the lowest range out of this tree when it starts at `start`. */
static struct vmap_area *vmap_take_first(struct vmap_area **root, size_t start)
{
	struct vmap_area *taken, *rest;

	vmap_split(*root, start + 1, &taken, &rest);
	*root = rest;
	return taken;
}

void vmap_tree_insert(struct vmap_tree *tree, struct vmap_area *area)
{
	struct vmap_area *left, *right, *before, *after;

	vmap_split(tree->root, area->start, &left, &right);
	before = vmap_take_last(&left, area->start);
	after = vmap_take_first(&right, area->start + area->nr);
	if (before) {
		area->start = before->start;
		area->nr += before->nr;
	}
	if (after)
		area->nr += after->nr;
	free(before);
	free(after);
	area->left = area->right = NULL;
	area->priority = nslab_rng_next(&tree->rng);
	vmap_update(area);
	tree->root = vmap_join(vmap_join(left, area), right);
}

static struct vmap_area *vmap_lowest_fit(struct vmap_area *a, size_t nr)
{
	if (vmap_largest(a) < nr)
		return NULL;
	while (vmap_largest(a->left) >= nr || a->nr < nr)
		a = vmap_largest(a->left) >= nr ? a->left : a->right;
	return a;
}

bool vmap_tree_take(struct vmap_tree *tree, size_t nr, size_t *start, struct vmap_area **emptied)
{
	struct vmap_area *a = vmap_lowest_fit(tree->root, nr);
	struct vmap_area *left, *middle, *right;

	if (!a)
		return false;
	*start = a->start;
	*emptied = NULL;
	vmap_split(tree->root, a->start, &left, &right);
	vmap_split(right, a->start + 1, &middle, &right);
	a->start += nr;
	a->nr -= nr;
	if (a->nr) {
		vmap_update(a);
		left = vmap_join(left, a);
	} else {
		*emptied = a;
	}
	tree->root = vmap_join(left, right);
	return true;
}

size_t vmap_tree_largest(const struct vmap_tree *tree)
{
	return vmap_largest(tree->root);
}

static void vmap_destroy(struct vmap_area *a)
{
	if (!a)
		return;
	vmap_destroy(a->left);
	vmap_destroy(a->right);
	free(a);
}

void vmap_tree_destroy(struct vmap_tree *tree)
{
	vmap_destroy(tree->root);
	tree->root = NULL;
}
