// SPDX-License-Identifier: GPL-2.0-only
/*
 * dominance.c: candidates that no objective and no budget can prefer, and the front of the rest.
 *
 * A candidate goes when another is nowhere worse. What is compared is all that a loss and a budget
 * grow with (memory, locks, slab work, weighted high-order pages, and those in larger blocks than
 * now), so that no optimum is lost; of equals now stays, else the first. Only a candidate that is
 * still unmarked marks another, so that something as good is always left.
 *
 * Two candidates that were counted are compared by their counts, if now was counted too. Two that
 * were not are compared by formula, and only when they differ in nothing but the order: what the
 * other dimensions gain no formula tells. A counted one and an uncounted one are not compared.
 */
#include "tuner/loss.h"

#include <stdio.h>

#define DOMINANCE_AXES 5

static void dominance_axes(const struct nslab_tuner_group *group,
			   const struct nslab_tuner_candidate *candidate, bool by_counts,
			   double axes[DOMINANCE_AXES])
{
	axes[0] = candidate->cost.memory_bytes;
	axes[1] = nslab_tuner_locks(group, candidate, by_counts);
	axes[2] = nslab_tuner_slab_work(group, candidate, by_counts);
	axes[3] = nslab_tuner_high_pages(group, candidate, by_counts);
	axes[4] = nslab_tuner_larger_pages(group, candidate, by_counts);
}

static bool dominance_is_order_alone(const struct nslab_tuner_candidate *candidate)
{
	return candidate->setting.cpu_partial == NSLAB_AUTO &&
	       candidate->setting.min_partial == NSLAB_AUTO &&
	       candidate->setting.sheaf_capacity == NSLAB_AUTO;
}

/* Is there something to compare them by? */
static bool dominance_can_compare(const struct nslab_tuner_group *group,
				  const struct nslab_tuner_candidate *a,
				  const struct nslab_tuner_candidate *b, bool *by_counts)
{
	*by_counts = nslab_tuner_has_counts(group, a) && nslab_tuner_is_counted(b);
	return *by_counts || (!nslab_tuner_is_counted(a) && !nslab_tuner_is_counted(b) &&
			      dominance_is_order_alone(a) && dominance_is_order_alone(b));
}

static bool dominance_is_over(const struct nslab_tuner_group *group,
			      const struct nslab_tuner_candidate *winner,
			      const struct nslab_tuner_candidate *loser)
{
	double have[DOMINANCE_AXES], want[DOMINANCE_AXES];
	bool by_counts, is_better = false;

	if (!dominance_can_compare(group, winner, loser, &by_counts))
		return false;
	dominance_axes(group, winner, by_counts, have);
	dominance_axes(group, loser, by_counts, want);
	for (int i = 0; i < DOMINANCE_AXES; i++) {
		if (!(have[i] <= want[i])) /* a NaN is no reason */
			return false;
		is_better |= have[i] < want[i];
	}
	return is_better || winner == nslab_tuner_now(group) || winner < loser;
}

static void dominance_mark(const struct nslab_tuner_group *group,
			   const struct nslab_tuner_candidate *winner,
			   struct nslab_tuner_candidate *loser)
{
	double have[DOMINANCE_AXES], want[DOMINANCE_AXES];
	char words[DOMINANCE_AXES - 1][16], setting[48];
	bool by_counts;

	dominance_can_compare(group, winner, loser, &by_counts);
	dominance_axes(group, winner, by_counts, have);
	dominance_axes(group, loser, by_counts, want);
	for (int i = 0; i < DOMINANCE_AXES - 1; i++)
		nslab_tuner_percent(want[i], have[i], words[i], sizeof(words[i]));
	nslab_tuner_setting_text(&winner->setting, setting, sizeof(setting));
	loser->fate = NSLAB_TUNER_DOMINATED;
	snprintf(loser->why, sizeof(loser->why),
		 "%s is nowhere worse: memory %s, locks %s, slab work %s, high-order pages %s",
		 setting, words[0], words[1], words[2], words[3]);
}

static bool dominance_is_in(const struct nslab_tuner_candidate *candidate)
{
	return candidate->fate == NSLAB_TUNER_KEPT || candidate->fate == NSLAB_TUNER_CONFIRMED;
}

void nslab_tuner_prune(struct nslab_tuner_group *group)
{
	for (size_t i = 0; i < group->nr_candidates; i++) {
		struct nslab_tuner_candidate *loser = &group->candidates[i];

		if (i == group->now || !dominance_is_in(loser))
			continue;
		for (size_t j = 0; j < group->nr_candidates; j++) {
			const struct nslab_tuner_candidate *winner = &group->candidates[j];

			if (i == j || !dominance_is_in(winner) ||
			    !dominance_is_over(group, winner, loser))
				continue;
			dominance_mark(group, winner, loser);
			break;
		}
	}
}

/* Is no other point nearer in both, nor the same point earlier? */
static bool dominance_is_front(const struct nslab_tuner_terms *terms, size_t nr, size_t at)
{
	for (size_t i = 0; i < nr; i++) {
		bool is_as_good = terms[i].time <= terms[at].time &&
				  terms[i].memory_bytes <= terms[at].memory_bytes;
		bool is_same = terms[i].time == terms[at].time &&
			       terms[i].memory_bytes == terms[at].memory_bytes;

		if (is_as_good && (is_same ? i < at : true))
			return false;
	}
	return true;
}

size_t nslab_tuner_front(const struct nslab_tuner_advice *advice,
			 const struct nslab_tuner_group *group, size_t *indexes)
{
	struct nslab_tuner_terms terms[32];
	size_t nr = 0, nr_terms = group->nr_candidates;

	if (nr_terms > sizeof(terms) / sizeof(*terms))
		nr_terms = sizeof(terms) / sizeof(*terms);
	for (size_t i = 0; i < nr_terms; i++)
		nslab_tuner_terms(advice, group, &group->candidates[i], &terms[i]);
	for (size_t i = 0; i < nr_terms; i++) {
		size_t at = nr;

		if (!dominance_is_front(terms, nr_terms, i))
			continue;
		for (; at && terms[indexes[at - 1]].memory_bytes > terms[i].memory_bytes; at--)
			indexes[at] = indexes[at - 1];
		indexes[at] = i;
		nr++;
	}
	return nr;
}
