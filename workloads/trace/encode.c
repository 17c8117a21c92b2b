/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * encode.c: the tables of a trace as one compact JSON text, and back.
 *
 * Numbers of a struct are rows of a table {key, offset}, used in both directions, so that a field
 * is added in one place. What was not told is left out when written and becomes
 * NSLAB_TRACE_NOT_TOLD when read. Reading takes any JSON: a missing or wrong member is an error
 * that names it, never a crash; texts stay where the JSON has them.
 */
#include "workloads/trace/encode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct encode_field {
	const char *key;
	size_t offset; /* of an int64_t or uint64_t */
};

#define FIELD(type, member)                                                                        \
 {                                                                                                 \
#  member, offsetof(struct type, member)                                                           \
 }
#define NR(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct encode_field encode_kernel_fields[] = {
	FIELD(nslab_trace_kernel_cache, object_size),
	FIELD(nslab_trace_kernel_cache, slab_size),
	FIELD(nslab_trace_kernel_cache, align),
	FIELD(nslab_trace_kernel_cache, order),
	FIELD(nslab_trace_kernel_cache, objs_per_slab),
	FIELD(nslab_trace_kernel_cache, cpu_partial),
	FIELD(nslab_trace_kernel_cache, min_partial),
	FIELD(nslab_trace_kernel_cache, sheaf_capacity),
	FIELD(nslab_trace_kernel_cache, slabs_before),
	FIELD(nslab_trace_kernel_cache, slabs_after),
	FIELD(nslab_trace_kernel_cache, objects_before),
	FIELD(nslab_trace_kernel_cache, objects_after),
	FIELD(nslab_trace_kernel_cache, partial_before),
	FIELD(nslab_trace_kernel_cache, partial_after),
};

static const struct encode_field encode_tally_fields[] = {
	{"kmem_cache_alloc", offsetof(struct nslab_trace_tally, events[NSLAB_TRACE_CACHE_ALLOC])},
	{"kmem_cache_free", offsetof(struct nslab_trace_tally, events[NSLAB_TRACE_CACHE_FREE])},
	{"kmalloc", offsetof(struct nslab_trace_tally, events[NSLAB_TRACE_KMALLOC])},
	{"kfree", offsetof(struct nslab_trace_tally, events[NSLAB_TRACE_KFREE])},
	{"mm_page_alloc", offsetof(struct nslab_trace_tally, events[NSLAB_TRACE_PAGE_ALLOC])},
	{"mm_page_free", offsetof(struct nslab_trace_tally, events[NSLAB_TRACE_PAGE_FREE])},
	FIELD(nslab_trace_tally, null_frees),
	FIELD(nslab_trace_tally, failed_allocs),
	FIELD(nslab_trace_tally, implicit_frees),
	FIELD(nslab_trace_tally, born),
	FIELD(nslab_trace_tally, lost),
	FIELD(nslab_trace_tally, reordered),
	FIELD(nslab_trace_tally, ignored),
	FIELD(nslab_trace_tally, skipped),
	FIELD(nslab_trace_tally, mismatched),
};

static const char *const encode_types[] = {"unknown", "kmem", "kmalloc", "pages"};
static const char *const encode_kmalloc_types[] = {"normal", "rcl", "cgroup", "dma"};

const char *nslab_trace_kmalloc_word(enum nslab_trace_kmalloc_type type)
{
	return encode_kmalloc_types[type];
}

const char *nslab_trace_kind_word(enum nslab_trace_kind kind)
{
	static const char *const words[] = {
		"kmem_cache_alloc", "kmem_cache_free", "kmalloc", "kfree",
		"mm_page_alloc",    "mm_page_free",    "time",	  "lost"};

	return words[kind];
}

/* ---- writing ---- */

static void encode_numbers(json_t *object, const struct encode_field *fields, size_t nr,
			   const void *row)
{
	for (size_t i = 0; i < nr; i++) {
		int64_t value;

		memcpy(&value, (const char *)row + fields[i].offset, sizeof(value));
		if (value >= 0)
			json_object_set_new(object, fields[i].key, json_integer(value));
	}
}

static json_t *encode_info(const struct nslab_trace_tables *t)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:I, s:I}", "source", t->info.source,
			 "kernel", t->info.kernel, "machine", t->info.machine, "command",
			 t->info.command, "clock", t->info.clock, "page_bytes",
			 (json_int_t)t->info.page_bytes, "has_pages", t->info.has_pages, "start_ns",
			 (json_int_t)t->start_ns, "duration_ns", (json_int_t)t->duration_ns);
}

static json_t *encode_caches(const struct nslab_trace_tables *t)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < t->nr_caches; i++) {
		const struct nslab_trace_cache *c = &t->caches[i];

		json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", c->name,
						      "type", encode_types[c->type], "kmalloc_type",
						      encode_kmalloc_types[c->kmalloc_type],
						      "object_size", (json_int_t)c->object_size,
						      "size", (json_int_t)c->size));
	}
	return rows;
}

