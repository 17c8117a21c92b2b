/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle.c: asks a real kernel whether the predicted orders are what it does.
 *
 * The guest has few CPUs, the machine of the snapshot may have many. Their number enters the order
 * rule by nothing but the objects that a slab should hold, so slab_min_objects with what the
 * machine's CPUs would give stands in for them. Then every cache that the guest has is held against
 * the rule, with the stride that it has there: order and objects must be the predicted ones. A few
 * strides follow the number of CPUs or nodes; those caches obey the rule in the guest, but say
 * nothing of the same cache on the other machine, and are counted apart.
 *
 * The verdict never says more than was seen: `confirmed` is the same release on the same
 * architecture, another release with the same rule is named, and a command line under which no
 * cache of the guest would look other than without it confirms nothing. Left out: the boot itself
 * (oracle_guest.c).
 */
#define _GNU_SOURCE
#include "tuner/oracle_impl.h"

#include "core/clock.h"
#include "runner/slab_rules.h"
#include "tuner/artefacts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ORACLE_CPUS	  2 /* of a guest, unless told: more take longer than one waits */
#define ORACLE_NODES	  2
#define ORACLE_CPUS_MAX	  64
#define ORACLE_NODES_MAX  16
#define ORACLE_LINE_BYTES 400 /* of slab parameters; guest.sh adds its own words */

/* What Debian 12 has. 6.18 has the rule of 6.12. */
static const struct oracle_image {
	const char *series;
	enum nslab_order_kernel kernel;
} oracle_images[] = {{"6.1", NSLAB_ORDER_6_1}, {"6.12", NSLAB_ORDER_6_12}};

/* Their strides hold a mask of CPUs, or a pointer for each node. */
static const char *const oracle_machine_caches[] = {"mm_struct", "kmem_cache"};

/* What is asked: the rules that must hold in the guest. */
struct oracle_question {
	const struct nslab_tuner_snapshot *snapshot;
	struct nslab_slab_rules rules; /* with the knobs of the command line */
	struct nslab_slab_rules usual; /* without a command line */
};

static bool oracle_is_one_rule(enum nslab_order_kernel a, enum nslab_order_kernel b)
{
	return (a == NSLAB_ORDER_6_1) == (b == NSLAB_ORDER_6_1);
}

/* ---- the question ---- */

static int oracle_check_count(const char *what, int nr, int most, struct nslab_err *err)
{
	if (nr >= 0 && nr <= most)
		return 0;
	return nslab_fail(err, -EINVAL, "a guest has 1..%d %s, not %d", most, what, nr);
}

static int oracle_min(int a, int b)
{
	return a < b ? a : b;
}

static int oracle_counts(const struct nslab_tuner_snapshot *snapshot,
			 const struct nslab_tuner_oracle_options *options,
			 struct nslab_tuner_oracle_result *result, struct nslab_err *err)
{
	int rc = oracle_check_count("CPUs", options->nr_cpus, ORACLE_CPUS_MAX, err);

	if (!rc)
		rc = oracle_check_count("nodes", options->nr_nodes, ORACLE_NODES_MAX, err);
	if (rc)
		return rc;
	result->nr_cpus =
		options->nr_cpus ? options->nr_cpus : oracle_min(snapshot->nr_cpus, ORACLE_CPUS);
	result->nr_nodes = options->nr_nodes ? options->nr_nodes
					     : oracle_min(snapshot->nr_nodes, ORACLE_NODES);
	result->nr_cpus = result->nr_cpus < 1 ? 1 : result->nr_cpus;
	result->nr_nodes = result->nr_nodes < 1 ? 1 : result->nr_nodes;
	return 0;
}

/* Kernels with two spellings are given the one that is advised for them. */
static int oracle_line(const struct nslab_tuner_snapshot *snapshot,
		       const struct nslab_order_knobs *knobs,
		       const struct nslab_tuner_oracle_options *options, char *line,
		       struct nslab_err *err)
{
	const char *given = options->command_line;

	if (!given)
		return nslab_tuner_boot_line(snapshot, knobs, line, ORACLE_LINE_BYTES, err);
	for (const char *at = given; *at; at++) {
		if (*at < ' ' || *at > '~')
			return nslab_fail(err, -EINVAL,
					  "a kernel's command line has no control characters");
	}
	if (snprintf(line, ORACLE_LINE_BYTES, "%s", given) >= ORACLE_LINE_BYTES)
		return nslab_fail(err, -EINVAL, "command line of %zu bytes; at most %d are taken",
				  strlen(given), ORACLE_LINE_BYTES - 1);
	return 0;
}

