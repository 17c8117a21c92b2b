/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_pages.c: arenas on this machine, on invented topologies, and where the kernel refuses.
 *
 * Topologies are made by hand, so nothing here needs hwloc. Blocks are "allocated" by writing head
 * records. Refusals are real: a child installs a seccomp filter and opens an arena.
 */
#define _GNU_SOURCE
#include "topology/pages.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <numa.h>
#include <numaif.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB	  ((size_t)1 << 20)
#define MAX_NODES 8

struct fake_topo {
	struct nslab_topo topo;
	struct nslab_topo_node nodes[MAX_NODES];
	unsigned distances[MAX_NODES * MAX_NODES];
};

static void fake_topo(struct fake_topo *t, int nr_nodes)
{
	memset(t, 0, sizeof(*t));
	snprintf(t->topo.source, sizeof(t->topo.source), "test");
	t->topo.nr_nodes = nr_nodes;
	t->topo.nodes = t->nodes;
	t->topo.distances = t->distances;
	for (int i = 0; i < nr_nodes; i++) {
		t->nodes[i].os_index = i;
		t->nodes[i].memory_bytes = 1024 * MIB;
		t->nodes[i].nr_pus = 1;
	}
	for (int i = 0; i < nr_nodes * nr_nodes; i++)
		t->distances[i] = i % (nr_nodes + 1) ? 20 : 10;
}

/* This machine's nodes with memory that this process may use. */
static void machine_topo(struct fake_topo *t)
{
	struct bitmask *allowed = numa_get_mems_allowed();
	int nr = 0;

	fake_topo(t, MAX_NODES);
	for (unsigned node = 0; node < allowed->size && nr < MAX_NODES; node++) {
		long long bytes = numa_bitmask_isbitset(allowed, node)
					  ? numa_node_size64((int)node, NULL)
					  : 0;

		if (bytes <= 0)
			continue;
		t->nodes[nr].os_index = (int)node;
		t->nodes[nr++].memory_bytes = (uint64_t)bytes;
	}
	numa_bitmask_free(allowed);
	t->topo.nr_nodes = nr;
	t->topo.is_this_machine = true;
	for (int i = 0; i < nr * nr; i++)
		t->distances[i] = i % (nr + 1) ? 20 : 10;
}

static struct nslab_arena_map *open_arena(struct fake_topo *t, enum nslab_memory_kind kind,
					  size_t node_bytes)
{
	struct nslab_arena_spec spec = {
		.topo = &t->topo,
		.memory = {.kind = kind, .node = kind == NSLAB_MEMORY_NODE ? 0 : -1},
		.node_bytes = node_bytes,
		.nr_cpus = 2,
	};
	struct nslab_arena_map *map = NULL;
	struct nslab_err err;

	assert_int_equal(nslab_arena_map_open(&spec, &map, &err), 0);
	assert_non_null(map);
	return map;
}

/* Marks a block allocated; touches it when asked to. */
static void mark(const struct nslab_arena *arena, size_t pfn, unsigned order, bool is_touched)
{
	struct nslab_page *page = &arena->pages[pfn];

	page->flags = NSLAB_PAGE_HEAD;
	page->order = (uint8_t)order;
	if (is_touched)
		memset(nslab_arena_address(arena, page), 1, NSLAB_PAGE_SIZE << order);
}

static void mark_nodes(const struct nslab_arena *arena)
{
	for (int node = 0; node < arena->nr_nodes; node++) {
		size_t first = (size_t)node << (arena->node_shift - NSLAB_PAGE_SHIFT);

		mark(arena, first, 3, true);
		mark(arena, first + 64, 0, true);
		mark(arena, first + 512, 9, true);
	}
}

static struct nslab_page_check verify(struct nslab_arena_map *map, unsigned max_pages)
{
	struct nslab_page_check check;
	struct nslab_err err;

	assert_int_equal(nslab_arena_verify(map, max_pages, 42, &check, &err), 0);
	return check;
}

static void skip_when_refused(struct nslab_arena_map *map)
{
	const char *reason = nslab_arena_unavailable(map);

	if (!*reason)
		return;
	print_message("skipped: placement unavailable: %s\n", reason);
	nslab_arena_map_close(map);
	skip();
}

/* ---- geometry ---- */

