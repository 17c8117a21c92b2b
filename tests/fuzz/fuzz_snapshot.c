/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_snapshot.c: libFuzzer feeds any bytes as a snapshot: JSON, a table, slabinfo.
 *
 * The user says what such files may lack in one case of two. What is accepted must be sound: CPUs
 * and nodes, caches in order of their names, each with an order whose slab holds its objects. It
 * must read back from the JSON that it is written as, to the same bytes. What is refused must say
 * why in one line. Left out: /sys and /proc, which nobody hands over.
 */
#include "tuner/snapshot_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

static void fuzz_require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "a snapshot was accepted that %s\n", what);
	abort();
}

static void fuzz_check(const struct nslab_tuner_snapshot *s)
{
	fuzz_require(s->nr_cpus > 0 && s->nr_nodes > 0, "has no CPUs or nodes");
	fuzz_require(s->kernel < NSLAB_NR_ORDER_KERNELS, "has no rules");
	fuzz_require(s->nr_caches > 0, "has no caches");
	for (size_t i = 0; i < s->nr_caches; i++) {
		const struct nslab_tuner_cache *cache = &s->caches[i];

		fuzz_require(!i || strcmp(cache[-1].name, cache->name) < 0, "is in no order");
		fuzz_require(cache->object_size && cache->object_size <= cache->size,
			     "has an object without room");
		fuzz_require(cache->order >= 0 && cache->order <= NSLAB_MAX_ORDER,
			     "has an order that no slab has");
		fuzz_require((size_t)cache->objects ==
				     nslab_order_objects(cache->size, (unsigned)cache->order),
			     "has slabs that do not hold their objects");
	}
	for (int i = 0; s->cpu_nodes && i < s->nr_cpus; i++)
		fuzz_require(s->cpu_nodes[i] >= 0 && s->cpu_nodes[i] < s->nr_nodes,
			     "has a CPU on no node");
}

static char *fuzz_write(const struct nslab_tuner_snapshot *s)
{
	struct nslab_err err = {""};
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out || nslab_tuner_snapshot_write(s, out, &err) || fclose(out))
		abort();
	return text;
}

static void fuzz_round_trip(const struct nslab_tuner_snapshot *s)
{
	const struct nslab_tuner_given given = {-1, -1, NULL};
	struct nslab_tuner_snapshot *again;
	struct nslab_err err = {""};
	char *before = fuzz_write(s), *after;

	if (nslab_tuner_snapshot_parse("again", before, strlen(before), &given, &again, &err)) {
		fprintf(stderr, "%s\n%s", err.text, before);
		abort();
	}
	after = fuzz_write(again);
	fuzz_require(!strcmp(before, after), "does not read back");
	free(before);
	free(after);
	nslab_tuner_snapshot_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
	const struct nslab_tuner_given given[2] = {{-1, -1, NULL}, {4, 2, "6.12"}};
	struct nslab_tuner_snapshot *s;
	struct nslab_err err = {""};
	char *text = malloc(nr_bytes + 1);

	if (!text)
		abort();
	memcpy(text, data, nr_bytes);
	text[nr_bytes] = '\0';
	if (nslab_tuner_snapshot_parse("fuzz", text, nr_bytes, &given[nr_bytes % 2], &s, &err)) {
		if (!err.text[0] || strchr(err.text, '\n'))
			abort();
	} else {
		fuzz_check(s);
		fuzz_round_trip(s);
		nslab_tuner_snapshot_free(s);
	}
	free(text);
	return 0;
}
