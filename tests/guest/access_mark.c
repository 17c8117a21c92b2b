/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * access_mark.c: what the guest of access.sh says to the plug-in outside a workload.
 *
 *	access_mark learn NODE...          teaches which physical memory each node has
 *	access_mark loop LABEL CPU NODE    the control: a known number of loads from one node
 *	access_mark report LABEL           all that was counted since the last report
 *
 * The kernel is asked where a page is before the plug-in is told; a page elsewhere is an error.
 * Left out: several pages for each node, because the plug-in needs one.
 */
#define _GNU_SOURCE
#include "tests/guest/access.h"

#include <numaif.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LOOP_BYTES  ((size_t)1 << 20)
#define LOOP_STRIDE 64u
#define LOOP_PASSES 3

/* Touched memory on that node; NULL after a message. */
static void *memory_on(int node, void *at, size_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0);
	unsigned char *memory = mmap(at, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
	unsigned long mask = 1ul << node;
	int actual = -1;

	if (memory == MAP_FAILED || mbind(memory, bytes, MPOL_BIND, &mask, 8 * sizeof(mask), 0)) {
		perror("access_mark: memory of a node");
		return NULL;
	}
	for (size_t offset = 0; offset < bytes; offset += ACCESS_PAGE_BYTES) {
		memory[offset + ACCESS_PAGE_BYTES - 1] = 1; /* no message stands there */
		if (get_mempolicy(&actual, NULL, 0, memory + offset, MPOL_F_NODE | MPOL_F_ADDR) ||
		    actual != node) {
			fprintf(stderr, "access_mark: a page is on node %d, not %d\n", actual,
				node);
			return NULL;
		}
	}
	return memory;
}

static int bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	if (!sched_setaffinity(0, sizeof(set), &set))
		return 0;
	perror("access_mark: bind to a CPU");
	return 1;
}

static int learn(int nr, char **nodes)
{
	for (int i = 0; i < nr; i++) {
		int node = atoi(nodes[i]);

		if (!memory_on(node, (void *)ACCESS_PAGE, ACCESS_PAGE_BYTES))
			return 1;
		access_send_number(ACCESS_NODE, (uint64_t)node);
	}
	return 0;
}

static int loop(uint64_t label, int cpu, int node)
{
	const volatile unsigned char *memory = memory_on(node, NULL, LOOP_BYTES);

	if (!memory || !memory_on(0, (void *)ACCESS_PAGE, ACCESS_PAGE_BYTES) || bind_to(cpu))
		return 1;
	access_send_number(ACCESS_FIRST, (uintptr_t)memory);
	access_send_number(ACCESS_END, (uintptr_t)memory + LOOP_BYTES);
	access_send(ACCESS_START);
	for (int pass = 0; pass < LOOP_PASSES; pass++) {
		for (size_t offset = 0; offset < LOOP_BYTES; offset += LOOP_STRIDE)
			(void)memory[offset];
	}
	access_send(ACCESS_STOP);
	access_send_number(ACCESS_REPORT, label);
	return 0;
}

static int report(uint64_t label)
{
	if (!memory_on(0, (void *)ACCESS_PAGE, ACCESS_PAGE_BYTES))
		return 1;
	access_send_number(ACCESS_REPORT, label);
	return 0;
}

int main(int argc, char **argv)
{
	/* one CPU: a number is sent in pieces, and each CPU has its own */
	if (bind_to(0))
		return 1;
	if (argc > 2 && !strcmp(argv[1], "learn"))
		return learn(argc - 2, argv + 2);
	if (argc == 5 && !strcmp(argv[1], "loop"))
		return loop(strtoull(argv[2], NULL, 10), atoi(argv[3]), atoi(argv[4]));
	if (argc == 3 && !strcmp(argv[1], "report"))
		return report(strtoull(argv[2], NULL, 10));
	fprintf(stderr, "usage: access_mark learn NODE... | loop LABEL CPU NODE | report LABEL\n");
	return 2;
}
