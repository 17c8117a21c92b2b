/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_order.c: `numaslab order`: what slab a kernel makes for a size, and whether a kernel's caches
 * are what its rules say.
 *
 * The rules are pure arithmetic (allocators/common/order.h), so nothing is measured here and the
 * answer holds for any machine whose CPUs and boot parameters are given. --min-order and
 * --max-order act in the order in which they stand, as the kernel's own parameters do. With --check
 * the mismatches come first and the last line is always `matched M of N`.
 */
#define _GNU_SOURCE
#include "cli/command.h"
#include "core/param.h"
#include "runner/slab_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUS_MAX 8192 /* of the largest x86-64 configuration of Linux */

static int order_command(int argc, char **argv);

extern const struct nslab_command nslab_command_order;

const struct nslab_command nslab_command_order = {
	.name = "order",
	.summary = "print the slab order that a kernel chooses, or check a kernel's caches",
	.usage = "SIZE...|--check FILE.tsv|/sys/kernel/slab --cpus N",
	.run = order_command,
};

struct order_options {
	long nr_cpus, min_order, max_order, min_objects;
	bool is_max_first; /* --max-order stands before --min-order */
	const char *kernel, *check;
	bool is_json;
};

/* ---- options ---- */

static size_t last_place(int argc, char **argv, const char *option)
{
	size_t place = 0;

	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], option, strlen(option)))
			place = (size_t)i;
	}
	return place;
}

static int check_range(const char *option, long value, long least, long most, struct nslab_err *err)
{
	if (value >= least && value <= most)
		return 0;
	return nslab_fail(err, -EINVAL, "option '--%s' takes %ld..%ld, not %ld", option, least,
			  most, value);
}

static int order_rules(const struct order_options *o, struct nslab_slab_rules *rules,
		       struct nslab_err *err)
{
	int rc = nslab_slab_kernel_parse(o->kernel, &rules->kernel, err);

	if (!rc && o->nr_cpus == -1)
		rc = nslab_fail(err, -EINVAL, "how many CPUs does the machine have? give --cpus N");
	if (!rc)
		rc = check_range("cpus", o->nr_cpus, 1, CPUS_MAX, err);
	if (!rc && o->min_order != -1)
		rc = check_range("min-order", o->min_order, 0, NSLAB_MAX_ORDER, err);
	if (!rc && o->max_order != -1)
		rc = check_range("max-order", o->max_order, 0, NSLAB_MAX_ORDER, err);
	if (!rc)
		rc = check_range("min-objects", o->min_objects, 0, NSLAB_ORDER_OBJECTS_MAX, err);
	if (rc)
		return rc;
	rules->nr_cpus = (int)o->nr_cpus;
	rules->knobs = (struct nslab_order_knobs)NSLAB_ORDER_KNOBS_DEFAULT;
	rules->knobs.min_objects = (unsigned)o->min_objects;
	if (o->max_order != -1 && o->is_max_first)
		nslab_order_set_max(rules->kernel, &rules->knobs, (unsigned)o->max_order);
	if (o->min_order != -1)
		nslab_order_set_min(rules->kernel, &rules->knobs, (unsigned)o->min_order);
	if (o->max_order != -1 && !o->is_max_first)
		nslab_order_set_max(rules->kernel, &rules->knobs, (unsigned)o->max_order);
	return 0;
}

static unsigned wanted_objects(const struct nslab_slab_rules *rules)
{
	return rules->knobs.min_objects ? rules->knobs.min_objects
					: nslab_order_min_objects(rules->nr_cpus);
}

static json_t *rules_json(const struct nslab_slab_rules *rules)
{
	return json_pack("{s:s, s:i, s:i, s:i, s:i}", "kernel",
			 nslab_order_kernel_word(rules->kernel), "cpus", rules->nr_cpus,
			 "min_order", (int)rules->knobs.min_order, "max_order",
			 (int)rules->knobs.max_order, "min_objects", (int)wanted_objects(rules));
}

static int json_print(json_t *json, struct nslab_err *err)
{
	int rc = json && !json_dumpf(json, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII) ? 0 : -EIO;

	json_decref(json);
	putchar('\n');
	return rc ? nslab_fail(err, rc, "cannot print JSON: %s", strerror(-rc)) : 0;
}

/* ---- sizes ---- */

struct size_result {
	size_t size;
	unsigned values[NSLAB_NR_SLAB_RULES];
	size_t waste_bytes;
	double waste_percent;
};

static int size_predict(const struct nslab_slab_rules *rules, const char *text,
			struct size_result *result, struct nslab_err *err)
{
	size_t slab_bytes;
	int64_t size;
	int rc = nslab_parse_int(text, &size);

