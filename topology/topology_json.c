/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * topology_json.c: a topology for other programs: as JSON and as the hwloc XML it came from.
 *
 * The JSON is what `numaslab topo --json` prints and what plans and results keep. Every index in
 * it that names a node or PU is an OS index. Distances that nobody told are an empty matrix and
 * not the 10/20 that the arrays assume. An exported file is complete or not there: it is written
 * beside its final name and renamed, unless the name is a pipe or device, which is written to.
 * Simulated topologies have no hwloc form, so exporting one is refused.
 */
#define _GNU_SOURCE
#include "topology/model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static json_t *numbers(const int *list, int nr)
{
	json_t *array = json_array();

	for (int i = 0; array && i < nr; i++) {
		if (json_array_append_new(array, json_integer(list[i]))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *node_json(const struct nslab_topo_node *node)
{
	return json_pack("{s:i, s:i, s:s, s:I, s:o}", "os_index", node->os_index, "logical_index",
			 node->logical_index, "kind", node->is_memory_only ? "memory-only" : "cpu",
			 "memory_bytes", (json_int_t)node->memory_bytes, "pus",
			 numbers(node->pus, node->nr_pus));
}

static json_t *cache_json(const struct nslab_topo_cache *cache)
{
	static const char *const types[] = {
		[NSLAB_CPU_CACHE_DATA] = "data",
		[NSLAB_CPU_CACHE_INSTRUCTION] = "instruction",
		[NSLAB_CPU_CACHE_UNIFIED] = "unified",
		[NSLAB_CPU_CACHE_MEMORY_SIDE] = "memory-side",
	};

	return json_pack("{s:i, s:s, s:I, s:I, s:o}", "level", cache->level, "type",
			 types[cache->type], "size_bytes", (json_int_t)cache->size_bytes,
			 "line_bytes", (json_int_t)cache->line_bytes, "pus",
			 numbers(cache->pus, cache->nr_pus));
}

static json_t *memattr_json(const struct nslab_topo *topo, const struct nslab_topo_memattr *row)
{
	return json_pack("{s:s, s:i, s:s?, s:I}", "name", row->name, "node",
			 topo->nodes[row->node].os_index, "initiator_pus",
			 *row->initiator ? row->initiator : NULL, "value", (json_int_t)row->value);
}

/* Appends each row; the array is gone when memory is out. */
static json_t *append(json_t *array, json_t *row)
{
	if (array && json_array_append_new(array, row)) {
		json_decref(array);
		return NULL;
	}
	if (!array)
		json_decref(row);
	return array;
}

static json_t *nodes_json(const struct nslab_topo *topo)
{
	json_t *array = json_array();

	for (int i = 0; i < topo->nr_nodes; i++)
		array = append(array, node_json(&topo->nodes[i]));
	return array;
}

static json_t *caches_json(const struct nslab_topo *topo)
{
	json_t *array = json_array();

	for (int i = 0; i < topo->nr_caches; i++)
		array = append(array, cache_json(&topo->caches[i]));
	return array;
}

static json_t *memattrs_json(const struct nslab_topo *topo)
{
	json_t *array = json_array();

	for (int i = 0; i < topo->nr_memattrs; i++)
		array = append(array, memattr_json(topo, &topo->memattrs[i]));
	return array;
}

/* Local PU, core and node of every PU: what a placement is made of. */
static json_t *pu_table_json(const struct nslab_topo *topo)
{
	json_t *array = json_array();

	for (int i = 0; i < topo->nr_pus; i++) {
		const struct nslab_topo_pu *pu = &topo->pus[i];
		int node = pu->node < 0 ? -1 : topo->nodes[pu->node].os_index;

		array = append(array,
			       json_pack("{s:i, s:i, s:i, s:i, s:i, s:b}", "os_index", pu->os_index,
					 "core", pu->core, "package", pu->package, "smt", pu->smt,
					 "node", node, "usable", pu->is_usable));
	}
	return array;
}

static json_t *distances_json(const struct nslab_topo *topo)
{
	bool is_told = topo->has_distances || topo->is_simulated;
	int nr = is_told ? topo->nr_nodes : 0;
	json_t *nodes = json_array(), *values = json_array();

	for (int i = 0; i < nr; i++) {
		json_t *row = json_array();

		for (int j = 0; j < nr; j++)
			row = append(row, json_integer(nslab_topo_distance(topo, i, j)));
		nodes = append(nodes, json_integer(topo->nodes[i].os_index));
		values = append(values, row);
	}
	return json_pack("{s:o, s:o, s:s}", "nodes", nodes, "values", values, "origin",
			 topo->has_distances  ? "firmware"
			 : topo->is_simulated ? "simulated"
					      : "unknown");
}

json_t *nslab_topo_json(const struct nslab_topo *topo)
{
	return json_pack("{s:s, s:s, s:b, s:b, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, "
			 "s:{s:o, s:o}, s:{s:o, s:o}, s:s?}",
			 "source", topo->source, "machine", topo->machine, "this_machine",
			 topo->is_this_machine, "simulated", topo->is_simulated, "packages",
			 topo->nr_packages, "cores", topo->nr_cores, "pus", topo->nr_pus,
			 "allowed_pus", topo->nr_allowed_pus, "nodes", nodes_json(topo), "caches",
			 caches_json(topo), "distances", distances_json(topo), "memattrs",
			 memattrs_json(topo), "pu_table", pu_table_json(topo), "disallowed",
			 "nodes", numbers(topo->disallowed_nodes, topo->nr_disallowed_nodes), "pus",
			 numbers(topo->disallowed_pus, topo->nr_disallowed_pus), "absent", "nodes",
			 numbers(topo->absent_nodes, topo->nr_absent_nodes), "pus",
			 numbers(topo->absent_pus, topo->nr_absent_pus), "mask_note",
			 *topo->mask_note ? topo->mask_note : NULL);
}

/* ---- export ---- */

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_special(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = write_all(fd, text, strlen(text));
	if (close(fd) && !rc)
		rc = -errno;
	return rc;
}

/* Writes beside the final name; what fails leaves neither file behind. */
static int write_and_rename(const char *path, const char *text)
{
	size_t room = strlen(path) + 16;
	char *temporary = malloc(room);
	mode_t mask = umask(0);
	int fd, rc;

	umask(mask);
	if (!temporary)
		return -ENOMEM;
	snprintf(temporary, room, "%s.XXXXXX", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		rc = -errno;
		goto out_free;
	}
	rc = write_all(fd, text, strlen(text));
	if (!rc && (fchmod(fd, 0666 & ~mask) || fsync(fd)))
		rc = -errno;
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc && rename(temporary, path))
		rc = -errno;
	if (rc)
		unlink(temporary);
out_free:
	free(temporary);
	return rc;
}

int nslab_topo_export(const struct nslab_topo *topo, const char *path, struct nslab_err *err)
{
	struct stat target;
	char *real;
	int rc;

	if (topo->is_simulated)
		return nslab_fail(err, -EINVAL,
				  "cannot export simulated nodes to '%s': hwloc has no form for "
				  "them",
				  path);
	real = realpath(path, NULL);
	if (real && !stat(real, &target) && !S_ISREG(target.st_mode))
		rc = write_special(real, topo->hwloc_xml);
	else
		rc = write_and_rename(real ? real : path, topo->hwloc_xml);
	free(real);
	return rc ? nslab_fail(err, rc, "cannot write topology '%s': %s", path, strerror(-rc)) : 0;
}
