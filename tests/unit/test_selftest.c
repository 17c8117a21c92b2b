/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_selftest.c: the self-tests on machines whose noise is planted.
 *
 * A planted machine has a clock of its own that moves only when work is done: by a cost per
 * operation, a drift that wanders from trial to trial, and seeded noise with a heavy tail. Trials
 * are taken with nslab_meter_run, as a worker takes them, so that what is judged went through the
 * program's own windows and statistic; no figure depends on this machine's speed. The launch of a
 * trial is planted too: the documents come from the same clock.
 */
#define _GNU_SOURCE
#include "runner/selftest.h"

#include "core/rng.h"
#include "runner/exec.h"
#include "runner/measure.h"
#include "runner/record.h"
#include "runner/world.h"

#include <errno.h>
#include <math.h>
#include <numaslab/slab.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define CONTRASTS  200
#define BLOCKS	   10
#define NR_BLOCKS  (CONTRASTS * BLOCKS)
#define WINDOWS	   20
#define WINDOW_NS  1000000
#define BASE_NS	   10.0
#define DRIFT_STEP 0.004 /* of the walk from trial to trial */

/* ---- a planted machine ---- */

struct machine {
	struct nslab_clock clock;
	struct nslab_timed timed;
	struct nslab_meter_hooks hooks;
	uint64_t now_ns, seed;
	double drift; /* log of what the machine has slowed down by */
	double drift_step, noise;
	double trial_ns; /* per operation, of the trial at hand */
};

static struct machine machine; /* clocks carry no context of their own */

/* Uniform in -1 .. 1. */
static double noise(uint64_t *seed)
{
	return (double)(nslab_rng_next(seed) >> 11) / (double)(1ull << 52) - 1.0;
}

static uint64_t machine_now(const struct nslab_clock *clock)
{
	(void)clock;
	return machine.now_ns;
}

/* A twentieth of all chunks meets somebody else. */
static size_t machine_batch(struct nslab_timed *timed, size_t n)
{
	double slow = nslab_rng_below(&machine.seed, 20) ? 0 : machine.noise * 10;

	(void)timed;
	machine.now_ns += (uint64_t)(machine.trial_ns * (1 + slow) * (double)n) + 1;
	return n;
}

static void machine_hook(struct nslab_meter_hooks *hooks)
{
	(void)hooks;
}

static void machine_start(uint64_t seed, double drift_step, double noise_share)
{
	machine = (struct machine){
		.clock = {machine_now, machine_now},
		.timed = {machine_batch},
		.hooks = {.on_start = machine_hook,
			  .on_stop = machine_hook,
			  .on_all_done = machine_hook},
		.seed = seed,
		.drift_step = drift_step,
		.noise = noise_share,
	};
}

/* The windows of a trial of an arm that costs `scale` times the base. */
static void machine_trial(double scale, struct nslab_window windows[WINDOWS])
{
	atomic_bool is_stopping = false;
	struct nslab_meter meter = {
		.clock = &machine.clock,
		.warmup_ns = WINDOW_NS,
		.window_ns = WINDOW_NS,
		.nr_windows = WINDOWS,
		.nr_workers = 1,
		.is_stopping = &is_stopping,
	};

	machine.drift += machine.drift_step * noise(&machine.seed);
	machine.trial_ns =
		BASE_NS * scale * exp(machine.drift + machine.noise * noise(&machine.seed));
	memset(windows, 0, WINDOWS * sizeof(*windows));
	assert_int_equal(
		nslab_meter_run(&meter, &machine.timed, machine.seed, &machine.hooks, windows), 0);
	for (int i = 0; i < WINDOWS; i++)
		windows[i].is_counted = true;
}

/* ns per operation: the first quartile of the windows. */
static double machine_value(double scale)
{
	struct nslab_window windows[WINDOWS];
	double ns_per_op[WINDOWS];

	machine_trial(scale, windows);
	for (int i = 0; i < WINDOWS; i++)
		ns_per_op[i] = (double)windows[i].ns / (double)windows[i].ops;
	return nslab_reduce(ns_per_op, WINDOWS, NSLAB_STATISTIC_Q25);
}

/* ---- cells ---- */

