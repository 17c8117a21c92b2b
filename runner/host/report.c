/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.c: reads every probe of the table and asks its judge.
 *
 * A pattern of a probe stands for any number of files. All that can be read become the reading;
 * equal texts are told once with their number, so that a thousand CPUs with one governor are one
 * line. A probe of which no file could be read is UNKNOWN and says which file was missing or
 * refused. Control groups are looked up in /proc/self/cgroup of the same root and followed upwards,
 * since a limit of any group above holds too. Of the kernel's configuration its SHA-256 is kept and
 * the lines about slabs, the tick, preemption and nodes.
 */
#define _GNU_SOURCE
#include "runner/host/probes.h"

#include <errno.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define REPORT_DISTINCT_MAX 32	       /* different texts told of one probe */
#define REPORT_CONFIG_BYTES (4u << 20) /* of an unpacked configuration */

static const char *const report_words[NSLAB_HOST_NR_STATES] = {
	[NSLAB_HOST_OK] = "ok",		  [NSLAB_HOST_RECORD] = "record",
	[NSLAB_HOST_WARN] = "warn",	  [NSLAB_HOST_REFUSE] = "refuse",
	[NSLAB_HOST_UNKNOWN] = "unknown",
};

const char *nslab_host_state_word(enum nslab_host_state state)
{
	return report_words[state];
}

/* ---- reading ---- */

/* Keeps text (and owns it from here on) when it holds what the probe is after. */
static int reading_keep(struct nslab_host_reading *reading, const char *path, char *text)
{
	struct nslab_host_text *texts = reading->texts;

	if (reading->nr == reading->room) {
		reading->room = reading->room ? 2 * reading->room : 8;
		texts = realloc(texts, reading->room * sizeof(*texts));
		if (!texts) {
			free(text);
			return -ENOMEM;
		}
		reading->texts = texts;
	}
	texts[reading->nr].text = text;
	texts[reading->nr].path = strdup(path);
	return texts[reading->nr++].path ? 0 : -ENOMEM;
}

static void reading_free(struct nslab_host_reading *reading)
{
	for (size_t i = 0; i < reading->nr; i++) {
		free(reading->texts[i].path);
		free(reading->texts[i].text);
	}
	free(reading->texts);
}

/* Leaves the lines that hold key, with blanks squeezed; one that is equal to the last only once. */
static void keep_lines(char *text, const char *key)
{
	char *to = text, *last_kept = text, *start;

	for (char *line = text, *next; *line; line = next) {
		size_t len = strcspn(line, "\n");
		char last = line[len];

		next = line + len + (last == '\n');
		line[len] = '\0';
		if (!strstr(line, key))
			continue;
		start = to;
		for (const char *at = line; *at; at++) {
			if ((*at == ' ' || *at == '\t') && (at[1] == ' ' || at[1] == '\t'))
				continue;
			*to++ = *at == '\t' ? ' ' : *at;
		}
		*to++ = '\n';
		len = (size_t)(to - start);
		if (start != last_kept && !strncmp(last_kept, start, len))
			to = start;
		else
			last_kept = start;
	}
	*to = '\0';
}

static int reading_file(const struct nslab_host_root *root, const char *path,
			struct nslab_host_reading *reading)
{
	const char *key = reading->probe->key;
	char *text;
	int rc = nslab_host_read(root, path, &text, NULL);

	if (rc == -ENOMEM)
		return rc;
	if (rc) {
		snprintf(reading->reason, sizeof(reading->reason), "cannot read '%.180s': %s", path,
			 strerror(-rc));
		return 0;
	}
	if (key)
		keep_lines(text, key);
	nslab_host_trim(text);
	if (!key || *text)
		return reading_keep(reading, path, text);
	snprintf(reading->reason, sizeof(reading->reason), "no '%s' in '%.180s'", key, path);
	free(text);
	return 0;
}

static int reading_pattern(const struct nslab_host_root *root, const char *pattern,
			   struct nslab_host_reading *reading)
{
	struct nslab_host_paths paths;
	int rc = nslab_host_match(root, pattern, &paths);

