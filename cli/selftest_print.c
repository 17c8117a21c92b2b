/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selftest_print.c: tables and JSON of self-tests and calibration.
 *
 * A figure that does not exist is '-' in a table and null in JSON. Shares are printed in per cent
 * and stored as fractions. Each table starts with what was done, so that it can be pasted alone;
 * the verdict is the caller's, who knows the exit status.
 */
#include "cli/selftest_print.h"

#include "results/text.h"

#include <math.h>
#include <stdlib.h>

#define PRINT_COLUMNS 80

const char *nslab_selftest_word(enum nslab_selftest_verdict verdict)
{
	static const char *const words[] = {"PASS", "FAIL", "NOISY", "UNPROVED"};

	return words[verdict];
}

static json_t *real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* ---- A/A ---- */

static json_t *rate_json(const struct nslab_rate *rate)
{
	return json_pack("{s:I, s:I, s:o, s:o, s:o}", "contrasts", (json_int_t)rate->nr, "found",
			 (json_int_t)rate->nr_found, "rate", real(rate->rate), "low",
			 real(rate->lo), "high", real(rate->hi));
}

json_t *nslab_aa_json(const struct nslab_aa *aa)
{
	return json_pack("{s:I, s:I, s:o, s:o}", "blocks", (json_int_t)aa->nr_blocks, "left_out",
			 (json_int_t)aa->nr_left_out, "paired", rate_json(&aa->paired),
			 "sequential", rate_json(&aa->sequential));
}

static void rate_print(const char *design, const struct nslab_rate *rate, FILE *out)
{
	char found[48];

	snprintf(found, sizeof(found), "%zu of %zu", rate->nr_found, rate->nr);
	fprintf(out, "%-36s %12s %7s   %s to %s\n", design, found,
		nslab_text_percent(rate->rate, 0).text, nslab_text_percent(rate->lo, 0).text,
		nslab_text_percent(rate->hi, 0).text);
}

void nslab_aa_print(const struct nslab_aa *aa, FILE *out)
{
	fprintf(out, "A baseline against itself: contrasts of %zu blocks that share no trial\n\n",
		aa->nr_blocks);
	fprintf(out, "%-36s %12s %7s   %s\n", "design", "found", "rate", "95% interval");
	rate_print("blocks, paired (this program)", &aa->paired, out);
	rate_print("one after the other, Mann-Whitney", &aa->sequential, out);
	if (aa->nr_left_out)
		fprintf(out, "%zu contrasts lack a trial and are left out\n", aa->nr_left_out);
	fprintf(out, "\nWhatever is found is false. Both rows judge the same trials at 5%%.\n");
}

/* ---- injection ---- */

json_t *nslab_injection_json(const struct nslab_injection *i)
{
	return json_pack("{s:f, s:I, s:o, s:o, s:o, s:b, s:b, s:{s:s, s:o, s:o, s:o}}", "injected",
			 i->share, "blocks", (json_int_t)i->nr_blocks, "estimate",
			 real(i->estimate), "low", real(i->lo), "high", real(i->hi), "found",
			 i->is_found, "within_one_point", i->is_sized, "twin", "verdict",
			 nslab_verdict_word(i->twin), "estimate", real(i->twin_estimate), "low",
			 real(i->twin_lo), "high", real(i->twin_hi));
}

void nslab_injection_print(const struct nslab_injection *i, FILE *out)
{
	fprintf(out, "%s more operations in one arm, %zu blocks\n\n",
		nslab_text_percent(i->share, 0).text, i->nr_blocks);
	fprintf(out, "%-16s %8s  %-19s %s\n", "arm", "time", "95% interval", "verdict");
	fprintf(out, "%-16s %8s  %-19s %s%s\n", "more operations",
		nslab_text_percent(i->estimate, 1).text, nslab_text_change(i->lo, i->hi).text,
		i->is_found ? "found" : "not found",
		i->is_sized ? ", within 1 point" : ", off by over 1 point");
	fprintf(out, "%-16s %8s  %-19s %s\n", "A'", nslab_text_percent(i->twin_estimate, 1).text,
		nslab_text_change(i->twin_lo, i->twin_hi).text, nslab_verdict_word(i->twin));
}

/* ---- overhead ---- */

json_t *nslab_overhead_json(const struct nslab_overhead *o)
{
	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o}", "pairs", (json_int_t)o->paired.n,
			 "failed", (json_int_t)o->nr_failed, "estimate", real(o->estimate), "low",
			 real(o->lo), "high", real(o->hi), "clock", real(o->clock_share));
}

void nslab_overhead_print(const struct nslab_overhead *o, FILE *out)
{
	fprintf(out, "What observing costs, of the measured time, %zu pairs of trials\n\n",
		o->paired.n);
	fprintf(out, "%-44s %8s  %s\n", "counters, sampling, supervision: on / off",
		nslab_text_percent(o->estimate, 1).text, nslab_text_change(o->lo, o->hi).text);
	fprintf(out, "%-44s %7.3f%%  reckoned: in both arms\n", "readings of the clock",
		100 * o->clock_share);
	if (o->nr_failed)
		fprintf(out, "%zu pairs lack a trial\n", o->nr_failed);
}

/* ---- placement ---- */