static void arena_lays_nodes_out_in_powers_of_two_when_opened(void **state)
{
	const struct nslab_arena *a;
	struct nslab_arena_map *map;
	struct fake_topo t;

	(void)state;
	fake_topo(&t, 4);
	t.nodes[1].memory_bytes = 0;
	t.nodes[3].nr_pus = 0;
	t.distances[0 * 4 + 3] = 300;
	map = open_arena(&t, NSLAB_MEMORY_LOCAL, 5 * MIB);
	a = nslab_arena_map_arena(map);
	assert_int_equal(a->nr_nodes, 3);
	assert_int_equal(a->node_bytes, 8 * MIB);
	assert_int_equal(a->node_shift, 23);
	assert_int_equal(a->base % (4 * MIB), 0);
	assert_int_equal(nslab_arena_map_node(map, 0), 0);
	assert_int_equal(nslab_arena_map_node(map, 1), -1);
	assert_int_equal(nslab_arena_map_node(map, 3), 2);
	assert_int_equal(nslab_arena_map_node(map, 99), -1);
	assert_int_equal(a->distance[0 * 3 + 0], 10);
	assert_int_equal(a->distance[0 * 3 + 1], 20);
	assert_int_equal(a->distance[0 * 3 + 2], 255);
	assert_int_equal(a->node_has_cpus[1], 1);
	assert_int_equal(a->node_has_cpus[2], 0);
	/* first and last byte, first and last record are there */
	*(volatile char *)a->base = 1;
	*(volatile char *)(a->base + 2 * 8 * MIB + 8 * MIB - 1) = 1;
	a->pages[0].order = 1;
	a->pages[3 * 2048 - 1].order = 1;
	nslab_arena_map_close(map);
}

static void arena_sizes_itself_by_the_smallest_node_when_not_told(void **state)
{
	struct nslab_arena_map *map;
	struct fake_topo t;

	(void)state;
	fake_topo(&t, 2);
	t.nodes[0].memory_bytes = (uint64_t)64 << 30;
	t.nodes[1].memory_bytes = 512 * MIB;
	map = open_arena(&t, NSLAB_MEMORY_LOCAL, 0);
	assert_int_equal(nslab_arena_map_arena(map)->node_bytes, 256 * MIB);
	nslab_arena_map_close(map);
	map = open_arena(&t, NSLAB_MEMORY_INTERLEAVE, 0);
	assert_int_equal(nslab_arena_map_arena(map)->nr_nodes, 1);
	assert_int_equal(nslab_arena_map_arena(map)->node_bytes, 1280 * MIB);
	assert_int_equal(nslab_arena_map_node(map, -1), 0);
	nslab_arena_map_close(map);
}

static void arena_refuses_when_the_specification_cannot_be_met(void **state)
{
	struct nslab_arena_spec spec = {.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1}};
	struct nslab_arena_map *map = NULL;
	struct nslab_err err;
	struct fake_topo t;

	(void)state;
	fake_topo(&t, 2);
	spec.topo = &t.topo;
	t.nodes[0].memory_bytes = 0;
	spec.memory.kind = NSLAB_MEMORY_NODE;
	spec.memory.node = 0;
	assert_int_equal(nslab_arena_map_open(&spec, &map, &err), -EINVAL);
	assert_string_equal(err.text,
			    "cannot make an arena: node number 0 of 'test' has no memory");
	spec.memory.node = 2;
	assert_int_equal(nslab_arena_map_open(&spec, &map, &err), -EINVAL);
	spec.memory.node = 1;
	spec.node_bytes = (size_t)1 << 41;
	assert_int_equal(nslab_arena_map_open(&spec, &map, &err), -ERANGE);
	spec.node_bytes = 0;
	t.nodes[1].memory_bytes = 0;
	assert_int_equal(nslab_arena_map_open(&spec, &map, &err), -ENODEV);
	assert_null(map);
}

static void arena_says_simulated_when_nodes_are_invented(void **state)
{
	struct nslab_page_check check;
	struct nslab_arena_map *map;
	struct fake_topo t;

	(void)state;
	fake_topo(&t, 4);
	t.topo.is_this_machine = true;
	t.topo.is_simulated = true;
	map = open_arena(&t, NSLAB_MEMORY_LOCAL, 4 * MIB);
	assert_string_equal(nslab_arena_unavailable(map), "simulated nodes");
	assert_int_equal(nslab_arena_map_arena(map)->node_os_index[3], -1);
	mark_nodes(nslab_arena_map_arena(map));
	check = verify(map, 100);
	assert_string_equal(check.unavailable, "simulated nodes");
	assert_int_equal(check.nr_sampled, 0);
	assert_true(isnan(check.hit_rate));
	nslab_arena_map_close(map);
}

