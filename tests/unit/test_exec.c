/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_exec.c: the order of a run, what the host may do to it, and going on after a kill.
 *
 * No trial is started: a launcher of the test's own gives each trial the times and the scheduler
 * counts that were planted, and the host is a tree of files whose counters the same launcher moves.
 * Sleeping adds up figures. So every decision is known beforehand and takes no time. What is
 * planted depends on the trial's seed alone, so that a run that is killed and gone on with sees the
 * same host as one that is left alone.
 */
#define _GNU_SOURCE
#include "core/rng.h"
#include "results/store.h"
#include "results/table.h"
#include "results/verify.h"
#include "runner/exec.h"
#include "runner/world.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define WINDOW_NS 10000000

enum planted {
	PLANT_NOTHING,
	PLANT_RUN_DELAY,
	PLANT_OFF_CPU,
	PLANT_SLEEP, /* off the CPU, but by itself */
	PLANT_MIGRATION,
	PLANT_STEAL,
	PLANT_THROTTLE,
	PLANT_THERMAL,
	PLANT_PAGE_MOVE,
	PLANT_CRASH,
};

static struct {
	char dir[64];
	char tree[96];
	char folder[96];
	struct nslab_registry *registry;
	struct nslab_topo *topo;
	struct nslab_noise_source noise;
	enum planted cause;
	unsigned one_in; /* trials disturbed: seed % one_in == 0; 0: none */
	double spread;	 /* of ns per operation */
	int nr_launched; /* floors not counted */
	int die_at;	 /* kill -9 instead of this launch; 0: never */
	uint64_t slept_ns[64];
	int nr_slept;
	const char *const *ignored;
	unsigned long counters[4]; /* steal ticks, throttled, thermal, pages moved */
} fake;

