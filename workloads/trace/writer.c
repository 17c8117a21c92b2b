/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * writer.c: events with addresses become events with slots.
 *
 * Events wait in a sorted array of twice the reorder window; when it is full, the older half is
 * resolved: the address is looked up, what the kernel did not tell is added (implicit frees,
 * objects born before the trace), and the record goes to the file. All that is constant about an
 * event is interned into one shape number. Invariants: the map holds exactly the objects that are
 * live at the last resolved event; a slot never changes its cache; nothing older than the last
 * resolved event is taken. Memory grows with the live objects and the tables, not with the events.
 */
#include "workloads/trace/writer.h"
#include "workloads/trace/caches.h"
#include "workloads/trace/encode.h"
#include "workloads/trace/intern.h"
#include "workloads/trace/output.h"
#include "workloads/trace/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW		 NSLAB_TRACE_REORDER_EVENTS
#define TEXT_MAX	 255   /* bytes of a call site or gfp text; the rest is cut */
#define SHAPES_WITH_SITE 61440 /* shapes after these carry no call site, so that there is room */

/* What makes two attributes one. */
struct writer_attr {
	int32_t node;
	uint32_t is_accounted;
	char gfp[TEXT_MAX + 1];
};

struct nslab_trace_writer {
	struct nslab_trace_output output;
	struct nslab_trace_tables tables; /* info, tally, start_ns; the rest at the end */
	struct nslab_trace_intern sites, attrs, cpus, shapes, kernel_names, words;
	struct nslab_trace_caches caches;
	struct nslab_trace_slots slots;
	struct nslab_trace_attr *attr_rows;
	struct nslab_trace_cpu *cpu_rows;
	struct nslab_trace_kernel_cache *kernel_rows;
	uint16_t *site_caches; /* by site: of the last object that a kfree there freed */
	uint64_t last_ns;      /* of the last resolved event */
	bool has_event;
	size_t nr_pending;
	struct nslab_trace_raw pending[2 * WINDOW];
};

/* ---- ids ---- */

