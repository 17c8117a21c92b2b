/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * noise.c: the counters that tell a disturbed trial from a slow one.
 *
 * A trial is spoiled by a cause, never by its value: a limit on the value would throw away exactly
 * the trials that an allocator is bad in. The supervisor reads the host's counters before and after
 * the trial, the trial's process brings its own (run delay, CPU time, migrations), and the first
 * cause in the order below is the one that is told: what the host did on purpose (quota, heat, page
 * moves) before what it merely suffered from.
 *
 * Two designs lose time on purpose and are not blamed for it: a worker that sleeps by itself is off
 * its CPU, and workers that share a PU delay one another. There only the other causes count.
 *
 * A counter that cannot be read is no cause. Left out: interrupts on the measured PUs, which run
 * delay and off-CPU time contain.
 */
#define _GNU_SOURCE
#include "runner/noise.h"

#include "results/trials.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CALM_PERCENT 5.0
#define CALM_LOOK_NS UINT64_C(250000000)
#define PATH_BYTES   4096

static void real_sleep_ns(const struct nslab_noise_source *source, uint64_t ns)
{
	const struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

	(void)source;
	nanosleep(&time, NULL); /* a signal ends it: Ctrl-C is looked at next */
}

const struct nslab_noise_source nslab_real_noise_source = {"", real_sleep_ns};

static FILE *noise_open(const struct nslab_noise_source *source, const char *path)
{
	char full[PATH_BYTES];
	int len = snprintf(full, sizeof(full), "%s%s", source->root, path);

	return len > 0 && (size_t)len < sizeof(full) ? fopen(full, "re") : NULL;
}

static void noise_add(struct nslab_noise_count *count, uint64_t value)
{
	count->value += value;
	count->has_value = true;
}

/* Adds the number after the word that begins a line: "nr_throttled 3". */
static void noise_read_word(FILE *file, const char *word, struct nslab_noise_count *count)
{
	char line[256];
	size_t len = strlen(word);
	uint64_t value;

	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, word, len) && line[len] == ' ' &&
		    sscanf(line + len, "%" SCNu64, &value) == 1)
			noise_add(count, value);
	}
	if (file)
		fclose(file);
}

static bool noise_has_pu(const int *pus, int nr_pus, int pu)
{
	for (int i = 0; i < nr_pus; i++) {
		if (pus[i] == pu)
			return true;
	}
	return false;
}

/* The eighth figure of a PU's line: ticks that a hypervisor gave to somebody else. */
static void noise_read_steal(const struct nslab_noise_source *source, const int *pus, int nr_pus,
			     struct nslab_noise_count *steal_ns)
{
	FILE *file = noise_open(source, "/proc/stat");
	uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
	char line[512];
	uint64_t ticks;
	int pu;

	while (file && fgets(line, sizeof(line), file)) {
		if (line[3] != ' ' &&
		    sscanf(line, "cpu%d %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &pu, &ticks) == 2 &&
		    noise_has_pu(pus, nr_pus, pu))
			noise_add(steal_ns, ticks * tick_ns);
	}
	if (file)
		fclose(file);
}

static void noise_read_thermal(const struct nslab_noise_source *source, const int *pus, int nr_pus,
			       struct nslab_noise_count *nr_thermal)
{
	static const char *const kinds[] = {"core", "package"};
	char path[128];
	uint64_t value;

	for (int i = 0; i < nr_pus; i++) {
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			FILE *file;

			snprintf(path, sizeof(path),
				 "/sys/devices/system/cpu/cpu%d/thermal_throttle/%s_throttle_count",
				 pus[i], kinds[k]);
			file = noise_open(source, path);
			if (file && fscanf(file, "%" SCNu64, &value) == 1)
				noise_add(nr_thermal, value);
			if (file)
				fclose(file);
		}
	}
}

/* Version 2 has one tree, named by the line "0::/path"; version 1 has one for each controller. */
static void noise_read_throttled(const struct nslab_noise_source *source,
				 struct nslab_noise_count *nr_throttled)
{
	FILE *file = noise_open(source, "/proc/self/cgroup");
	char line[1024], path[1200];

