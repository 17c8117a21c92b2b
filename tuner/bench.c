// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench.c: what a setting of a cache costs by the clock: trials of its load on the model of the
 * kernel, one fresh pinned process each.
 *
 * It is a plan of one family and one arm for each cache and segment, made as text and read as any
 * plan is, so placement, nodes, memory policy and the trial's description are those of
 * `numaslab run`; the setting replaces what the arm asks of its cache. The load is that of the
 * trace, cut down to the cache and the segment, or the standard one: every CPU keeps its share of
 * the cache's live objects, as far as they fit, drops a burst of random ones and allocates new
 * ones.
 *
 * One PU is left to the host: with a worker on each, whatever else runs delays some worker, and on
 * a machine of two PUs hardly a trial was valid. Bursts are alike on all CPUs, so a worker fewer
 * changes no arm against another, but a lone worker has nobody to contend with: what a setting does
 * to locks is then told by counts alone.
 *
 * Trials are short, since a race wants many: 10 windows of 5 ms. The host's counters are read
 * around each of them, and what spoils a trial of a plan spoils it here too; then it runs again
 * after a pause, at most twice, and after that it is the race's turn to run the whole block again.
 * Trials, pauses and all come out of the cache's share of the budget: on a host that is never quiet
 * the first cache does not eat what the others need.
 * In every second block of a hold-out, where the budget is a generous one, single operations are
 * timed as well: p99.9 wants ten values beyond it, and since timing may cost a quarter of a percent
 * only, that takes a trial eight times as long (results say '-' below that budget).
 *
 * Left out: what other caches do at the same time, and the kernel itself. A time is that of a model
 * in user space.
 */
#include "tuner/race.h"

#include "core/hist.h"
#include "core/rng.h"
#include "results/latency.h"
#include "runner/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BENCH_LATENCY_WINDOWS 6 /* times as many windows then */
#define BENCH_TAIL	      0.999
#define BENCH_BEYOND	      10 /* values that a percentile wants beyond it */
#define BENCH_TRIES	      3
#define BENCH_BACK_OFF_NS     UINT64_C(100000000) /* doubled for each disturbance in a row */
#define BENCH_BACK_OFF_MOST   2			  /* doublings */
#define BENCH_LIVE	      4096		  /* objects of a CPU, when nobody knows */
#define BENCH_LIVE_MOST	      65536
#define BENCH_LIVE_BYTES      (UINT64_C(32) << 20) /* of a CPU, at most */
#define BENCH_BURST	      64
#define BENCH_THREADS	      64
#define BENCH_TEXT	      2048
#define BENCH_SEGMENTS	      2
#define BENCH_SPECIAL	      ",;#\n" /* in plan files */

/* One cache. */
struct bench_cache {
	struct nslab_tuner_bench *bench;
	const struct nslab_tuner_cache *cache;
	struct nslab_plan *plans[BENCH_SEGMENTS];
	uint64_t end_ns; /* of what the bench has spent by then, its share is gone */
	struct bench_cache *next;
};

struct nslab_tuner_bench {
	const struct nslab_registry *registry;
	const struct nslab_tuner_snapshot *snapshot;
	struct nslab_topo *topo;
	struct bench_cache *caches;
	uint64_t budget_ns, spent_ns;
	int nr_disturbed;		    /* trials in a row */
	volatile const int *is_interrupted; /* or NULL */
	nslab_launch_fn launch;
	const struct nslab_noise_source *noise;
	char cause[512];
};

int nslab_tuner_bench_open(const struct nslab_registry *registry,
			   const struct nslab_tuner_snapshot *snapshot, uint64_t budget_ns,
			   struct nslab_tuner_bench **bench, struct nslab_err *err)
{
	const struct nslab_topo_source source = {.origin = NSLAB_TOPO_MACHINE};
	struct nslab_tuner_bench *b = calloc(1, sizeof(*b));
	int rc;

	if (!b)
		return nslab_fail(err, -ENOMEM, "cannot measure: %s", strerror(ENOMEM));
	b->registry = registry;
	b->snapshot = snapshot;
	b->budget_ns = budget_ns;
	b->launch = nslab_launch_trial;
	b->noise = &nslab_real_noise_source;
	rc = nslab_topo_load(&source, &b->topo, err);
	if (rc) {
		free(b);
		return rc;
	}
	*bench = b;
	return 0;
}

void nslab_tuner_bench_close(struct nslab_tuner_bench *bench)
{
	struct bench_cache *next;

	if (!bench)
		return;
	for (struct bench_cache *c = bench->caches; c; c = next) {
		next = c->next;
		for (int i = 0; i < BENCH_SEGMENTS; i++)
			nslab_plan_free(c->plans[i]);
		free(c);
	}
	nslab_topo_free(bench->topo);
	free(bench);
}

