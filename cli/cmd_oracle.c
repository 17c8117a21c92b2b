/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_oracle.c: `numaslab oracle`: boots a real kernel with slab boot parameters and holds its
 * caches against what was predicted for a machine.
 *
 * The machine is this one or a snapshot; without --cmdline its parameters of now are tried. Printed
 * are caches that are not as predicted, those whose stride says nothing of the machine, and the
 * verdict as the last line; --json has every cache. A sysfs script and its undo are run in the
 * guest when both are given. Status 1: not confirmed; 77: no kernel can be booted here.
 */
#define _GNU_SOURCE
#include "cli/command.h"
#include "results/text.h"
#include "tuner/oracle.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define ORACLE_COUNT_MAX 8192 /* CPUs of the largest x86-64 configuration of Linux */

static int oracle_command(int argc, char **argv);

extern const struct nslab_command nslab_command_oracle;

const struct nslab_command nslab_command_oracle = {
	.name = "oracle",
	.summary = "boot a real kernel and hold its caches against what is predicted",
	.usage = "",
	.run = oracle_command,
};

struct oracle_options {
	const char *snapshot, *rules;
	long nr_cpus, nr_nodes; /* of the machine */
	long guest_cpus, guest_nodes;
	struct nslab_tuner_oracle_options run;
	bool is_json;
};

/* ---- JSON ---- */

static json_t *oracle_caches_json(const struct nslab_tuner_oracle_result *r)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < r->nr_caches; i++) {
		const struct nslab_tuner_oracle_cache *c = &r->caches[i];

		json_array_append_new(
			list, json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:b}", "name", c->name,
					"slab_size", (int)c->size, "order", c->order_guest,
					"order_predicted", c->order_predicted, "objects",
					c->objects_guest, "objects_predicted", c->objects_predicted,
					"depends_on_machine", c->depends_on_machine));
	}
	return list;
}

static int oracle_print_json(const struct nslab_tuner_oracle_result *r, struct nslab_err *err)
{
	json_t *json = json_pack(
		"{s:s, s:b, s:s, s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:f, s:o}",
		"verdict", r->verdict, "is_confirmed", r->is_confirmed, "release", r->release,
		"command_line", r->command_line, "stand_in_min_objects", (int)r->stand_in, "cpus",
		r->nr_cpus, "nodes", r->nr_nodes, "checked", (json_int_t)r->nr_checked, "wrong",
		(json_int_t)r->nr_wrong, "apart", (json_int_t)r->nr_apart, "moved",
		(json_int_t)r->nr_moved, "met", (json_int_t)r->nr_met, "same_size",
		(json_int_t)r->nr_known, "sysfs", r->sysfs, "wall_s", (double)r->wall_ns / 1e9,
		"caches", oracle_caches_json(r));
	int rc = json && !json_dumpf(json, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII) ? 0 : -EIO;

	json_decref(json);
	putchar('\n');
	return rc ? nslab_fail(err, rc, "cannot print JSON: %s", strerror(-rc)) : 0;
}

/* ---- text ---- */

static bool oracle_is_wrong(const struct nslab_tuner_oracle_cache *c)
{
	return c->order_guest != c->order_predicted || c->objects_guest != c->objects_predicted;
}

static void oracle_print_rows(const struct nslab_tuner_oracle_result *r, bool is_apart)
{
	bool has_head = false;

	for (size_t i = 0; i < r->nr_caches; i++) {
		const struct nslab_tuner_oracle_cache *c = &r->caches[i];

		if (is_apart ? !c->depends_on_machine : !oracle_is_wrong(c))
			continue;
		if (!has_head)
			printf("\n%s\n%-28s %9s %6s %9s %8s %9s\n",
			       is_apart ? "right in the guest, but their stride follows CPUs or "
					  "nodes: on the machine it may be another"
					: "not as predicted:",
			       "cache", "slab_size", "order", "predicted", "objects", "predicted");
		has_head = true;
		nslab_text_put(stdout, c->name, 28);
		printf(" %9u %6d %9d %8d %9d\n", c->size, c->order_guest, c->order_predicted,
		       c->objects_guest, c->objects_predicted);
	}
}

static void oracle_print_head(const struct nslab_tuner_snapshot *snapshot,
			      const struct nslab_tuner_oracle_result *r)
{
	printf("kernel %s, %d CPU%s, %d node%s, %.1f s\n", *r->release ? r->release : "-",
	       r->nr_cpus, r->nr_cpus == 1 ? "" : "s", r->nr_nodes, r->nr_nodes == 1 ? "" : "s",
	       (double)r->wall_ns / 1e9);
	printf("command line: %s\n", *r->command_line ? r->command_line : "(none for slabs)");
	if (r->stand_in)
		printf("the machine has %d CPUs: slab_min_objects %u stands in for them\n",
		       snapshot->nr_cpus, r->stand_in);
	else if (snapshot->nr_cpus != r->nr_cpus)
		printf("the machine has %d CPUs, which changes no order here\n", snapshot->nr_cpus);
	printf("%zu caches checked, %zu as predicted; the command line changes the order of %zu\n",
	       r->nr_checked, r->nr_checked - r->nr_wrong, r->nr_moved);
	printf("of the machine's %zu caches the guest has %zu, %zu with the same stride\n",
	       snapshot->nr_caches, r->nr_met, r->nr_known);
}

