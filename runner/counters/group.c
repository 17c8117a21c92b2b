/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * group.c: reads a group of counters from its text.
 *
 * The text is copied once and cut into lines and words in place, so that every part of a group
 * points into it. A line that begins with a blank belongs to the line above; its newline becomes a
 * vertical tab, which is white space to the words and still counts as a line in error messages.
 * Formulas are evaluated once here, with every name known, so that a slip is told when the file is
 * read and not after an hour of measuring.
 *
 * Invariants: counts are within their arrays; every name in a formula is an alias of the group or
 * `ops`; aliases are unique. Left out: what the encodings mean to a CPU (encode.h).
 */
#define _GNU_SOURCE
#include "runner/counters/group.h"

#include "runner/counters/formula.h"

#include <numaslab/types.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_BLANKS " \t\v\r"

struct group_reader {
	struct nslab_group *group;
	const char *file;
	int line, set;
	struct nslab_err *err;
};

static int group_fail(struct group_reader *r, const char *what, const char *subject)
{
	return nslab_fail(r->err, -EINVAL, "%s:%d: %s%s%s%s", r->file, r->line, what,
			  *subject ? " '" : "", subject, *subject ? "'" : "");
}

/* Takes the next word off *rest; "" at the end. */
static char *group_word(char **rest)
{
	char *word = *rest + strspn(*rest, GROUP_BLANKS);
	size_t len = strcspn(word, GROUP_BLANKS);

	*rest = word + len;
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

/* The whole rest with single blanks. */
static char *group_rest(char *rest)
{
	char *out = rest, *begin = rest;
	char *word;

	while (*(word = group_word(&rest))) {
		size_t len = strlen(word);

		if (out != begin)
			*out++ = ' ';
		memmove(out, word, len);
		out += len;
	}
	*out = '\0';
	return begin;
}

static int group_summary(struct group_reader *r, char *rest)
{
	if (r->group->summary)
		return group_fail(r, "there is a summary already", "");
	r->group->summary = group_rest(rest);
	return *r->group->summary ? 0 : group_fail(r, "a summary is missing", "");
}

static bool group_number(const char *text, char end_mark, int *value, char **end)
{
	long number = strtol(text, end, 0);

	*value = (int)number;
	return *end != text && number >= 0 && number < 1 << 24 && (!**end || **end == end_mark);
}

static int group_cpu(struct group_reader *r, char *rest)
{
	struct nslab_group_cpu *cpu = &r->group->cpus[r->group->nr_cpus];
	char *family, *models, *end;

	if (r->group->nr_cpus == NSLAB_GROUP_CPUS)
		return group_fail(r, "too many cpu lines", "");
	cpu->vendor = group_word(&rest);
	family = group_word(&rest);
	models = group_word(&rest);
	if (!*cpu->vendor || !group_number(family, '\0', &cpu->family, &end))
		return group_fail(r, "a cpu is VENDOR FAMILY [MODEL | FIRST-LAST], not", family);
	cpu->first_model = 0;
	cpu->last_model = 1 << 24;
	if (*models) {
		if (!group_number(models, '-', &cpu->first_model, &end))
			return group_fail(r, "no model number", models);
		cpu->last_model = cpu->first_model;
		if (*end == '-' && !group_number(end + 1, '\0', &cpu->last_model, &end))
			return group_fail(r, "no range of models", models);
	}
	r->group->nr_cpus++;
	return *group_word(&rest) ? group_fail(r, "too many words", "") : 0;
}

static int group_set(struct group_reader *r, char *rest)
{
	r->set++;
	return *group_word(&rest) ? group_fail(r, "'set' stands alone", "") : 0;
}

static bool group_is_alias(const char *alias)
{
	bool is_good = isalpha((unsigned char)*alias) && strcmp(alias, "ops") != 0;

	for (; *alias; alias++)
		is_good = is_good && (isalnum((unsigned char)*alias) || *alias == '_');
	return is_good;
}

static int group_event(struct group_reader *r, char *rest)
{
	struct nslab_group *group = r->group;
	struct nslab_group_event *event = &group->events[group->nr_events];

	if (group->nr_events == NSLAB_GROUP_EVENTS)
		return group_fail(r, "too many events", "");
	event->alias = group_word(&rest);
	event->names[0] = group_word(&rest);
	event->names[1] = group_word(&rest);
	event->set = r->set;
	if (!group_is_alias(event->alias))
		return group_fail(r, "an event's name is letters, digits and _, not", event->alias);
	if (!*event->names[0])
		return group_fail(r, "no encoding for event", event->alias);
	if (!*event->names[1])
		event->names[1] = NULL;
	for (int i = 0; i < group->nr_events; i++) {
		if (!strcmp(group->events[i].alias, event->alias))
			return group_fail(r, "there is already an event", event->alias);
	}
	group->nr_events++;
	return *group_word(&rest) ? group_fail(r, "too many words", "") : 0;
}

/* For checking: every alias has some value. */
struct group_checker {
	struct nslab_formula_names names;
	const struct nslab_group *group;
};

static bool group_knows(struct nslab_formula_names *names, const char *name, size_t len,
			double *value)
{
	const struct group_checker *checker =
		nslab_container_of(names, struct group_checker, names);

	*value = 1;
	if (len == 3 && !strncmp(name, "ops", 3))
		return true;
	for (int i = 0; i < checker->group->nr_events; i++) {
		const char *alias = checker->group->events[i].alias;

		if (strlen(alias) == len && !strncmp(alias, name, len))
			return true;
	}
	return false;
}

static int group_metric(struct group_reader *r, char *rest)
{
	struct nslab_group_metric *metric = &r->group->metrics[r->group->nr_metrics];
	struct group_checker checker = {{group_knows}, r->group};
	double value;

	if (r->group->nr_metrics == NSLAB_GROUP_METRICS)
		return group_fail(r, "too many metrics", "");
	metric->name = group_word(&rest);
	metric->unit = group_word(&rest);
	if (!*metric->unit || strcmp(group_word(&rest), "=") != 0)
		return group_fail(r, "a metric is NAME UNIT = FORMULA, not", metric->name);
	metric->formula = group_rest(rest);
	if (nslab_formula_eval(metric->formula, &checker.names, &value, r->err))
		return nslab_fail_in(r->err, -EINVAL, "%s:%d", r->file, r->line);
	r->group->nr_metrics++;
	return 0;
}

static int group_note(struct group_reader *r, char *rest)
{
	char *note = group_rest(rest);

	if (r->group->nr_notes == NSLAB_GROUP_NOTES)
		return group_fail(r, "too many notes", "");
	r->group->notes[r->group->nr_notes++] = note;
	return *note ? 0 : group_fail(r, "a note is missing", "");
}

static int group_line(struct group_reader *r, char *line)
{
	static const struct {
		const char *word;
		int (*read)(struct group_reader *r, char *rest);
	} kinds[] = {{"summary", group_summary}, {"cpu", group_cpu},	   {"set", group_set},
		     {"event", group_event},	 {"metric", group_metric}, {"note", group_note}};
	char *word = group_word(&line);

	if (!*word || *word == '#')
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(kinds[i].word, word))
			return kinds[i].read(r, line);
	}
	return group_fail(r, "a line begins with summary, cpu, set, event, metric or note, not",
			  word);
}

