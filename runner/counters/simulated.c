/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * simulated.c: what caches of this machine's sizes would miss, by callgrind.
 *
 * The trial's own process is started a second time behind valgrind, at fixed addresses where that
 * is allowed, with a clock that counts chunks of operations: warm-up and windows then are the same
 * work each time, whatever the host does. Callgrind simulates from the start of the warm-up and
 * collects only between the two toggles around the windows. Its totals come back in a memory file
 * and are divided by the operations of the windows.
 *
 * What the numbers are: one core, two levels, threads one after the other, no prefetcher, no node,
 * no line that moves between cores. Cells with more than one worker depend on valgrind's scheduler.
 * A set count that is no power of two is rounded down, and the sizes used are in the result.
 *
 * Left out: the TLB, which callgrind does not know, and branch prediction.
 */
#define _GNU_SOURCE
#include "runner/counters/simulated.h"

#include "runner/counters/derive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <unistd.h>

#ifdef NSLAB_HAVE_CALLGRIND
# include <valgrind/callgrind.h>
#endif

/* In chunks of 64 operations. A window of fewer than 64 chunks never makes its chunks larger. */
#define WARMUP_CHUNKS	   256
#define WINDOW_CHUNKS	   60
#define SIMULATED_WINDOWS  4
#define SLOWER_BY	   20 /* for the time limit; a trial is mostly set-up here */
#define LINE_BYTES_DEFAULT 64

/* ---- inside the trial ---- */

static uint64_t simulated_now(const struct nslab_clock *clock)
{
	static _Thread_local uint64_t now;

	(void)clock;
	return ++now;
}

static uint64_t simulated_cpu(const struct nslab_clock *clock)
{
	(void)clock;
	return 0;
}

const struct nslab_clock nslab_simulated_clock = {simulated_now, simulated_cpu};

void nslab_simulated_begin(void)
{
#ifdef NSLAB_HAVE_CALLGRIND
	CALLGRIND_START_INSTRUMENTATION;
#endif
}

void nslab_simulated_toggle(void)
{
#ifdef NSLAB_HAVE_CALLGRIND
	CALLGRIND_TOGGLE_COLLECT;
#endif
}

/* ---- sizes ---- */

static bool simulated_has_pu(const struct nslab_topo_cache *cache, int pu)
{
	for (int i = 0; i < cache->nr_pus; i++) {
		if (cache->pus[i] == pu)
			return true;
	}
	return false;
}

static void simulated_size(struct nslab_simulated_cache *cache, const struct nslab_topo_cache *from,
			   uint64_t default_bytes, unsigned default_ways)
{
	uint64_t nr_sets = 1, most;

	cache->real_bytes = from ? from->size_bytes : 0;
	cache->size_bytes = cache->real_bytes ? cache->real_bytes : default_bytes;
	cache->ways = from && from->nr_ways > 0 ? (unsigned)from->nr_ways : default_ways;
	cache->line_bytes = from && from->line_bytes ? from->line_bytes : LINE_BYTES_DEFAULT;
	most = cache->size_bytes / cache->ways / cache->line_bytes;
	while (nr_sets * 2 <= most)
		nr_sets *= 2;
	cache->size_bytes = nr_sets * cache->ways * cache->line_bytes;
}

void nslab_simulated_caches(const struct nslab_topo *topo, int pu,
			    struct nslab_simulated_caches *caches)
{
	const struct nslab_topo_cache *l1i = NULL, *l1d = NULL, *last = NULL;

	for (int i = 0; i < topo->nr_caches; i++) {
		const struct nslab_topo_cache *cache = &topo->caches[i];
		bool is_code = cache->type == NSLAB_CPU_CACHE_INSTRUCTION;

		if (!simulated_has_pu(cache, pu) || cache->type == NSLAB_CPU_CACHE_MEMORY_SIDE)
			continue;
		if (cache->level == 1 && is_code)
			l1i = cache;
		else if (cache->level == 1)
			l1d = cache;
		else if (!is_code && (!last || cache->level > last->level))
			last = cache;
	}
	simulated_size(&caches->l1i, l1i, 32 << 10, 8);
	simulated_size(&caches->l1d, l1d, 32 << 10, 8);
	simulated_size(&caches->last, last, 1 << 20, 16);
}

