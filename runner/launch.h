/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * launch.h: one trial as a child process, contained: a crash, a hang or garbage costs one trial.
 * The child is this program again, called as `numaslab trial`.
 */
#ifndef NSLAB_LAUNCH_H
#define NSLAB_LAUNCH_H

#include <jansson.h>
#include <stdint.h>

struct nslab_launch {
	const char *preload;	    /* path for LD_PRELOAD, or NULL */
	const char *const *wrapper; /* command that runs the program, NULL-terminated; or NULL */
	const json_t *spec;	    /* see runner/trial.h */
	uint64_t seed;		    /* of the environment's random padding */
	uint64_t time_limit_ns;	    /* then it is killed */
	uint64_t memory_bytes; /* private memory that it may have beside its arena; 0: no limit */
	uint64_t arena_bytes;
};

struct nslab_launch_result {
	json_t *document; /* the trial's result, or NULL; the caller releases it */
	int exit_status;  /* of the process; 128 + signal */
	uint64_t wall_ns;
	char cause[512]; /* "" or why the trial does not count: "crash: SIGSEGV: ...", ... */
};

/* Starts a trial; what nslab_launch_trial does, or a test in its place. */
typedef int (*nslab_launch_fn)(const struct nslab_launch *launch,
			       struct nslab_launch_result *result);

/* 0, or -errno when no process could be made; whatever the child does is in the result. */
int nslab_launch_trial(const struct nslab_launch *launch, struct nslab_launch_result *result);

#endif
