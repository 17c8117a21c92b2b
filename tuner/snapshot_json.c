// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot_json.c: a snapshot as JSON, written and read back.
 *
 * Keys of a cache are the names that sysfs has. What is not known is left out, so that nothing that
 * was not told comes back as a number; the table of keys serves both ways. Where the snapshot came
 * from is no part of it, nor is what follows from other parts (knobs). Written files have one cache
 * on each line. jansson tells the line of bad syntax only: for a bad cache the line is found by its
 * name in the text.
 *
 * Invariant: what was written reads back to a snapshot that writes the same bytes. Left out: the
 * checks of a cache and of the machine, which are the same for every source (snapshot.c).
 */
#define _GNU_SOURCE
#include "tuner/snapshot_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOT_VERSION 1
#define SNAPSHOT_KEY	 "numaslab_snapshot"

enum json_kind { /* of a member of struct nslab_tuner_cache */
	JSON_UNSIGNED,
	JSON_INT,
	JSON_INT64,
	JSON_DOUBLE
};

static const struct json_key {
	const char *word;
	enum json_kind kind;
	size_t offset;
} json_keys[] = {
	{"object_size", JSON_UNSIGNED, offsetof(struct nslab_tuner_cache, object_size)},
	{"slab_size", JSON_UNSIGNED, offsetof(struct nslab_tuner_cache, size)},
	{"align", JSON_UNSIGNED, offsetof(struct nslab_tuner_cache, align)},
	{"order", JSON_INT, offsetof(struct nslab_tuner_cache, order)},
	{"objs_per_slab", JSON_INT, offsetof(struct nslab_tuner_cache, objects)},
	{"min_partial", JSON_INT, offsetof(struct nslab_tuner_cache, min_partial)},
	{"cpu_partial", JSON_INT, offsetof(struct nslab_tuner_cache, cpu_partial)},
	{"sheaf_capacity", JSON_INT, offsetof(struct nslab_tuner_cache, sheaf_capacity)},
	{"objects", JSON_INT64, offsetof(struct nslab_tuner_cache, live)},
	{"total_objects", JSON_INT64, offsetof(struct nslab_tuner_cache, total)},
	{"slabs", JSON_INT64, offsetof(struct nslab_tuner_cache, nr_slabs)},
	{"partial", JSON_INT64, offsetof(struct nslab_tuner_cache, nr_partial)},
	{"allocs_per_s", JSON_DOUBLE, offsetof(struct nslab_tuner_cache, allocs_per_s)},
	{"frees_per_s", JSON_DOUBLE, offsetof(struct nslab_tuner_cache, frees_per_s)},
	{"remote_share", JSON_DOUBLE, offsetof(struct nslab_tuner_cache, remote_share)},
};

#define NR_KEYS (sizeof(json_keys) / sizeof(json_keys[0]))

/* ---- writing ---- */

/* NULL for what is not known. */
static json_t *json_of_key(const struct nslab_tuner_cache *cache, const struct json_key *key)
{
	const char *at = (const char *)cache + key->offset;
	const void *member = at;
	json_int_t number = -1;

	if (key->kind == JSON_DOUBLE)
		return isnan(*(const double *)member) ? NULL : json_real(*(const double *)member);
	if (key->kind == JSON_UNSIGNED)
		number = *(const unsigned *)member ? (json_int_t) * (const unsigned *)member : -1;
	else if (key->kind == JSON_INT)
		number = *(const int *)member;
	else
		number = *(const int64_t *)member;
	return number < 0 ? NULL : json_integer(number);
}

static json_t *json_of_texts(char *const *texts, size_t nr)
{
	json_t *array = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(array, json_string(texts[i]));
	return array;
}