json_t *nslab_placement_json(const struct nslab_node_proof *proofs, int nr)
{
	json_t *nodes = json_array();

	for (int i = 0; i < nr; i++) {
		const struct nslab_node_proof *p = &proofs[i];
		const char *why = *p->check.unavailable ? p->check.unavailable : NULL;

		json_array_append_new(nodes,
				      json_pack("{s:i, s:I, s:I, s:i, s:i, s:i, s:s?}", "node",
						p->os_index, "objects", (json_int_t)p->nr_objects,
						"elsewhere", (json_int_t)p->nr_elsewhere, "sampled",
						(int)p->check.nr_sampled, "resident",
						(int)p->check.nr_resident, "right",
						(int)p->check.nr_right, "unavailable", why));
	}
	return json_pack("{s:o}", "nodes", nodes);
}

void nslab_placement_print(const struct nslab_node_proof *proofs, int nr, FILE *out)
{
	fprintf(out, "Objects asked of each node, and where the kernel says their pages are\n\n");
	fprintf(out, "%4s %8s %10s %8s %9s %6s\n", "node", "objects", "elsewhere", "sampled",
		"resident", "right");
	for (int i = 0; i < nr; i++) {
		const struct nslab_node_proof *p = &proofs[i];

		fprintf(out, "%4d %8zu %10zu ", p->os_index, p->nr_objects, p->nr_elsewhere);
		if (*p->check.unavailable) {
			fprintf(out, "%8s %9s %6s\n", "-", "-", "-");
			nslab_text_fold(out, "     unknown:", p->check.unavailable, 14,
					PRINT_COLUMNS);
		} else {
			fprintf(out, "%8u %9u %6u\n", p->check.nr_sampled, p->check.nr_resident,
				p->check.nr_right);
		}
	}
	if (nr == 1)
		fprintf(out,
			"\nOne node: nothing could be elsewhere. That nodes are told apart is not\n"
			"proved here; it takes a machine, or a guest, of two nodes.\n");
}

/* ---- calibration ---- */

static json_t *calibration_row_json(const struct nslab_calibration *row)
{
	const struct nslab_level *level = row->level;

	if (row->cause[0])
		return json_pack("{s:s, s:s}", "family", row->family->key, "cause", row->cause);
	return json_pack(
		"{s:s, s:s, s:I, s:I, s:o, s:o, s:{s:o, s:o}, s:{s:o, s:o}, s:I, s:I, s:I}",
		"family", row->family->key, "arm", row->arm->label, "windows",
		(json_int_t)row->nr_windows, "processes", (json_int_t)row->nr_trials, "ns_per_op",
		real(row->ns_per_op), "spread", real(row->spread), "window", "variance",
		real(level[0].variance), "share", real(level[0].share), "process", "variance",
		real(level[1].variance), "share", real(level[1].share), "best_windows",
		(json_int_t)level[0].nr_best, "processes_needed", (json_int_t)row->nr_processes,
		"blocks_needed", (json_int_t)row->nr_blocks);
}

json_t *nslab_calibration_json(const struct nslab_calibration *rows, size_t nr, double precision)
{
	json_t *array = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(array, calibration_row_json(&rows[i]));
	return json_pack("{s:f, s:o}", "precision", precision, "families", array);
}

static void calibration_row_print(const struct nslab_calibration *row, FILE *out)
{
	char processes[32];

	nslab_text_fold(out, "", row->family->key, 0, PRINT_COLUMNS);
	if (row->cause[0]) {
		nslab_text_fold(out, "  no figure:", row->cause, 13, PRINT_COLUMNS);
		return;
	}
	snprintf(processes, sizeof(processes), "%s%zu",
		 row->nr_processes < NSLAB_LEVEL_COUNT_MAX ? "" : ">=", row->nr_processes);
	fprintf(out, "  %-14.14s %8s %7s %8s %8s %8zu %10s %7zu\n", row->arm->label,
		nslab_text_ns(row->ns_per_op).text, nslab_text_percent(row->spread, 0).text,
		nslab_text_percent(row->level[0].share, 0).text,
		nslab_text_percent(row->level[1].share, 0).text, row->level[0].nr_best, processes,
		row->nr_blocks);
}

void nslab_calibration_print(const struct nslab_calibration *rows, size_t nr, double precision,
			     FILE *out)
{
	size_t i = 0;

	while (i + 1 < nr && rows[i].cause[0])
		i++;
	fprintf(out, "Where the variance is, and what +-%s takes: %zu windows in %zu processes\n\n",
		nslab_text_percent(precision, 0).text, rows[i].nr_windows, rows[i].nr_trials);
	fprintf(out, "  %-14s %8s %7s %17s %8s %10s %7s\n", "", "", "", "share of variance", "best",
		"mean of", "paired");
	fprintf(out, "  %-14s %8s %7s %8s %8s %8s %10s %7s\n", "baseline", "ns/op", "spread",
		"windows", "process", "windows", "processes", "blocks");
	for (i = 0; i < nr; i++)
		calibration_row_print(&rows[i], out);
	fprintf(out,
		"\nspread: of trials by their declared statistic. best windows: in a trial, for\n"
		"the least total time. processes: of so many windows, for the mean of all\n"
		"windows. blocks: of two arms in one block, as plans and compare do it.\n");
}
