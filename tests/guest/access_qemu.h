/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * access_qemu.h: the part of QEMU's plug-in interface, version 1, that access_plugin.c calls.
 *
 * QEMU exports these functions to what it loads; Debian packages no header for them. Structures are
 * opaque here. A callback of a memory access runs on the thread that runs the vCPU.
 */
#ifndef NSLAB_TESTS_ACCESS_QEMU_H
#define NSLAB_TESTS_ACCESS_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qemu_info; /* what QEMU says of itself */
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;

enum access_qemu_registers {
	ACCESS_QEMU_NO_REGISTERS /* the callback looks at no register */
};

enum access_qemu_kind {
	ACCESS_QEMU_LOADS_AND_STORES = 3 /* bit 0 loads, bit 1 stores */
};

typedef void (*access_qemu_translated)(uint64_t id, struct qemu_plugin_tb *block);
typedef void (*access_qemu_accessed)(unsigned cpu, uint32_t info, uint64_t address, void *context);

/* called for each block of instructions that QEMU translates */
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, access_qemu_translated callback);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t number);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
/* called for each access of this instruction, whenever it runs */
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction,
				      access_qemu_accessed callback,
				      enum access_qemu_registers registers,
				      enum access_qemu_kind kind, void *context);
bool qemu_plugin_mem_is_store(uint32_t info);
/* inside a memory callback: where the access went; NULL when QEMU does not know */
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t address);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *where);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *where);

/* What QEMU looks up in a plug-in. */
#define ACCESS_QEMU_VERSION 1
extern __attribute__((visibility("default"))) int qemu_plugin_version;
__attribute__((visibility("default"))) int
qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);

#endif
