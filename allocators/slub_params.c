// SPDX-License-Identifier: GPL-2.0-only
/*
 * slub_params.c: the parameters of the SLUB models.
 *
 * Both plug-ins, slub and sheaves, describe one structure; each has rows for what its kernels know.
 * Names and defaults are those of the kernel's boot options, sysfs files and constants. Fields
 * without a row keep what the generation says (slub_shape_sheaves). Left out: everything that a
 * cache is asked for by its creator, which is in struct nslab_cache_spec.
 */
#include "allocators/slub.h"

static const char *const slub_auto[] = {"auto", NULL};
static const char *const slub_generations[] = {"6.1", "6.12", "6.18", NULL};

#define SLUB_ROW(field, row_flags, row_def, row_min, row_max, row_choices, row_help)               \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_INT, .flags = (row_flags),                                   \
  .offset = offsetof(struct slub_params, field), .def = (row_def), .min = (row_min),               \
  .max = (row_max), .choices = (row_choices), .help = (row_help),                                  \
 }
#define SLUB_BOOL(field, row_help)                                                                 \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_BOOL, .flags = NSLAB_PARAM_TUNABLE,                          \
  .offset = offsetof(struct slub_params, field), .def = "yes", .help = (row_help),                 \
 }
#define SLUB_PER_CACHE (NSLAB_PARAM_TUNABLE | NSLAB_PARAM_PER_CACHE)

/* What both plug-ins have. */
#define SLUB_COMMON_ROWS                                                                           \
 SLUB_ROW(order, SLUB_PER_CACHE, "auto", 0, NSLAB_MAX_ORDER, slub_auto,                            \
	  "order of new slabs of caches that ask for none, raised to what an object needs"),       \
	 SLUB_ROW(min_partial, SLUB_PER_CACHE, "auto", 0, 65536, slub_auto,                        \
		  "empty slabs that a node keeps"),                                                \
	 SLUB_ROW(slab_min_order, NSLAB_PARAM_TUNABLE, "0", 0, NSLAB_MAX_ORDER, NULL,              \
		  "smallest order that the order rule chooses"),                                   \
	 SLUB_ROW(slab_max_order, NSLAB_PARAM_TUNABLE, "3", 0, NSLAB_MAX_ORDER, NULL,              \
		  "largest order that the order rule chooses while an object fits"),               \
	 SLUB_ROW(slab_min_objects, NSLAB_PARAM_TUNABLE, "auto", 1, 32767, slub_auto,              \
		  "objects that the order rule wants in a slab; auto follows the number of CPUs"), \
	 SLUB_ROW(remote_node_defrag_ratio, NSLAB_PARAM_TUNABLE, "100", 0, 100, NULL,              \
		  "per cent of refills that try other nodes' partial lists")

const struct nslab_param slub_param_rows[] = {
	{.name = "generation",
	 .type = NSLAB_PARAM_CHOICE,
	 .offset = offsetof(struct slub_params, generation),
	 .def = "6.1",
	 .choices = slub_generations,
	 .help = "kernel that is modelled"},
	SLUB_COMMON_ROWS,
	SLUB_ROW(cpu_partial, SLUB_PER_CACHE, "auto", 0, 65536, slub_auto,
		 "objects that a CPU keeps on partial slabs; 0 leaves one slab, as in the kernel"),
	SLUB_ROW(sheaf_capacity, SLUB_PER_CACHE, "auto", 0, SHEAVES_MAX_CAPACITY, slub_auto,
		 "objects in a sheaf, generation 6.18 only; auto is 0, no sheaves"),
	NSLAB_PARAM_END,
};

const struct nslab_param sheaves_param_rows[] = {
	SLUB_COMMON_ROWS,
	SLUB_ROW(sheaf_capacity, SLUB_PER_CACHE, "auto", 1, SHEAVES_MAX_CAPACITY, slub_auto,
		 "objects in a sheaf, never fewer than the kernel's own 60, 28, 12 or 4 by size"),
	SLUB_ROW(max_full, NSLAB_PARAM_TUNABLE, "10", 0, 65536, NULL, "full sheaves in a barn"),
	SLUB_ROW(max_empty, NSLAB_PARAM_TUNABLE, "10", 0, 65536, NULL,
		 "empty sheaves that a barn takes back after a grace period"),
	SLUB_BOOL(remote_bypass, "frees of other nodes' objects go straight to their slabs"),
	SLUB_BOOL(refill_when_nonblocking, "callers that may not sleep refill sheaves too"),
	SLUB_BOOL(remote_trylock, "other nodes' list locks are tried and never waited for"),
	NSLAB_PARAM_END,
};

const struct slub_params slub_default_params = {
	.order = NSLAB_AUTO,
	.min_partial = NSLAB_AUTO,
	.cpu_partial = NSLAB_AUTO,
	.slab_max_order = 3,
	.slab_min_objects = NSLAB_AUTO,
	.remote_node_defrag_ratio = 100,
	.sheaf_capacity = NSLAB_AUTO,
	.max_full = SLUB_MAX_SHEAVES,
	.max_empty = SLUB_MAX_SHEAVES,
	.remote_bypass = true,
	.refill_when_nonblocking = true,
	.remote_trylock = true,
};
