/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages.c: the arena: one reservation, cut into parts, each bound to its nodes before any touch.
 *
 * The whole arena is one mmap without backing (MAP_NORESERVE), so it costs address space until a
 * page is touched. Part n starts n << node_shift after an address that is 4 MiB aligned; the
 * distance between parts is a power of two, so that the node of an address is a subtraction and a
 * shift. A second mapping holds one 64-byte record for each frame; the records of a part are bound
 * as the part is, because the page allocator of that node touches them.
 *
 * Order matters: probe, map, madvise, mbind, and only then the first touch. Binding after a touch
 * would leave the touched pages where they are. When the kernel refuses, the arena is complete but
 * unbound, and says so; the caller decides whether such a run is worth anything.
 *
 * Invariants: base and node_bytes are multiples of 4 MiB; arena nodes are dense and hold only
 * nodes with memory; nothing in here changes after open, except the metadata (pages_meta.c).
 *
 * A shared arena is the same over a file in memory instead of anonymous memory; its policies belong
 * to the file's pages, whichever mapping touches them first.
 *
 * Left out: growing an arena, huge pages under a shared one, and migration of pages that are
 * already touched.
 */
#define _GNU_SOURCE
#include "topology/pages_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEFAULT_BYTES_MAX ((uint64_t)1 << 30)
#define DEFAULT_BYTES_MIN ((uint64_t)64 << 20)
#define NODE_BYTES_MAX	  ((uint64_t)1 << 40)

static bool has_memory(const struct nslab_topo *topo, int node)
{
	return topo->nodes[node].memory_bytes > 0;
}

static bool memory_is_split(const struct nslab_memory *memory)
{
	return memory->kind != NSLAB_MEMORY_INTERLEAVE && memory->kind != NSLAB_MEMORY_FIRST_TOUCH;
}

static int check_spec(const struct nslab_arena_spec *spec, struct nslab_err *err)
{
	const struct nslab_topo *topo = spec->topo;
	int nr = 0;

	for (int i = 0; i < topo->nr_nodes; i++)
		nr += has_memory(topo, i);
	if (!nr)
		return nslab_fail(err, -ENODEV, "cannot make an arena: no node of '%s' has memory",
				  topo->source);
	if (nr > NSLAB_MAX_NODES)
		return nslab_fail(err, -E2BIG,
				  "cannot make an arena: '%s' has %d nodes with memory, at most %d "
				  "are accepted",
				  topo->source, nr, NSLAB_MAX_NODES);
	if (spec->node_bytes > NODE_BYTES_MAX)
		return nslab_fail(err, -ERANGE,
				  "cannot make an arena: %zu bytes for each node, at most %llu are "
				  "accepted",
				  spec->node_bytes, (unsigned long long)NODE_BYTES_MAX);
	if (spec->memory.kind == NSLAB_MEMORY_NODE &&
	    (spec->memory.node < 0 || spec->memory.node >= topo->nr_nodes ||
	     !has_memory(topo, spec->memory.node)))
		return nslab_fail(err, -EINVAL,
				  "cannot make an arena: node number %d of '%s' has no memory",
				  spec->memory.node, topo->source);
	return 0;
}

/*
 * Half of the node's memory, at most 1 GiB: of the smallest node for an arena of parts, so that
 * no part can be filled beyond what its node has; of all nodes together for a single part.
 */
static uint64_t default_bytes(const struct nslab_arena_spec *spec)
{
	bool is_split = memory_is_split(&spec->memory);
	uint64_t limit = is_split ? UINT64_MAX : 0;

	for (int i = 0; i < spec->topo->nr_nodes; i++) {
		uint64_t half = spec->topo->nodes[i].memory_bytes / 2;

		if (!half)
			continue;
		half = half < DEFAULT_BYTES_MAX ? half : DEFAULT_BYTES_MAX;
		if (!is_split)
			limit += half;
		else if (half < limit)
			limit = half;
	}
	if (limit > NODE_BYTES_MAX)
		limit = NODE_BYTES_MAX;
	return limit > DEFAULT_BYTES_MIN ? limit : DEFAULT_BYTES_MIN;
}

