// SPDX-License-Identifier: GPL-2.0-only
/*
 * knapsack.c: one item for each cache, the least sum of losses that two budgets allow. Exact.
 *
 * First prices: memory and high-order pages get a price each, every cache takes what is cheapest
 * with the prices added, and the prices that make this relaxed sum largest give a lower bound for
 * any choice (Lagrange). The sum is concave in both prices, so two nested golden-section searches
 * find them. If no price is needed, that choice is the answer, which is the usual case.
 *
 * Then a draft: from the cheapest items single swaps mend the budgets and save what they can, for a
 * choice that is hard to beat.
 *
 * Then states, cache after cache: what was spent so far, and the loss. An item's excess is what it
 * costs more than the cheapest at these prices; bound + excess is what a state can still reach at
 * best. A state goes when that is no better than the best choice found so far, when even the most
 * modest rest breaks a budget, or when another has spent no more for no more loss. What no rest can
 * spend any more is spent at once: such states become one, and their excess pays for the waste.
 * Every state completed by the cheapest rest is a choice to be tried. Caches that spend most come
 * first, so that the many small ones only fill up; it ends when no later cache has another item
 * that could pay. States form layers in one growing array, linked to where they came from.
 *
 * Left out: a limit. Worst cases are exponential like those of any exact method; what machines give
 * takes milliseconds.
 */
#include "tuner/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KNAPSACK_STEPS 32    /* of one golden-section search */
#define KNAPSACK_EPS   1e-12 /* of the losses' range */
#define KNAPSACK_NONE  SIZE_MAX

struct knapsack_state {
	double spent[2], loss, excess;
	size_t parent; /* in the array; KNAPSACK_NONE: none */
	size_t item;   /* of the layer's choice */
};

/* A choice in the order in which layers are made. */
struct knapsack_place {
	size_t choice, cheapest; /* its item */
	double second;		 /* excess of its second cheapest item */
	double spread;		 /* of what its open items spend, in units of loss */
};

/* What the choices from one place on can spend, and what their cheapest items do. */
struct knapsack_rest {
	double least[2], most[2], cheapest[2], loss;
	double second; /* least of theirs */
};

/* Of the states met so far with a spending of at most that: the least loss. */
struct knapsack_stair {
	double spent, loss;
};

struct knapsack {
	struct nslab_tuner_choice *choices;
	size_t nr;
	double budget[2];
	bool is_bound[2]; /* is there a budget? */
	double unit[2];	  /* of a price: losses' range over the spending's */
	double price[2];
	double bound, eps;
	double best;		       /* INFINITY: nothing fits so far; kept in choices[].chosen */
	struct knapsack_place *places; /* in order of spread, once there are prices */
	struct knapsack_rest *rests;   /* nr + 1 of them */
	struct knapsack_state *states;
	size_t nr_states, max_states;
	struct knapsack_stair *stairs; /* room for one layer's */
};

static double knapsack_spent(const struct knapsack *k, const struct nslab_tuner_item *item, int b)
{
	if (!k->is_bound[b])
		return 0;
	return b ? item->high_pages : item->memory_bytes;
}

static double knapsack_priced(const struct knapsack *k, const struct nslab_tuner_item *item)
{
	return item->loss + k->price[0] * knapsack_spent(k, item, 0) +
	       k->price[1] * knapsack_spent(k, item, 1);
}

static size_t knapsack_cheapest(const struct knapsack *k, const struct nslab_tuner_choice *choice)
{
	size_t best = 0;
	double least = INFINITY;

	for (size_t i = 0; i < choice->nr_items; i++) {
		double priced = knapsack_priced(k, &choice->items[i]);

		if (priced < least) {
			least = priced;
			best = i;
		}
	}
	return best;
}

