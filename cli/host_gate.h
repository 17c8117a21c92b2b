/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host_gate.h: may a command take figures on this host, as it is now?
 */
#ifndef NSLAB_CLI_HOST_GATE_H
#define NSLAB_CLI_HOST_GATE_H

#include "core/err.h"
#include "runner/plan.h"

#define NSLAB_HOST_GATE_RULES 256

/* What a command's options say, and the rules that were silenced. Starts as zeroes. */
struct nslab_host_gate {
	const char *const *ignore; /* --ignore, NULL-terminated, or NULL */
	const char *sysroot;	   /* --sysroot, or NULL */
	bool is_quiet;
	char text[512]; /* NUMASLAB_IGNORE, cut into words */
	const char *ignored[NSLAB_HOST_GATE_RULES + 1];
};

/*
 * 0, or why nothing may be measured here; what only moves figures is told on stderr. Fills
 * gate->ignored with the rules that the plan, the command line or the environment silences.
 */
int nslab_host_gate_pass(struct nslab_host_gate *gate, const struct nslab_plan *plan,
			 struct nslab_err *err);

#endif
