/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats_many.c: p values of many comparisons at once.
 *
 * Holm's procedure keeps the chance of a single false claim among all of them; it is for a short
 * list that was chosen beforehand. Benjamini and Hochberg's keeps the expected share of false ones
 * among all claims; it is for a whole matrix. Both are given as adjusted p values, so that a reader
 * compares each with the level of his choice. A comparison without a p value is left out of the
 * count and stays without one. Left out: procedures that need the dependence between cells.
 */
#include "results/stats.h"

#include "results/stats_impl.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct many_value {
	double p;
	size_t at;
};

static int many_order(const void *a, const void *b)
{
	return nslab_stats_order(&((const struct many_value *)a)->p,
				 &((const struct many_value *)b)->p);
}

/* Those that have a p value, ascending. NULL when memory is out. */
static struct many_value *many_sorted(const double *p, size_t n, size_t *nr)
{
	struct many_value *values = calloc(n + 1, sizeof(*values));

	*nr = 0;
	for (size_t i = 0; values && i < n; i++) {
		if (!isnan(p[i]))
			values[(*nr)++] = (struct many_value){p[i], i};
	}
	if (values)
		qsort(values, *nr, sizeof(*values), many_order);
	return values;
}

int nslab_holm(const double *p, size_t n, double *adjusted)
{
	size_t nr;
	struct many_value *values = many_sorted(p, n, &nr);
	double largest = 0.0;

	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		adjusted[i] = NAN;
	for (size_t i = 0; i < nr; i++) {
		largest = fmax(largest, fmin(1.0, (double)(nr - i) * values[i].p));
		adjusted[values[i].at] = largest;
	}
	free(values);
	return 0;
}

int nslab_benjamini_hochberg(const double *p, size_t n, double *adjusted)
{
	size_t nr;
	struct many_value *values = many_sorted(p, n, &nr);
	double smallest = 1.0;

	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		adjusted[i] = NAN;
	for (size_t i = nr; i-- > 0;) {
		smallest = fmin(smallest, values[i].p * (double)nr / (double)(i + 1));
		adjusted[values[i].at] = smallest;
	}
	free(values);
	return 0;
}
