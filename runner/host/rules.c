/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rules.c: judges of what probes have read.
 *
 * A judge sees all files of its probe and answers for the worst of them. It is only asked when
 * something was read, so "unknown" here means that the text was not understood. Judges are pure:
 * no file, no clock. Thresholds are those at which trials of a busy guest became slow: 5 % pressure
 * of the CPU, 1 % stolen time, device interrupts at twice the rate of the timer.
 *
 * What a judge holds against a host since its boot may be long over, so counts are held against a
 * run by what they grew meanwhile, and a setting by being another at the end.
 */
#define _GNU_SOURCE
#include "runner/host/rules.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_PRESSURE_PERCENT 5.0
#define RULES_STEAL_PERCENT    1.0
#define RULES_PARANOID_MOST    2
#define RULES_PUS_MAX	       8192
#define RULES_INTERRUPTS_LEAST 1000 /* during a run */

bool nslab_host_is_one_of(const char *word, const char *words)
{
	size_t len = strlen(word);

	for (const char *at = words; *at; at += strcspn(at, "|"), at += *at == '|') {
		if (strcspn(at, "|") == len && !strncmp(at, word, len))
			return true;
	}
	return false;
}

void nslab_host_choice(const char *text, char *word, size_t word_bytes)
{
	const char *open = strchr(text, '[');
	const char *close = open ? strchr(open, ']') : NULL;

	if (close)
		snprintf(word, word_bytes, "%.*s", (int)(close - open - 1), open + 1);
	else
		snprintf(word, word_bytes, "%s", text);
}

static bool ends_in(const char *path, const char *end)
{
	size_t len = strlen(path), end_len = strlen(end);

	return len >= end_len && !strcmp(path + len - end_len, end);
}

enum nslab_host_state nslab_host_judge_accept(const struct nslab_host_reading *reading, char *why,
					      size_t why_bytes)
{
	char word[64];

	(void)why;
	(void)why_bytes;
	for (size_t i = 0; i < reading->nr; i++) {
		nslab_host_choice(reading->texts[i].text, word, sizeof(word));
		if (!nslab_host_is_one_of(word, reading->probe->accept))
			return reading->probe->otherwise;
	}
	return NSLAB_HOST_OK;
}

/* The number that ends the line at *at; moves behind the line. False at the end of the text. */
static bool next_last_number(const char **at, long long *value)
{
	size_t len = strcspn(*at, "\n");
	size_t start = len;

	if (!**at)
		return false;
	while (start && isdigit((unsigned char)(*at)[start - 1]))
		start--;
	*value = start < len ? strtoll(*at + start, NULL, 10) : -1;
	*at += len + ((*at)[len] == '\n');
	return true;
}

enum nslab_host_state nslab_host_judge_zero(const struct nslab_host_reading *reading, char *why,
					    size_t why_bytes)
{
	long long sum = 0, value;

	for (size_t i = 0; i < reading->nr; i++) {
		const char *at = reading->texts[i].text;

		while (next_last_number(&at, &value)) {
			if (value < 0)
				return NSLAB_HOST_UNKNOWN;
			sum += value;
		}
	}
	if (!sum)
		return NSLAB_HOST_OK;
	snprintf(why, why_bytes, "%s (%lld in all)", reading->probe->why, sum);
	return reading->probe->otherwise;
}

enum nslab_host_state nslab_host_judge_turbo(const struct nslab_host_reading *reading, char *why,
					     size_t why_bytes)
{
	(void)why;
	(void)why_bytes;
	for (size_t i = 0; i < reading->nr; i++) {
		const struct nslab_host_text *text = &reading->texts[i];
		const char *off = ends_in(text->path, "/no_turbo") ? "1" : "0";

		if (strcmp(text->text, off))
			return NSLAB_HOST_WARN;
	}
	return NSLAB_HOST_OK;
}

enum nslab_host_state nslab_host_judge_smt(const struct nslab_host_reading *reading, char *why,
					   size_t why_bytes)
{
	(void)why;
	(void)why_bytes;
	for (size_t i = 0; i < reading->nr; i++) {
		const struct nslab_host_text *text = &reading->texts[i];

		if (ends_in(text->path, "/active") ? strcmp(text->text, "0") != 0
						   : strpbrk(text->text, ",-") != NULL)
			return NSLAB_HOST_WARN;
	}
	return NSLAB_HOST_OK;
}

