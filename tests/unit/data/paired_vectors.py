#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes paired.tsv: reference values for nslab_paired_compare().

Nothing here shares a formula with stats.c. Up to n = 12 the p value comes from all 2^n sign flips
of the observed ranks and the critical value from all 2^n flips of 1..n; above that, whole-number
counting of subsets. Means are exact fractions until they are written down.

Columns: confidence, estimate, lo, hi, p, values separated by commas (hexadecimal floats).
"""
import itertools
import math
import random
import sys
from fractions import Fraction

def midranks(values):
    """Doubled mid-ranks of |values| without zeros, in the order of the values."""
    kept = [v for v in values if v]
    sizes = sorted(abs(v) for v in kept)
    return kept, [sizes.index(abs(v)) + 1 + len(sizes) - sizes[::-1].index(abs(v)) for v in kept]

def subset_counts(ranks):
    """How many subsets of ranks have each sum."""
    if len(ranks) <= 12:
        counts = {}
        for flips in itertools.product((0, 1), repeat=len(ranks)):
            total = sum(r for r, f in zip(ranks, flips) if f)
            counts[total] = counts.get(total, 0) + 1
        return counts
    counts = {0: 1}
    for r in ranks:
        grown = dict(counts)
        for total, ways in counts.items():
            grown[total + r] = grown.get(total + r, 0) + ways
        counts = grown
    return counts

def p_value(values):
    kept, ranks = midranks(values)
    counts = subset_counts(ranks)
    plus = sum(r for v, r in zip(kept, ranks) if v > 0)
    low = sum(w for s, w in counts.items() if s <= plus)
    high = sum(w for s, w in counts.items() if s >= plus)
    return min(Fraction(1), 2 * Fraction(min(low, high), 2 ** len(kept)))

def interval(values, confidence):
    n = len(values)
    exact = [Fraction(v) for v in values]
    means = sorted((exact[i] + exact[j]) / 2 for i in range(n) for j in range(i, n))
    middle = (means[(len(means) - 1) // 2] + means[len(means) // 2]) / 2
    counts = subset_counts(list(range(1, n + 1)))
    alpha = (1 - Fraction(confidence)) / 2
    c = 0
    while Fraction(sum(w for s, w in counts.items() if s <= c), 2 ** n) <= alpha:
        c += 1
    if c == 0:
        return middle, None, None
    return middle, means[c - 1], means[len(means) - c]

def cases():
    rng = random.Random(20240611)
    for n in range(1, 13):
        yield 0.95, [rng.gauss(0.01, 0.02) for _ in range(n)]
        yield 0.95, [rng.randint(-3, 4) / 64 for _ in range(n)]  # ties and zeros
        yield 0.90, [rng.randint(-2, 5) / 8 for _ in range(n)]
    yield 0.95, [0.0] * 7
    yield 0.95, [0.5] * 6
    yield 0.95, [-0.25] * 8
    yield 0.95, [1.0, -1.0, 1.0, -1.0, 1.0, -1.0]
    for n in (15, 20, 25, 40, 60, 100, 200):
        yield 0.95, [rng.gauss(0.003, 0.02) for _ in range(n)]
        yield 0.99, [rng.randint(-9, 11) / 128 for _ in range(n)]

def text(x):
    return "nan" if x is None else float(x).hex()

def main():
    out = open(sys.argv[1], "w", encoding="ascii") if len(sys.argv) > 1 else sys.stdout
    for confidence, values in cases():
        estimate, lo, hi = interval(values, confidence)
        row = [text(confidence), text(estimate), text(lo), text(hi), text(p_value(values))]
        out.write("\t".join(row + [",".join(float(v).hex() for v in values)]) + "\n")

main()