	while (file && fgets(line, sizeof(line), file)) {
		char *group = strrchr(line, ':');
		bool is_cpu = strstr(line, ":cpu,") || strstr(line, ",cpu:") ||
			      strstr(line, ":cpu:") || strstr(line, ",cpu,");

		if (!group || (strncmp(line, "0::", 3) != 0 && !is_cpu))
			continue;
		group[strcspn(group, "\n")] = '\0';
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s%s/cpu.stat", is_cpu ? "/cpu" : "",
			 strcmp(group + 1, "/") ? group + 1 : "");
		noise_read_word(noise_open(source, path), "nr_throttled", nr_throttled);
	}
	if (file)
		fclose(file);
}

void nslab_noise_read(const struct nslab_noise_source *source, const int *pus, int nr_pus,
		      struct nslab_noise_counts *counts)
{
	*counts = (struct nslab_noise_counts){0};
	noise_read_steal(source, pus, nr_pus, &counts->steal_ns);
	noise_read_thermal(source, pus, nr_pus, &counts->nr_thermal);
	noise_read_throttled(source, &counts->nr_throttled);
	noise_read_word(noise_open(source, "/proc/vmstat"), "numa_pages_migrated",
			&counts->nr_pages_moved);
}

uint64_t nslab_noise_free_bytes(const struct nslab_noise_source *source)
{
	struct nslab_noise_count kib = {0};

	noise_read_word(noise_open(source, "/proc/meminfo"), "MemAvailable:", &kib);
	return kib.value << 10;
}

/* Counters only grow; one that is not there on both sides tells nothing. */
static uint64_t noise_grown(struct nslab_noise_count before, struct nslab_noise_count after)
{
	if (!before.has_value || !after.has_value || after.value < before.value)
		return 0;
	return after.value - before.value;
}

static bool noise_counted(uint64_t nr, const char *cause, const char *what, char *text,
			  size_t bytes)
{
	if (nr)
		snprintf(text, bytes, NSLAB_TAINT_NOISE "%s: %" PRIu64 " %s", cause, nr, what);
	return nr;
}

static bool noise_lost(double share, const char *cause, char *text, size_t bytes)
{
	bool is_lost = share > NSLAB_NOISE_LIMIT;

	if (is_lost)
		snprintf(text, bytes,
			 NSLAB_TAINT_NOISE "%s: %.1f %% of a worker's time, limit %.0f %%", cause,
			 100 * share, 100 * NSLAB_NOISE_LIMIT);
	return is_lost;
}

bool nslab_noise_judge(const struct nslab_noise_trial *trial,
		       const struct nslab_noise_counts *before,
		       const struct nslab_noise_counts *after, char *cause, size_t cause_bytes)
{
	uint64_t steal_ns = noise_grown(before->steal_ns, after->steal_ns);
	double steal = trial->window_ns ? (double)steal_ns / (double)trial->window_ns : 0;

	return noise_counted(noise_grown(before->nr_throttled, after->nr_throttled), "throttling",
			     "periods without CPU by cgroup quota", cause, cause_bytes) ||
	       noise_counted(noise_grown(before->nr_thermal, after->nr_thermal), "thermal",
			     "throttle events of the measured PUs", cause, cause_bytes) ||
	       noise_counted(noise_grown(before->nr_pages_moved, after->nr_pages_moved),
			     "page moves", "pages moved by automatic NUMA balancing", cause,
			     cause_bytes) ||
	       noise_counted(trial->nr_migrations, "migration", "moves of workers between PUs",
			     cause, cause_bytes) ||
	       noise_lost(steal, "steal", cause, cause_bytes) ||
	       (!trial->has_shared_pus &&
		noise_lost(trial->run_delay, "run delay", cause, cause_bytes)) ||
	       (!trial->has_shared_pus && !trial->has_sleepers &&
		noise_lost(trial->off_cpu, "off-CPU", cause, cause_bytes));
}

static bool noise_is_calm(const struct nslab_noise_source *source)
{
	FILE *file = noise_open(source, "/proc/pressure/cpu");
	double percent = 0;

	if (!file)
		return true;
	if (fscanf(file, "some avg10=%lf", &percent) != 1)
		percent = 0;
	fclose(file);
	return percent < CALM_PERCENT;
}

bool nslab_noise_wait(const struct nslab_noise_source *source, uint64_t limit_ns)
{
	for (uint64_t waited_ns = 0; !noise_is_calm(source); waited_ns += CALM_LOOK_NS) {
		if (waited_ns >= limit_ns)
			return false;
		source->sleep_ns(source, CALM_LOOK_NS);
	}
	return true;
}