/* What a kernel of that kind makes of the command line. */
static int oracle_rules(struct oracle_question *q, enum nslab_order_kernel kernel,
			const struct nslab_tuner_oracle_result *result, struct nslab_err *err)
{
	q->rules.kernel = q->usual.kernel = kernel;
	q->rules.nr_cpus = q->usual.nr_cpus = result->nr_cpus;
	q->usual.knobs = (struct nslab_order_knobs)NSLAB_ORDER_KNOBS_DEFAULT;
	return nslab_tuner_boot_parse(kernel, result->command_line, &q->rules.knobs, err);
}

/* The command line in the spelling of the kernel that is expected, with what stands in. */
static int oracle_ask(struct oracle_question *q, enum nslab_order_kernel kernel,
		      const struct nslab_order_knobs *knobs,
		      const struct nslab_tuner_oracle_options *options,
		      struct nslab_tuner_oracle_result *result, struct nslab_err *err)
{
	struct nslab_tuner_snapshot other = *q->snapshot;
	struct nslab_order_knobs wanted = NSLAB_ORDER_KNOBS_DEFAULT;
	char line[ORACLE_LINE_BYTES], more[64];
	int rc;

	if (!oracle_is_one_rule(kernel, other.kernel)) {
		other.kernel = kernel;
		other.release = NULL;
	}
	rc = oracle_line(&other, knobs, options, line, err);
	if (rc)
		return rc;
	snprintf(result->command_line, sizeof(result->command_line), "%s", line);
	rc = oracle_rules(q, kernel, result, err);
	wanted.min_objects = nslab_order_min_objects(q->snapshot->nr_cpus);
	if (rc || q->rules.knobs.min_objects ||
	    wanted.min_objects == nslab_order_min_objects(result->nr_cpus))
		return rc;
	result->stand_in = wanted.min_objects;
	rc = nslab_tuner_boot_line(&other, &wanted, more, sizeof(more), err);
	snprintf(result->command_line, sizeof(result->command_line), "%s%s%s", line,
		 *line ? " " : "", more);
	return rc;
}

/* ---- the answer ---- */

/* Is the guest's release the one that was told? A snapshot may tell the series only: "6.12". */
static bool oracle_is_release(const char *told, const char *release)
{
	size_t len = strlen(told);

	if (strncmp(told, release, len) || !strchr(told, '.'))
		return false;
	return !release[len] || (release[len] == '.' && !strchr(strchr(told, '.') + 1, '.'));
}

static bool oracle_is_machine(const struct oracle_question *q,
			      const struct nslab_tuner_oracle_result *result,
			      const struct nslab_slab_row *row,
			      const struct nslab_tuner_cache *cache)
{
	size_t nr = sizeof(oracle_machine_caches) / sizeof(oracle_machine_caches[0]);

	if (cache && q->snapshot->release && !strcmp(q->snapshot->release, result->release))
		return cache->size != row->size;
	if (q->snapshot->nr_cpus == result->nr_cpus && q->snapshot->nr_nodes == result->nr_nodes)
		return false;
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(row->name, oracle_machine_caches[i]))
			return true;
	}
	return false;
}

static int oracle_row(const struct oracle_question *q, const struct nslab_slab_row *row,
		      struct nslab_tuner_oracle_result *result, struct nslab_err *err)
{
	struct nslab_tuner_oracle_cache *answer = &result->caches[result->nr_caches];
	const struct nslab_tuner_cache *known = nslab_tuner_snapshot_find(q->snapshot, row->name);
	unsigned asked[NSLAB_NR_SLAB_RULES], usual[NSLAB_NR_SLAB_RULES];
	int rc = nslab_slab_predict(&q->rules, row->size, row->is_debug, asked, err);

	if (!rc)
		rc = nslab_slab_predict(&q->usual, row->size, row->is_debug, usual, err);
	if (rc)
		return nslab_fail_in(err, rc, "cache '%.63s' of the guest", row->name);
	result->nr_caches++;
	snprintf(answer->name, sizeof(answer->name), "%s", row->name);
	answer->size = row->size;
	answer->order_guest = (int)row->value[NSLAB_SLAB_ORDER];
	answer->objects_guest = (int)row->value[NSLAB_SLAB_OBJECTS];
	answer->order_predicted = (int)asked[NSLAB_SLAB_ORDER];
	answer->objects_predicted = (int)asked[NSLAB_SLAB_OBJECTS];
	answer->depends_on_machine = oracle_is_machine(q, result, row, known);
	result->nr_checked++;
	result->nr_apart += answer->depends_on_machine;
	result->nr_known += known && known->size == row->size;
	result->nr_met += known != NULL;
	result->nr_moved += asked[NSLAB_SLAB_ORDER] != usual[NSLAB_SLAB_ORDER];
	result->nr_wrong += answer->order_guest != answer->order_predicted ||
			    answer->objects_guest != answer->objects_predicted;
	return 0;
}

