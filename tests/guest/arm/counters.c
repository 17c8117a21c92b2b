/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counters.c [no-instructions]: the counter library on a real PMU, the one that QEMU gives an arm64
 * guest.
 *
 * With -icount the guest's time advances by one cycle for each instruction, so numbers are known
 * beforehand: a loop in assembly has a known length, cycles equal instructions, and a second round
 * reads the same. That PMU has 7 counters and neither cache nor TLB events. So real multiplexing,
 * events that are not there and events that never get onto the hardware all go through the kernel's
 * own driver here. Without -icount (no-instructions) the PMU has cycles alone, and they mean
 * nothing: then only what is absent is judged. How fast anything is, is never judged.
 */
#include "runner/counters/counters.h"
#include "runner/counters/perf_group.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>

#define LOOP_INSTRUCTIONS 6u
#define LOOP_TURNS	  10000000u
#define ROUNDS		  3
#define NR_RAW		  12 /* more than the PMU has counters */
#define RAW_INSTRUCTIONS  0x08
#define RAW_CYCLES	  0x11

static int nr_failed;

static void expect(bool is_right, const char *what)
{
	if (is_right)
		return;
	printf("failed: %s\n", what);
	nr_failed++;
}

/* `turns` times LOOP_INSTRUCTIONS instructions, whatever the compiler thinks of it. */
static void loop(uint64_t turns)
{
	__asm__ volatile("1:	nop\n"
			 "	nop\n"
			 "	nop\n"
			 "	nop\n"
			 "	subs	%0, %0, #1\n"
			 "	b.ne	1b\n"
			 : "+r"(turns)
			 :
			 : "cc");
}

static bool is_within(uint64_t value, uint64_t wanted, double share)
{
	double off = (double)value - (double)wanted;

	return off <= share * (double)wanted && off >= -share * (double)wanted;
}

static const struct nslab_counter_reading *find(const struct nslab_counter_reading *readings,
						int nr, const char *name)
{
	static const struct nslab_counter_reading none = {.count.err = -ENOENT};

	for (int i = 0; i < nr; i++) {
		if (!strcmp(readings[i].name, name))
			return &readings[i];
	}
	expect(false, name);
	return &none;
}

static void expect_absent(const struct nslab_counter_reading *reading, int err, const char *reason)
{
	printf("%s: null (%s)\n", reading->name, reading->reason);
	expect(reading->count.err == err && !reading->count.value, "an absent event is null");
	expect(!strcmp(reading->reason, reason), "an absent event says why");
}

static int open_counters(struct nslab_counters **set)
{
	int rc = nslab_counters_open(set);

	expect(!rc, "counters open");
	return rc;
}

static void check_absent(bool has_instructions)
{
	static const char *const names[] = {"cache-references", "cache-misses", "dTLB-load-misses",
					    "node-load-misses", "instructions"};
	struct nslab_counter_reading readings[NSLAB_COUNTERS_MAX];
	struct nslab_counters *set;
	int nr;

	if (open_counters(&set))
		return;
	nr = nslab_counters_read(set, readings, NSLAB_COUNTERS_MAX);
	for (int i = 0; i < 5 - has_instructions; i++)
		expect_absent(find(readings, nr, names[i]), -ENOENT, "not on this CPU");
	expect_absent(find(readings, nr, "cycles"), -ENODATA,
		      "never got onto the hardware: more events than counters, or not started");
	nslab_counters_close(set);
}

/* One round of cycles and instructions; rounds > 1 must add up. */
static void count_loop(int rounds, uint64_t *cycles, uint64_t *instructions)
{
	struct nslab_counter_reading readings[NSLAB_COUNTERS_MAX];
	const struct nslab_counter_reading *c, *i;
	struct nslab_counters *set;
	int nr;

	*cycles = *instructions = 0;
	if (open_counters(&set))
		return;
	for (int k = 0; k < rounds; k++) {
		expect(!nslab_counters_start(set), "counters start");
		loop(LOOP_TURNS);
		expect(!nslab_counters_stop(set), "counters stop");
	}
	nr = nslab_counters_read(set, readings, NSLAB_COUNTERS_MAX);
	c = find(readings, nr, "cycles");
	i = find(readings, nr, "instructions");
	expect(!c->count.err && !i->count.err, "cycles and instructions have values");
	expect(!strcmp(c->source, "perf") && !strcmp(i->source, "perf"), "perf counted them");
	expect(c->count.enabled_ns && c->count.enabled_ns == c->count.running_ns &&
		       i->count.enabled_ns == i->count.running_ns,
	       "two events are on the hardware all the time");
	*cycles = c->count.value;
	*instructions = i->count.value;
	nslab_counters_close(set);
}

