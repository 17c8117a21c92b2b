/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * choice.c: from the words of a plan to events that can be opened.
 *
 * Everything that depends on files, on libpfm4 and on the CPU's name happens here, once and before
 * anything is measured; a trial is given codes. A group of another CPU may be asked for by name, as
 * happens when one plan serves several machines: its events are then absent with that reason, and
 * never opened, because their codes mean something else here.
 *
 * Invariants: groups[] and the texts in it live as long as files; a group is chosen once, however
 * often it is named. perf's own events are in every set and take no room in events[].
 *
 * Left out: choosing fewer events than the hardware has counters for; the kernel takes turns, and
 * the reading says which share of the time was counted.
 */
#include "runner/counters/choice.h"

#include "runner/counters/encode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chooser {
	struct nslab_counter_choice *choice;
	const struct nslab_cpu_id *id;
	int next_set; /* number of the next group of events that go onto the hardware together */
	struct nslab_err *err;
};

struct nslab_event_name nslab_choice_event_name(const struct nslab_group *group,
						const struct nslab_group_event *event)
{
	struct nslab_event_name name;

	if (nslab_perf_has(event->names[0]))
		snprintf(name.text, sizeof(name.text), "%s", event->names[0]);
	else
		snprintf(name.text, sizeof(name.text), "%s/%.60s", group->name, event->alias);
	return name;
}

static struct nslab_pmu_event *chooser_event(struct chooser *c, const char *name, int set)
{
	struct nslab_counter_choice *choice = c->choice;
	struct nslab_pmu_event *event = &choice->events[choice->nr_events];

	for (size_t i = 0; i < choice->nr_events; i++) {
		if (!strcmp(choice->events[i].name, name))
			return &choice->events[i];
	}
	if (choice->nr_events == NSLAB_PMU_MAX) {
		nslab_fail(c->err, -E2BIG, "counters: more than %d events of the CPU",
			   NSLAB_PMU_MAX);
		return NULL;
	}
	choice->nr_events++;
	snprintf(event->name, sizeof(event->name), "%s", name);
	event->event.is_hardware = true;
	event->event.group = set;
	return event;
}

/* The first of the names that is known here; else why the first one is not. */
static void chooser_encode(const struct nslab_group_event *from, struct nslab_pmu_event *event)
{
	char why[sizeof(event->reason)] = "";
	bool is_here;

	for (int i = 0; i < 2 && from->names[i]; i++) {
		if (!nslab_event_encode(from->names[i], &event->event, &is_here, why,
					sizeof(why))) {
			event->reason[0] = '\0';
			return;
		}
		if (!event->reason[0])
			snprintf(event->reason, sizeof(event->reason), "%s", why);
	}
}

static int chooser_group_events(struct chooser *c, const struct nslab_group *group)
{
	bool is_other = group->nr_cpus && !nslab_group_fits(group, c->id);
	char cpu[64];

	nslab_cpu_id_text(c->id, cpu, sizeof(cpu));
	for (int i = 0; i < group->nr_events; i++) {
		const struct nslab_group_event *from = &group->events[i];
		struct nslab_event_name name = nslab_choice_event_name(group, from);
		struct nslab_pmu_event *event;

		if (nslab_perf_has(name.text))
			continue;
		event = chooser_event(c, name.text, c->next_set + from->set);
		if (!event)
			return -E2BIG;
		if (is_other)
			snprintf(event->reason, sizeof(event->reason),
				 "group '%s' is not for this CPU, %s", group->name, cpu);
		else
			chooser_encode(from, event);
	}
	c->next_set += NSLAB_GROUP_EVENTS + 1;
	return 0;
}

static int chooser_group(struct chooser *c, const struct nslab_group *group)
{
	struct nslab_counter_choice *choice = c->choice;

	for (size_t i = 0; i < choice->nr_groups; i++) {
		if (choice->groups[i] == group)
			return 0;
	}
	if (choice->nr_groups == NSLAB_CHOICE_GROUPS)
		return nslab_fail(c->err, -E2BIG, "counters: more than %d groups",
				  NSLAB_CHOICE_GROUPS);
	choice->groups[choice->nr_groups++] = group;
	return chooser_group_events(c, group);
}

static int chooser_generic(struct chooser *c)
{
	const struct nslab_group *generic = nslab_groups_find(&c->choice->files, "generic");

	return generic ? chooser_group(c, generic) : 0;
}

static int chooser_auto(struct chooser *c)
{
	const struct nslab_group *group = nslab_groups_for(&c->choice->files, c->id);
	int rc = group ? chooser_group(c, group) : 0;

	return rc ? rc : chooser_generic(c);
}

static int chooser_refuse(struct chooser *c, const char *word, const char *why)
{
	const struct nslab_groups *files = &c->choice->files;
	char list[512] = "";

	for (size_t i = 0; i < files->nr; i++) {
		size_t len = strlen(list);

		snprintf(list + len, sizeof(list) - len, "%s, ", files->group[i]->name);
	}
	return nslab_fail(c->err, -EINVAL,
			  "counters: '%s' is no event (%s) and no group; there are %sauto, "
			  "simulated, and names of events",
			  word, why, list);
}

static int chooser_named_event(struct chooser *c, const char *word)
{
	struct nslab_perf_event encoded = {.is_hardware = true, .group = c->next_set++};
	struct nslab_pmu_event *event;
	char why[128] = "";
	bool is_here;

	if (nslab_event_encode(word, &encoded, &is_here, why, sizeof(why)))
		return chooser_refuse(c, word, why);
	event = chooser_event(c, word, encoded.group);
	if (!event)
		return -E2BIG;
	event->event = encoded;
	if (!is_here)
		snprintf(event->reason, sizeof(event->reason),
			 "libpfm4 does not see the PMU of this event here");
	return 0;
}

static int chooser_word(struct chooser *c, const char *word)
{
	const struct nslab_group *group = nslab_groups_find(&c->choice->files, word);

	if (!strcmp(word, "auto"))
		return chooser_auto(c);
	if (!strcmp(word, "simulated")) {
		c->choice->is_simulated = true;
		return 0;
	}
	if (group)
		return chooser_group(c, group);
	return nslab_perf_has(word) ? 0 : chooser_named_event(c, word);
}

int nslab_choice_make(const char *const *words, const struct nslab_cpu_id *id,
		      struct nslab_counter_choice **result, struct nslab_err *err)
{
	struct nslab_counter_choice *choice = calloc(1, sizeof(*choice));
	struct chooser chooser = {.choice = choice, .id = id, .err = err};
	int rc;

	if (!choice)
		return nslab_fail(err, -ENOMEM, "cannot choose counters: %s", strerror(ENOMEM));
	rc = nslab_groups_load(&choice->files, err);
	for (size_t i = 0; !rc && words && words[i]; i++)
		rc = chooser_word(&chooser, words[i]);
	if (!rc && (!words || !words[0]))
		rc = chooser_generic(&chooser);
	if (rc)
		nslab_choice_free(choice);
	else
		*result = choice;
	return rc;
}

void nslab_choice_free(struct nslab_counter_choice *choice)
{
	if (choice)
		nslab_groups_free(&choice->files);
	free(choice);
}