/* ---- placement on this machine ---- */

static void arena_is_a_file_that_can_be_mapped_again_when_it_is_shared(void **state)
{
	struct nslab_arena_spec spec = {
		.memory = {.node = -1}, .node_bytes = 8 * MIB, .nr_cpus = 1};
	const struct nslab_arena *arena;
	struct nslab_arena_map *like, *map;
	struct fake_topo t;
	struct nslab_err err;
	char *again, *page;

	(void)state;
	fake_topo(&t, 2);
	t.topo.is_simulated = true;
	spec.topo = &t.topo;
	assert_int_equal(nslab_arena_map_open(&spec, &like, &err), 0);
	assert_int_equal(nslab_arena_map_fd(like), -1);
	assert_int_equal(nslab_arena_map_open_shared(like, 0, &map, &err), 0);
	nslab_arena_map_close(like);
	arena = nslab_arena_map_arena(map);
	assert_int_equal(arena->nr_nodes, 2);
	assert_int_equal(arena->distance[1], 20);
	assert_int_equal(arena->base % (4 * MIB), 0);
	page = (char *)arena->base + 9 * MIB;
	again = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, nslab_arena_map_fd(map),
		     (off_t)(9 * MIB));
	assert_ptr_not_equal(again, MAP_FAILED);
	*page = 7;
	assert_int_equal(*again, 7);
	munmap(again, 4096);
	nslab_arena_map_close(map);
}

static void arena_places_every_page_when_memory_is_local(void **state)
{
	struct nslab_page_check check;
	struct nslab_arena_map *map;
	struct fake_topo t;

	(void)state;
	machine_topo(&t);
	map = open_arena(&t, NSLAB_MEMORY_LOCAL, 16 * MIB);
	skip_when_refused(map);
	mark_nodes(nslab_arena_map_arena(map));
	check = verify(map, 200);
	assert_string_equal(check.unavailable, "");
	assert_int_equal(check.nr_sampled, 200);
	assert_int_equal(check.nr_resident, 200);
	assert_int_equal(check.nr_right, 200);
	assert_true(check.hit_rate == 1.0);
	check = verify(map, 100000);
	assert_int_equal(check.nr_sampled, 521 * nslab_arena_map_arena(map)->nr_nodes);
	nslab_arena_map_close(map);
}

static void arena_spreads_or_leaves_pages_when_memory_is_one_part(void **state)
{
	static const enum nslab_memory_kind kinds[] = {NSLAB_MEMORY_INTERLEAVE,
						       NSLAB_MEMORY_FIRST_TOUCH};
	struct fake_topo t;

	(void)state;
	machine_topo(&t);
	for (int i = 0; i < 2; i++) {
		struct nslab_arena_map *map = open_arena(&t, kinds[i], 16 * MIB);
		struct nslab_page_check check;

		skip_when_refused(map);
		mark_nodes(nslab_arena_map_arena(map));
		check = verify(map, 400);
		assert_int_equal(check.nr_resident, 400);
		assert_true(check.hit_rate >= 0.99);
		nslab_arena_map_close(map);
	}
}

/* Nothing that was not touched has a node. */
static void arena_leaves_pages_out_when_they_are_not_resident(void **state)
{
	struct nslab_page_check check;
	struct nslab_arena_map *map;
	struct fake_topo t;

	(void)state;
	machine_topo(&t);
	map = open_arena(&t, NSLAB_MEMORY_LOCAL, 16 * MIB);
	skip_when_refused(map);
	check = verify(map, 10);
	assert_int_equal(check.nr_sampled, 0);
	mark(nslab_arena_map_arena(map), 100, 2, false);
	check = verify(map, 10);
	assert_int_equal(check.nr_sampled, 4);
	assert_int_equal(check.nr_resident, 0);
	assert_true(isnan(check.hit_rate));
	mark(nslab_arena_map_arena(map), 200, 1, true);
	check = verify(map, 10);
	assert_int_equal(check.nr_sampled, 6);
	assert_int_equal(check.nr_resident, 2);
	assert_true(check.hit_rate == 1.0);
	nslab_arena_map_close(map);
}

