/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_counters.c: which source counts what, values that are estimates or absent, and this machine.
 *
 * Two sources of the test's own stand in for perf and softstat: their probes, opens and values are
 * set by each test, and they write down the order of their calls. The last tests use the real
 * sources on whatever machine this is; they claim only what holds with and without a PMU.
 */
#define _GNU_SOURCE
#include "runner/counters/counters.h"
#include "runner/counters/perf_group.h"
#include "runner/counters/perf_why.h"
#include "runner/counters/pmu.h"
#include "runner/counters/scale.h"

#include <errno.h>
#include <numaslab/plugin.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct nslab_plugin nslab_plugin_perf;
extern const struct nslab_plugin nslab_plugin_softstat;

#define NR_FAKE 3

struct fake {
	int probe_rc[NR_FAKE];
	const char *probe_why;
	int open_rc, start_rc, stop_rc, read_rc;
	struct nslab_count values[NR_FAKE]; /* by event */
	int nr, events[NR_FAKE];
	pid_t tid;
	int nr_open;
};

struct nslab_counter_set {
	struct fake *fake;
};

static struct fake good, plain;
static struct nslab_counter_set good_set = {&good}, plain_set = {&plain};
static char fake_log[256];

static void fake_note(const char *word, const struct nslab_counter_set *set)
{
	size_t len = strlen(fake_log);

	snprintf(fake_log + len, sizeof(fake_log) - len, "%s%s ", word,
		 set->fake == &good ? "1" : "2");
}

static int fake_probe(const struct fake *fake, int event, char *why, size_t why_bytes)
{
	if (fake->probe_rc[event] && fake->probe_why)
		snprintf(why, why_bytes, "%s", fake->probe_why);
	return fake->probe_rc[event];
}

static int good_probe(int event, char *why, size_t why_bytes)
{
	return fake_probe(&good, event, why, why_bytes);
}

static int plain_probe(int event, char *why, size_t why_bytes)
{
	return fake_probe(&plain, event, why, why_bytes);
}

static int fake_open(struct fake *fake, const int *events, int nr, pid_t tid)
{
	if (fake->open_rc)
		return fake->open_rc;
	fake->nr = nr;
	fake->tid = tid;
	fake->nr_open++;
	memcpy(fake->events, events, (size_t)nr * sizeof(*events));
	return 0;
}

static int good_open(const int *events, int nr, pid_t tid, struct nslab_counter_set **set)
{
	*set = &good_set;
	return fake_open(&good, events, nr, tid);
}

static int plain_open(const int *events, int nr, pid_t tid, struct nslab_counter_set **set)
{
	*set = &plain_set;
	return fake_open(&plain, events, nr, tid);
}

static int fake_start(struct nslab_counter_set *set)
{
	fake_note("start", set);
	return set->fake->start_rc;
}

static int fake_stop(struct nslab_counter_set *set)
{
	fake_note("stop", set);
	return set->fake->stop_rc;
}

static int fake_read(struct nslab_counter_set *set, struct nslab_count *values)
{
	for (int i = 0; i < set->fake->nr; i++)
		values[i] = set->fake->values[set->fake->events[i]];
	return set->fake->read_rc;
}

static void fake_close(struct nslab_counter_set *set)
{
	set->fake->nr_open--;
}

static const struct nslab_event good_events[] = {{"cycles", "events", ""},
						 {"instructions", "events", ""},
						 {"page-faults", "events", ""},
						 {0}};
static const struct nslab_event plain_events[] = {
	{"page-faults", "events", ""}, {"cpu-migrations", "events", ""}, {0}};
static const struct nslab_counter_ops good_ops = {"good",     "",	 good_events,
						  good_probe, good_open, fake_start,
						  fake_stop,  fake_read, fake_close};
static const struct nslab_counter_ops plain_ops = {"plain",	"",	    plain_events,
						   plain_probe, plain_open, fake_start,
						   fake_stop,	fake_read,  fake_close};
static const struct nslab_counter_ops *const fakes[] = {&good_ops, &plain_ops};

static int fake_reset(void **state)
{
	(void)state;
	memset(&good, 0, sizeof(good));
	memset(&plain, 0, sizeof(plain));
	fake_log[0] = '\0';
	for (int i = 0; i < NR_FAKE; i++) {
		good.values[i] = (struct nslab_count){100u + (unsigned)i, 10, 10, 0};
		plain.values[i] = (struct nslab_count){200u + (unsigned)i, 10, 10, 0};
	}
	return 0;
}

