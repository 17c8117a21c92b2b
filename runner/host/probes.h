/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probes.h: what of a host moves benchmark figures: where it is read, what is wanted, how to get
 * it.
 *
 * A probe is a row of one table. What cannot be read is UNKNOWN with a reason, never OK.
 */
#ifndef NSLAB_HOST_PROBES_H
#define NSLAB_HOST_PROBES_H

#include "runner/host/files.h"

#include <jansson.h>
#include <stdint.h>

enum nslab_host_state {
	NSLAB_HOST_OK,
	NSLAB_HOST_RECORD, /* there is no better value: kept so that runs can be told apart */
	NSLAB_HOST_WARN,
	NSLAB_HOST_REFUSE, /* figures taken so mean nothing */
	NSLAB_HOST_UNKNOWN,
	NSLAB_HOST_NR_STATES
};

struct nslab_host_probe;

struct nslab_host_text {
	char *path;
	char *text; /* without white space at its end; with a key only the lines that hold it */
};

/* All files of a probe that could be read. */
struct nslab_host_reading {
	const struct nslab_host_probe *probe;
	size_t nr, room;
	struct nslab_host_text *texts;
	char reason[256]; /* why nothing was read */
};

#define NSLAB_HOST_NR_PATTERNS 4

struct nslab_host_probe {
	const char *name;
	/* "@cpu/NAME": NAME of this process's control group and of all above it (v1 controller
	 * cpu); "@/NAME": the same in version 2; "@config": of the running kernel. */
	const char *patterns[NSLAB_HOST_NR_PATTERNS];
	const char *key; /* NULL, or only lines that hold this word */
	/* NULL: RECORD. Says in `why` what it saw, when that is more than the probe's own words. */
	enum nslab_host_state (*judge)(const struct nslab_host_reading *reading, char *why,
				       size_t why_bytes);
	const char *accept; /* words that are fine, "performance|schedutil" */
	enum nslab_host_state otherwise;
	/* The last numbers of the lines that begin so, summed, count up; "": of every line. */
	const char *count;
	/* NULL: a change tells nothing. Says in `why` what of a run it spoils; the values are rows
	 * of nslab_host_report_json(). */
	bool (*changed)(const struct nslab_host_probe *probe, const json_t *before,
			const json_t *after, char *why, size_t why_bytes);
	const char *grown; /* of a count that went up */
	bool is_named;	   /* the value tells each file's name */
	bool is_long;	   /* kept whole, shown as a number of lines */
	const char *why;   /* of what is not fine */
	const char *fix;
};

extern const struct nslab_host_probe nslab_host_probes[];
extern const size_t nslab_host_nr_probes;

struct nslab_host_finding {
	const struct nslab_host_probe *probe;
	enum nslab_host_state state;
	char *value; /* NULL when unknown */
	bool has_count;
	uint64_t count; /* of a probe that counts */
	char why[256];
};

struct nslab_host_report {
	size_t nr;
	struct nslab_host_finding *findings; /* [nr], in the order of the table */
};

const char *nslab_host_state_word(enum nslab_host_state state);
/* 0 or -ENOMEM; free it in any case. */
int nslab_host_report_read(const struct nslab_host_root *root, struct nslab_host_report *report);
void nslab_host_report_free(struct nslab_host_report *report);
size_t nslab_host_report_count(const struct nslab_host_report *report, enum nslab_host_state state);
/* {name: {"state", "value", "why", "count"}}; value is null when unknown, count only there for a
 * probe that counts. NULL when memory is out. */
json_t *nslab_host_report_json(const struct nslab_host_report *report);
/* [{"probe", "why"}]: what two such reports, of before and after a run, say against it. NULL when
 * memory is out. */
json_t *nslab_host_changes_json(const json_t *before, const json_t *after);

/* The word in brackets of "always [madvise] never", else the whole text. Writes into word. */
void nslab_host_choice(const char *text, char *word, size_t word_bytes);
/* Is word one of "a|b|c"? */
bool nslab_host_is_one_of(const char *word, const char *words);

#endif
