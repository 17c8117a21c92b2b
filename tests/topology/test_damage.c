/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_damage.c: damaged topology files give an error or a topology, never a crash.
 *
 * Every recorded machine is cut at 20 places, which must be refused, and damaged at random places
 * with a fixed seed, which may be refused or not: what loads must also be printed, exported as
 * JSON and placed on. hwloc itself dies on some of these; that must stay inside the trial process.
 */
#define _GNU_SOURCE
#include "core/rng.h"
#include "machines.h"
#include "topology/placement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#define NR_CUTS	   20
#define NR_DAMAGES 40 /* of each machine */

static struct machines machines;

/* Uses everything that reads a topology. */
static void use(const struct nslab_topo *topo)
{
	FILE *out = fopen("/dev/null", "we");
	struct nslab_err err;
	json_t *json = nslab_topo_json(topo);
	char **list;

	assert_non_null(out);
	nslab_topo_print(topo, out, 80);
	fclose(out);
	json_decref(json);
	nslab_placement_max_threads(topo, "compact", &err);
	nslab_placement_max_threads(topo, "scatter", &err);
	nslab_placement_max_threads(topo, "smt", &err);
	nslab_placement_max_threads(topo, "l3", &err);
	if (!nslab_placement_expand(topo, "cross:all", &list, &err))
		nslab_placement_free_list(list);
}

static int load_text(const char *text, size_t len)
{
	struct nslab_topo_source source = {.origin = NSLAB_TOPO_XML};
	struct nslab_topo *topo = NULL;
	struct nslab_err err = {""};
	char path[64];
	int rc;

	machine_write(path, text, len);
	source.text = path;
	rc = nslab_topo_load(&source, &topo, &err);
	unlink(path);
	if (rc) {
		assert_null(topo);
		assert_non_null(strstr(err.text, path));
		assert_null(strchr(err.text, '\n'));
	} else {
		use(topo);
		nslab_topo_free(topo);
	}
	return rc;
}

static void xml_is_refused_wherever_it_is_cut(void **state)
{
	(void)state;
	for (int m = 0; m < machines.nr; m++) {
		char *text = machine_text(machines.paths[m]);
		size_t len = strlen(text);

		for (size_t cut = 0; cut < NR_CUTS; cut++)
			assert_int_equal(load_text(text, len * cut / NR_CUTS), -EINVAL);
		assert_int_equal(load_text(text, strlen(text) - 3), -EINVAL);
		free(text);
	}
}

/* One to four bytes changed, stretches dropped or copied elsewhere. */
static size_t damage(uint64_t *rng, char *text, size_t len)
{
	static const char bytes[] = "<>\"/=0f9, ";
	unsigned nr = 1 + nslab_rng_below(rng, 4);

	for (unsigned i = 0; i < nr; i++) {
		size_t at = nslab_rng_below(rng, (uint32_t)len - 200);
		size_t from = nslab_rng_below(rng, (uint32_t)len - 200);
		size_t stretch = 1 + nslab_rng_below(rng, 150);

		switch (nslab_rng_below(rng, 4)) {
		case 0:
			text[at] = (char)(1 + nslab_rng_below(rng, 255));
			break;
		case 1:
			text[at] = bytes[nslab_rng_below(rng, sizeof(bytes) - 1)];
			break;
		case 2:
			memmove(text + at, text + at + stretch, len - at - stretch);
			len -= stretch;
			break;
		default:
			memmove(text + at, text + from, stretch);
			break;
		}
	}
	return len;
}

static void xml_never_crashes_when_damaged(void **state)
{
	int nr_refused = 0;

	(void)state;
	for (int m = 0; m < machines.nr; m++) {
		char *text = machine_text(machines.paths[m]);
		size_t len = strlen(text);
		char *copy = malloc(len + 1);

		assert_non_null(copy);
		for (unsigned i = 0; i < NR_DAMAGES; i++) {
			uint64_t rng = nslab_rng_mix((uint64_t)m, i);

			memcpy(copy, text, len + 1);
			nr_refused += load_text(copy, damage(&rng, copy, len)) != 0;
		}
		free(copy);
		free(text);
	}
	assert_true(nr_refused > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xml_is_refused_wherever_it_is_cut),
		cmocka_unit_test(xml_never_crashes_when_damaged),
	};

	machines_find(&machines);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