static json_t *json_of_cache(const struct nslab_tuner_cache *cache)
{
	json_t *json = json_pack("{s:s}", "name", cache->name);

	if (strcmp(cache->name, cache->folder) != 0)
		json_object_set_new(json, "folder", json_string(cache->folder));
	if (cache->nr_aliases)
		json_object_set_new(json, "aliases",
				    json_of_texts(cache->aliases, cache->nr_aliases));
	for (size_t i = 0; i < NR_KEYS; i++) {
		json_t *value = json_of_key(cache, &json_keys[i]);

		if (value)
			json_object_set_new(json, json_keys[i].word, value);
	}
	for (int i = NSLAB_SLAB_HWCACHE_ALIGN; i < NSLAB_NR_SLAB_COLUMNS; i++) {
		enum nslab_slab_column column = (enum nslab_slab_column)i;

		if (cache->flags & nslab_tuner_snapshot_flag(column))
			json_object_set_new(json, nslab_slab_column_word(column), json_true());
	}
	if (cache->has_ctor)
		json_object_set_new(json, "ctor", json_true());
	if (cache->is_debug)
		json_object_set_new(json, "debug", json_true());
	return json;
}

static void json_add_machine(json_t *json, const struct nslab_tuner_snapshot *s)
{
	json_t *cpus = json_array(), *nodes = json_array(), *blocks = json_array();

	json_object_set_new(json, "cpus", json_integer(s->nr_cpus));
	json_object_set_new(json, "nodes", json_integer(s->nr_nodes));
	for (int i = 0; s->cpu_nodes && i < s->nr_cpus; i++)
		json_array_append_new(cpus, json_integer(s->cpu_nodes[i]));
	for (int i = 0; s->node_mib && i < s->nr_nodes; i++)
		json_array_append_new(nodes, json_integer(s->node_mib[i]));
	for (int i = 0; s->has_free_blocks && i < NSLAB_TUNER_ORDERS; i++)
		json_array_append_new(blocks, json_integer((json_int_t)s->free_blocks[i]));
	if (s->cpu_nodes)
		json_object_set(json, "cpu_nodes", cpus);
	if (s->node_mib)
		json_object_set(json, "node_mib", nodes);
	if (s->has_free_blocks)
		json_object_set(json, "free_blocks", blocks);
	json_decref(cpus);
	json_decref(nodes);
	json_decref(blocks);
}

json_t *nslab_tuner_snapshot_json(const struct nslab_tuner_snapshot *snapshot)
{
	json_t *json = json_pack("{s:i, s:s, s:s, s:s, s:i, s:s, s:s}", SNAPSHOT_KEY,
				 SNAPSHOT_VERSION, "release", snapshot->release, "kernel",
				 nslab_order_kernel_word(snapshot->kernel), "arch", snapshot->arch,
				 "page_bytes", (int)NSLAB_PAGE_SIZE, "cmdline_slab",
				 snapshot->cmdline_slab, "taken_at", snapshot->taken_at);
	json_t *caches = json_array();

	if (!json || !caches) {
		json_decref(json);
		json_decref(caches);
		return NULL;
	}
	json_add_machine(json, snapshot);
	if (snapshot->nr_notes)
		json_object_set_new(json, "notes",
				    json_of_texts(snapshot->notes, snapshot->nr_notes));
	for (size_t i = 0; i < snapshot->nr_caches; i++)
		json_array_append_new(caches, json_of_cache(&snapshot->caches[i]));
	json_object_set_new(json, "caches", caches);
	return json;
}

static void json_write_caches(const json_t *caches, FILE *out)
{
	const json_t *cache;
	size_t i;

	fputs("[", out);
	json_array_foreach(caches, i, cache)
	{
		fputs(i ? ",\n  " : "\n  ", out);
		json_dumpf(cache, out, JSON_ENSURE_ASCII);
	}
	fputs("\n ]", out);
}

int nslab_tuner_snapshot_write(const struct nslab_tuner_snapshot *snapshot, FILE *out,
			       struct nslab_err *err)
{
	json_t *json = nslab_tuner_snapshot_json(snapshot), *value;
	const char *key, *before = "{\n ";
	int rc = 0;

	if (!json)
		return nslab_fail(err, -ENOMEM, "out of memory");
	json_object_foreach(json, key, value)
	{
		fprintf(out, "%s\"%s\": ", before, key);
		if (!strcmp(key, "caches"))
			json_write_caches(value, out);
		else
			json_dumpf(value, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		before = ",\n ";
	}
	fputs("\n}\n", out);
	if (fflush(out) || ferror(out))
		rc = nslab_fail(err, -EIO, "cannot write the snapshot: %s",
				strerror(errno ? errno : EIO));
	json_decref(json);
	return rc;
}

/* ---- reading ---- */

/* ASCII that a terminal may show. */
static bool json_is_line(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

/* Whole numbers of least..most. 1: taken, 0: there is none. */
static int json_take(const json_t *object, const char *key, int64_t least, int64_t most,
		     int64_t *number, struct nslab_err *err)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < least ||
	    json_integer_value(value) > most)
		return nslab_fail(err, -EINVAL, "%s is no whole number of %" PRId64 " to %" PRId64,
				  key, least, most);
	*number = json_integer_value(value);
	return 1;
}