static json_t *encode_kernel_caches(const struct nslab_trace_tables *t)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < t->nr_kernel_caches; i++) {
		const struct nslab_trace_kernel_cache *c = &t->kernel_caches[i];
		json_t *row = json_pack("{s:s, s:s}", "name", c->name, "flags", c->flags);

		encode_numbers(row, encode_kernel_fields, NR(encode_kernel_fields), c);
		json_array_append_new(rows, row);
	}
	return rows;
}

/* Rows of few fields are arrays: [gfp, node, accounted, type] and [id, node]. */
static json_t *encode_attrs(const struct nslab_trace_tables *t)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < t->nr_attrs; i++)
		json_array_append_new(rows,
				      json_pack("[s, i, b, s]", t->attrs[i].gfp, t->attrs[i].node,
						t->attrs[i].is_accounted,
						encode_kmalloc_types[t->attrs[i].kmalloc_type]));
	return rows;
}

static json_t *encode_cpus(const struct nslab_trace_tables *t)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < t->nr_cpus; i++)
		json_array_append_new(
			rows, json_pack("[I, i]", (json_int_t)t->cpus[i].id, t->cpus[i].node));
	return rows;
}

static json_t *encode_sites(const struct nslab_trace_tables *t)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < t->nr_sites; i++)
		json_array_append_new(rows, json_string(t->sites[i]));
	return rows;
}

char *nslab_trace_encode(const struct nslab_trace_tables *tables)
{
	json_t *json = encode_info(tables);
	json_t *tally = json_object();
	char *text = NULL;

	encode_numbers(tally, encode_tally_fields, NR(encode_tally_fields), &tables->tally);
	if (!json_object_set_new(json, "tally", tally) &&
	    !json_object_set_new(json, "cpus", encode_cpus(tables)) &&
	    !json_object_set_new(json, "caches", encode_caches(tables)) &&
	    !json_object_set_new(json, "kernel_caches", encode_kernel_caches(tables)) &&
	    !json_object_set_new(json, "attrs", encode_attrs(tables)) &&
	    !json_object_set_new(json, "sites", encode_sites(tables)))
		text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(json);
	return text;
}

/* ---- reading ---- */

static int decode_failed(struct nslab_err *err, const char *what, size_t row)
{
	return nslab_fail(err, -EINVAL, "row %zu of '%s' in its tables is wrong", row, what);
}

static int decode_numbers(const json_t *object, const struct encode_field *fields, size_t nr,
			  void *row)
{
	for (size_t i = 0; i < nr; i++) {
		const json_t *number = json_object_get(object, fields[i].key);
		int64_t value = number ? json_integer_value(number) : NSLAB_TRACE_NOT_TOLD;

		if (number && (!json_is_integer(number) || value < 0))
			return -EINVAL;
		memcpy((char *)row + fields[i].offset, &value, sizeof(value));
	}
	return 0;
}

static int decode_word(const char *word, const char *const *words, int nr)
{
	int i = 0;

	while (i < nr && strcmp(word, words[i]))
		i++;
	return i < nr ? i : -EINVAL;
}

static int decode_info(json_t *json, struct nslab_trace_tables *t, struct nslab_err *err)
{
	json_int_t page_bytes, start_ns, duration_ns;
	int has_pages;

	if (json_unpack(json, "{s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:I, s:I}", "source",
			&t->info.source, "kernel", &t->info.kernel, "machine", &t->info.machine,
			"command", &t->info.command, "clock", &t->info.clock, "page_bytes",
			&page_bytes, "has_pages", &has_pages, "start_ns", &start_ns, "duration_ns",
			&duration_ns) ||
	    start_ns < 0 || duration_ns < 0)
		return nslab_fail(err, -EINVAL, "its tables do not tell where it is from");
	t->info.page_bytes = page_bytes;
	t->info.has_pages = has_pages;
	t->start_ns = (uint64_t)start_ns;
	t->duration_ns = (uint64_t)duration_ns;
	if (decode_numbers(json_object_get(json, "tally"), encode_tally_fields,
			   NR(encode_tally_fields), &t->tally))
		return nslab_fail(err, -EINVAL, "the 'tally' in its tables is wrong");
	return 0;
}

static int decode_cache(json_t *row, struct nslab_trace_cache *cache)
{
	const char *type, *kmalloc_type;
	json_int_t object_size, size;
	int type_index, kmalloc_index;

	if (json_unpack(row, "{s:s, s:s, s:s, s:I, s:I}", "name", &cache->name, "type", &type,
			"kmalloc_type", &kmalloc_type, "object_size", &object_size, "size",
			&size) ||
	    object_size < 0 || size < 0)
		return -EINVAL;
	type_index = decode_word(type, encode_types, NR(encode_types));
	kmalloc_index = decode_word(kmalloc_type, encode_kmalloc_types, NR(encode_kmalloc_types));
	if (type_index < 0 || kmalloc_index < 0)
		return -EINVAL;
	cache->type = (enum nslab_trace_cache_type)type_index;
	cache->kmalloc_type = (enum nslab_trace_kmalloc_type)kmalloc_index;
	cache->object_size = (uint64_t)object_size;
	cache->size = (uint64_t)size;
	cache->kernel = -1;
	return 0;
}

