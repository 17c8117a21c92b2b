/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * topology.c: hwloc to plain arrays, and the only file that knows hwloc.
 *
 * A topology is loaded as lstopo loads it, without what the administrator's cpuset forbids, and
 * copied into struct nslab_topo object by object. When the complete sets name more than the tree
 * shows, it is loaded a second time with HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED: what only the
 * second tree has is disallowed, what neither has is absent (offline, or left out by whoever
 * recorded the file). XML goes through source.c first and is tried in a child process.
 *
 * Invariants: types may stand at several depths (hwloc_get_nbobjs_by_type gives -1 then), so types
 * are always walked depth by depth; cpusets may be infinite, so they are only read up to the
 * highest PU; OS indices are sparse, so nothing is sized by them but one look-up table.
 *
 * HWLOC_XMLFILE and HWLOC_SYNTHETIC are honoured when the machine is asked for, as hwloc does, but
 * are then treated as the files and strings that they are: never as this machine. Left out: I/O
 * objects, groups, dies, and CPU caches above level 3.
 */
#define _GNU_SOURCE
#include "topology/model.h"
#include "topology/source.h"

#include <errno.h>
#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A topology being filled. */
struct load {
	struct nslab_topo_source source;
	char *xml; /* text of the file, or NULL */
	size_t xml_bytes;
	hwloc_topology_t hwloc;
	hwloc_topology_t whole; /* with what is disallowed, or NULL */
	struct nslab_topo *topo;
	int *positions; /* in pus[], by OS index */
	int nr_positions;
};

static int out_of_memory(struct nslab_err *err)
{
	return nslab_fail(err, -ENOMEM, "cannot hold the topology: out of memory");
}

/* ---- walking a type that may stand at several depths ---- */

static hwloc_obj_t first_from_depth(hwloc_topology_t hwloc, hwloc_obj_type_t type, int depth)
{
	for (; depth < hwloc_topology_get_depth(hwloc); depth++) {
		if (hwloc_get_depth_type(hwloc, depth) == type)
			return hwloc_get_obj_by_depth(hwloc, depth, 0);
	}
	return NULL;
}

static hwloc_obj_t first_of(hwloc_topology_t hwloc, hwloc_obj_type_t type)
{
	if (type == HWLOC_OBJ_NUMANODE || type == HWLOC_OBJ_MEMCACHE)
		return hwloc_get_obj_by_type(hwloc, type, 0);
	return first_from_depth(hwloc, type, 0);
}

static hwloc_obj_t next_of(hwloc_topology_t hwloc, hwloc_obj_t obj)
{
	if (obj->next_cousin || obj->depth < 0)
		return obj->next_cousin;
	return first_from_depth(hwloc, obj->type, obj->depth + 1);
}

static int nr_of(hwloc_topology_t hwloc, hwloc_obj_type_t type)
{
	int nr = 0;

	for (hwloc_obj_t obj = first_of(hwloc, type); obj; obj = next_of(hwloc, obj))
		nr++;
	return nr;
}

/* The logical index among all of its type, whatever their depths. */
static int number_of(hwloc_topology_t hwloc, hwloc_obj_t obj)
{
	int nr = (int)obj->logical_index;

	for (int depth = 0; depth < obj->depth; depth++) {
		if (hwloc_get_depth_type(hwloc, depth) == obj->type)
			nr += (int)hwloc_get_nbobjs_by_depth(hwloc, depth);
	}
	return nr;
}

/* ---- PUs ---- */

static hwloc_obj_t ancestor(hwloc_obj_t obj, hwloc_obj_type_t type)
{
	while (obj && obj->type != type)
		obj = obj->parent;
	return obj;
}

static bool is_os_index(unsigned os_index)
{
	return os_index < NSLAB_TOPO_MAX_OS_INDEX;
}

