/* SPDX-License-Identifier: GPL-2.0-only */
/* rules.h: the judges that the table of probes names. */
#ifndef NSLAB_HOST_RULES_H
#define NSLAB_HOST_RULES_H

#include "runner/host/probes.h"

/* each file says a word of `accept` */
enum nslab_host_state nslab_host_judge_accept(const struct nslab_host_reading *reading, char *why,
					      size_t why_bytes);
/* the last number of each line is 0 */
enum nslab_host_state nslab_host_judge_zero(const struct nslab_host_reading *reading, char *why,
					    size_t why_bytes);
/* intel_pstate/no_turbo and boost, by their sense */
enum nslab_host_state nslab_host_judge_turbo(const struct nslab_host_reading *reading, char *why,
					     size_t why_bytes);
/* smt/active, or a list of siblings with two PUs */
enum nslab_host_state nslab_host_judge_smt(const struct nslab_host_reading *reading, char *why,
					   size_t why_bytes);
/* cpu.max and cpu.cfs_quota_us */
enum nslab_host_state nslab_host_judge_quota(const struct nslab_host_reading *reading, char *why,
					     size_t why_bytes);
/* "some avg10=" below 5 % */
enum nslab_host_state nslab_host_judge_pressure(const struct nslab_host_reading *reading, char *why,
						size_t why_bytes);
/* field 8 of /proc/stat below 1 % since boot */
enum nslab_host_state nslab_host_judge_steal(const struct nslab_host_reading *reading, char *why,
					     size_t why_bytes);
/* devices at most twice the timer, on each PU */
enum nslab_host_state nslab_host_judge_interrupts(const struct nslab_host_reading *reading,
						  char *why, size_t why_bytes);
/* tsc and its like; hpet and acpi_pm are refused */
enum nslab_host_state nslab_host_judge_clock(const struct nslab_host_reading *reading, char *why,
					     size_t why_bytes);
/* perf_event_paranoid at most 2 */
enum nslab_host_state nslab_host_judge_perf(const struct nslab_host_reading *reading, char *why,
					    size_t why_bytes);

/* ---- between the start of a run and its end ---- */

/* the count went up */
bool nslab_host_has_grown(const struct nslab_host_probe *probe, const json_t *before,
			  const json_t *after, char *why, size_t why_bytes);
/* a setting is not what it was */
bool nslab_host_is_other(const struct nslab_host_probe *probe, const json_t *before,
			 const json_t *after, char *why, size_t why_bytes);
/* devices at most twice the timer, on each PU, meanwhile */
bool nslab_host_was_interrupted(const struct nslab_host_probe *probe, const json_t *before,
				const json_t *after, char *why, size_t why_bytes);

#endif
