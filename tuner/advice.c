// SPDX-License-Identifier: GPL-2.0-only
/*
 * advice.c: the words and the end of what the tuner hands from step to step.
 *
 * An advice owns its groups, their candidates and its notes; caches belong to the snapshot, which
 * outlives it. A setting is told by what differs from "as it is". Left out: how an advice is made
 * (tune.c) and shown (print.c).
 */
#include "tuner/tuner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *nslab_tuner_fate_word(enum nslab_tuner_fate fate)
{
	static const char *const words[] = {
		[NSLAB_TUNER_KEPT] = "kept",
		[NSLAB_TUNER_DOMINATED] = "dominated",
		[NSLAB_TUNER_COARSE] = "too coarse",
		[NSLAB_TUNER_OUTRANKED] = "outranked",
		[NSLAB_TUNER_UNMEASURED] = "not measured",
		[NSLAB_TUNER_RACED_OUT] = "out of the race",
		[NSLAB_TUNER_REFUTED] = "refuted",
		[NSLAB_TUNER_CONFIRMED] = "confirmed",
	};

	return words[fate];
}

bool nslab_tuner_is_open(const struct nslab_tuner_candidate *candidate)
{
	return candidate->fate == NSLAB_TUNER_KEPT || candidate->fate == NSLAB_TUNER_CONFIRMED;
}

static const char *const advice_objectives[] = {"balanced", "speed", "memory"};

const char *nslab_tuner_objective_word(enum nslab_tuner_objective objective)
{
	return advice_objectives[objective];
}

int nslab_tuner_objective_parse(const char *word, enum nslab_tuner_objective *objective,
				struct nslab_err *err)
{
	for (size_t i = 0; i < 3; i++) {
		if (!strcmp(word, advice_objectives[i])) {
			*objective = (enum nslab_tuner_objective)i;
			return 0;
		}
	}
	return nslab_fail(err, -EINVAL,
			  "'%s' is no objective; there are balanced, speed and memory", word);
}

int nslab_tuner_note(struct nslab_tuner_advice *advice, const char *format, ...)
{
	char **notes = realloc(advice->notes, (advice->nr_notes + 1) * sizeof(*notes));
	char *line = malloc(512);
	va_list args;

	if (notes)
		advice->notes = notes;
	if (!notes || !line) {
		free(line);
		return -ENOMEM;
	}
	va_start(args, format);
	vsnprintf(line, 512, format, args);
	va_end(args);
	notes[advice->nr_notes++] = line;
	return 0;
}

static void advice_word(char *text, size_t text_bytes, const char *word, int value)
{
	size_t length = strlen(text);

	if (value != NSLAB_AUTO)
		snprintf(text + length, text_bytes - length, "%s%s %d", length ? ", " : "", word,
			 value);
}

void nslab_tuner_setting_text(const struct nslab_tuner_setting *setting, char *text,
			      size_t text_bytes)
{
	*text = '\0';
	advice_word(text, text_bytes, "order", setting->order);
	advice_word(text, text_bytes, "cpu_partial", setting->cpu_partial);
	advice_word(text, text_bytes, "min_partial", setting->min_partial);
	advice_word(text, text_bytes, "sheaf_capacity", setting->sheaf_capacity);
	if (!*text)
		snprintf(text, text_bytes, "as it is");
}

void nslab_tuner_setting_change(const struct nslab_tuner_setting *now,
				const struct nslab_tuner_setting *then, char *text,
				size_t text_bytes)
{
	struct nslab_tuner_setting change = *then;

	if (change.order == now->order)
		change.order = NSLAB_AUTO;
	if (change.cpu_partial == now->cpu_partial)
		change.cpu_partial = NSLAB_AUTO;
	if (change.min_partial == now->min_partial)
		change.min_partial = NSLAB_AUTO;
	if (change.sheaf_capacity == now->sheaf_capacity)
		change.sheaf_capacity = NSLAB_AUTO;
	nslab_tuner_setting_text(&change, text, text_bytes);
}

void nslab_tuner_advice_free(struct nslab_tuner_advice *advice)
{
	if (!advice)
		return;
	for (size_t i = 0; i < advice->nr_groups; i++)
		free(advice->groups[i].candidates);
	for (size_t i = 0; i < advice->nr_notes; i++)
		free(advice->notes[i]);
	free(advice->groups);
	free(advice->notes);
	free(advice);
}