/* The sum of the places' items, relaxed; kept when it fits and is the best so far. */
static double knapsack_try(struct knapsack *k)
{
	double spent[2] = {0, 0}, loss = 0, sum;

	for (size_t i = 0; i < k->nr; i++) {
		const struct nslab_tuner_item *item = &k->choices[i].items[k->places[i].cheapest];

		spent[0] += knapsack_spent(k, item, 0);
		spent[1] += knapsack_spent(k, item, 1);
		loss += item->loss;
	}
	if (spent[0] <= k->budget[0] && spent[1] <= k->budget[1] && loss < k->best) {
		k->best = loss;
		for (size_t i = 0; i < k->nr; i++)
			k->choices[i].chosen = k->places[i].cheapest;
	}
	sum = loss;
	for (int b = 0; b < 2; b++)
		sum += k->is_bound[b] ? k->price[b] * (spent[b] - k->budget[b]) : 0;
	return sum;
}

/* The relaxed sum at these prices. */
static double knapsack_relaxed(struct knapsack *k)
{
	for (size_t i = 0; i < k->nr; i++)
		k->places[i].cheapest = knapsack_cheapest(k, &k->choices[i]);
	return knapsack_try(k);
}

static double knapsack_raise(struct knapsack *k, int b);

/* The relaxed sum at a price of budget b, at the best prices of the budgets after it. */
static double knapsack_at(struct knapsack *k, int b, double place)
{
	k->price[b] = k->unit[b] * place / (1 - place);
	return b < 1 ? knapsack_raise(k, b + 1) : knapsack_relaxed(k);
}

/* Sets price[b] (and those after it) to where the relaxed sum is largest, and returns that. */
static double knapsack_raise(struct knapsack *k, int b)
{
	const double golden = 0.6180339887498949;
	double from = 0, to = 1, low = 1 - golden, high = golden, at_low, at_high;

	if (!k->is_bound[b])
		return knapsack_at(k, b, 0);
	at_low = knapsack_at(k, b, low);
	at_high = knapsack_at(k, b, high);
	for (int i = 0; i < KNAPSACK_STEPS; i++) {
		if (at_low < at_high) {
			from = low;
			low = high;
			at_low = at_high;
			high = from + golden * (to - from);
			at_high = knapsack_at(k, b, high);
		} else {
			to = high;
			high = low;
			at_high = at_low;
			low = to - golden * (to - from);
			at_low = knapsack_at(k, b, low);
		}
	}
	return knapsack_at(k, b, at_low < at_high ? high : low);
}

/* Scales of losses and spending, from their ranges within the choices. */
static void knapsack_measure(struct knapsack *k)
{
	double loss = 0, spending[2] = {0, 0};

	for (size_t i = 0; i < k->nr; i++) {
		const struct nslab_tuner_choice *choice = &k->choices[i];

		for (size_t j = 1; j < choice->nr_items; j++) {
			loss += fabs(choice->items[j].loss - choice->items[0].loss);
			for (int b = 0; b < 2; b++)
				spending[b] += fabs(knapsack_spent(k, &choice->items[j], b) -
						    knapsack_spent(k, &choice->items[0], b));
		}
	}
	for (int b = 0; b < 2; b++)
		k->unit[b] = spending[b] > 0 ? loss / spending[b] : 0;
	k->eps = KNAPSACK_EPS * loss;
}

/* By how much a spending breaks the budgets, in units of loss. */
static double knapsack_over(const struct knapsack *k, const double spent[2])
{
	double over = 0;

	for (int b = 0; b < 2; b++)
		over += k->is_bound[b] ? k->unit[b] * fmax(spent[b] - k->budget[b], 0) : 0;
	return over;
}

/* Puts another item for old: what is spent then. */
static void knapsack_swap(const struct knapsack *k, const struct nslab_tuner_item *old,
			  const struct nslab_tuner_item *item, const double spent[2],
			  double then[2])
{
	for (int b = 0; b < 2; b++)
		then[b] = spent[b] + knapsack_spent(k, item, b) - knapsack_spent(k, old, b);
}

/*
 * What a swap is worth: while budgets are broken, how much of that it mends for what it costs with
 * the prices added; then how much loss it saves without breaking one.
 */
