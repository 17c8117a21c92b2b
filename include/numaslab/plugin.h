/* SPDX-License-Identifier: MIT */
/*
 * plugin.h: the envelope. A plug-in exports one symbol, `nslab_plugin`.
 *
 * `abi` must equal the host's. `ops_size` lets a table grow at its tail: the host copies the
 * smaller of the two sizes, the rest reads NULL and gets defaults. A plug-in links nothing of
 * numaslab; all services come in struct nslab_env.
 *
 *	static const struct nslab_allocator_ops bump_ops = { .name = "bump", ... };
 *	NSLAB_ALLOCATOR_PLUGIN(bump_ops);
 */
#ifndef NUMASLAB_PLUGIN_H
#define NUMASLAB_PLUGIN_H

#include <numaslab/allocator.h>
#include <numaslab/counter.h>
#include <numaslab/object.h>
#include <numaslab/page.h>
#include <numaslab/types.h>
#include <numaslab/workload.h>

/* 2: struct nslab_heap has grown, which plug-ins embed; 3: a workload's table has one entry more */
#define NSLAB_PLUGIN_ABI 3u

enum nslab_plugin_kind {
	NSLAB_PLUGIN_ALLOCATOR,
	NSLAB_PLUGIN_PAGE,
	NSLAB_PLUGIN_WORKLOAD,
	NSLAB_PLUGIN_COUNTER,
	NSLAB_NR_PLUGIN_KINDS
};

struct nslab_plugin {
	uint32_t abi;
	uint32_t kind; /* enum nslab_plugin_kind */
	size_t ops_size;
	const void *ops;
};

/* Plug-ins compiled into numaslab get a symbol of their own from the build. */
#ifndef NSLAB_PLUGIN_SYMBOL
# define NSLAB_PLUGIN_SYMBOL nslab_plugin
#endif

#define NSLAB_PLUGIN(plugin_kind, table)                                                           \
 extern const struct nslab_plugin NSLAB_PLUGIN_SYMBOL;                                             \
 NSLAB_EXPORT const struct nslab_plugin NSLAB_PLUGIN_SYMBOL = {                                    \
	 .abi = NSLAB_PLUGIN_ABI,                                                                  \
	 .kind = (plugin_kind),                                                                    \
	 .ops_size = sizeof(table),                                                                \
	 .ops = &(table),                                                                          \
 }

#define NSLAB_ALLOCATOR_PLUGIN(table) NSLAB_PLUGIN(NSLAB_PLUGIN_ALLOCATOR, table)
#define NSLAB_PAGE_PLUGIN(table)      NSLAB_PLUGIN(NSLAB_PLUGIN_PAGE, table)
#define NSLAB_WORKLOAD_PLUGIN(table)  NSLAB_PLUGIN(NSLAB_PLUGIN_WORKLOAD, table)
#define NSLAB_COUNTER_PLUGIN(table)   NSLAB_PLUGIN(NSLAB_PLUGIN_COUNTER, table)

#endif