static void arena_tells_that_pages_are_wrong_when_the_node_is_absent(void **state)
{
	struct nslab_page_check check;
	struct nslab_arena_map *map;
	struct fake_topo t;

	(void)state;
	machine_topo(&t);
	map = open_arena(&t, NSLAB_MEMORY_LOCAL, 4 * MIB);
	skip_when_refused(map);
	nslab_arena_map_close(map);
	t.topo.nr_nodes = 1;
	t.nodes[0].os_index = 1000;
	map = open_arena(&t, NSLAB_MEMORY_LOCAL, 4 * MIB);
	assert_string_equal(nslab_arena_unavailable(map),
			    "cpuset allows no node 1000: mbind: Invalid argument");
	mark_nodes(nslab_arena_map_arena(map));
	check = verify(map, 100);
	assert_string_equal(check.unavailable, nslab_arena_unavailable(map));
	assert_int_equal(check.nr_resident, 100);
	assert_int_equal(check.nr_right, 0);
	assert_true(check.hit_rate == 0);
	nslab_arena_map_close(map);
}

/* A set of two nodes of which one does not exist: half of what lies on the other is too much. */
static void arena_calls_pages_uneven_when_interleave_is_not_in_force(void **state)
{
	struct nslab_page_check check;
	struct nslab_arena_map *map;
	struct fake_topo t;

	(void)state;
	machine_topo(&t);
	if (t.topo.nr_nodes != 1) {
		print_message("skipped: needs a machine with one node\n");
		skip();
	}
	t.topo.nr_nodes = 2;
	t.nodes[1].os_index = t.nodes[0].os_index + 1;
	t.nodes[1].memory_bytes = 64 * MIB;
	map = open_arena(&t, NSLAB_MEMORY_INTERLEAVE, 4 * MIB);
	mark_nodes(nslab_arena_map_arena(map));
	check = verify(map, 500);
	if (!check.nr_resident) {
		print_message("skipped: %s\n", check.unavailable);
		nslab_arena_map_close(map);
		skip();
	}
	/* 250 + 4 * sqrt(125) of 500 */
	assert_int_equal(check.nr_right, 295);
	nslab_arena_map_close(map);
}

/* ---- refusals ---- */

struct refusal {
	int nr_calls;
	int calls[4];
	int error;
	const char *text;
};

static int filter_calls(const struct refusal *r)
{
	struct sock_filter code[16];
	struct sock_fprog program = {.filter = code};
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (int i = 0; i < r->nr_calls; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (unsigned)r->calls[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							 SECCOMP_RET_ERRNO | (unsigned)r->error);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) ? -errno : 0;
}

enum {
	CHILD_RIGHT,
	CHILD_NO_FILTER,
	CHILD_NOT_OPENED,
	CHILD_OTHER_TEXT,
	CHILD_OTHER_CHECK
};

/* Runs in a child: no assertion may unwind out of here. */
static int child_main(struct fake_topo *t, const struct refusal *r)
{
	struct nslab_arena_spec spec = {.topo = &t->topo, .node_bytes = 4 * MIB, .nr_cpus = 1};
	struct nslab_page_check check;
	struct nslab_arena_map *map;
	struct nslab_err err;
	const char *text;

	spec.memory.kind = NSLAB_MEMORY_LOCAL;
	if (filter_calls(r))
		return CHILD_NO_FILTER;
	if (nslab_arena_map_open(&spec, &map, &err))
		return CHILD_NOT_OPENED;
	text = nslab_arena_unavailable(map);
	if (strcmp(text, r->text)) {
		fprintf(stderr, "got '%s', expected '%s'\n", text, r->text);
		return CHILD_OTHER_TEXT;
	}
	mark_nodes(nslab_arena_map_arena(map));
	if (nslab_arena_verify(map, 10, 1, &check, &err) || strcmp(check.unavailable, r->text))
		return CHILD_OTHER_CHECK;
	return CHILD_RIGHT;
}

static void arena_opens_and_tells_the_reason_when_the_kernel_refuses(void **state)
{
	static const struct refusal refusals[] = {
		{4,
		 {SYS_get_mempolicy, SYS_set_mempolicy, SYS_mbind, SYS_move_pages},
		 EPERM,
		 "seccomp: get_mempolicy: Operation not permitted"},
		{1, {SYS_mbind}, EPERM, "seccomp: mbind: Operation not permitted"},
		{1, {SYS_move_pages}, EPERM, "seccomp: move_pages: Operation not permitted"},
		{4,
		 {SYS_get_mempolicy, SYS_set_mempolicy, SYS_mbind, SYS_move_pages},
		 ENOSYS,
		 "kernel without NUMA support: get_mempolicy: Function not implemented"},
	};
	struct fake_topo t;

	(void)state;
	machine_topo(&t);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid)
			_exit(child_main(&t, &refusals[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == CHILD_NO_FILTER) {
			print_message("skipped: this kernel takes no seccomp filter\n");
			skip();
		}
		assert_int_equal(WEXITSTATUS(status), CHILD_RIGHT);
	}
}

