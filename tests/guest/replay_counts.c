/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay_counts.c: the slab counts of a real kernel against those of the slub model.
 *
 * A guest made and deleted a known number of files and kept the counts of every cache before,
 * with the files, and after (move_files.sh). For each cache that grew by more than 50 slabs the
 * model gets the same stride, order and limits, the same number of CPUs, the same full and partial
 * slabs to begin with, and then the same allocations and frees in the order of the file names. Its
 * slabs must move as the kernel's did, within two slabs or 3 %.
 *
 * A cache whose objects grew by about the number of files has one for each file, and that known
 * number is replayed: the kernel's own count also contains free objects that CPUs hold. Of any
 * other cache it is known how many objects came, but not which of them went with which file, so
 * only its growth is judged.
 */
#define _GNU_SOURCE
#include "runner/world.h"

#include "core/param.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHES_MAX 1000
#define MOVED_MIN  50

struct counts {
	char name[64];
	unsigned size, order, per_slab, cpu_partial, min_partial;
	unsigned long objects, total, slabs, partial;
};

struct recording {
	struct counts rows[CACHES_MAX];
	size_t nr;
};

enum {
	BEFORE,
	MADE,
	DELETED,
	NR_STATES
};

static const char *const state_words[NR_STATES] = {"before", "made", "deleted"};

static struct recording recordings[NR_STATES];

/* ---- what the kernel counted ---- */

static int read_recording(const char *folder, const char *word, struct recording *r)
{
	char path[4096], line[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.tsv", folder, word);
	file = fopen(path, "r");
	if (!file) {
		printf("failed: cannot open '%s'\n", path);
		return -ENOENT;
	}
	while (r->nr < CACHES_MAX && fgets(line, sizeof(line), file)) {
		struct counts *c = &r->rows[r->nr];

		r->nr += sscanf(line, "%63[^\t]\t%u\t%u\t%u\t%u\t%u\t%lu\t%lu\t%lu\t%lu", c->name,
				&c->size, &c->order, &c->per_slab, &c->cpu_partial, &c->min_partial,
				&c->objects, &c->total, &c->slabs, &c->partial) == 10;
	}
	fclose(file);
	return 0;
}

static const struct counts *find(const struct recording *r, const char *name)
{
	for (size_t i = 0; i < r->nr; i++) {
		if (!strcmp(r->rows[i].name, name))
			return &r->rows[i];
	}
	return NULL;
}

/* ---- the same in the model ---- */

struct replay {
	struct nslab_world *world;
	struct kmem_cache *s;
	struct nslab_cpu *cpu;
	void **kept; /* objects that the cache holds all the time; NULL where there is none */
	size_t nr_kept;
	void **objs; /* those of the files */
	long slabs[NR_STATES];
};

static long model_slabs(struct kmem_cache *s)
{
	struct nslab_cache_stats stats = {0};

	s->heap->ops->cache_stats(s, &stats);
	return (long)stats.nr_slabs;
}

static int take(struct replay *r, void **objs, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		objs[i] = r->s->heap->ops->alloc(r->cpu, r->s, GFP_KERNEL, NUMA_NO_NODE);
		if (!objs[i])
			return -ENOMEM;
	}
	return 0;
}

/* The slabs that were there, `partial` of them with free objects, none of them held by a CPU. */
static int begin(struct replay *r, const struct counts *c)
{
	unsigned long nr_free = c->total - c->objects;
	int rc = nslab_world_cpu_online(r->world, 1, 0, &r->cpu);

	if (rc)
		return rc;
	r->nr_kept = c->total;
	rc = take(r, r->kept, c->total);
	for (unsigned long i = 0; !rc && i < nr_free; i++) {
		size_t at = i % c->partial * c->per_slab + i / c->partial;

		r->s->heap->ops->free(r->cpu, r->s, r->kept[at]);
		r->kept[at] = NULL;
	}
	nslab_world_cpu_offline(r->world, r->cpu);
	return rc ? rc : nslab_world_cpu_online(r->world, 0, 0, &r->cpu);
}