	if (rc || size < 1)
		return nslab_fail(err, -EINVAL, "'%s' is no size in bytes, e.g. 256 or 4k", text);
	result->size = (size_t)size;
	rc = nslab_slab_predict(rules, result->size, false, result->values, err);
	if (rc)
		return nslab_fail_in(err, rc, "size '%s'", text);
	slab_bytes = nslab_order_bytes(result->values[NSLAB_SLAB_ORDER]);
	result->waste_bytes = slab_bytes - result->size * result->values[NSLAB_SLAB_OBJECTS];
	result->waste_percent = 100.0 * (double)result->waste_bytes / (double)slab_bytes;
	return 0;
}

static json_t *size_json(const struct size_result *r)
{
	return json_pack("{s:I, s:i, s:i, s:I, s:f, s:i, s:i}", "size", (json_int_t)r->size,
			 "order", (int)r->values[NSLAB_SLAB_ORDER], "objects",
			 (int)r->values[NSLAB_SLAB_OBJECTS], "waste_bytes",
			 (json_int_t)r->waste_bytes, "waste_percent", r->waste_percent,
			 "min_partial", (int)r->values[NSLAB_SLAB_MIN_PARTIAL], "cpu_partial",
			 (int)r->values[NSLAB_SLAB_CPU_PARTIAL]);
}

static int sizes_print_json(const struct nslab_slab_rules *rules, const struct size_result *results,
			    int nr, struct nslab_err *err)
{
	json_t *json = rules_json(rules);
	json_t *sizes = json_array();

	for (int i = 0; i < nr; i++)
		json_array_append_new(sizes, size_json(&results[i]));
	json_object_set_new(json, "sizes", sizes);
	return json_print(json, err);
}

static void sizes_print(const struct nslab_slab_rules *rules, const struct size_result *results,
			int nr)
{
	printf("# kernel %s, CPUs %d, min_order %u, max_order %u, min_objects %u\n",
	       nslab_order_kernel_word(rules->kernel), rules->nr_cpus, rules->knobs.min_order,
	       rules->knobs.max_order, wanted_objects(rules));
	printf("# size: bytes from one object to the next, after alignment (slab_size of sysfs)\n");
	printf("%8s %6s %8s %12s %6s %12s %12s\n", "size", "order", "objects", "waste_bytes",
	       "waste%", "min_partial", "cpu_partial");
	for (int i = 0; i < nr; i++) {
		const unsigned *values = results[i].values;

		printf("%8zu %6u %8u %12zu %6.2f %12u %12u\n", results[i].size,
		       values[NSLAB_SLAB_ORDER], values[NSLAB_SLAB_OBJECTS], results[i].waste_bytes,
		       results[i].waste_percent, values[NSLAB_SLAB_MIN_PARTIAL],
		       values[NSLAB_SLAB_CPU_PARTIAL]);
	}
}

static int order_sizes(const struct order_options *o, const struct nslab_slab_rules *rules,
		       char **sizes, int nr, struct nslab_err *err)
{
	struct size_result *results = calloc((size_t)nr, sizeof(*results));
	int rc = results ? 0 : -ENOMEM;

	for (int i = 0; !rc && i < nr; i++)
		rc = size_predict(rules, sizes[i], &results[i], err);
	for (int i = 0; !rc && i < nr; i++) {
		if (results[i].size % 8)
			fprintf(stderr,
				"note: no cache has objects %zu bytes apart; an object of %zu "
				"bytes takes %zu or more\n",
				results[i].size, results[i].size, (results[i].size + 7) / 8 * 8);
	}
	if (!rc && o->is_json)
		rc = sizes_print_json(rules, results, nr, err);
	else if (!rc)
		sizes_print(rules, results, nr);
	free(results);
	return rc;
}

/* ---- check ---- */

struct order_check {
	const struct nslab_slab_rules *rules;
	const char *path;
	json_t *mismatches; /* NULL: print lines */
	size_t nr, nr_matched, nr_mismatches;
};

static void check_mismatch(struct order_check *c, const struct nslab_slab_row *row, int column,
			   unsigned predicted)
{
	const char *word = nslab_slab_column_word((enum nslab_slab_column)column);

	c->nr_mismatches++;
	if (c->mismatches) {
		json_array_append_new(c->mismatches,
				      json_pack("{s:s, s:s, s:i, s:i}", "cache", row->name,
						"column", word, "real", (int)row->value[column],
						"predicted", (int)predicted));
		return;
	}
	if (c->nr_mismatches == 1)
		printf("%-32s %-14s %9s %9s\n", "cache", "column", "real", "predicted");
	printf("%-32s %-14s %9" PRId64 " %9u\n", row->name, word, row->value[column], predicted);
}

static int check_row(struct order_check *c, const struct nslab_slab_row *row, struct nslab_err *err)
{
	unsigned predicted[NSLAB_NR_SLAB_RULES];
	bool is_match = true;
	int rc = nslab_slab_predict(c->rules, row->size, row->is_debug, predicted, err);

	if (rc)
		return nslab_fail_in(err, rc, "%s:%zu: cache '%.64s'", c->path, row->line,
				     row->name);
	for (int i = 0; i < NSLAB_NR_SLAB_RULES; i++) {
		if (row->value[i] < 0 || row->value[i] == predicted[i])
			continue;
		is_match = false;
		check_mismatch(c, row, i, predicted[i]);
	}
	c->nr++;
	c->nr_matched += is_match;
	return 0;
}

