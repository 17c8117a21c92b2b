/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * record_hist.c: the histogram of single operations, from a trial's answer to its record.
 *
 * The buckets travel as JSON and are stored as they came; whoever reads them checks them. Numbers
 * are looked up by type: what is not there is NaN and becomes NULL. A trial without the pass has no
 * "hist", and then no row is stored: not sampled is not an empty histogram.
 */
#include "runner/record.h"

#include <errno.h>
#include <math.h>

static double hist_real(const json_t *hist, const char *key)
{
	json_t *value = json_object_get(hist, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static uint64_t hist_count(const json_t *hist, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(hist, key));

	return value > 0 ? (uint64_t)value : 0;
}

static const char *hist_text(const json_t *hist, const char *key)
{
	return json_string_value(json_object_get(hist, key));
}

int nslab_record_fill_hist(json_t *document, struct nslab_trial_record *record,
			   struct nslab_trial_buffers *buffers)
{
	const json_t *hist = json_object_get(document, "hist");

	if (!hist_text(hist, "name"))
		return 0;
	buffers->hist_text = json_dumps(json_object_get(hist, "buckets"), JSON_COMPACT);
	if (!buffers->hist_text)
		return -ENOMEM;
	buffers->hist = (struct nslab_hist_record){
		.name = hist_text(hist, "name"),
		.unit = hist_text(hist, "unit"),
		.scheme = hist_text(hist, "scheme"),
		.n = hist_count(hist, "n"),
		.min = hist_count(hist, "min"),
		.max = hist_count(hist, "max"),
		.clock = hist_text(hist, "clock"),
		.clock_ns = hist_real(hist, "clock_ns"),
		.mean_gap = hist_real(hist, "mean_gap"),
		.ops_per_value = hist_real(hist, "ops_per_value"),
		.overhead = hist_real(hist, "overhead"),
		.buckets_json = buffers->hist_text,
	};
	record->hists = &buffers->hist;
	record->nr_hists = 1;
	return 0;
}