enum nslab_host_state nslab_host_judge_quota(const struct nslab_host_reading *reading, char *why,
					     size_t why_bytes)
{
	for (size_t i = 0; i < reading->nr; i++) {
		const char *text = reading->texts[i].text;

		if (!strncmp(text, "max", 3) || !strcmp(text, "-1"))
			continue;
		snprintf(why, why_bytes, "'%.150s' limits this process to '%.32s'",
			 reading->texts[i].path, text);
		return NSLAB_HOST_WARN;
	}
	return NSLAB_HOST_OK;
}

enum nslab_host_state nslab_host_judge_pressure(const struct nslab_host_reading *reading, char *why,
						size_t why_bytes)
{
	static const char key[] = "some avg10=";
	const char *at = strstr(reading->texts[0].text, key);
	double percent = at ? strtod(at + strlen(key), NULL) : -1.0;

	if (percent < 0.0)
		return NSLAB_HOST_UNKNOWN;
	if (percent < RULES_PRESSURE_PERCENT)
		return NSLAB_HOST_OK;
	snprintf(why, why_bytes, "%s: %.1f %% of the last 10 s", reading->probe->why, percent);
	return NSLAB_HOST_WARN;
}

/* "cpu  user nice system idle iowait irq softirq steal ...", in ticks of all PUs. */
enum nslab_host_state nslab_host_judge_steal(const struct nslab_host_reading *reading, char *why,
					     size_t why_bytes)
{
	const char *text = reading->texts[0].text;
	double all = 0.0, steal = 0.0, percent;
	char *at;

	if (strncmp(text, "cpu ", 4))
		return NSLAB_HOST_UNKNOWN;
	text += 4;
	for (int field = 1; field <= 8; field++, text = at) {
		steal = (double)strtoull(text, &at, 10);
		if (at == text)
			return NSLAB_HOST_UNKNOWN;
		all += steal;
	}
	percent = all > 0.0 ? 100.0 * steal / all : 0.0;
	if (percent < RULES_STEAL_PERCENT)
		return NSLAB_HOST_OK;
	snprintf(why, why_bytes, "%s: %.1f %% of all CPU time since boot", reading->probe->why,
		 percent);
	return NSLAB_HOST_WARN;
}

/* Adds a line's counts, one for each PU, to sums; gives how many there were. */
static size_t add_counts(const char *at, uint64_t *sums)
{
	size_t nr = 0;

	for (; nr < RULES_PUS_MAX; nr++) {
		char *end;
		uint64_t count;

		at += strspn(at, " ");
		if (!isdigit((unsigned char)*at))
			break;
		count = strtoull(at, &end, 10);
		if (*end && !isspace((unsigned char)*end))
			break; /* "2-edge": the words behind the counts begin */
		sums[nr] += count;
		at = end;
	}
	return nr;
}

struct interrupts {
	size_t nr_pus;
	bool has_timer;
	uint64_t timer[RULES_PUS_MAX], devices[RULES_PUS_MAX];
};

/* Numbered lines are devices, unless a timer stands behind them; LOC is the timer of x86. */
static void interrupts_add(struct interrupts *sums, const char *line, size_t len)
{
	char copy[4096 + 64];
	char *colon;
	bool is_timer;
	size_t nr;

	snprintf(copy, sizeof(copy), "%.*s", (int)(len < 4096 ? len : 4096), line);
	colon = strchr(copy, ':');
	if (!colon)
		return;
	is_timer = strstr(copy, "LOC:") || strstr(copy, "timer");
	if (!is_timer && !isdigit((unsigned char)copy[strspn(copy, " ")]))
		return;
	nr = add_counts(colon + 1, is_timer ? sums->timer : sums->devices);
	sums->nr_pus = nr > sums->nr_pus ? nr : sums->nr_pus;
	sums->has_timer |= is_timer;
}

static enum nslab_host_state interrupts_judge(const struct interrupts *sums, const char *words,
					      char *why, size_t why_bytes)
{
	if (!sums->has_timer || !sums->nr_pus)
		return NSLAB_HOST_UNKNOWN;
	for (size_t i = 0; i < sums->nr_pus; i++) {
		if (sums->devices[i] <= 2 * sums->timer[i])
			continue;
		snprintf(why, why_bytes, "%s: %" PRIu64 " on column %zu, the timer %" PRIu64, words,
			 sums->devices[i], i, sums->timer[i]);
		return NSLAB_HOST_WARN;
	}
	return NSLAB_HOST_OK;
}

