#!/usr/bin/env Rscript
# SPDX-License-Identifier: GPL-2.0-only
# vectors.R > vectors.tsv: statistics as R computes them, for tests/unit/test_stats_vectors.c.
#
# One line for each vector: kind, parameters, wanted values, then one or two samples; fields are
# separated by tabs, numbers by commas, NA is "nan". R's own functions wherever it has them
# (quantile, mad, wilcox.test, p.adjust, qnorm, qbinom, anova); Mann-Whitney with ties, for which R
# has only an approximation, by listing every draw with combn. Needs r-base-core, nothing else.
set.seed(20250102)

text <- function(x) paste(ifelse(is.na(x), "nan", sprintf("%.17g", x)), collapse = ",")
put <- function(kind, parameters, want, ...)
	cat(kind, text(parameters), text(want), sapply(list(...), text), sep = "\t", fill = FALSE)
line <- function(...) { put(...); cat("\n") }

cat("# R ", R.version$major, ".", R.version$minor, ", made by vectors.R\n", sep = "")

for (n in c(1, 2, 3, 7, 20, 101)) {
	x <- rexp(n) * 10
	for (q in c(0, 0.1, 0.25, 0.5, 0.99, 1))
		line("quantile", q, quantile(x, q, type = 7, names = FALSE), x)
	line("mad", 0, mad(x, constant = 1), x)
}

for (tail in c(0.5, 0.25, 0.1, 0.025, 0.005, 1e-6, 1e-12))
	line("normal", tail, qnorm(tail, lower.tail = FALSE), 0)

for (n in c(5, 6, 9, 20, 41, 200)) for (confidence in c(0.9, 0.95, 0.99)) {
	x <- sort(rexp(n))
	k <- qbinom((1 - confidence) / 2, n, 0.5)
	want <- if (k > 0) c(x[k], x[n - k + 1]) else c(NA, NA)
	line("median_interval", confidence, want, x)
}

# estimate, lo, hi, p; no ties. R gives a wider level where there is no interval: NA there
for (n in c(5, 6, 7, 10, 15, 20, 30, 49, 100, 200)) for (confidence in c(0.9, 0.95, 0.99)) {
	x <- rt(n, 3) * 0.02 + 0.005
	has <- 2 * psignrank(0, n) <= 1 - confidence
	w <- suppressWarnings(wilcox.test(x, exact = TRUE, conf.int = TRUE,
		conf.level = confidence))
	line("paired", confidence,
		c(w$estimate, if (has) w$conf.int[1:2] else c(NA, NA), w$p.value), x)
}

# shift b - a: estimate, lo, hi, p, 1 when exact
for (size in list(c(1, 1), c(2, 3), c(3, 3), c(4, 4), c(5, 5), c(3, 12), c(10, 10), c(9, 30),
	c(20, 20), c(33, 47), c(4, 400), c(100, 100))) for (confidence in c(0.9, 0.95, 0.99)) {
	a <- rexp(size[1])
	b <- rexp(size[2]) * 1.3
	has <- 2 * pwilcox(0, size[1], size[2]) <= 1 - confidence
	w <- suppressWarnings(wilcox.test(b, a, exact = TRUE, conf.int = TRUE,
		conf.level = confidence))
	line("unpaired", confidence,
		c(w$estimate, if (has) w$conf.int[1:2] else c(NA, NA), w$p.value, 1), a, b)
}

# with ties: p by listing all draws; 1 when exact
for (i in 1:24) {
	a <- sample(1:(2 + i %/% 2), 2 + i %% 6, replace = TRUE)
	b <- sample(1:(2 + i %/% 2), 2 + i %% 5, replace = TRUE) + i %% 3
	ranks <- rank(c(a, b))
	sums <- colSums(matrix(combn(2 * ranks, length(a)), nrow = length(a)))
	at <- sum(2 * ranks[seq_along(a)])
	line("tied", 0, c(min(1, 2 * min(mean(sums <= at), mean(sums >= at))), 1), a, b)
}

# too large to count: the normal approximation with both corrections
for (size in list(c(60, 60), c(51, 50), c(30, 200))) {
	a <- round(rexp(size[1]), 1)
	b <- round(rexp(size[2]) * 1.2, 1)
	w <- wilcox.test(b, a, exact = FALSE, correct = TRUE)
	line("tied", 0, c(w$p.value, 0), a, b)
}
for (size in list(c(120, 100), c(150, 90))) {
	a <- rexp(size[1])
	b <- rexp(size[2]) * 1.2
	w <- wilcox.test(b, a, exact = FALSE, correct = TRUE)
	line("tied", 0, c(w$p.value, 0), a, b)
}

for (n in c(1, 2, 5, 10, 57)) {
	p <- runif(n) ^ 3
	if (n > 4) p[3] <- p[2]
	line("holm", 0, p.adjust(p, "holm"), p)
	line("bh", 0, p.adjust(p, "BH"), p)
}

# sizes by level from the inside; own variance of each level from the mean squares
for (i in 1:4) {
	sizes <- list(c(5, 8), c(20, 10), c(2, 2), c(3, 40))[[i]]
	trial <- factor(rep(seq_len(sizes[2]), each = sizes[1]))
	x <- rnorm(prod(sizes), sd = 0.02) + rnorm(sizes[2], sd = 0.01 * i)[trial]
	ms <- anova(lm(x ~ trial))[["Mean Sq"]]
	line("levels", sizes, c(ms[2], max(0, (ms[1] - ms[2]) / sizes[1])), x)
}
for (i in 1:3) {
	sizes <- list(c(4, 5, 3), c(10, 6, 4), c(2, 3, 2))[[i]]
	build <- factor(rep(seq_len(sizes[3]), each = sizes[1] * sizes[2]))
	trial <- factor(rep(seq_len(sizes[2] * sizes[3]), each = sizes[1]))
	x <- rnorm(prod(sizes), sd = 0.02) + rnorm(nlevels(trial), sd = 0.03)[trial] +
		rnorm(sizes[3], sd = 0.05)[build]
	ms <- anova(lm(x ~ build + build:trial))[["Mean Sq"]]
	line("levels", sizes, c(ms[3], max(0, (ms[2] - ms[3]) / sizes[1]),
		max(0, (ms[1] - ms[2]) / (sizes[1] * sizes[2]))), x)
}