static int finish(struct replay *r)
{
	for (size_t i = 0; i < r->nr_kept; i++) {
		if (r->kept[i])
			r->s->heap->ops->free(r->cpu, r->s, r->kept[i]);
	}
	nslab_world_cpu_offline(r->world, r->cpu);
	return nslab_world_cache_destroy(r->world, r->s);
}

/* Names as the guest's shell sorts them: 0 1 10 100 ... */
static int by_name(const void *a, const void *b)
{
	char x[16], y[16];

	snprintf(x, sizeof(x), "%u", *(const unsigned *)a);
	snprintf(y, sizeof(y), "%u", *(const unsigned *)b);
	return strcmp(x, y);
}

static int move(struct replay *r, unsigned nr)
{
	unsigned *order = calloc(nr, sizeof(*order));
	int rc = order ? take(r, r->objs, nr) : -ENOMEM;

	r->slabs[MADE] = model_slabs(r->s);
	for (unsigned i = 0; !rc && i < nr; i++)
		order[i] = i;
	if (!rc)
		qsort(order, nr, sizeof(*order), by_name);
	for (unsigned i = 0; !rc && i < nr; i++)
		r->s->heap->ops->free(r->cpu, r->s, r->objs[order[i]]);
	r->slabs[DELETED] = model_slabs(r->s);
	free(order);
	return rc;
}

static int replay(struct nslab_world *world, const struct counts *c, unsigned nr, struct replay *r)
{
	const struct nslab_cache_spec spec = {
		.name = c->name,
		.object_size = c->size,
		.align = 8,
		.flags = SLAB_NO_MERGE,
		.order = (int)c->order,
		.min_partial = (int)c->min_partial,
		.cpu_partial = (int)c->cpu_partial,
		.sheaf_capacity = NSLAB_AUTO,
	};
	struct nslab_heap *heap = nslab_world_heap(world);
	int rc;

	*r = (struct replay){.world = world,
			     .kept = calloc(c->total + 1, sizeof(*r->kept)),
			     .objs = calloc(nr, sizeof(*r->objs))};
	rc = r->kept && r->objs ? heap->ops->cache_create(heap, &spec, &r->s) : -ENOMEM;
	if (!rc)
		rc = begin(r, c);
	if (!rc) {
		r->slabs[BEFORE] = model_slabs(r->s);
		rc = move(r, nr);
	}
	if (!rc)
		rc = finish(r);
	free(r->kept);
	free(r->objs);
	return rc;
}

/* ---- the verdict ---- */

static bool is_near(long kernel, long model)
{
	long error = labs(kernel - model), allowed = labs(kernel) * 3 / 100;

	return error <= (allowed > 2 ? allowed : 2);
}

static bool judge(const struct counts *const state[NR_STATES], const struct replay *r, unsigned nr,
		  bool is_one_each)
{
	bool is_right = r->slabs[BEFORE] == (long)state[BEFORE]->slabs;

	printf("%s: %u objects of %u bytes, order %u:", state[BEFORE]->name, nr,
	       state[BEFORE]->size, state[BEFORE]->order);
	if (!is_right)
		printf(" begins with %ld slabs, the kernel with %lu;", r->slabs[BEFORE],
		       state[BEFORE]->slabs);
	for (int i = MADE; i <= (is_one_each ? DELETED : MADE); i++) {
		long kernel = (long)state[i]->slabs - (long)state[i - 1]->slabs;
		long model = r->slabs[i] - r->slabs[i - 1];

		printf(" %s: kernel %+ld, model %+ld slabs;", state_words[i], kernel, model);
		is_right = is_right && is_near(kernel, model);
	}
	printf(" %s\n", is_right ? "right" : "FAILED");
	return is_right;
}