static json_t *simulated_cache_json(const struct nslab_simulated_cache *cache)
{
	return json_pack("{s:I, s:i, s:i, s:I}", "bytes", (json_int_t)cache->size_bytes, "ways",
			 (int)cache->ways, "line_bytes", (int)cache->line_bytes, "machine_bytes",
			 (json_int_t)cache->real_bytes);
}

json_t *nslab_simulated_json(const struct nslab_simulated_caches *caches)
{
	return json_pack(
		"{s:o, s:o, s:o, s:[s, s]}", "L1i", simulated_cache_json(&caches->l1i), "L1d",
		simulated_cache_json(&caches->l1d), "LL", simulated_cache_json(&caches->last),
		"notes",
		"Simulated by callgrind: one core, two levels, threads one after the other, no "
		"prefetcher, no nodes, no lines that move between cores, no TLB. Never compare "
		"with hardware counts.",
		"The number of sets is rounded down to a power of two; machine_bytes is the real "
		"size, 0 when unknown.");
}

/* ---- the run ---- */

static const struct {
	const char *name;
	const char *events[3]; /* of callgrind, added up */
} simulated_rows[] = {
	{"simulated-instructions/op", {"Ir"}},
	{"simulated-accesses/op", {"Dr", "Dw"}},
	{"simulated-L1i-misses/op", {"I1mr"}},
	{"simulated-L1d-misses/op", {"D1mr", "D1mw"}},
	{"simulated-LL-misses/op", {"ILmr", "DLmr", "DLmw"}},
};

#define NR_SIMULATED_ROWS (sizeof(simulated_rows) / sizeof(simulated_rows[0]))

static bool simulated_has_program(const char *name)
{
	const char *at = getenv("PATH");

	while (at && *at) {
		size_t len = strcspn(at, ":");
		char path[4096];

		snprintf(path, sizeof(path), "%.*s/%s", (int)len, at, name);
		if (!access(path, X_OK))
			return true;
		at += len + (at[len] == ':');
	}
	return false;
}

/* A container may forbid it; one thread repeats all the same. */
static bool simulated_can_fix_layout(void)
{
	int now = personality(0xffffffff);

	if (now < 0 || personality((unsigned long)now | ADDR_NO_RANDOMIZE) < 0)
		return false;
	personality((unsigned long)now);
	return simulated_has_program("setarch");
}

const char *nslab_simulated_missing(void)
{
#ifndef NSLAB_HAVE_CALLGRIND
	return "built without valgrind's headers";
#else
	return simulated_has_program("valgrind") ? "" : "valgrind is not installed";
#endif
}

static json_t *simulated_spec(const json_t *spec)
{
	json_t *copy = json_deep_copy(spec);
	json_t *changes =
		json_pack("{s:b, s:b, s:i, s:i, s:i}", "simulated", 1, "counters", 0, "warmup_ns",
			  WARMUP_CHUNKS, "window_ns", WINDOW_CHUNKS, "windows", SIMULATED_WINDOWS);

	if (copy && changes) {
		json_object_update(copy, changes);
		json_object_del(copy, "slabinfo");
		json_object_del(copy, "sampler"); /* its thread would wake by the clock */
	}
	json_decref(changes);
	return copy;
}

struct simulated_command {
	char sizes[3][64], out_file[64];
	const char *argv[20];
};

static void simulated_command(struct simulated_command *c,
			      const struct nslab_simulated_caches *caches, int fd)
{
	const struct nslab_simulated_cache *three[] = {&caches->l1i, &caches->l1d, &caches->last};
	static const char *const words[] = {"I1", "D1", "LL"};
	static const char *const layout[] = {"setarch", "-R"};
	static const char *const tool[] = {"valgrind",		"-q",
					   "--tool=callgrind",	"--cache-sim=yes",
					   "--fair-sched=yes",	"--collect-atstart=no",
					   "--instr-atstart=no"};
	size_t nr = simulated_can_fix_layout() ? 2 : 0;

	memset(c, 0, sizeof(*c));
	memcpy(c->argv, layout, nr * sizeof(*layout));
	memcpy(c->argv + nr, tool, sizeof(tool));
	nr += sizeof(tool) / sizeof(tool[0]);
	for (int i = 0; i < 3; i++) {
		snprintf(c->sizes[i], sizeof(c->sizes[i]), "--%s=%llu,%u,%u", words[i],
			 (unsigned long long)three[i]->size_bytes, three[i]->ways,
			 three[i]->line_bytes);
		c->argv[nr++] = c->sizes[i];
	}
	snprintf(c->out_file, sizeof(c->out_file), "--callgrind-out-file=/proc/self/fd/%d", fd);
	c->argv[nr] = c->out_file;
}