/* NULL when memory is out. */
static struct interrupts *interrupts_read(const char *at)
{
	struct interrupts *sums = calloc(1, sizeof(*sums));

	while (sums && *at) {
		size_t len = strcspn(at, "\n");

		interrupts_add(sums, at, len);
		at += len + (at[len] == '\n');
	}
	return sums;
}

enum nslab_host_state nslab_host_judge_interrupts(const struct nslab_host_reading *reading,
						  char *why, size_t why_bytes)
{
	struct interrupts *sums = interrupts_read(reading->texts[0].text);
	enum nslab_host_state state;

	if (!sums)
		return NSLAB_HOST_UNKNOWN;
	state = interrupts_judge(sums, reading->probe->why, why, why_bytes);
	free(sums);
	return state;
}

/* Of after what came since before; what went down (a CPU left and came) starts anew. */
static void interrupts_since(struct interrupts *after, const struct interrupts *before)
{
	for (size_t i = 0; i < after->nr_pus; i++) {
		if (after->devices[i] < before->devices[i] || after->timer[i] < before->timer[i])
			continue;
		after->devices[i] -= before->devices[i];
		after->timer[i] -= before->timer[i];
		/* a few on an idle PU, whose timer is off, disturb nobody */
		if (after->devices[i] < RULES_INTERRUPTS_LEAST)
			after->devices[i] = 0;
	}
}

bool nslab_host_was_interrupted(const struct nslab_host_probe *probe, const json_t *before,
				const json_t *after, char *why, size_t why_bytes)
{
	const char *was = json_string_value(json_object_get(before, "value"));
	const char *is = json_string_value(json_object_get(after, "value"));
	struct interrupts *old = was ? interrupts_read(was) : NULL;
	struct interrupts *new = is ? interrupts_read(is) : NULL;
	bool is_wrong = false;

	if (old && new) {
		interrupts_since(new, old);
		is_wrong = interrupts_judge(new, probe->why, why, why_bytes) == NSLAB_HOST_WARN;
	}
	free(old);
	free(new);
	return is_wrong;
}

enum nslab_host_state nslab_host_judge_clock(const struct nslab_host_reading *reading, char *why,
					     size_t why_bytes)
{
	const char *clock = reading->texts[0].text;

	if (nslab_host_is_one_of(clock, reading->probe->accept))
		return NSLAB_HOST_OK;
	if (nslab_host_is_one_of(clock, "hpet|acpi_pm|jiffies|pit|refined-jiffies"))
		return NSLAB_HOST_REFUSE;
	snprintf(why, why_bytes, "'%.64s' is no counter of the CPU: a read may cost more", clock);
	return NSLAB_HOST_WARN;
}

enum nslab_host_state nslab_host_judge_perf(const struct nslab_host_reading *reading, char *why,
					    size_t why_bytes)
{
	char *end;
	long level = strtol(reading->texts[0].text, &end, 10);

	(void)why;
	(void)why_bytes;
	if (end == reading->texts[0].text || *end)
		return NSLAB_HOST_UNKNOWN;
	return level <= RULES_PARANOID_MOST ? NSLAB_HOST_OK : NSLAB_HOST_WARN;
}

/* ---- between the start of a run and its end ---- */

bool nslab_host_has_grown(const struct nslab_host_probe *probe, const json_t *before,
			  const json_t *after, char *why, size_t why_bytes)
{
	const json_t *was = json_object_get(before, "count");
	const json_t *is = json_object_get(after, "count");
	json_int_t grown = json_integer_value(is) - json_integer_value(was);

	if (!was || !is || grown <= 0)
		return false;
	snprintf(why, why_bytes, "%s: %lld", probe->grown, (long long)grown);
	return true;
}

bool nslab_host_is_other(const struct nslab_host_probe *probe, const json_t *before,
			 const json_t *after, char *why, size_t why_bytes)
{
	const char *was = json_string_value(json_object_get(before, "value"));
	const char *is = json_string_value(json_object_get(after, "value"));

	(void)probe;
	if (!was || !is || !strcmp(was, is))
		return false;
	snprintf(why, why_bytes, "it was '%.80s' and is '%.80s'", was, is);
	return true;
}