static double knapsack_worth(const struct knapsack *k, const struct nslab_tuner_item *old,
			     const struct nslab_tuner_item *item, const double spent[2])
{
	double over = knapsack_over(k, spent), then[2], mended;

	knapsack_swap(k, old, item, spent, then);
	mended = over - knapsack_over(k, then);
	if (over > 0)
		return mended <= k->eps
			       ? 0
			       : mended / fmax(knapsack_priced(k, item) - knapsack_priced(k, old),
					       k->eps);
	return mended < 0 || old->loss - item->loss <= k->eps ? 0 : old->loss - item->loss;
}

/* Makes the best single swap; false: none is worth anything. */
static bool knapsack_improve(struct knapsack *k, double spent[2])
{
	size_t place = 0, item = 0;
	const struct nslab_tuner_item *items;
	double best = 0;

	for (size_t i = 0; i < k->nr; i++) {
		items = k->choices[i].items;
		for (size_t j = 0; j < k->choices[i].nr_items; j++) {
			double worth =
				knapsack_worth(k, &items[k->places[i].cheapest], &items[j], spent);

			if (worth > best) {
				best = worth;
				place = i;
				item = j;
			}
		}
	}
	if (!(best > 0))
		return false;
	items = k->choices[place].items;
	knapsack_swap(k, &items[k->places[place].cheapest], &items[item], spent, spent);
	k->places[place].cheapest = item;
	return true;
}

/* A good choice to begin with, by swaps from the cheapest items, so that few states remain. */
static void knapsack_draft(struct knapsack *k)
{
	double spent[2] = {0, 0};

	for (size_t i = 0; i < k->nr; i++) {
		const struct nslab_tuner_item *item = &k->choices[i].items[k->places[i].cheapest];

		spent[0] += knapsack_spent(k, item, 0);
		spent[1] += knapsack_spent(k, item, 1);
	}
	for (size_t swaps = 0; swaps < 4 * k->nr && knapsack_improve(k, spent); swaps++)
		;
	knapsack_try(k);
	knapsack_relaxed(k); /* the cheapest again */
}

static int knapsack_by_spread(const void *a, const void *b)
{
	const struct knapsack_place *x = a, *y = b;

	if (x->spread != y->spread)
		return x->spread > y->spread ? -1 : 1;
	return x->choice < y->choice ? -1 : x->choice > y->choice;
}

static double knapsack_excess(const struct knapsack *k, const struct knapsack_place *place,
			      size_t item)
{
	const struct nslab_tuner_item *items = k->choices[place->choice].items;

	return knapsack_priced(k, &items[item]) - knapsack_priced(k, &items[place->cheapest]);
}

static bool knapsack_is_open(const struct knapsack *k, double excess)
{
	return k->bound + excess < k->best - k->eps;
}

static void knapsack_weigh(const struct knapsack *k, struct knapsack_place *place)
{
	const struct nslab_tuner_choice *choice = &k->choices[place->choice];
	const struct nslab_tuner_item *cheapest = &choice->items[place->cheapest];

	place->second = INFINITY;
	place->spread = 0;
	for (size_t j = 0; j < choice->nr_items; j++) {
		double excess = knapsack_excess(k, place, j), spread = 0;

		if (j == place->cheapest)
			continue;
		place->second = fmin(place->second, excess);
		for (int b = 0; b < 2; b++)
			spread += k->unit[b] * fabs(knapsack_spent(k, &choice->items[j], b) -
						    knapsack_spent(k, cheapest, b));
		if (knapsack_is_open(k, excess))
			place->spread = fmax(place->spread, spread);
	}
}

static void knapsack_sort(struct knapsack *k)
{
	for (size_t i = 0; i < k->nr; i++) {
		k->places[i].choice = i;
		knapsack_weigh(k, &k->places[i]);
	}
	qsort(k->places, k->nr, sizeof(*k->places), knapsack_by_spread);
}

/* Adds a place to the rest behind it; items that are not open will never be taken. */
static void knapsack_add_rest(const struct knapsack *k, const struct knapsack_place *place,
			      struct knapsack_rest *rest)
{
	const struct nslab_tuner_choice *choice = &k->choices[place->choice];
	const struct nslab_tuner_item *cheapest = &choice->items[place->cheapest];