static int alloc_tables(struct nslab_arena_map *map)
{
	size_t nr = (size_t)map->arena.nr_nodes;

	map->parts = calloc(nr, sizeof(*map->parts));
	map->distance = calloc(nr * nr, 1);
	map->node_has_cpus = calloc(nr, 1);
	map->node_os_index = calloc(nr, sizeof(*map->node_os_index));
	if (!map->parts || !map->distance || !map->node_has_cpus || !map->node_os_index)
		return -ENOMEM;
	map->arena.distance = map->distance;
	map->arena.node_has_cpus = map->node_has_cpus;
	map->arena.node_os_index = map->node_os_index;
	return 0;
}

static uint8_t slit_value(unsigned distance)
{
	return distance > UINT8_MAX ? UINT8_MAX : (uint8_t)distance;
}

static void fill_split(struct nslab_arena_map *map, const struct nslab_arena_spec *spec)
{
	const struct nslab_topo *topo = spec->topo;
	int nr = 0;

	for (int i = 0; i < topo->nr_nodes; i++) {
		if (!has_memory(topo, i))
			continue;
		map->parts[nr].topo_node = i;
		node_mask_add(&map->parts[nr].wanted, topo->nodes[i].os_index);
		map->node_os_index[nr] = map->is_simulated ? -1 : topo->nodes[i].os_index;
		map->node_has_cpus[nr] = topo->nodes[i].nr_pus > 0;
		nr++;
	}
	for (int from = 0; from < nr; from++) {
		for (int to = 0; to < nr; to++)
			map->distance[from * nr + to] = slit_value(
				topo->distances[map->parts[from].topo_node * topo->nr_nodes +
						map->parts[to].topo_node]);
	}
}

static void fill_single(struct nslab_arena_map *map, const struct nslab_arena_spec *spec)
{
	map->parts[0].topo_node = -1;
	map->node_os_index[0] = -1;
	map->node_has_cpus[0] = 1;
	map->distance[0] = 10;
	for (int i = 0; i < spec->topo->nr_nodes; i++) {
		if (has_memory(spec->topo, i))
			node_mask_add(&map->parts[0].wanted, spec->topo->nodes[i].os_index);
	}
}

static int fill_parts(struct nslab_arena_map *map, const struct nslab_arena_spec *spec)
{
	bool is_split = memory_is_split(&spec->memory);
	int rc;

	map->arena.nr_nodes = 1;
	if (is_split) {
		map->arena.nr_nodes = 0;
		for (int i = 0; i < spec->topo->nr_nodes; i++)
			map->arena.nr_nodes += has_memory(spec->topo, i);
	}
	rc = alloc_tables(map);
	if (rc)
		return rc;
	if (is_split)
		fill_split(map, spec);
	else
		fill_single(map, spec);
	return 0;
}

static void set_node_bytes(struct nslab_arena_map *map, uint64_t bytes)
{
	bytes = (bytes + PART_ALIGN - 1) & ~(uint64_t)(PART_ALIGN - 1);
	map->arena.node_bytes = (size_t)bytes;
	map->arena.node_shift = 22;
	while ((uint64_t)1 << map->arena.node_shift < bytes)
		map->arena.node_shift++;
}

static void *map_anonymous(size_t bytes)
{
	void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return start == MAP_FAILED ? NULL : start;
}

/* A file in memory takes the place of the arena's bytes; it costs nothing until it is touched. */
static int map_file(struct nslab_arena_map *map, size_t total)
{
	int rc = 0;

	map->fd = memfd_create("numaslab-arena", MFD_CLOEXEC);
	if (map->fd < 0)
		return -errno;
	if (ftruncate(map->fd, (off_t)total) ||
	    mmap((void *)map->arena.base, total, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 map->fd, 0) == MAP_FAILED) {
		rc = -errno;
		close(map->fd);
		map->fd = -1;
	}
	return rc;
}

/* Pages of the pool take the place of the arena's bytes; the kernel sets them aside now. */
static int map_huge(const struct nslab_arena_map *map, size_t total)
{
	void *base = mmap((void *)map->arena.base, total, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB, -1, 0);

	return base == MAP_FAILED ? -errno : 0;
}

