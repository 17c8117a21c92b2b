/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * boot_line.c: the three boot parameters of slab orders, as text and back.
 *
 * A kernel reads its command line from left to right, and since 6.8 a parameter pulls an earlier
 * one along: a smallest order above the largest raises it, a largest order below the smallest
 * lowers it. So the largest order is written first. With the smallest order at its default of 0 it
 * pulls nothing, and the smallest order that follows is never above it. 6.1 keeps both as they are,
 * so there any order of words does. Invariant: what nslab_tuner_boot_line() writes,
 * nslab_tuner_boot_parse() reads as the same knobs.
 *
 * Up to 6.8 the words begin with slub_; later kernels take that too, and call it the old name. Left
 * out: the other parameters of slabs (merging, debugging), which change no rule.
 */
#include "tuner/artefacts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct nslab_order_knobs boot_usual = NSLAB_ORDER_KNOBS_DEFAULT;

static bool boot_is_slub(const struct nslab_tuner_snapshot *snapshot)
{
	const char *release = snapshot->release ? snapshot->release : "";

	return snapshot->kernel == NSLAB_ORDER_6_1 || !strcmp(release, "6.8") ||
	       !strncmp(release, "6.8.", 4) || !strncmp(release, "6.8-", 4);
}

/* Appends "slab_NAME=VALUE" when the value is not the usual one. */
static size_t boot_add(char *text, size_t text_bytes, size_t len, const char *word, unsigned value,
		       unsigned usual)
{
	if (value == usual || len >= text_bytes)
		return len;
	return len + (size_t)snprintf(text + len, text_bytes - len, "%s%s=%u", len ? " " : "", word,
				      value);
}

int nslab_tuner_boot_line(const struct nslab_tuner_snapshot *snapshot,
			  const struct nslab_order_knobs *knobs, char *text, size_t text_bytes,
			  struct nslab_err *err)
{
	bool is_slub = boot_is_slub(snapshot);
	size_t len = 0;

	*text = '\0';
	if (snapshot->kernel != NSLAB_ORDER_6_1 && knobs->min_order > knobs->max_order)
		return nslab_fail(err, -EINVAL,
				  "no command line of kernel %s gives a smallest order of %u above "
				  "a largest of %u",
				  nslab_order_kernel_word(snapshot->kernel), knobs->min_order,
				  knobs->max_order);
	len = boot_add(text, text_bytes, len, is_slub ? "slub_max_order" : "slab_max_order",
		       knobs->max_order, boot_usual.max_order);
	len = boot_add(text, text_bytes, len, is_slub ? "slub_min_order" : "slab_min_order",
		       knobs->min_order, boot_usual.min_order);
	len = boot_add(text, text_bytes, len, is_slub ? "slub_min_objects" : "slab_min_objects",
		       knobs->min_objects, boot_usual.min_objects);
	if (len >= text_bytes)
		return nslab_fail(err, -ENOSPC, "no room for the boot parameters");
	return 0;
}

/* The number after "NAME="; what stands at `word` has len bytes. */
static int boot_value(const char *word, int len, unsigned most, unsigned *value,
		      struct nslab_err *err)
{
	const char *digits = strchr(word, '=') + 1;
	char *end;
	unsigned long number = strtoul(digits, &end, 10);

	if (*digits < '0' || *digits > '9' || end != word + len || number > most)
		return nslab_fail(err, -EINVAL, "boot parameter '%.*s' takes 0..%u", len, word,
				  most);
	*value = (unsigned)number;
	return 0;
}

/* Length of "slub_" or "slab_" at word, when this kernel knows it; else 0. */
static size_t boot_prefix(enum nslab_order_kernel kernel, const char *word)
{
	if (!strncmp(word, "slub_", 5))
		return 5;
	return kernel != NSLAB_ORDER_6_1 && !strncmp(word, "slab_", 5) ? 5 : 0;
}

static int boot_word(enum nslab_order_kernel kernel, const char *word, int len,
		     struct nslab_order_knobs *knobs, struct nslab_err *err)
{
	size_t prefix = boot_prefix(kernel, word);
	const char *name = word + prefix;
	unsigned value = 0;
	int rc = 0;

	if (!prefix)
		return 0;
	if (!strncmp(name, "min_order=", 10)) {
		rc = boot_value(word, len, NSLAB_MAX_ORDER, &value, err);
		if (!rc)
			nslab_order_set_min(kernel, knobs, value);
	} else if (!strncmp(name, "max_order=", 10)) {
		rc = boot_value(word, len, NSLAB_MAX_ORDER, &value, err);
		if (!rc)
			nslab_order_set_max(kernel, knobs, value);
	} else if (!strncmp(name, "min_objects=", 12)) {
		rc = boot_value(word, len, NSLAB_ORDER_OBJECTS_MAX, &knobs->min_objects, err);
	}
	return rc;
}

int nslab_tuner_boot_parse(enum nslab_order_kernel kernel, const char *text,
			   struct nslab_order_knobs *knobs, struct nslab_err *err)
{
	static const char blanks[] = " \t\n";
	int rc = 0;

	*knobs = boot_usual;
	text += strspn(text, blanks);
	while (!rc && *text) {
		size_t len = strcspn(text, blanks);

		rc = boot_word(kernel, text, (int)len, knobs, err);
		text += len;
		text += strspn(text, blanks);
	}
	return rc;
}