void nslab_tuner_bench_use(struct nslab_tuner_bench *bench, nslab_launch_fn launch,
			   const struct nslab_noise_source *noise)
{
	bench->launch = launch;
	bench->noise = noise;
}

void nslab_tuner_bench_watch(struct nslab_tuner_bench *bench, volatile const int *is_interrupted)
{
	bench->is_interrupted = is_interrupted;
}

const char *nslab_tuner_bench_cause(const struct nslab_tuner_bench *bench)
{
	return bench->cause;
}

/* ---- the plan ---- */

/* One PU is left to the host, where there is another. */
static int bench_threads(const struct nslab_tuner_bench *bench, int most)
{
	int nr = -1;

	for (int i = 0; i < bench->topo->nr_pus; i++)
		nr += bench->topo->pus[i].is_usable;
	if (bench->snapshot->nr_cpus > 0 && nr > bench->snapshot->nr_cpus)
		nr = bench->snapshot->nr_cpus;
	if (nr > most)
		nr = most;
	return nr < 1 ? 1 : nr;
}

/* A CPU's share of the live objects, as far as it fits. */
static uint64_t bench_live(const struct nslab_tuner_bench *bench,
			   const struct nslab_tuner_cache *cache)
{
	uint64_t nr_cpus = bench->snapshot->nr_cpus > 0 ? (uint64_t)bench->snapshot->nr_cpus : 1;
	uint64_t most = BENCH_LIVE_BYTES / (cache->size ? cache->size : 1);
	uint64_t live = cache->live >= 0 ? (uint64_t)cache->live / nr_cpus : BENCH_LIVE;

	if (live > most)
		live = most;
	if (live > BENCH_LIVE_MOST)
		live = BENCH_LIVE_MOST;
	return live < 2 * BENCH_BURST ? 2 * BENCH_BURST : live;
}

/* Every name that events may call the cache by. */
static int bench_names(const struct nslab_tuner_cache *cache, char *text, size_t text_bytes)
{
	size_t len = (size_t)snprintf(text, text_bytes, "%s", cache->name);

	for (size_t i = 0; len < text_bytes && i < cache->nr_aliases; i++) {
		if (strcmp(cache->aliases[i], cache->name) != 0)
			len += (size_t)snprintf(text + len, text_bytes - len, " %s",
						cache->aliases[i]);
	}
	return len < text_bytes ? 0 : -E2BIG;
}

static int bench_job(const struct nslab_tuner_bench *bench, const struct nslab_tuner_cache *cache,
		     const char *trace, int segment, char *text, size_t text_bytes,
		     struct nslab_err *err)
{
	char names[NSLAB_TEXT_MAX];
	int threads = bench_threads(bench, BENCH_THREADS);

	if (!trace) {
		snprintf(text, text_bytes,
			 "workload = bursts\nthreads = %d\nsize = %u\nlive_objects = %llu\n"
			 "burst_objects = %d\n",
			 threads, cache->size, (unsigned long long)bench_live(bench, cache),
			 BENCH_BURST);
		return 0;
	}
	if (bench_names(cache, names, sizeof(names)))
		return nslab_fail(err, -E2BIG, "'%s' has too many names to replay it: %zu",
				  cache->name, cache->nr_aliases);
	if (strlen(trace) >= NSLAB_TEXT_MAX || strpbrk(trace, BENCH_SPECIAL) ||
	    strpbrk(names, BENCH_SPECIAL))
		return nslab_fail(
			err, -EINVAL,
			"cannot replay '%s' of '%s': too long, or ',', ';', '#' in a name",
			cache->name, trace);
	snprintf(text, text_bytes,
		 "workload = replay\nthreads = 1\ntrace = %s\nonly = %s\nsegment = %s\n"
		 "points = 0\n",
		 trace, names, segment == NSLAB_TUNER_HOLDOUT ? "holdout" : "search");
	return 0;
}