/* Printable ASCII, at most TEXT_MAX bytes; returns the length. */
static size_t writer_clean(const char *text, size_t length, char *clean)
{
	length = length < TEXT_MAX ? length : TEXT_MAX;
	for (size_t i = 0; i < length; i++)
		clean[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	clean[length] = 0;
	return length;
}

/* Room for one more row where `nr` are there: doubles at powers of two. */
static int writer_room(void *rows, uint32_t nr, size_t row_bytes)
{
	void **array = rows;
	void *larger;

	if (nr & (nr - 1))
		return 0;
	larger = realloc(*array, (nr ? (size_t)2 * nr : 1) * row_bytes);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	return 0;
}

int nslab_trace_writer_site(struct nslab_trace_writer *writer, const char *text, size_t length)
{
	char clean[TEXT_MAX + 1];
	int id;

	length = writer_clean(text, length, clean);
	id = nslab_trace_intern(&writer->sites, clean, length, NSLAB_TRACE_MAX_INDEX);
	return id == -EOVERFLOW ? 0 : id;
}

static bool writer_has_word(const char *gfp, const char *word)
{
	size_t length = strlen(word);

	for (; *gfp; gfp += *gfp == '|') {
		size_t nr = strcspn(gfp, "|");

		if (nr == length && !memcmp(gfp, word, nr))
			return true;
		gfp += nr;
	}
	return false;
}

/* The order in which the kernel looks at them: DMA, then reclaimable, then accounted. */
static enum nslab_trace_kmalloc_type writer_kmalloc_type(const char *gfp, bool is_accounted)
{
	if (writer_has_word(gfp, "GFP_DMA") || writer_has_word(gfp, "__GFP_DMA"))
		return NSLAB_TRACE_DMA;
	if (writer_has_word(gfp, "__GFP_RECLAIMABLE"))
		return NSLAB_TRACE_RCL;
	if (is_accounted || strstr(gfp, "_ACCOUNT"))
		return NSLAB_TRACE_CGROUP;
	return NSLAB_TRACE_NORMAL;
}

int nslab_trace_writer_attr(struct nslab_trace_writer *writer, const char *gfp, size_t length,
			    int node, bool is_accounted)
{
	struct writer_attr key = {.node = node, .is_accounted = is_accounted};
	uint32_t nr = writer->attrs.nr;
	int id;

	length = writer_clean(gfp, length, key.gfp);
	if (writer_room(&writer->attr_rows, nr, sizeof(*writer->attr_rows)))
		return -ENOMEM;
	id = nslab_trace_intern(&writer->attrs, &key, offsetof(struct writer_attr, gfp) + length,
				NSLAB_TRACE_MAX_INDEX);
	if (id >= 0 && (uint32_t)id == nr)
		writer->attr_rows[id] = (struct nslab_trace_attr){
			.gfp = writer->attrs.keys[id].bytes + offsetof(struct writer_attr, gfp),
			.node = node,
			.is_accounted = is_accounted,
			.kmalloc_type = writer_kmalloc_type(key.gfp, is_accounted),
		};
	return id;
}

int nslab_trace_writer_cache(struct nslab_trace_writer *writer, const char *name, size_t length,
			     uint64_t object_size, uint64_t size)
{
	char clean[TEXT_MAX + 1];

	length = writer_clean(name, length, clean);
	return nslab_trace_caches_named(&writer->caches, clean, length, object_size, size);
}

int nslab_trace_writer_nameless(struct nslab_trace_writer *writer, uint16_t site,
				uint64_t object_size, uint64_t size)
{
	return nslab_trace_caches_nameless(&writer->caches, site, object_size, size);
}

int nslab_trace_writer_kmalloc(struct nslab_trace_writer *writer, uint64_t bytes_req,
			       uint64_t bytes_alloc, uint16_t attr)
{
	return nslab_trace_caches_kmalloc(&writer->caches, bytes_req, bytes_alloc,
					  writer->attr_rows[attr].kmalloc_type);
}

int nslab_trace_writer_pages(struct nslab_trace_writer *writer, unsigned order)
{
	return nslab_trace_caches_pages(&writer->caches, order);
}

/* The index of a CPU, which it gets when it is met first. */
static int writer_cpu(struct nslab_trace_writer *writer, uint32_t id)
{
	uint32_t nr = writer->cpus.nr;
	int index;

	if (writer_room(&writer->cpu_rows, nr, sizeof(*writer->cpu_rows)))
		return -ENOMEM;
	index = nslab_trace_intern(&writer->cpus, &id, sizeof(id), NSLAB_TRACE_MAX_INDEX);
	if (index >= 0 && (uint32_t)index == nr)
		writer->cpu_rows[index] = (struct nslab_trace_cpu){id, NSLAB_TRACE_NOT_TOLD};
	return index;
}

int nslab_trace_writer_cpu(struct nslab_trace_writer *writer, unsigned id, int node)
{
	int index = writer_cpu(writer, id);

	if (index < 0)
		return index;
	writer->cpu_rows[index].node = node;
	return 0;
}

/* A copy that lives as long as the writer, or NULL; NULL is "". */
static const char *writer_copy(struct nslab_trace_writer *writer, const char *text)
{
	char clean[TEXT_MAX + 1];
	size_t length = writer_clean(text ? text : "", text ? strlen(text) : 0, clean);
	int id = nslab_trace_intern(&writer->words, clean, length, INT32_MAX);

	return id < 0 ? NULL : writer->words.keys[id].bytes;
}

int nslab_trace_writer_kernel_cache(struct nslab_trace_writer *writer,
				    const struct nslab_trace_kernel_cache *cache)
{
	struct nslab_trace_kernel_cache row = *cache;
	uint32_t nr = writer->kernel_names.nr;
	int id;

	row.name = writer_copy(writer, cache->name);
	row.flags = writer_copy(writer, cache->flags);
	if (!row.name || !row.flags ||
	    writer_room(&writer->kernel_rows, nr, sizeof(*writer->kernel_rows)))
		return -ENOMEM;
	id = nslab_trace_intern(&writer->kernel_names, row.name, strlen(row.name),
				NSLAB_TRACE_MAX_INDEX);
	if (id < 0)
		return id;
	writer->kernel_rows[id] = row;
	return 0;
}

struct nslab_trace_tally *nslab_trace_writer_tally(struct nslab_trace_writer *writer)
{
	return &writer->tables.tally;
}

/* ---- events ---- */

static int writer_shape(struct nslab_trace_writer *writer, struct nslab_trace_shape shape)
{
	if (writer->shapes.nr >= SHAPES_WITH_SITE &&
	    nslab_trace_intern_find(&writer->shapes, &shape, sizeof(shape)) < 0)
		shape.site = 0;
	return nslab_trace_intern(&writer->shapes, &shape, sizeof(shape), NSLAB_TRACE_MAX_INDEX);
}

static int writer_emit(struct nslab_trace_writer *writer, const struct nslab_trace_raw *raw,
		       struct nslab_trace_shape shape, uint32_t slot, struct nslab_err *err)
{
	const struct nslab_trace_shape pause = {.kind = NSLAB_TRACE_TIME};
	int cpu = writer_cpu(writer, raw->cpu);
	int id = writer_shape(writer, shape);
	uint64_t delta_ns;
	int rc;

	if (cpu < 0 || id < 0)
		return nslab_fail(err, cpu < 0 ? cpu : id, "too many different %s for one trace",
				  cpu < 0 ? "CPUs" : "shapes of events");
	if (!writer->has_event) {
		writer->has_event = true;
		writer->tables.start_ns = writer->last_ns = raw->time_ns;
	}
	delta_ns = raw->time_ns - writer->last_ns;
	writer->last_ns = raw->time_ns;
	if (delta_ns > UINT32_MAX) {
		rc = writer_shape(writer, pause);
		if (rc < 0)
			return nslab_fail(err, rc, "too many different shapes for one trace");
		rc = nslab_trace_output_event(
			&writer->output,
			(struct nslab_trace_event){.slot = (uint32_t)(delta_ns >> 32),
						   .delta_ns = (uint32_t)delta_ns,
						   .cpu = (uint16_t)cpu,
						   .shape = (uint16_t)rc},
			err);
		if (rc)
			return rc;
		delta_ns = 0;
	}
	return nslab_trace_output_event(
		&writer->output,
		(struct nslab_trace_event){slot, (uint32_t)delta_ns, (uint16_t)cpu, (uint16_t)id},
		err);
}

/* Pages and objects have addresses of their own; no kernel address has the two upper bits 10. */
static uint64_t writer_key(const struct nslab_trace_raw *raw)
{
	if (raw->kind == NSLAB_TRACE_PAGE_ALLOC || raw->kind == NSLAB_TRACE_PAGE_FREE)
		return (raw->ptr & (UINT64_MAX >> 2)) | (uint64_t)1 << 63;
	return raw->ptr;
}

/* The object in `slot` must be dead by now, although nobody told. */
static int writer_bury(struct nslab_trace_writer *writer, const struct nslab_trace_raw *raw,
		       uint32_t slot, struct nslab_err *err)
{
	static const uint8_t kinds[] = {
		[NSLAB_TRACE_UNKNOWN] = NSLAB_TRACE_KFREE,
		[NSLAB_TRACE_KMEM] = NSLAB_TRACE_CACHE_FREE,
		[NSLAB_TRACE_SIZE] = NSLAB_TRACE_KFREE,
		[NSLAB_TRACE_PAGES] = NSLAB_TRACE_PAGE_FREE,
	};
	uint16_t cache = writer->slots.caches[slot];
	const struct nslab_trace_shape shape = {
		.cache = cache,
		.kind = kinds[writer->caches.rows[cache].type],
		.flags = NSLAB_TRACE_IMPLICIT,
	};

	writer->tables.tally.implicit_frees++;
	nslab_trace_slots_remove(&writer->slots, writer_key(raw));
	return writer_emit(writer, raw, shape, slot, err);
}

static int writer_slot_failed(int rc, struct nslab_err *err)
{
	return nslab_fail(err, rc, "cannot hold the live objects: %s", strerror(-rc));
}

static int writer_alloc(struct nslab_trace_writer *writer, const struct nslab_trace_raw *raw,
			struct nslab_err *err)
{
	const struct nslab_trace_shape shape = {
		.cache = raw->cache, .site = raw->site, .attr = raw->attr, .kind = raw->kind};
	uint32_t slot;
	int rc = 0;

	if (!raw->ptr) {
		writer->tables.tally.failed_allocs++;
		return 0;
	}
	slot = nslab_trace_slots_find(&writer->slots, writer_key(raw));
	if (slot != NSLAB_TRACE_NO_SLOT)
		rc = writer_bury(writer, raw, slot, err);
	if (rc)
		return rc;
	rc = nslab_trace_slots_add(&writer->slots, writer_key(raw), raw->cache, &slot);
	return rc ? writer_slot_failed(rc, err) : writer_emit(writer, raw, shape, slot, err);
}

/* The kernel told another cache than the one that the object is known to be of. */
static bool writer_is_other(const struct nslab_trace_writer *writer, uint16_t told, uint16_t known)
{
	return told && told != known && !nslab_trace_caches_is_nameless(&writer->caches, known);
}

/* A free of what was never seen allocated. A kfree goes by what was freed there before. */
static int writer_free_born(struct nslab_trace_writer *writer, const struct nslab_trace_raw *raw,
			    struct nslab_err *err)
{
	uint16_t cache = raw->cache;
	uint32_t slot;
	int rc;

	if (raw->kind == NSLAB_TRACE_KFREE)
		cache = writer->site_caches[raw->site];
	rc = nslab_trace_slots_add_born(&writer->slots, cache, &slot);
	if (rc)
		return writer_slot_failed(rc, err);
	writer->tables.tally.born++;
	return writer_emit(writer, raw,
			   (struct nslab_trace_shape){.cache = cache,
						      .site = raw->site,
						      .kind = raw->kind,
						      .flags = NSLAB_TRACE_BORN},
			   slot, err);
}

static int writer_free(struct nslab_trace_writer *writer, const struct nslab_trace_raw *raw,
		       struct nslab_err *err)
{
	uint32_t slot;
	uint16_t cache;
	int rc = 0;

	if (!raw->ptr) {
		writer->tables.tally.null_frees++;
		return 0;
	}
	slot = nslab_trace_slots_find(&writer->slots, writer_key(raw));
	if (slot == NSLAB_TRACE_NO_SLOT)
		return writer_free_born(writer, raw, err);
	cache = writer->slots.caches[slot];
	if (writer_is_other(writer, raw->cache, cache)) {
		writer->tables.tally.mismatched++;
		rc = writer_bury(writer, raw, slot, err);
		return rc ? rc : writer_free_born(writer, raw, err);
	}
	if (raw->kind == NSLAB_TRACE_KFREE)
		writer->site_caches[raw->site] = cache;
	else if (raw->cache)
		rc = nslab_trace_caches_vote(&writer->caches, cache, raw->cache);
	if (rc)
		return nslab_fail(err, rc, "cannot name caches: %s", strerror(-rc));
	nslab_trace_slots_remove(&writer->slots, writer_key(raw));
	return writer_emit(
		writer, raw,
		(struct nslab_trace_shape){.cache = cache, .site = raw->site, .kind = raw->kind},
		slot, err);
}

static int writer_resolve(struct nslab_trace_writer *writer, const struct nslab_trace_raw *raw,
			  struct nslab_err *err)
{
	uint32_t nr = raw->ptr < UINT32_MAX ? (uint32_t)raw->ptr : UINT32_MAX;

	if (raw->kind == NSLAB_TRACE_LOST) {
		writer->tables.tally.lost += nr;
		return writer_emit(writer, raw,
				   (struct nslab_trace_shape){.kind = NSLAB_TRACE_LOST}, nr, err);
	}
	writer->tables.tally.events[raw->kind]++;
	if (nslab_trace_is_alloc((enum nslab_trace_kind)raw->kind))
		return writer_alloc(writer, raw, err);
	return writer_free(writer, raw, err);
}

/* Resolves the `nr` oldest events. */
static int writer_drain(struct nslab_trace_writer *writer, size_t nr, struct nslab_err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < nr; i++)
		rc = writer_resolve(writer, &writer->pending[i], err);
	writer->nr_pending -= nr;
	memmove(writer->pending, writer->pending + nr,
		writer->nr_pending * sizeof(writer->pending[0]));
	return rc;
}