static char family[] = "pingpong size=256";

struct cells {
	struct nslab_cell_values values[3]; /* A, A', arm */
	int blocks[NR_BLOCKS];
	double ns_per_op[3][NR_BLOCKS];
	struct nslab_cell_list list;
};

static struct cells *cells_create(size_t nr_blocks, double arm_scale)
{
	static const char *const labels[] = {"slub", "slub", "more"};
	struct cells *cells = calloc(1, sizeof(*cells));

	assert_non_null(cells);
	for (size_t c = 0; c < 3; c++) {
		cells->values[c] = (struct nslab_cell_values){
			.id = (int64_t)c + 1,
			.cell = {.key = labels[c],
				 .family = family,
				 .arm = labels[c],
				 .is_baseline = c == 0,
				 .is_twin = c == 1},
			.nr = nr_blocks,
			.blocks = cells->blocks,
			.ns_per_op = cells->ns_per_op[c],
		};
	}
	cells->list = (struct nslab_cell_list){.nr = 3, .cells = cells->values};
	for (size_t b = 0; b < nr_blocks; b++) {
		size_t first = nslab_rng_below(&machine.seed, 3);

		cells->blocks[b] = (int)b;
		for (size_t i = 0; i < 3; i++) {
			size_t c = (first + i) % 3;

			cells->ns_per_op[c][b] = machine_value(c == 2 ? arm_scale : 1);
		}
	}
	return cells;
}

static void judge(const struct cells *cells, struct nslab_aa *aa)
{
	assert_int_equal(
		nslab_aa_judge(&cells->values[0], &cells->values[1], CONTRASTS, BLOCKS, aa), 0);
}

/* ---- rates ---- */

/* From binom.test of R 4.2.2; without a success by hand: 1 - 0.025^(1/n). */
static void rate_is_exact(void **state)
{
	struct nslab_rate rate;

	(void)state;
	nslab_rate_set(&rate, 7, 200);
	assert_true(fabs(rate.rate - 0.035) < 1e-12);
	assert_true(fabs(rate.lo - 0.0141855258984) < 1e-9);
	assert_true(fabs(rate.hi - 0.0707809983510) < 1e-9);
	nslab_rate_set(&rate, 83, 200);
	assert_true(fabs(rate.lo - 0.345933668181) < 1e-9);
	assert_true(fabs(rate.hi - 0.486624685617) < 1e-9);
	nslab_rate_set(&rate, 0, 200);
	assert_true(rate.lo == 0.0);
	assert_true(fabs(rate.hi - (1 - pow(0.025, 1.0 / 200))) < 1e-9);
	nslab_rate_set(&rate, 200, 200);
	assert_true(fabs(rate.lo - pow(0.025, 1.0 / 200)) < 1e-9);
	assert_true(rate.hi == 1.0);
	nslab_rate_set(&rate, 0, 0);
	assert_true(isnan(rate.rate) && isnan(rate.lo) && isnan(rate.hi));
}

/* ---- A/A ---- */

static void aa_holds_its_level_while_the_machine_drifts(void **state)
{
	struct cells *cells;
	struct nslab_aa aa;

	(void)state;
	machine_start(11, DRIFT_STEP, 0.01);
	cells = cells_create(NR_BLOCKS, 1);
	judge(cells, &aa);
	assert_int_equal(aa.paired.nr, CONTRASTS);
	assert_int_equal(aa.nr_left_out, 0);
	assert_true(aa.is_passed);
	assert_true(aa.paired.rate < 0.10);
	/* the same trials, one after the other: the drift passes for a difference */
	assert_int_equal(aa.sequential.nr, CONTRASTS);
	assert_true(aa.sequential.lo > 0.05);
	free(cells);
}

static void aa_sequential_is_right_when_nothing_drifts(void **state)
{
	struct cells *cells;
	struct nslab_aa aa;

	(void)state;
	machine_start(12, 0, 0.01);
	cells = cells_create(NR_BLOCKS, 1);
	judge(cells, &aa);
	assert_true(aa.is_passed);
	assert_true(aa.sequential.lo <= 0.05);
	free(cells);
}