static int check_cache(struct nslab_world *world, const struct counts *before, unsigned files)
{
	const struct counts *state[NR_STATES] = {before};
	struct replay r;
	bool is_one_each;
	unsigned nr;
	int rc;

	for (int i = MADE; i < NR_STATES; i++) {
		state[i] = find(&recordings[i], before->name);
		if (!state[i])
			return 0;
	}
	if (state[MADE]->slabs < before->slabs + MOVED_MIN + 1)
		return 0;
	if (before->total != before->slabs * before->per_slab || before->total < before->objects ||
	    (before->total > before->objects && !before->partial) ||
	    state[MADE]->objects <= before->objects) {
		printf("%s: FAILED: its counts contradict each other\n", before->name);
		return -EINVAL;
	}
	nr = (unsigned)(state[MADE]->objects - before->objects);
	is_one_each = nr <= files + files / 10 && nr >= files - files / 10;
	nr = is_one_each ? files : nr;
	rc = replay(world, before, nr, &r);
	if (rc) {
		printf("%s: FAILED: %s\n", before->name, strerror(-rc));
		return rc;
	}
	return judge(state, &r, nr, is_one_each) ? 1 : -ERANGE;
}

/* ---- a world like the guest ---- */

static int open_world(const char *generation, int nr_cpus, struct nslab_registry *registry,
		      void *params, struct nslab_world **world, struct nslab_err *err)
{
	struct nslab_topo_node node = {.memory_bytes = (uint64_t)1 << 30};
	unsigned distance = 10;
	struct nslab_topo topo = {
		.is_simulated = true,
		.is_this_machine = true,
		.nr_nodes = 1,
		.nodes = &node,
		.distances = &distance,
	};
	const struct nslab_arena_spec arena = {
		.topo = &topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.node_bytes = (size_t)256 << 20,
		.nr_cpus = nr_cpus,
	};
	const struct nslab_entry_record *slub, *buddy;
	const struct nslab_param *row;
	int rc = nslab_registry_get(registry, NSLAB_PLUGIN_ALLOCATOR, "slub", &slub, err);

	if (!rc)
		rc = nslab_registry_get(registry, NSLAB_PLUGIN_PAGE, "buddy", &buddy, err);
	if (!rc)
		rc = nslab_param_defaults(slub->ops.allocator->params, params, err);
	if (rc)
		return rc;
	row = nslab_param_find(slub->ops.allocator->params, "generation");
	if (row)
		rc = nslab_param_set(row, generation, params, err);
	return rc ? rc
		  : nslab_world_open(&(struct nslab_world_spec){.allocator = slub->ops.allocator,
								.allocator_params = params,
								.page = buddy->ops.page,
								.arena = &arena,
								.seed = 1},
				     world, err);
}

static int check_all(struct nslab_world *world, unsigned files)
{
	int nr_right = 0, nr_wrong = 0;

	for (size_t i = 0; i < recordings[BEFORE].nr; i++) {
		int rc = check_cache(world, &recordings[BEFORE].rows[i], files);

		nr_right += rc > 0;
		nr_wrong += rc < 0;
	}
	if (nr_right + nr_wrong < 2) {
		printf("failed: files make inodes and dentries, but %d caches grew by more than %d "
		       "slabs\n",
		       nr_right + nr_wrong, MOVED_MIN);
		return 1;
	}
	return nr_wrong > 0;
}

int main(int argc, char **argv)
{
	struct nslab_registry *registry = NULL;
	struct nslab_world *world = NULL;
	struct nslab_err err = {""};
	char params[4096] = {0};
	int status = 1;

	if (argc != 5) {
		fprintf(stderr, "usage: replay_counts GENERATION CPUS FILES FOLDER\n");
		return 2;
	}
	for (int i = 0; i < NR_STATES; i++) {
		if (read_recording(argv[4], state_words[i], &recordings[i]))
			return 1;
	}
	if (nslab_registry_open(NULL, &registry, &err) ||
	    open_world(argv[1], atoi(argv[2]), registry, params, &world, &err))
		printf("failed: %s\n", err.text);
	else
		status = check_all(world, (unsigned)atoi(argv[3]));
	if (world)
		nslab_world_close(world);
	nslab_registry_destroy(registry);
	return status;
}
