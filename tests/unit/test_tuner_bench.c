// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_tuner_bench.c: what the tuner's trials ask for, and how their answers are judged.
 *
 * The launch is planted: it keeps the description that a trial would have got and answers with
 * windows, run delay and a wall time that the test chose, so nothing here depends on time. One
 * trial is real, because only then is it known that the description can be run: this program is
 * its own `trial` command. Its time is not looked at.
 */
#include "runner/trial.h"
#include "runner/world.h"
#include "tuner/race.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WALL_NS	  UINT64_C(80000000)
#define WINDOW_NS 5000000
#define BUDGET_NS (10 * WALL_NS)

static uint64_t slept_ns;

static void no_sleep(const struct nslab_noise_source *source, uint64_t ns)
{
	(void)source;
	slept_ns += ns;
}

static const struct nslab_noise_source quiet = {.root = "/nowhere", .sleep_ns = no_sleep};

/* ---- a planted launch ---- */

static struct {
	json_t *spec; /* of the last trial */
	int nr_trials, nr_delayed;
	const char *cause;
	bool has_hist;
} planted;

static json_t *planted_document(bool is_delayed)
{
	json_t *hist = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:[[i, i], [i, i]]}", "name", "op",
				 "unit", "ns", "scheme", "log-linear 64x40", "n", 20000, "min", 10,
				 "max", 63, "buckets", 10, 19000, 63, 1000);
	json_t *document = json_pack(
		"{s:n, s:[[i,i,i,i,i,b], [i,i,i,i,i,b]], s:[{s:i, s:i, s:i, s:[]}], s:[], s:[]}",
		"error", "windows", 0, 0, 100000, WINDOW_NS, WINDOW_NS, true, 0, 1, 100000,
		WINDOW_NS, WINDOW_NS, true, "workers", "run_delay_ns", is_delayed ? WINDOW_NS : 0,
		"involuntary_switches", 0, "voluntary_switches", 0, "counters", "caches",
		"reports");

	if (planted.has_hist)
		json_object_set(document, "hist", hist);
	json_decref(hist);
	return document;
}

static int planted_launch(const struct nslab_launch *launch, struct nslab_launch_result *result)
{
	bool is_delayed = planted.nr_trials++ < planted.nr_delayed;

	json_decref(planted.spec);
	planted.spec = json_deep_copy(launch->spec);
	*result = (struct nslab_launch_result){.document = planted_document(is_delayed),
					       .wall_ns = WALL_NS};
	if (planted.cause)
		snprintf(result->cause, sizeof(result->cause), "%s", planted.cause);
	return 0;
}

static const char *spec_text(const char *part, const char *key)
{
	json_t *object = json_object_get(planted.spec, part);
	json_t *params = json_object_get(object, "params");
	json_t *value = json_object_get(params, key);

	return json_string_value(value ? value : json_object_get(object, key));
}

static int spec_cache(const char *key)
{
	return (int)json_integer_value(
		json_object_get(json_object_get(planted.spec, "cache"), key));
}

/* ---- a bench for one cache ---- */

static char *aliases[] = {(char *)(uintptr_t) "t-dentry", (char *)(uintptr_t) "t-other"};

struct bench_fixture {
	struct nslab_registry *registry;
	struct nslab_tuner_cache cache;
	struct nslab_tuner_snapshot snapshot;
	struct nslab_tuner_bench *bench;
	struct nslab_tuner_race_source source;
	struct nslab_err err;
};

static const struct nslab_tuner_setting order_3 = {3, NSLAB_AUTO, 7, NSLAB_AUTO};

static void fixture_open(struct bench_fixture *f, uint64_t budget_ns)
{
	memset(f, 0, sizeof(*f));
	f->cache = (struct nslab_tuner_cache){
		.name = aliases[0],
		.aliases = aliases,
		.nr_aliases = 2,
		.object_size = 192,
		.size = 192,
		.order = 0,
		.min_partial = 5,
		.cpu_partial = 120,
		.sheaf_capacity = NSLAB_TUNER_UNKNOWN,
		.live = 100000,
	};
	f->snapshot = (struct nslab_tuner_snapshot){.kernel = NSLAB_ORDER_6_12,
						    .nr_cpus = 64,
						    .nr_nodes = 1,
						    .nr_caches = 1,
						    .caches = &f->cache};
	assert_int_equal(nslab_registry_open(NULL, &f->registry, &f->err), 0);
	assert_int_equal(
		nslab_tuner_bench_open(f->registry, &f->snapshot, budget_ns, &f->bench, &f->err),
		0);
	json_decref(planted.spec);
	memset(&planted, 0, sizeof(planted));
}

