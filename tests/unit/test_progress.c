/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_progress.c: the time left of runs whose length is known beforehand.
 *
 * Time is a counter of the test's own. A run is played on it: blocks of cells that differ in
 * length, with planted noise and with time between the trials, so the end is known, and what
 * progress says on the way is held against it: the whole within 15 % from the first tenth on.
 */
#include "core/rng.h"
#include "runner/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS	 UINT64_C(1000000)
#define CELLS	 24
#define ROUNDS	 60
#define MAX_FRAC 0.15

static uint64_t fake_now_ns;

static uint64_t fake_clock_now(const struct nslab_clock *clock)
{
	(void)clock;
	return fake_now_ns;
}

static const struct nslab_clock fake_clock = {.now_ns = fake_clock_now};

struct played {
	size_t nr_rounds;
	uint64_t least_ns, step_ns; /* of cell i: least + i * step, then +-20 % */
	uint64_t between_ns;	    /* after each trial, on the average */
	size_t nr_before;	    /* trials that an earlier run finished */
	size_t dropped;		    /* this cell is given up in the second round; CELLS: none */
};

/* Every trial's length, so that the whole is known before it is played. */
static uint64_t played_trial_ns(const struct played *run, size_t round, size_t cell)
{
	uint64_t state = round * CELLS + cell + 1;
	uint64_t mean_ns = run->least_ns + cell * run->step_ns;

	return mean_ns * (80 + nslab_rng_below(&state, 41)) / 100;
}

static uint64_t played_between_ns(const struct played *run, size_t round, size_t cell)
{
	uint64_t state = (round * CELLS + cell + 1) * 977;

	return run->between_ns ? nslab_rng_below(&state, (uint32_t)(2 * run->between_ns)) : 0;
}

static bool played_is_run(const struct played *run, size_t round, size_t cell)
{
	return round * CELLS + cell >= run->nr_before && (cell != run->dropped || !round);
}

static uint64_t played_length_ns(const struct played *run)
{
	uint64_t sum_ns = 0;

	for (size_t round = 0; round < run->nr_rounds; round++) {
		for (size_t cell = 0; cell < CELLS; cell++) {
			if (played_is_run(run, round, cell))
				sum_ns += played_trial_ns(run, round, cell) +
					  played_between_ns(run, round, cell);
		}
	}
	return sum_ns;
}

static void check_left(const struct nslab_progress *progress, uint64_t length_ns, uint64_t spent_ns)
{
	double told_ns = (double)(spent_ns + nslab_progress_left_ns(progress));

	if (spent_ns < length_ns / 10)
		return;
	assert_true(told_ns > (1 - MAX_FRAC) * (double)length_ns);
	assert_true(told_ns < (1 + MAX_FRAC) * (double)length_ns);
}

static void play(const struct played *run)
{
	uint64_t length_ns = played_length_ns(run);
	struct nslab_progress progress;
	uint64_t start_ns;

	fake_now_ns = 12345 * MS;
	start_ns = fake_now_ns;
	assert_int_equal(nslab_progress_start(&progress, NULL, &fake_clock, CELLS, run->nr_rounds),
			 0);
	for (size_t round = 0; round < run->nr_rounds; round++) {
		for (size_t cell = 0; cell < CELLS; cell++) {
			if (!played_is_run(run, round, cell) && cell == run->dropped) {
				nslab_progress_drop(&progress, cell);
				continue;
			}
			if (played_is_run(run, round, cell)) {
				nslab_progress_begin(&progress);
				fake_now_ns += played_trial_ns(run, round, cell);
			}
			nslab_progress_step(&progress, cell, "cell");
			if (played_is_run(run, round, cell))
				fake_now_ns += played_between_ns(run, round, cell);
			check_left(&progress, length_ns, fake_now_ns - start_ns);
		}
	}
	assert_int_equal(fake_now_ns - start_ns, length_ns);
	assert_int_equal(nslab_progress_left_ns(&progress), 0);
	assert_int_equal(progress.nr_done, progress.nr_total);
	nslab_progress_end(&progress);
}

static void progress_tells_the_end_when_cells_are_alike(void **state)
{
	(void)state;
	play(&(struct played){.nr_rounds = 6, .least_ns = 250 * MS, .dropped = CELLS});
}

