/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats_rank.c: exact null distributions of rank statistics, and the cache that keeps them.
 *
 * Signed ranks: each sign is a fair coin, so adding an observation of rank r moves half of the mass
 * up by r. Rank sums: adding an item of rank r to the ways of drawing k items for a sum of s turns
 * them into ways of drawing k + 1 for s + r. Both recurrences only add numbers that are not
 * negative, so nothing cancels and small tails keep their digits. Ranks are whole numbers: with
 * ties callers double the mid-ranks. Without ties a distribution depends on the sizes alone, and a
 * run has few sizes, so the cache answers nearly every call.
 *
 * Invariants: a distribution in the cache is never changed. Left out: an approximation, which
 * stats_unpaired.c has for sizes at which this is too slow.
 */
#include "results/stats_impl.h"

#include <stdlib.h>
#include <string.h>

bool nslab_stats_double_ranks(const double *sorted, size_t n, unsigned *ranks)
{
	bool has_ties = false;

	for (size_t first = 0, last; first < n; first = last) {
		for (last = first + 1; last < n && sorted[last] == sorted[first];)
			last++;
		has_ties |= last > first + 1;
		for (size_t i = first; i < last; i++)
			ranks[i] = (unsigned)(first + 1 + last);
	}
	return has_ties;
}

double *nslab_signed_rank_mass(const unsigned *ranks, size_t n, size_t *top)
{
	size_t sum = 0, reached = 0;
	double *mass;

	for (size_t i = 0; i < n; i++)
		sum += ranks[i];
	mass = calloc(sum + 1, sizeof(*mass));
	if (!mass)
		return NULL;
	mass[0] = 1.0;
	for (size_t i = 0; i < n; i++) {
		size_t rank = ranks[i];

		reached += rank;
		/* downwards: mass[s - rank] must still be without this observation */
		for (size_t s = reached + 1; s-- > rank;)
			mass[s] = 0.5 * (mass[s] + mass[s - rank]);
		for (size_t s = 0; s < rank && s <= reached; s++)
			mass[s] *= 0.5;
	}
	*top = sum;
	return mass;
}

/* Largest sum of nr_a of the ranks, which ascend. */
static size_t rank_largest_sum(const unsigned *ranks, size_t nr, size_t nr_a)
{
	size_t sum = 0;

	for (size_t i = nr - nr_a; i < nr; i++)
		sum += ranks[i];
	return sum;
}

/* Row k holds the ways of drawing k items; each item is offered to every row, the highest first. */
static void rank_draw(double *ways, size_t row, const unsigned *ranks, size_t nr, size_t nr_a)
{
	for (size_t i = 0; i < nr; i++) {
		size_t most = i + 1 < nr_a ? i + 1 : nr_a;

		for (size_t k = most; k > 0; k--) {
			double *with = &ways[k * row], *without = &ways[(k - 1) * row];

			for (size_t s = ranks[i]; s < row; s++)
				with[s] += without[s - ranks[i]];
		}
	}
}

double *nslab_rank_sum_mass(const unsigned *ranks, size_t nr, size_t nr_a, size_t *top)
{
	size_t row = rank_largest_sum(ranks, nr, nr_a) + 1;
	double *ways = calloc((nr_a + 1) * row, sizeof(*ways));
	double *mass = malloc(row * sizeof(*mass));
	double total = 0.0;

	if (!ways || !mass) {
		free(mass);
		mass = NULL;
		goto out;
	}
	ways[0] = 1.0;
	rank_draw(ways, row, ranks, nr, nr_a);
	for (size_t s = 0; s < row; s++)
		total += ways[nr_a * row + s];
	for (size_t s = 0; s < row; s++)
		mass[s] = ways[nr_a * row + s] / total;
	*top = row - 1;
out:
	free(ways);
	return mass;
}

static void rank_accumulate(double *mass, size_t top)
{
	for (size_t s = 1; s <= top; s++)
		mass[s] += mass[s - 1];
}

static unsigned *rank_plain(size_t n)
{
	unsigned *ranks = calloc(n + 1, sizeof(*ranks));

	for (size_t i = 0; ranks && i < n; i++)
		ranks[i] = (unsigned)(i + 1);
	return ranks;
}

static double *rank_signed_new(size_t n)
{
	unsigned *ranks = rank_plain(n);
	double *mass = NULL;
	size_t top;

	if (ranks)
		mass = nslab_signed_rank_mass(ranks, n, &top);
	if (mass)
		rank_accumulate(mass, top);
	free(ranks);
	return mass;
}

const double *nslab_signed_rank_cumulative(struct nslab_rank_cache *cache, size_t n)
{
	if (n <= NSLAB_RANK_CACHE_MAX) {
		if (!cache->signed_rank[n])
			cache->signed_rank[n] = rank_signed_new(n);
		return cache->signed_rank[n];
	}
	if (!cache->large || cache->large_n != n) {
		free(cache->large);
		cache->large = rank_signed_new(n);
		cache->large_n = n;
	}
	return cache->large;
}

/* U is the rank sum less the smallest rank sum there is. */
static double *rank_sum_new(size_t nr_a, size_t nr_b)
{
	unsigned *ranks = rank_plain(nr_a + nr_b);
	size_t least = nr_a * (nr_a + 1) / 2, top;
	double *mass = NULL;

	if (ranks)
		mass = nslab_rank_sum_mass(ranks, nr_a + nr_b, nr_a, &top);
	if (mass) {
		memmove(mass, mass + least, (top - least + 1) * sizeof(*mass));
		rank_accumulate(mass, top - least);
	}
	free(ranks);
	return mass;
}

const double *nslab_rank_sum_cumulative(struct nslab_rank_cache *cache, size_t nr_a, size_t nr_b)
{
	if (!cache->rank_sum || cache->rank_sum_a != nr_a || cache->rank_sum_b != nr_b) {
		free(cache->rank_sum);
		cache->rank_sum = rank_sum_new(nr_a, nr_b);
		cache->rank_sum_a = nr_a;
		cache->rank_sum_b = nr_b;
	}
	return cache->rank_sum;
}

size_t nslab_stats_critical(const double *cumulative, size_t top, double alpha)
{
	size_t c = 0;

	while (c <= top && cumulative[c] <= alpha / 2.0)
		c++;
	return c;
}

struct nslab_rank_cache *nslab_rank_cache_create(void)
{
	return calloc(1, sizeof(struct nslab_rank_cache));
}

void nslab_rank_cache_clear(struct nslab_rank_cache *cache)
{
	for (size_t n = 0; n <= NSLAB_RANK_CACHE_MAX; n++)
		free(cache->signed_rank[n]);
	free(cache->large);
	free(cache->rank_sum);
	memset(cache, 0, sizeof(*cache));
}

void nslab_rank_cache_free(struct nslab_rank_cache *cache)
{
	if (cache)
		nslab_rank_cache_clear(cache);
	free(cache);
}
