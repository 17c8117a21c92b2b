/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * softstat.c: the counter source `softstat`: what the kernel keeps for every thread anyway.
 *
 * It needs no privilege and no perf events: the calling thread's faults and switches come from
 * getrusage, another thread's from its files in /proc, and migrations from the scheduler's file in
 * both cases. A set remembers the totals at start and adds the differences at stop, so values add
 * up over rounds, and enabled and running time are the time between the two.
 *
 * Invariants: first[] is valid while is_running. A value whose file is missing keeps its errno and
 * does not spoil the others.
 *
 * Left out: threads of other processes that the caller may not look at (open says so), and kernels
 * without the scheduler's debug file (then cpu-migrations is absent).
 */
#define _GNU_SOURCE
#include <numaslab/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum softstat_event {
	SOFTSTAT_FAULTS,
	SOFTSTAT_SWITCHES,
	SOFTSTAT_MIGRATIONS,
	SOFTSTAT_NR_EVENTS
};

static const struct nslab_event softstat_events[SOFTSTAT_NR_EVENTS + 1] = {
	{"page-faults", "events", "page faults, minor and major"},
	{"context-switches", "events", "context switches, voluntary or not"},
	{"cpu-migrations", "events", "migrations between CPUs"},
};

struct softstat_total {
	int err;
	uint64_t value;
};

struct nslab_counter_set {
	int nr;
	pid_t tid; /* 0: the calling thread */
	bool is_running;
	uint64_t started_ns, enabled_ns;
	int events[SOFTSTAT_NR_EVENTS];
	struct softstat_total first[SOFTSTAT_NR_EVENTS], sums[SOFTSTAT_NR_EVENTS];
};

static uint64_t softstat_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A file of the thread in /proc as text; no stdio, whose buffers would fault. */
static int softstat_file(pid_t tid, const char *name, char *text, size_t bytes)
{
	char path[96];
	ssize_t got;
	int fd;

	if (tid)
		snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)tid, (int)tid, name);
	else
		snprintf(path, sizeof(path), "/proc/thread-self/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, text, bytes - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0 ? 0 : -ENODATA;
}

/* The number after the key and blanks and a colon. */
static struct softstat_total softstat_field(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	const char *digits = at ? strpbrk(at + strlen(key), "0123456789\n") : NULL;
	struct softstat_total total = {.err = -ENODATA};

	if (digits && *digits != '\n') {
		total.err = 0;
		total.value = strtoull(digits, NULL, 10);
	}
	return total;
}

static struct softstat_total softstat_sum(struct softstat_total a, struct softstat_total b)
{
	a.err = a.err ? a.err : b.err;
	a.value += b.value;
	return a;
}

/* Fields 10 and 12 of "stat", counted behind the name, which may hold anything. */
static struct softstat_total softstat_stat_faults(const char *text)
{
	const char *rest = strrchr(text, ')');
	struct softstat_total total = {.err = -ENODATA};
	unsigned long long minor, major;

	if (rest &&
	    sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %llu %*u %llu", &minor, &major) == 2) {
		total.err = 0;
		total.value = minor + major;
	}
	return total;
}

static void softstat_from_proc(pid_t tid, struct softstat_total *totals)
{
	char text[8192];
	int rc = softstat_file(tid, "stat", text, sizeof(text));

	totals[SOFTSTAT_FAULTS] = (struct softstat_total){.err = rc};
	if (!rc)
		totals[SOFTSTAT_FAULTS] = softstat_stat_faults(text);
	rc = softstat_file(tid, "status", text, sizeof(text));
	totals[SOFTSTAT_SWITCHES] = (struct softstat_total){.err = rc};
	if (!rc)
		totals[SOFTSTAT_SWITCHES] =
			softstat_sum(softstat_field(text, "\nvoluntary_ctxt_switches:"),
				     softstat_field(text, "\nnonvoluntary_ctxt_switches:"));
}

