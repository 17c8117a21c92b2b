/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text.c: texts that are freed together, and numbers as tables print them.
 *
 * A list of cells has many small strings that die with it, so they are kept in blocks and freed in
 * one go. Numbers get as many digits as carry information and never more than the column is wide:
 * digits are given up before alignment is. Absent numbers are '-', never 0. Left out: locales,
 * colour and anything wider than ASCII, since the tables are made to be pasted into a mail.
 */
#include "results/text.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_BLOCK_BYTES 8160

struct texts_block {
	struct texts_block *next;
	size_t used, room;
	char bytes[];
};

struct nslab_texts {
	struct texts_block *blocks; /* the newest first; only it has room */
};

struct nslab_texts *nslab_texts_create(void)
{
	return calloc(1, sizeof(struct nslab_texts));
}

void nslab_texts_free(struct nslab_texts *texts)
{
	struct texts_block *next;

	if (!texts)
		return;
	for (struct texts_block *block = texts->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	free(texts);
}

const char *nslab_texts_keep(struct nslab_texts *texts, const char *text, size_t len)
{
	struct texts_block *block = texts->blocks;
	char *copy;

	if (!block || block->room - block->used <= len) {
		size_t room = len < TEXTS_BLOCK_BYTES ? TEXTS_BLOCK_BYTES : len + 1;

		if (len >= SIZE_MAX / 2)
			return NULL;
		block = malloc(sizeof(*block) + room);
		if (!block)
			return NULL;
		block->used = 0;
		block->room = room;
		block->next = texts->blocks;
		texts->blocks = block;
	}
	copy = block->bytes + block->used;
	memcpy(copy, text, len);
	copy[len] = '\0';
	block->used += len + 1;
	return copy;
}

static struct nslab_cell_text text_absent(void)
{
	return (struct nslab_cell_text){"-"};
}

struct nslab_cell_text nslab_text_ns(double ns)
{
	struct nslab_cell_text t;

	if (!isfinite(ns))
		return text_absent();
	if (fabs(ns) < 9999.995)
		snprintf(t.text, sizeof(t.text), "%.2f", ns);
	else if (fabs(ns) < 9999999.5)
		snprintf(t.text, sizeof(t.text), "%.0f", ns);
	else
		snprintf(t.text, sizeof(t.text), "%.2e", ns);
	return t;
}

struct nslab_cell_text nslab_text_mib(double bytes)
{
	struct nslab_cell_text t;
	double mib = bytes / (1024.0 * 1024.0);

	if (!isfinite(bytes))
		return text_absent();
	if (mib < 99.995)
		snprintf(t.text, sizeof(t.text), "%.2f", mib);
	else if (mib < 999999.5)
		snprintf(t.text, sizeof(t.text), "%.0f", mib);
	else
		snprintf(t.text, sizeof(t.text), "%.0e", mib);
	return t;
}

struct nslab_cell_text nslab_text_ratio(double ratio)
{
	struct nslab_cell_text t;

	if (!isfinite(ratio))
		return text_absent();
	if (ratio < 9.9995)
		snprintf(t.text, sizeof(t.text), "%.3f", ratio);
	else if (ratio < 99.995)
		snprintf(t.text, sizeof(t.text), "%.2f", ratio);
	else if (ratio < 99999.5)
		snprintf(t.text, sizeof(t.text), "%.0f", ratio);
	else
		snprintf(t.text, sizeof(t.text), "%.0e", ratio);
	return t;
}

struct nslab_cell_text nslab_text_percent(double fraction, int is_signed)
{
	struct nslab_cell_text t;
	double percent = 100.0 * fraction;
	const char *sign = is_signed && percent >= 0.0 ? "+" : "";

	if (!isfinite(fraction))
		return text_absent();
	if (fabs(percent) < 99.95)
		snprintf(t.text, sizeof(t.text), "%s%.1f%%", sign, percent);
	else if (fabs(percent) < 9999.5)
		snprintf(t.text, sizeof(t.text), "%s%.0f%%", sign, percent);
	else
		snprintf(t.text, sizeof(t.text), "%s%.0e%%", sign, percent);
	return t;
}

struct nslab_cell_text nslab_text_interval(double lo, double hi)
{
	struct nslab_cell_text t;

	if (!isfinite(lo) || !isfinite(hi))
		return text_absent();
	snprintf(t.text, sizeof(t.text), "[%.8s, %.8s]", nslab_text_ratio(lo).text,
		 nslab_text_ratio(hi).text);
	return t;
}

struct nslab_cell_text nslab_text_change(double lo, double hi)
{
	struct nslab_cell_text t;

	if (!isfinite(lo) || !isfinite(hi))
		return text_absent();
	snprintf(t.text, sizeof(t.text), "[%.8s, %.8s]", nslab_text_percent(lo, 1).text,
		 nslab_text_percent(hi, 1).text);
	return t;
}

static void text_print(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fputc(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?', out);
}

void nslab_text_put(FILE *out, const char *text, int width)
{
	size_t len = strlen(text);

	text_print(out, text, len);
	if (len < (size_t)width)
		fprintf(out, "%*s", width - (int)len, "");
}

/* Bytes of text that fit into room, ending at a word when one ends in it. */
static size_t text_take(const char *text, size_t room)
{
	size_t len = strlen(text), at;

	if (len <= room)
		return len;
	for (at = room; at > 0 && text[at] != ' '; at--)
		;
	return at ? at : room;
}

void nslab_text_fold(FILE *out, const char *label, const char *text, int indent, int columns)
{
	size_t room = columns > indent + 10 ? (size_t)(columns - indent) : 10;
	size_t len;

	nslab_text_put(out, label, indent);
	if (strlen(label) >= (size_t)indent && *label)
		fprintf(out, "\n%*s", indent, "");
	for (;;) {
		len = text_take(text, room);
		text_print(out, text, len);
		fputc('\n', out);
		text += len;
		text += strspn(text, " ");
		if (!*text)
			return;
		fprintf(out, "%*s", indent, "");
	}
}