static int oracle_compare(const struct oracle_question *q, const struct nslab_slab_table *table,
			  struct nslab_tuner_oracle_result *result, struct nslab_err *err)
{
	int rc = 0;

	result->caches = calloc(table->nr + 1, sizeof(*result->caches));
	if (!result->caches)
		return nslab_fail(err, -ENOMEM, "cannot keep the guest's caches: %s",
				  strerror(ENOMEM));
	for (size_t i = 0; !rc && i < table->nr; i++) {
		const struct nslab_slab_row *row = &table->rows[i];

		if (!row->alias_of && row->value[NSLAB_SLAB_ORDER] != NSLAB_SLAB_UNTOLD &&
		    row->value[NSLAB_SLAB_OBJECTS] != NSLAB_SLAB_UNTOLD)
			rc = oracle_row(q, row, result, err);
	}
	return rc;
}

/* ---- verdict ---- */

static bool oracle_is_same(const struct nslab_order_knobs *a, const struct nslab_order_knobs *b,
			   int nr_cpus)
{
	unsigned automatic = nslab_order_min_objects(nr_cpus);

	return a->min_order == b->min_order && a->max_order == b->max_order &&
	       (a->min_objects ? a->min_objects : automatic) ==
		       (b->min_objects ? b->min_objects : automatic);
}

static void oracle_say_wrong(struct nslab_tuner_oracle_result *result)
{
	const struct nslab_tuner_oracle_cache *c = result->caches;

	while (c->order_guest == c->order_predicted && c->objects_guest == c->objects_predicted)
		c++;
	snprintf(result->verdict, sizeof(result->verdict),
		 "unconfirmed: %zu of %zu caches are not as predicted, the first is '%s': order %d "
		 "with %d objects, not %d with %d",
		 result->nr_wrong, result->nr_checked, c->name, c->order_guest, c->objects_guest,
		 c->order_predicted, c->objects_predicted);
}

static void oracle_judge(const struct oracle_question *q, struct nslab_tuner_oracle_result *result)
{
	const struct nslab_tuner_snapshot *snapshot = q->snapshot;
	const char *told = snapshot->release ? snapshot->release : "";
	char *text = result->verdict;
	size_t bytes = sizeof(result->verdict);

	if (!result->nr_checked) {
		snprintf(text, bytes, "unconfirmed: the guest showed no cache");
	} else if (result->nr_wrong) {
		oracle_say_wrong(result);
	} else if (!oracle_is_one_rule(snapshot->kernel, q->rules.kernel)) {
		snprintf(text, bytes, "unconfirmed: %s has another order rule than %s",
			 result->release, nslab_order_kernel_word(snapshot->kernel));
	} else if (!result->nr_moved &&
		   !oracle_is_same(&q->rules.knobs, &q->usual.knobs, q->rules.nr_cpus)) {
		snprintf(text, bytes,
			 "unconfirmed: no cache of this guest has another order by the command "
			 "line");
	} else {
		result->is_confirmed = true;
		if (oracle_is_release(told, result->release) &&
		    (!snapshot->arch || !*snapshot->arch || !strcmp(snapshot->arch, "x86_64")))
			snprintf(text, bytes, "confirmed");
		else
			snprintf(text, bytes, "rule confirmed on %.*s",
				 (int)(strcspn(result->release, ".") + 1 +
				       strspn(result->release + strcspn(result->release, ".") + 1,
					      "0123456789")),
				 result->release);
	}
}

/* Values that differ between two readings; SIZE_MAX when they are not of the same caches. */
static size_t oracle_differences(const struct nslab_slab_table *a, const struct nslab_slab_table *b)
{
	size_t nr = 0;

	if (a->nr != b->nr)
		return SIZE_MAX;
	for (size_t i = 0; i < a->nr; i++) {
		if (strcmp(a->rows[i].name, b->rows[i].name))
			return SIZE_MAX;
		for (int column = 0; column < NSLAB_NR_SLAB_COLUMNS; column++)
			nr += a->rows[i].value[column] != b->rows[i].value[column];
	}
	return nr;
}