static int fake_check_closed(void **state)
{
	(void)state;
	return good.nr_open || plain.nr_open;
}

static struct nslab_counters *fake_set(void)
{
	struct nslab_counters *set = NULL;
	struct nslab_err err;

	assert_int_equal(nslab_counters_open_from(fakes, 2, 7, &set, &err), 0);
	return set;
}

/* Reads, closes, and leaves readings in the order cycles, instructions, faults, migrations. */
static void fake_finish(struct nslab_counters *set, struct nslab_counter_reading *readings)
{
	static const char *const names[] = {"cycles", "instructions", "page-faults",
					    "cpu-migrations"};

	assert_int_equal(nslab_counters_read(set, readings, NSLAB_COUNTERS_MAX), 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(readings[i].name, names[i]);
	nslab_counters_close(set);
}

static void counters_take_the_first_source_that_can_count(void **state)
{
	struct nslab_counter_reading r[NSLAB_COUNTERS_MAX];

	(void)state;
	fake_finish(fake_set(), r);
	assert_string_equal(r[2].source, "good");
	assert_int_equal(r[2].count.value, 102);
	assert_string_equal(r[3].source, "plain");
	assert_int_equal(r[3].count.value, 201);
	assert_string_equal(r[3].reason, "");
	assert_int_equal(good.tid, 7);
	assert_int_equal(good.nr, 3);
	assert_int_equal(plain.nr, 1);
}

static void counters_fall_back_when_a_probe_fails(void **state)
{
	struct nslab_counter_reading r[NSLAB_COUNTERS_MAX];

	(void)state;
	good.probe_rc[0] = -ENOENT;
	good.probe_rc[2] = -EACCES;
	good.probe_why = "not on this CPU";
	fake_finish(fake_set(), r);
	assert_string_equal(r[0].source, "good");
	assert_int_equal(r[0].count.err, -ENOENT);
	assert_int_equal(r[0].count.value, 0);
	assert_string_equal(r[0].reason, "not on this CPU");
	assert_int_equal(r[1].count.value, 101);
	assert_string_equal(r[2].source, "plain");
	assert_int_equal(r[2].count.value, 200);
	assert_string_equal(r[2].reason, "");
}

static void counters_fall_back_when_an_open_fails(void **state)
{
	struct nslab_counter_reading r[NSLAB_COUNTERS_MAX];

	(void)state;
	good.open_rc = -EMFILE;
	fake_finish(fake_set(), r);
	assert_int_equal(r[0].count.err, -EMFILE);
	assert_string_equal(r[0].reason, strerror(EMFILE));
	assert_string_equal(r[2].source, "plain");
	assert_int_equal(r[2].count.value, 200);
}

static void counters_keep_estimates_apart_from_values(void **state)
{
	struct nslab_counter_reading r[NSLAB_COUNTERS_MAX];

	(void)state;
	nslab_count_scale(0, 600, 100, 50, &good.values[0]);
	nslab_count_scale(0, 600, 100, 0, &good.values[1]);
	fake_finish(fake_set(), r);
	assert_int_equal(r[0].count.err, 0);
	assert_int_equal(r[0].count.value, 1200);
	assert_int_equal(r[0].count.enabled_ns, 100);
	assert_int_equal(r[0].count.running_ns, 50);
	assert_int_equal(r[1].count.err, -ENODATA);
	assert_int_equal(r[1].count.value, 0);
	assert_int_equal(r[1].count.enabled_ns, 100);
	assert_non_null(strstr(r[1].reason, "never got onto the hardware"));
	assert_string_equal(r[1].source, "good");
}

static void counters_mark_a_source_that_cannot_be_read(void **state)
{
	struct nslab_counter_reading r[NSLAB_COUNTERS_MAX];

	(void)state;
	good.read_rc = -EIO;
	fake_finish(fake_set(), r);
	assert_int_equal(r[0].count.err, -EIO);
	assert_int_equal(r[0].count.value, 0);
	assert_string_equal(r[0].reason, strerror(EIO));
	assert_int_equal(r[3].count.err, 0);
}

static void counters_refuse_a_short_array(void **state)
{
	struct nslab_counter_reading r[3];
	struct nslab_counters *set = fake_set();

	(void)state;
	assert_int_equal(nslab_counters_read(set, r, 3), -ENOSPC);
	nslab_counters_close(set);
}

static void counters_start_the_first_source_last(void **state)
{
	struct nslab_counters *set = fake_set();

	(void)state;
	assert_int_equal(nslab_counters_start(set), 0);
	assert_int_equal(nslab_counters_stop(set), 0);
	assert_string_equal(fake_log, "start2 start1 stop1 stop2 ");
	nslab_counters_close(set);
}

static void counters_stop_what_ran_when_a_start_fails(void **state)
{
	struct nslab_counters *set = fake_set();

	(void)state;
	good.start_rc = -EIO;
	assert_int_equal(nslab_counters_start(set), -EIO);
	assert_string_equal(fake_log, "start2 start1 stop1 stop2 ");
	nslab_counters_close(set);
}

static void counters_stop_every_source_when_one_fails(void **state)
{
	struct nslab_counters *set = fake_set();

	(void)state;
	good.stop_rc = -EIO;
	assert_int_equal(nslab_counters_stop(set), -EIO);
	assert_string_equal(fake_log, "stop1 stop2 ");
	nslab_counters_close(set);
}

static void counters_refuse_too_many_sources(void **state)
{
	const struct nslab_counter_ops *many[NSLAB_COUNTERS_MAX_SOURCES + 1];
	struct nslab_counters *set = NULL;
	struct nslab_err err;

	(void)state;
	for (size_t i = 0; i <= NSLAB_COUNTERS_MAX_SOURCES; i++)
		many[i] = &good_ops;
	assert_int_equal(
		nslab_counters_open_from(many, NSLAB_COUNTERS_MAX_SOURCES + 1, 0, &set, &err),
		-E2BIG);
	assert_null(set);
	assert_non_null(strstr(err.text, "8 at most"));
}

static void counters_say_one_line_for_all_hardware(void **state)
{
	struct nslab_counters *set;
	char text[256];

	(void)state;
	good.probe_rc[0] = good.probe_rc[1] = -ENOENT;
	good.probe_why = "no PMU in this virtual machine";
	set = fake_set();
	assert_int_equal(nslab_counters_reasons(set, text, sizeof(text)), 1);
	assert_string_equal(text, "hardware counters: absent (no PMU in this virtual machine)\n");
	/* too small a buffer cuts the text and nothing else */
	assert_int_equal(nslab_counters_reasons(set, text, 9), 1);
	assert_string_equal(text, "hardware");
	nslab_counters_close(set);
}

static void counters_name_what_is_absent_besides_hardware(void **state)
{
	struct nslab_counters *set;
	char text[256];

	(void)state;
	good.probe_rc[1] = plain.probe_rc[1] = -ENOENT;
	good.probe_why = "not on this CPU";
	plain.probe_why = "not on this kernel";
	set = fake_set();
	assert_int_equal(nslab_counters_reasons(set, text, sizeof(text)), 2);
	assert_string_equal(text, "instructions: absent (not on this CPU)\n"
				  "cpu-migrations: absent (not on this kernel)\n");
	nslab_counters_close(set);
	good.probe_rc[1] = plain.probe_rc[1] = 0;
	set = fake_set();
	assert_int_equal(nslab_counters_reasons(set, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	nslab_counters_close(set);
}

static void count_scale_tells_whole_scaled_and_absent_apart(void **state)
{
	struct nslab_count c;

	(void)state;
	nslab_count_scale(0, 5, 100, 100, &c);
	assert_int_equal(c.value, 5);
	assert_int_equal(c.err, 0);
	nslab_count_scale(0, 10, 300, 100, &c);
	assert_int_equal(c.value, 30);
	/* a value of zero that was counted is a value */
	nslab_count_scale(0, 0, 100, 100, &c);
	assert_int_equal(c.err, 0);
	nslab_count_scale(0, 0, 0, 0, &c);
	assert_int_equal(c.err, -ENODATA);
	nslab_count_scale(-EBADF, 9, 100, 100, &c);
	assert_int_equal(c.err, -EBADF);
	assert_int_equal(c.value, 0);
	/* clocks of two CPUs may disagree a little; that is no reason to scale down */
	nslab_count_scale(0, 1000, 100, 101, &c);
	assert_int_equal(c.value, 1000);
}

static void perf_explains_each_refusal(void **state)
{
	static const struct {
		int rc;
		bool is_hardware;
		struct nslab_perf_host host;
		const char *why;
	} rows[] = {
		{-ENOENT, true, {2, true, false, false}, "no PMU in this virtual machine"},
		{-ENOENT, true, {2, false, false, false}, "no PMU in this machine"},
		{-ENOENT, true, {2, true, false, true}, "not on this CPU"},
		{-EOPNOTSUPP, true, {2, false, false, true}, "not on this CPU"},
		{-ENOENT, false, {2, true, false, false}, "not on this kernel"},
		{-EACCES,
		 true,
		 {3, true, false, true},
		 "perf_event_paranoid is 3: run as root or sysctl kernel.perf_event_paranoid=2"},
		{-EACCES,
		 false,
		 {2, true, false, true},
		 "perf_event_paranoid is 2: kernel-side events need root or sysctl "
		 "kernel.perf_event_paranoid=1"},
		{-EPERM, true, {2, false, true, true}, "seccomp refuses perf_event_open"},
		{-ENOSYS, true, {2, false, true, false}, "seccomp refuses perf_event_open"},
		{-ENOSYS, true, {2, false, false, false}, "this kernel has no perf events"},
		{-EPERM,
		 true,
		 {1, false, false, true},
		 "the kernel refuses perf_event_open: Operation not permitted"},
		{-EINVAL,
		 true,
		 {1, false, false, true},
		 "the kernel or the CPU does not take the event's encoding (EINVAL): name another "
		 "event"},
		{-EIO, true, {1, false, false, true}, "perf_event_open: Input/output error"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char why[128];

		nslab_perf_explain(rows[i].rc, rows[i].is_hardware, &rows[i].host, why,
				   sizeof(why));
		assert_string_equal(why, rows[i].why);
	}
}

/* Writes to nr fresh pages and gives them back. */
static void touch_pages(size_t nr)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory =
		mmap(NULL, nr * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	madvise(memory, nr * page, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < nr; i++)
		*(volatile char *)(memory + i * page) = 1;
	munmap(memory, nr * page);
}

static const struct nslab_counter_reading *find(const struct nslab_counter_reading *readings,
						int nr, const char *name)
{
	for (int i = 0; i < nr; i++) {
		if (!strcmp(readings[i].name, name))
			return &readings[i];
	}
	fail_msg("no reading of '%s'", name);
	return NULL;
}

static void check_faults(const struct nslab_counter_ops *const *sources, size_t nr_sources,
			 const char *source)
{
	struct nslab_counter_reading r[NSLAB_COUNTERS_MAX];
	const struct nslab_counter_reading *faults;
	struct nslab_counters *set;
	struct nslab_err err;
	int nr;

	assert_int_equal(nslab_counters_open_from(sources, nr_sources, 0, &set, &err), 0);
	touch_pages(1000);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(nslab_counters_start(set), 0);
		touch_pages(50);
		assert_int_equal(nslab_counters_stop(set), 0);
		touch_pages(1000);
	}
	nr = nslab_counters_read(set, r, NSLAB_COUNTERS_MAX);
	faults = find(r, nr, "page-faults");
	assert_int_equal(faults->count.err, 0);
	if (source)
		assert_string_equal(faults->source, source);
	/* those between start and stop, both rounds, and none of the others */
	assert_in_range(faults->count.value, 100, 900);
	assert_true(faults->count.running_ns > 0);
	assert_true(faults->count.running_ns <= faults->count.enabled_ns);
	assert_int_equal(find(r, nr, "context-switches")->count.err, 0);
	nslab_counters_close(set);
}

static void real_sources_count_the_faults_of_touched_pages(void **state)
{
	const struct nslab_counter_ops *const sources[] = {nslab_plugin_perf.ops,
							   nslab_plugin_softstat.ops};

	(void)state;
	check_faults(sources, 2, NULL);
}

static void softstat_counts_the_faults_of_touched_pages(void **state)
{
	const struct nslab_counter_ops *const sources[] = {nslab_plugin_softstat.ops};

	(void)state;
	check_faults(sources, 1, "softstat");
}

static void real_sources_give_a_value_or_a_reason(void **state)
{
	static const char *const names[] = {
		"cycles",	"instructions",	    "cache-references",
		"cache-misses", "dTLB-load-misses", "node-load-misses",
		"page-faults",	"context-switches", "cpu-migrations",
	};
	struct nslab_counter_reading r[NSLAB_COUNTERS_MAX];
	struct nslab_counters *set;
	char text[1024];
	int nr, nr_absent = 0;

	(void)state;
	assert_int_equal(nslab_counters_open(&set), 0);
	assert_int_equal(nslab_counters_start(set), 0);
	assert_int_equal(nslab_counters_stop(set), 0);
	nr = nslab_counters_read(set, r, NSLAB_COUNTERS_MAX);
	assert_int_equal(nr, 9);
	for (int i = 0; i < nr; i++) {
		const struct nslab_counter_reading *one = find(r, nr, names[i]);

		assert_int_equal(one->count.err != 0, one->reason[0] != '\0');
		nr_absent += one->count.err && one->count.err != -ENODATA;
		if (nslab_perf_missing && nslab_perf_is_hardware(one->name))
			assert_string_equal(one->reason, "built without libperf");
	}
	assert_int_equal(nslab_counters_reasons(set, text, sizeof(text)) > 0, nr_absent > 0);
	print_message("%s", text);
	nslab_counters_close(set);
}

static void chosen_events_are_counted_or_have_their_reason(void **state)
{
	const struct nslab_pmu_event events[] = {
		{"amd-zen4/FAR", {4, 0x4044, 0, true, 0}, "group 'amd-zen4' is not for this CPU"},
		{"raw:0x11", {4, 0x11, 1, true, 0}, ""},
	};
	struct nslab_pmu_event many[NSLAB_PMU_MAX + 1] = {0};
	struct nslab_counter_reading r[NSLAB_COUNTERS_MAX];
	struct nslab_counters *set;
	const struct nslab_counter_reading *one;
	int nr;

	(void)state;
	assert_int_equal(nslab_pmu_choose(events, 2), 0);
	assert_int_equal(nslab_pmu_choose(many, NSLAB_PMU_MAX + 1), -E2BIG);
	assert_int_equal(nslab_counters_open(&set), 0);
	assert_int_equal(nslab_counters_start(set), 0);
	assert_int_equal(nslab_counters_stop(set), 0);
	nr = nslab_counters_read(set, r, NSLAB_COUNTERS_MAX);
	assert_int_equal(nr, 11);
	one = find(r, nr, "amd-zen4/FAR");
	assert_string_equal(one->source, "pmu");
	assert_int_equal(one->count.err, -ENOENT);
	assert_string_equal(one->reason, events[0].reason);
	one = find(r, nr, "raw:0x11");
	assert_int_equal(one->count.err != 0, one->reason[0] != '\0');
	nslab_counters_close(set);
	assert_int_equal(nslab_pmu_choose(NULL, 0), 0);
}

/* The most that can be chosen fits into a set beside all that is always counted. */
static void chosen_events_leave_room_for_the_others(void **state)
{
	struct nslab_pmu_event many[NSLAB_PMU_MAX] = {0};
	struct nslab_counter_reading r[NSLAB_COUNTERS_MAX];
	struct nslab_counters *set;

	(void)state;
	for (int i = 0; i < NSLAB_PMU_MAX; i++) {
		snprintf(many[i].name, sizeof(many[i].name), "event-%d", i);
		snprintf(many[i].reason, sizeof(many[i].reason), "not here");
	}
	assert_int_equal(nslab_pmu_choose(many, NSLAB_PMU_MAX), 0);
	assert_int_equal(nslab_counters_open(&set), 0);
	assert_int_equal(nslab_counters_read(set, r, NSLAB_COUNTERS_MAX), NSLAB_PMU_MAX + 9);
	nslab_counters_close(set);
	assert_int_equal(nslab_pmu_choose(NULL, 0), 0);
}

/* A thread that faults when it is told to, and is watched by another. */
struct watched {
	pthread_barrier_t barrier;
	pid_t tid;
};

static void *watched_thread(void *argument)
{
	struct watched *watched = argument;

	watched->tid = gettid();
	pthread_barrier_wait(&watched->barrier);
	pthread_barrier_wait(&watched->barrier);
	touch_pages(100);
	pthread_barrier_wait(&watched->barrier);
	pthread_barrier_wait(&watched->barrier);
	return NULL;
}

static void check_other_thread(const struct nslab_counter_ops *const *sources, size_t nr_sources)
{
	struct nslab_counter_reading r[NSLAB_COUNTERS_MAX];
	struct nslab_counters *set;
	struct watched watched;
	struct nslab_err err;
	pthread_t thread;
	int nr;

	pthread_barrier_init(&watched.barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, watched_thread, &watched), 0);
	pthread_barrier_wait(&watched.barrier);
	assert_int_equal(nslab_counters_open_from(sources, nr_sources, watched.tid, &set, &err), 0);
	assert_int_equal(nslab_counters_start(set), 0);
	pthread_barrier_wait(&watched.barrier);
	touch_pages(1000);
	pthread_barrier_wait(&watched.barrier);
	assert_int_equal(nslab_counters_stop(set), 0);
	pthread_barrier_wait(&watched.barrier);
	pthread_join(thread, NULL);
	nr = nslab_counters_read(set, r, NSLAB_COUNTERS_MAX);
	assert_in_range(find(r, nr, "page-faults")->count.value, 100, 900);
	nslab_counters_close(set);
	pthread_barrier_destroy(&watched.barrier);
}

static void real_sources_count_another_thread(void **state)
{
	const struct nslab_counter_ops *const sources[] = {nslab_plugin_perf.ops,
							   nslab_plugin_softstat.ops};

	(void)state;
	check_other_thread(sources, 2);
	check_other_thread(sources + 1, 1);
}

static void *open_and_close(void *argument)
{
	struct nslab_counters *set;
	int *rc = argument;

	for (int i = 0; i < 20 && !*rc; i++) {
		*rc = nslab_counters_open(&set);
		if (!*rc)
			nslab_counters_close(set);
	}
	return NULL;
}

static void real_sources_open_in_many_threads_at_once(void **state)
{
	pthread_t threads[4];
	int rcs[4] = {0};

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, &rcs[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(rcs[i], 0);
	}
}

static void sources_refuse_events_they_do_not_have(void **state)
{
	const struct nslab_counter_ops *const sources[] = {nslab_plugin_perf.ops,
							   nslab_plugin_softstat.ops};
	struct nslab_counter_set *set;
	const int none[] = {99};
	char why[64];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(sources[i]->probe(-1, why, sizeof(why)), -EINVAL);
		assert_int_equal(sources[i]->probe(99, why, sizeof(why)), -EINVAL);
		assert_int_equal(sources[i]->open(none, 1, 0, &set), -EINVAL);
		assert_int_equal(sources[i]->open(none, 0, 0, &set), -EINVAL);
	}
}

#define FAKE(test) cmocka_unit_test_setup_teardown(test, fake_reset, fake_check_closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE(counters_take_the_first_source_that_can_count),
		FAKE(counters_fall_back_when_a_probe_fails),
		FAKE(counters_fall_back_when_an_open_fails),
		FAKE(counters_keep_estimates_apart_from_values),
		FAKE(counters_mark_a_source_that_cannot_be_read),
		FAKE(counters_refuse_a_short_array),
		FAKE(counters_start_the_first_source_last),
		FAKE(counters_stop_what_ran_when_a_start_fails),
		FAKE(counters_stop_every_source_when_one_fails),
		FAKE(counters_refuse_too_many_sources),
		FAKE(counters_say_one_line_for_all_hardware),
		FAKE(counters_name_what_is_absent_besides_hardware),
		cmocka_unit_test(count_scale_tells_whole_scaled_and_absent_apart),
		cmocka_unit_test(perf_explains_each_refusal),
		cmocka_unit_test(real_sources_count_the_faults_of_touched_pages),
		cmocka_unit_test(softstat_counts_the_faults_of_touched_pages),
		cmocka_unit_test(real_sources_give_a_value_or_a_reason),
		cmocka_unit_test(chosen_events_are_counted_or_have_their_reason),
		cmocka_unit_test(chosen_events_leave_room_for_the_others),
		cmocka_unit_test(real_sources_count_another_thread),
		cmocka_unit_test(real_sources_open_in_many_threads_at_once),
		cmocka_unit_test(sources_refuse_events_they_do_not_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