/* ---- metadata ---- */

static void assert_zeros(const char *ptr, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(ptr[i], 0);
}

static void meta_is_aligned_and_zero_when_it_was_used_before(void **state)
{
	static const size_t sizes[] = {0,    1,	   64,	   65,	   1000,   1984,
				       2049, 4096, 200000, 262144, 3000000};
	struct nslab_arena_map *map;
	struct fake_topo t;

	(void)state;
	fake_topo(&t, 2);
	map = open_arena(&t, NSLAB_MEMORY_LOCAL, 4 * MIB);
	for (int pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			char *a = nslab_arena_alloc_meta(map, sizes[i], (int)(i % 2));
			char *b = nslab_arena_alloc_meta(map, sizes[i], -1);

			assert_true(a && b && a != b);
			assert_int_equal((uintptr_t)a % 64, 0);
			assert_int_equal((uintptr_t)b % 64, 0);
			assert_zeros(a, sizes[i]);
			memset(a, 0xff, sizes[i]);
			assert_zeros(b, sizes[i]);
			memset(b, 0xff, sizes[i]);
			nslab_arena_free_meta(map, a, sizes[i]);
			nslab_arena_free_meta(map, b, sizes[i]);
		}
	}
	nslab_arena_free_meta(map, NULL, 64);
	assert_null(nslab_arena_alloc_meta(map, SIZE_MAX, 0));
	nslab_arena_map_close(map);
}

static void meta_reuses_memory_when_it_came_back_to_the_same_node(void **state)
{
	struct nslab_arena_map *map;
	struct fake_topo t;
	void *a, *b;

	(void)state;
	fake_topo(&t, 2);
	map = open_arena(&t, NSLAB_MEMORY_LOCAL, 4 * MIB);
	a = nslab_arena_alloc_meta(map, 300, 1);
	nslab_arena_free_meta(map, a, 300);
	b = nslab_arena_alloc_meta(map, 300, 0);
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(nslab_arena_alloc_meta(map, 310, 1), a);
	nslab_arena_map_close(map);
}

static void meta_lies_on_its_node_when_placement_is_possible(void **state)
{
	struct nslab_arena_map *map;
	struct fake_topo t;

	(void)state;
	machine_topo(&t);
	map = open_arena(&t, NSLAB_MEMORY_LOCAL, 4 * MIB);
	skip_when_refused(map);
	for (int node = 0; node < t.topo.nr_nodes; node++) {
		char *ptr = nslab_arena_alloc_meta(map, 100, node);
		void *page = (void *)((uintptr_t)ptr & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1));
		int status = -1;

		*ptr = 1;
		assert_int_equal(move_pages(0, 1, &page, NULL, &status, 0), 0);
		assert_int_equal(status, t.nodes[node].os_index);
	}
	nslab_arena_map_close(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_lays_nodes_out_in_powers_of_two_when_opened),
		cmocka_unit_test(arena_sizes_itself_by_the_smallest_node_when_not_told),
		cmocka_unit_test(arena_refuses_when_the_specification_cannot_be_met),
		cmocka_unit_test(arena_says_simulated_when_nodes_are_invented),
		cmocka_unit_test(arena_is_a_file_that_can_be_mapped_again_when_it_is_shared),
		cmocka_unit_test(arena_places_every_page_when_memory_is_local),
		cmocka_unit_test(arena_spreads_or_leaves_pages_when_memory_is_one_part),
		cmocka_unit_test(arena_leaves_pages_out_when_they_are_not_resident),
		cmocka_unit_test(arena_tells_that_pages_are_wrong_when_the_node_is_absent),
		cmocka_unit_test(arena_calls_pages_uneven_when_interleave_is_not_in_force),
		cmocka_unit_test(arena_opens_and_tells_the_reason_when_the_kernel_refuses),
		cmocka_unit_test(meta_is_aligned_and_zero_when_it_was_used_before),
		cmocka_unit_test(meta_reuses_memory_when_it_came_back_to_the_same_node),
		cmocka_unit_test(meta_lies_on_its_node_when_placement_is_possible),
	};

	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