int nslab_trace_writer_put(struct nslab_trace_writer *writer, const struct nslab_trace_raw *raw,
			   struct nslab_err *err)
{
	size_t at;

	if (writer->has_event && raw->time_ns < writer->last_ns)
		return nslab_fail(
			err, -EINVAL,
			"an event is %llu ns older than one before it, more than %d events "
			"late; sort the events by time",
			(unsigned long long)(writer->last_ns - raw->time_ns), WINDOW);
	if (writer->nr_pending == 2 * WINDOW) {
		int rc = writer_drain(writer, WINDOW, err);

		if (rc)
			return rc;
		return nslab_trace_writer_put(writer, raw, err);
	}
	at = writer->nr_pending++;
	writer->tables.tally.reordered += at && writer->pending[at - 1].time_ns > raw->time_ns;
	for (; at && writer->pending[at - 1].time_ns > raw->time_ns; at--)
		writer->pending[at] = writer->pending[at - 1];
	writer->pending[at] = *raw;
	return 0;
}

/* ---- begin and end ---- */

int nslab_trace_writer_info(struct nslab_trace_writer *writer, const struct nslab_trace_info *info)
{
	struct nslab_trace_info *copy = &writer->tables.info;

	*copy = *info;
	copy->source = writer_copy(writer, info->source);
	copy->kernel = writer_copy(writer, info->kernel);
	copy->machine = writer_copy(writer, info->machine);
	copy->command = writer_copy(writer, info->command);
	copy->clock = writer_copy(writer, info->clock);
	if (!copy->source || !copy->kernel || !copy->machine || !copy->command || !copy->clock)
		return -ENOMEM;
	return 0;
}