static int check_print_json(struct order_check *c, struct nslab_err *err)
{
	json_t *json = rules_json(c->rules);

	json_object_set_new(json, "matched", json_integer((json_int_t)c->nr_matched));
	json_object_set_new(json, "of", json_integer((json_int_t)c->nr));
	json_object_set(json, "mismatches", c->mismatches);
	return json_print(json, err);
}

/* A table of which nothing is predicted would match whatever it holds. */
static int check_columns(const struct nslab_slab_table *table, const char *path,
			 struct nslab_err *err)
{
	bool is_compared = !table->header_line;

	for (int i = 0; i < NSLAB_NR_SLAB_RULES; i++)
		is_compared = is_compared || table->has_column[i];
	if (is_compared)
		return 0;
	return nslab_fail(err, -EINVAL,
			  "%s:%zu: nothing to compare: one of the columns order, objs_per_slab, "
			  "min_partial, cpu_partial is needed",
			  path, table->header_line);
}

/* 0 all match, 1 some do not, or a negative errno. */
static int order_check(const struct order_options *o, const struct nslab_slab_rules *rules,
		       struct nslab_err *err)
{
	struct order_check c = {.rules = rules, .path = o->check};
	struct nslab_slab_table table;
	int rc = nslab_slab_table_read(o->check, &table, err);

	if (!rc)
		rc = check_columns(&table, o->check, err);
	if (o->is_json)
		c.mismatches = json_array();
	for (size_t i = 0; !rc && i < table.nr; i++) {
		if (!table.rows[i].alias_of)
			rc = check_row(&c, &table.rows[i], err);
	}
	if (!rc && o->is_json)
		rc = check_print_json(&c, err);
	else if (!rc)
		printf("matched %zu of %zu\n", c.nr_matched, c.nr);
	json_decref(c.mismatches);
	nslab_slab_table_free(&table);
	return rc ? rc : c.nr_matched < c.nr;
}

static int order_run(const struct order_options *o, char **operands, int nr, struct nslab_err *err)
{
	struct nslab_slab_rules rules;
	int rc;

	if (o->check && nr)
		return nslab_fail(err, -EINVAL, "give sizes or --check, not both ('%s')",
				  operands[0]);
	if (!o->check && !nr)
		return nslab_fail(err, -EINVAL,
				  "nothing to do: give sizes, or --check with a table or "
				  "/sys/kernel/slab");
	rc = order_rules(o, &rules, err);
	if (rc)
		return rc;
	return o->check ? order_check(o, &rules, err) : order_sizes(o, &rules, operands, nr, err);
}

static int order_command(int argc, char **argv)
{
	struct order_options o = {
		.nr_cpus = -1, .min_order = -1, .max_order = -1, .kernel = "6.18"};
	const struct nslab_option rows[] = {
		{"cpus", 'c', NSLAB_OPTION_INT, &o.nr_cpus, "N",
		 "CPUs present in the machine (possible ones if only one is present)"},
		{"kernel", 'k', NSLAB_OPTION_TEXT, &o.kernel, "VERSION",
		 "whose rules: 6.18 (default) or another release from 6.1 on"},
		{"min-order", 0, NSLAB_OPTION_INT, &o.min_order, "N", "slab_min_order, 0 untold"},
		{"max-order", 0, NSLAB_OPTION_INT, &o.max_order, "N", "slab_max_order, 3 untold"},
		{"min-objects", 0, NSLAB_OPTION_INT, &o.min_objects, "N",
		 "slab_min_objects, 0 = by the number of CPUs"},
		{"check", 0, NSLAB_OPTION_TEXT, &o.check, "PATH",
		 "compare every cache of a table with tabs or of /sys/kernel/slab"},
		{"json", 0, NSLAB_OPTION_FLAG, &o.is_json, NULL, "print JSON"},
		{.name = NULL},
	};
	struct nslab_err err = {""};
	int nr_operands, rc;

	o.is_max_first =
		last_place(argc, argv, "--max-order") < last_place(argc, argv, "--min-order");
	rc = nslab_options_parse(&nslab_command_order, rows, argc, argv, &nr_operands);
	if (rc >= 0)
		return rc;
	rc = order_run(&o, argv + 1, nr_operands, &err);
	if (rc >= 0 && fflush(stdout))
		rc = nslab_fail(&err, -errno, "cannot write to stdout: %s", strerror(errno));
	if (rc < 0)
		return nslab_complain(&err, rc);
	return rc ? NSLAB_EXIT_FAILED : NSLAB_EXIT_DONE;
}