static void fixture_source(struct bench_fixture *f, const char *trace)
{
	nslab_tuner_bench_use(f->bench, planted_launch, &quiet);
	if (nslab_tuner_bench_source(f->bench, &f->cache, trace, UINT64_MAX, &f->source, &f->err))
		fail_msg("%s", f->err.text);
}

static void fixture_close(struct bench_fixture *f)
{
	nslab_tuner_bench_close(f->bench);
	nslab_registry_destroy(f->registry);
	json_decref(planted.spec);
	planted.spec = NULL;
}

static int fixture_trial(struct bench_fixture *f, int block, enum nslab_tuner_segment segment,
			 double *ns, double *p999_ns)
{
	return f->source.trial(f->source.state, &order_3, block, 42, segment, ns, p999_ns);
}

/* ---- tests ---- */

static void bench_asks_for_the_setting_on_the_kernels_model(void **state)
{
	struct bench_fixture f;
	double ns = 0, p999_ns = 0;

	(void)state;
	fixture_open(&f, BUDGET_NS);
	fixture_source(&f, NULL);
	assert_int_equal(fixture_trial(&f, 0, NSLAB_TUNER_SEARCH, &ns, &p999_ns), 0);
	assert_true(fabs(ns - 50) < 1e-9);
	assert_true(isnan(p999_ns));
	assert_string_equal(spec_text("workload", "name"), "bursts");
	assert_string_equal(spec_text("workload", "size"), "192");
	assert_string_equal(spec_text("workload", "live_objects"), "1562"); /* of 64 CPUs each */
	assert_string_equal(spec_text("allocator", "name"), "slub");
	assert_string_equal(spec_text("allocator", "generation"), "6.12");
	assert_int_equal(json_integer_value(json_object_get(planted.spec, "nr_cpus")), 64);
	assert_int_equal(spec_cache("order"), 3);
	assert_int_equal(spec_cache("min_partial"), 7);
	assert_int_equal(spec_cache("cpu_partial"), 120); /* as it is */
	assert_int_equal(spec_cache("sheaf_capacity"), NSLAB_AUTO);
	assert_true(json_is_false(json_object_get(planted.spec, "latency")));
	fixture_close(&f);
}

static void bench_replays_the_segment_of_a_trace(void **state)
{
	const char *trace = *state;
	struct bench_fixture f;
	double ns, p999_ns;

	fixture_open(&f, BUDGET_NS);
	fixture_source(&f, trace);
	assert_int_equal(fixture_trial(&f, 0, NSLAB_TUNER_SEARCH, &ns, &p999_ns), 0);
	assert_string_equal(spec_text("workload", "name"), "replay");
	assert_string_equal(spec_text("workload", "trace"), trace);
	assert_string_equal(spec_text("workload", "only"), "t-dentry t-other");
	assert_string_equal(spec_text("workload", "segment"), "search");
	assert_int_equal(fixture_trial(&f, 0, NSLAB_TUNER_HOLDOUT, &ns, &p999_ns), 0);
	assert_string_equal(spec_text("workload", "segment"), "holdout");
	fixture_close(&f);
}

static void bench_tries_again_when_the_host_disturbs(void **state)
{
	struct bench_fixture f;
	double ns, p999_ns;

	(void)state;
	fixture_open(&f, 100 * BUDGET_NS);
	fixture_source(&f, NULL);
	slept_ns = 0;
	planted.nr_delayed = 1;
	assert_int_equal(fixture_trial(&f, 0, NSLAB_TUNER_SEARCH, &ns, &p999_ns), 0);
	assert_int_equal(planted.nr_trials, 2);
	assert_int_equal(slept_ns, 100000000);
	assert_string_equal(nslab_tuner_bench_cause(f.bench), "");
	planted.nr_delayed = 100;
	assert_int_equal(fixture_trial(&f, 0, NSLAB_TUNER_SEARCH, &ns, &p999_ns), -EAGAIN);
	assert_int_equal(planted.nr_trials, 5);
	assert_non_null(strstr(nslab_tuner_bench_cause(f.bench), "run delay"));
	assert_int_equal(slept_ns, 800000000);
	assert_int_equal(f.source.left_ns(f.source.state),
			 100 * BUDGET_NS - 5 * WALL_NS - slept_ns);
	fixture_close(&f);
}