static int writer_init(struct nslab_trace_writer *writer, const struct nslab_trace_info *info)
{
	int rc = nslab_trace_slots_init(&writer->slots);

	if (!rc)
		rc = nslab_trace_writer_info(writer, info);
	writer->site_caches = calloc(NSLAB_TRACE_MAX_INDEX, sizeof(*writer->site_caches));
	if (!rc && !writer->site_caches)
		rc = -ENOMEM;
	if (!rc)
		rc = nslab_trace_caches_init(&writer->caches);
	if (!rc)
		rc = nslab_trace_writer_site(writer, "(unknown)", strlen("(unknown)"));
	if (!rc)
		rc = nslab_trace_writer_attr(writer, "", 0, -1, false);
	return rc;
}

int nslab_trace_writer_create(const char *path, const struct nslab_trace_info *info,
			      struct nslab_trace_writer **out, struct nslab_err *err)
{
	struct nslab_trace_writer *writer = calloc(1, sizeof(*writer));
	int rc;

	if (!writer)
		return nslab_fail(err, -ENOMEM, "cannot write '%s': no memory", path);
	rc = nslab_trace_output_open(&writer->output, path, err);
	if (!rc && writer_init(writer, info))
		rc = nslab_fail(err, -ENOMEM, "cannot write '%s': no memory", path);
	if (rc)
		nslab_trace_writer_destroy(writer);
	else
		*out = writer;
	return rc;
}