/* A harness that favours one arm must not pass. */
static void aa_fails_when_the_twin_differs(void **state)
{
	struct cells *cells;
	struct nslab_aa aa;

	(void)state;
	machine_start(13, DRIFT_STEP, 0.01);
	cells = cells_create(NR_BLOCKS, 1);
	for (size_t b = 0; b < NR_BLOCKS; b++)
		cells->ns_per_op[1][b] *= 1.02;
	judge(cells, &aa);
	assert_false(aa.is_passed);
	assert_true(aa.paired.lo > 0.05);
	free(cells);
}

static void aa_leaves_out_what_lacks_a_trial(void **state)
{
	struct cells *cells;
	struct nslab_aa aa;

	(void)state;
	machine_start(14, 0, 0.01);
	cells = cells_create(NR_BLOCKS, 1);
	cells->values[1].nr -= 1; /* the last block of the last contrast */
	cells->ns_per_op[0][0] = NAN;
	judge(cells, &aa);
	assert_int_equal(aa.nr_left_out, 2);
	assert_int_equal(aa.paired.nr, CONTRASTS - 2);
	free(cells);
}

static void aa_refuses_contrasts_without_an_interval(void **state)
{
	struct nslab_cell_values cell = {.nr = 0};
	struct nslab_aa aa;

	(void)state;
	assert_int_equal(nslab_aa_judge(&cell, &cell, 10, 5, &aa), -EINVAL);
	assert_int_equal(nslab_aa_judge(&cell, &cell, 10, 6, &aa), 0);
	assert_int_equal(aa.nr_left_out, 10);
	assert_false(aa.is_passed);
}

/* ---- injection ---- */

static void injection(double share, double told, struct nslab_injection *result)
{
	struct nslab_err err = {""};
	struct cells *cells = cells_create(20, 1 + share);

	assert_int_equal(nslab_injection_judge(&cells->list, told, result, &err), 0);
	assert_int_equal(result->nr_blocks, 20);
	free(cells);
}

static void inject_finds_3_percent_and_its_size(void **state)
{
	struct nslab_injection result;

	(void)state;
	machine_start(21, DRIFT_STEP, 0.01);
	injection(0.03, 0.03, &result);
	assert_true(result.is_found && result.is_sized && result.is_twin_same);
	assert_true(result.is_passed);
	assert_true(fabs(result.estimate - 0.03) < 0.01);
	assert_true(result.lo > 0);
}

static void inject_fails_when_nothing_was_injected(void **state)
{
	struct nslab_injection result;

	(void)state;
	machine_start(22, DRIFT_STEP, 0.01);
	injection(0, 0.03, &result);
	assert_false(result.is_found);
	assert_false(result.is_passed);
	assert_false(result.is_blind);
}

static void inject_fails_when_the_size_is_wrong(void **state)
{
	struct nslab_injection result;

	(void)state;
	machine_start(23, DRIFT_STEP, 0.01);
	injection(0.06, 0.03, &result);
	assert_true(result.is_found);
	assert_false(result.is_sized);
	assert_false(result.is_passed);
	assert_false(result.is_blind);
}

static void inject_blames_the_host_when_it_is_too_noisy(void **state)
{
	struct nslab_injection result;

	(void)state;
	machine_start(24, DRIFT_STEP, 0.5);
	injection(0.03, 0.03, &result);
	assert_false(result.is_passed);
	assert_true(result.is_blind);
}

static void inject_needs_a_twin_and_an_arm(void **state)
{
	struct nslab_injection result;
	struct nslab_err err = {""};
	struct cells *cells;

	(void)state;
	machine_start(25, 0, 0.01);
	cells = cells_create(20, 1);
	cells->list.nr = 2;
	assert_int_equal(nslab_injection_judge(&cells->list, 0.03, &result, &err), -EINVAL);
	cells->list.nr = 1;
	assert_int_equal(nslab_injection_judge(&cells->list, 0.03, &result, &err), -EINVAL);
	free(cells);
}

/* ---- the backend inject ---- */

static void open_world(const struct nslab_registry *registry, const char *name, const void *params,
		       struct nslab_topo *topo, struct nslab_world **world)
{
	const struct nslab_entry_record *allocator, *page;
	struct nslab_err err = {""};
	struct nslab_arena_spec arena = {
		.topo = topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.node_bytes = 8 << 20,
		.nr_cpus = 1,
	};
	struct nslab_world_spec spec = {.allocator_params = params, .arena = &arena};