static void progress_tells_the_end_when_cells_differ(void **state)
{
	(void)state;
	play(&(struct played){
		.nr_rounds = 10, .least_ns = 50 * MS, .step_ns = 60 * MS, .dropped = CELLS});
	play(&(struct played){
		.nr_rounds = ROUNDS, .least_ns = 5 * MS, .step_ns = 100 * MS, .dropped = CELLS});
}

static void progress_tells_the_end_when_the_host_is_waited_for(void **state)
{
	(void)state;
	play(&(struct played){.nr_rounds = 12,
			      .least_ns = 100 * MS,
			      .step_ns = 10 * MS,
			      .between_ns = 120 * MS,
			      .dropped = CELLS});
}

static void progress_does_not_count_the_time_of_an_earlier_run(void **state)
{
	(void)state;
	play(&(struct played){.nr_rounds = 10,
			      .least_ns = 100 * MS,
			      .step_ns = 5 * MS,
			      .nr_before = 5 * CELLS,
			      .dropped = CELLS});
}

static void progress_forgets_a_cell_that_was_given_up(void **state)
{
	struct nslab_progress progress;

	(void)state;
	fake_now_ns = 1 * MS;
	assert_int_equal(nslab_progress_start(&progress, NULL, &fake_clock, 2, 10), 0);
	for (size_t cell = 0; cell < 2; cell++) {
		nslab_progress_begin(&progress);
		fake_now_ns += cell ? 30000 * MS : 100 * MS;
		nslab_progress_step(&progress, cell, "cell");
	}
	assert_true(nslab_progress_left_ns(&progress) > 250000 * MS);
	nslab_progress_drop(&progress, 1);
	assert_int_equal(progress.nr_total, 11);
	assert_int_equal(nslab_progress_left_ns(&progress), 900 * MS);
	nslab_progress_drop(&progress, 1);
	assert_int_equal(progress.nr_total, 11);
	nslab_progress_end(&progress);
}

static void progress_ends_with_the_budget_when_there_is_one(void **state)
{
	struct nslab_progress progress;

	(void)state;
	fake_now_ns = 0;
	assert_int_equal(nslab_progress_start(&progress, NULL, &fake_clock, 1, 1000), 0);
	progress.limit_ns = 10000 * MS;
	for (int i = 1; i <= 10; i++) {
		nslab_progress_begin(&progress);
		fake_now_ns += 1000 * MS;
		nslab_progress_step(&progress, 0, "cell");
		assert_int_equal(nslab_progress_left_ns(&progress),
				 (10000 - (uint64_t)i * 1000) * MS);
	}
	nslab_progress_end(&progress);
}

/* A file gets a plain line every ten seconds, without colours or carriage returns. */
static void progress_writes_few_plain_lines_when_out_is_no_terminal(void **state)
{
	struct nslab_progress progress;
	char text[4096] = "";
	size_t nr_lines = 0;
	FILE *out = tmpfile();

	(void)state;
	assert_non_null(out);
	fake_now_ns = 0;
	assert_int_equal(nslab_progress_start(&progress, out, &fake_clock, 1, 100), 0);
	for (int i = 0; i < 20; i++) /* of an earlier run: they make no rate */
		nslab_progress_step(&progress, 0, "size=64");
	for (int i = 0; i < 80; i++) {
		nslab_progress_begin(&progress);
		fake_now_ns += 500 * MS;
		nslab_progress_step(&progress, 0, "size=64");
	}
	nslab_progress_end(&progress);
	rewind(out);
	text[fread(text, 1, sizeof(text) - 1, out)] = '\0';
	fclose(out);
	for (const char *c = text; *c; c++)
		nr_lines += *c == '\n';
	assert_int_equal(nr_lines, 4);
	assert_null(strpbrk(text, "\r\033"));
	assert_non_null(strstr(text, "[########            ] 40/100 2.0/s 0:30 left  size=64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_tells_the_end_when_cells_are_alike),
		cmocka_unit_test(progress_tells_the_end_when_cells_differ),
		cmocka_unit_test(progress_tells_the_end_when_the_host_is_waited_for),
		cmocka_unit_test(progress_does_not_count_the_time_of_an_earlier_run),
		cmocka_unit_test(progress_forgets_a_cell_that_was_given_up),
		cmocka_unit_test(progress_ends_with_the_budget_when_there_is_one),
		cmocka_unit_test(progress_writes_few_plain_lines_when_out_is_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