	if (!rc && !paths.nr && !reading->reason[0])
		snprintf(reading->reason, sizeof(reading->reason), "no file '%s'", pattern);
	for (size_t i = 0; !rc && i < paths.nr; i++)
		rc = reading_file(root, paths.paths[i], reading);
	nslab_host_paths_free(&paths);
	return rc;
}

/* ---- control groups ---- */

/* The group behind ":CONTROLLER,...:" of /proc/self/cgroup ("" is version 2); "" is the topmost. */
static void group_find(char *table, const char *controller, char *group, size_t group_bytes)
{
	char *save = NULL;

	*group = '\0';
	for (char *line = strtok_r(table, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(line, ':');
		char *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		for (char *at = ++names; *at; at++)
			*at = *at == ',' ? '|' : *at;
		if (*controller ? !nslab_host_is_one_of(controller, names) : *names)
			continue;
		if (!strstr(path, "..") && strlen(path) < group_bytes)
			snprintf(group, group_bytes, "%s", strcmp(path, "/") ? path : "");
	}
}

/* "@CONTROLLER/FILE": the file of the own group, then of each group above. No patterns: systemd
 * puts backslashes into the names of groups. */
static int reading_groups(const struct nslab_host_root *root, const char *pattern,
			  struct nslab_host_reading *reading)
{
	const char *file = strchr(pattern, '/');
	char controller[32], group[2048], path[2304], *table;
	int rc = nslab_host_read(root, "/proc/self/cgroup", &table, NULL);

	if (rc == -ENOMEM)
		return rc;
	if (rc) {
		snprintf(reading->reason, sizeof(reading->reason),
			 "cannot read '/proc/self/cgroup': %s", strerror(-rc));
		return 0;
	}
	snprintf(controller, sizeof(controller), "%.*s", (int)(file - pattern - 1), pattern + 1);
	group_find(table, controller, group, sizeof(group));
	free(table);
	for (char *end = group; !rc && end;) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s%s%s%s", *controller ? "/" : "",
			 controller, group, file);
		rc = reading_file(root, path, reading);
		end = strrchr(group, '/');
		if (end)
			*end = '\0';
	}
	return rc;
}

/* ---- the kernel's configuration ---- */

/* Unpacks gzip; NULL when it is none or too long. */
static char *config_unpack(char *packed, size_t bytes)
{
	z_stream stream = {.next_in = (Bytef *)packed, .avail_in = (uInt)bytes};
	char *text = malloc(REPORT_CONFIG_BYTES);
	int rc = Z_STREAM_ERROR;

	if (text && inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK) {
		stream.next_out = (Bytef *)text;
		stream.avail_out = REPORT_CONFIG_BYTES - 1;
		rc = inflate(&stream, Z_FINISH);
		text[stream.total_out] = '\0';
		inflateEnd(&stream);
	}
	if (rc == Z_STREAM_END)
		return text;
	free(text);
	return NULL;
}

static bool config_is_wanted(const char *line)
{
	static const char *const starts[] = {"CONFIG_SLUB",    "CONFIG_SLAB",	   "CONFIG_SLOB",
					     "CONFIG_HZ",      "CONFIG_PREEMPT",   "CONFIG_NUMA",
					     "CONFIG_NR_CPUS", "CONFIG_SCHED_INFO"};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (!strncmp(line, starts[i], strlen(starts[i])))
			return true;
	}
	return false;
}

