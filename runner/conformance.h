/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conformance.h: is this allocator one? Named checks that any backend or plug-in can be held
 * against.
 *
 * Each check runs in a world of its own: 8 simulated CPUs on 4 simulated nodes, driven by one
 * thread (one check uses three). A check that needs a capability which the allocator does not claim
 * is skipped with that reason. A check stops at the first thing that is wrong and names it; what
 * the allocator holds is then abandoned, because its state cannot be trusted. A plug-in may also
 * crash or hang: callers that load foreign code run each check in a child process.
 */
#ifndef NSLAB_CONFORMANCE_H
#define NSLAB_CONFORMANCE_H

#include <numaslab/allocator.h>

enum nslab_check_verdict {
	NSLAB_VERDICT_PASS,
	NSLAB_VERDICT_FAIL,
	NSLAB_VERDICT_SKIP
};

/* Both tables are from the registry. */
struct nslab_conformance_target {
	const struct nslab_allocator_ops *allocator;
	const void *allocator_params; /* or NULL: defaults */
	const struct nslab_page_ops *page;
	uint64_t seed;
	bool is_debug; /* through the debug layer */
};

struct nslab_conformance_result {
	enum nslab_check_verdict verdict;
	char text[512]; /* what is wrong, or why skipped; "" when passed */
};

/* The checks in order; name NULL past the end. */
struct nslab_conformance_check {
	const char *name;
	const char *summary; /* what must hold */
};

struct nslab_conformance_check nslab_conformance_at(size_t number);

/* Runs check `number`; it must exist. */
void nslab_conformance_run(const struct nslab_conformance_target *target, size_t number,
			   struct nslab_conformance_result *result);

/* "pass", "fail", "skip". */
const char *nslab_check_verdict_word(enum nslab_check_verdict verdict);

#endif
