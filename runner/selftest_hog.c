/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selftest_hog.c: a neighbour that competes for a measured PU.
 *
 * The measurement must hold its error rate on a busy host, so the host is made busy on purpose: by
 * a process of its own, pinned where the worker is. It works in bursts of random length with pauses
 * as long, because a steady competitor slows all trials alike and would prove little. In a burst it
 * walks over a buffer the size of a private cache, so that it costs the worker its cache lines as
 * well as its time.
 *
 * Invariant: it ends when it is stopped, and with its parent whatever becomes of that.
 */
#define _GNU_SOURCE
#include "core/clock.h"
#include "core/rng.h"
#include "runner/pin.h"
#include "runner/selftest.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOG_BYTES  (1u << 20)
#define HOG_LINE   64
#define HOG_MIN_MS 1
#define HOG_MAX_MS 40

static uint64_t hog_span_ns(uint64_t *state)
{
	return UINT64_C(1000000) *
	       (HOG_MIN_MS + nslab_rng_below(state, HOG_MAX_MS - HOG_MIN_MS + 1));
}

static void hog_burst(uint64_t ns)
{
	static volatile unsigned char hog_buffer[HOG_BYTES];
	uint64_t end_ns = nslab_now_ns(&nslab_real_clock) + ns;

	while (nslab_now_ns(&nslab_real_clock) < end_ns) {
		for (size_t i = 0; i < HOG_BYTES; i += HOG_LINE)
			hog_buffer[i]++;
	}
}

static void hog_run(int pu_os_index, uint64_t seed, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before the line above */
		_exit(0);
	if (nslab_pin_self(pu_os_index))
		_exit(1);
	for (;;) {
		struct timespec pause = {0};

		hog_burst(hog_span_ns(&seed));
		pause.tv_nsec = (long)hog_span_ns(&seed);
		nanosleep(&pause, NULL);
	}
}

int nslab_hog_start(struct nslab_hog *hog, int pu_os_index, uint64_t seed, struct nslab_err *err)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (!pid)
		hog_run(pu_os_index, seed, parent);
	if (pid < 0)
		return nslab_fail(err, -errno, "cannot start a competitor: %s", strerror(errno));
	hog->pid = pid;
	return 0;
}

void nslab_hog_stop(struct nslab_hog *hog)
{
	if (!hog->pid)
		return;
	kill(hog->pid, SIGKILL);
	while (waitpid(hog->pid, NULL, 0) < 0 && errno == EINTR)
		;
	hog->pid = 0;
}