static int decode_kernel_cache(json_t *row, struct nslab_trace_kernel_cache *cache)
{
	if (json_unpack(row, "{s:s, s:s}", "name", &cache->name, "flags", &cache->flags))
		return -EINVAL;
	return decode_numbers(row, encode_kernel_fields, NR(encode_kernel_fields), cache);
}

static int decode_attr(json_t *row, struct nslab_trace_attr *attr)
{
	const char *type;
	int accounted, index;

	if (json_unpack(row, "[s, i, b, s]", &attr->gfp, &attr->node, &accounted, &type))
		return -EINVAL;
	index = decode_word(type, encode_kmalloc_types, NR(encode_kmalloc_types));
	attr->is_accounted = accounted;
	attr->kmalloc_type = (enum nslab_trace_kmalloc_type)(index < 0 ? 0 : index);
	return index < 0 ? index : 0;
}

static int decode_cpu(json_t *row, struct nslab_trace_cpu *cpu)
{
	json_int_t id;

	if (json_unpack(row, "[I, i]", &id, &cpu->node) || id < 0 || id > UINT32_MAX)
		return -EINVAL;
	cpu->id = (unsigned)id;
	return 0;
}

static int decode_site(json_t *row, const char **site)
{
	*site = json_string_value(row);
	return *site ? 0 : -EINVAL;
}

/*
 * DECODE(caches): every row of the array "caches" through decode_ROW. A macro, since each table has
 * rows of its own type.
 */
#define DECODE(table, row_type, decode_row)                                                        \
 static int decode_##table(const json_t *json, struct nslab_trace_tables *t,                       \
			   struct nslab_trace_decoded *d, struct nslab_err *err)                   \
 {                                                                                                 \
  json_t *rows = json_object_get(json, #table);                                                    \
  size_t nr = json_array_size(rows);                                                               \
                                                                                                   \
  if (nr > NSLAB_TRACE_MAX_INDEX)                                                                  \
   return decode_failed(err, #table, nr);                                                          \
  d->table = calloc(nr + 1, sizeof(row_type));                                                     \
  if (!d->table)                                                                                   \
   return nslab_fail(err, -ENOMEM, "no memory for '%s'", #table);                                  \
  for (size_t i = 0; i < nr; i++) {                                                                \
   if (decode_row(json_array_get(rows, i), &d->table[i]))                                          \
    return decode_failed(err, #table, i);                                                          \
  }                                                                                                \
  t->table = d->table;                                                                             \
  t->nr_##table = (uint32_t)nr;                                                                    \
  return 0;                                                                                        \
 }

DECODE(caches, struct nslab_trace_cache, decode_cache)
DECODE(kernel_caches, struct nslab_trace_kernel_cache, decode_kernel_cache)
DECODE(attrs, struct nslab_trace_attr, decode_attr)
DECODE(cpus, struct nslab_trace_cpu, decode_cpu)
DECODE(sites, const char *, decode_site)

/* Each cache finds the kernel's cache of its name. */
static int decode_match(struct nslab_trace_tables *t, struct nslab_trace_cache *caches)
{
	json_t *by_name = json_object();
	int rc = by_name ? 0 : -ENOMEM;

	for (uint32_t i = 0; !rc && i < t->nr_kernel_caches; i++)
		rc = json_object_set_new(by_name, t->kernel_caches[i].name, json_integer(i));
	for (uint32_t i = 0; !rc && i < t->nr_caches; i++) {
		const json_t *index = json_object_get(by_name, caches[i].name);

		caches[i].kernel = index ? (int)json_integer_value(index) : -1;
	}
	json_decref(by_name);
	return rc ? -ENOMEM : 0;
}

int nslab_trace_decode(json_t *json, struct nslab_trace_tables *tables,
		       struct nslab_trace_decoded *decoded, struct nslab_err *err)
{
	int rc = decode_info(json, tables, err);

	if (!rc)
		rc = decode_caches(json, tables, decoded, err);
	if (!rc)
		rc = decode_kernel_caches(json, tables, decoded, err);
	if (!rc)
		rc = decode_attrs(json, tables, decoded, err);
	if (!rc)
		rc = decode_cpus(json, tables, decoded, err);
	if (!rc)
		rc = decode_sites(json, tables, decoded, err);
	if (!rc && decode_match(tables, decoded->caches))
		rc = nslab_fail(err, -ENOMEM, "no memory for names");
	return rc;
}

void nslab_trace_decoded_free(struct nslab_trace_decoded *decoded)
{
	free(decoded->caches);
	free(decoded->kernel_caches);
	free(decoded->attrs);
	free(decoded->cpus);
	free(decoded->sites);
}