	assert_int_equal(
		nslab_registry_get(registry, NSLAB_PLUGIN_ALLOCATOR, name, &allocator, &err), 0);
	assert_int_equal(nslab_registry_get(registry, NSLAB_PLUGIN_PAGE, "buddy", &page, &err), 0);
	spec.allocator = allocator->ops.allocator;
	spec.page = page->ops.page;
	assert_int_equal(nslab_world_open(&spec, world, &err), 0);
}

/* Allocations that slub itself counts for nr pairs under extra_pct. */
static uint64_t counted_allocations(const struct nslab_registry *registry, struct nslab_topo *topo,
				    int64_t extra_pct, int nr)
{
	struct nslab_cache_spec spec = {.name = "counted",
					.object_size = 64,
					.order = NSLAB_AUTO,
					.min_partial = NSLAB_AUTO,
					.cpu_partial = NSLAB_AUTO,
					.sheaf_capacity = NSLAB_AUTO};
	struct nslab_cache_stats stats = {0};
	struct nslab_world *world;
	struct nslab_heap *heap;
	struct nslab_cpu *cpu;
	struct kmem_cache *s;

	open_world(registry, "inject", &extra_pct, topo, &world);
	heap = nslab_world_heap(world);
	assert_int_equal(heap->ops->cache_create(heap, &spec, &s), 0);
	assert_int_equal(nslab_world_cpu_online(world, 0, 0, &cpu), 0);
	for (int i = 0; i < nr; i++)
		kmem_cache_free(cpu, s, kmem_cache_alloc(cpu, s, GFP_KERNEL));
	heap->ops->cache_stats(s, &stats);
	nslab_world_cpu_offline(world, cpu);
	assert_int_equal(nslab_world_cache_destroy(world, s), 0);
	nslab_world_close(world);
	assert_true(stats.is_counted);
	return stats.stat[NSLAB_STAT_ALLOC_FASTPATH] + stats.stat[NSLAB_STAT_ALLOC_SLOWPATH];
}

static void inject_does_exactly_the_share_more(void **state)
{
	struct nslab_topo_source source = {.origin = NSLAB_TOPO_MACHINE};
	struct nslab_registry *registry;
	struct nslab_err err = {""};
	struct nslab_topo *topo;

	(void)state;
	assert_int_equal(nslab_topo_load(&source, &topo, &err), 0);
	assert_int_equal(nslab_registry_open(NULL, &registry, &err), 0);
	assert_int_equal(counted_allocations(registry, topo, 0, 10000), 10000);
	assert_int_equal(counted_allocations(registry, topo, 3, 10000), 10300);
	assert_int_equal(counted_allocations(registry, topo, 100, 10000), 20000);
	nslab_registry_destroy(registry);
	nslab_topo_free(topo);
}

/* ---- trials of one's own ---- */

struct planted_launch {
	uint64_t nr, nr_observed;
	double observed_scale;
	bool is_crashing;
};

static struct planted_launch planted;

static int launch_planted(const struct nslab_launch *launch, struct nslab_launch_result *result)
{
	bool is_observed = json_is_true(json_object_get(launch->spec, "counters"));
	struct nslab_window windows[WINDOWS];
	json_t *rows = json_array();

	planted.nr++;
	planted.nr_observed += is_observed;
	machine_trial(is_observed ? planted.observed_scale : 1, windows);
	for (int i = 0; i < WINDOWS; i++)
		json_array_append_new(rows, json_pack("[i, i, I, I, I, b]", 0, windows[i].index,
						      (json_int_t)windows[i].ops,
						      (json_int_t)windows[i].ns,
						      (json_int_t)windows[i].ns, 1));
	*result = (struct nslab_launch_result){
		.document = json_pack("{s:n, s:o, s:[], s:[]}", "error", "windows", rows, "workers",
				      "reports"),
		.wall_ns = 30000000,
	};
	if (planted.is_crashing)
		snprintf(result->cause, sizeof(result->cause), "crash: SIGSEGV");
	return 0;
}

