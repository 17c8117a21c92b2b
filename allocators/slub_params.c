// SPDX-License-Identifier: GPL-2.0-only
/*
 * slub_params.c: the parameters of the SLUB models, and what slab_debug says.
 *
 * Both plug-ins, slub and sheaves, describe one structure; each has rows for what its kernels know.
 * Names and defaults are those of the kernel's boot options, sysfs files and constants. Fields
 * without a row keep what the generation says (slub_shape_sheaves). Left out: everything that a
 * cache is asked for by its creator, which is in struct nslab_cache_spec.
 *
 * slab_debug is written as on the kernel's command line: blocks parted by ';', in each the letters
 * and then, after a comma each, names of caches that may end in '*'. A block without names is for
 * the caches that no other block names; the first block that names a cache decides. Since a plan
 * parts values by commas, a colon may stand for each comma. "" is off, where the kernel takes a
 * value that is empty for FZPU; empty letters before names are FZPU here as well.
 */
#include "allocators/slub_control.h"

static const char *const slub_auto[] = {"auto", NULL};
static const char *const slub_generations[] = {"6.1", "6.12", "6.18", NULL};

#define SLUB_ROW(field, row_flags, row_def, row_min, row_max, row_choices, row_help)               \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_INT, .flags = (row_flags),                                   \
  .offset = offsetof(struct slub_params, field), .def = (row_def), .min = (row_min),               \
  .max = (row_max), .choices = (row_choices), .help = (row_help),                                  \
 }
#define SLUB_BOOL(field, row_flags, row_def, row_help)                                             \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_BOOL, .flags = (row_flags),                                  \
  .offset = offsetof(struct slub_params, field), .def = (row_def), .help = (row_help),             \
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
		  "per cent of refills that try other nodes' partial lists"),                      \
	 SLUB_BOOL(hardened, 0, "no",                                                              \
		   "free pointers are stored disguised and a second free in a row is told; "       \
		   "Debian's kernels have it"),                                                    \
	 SLUB_BOOL(random, 0, "no",                                                                \
		   "objects of a new slab are handed out in a random order; Debian's kernels "     \
		   "have it"),                                                                     \
 {                                                                                                 \
  .name = "slab_debug", .type = NSLAB_PARAM_TEXT,                                                  \
  .offset = offsetof(struct slub_params, slab_debug), .def = "",                                   \
  .help = "checks as in the kernel: letters F Z P U O, then names of caches, as in FZ,kmalloc-*"   \
 }

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
	SLUB_BOOL(merge, 0, "yes",
		  "a cache shares the slabs of an older one of the same size and flags; "
		  "no is the kernel's slab_nomerge"),
	NSLAB_PARAM_END,
};

const struct nslab_param sheaves_param_rows[] = {
	SLUB_COMMON_ROWS,
	SLUB_ROW(sheaf_capacity, SLUB_PER_CACHE, "auto", 1, SHEAVES_MAX_CAPACITY, slub_auto,
		 "objects in a sheaf, never fewer than the kernel's own 60, 28, 12 or 4 by size"),
	SLUB_ROW(max_full, NSLAB_PARAM_TUNABLE, "10", 0, 65536, NULL, "full sheaves in a barn"),
	SLUB_ROW(max_empty, NSLAB_PARAM_TUNABLE, "10", 0, 65536, NULL,
		 "empty sheaves that a barn takes back after a grace period"),
	SLUB_BOOL(remote_bypass, NSLAB_PARAM_TUNABLE, "yes",
		  "frees of other nodes' objects go straight to their slabs"),
	SLUB_BOOL(refill_when_nonblocking, NSLAB_PARAM_TUNABLE, "yes",
		  "callers that may not sleep refill sheaves too"),
	SLUB_BOOL(remote_trylock, NSLAB_PARAM_TUNABLE, "yes",
		  "other nodes' list locks are tried and never waited for"),
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
	.merge = true,
};

/* ---- slab_debug ---- */

#define SLUB_COMMAS ",:"

/* One letter; false when it is none. */
static bool slub_debug_letter(char letter, unsigned *flags, bool *may_grow)
{
	switch (letter | 0x20) {
	case 'f':
		*flags |= SLAB_CONSISTENCY_CHECKS;
		return true;
	case 'z':
		*flags |= SLAB_RED_ZONE;
		return true;
	case 'p':
		*flags |= SLAB_POISON;
		return true;
	case 'u':
		*flags |= SLAB_STORE_USER;
		return true;
	case 'o':
		*may_grow = false;
		return true;
	default:
		return false;
	}
}

/* The letters at the start of a block; returns the letter that is none, or NUL. */
static char slub_debug_letters(const char *block, size_t len, unsigned *flags, bool *may_grow)
{
	*flags = 0;
	if (len == 1 && *block == '-')
		return '\0';
	for (size_t i = 0; i < len; i++) {
		if (!slub_debug_letter(block[i], flags, may_grow))
			return block[i];
	}
	if (!len)
		*flags = SLUB_DEBUG_FLAGS;
	return '\0';
}

/* Is the cache one of the names in a block, each behind a comma? */
static bool slub_debug_names(const char *names, const char *end, const char *name)
{
	while (names < end) {
		size_t len = strcspn(++names, SLUB_COMMAS ";");
		const char *star = memchr(names, '*', len);
		size_t compared = star ? (size_t)(star - names) : len;

		if (compared <= strlen(name) && !strncmp(name, names, compared) &&
		    (star || !name[compared]))
			return true;
		names += len;
	}
	return false;
}

int slub_debug_parse(const char *text, const char *name, unsigned *flags, bool *may_grow)
{
	unsigned found;

	*flags = 0;
	*may_grow = true;
	for (const char *block = text; *block;) {
		size_t letters = strcspn(block, SLUB_COMMAS ";"), len = strcspn(block, ";");

		if (slub_debug_letters(block, letters, &found, may_grow))
			return -EINVAL;
		if (letters == len) {
			*flags = found;
		} else if (slub_debug_names(block + letters, block + len, name)) {
			*flags = found;
			return 0;
		}
		block += len + (block[len] == ';');
	}
	return 0;
}

int slub_debug_check_text(const struct nslab_env *env, const struct slub_params *params)
{
	bool may_grow;
	unsigned flags;

	if (!slub_debug_parse(params->slab_debug, "", &flags, &may_grow))
		return 0;
	env->report(env,
		    "slab_debug '%s' is not of letters F, Z, P, U, O or - alone, with names of "
		    "caches behind commas and blocks parted by ';'",
		    params->slab_debug);
	return -EINVAL;
}
