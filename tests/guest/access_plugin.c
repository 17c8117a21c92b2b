/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * access_plugin.c: a plug-in of QEMU that counts a guest's memory accesses by CPU and node.
 *
 * Timing in an emulated guest says nothing, but where an access goes is exact: QEMU tells the
 * physical address of each. Which node an address belongs to is not assumed but learnt: memory is
 * cut into blocks of one node's size, and the guest stores to a page of each node that its kernel
 * put there (access.h). Only accesses of instructions in user space are seen, and only those to the
 * range that the guest gave are counted.
 *
 * Invariants: counts[] of a CPU is touched by the thread that runs it; QEMU runs all CPUs on one
 * thread here, so a report reads what is final. A block that was never learnt is node
 * ACCESS_NODES, and has a column of its own. Left out: caches, so a count is of accesses and not of
 * misses.
 *
 * Arguments: node-mib=N, the size of every node; out=FILE, where reports go.
 */
#include "tests/guest/access.h"
#include "tests/guest/access_qemu.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCESS_CPUS   16u
#define ACCESS_NODES  4u
#define ACCESS_BLOCKS 64u
#define ACCESS_KERNEL 47 /* addresses with this bit or a higher one are the kernel's */

struct access_cpu {
	bool is_counting, is_used;
	uint64_t number;
	uint64_t operations;
	uint64_t counts[2][ACCESS_NODES + 1]; /* loads, stores; the last: unknown */
};

int qemu_plugin_version = ACCESS_QEMU_VERSION;

static struct access_cpu access_cpus[ACCESS_CPUS];
static unsigned access_node_of[ACCESS_BLOCKS];
static uint64_t access_node_bytes, access_first, access_end;
static FILE *access_out;

/* A line for each CPU that took part: LABEL cpu N ops N, then loads and stores of each node. */
static void access_report(uint64_t label)
{
	for (unsigned i = 0; i < ACCESS_CPUS; i++) {
		const struct access_cpu *cpu = &access_cpus[i];

		if (!cpu->is_used)
			continue;
		fprintf(access_out, "%" PRIu64 " %u %" PRIu64, label, i, cpu->operations);
		for (unsigned node = 0; node <= ACCESS_NODES; node++)
			fprintf(access_out, " %" PRIu64 " %" PRIu64, cpu->counts[0][node],
				cpu->counts[1][node]);
		fputc('\n', access_out);
	}
	fflush(access_out);
	memset(access_cpus, 0, sizeof(access_cpus));
}

static void access_message(struct access_cpu *cpu, unsigned message, uint64_t physical)
{
	if (message < ACCESS_NODE) {
		cpu->number = cpu->number << 4 | message;
		return;
	}
	switch (message) {
	case ACCESS_NODE:
		access_node_of[physical / access_node_bytes % ACCESS_BLOCKS] =
			(unsigned)cpu->number;
		break;
	case ACCESS_FIRST:
		access_first = cpu->number;
		break;
	case ACCESS_END:
		access_end = cpu->number;
		break;
	case ACCESS_START:
		cpu->is_counting = cpu->is_used = true;
		break;
	case ACCESS_STOP:
		cpu->is_counting = false;
		break;
	case ACCESS_OPERATIONS:
		cpu->operations += cpu->number;
		break;
	case ACCESS_REPORT:
		access_report(cpu->number);
		break;
	}
	cpu->number = 0;
}

static void access_happened(unsigned index, uint32_t info, uint64_t address, void *context)
{
	struct access_cpu *cpu = &access_cpus[index % ACCESS_CPUS];
	bool is_message = address - ACCESS_PAGE < ACCESS_NR_MESSAGES * sizeof(uint64_t);
	bool is_store = qemu_plugin_mem_is_store(info);
	struct qemu_plugin_hwaddr *where;
	uint64_t physical;
	unsigned node;

	(void)context;
	if (is_message ? !is_store
		       : !cpu->is_counting || address < access_first || address >= access_end)
		return;
	where = qemu_plugin_get_hwaddr(info, address);
	if (!where || qemu_plugin_hwaddr_is_io(where))
		return;
	physical = qemu_plugin_hwaddr_phys_addr(where);
	if (is_message) {
		access_message(cpu, (unsigned)((address - ACCESS_PAGE) / sizeof(uint64_t)),
			       physical);
		return;
	}
	node = access_node_of[physical / access_node_bytes % ACCESS_BLOCKS];
	cpu->counts[is_store][node < ACCESS_NODES ? node : ACCESS_NODES]++;
}

static void access_translated(uint64_t id, struct qemu_plugin_tb *block)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);

		if (qemu_plugin_insn_vaddr(instruction) >> ACCESS_KERNEL)
			continue;
		qemu_plugin_register_vcpu_mem_cb(instruction, access_happened,
						 ACCESS_QEMU_NO_REGISTERS,
						 ACCESS_QEMU_LOADS_AND_STORES, NULL);
	}
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	for (unsigned i = 0; i < ACCESS_BLOCKS; i++)
		access_node_of[i] = ACCESS_NODES;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "node-mib=", 9))
			access_node_bytes = strtoull(argv[i] + 9, NULL, 10) << 20;
		else if (!strncmp(argv[i], "out=", 4))
			access_out = fopen(argv[i] + 4, "w");
	}
	if (!access_node_bytes || !access_out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, access_translated);
	return 0;
}