static void oracle_judge_script(const struct nslab_oracle_guest *guest,
				struct nslab_tuner_oracle_result *result)
{
	size_t nr_set = oracle_differences(&guest->booted, &guest->applied);
	size_t nr_left = oracle_differences(&guest->booted, &guest->undone);

	if (guest->apply_status || guest->undo_status)
		snprintf(result->sysfs, sizeof(result->sysfs), "%s ended with status %d: %s",
			 guest->apply_status ? "applying" : "undoing",
			 guest->apply_status ? guest->apply_status : guest->undo_status,
			 guest->script_text);
	else if (nr_left)
		snprintf(result->sysfs, sizeof(result->sysfs),
			 "not undone: %zu values are other ones than before", nr_left);
	else
		snprintf(result->sysfs, sizeof(result->sysfs),
			 "%zu value%s set, read back, and restored", nr_set,
			 nr_set == 1 ? "" : "s");
	result->is_sysfs_undone = !guest->apply_status && !guest->undo_status && !nr_left;
}

/* ---- all of it ---- */

static enum nslab_order_kernel oracle_choose_kernel(const struct nslab_tuner_snapshot *snapshot,
						    const char *kernel,
						    struct nslab_oracle_guest *guest)
{
	for (size_t i = 0; i < sizeof(oracle_images) / sizeof(oracle_images[0]); i++) {
		const struct oracle_image *image = &oracle_images[i];

		guest->series = image->series;
		if (kernel ? !strcmp(kernel, image->series)
			   : oracle_is_one_rule(snapshot->kernel, image->kernel))
			return image->kernel;
	}
	guest->file = kernel;
	guest->series = NULL;
	return snapshot->kernel;
}

static int oracle_answer(struct oracle_question *q, const struct nslab_oracle_guest *guest,
			 struct nslab_tuner_oracle_result *result, struct nslab_err *err)
{
	enum nslab_order_kernel kernel;
	int rc;

	if (*guest->why) {
		snprintf(result->verdict, sizeof(result->verdict), "unconfirmed: %s", guest->why);
		return 0;
	}
	memcpy(result->release, guest->release, sizeof(result->release));
	rc = nslab_slab_kernel_parse(result->release, &kernel, err);
	if (!rc)
		rc = oracle_rules(q, kernel, result, err);
	if (!rc)
		rc = oracle_compare(q, &guest->booted, result, err);
	if (rc)
		return rc;
	oracle_judge(q, result);
	if (guest->sysfs_script)
		oracle_judge_script(guest, result);
	return 0;
}

int nslab_tuner_oracle(const struct nslab_tuner_snapshot *snapshot,
		       const struct nslab_order_knobs *knobs,
		       const struct nslab_tuner_oracle_options *options,
		       struct nslab_tuner_oracle_result *result, struct nslab_err *err)
{
	struct oracle_question q = {.snapshot = snapshot};
	struct nslab_oracle_guest guest = {
		.cache_folder = options->cache_folder,
		.sysfs_script = options->sysfs_undo ? options->sysfs_script : NULL,
		.sysfs_undo = options->sysfs_undo,
		.talk = options->talk,
	};
	uint64_t begin_ns = nslab_now_ns(&nslab_real_clock);
	enum nslab_order_kernel kernel = oracle_choose_kernel(snapshot, options->kernel, &guest);
	int rc;

	memset(result, 0, sizeof(*result));
	if (!options->sysfs_script != !options->sysfs_undo)
		return nslab_fail(err, -EINVAL, "a sysfs script is tried together with its undo");
	rc = oracle_counts(snapshot, options, result, err);
	if (!rc)
		rc = oracle_ask(&q, kernel, knobs, options, result, err);
	if (rc)
		return rc;
	guest.command_line = result->command_line;
	guest.nr_cpus = result->nr_cpus;
	guest.nr_nodes = result->nr_nodes;
	rc = nslab_oracle_guest_run(&guest, err);
	if (!rc)
		rc = oracle_answer(&q, &guest, result, err);
	else if (err)
		snprintf(result->verdict, sizeof(result->verdict), "unconfirmed: %.200s",
			 err->text);
	result->wall_ns = nslab_now_ns(&nslab_real_clock) - begin_ns;
	nslab_oracle_guest_free(&guest);
	return rc;
}

void nslab_tuner_oracle_free(struct nslab_tuner_oracle_result *result)
{
	free(result->caches);
	result->caches = NULL;
	result->nr_caches = 0;
}