/* Both mappings, or none and an error. */
static int reserve(struct nslab_arena_map *map, bool is_shared)
{
	size_t total = (size_t)map->arena.nr_nodes << map->arena.node_shift;
	int rc = 0;

	map->reservation_bytes = total + PART_ALIGN;
	map->pages_bytes = (total >> NSLAB_PAGE_SHIFT) * sizeof(struct nslab_page);
	map->reservation = map_anonymous(map->reservation_bytes);
	if (!map->reservation)
		return -ENOMEM;
	map->arena.pages = map_anonymous(map->pages_bytes);
	if (!map->arena.pages) {
		munmap(map->reservation, map->reservation_bytes);
		map->reservation = NULL;
		return -ENOMEM;
	}
	map->arena.base =
		((uintptr_t)map->reservation + PART_ALIGN - 1) & ~(uintptr_t)(PART_ALIGN - 1);
	if (is_shared)
		rc = map_file(map, total);
	else if (map->huge == NSLAB_HUGE_HUGETLB)
		rc = map_huge(map, total);
	if (rc) {
		munmap(map->arena.pages, map->pages_bytes);
		munmap(map->reservation, map->reservation_bytes);
		map->arena.pages = NULL;
		map->reservation = NULL;
	}
	return rc;
}

/*
 * A default size gives way to what the system lets a process reserve (vm.overcommit_memory=2,
 * RLIMIT_AS); a size that was asked for does not.
 */
static int reserve_some(struct nslab_arena_map *map, const struct nslab_arena_spec *spec,
			struct nslab_err *err)
{
	uint64_t bytes = spec->node_bytes ? spec->node_bytes : default_bytes(spec);
	int rc;

	set_node_bytes(map, bytes);
	rc = reserve(map, false);
	while (rc && !spec->node_bytes && map->arena.node_bytes / 2 >= DEFAULT_BYTES_MIN) {
		set_node_bytes(map, map->arena.node_bytes / 2);
		rc = reserve(map, false);
	}
	if (rc && map->huge == NSLAB_HUGE_HUGETLB)
		return nslab_fail(err, rc,
				  "cannot take %zu MiB for each of %d nodes from the pool of huge "
				  "pages: %s; see HugePages_Free in /proc/meminfo, sysctl "
				  "vm.nr_hugepages makes it larger, huge=thp needs none",
				  map->arena.node_bytes >> 20, map->arena.nr_nodes, strerror(-rc));
	if (rc)
		return nslab_fail(err, rc,
				  "cannot reserve %zu MiB for each of %d nodes: %s; ask for less, "
				  "or see RLIMIT_AS and vm.overcommit_memory",
				  map->arena.node_bytes >> 20, map->arena.nr_nodes, strerror(-rc));
	arena_advise(map, (void *)map->arena.base,
		     (size_t)map->arena.nr_nodes << map->arena.node_shift);
	arena_advise(map, map->arena.pages, map->pages_bytes);
	return 0;
}

static int bind_part(struct nslab_arena_map *map, int part)
{
	size_t stride = arena_map_part_stride(map);
	size_t records = (stride >> NSLAB_PAGE_SHIFT) * sizeof(struct nslab_page);
	int rc = arena_bind(map, part, (void *)(map->arena.base + (size_t)part * stride), stride,
			    map->unavailable);

	if (rc)
		return rc;
	return arena_bind(map, part, (char *)map->arena.pages + (size_t)part * records, records,
			  map->unavailable);
}

static void bind_all(struct nslab_arena_map *map)
{
	if (map->is_simulated) {
		snprintf(map->unavailable, sizeof(map->unavailable), "simulated nodes");
		return;
	}
	if (!arena_probe(map, map->unavailable))
		return;
	map->is_bound = true;
	for (int part = 0; part < map->arena.nr_nodes; part++) {
		if (bind_part(map, part)) {
			map->is_bound = false;
			return;
		}
	}
}

static enum part_policy policy_of(const struct nslab_memory *memory)
{
	switch (memory->kind) {
	case NSLAB_MEMORY_INTERLEAVE:
		return PART_INTERLEAVE;
	case NSLAB_MEMORY_FIRST_TOUCH:
		return PART_NO_POLICY;
	default:
		return PART_BIND;
	}
}