static int json_take_real(const json_t *object, const char *key, double *number,
			  struct nslab_err *err)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return 0;
	if (!json_is_number(value) || json_number_value(value) < 0)
		return nslab_fail(err, -EINVAL, "%s is no number of 0 or more", key);
	*number = json_number_value(value);
	return 1;
}

static int json_take_key(const json_t *object, const struct json_key *key,
			 struct nslab_tuner_cache *cache, struct nslab_err *err)
{
	int64_t most = key->kind == JSON_INT64 ? (int64_t)1 << 50 : INT_MAX, number = -1;
	void *member = (char *)cache + key->offset;
	int rc;

	if (key->kind == JSON_DOUBLE) {
		rc = json_take_real(object, key->word, member, err);
		return rc < 0 ? rc : 0;
	}
	rc = json_take(object, key->word, 0, most, &number, err);
	if (rc <= 0)
		return rc;
	if (key->kind == JSON_INT64)
		*(int64_t *)member = number;
	else if (key->kind == JSON_INT)
		*(int *)member = (int)number;
	else
		*(unsigned *)member = (unsigned)number;
	return 0;
}

/* Strings of an array, by add; 0 when there is none. */
static int json_take_aliases(const json_t *object, struct nslab_tuner_cache *cache,
			     struct nslab_err *err)
{
	const json_t *array = json_object_get(object, "aliases"), *value;
	size_t i;