/* Rows by id, as the tables want them: shapes and born with the caches' numbers of the file. */
static int writer_fill_tables(struct nslab_trace_writer *writer, struct nslab_trace_shape **shapes,
			      const char ***sites)
{
	struct nslab_trace_tables *tables = &writer->tables;

	*shapes = calloc(writer->shapes.nr + 1, sizeof(**shapes));
	*sites = calloc(writer->sites.nr, sizeof(**sites));
	if (!*shapes || !*sites)
		return -ENOMEM;
	for (uint32_t i = 0; i < writer->shapes.nr; i++) {
		memcpy(&(*shapes)[i], writer->shapes.keys[i].bytes, sizeof(**shapes));
		(*shapes)[i].cache = writer->caches.final[(*shapes)[i].cache];
	}
	for (uint32_t i = 0; i < writer->sites.nr; i++)
		(*sites)[i] = writer->sites.keys[i].bytes;
	for (uint32_t i = 0; i < writer->slots.nr_born; i++)
		writer->slots.born[i].cache = writer->caches.final[writer->slots.born[i].cache];
	tables->shapes = *shapes;
	tables->sites = *sites;
	tables->born = writer->slots.born;
	tables->caches = writer->caches.file_rows;
	tables->kernel_caches = writer->kernel_rows;
	tables->attrs = writer->attr_rows;
	tables->cpus = writer->cpu_rows;
	tables->nr_shapes = writer->shapes.nr;
	tables->nr_sites = writer->sites.nr;
	tables->nr_born = writer->slots.nr_born;
	tables->nr_caches = writer->caches.nr_file_rows;
	tables->nr_kernel_caches = writer->kernel_names.nr;
	tables->nr_attrs = writer->attrs.nr;
	tables->nr_cpus = writer->cpus.nr;
	tables->nr_slots = writer->slots.nr;
	tables->nr_events = writer->output.nr_events;
	tables->info.has_pages = tables->info.has_pages ||
				 tables->tally.events[NSLAB_TRACE_PAGE_ALLOC] ||
				 tables->tally.events[NSLAB_TRACE_PAGE_FREE];
	tables->duration_ns = writer->last_ns - tables->start_ns;
	return 0;
}