static int fill_pus(struct load *load, struct nslab_err *err)
{
	struct nslab_topo *topo = load->topo;
	int nr = nr_of(load->hwloc, HWLOC_OBJ_PU);
	hwloc_obj_t obj = first_of(load->hwloc, HWLOC_OBJ_PU);

	topo->nr_packages = nr_of(load->hwloc, HWLOC_OBJ_PACKAGE);
	topo->nr_cores = nr_of(load->hwloc, HWLOC_OBJ_CORE);
	topo->pus = calloc((size_t)nr + 1, sizeof(*topo->pus));
	if (!topo->pus)
		return out_of_memory(err);
	for (int i = 0; i < nr && obj; i++, obj = next_of(load->hwloc, obj)) {
		struct nslab_topo_pu *pu = &topo->pus[i];
		hwloc_obj_t core = ancestor(obj, HWLOC_OBJ_CORE);
		hwloc_obj_t package = ancestor(obj, HWLOC_OBJ_PACKAGE);

		if (!is_os_index(obj->os_index))
			return nslab_fail(err, -EINVAL, "PU with OS index %u is not believable",
					  obj->os_index);
		pu->os_index = (int)obj->os_index;
		pu->logical_index = i;
		pu->core = core ? number_of(load->hwloc, core) : topo->nr_cores + i;
		pu->package = package ? number_of(load->hwloc, package) : -1;
		pu->smt = i && pu[-1].core == pu->core ? pu[-1].smt + 1 : 0;
		pu->l3 = -1;
		pu->node = -1;
		pu->is_usable = true;
		topo->nr_pus++;
	}
	load->positions = nslab_topo_pu_positions(topo, &load->nr_positions);
	return load->positions ? 0 : out_of_memory(err);
}

/* The OS indices of the PUs in a cpuset. */
static int pus_of(const struct load *load, hwloc_const_bitmap_t set, int **pus, int *nr)
{
	*nr = 0;
	for (int i = hwloc_bitmap_first(set); i >= 0 && i < load->nr_positions;
	     i = hwloc_bitmap_next(set, i))
		*nr += load->positions[i] >= 0;
	*pus = calloc((size_t)*nr + 1, sizeof(**pus));
	if (!*pus)
		return -ENOMEM;
	*nr = 0;
	for (int i = hwloc_bitmap_first(set); i >= 0 && i < load->nr_positions;
	     i = hwloc_bitmap_next(set, i)) {
		if (load->positions[i] >= 0)
			(*pus)[(*nr)++] = i;
	}
	return 0;
}

/* ---- nodes ---- */

/* Without /sys hwloc finds one node and not its size; the kernel tells that of the whole machine.
 */