static char *config_digest(char *config)
{
	char hex[SHA256_DIGEST_STRING_LENGTH], *text = NULL, *save = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	fprintf(out, "sha256=%s", SHA256Data((const uint8_t *)config, strlen(config), hex));
	for (char *line = strtok_r(config, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (config_is_wanted(line))
			fprintf(out, "\n%s", line);
	}
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

static int config_take(struct nslab_host_reading *reading, const char *path, char *text,
		       size_t bytes)
{
	char *plain = text, *digest;
	int rc;

	if (bytes > 2 && !memcmp(text, "\x1f\x8b", 2)) {
		plain = config_unpack(text, bytes);
		free(text);
	}
	if (!plain) {
		snprintf(reading->reason, sizeof(reading->reason), "'%.180s' is damaged", path);
		return 0;
	}
	digest = config_digest(plain);
	rc = digest ? reading_keep(reading, path, digest) : -ENOMEM;
	free(plain);
	return rc;
}

static int reading_config(const struct nslab_host_root *root, struct nslab_host_reading *reading)
{
	char path[320] = "/proc/config.gz", release[256], *text;
	size_t bytes;
	int rc = nslab_host_read(root, path, &text, &bytes);

	if (rc) {
		nslab_host_read_word(root, "/proc/sys/kernel/osrelease", release, sizeof(release));
		snprintf(path, sizeof(path), "/boot/config-%s", release);
		rc = nslab_host_read(root, path, &text, &bytes);
	}
	if (!rc)
		return config_take(reading, path, text, bytes);
	snprintf(reading->reason, sizeof(reading->reason), "cannot read '%.180s': %s", path,
		 strerror(-rc));
	return rc == -ENOMEM ? rc : 0;
}

/* ---- values ---- */

static const char *text_name(const struct nslab_host_reading *reading, size_t i)
{
	const char *slash = strrchr(reading->texts[i].path, '/');

	return reading->probe->is_named && slash ? slash + 1 : "";
}

/* Is text i told already, under the same name? Compared with its forerunners. */
static bool is_told(const struct nslab_host_reading *reading, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (!strcmp(reading->texts[k].text, reading->texts[i].text) &&
		    !strcmp(text_name(reading, k), text_name(reading, i)))
			return true;
	}
	return false;
}

static void value_put(FILE *out, const struct nslab_host_reading *reading, size_t i)
{
	const char *name = text_name(reading, i);
	size_t nr = 0;

	for (size_t k = i; k < reading->nr; k++) {
		nr += !strcmp(reading->texts[k].text, reading->texts[i].text) &&
		      !strcmp(text_name(reading, k), name);
	}
	fprintf(out, "%s%s%s", name, *name ? "=" : "",
		*reading->texts[i].text ? reading->texts[i].text : "(empty)");
	if (nr > 1)
		fprintf(out, " (%zu files)", nr);
}

static char *reading_value(const struct nslab_host_reading *reading)
{
	char *value = NULL;
	size_t bytes, nr_told = 0, nr_left = 0;
	FILE *out = open_memstream(&value, &bytes);

	if (!out)
		return NULL;
	for (size_t i = 0; i < reading->nr; i++) {
		if (nr_told >= REPORT_DISTINCT_MAX) {
			nr_left++;
			continue;
		}
		if (is_told(reading, i))
			continue;
		fputs(nr_told++ ? "; " : "", out);
		value_put(out, reading, i);
	}
	if (nr_left)
		fprintf(out, "; %zu more files", nr_left);
	if (!fclose(out))
		return value;
	free(value);
	return NULL;
}

/* The last number of a line; false when it ends in none. */
static bool line_count(const char *line, size_t len, uint64_t *count)
{
	size_t start = len;

	while (start && line[start - 1] >= '0' && line[start - 1] <= '9')
		start--;
	*count = strtoull(line + start, NULL, 10);
	return start < len;
}

static void finding_count(const struct nslab_host_reading *reading,
			  struct nslab_host_finding *finding)
{
	const char *word = reading->probe->count;
	uint64_t count;

	for (size_t i = 0; word && i < reading->nr; i++) {
		const char *at = reading->texts[i].text;

		while (*at) {
			size_t len = strcspn(at, "\n");

			if (!strncmp(at, word, strlen(word)) && line_count(at, len, &count)) {
				finding->count += count;
				finding->has_count = true;
			}
			at += len + (at[len] == '\n');
		}
	}
}

/* ---- reports ---- */

static int reading_fill(const struct nslab_host_root *root, struct nslab_host_reading *reading)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < NSLAB_HOST_NR_PATTERNS; i++) {
		const char *pattern = reading->probe->patterns[i];

		if (!pattern)
			break;
		if (!strcmp(pattern, "@config"))
			rc = reading_config(root, reading);
		else if (*pattern == '@')
			rc = reading_groups(root, pattern, reading);
		else
			rc = reading_pattern(root, pattern, reading);
	}
	return rc;
}

