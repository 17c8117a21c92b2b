/* SPDX-License-Identifier: GPL-2.0-only */
/* gate.h: may a plan be measured on this host, as it is now? */
#ifndef NSLAB_GATE_H
#define NSLAB_GATE_H

#include "runner/host/probes.h"
#include "runner/plan.h"

/* The rules that need a plan to be judged; all others are probes of the host. */
#define NSLAB_GATE_SHARED_CORE "shared_core"
#define NSLAB_GATE_HUGE_PAGES  "huge_pages"

/* Every name is a rule's; else -EINVAL with the nearest one. names: NULL-terminated. */
int nslab_gate_check_names(const char *const *names, struct nslab_err *err);
bool nslab_gate_is_ignored(const char *const *ignored, const char *name);

/*
 * -EPERM when a rule says that figures taken so mean nothing and its name is not in `ignored`
 * (NULL-terminated, or NULL); one line names each such rule, what it saw and what to do.
 */
int nslab_gate_check(const struct nslab_plan *plan, const struct nslab_host_report *report,
		     const char *const *ignored, struct nslab_err *err);

#endif