static void fill_unknown_memory(struct nslab_topo *topo)
{
	if (topo->is_this_machine && topo->nr_nodes == 1 && !topo->nodes[0].memory_bytes)
		topo->nodes[0].memory_bytes =
			(uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int fill_nodes(struct load *load, struct nslab_err *err)
{
	struct nslab_topo *topo = load->topo;
	int nr = nr_of(load->hwloc, HWLOC_OBJ_NUMANODE);
	hwloc_obj_t obj = first_of(load->hwloc, HWLOC_OBJ_NUMANODE);

	topo->nodes = calloc((size_t)nr + 1, sizeof(*topo->nodes));
	if (!topo->nodes)
		return out_of_memory(err);
	for (; obj && topo->nr_nodes < nr; obj = next_of(load->hwloc, obj)) {
		struct nslab_topo_node *node = &topo->nodes[topo->nr_nodes++];

		if (!is_os_index(obj->os_index))
			return nslab_fail(err, -EINVAL, "node with OS index %u is not believable",
					  obj->os_index);
		node->os_index = (int)obj->os_index;
		node->logical_index = (int)obj->logical_index;
		node->memory_bytes = obj->attr ? obj->attr->numanode.local_memory : 0;
		if (pus_of(load, obj->cpuset, &node->pus, &node->nr_pus))
			return out_of_memory(err);
	}
	fill_unknown_memory(topo);
	return 0;
}

/* The node of lowest OS index with memory below the nearest ancestor that has one. */
static int nearest_in_tree(const struct load *load, hwloc_obj_t obj)
{
	const struct nslab_topo *topo = load->topo;

	for (; obj; obj = obj->parent) {
		int best = -1;

		for (int i = 0; obj->nodeset && i < topo->nr_nodes; i++) {
			const struct nslab_topo_node *node = &topo->nodes[i];

			if (hwloc_bitmap_isset(obj->nodeset, (unsigned)node->os_index) &&
			    nslab_topo_has_memory(topo, i) &&
			    (best < 0 || node->os_index < topo->nodes[best].os_index))
				best = i;
		}
		if (best >= 0)
			return best;
	}
	return -1;
}

static int nearest_by_distance(const struct nslab_topo *topo, int from)
{
	int best = -1;

	for (int i = 0; i < topo->nr_nodes; i++) {
		if (nslab_topo_has_memory(topo, i) &&
		    (best < 0 ||
		     nslab_topo_distance(topo, from, i) < nslab_topo_distance(topo, from, best)))
			best = i;
	}
	return best;
}

/* The closest of the nodes local to a PU that have memory, or -1. */
static int local_with_memory(const struct nslab_topo *topo, hwloc_obj_t obj)
{
	int best = -1;

	for (int i = 0; i < topo->nr_nodes; i++) {
		const struct nslab_topo_node *node = &topo->nodes[i];
		const struct nslab_topo_node *other = best < 0 ? NULL : &topo->nodes[best];

		if (!hwloc_bitmap_isset(obj->nodeset, (unsigned)node->os_index) || !node->nr_pus ||
		    !nslab_topo_has_memory(topo, i))
			continue;
		if (!other || node->nr_pus < other->nr_pus ||
		    (node->nr_pus == other->nr_pus && node->os_index < other->os_index))
			best = i;
	}
	return best;
}

/* The kernel gives each PU to one node; hwloc names every node that the PU is near to. */
static bool has_residents(const struct nslab_topo *topo, int node)
{
	for (int i = 0; i < topo->nr_pus; i++) {
		if (topo->pus[i].home == node)
			return true;
	}
	return false;
}

static int fill_homes(struct load *load, struct nslab_err *err)
{
	struct nslab_topo *topo = load->topo;
	hwloc_obj_t obj = first_of(load->hwloc, HWLOC_OBJ_PU);

	if (nslab_topo_fill_homes(topo))
		return out_of_memory(err);
	for (int i = 0; i < topo->nr_pus && obj; i++, obj = next_of(load->hwloc, obj)) {
		struct nslab_topo_pu *pu = &topo->pus[i];

		/* most machines: one local node, and it has memory */
		if (pu->home >= 0 && topo->nodes[pu->home].memory_bytes)
			pu->node = pu->home;
		else
			pu->node = local_with_memory(topo, obj);
		if (pu->node < 0 && pu->home >= 0 && topo->has_distances)
			pu->node = nearest_by_distance(topo, pu->home);
		if (pu->node < 0)
			pu->node = nearest_in_tree(load, obj);
	}
	for (int i = 0; i < topo->nr_nodes; i++)
		topo->nodes[i].is_memory_only = !has_residents(topo, i);
	return 0;
}

/* ---- caches ---- */

static const hwloc_obj_type_t cache_types[] = {
	HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L1ICACHE, HWLOC_OBJ_L2CACHE,  HWLOC_OBJ_L2ICACHE,
	HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L3ICACHE, HWLOC_OBJ_MEMCACHE,
};

#define NR_CACHE_TYPES (sizeof(cache_types) / sizeof(*cache_types))

static enum nslab_cpu_cache_type cache_type(hwloc_obj_t obj)
{
	if (obj->type == HWLOC_OBJ_MEMCACHE)
		return NSLAB_CPU_CACHE_MEMORY_SIDE;
	switch (obj->attr->cache.type) {
	case HWLOC_OBJ_CACHE_DATA:
		return NSLAB_CPU_CACHE_DATA;
	case HWLOC_OBJ_CACHE_INSTRUCTION:
		return NSLAB_CPU_CACHE_INSTRUCTION;
	default:
		return NSLAB_CPU_CACHE_UNIFIED;
	}
}

static int cache_level(hwloc_obj_type_t type)
{
	switch (type) {
	case HWLOC_OBJ_L1CACHE:
	case HWLOC_OBJ_L1ICACHE:
		return 1;
	case HWLOC_OBJ_L2CACHE:
	case HWLOC_OBJ_L2ICACHE:
		return 2;
	case HWLOC_OBJ_L3CACHE:
	case HWLOC_OBJ_L3ICACHE:
		return 3;
	default:
		return 0;
	}
}

static int fill_cache(struct load *load, hwloc_obj_t obj)
{
	struct nslab_topo *topo = load->topo;
	struct nslab_topo_cache *cache = &topo->caches[topo->nr_caches++];

	cache->level = cache_level(obj->type);
	cache->type = cache_type(obj);
	cache->size_bytes = obj->attr->cache.size;
	cache->line_bytes = obj->attr->cache.linesize;
	cache->nr_ways = obj->attr->cache.associativity;
	return pus_of(load, obj->cpuset, &cache->pus, &cache->nr_pus);
}

/* Points the PUs of the last cache at it. Caches come smallest level first: the largest stays. */
static void note_last_cache(struct load *load)
{
	struct nslab_topo *topo = load->topo;
	const struct nslab_topo_cache *cache = &topo->caches[topo->nr_caches - 1];

	if (!cache->level || cache->type == NSLAB_CPU_CACHE_INSTRUCTION)
		return;
	for (int i = 0; i < cache->nr_pus; i++)
		topo->pus[load->positions[cache->pus[i]]].l3 = topo->nr_caches - 1;
}

static int fill_caches(struct load *load, struct nslab_err *err)
{
	struct nslab_topo *topo = load->topo;
	size_t nr = 0;

	for (size_t i = 0; i < NR_CACHE_TYPES; i++)
		nr += (size_t)nr_of(load->hwloc, cache_types[i]);
	topo->caches = calloc(nr + 1, sizeof(*topo->caches));
	if (!topo->caches)
		return out_of_memory(err);
	for (size_t i = 0; i < NR_CACHE_TYPES; i++) {
		hwloc_obj_t obj = first_of(load->hwloc, cache_types[i]);

		for (; obj; obj = next_of(load->hwloc, obj)) {
			if (fill_cache(load, obj))
				return out_of_memory(err);
			note_last_cache(load);
		}
	}
	return 0;
}

/* ---- distances ---- */

/* Copies a matrix that covers every node; false when it does not. */
static bool take_distances(struct nslab_topo *topo, const struct hwloc_distances_s *matrix)
{
	int nr = topo->nr_nodes;

	if ((int)matrix->nbobjs != nr)
		return false;
	for (int i = 0; i < nr; i++) {
		hwloc_obj_t obj = matrix->objs[i];

		if (!obj || obj->type != HWLOC_OBJ_NUMANODE || (int)obj->logical_index >= nr)
			return false;
	}
	for (int i = 0; i < nr; i++) {
		size_t from = matrix->objs[i]->logical_index;

		for (int j = 0; j < nr; j++) {
			size_t to = matrix->objs[j]->logical_index;
			hwloc_uint64_t value = matrix->values[i * nr + j];

			topo->distances[from * (size_t)nr + to] =
				value > 1000000 ? 1000000 : (unsigned)value;
		}
	}
	return true;
}

static void find_distances(struct load *load)
{
	struct hwloc_distances_s *found[8];
	unsigned nr = 8;

	if (hwloc_distances_get_by_type(load->hwloc, HWLOC_OBJ_NUMANODE, &nr, found,
					HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0))
		return;
	for (int from_os = 1; from_os >= 0; from_os--) {
		for (unsigned i = 0; i < nr && i < 8 && !load->topo->has_distances; i++) {
			if (!!(found[i]->kind & HWLOC_DISTANCES_KIND_FROM_OS) == from_os)
				load->topo->has_distances = take_distances(load->topo, found[i]);
		}
	}
	for (unsigned i = 0; i < nr && i < 8; i++)
		hwloc_distances_release(load->hwloc, found[i]);
}

static int fill_distances(struct load *load, struct nslab_err *err)
{
	struct nslab_topo *topo = load->topo;
	size_t nr = (size_t)topo->nr_nodes;

	topo->distances = calloc(nr * nr + 1, sizeof(*topo->distances));
	if (!topo->distances)
		return out_of_memory(err);
	for (size_t i = 0; i < nr * nr; i++)
		topo->distances[i] = i / nr == i % nr ? 10 : 20;
	find_distances(load);
	return 0;
}

/* ---- memory attributes ---- */

static int add_memattr(struct load *load, const char *name, int node, hwloc_const_bitmap_t set,
		       uint64_t value)
{
	struct nslab_topo *topo = load->topo;
	struct nslab_topo_memattr *row;
	int *pus, nr;

	row = realloc(topo->memattrs, ((size_t)topo->nr_memattrs + 1) * sizeof(*row));
	if (!row)
		return -ENOMEM;
	topo->memattrs = row;
	row += topo->nr_memattrs;
	memset(row, 0, sizeof(*row));
	row->node = node;
	row->value = value;
	if (set) {
		if (pus_of(load, set, &pus, &nr))
			return -ENOMEM;
		nslab_index_text(pus, nr, row->initiator, sizeof(row->initiator));
		free(pus);
	}
	row->name = strdup(name);
	if (!row->name)
		return -ENOMEM;
	topo->nr_memattrs++;
	return 0;
}

static hwloc_const_bitmap_t initiator_set(const struct hwloc_location *location)
{
	if (location->type == HWLOC_LOCATION_TYPE_CPUSET)
		return location->location.cpuset;
	return location->location.object ? location->location.object->cpuset : NULL;
}

/* The values of an attribute that depends on who accesses the node. */
static int add_by_initiator(struct load *load, hwloc_memattr_id_t id, const char *name,
			    hwloc_obj_t node)
{
	struct hwloc_location *locations;
	hwloc_uint64_t *values;
	unsigned nr = 0;
	int rc = 0;

	if (hwloc_memattr_get_initiators(load->hwloc, id, node, 0, &nr, NULL, NULL) || !nr)
		return 0;
	locations = calloc(nr, sizeof(*locations));
	values = calloc(nr, sizeof(*values));
	if (!locations || !values) {
		rc = -ENOMEM;
		goto out;
	}
	if (hwloc_memattr_get_initiators(load->hwloc, id, node, 0, &nr, locations, values))
		goto out;
	for (unsigned i = 0; i < nr && !rc; i++)
		rc = add_memattr(load, name, (int)node->logical_index, initiator_set(&locations[i]),
				 values[i]);
out:
	free(locations);
	free(values);
	return rc;
}

static int fill_memattrs(struct load *load, struct nslab_err *err)
{
	const char *name;
	unsigned long flags;

	for (hwloc_memattr_id_t id = 0; !hwloc_memattr_get_name(load->hwloc, id, &name); id++) {
		hwloc_obj_t node = first_of(load->hwloc, HWLOC_OBJ_NUMANODE);

		if (id == HWLOC_MEMATTR_ID_LOCALITY ||
		    hwloc_memattr_get_flags(load->hwloc, id, &flags))
			continue;
		for (; node; node = next_of(load->hwloc, node)) {
			hwloc_uint64_t value;
			int rc = 0;

			if (flags & HWLOC_MEMATTR_FLAG_NEED_INITIATOR)
				rc = add_by_initiator(load, id, name, node);
			else if (!hwloc_memattr_get_value(load->hwloc, id, node, NULL, 0, &value))
				rc = add_memattr(load, name, (int)node->logical_index, NULL, value);
			if (rc)
				return out_of_memory(err);
		}
	}
	return 0;
}

/* ---- what the tree leaves out ---- */

/* OS indices in `more` but not in `less`. Both are read up to the highest believable index. */
static int difference(hwloc_const_bitmap_t more, hwloc_const_bitmap_t less, int **list, int *nr)
{
	hwloc_bitmap_t left = hwloc_bitmap_alloc();
	int at, rc = -ENOMEM;

	*list = NULL;
	*nr = 0;
	if (!left || hwloc_bitmap_andnot(left, more, less) ||
	    hwloc_bitmap_clr_range(left, NSLAB_TOPO_MAX_OS_INDEX, -1))
		goto out;
	*list = calloc((size_t)hwloc_bitmap_weight(left) + 1, sizeof(**list));
	if (!*list)
		goto out;
	for (at = hwloc_bitmap_first(left); at >= 0; at = hwloc_bitmap_next(left, at))
		(*list)[(*nr)++] = at;
	rc = 0;
out:
	hwloc_bitmap_free(left);
	return rc;
}

static bool is_all_in_tree(hwloc_topology_t hwloc)
{
	return hwloc_bitmap_isequal(hwloc_topology_get_topology_cpuset(hwloc),
				    hwloc_topology_get_complete_cpuset(hwloc)) &&
	       hwloc_bitmap_isequal(hwloc_topology_get_topology_nodeset(hwloc),
				    hwloc_topology_get_complete_nodeset(hwloc));
}

static int fill_left_out(struct load *load, struct nslab_err *err)
{
	struct nslab_topo *topo = load->topo;
	hwloc_topology_t whole = load->whole ? load->whole : load->hwloc;

	if (difference(hwloc_topology_get_topology_nodeset(whole),
		       hwloc_topology_get_topology_nodeset(load->hwloc), &topo->disallowed_nodes,
		       &topo->nr_disallowed_nodes) ||
	    difference(hwloc_topology_get_topology_cpuset(whole),
		       hwloc_topology_get_topology_cpuset(load->hwloc), &topo->disallowed_pus,
		       &topo->nr_disallowed_pus) ||
	    difference(hwloc_topology_get_complete_nodeset(whole),
		       hwloc_topology_get_topology_nodeset(whole), &topo->absent_nodes,
		       &topo->nr_absent_nodes) ||
	    difference(hwloc_topology_get_complete_cpuset(whole),
		       hwloc_topology_get_topology_cpuset(whole), &topo->absent_pus,
		       &topo->nr_absent_pus))
		return out_of_memory(err);
	return 0;
}

static int fill_mask(struct load *load, struct nslab_err *err)
{
	load->topo->nr_allowed_pus = load->topo->nr_pus;
	return load->topo->is_this_machine ? nslab_topo_apply_mask(load->topo, err) : 0;
}

/* ---- loading ---- */

static void fill_identity(struct load *load)
{
	struct nslab_topo *topo = load->topo;
	hwloc_obj_t package = first_of(load->hwloc, HWLOC_OBJ_PACKAGE);
	const char *model = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
	size_t len;

	if (!model)
		model = hwloc_obj_get_info_by_name(hwloc_get_root_obj(load->hwloc), "CPUModel");
	snprintf(topo->machine, sizeof(topo->machine), "%s", model ? model : "unknown CPU");
	len = strlen(topo->machine);
	while (len && topo->machine[len - 1] == ' ')
		topo->machine[--len] = '\0';
	if (load->source.origin == NSLAB_TOPO_MACHINE)
		snprintf(topo->source, sizeof(topo->source), "this machine");
	else
		snprintf(topo->source, sizeof(topo->source), "%s %s",
			 load->source.origin == NSLAB_TOPO_XML ? "xml" : "synthetic",
			 load->source.text);
	topo->is_this_machine = load->source.origin == NSLAB_TOPO_MACHINE &&
				hwloc_topology_is_thissystem(load->hwloc);
}

static int set_input(const struct load *load, hwloc_topology_t hwloc)
{
	switch (load->source.origin) {
	case NSLAB_TOPO_XML:
		return hwloc_topology_set_xmlbuffer(hwloc, load->xml, (int)load->xml_bytes);
	case NSLAB_TOPO_SYNTHETIC:
		return hwloc_topology_set_synthetic(hwloc, load->source.text);
	default:
		return 0;
	}
}

static int refuse_input(const struct load *load, int error, struct nslab_err *err)
{
	switch (load->source.origin) {
	case NSLAB_TOPO_XML:
		return nslab_fail(err, -EINVAL,
				  "cannot use topology '%s': hwloc does not understand it",
				  load->source.text);
	case NSLAB_TOPO_SYNTHETIC:
		return nslab_fail(err, -EINVAL,
				  "cannot use synthetic topology '%s': hwloc does not understand "
				  "it; one that it does is 'pack:2 [numa] l3:2 core:4 pu:2'",
				  load->source.text);
	default:
		return nslab_fail(err, error ? -error : -EIO,
				  "cannot detect this machine's topology: %s", strerror(error));
	}
}

static int open_hwloc(const struct load *load, unsigned long flags, hwloc_topology_t *hwloc,
		      struct nslab_err *err)
{
	int error;

	*hwloc = NULL;
	if (hwloc_topology_init(hwloc))
		return out_of_memory(err);
	errno = 0;
	if (!hwloc_topology_set_flags(*hwloc, flags) &&
	    !hwloc_topology_set_icache_types_filter(*hwloc, HWLOC_TYPE_FILTER_KEEP_ALL) &&
	    !hwloc_topology_set_type_filter(*hwloc, HWLOC_OBJ_MEMCACHE,
					    HWLOC_TYPE_FILTER_KEEP_ALL) &&
	    !set_input(load, *hwloc) && !hwloc_topology_load(*hwloc))
		return 0;
	error = errno;
	hwloc_topology_destroy(*hwloc);
	*hwloc = NULL;
	return refuse_input(load, error, err);
}

static int fill_xml(struct load *load, struct nslab_err *err)
{
	hwloc_topology_t hwloc = load->whole ? load->whole : load->hwloc;
	char *text;
	int len;

	if (hwloc_topology_export_xmlbuffer(hwloc, &text, &len, 0))
		return nslab_fail(err, -errno, "cannot export the topology: %s", strerror(errno));
	load->topo->hwloc_xml = strndup(text, (size_t)len);
	hwloc_free_xmlbuffer(hwloc, text);
	return load->topo->hwloc_xml ? 0 : out_of_memory(err);
}

static int fill(struct load *load, struct nslab_err *err)
{
	static int (*const steps[])(struct load * load, struct nslab_err * err) = {
		fill_pus,   fill_nodes,	   fill_caches, fill_distances, fill_memattrs,
		fill_homes, fill_left_out, fill_mask,	fill_xml,
	};
	int rc = 0;

	load->topo = calloc(1, sizeof(*load->topo));
	if (!load->topo)
		return out_of_memory(err);
	fill_identity(load);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && !rc; i++)
		rc = steps[i](load, err);
	return rc;
}

static void close_load(struct load *load)
{
	if (load->hwloc)
		hwloc_topology_destroy(load->hwloc);
	if (load->whole)
		hwloc_topology_destroy(load->whole);
	free(load->positions);
	load->hwloc = NULL;
	load->whole = NULL;
	load->positions = NULL;
}

static int load_topo(struct load *load, struct nslab_topo **topo, struct nslab_err *err)
{
	int rc = open_hwloc(load, 0, &load->hwloc, err);

	if (!rc && !is_all_in_tree(load->hwloc))
		rc = open_hwloc(load, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED, &load->whole, err);
	if (!rc)
		rc = fill(load, err);
	if (!rc && (!load->topo->nr_pus || !load->topo->nr_nodes))
		rc = nslab_fail(err, -EINVAL, "cannot use topology '%s': it has no %s",
				load->source.text ? load->source.text : "of this machine",
				load->topo->nr_pus ? "node" : "PU");
	if (rc) {
		nslab_topo_free(load->topo);
		load->topo = NULL;
	}
	close_load(load);
	*topo = load->topo;
	return rc;
}

static int attempt_load(void *context, struct nslab_err *err)
{
	struct load load = *(struct load *)context;
	struct nslab_topo *topo;

	return load_topo(&load, &topo, err);
}

/* hwloc's environment stands for the machine only where a file or string would. */
static struct nslab_topo_source effective_source(const struct nslab_topo_source *source)
{
	struct nslab_topo_source effective = *source;
	const char *xml = getenv("HWLOC_XMLFILE");
	const char *synthetic = getenv("HWLOC_SYNTHETIC");

	if (source->origin != NSLAB_TOPO_MACHINE)
		return effective;
	if (xml && *xml) {
		effective.origin = NSLAB_TOPO_XML;
		effective.text = xml;
	} else if (synthetic && *synthetic) {
		effective.origin = NSLAB_TOPO_SYNTHETIC;
		effective.text = synthetic;
	}
	return effective;
}

static int prepare(struct load *load, struct nslab_err *err)
{
	int rc;

	if (load->source.sim_nodes < 0 || load->source.sim_nodes > NSLAB_MAX_NODES)
		return nslab_fail(err, -EINVAL, "cannot simulate %d nodes; 1..%d can be",
				  load->source.sim_nodes, NSLAB_MAX_NODES);
	/* hwloc writes its own complaints to stderr unless told otherwise; ours say the same */
	setenv("HWLOC_HIDE_ERRORS", "2", 0);
	if (load->source.origin == NSLAB_TOPO_SYNTHETIC)
		return nslab_source_check_synthetic(load->source.text, err);
	if (load->source.origin != NSLAB_TOPO_XML)
		return 0;
	rc = nslab_source_read_xml(load->source.text, &load->xml, &load->xml_bytes, err);
	if (rc)
		return rc;
	return nslab_source_try(attempt_load, load, load->source.text, err);
}

int nslab_topo_load(const struct nslab_topo_source *source, struct nslab_topo **topo,
		    struct nslab_err *err)
{
	struct load load = {.source = effective_source(source)};
	int rc = prepare(&load, err);

	*topo = NULL;
	if (!rc)
		rc = load_topo(&load, topo, err);
	if (!rc && load.source.sim_nodes)
		rc = nslab_topo_simulate(*topo, load.source.sim_nodes, err);
	if (rc) {
		nslab_topo_free(*topo);
		*topo = NULL;
	}
	free(load.xml);
	return rc;
}
