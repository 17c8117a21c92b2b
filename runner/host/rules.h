/* SPDX-License-Identifier: GPL-2.0-only */
/* rules.h: the judges that the table of probes names. */
#ifndef NSLAB_HOST_RULES_H
#define NSLAB_HOST_RULES_H

#include "runner/host/probes.h"

nslab_host_judge nslab_host_judge_accept;     /* each file says a word of `accept` */
nslab_host_judge nslab_host_judge_zero;	      /* the last number of each line is 0 */
nslab_host_judge nslab_host_judge_turbo;      /* intel_pstate/no_turbo and boost, by their sense */
nslab_host_judge nslab_host_judge_smt;	      /* smt/active, or a list of siblings with two PUs */
nslab_host_judge nslab_host_judge_quota;      /* cpu.max and cpu.cfs_quota_us */
nslab_host_judge nslab_host_judge_pressure;   /* "some avg10=" below 5 % */
nslab_host_judge nslab_host_judge_steal;      /* field 8 of /proc/stat below 1 % since boot */
nslab_host_judge nslab_host_judge_interrupts; /* devices at most twice the timer, on each PU */
nslab_host_judge nslab_host_judge_clock;      /* tsc and its like; hpet and acpi_pm are refused */
nslab_host_judge nslab_host_judge_perf;	      /* perf_event_paranoid at most 2 */

#endif
