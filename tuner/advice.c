// SPDX-License-Identifier: GPL-2.0-only
/*
 * advice.c: the words and the end of what the tuner hands from step to step.
 *
 * An advice owns its groups, their candidates and its notes; caches belong to the snapshot, which
 * outlives it. A setting is told by what differs from "as it is". Left out: how an advice is made
 * (tune.c) and shown (print.c).
 */
#include "tuner/tuner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
