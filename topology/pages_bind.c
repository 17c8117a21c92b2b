/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages_bind.c: the calls that place memory, and the reasons why the kernel refuses them.
 *
 * libnuma's own allocation calls succeed silently where mbind fails (a container's seccomp filter,
 * a cpuset), so only its bare system call wrappers are used and each result is looked at. The probe
 * makes each kind of call once on one page: get_mempolicy, mbind, move_pages. A failure becomes
 * one line that names the mechanism (seccomp, cpuset, kernel without NUMA) and the call.
 *
 * Nothing here changes a policy of the thread or process: only of the stretch that is given.
 */
#define _GNU_SOURCE
#include "topology/pages_internal.h"

#include <errno.h>
#include <numaif.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The kernel takes one bit less than it is told. */
#define KERNEL_MASK_BITS (NODE_MASK_BITS + 1)

static const char *refuser(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return "seccomp: ";
	case ENOSYS:
		return "kernel without NUMA support: ";
	default:
		return "";
	}
}

static int refuse(char reason[REASON_BYTES], const char *call, int error)
{
	snprintf(reason, REASON_BYTES, "%s%s: %s", refuser(error), call, strerror(error));
	return -error;
}

/* The first wanted node that this process may not use, or -1. */
static int node_not_allowed(const struct node_mask *wanted)
{
	struct node_mask allowed = {{0}};

	if (get_mempolicy(NULL, allowed.word, KERNEL_MASK_BITS, NULL, MPOL_F_MEMS_ALLOWED))
		return -1;
	for (int node = 0; node < NODE_MASK_BITS; node++) {
		if (node_mask_has(wanted, node) && !node_mask_has(&allowed, node))
			return node;
	}
	return -1;
}

static int refuse_bind(char reason[REASON_BYTES], const struct node_mask *wanted, int error)
{
	int node = error == EINVAL ? node_not_allowed(wanted) : -1;

	if (node < 0)
		return refuse(reason, "mbind", error);
	snprintf(reason, REASON_BYTES, "cpuset allows no node %d: mbind: %s", node,
		 strerror(error));
	return -error;
}

int arena_bind(const struct nslab_arena_map *map, int part, void *start, size_t bytes,
	       char reason[REASON_BYTES])
{
	const struct node_mask *wanted = &map->parts[part].wanted;
	int mode = map->policy == PART_INTERLEAVE ? MPOL_INTERLEAVE : MPOL_BIND;

	if (map->policy == PART_NO_POLICY)
		return 0;
	if (mbind(start, bytes, mode, wanted->word, KERNEL_MASK_BITS, MPOL_MF_STRICT))
		return refuse_bind(reason, wanted, errno);
	return 0;
}

int arena_query(size_t nr, void **addresses, int *status)
{
	return move_pages(0, nr, addresses, NULL, status, 0) < 0 ? -errno : 0;
}

static bool probe_page(const struct nslab_arena_map *map, void *page, char reason[REASON_BYTES])
{
	int mode, status, rc;

	if (get_mempolicy(&mode, NULL, 0, NULL, 0)) {
		refuse(reason, "get_mempolicy", errno);
		return false;
	}
	if (arena_bind(map, 0, page, (size_t)sysconf(_SC_PAGESIZE), reason))
		return false;
	*(volatile char *)page = 1;
	rc = arena_query(1, &page, &status);
	if (rc) {
		refuse(reason, "move_pages", -rc);
		return false;
	}
	return true;
}

bool arena_probe(const struct nslab_arena_map *map, char reason[REASON_BYTES])
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool is_possible;

	if (page == MAP_FAILED) {
		refuse(reason, "mmap", errno);
		return false;
	}
	is_possible = probe_page(map, page, reason);
	munmap(page, bytes);
	return is_possible;
}

void arena_advise(const struct nslab_arena_map *map, void *start, size_t bytes)
{
	/* EINVAL means a kernel without huge pages, which is what NEVER wants anyway */
	if (map->huge == NSLAB_HUGE_NEVER)
		madvise(start, bytes, MADV_NOHUGEPAGE);
	else if (map->huge == NSLAB_HUGE_THP)
		madvise(start, bytes, MADV_HUGEPAGE);
}