static void write_file(const char *path, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void write_file(const char *path, const char *format, ...)
{
	char full[256];
	va_list args;
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", fake.tree, path);
	for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	file = fopen(full, "we");
	assert_non_null(file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
}

static void write_tree(void)
{
	write_file("/proc/stat",
		   "cpu  10 20 30 40 50 60 70 999 0 0\n"
		   "cpu0 1 2 3 4 5 6 7 %lu 0 0\ncpu1 1 2 3 4 5 6 7 500 0 0\n",
		   fake.counters[0]);
	write_file("/proc/self/cgroup", "0::/box\n");
	write_file("/sys/fs/cgroup/box/cpu.stat", "usage_usec 7\nnr_throttled %lu\n",
		   fake.counters[1]);
	write_file("/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "%lu\n",
		   fake.counters[2]);
	write_file("/proc/vmstat", "nr_free_pages 1\nnuma_pages_migrated %lu\n", fake.counters[3]);
	write_file("/proc/pressure/cpu", "some avg10=0.00 avg60=9.00 avg300=9.00 total=1\n");
	write_file("/proc/meminfo", "MemTotal: 1 kB\nMemAvailable:    8388608 kB\n");
}

static void fake_sleep(const struct nslab_noise_source *source, uint64_t ns)
{
	(void)source;
	if (fake.nr_slept < 64)
		fake.slept_ns[fake.nr_slept++] = ns;
}

/* One worker of three windows with what was planted. */
static json_t *planted_document(enum planted cause, double ns_per_op)
{
	bool is_off = cause == PLANT_OFF_CPU || cause == PLANT_SLEEP;
	json_int_t cpu_ns = is_off ? WINDOW_NS - WINDOW_NS / 10 : WINDOW_NS;
	json_int_t ops = (json_int_t)(WINDOW_NS / ns_per_op);
	json_t *windows = json_array();

	for (int i = 0; i < 3; i++)
		json_array_append_new(
			windows, json_pack("[i, i, I, i, I, b]", 0, i, ops, WINDOW_NS, cpu_ns, 1));
	return json_pack("{s:n, s:o, s:[{s:i, s:i, s:i, s:[{s:s, s:s, s:i}]}], s:[]}", "error",
			 "windows", windows, "workers", "run_delay_ns",
			 cause == PLANT_RUN_DELAY ? 3 * WINDOW_NS / 25 : 3 * WINDOW_NS / 100,
			 "involuntary_switches", 1, "voluntary_switches",
			 cause == PLANT_SLEEP ? 9 : 0, "counters", "name", "cpu-migrations",
			 "source", "test", "value", cause == PLANT_MIGRATION ? 1 : 0, "reports");
}

static int fake_launch(const struct nslab_launch *launch, struct nslab_launch_result *result)
{
	bool is_floor = json_is_false(json_object_get(launch->spec, "counters"));
	bool is_planted = fake.one_in && nslab_rng_mix(launch->seed, 5) % fake.one_in == 0;
	enum planted cause = is_planted && !is_floor ? fake.cause : PLANT_NOTHING;
	double noise = (double)(nslab_rng_mix(launch->seed, 6) % 1000) / 1000 - 0.5;

	if (!is_floor && ++fake.nr_launched == fake.die_at)
		kill(getpid(), SIGKILL);
	fake.counters[0] += cause == PLANT_STEAL;
	fake.counters[1] += cause == PLANT_THROTTLE;
	fake.counters[2] += cause == PLANT_THERMAL;
	fake.counters[3] += cause == PLANT_PAGE_MOVE;
	if (cause >= PLANT_STEAL)
		write_tree();
	*result = (struct nslab_launch_result){.wall_ns = 100000000};
	if (cause == PLANT_CRASH)
		snprintf(result->cause, sizeof(result->cause), "crash: SIGSEGV");
	else
		result->document = planted_document(cause, 10 * (1 + fake.spread * noise));
	return 0;
}

static int fixture_open(void **state)
{
	static const char *const none[] = {NULL};
	const struct nslab_topo_source source = {.origin = NSLAB_TOPO_SYNTHETIC,
						 .text = "node:1 core:2 pu:1"};
	struct nslab_err err = {""};

	(void)state;
	memset(&fake, 0, sizeof(fake));
	strcpy(fake.dir, "/tmp/nslab-exec-XXXXXX");
	if (!mkdtemp(fake.dir))
		return -1;
	snprintf(fake.tree, sizeof(fake.tree), "%s/tree", fake.dir);
	snprintf(fake.folder, sizeof(fake.folder), "%s/run", fake.dir);
	fake.noise = (struct nslab_noise_source){fake.tree, fake_sleep};
	write_tree();
	if (nslab_registry_open(none, &fake.registry, &err) ||
	    nslab_topo_load(&source, &fake.topo, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int fixture_close(void **state)
{
	(void)state;
	nslab_topo_free(fake.topo);
	nslab_registry_destroy(fake.registry);
	return nftw(fake.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char plan_text[] = "[global]\nallocator=slub,nodelocal\nbaseline=slub\nwindows=3\n"
				"[a]\nworkload=pingpong\nsize=64,256\n";

static struct nslab_plan *make_plan(const char *const *overrides)
{
	const struct nslab_plan_source source = {
		.name = "exec",
		.text = plan_text,
		.overrides = overrides,
		.registry = fake.registry,
		.topo = fake.topo,
	};
	struct nslab_plan *plan = NULL;
	struct nslab_err err = {""};

	if (nslab_plan_load(&source, &plan, &err))
		fail_msg("%s", err.text);
	return plan;
}

static int run_plan(const char *const *overrides, const char *folder, bool is_resumed,
		    struct nslab_exec_result *result, struct nslab_err *err)
{
	struct nslab_plan *plan = make_plan(overrides);
	const struct nslab_exec_options options = {
		.plan = plan,
		.output = is_resumed ? NULL : folder,
		.resume = is_resumed ? folder : NULL,
		.ignored = fake.ignored,
		.sysroot = fake.tree,
		.noise = &fake.noise,
		.launch = fake_launch,
	};
	int rc;

	err->text[0] = '\0';
	rc = nslab_exec_run(&options, result, err);
	nslab_plan_free(plan);
	return rc;
}

static void run_well(const char *const *overrides, const char *folder, bool is_resumed,
		     struct nslab_exec_result *result)
{
	struct nslab_err err;

	if (run_plan(overrides, folder, is_resumed, result, &err))
		fail_msg("%s", err.text);
}

/* The first column of every row, a line each; the caller frees it. */
static char *query(const char *folder, const char *sql)
{
	char path[160];
	sqlite3_stmt *row;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/run.db", folder);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	while (sqlite3_step(row) == SQLITE_ROW)
		fprintf(out, "%s\n", (const char *)sqlite3_column_text(row, 0));
	sqlite3_finalize(row);
	sqlite3_close(db);
	fclose(out);
	return text;
}

static void expect_query(const char *folder, const char *sql, const char *want)
{
	char *got = query(folder, sql);

	assert_string_equal(got, want);
	free(got);
}

static void expect_table(const char *folder, const char *words)
{
	struct nslab_run_file file;
	struct nslab_err err = {""};
	char text[8192] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_int_equal(nslab_run_file_open(folder, &file, &err), 0);
	nslab_results_table(file.list, &file.run, file.status, file.harness_ns, out, 400);
	fclose(out);
	nslab_run_file_close(&file);
	if (!strstr(text, words))
		fail_msg("'%s' is not in:\n%s", words, text);
}

/* ---- causes ---- */

static void trial_is_spoiled_by_each_cause_and_named(void **state)
{
	static const struct {
		enum planted cause;
		const char *words;
	} causes[] = {
		{PLANT_RUN_DELAY, "noise: run delay: 4.0 % of a worker's time, limit 2 %\n"},
		{PLANT_OFF_CPU, "noise: off-CPU: 10.0 % of a worker's time, limit 2 %\n"},
		{PLANT_MIGRATION, "noise: migration: 1 moves of workers between PUs\n"},
		{PLANT_STEAL, "noise: steal: 33.3 % of a worker's time, limit 2 %\n"},
		{PLANT_THROTTLE, "noise: throttling: 1 periods without CPU by cgroup quota\n"},
		{PLANT_THERMAL, "noise: thermal: 1 throttle events of the measured PUs\n"},
		{PLANT_PAGE_MOVE, "noise: page moves: 1 pages moved by automatic NUMA balancing\n"},
		{PLANT_SLEEP, ""},
		{PLANT_NOTHING, ""},
	};
	static const char *const overrides[] = {"blocks=1", "invalidate=off", NULL};
	struct nslab_exec_result result;
	char folder[128];

	(void)state;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		fake.cause = causes[i].cause;
		fake.one_in = 1;
		snprintf(folder, sizeof(folder), "%s/cause-%zu", fake.dir, i);
		run_well(overrides, folder, false, &result);
		assert_int_equal(result.nr_failed, 0);
		expect_query(folder, "SELECT DISTINCT taint FROM trial WHERE taint IS NOT NULL",
			     causes[i].words);
		expect_query(folder, "SELECT count(*) FROM trial WHERE is_valid", "6\n");
		if (*causes[i].words)
			expect_table(folder, "the host disturbed 6 trials, which are kept: ");
	}
}

/* The host's probes of before and after are held against each other, and the result keeps it. */
static void run_tells_what_the_host_did_meanwhile(void **state)
{
	static const char *const overrides[] = {"blocks=1", NULL};
	static const char *const ignored[] = {"quota_throttled", NULL};
	static const char changes[] = "SELECT json_extract(env_json, '$.after.changes') FROM run";
	struct nslab_exec_result result;
	char folder[128];

	(void)state;
	run_well(overrides, fake.folder, false, &result);
	expect_query(fake.folder, changes, "[]\n");
	fake.cause = PLANT_THROTTLE;
	fake.one_in = 1;
	snprintf(folder, sizeof(folder), "%s/throttled", fake.dir);
	run_well(overrides, folder, false, &result);
	expect_query(
		folder, changes,
		"[{\"probe\":\"quota_throttled\",\"why\":\"periods in which the control group was "
		"stopped for its quota: 6\"}]\n");
	expect_table(folder, "host       during the run: quota_throttled: periods in which");
	fake.ignored = ignored;
	snprintf(folder, sizeof(folder), "%s/ignored", fake.dir);
	run_well(overrides, folder, false, &result);
	expect_query(folder, changes, "[]\n");
	expect_query(folder, "SELECT json_extract(env_json, '$.ignored') FROM run",
		     "[\"quota_throttled\"]\n");
}

/* Workers that share a PU wait for one another: that is the cell, not the host. */
static void delay_is_no_cause_when_workers_share_pus(void **state)
{
	const struct nslab_noise_counts none = {0};
	struct nslab_noise_trial trial = {.run_delay = 0.5, .off_cpu = 0.5, .window_ns = WINDOW_NS};
	char cause[256] = "";

	(void)state;
	assert_true(nslab_noise_judge(&trial, &none, &none, cause, sizeof(cause)));
	trial.has_shared_pus = true;
	assert_false(nslab_noise_judge(&trial, &none, &none, cause, sizeof(cause)));
	trial.nr_migrations = 2;
	assert_true(nslab_noise_judge(&trial, &none, &none, cause, sizeof(cause)));
	assert_non_null(strstr(cause, "migration: 2 "));
}

/* What cannot be read is no cause, and a counter that appears or falls back is not either. */
static void absent_counters_are_no_cause(void **state)
{
	const struct nslab_noise_source nowhere = {"/nowhere", fake_sleep};
	struct nslab_noise_counts absent, there;
	const struct nslab_noise_trial trial = {.window_ns = WINDOW_NS};
	const int pus[] = {0};
	char cause[256];

	(void)state;
	nslab_noise_read(&nowhere, pus, 1, &absent);
	nslab_noise_read(&fake.noise, pus, 1, &there);
	assert_false(absent.steal_ns.has_value || absent.nr_throttled.has_value);
	assert_true(there.steal_ns.has_value && there.nr_throttled.has_value);
	assert_true(there.nr_thermal.has_value && there.nr_pages_moved.has_value);
	there.nr_throttled.value = 9;
	assert_false(nslab_noise_judge(&trial, &absent, &there, cause, sizeof(cause)));
	absent.nr_throttled = (struct nslab_noise_count){10, true};
	assert_false(nslab_noise_judge(&trial, &absent, &there, cause, sizeof(cause)));
	assert_int_equal(nslab_noise_free_bytes(&nowhere), 0);
	assert_int_equal(nslab_noise_free_bytes(&fake.noise), UINT64_C(8) << 30);
}

/* ---- blocks that are run again ---- */

static void block_runs_again_as_a_whole_when_one_trial_was_disturbed(void **state)
{
	static const char *const overrides[] = {"blocks=10", "seed=3", NULL};
	struct nslab_exec_result result;
	size_t nr_trials;

	(void)state;
	fake.cause = PLANT_RUN_DELAY;
	fake.one_in = 40;
	run_well(overrides, fake.folder, false, &result);
	assert_in_range(result.nr_reruns, 1, 4);
	assert_false(result.is_noisy);
	assert_int_equal(result.nr_failed, 0);
	nr_trials = 60 + 3 * result.nr_reruns;
	assert_int_equal(result.nr_trials, nr_trials);
	assert_int_equal(fake.nr_launched, nr_trials);
	for (int i = 0; i < fake.nr_slept; i++)
		assert_int_equal(fake.slept_ns[i], 1000000000);
	assert_int_equal(fake.nr_slept, result.nr_reruns);
	/* symmetric: of every block all arms are at the same attempt, and one attempt counts */
	expect_query(fake.folder,
		     "SELECT count(*) FROM (SELECT family, block, attempt FROM trial JOIN cell ON"
		     " cell.id = cell GROUP BY 1, 2, 3 HAVING count(*) <> 3)",
		     "0\n");
	expect_query(fake.folder,
		     "SELECT count(*) FROM (SELECT cell, block FROM trial WHERE is_valid"
		     " GROUP BY 1, 2 HAVING count(*) = 1)",
		     "60\n");
	expect_query(fake.folder,
		     "SELECT count(*) FROM trial a JOIN trial b USING (cell, block)"
		     " WHERE a.attempt < b.attempt AND a.is_valid",
		     "0\n");
	expect_table(fake.folder, "run again because the host disturbed trials: run delay ");
}

static void run_ends_as_noisy_when_a_fifth_was_run_again(void **state)
{
	static const char *const overrides[] = {"blocks=10", NULL};
	static const uint64_t want_s[] = {1, 2, 4, 4};
	struct nslab_exec_result result;

	(void)state;
	fake.cause = PLANT_STEAL;
	fake.one_in = 1;
	run_well(overrides, fake.folder, false, &result);
	assert_true(result.is_noisy);
	assert_int_equal(result.nr_reruns, 4); /* of 2 families x 10 blocks */
	assert_int_equal(result.nr_trials, 5 * 3);
	assert_int_equal(fake.nr_slept, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(fake.slept_ns[i], want_s[i] * 1000000000);
	expect_query(fake.folder, "SELECT status FROM run", "noisy\n");
	expect_query(fake.folder, "SELECT count(*) FROM trial_window", "45\n");
	expect_table(fake.folder, "host too noisy: 3 of 60 trials");
}

static void few_blocks_are_told_and_kept_when_nothing_is_said(void **state)
{
	static const char *const few[] = {"blocks=9", NULL};
	static const char *const insisting[] = {"blocks=9", "invalidate=on", NULL};
	struct nslab_exec_result result;
	char folder[128];

	(void)state;
	fake.cause = PLANT_RUN_DELAY;
	fake.one_in = 1;
	run_well(few, fake.folder, false, &result);
	assert_false(result.is_noisy);
	assert_int_equal(result.nr_trials, 54);
	snprintf(folder, sizeof(folder), "%s/on", fake.dir);
	run_well(insisting, folder, false, &result);
	assert_true(result.is_noisy);
}

static void trial_s_own_fault_spoils_no_block(void **state)
{
	static const char *const overrides[] = {"blocks=10", NULL};
	struct nslab_exec_result result;

	(void)state;
	fake.cause = PLANT_CRASH;
	fake.one_in = 15;
	run_well(overrides, fake.folder, false, &result);
	assert_int_equal(result.nr_reruns, 0);
	assert_true(result.nr_failed > 0);
	assert_int_equal(fake.nr_slept, 0);
}

static void block_waits_until_the_host_is_calm_and_gives_up(void **state)
{
	static const char *const overrides[] = {"blocks=10", NULL};
	struct nslab_exec_result result;
	uint64_t slept_ns = 0;

	(void)state;
	assert_true(nslab_noise_wait(&fake.noise, 1000000000));
	write_file("/proc/pressure/cpu", "some avg10=5.10 avg60=0 avg300=0 total=1\n");
	assert_false(nslab_noise_wait(&fake.noise, 1000000000));
	assert_int_equal(fake.nr_slept, 4);
	fake.nr_slept = 0;
	run_well(overrides, fake.folder, false, &result);
	for (int i = 0; i < fake.nr_slept; i++)
		slept_ns += fake.slept_ns[i];
	assert_int_equal(slept_ns, UINT64_C(15000000000)); /* three times in vain */
	assert_int_equal(result.nr_trials, 60);
}

/* ---- when there is enough ---- */

static void run_stops_at_a_look_when_intervals_are_narrow(void **state)
{
	static const struct {
		double spread;
		const char *overrides[4];
		size_t nr_blocks;
	} cases[] = {
		{0.001, {"blocks=auto", NULL}, 10},
		{0.1, {"blocks=23", "precision=0.1%", NULL}, 23},
		{0.04, {"blocks=100", "precision=1%", NULL}, 0}, /* at some look */
		/* 7 trials of 0.1 s and their block: two blocks of six are 1.2 s */
		{0.1, {"blocks=auto", "budget=1100ms", NULL}, 2},
		{0.001, {"blocks=auto", "precision=5%", "budget=1h", NULL}, 10},
	};
	struct nslab_exec_result result;
	char folder[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t nr_blocks;

		fake.spread = cases[i].spread;
		snprintf(folder, sizeof(folder), "%s/stop-%zu", fake.dir, i);
		run_well(cases[i].overrides, folder, false, &result);
		nr_blocks = result.nr_trials / 6;
		if (cases[i].nr_blocks)
			assert_int_equal(nr_blocks, cases[i].nr_blocks);
		else
			assert_true(nr_blocks > 10 && nr_blocks < 100 && nr_blocks % 5 == 0);
		expect_query(folder, "SELECT status FROM run", "done\n");
	}
}

/* ---- going on ---- */

static const char list_sql[] =
	"SELECT key || ' ' || block || ' ' || attempt || ' ' || position || ' ' || trial.seed ||"
	" ' ' || is_valid || ' ' || coalesce(taint, '-') || ' ' || ns_per_op"
	" FROM trial JOIN cell ON cell.id = trial.cell ORDER BY trial.id";

static void go_on_after_kill(const char *const *overrides, const char *folder, int die_at)
{
	struct nslab_exec_result result;
	struct nslab_err err;
	int status;
	pid_t pid = fork();

	if (!pid) {
		fake.nr_launched = 0;
		fake.die_at = die_at;
		run_plan(overrides, folder, false, &result, &err);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* no finished trial is run again */
	fake.nr_launched = die_at - 1;
	run_well(overrides, folder, true, &result);
}

/* With the host at its worst: blocks that run again are part of what must come out alike. */
static void resumed_run_has_the_same_trials_wherever_it_was_killed(void **state)
{
	static const char *const overrides[] = {"blocks=4", "invalidate=on", "precision=50%", NULL};
	struct nslab_exec_result result;
	char *want, *want_plan, *status;
	int nr_launched;

	(void)state;
	fake.cause = PLANT_MIGRATION;
	fake.one_in = 30; /* two of the trials below */
	fake.spread = 0.02;
	run_well(overrides, fake.folder, false, &result);
	nr_launched = fake.nr_launched;
	assert_true(result.nr_reruns > 0);
	want = query(fake.folder, list_sql);
	want_plan = query(fake.folder, "SELECT plan_json FROM run");
	status = query(fake.folder, "SELECT status FROM run");
	for (int die_at = 1; die_at <= nr_launched; die_at++) {
		char folder[128];
		char *got, *got_plan;

		snprintf(folder, sizeof(folder), "%s/killed-%d", fake.dir, die_at);
		go_on_after_kill(overrides, folder, die_at);
		assert_int_equal(fake.nr_launched, nr_launched);
		got = query(folder, list_sql);
		got_plan = query(folder, "SELECT plan_json FROM run");
		assert_string_equal(got, want);
		assert_string_equal(got_plan, want_plan);
		expect_query(folder, "SELECT status FROM run", status);
		free(got);
		free(got_plan);
	}
	free(want);
	free(want_plan);
	free(status);
}

static void resume_refuses_when_anything_has_changed(void **state)
{
	static const char *const plan[] = {"blocks=2", NULL};
	static const struct {
		const char *sql, *words;
	} changes[] = {
		{"UPDATE host SET name='elsewhere'", "the host was 'elsewhere' and is "},
		{"UPDATE host SET cpu_model='Z80'", "the CPU was 'Z80' and is "},
		{"UPDATE run SET kernel='Linux 2.6.32'", "the kernel was 'Linux 2.6.32' and is "},
		{"UPDATE topology SET json='{\"pus\":7}'", "the topology differs: pus was 7 and"},
		{"UPDATE run SET build_json='{\"binary\":\"x\"}'",
		 "the program differs: binary was"},
		{"UPDATE run SET plan_json=json_set(plan_json, '$.families[1].arms[0].order', 3)",
		 "the plan differs: families.1.arms.0.order was 3 and is \"auto\""},
		{"UPDATE cell SET key='other' WHERE id=2", "it has no cell "},
		{"UPDATE trial SET block=77 WHERE id=1", "it holds a trial that is not the plan's"},
		{"UPDATE trial SET cell=1, block=0", "it holds a trial twice"},
		{"PRAGMA user_version=1", "it has schema 1, this numaslab writes "},
	};
	struct nslab_exec_result result;
	char folder[128];

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct nslab_err err;

		snprintf(folder, sizeof(folder), "%s/changed-%zu", fake.dir, i);
		run_well(plan, folder, false, &result);
		free(query(folder, changes[i].sql));
		assert_int_equal(run_plan(plan, folder, true, &result, &err), -EINVAL);
		if (!strstr(err.text, changes[i].words) || !strstr(err.text, "cannot go on with"))
			fail_msg("'%s' is not in '%s'", changes[i].words, err.text);
	}
}

static void resume_refuses_a_run_that_is_at_work(void **state)
{
	static const char *const plan[] = {"blocks=2", NULL};
	struct nslab_exec_result result;
	struct nslab_err err;
	int held[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(held, O_CLOEXEC), 0);
	run_well(plan, fake.folder, false, &result);
	pid = fork();
	if (!pid) {
		int rc = flock(open(fake.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), LOCK_EX);

		(void)!write(held[1], rc ? "n" : "y", 1);
		pause();
	}
	assert_int_equal(read(held[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	assert_int_equal(run_plan(plan, fake.folder, true, &result, &err), -EBUSY);
	assert_non_null(strstr(err.text, "a run is at work in"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(held[0]);
	close(held[1]);
}

/* ---- verify ---- */

struct told {
	char text[4096];
};

static void keep_told(void *context, const char *text)
{
	struct told *told = context;
	size_t len = strlen(told->text);

	snprintf(told->text + len, sizeof(told->text) - len, "%s\n", text);
}

static size_t verify(const char *folder, struct told *told)
{
	struct nslab_verification verification;
	struct nslab_run_file file;
	struct nslab_err err = {""};

	told->text[0] = '\0';
	assert_int_equal(nslab_run_file_open(folder, &file, &err), 0);
	assert_int_equal(nslab_verify(&file, keep_told, told, &verification, &err), 0);
	nslab_run_file_close(&file);
	if (fake.cause != PLANT_CRASH)
		assert_int_equal(verification.nr_windows, 3 * verification.nr_trials);
	if (!verification.nr_differences)
		assert_int_equal(verification.nr_designed, verification.nr_trials);
	return verification.nr_differences;
}

static void verify_finds_every_kind_of_difference(void **state)
{
	static const char *const plan[] = {"blocks=2", NULL};
	static const struct {
		const char *change, *undo, *words;
	} changes[] = {
		{"UPDATE trial SET ns_per_op=ns_per_op*1.0000001 WHERE id=3",
		 "UPDATE trial SET ns_per_op=ns_per_op/1.0000001 WHERE id=3", "its windows give"},
		{"UPDATE trial SET cpu_ns=cpu_ns+1 WHERE id=4",
		 "UPDATE trial SET cpu_ns=cpu_ns-1 WHERE id=4", "ns of CPU time are stored"},
		{"UPDATE trial SET is_valid=0 WHERE id=5", "UPDATE trial SET is_valid=1 WHERE id=5",
		 "says no reason"},
		{"UPDATE cell SET skipped='why' WHERE id=1",
		 "UPDATE cell SET skipped=NULL WHERE id=1", "is skipped and has trials"},
		{"UPDATE trial SET seed='1'||seed WHERE id=2",
		 "UPDATE trial SET seed=substr(seed, 2) WHERE id=2", "the plan's seed gives"},
		{"UPDATE trial SET position=2-position WHERE block=1",
		 "UPDATE trial SET position=2-position WHERE block=1",
		 "of its block, the plan's seed makes it number"},
		{"UPDATE run SET seed='9'", "UPDATE run SET seed='1'",
		 "the run's seed is 9, its plan's is 1"},
		{"UPDATE cell SET key='x'||key WHERE id=2",
		 "UPDATE cell SET key=substr(key, 2) WHERE id=2", "is not in the plan"},
		{"UPDATE trial SET cell=99 WHERE id=6",
		 "UPDATE trial SET cell=(SELECT cell FROM trial WHERE id=6) WHERE id=-1",
		 "belongs to nothing, in table: trial"},
	};
	struct nslab_exec_result result;
	struct told told;

	(void)state;
	run_well(plan, fake.folder, false, &result);
	assert_int_equal(verify(fake.folder, &told), 0);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		free(query(fake.folder, changes[i].change));
		assert_true(verify(fake.folder, &told) > 0);
		if (!strstr(told.text, changes[i].words))
			fail_msg("'%s' is not in '%s'", changes[i].words, told.text);
		free(query(fake.folder, changes[i].undo));
	}
}

/* Blocks that ran again, arms that were given up: the design is that of the plan all the same. */
static void verify_knows_the_order_of_runs_that_were_disturbed(void **state)
{
	static const char *const plan[] = {"blocks=12", "seed=5", "invalidate=on", NULL};
	static const enum planted causes[] = {PLANT_RUN_DELAY, PLANT_CRASH};
	struct nslab_exec_result result;
	struct told told;
	char folder[128];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fake.cause = causes[i];
		fake.one_in = i ? 5 : 31;
		snprintf(folder, sizeof(folder), "%s/order-%zu", fake.dir, i);
		run_well(plan, folder, false, &result);
		assert_true(i ? result.nr_failed : result.nr_reruns);
		if (verify(folder, &told))
			fail_msg("%s", told.text);
	}
}

#define EXEC_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXEC_TEST(trial_is_spoiled_by_each_cause_and_named),
		EXEC_TEST(run_tells_what_the_host_did_meanwhile),
		EXEC_TEST(delay_is_no_cause_when_workers_share_pus),
		EXEC_TEST(absent_counters_are_no_cause),
		EXEC_TEST(block_runs_again_as_a_whole_when_one_trial_was_disturbed),
		EXEC_TEST(run_ends_as_noisy_when_a_fifth_was_run_again),
		EXEC_TEST(few_blocks_are_told_and_kept_when_nothing_is_said),
		EXEC_TEST(trial_s_own_fault_spoils_no_block),
		EXEC_TEST(block_waits_until_the_host_is_calm_and_gives_up),
		EXEC_TEST(run_stops_at_a_look_when_intervals_are_narrow),
		EXEC_TEST(resumed_run_has_the_same_trials_wherever_it_was_killed),
		EXEC_TEST(resume_refuses_when_anything_has_changed),
		EXEC_TEST(resume_refuses_a_run_that_is_at_work),
		EXEC_TEST(verify_knows_the_order_of_runs_that_were_disturbed),
		EXEC_TEST(verify_finds_every_kind_of_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