/* The column's number in a line of words, or -1. */
static int simulated_column(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (int column = 0; *words && *words != '\n'; column++) {
		size_t here;

		words += strspn(words, " ");
		here = strcspn(words, " \n");
		if (here == len && !strncmp(words, word, len))
			return column;
		words += here;
	}
	return -1;
}

static double simulated_total(const char *totals, int column)
{
	char *end;
	double value = NAN;

	for (int i = 0; i <= column; i++) {
		value = (double)strtoull(totals, &end, 10);
		if (end == totals)
			return 0; /* callgrind leaves zeros at the end of a line out */
		totals = end;
	}
	return value;
}

/* The text behind "\nKEY: ", or NULL. */
static const char *simulated_line(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? at + strlen(key) : NULL;
}

static double simulated_ops(const json_t *document)
{
	const json_t *windows = json_object_get(document, "windows");
	double ops = 0;

	for (size_t i = 0; i < json_array_size(windows); i++)
		ops += (double)json_integer_value(json_array_get(json_array_get(windows, i), 2));
	return ops;
}

static void simulated_refuse(json_t *document, const char *why)
{
	for (size_t i = 0; i < NR_SIMULATED_ROWS; i++)
		nslab_derive_add(document, simulated_rows[i].name, "simulated", NAN, why);
}

static void simulated_take(const char *text, double ops, json_t *document)
{
	const char *events = simulated_line(text, "\nevents: ");
	const char *totals = simulated_line(text, "\ntotals: ");

	if (!events || !totals || !(ops > 0)) {
		simulated_refuse(document, "callgrind left no totals");
		return;
	}
	for (size_t i = 0; i < NR_SIMULATED_ROWS; i++) {
		double sum = 0;

		for (int k = 0; k < 3 && simulated_rows[i].events[k]; k++) {
			int column = simulated_column(events, simulated_rows[i].events[k]);

			sum += column < 0 ? NAN : simulated_total(totals, column);
		}
		nslab_derive_add(document, simulated_rows[i].name, "simulated", sum / ops,
				 "callgrind does not count it");
	}
}

static char *simulated_read(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = size > 0 ? calloc(1, (size_t)size + 1) : NULL;

	if (text && pread(fd, text, (size_t)size, 0) != (ssize_t)size) {
		free(text);
		text = NULL;
	}
	return text;
}

void nslab_simulated_run(const struct nslab_launch *launch,
			 const struct nslab_simulated_caches *caches, json_t *document)
{
	int fd = memfd_create("callgrind", 0); /* the child writes to it by number */
	struct nslab_launch again = *launch;
	struct nslab_launch_result result = {0};
	struct simulated_command command;
	json_t *spec = simulated_spec(launch->spec);
	const char *why = nslab_simulated_missing();
	char *text = NULL;

	if (!*why && (!spec || fd < 0))
		why = "out of memory";
	simulated_command(&command, caches, fd);
	again.spec = spec;
	again.wrapper = command.argv;
	again.time_limit_ns *= SLOWER_BY;
	if (!*why && nslab_launch_trial(&again, &result))
		why = "no process for callgrind could be made";
	else if (!*why && result.cause[0])
		why = result.cause;
	if (!*why)
		text = simulated_read(fd);
	if (*why)
		simulated_refuse(document, why);
	else
		simulated_take(text ? text : "", simulated_ops(result.document), document);
	free(text);
	json_decref(result.document);
	json_decref(spec);
	if (fd >= 0)
		close(fd);
}
