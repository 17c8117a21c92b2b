/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpu_id.c: vendor, family and model of the first CPU in /proc/cpuinfo.
 *
 * That file is used rather than the instructions that tell the same, because a text can be given to
 * a test and because it reads alike on x86 (vendor_id, cpu family, model) and on ARM (implementer,
 * part). Lines are "key, blanks, colon, value"; the first of each key holds. Machines that mix
 * kinds of cores are named after the first one.
 *
 * Invariant: whatever the text is, the result is terminated and its numbers are -1 or what was
 * read. Left out: steppings, which no group of events depends on.
 */
#include "runner/counters/cpu_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of the first line with this key, or NULL. */
static const char *cpu_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *at;

		line += *line == '\n';
		at = line + len;
		if (strncmp(line, key, len) != 0)
			continue;
		at += strspn(at, " \t");
		if (*at == ':')
			return at + 1 + strspn(at + 1, " \t");
	}
	return NULL;
}

static int cpu_number(const char *text, const char *key)
{
	const char *value = cpu_value(text, key);
	char *end;
	long number = value ? strtol(value, &end, 0) : -1;

	return value && end != value && number >= 0 && number < 1 << 24 ? (int)number : -1;
}

static void cpu_word(const char *text, const char *key, char *word, size_t bytes)
{
	const char *value = cpu_value(text, key);

	snprintf(word, bytes, "%.*s", value ? (int)strcspn(value, " \t\n") : 0, value ? value : "");
}

void nslab_cpu_id_parse(const char *cpuinfo, struct nslab_cpu_id *id)
{
	cpu_word(cpuinfo, "vendor_id", id->vendor, sizeof(id->vendor));
	id->family = cpu_number(cpuinfo, "cpu family");
	id->model = cpu_number(cpuinfo, "model");
	if (id->vendor[0])
		return;
	cpu_word(cpuinfo, "CPU implementer", id->vendor, sizeof(id->vendor));
	id->family = cpu_number(cpuinfo, "CPU part");
	id->model = id->family < 0 ? -1 : 0;
}

void nslab_cpu_id_read(struct nslab_cpu_id *id)
{
	char text[8192] = ""; /* the first CPU is enough, and the file is long on a large machine */
	FILE *file = fopen("/proc/cpuinfo", "re");

	if (file) {
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
	}
	nslab_cpu_id_parse(text, id);
}

void nslab_cpu_id_text(const struct nslab_cpu_id *id, char *text, size_t bytes)
{
	if (!id->vendor[0])
		snprintf(text, bytes, "an unknown CPU");
	else if (!strncmp(id->vendor, "0x", 2))
		snprintf(text, bytes, "implementer %s part 0x%x", id->vendor, (unsigned)id->family);
	else
		snprintf(text, bytes, "%s family %d model %d", id->vendor, id->family, id->model);
}