	rest->loss += cheapest->loss;
	rest->second = fmin(rest->second, place->second);
	for (int b = 0; b < 2; b++) {
		double least = knapsack_spent(k, cheapest, b), most = least;

		rest->cheapest[b] += least;
		for (size_t j = 0; j < choice->nr_items; j++) {
			double spent = knapsack_spent(k, &choice->items[j], b);

			if (!knapsack_is_open(k, knapsack_excess(k, place, j)))
				continue;
			least = fmin(least, spent);
			most = fmax(most, spent);
		}
		rest->least[b] += least;
		rest->most[b] += most;
	}
}

static void knapsack_sum_rests(struct knapsack *k)
{
	k->rests[k->nr] = (struct knapsack_rest){.second = INFINITY};
	for (size_t at = k->nr; at-- > 0;) {
		k->rests[at] = k->rests[at + 1];
		knapsack_add_rest(k, &k->places[at], &k->rests[at]);
	}
}

/* Spending from which no rest reaches the budget; a little less, as sums are rounded. */
static double knapsack_floor(const struct knapsack *k, const struct knapsack_rest *rest, int b)
{
	double slack = 1e-12 * (fabs(k->budget[b]) + fabs(rest->most[b]));

	return k->is_bound[b] ? k->budget[b] - rest->most[b] - slack : -INFINITY;
}

/* The state after one more item; false when it leads to nothing better. */
static bool knapsack_step(const struct knapsack *k, size_t at, size_t parent, size_t item,
			  struct knapsack_state *next)
{
	const struct knapsack_place *place = &k->places[at];
	const struct nslab_tuner_item *taken = &k->choices[place->choice].items[item];
	const struct knapsack_rest *rest = &k->rests[at + 1];

	*next = k->states[parent];
	next->parent = parent;
	next->item = item;
	next->excess += knapsack_excess(k, place, item);
	next->loss += taken->loss;
	for (int b = 0; b < 2; b++) {
		double wasted;

		next->spent[b] += knapsack_spent(k, taken, b);
		if (next->spent[b] + rest->least[b] > k->budget[b])
			return false;
		wasted = fmax(knapsack_floor(k, rest, b) - next->spent[b], 0);
		next->spent[b] += wasted;
		next->excess += k->price[b] * wasted;
	}
	return knapsack_is_open(k, next->excess);
}

static int knapsack_push(struct knapsack *k, const struct knapsack_state *state)
{
	if (k->nr_states == k->max_states) {
		size_t max = k->max_states ? 2 * k->max_states : 1024;
		struct knapsack_state *states = realloc(k->states, max * sizeof(*states));

		if (!states)
			return -ENOMEM;
		k->states = states;
		k->max_states = max;
	}
	k->states[k->nr_states++] = *state;
	return 0;
}