static int bench_plan(struct bench_cache *c, const char *trace, int segment, struct nslab_err *err)
{
	const struct nslab_tuner_bench *bench = c->bench;
	char job[BENCH_TEXT / 2], text[BENCH_TEXT];
	struct nslab_plan_source source = {
		.name = "tune",
		.text = text,
		.registry = bench->registry,
		.topo = bench->topo,
	};
	int nr_cpus = bench->snapshot->nr_cpus;
	int rc = bench_job(bench, c->cache, trace, segment, job, sizeof(job), err);

	if (rc)
		return rc;
	snprintf(
		text, sizeof(text),
		"[global]\nallocator = slub\nslub.generation = %s\nslub.merge = no\nentry = cache\n"
		"blocks = 1\nwindows = 10\nwindow_ms = 5\nwarmup_ms = 4\ntwin = no\n"
		"sampler = off\ninvalidate = on\ntime_limit_s = 10\ncpus = %d\n[load]\n%s",
		nslab_order_kernel_word(bench->snapshot->kernel),
		nr_cpus < 0		   ? 0
		: nr_cpus > NSLAB_MAX_CPUS ? NSLAB_MAX_CPUS
					   : nr_cpus,
		job);
	rc = nslab_plan_load(&source, &c->plans[segment], err);
	return rc ? nslab_fail_in(err, rc, "cannot measure '%s'", c->cache->name) : 0;
}

/* ---- one trial ---- */

/* What the setting leaves as it is stays what the cache has; where nobody knows, the model's. */
static int bench_value(int setting, int now)
{
	if (setting != NSLAB_AUTO)
		return setting;
	return now != NSLAB_TUNER_UNKNOWN ? now : NSLAB_AUTO;
}

static void bench_set_cache(struct nslab_cache_spec *spec,
			    const struct nslab_tuner_setting *setting,
			    const struct nslab_tuner_cache *cache)
{
	spec->order = bench_value(setting->order, cache->order);
	spec->cpu_partial = bench_value(setting->cpu_partial, cache->cpu_partial);
	spec->min_partial = bench_value(setting->min_partial, cache->min_partial);
	spec->sheaf_capacity = bench_value(setting->sheaf_capacity, cache->sheaf_capacity);
}

static void bench_look(const struct nslab_tuner_bench *bench, const struct nslab_family *family,
		       struct nslab_noise_counts *counts)
{
	int pus[NSLAB_MAX_CPUS];
	int nr = 0;

	for (; family->pus && nr < family->nr_threads && nr < NSLAB_MAX_CPUS; nr++)
		pus[nr] = bench->topo->pus[family->pus[nr]].os_index;
	nslab_noise_read(bench->noise, pus, nr, counts);
}

/* NaN where there are too few values for it. */
static double bench_tail(const struct nslab_trial_record *record)
{
	struct nslab_hist hist = {0};
	double ns = NAN;

	if (!record->nr_hists || (double)record->hists->n * (1 - BENCH_TAIL) < BENCH_BEYOND)
		return NAN;
	hist.nr = record->hists->n;
	hist.min = record->hists->min;
	hist.max = record->hists->max;
	if (!nslab_hist_parse(record->hists->buckets_json, &hist))
		ns = nslab_hist_quantile(&hist, BENCH_TAIL);
	return ns;
}

/* 0, -EAGAIN when the host disturbed it, -EIO when the trial failed by itself. */
static int bench_judge(struct nslab_tuner_bench *bench, const struct nslab_family *family,
		       struct nslab_launch_result *launched,
		       const struct nslab_noise_counts *before,
		       const struct nslab_noise_counts *after, double *ns, double *p999_ns)
{
	struct nslab_trial_buffers buffers = {0};
	struct nslab_trial_record record = {0};
	struct nslab_noise_trial noise;
	enum nslab_statistic statistic = NSLAB_STATISTIC_MEDIAN;
	int rc;

	nslab_statistic_parse(family->statistic, &statistic);
	rc = nslab_record_fill(launched, statistic, &record, &buffers);
	if (rc)
		goto out_free;
	nslab_record_noise(launched, &record, family, &noise);
	if (!record.is_valid)
		rc = -EIO;
	else if (nslab_noise_judge(&noise, before, after, launched->cause, sizeof(launched->cause)))
		rc = -EAGAIN;
	*ns = record.ns_per_op;
	*p999_ns = bench_tail(&record);
out_free:
	nslab_record_free(&buffers);
	snprintf(bench->cause, sizeof(bench->cause), "%s", launched->cause);
	return rc;
}

static int bench_run(struct nslab_tuner_bench *bench, const struct nslab_plan *plan,
		     const struct nslab_arm *arm, uint64_t seed, double *ns, double *p999_ns)
{
	const struct nslab_family *family = &plan->families[0];
	struct nslab_noise_counts before, after;
	struct nslab_launch_result launched;
	json_t *spec = nslab_record_spec(plan, family, arm, seed, NULL);
	const struct nslab_launch launch = {
		.spec = spec,
		/* the load is the same for all arms of a block, the layout is not */
		.seed = nslab_rng_mix(seed, (uint64_t)(unsigned)arm->cache.order),
		.time_limit_ns = plan->time_limit_ns,
	};
	int rc = spec ? 0 : -ENOMEM;

	if (!rc) {
		bench_look(bench, family, &before);
		rc = bench->launch(&launch, &launched);
	}
	json_decref(spec);
	if (rc)
		return rc;
	bench_look(bench, family, &after);
	bench->spent_ns += launched.wall_ns;
	rc = bench_judge(bench, family, &launched, &before, &after, ns, p999_ns);
	json_decref(launched.document);
	return rc;
}