/* A run like any other, but that its trials are planted: order, store and judgement are real. */
struct session {
	struct nslab_topo *topo;
	struct nslab_registry *registry;
	struct nslab_plan *plan;
	struct nslab_prober prober;
};

static void session_open(struct session *s)
{
	static const char *const overrides[] = {"windows=20", "window_ms=1", "blocks=360", NULL};
	struct nslab_topo_source machine_source = {.origin = NSLAB_TOPO_MACHINE};
	struct nslab_plan_source source = {.name = "selftest-aa", .overrides = overrides};
	struct nslab_err err = {""};

	assert_int_equal(nslab_topo_load(&machine_source, &s->topo, &err), 0);
	assert_int_equal(nslab_registry_open(NULL, &s->registry, &err), 0);
	source.topo = s->topo;
	source.registry = s->registry;
	assert_int_equal(nslab_plan_load(&source, &s->plan, &err), 0);
	s->prober = (struct nslab_prober){.plan = s->plan, .launch = launch_planted};
}

static void session_close(struct session *s)
{
	nslab_plan_free(s->plan);
	nslab_registry_destroy(s->registry);
	nslab_topo_free(s->topo);
}

static void aa_holds_its_level_in_a_run(void **state)
{
	char folder[] = "/tmp/selftest-XXXXXX", output[64], command[96];
	struct nslab_exec_result result;
	struct nslab_run_file run;
	struct nslab_err err = {""};
	struct nslab_aa aa;
	struct session s;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(output, sizeof(output), "%s/run", folder);
	session_open(&s);
	planted = (struct planted_launch){.observed_scale = 1};
	machine_start(51, DRIFT_STEP * 4, 0.01);
	assert_int_equal(nslab_exec_run(&(struct nslab_exec_options){.plan = s.plan,
								     .output = output,
								     .launch = launch_planted},
					&result, &err),
			 0);
	assert_int_equal(result.nr_failed, 0);
	assert_int_equal(nslab_run_file_open(output, &run, &err), 0);
	assert_int_equal(nslab_aa_judge(&run.list->cells[0], &run.list->cells[1], 60, 6, &aa), 0);
	assert_int_equal(aa.nr_left_out, 0);
	assert_true(aa.is_passed);
	assert_true(aa.sequential.lo > 0.05);
	nslab_run_file_close(&run);
	session_close(&s);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	assert_int_equal(system(command), 0);
}

static void calibrate_finds_the_level_that_varies(void **state)
{
	struct nslab_calibration row;
	struct nslab_err err = {""};
	struct session s;

	(void)state;
	session_open(&s);
	planted = (struct planted_launch){.observed_scale = 1};
	machine_start(31, 0.05, 0.01); /* trials differ, windows hardly do */
	assert_int_equal(nslab_calibrate(&s.prober, 20, 0.01, &row, &err), 0);
	assert_string_equal(row.cause, "");
	assert_int_equal(planted.nr, 20);
	assert_true(row.level[1].share > 0.5);
	assert_true(fabs(row.level[0].share + row.level[1].share - 1) < 1e-9);
	assert_true(row.nr_processes > 20);
	assert_true(row.nr_blocks >= 6);
	machine_start(32, 0, 0); /* nothing varies: the least is enough */
	assert_int_equal(nslab_calibrate(&s.prober, 20, 0.01, &row, &err), 0);
	assert_int_equal(row.nr_blocks, 6);
	assert_true(fabs(row.ns_per_op - BASE_NS) < 0.1);
	planted.is_crashing = true;
	planted.nr = 0;
	assert_int_equal(nslab_calibrate(&s.prober, 20, 0.01, &row, &err), 0);
	assert_string_equal(row.cause, "crash: SIGSEGV");
	assert_int_equal(planted.nr, 1);
	session_close(&s);
}