	if (array && !json_is_array(array))
		return nslab_fail(err, -EINVAL, "aliases is no array");
	json_array_foreach(array, i, value)
	{
		if (!json_is_string(value))
			return nslab_fail(err, -EINVAL, "aliases holds what is no text");
		if (nslab_tuner_snapshot_add_alias(cache, json_string_value(value)))
			return nslab_fail(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int json_take_cache(struct nslab_tuner_snapshot *s, const json_t *object,
			   struct nslab_err *err)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	const char *folder = json_string_value(json_object_get(object, "folder"));
	struct nslab_tuner_cache *cache;
	int rc = 0;

	if (!name || !json_is_line(name))
		return nslab_fail(err, -EINVAL, "a cache without a name of ASCII text");
	cache = nslab_tuner_snapshot_add(s, name);
	if (!cache || (folder && nslab_tuner_snapshot_text(&cache->folder, folder)))
		return nslab_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; !rc && i < NR_KEYS; i++)
		rc = json_take_key(object, &json_keys[i], cache, err);
	for (int i = NSLAB_SLAB_HWCACHE_ALIGN; i < NSLAB_NR_SLAB_COLUMNS; i++) {
		enum nslab_slab_column column = (enum nslab_slab_column)i;

		if (json_is_true(json_object_get(object, nslab_slab_column_word(column))))
			cache->flags |= nslab_tuner_snapshot_flag(column);
	}
	cache->has_ctor = json_is_true(json_object_get(object, "ctor"));
	cache->is_debug = json_is_true(json_object_get(object, "debug"));
	if (!rc)
		rc = json_take_aliases(object, cache, err);
	for (size_t i = 0; !rc && i < 2; i++) {
		if (!json_object_get(object, json_keys[i].word))
			rc = nslab_fail(err, -EINVAL, "cache '%.64s' has no %s", name,
					json_keys[i].word);
	}
	if (!rc && cache->remote_share > 1.0)
		rc = nslab_fail(err, -EINVAL, "remote_share is more than 1");
	return rc ? rc : nslab_tuner_snapshot_check(cache, err);
}

/* Line of the first "word" in the text; 1 when it is not there as such. */
static size_t json_line(const char *text, const char *word)
{
	json_t *json = json_string(word);
	char *quoted = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
	const char *at = quoted ? strstr(text, quoted) : NULL;
	size_t line = 1;

	for (const char *c = text; at && c < at; c++)
		line += *c == '\n';
	free(quoted);
	json_decref(json);
	return line;
}

/* Errors of the machine begin with the key that is wrong. */
static size_t json_line_of_error(const char *text, const struct nslab_err *err)
{
	char key[32];

	snprintf(key, sizeof(key), "%.*s", (int)strcspn(err->text, " "), err->text);
	return json_line(text, key);
}

static int json_take_caches(struct nslab_tuner_snapshot *s, const char *path, const json_t *json,
			    const char *text, struct nslab_err *err)
{
	const json_t *caches = json_object_get(json, "caches"), *cache;
	int rc = 0;
	size_t i;

	if (!json_is_array(caches))
		return nslab_fail(err, -EINVAL, "%s:1: caches is missing, or no array", path);
	json_array_foreach(caches, i, cache)
	{
		const char *name = json_string_value(json_object_get(cache, "name"));
		bool is_name = name && json_is_line(name);

		rc = json_take_cache(s, cache, err);
		if (rc)
			return nslab_fail_in(err, rc, "%s:%zu", path,
					     json_line(text, is_name ? name : "caches"));
	}
	return 0;
}

static int json_take_text(const json_t *json, const char *key, char **text, struct nslab_err *err)
{
	const json_t *value = json_object_get(json, key);
	const char *string = json_string_value(value);

	if (!value)
		return 0;
	if (!string || strlen(string) > 4000 || !json_is_line(string))
		return nslab_fail(err, -EINVAL, "%s is no line of ASCII text", key);
	return nslab_tuner_snapshot_text(text, string) ? nslab_fail(err, -ENOMEM, "out of memory")
						       : 0;
}

/* [nr] numbers of 0..most into *numbers, which stays NULL when there are none. */
static int json_take_array(const json_t *json, const char *key, size_t nr, int64_t most,
			   int64_t **numbers, struct nslab_err *err)
{
	const json_t *array = json_object_get(json, key), *value;
	size_t i;

	*numbers = NULL;
	if (!array)
		return 0;
	if (json_array_size(array) != nr || !nr)
		return nslab_fail(err, -EINVAL, "%s is no array of %zu", key, nr);
	*numbers = calloc(nr, sizeof(**numbers));
	if (!*numbers)
		return nslab_fail(err, -ENOMEM, "out of memory");
	json_array_foreach(array, i, value)
	{
		(*numbers)[i] = json_is_integer(value) ? json_integer_value(value) : -1;
		if ((*numbers)[i] < 0 || (*numbers)[i] > most) {
			free(*numbers);
			*numbers = NULL;
			return nslab_fail(err, -EINVAL, "%s holds no whole number of 0 to %" PRId64,
					  key, most);
		}
	}
	return 0;
}

static int json_take_cpus(struct nslab_tuner_snapshot *s, const json_t *json, struct nslab_err *err)
{
	int64_t *nodes;
	int rc = json_take_array(json, "cpu_nodes", (size_t)s->nr_cpus, s->nr_nodes - 1, &nodes,
				 err);

	if (!nodes)
		return rc;
	s->cpu_nodes = calloc((size_t)s->nr_cpus, sizeof(*s->cpu_nodes));
	for (int i = 0; s->cpu_nodes && i < s->nr_cpus; i++)
		s->cpu_nodes[i] = (int)nodes[i];
	free(nodes);
	return s->cpu_nodes ? 0 : nslab_fail(err, -ENOMEM, "out of memory");
}

static int json_take_machine(struct nslab_tuner_snapshot *s, const json_t *json,
			     struct nslab_err *err)
{
	int64_t nr_cpus = 0, nr_nodes = 0, *blocks = NULL;
	int rc = json_take(json, "cpus", 1, NSLAB_TUNER_CPUS_MAX, &nr_cpus, err);