int nslab_trace_writer_finish(struct nslab_trace_writer *writer, struct nslab_err *err)
{
	struct nslab_trace_shape *shapes = NULL;
	const char **sites = NULL;
	char *json = NULL;
	int rc = writer_drain(writer, writer->nr_pending, err);

	if (rc)
		return rc;
	rc = nslab_trace_caches_resolve(&writer->caches);
	if (!rc)
		rc = writer_fill_tables(writer, &shapes, &sites);
	if (!rc)
		json = nslab_trace_encode(&writer->tables);
	if (rc || !json)
		rc = nslab_fail(err, -ENOMEM, "cannot write '%s': no memory", writer->output.path);
	else
		rc = nslab_trace_output_finish(&writer->output, &writer->tables, json, err);
	free(json);
	free(sites);
	free(shapes);
	return rc;
}

void nslab_trace_writer_destroy(struct nslab_trace_writer *writer)
{
	if (!writer)
		return;
	nslab_trace_output_close(&writer->output);
	nslab_trace_intern_free(&writer->sites);
	nslab_trace_intern_free(&writer->attrs);
	nslab_trace_intern_free(&writer->cpus);
	nslab_trace_intern_free(&writer->shapes);
	nslab_trace_intern_free(&writer->kernel_names);
	nslab_trace_intern_free(&writer->words);
	nslab_trace_caches_free(&writer->caches);
	nslab_trace_slots_free(&writer->slots);
	free(writer->attr_rows);
	free(writer->cpu_rows);
	free(writer->kernel_rows);
	free(writer->site_caches);
	free(writer);
}