static void softstat_from_self(struct softstat_total *totals)
{
	struct rusage usage;
	int rc = getrusage(RUSAGE_THREAD, &usage) ? -errno : 0;

	totals[SOFTSTAT_FAULTS].err = rc;
	totals[SOFTSTAT_SWITCHES].err = rc;
	if (rc)
		return;
	totals[SOFTSTAT_FAULTS].value = (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
	totals[SOFTSTAT_SWITCHES].value = (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw;
}

static struct softstat_total softstat_migrations(pid_t tid)
{
	char text[8192];
	struct softstat_total total = {.err = softstat_file(tid, "sched", text, sizeof(text))};

	return total.err ? total : softstat_field(text, "nr_migrations");
}

static void softstat_sample(pid_t tid, struct softstat_total *totals)
{
	memset(totals, 0, SOFTSTAT_NR_EVENTS * sizeof(*totals));
	totals[SOFTSTAT_MIGRATIONS] = softstat_migrations(tid);
	if (tid)
		softstat_from_proc(tid, totals);
	else
		softstat_from_self(totals);
}

static int softstat_probe(int event, char *why, size_t why_bytes)
{
	struct softstat_total totals[SOFTSTAT_NR_EVENTS];

	if (event < 0 || event >= SOFTSTAT_NR_EVENTS) {
		snprintf(why, why_bytes, "no event number %d", event);
		return -EINVAL;
	}
	softstat_sample(0, totals);
	if (!totals[event].err)
		return 0;
	if (event == SOFTSTAT_MIGRATIONS)
		snprintf(why, why_bytes, "the kernel gives no /proc/thread-self/sched");
	else
		snprintf(why, why_bytes, "getrusage: %s", strerror(-totals[event].err));
	return totals[event].err;
}

static int softstat_open(const int *events, int nr, pid_t tid, struct nslab_counter_set **result)
{
	struct softstat_total totals[SOFTSTAT_NR_EVENTS];
	struct nslab_counter_set *set;

	if (nr < 1 || nr > SOFTSTAT_NR_EVENTS)
		return -EINVAL;
	for (int i = 0; i < nr; i++) {
		if (events[i] < 0 || events[i] >= SOFTSTAT_NR_EVENTS)
			return -EINVAL;
	}
	softstat_sample(tid, totals);
	if (totals[SOFTSTAT_FAULTS].err)
		return totals[SOFTSTAT_FAULTS].err;
	set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	set->nr = nr;
	set->tid = tid;
	for (int i = 0; i < nr; i++)
		set->events[i] = events[i];
	*result = set;
	return 0;
}

static int softstat_start(struct nslab_counter_set *set)
{
	if (set->is_running)
		return -EALREADY;
	softstat_sample(set->tid, set->first);
	set->started_ns = softstat_now_ns();
	set->is_running = true;
	return 0;
}

static int softstat_stop(struct nslab_counter_set *set)
{
	struct softstat_total last[SOFTSTAT_NR_EVENTS];

	if (!set->is_running)
		return 0;
	set->enabled_ns += softstat_now_ns() - set->started_ns;
	softstat_sample(set->tid, last);
	for (int i = 0; i < SOFTSTAT_NR_EVENTS; i++) {
		struct softstat_total *sum = &set->sums[i];

		sum->err = sum->err ? sum->err : set->first[i].err;
		sum->err = sum->err ? sum->err : last[i].err;
		sum->value += last[i].value - set->first[i].value;
	}
	set->is_running = false;
	return 0;
}

static int softstat_read(struct nslab_counter_set *set, struct nslab_count *values)
{
	for (int i = 0; i < set->nr; i++) {
		const struct softstat_total *sum = &set->sums[set->events[i]];

		values[i] = (struct nslab_count){
			.value = sum->err ? 0 : sum->value,
			.enabled_ns = set->enabled_ns,
			.running_ns = set->enabled_ns,
			.err = set->enabled_ns ? sum->err : -ENODATA,
		};
	}
	return 0;
}

static void softstat_close(struct nslab_counter_set *set)
{
	free(set);
}

static const struct nslab_counter_ops softstat_ops = {
	.name = "softstat",
	.summary = "page faults, switches and migrations from getrusage and /proc",
	.events = softstat_events,
	.probe = softstat_probe,
	.open = softstat_open,
	.start = softstat_start,
	.stop = softstat_stop,
	.read = softstat_read,
	.close = softstat_close,
};
NSLAB_COUNTER_PLUGIN(softstat_ops);