static void check_loop(void)
{
	const uint64_t wanted = (uint64_t)LOOP_INSTRUCTIONS * LOOP_TURNS;
	uint64_t cycles, instructions, first = 0;

	for (int round = 0; round < ROUNDS; round++) {
		count_loop(1, &cycles, &instructions);
		printf("loop of %" PRIu64 " instructions: %" PRIu64 " instructions, %" PRIu64
		       " cycles\n",
		       wanted, instructions, cycles);
		first = first ? first : instructions;
		expect(instructions >= wanted && is_within(instructions, wanted, 0.001),
		       "instructions are those of the loop");
		expect(is_within(cycles, instructions, 0.001), "one cycle an instruction");
		expect(is_within(instructions, first, 0.001), "a round reads as the first did");
	}
	count_loop(2, &cycles, &instructions);
	expect(is_within(instructions, 2 * wanted, 0.001), "two rounds add up");
}

/* Events of the PMU by number, each in a group of its own. */
static struct nslab_counter_set *open_raw(const uint64_t *configs, int nr)
{
	struct nslab_perf_event rows[NSLAB_PERF_MAX_EVENTS];
	const struct nslab_perf_event *events[NSLAB_PERF_MAX_EVENTS];
	struct nslab_counter_set *set = NULL;

	for (int i = 0; i < nr; i++) {
		rows[i] = (struct nslab_perf_event){.type = PERF_TYPE_RAW,
						    .config = configs[i],
						    .group = i,
						    .is_hardware = true};
		events[i] = &rows[i];
	}
	expect(!nslab_perf_open(events, nr, 0, &set), "raw events open");
	return set;
}

static void count_raw(const uint64_t *configs, int nr, uint64_t turns, struct nslab_count *counts)
{
	struct nslab_counter_set *set = open_raw(configs, nr);

	memset(counts, 0, (size_t)nr * sizeof(*counts));
	if (!set)
		return;
	expect(!nslab_perf_start(set), "raw events start");
	loop(turns);
	expect(!nslab_perf_stop(set), "raw events stop");
	expect(!nslab_perf_read(set, counts), "raw events read");
	nslab_perf_close(set);
}

static void check_raw(void)
{
	static const uint64_t configs[2] = {RAW_CYCLES, RAW_INSTRUCTIONS};
	const uint64_t wanted = (uint64_t)LOOP_INSTRUCTIONS * LOOP_TURNS;
	struct nslab_count counts[2];

	count_raw(configs, 2, LOOP_TURNS, counts);
	for (int i = 0; i < 2; i++) {
		printf("raw event 0x%02" PRIx64 ": %" PRIu64 "\n", configs[i], counts[i].value);
		expect(!counts[i].err && is_within(counts[i].value, wanted, 0.001),
		       "an event by number reads as by name");
	}
}

static void fill_raw(uint64_t *configs)
{
	for (int i = 0; i < NR_RAW; i++)
		configs[i] = RAW_INSTRUCTIONS;
}

/* Long enough for the kernel to give every event its turns. */
static void check_multiplexed(void)
{
	const uint64_t turns = 5 * LOOP_TURNS, wanted = LOOP_INSTRUCTIONS * turns;
	struct nslab_count counts[NR_RAW];
	uint64_t configs[NR_RAW];
	int nr_shared = 0;

	fill_raw(configs);
	count_raw(configs, NR_RAW, turns, counts);
	for (int i = 0; i < NR_RAW; i++) {
		const struct nslab_count *c = &counts[i];

		printf("event %d of %d: %" PRIu64 ", %+.3f %%, on the hardware %.1f %%\n", i + 1,
		       NR_RAW, c->value, 100 * ((double)c->value / (double)wanted - 1),
		       100 * (double)c->running_ns / (double)c->enabled_ns);
		expect(!c->err && is_within(c->value, wanted, 0.01),
		       "a multiplexed event is scaled within 1 %");
		nr_shared += c->running_ns && c->running_ns < c->enabled_ns;
	}
	expect(nr_shared == NR_RAW, "every event ran for a part of the time");
}

/* Over before the kernel changes what is on the hardware, unless a tick comes in between. */
static void check_never_ran(void)
{
	struct nslab_count counts[NR_RAW];
	uint64_t configs[NR_RAW];
	int nr_null = 0;

	fill_raw(configs);
	for (int attempt = 0; attempt < 5 && !nr_null; attempt++) {
		count_raw(configs, NR_RAW, 10000, counts);
		for (int i = 0; i < NR_RAW; i++) {
			const struct nslab_count *c = &counts[i];

			nr_null += c->err != 0;
			expect(!c->err == (c->running_ns > 0), "only what never ran is null");
			expect(!c->err || (c->err == -ENODATA && !c->value && c->enabled_ns),
			       "what never ran is null although it was asked for");
		}
	}
	printf("in too short a time %d of %d events never ran\n", nr_null, NR_RAW);
	expect(nr_null > 0, "some event never ran");
}

int main(int argc, char **argv)
{
	bool has_instructions = argc < 2 || strcmp(argv[1], "no-instructions") != 0;

	check_absent(has_instructions);
	if (has_instructions) {
		check_loop();
		check_raw();
		check_multiplexed();
		check_never_ran();
	}
	return nr_failed > 0;
}