int nslab_arena_map_open(const struct nslab_arena_spec *spec, struct nslab_arena_map **map,
			 struct nslab_err *err)
{
	struct nslab_arena_map *m;
	int rc = check_spec(spec, err);

	if (rc)
		return rc;
	m = calloc(1, sizeof(*m));
	if (!m)
		return nslab_fail(err, -ENOMEM, "cannot make an arena: out of memory");
	m->fd = -1;
	m->policy = policy_of(&spec->memory);
	m->huge = spec->huge;
	m->is_simulated = spec->topo->is_simulated || !spec->topo->is_this_machine;
	m->arena.nr_cpus = spec->nr_cpus > 0 ? spec->nr_cpus : 1;
	pthread_mutex_init(&m->meta_lock, NULL);
	rc = fill_parts(m, spec);
	if (!rc)
		rc = arena_meta_open(m);
	if (rc) {
		nslab_fail(err, rc, "cannot make an arena: out of memory");
		goto out_close;
	}
	rc = reserve_some(m, spec, err);
	if (rc)
		goto out_close;
	bind_all(m);
	*map = m;
	return 0;

out_close:
	nslab_arena_map_close(m);
	return rc;
}

static int copy_parts(struct nslab_arena_map *map, const struct nslab_arena_map *like)
{
	size_t nr = (size_t)like->arena.nr_nodes;
	int rc;

	map->arena.nr_nodes = like->arena.nr_nodes;
	rc = alloc_tables(map);
	if (rc)
		return rc;
	memcpy(map->parts, like->parts, nr * sizeof(*map->parts));
	memcpy(map->distance, like->distance, nr * nr);
	memcpy(map->node_has_cpus, like->node_has_cpus, nr);
	memcpy(map->node_os_index, like->node_os_index, nr * sizeof(*map->node_os_index));
	return arena_meta_open(map);
}

int nslab_arena_map_open_shared(const struct nslab_arena_map *like, size_t node_bytes,
				struct nslab_arena_map **map, struct nslab_err *err)
{
	struct nslab_arena_map *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return nslab_fail(err, -ENOMEM, "cannot make an arena: out of memory");
	m->fd = -1;
	m->policy = like->policy;
	m->huge = like->huge;
	m->is_simulated = like->is_simulated;
	m->arena.nr_cpus = like->arena.nr_cpus;
	pthread_mutex_init(&m->meta_lock, NULL);
	rc = copy_parts(m, like);
	if (!rc) {
		set_node_bytes(m, node_bytes ? node_bytes : like->arena.node_bytes);
		rc = reserve(m, true);
	}
	if (rc) {
		nslab_arena_map_close(m);
		return nslab_fail(err, rc, "cannot make a shared arena: %s", strerror(-rc));
	}
	arena_advise(m, (void *)m->arena.base, (size_t)m->arena.nr_nodes << m->arena.node_shift);
	arena_advise(m, m->arena.pages, m->pages_bytes);
	bind_all(m);
	*map = m;
	return 0;
}

void nslab_arena_map_close(struct nslab_arena_map *map)
{
	if (!map)
		return;
	arena_meta_close(map);
	if (map->arena.pages)
		munmap(map->arena.pages, map->pages_bytes);
	if (map->reservation)
		munmap(map->reservation, map->reservation_bytes);
	if (map->fd >= 0)
		close(map->fd);
	pthread_mutex_destroy(&map->meta_lock);
	free(map->parts);
	free(map->distance);
	free(map->node_has_cpus);
	free(map->node_os_index);
	free(map);
}

const struct nslab_arena *nslab_arena_map_arena(const struct nslab_arena_map *map)
{
	return &map->arena;
}

int nslab_arena_map_fd(const struct nslab_arena_map *map)
{
	return map->fd;
}

int nslab_arena_map_node(const struct nslab_arena_map *map, int topo_node)
{
	if (map->policy != PART_BIND)
		return 0;
	for (int part = 0; part < map->arena.nr_nodes; part++) {
		if (map->parts[part].topo_node == topo_node)
			return part;
	}
	return -1;
}

const char *nslab_arena_unavailable(const struct nslab_arena_map *map)
{
	return map->unavailable;
}