static int finding_make(const struct nslab_host_root *root, const struct nslab_host_probe *probe,
			struct nslab_host_finding *finding)
{
	struct nslab_host_reading reading = {.probe = probe};
	int rc = reading_fill(root, &reading);

	finding->probe = probe;
	finding->state = NSLAB_HOST_UNKNOWN;
	if (!rc && !reading.nr) {
		memcpy(finding->why, reading.reason, sizeof(finding->why));
	} else if (!rc) {
		snprintf(finding->why, sizeof(finding->why), "%s", probe->why ? probe->why : "");
		finding->state =
			probe->judge ? probe->judge(&reading, finding->why, sizeof(finding->why))
				     : NSLAB_HOST_RECORD;
		finding->value = reading_value(&reading);
		finding_count(&reading, finding);
		rc = finding->value ? 0 : -ENOMEM;
	}
	if (finding->state <= NSLAB_HOST_RECORD)
		finding->why[0] = '\0';
	else if (finding->state == NSLAB_HOST_UNKNOWN && reading.nr)
		snprintf(finding->why, sizeof(finding->why), "the text was not understood");
	reading_free(&reading);
	return rc;
}

int nslab_host_report_read(const struct nslab_host_root *root, struct nslab_host_report *report)
{
	int rc = 0;

	report->nr = nslab_host_nr_probes;
	report->findings = calloc(report->nr, sizeof(*report->findings));
	if (!report->findings) {
		report->nr = 0;
		return -ENOMEM;
	}
	for (size_t i = 0; !rc && i < report->nr; i++)
		rc = finding_make(root, &nslab_host_probes[i], &report->findings[i]);
	return rc;
}

void nslab_host_report_free(struct nslab_host_report *report)
{
	for (size_t i = 0; i < report->nr; i++)
		free(report->findings[i].value);
	free(report->findings);
	*report = (struct nslab_host_report){0};
}

size_t nslab_host_report_count(const struct nslab_host_report *report, enum nslab_host_state state)
{
	size_t nr = 0;

	for (size_t i = 0; i < report->nr; i++)
		nr += report->findings[i].state == state;
	return nr;
}

/* What a kernel or a copied tree says need not be UTF-8; JSON must be. */
static json_t *json_text(const char *text)
{
	json_t *json = json_string(text);
	char *ascii;

	if (json || !text)
		return json ? json : json_null();
	ascii = strdup(text);
	for (char *at = ascii; at && *at; at++)
		*at = *at & 0x80 ? '?' : *at;
	json = ascii ? json_string(ascii) : NULL;
	free(ascii);
	return json;
}

json_t *nslab_host_report_json(const struct nslab_host_report *report)
{
	json_t *json = json_object();
	int rc = json ? 0 : -1;

	for (size_t i = 0; !rc && i < report->nr; i++) {
		const struct nslab_host_finding *f = &report->findings[i];
		json_t *row = json_pack(
			"{s:s, s:o, s:o*}", "state", nslab_host_state_word(f->state), "value",
			json_text(f->value), "why", *f->why ? json_text(f->why) : NULL);

		if (row && f->has_count)
			json_object_set_new(row, "count", json_integer((json_int_t)f->count));
		rc = json_object_set_new(json, f->probe->name, row);
	}
	if (!rc)
		return json;
	json_decref(json);
	return NULL;
}

json_t *nslab_host_changes_json(const json_t *before, const json_t *after)
{
	json_t *changes = json_array();

	for (size_t i = 0; changes && i < nslab_host_nr_probes; i++) {
		const struct nslab_host_probe *probe = &nslab_host_probes[i];
		char why[256];

		if (probe->changed &&
		    probe->changed(probe, json_object_get(before, probe->name),
				   json_object_get(after, probe->name), why, sizeof(why)))
			json_array_append_new(changes, json_pack("{s:s, s:o}", "probe", probe->name,
								 "why", json_text(why)));
	}
	return changes;
}