	if (rc >= 0)
		rc = json_take(json, "nodes", 1, NSLAB_TUNER_NODES_MAX, &nr_nodes, err);
	if (rc < 0)
		return rc;
	s->nr_cpus = (int)nr_cpus;
	s->nr_nodes = (int)nr_nodes;
	rc = json_take_cpus(s, json, err);
	if (!rc)
		rc = json_take_array(json, "node_mib", (size_t)nr_nodes, (int64_t)1 << 50,
				     &s->node_mib, err);
	if (!rc)
		rc = json_take_array(json, "free_blocks", NSLAB_TUNER_ORDERS, (int64_t)1 << 50,
				     &blocks, err);
	for (int i = 0; blocks && i < NSLAB_TUNER_ORDERS; i++)
		s->free_blocks[i] = (uint64_t)blocks[i];
	s->has_free_blocks = blocks != NULL;
	free(blocks);
	return rc;
}

/* Its rules, for a release whose own are not known. */
static int json_take_kernel(struct nslab_tuner_snapshot *s, const json_t *json,
			    struct nslab_err *err)
{
	const char *word = json_string_value(json_object_get(json, "kernel"));

	if (!word)
		return 0;
	for (int i = 0; i < NSLAB_NR_ORDER_KERNELS; i++) {
		if (!strcmp(word, nslab_order_kernel_word((enum nslab_order_kernel)i)))
			s->kernel = (enum nslab_order_kernel)i;
	}
	return s->kernel < NSLAB_NR_ORDER_KERNELS
		       ? 0
		       : nslab_fail(err, -EINVAL, "kernel is '%.64s'; 6.1, 6.12 and 6.18 are known",
				    word);
}

static int json_take_notes(struct nslab_tuner_snapshot *s, const json_t *json,
			   struct nslab_err *err)
{
	const json_t *value;
	size_t i;

	json_array_foreach(json_object_get(json, "notes"), i, value)
	{
		const char *text = json_string_value(value);

		if (!text || !json_is_line(text))
			return nslab_fail(err, -EINVAL,
					  "notes holds what is no line of ASCII text");
		nslab_tuner_snapshot_note(s, "%s", text);
	}
	return 0;
}

static int json_take_header(struct nslab_tuner_snapshot *s, const json_t *json,
			    struct nslab_err *err)
{
	int64_t version = 0, page_bytes = NSLAB_PAGE_SIZE;
	char *cmdline = NULL;
	int rc = json_take(json, SNAPSHOT_KEY, SNAPSHOT_VERSION, SNAPSHOT_VERSION, &version, err);

	if (!rc)
		return nslab_fail(err, -EINVAL,
				  "'%s' is missing: no snapshot; numaslab snapshot writes one",
				  SNAPSHOT_KEY);
	if (rc > 0)
		rc = json_take(json, "page_bytes", 1, 1 << 30, &page_bytes, err);
	if (rc < 0)
		return rc;
	if (page_bytes != NSLAB_PAGE_SIZE)
		return nslab_fail(err, -EINVAL,
				  "page_bytes is %" PRId64 "; the rules are known for pages of "
				  "4096 bytes only, so take a snapshot of such a machine",
				  page_bytes);
	rc = json_take_text(json, "release", &s->release, err);
	if (!rc)
		rc = json_take_text(json, "arch", &s->arch, err);
	if (!rc)
		rc = json_take_text(json, "taken_at", &s->taken_at, err);
	if (!rc)
		rc = json_take_text(json, "cmdline_slab", &cmdline, err);
	if (!rc && cmdline && nslab_tuner_snapshot_cmdline(s, cmdline))
		rc = nslab_fail(err, -ENOMEM, "out of memory");
	free(cmdline);
	return rc ? rc : nslab_tuner_snapshot_arch(s, err);
}

int nslab_tuner_snapshot_parse_json(struct nslab_tuner_snapshot *snapshot, const char *path,
				    const char *text, size_t bytes, struct nslab_err *err)
{
	json_error_t error;
	json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
	int rc;

	if (!json)
		return nslab_fail(err, -EINVAL, "%s:%d: not JSON: %s; was the file cut off?", path,
				  error.line, json_is_line(error.text) ? error.text : "bad token");
	rc = json_take_header(snapshot, json, err);
	if (!rc)
		rc = json_take_kernel(snapshot, json, err);
	if (!rc)
		rc = json_take_machine(snapshot, json, err);
	if (!rc)
		rc = json_take_notes(snapshot, json, err);
	if (rc)
		nslab_fail_in(err, rc, "%s:%zu", path, json_line_of_error(text, err));
	else
		rc = json_take_caches(snapshot, path, json, text, err);
	json_decref(json);
	return rc;
}