static void bench_ends_with_its_budget(void **state)
{
	struct bench_fixture f;
	double ns, p999_ns;

	(void)state;
	fixture_open(&f, BUDGET_NS);
	fixture_source(&f, NULL);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(f.source.left_ns(f.source.state),
				 BUDGET_NS - (uint64_t)i * WALL_NS);
		assert_int_equal(fixture_trial(&f, i, NSLAB_TUNER_SEARCH, &ns, &p999_ns), 0);
	}
	assert_int_equal(f.source.left_ns(f.source.state), 0);
	assert_int_equal(fixture_trial(&f, 0, NSLAB_TUNER_SEARCH, &ns, &p999_ns), -ECANCELED);
	assert_int_equal(planted.nr_trials, 10);
	fixture_close(&f);
}

/* A host that is never quiet: the first cache gives up, the second still has its share. */
static void bench_gives_up_after_the_share_of_a_cache(void **state)
{
	struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	struct nslab_tuner_candidate candidates[2];
	struct nslab_tuner_group group = {.candidates = candidates, .nr_candidates = 2};
	const uint64_t share_ns = 20 * WALL_NS;
	struct nslab_tuner_race_result result;
	struct bench_fixture f;

	(void)state;
	fixture_open(&f, 100 * BUDGET_NS);
	group.cache = &f.cache;
	nslab_tuner_bench_use(f.bench, planted_launch, &quiet);
	planted.nr_delayed = 1000000;
	for (uint64_t i = 1; i <= 2; i++) {
		uint64_t left_ns;

		memset(candidates, 0, sizeof(candidates));
		candidates[1].setting = order_3;
		assert_int_equal(nslab_tuner_bench_source(f.bench, &f.cache, NULL, share_ns,
							  &f.source, &f.err),
				 0);
		assert_int_equal(f.source.left_ns(f.source.state), share_ns);
		assert_int_equal(nslab_tuner_race(&group, &f.source, &rules, &result, &f.err), 0);
		assert_true(result.is_noisy);
		assert_int_equal(result.winner, 0);
		assert_int_equal(candidates[1].fate, NSLAB_TUNER_UNMEASURED);
		assert_non_null(strstr(candidates[1].why, "too noisy"));
		left_ns = nslab_tuner_bench_left_ns(f.bench); /* a trial is not cut short */
		assert_in_range(left_ns, 100 * BUDGET_NS - i * (share_ns + WALL_NS),
				100 * BUDGET_NS - i * share_ns);
	}
	fixture_close(&f);
}

static void bench_leaves_one_pu_to_the_host(void **state)
{
	struct nslab_topo *topo = NULL;
	struct bench_fixture f;
	double ns, p999_ns;
	int nr_usable = 0;

	(void)state;
	fixture_open(&f, BUDGET_NS);
	assert_int_equal(nslab_topo_load(&(struct nslab_topo_source){.origin = NSLAB_TOPO_MACHINE},
					 &topo, &f.err),
			 0);
	for (int i = 0; i < topo->nr_pus; i++)
		nr_usable += topo->pus[i].is_usable;
	nslab_topo_free(topo);
	fixture_source(&f, NULL);
	assert_int_equal(fixture_trial(&f, 0, NSLAB_TUNER_SEARCH, &ns, &p999_ns), 0);
	if (nr_usable > 64)
		nr_usable = 65;
	assert_int_equal(json_array_size(json_object_get(planted.spec, "workers")),
			 nr_usable > 1 ? nr_usable - 1 : 1);
	fixture_close(&f);
}

static void bench_tells_why_a_trial_failed(void **state)
{
	struct bench_fixture f;
	double ns, p999_ns;

	(void)state;
	fixture_open(&f, BUDGET_NS);
	fixture_source(&f, NULL);
	planted.cause = "crash: SIGSEGV";
	assert_int_equal(fixture_trial(&f, 0, NSLAB_TUNER_SEARCH, &ns, &p999_ns), -EIO);
	assert_string_equal(nslab_tuner_bench_cause(f.bench), "crash: SIGSEGV");
	fixture_close(&f);
}