static void oracle_print(const struct nslab_tuner_snapshot *snapshot,
			 const struct nslab_tuner_oracle_result *r)
{
	oracle_print_head(snapshot, r);
	oracle_print_rows(r, false);
	oracle_print_rows(r, true);
	putchar('\n');
	if (*r->sysfs)
		nslab_text_fold(stdout, "sysfs script: ", r->sysfs, 14, 100);
	nslab_text_put(stdout, r->verdict, 0);
	putchar('\n');
}

/* ---- run ---- */

/* 0 confirmed, 1 not, or a negative errno. */
static int oracle_run(const struct oracle_options *o, struct nslab_err *err)
{
	const struct nslab_tuner_given given = {(int)o->nr_cpus, (int)o->nr_nodes, o->rules};
	struct nslab_tuner_oracle_result result = {.nr_caches = 0};
	struct nslab_tuner_snapshot *snapshot = NULL;
	int rc = o->snapshot ? nslab_tuner_snapshot_read(o->snapshot, &given, &snapshot, err)
			     : nslab_tuner_snapshot_take("", &given, &snapshot, err);

	if (rc)
		return rc;
	rc = nslab_tuner_oracle(snapshot, &snapshot->knobs, &o->run, &result, err);
	if (!rc && o->is_json)
		rc = oracle_print_json(&result, err);
	else if (!rc)
		oracle_print(snapshot, &result);
	if (!rc)
		rc = !result.is_confirmed || (*result.sysfs && !result.is_sysfs_undone);
	nslab_tuner_oracle_free(&result);
	nslab_tuner_snapshot_free(snapshot);
	return rc;
}

/* What the library cannot see: words that are too many, numbers that are no int. */
static int oracle_check(struct oracle_options *o, const char *operand, struct nslab_err *err)
{
	const struct {
		const char *option;
		long value, least;
	} counts[] = {{"cpus", o->nr_cpus == -1 ? 1 : o->nr_cpus, 1},
		      {"nodes", o->nr_nodes == -1 ? 1 : o->nr_nodes, 1},
		      {"guest-cpus", o->guest_cpus, 0},
		      {"guest-nodes", o->guest_nodes, 0}};

	if (operand)
		return nslab_fail(err, -EINVAL, "oracle takes options only, not '%s'", operand);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (counts[i].value < counts[i].least || counts[i].value > ORACLE_COUNT_MAX)
			return nslab_fail(err, -EINVAL, "option '--%s' takes %ld..%d, not %ld",
					  counts[i].option, counts[i].least, ORACLE_COUNT_MAX,
					  counts[i].value);
	}
	o->run.nr_cpus = (int)o->guest_cpus;
	o->run.nr_nodes = (int)o->guest_nodes;
	return 0;
}

static int oracle_command(int argc, char **argv)
{
	struct oracle_options o = {.nr_cpus = -1, .nr_nodes = -1, .run = {.talk = stderr}};
	const struct nslab_option rows[] = {
		{"snapshot", 's', NSLAB_OPTION_TEXT, &o.snapshot, "FILE",
		 "the machine, as numaslab snapshot wrote it; this one unless told"},
		{"kernel", 'k', NSLAB_OPTION_TEXT, &o.run.kernel, "KERNEL",
		 "6.1 or 6.12 (Debian's, fetched once), or a vmlinuz; by the machine unless told"},
		{"cmdline", 0, NSLAB_OPTION_TEXT, &o.run.command_line, "TEXT",
		 "boot parameters to try; those of the machine unless told"},
		{"guest-cpus", 0, NSLAB_OPTION_INT, &o.guest_cpus, "N",
		 "CPUs of the guest; the machine's, but at most 2, unless told"},
		{"guest-nodes", 0, NSLAB_OPTION_INT, &o.guest_nodes, "N",
		 "nodes of the guest; the machine's, but at most 2, unless told"},
		{"cpus", 'c', NSLAB_OPTION_INT, &o.nr_cpus, "N",
		 "of the machine, where the file does not tell"},
		{"nodes", 0, NSLAB_OPTION_INT, &o.nr_nodes, "N", "the same"},
		{"rules", 0, NSLAB_OPTION_TEXT, &o.rules, "V",
		 "the machine's kernel, the same: 6.1, 6.12, 6.18 or a release"},
		{"apply", 0, NSLAB_OPTION_TEXT, &o.run.sysfs_script, "FILE",
		 "sysfs script to run in the guest"},
		{"undo", 0, NSLAB_OPTION_TEXT, &o.run.sysfs_undo, "FILE", "what takes it back"},
		{"kernels", 0, NSLAB_OPTION_TEXT, &o.run.cache_folder, "DIR",
		 "where fetched kernels are kept (~/.cache/numaslab/kernels)"},
		{"json", 0, NSLAB_OPTION_FLAG, &o.is_json, NULL, "print JSON, every cache in it"},
		{.name = NULL},
	};
	struct nslab_err err = {""};
	int nr_operands, rc;

	rc = nslab_options_parse(&nslab_command_oracle, rows, argc, argv, &nr_operands);
	if (rc >= 0)
		return rc;
	rc = oracle_check(&o, nr_operands ? argv[1] : NULL, &err);
	if (!rc)
		rc = oracle_run(&o, &err);
	if (rc >= 0 && fflush(stdout))
		rc = nslab_fail(&err, -errno, "cannot write to stdout: %s", strerror(errno));
	if (rc == -ENOTSUP) {
		fprintf(stderr, "numaslab: skipped: %s\n", err.text);
		return NSLAB_EXIT_SKIPPED;
	}
	if (rc < 0)
		return nslab_complain(&err, rc);
	return rc ? NSLAB_EXIT_FAILED : NSLAB_EXIT_DONE;
}