static void group_join_lines(char *text)
{
	for (char *at = text; (at = strchr(at, '\n')); at++) {
		if (at[1] == ' ' || at[1] == '\t')
			*at = '\v';
	}
}

static int group_lines(struct group_reader *r)
{
	char *at = r->group->text;
	int rc = 0;

	group_join_lines(at);
	while (at && !rc) {
		char *line = strsep(&at, "\n");
		int nr_lines = 1;

		for (const char *c = line; *c; c++)
			nr_lines += *c == '\v';
		rc = group_line(r, line);
		r->line += nr_lines;
	}
	if (!rc && !r->group->summary)
		return nslab_fail(r->err, -EINVAL, "%s: no summary line", r->file);
	return rc;
}

/* "intel-icx" of "some/where/intel-icx.txt". */
static int group_set_name(struct group_reader *r)
{
	const char *base = strrchr(r->file, '/');
	size_t len;

	base = base ? base + 1 : r->file;
	len = strcspn(base, ".");
	if (!len || len >= sizeof(r->group->name))
		return nslab_fail(r->err, -EINVAL, "%s: a group's name has 1 to %zu characters",
				  r->file, sizeof(r->group->name) - 1);
	memcpy(r->group->name, base, len);
	return 0;
}

int nslab_group_parse(const char *file, const char *text, struct nslab_group **result,
		      struct nslab_err *err)
{
	struct nslab_group *group = calloc(1, sizeof(*group));
	struct group_reader reader = {.group = group, .file = file, .line = 1, .err = err};
	int rc = -ENOMEM;

	if (group)
		group->text = strdup(text);
	if (!group || !group->text)
		nslab_fail(err, rc, "%s: %s", file, strerror(ENOMEM));
	else
		rc = group_set_name(&reader);
	if (!rc)
		rc = group_lines(&reader);
	if (rc)
		nslab_group_free(group);
	else
		*result = group;
	return rc;
}

void nslab_group_free(struct nslab_group *group)
{
	if (group)
		free(group->text);
	free(group);
}

bool nslab_group_fits(const struct nslab_group *group, const struct nslab_cpu_id *id)
{
	for (int i = 0; i < group->nr_cpus; i++) {
		const struct nslab_group_cpu *cpu = &group->cpus[i];

		if (!strcmp(cpu->vendor, id->vendor) && cpu->family == id->family &&
		    id->model >= cpu->first_model && id->model <= cpu->last_model)
			return true;
	}
	return false;
}
