/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trial.h: one trial in one fresh process. JSON in, JSON out, so that a person can repeat a trial
 * by hand: `numaslab trial < trial.json`.
 *
 * In:  {"workload": {"name", "params": {key: text}}, "allocator": {"name", "params"},
 *       "page": {"name", "params"}, "entry": "none|cache|kmalloc|malloc|pages", "seed",
 *       "cache": {"order", "min_partial", "cpu_partial", "sheaf_capacity"}, -1 is auto
 *       "workers": [{"pu": OS index, "node": position in nodes or -1}],
 *       "nodes": [{"os_index", "memory_bytes", "has_pus"}], "distances": [...], "is_simulated":
 * bool, "memory": {"kind": 0.., "node": position or -1}, "huge": 0.., "node_bytes", "nr_cpus",
 *       "debug": bool, "slabinfo": bool,
 *       "windows", "window_ns", "warmup_ns", "precondition_ns", "plugins": [path],
 *       "counters": false, true, or the events of runner/counters/choice_json.h,
 *       "simulated": bool, times count chunks of operations (runner/counters/simulated.h),
 *       "latency": bool, "sampler": {"pus": [OS index], "shares": OS index} or not there}
 * Out: {"error": null or text, "windows": [[worker, index, ops, ns, cpu_ns, counted], ...],
 *       "workers": [{"run_delay_ns", "involuntary_switches", "voluntary_switches",
 *                    "precondition_ops", "is_steady", "counters": [...]}],
 *       "page_check": {"sampled", "resident", "right", "hit_rate", "unavailable"},
 *       "rss_bytes", "held_bytes", "caches": [...], "reports": [text],
 *       "figures": [[name, value, unit], ...], "points": [[series, x, y], ...],
 *       "hist": {"name", "unit", "scheme", "n", "min", "max", "clock", "clock_ns", "mean_gap",
 *       "ops_per_value", "overhead", "buckets": [[number, count], ...]}, with "latency",
 *       "slabinfo": {"slabinfo": text, "buddyinfo": text, "unavailable": reason}, if asked for}
 */
#ifndef NSLAB_TRIAL_H
#define NSLAB_TRIAL_H

#include "core/err.h"

#include <jansson.h>

/*
 * Runs the trial and stores the result document in *result, also when the trial failed (then with
 * "error"). Returns 0, or -ENOMEM when not even that was possible.
 */
int nslab_trial_run(json_t *spec, json_t **result);

#endif