static void overhead_tells_cheap_from_dear(void **state)
{
	struct nslab_overhead overhead;
	struct nslab_err err = {""};
	struct session s;
	double d[6];

	(void)state;
	session_open(&s);
	planted = (struct planted_launch){.observed_scale = 1.05};
	machine_start(41, 0.0005, 0.001);
	assert_int_equal(nslab_overhead_measure(&s.prober, 20, &overhead, &err), 0);
	assert_int_equal(planted.nr, 40);
	assert_int_equal(planted.nr_observed, 20);
	assert_true(fabs(overhead.estimate - 0.05) < 0.005);
	assert_true(overhead.is_beyond && !overhead.is_within);
	session_close(&s);

	for (int i = 0; i < 6; i++)
		d[i] = 0.001 * (i - 2.5);
	assert_int_equal(nslab_overhead_judge(d, 6, 40, 10000000, &overhead), 0);
	assert_true(overhead.is_within && !overhead.is_beyond);
	/* 64 readings of 40 ns in 10 ms */
	assert_true(fabs(overhead.clock_share - 0.000256) < 1e-9);
	/* a clock that costs 4 us makes 2.56 % whatever the contrast says */
	assert_int_equal(nslab_overhead_judge(d, 6, 4000, 10000000, &overhead), 0);
	assert_true(overhead.is_beyond && !overhead.is_within);
	for (int i = 0; i < 6; i++)
		d[i] = 0.05 * (i - 2.5);
	assert_int_equal(nslab_overhead_judge(d, 6, 40, 10000000, &overhead), 0);
	assert_false(overhead.is_within || overhead.is_beyond);
}

/* ---- placement and the competitor ---- */

static void placement_finds_every_object_on_its_node(void **state)
{
	struct nslab_topo_source source = {.origin = NSLAB_TOPO_MACHINE, .sim_nodes = 3};
	struct nslab_node_proof proofs[NSLAB_MAX_NODES];
	struct nslab_registry *registry;
	struct nslab_err err = {""};
	struct nslab_topo *topo;
	int nr;

	(void)state;
	assert_int_equal(nslab_topo_load(&source, &topo, &err), 0);
	assert_int_equal(nslab_registry_open(NULL, &registry, &err), 0);
	assert_int_equal(nslab_placement_prove(topo, registry, proofs, &nr, &err), 0);
	assert_int_equal(nr, 3);
	for (int i = 0; i < nr; i++) {
		assert_true(proofs[i].nr_objects > 0);
		assert_int_equal(proofs[i].nr_elsewhere, 0);
		/* simulated nodes have no pages that the kernel could place */
		assert_true(proofs[i].check.unavailable[0]);
	}
	nslab_registry_destroy(registry);
	nslab_topo_free(topo);
}

static void hog_lives_until_it_is_stopped(void **state)
{
	struct nslab_hog hog = {0};
	struct nslab_err err = {""};
	int pid;

	(void)state;
	nslab_hog_stop(&hog); /* none: nothing happens */
	assert_int_equal(nslab_hog_start(&hog, 0, 1, &err), 0);
	pid = hog.pid;
	assert_true(pid > 0);
	assert_int_equal(kill(pid, 0), 0);
	nslab_hog_stop(&hog);
	assert_int_equal(hog.pid, 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1); /* already reaped */
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_is_exact),
		cmocka_unit_test(aa_holds_its_level_while_the_machine_drifts),
		cmocka_unit_test(aa_sequential_is_right_when_nothing_drifts),
		cmocka_unit_test(aa_fails_when_the_twin_differs),
		cmocka_unit_test(aa_leaves_out_what_lacks_a_trial),
		cmocka_unit_test(aa_refuses_contrasts_without_an_interval),
		cmocka_unit_test(inject_finds_3_percent_and_its_size),
		cmocka_unit_test(inject_fails_when_nothing_was_injected),
		cmocka_unit_test(inject_fails_when_the_size_is_wrong),
		cmocka_unit_test(inject_blames_the_host_when_it_is_too_noisy),
		cmocka_unit_test(inject_needs_a_twin_and_an_arm),
		cmocka_unit_test(inject_does_exactly_the_share_more),
		cmocka_unit_test(aa_holds_its_level_in_a_run),
		cmocka_unit_test(calibrate_finds_the_level_that_varies),
		cmocka_unit_test(overhead_tells_cheap_from_dear),
		cmocka_unit_test(placement_finds_every_object_on_its_node),
		cmocka_unit_test(hog_lives_until_it_is_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