static int knapsack_by_spending(const void *a, const void *b)
{
	const struct knapsack_state *x = a, *y = b;

	for (int i = 0; i < 2; i++) {
		if (x->spent[i] != y->spent[i])
			return x->spent[i] < y->spent[i] ? -1 : 1;
	}
	if (x->loss != y->loss)
		return x->loss < y->loss ? -1 : 1;
	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/* Adds a state to the stairs, whose losses fall as spending rises; false: it is dominated. */
static bool knapsack_climb(struct knapsack_stair *stairs, size_t *nr, double spent, double loss)
{
	size_t from = 0, to = *nr, end;

	while (from < to) { /* the first stair that spends more */
		size_t middle = (from + to) / 2;

		if (stairs[middle].spent <= spent)
			from = middle + 1;
		else
			to = middle;
	}
	if (from && stairs[from - 1].loss <= loss)
		return false;
	if (from && stairs[from - 1].spent == spent)
		from--;
	for (end = from; end < *nr && stairs[end].loss >= loss;)
		end++;
	memmove(&stairs[from + 1], &stairs[end], (*nr - end) * sizeof(*stairs));
	*nr = *nr - (end - from) + 1;
	stairs[from] = (struct knapsack_stair){spent, loss};
	return true;
}

/* Leaves of the states from `first` on those that no other dominates. */
static int knapsack_thin(struct knapsack *k, size_t first)
{
	size_t nr_layer = k->nr_states - first, kept = first, nr_stairs = 0;
	struct knapsack_stair *stairs = realloc(k->stairs, (nr_layer + 1) * sizeof(*stairs));

	if (!stairs)
		return -ENOMEM;
	k->stairs = stairs;
	if (nr_layer)
		qsort(k->states + first, nr_layer, sizeof(*k->states), knapsack_by_spending);
	for (size_t i = first; i < k->nr_states; i++) {
		if (knapsack_climb(stairs, &nr_stairs, k->states[i].spent[1], k->states[i].loss))
			k->states[kept++] = k->states[i];
	}
	k->nr_states = kept;
	return 0;
}

/* Keeps the choice that a state behind place `at` and the cheapest rest make. */
static void knapsack_keep(struct knapsack *k, size_t at, size_t state, double loss)
{
	k->best = loss;
	for (size_t i = at + 1; i < k->nr; i++)
		k->choices[k->places[i].choice].chosen = k->places[i].cheapest;
	for (size_t i = at + 1; i-- > 0; state = k->states[state].parent)
		k->choices[k->places[i].choice].chosen = k->states[state].item;
}

static void knapsack_complete(struct knapsack *k, size_t at, size_t first)
{
	const struct knapsack_rest *rest = &k->rests[at + 1];

	for (size_t i = first; i < k->nr_states; i++) {
		const struct knapsack_state *state = &k->states[i];
		double loss = state->loss + rest->loss;

		if (loss < k->best - k->eps &&
		    state->spent[0] + rest->cheapest[0] <= k->budget[0] &&
		    state->spent[1] + rest->cheapest[1] <= k->budget[1])
			knapsack_keep(k, at, i, loss);
	}
}

/* The states of one more place, from those between first and last. */
static int knapsack_layer(struct knapsack *k, size_t at, size_t first, size_t last)
{
	const struct nslab_tuner_choice *choice = &k->choices[k->places[at].choice];
	int rc = 0;

	for (size_t i = first; i < last; i++) {
		for (size_t item = 0; item < choice->nr_items && !rc; item++) {
			struct knapsack_state next;

			if (knapsack_step(k, at, i, item, &next))
				rc = knapsack_push(k, &next);
		}
	}
	if (!rc)
		rc = knapsack_thin(k, last);
	if (!rc)
		knapsack_complete(k, at, last);
	return rc;
}

static int knapsack_states(struct knapsack *k)
{
	const struct knapsack_state start = {.parent = KNAPSACK_NONE};
	size_t first = 0, last;
	int rc = knapsack_push(k, &start);

	for (size_t at = 0; at < k->nr && !rc; at++) {
		last = k->nr_states;
		if (first == last || !knapsack_is_open(k, k->rests[at].second))
			break; /* none is left, or all later choices are settled */
		rc = knapsack_layer(k, at, first, last);
		first = last;
	}
	return rc;
}

static int knapsack_search(struct knapsack *k)
{
	knapsack_measure(k);
	k->bound = knapsack_relaxed(k);
	if (isfinite(k->best))
		return 0; /* what is best for each fits */
	k->bound = knapsack_raise(k, 0);
	knapsack_draft(k);
	knapsack_sort(k);
	knapsack_sum_rests(k);
	return knapsack_states(k);
}

int nslab_tuner_knapsack(struct nslab_tuner_choice *choices, size_t nr_choices, double memory_bytes,
			 double high_pages)
{
	struct knapsack k = {
		.choices = choices,
		.nr = nr_choices,
		.budget = {memory_bytes, high_pages},
		.is_bound = {isfinite(memory_bytes), isfinite(high_pages)},
		.best = INFINITY,
		.places = calloc(nr_choices + 1, sizeof(*k.places)),
		.rests = calloc(nr_choices + 1, sizeof(*k.rests)),
	};
	int rc = k.places && k.rests ? knapsack_search(&k) : -ENOMEM;

	if (!rc && !isfinite(k.best))
		rc = -ENOSPC;
	free(k.places);
	free(k.rests);
	free(k.states);
	free(k.stairs);
	return rc;
}
