/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * noise.h: what the host did to a trial, and whether that spoils it.
 */
#ifndef NSLAB_NOISE_H
#define NSLAB_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSLAB_NOISE_LIMIT 0.02 /* share of a worker's time that may be lost */

/* Where the host is looked at and how time is passed; tests give a tree and a sleep of their own.
 */
struct nslab_noise_source {
	const char *root; /* before /proc and /sys; "" is this machine */
	void (*sleep_ns)(const struct nslab_noise_source *source, uint64_t ns);
};

extern const struct nslab_noise_source nslab_real_noise_source;

/* A counter that a host does not have, or that appears in between, is told by has_*. */
struct nslab_noise_count {
	uint64_t value;
	bool has_value;
};

/* The host's counters at one moment; they only grow. */
struct nslab_noise_counts {
	struct nslab_noise_count steal_ns;	 /* summed over the measured PUs */
	struct nslab_noise_count nr_thermal;	 /* core and package throttle events of them */
	struct nslab_noise_count nr_throttled;	 /* periods that our cgroup was stopped */
	struct nslab_noise_count nr_pages_moved; /* by automatic NUMA balancing, all processes */
};

/* pus: OS indices. */
void nslab_noise_read(const struct nslab_noise_source *source, const int *pus, int nr_pus,
		      struct nslab_noise_counts *counts);

/* What the trial's own process saw during its windows; shares are those of the worst worker. */
struct nslab_noise_trial {
	double run_delay;   /* runnable, but not running */
	double off_cpu;	    /* wall minus CPU time of the thread */
	uint64_t window_ns; /* longest sum of a worker's windows */
	uint64_t nr_migrations;
	bool has_sleepers;   /* some worker gave its PU up by itself: off-CPU time is its design */
	bool has_shared_pus; /* more workers than PUs: they delay one another by design */
};

/*
 * False: nothing spoils the trial. True: cause is "noise: CAUSE: figures", where CAUSE is one of
 * the words of method.md 1.2: "throttling", "thermal", "page moves", "migration", "steal", "run
 * delay", "off-CPU".
 */
bool nslab_noise_judge(const struct nslab_noise_trial *trial,
		       const struct nslab_noise_counts *before,
		       const struct nslab_noise_counts *after, char *cause, size_t cause_bytes);

/* Memory that can be had without making others poorer; 0: unknown. */
uint64_t nslab_noise_free_bytes(const struct nslab_noise_source *source);

/*
 * Waits until the share of time in which some task waited for a CPU (PSI, ten-second average) is
 * below 5 %, for at most limit_ns. True when it is calm, or when the host has no PSI.
 */
bool nslab_noise_wait(const struct nslab_noise_source *source, uint64_t limit_ns);

#endif