uint64_t nslab_tuner_bench_left_ns(const struct nslab_tuner_bench *bench)
{
	if (bench->is_interrupted && *bench->is_interrupted)
		return 0;
	return bench->spent_ns < bench->budget_ns ? bench->budget_ns - bench->spent_ns : 0;
}

static uint64_t bench_left_ns(void *state)
{
	const struct bench_cache *c = state;
	uint64_t left_ns = nslab_tuner_bench_left_ns(c->bench);
	uint64_t share_ns = c->end_ns > c->bench->spent_ns ? c->end_ns - c->bench->spent_ns : 0;

	return left_ns < share_ns ? left_ns : share_ns;
}

/* Whoever disturbs goes on for a while; that costs budget too, but this cache's share at most. */
static void bench_back_off(struct bench_cache *c)
{
	struct nslab_tuner_bench *bench = c->bench;
	uint64_t ns = BENCH_BACK_OFF_NS << bench->nr_disturbed, left_ns = bench_left_ns(c);

	ns = ns < left_ns ? ns : left_ns;

	if (bench->nr_disturbed < BENCH_BACK_OFF_MOST)
		bench->nr_disturbed++;
	bench->noise->sleep_ns(bench->noise, ns);
	bench->spent_ns += ns;
}

static int bench_trial(void *state, const struct nslab_tuner_setting *setting, int block,
		       uint64_t seed, enum nslab_tuner_segment segment, double *ns, double *p999_ns)
{
	struct bench_cache *c = state;
	struct nslab_plan plan = *c->plans[segment];
	struct nslab_arm arm = plan.families[0].arms[0];
	int rc = -EAGAIN;

	bench_set_cache(&arm.cache, setting, c->cache);
	plan.has_latency = segment == NSLAB_TUNER_HOLDOUT && block % 2 &&
			   c->bench->budget_ns >= NSLAB_TUNER_LATENCY_NS;
	if (plan.has_latency)
		plan.nr_windows *= BENCH_LATENCY_WINDOWS;
	for (int i = 0; rc == -EAGAIN && i < BENCH_TRIES; i++) {
		if (!bench_left_ns(c))
			return -ECANCELED;
		rc = bench_run(c->bench, &plan, &arm, i ? nslab_rng_mix(seed, (uint64_t)i) : seed,
			       ns, p999_ns);
		if (rc == -EAGAIN)
			bench_back_off(c);
		else
			c->bench->nr_disturbed = 0;
	}
	return rc;
}

/* A cache that the trace does not know has the standard load instead. */
static int bench_find_events(const struct nslab_tuner_cache *cache, const char **trace,
			     struct nslab_err *err)
{
	struct nslab_tuner_load *load = NULL;
	int rc = nslab_tuner_load_of_trace(*trace, cache, NSLAB_TUNER_HOLDOUT, &load, err);

	if (rc == -ENODATA || (!rc && !load->nr_setup)) {
		*trace = NULL;
		err->text[0] = '\0';
		rc = 0;
	}
	nslab_tuner_load_free(load);
	return rc;
}

int nslab_tuner_bench_source(struct nslab_tuner_bench *bench, const struct nslab_tuner_cache *cache,
			     const char *trace, uint64_t share_ns,
			     struct nslab_tuner_race_source *source, struct nslab_err *err)
{
	struct bench_cache *c = calloc(1, sizeof(*c));
	int rc = 0;

	if (!c)
		return nslab_fail(err, -ENOMEM, "cannot measure '%s': %s", cache->name,
				  strerror(ENOMEM));
	c->bench = bench;
	c->cache = cache;
	c->end_ns =
		share_ns > UINT64_MAX - bench->spent_ns ? UINT64_MAX : bench->spent_ns + share_ns;
	c->next = bench->caches;
	bench->caches = c;
	if (trace)
		rc = bench_find_events(cache, &trace, err);
	for (int i = 0; !rc && i < BENCH_SEGMENTS; i++)
		rc = bench_plan(c, trace, i, err);
	*source = (struct nslab_tuner_race_source){c, bench_trial, bench_left_ns};
	return rc;
}