static void bench_refuses_names_that_a_plan_cannot_hold(void **state)
{
	char *odd[] = {aliases[0], (char *)(uintptr_t) "t,other"};
	struct bench_fixture f;

	fixture_open(&f, BUDGET_NS);
	f.cache.aliases = odd;
	assert_int_equal(
		nslab_tuner_bench_source(f.bench, &f.cache, *state, BUDGET_NS, &f.source, &f.err),
		-EINVAL);
	assert_non_null(strstr(f.err.text, "cannot replay 't-dentry'"));
	assert_int_equal(
		nslab_tuner_bench_source(f.bench, &f.cache, "/none", BUDGET_NS, &f.source, &f.err),
		-ENOENT);
	f.cache.size = 0;
	assert_int_equal(
		nslab_tuner_bench_source(f.bench, &f.cache, NULL, BUDGET_NS, &f.source, &f.err),
		-EINVAL);
	assert_non_null(strstr(f.err.text, "cannot measure 't-dentry'"));
	fixture_close(&f);
}

static void bench_has_the_standard_load_where_a_trace_has_no_events(void **state)
{
	struct bench_fixture f;
	double ns, p999_ns;

	fixture_open(&f, BUDGET_NS);
	f.cache.name = (char *)(uintptr_t) "t-none";
	f.cache.nr_aliases = 0;
	fixture_source(&f, *state);
	assert_int_equal(fixture_trial(&f, 0, NSLAB_TUNER_SEARCH, &ns, &p999_ns), 0);
	assert_string_equal(spec_text("workload", "name"), "bursts");
	fixture_close(&f);
}

static void bench_measures_tails_of_hold_outs_when_there_is_time(void **state)
{
	struct bench_fixture f;
	double ns, p999_ns;

	(void)state;
	fixture_open(&f, UINT64_C(600000000000));
	fixture_source(&f, NULL);
	planted.has_hist = true;
	assert_int_equal(fixture_trial(&f, 1, NSLAB_TUNER_HOLDOUT, &ns, &p999_ns), 0);
	assert_true(json_is_true(json_object_get(planted.spec, "latency")));
	assert_true(fabs(p999_ns - 63) < 1);
	planted.has_hist = false;
	assert_int_equal(fixture_trial(&f, 1, NSLAB_TUNER_SEARCH, &ns, &p999_ns), 0);
	assert_true(json_is_false(json_object_get(planted.spec, "latency")));
	assert_true(isnan(p999_ns));
	fixture_close(&f);
}

static void bench_runs_a_real_trial(void **state)
{
	struct bench_fixture f;
	double ns = 0, p999_ns = 0;
	int rc;

	fixture_open(&f, UINT64_C(60000000000));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nslab_tuner_bench_source(f.bench, &f.cache, i ? *state : NULL,
							  UINT64_MAX, &f.source, &f.err),
				 0);
		rc = fixture_trial(&f, 0, NSLAB_TUNER_HOLDOUT, &ns, &p999_ns);
		if (rc && rc != -EAGAIN)
			fail_msg("%s", nslab_tuner_bench_cause(f.bench));
		assert_true(ns > 0);
	}
	fixture_close(&f);
}

/* What `numaslab trial` does. */
static int own_trial(void)
{
	json_t *spec = json_loadf(stdin, 0, NULL), *result;

	if (!spec || nslab_trial_run(spec, &result))
		return 1;
	json_decref(spec);
	json_dumpf(result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
	json_decref(result);
	return 0;
}

int main(int argc, char **argv)
{
	char *trace = argc > 1 ? argv[1] : NULL;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bench_asks_for_the_setting_on_the_kernels_model),
		cmocka_unit_test_prestate(bench_replays_the_segment_of_a_trace, trace),
		cmocka_unit_test(bench_tries_again_when_the_host_disturbs),
		cmocka_unit_test(bench_ends_with_its_budget),
		cmocka_unit_test(bench_gives_up_after_the_share_of_a_cache),
		cmocka_unit_test(bench_leaves_one_pu_to_the_host),
		cmocka_unit_test(bench_tells_why_a_trial_failed),
		cmocka_unit_test_prestate(bench_refuses_names_that_a_plan_cannot_hold, trace),
		cmocka_unit_test_prestate(bench_has_the_standard_load_where_a_trace_has_no_events,
					  trace),
		cmocka_unit_test(bench_measures_tails_of_hold_outs_when_there_is_time),
		cmocka_unit_test_prestate(bench_runs_a_real_trial, trace),
	};

	if (trace && !strcmp(trace, "trial"))
		return own_trial();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
